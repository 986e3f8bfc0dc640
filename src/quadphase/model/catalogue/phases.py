"""Finding codes: contrast phases of an exam (room convert)."""

from __future__ import annotations

from quadphase.model.finding import FindingCode

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = ()
