"""The other organs of the upper abdomen: spleen, kidneys, adrenals, stomach, pancreas, bowel.

Each is painted over what lies behind it, with a rim of fat where a radiologist expects one. The hollow ones hold fluid below
and air above: the patient lies on the back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import LiverState, PatientSpec
from quadphase.phantom.shapes import Patch, Point, carve, clip_to, ellipsoid, tube
from quadphase.phantom.torso import Torso

__all__ = ["paint_bowel", "paint_kidneys", "paint_pancreas", "paint_spleen", "paint_stomach"]

Array = NDArray[np.float32]
FAT_HU = -104.0


def paint_spleen(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> None:
    """A crescent along the left wall; striped in the arterial phase, large in cirrhosis."""
    frame = canvas.moving
    grow = 1.22 if spec.liver_state is LiverState.CIRRHOTIC else float(rng_of(spec.seed, "spleen").uniform(0.86, 1.04))
    patch = ellipsoid(frame, (112, 34, 56), (48 * grow, 58 * grow, 50 * grow), turn=18)
    if patch.empty:
        return
    sdf = clip_to(clip_to(patch.sdf, torso.cavity[patch.box], 2.5), torso.diaphragm[patch.box], 2.5)
    hollow = ellipsoid(frame, (58, -2, 60), (54, 60, 70), turn=16, box=patch.box).sdf
    patch.sdf = carve(sdf, hollow)
    axes = frame.u[patch.box[2]], frame.v[patch.box[1]], frame.w[patch.box[0]]
    stripes = SmoothField.seeded(rng_of(spec.seed, "spleen stripes"), 5.5, nodes=48).on_axes(*axes)
    hu = tissue_hu("spleen", spec, phase) + (22 if phase is Phase.C1 else 1.5) * np.tanh(stripes)
    canvas.paint(patch, hu, Organ.SPLEEN)


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
    bed = ellipsoid(frame, (center[0], 45, low + 4), (36 * size, 34 * size, 64), turn=side * -35, lean=side * -0.16)
    if bed.empty:
        return
    bed.sdf = clip_to(bed.sdf, torso.cavity[bed.box], 1.0)
    free = (canvas.labels[bed.box] != Organ.BONE) & (canvas.labels[bed.box] != Organ.MUSCLE)
    bed.sdf = np.where(free, bed.sdf, np.float32(9)).astype(np.float32)
    canvas.paint(bed, FAT_HU, Organ.FAT)
    outer = ellipsoid(frame, center, (26 * size, 29 * size, 53 * size), turn=side * -35, lean=side * -0.16)
    hilum: Point = (center[0] - side * 26 * size, 24.0, low)
    sinus = ellipsoid(frame, (center[0] - side * 12 * size, 33, low), (17 * size, 8.5 * size, 24 * size), turn=side * 38, box=outer.box)
    outer.sdf = carve(outer.sdf, sinus.sdf)
    canvas.paint(outer, tissue_hu("kidney cortex", spec, phase), Organ.KIDNEY_CORTEX)
    u, v, w = frame.at(outer.box)
    angle = np.arctan2(v - center[1], (u - center[0]) * side)
    columns = np.cos(7 * angle + 2.2 * np.sin(w / 9)) + np.cos((w - low) / 4.6)
    pyramid = np.maximum(outer.sdf + 6.5, 2.2 * (columns - 0.55)).astype(np.float32)
    canvas.paint(Patch(outer.box, pyramid), tissue_hu("kidney medulla", spec, phase), Organ.KIDNEY_MEDULLA)
    pelvis: list[Point] = [(center[0] - side * 4, 37, low), (center[0] - side * 17, 30, low), (hilum[0] + side * 3, 27, low - 16)]
    canvas.paint(tube(frame, pelvis, (3.2, 5.5, 3.0)), tissue_hu("kidney pelvis", spec, phase), Organ.KIDNEY_MEDULLA)
    for at in (-16.0, 16.0):
        calyx: list[Point] = [(center[0] - side * 12, 33, low), (center[0] - side * 2, 38, low + at)]
        canvas.paint(tube(frame, calyx, (3.0, 3.8)), tissue_hu("kidney pelvis", spec, phase), Organ.KIDNEY_MEDULLA)
    ureter: list[Point] = [(hilum[0] + side * 3, 27, low - 16), (side * 34, 26, -50), (side * 33, 22, -140)]
    canvas.paint(tube(frame, ureter, 2.0), tissue_hu("kidney pelvis", spec, phase), Organ.VESSEL)


def _hollow(canvas: Canvas, outer: Patch, spec: PatientSpec, phase: Phase, organ: Organ, *, wall_mm: float, level_v: float, content: Array | float) -> None:
    """A hollow organ: wall, contents, and air above `level_v`."""
    if outer.empty:
        return
    canvas.paint(outer, tissue_hu("bowel wall", spec, phase), organ)
    lumen = Patch(outer.box, outer.sdf + np.float32(wall_mm))
    canvas.paint(lumen, content, organ)
    _, v, _ = canvas.moving.at(outer.box)
    canvas.paint(Patch(outer.box, np.maximum(lumen.sdf, (v - np.float32(level_v)).astype(np.float32))), -985.0, organ)


def paint_stomach(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> None:
    """Fundus under the left dome, body in front of the spleen, antrum across the midline, and the duodenum's C."""
    frame = canvas.moving
    rng = rng_of(spec.seed, "stomach")
    full = float(rng.uniform(0.72, 1.05))
    path: list[Point] = [(62, 14, 88), (66, 0, 72), (62, -24, 48), (48, -46, 26), (18, -56, 12), (-8, -50, 10), (-24, -38, 14)]
    radii = [30 * full, 34 * full, 29 * full, 22 * full, 17 * full, 13, 9]
    patch = tube(frame, path, radii)
    if patch.empty:
        return
    folds = SmoothField.seeded(rng_of(spec.seed, "rugae"), 6.0, nodes=48)
    axes = frame.u[patch.box[2]], frame.v[patch.box[1]], frame.w[patch.box[0]]
    rugae = folds.on_axes(*axes)
    rim = Patch(patch.box, clip_to(patch.sdf - np.float32(3), torso.cavity[patch.box], 2.5))
    rim.sdf = clip_to(rim.sdf, torso.diaphragm[patch.box], 2.0)
    canvas.paint(rim, FAT_HU, Organ.FAT)
    patch.sdf = clip_to(clip_to(patch.sdf, torso.cavity[patch.box], 3.0), torso.diaphragm[patch.box], 3.5)
    contents = (14 + 16 * np.clip(rugae, -1, 2)).astype(np.float32)
    canvas.paint(patch, tissue_hu("bowel wall", spec, phase), Organ.STOMACH)
    lumen = Patch(patch.box, patch.sdf + np.float32(4.2) + np.clip(1.5 * rugae, -1, 2.5))
    canvas.paint(lumen, contents, Organ.STOMACH)
    _, v, _ = frame.at(patch.box)
    level = np.float32(rng.uniform(-50, -22))
    canvas.paint(Patch(patch.box, np.maximum(lumen.sdf, (v - level).astype(np.float32))), -985.0, Organ.STOMACH)
    duodenum: list[Point] = [(-24, -38, 14), (-42, -26, 10), (-45, -12, -8), (-40, -4, -38), (-20, -2, -52), (8, -8, -50), (26, -14, -34)]
    canvas.paint(Patch((c := tube(frame, duodenum, 12.5)).box, c.sdf), FAT_HU, Organ.FAT)
    loop = tube(frame, duodenum, (8, 11, 11, 10.5, 10, 9.5, 9.5))
    _hollow(canvas, loop, spec, phase, Organ.BOWEL, wall_mm=2.6, level_v=-33, content=24.0)


def paint_pancreas(canvas: Canvas, spec: PatientSpec, phase: Phase) -> None:
    """Head in the duodenal C, neck before the portal confluence, tail to the splenic hilum; lobulated."""
    frame = canvas.moving
    path: list[Point] = [(-24, -10, -16), (-20, -14, 4), (-4, -22, 16), (18, -24, 24), (44, -8, 32), (74, 14, 40)]
    age = 1.0 - 0.006 * max(0, spec.age_years - 45)
    patch = tube(frame, path, [r * age for r in (11, 13, 8.5, 9, 9.5, 8)])
    if patch.empty:
        return
    axes = frame.u[patch.box[2]], frame.v[patch.box[1]], frame.w[patch.box[0]]
    lobules = SmoothField.seeded(rng_of(spec.seed, "pancreas"), 3.4, nodes=64).on_axes(*axes)
    patch.sdf = (patch.sdf + 1.5 * lobules).astype(np.float32)
    hu = tissue_hu("pancreas", spec, phase) - 7 * np.clip(lobules, 0, 3)
    canvas.paint(patch, hu, Organ.PANCREAS)
    canvas.paint(tube(frame, path[1:], 1.0), 20.0, Organ.PANCREAS)


def paint_bowel(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> None:
    """Colon along the flanks and across, jejunal and ileal loops below, mesenteric strands between them."""
    frame = canvas.moving
    rng = rng_of(spec.seed, "bowel")
    wall = tissue_hu("bowel wall", spec, phase)
    for path, radius, gas in (
        ([(-104, 18, -150), (-106, 14, -90), (-100, 0, -50), (-88, -34, -44)], 23.0, 0.5),
        ([(-88, -34, -44), (-70, -66, -52), (-20, -82, -62), (30, -82, -50), (72, -66, -12), (98, -34, 24)], 19.0, 0.85),
        ([(98, -34, 24), (112, 4, 14), (112, 26, -30), (112, 26, -150)], 14.0, 0.4),
    ):
        colon = tube(frame, path, radius)  # type: ignore[arg-type]
        if colon.empty:
            continue
        u, v, w = frame.at(colon.box)
        haustra = 2.6 * np.sin(u / 7.5 + w / 6.5 + v / 11)
        colon.sdf = clip_to((colon.sdf + haustra).astype(np.float32), torso.cavity[colon.box], 3.0)
        axes = frame.u[colon.box[2]], frame.v[colon.box[1]], frame.w[colon.box[0]]
        stool = SmoothField.seeded(rng_of(spec.seed, "stool", int(radius)), 4.0, nodes=64).on_axes(*axes)
        hu = np.where(stool > 1.1, -560, 46 + 22 * stool).astype(np.float32)
        canvas.paint(colon, wall, Organ.BOWEL)
        lumen = colon.sdf + np.float32(2.2)
        canvas.paint(Patch(colon.box, lumen), hu, Organ.BOWEL)
        level = np.interp(0.5, [0, 1], [0, 1]) * 0 + _center_v(path, u, v, w) + radius * (gas - 0.75) * 1.2  # type: ignore[arg-type]
        canvas.paint(Patch(colon.box, np.maximum(lumen, (v - level).astype(np.float32))), -985.0, Organ.BOWEL)
    _loops(canvas, torso, spec, phase, rng)


def _center_v(path: list[Point], u: Array, v: Array, w: Array) -> Array:
    """Depth of the colon's axis near a voxel, interpolated along the longer direction of the path."""
    pts = np.array(path)
    axis = 0 if np.ptp(pts[:, 0]) > np.ptp(pts[:, 2]) else 2
    order = np.argsort(pts[:, axis])
    along = u if axis == 0 else w
    return np.interp(along, pts[order, axis], pts[order, 1]).astype(np.float32)


def _loops(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase, rng: np.random.Generator) -> None:
    wall, fluid = tissue_hu("bowel wall", spec, phase), 22.0
    blood = tissue_hu("portal vein", spec, phase)
    for _ in range(26):
        at = np.array([rng.uniform(-62, 78), rng.uniform(-70, -14), rng.uniform(-150, -38)])
        if at[0] > 20 and rng.random() < 0.5:
            at[2] = rng.uniform(-60, -2)  # jejunum, left and higher
            at[1] = rng.uniform(-58, -20)
        turn = rng.uniform(0, 2 * np.pi)
        step = np.array([np.cos(turn) * 22, np.sin(turn) * 9, rng.uniform(-10, 10)])
        bend = at + step * 0.2 + np.array([0, 0, rng.uniform(-14, 14)])
        radius = float(rng.uniform(8.5, 12.0))
        gas = rng.random() < 0.2
        pts: list[Point] = [tuple(at - step), tuple(bend), tuple(at + step)]  # type: ignore[list-item]
        loop = tube(canvas.moving, pts, radius)
        strand = tube(canvas.moving, [(6, -8, float(at[2]) + 18), (float(at[0]), float(at[1]), float(at[2]))], (2.2, 1.2))
        canvas.paint(strand, blood, Organ.VESSEL)
        if loop.empty:
            continue
        loop.sdf = clip_to(loop.sdf, torso.cavity[loop.box], 5.0)
        canvas.paint(Patch(loop.box, loop.sdf - np.float32(1.6)), FAT_HU, Organ.FAT)
        canvas.paint(loop, wall, Organ.BOWEL)
        canvas.paint(Patch(loop.box, loop.sdf + np.float32(2.6)), fluid, Organ.BOWEL)
        if gas:
            _, v, _ = canvas.moving.at(loop.box)
            canvas.paint(
                Patch(loop.box, np.maximum(loop.sdf + np.float32(2.6), (v - np.float32(at[1] - 3)).astype(np.float32))), -985.0, Organ.BOWEL
            )
