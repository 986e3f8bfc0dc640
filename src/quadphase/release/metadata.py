"""All metadata files of a release, written from its tables and the protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from quadphase import __version__
from quadphase.io import atomic
from quadphase.io.json_file import save_json
from quadphase.model import Protocol
from quadphase.release.card import CARD_NAME, card
from quadphase.release.croissant import CROISSANT_NAME, croissant
from quadphase.release.datacite import DATACITE_NAME, datacite
from quadphase.release.datapackage import DATAPACKAGE_NAME, datapackage
from quadphase.release.datasheet import answer_all
from quadphase.release.description import write_description
from quadphase.release.facts import gather_facts
from quadphase.release.license import LICENSE_NAME, license_text

__all__ = ["NOTEBOOK", "write_metadata"]

NOTEBOOK: Final = Path(__file__).with_name("demo.ipynb")
"""A first look at a release with numpy, pandas, nibabel and matplotlib; the tests run it on a packed release."""


def write_metadata(root: Path, protocol: Protocol) -> None:
    """Write README, LICENSE, notebook and the four JSON files; the tables must be there.

    Raises
    ------
    ProtocolError
        ``"unknown-license"``.
    """
    facts = gather_facts(root)
    answers = answer_all(protocol, facts)
    write_description(root, protocol, facts, software=__version__)
    save_json(root / CROISSANT_NAME, croissant(protocol, facts, answers))
    save_json(root / DATAPACKAGE_NAME, datapackage(protocol, facts))
    save_json(root / DATACITE_NAME, datacite(protocol, facts, answers))
    atomic.write_text(root / CARD_NAME, card(protocol, answers))
    atomic.write_text(root / LICENSE_NAME, license_text(protocol.release.license))
    atomic.write_bytes(root / NOTEBOOK.name, NOTEBOOK.read_bytes())
