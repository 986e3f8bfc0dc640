"""The chest above the diaphragm: lung bases with their vessels, the heart on the diaphragm, the oesophagus."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.shapes import Patch, ellipsoid, inside_of, tube
from quadphase.phantom.torso import Torso

__all__ = ["paint_chest"]

Array = NDArray[np.float32]


def paint_chest(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> None:
    """Lungs with their vessels, the heart on the diaphragm, the oesophagus."""
    moving = canvas.moving
    box = canvas.rest.box((-400, -400, 4), (400, 400, 1e4))  # no lung reaches lower
    if box[0].start >= box[0].stop:
        return
    _, v, w = canvas.rest.at(box)
    above = np.maximum(torso.cavity[box] + 1.0, 2.0 - torso.diaphragm[box])
    # The recess between diaphragm and wall ends higher in front than behind.
    recess = np.float32(28) + np.float32(0.30) * np.clip(40 - v, 0, None) - w
    lungs = np.maximum(above, recess)
    for center, semi in (
        ((26, -38, 146), (72, 58, 64)),  # the heart in its fat
        ((8, -92, 110), (30, 26, 110)),  # fat behind the breast bone
        ((6, 8, 150), (27, 26, 400)),  # oesophagus, aorta
        ((0, 60, 150), (25, 60, 400)),  # spine
    ):
        lungs = np.maximum(lungs, -ellipsoid(canvas.rest, center, semi, box=box).sdf)
    lungs = np.where(canvas.labels[box] == Organ.FAT, lungs, np.float32(9)).astype(np.float32)
    density = -858 + 26 * SmoothField.seeded(rng_of(spec.seed, "lung"), 9.0).on_axes(
        canvas.rest.u[box[2]], canvas.rest.v[box[1]], canvas.rest.w[box[0]]
    )
    density = density + 0.35 * np.clip(v, -60, 80)
    air = Patch(box, lungs)
    canvas.paint(air, density, Organ.LUNG)
    _lung_vessels(canvas, air, spec, phase)
    heart = ellipsoid(moving, (26, -36, 146), (62, 48, 54), turn=-18)
    if not heart.empty:
        heart.sdf = np.maximum(heart.sdf, 3.5 - torso.diaphragm[heart.box])
        canvas.paint(heart, tissue_hu("myocardium", spec, phase), Organ.HEART)
        blood = tissue_hu("heart chamber", spec, phase)
        for center, semi in (
            ((42, -32, 150), (34, 24, 40)),
            ((4, -52, 152), (24, 20, 36)),
            ((-14, -22, 156), (19, 20, 34)),
        ):
            canvas.paint(inside_of(ellipsoid(moving, center, semi), heart, 7.0), blood, Organ.HEART)
    canvas.paint(
        tube(canvas.rest, [(10, 4, 200), (14, 3, 118), (22, -4, 96), (36, -8, 84)], 7.5),
        tissue_hu("muscle", spec, phase),
        Organ.ESOPHAGUS,
    )
    canvas.paint(tube(canvas.rest, [(10, 4, 200), (13, 3, 118)], 2.2), -500.0, Organ.ESOPHAGUS)


def _lung_vessels(canvas: Canvas, lungs: Patch, spec: PatientSpec, phase: Phase) -> None:
    rng = rng_of(spec.seed, "lung vessels")
    hu = tissue_hu("artery", spec, phase) * 0.7
    for _ in range(60):
        side = rng.choice([-1.0, 1.0])
        end = np.array([side * rng.uniform(40, 125), rng.uniform(-50, 85), rng.uniform(30, 130)])
        start = np.array([side * 30, 5.0, 175.0])
        middle = start + (end - start) * 0.55 + rng.normal(0, 6, 3)
        patch = tube(canvas.rest, [tuple(middle), tuple(end)], (2.4, 0.8))
        canvas.paint(inside_of(patch, lungs, 0.0), hu, Organ.LUNG)
