"""The spine: vertebral bodies and discs every 33 mm, canal with cord, arch, processes and facets.

One vertebra is described in coordinates that repeat along the body; cortical bone is a shell around marrow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.shapes import Patch

__all__ = ["paint_spine"]

Array = NDArray[np.float32]


def paint_spine(canvas: Canvas, spec: PatientSpec, phase: Phase) -> None:
    """Paint the spine over the muscles of the back."""
    rest = canvas.rest
    box = rest.box((-48, 18, -1e4), (48, 108, 1e4))
    u, v, w = rest.at(box)
    within = (w + 1000) % np.float32(33) - np.float32(16.5)  # 0 in mid-vertebra, disc beyond 12.5
    waist = np.float32(1) + np.float32(0.07) * (np.abs(within) / 12.5) ** 2

    def oval(cu: float, cv: float, a: float, b: float) -> Array:
        x, y = (u - cu) / a, (v - cv) / b
        n = np.sqrt(x * x + y * y)
        return np.asarray((n - 1) * min(a, b), dtype=np.float32)

    body = oval(0, 44, 22.5, 17) - np.float32(8) * (waist - 1) * 2
    body = np.maximum(body, oval(0, 74, 20, 14.5) * -1)  # concave towards the canal
    disc = np.abs(within) > 12.5
    canal = oval(0, 67, 10.5, 8.5)
    arch = np.maximum(oval(0, 70, 17, 15), -canal)
    arch = np.maximum(arch, np.where(np.abs(within - 3) < 11, -50, 2).astype(np.float32))
    process = np.maximum(np.maximum(np.abs(u) - 3.0 - 0.02 * (v - 80), np.abs(v - 88) - 9), np.abs(within + 4) - 9)
    transverse = np.maximum(np.maximum(np.abs(v - 67 - 0.12 * np.abs(u)) - 4, np.abs(u) - 38), np.abs(within - 2) - 6)
    transverse = np.maximum(transverse, 12 - np.abs(u))
    facet = np.minimum(oval(15, 75, 6.5, 7.0), oval(-15, 75, 6.5, 7.0))
    facet = np.maximum(facet, 3 - np.abs(within))
    bone = np.minimum(np.minimum(arch, process), np.minimum(transverse, facet)).astype(np.float32)
    trabeculae = 22 * SmoothField.seeded(rng_of(spec.seed, "marrow"), 3.0).on_axes(
        rest.u[box[2]], rest.v[box[1]], rest.w[box[0]]
    )
    marrow = tissue_hu("marrow", spec, phase)
    canvas.paint(Patch(box, oval(0, 66, 15, 11)), -50.0, Organ.FAT)
    canvas.paint(Patch(box, body), np.where(disc, 88, 420).astype(np.float32), Organ.BONE)
    canvas.paint(
        Patch(box, body + np.float32(1.9)), np.where(disc, 82, marrow + trabeculae).astype(np.float32), Organ.BONE
    )
    canvas.paint(Patch(box, bone), 430.0, Organ.BONE)
    canvas.paint(Patch(box, bone + np.float32(2.6)), marrow + 60, Organ.BONE)
    canvas.paint(Patch(box, canal), 8.0, Organ.SPINAL_CANAL)
    canvas.paint(Patch(box, oval(0, 67, 6.5, 5)), 38.0, Organ.SPINAL_CANAL)
