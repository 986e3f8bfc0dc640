"""`provenance.csv`: one line for each thing that was changed, assumed, or left as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from typing import Final

from quadphase.io.tables import format_csv

__all__ = ["NAME", "Assumption", "format_provenance"]

NAME: Final = "provenance.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One line.

    Parameters
    ----------
    location : str
        ``P0137/C1``.
    status : str
        ``repaired`` (proved or given), ``assumed`` (estimated: see the uncertainty), ``left`` (not repaired, and why).
    what : str
        ``orientation`` (slice order too), ``components``, ``spacing``, ``origin``, ``values``, ``header``, ``file``,
        ``table``.
    before, after : str
    basis : str
        What it rests on.
    uncertainty : str
        In words with units; empty where there is none.
    """

    location: str
    status: str
    what: str
    before: str
    after: str
    basis: str
    uncertainty: str = ""


def format_provenance(lines: Iterable[Assumption]) -> str:
    """CSV text, in the order given."""
    return format_csv([field.name for field in fields(Assumption)], (astuple(line) for line in lines))
