"""Slices to stacks: group until every position is unique, and no further.

Two real exams pull in opposite directions. In one, a single series holds two phases that only the acquisition number
tells apart; in the other, a single stack carries a new acquisition number on almost every slice. Grouping by
acquisition number is wrong for the second, ignoring it is wrong for the first. The rule that satisfies both: slices
that share series, frame of reference, orientation, matrix, pixel spacing, kernel and image type are one stack,
*unless positions repeat or the ranges of two acquisitions interlock*; only then is the group cut along time
(`quadphase.convert.splitting`).

Nothing here depends on file order, names or folders.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from quadphase.convert.header import SliceHeader
from quadphase.convert.splitting import split

__all__ = ["Group", "group_slices"]

DIRECTION_TOLERANCE = 1e-3
"""Cosines closer than this are one orientation; scanners repeat theirs to six decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Slices of one stack, ascending along the slice normal, and how it came to be one."""

    headers: tuple[SliceHeader, ...] = field(repr=False)
    part: int = 1
    parts: int = 1
    """Part of so many stacks of the same series."""
    told_by: tuple[str, ...] = ()
    """Attributes that told the parts apart."""
    is_weak: bool = False
    """Whether they were numbers that any two images differ in."""


def identity_key(header: SliceHeader) -> tuple[str, ...]:
    """Patient and exam of a slice; a blank study UID is replaced by the study's date and time."""
    o = header.origin
    return (o.patient_id, o.study_instance_uid or "\0".join((*o.study_moment, o.accession_number)))


def series_key(header: SliceHeader) -> tuple[str, ...]:
    """Series of a slice; a blank series UID is replaced by what else is constant within a series."""
    o, a = header.origin, header.acquisition
    if o.series_instance_uid:
        return (o.series_instance_uid,)
    description = a.texts.get("SeriesDescription", b"").decode("latin-1")
    return ("", repr(a.series_number), description, repr(a.series_time_s), a.manufacturer)


def canonical_key(header: SliceHeader) -> tuple[object, ...]:
    """Order of slices that does not depend on files: position along the normal, then acquisition, then UID."""
    a, o = header.acquisition, header.origin

    def number(value: float | None) -> float:
        return -1e300 if value is None else float(value)

    times = (number(a.acquisition_number), number(a.acquisition_time_s), number(a.instance_number))
    return (header.plane.along_mm, *times, o.sop_instance_uid, o.frame, header.pixels.offset)


def group_slices(headers: Iterable[SliceHeader]) -> list[Group]:
    """Stacks of the given slices, in the order of their series and acquisition.

    Every slice is in exactly one group. A group whose positions still repeat is returned as it is; its geometry proof
    will refuse it.
    """
    families: dict[tuple[object, ...], list[SliceHeader]] = defaultdict(list)
    for header in headers:
        a, p = header.acquisition, header.plane
        kind = tuple(a.image_type[:3])
        size = (p.rows, p.columns, round(p.row_spacing_mm, 4), round(p.column_spacing_mm, 4))
        key = (identity_key(header), series_key(header), header.origin.frame_of_reference_uid, a.kernel, kind, size)
        families[key].append(header)
    groups: list[Group] = []
    for name in sorted(families, key=repr):
        for family in _same_orientation(sorted(families[name], key=canonical_key)):
            found = split(family)
            # Numbered by time, so that the same slices get the same number whatever lies beside them.
            parts = sorted((tuple(sorted(part, key=canonical_key)) for part in found.parts), key=_when)
            groups += [
                Group(headers=part, part=n, parts=len(parts), told_by=found.told_by, is_weak=found.is_weak)
                for n, part in enumerate(parts, start=1)
            ]
    return sorted(groups, key=lambda group: _when(group.headers))


def _same_orientation(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Clusters of slices whose direction cosines agree with the first of the cluster."""
    clusters: list[tuple[np.ndarray, list[SliceHeader]]] = []
    for header in headers:
        cosines = np.array(header.plane.row_direction + header.plane.column_direction)
        for reference, members in clusters:
            if np.abs(reference - cosines).max() < DIRECTION_TOLERANCE:
                members.append(header)
                break
        else:
            clusters.append((cosines, [header]))
    return [members for _, members in clusters]


def _when(headers: Sequence[SliceHeader]) -> tuple[object, ...]:
    """Exam, then time, then numbers: the order a person would list stacks in."""
    first = min(headers, key=canonical_key)
    a = [h.acquisition for h in headers]

    def least(values: Iterable[float | None]) -> float:
        return min((float(v) for v in values if v is not None), default=float("inf"))

    return (
        identity_key(first),
        least(x.acquisition_time_s for x in a),
        least(x.series_number for x in a),
        least(x.acquisition_number for x in a),
        least(x.instance_number for x in a),
        repr(series_key(first)),
        repr(canonical_key(first)),
    )
