"""The spleen: a crescent along the left wall, striped in the arterial phase, large in cirrhosis."""

from __future__ import annotations

import numpy as np

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import SmoothField, rng_of
from quadphase.phantom.patient import LiverState, PatientSpec
from quadphase.phantom.shapes import carve, clip_to, ellipsoid
from quadphase.phantom.torso import Torso

__all__ = ["paint_spleen"]


def paint_spleen(canvas: Canvas, torso: Torso, spec: PatientSpec, phase: Phase) -> None:
    """A crescent along the left wall; striped in the arterial phase, large in cirrhosis."""
    frame = canvas.moving
    grow = 1.22 if spec.liver_state is LiverState.CIRRHOTIC else float(rng_of(spec.seed, "spleen").uniform(0.86, 1.04))
    patch = ellipsoid(frame, (108, 34, 60), (52 * grow, 60 * grow, 50 * grow), turn=18)
    if patch.empty:
        return
    sdf = clip_to(clip_to(patch.sdf, torso.cavity[patch.box], 1.0), torso.diaphragm[patch.box], 1.8)
    hollow = ellipsoid(frame, (54, -6, 60), (52, 60, 76), turn=16, box=patch.box).sdf
    patch.sdf = carve(sdf, hollow)
    axes = frame.u[patch.box[2]], frame.v[patch.box[1]], frame.w[patch.box[0]]
    stripes = SmoothField.seeded(rng_of(spec.seed, "spleen stripes"), 5.5, nodes=32).on_axes(*axes)
    swing = np.float32(22 if phase is Phase.C1 else 1.5)
    canvas.paint(patch, tissue_hu("spleen", spec, phase) + swing * np.tanh(stripes), Organ.SPLEEN)
