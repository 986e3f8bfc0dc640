"""The liver: a wedge poured into the right dome, with left lobe, caudate, fissures, gallbladder and its vascular trees.

Its outer surface is the cavity and the diaphragm; its inner surface is cut by an oblique plane and by what presses
into it (kidney, gallbladder, stomach are painted over it later). Cirrhosis shrinks the right lobe, swells the
caudate and roughens the edge; steatosis only changes brightness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import liver_hu, tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.hepatic_vessels import paint_hepatic_vessels
from quadphase.phantom.patient import LiverState, PatientSpec
from quadphase.phantom.shapes import Patch, Point, carve, clip_to, ellipsoid, join, meet, tube
from quadphase.phantom.torso import Torso

__all__ = ["paint_gallbladder", "paint_liver"]

Array = NDArray[np.float32]


def paint_liver(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> Patch:
    """Paint parenchyma, fissures and vessels; tumours come afterwards. Returns the liver's shape, all of them in it."""
    patch = _shape(canvas, torso, spec)
    hu = _parenchyma(canvas, patch, spec, phase)
    if spec.liver_state is LiverState.CIRRHOTIC:
        ascites = Patch(patch.box, np.maximum(patch.sdf - np.float32(5), torso.cavity[patch.box] + np.float32(1)))
        ascites.sdf = np.maximum(ascites.sdf, torso.diaphragm[patch.box] + np.float32(1.5))
        canvas.paint(ascites, 9.0, Organ.ASCITES)
    canvas.paint(patch, hu, Organ.LIVER)
    paint_hepatic_vessels(canvas, patch, spec, phase)
    return patch


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
    # Right lobe: what is lateral of a plane from the porta down to the lateral tip, with rounded edges.
    right = (u + 32 - 0.86 * (w - 20) + 0.0022 * (w - 40) ** 2 + 0.06 * np.abs(v)) * np.float32(0.76)
    for plane, soft in (
        (tip - 46 - w + 0.004 * (v - 12) ** 2, 16.0),
        ((u + 2 + 0.35 * (v + 30)) * np.float32(0.9), 8.0),  # medial border at the cava and the fissure
        ((v - 68 - 0.18 * (w - 40) + 0.10 * (u + 70)) * np.float32(0.9), 14.0),
        (0.6 * (u + 70) + 0.8 * (v - 34) - 0.8 * np.clip(w - 34, 0, None), 10.0),  # room for the kidney
        ((-v - 88 + 1.0 * np.clip(34 - w, 0, 70) - 0.25 * (u + 60)) * np.float32(0.7), 22.0),  # colon before the tip
    ):
        right = meet(right, plane, soft)
    # Left lobe: a wedge in front, thinning to the left.
    thickness = np.clip(36 - 0.30 * (u - 5) * (u > 5), 9, 42)
    left = (v + 66 - thickness - 0.30 * np.clip(w - 40, -30, 60)) + 0 * w
    left = meet(left, (u - reach + 0.45 * (v + 60)) * np.float32(0.75), 20.0)
    left = meet(left, 22 - w + 0.26 * np.abs(u) - 0.12 * (v + 60), 14.0)
    left = meet(left, -u - 70, 10.0)
    shape = join(right, left, 16.0)
    caudate = ellipsoid(frame, (-3, 3, 72), (19, 15, 26) if cirrhosis else (15, 12, 23), box=box).sdf
    shape = join(shape, caudate, 8.0)
    if cirrhosis:
        nodules = SmoothField.seeded(rng_of(spec.seed, "nodules"), 6.0, nodes=32)
        shape = shape + 2.1 * nodules.on_axes(frame.u[box[2]], frame.v[box[1]], frame.w[box[0]]) + np.float32(2.5)
        cavity = (
            cavity + np.float32(3.5) + 1.6 * nodules.on_axes(frame.u[box[2]], frame.v[box[1]], frame.w[box[0]] - 40)
        )
    shape = clip_to(shape, cavity, 0.7)
    shape = clip_to(shape, dome, 1.5)
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
    ligaments = np.minimum(round_ligament, venous)
    return np.asarray(np.minimum(ligaments, np.minimum(porta, fossa)), dtype=np.float32)


def _parenchyma(canvas: Canvas, patch: Patch, spec: PatientSpec, phase: Phase) -> Array:
    frame = canvas.moving
    axes = frame.u[patch.box[2]], frame.v[patch.box[1]], frame.w[patch.box[0]]
    slow = SmoothField.seeded(rng_of(spec.seed, "liver slow"), 22.0).on_axes(*axes)
    fine = SmoothField.seeded(rng_of(spec.seed, "liver fine"), 3.2, nodes=40).on_axes(*axes)
    cirrhosis = spec.liver_state is LiverState.CIRRHOTIC
    amplitude = {Phase.P: 1.6, Phase.C1: 3.2, Phase.C2: 3.0, Phase.C3: 2.2}[phase] * (2.0 if cirrhosis else 1.0)
    patchy = 5.0 if spec.liver_state is LiverState.STEATOTIC else 1.5
    return np.asarray(liver_hu(spec, phase) + patchy * slow + amplitude * fine, dtype=np.float32)


def paint_gallbladder(canvas: Canvas, spec: PatientSpec, phase: Phase) -> None:
    """A pear in its fossa, with a thin enhancing wall."""
    scale = float(rng_of(spec.seed, "gallbladder").uniform(0.75, 1.15))
    axis: list[Point] = [(-34, -34, 30), (-44, -44, 14), (-50, -56, -2)]
    wall = tube(canvas.moving, axis, (5 * scale, 12 * scale, 14 * scale))
    canvas.paint(wall, tissue_hu("bowel wall", spec, phase) * 0.8, Organ.GALLBLADDER)
    canvas.paint(Patch(wall.box, wall.sdf + np.float32(1.6)), tissue_hu("gallbladder", spec, phase), Organ.GALLBLADDER)
