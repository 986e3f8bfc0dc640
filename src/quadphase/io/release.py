"""`Release`: open a released dataset (ours, or the published PLC-CECT) by its `patient_data.csv`.

Opening reads the table (`release_rows`) and nothing else; an image is read when it is asked for and never kept, so
memory stays flat over any number of volumes. What the first image needs of `geometry.csv` is kept for the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quadphase.errors import InputError
from quadphase.io.release_rows import TABLE_NAME, ReleaseRow, RowProblem, load_rows
from quadphase.model.phase import Diagnosis, Phase, Sex

if TYPE_CHECKING:
    from quadphase.model.volume import Mask, Volume

__all__ = ["Release", "ReleasedPhase", "ReleasedSubject"]


class Windows:
    """HU windows of the images of a release, read when the first is asked for.

    A table that is missing, or not ours, states none: whether it should is for the audit.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def of(self, subject: str, phase: Phase) -> tuple[int, int] | None:
        """Inclusive limits in HU."""
        return self._stated.get((subject, phase.value))

    @cached_property
    def _stated(self) -> dict[tuple[str, str], tuple[int, int]]:
        from quadphase.io.release_tables import GEOMETRY_NAME, load_geometry

        try:
            rows = load_geometry(self._root / GEOMETRY_NAME)
        except InputError:
            return {}
        limits = {(row.patient_id, row.phase): (row.window_lower_hu, row.window_upper_hu) for row in rows}
        return {place: (low, high) for place, (low, high) in limits.items() if low is not None and high is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedPhase:
    """One phase of one subject. `ct`, `liver` and `lesions` read their file each time they are asked for.

    Parameters
    ----------
    root : Path
        Folder of the table.
    row : ReleaseRow
    windows : Windows
        Those the release states.
    """

    root: Path
    row: ReleaseRow
    windows: Windows = field(repr=False, compare=False)

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
        """The CT volume, read now; its window is the one that `geometry.csv` states, None where nothing states one.

        Raises
        ------
        InputError, UnsupportedDataError
            ``"no-image"`` if the table says NA; as `quadphase.io.nifti.load_volume`.
        """
        from quadphase.io.nifti import load_volume

        path = self.ct_path
        if path is None:
            raise InputError("no-image", f"{self.row.subject} {self.name} has no CT volume", "The table says NA")
        return replace(load_volume(path), window_hu=self.windows.of(self.row.subject, self.name))

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

    __slots__ = ("_subjects", "_windows", "problems", "root", "rows", "table")

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
        self._windows = Windows(self.root)
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
            phases=tuple(
                ReleasedPhase(root=self.root, row=first[phase], windows=self._windows)
                for phase in Phase
                if phase in first
            ),
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
