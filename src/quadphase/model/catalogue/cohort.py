"""Finding codes: clinical table and eligibility."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        code="no-patient-id",
        severity=Severity.WARNING,
        title="A row of the clinical table has no patient id",
        hint="Fill it in, or delete the row",
    ),
    FindingCode(
        code="unreadable-cell",
        severity=Severity.WARNING,
        title="A cell of the clinical table cannot be understood",
        hint="Correct the cell; until then the patient is not included if a criterion needs it",
    ),
    FindingCode(
        code="sex-code-unknown",
        severity=Severity.WARNING,
        title="The clinical table holds codes that mean 'sex not known'",
        hint="Nothing to do if that is meant; write female where 0 stands for it",
    ),
    FindingCode(
        code="words-beside-codes",
        severity=Severity.INFO,
        title="The clinical table holds words beside ICD-10 codes",
        hint="Nothing to do if every diagnosis has its code",
    ),
    FindingCode(
        code="repeated-rows",
        severity=Severity.INFO,
        title="Several rows of one patient agree",
        hint="Nothing to do",
    ),
    FindingCode(
        code="conflicting-rows",
        severity=Severity.WARNING,
        title="Several rows of one patient contradict each other",
        hint="Keep one row per patient; until then the patient is not included",
    ),
    FindingCode(
        code="criterion-not-checked",
        severity=Severity.WARNING,
        title="The clinical table has no column for a criterion of the protocol",
        hint="Add the column, or name it under [columns] in protocol.toml",
    ),
    FindingCode(
        code="patients-gone",
        severity=Severity.WARNING,
        title="Patients of an earlier table are not in this one",
        hint="Their pseudonyms stay reserved; check that the table is complete",
    ),
)
