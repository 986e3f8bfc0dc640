"""Finding codes: identifiers that must not be released."""

from __future__ import annotations

from quadphase.model.finding import FindingCode

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = ()
