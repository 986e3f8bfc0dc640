"""The same scan twice: within the release, and in another one.

Two stages. Slice keys find copies of slices whatever happened to order, header, window or offset. Profiles find
copies whose values changed (8 bit, resampled in the plane): their fine structure along the slices correlates as only
one scan's does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.audit.profiles import similar_pairs
from quadphase.model import Finding

__all__ = ["check"]

LEAST_SLICES: Final = 3
"""Slices with the same key before two volumes are called the same: chance makes none."""


def check(context: ReleaseContext) -> Iterator[Finding]:
    volumes = context.volumes
    exact = _shared_slices(volumes, volumes)
    for (a, b), n in sorted(exact.items()):
        if a < b:
            where = f"{volumes[a].location} = {volumes[b].location}"
            yield Finding.of("duplicate-volume", where, f"{n} of {volumes[a].slice_keys.size} slices are the same")
    for a, b, score in similar_pairs(volumes, volumes):
        if a < b and (a, b) not in exact:
            where = f"{volumes[a].location} ~ {volumes[b].location}"
            yield Finding.of("near-duplicate", where, f"profiles along the slices correlate by {score:.3f}")
    if not context.against:
        return
    others = context.against
    elsewhere = _shared_slices(volumes, others)
    for (a, b), n in sorted(elsewhere.items()):
        message = f"{n} of its {volumes[a].slice_keys.size} slices are in {others[b].location} of the other release"
        yield Finding.of("duplicate-elsewhere", volumes[a].location, message)
    # Best pairs first: a volume that has found its copy is like that copy's other phases, which says nothing new.
    ours, theirs = {a for a, _ in elsewhere}, {b for _, b in elsewhere}
    for a, b, score in sorted(similar_pairs(volumes, others), key=lambda pair: -pair[2]):
        if a not in ours and b not in theirs:
            ours.add(a)
            theirs.add(b)
            message = f"looks like {others[b].location} of the other release (correlation {score:.3f})"
            yield Finding.of("duplicate-elsewhere", volumes[a].location, message)


def _shared_slices(ours: Sequence[VolumeFacts], theirs: Sequence[VolumeFacts]) -> dict[tuple[int, int], int]:
    """How many slice keys two volumes share, by their numbers; only pairs that share enough."""
    holders: dict[int, list[int]] = defaultdict(list)
    for number, volume in enumerate(theirs):
        for key in np.unique(volume.slice_keys[volume.slice_keys > 0]).tolist():
            holders[key].append(number)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for number, volume in enumerate(ours):
        for key in np.unique(volume.slice_keys[volume.slice_keys > 0]).tolist():
            for other in holders.get(key, ()):
                if ours is not theirs or other > number:
                    shared[number, other] += 1
    return {pair: n for pair, n in shared.items() if n >= LEAST_SLICES}
