"""Kidneys with cortex, pyramids and pelvis in their fat, adrenals, and the pancreas before them."""

from __future__ import annotations

import numpy as np

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.shapes import Patch, Point, carve, clip_to, ellipsoid, tube
from quadphase.phantom.torso import Torso

__all__ = ["paint_kidneys", "paint_pancreas"]

FAT_HU = -104.0


def paint_kidneys(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> None:
    """Cortex, pyramids, sinus fat and pelvis in their perirenal fat; the adrenals above."""
    for side, low in ((-1.0, -14.0), (1.0, -6.0)):
        _kidney(canvas, torso, spec, phase, side, low)
    adrenal = tissue_hu("adrenal", spec, phase)
    for limbs in (
        [(-24.0, 26.0, 52.0), (-27, 36, 48)],
        [(-24.0, 26.0, 52.0), (-22, 40, 47)],
        [(30.0, 18.0, 50.0), (34, 32, 44)],
        [(30.0, 18.0, 50.0), (26, 32, 44)],
    ):
        canvas.paint(tube(canvas.moving, limbs, (2.4, 1.7)), adrenal, Organ.ADRENAL)


def _kidney(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase, side: float, low: float) -> None:
    frame = canvas.moving
    size = float(rng_of(spec.seed, "kidney", int(side > 0)).uniform(0.92, 1.06))
    center = (side * 57.0, 42.0, low)
    bed = ellipsoid(frame, (center[0], 44, low), (33 * size, 34 * size, 56), turn=side * -35, lean=side * -0.16)
    if bed.empty:
        return
    bed.sdf = clip_to(bed.sdf, torso.cavity[bed.box], 1.0)
    free = (canvas.labels[bed.box] != Organ.BONE) & (canvas.labels[bed.box] != Organ.MUSCLE)
    bed.sdf = np.where(free, bed.sdf, np.float32(9)).astype(np.float32)
    canvas.paint(bed, FAT_HU, Organ.FAT)
    outer = ellipsoid(frame, center, (24 * size, 28 * size, 53 * size), turn=side * -35, lean=side * -0.16)
    hilum: Point = (center[0] - side * 26 * size, 24.0, low)
    sinus = ellipsoid(
        frame,
        (center[0] - side * 12 * size, 33, low),
        (17 * size, 8.5 * size, 24 * size),
        turn=side * 38,
        box=outer.box,
    )
    outer.sdf = carve(outer.sdf, sinus.sdf)
    canvas.paint(outer, tissue_hu("kidney cortex", spec, phase), Organ.KIDNEY_CORTEX)
    u, v, w = frame.at(outer.box)
    angle = np.arctan2(v - center[1], (u - center[0]) * side)
    columns = np.cos(7 * angle + 2.2 * np.sin(w / 9)) + np.cos((w - low) / 4.6)
    pyramid = np.maximum(outer.sdf + 6.5, 2.2 * (columns - 0.55)).astype(np.float32)
    canvas.paint(Patch(outer.box, pyramid), tissue_hu("kidney medulla", spec, phase), Organ.KIDNEY_MEDULLA)
    pelvis: list[Point] = [
        (center[0] - side * 4, 37, low),
        (center[0] - side * 17, 30, low),
        (hilum[0] + side * 3, 27, low - 16),
    ]
    canvas.paint(tube(frame, pelvis, (3.2, 5.5, 3.0)), tissue_hu("kidney pelvis", spec, phase), Organ.KIDNEY_MEDULLA)
    for at in (-16.0, 16.0):
        calyx: list[Point] = [(center[0] - side * 12, 33, low), (center[0] - side * 2, 38, low + at)]
        canvas.paint(tube(frame, calyx, (3.0, 3.8)), tissue_hu("kidney pelvis", spec, phase), Organ.KIDNEY_MEDULLA)
    ureter: list[Point] = [(hilum[0] + side * 3, 27, low - 16), (side * 34, 26, -50), (side * 33, 22, -140)]
    canvas.paint(tube(frame, ureter, 2.0), tissue_hu("kidney pelvis", spec, phase), Organ.VESSEL)


def paint_pancreas(canvas: Canvas, spec: PatientSpec, phase: Phase) -> None:
    """Head in the duodenal C, neck before the portal confluence, tail to the splenic hilum; lobulated."""
    frame = canvas.moving
    path: list[Point] = [(-24, -10, -16), (-20, -14, 4), (-4, -22, 16), (18, -24, 24), (44, -8, 32), (74, 14, 40)]
    age = 1.0 - 0.006 * max(0, spec.age_years - 45)
    patch = tube(frame, path, [r * age for r in (13, 15, 10, 10, 11, 9)])
    if patch.empty:
        return
    axes = frame.u[patch.box[2]], frame.v[patch.box[1]], frame.w[patch.box[0]]
    lobules = SmoothField.seeded(rng_of(spec.seed, "pancreas"), 3.4, nodes=32).on_axes(*axes)
    patch.sdf = (patch.sdf + 1.0 * lobules).astype(np.float32)
    hu = tissue_hu("pancreas", spec, phase) - 7 * np.clip(lobules, 0, 3)
    canvas.paint(patch, hu, Organ.PANCREAS)
    canvas.paint(tube(frame, path[1:], 1.0), 20.0, Organ.PANCREAS)
