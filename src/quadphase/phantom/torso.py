"""The trunk that holds the organs: skin, fat, muscles, ribs, spine, lungs, heart, diaphragm, and the table below.

The trunk is drawn in layers of *depth* under the skin, as a superellipse seen along rays from its centre; ribs are one periodic
pattern on the wall, so they slope and cross a slice as ovals. The abdominal cavity and the two domes of the diaphragm are
returned as signed distances: liver, spleen and stomach are cut out of them, which is why they touch the wall as real ones do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import PatientSpec, Scanner
from quadphase.phantom.shapes import Patch, Point, ellipsoid, join, tube

__all__ = ["Torso", "paint_chest", "paint_table", "paint_torso"]

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Torso:
    """What the organs need to know of the trunk; (K, J, I) float32, millimetres.

    Parameters
    ----------
    cavity : ndarray
        Negative inside the wall of chest and abdomen.
    diaphragm : ndarray
        Negative below the domes.
    """

    cavity: Array
    diaphragm: Array


def paint_torso(canvas: Canvas, spec: PatientSpec, phase: Phase) -> Torso:
    """Paint everything that does not breathe, and return the space for what does."""
    u, v, w = canvas.rest.at((slice(None), slice(None), slice(None)))
    # Chest tapers upwards, the pelvis widens again.
    a = 158 - 0.0011 * np.clip(w - 20, 0, None) ** 2 + 0.0006 * np.clip(-w - 40, 0, None) ** 2
    b_front = 108 - 0.0006 * np.clip(w - 40, 0, None) ** 2
    b_back = 110 + 0 * w
    power = np.float32(2.35)
    p = np.abs(u / a) ** power
    q = np.where(v < 0, np.abs(v / b_front), np.abs(v / b_back)) ** power
    rho = np.sqrt(u * u + v * v)
    theta = np.arctan2(np.abs(u), v)  # 0 at the spine, pi at the sternum
    furrow = 7.0 * np.exp(-((u / 16) ** 2)) * (v > 0)
    depth = rho * ((p + q + np.float32(1e-9)) ** np.float32(-1 / power) - 1) - furrow
    depth = depth.astype(np.float32)

    fat = _fat_thickness(spec, theta, w)
    wall = 12 + 11 * np.exp(-((theta - 0.75) ** 2) / 0.25) - 2.5 * np.exp(-((theta - np.pi) ** 2) / 0.5)
    inner = (fat + wall).astype(np.float32)

    everywhere = (slice(0, depth.shape[0]), slice(0, depth.shape[1]), slice(0, depth.shape[2]))
    canvas.paint(Patch(everywhere, -depth), 12.0, Organ.SKIN)
    canvas.paint(Patch(everywhere, np.float32(1.8) - depth), -104.0, Organ.FAT)
    muscle = tissue_hu("muscle", spec, phase)
    streaks = 7.0 * SmoothField.seeded(rng_of(spec.seed, "muscle"), 5.0).on_axes(
        canvas.rest.u, canvas.rest.v, canvas.rest.w
    )
    canvas.paint(Patch(everywhere, fat - depth), muscle + streaks, Organ.MUSCLE)
    _fat_planes(canvas, depth - fat, wall, theta, everywhere)
    cavity = inner - depth
    canvas.paint(Patch(everywhere, cavity), -106 + 0.6 * streaks, Organ.FAT)
    _ribs(canvas, spec, phase, depth - inner, theta, w)
    _back(canvas, spec, phase, muscle)
    _spine(canvas, spec, phase)
    return Torso(cavity=cavity, diaphragm=_diaphragm(canvas))


def _fat_thickness(spec: PatientSpec, theta: Array, w: Array) -> Array:
    belly = 1.0 / (1.0 + np.exp((w - 30) / 25))
    around = 0.45 + 0.35 * np.exp(-((theta - 0.35) ** 2) / 0.12) * belly + 0.75 * belly * np.exp(-((theta - 2.3) ** 2) / 0.6)
    around = around + 0.35 * belly * np.exp(-((theta - np.pi) ** 2) / 0.3)
    return np.asarray(np.clip(spec.fat_mm * around, 4, None), dtype=np.float32)


def _fat_planes(canvas: Canvas, into_wall: Array, wall: Array, theta: Array, box: tuple[slice, slice, slice]) -> None:
    """Thin fat between the layers of the wall, and in the midline between the recti."""
    for share in (0.36, 0.68):
        plane = np.abs(into_wall - np.float32(share) * wall) - np.float32(0.55) * (theta < 2.75) * (theta > 0.45) + (
            np.float32(9) * ((theta > 2.75) | (theta < 0.45))
        )
        canvas.paint(Patch(box, plane.astype(np.float32)), -45.0, Organ.FAT)
    gap = np.abs(np.abs(theta - np.float32(np.pi)) - 0.42) * 90
    semilunar = np.maximum(gap - 1.5, np.maximum(-into_wall, into_wall - wall))
    canvas.paint(Patch(box, semilunar.astype(np.float32)), -70.0, Organ.FAT)


def _ribs(canvas: Canvas, spec: PatientSpec, phase: Phase, past_inner: Array, theta: Array, w: Array) -> None:
    """Ribs lie just outside the cavity; they fall from the spine to the flank and rise again as cartilage."""
    drop = 62 * np.clip(theta / 1.9, 0, 1) ** 1.2 - 48 * np.clip((theta - 1.9) / 1.1, 0, 1)
    pitch = np.float32(27)
    along = w + drop + np.float32(4)
    number = np.floor(along / pitch)
    off = (along - (number + np.float32(0.5)) * pitch) * np.float32(0.86)
    # The twelfth rib starts near w = 0 and is short; the eleventh ends in the flank; higher ones reach the arch.
    reach = np.clip(np.float32(1.15) + np.float32(0.42) * number, 0, 2.62)
    outside = np.clip(theta - reach, 0, None) * 90
    deep = -past_inner - np.float32(5.2)
    sdf = np.sqrt((off / 1.35) ** 2 + (deep * np.float32(1.25)) ** 2) - np.float32(4.6)
    sdf = np.maximum(np.maximum(sdf, outside), (np.float32(0.22) - theta) * 90)
    sdf = np.where(number < 0, np.float32(50), sdf).astype(np.float32)
    cartilage = theta > 2.05
    box = (slice(0, sdf.shape[0]), slice(0, sdf.shape[1]), slice(0, sdf.shape[2]))
    canvas.paint(Patch(box, sdf), np.where(cartilage, 105, 480).astype(np.float32), Organ.BONE)
    marrow = np.where(cartilage, 90, tissue_hu("marrow", spec, phase)).astype(np.float32)
    canvas.paint(Patch(box, sdf + np.float32(1.9)), marrow, Organ.BONE)
    canvas.paint(ellipsoid(canvas.rest, (0, -93, 150), (17, 7, 62)), 300.0, Organ.BONE)
    canvas.paint(ellipsoid(canvas.rest, (0, -93, 150), (15, 5, 60)), 150.0, Organ.BONE)


def _back(canvas: Canvas, spec: PatientSpec, phase: Phase, muscle: float) -> None:
    for side in (-1, 1):
        for center, semi, turn in (
            ((side * 33.0, 80.0, 20.0), (28.0, 18.0, 400.0), side * 12.0),
            ((side * 17.0, 84.0, 20.0), (13.0, 15.0, 400.0), 0.0),
        ):
            canvas.paint(ellipsoid(canvas.rest, center, semi, turn=turn), muscle, Organ.MUSCLE)
            canvas.paint(_shell(ellipsoid(canvas.rest, center, semi, turn=turn), 0.6), -35.0, Organ.FAT)
        psoas: list[Point] = [(side * 27.0, 47, 14), (side * 31.0, 46, -25), (side * 37.0, 42, -75), (side * 44.0, 34, -140)]
        canvas.paint(tube(canvas.rest, psoas, (4, 12, 18, 22)), muscle, Organ.MUSCLE)
        canvas.paint(tube(canvas.rest, [(side * 56.0, 70, 18), (side * 66.0, 68, -140)], (9, 12)), muscle, Organ.MUSCLE)
        crus: list[Point] = [(side * 17.0, 24, 74), (side * 14.0, 17, 48), (side * 13.0, 20, 18), (side * 12.0, 24, -16)]
        canvas.paint(tube(canvas.rest, crus, (3, 4.5, 4.5, 2.5)), muscle, Organ.MUSCLE)


def _shell(patch: Patch, half_mm: float) -> Patch:
    return Patch(patch.box, np.abs(patch.sdf) - np.float32(half_mm))


def _spine(canvas: Canvas, spec: PatientSpec, phase: Phase) -> None:
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
    process = np.maximum(np.maximum(np.abs(u) - 3.2, np.abs(v - 92) - 11), np.abs(within + 4) - 9)
    transverse = np.maximum(np.maximum(np.abs(v - 67 - 0.12 * np.abs(u)) - 4, np.abs(u) - 38), np.abs(within - 2) - 6)
    transverse = np.maximum(transverse, 12 - np.abs(u))
    facet = oval(16, 79, 7, 8) if False else np.minimum(oval(16, 78, 6.5, 7.5), oval(-16, 78, 6.5, 7.5))
    facet = np.maximum(facet, np.abs(within) - 12)
    bone = np.minimum(np.minimum(arch, process), np.minimum(transverse, facet)).astype(np.float32)
    trabeculae = 22 * SmoothField.seeded(rng_of(spec.seed, "marrow"), 3.0).on_axes(rest.u[box[2]], rest.v[box[1]], rest.w[box[0]])
    marrow = tissue_hu("marrow", spec, phase)
    canvas.paint(Patch(box, oval(0, 68, 19, 16)), -60.0, Organ.FAT)
    canvas.paint(Patch(box, body), np.where(disc, 88, 420).astype(np.float32), Organ.BONE)
    canvas.paint(Patch(box, body + np.float32(1.9)), np.where(disc, 82, marrow + trabeculae).astype(np.float32), Organ.BONE)
    canvas.paint(Patch(box, bone), 430.0, Organ.BONE)
    canvas.paint(Patch(box, bone + np.float32(2.6)), marrow + 60, Organ.BONE)
    canvas.paint(Patch(box, canal), 8.0, Organ.SPINAL_CANAL)
    canvas.paint(Patch(box, oval(0, 67, 6.5, 5)), 38.0, Organ.SPINAL_CANAL)


def _diaphragm(canvas: Canvas) -> Array:
    everywhere = tuple(slice(0, n) for n in canvas.hu.shape)
    whole = (everywhere[0], everywhere[1], everywhere[2])
    right = ellipsoid(canvas.moving, (-66, 0, 22), (88, 94, 98), box=whole).sdf
    left = ellipsoid(canvas.moving, (64, 4, 14), (86, 94, 94), box=whole).sdf
    return join(right, left, 18.0)


def paint_chest(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> None:
    """Lungs with their vessels, the heart on the diaphragm, the oesophagus."""
    moving = canvas.moving
    everywhere = tuple(slice(0, n) for n in canvas.hu.shape)
    whole = (everywhere[0], everywhere[1], everywhere[2])
    u, v, w = canvas.rest.at(whole)
    above = np.maximum(torso.cavity + 1.0, 2.0 - torso.diaphragm)
    # The recess between diaphragm and wall ends higher in front than behind.
    recess = np.float32(30) + np.float32(0.42) * np.clip(40 - v, 0, None) - w
    mediastinum = np.maximum(np.abs(u - 8) - (26 + 0.20 * np.clip(w - 90, 0, None)), 0 * v - 40 + 0 * w)
    behind = np.maximum(np.abs(u - 4) - 24, 16 - v)  # vertebra and aorta
    lungs = np.maximum(above, recess)
    lungs = np.maximum(lungs, -np.maximum(mediastinum, v - 12))
    lungs = np.maximum(lungs, -np.maximum(behind, v - 62))
    heart_bed = ellipsoid(canvas.rest, (26, -38, 146), (72, 58, 64), box=whole).sdf
    lungs = np.maximum(lungs, -heart_bed).astype(np.float32)
    density = -858 + 26 * SmoothField.seeded(rng_of(spec.seed, "lung"), 9.0).on_axes(canvas.rest.u, canvas.rest.v, canvas.rest.w)
    density = density + 0.35 * np.clip(v, -60, 80)
    canvas.paint(Patch(whole, lungs), density, Organ.LUNG)
    _lung_vessels(canvas, lungs, spec, phase)
    heart = ellipsoid(moving, (26, -36, 146), (62, 48, 54), turn=-18)
    if not heart.empty:
        heart.sdf = np.maximum(heart.sdf, 3.5 - torso.diaphragm[heart.box])
        canvas.paint(heart, tissue_hu("myocardium", spec, phase), Organ.HEART)
        blood = tissue_hu("heart chamber", spec, phase)
        for center, semi in (((42, -32, 150), (34, 24, 40)), ((4, -52, 152), (24, 20, 36)), ((-14, -22, 156), (19, 20, 34))):
            canvas.paint(_inside(ellipsoid(moving, center, semi), heart), blood, Organ.HEART)
    canvas.paint(tube(canvas.rest, [(10, 4, 200), (14, 3, 118), (22, -4, 96), (36, -8, 84)], 7.5), tissue_hu("muscle", spec, phase), Organ.ESOPHAGUS)
    canvas.paint(tube(canvas.rest, [(10, 4, 200), (13, 3, 118)], 2.2), -500.0, Organ.ESOPHAGUS)


def _inside(patch: Patch, other: Patch) -> Patch:
    """Part of `patch` at least 7 mm inside `other`, where `other` was evaluated; nothing elsewhere."""
    box = tuple(slice(max(p.start, o.start), min(p.stop, o.stop)) for p, o in zip(patch.box, other.box, strict=True))
    if patch.empty or any(s.stop <= s.start for s in box):
        return Patch(patch.box, patch.sdf[:0])
    mine = tuple(slice(s.start - p.start, s.stop - p.start) for s, p in zip(box, patch.box, strict=True))
    theirs = tuple(slice(s.start - o.start, s.stop - o.start) for s, o in zip(box, other.box, strict=True))
    return Patch((box[0], box[1], box[2]), np.maximum(patch.sdf[mine], other.sdf[theirs] + np.float32(7)))


def _lung_vessels(canvas: Canvas, lungs: Array, spec: PatientSpec, phase: Phase) -> None:
    rng = rng_of(spec.seed, "lung vessels")
    hu = tissue_hu("artery", spec, phase) * 0.7
    for _ in range(60):
        side = rng.choice([-1.0, 1.0])
        end = np.array([side * rng.uniform(40, 125), rng.uniform(-50, 85), rng.uniform(30, 130)])
        start = np.array([side * 30, 5.0, 175.0])
        middle = start + (end - start) * 0.55 + rng.normal(0, 6, 3)
        patch = tube(canvas.rest, [tuple(middle), tuple(end)], (2.4, 0.8))  # type: ignore[list-item]
        if not patch.empty:
            patch.sdf = np.maximum(patch.sdf, lungs[patch.box])
            canvas.paint(patch, hu, Organ.LUNG)


def paint_table(canvas: Canvas, spec: PatientSpec) -> None:
    """The couch: a curved carbon shell over foam, and the rail of the gantry below."""
    box = tuple(slice(0, n) for n in canvas.hu.shape)
    whole = (box[0], box[1], box[2])
    u, v, w = canvas.rest.at(whole)
    radius = np.float32(420 if spec.scanner is Scanner.CANON else 600)
    sag = v - 126 - (np.sqrt(radius**2 - np.clip(np.abs(u), 0, 240) ** 2) - radius)
    width = np.abs(u) - 205
    shell = np.maximum(np.abs(sag) - 1.2, width) + 0 * w
    foam = np.maximum(np.maximum(sag - 20, 1.2 - sag), width + 4 * np.clip(sag, 0, None)) + 0 * w
    air = canvas.labels == Organ.AIR
    for sdf, hu in ((foam, -920.0), (shell, -130.0), (np.maximum(np.abs(sag - 20) - 0.9, width + 80) + 0 * w, -250.0)):
        canvas.paint(Patch(whole, np.where(air, sdf, 50).astype(np.float32)), hu, Organ.TABLE)
