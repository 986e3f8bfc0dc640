"""Finding codes: what building a release notices about its cases (room release)."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        code="lesion-outside-liver-range",
        severity=Severity.WARNING,
        title="A lesion mask reaches slices outside the liver's range; the released range was widened to hold it",
        hint="Look at the liver mask and at the lesion mask of these slices",
    ),
)
