"""Phases of one exam's stacks: features from headers, enhancement from the images, one joint assignment.

Every usable stack is decoded once for its thumbnail. Slices that are costly to decode are kept for writing as long as
they fit in a fixed budget; uncompressed ones are read again, which is cheaper than keeping them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from quadphase.convert.exam import Loaded, Stack
from quadphase.convert.features import features_of
from quadphase.convert.phases import Assignment, PhaseOverride, assign
from quadphase.convert.phases.enhancement import with_enhancement
from quadphase.convert.phases.thumbnail import Thumbnail, thumbnail
from quadphase.convert.pixels import NATIVE
from quadphase.errors import QuadphaseError
from quadphase.model import Finding
from quadphase.model.protocol.sections import PhasesSection

__all__ = ["Judged", "judge"]

KEPT_BYTES: Final = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was decided about the stacks of one exam.

    Parameters
    ----------
    assignment : Assignment
        Indices are those of the stacks.
    loaded : dict of int to Loaded
        Voxels kept by stack index; stacks that are not in it are loaded again.
    findings : tuple of Finding
        Of stacks whose pixels turned out damaged; those took no part.
    """

    assignment: Assignment
    loaded: dict[int, Loaded] = field(default_factory=dict, repr=False)
    findings: tuple[Finding, ...] = ()

    def load(self, stack: Stack, *, threads: int = 2) -> Loaded:
        """Voxels of a stack."""
        return self.loaded.get(stack.index) or stack.load(threads=threads)


def judge(
    stacks: Sequence[Stack],
    settings: PhasesSection,
    overrides: Sequence[PhaseOverride] = (),
    *,
    key: bytes,
    case: str = "",
    threads: int = 2,
) -> Judged:
    """Assign phases to the usable stacks of one exam.

    Parameters
    ----------
    key : bytes
        For hashed names of series.
    case : str
        Pseudonym, the location of findings.
    """
    features, thumbnails, findings = [], [], []
    kept: dict[int, Loaded] = {}
    room = KEPT_BYTES
    for stack in stacks:
        try:
            loaded = stack.load(threads=threads)
            image: Thumbnail | None = thumbnail(loaded.volume)
        except QuadphaseError as error:
            findings.append(stack.failure(error))
            continue
        features.append(features_of(stack, key))
        thumbnails.append(image)
        size = loaded.volume.hu.nbytes
        if stack.headers[0].pixels.transfer_syntax not in NATIVE and size <= room:
            kept[stack.index] = loaded
            room -= size
        del loaded
    measured = with_enhancement(features, thumbnails)
    assignment = assign(measured, settings, overrides, case=case)
    return Judged(assignment=assignment, loaded=kept, findings=tuple(findings))
