"""The trunk: skin, fat, muscles, ribs, and the space for the organs that breathe.

The trunk is drawn in layers of *depth* under the skin, as a superellipse seen along rays from its centre; ribs are
one periodic pattern on the wall, so they slope and cross a slice as ovals. The abdominal cavity and the two domes of
the diaphragm are returned as signed distances: liver, spleen and stomach are cut out of them, which is why they
touch the wall as real ones do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.shapes import Patch, Point, ellipsoid, join, tube

__all__ = ["Torso", "paint_torso"]

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
    whole = canvas.whole
    u, v, w = canvas.rest.at(whole)
    # The chest tapers upwards, the hips widen; the back is flatter than the belly.
    a = 160 - 0.0012 * np.clip(w - 20, 0, None) ** 2 + 0.0005 * np.clip(-w - 60, 0, None) ** 2
    front = 123 - 0.0008 * np.clip(w - 40, 0, None) ** 2
    lobe = np.float32(0.045) * SmoothField.seeded(rng_of(spec.seed, "outline"), 60.0, nodes=8).on_axes(
        canvas.rest.u, canvas.rest.v, canvas.rest.w[:1] * 0
    )
    rho, theta = np.sqrt(u * u + v * v), np.arctan2(np.abs(u), v)  # theta: 0 at the spine, pi at the sternum
    p, q = np.abs(u / a) ** np.float32(2.2), np.abs(np.where(v < 0, v / front, v / 116)) ** np.float32(2.2)
    furrow = 7.0 * np.exp(-((u / 15) ** 2)) * (v > 0)
    depth = (p + q + np.float32(1e-9)) ** np.float32(-1 / 2.2)
    depth -= 1 - lobe * np.float32(0.35)
    depth *= rho
    depth -= furrow

    fat = _fat_thickness(spec, theta, w)
    wall = 12.5 + 11 * np.exp(-((theta - 0.75) ** 2) / 0.25) - 3 * np.exp(-((theta - np.pi) ** 2) / 0.4)
    under_fat = depth - fat
    cavity = wall - under_fat
    muscle = tissue_hu("muscle", spec, phase)
    grain = SmoothField.seeded(rng_of(spec.seed, "muscle"), 4.0, nodes=32).on_axes(
        canvas.rest.u, canvas.rest.v, canvas.rest.w
    )
    canvas.paint(Patch(whole, -depth), 10.0, Organ.SKIN)
    canvas.paint(Patch(whole, np.float32(1.6) - depth), -104 + 3 * grain, Organ.FAT)
    canvas.paint(Patch(whole, -under_fat), _wall_hu(muscle, grain, under_fat, wall, theta), Organ.MUSCLE)
    canvas.paint(Patch(whole, cavity), -105 + 5 * grain, Organ.FAT)
    _ribs(canvas, spec, phase, cavity, theta)
    _back(canvas, spec, muscle)
    return Torso(cavity=cavity, diaphragm=_diaphragm(canvas))


def _fat_thickness(spec: PatientSpec, theta: Array, w: Array) -> Array:
    """Subcutaneous fat: thin over the ribs, thick at the loins and below the navel."""
    belly = 1 / (1 + np.exp((w - 30) / 25))
    chest = np.float32(0.42) + 0 * theta
    below = 0.35 * np.exp(-((theta - 0.35) ** 2) / 0.12) + 0.7 * np.exp(-((theta - 2.3) ** 2) / 0.6)
    below = below + 0.35 * np.exp(-((theta - np.pi) ** 2) / 0.3)
    return np.asarray(np.clip(spec.fat_mm * (chest + below * belly), 4, None), dtype=np.float32)


def _wall_hu(muscle: float, grain: Array, under_fat: Array, wall: Array, theta: Array) -> Array:
    """Muscle with the fat between its layers, and the gaps beside the recti."""
    hu = muscle + 6 * grain
    lateral = np.clip(np.minimum(2.6 - theta, theta - 0.5) * 2, 0, 1)
    for share in (0.40, 0.72):
        plane = 1 - np.abs(under_fat - np.float32(share) * wall) * np.float32(0.9) + 0.45 * grain
        hu -= np.clip(plane, 0, 1) * (60 * lateral)
    gap = np.clip(1.6 - np.abs(theta - np.float32(np.pi - 0.46)) * 45, 0, 1)
    midline = np.clip(1.3 - np.abs(theta - np.float32(np.pi)) * 40, 0, 1)
    hu -= np.maximum(90 * gap, 45 * midline)
    return hu


def _ribs(canvas: Canvas, spec: PatientSpec, phase: Phase, cavity: Array, theta: Array) -> None:
    """Ribs lie just outside the cavity; they fall from the spine to the flank and rise again as cartilage.

    One periodic pattern over the wall, evaluated only where the wall is.
    """
    k, j, i = np.nonzero((cavity > -3) & (cavity < 13))
    at, w = theta[0, j, i], canvas.rest.w[k]
    drop = 92 * np.clip(at / 1.9, 0, 1) ** 1.15 - 66 * np.clip((at - 1.9) / 1.1, 0, 1)
    along = w + drop + np.float32(6)
    number = np.floor(along / 28)
    off = (along - (number + np.float32(0.5)) * 28) * np.float32(0.62)
    # The twelfth rib starts near w = 0 and is short; the eleventh ends in the flank; higher ones reach the arch.
    reach = np.clip(np.float32(1.15) + np.float32(0.42) * number, 0, 2.66)
    deep = (cavity[k, j, i] - np.float32(5.0)) * np.float32(1.3)
    sdf = np.sqrt(off * off + deep * deep) - np.float32(4.4)
    sdf = np.maximum(np.maximum(sdf, (at - reach) * 90), np.maximum((np.float32(0.22) - at) * 90, (number < 0) * 50.0))
    cartilage = at > 2.1
    marrow = np.where(cartilage, 88, tissue_hu("marrow", spec, phase) - 20)
    hu = canvas.hu[k, j, i]
    for inset, value in ((0.0, np.where(cartilage, 104, 520)), (2.0, marrow)):
        alpha = np.clip(np.float32(0.5) - (sdf + np.float32(inset)) / np.float32(canvas.edge_mm), 0, 1)
        hu += alpha * (value - hu)
    canvas.hu[k, j, i] = hu
    bone = sdf < 0
    canvas.labels[k[bone], j[bone], i[bone]] = Organ.BONE
    for semi, inner in (((17, 7, 60), 320.0), ((15, 5, 58), 150.0)):
        canvas.paint(ellipsoid(canvas.rest, (0, -100, 150), semi), inner, Organ.BONE)


def _back(canvas: Canvas, spec: PatientSpec, muscle: float) -> None:
    for side in (-1, 1):
        for center, semi, turn, fascia in (
            ((side * 34.0, 80.0, 20.0), (30.0, 20.0, 400.0), side * 14.0, -30.0),
            ((side * 15.0, 82.0, 20.0), (13.0, 14.0, 400.0), 0.0, 25.0),
        ):
            mass = ellipsoid(canvas.rest, center, semi, turn=turn)
            canvas.paint(mass, muscle + _grain(canvas, spec, mass), Organ.MUSCLE)
            canvas.paint(Patch(mass.box, np.abs(mass.sdf) - np.float32(0.5)), fascia, Organ.FAT)
        psoas: list[Point] = [
            (side * 27.0, 47, 14),
            (side * 31.0, 46, -25),
            (side * 37.0, 42, -75),
            (side * 44.0, 34, -140),
        ]
        canvas.paint(tube(canvas.rest, psoas, (4, 12, 18, 22)), muscle, Organ.MUSCLE)
        canvas.paint(tube(canvas.rest, [(side * 56.0, 70, 18), (side * 66.0, 68, -140)], (9, 12)), muscle, Organ.MUSCLE)
        crus: list[Point] = [
            (side * 17.0, 24, 74),
            (side * 14.0, 17, 48),
            (side * 13.0, 20, 18),
            (side * 12.0, 24, -16),
        ]
        canvas.paint(tube(canvas.rest, crus, (3, 4.5, 4.5, 2.5)), muscle, Organ.MUSCLE)


def _grain(canvas: Canvas, spec: PatientSpec, patch: Patch) -> Array:
    """Fat streaks within a muscle, HU."""
    rest, (k, j, i) = canvas.rest, patch.box
    field = SmoothField.seeded(rng_of(spec.seed, "streaks"), 4.5, nodes=32).on_axes(rest.u[i], rest.v[j], rest.w[k])
    return np.asarray(-22 * np.clip(field - 0.4, 0, 2), dtype=np.float32)


def _diaphragm(canvas: Canvas) -> Array:
    box = canvas.moving.box((-400, -400, -20), (400, 400, 1e4))
    out = np.full(canvas.hu.shape, -60, dtype=np.float32)  # below the domes, well inside
    if box[0].start < box[0].stop:
        right = ellipsoid(canvas.moving, (-66, -5, 20), (90, 104, 100), box=box).sdf
        left = ellipsoid(canvas.moving, (64, -2, 12), (87, 103, 96), box=box).sdf
        out[box] = join(right, left, 18.0)
    return out
