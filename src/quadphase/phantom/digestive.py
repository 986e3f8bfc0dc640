"""Stomach, duodenum, colon and small bowel: tubes with a wall, fluid below and air above.

Each is painted over what lies behind it, in a thin coat of fat. Air rises to the front: the patient lies on the back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.shapes import Patch, Point, clip_to, tube
from quadphase.phantom.torso import Torso

__all__ = ["paint_bowel", "paint_stomach"]

Array = NDArray[np.float32]
FAT_HU = -104.0


def _hollow(
    canvas: Canvas,
    outer: Patch,
    spec: PatientSpec,
    phase: Phase,
    organ: Organ,
    *,
    wall_mm: float,
    level_v: float,
    content: Array | float,
) -> None:
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
    path: list[Point] = [
        (62, 14, 84),
        (66, 2, 68),
        (66, -24, 46),
        (52, -50, 26),
        (20, -60, 12),
        (-8, -52, 10),
        (-24, -38, 14),
    ]
    radii = [36 * full, 40 * full, 34 * full, 25 * full, 18 * full, 14, 9]
    patch = tube(frame, path, radii)
    if patch.empty:
        return
    folds = SmoothField.seeded(rng_of(spec.seed, "rugae"), 6.0, nodes=32)
    axes = frame.u[patch.box[2]], frame.v[patch.box[1]], frame.w[patch.box[0]]
    rugae = folds.on_axes(*axes)
    rim = Patch(patch.box, clip_to(patch.sdf - np.float32(3), torso.cavity[patch.box], 2.5))
    rim.sdf = clip_to(rim.sdf, torso.diaphragm[patch.box], 2.0)
    canvas.paint(rim, FAT_HU, Organ.FAT)
    patch.sdf = clip_to(clip_to(patch.sdf, torso.cavity[patch.box], 3.0), torso.diaphragm[patch.box], 3.5)
    contents = (16 + 8 * np.clip(rugae, -1, 2)).astype(np.float32)
    canvas.paint(patch, tissue_hu("bowel wall", spec, phase), Organ.STOMACH)
    lumen = Patch(patch.box, patch.sdf + np.float32(4.2) + np.clip(1.5 * rugae, -1, 2.5))
    canvas.paint(lumen, contents, Organ.STOMACH)
    _, v, _ = frame.at(patch.box)
    level = np.float32(rng.uniform(-50, -22))
    canvas.paint(Patch(patch.box, np.maximum(lumen.sdf, (v - level).astype(np.float32))), -985.0, Organ.STOMACH)
    duodenum: list[Point] = [
        (-24, -38, 14),
        (-42, -26, 10),
        (-45, -12, -8),
        (-40, -4, -38),
        (-20, -2, -52),
        (8, -8, -50),
        (26, -14, -34),
    ]
    canvas.paint(Patch((c := tube(frame, duodenum, 12.5)).box, c.sdf), FAT_HU, Organ.FAT)
    loop = tube(frame, duodenum, (8, 11, 11, 10.5, 10, 9.5, 9.5))
    _hollow(canvas, loop, spec, phase, Organ.BOWEL, wall_mm=2.6, level_v=-33, content=24.0)


def paint_bowel(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> None:
    """Colon along the flanks and across, jejunal and ileal loops below, mesenteric strands between them."""
    frame = canvas.moving
    rng = rng_of(spec.seed, "bowel")
    wall = tissue_hu("bowel wall", spec, phase)
    for path, radius, gas in (
        ([(-104, 18, -150), (-106, 14, -90), (-100, 0, -40), (-86, -36, -24)], 23.0, 0.5),
        (
            [(-86, -36, -24), (-70, -66, -36), (-20, -84, -58), (30, -84, -50), (72, -66, -12), (98, -34, 24)],
            19.0,
            0.85,
        ),
        ([(98, -34, 24), (112, 4, 14), (112, 26, -30), (112, 26, -150)], 14.0, 0.4),
    ):
        colon = tube(frame, path, radius)
        if colon.empty:
            continue
        u, v, w = frame.at(colon.box)
        haustra = 2.6 * np.sin(u / 7.5 + w / 6.5 + v / 11)
        colon.sdf = clip_to((colon.sdf + haustra).astype(np.float32), torso.cavity[colon.box], 3.0)
        axes = frame.u[colon.box[2]], frame.v[colon.box[1]], frame.w[colon.box[0]]
        stool = SmoothField.seeded(rng_of(spec.seed, "stool", int(radius)), 4.0, nodes=32).on_axes(*axes)
        hu = np.where(stool > 1.1, -560, 46 + 22 * stool).astype(np.float32)
        canvas.paint(colon, wall, Organ.BOWEL)
        lumen = colon.sdf + np.float32(2.2)
        canvas.paint(Patch(colon.box, lumen), hu, Organ.BOWEL)
        level = _center_v(path, u, w) + radius * (gas - 0.75) * 1.2
        canvas.paint(Patch(colon.box, np.maximum(lumen, (v - level).astype(np.float32))), -985.0, Organ.BOWEL)
    _loops(canvas, torso, spec, phase, rng)


def _center_v(path: Sequence[Point], u: Array, w: Array) -> Array:
    """Depth of the colon's axis near a voxel, interpolated along the longer direction of the path."""
    pts = np.array(path)
    axis = 0 if np.ptp(pts[:, 0]) > np.ptp(pts[:, 2]) else 2
    order = np.argsort(pts[:, axis])
    along = u if axis == 0 else w
    return np.asarray(np.interp(along, pts[order, axis], pts[order, 1]), dtype=np.float32)


def _loops(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase, rng: np.random.Generator) -> None:
    """Jejunum on the left and higher, ileum below, each loop a bent tube in a thin coat of fat on its mesentery."""
    wall, blood = tissue_hu("bowel wall", spec, phase), tissue_hu("portal vein", spec, phase)
    for n in range(44):
        jejunum = n % 3 == 0
        low, high = ((18, -62, -70), (88, -14, 2)) if jejunum else ((-66, -78, -150), (70, -16, -22))
        at = rng.uniform(low, high)
        turn = rng.uniform(0, 2 * np.pi)
        along = np.array([np.cos(turn) * 24, np.sin(turn) * 11, rng.uniform(-12, 12)])
        across = np.array([-along[1], along[0], rng.uniform(-14, 14)]) * rng.uniform(0.3, 0.7)
        pts: list[Point] = [
            tuple(at - along + across),
            tuple(at - 0.4 * along),
            tuple(at + 0.4 * along),
            tuple(at + along + across),
        ]
        radius, gas = float(rng.uniform(9.0, 14.0)), rng.random() < 0.2
        root: Point = (6.0, -10.0, float(at[2]) + 18)
        canvas.paint(tube(canvas.moving, [root, tuple(at)], (2.2, 1.0)), blood, Organ.VESSEL)
        loop = tube(canvas.moving, pts, radius)
        if loop.empty:
            continue
        loop.sdf = clip_to(loop.sdf, torso.cavity[loop.box], 4.0)
        free = canvas.labels[loop.box] != Organ.LIVER
        loop.sdf = np.where(free, loop.sdf, np.float32(9)).astype(np.float32)
        canvas.paint(Patch(loop.box, loop.sdf - np.float32(1.4)), FAT_HU, Organ.FAT)
        canvas.paint(loop, wall, Organ.BOWEL)
        lumen = loop.sdf + np.float32(3.4 if jejunum else 2.4)
        canvas.paint(Patch(loop.box, lumen), 18.0 + 30.0 * float(rng.random()), Organ.BOWEL)
        if gas:
            _, v, _ = canvas.moving.at(loop.box)
            canvas.paint(
                Patch(loop.box, np.maximum(lumen, (v - np.float32(at[1] - 3)).astype(np.float32))), -985.0, Organ.BOWEL
            )
