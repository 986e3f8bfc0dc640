"""Cut a group of slices whose positions repeat into stacks in which every position is unique.

Each acquisition attribute in turn orders the slices; walking along it, a new stack starts where a position comes back
or where the table jumps. Equal values stay together. An axial head scan with one acquisition number per slice is never
shattered, because values that cover neighbouring ground are joined again; two phases are never joined, because they
cover the same ground.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.header import SliceHeader

__all__ = ["positions_along", "repeats", "split"]

SAME_PLACE_MM: Final = 0.05
"""Slices closer than this lie at one position. The thinnest CT spacing is above 0.1 mm, and two phases reconstructed on
one grid repeat their positions to the last decimal."""
ADJACENT: Final = 1.6
"""A step of up to so many spacings continues a run; a larger one is a jump of the table."""
INTERLOCKED: Final = 3
"""Two acquisitions whose ranges share so many slices of each are two passes over the same anatomy."""

ATTRIBUTES: Final[tuple[tuple[str, Callable[[SliceHeader], object]], ...]] = (
    ("acquisition number", lambda h: h.acquisition.acquisition_number),
    ("temporal position", lambda h: h.acquisition.temporal_position),
    ("trigger delay", lambda h: h.acquisition.trigger_delay_ms),
    ("acquisition time", lambda h: h.acquisition.acquisition_time_s),
    ("tube voltage", lambda h: h.acquisition.kvp),
    ("image type", lambda h: h.acquisition.image_type),
    ("slice thickness", lambda h: h.acquisition.slice_thickness_mm),
    ("reconstruction diameter", lambda h: h.acquisition.reconstruction_diameter_mm),
    ("filter", lambda h: h.acquisition.filter_type),
    ("content time", lambda h: h.acquisition.content_time_s),
    ("instance number", lambda h: h.acquisition.instance_number),
)
"""Tried in this order: the acquisition's own numbers first, clocks next, numbers of the archive last."""
WEAK: Final = frozenset(("content time", "instance number"))
"""Any two images differ in these; alone they tell whole passes apart, never a single image that conflicts with
another."""


def positions_along(headers: Sequence[SliceHeader]) -> NDArray[np.float64]:
    """Position of each slice along the common normal, millimetres."""
    normal = headers[0].plane.normal
    return np.array([float(np.dot(normal, h.plane.position_mm)) for h in headers])


def repeats(along: NDArray[np.float64]) -> int:
    """How many slices lie where another one lies already."""
    return int((np.diff(np.sort(along)) < SAME_PLACE_MM).sum())


def split(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Stacks of a group, each with unique positions where any attribute allows it.

    Parameters
    ----------
    headers : sequence of SliceHeader
        One series, orientation and matrix.
    """
    along = positions_along(headers)
    index = np.arange(len(headers))
    if not repeats(along) and not _interlocked(headers, along):
        return [list(headers)]
    parts = _split(headers, along, index, [name for name, _ in ATTRIBUTES])
    return [[headers[i] for i in part] for part in parts]


def _interlocked(headers: Sequence[SliceHeader], along: NDArray[np.float64]) -> bool:
    """Whether two acquisition numbers cover the same range without a single common position."""
    numbers = [h.acquisition.acquisition_number for h in headers]
    runs = [along[[i for i, n in enumerate(numbers) if n == value]] for value in {n for n in numbers if n is not None}]
    return any(_overlap(a, b) for n, a in enumerate(runs) for b in runs[n + 1 :])


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    low, high = max(a.min(), b.min()), min(a.max(), b.max())
    inside = [int(((x >= low) & (x <= high)).sum()) for x in (a, b)]
    return min(inside) >= INTERLOCKED


def _split(
    headers: Sequence[SliceHeader], along: NDArray[np.float64], index: NDArray[np.intp], names: Sequence[str]
) -> list[NDArray[np.intp]]:
    best: list[NDArray[np.intp]] | None = None
    partial: tuple[int, str, list[NDArray[np.intp]]] | None = None
    for name, value in ATTRIBUTES:
        if name not in names:
            continue
        parts = _runs([value(headers[i]) for i in index], along[index])
        if len(parts) < 2:
            continue
        parts = [index[part] for part in parts]
        left = sum(repeats(along[part]) for part in parts)
        if left == 0:
            sizes = [len(part) for part in parts]
            if (min(sizes) if name in WEAK else np.median(sizes)) >= INTERLOCKED:
                return parts
            if name not in WEAK and (best is None or len(parts) < len(best)):
                best = parts
        elif left < repeats(along[index]) and min(len(p) for p in parts) >= INTERLOCKED and partial is None:
            partial = (left, name, parts)
    if partial is not None:
        rest = [name for name in names if name != partial[1]]
        return [piece for part in partial[2] for piece in _finish(headers, along, part, rest)]
    if best is not None:
        return best
    return _by_rank(headers, along, index)


def _finish(
    headers: Sequence[SliceHeader], along: NDArray[np.float64], part: NDArray[np.intp], names: Sequence[str]
) -> list[NDArray[np.intp]]:
    return _split(headers, along, part, names) if repeats(along[part]) else [part]


def _runs(values: Sequence[object], along: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Indices of the stacks that walking along `values` gives; one stack where the attribute says nothing."""
    if any(value is None for value in values) or len(set(map(repr, values))) < 2:
        return [np.arange(len(values))]
    order = sorted(set(values), key=lambda v: v if isinstance(v, tuple) else (v,))
    atoms = [np.array([i for i, v in enumerate(values) if v == one]) for one in order]
    steps = np.diff(np.unique(np.round(along, 3)))
    step = float(np.median(steps[steps >= SAME_PLACE_MM])) if (steps >= SAME_PLACE_MM).any() else 1.0
    runs: list[NDArray[np.intp]] = [atoms[0]]
    for atom in atoms[1:]:
        if _continues(along[runs[-1]], along[atom], step):
            runs[-1] = np.concatenate([runs[-1], atom])
        else:
            runs.append(atom)
    most = int(max((np.abs(along - place) < SAME_PLACE_MM).sum() for place in along))
    return _joined(runs, along, most)


def _continues(run: NDArray[np.float64], atom: NDArray[np.float64], step: float) -> bool:
    """Whether `atom` covers ground next to `run` and none of it."""
    below, above = run.min() - atom.max(), atom.min() - run.max()
    return bool(SAME_PLACE_MM <= max(below, above) <= ADJACENT * step)


def _joined(runs: list[NDArray[np.intp]], along: NDArray[np.float64], wanted: int) -> list[NDArray[np.intp]]:
    """Join consecutive runs that cover different ground while there are more of them than passes over any place."""
    joined = list(runs)
    at = 0
    while len(joined) > wanted and at + 1 < len(joined):
        a, b = along[joined[at]], along[joined[at + 1]]
        if max(a.min() - b.max(), b.min() - a.max()) >= SAME_PLACE_MM:
            joined[at : at + 2] = [np.concatenate([joined[at], joined[at + 1]])]
        else:
            at += 1
    return joined


def _by_rank(
    headers: Sequence[SliceHeader], along: NDArray[np.float64], index: NDArray[np.intp]
) -> list[NDArray[np.intp]]:
    """Interleaved passes: if every position occurs equally often, the n-th of each by instance number is pass n."""
    numbers = [headers[i].acquisition.instance_number for i in index]
    if any(n is None for n in numbers) or len(set(numbers)) < len(numbers):
        return [index]
    order = index[np.argsort(along[index], kind="stable")]
    cuts = np.flatnonzero(np.diff(along[order]) >= SAME_PLACE_MM) + 1
    places = np.split(order, cuts)
    if len({len(place) for place in places}) != 1:
        return [index]
    ranked = [sorted(place, key=lambda i: headers[i].acquisition.instance_number or 0) for place in places]
    return [np.array([place[n] for place in ranked]) for n in range(len(ranked[0]))]
