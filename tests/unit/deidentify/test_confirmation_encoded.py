"""Short identifiers occur in base64 by chance; the picture behind it is decoded and searched instead."""

from __future__ import annotations

import base64
import random
from pathlib import Path

from quadphase.deidentify import scan
from quadphase.model.source import Identifier


def page(payload: bytes) -> str:
    return f'<img src="data:application/octet-stream;base64,{base64.b64encode(payload).decode()}">'


def test_chance_hits_in_an_embedded_picture_are_not_identifiers(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(2_000_000)
    (tmp_path / "report.html").write_text(page(noise))
    identifiers = [Identifier(kind="patient_id", value=f"HCC_{n:03d}") for n in range(1, 10)]
    assert scan(tmp_path, identifiers).findings == ()


def test_the_identifier_itself_is_found_in_the_page_and_in_what_it_embeds(tmp_path: Path) -> None:
    identifier = Identifier(kind="patient_id", value="HCC_007")
    for name, text in (("plain", "<p>HCC_007</p>"), ("embedded", page(b"some text with HCC_007 in it, as text " * 3))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "report.html").write_text(text)
        assert [f.code for f in scan(folder, [identifier]).findings] == ["identifier-found"]
