"""Render one phase of one patient: HU, liver, lesions and organs on the grid of a CT series.

Order of painting is the anatomy lesson: trunk, chest, great vessels, liver with its tumours, then what presses into it from below
and from the left. Anatomy is drawn at no finer than `_ANATOMY_PIXEL_MM` and interpolated; only the noise has full resolution,
as in a real scan, where the kernel and not the matrix limits sharpness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Grid, LabelMap, Mask, Phase, Volume
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.lesions import paint_lesions
from quadphase.phantom.liver import paint_gallbladder, paint_liver
from quadphase.phantom.noise import kernel_noise, noise_level
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.shapes import Frame
from quadphase.phantom.torso import paint_chest, paint_table, paint_torso
from quadphase.phantom.vessels import paint_great_vessels, paint_visceral_vessels
from quadphase.phantom.viscera import paint_bowel, paint_kidneys, paint_pancreas, paint_spleen, paint_stomach

__all__ = ["FIELD_OF_VIEW_MM", "Organ", "RenderedPhase", "grid_of", "render_phase"]

FIELD_OF_VIEW_MM: Final = 400.0
"""D-FOV of the paper."""

_CENTRE_W_MM: Final = 36.0
"""Level in the phantom frame that the middle of a scan is centred on: mid-liver."""

_ANATOMY_PIXEL_MM: Final = 1.5
_WARP_MM: Final = 4.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPhase:
    """One phase of a patient, all on one grid.

    Parameters
    ----------
    volume : Volume
        int16 HU with noise.
    liver : Mask
        Liver with tumours and intrahepatic vessels.
    lesions : LabelMap
        int16, lesion number as in the spec (from 1).
    organs : LabelMap
        uint8, values of `Organ`.
    """

    volume: Volume
    liver: Mask
    lesions: LabelMap
    organs: LabelMap


def grid_of(spec: PatientSpec, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Grid:
    """Grid of an axial scan centred on the patient's liver: axes towards left, back, head."""
    di, dj, dk = spacing_mm
    n_i, n_j, n_k = shape
    affine = np.diag([-di, -dj, dk, 1.0])
    affine[0, 3] = di * (n_i - 1) / 2
    affine[1, 3] = dj * (n_j - 1) / 2 - 12.0
    affine[2, 3] = spec.table_position_mm + _CENTRE_W_MM - dk * (n_k - 1) / 2
    return Grid(shape, affine)


def render_phase(
    spec: PatientSpec,
    phase: Phase,
    *,
    shape: tuple[int, int, int] = (256, 256, 48),
    spacing_mm: tuple[float, float, float] = (1.5625, 1.5625, 5.0),
    noise: bool = True,
) -> RenderedPhase:
    """Draw one phase.

    Parameters
    ----------
    spec : PatientSpec
    phase : Phase
    shape : (int, int, int)
        Voxels along I (towards the left), J (towards the back), K (towards the head).
    spacing_mm : (float, float, float)
        Voxel size; in-plane times shape should be near 400 mm, the paper's field of view.
    noise : bool
        Whether to add scanner noise.

    Examples
    --------
    >>> from quadphase.model import Diagnosis
    >>> spec = PatientSpec(seed=1, diagnosis=Diagnosis.CN)
    >>> small = render_phase(spec, Phase.C2, shape=(64, 64, 8), spacing_mm=(6.25, 6.25, 10.0))
    >>> bool(small.liver.voxels.any())
    True
    """
    grid = grid_of(spec, shape, spacing_mm)
    factor = max(1, int(_ANATOMY_PIXEL_MM / spacing_mm[0]))
    if shape[0] % factor or shape[1] % factor:
        factor = 1
    canvas = _canvas(spec, phase, grid, factor)
    torso = paint_torso(canvas, spec, phase)
    paint_chest(canvas, torso, spec, phase)
    paint_great_vessels(canvas, spec, phase)
    liver = paint_liver(canvas, torso, spec, phase)
    lesions = paint_lesions(canvas, liver, spec, phase)
    paint_gallbladder(canvas, spec, phase)
    paint_kidneys(canvas, torso, spec, phase)
    paint_spleen(canvas, torso, spec, phase)
    paint_bowel(canvas, torso, spec, phase)
    paint_stomach(canvas, torso, spec, phase)
    paint_pancreas(canvas, spec, phase)
    paint_visceral_vessels(canvas, spec, phase)
    paint_table(canvas, spec)
    organs = canvas.labels
    in_liver = _inside_liver(canvas, liver.patch.box, liver.patch.sdf)
    lesions[~in_liver] = 0
    hu = _finish(canvas.hu, factor, spec, phase, grid, noise)
    return RenderedPhase(
        volume=Volume(hu=hu, grid=grid),
        liver=Mask(voxels=_grow(in_liver, factor).transpose(2, 1, 0), grid=grid),
        lesions=LabelMap(labels=_grow(lesions, factor).transpose(2, 1, 0), grid=grid),
        organs=LabelMap(labels=_grow(organs, factor).transpose(2, 1, 0), grid=grid),
    )


def _canvas(spec: PatientSpec, phase: Phase, grid: Grid, factor: int) -> Canvas:
    """Coordinates of the coarse canvas: the centre of each block of `factor` × `factor` pixels."""
    n_i, n_j, n_k = grid.shape
    x0, y0, z0 = grid.origin_mm
    di, dj, dk = grid.spacing_mm
    middle = (factor - 1) / 2
    u = (-x0 + di * (np.arange(0, n_i, factor) + middle)) / spec.build
    v = (-y0 + dj * (np.arange(0, n_j, factor) + middle)) / spec.build
    w = z0 - spec.table_position_mm + dk * np.arange(n_k)
    u, v, w = (a.astype(np.float32) for a in (u, v, w))
    rng = rng_of(spec.seed, "warp")
    breath = np.float32(spec.breath(phase))
    warp = [SmoothField.seeded(rng, 38.0, nodes=14).on_axes(u, v, w - breath) * np.float32(_WARP_MM / 2) for _ in range(3)]
    warp[2] -= breath
    reach = max(float(np.abs(f).max()) for f in warp)
    return Canvas(
        rest=Frame(u, v, w),
        moving=Frame(u, v, w, (warp[0], warp[1], warp[2]), reach),
        edge_mm=max(1.2, di * factor / spec.build),
    )


def _inside_liver(canvas: Canvas, box: tuple[slice, slice, slice], sdf: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Liver as drawn by clinicians: parenchyma, tumours and intrahepatic vessels, without what was painted over it."""
    mask = np.zeros(canvas.labels.shape, dtype=np.bool_)
    visible = np.isin(canvas.labels[box], (Organ.LIVER, Organ.PORTAL_VEIN, Organ.HEPATIC_VEIN))
    mask[box] = visible & (sdf < 0)
    return mask


def _finish(
    hu: NDArray[np.float32], factor: int, spec: PatientSpec, phase: Phase, grid: Grid, noise: bool
) -> NDArray[np.int16]:
    for axis in (1, 2):
        hu = _double(hu, axis, factor)
    if noise:
        di, _, dk = grid.spacing_mm
        grains = kernel_noise(rng_of(spec.seed, "noise", phase.value), hu.shape, di, spec.scanner)
        grains *= np.float32(noise_level(dk))
        hu = hu + grains
    out = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    return np.asarray(out.transpose(2, 1, 0))


def _double(values: NDArray[np.float32], axis: int, factor: int) -> NDArray[np.float32]:
    """Linear interpolation of block centres to the pixels of the blocks."""
    if factor == 1:
        return values
    n = values.shape[axis]
    at = np.clip((np.arange(n * factor) - (factor - 1) / 2) / factor, 0, n - 1)
    low = np.minimum(at.astype(np.int64), n - 2)
    shape = [1, 1, 1]
    shape[axis] = -1
    share = (at - low).astype(np.float32).reshape(shape)
    a = values.take(low, axis=axis)
    a += share * (values.take(low + 1, axis=axis) - a)
    return a


def _grow(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Repeat each pixel `factor` times in both directions of the plane."""
    return values if factor == 1 else values.repeat(factor, axis=1).repeat(factor, axis=2)
