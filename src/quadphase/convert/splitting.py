"""Cut a group of slices whose positions repeat into stacks in which every position is unique.

Each acquisition attribute in turn orders the slices; walking along it, a new stack starts where a position comes back
or where the table jumps. Equal values stay together. An axial head scan with one acquisition number per slice is never
shattered, because values that cover neighbouring ground are joined again; two phases are never joined, because they
cover the same ground.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.header import SliceHeader

__all__ = ["WEAK", "Split", "positions_along", "repeats", "split"]

Indices = NDArray[np.intp]
Parts = tuple[list[Indices], tuple[str, ...]]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Stacks of a group, and by which attributes they were told apart (empty for one that needed no cut)."""

    parts: tuple[tuple[SliceHeader, ...], ...]
    told_by: tuple[str, ...] = ()

    @property
    def is_weak(self) -> bool:
        """Whether only numbers that any two images differ in told the parts apart."""
        return bool(set(self.told_by) & WEAK)


def split(headers: Sequence[SliceHeader]) -> Split:
    """Stacks of a group, each with unique positions where any attribute allows it.

    Parameters
    ----------
    headers : sequence of SliceHeader
        One series, orientation and matrix.
    """
    along = positions_along(headers)
    if not repeats(along) and not _interlocked(headers, along):
        return Split(parts=(tuple(headers),))
    parts, told_by = _split(headers, along, np.arange(len(headers)), [name for name, _ in ATTRIBUTES])
    return Split(parts=tuple(tuple(headers[i] for i in part) for part in parts), told_by=told_by)


def _interlocked(headers: Sequence[SliceHeader], along: NDArray[np.float64]) -> bool:
    """Whether two acquisitions (or two thicknesses ...) cover the same range without a single common position."""
    for name, value in ATTRIBUTES:
        if name in WEAK:
            continue
        runs = [along[run] for run in _by_value([value(h) for h in headers]).values() if len(run) >= INTERLOCKED]
        if any(_overlap(a, b) for n, a in enumerate(runs) for b in runs[n + 1 :]):
            return True
    return False


def _by_value(values: Sequence[object]) -> dict[object, list[int]]:
    found: dict[object, list[int]] = {}
    for index, value in enumerate(values):
        if value is not None:
            found.setdefault(value, []).append(index)
    return found


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    low, high = max(a.min(), b.min()), min(a.max(), b.max())
    inside = [int(((x >= low) & (x <= high)).sum()) for x in (a, b)]
    return min(inside) >= INTERLOCKED


def _split(headers: Sequence[SliceHeader], along: NDArray[np.float64], index: Indices, names: Sequence[str]) -> Parts:
    best: Parts | None = None
    partial: tuple[str, list[Indices]] | None = None
    for name, value in ATTRIBUTES:
        if name not in names:
            continue
        if name in WEAK and partial is not None:
            break  # what an acquisition's own attributes begin, they or the next of them finish
        parts = [index[part] for part in _runs([value(headers[i]) for i in index], along[index])]
        if len(parts) < 2:
            continue
        left = sum(repeats(along[part]) for part in parts)
        sizes = [len(part) for part in parts]
        if left == 0:
            if (min(sizes) if name in WEAK else np.median(sizes)) >= INTERLOCKED:
                return parts, (name,)
            if name not in WEAK and (best is None or len(parts) < len(best[0])):
                best = parts, (name,)
        elif left < repeats(along[index]) and min(sizes) >= INTERLOCKED and partial is None:
            partial = name, parts
    if partial is not None:
        rest = [name for name in names if name != partial[0]]
        finished = [_split(headers, along, p, rest) if repeats(along[p]) else ([p], ()) for p in partial[1]]
        told_by = dict.fromkeys([partial[0], *(name for _, by in finished for name in by)])
        return [piece for pieces, _ in finished for piece in pieces], tuple(told_by)
    return best or _by_rank(headers, along, index)


def _runs(values: Sequence[object], along: NDArray[np.float64]) -> list[Indices]:
    """Indices of the stacks that walking along `values` gives; one stack where the attribute says nothing."""
    found = _by_value(values)
    if len(found) < 2 or sum(map(len, found.values())) < len(values):
        return [np.arange(len(values))]
    order = sorted(found, key=lambda v: v if isinstance(v, tuple) else (v,))
    atoms = [np.array(found[value]) for value in order]
    steps = np.diff(np.sort(along))
    steps = steps[steps >= SAME_PLACE_MM]
    step = float(np.median(steps)) if len(steps) else 1.0
    runs: list[Indices] = [atoms[0]]
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


def _joined(runs: list[Indices], along: NDArray[np.float64], wanted: int) -> list[Indices]:
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


def _by_rank(headers: Sequence[SliceHeader], along: NDArray[np.float64], index: Indices) -> Parts:
    """Interleaved passes: if every position occurs equally often, the n-th of each by instance number is pass n."""
    numbers = [headers[i].acquisition.instance_number for i in index]
    if any(n is None for n in numbers) or len(set(numbers)) < len(numbers):
        return [index], ()
    order = index[np.argsort(along[index], kind="stable")]
    cuts = np.flatnonzero(np.diff(along[order]) >= SAME_PLACE_MM) + 1
    places = np.split(order, cuts)
    if len({len(place) for place in places}) != 1:
        return [index], ()
    ranked = [sorted(place, key=lambda i: headers[i].acquisition.instance_number or 0) for place in places]
    return [np.array([place[n] for place in ranked]) for n in range(len(ranked[0]))], ("instance number",)
