"""Finding codes: DICOM files, stacks and volumes (room convert)."""

from __future__ import annotations

from quadphase.model.finding import FindingCode

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = ()
