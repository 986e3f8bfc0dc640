"""Finding codes: readings, agreement and consensus (room annotate)."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        code="reading-empty",
        severity=Severity.INFO,
        title="A reader's mask holds no voxel",
        hint="Right for a control; else ask the reader whether the phase really shows no lesion",
    ),
    FindingCode(
        code="reading-reoriented",
        severity=Severity.INFO,
        title="A mask was stored in another axis order than its CT; it was brought back without moving a voxel",
        hint="Nothing to do",
    ),
    FindingCode(
        code="reading-disagreement",
        severity=Severity.WARNING,
        title="The readers differ and no adjudicated mask is given",
        hint="Review the listed slices together and give `quadphase annotate adjudicate` the agreed mask",
    ),
    FindingCode(
        code="reading-without-phase",
        severity=Severity.INFO,
        title="A sealed reading has no mask of a phase, which says that no lesion was seen there",
        hint="Nothing to do",
    ),
    FindingCode(
        code="readings-identical",
        severity=Severity.WARNING,
        title="All readers sealed the same voxels in every phase of a case",
        hint="Two people never draw the same: was one reading handed in twice?",
    ),
    FindingCode(
        code="adjudication-unused",
        severity=Severity.WARNING,
        title="An adjudicated mask was not used, as the readers did not differ there",
        hint="Leave it out; what both readers sealed is not changed by a third mask",
    ),
    FindingCode(
        code="consensus-outside-readings",
        severity=Severity.WARNING,
        title="An adjudicated mask holds voxels that no reader drew",
        hint="Confirm that the adjudication is meant for this case and phase",
    ),
)
