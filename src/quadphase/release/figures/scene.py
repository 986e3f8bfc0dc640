"""`Scene`: one phase of one subject, ready to draw: axes turned to left, posterior, superior, grey values from HU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quadphase.errors import GridMismatchError
from quadphase.imaging.crop import bounding_box
from quadphase.imaging.reorient import reorient_array, reorient_grid
from quadphase.io.release import Release, ReleasedPhase
from quadphase.model import Box, Phase
from quadphase.statistics.measures import ImageMeasures

__all__ = ["Scene", "choose_phase", "load_scene"]

_CODES = ("L", "P", "S")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Arrays ``(I, J, K)`` with I to the patient's left, J to the back, K to the head, and their spacing.

    Shown with I to the right and J down, this is the radiological view: the patient's right is on the left.
    """

    subject: str
    phase: Phase
    hu: NDArray[Any]
    liver: NDArray[np.bool_]
    lesions: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]

    def grey(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """Grey 0..1 of HU, window -160...240 (level 40, width 400): the usual abdominal window."""
        return np.asarray(np.clip((array.astype(np.float32) + 160.0) / 400.0, 0.0, 1.0))

    def box_around(self, mask: NDArray[np.bool_], margin_mm: float) -> Box:
        """Bounding box of a mask widened by a margin, inside the image; the whole image for an empty mask."""
        box = bounding_box(mask)
        if box is None:
            return Box.whole((mask.shape[0], mask.shape[1], mask.shape[2]))
        pad = [round(margin_mm / s) for s in self.spacing_mm]
        start = [max(0, a - p) for a, p in zip(box.start, pad, strict=True)]
        stop = [min(n, b + p) for n, b, p in zip(mask.shape, box.stop, pad, strict=True)]
        return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


def load_scene(phase: ReleasedPhase) -> Scene:
    """Read a phase; a missing mask is drawn as an empty one.

    Raises
    ------
    InputError, UnsupportedDataError
        If a file is missing or damaged.
    GridMismatchError
        If a mask lies on another grid.
    """
    volume, liver, lesions = phase.ct, phase.liver, phase.lesions
    for mask in (liver, lesions):
        if mask is not None and not mask.grid.is_close(volume.grid):
            raise GridMismatchError(
                "grid-mismatch",
                f"{phase.row.subject} {phase.name}: a mask lies on another grid than its image",
                "Audit it",
            )
    empty = np.zeros(volume.grid.shape, np.bool_)

    def turned(array: NDArray[Any]) -> NDArray[Any]:
        return reorient_array(array, volume.grid, _CODES)

    return Scene(
        subject=phase.row.subject,
        phase=phase.name,
        hu=turned(volume.hu),
        liver=turned(liver.voxels if liver is not None else empty),
        lesions=turned(lesions.voxels if lesions is not None else empty),
        spacing_mm=reorient_grid(volume.grid, _CODES).spacing_mm,
    )


def choose_phase(release: Release, measures: tuple[ImageMeasures, ...]) -> ReleasedPhase | None:
    """The image the figures show: the arterial (else next) phase of the subject with the median lesion volume.

    A typical case rather than a striking one; without lesions anywhere, the first subject. None for an empty release.
    """
    for name in (Phase.C1, Phase.C2, Phase.C3, Phase.P):
        sized = sorted(
            (m.lesion_volume_ml, m.subject)
            for m in measures
            if m.phase is name and m.lesion_volume_ml and m.subject in release
        )
        if sized:
            return release[sized[len(sized) // 2][1]].phase(name)
    for subject in release:
        for phase in subject:
            if phase.ct_path is not None:
                return subject.phase(Phase.C1) if any(p.name is Phase.C1 for p in subject) else phase
    return None
