"""Rows of `patient_data.csv`, the table of a release: ours, the published PLC-CECT's, and older ones.

One row for each subject and phase, paths relative to the table. Column names of older tables (``Patient ID, Stage,
CT File``) are understood. A cell that cannot be understood becomes None and a `RowProblem`: the table is shown as it
is, and `quadphase audit` judges it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from quadphase.errors import InputError
from quadphase.io.tables import load_numbered_table
from quadphase.model.phase import Diagnosis, Phase, Sex

__all__ = ["COLUMNS", "TABLE_NAME", "ReleaseRow", "RowProblem", "is_blank", "known_column", "load_rows"]

T = TypeVar("T")

TABLE_NAME: Final = "patient_data.csv"

COLUMNS: Final = ("patient_id", "age", "gender", "phase", "cancer_type", "ct_path", "mask_path", "liver_mask_path")
"""The paper's columns (Fig. 4), in its order."""

_REQUIRED: Final = ("patient_id", "phase", "ct_path")

# Keys are lower-case with everything but letters and digits removed.
_OTHER_NAMES: Final[Mapping[str, str]] = {
    "patientid": "patient_id",
    "patient": "patient_id",
    "subject": "patient_id",
    "subjectid": "patient_id",
    "id": "patient_id",
    "age": "age",
    "gender": "gender",
    "sex": "gender",
    "phase": "phase",
    "stage": "phase",
    "cancertype": "cancer_type",
    "type": "cancer_type",
    "diagnosis": "cancer_type",
    "label": "cancer_type",
    "ctpath": "ct_path",
    "ctfile": "ct_path",
    "ctfilepath": "ct_path",
    "maskpath": "mask_path",
    "maskfile": "mask_path",
    "maskfilepath": "mask_path",
    "lesionmaskfile": "mask_path",
    "lesionmaskpath": "mask_path",
    "livermaskpath": "liver_mask_path",
    "livermaskfile": "liver_mask_path",
    "livermaskfilepath": "liver_mask_path",
    "livermask": "liver_mask_path",
}

_BLANK: Final = frozenset({"", "na", "n/a", "nan", "none", "null"})

_PHASES: Final[Mapping[str, Phase]] = {
    **{phase.value.lower(): phase for phase in Phase},
    **{phase.label.lower(): phase for phase in Phase},
    "portal": Phase.C2,
    "non-contrast": Phase.P,
}
_SEXES: Final[Mapping[str, Sex]] = {
    "male": Sex.MALE,
    "m": Sex.MALE,
    "男": Sex.MALE,
    "female": Sex.FEMALE,
    "f": Sex.FEMALE,
    "女": Sex.FEMALE,
}
_DIAGNOSES: Final[Mapping[str, Diagnosis]] = {
    **{diagnosis.value.lower(): diagnosis for diagnosis in Diagnosis},
    **{diagnosis.label.lower(): diagnosis for diagnosis in Diagnosis},
    "control": Diagnosis.CN,
}


LONGEST_NAME: Final = 255
"""Bytes of a file's name (NAME_MAX of usual file systems): asking for a longer one is an error of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """A cell of the table that cannot be used as it stands.

    Parameters
    ----------
    line : int
        Line of the table, 1 for the header.
    column : str
        Our name of the column.
    message : str
    """

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One row of `patient_data.csv`: one image of one subject. None where the table says NA or cannot be understood.

    Parameters
    ----------
    line : int
        Line of the table, 1 for the header.
    subject : str
        Pseudonym, such as ``P0137``.
    age_years : float or None
        An int where the table holds a whole number.
    ct_path, mask_path, liver_mask_path : str or None
        POSIX paths relative to the folder of the table.
    """

    line: int
    subject: str
    age_years: float | None
    sex: Sex | None
    phase: Phase | None
    diagnosis: Diagnosis | None
    ct_path: str | None
    mask_path: str | None
    liver_mask_path: str | None


def load_rows(table: Path) -> tuple[tuple[ReleaseRow, ...], tuple[RowProblem, ...]]:
    """Read a `patient_data.csv` alone; no image needs to exist.

    Returns
    -------
    rows : tuple of ReleaseRow
        In the table's order.
    problems : tuple of RowProblem

    Raises
    ------
    InputError
        As `load_table`; ``"missing-column"`` if subject, phase or CT path has no column; ``"empty-release"`` if there
        are no rows.
    """
    raw = load_numbered_table(table)
    if not raw:
        raise InputError("empty-release", f"{table} has no rows", "Is it the table of a release?")
    names = {_OTHER_NAMES[_key(name)]: name for name in reversed(raw[0][1]) if _key(name) in _OTHER_NAMES}
    absent = [column for column in _REQUIRED if column not in names]
    if absent:
        raise InputError(
            "missing-column",
            f"{table} has no column '{absent[0]}'",
            f"A release table needs the columns {', '.join(COLUMNS)}",
        )
    problems: list[RowProblem] = []
    rows = [_row(line, values, names, problems) for line, values in raw]
    return tuple(rows), tuple(problems)


def known_column(name: str) -> str | None:
    """Our name of a column of a release's table; None for one that such a table need not have.

    Examples
    --------
    >>> known_column("Patient ID"), known_column("Ward")
    ('patient_id', None)
    """
    return _OTHER_NAMES.get(_key(name))


def is_blank(value: str) -> bool:
    """Whether a cell says that nothing is known: empty, NA, nan, none, null."""
    return value.strip().lower() in _BLANK


def _key(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _row(line: int, values: Mapping[str, str], names: Mapping[str, str], problems: list[RowProblem]) -> ReleaseRow:
    def text(column: str) -> str | None:
        value = values.get(names.get(column, ""), "").strip()
        return None if is_blank(value) else value

    def problem(column: str, message: str) -> None:
        problems.append(RowProblem(line=line, column=column, message=message))

    def one_of(column: str, known: Mapping[str, T], what: str) -> T | None:
        value = text(column)
        if value is None:
            return None
        if value.lower() not in known:
            problem(column, f"{what} cannot be understood")
        return known.get(value.lower())

    def age() -> float | None:
        value = text("age")
        if value is None:
            return None
        try:
            years = float(value)
        except ValueError:
            years = float("nan")
        if not 0 <= years < float("inf"):
            problem("age", "the age is not a number of years")
            return None
        return int(years) if years.is_integer() else years

    def path(column: str) -> str | None:
        value = text(column)
        if value is None:
            return None
        parts = PurePosixPath(value.replace("\\", "/"))
        # A table from elsewhere must not make us read outside the release.
        if parts.is_absolute() or ".." in parts.parts or (len(value) > 1 and value[1] == ":"):
            problem(column, "the path leads out of the release")
            return None
        if any(len(os.fsencode(part)) > LONGEST_NAME for part in parts.parts):
            problem(column, "the path holds a name that is too long for a file")
            return None
        return parts.as_posix()

    subject = text("patient_id")
    if subject is None:
        problem("patient_id", "the row names no subject")
    phase = one_of("phase", _PHASES, "the phase")
    if text("phase") is None:
        problem("phase", "the row names no phase")
    return ReleaseRow(
        line=line,
        subject=subject or "",
        age_years=age(),
        sex=one_of("gender", _SEXES, "the gender"),
        phase=phase,
        diagnosis=one_of("cancer_type", _DIAGNOSES, "the cancer type"),
        ct_path=path("ct_path"),
        mask_path=path("mask_path"),
        liver_mask_path=path("liver_mask_path"),
    )
