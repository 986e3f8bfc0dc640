"""`Finding`: a problem in the data, as a value, from one catalogue of codes.

Each room describes the codes it may report in a file of `quadphase.model.catalogue`; a code outside the catalogue is a
programming error. The catalogue is also the source of `docs/reference/findings.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Finding", "FindingCode", "Severity"]


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The data must not be used (or released) as they are."""
    WARNING = "warning"
    """A person should look."""
    INFO = "info"
    """Worth recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCode:
    """Entry of the catalogue.

    Parameters
    ----------
    code : str
        Lower-case words with hyphens, unique.
    severity : Severity
        Default severity.
    title : str
        What is wrong, in general.
    hint : str
        What to do about it.
    """

    code: str
    severity: Severity
    title: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem in the data.

    Parameters
    ----------
    code : str
        A code of the catalogue.
    severity : Severity
    location : str
        Where: pseudonym, phase, released file name, series counted in order. Never an identifier of a person.
    message : str
        What was measured, with numbers and units.
    hint : str
    """

    code: str
    severity: Severity
    location: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, code: str, location: str, message: str, *, severity: Severity | None = None) -> Finding:
        """Make a finding of a catalogued code; severity and hint come from the catalogue.

        Raises
        ------
        KeyError
            If the code is not in the catalogue.
        """
        from quadphase.model.catalogue import CATALOGUE

        entry = CATALOGUE[code]
        return cls(code=code, severity=severity or entry.severity, location=location, message=message, hint=entry.hint)

    def to_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity.value,
            "location": self.location,
            "message": self.message,
            "hint": self.hint,
        }
