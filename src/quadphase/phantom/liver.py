"""The liver: a wedge poured into the right dome, with left lobe, caudate, fissures, gallbladder and its vascular trees.

Its outer surface is the cavity and the diaphragm; its inner surface is cut by an oblique plane and by what presses into it
(kidney, gallbladder, stomach are painted over it later). Cirrhosis shrinks the right lobe, swells the caudate and roughens the
edge; steatosis only changes brightness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import liver_hu, tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import LiverState, PatientSpec
from quadphase.phantom.shapes import Patch, Point, carve, clip_to, ellipsoid, join, tube
from quadphase.phantom.torso import Torso

__all__ = ["Liver", "paint_gallbladder", "paint_liver"]

Array = NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Liver:
    """The liver on its box, tumours and vessels included; ``sdf`` as in `Patch`."""

    patch: Patch
    parenchyma_hu: Array
    """What the liver would be without vessels and tumours."""


def paint_liver(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> Liver:
    """Paint parenchyma, fissures and vessels; tumours come afterwards."""
    patch = _shape(canvas, torso, spec)
    hu = _parenchyma(canvas, patch, spec, phase)
    if spec.liver_state is LiverState.CIRRHOTIC:
        ascites = Patch(patch.box, np.maximum(patch.sdf - np.float32(5), torso.cavity[patch.box] + np.float32(1)))
        ascites.sdf = np.maximum(ascites.sdf, np.float32(2) - torso.diaphragm[patch.box])
        canvas.paint(ascites, 9.0, Organ.ASCITES)
    canvas.paint(patch, hu, Organ.LIVER)
    _vessels(canvas, patch, spec, phase)
    return Liver(patch, hu)


def _shape(canvas: Canvas, torso: Torso, spec: PatientSpec) -> Patch:
    frame = canvas.moving
    rng = rng_of(spec.seed, "liver")
    cirrhosis = spec.liver_state is LiverState.CIRRHOTIC
    tip = float(rng.uniform(-16, 14)) + (16 if cirrhosis else 0)
    reach = float(rng.uniform(52, 88)) + (12 if cirrhosis else 0)
    box = frame.box((-140, -112, -75), (100, 96, 128))
    if any(s.stop <= s.start for s in box):
        return Patch(box, np.zeros(tuple(max(0, s.stop - s.start) for s in box), dtype=np.float32))
    u, v, w = frame.at(box)
    cavity, dome = torso.cavity[box], torso.diaphragm[box]
    # Right lobe: everything lateral of a plane that runs from the porta down to the lateral tip, bulging a little.
    plane = (u + 32 - 0.86 * (w - 20) + 0.0022 * (w - 40) ** 2 + 0.06 * np.abs(v)) * np.float32(0.76)
    plane = np.maximum(plane, (-w - 46 + tip) + 0.004 * (v - 12) ** 2 + 0 * u)
    plane = np.maximum(plane, (u + 2 + 0.35 * (v + 30)) * np.float32(0.9))  # medial border at the IVC and the fissure
    plane = np.maximum(plane, (v - 66 - 0.18 * (w - 40) + 0.10 * (u + 70)) * np.float32(0.9))  # bare of the recess behind
    plane = np.maximum(plane, (-v - 82 + 0.9 * np.clip(30 - w, 0, 60)) * np.float32(0.75))  # colon in front of the tip
    right = plane.astype(np.float32)
    # Left lobe: a wedge in front, thinning to the left.
    thickness = np.clip(34 - 0.30 * (u - 5) * (u > 5), 8, 40)
    back = v + 64 - thickness - 0.30 * np.clip(w - 40, -30, 60)
    left = np.maximum(back, (u - reach) * np.float32(0.8))
    left = np.maximum(left, np.float32(24 + 0.0) - w + 0.28 * np.abs(u) - 0.12 * (v + 60))
    left = np.maximum(left, -u - 70)
    shape = join(right, left.astype(np.float32), 16.0)
    caudate = ellipsoid(frame, (-3, 3, 72), (19, 15, 26) if cirrhosis else (15, 12, 23), box=box).sdf
    shape = join(shape, caudate, 8.0)
    if cirrhosis:
        nodules = SmoothField.seeded(rng_of(spec.seed, "nodules"), 6.0, nodes=48)
        shape = shape + 2.1 * nodules.on_axes(frame.u[box[2]], frame.v[box[1]], frame.w[box[0]]) + np.float32(2.5)
        cavity = cavity + np.float32(3.5) + 1.6 * nodules.on_axes(frame.u[box[2]], frame.v[box[1]], frame.w[box[0]] - 40)
    shape = clip_to(shape, cavity, 2.0)
    shape = clip_to(shape, dome, 2.2)
    shape = carve(shape, _fissures(canvas, box))
    return Patch(box, shape.astype(np.float32))


def _fissures(canvas: Canvas, box: tuple[slice, slice, slice]) -> Array:
    """Fat in the fissures of the round and the venous ligament and in the porta; signed distance on the box."""
    frame = canvas.moving
    u, v, w = frame.at(box)
    round_ligament = np.maximum(np.abs(u - 8 - 0.15 * (v + 60)) - np.clip(1.2 + 0.07 * (56 - w), 0.2, 4), w - 64)
    round_ligament = np.maximum(round_ligament, v + 32)
    venous = np.maximum(np.abs(v + 14 - 0.25 * u) - 1.3, np.maximum(np.abs(u - 8) - 22, np.abs(w - 72) - 22))
    porta = ellipsoid(frame, (-24, -14, 40), (24, 9, 11), turn=20, box=box).sdf
    fossa = ellipsoid(frame, (-46, -46, 12), (17, 26, 24), box=box).sdf
    return np.minimum(np.minimum(round_ligament, venous), np.minimum(porta, fossa)).astype(np.float32)


def _parenchyma(canvas: Canvas, patch: Patch, spec: PatientSpec, phase: Phase) -> Array:
    frame = canvas.moving
    axes = frame.u[patch.box[2]], frame.v[patch.box[1]], frame.w[patch.box[0]]
    slow = SmoothField.seeded(rng_of(spec.seed, "liver slow"), 22.0).on_axes(*axes)
    fine = SmoothField.seeded(rng_of(spec.seed, "liver fine"), 3.2, nodes=80).on_axes(*axes)
    cirrhosis = spec.liver_state is LiverState.CIRRHOTIC
    amplitude = {Phase.P: 1.6, Phase.C1: 3.2, Phase.C2: 3.0, Phase.C3: 2.2}[phase] * (2.0 if cirrhosis else 1.0)
    patchy = 5.0 if spec.liver_state is LiverState.STEATOTIC else 1.5
    return np.asarray(liver_hu(spec, phase) + patchy * slow + amplitude * fine, dtype=np.float32)


_PORTAL: tuple[tuple[Point, Point, float], ...] = (
    ((-14, -10, 38), (-26, -10, 46), 6.5),
    ((-26, -10, 46), (-48, -4, 52), 6.0),
    ((-26, -10, 46), (-6, -28, 60), 5.0),
    ((-6, -28, 60), (6, -44, 66), 4.2),
)
_PORTAL_SEEDS: tuple[tuple[Point, Point, float], ...] = (
    ((-48, -4, 52), (-76, -24, 60), 4.6),
    ((-48, -4, 52), (-78, 22, 54), 4.6),
    ((-48, -4, 52), (-84, 4, 24), 3.8),
    ((6, -44, 66), (34, -52, 74), 3.2),
    ((6, -44, 66), (-22, -58, 62), 3.0),
)
_HEPATIC_SEEDS: tuple[tuple[Point, Point, float], ...] = (
    ((-18, 6, 98), (-56, 14, 84), 5.0),
    ((-18, 2, 98), (-44, -26, 82), 4.6),
    ((-16, 0, 97), (18, -38, 82), 4.2),
    ((-22, 10, 70), (-58, 34, 46), 2.6),
)


def _vessels(canvas: Canvas, liver: Patch, spec: PatientSpec, phase: Phase) -> None:
    hepatic, portal = tissue_hu("hepatic vein", spec, phase), tissue_hu("portal vein", spec, phase)
    rng = rng_of(spec.seed, "liver vessels")
    for seeds, hu, organ, turns in (
        (_HEPATIC_SEEDS, hepatic, Organ.HEPATIC_VEIN, 4),
        (_PORTAL_SEEDS, portal, Organ.PORTAL_VEIN, 4),
    ):
        for a, b, radius in seeds:
            _branch(canvas, liver, rng, np.array(a), np.array(b), radius, turns, hu, organ)
    for a, b, radius in _PORTAL:
        canvas.paint(tube(canvas.moving, [a, b], (radius, radius * 0.92)), portal, Organ.PORTAL_VEIN)


def _branch(
    canvas: Canvas,
    liver: Patch,
    rng: np.random.Generator,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: float,
    turns: int,
    hu: float,
    organ: Organ,
) -> None:
    """Paint a vessel and, with Murray's exponent of about 3, its two branches."""
    patch = tube(canvas.moving, [_point(start), _point(end)], (radius, radius * 0.8))
    if not patch.empty:
        patch = _within(patch, liver)
        canvas.paint(patch, hu, organ)
    if turns == 0 or radius < 0.9:
        return
    step = (end - start) * 0.72
    across = np.cross(step, rng.normal(size=3))
    across *= np.linalg.norm(step) / max(float(np.linalg.norm(across)), 1e-6)
    for sign in (-1.0, 1.0):
        to = end + step * rng.uniform(0.7, 1.0) + sign * across * rng.uniform(0.45, 0.8)
        _branch(canvas, liver, rng, end, to, radius * 0.76, turns - 1, hu, organ)


def _within(patch: Patch, liver: Patch) -> Patch:
    """The part of a patch that lies in the liver's box and at least 2 mm under its surface."""
    box = tuple(slice(max(p.start, o.start), min(p.stop, o.stop)) for p, o in zip(patch.box, liver.box, strict=True))
    if any(s.stop <= s.start for s in box):
        return Patch(patch.box, patch.sdf[:0])
    mine = tuple(slice(s.start - p.start, s.stop - p.start) for s, p in zip(box, patch.box, strict=True))
    theirs = tuple(slice(s.start - o.start, s.stop - o.start) for s, o in zip(box, liver.box, strict=True))
    return Patch((box[0], box[1], box[2]), np.maximum(patch.sdf[mine], liver.sdf[theirs] + np.float32(2)))


def _point(p: NDArray[np.float64]) -> Point:
    return (float(p[0]), float(p[1]), float(p[2]))


def paint_gallbladder(canvas: Canvas, spec: PatientSpec, phase: Phase) -> None:
    """A pear in its fossa, with a thin enhancing wall."""
    scale = float(rng_of(spec.seed, "gallbladder").uniform(0.75, 1.15))
    axis: list[Point] = [(-34, -34, 30), (-44, -44, 14), (-50, -56, -2)]
    wall = tube(canvas.moving, axis, (5 * scale, 12 * scale, 14 * scale))
    canvas.paint(wall, tissue_hu("bowel wall", spec, phase) * 0.8, Organ.GALLBLADDER)
    canvas.paint(Patch(wall.box, wall.sdf + np.float32(1.6)), tissue_hu("gallbladder", spec, phase), Organ.GALLBLADDER)
