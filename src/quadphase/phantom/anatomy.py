"""Render one phase of one patient: HU, liver, lesions and organs on the grid of a CT series.

Order of painting is the anatomy lesson: trunk, chest, great vessels, liver with its tumours, then what presses into
it from below and from the left. `raster` decides how finely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Grid, LabelMap, Mask, Phase, Volume
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.chest import paint_chest
from quadphase.phantom.digestive import paint_bowel, paint_stomach
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.lesions import paint_lesions
from quadphase.phantom.liver import paint_gallbladder, paint_liver
from quadphase.phantom.noise import kernel_noise, noise_level
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.raster import Raster
from quadphase.phantom.retroperitoneum import paint_kidneys, paint_pancreas
from quadphase.phantom.shapes import Frame, Patch
from quadphase.phantom.spine import paint_spine
from quadphase.phantom.spleen import paint_spleen
from quadphase.phantom.table import paint_table
from quadphase.phantom.torso import paint_torso
from quadphase.phantom.vessels import paint_great_vessels, paint_visceral_vessels

__all__ = ["FIELD_OF_VIEW_MM", "Organ", "RenderedPhase", "grid_of", "render_phase"]

FIELD_OF_VIEW_MM: Final = 400.0
"""D-FOV of the paper."""

_CENTRE_W_MM: Final = 36.0
"""Level in the phantom frame that the middle of a scan is centred on: mid-liver."""

_WARP_MM: Final = 4.5
"""Twice the standard deviation of the warp that makes bodies differ."""


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
    raster = Raster.of(grid, build=spec.build, table_position_mm=spec.table_position_mm)
    canvas = _canvas(spec, phase, raster, spacing_mm[0])
    torso = paint_torso(canvas, spec, phase)
    paint_spine(canvas, spec, phase)
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
    in_liver = _inside_liver(canvas, liver)
    lesions[~in_liver] = 0
    hu = raster.expand_hu(canvas.hu)
    if noise:
        grains = kernel_noise(rng_of(spec.seed, "noise", phase.value), hu.shape, spacing_mm[0], spec.scanner)
        grains *= np.float32(noise_level(spacing_mm[2]))
        hu += grains
    stored = np.clip(np.rint(hu, out=hu), -1024, 3071, out=hu).astype(np.int16)
    return RenderedPhase(
        volume=Volume(hu=stored.transpose(2, 1, 0), grid=grid),
        liver=Mask(voxels=raster.expand_labels(in_liver), grid=grid),
        lesions=LabelMap(labels=raster.expand_labels(lesions), grid=grid),
        organs=LabelMap(labels=raster.expand_labels(canvas.labels), grid=grid),
    )


def _canvas(spec: PatientSpec, phase: Phase, raster: Raster, pixel_mm: float) -> Canvas:
    u, v, w = raster.u, raster.v, raster.w
    rng = rng_of(spec.seed, "warp")
    breath = np.float32(spec.breath(phase))
    warp = [
        SmoothField.seeded(rng, 38.0, nodes=14).on_axes(u, v, w - breath) * np.float32(_WARP_MM / 2) for _ in range(3)
    ]
    warp[2] -= breath
    reach = max(float(np.abs(f).max()) for f in warp)
    return Canvas(
        rest=Frame(u, v, w),
        moving=Frame(u, v, w, (warp[0], warp[1], warp[2]), reach),
        edge_mm=max(1.2, pixel_mm * raster.factor / spec.build),
    )


def _inside_liver(canvas: Canvas, liver: Patch) -> NDArray[np.bool_]:
    """Liver as clinicians draw it: parenchyma, tumours and the vessels inside, without what was painted over it."""
    mask = np.zeros(canvas.labels.shape, dtype=np.bool_)
    box = liver.box
    visible = np.isin(canvas.labels[box], (Organ.LIVER, Organ.PORTAL_VEIN, Organ.HEPATIC_VEIN))
    mask[box] = visible & (liver.sdf < 0)
    return mask
