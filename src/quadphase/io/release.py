"""`Release`: open a released dataset (ours, or the published PLC-CECT) by its `patient_data.csv`.

The table is the contract: one row for each subject and phase, paths relative to the release. Opening reads the table
and nothing else; an image is read when it is asked for and never kept, so memory stays flat over any number of volumes.
Column names of older tables (``Patient ID, Stage, CT File``) are understood. A cell that cannot be understood becomes
None and a `RowProblem`: this class shows a table as it is, and leaves the judging to `quadphase audit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, TypeVar

from quadphase.errors import InputError
from quadphase.io.tables import load_table
from quadphase.model.phase import Diagnosis, Phase, Sex

if TYPE_CHECKING:
    from quadphase.model.volume import Mask, Volume

__all__ = [
    "COLUMNS",
    "TABLE_NAME",
    "Release",
    "ReleaseRow",
    "ReleasedPhase",
    "ReleasedSubject",
    "RowProblem",
    "load_rows",
]

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
    raw = load_table(table)
    if not raw:
        raise InputError("empty-release", f"{table} has no rows", "Is it the table of a release?")
    names = {_OTHER_NAMES[_key(name)]: name for name in reversed(raw[0]) if _key(name) in _OTHER_NAMES}
    absent = [column for column in _REQUIRED if column not in names]
    if absent:
        raise InputError(
            "missing-column",
            f"{table} has no column '{absent[0]}'",
            f"A release table needs the columns {', '.join(COLUMNS)}",
        )
    problems: list[RowProblem] = []
    rows = [_row(number, values, names, problems) for number, values in enumerate(raw, start=2)]
    return tuple(rows), tuple(problems)


def _key(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _row(line: int, values: Mapping[str, str], names: Mapping[str, str], problems: list[RowProblem]) -> ReleaseRow:
    def text(column: str) -> str | None:
        value = values.get(names.get(column, ""), "").strip()
        return None if value.lower() in _BLANK else value

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedPhase:
    """One phase of one subject. `ct`, `liver` and `lesions` read their file each time they are asked for.

    Parameters
    ----------
    root : Path
        Folder of the table.
    row : ReleaseRow
    """

    root: Path
    row: ReleaseRow

    @property
    def name(self) -> Phase:
        assert self.row.phase is not None  # noqa: S101 -- only rows with a phase become a ReleasedPhase
        return self.row.phase

    @property
    def ct_path(self) -> Path | None:
        """Path of the CT volume; None where the table says NA. The file need not exist."""
        return self._path(self.row.ct_path)

    @property
    def lesions_path(self) -> Path | None:
        return self._path(self.row.mask_path)

    @property
    def liver_path(self) -> Path | None:
        return self._path(self.row.liver_mask_path)

    @property
    def ct(self) -> Volume:
        """The CT volume, read now.

        Raises
        ------
        InputError, UnsupportedDataError
            ``"no-image"`` if the table says NA; as `quadphase.io.nifti.load_volume`.
        """
        from quadphase.io.nifti import load_volume

        path = self.ct_path
        if path is None:
            raise InputError("no-image", f"{self.row.subject} {self.name} has no CT volume", "The table says NA")
        return load_volume(path)

    @property
    def liver(self) -> Mask | None:
        """The liver mask, read now; None where the table says NA."""
        return self._mask(self.liver_path)

    @property
    def lesions(self) -> Mask | None:
        """The lesion mask, read now; None where the table says NA, as for controls."""
        return self._mask(self.lesions_path)

    def _path(self, relative: str | None) -> Path | None:
        return None if relative is None else self.root / relative

    @staticmethod
    def _mask(path: Path | None) -> Mask | None:
        from quadphase.io.nifti import load_mask

        return None if path is None else load_mask(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedSubject:
    """One subject with its phases in the order P, C1, C2, C3.

    Age, sex and diagnosis are those of the subject's first row; rows that contradict each other are for the audit.
    """

    name: str
    age_years: float | None
    sex: Sex | None
    diagnosis: Diagnosis | None
    phases: tuple[ReleasedPhase, ...]

    def phase(self, name: Phase | str) -> ReleasedPhase:
        """One phase, by code.

        Raises
        ------
        InputError
            ``"no-phase"``.

        Examples
        --------
        >>> release["P0137"].phase("C1").ct.grid.spacing_mm  # doctest: +SKIP
        (0.78, 0.78, 0.8)
        """
        for phase in self.phases:
            if phase.name == name:
                return phase
        have = ", ".join(phase.name.value for phase in self.phases) or "none"
        raise InputError("no-phase", f"{self.name} has no phase '{name}'", f"It has: {have}")

    def __iter__(self) -> Iterator[ReleasedPhase]:
        return iter(self.phases)

    def __len__(self) -> int:
        return len(self.phases)


class Release:
    """A released dataset.

    Parameters
    ----------
    path : Path or str
        Its folder, or its `patient_data.csv`.

    Raises
    ------
    InputError
        ``"not-a-release"`` if there is no table; as `load_rows`.

    Examples
    --------
    >>> release = Release("plc_cect")  # doctest: +SKIP
    >>> len(release), release["P0137"].diagnosis  # doctest: +SKIP
    (361, <Diagnosis.ICC: 'ICC'>)
    """

    __slots__ = ("_subjects", "problems", "root", "rows", "table")

    root: Path
    """Folder of the table; every path of the table is relative to it."""
    table: Path
    rows: tuple[ReleaseRow, ...]
    """All rows in the table's order, usable or not."""
    problems: tuple[RowProblem, ...]

    def __init__(self, path: Path | str) -> None:
        self.table = _find_table(Path(path))
        self.root = self.table.parent
        self.rows, self.problems = load_rows(self.table)
        of: dict[str, list[ReleaseRow]] = {}
        for row in self.rows:
            if row.subject:
                of.setdefault(row.subject, []).append(row)
        self._subjects = {name: self._subject(name, rows) for name, rows in of.items()}

    def _subject(self, name: str, rows: list[ReleaseRow]) -> ReleasedSubject:
        first: dict[Phase, ReleaseRow] = {}
        for row in rows:
            if row.phase is not None:
                first.setdefault(row.phase, row)
        return ReleasedSubject(
            name=name,
            age_years=rows[0].age_years,
            sex=rows[0].sex,
            diagnosis=rows[0].diagnosis,
            phases=tuple(ReleasedPhase(root=self.root, row=first[phase]) for phase in Phase if phase in first),
        )

    @property
    def subjects(self) -> tuple[ReleasedSubject, ...]:
        """All subjects in the order of their first row."""
        return tuple(self._subjects.values())

    def __getitem__(self, name: str) -> ReleasedSubject:
        try:
            return self._subjects[name]
        except KeyError:
            raise InputError(
                "no-subject", f"The release has no subject '{name}'", f"It has {len(self)} others"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._subjects

    def __iter__(self) -> Iterator[ReleasedSubject]:
        return iter(self._subjects.values())

    def __len__(self) -> int:
        return len(self._subjects)

    def __repr__(self) -> str:
        return f"<Release of {len(self)} subjects, {len(self.rows)} images>"


def _find_table(path: Path) -> Path:
    if path.is_file():
        return path
    if (path / TABLE_NAME).is_file():
        return path / TABLE_NAME
    if not path.exists():
        raise InputError("not-a-release", f"There is no {path}", "Check the name")
    # An unpacked archive often holds the release in one folder of its own.
    below = sorted(path.glob(f"*/{TABLE_NAME}"))
    if len(below) == 1:
        return below[0]
    raise InputError("not-a-release", f"{path} holds no {TABLE_NAME}", "Name the folder of a release")
