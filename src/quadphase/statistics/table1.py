"""Table 1 of the paper: who the subjects are, and what their images hold, cancer against control.

The demographic rows need `patient_data.csv` alone; the image rows need measures (`quadphase.statistics.measures`). Two
conventions give the same numbers in different words. ``"honest"`` (default) says how many values are known and keeps
*per image* and *per patient* apart. ``"paper"`` prints the rows of Luo et al. 2025 exactly: it hides that age and sex
of three patients are unknown (its percentages are of 275, not 278) and calls values per image "per patient".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from quadphase.io.release_rows import ReleaseRow
from quadphase.model import Diagnosis, Phase, Sex
from quadphase.statistics.measures import ImageMeasures, PatientMeasures, per_patient
from quadphase.statistics.summary import Quartiles, Share

__all__ = ["Cell", "Convention", "Group", "Line", "Table1", "compute_table1"]

Convention = Literal["honest", "paper"]

Cell = int | Share | Quartiles | None
"""None: does not apply, or nothing is known."""

_PHASES = (Phase.C1, Phase.C2, Phase.C3, Phase.P)
_TYPES = (Diagnosis.CHCC, Diagnosis.HCC, Diagnosis.ICC, Diagnosis.CN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Column of the table."""

    label: str
    subjects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Row of the table.

    Parameters
    ----------
    key : str
        Stable name for machines.
    label : str
    cells : tuple of Cell or None
        One a group; None for a heading.
    indent : bool
        Belongs to the heading above.
    show_range : bool
        Whether minimum and maximum are printed after the quartiles.
    """

    key: str
    label: str
    cells: tuple[Cell, ...] | None
    indent: bool = False
    show_range: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table1:
    """The whole table as values; `quadphase.release.table1_text` prints it."""

    convention: Convention
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    footnotes: tuple[str, ...]

    def line(self, key: str) -> Line:
        """Row by its stable name; KeyError if there is none."""
        for line in self.lines:
            if line.key == key:
                return line
        raise KeyError(key)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: every number with its denominators."""
        return {
            "convention": self.convention,
            "groups": [{"label": g.label, "subjects": g.subjects} for g in self.groups],
            "lines": [
                {"key": line.key, "label": line.label, "cells": [_cell_dict(c) for c in line.cells]}
                for line in self.lines
                if line.cells is not None
            ],
            "footnotes": list(self.footnotes),
        }


def _cell_dict(cell: Cell) -> dict[str, Any] | None:
    match cell:
        case None:
            return None
        case Share():
            percent = round(cell.percent, 4) if cell.known else None
            return {"count": cell.count, "known": cell.known, "total": cell.total, "percent": percent}
        case Quartiles():
            return {name: getattr(cell, name) for name in Quartiles.__slots__}
        case _:
            return {"count": cell}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """All about one group: its rows of the table, one row a subject, and its measures."""

    rows: tuple[ReleaseRow, ...]
    subjects: tuple[ReleaseRow, ...]
    images: tuple[ImageMeasures, ...]
    patients: tuple[PatientMeasures, ...]


def _side(rows: tuple[ReleaseRow, ...], images: Iterable[ImageMeasures]) -> _Side:
    first: dict[str, ReleaseRow] = {}
    for row in rows:
        first.setdefault(row.subject, row)
    own = tuple(image for image in images if image.subject in first)
    return _Side(rows=rows, subjects=tuple(first.values()), images=own, patients=per_patient(own))


def compute_table1(
    rows: Iterable[ReleaseRow], images: Iterable[ImageMeasures] | None = None, *, convention: Convention = "honest"
) -> Table1:
    """Compute the table.

    Parameters
    ----------
    rows : iterable of ReleaseRow
        All rows of `patient_data.csv`. Rows without a subject or a known cancer type are left out; a footnote says so.
    images : iterable of ImageMeasures, optional
        Without, only the rows that `patient_data.csv` alone supports are made.
    """
    every = tuple(rows)
    usable = tuple(row for row in every if row.subject and row.diagnosis is not None)
    measured = tuple(images) if images is not None else None
    cancer = _side(tuple(r for r in usable if r.diagnosis is not Diagnosis.CN), measured or ())
    control = _side(tuple(r for r in usable if r.diagnosis is Diagnosis.CN), measured or ())
    sides = (cancer, control)
    lines = _demographic(sides)
    if measured is not None:
        lines += _image_lines(sides) if convention == "honest" else _paper_image_lines(sides)
    notes = []
    if len(usable) < len(every):
        notes.append(f"{len(every) - len(usable)} rows without a subject or a known cancer type are left out.")
    if convention == "honest":
        notes.append("Percentages are of the known values; n is given where it is not the whole group.")
        if measured is not None:
            notes.append("A patient's value is the median over the phases. Diameters are 3-D, between voxel centres.")
    notes.append(
        "cHCC-CCA: combined hepatocellular-cholangiocarcinoma; HCC: hepatocellular carcinoma; "
        "ICC: intrahepatic cholangiocarcinoma."
    )
    groups = (
        Group(label="Liver Cancer Patients", subjects=len(cancer.subjects)),
        Group(label="Non-Liver Cancer Patients", subjects=len(control.subjects)),
    )
    return Table1(convention=convention, groups=groups, lines=tuple(lines), footnotes=tuple(notes))


def _demographic(sides: tuple[_Side, ...]) -> list[Line]:
    def cells(make: Callable[[_Side], Cell]) -> tuple[Cell, ...]:
        return tuple(make(side) if side.subjects else None for side in sides)

    def sex(which: Sex) -> Callable[[_Side], Cell]:
        return lambda side: Share(
            count=sum(s.sex is which for s in side.subjects),
            known=sum(s.sex is not None for s in side.subjects),
            total=len(side.subjects),
        )

    def phase(which: Phase) -> Callable[[_Side], Cell]:
        return lambda side: Share(
            count=sum(r.phase is which for r in side.rows),
            known=sum(r.phase is not None for r in side.rows),
            total=len(side.rows),
        )

    def diagnosis(which: Diagnosis) -> Callable[[_Side], Cell]:
        def of(side: _Side) -> Cell:
            if (side is sides[1]) != (which is Diagnosis.CN):
                return None
            n = len(side.subjects)
            return Share(count=sum(s.diagnosis is which for s in side.subjects), known=n, total=n)

        return of

    return [
        Line(key="patients", label="Number of patients (N)", cells=cells(lambda s: len(s.subjects))),
        Line(
            key="age",
            label="Age (years) (median [IQR])",
            cells=cells(lambda side: Quartiles.of(s.age_years for s in side.subjects)),
        ),
        Line(key="gender", label="Gender (%)", cells=None),
        Line(key="male", label="Male", cells=cells(sex(Sex.MALE)), indent=True),
        Line(key="female", label="Female", cells=cells(sex(Sex.FEMALE)), indent=True),
        Line(
            key="images",
            label="Total number of 3D CECT images (N)",
            cells=cells(lambda side: sum(r.ct_path is not None for r in side.rows)),
        ),
        Line(key="phases", label="Phases (%)", cells=None),
        *(Line(key=f"phase_{p.value}", label=f"{p.label} Phase", cells=cells(phase(p)), indent=True) for p in _PHASES),
        Line(key="types", label="Cancer type (%)", cells=None),
        *(Line(key=f"type_{d.value}", label=d.label, cells=cells(diagnosis(d)), indent=True) for d in _TYPES),
    ]


def _totals(sides: tuple[_Side, ...]) -> list[Line]:
    return [
        Line(
            key="slices_total",
            label="Total number of CT slices (N)",
            cells=tuple(sum(i.slices for i in side.images) if side.images else None for side in sides),
        ),
        Line(
            key="lesion_slices_total",
            label="Total number of CT slices with lesions (N)",
            cells=tuple(
                sum(i.lesion_slices or 0 for i in side.images)
                if any(i.lesion_slices is not None for i in side.images)
                else None
                for side in sides
            ),
        ),
    ]


def _paper_image_lines(sides: tuple[_Side, ...]) -> list[Line]:
    def line(key: str, label: str, value: Callable[[ImageMeasures], float | None], *, show_range: bool = False) -> Line:
        cells = tuple(Quartiles.of(value(i) for i in side.images) for side in sides)
        return Line(key=key, label=label, cells=cells, show_range=show_range)

    return [
        *_totals(sides),
        line("slices", "Slices per patient (median [IQR])", lambda i: i.slices),
        line("lesion_slices", "Slices with lesions per patient (median [IQR])", lambda i: i.lesion_slices),
        line("lesion_volume", "Lesion volume (cm³) (median [IQR])", lambda i: i.lesion_volume_ml),
        line("lesion_diameter", "Max lesion diameter (cm) (median [IQR])", lambda i: _cm(i.lesion_max_diameter_mm)),
        line(
            "lesion_count",
            "Lesion count (median [IQR], (minimum, maximum))",
            lambda i: i.lesion_count,
            show_range=True,
        ),
    ]


def _image_lines(sides: tuple[_Side, ...]) -> list[Line]:
    lines = _totals(sides)
    for level, label in (("images", "per image"), ("patients", "per patient")):
        rows: list[tuple[str, str, Callable[[Any], float | None]]] = [
            ("slices", "Slices", lambda m: m.slices),
            ("lesion_slices", "Slices with lesions", lambda m: m.lesion_slices),
            ("lesion_volume", "Lesion volume (cm³)", lambda m: m.lesion_volume_ml),
            ("lesion_diameter", "Max lesion diameter (cm)", lambda m: _cm(m.lesion_max_diameter_mm)),
            ("lesion_count", "Lesion count", lambda m: m.lesion_count),
        ]
        lines.append(
            Line(key=f"heading_{level}", label=f"{label.capitalize()} (median [IQR], (minimum, maximum))", cells=None)
        )
        for key, text, value in rows:
            cells = tuple(Quartiles.of(value(m) for m in getattr(side, level)) for side in sides)
            lines.append(
                Line(key=f"{key}_{label.replace(' ', '_')}", label=text, cells=cells, indent=True, show_range=True)
            )
    return lines


def _cm(mm: float | None) -> float | None:
    return None if mm is None else mm / 10.0
