"""The couch under the patient."""

from __future__ import annotations

import numpy as np

from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.patient import PatientSpec, Scanner
from quadphase.phantom.shapes import Patch

__all__ = ["paint_table"]


def paint_table(canvas: Canvas, spec: PatientSpec) -> None:
    """The couch: a curved carbon shell over foam, and a rail below."""
    canon = spec.scanner is Scanner.CANON
    box = canvas.rest.box((-150, 100, -1e4), (150, 160, 1e4))
    u, v, w = canvas.rest.at(box)
    radius = np.float32(390 if canon else 620)
    sag = v - 119 + (radius - np.sqrt(radius**2 - u**2)) * np.float32(0.9)
    width = np.abs(u) - 142
    bottom = 16 if canon else 24
    air = canvas.labels[box] == Organ.AIR
    parts = (
        (np.maximum(np.maximum(sag - bottom, -sag), width), -900.0),
        (np.maximum(np.abs(sag) - 1.5, width), 60.0),
        (np.maximum(np.abs(v - 119 - bottom) - 1.3, np.abs(u) - (96 if canon else 110)), -40.0),
    )
    for sdf, hu in parts:
        canvas.paint(Patch(box, np.where(air, sdf + 0 * w, 50).astype(np.float32)), hu, Organ.TABLE)
