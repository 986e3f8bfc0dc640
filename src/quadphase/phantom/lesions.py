"""Tumours: lobulated balls whose compartments enhance as the literature says (see `enhancement`).

HCC: heterogeneous mosaic, capsule late. ICC: a rim that enhances early and a fibrous centre that fills late, with
dilated ducts behind it. Combined: one side behaves as HCC, the other as ICC. Large ones may hold a necrotic core
that never enhances.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Diagnosis, Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tumour_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import LesionSpec, PatientSpec
from quadphase.phantom.shapes import Patch, overlap, tube, within

__all__ = ["paint_lesions"]

Array = NDArray[np.float32]


def paint_lesions(canvas: Canvas, liver: Patch, spec: PatientSpec, phase: Phase) -> NDArray[np.int16]:
    """Paint the tumours of a patient into the liver.

    Returns
    -------
    (K, J, I) ndarray of int16
        Number of the lesion (from 1, in the order of the spec), 0 elsewhere.
    """
    truth = np.zeros(canvas.hu.shape, dtype=np.int16)
    for number, lesion in enumerate(spec.lesions, start=1):
        if lesion.kind is Diagnosis.ICC and lesion.radius_mm > 18:
            _dilated_ducts(canvas, lesion, spec, number)
        _paint_one(canvas, liver, spec, phase, lesion, number, truth)
    return truth


def _paint_one(
    canvas: Canvas,
    liver: Patch,
    spec: PatientSpec,
    phase: Phase,
    lesion: LesionSpec,
    number: int,
    truth: NDArray[np.int16],
) -> None:
    frame, radius = canvas.moving, lesion.radius_mm
    cu, cv, cw = lesion.center_mm
    margin = 1.35 * radius + 2
    reach = frame.box((cu - margin, cv - margin, cw - margin), (cu + margin, cv + margin, cw + margin))
    box = overlap(reach, liver.box)
    if box is None:
        return
    into = within(box, liver.box)
    u, v, w = frame.at(box)
    axes = frame.u[box[2]], frame.v[box[1]], frame.w[box[0]]
    lobes = SmoothField.seeded(rng_of(spec.seed, "lobes", number), max(3.0, 0.42 * radius)).on_axes(*axes)
    mosaic = SmoothField.seeded(rng_of(spec.seed, "mosaic", number), max(2.2, 0.16 * radius)).on_axes(*axes)
    distance = np.sqrt((u - cu) ** 2 + (v - cv) ** 2 + ((w - cw) * 1.08) ** 2)
    ball = distance - np.float32(radius) * (1 + np.float32(0.11) * lobes)
    sdf = np.maximum(ball, liver.sdf[into] - np.float32(0.5)).astype(np.float32)
    share = np.clip(distance / (radius * (1 + 0.11 * lobes)), 0, 1.2)  # 0 in the centre, 1 on the surface
    hu = _texture(spec, phase, lesion, share, -ball, mosaic, lobes, canvas.edge_mm)
    canvas.paint(Patch(box, sdf), hu, Organ.LIVER)
    part = truth[box]
    part[sdf < 0] = number


def _texture(
    spec: PatientSpec,
    phase: Phase,
    lesion: LesionSpec,
    within: Array,
    depth: Array,
    mosaic: Array,
    lobes: Array,
    edge: float,
) -> Array:
    hcc = tumour_hu("hcc", spec, phase) + (9.0 if phase in (Phase.C1, Phase.C2) else 4.0) * mosaic
    if lesion.radius_mm > 9:
        capsule = np.clip(1.5 - np.abs(depth - 1.0) / max(1.1, 0.5 * edge), 0, 1)
        hcc = hcc + capsule * (tumour_hu("hcc capsule", spec, phase) - tumour_hu("hcc", spec, phase))
    rim_from = 0.74 + 0.05 * lobes
    share = 1 / (1 + np.exp(-(within - rim_from) / 0.06))
    core = tumour_hu("icc core", spec, phase) + 6.0 * mosaic
    # Late filling runs from the rim inwards: the very centre lags behind.
    lag = np.clip(0.45 - within, 0, 0.45) / 0.45
    core = core - lag * (16.0 if phase is Phase.C3 else 4.0)
    icc = core + share * (tumour_hu("icc rim", spec, phase) - core + 4.0 * mosaic)
    if lesion.kind is Diagnosis.HCC:
        hu = hcc
    elif lesion.kind is Diagnosis.ICC:
        hu = icc
    else:
        side = 1 / (1 + np.exp(-lobes / 0.25))
        hu = side * hcc + (1 - side) * icc
    if lesion.necrosis:
        dead = 1 / (1 + np.exp((within - lesion.necrosis * (1 + 0.25 * mosaic)) / 0.05))
        hu = hu + dead * (tumour_hu("necrosis", spec, phase) - hu)
    return np.asarray(hu, dtype=np.float32)


def _dilated_ducts(canvas: Canvas, lesion: LesionSpec, spec: PatientSpec, number: int) -> None:
    rng = rng_of(spec.seed, "ducts", number)
    center = np.array(lesion.center_mm)
    outward = center - np.array([-26.0, -10.0, 46.0])
    outward /= max(float(np.linalg.norm(outward)), 1e-6)
    for _ in range(5):
        direction = outward + rng.normal(0, 0.45, 3)
        direction /= np.linalg.norm(direction)
        start = center + direction * lesion.radius_mm * 0.9
        end = start + direction * rng.uniform(14, 30)
        duct = tube(canvas.moving, [tuple(start), tuple(end)], (2.6, 1.2))
        if duct.empty:
            continue
        inside = canvas.labels[duct.box] == Organ.LIVER
        duct.sdf = np.where(inside, duct.sdf, np.float32(9)).astype(np.float32)
        canvas.paint(duct, 8.0, Organ.LIVER)
