"""Finding codes: contrast phases of an exam (room convert)."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]

_DECIDE = "Look at the exam with `quadphase exams`, then decide in phases.csv (case, series, phase, author, time)"

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        code="missing-phase",
        severity=Severity.WARNING,
        title="A phase the protocol requires is not in the exam",
        hint="Fetch the missing series, or change phases.required in protocol.toml",
    ),
    FindingCode(
        code="phase-contradiction",
        severity=Severity.ERROR,
        title="One kind of evidence speaks for another phase than the rest",
        hint=_DECIDE,
    ),
    FindingCode(
        code="phase-narrow-margin",
        severity=Severity.ERROR,
        title="Another phase would be nearly as likely",
        hint=_DECIDE,
    ),
    FindingCode(
        code="phase-repeated",
        severity=Severity.ERROR,
        title="A contrast phase was acquired more than once",
        hint=_DECIDE,
    ),
    FindingCode(
        code="plain-repeated",
        severity=Severity.INFO,
        title="The plain phase was acquired more than once; the better stack is used",
        hint="Nothing to do",
    ),
    FindingCode(
        code="phase-partial-coverage",
        severity=Severity.WARNING,
        title="The stack of a phase covers less than the exam's other phases",
        hint="Check that the whole liver is in it",
    ),
    FindingCode(
        code="phase-overridden",
        severity=Severity.INFO,
        title="A person decided the phase of a stack",
        hint="Nothing to do",
    ),
    FindingCode(
        code="phase-override-unknown",
        severity=Severity.ERROR,
        title="phases.csv names a stack that the exam does not have",
        hint="Copy the series from `quadphase exams`",
    ),
    FindingCode(
        code="phase-override-ambiguous",
        severity=Severity.ERROR,
        title="phases.csv names several stacks by one name",
        hint="Name the stack by its number, in the column `stack`",
    ),
    FindingCode(
        code="phase-override-conflict",
        severity=Severity.ERROR,
        title="Rows of phases.csv contradict each other",
        hint="Keep one row for each stack, and one acquisition for each phase (phase `none` leaves a stack out)",
    ),
    FindingCode(
        code="phase-text-repaired",
        severity=Severity.INFO,
        title="Header text was stored in another encoding than declared",
        hint="Nothing to do",
    ),
    FindingCode(
        code="phase-many-acquisitions",
        severity=Severity.ERROR,
        title="The exam has more acquisitions than can be compared exhaustively",
        hint=_DECIDE,
    ),
)
