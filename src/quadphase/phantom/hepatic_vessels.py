"""Portal and hepatic veins inside the liver: two trees that branch by Murray's law.

A tree is grown once per patient, level by level, independent of any grid; canvases too coarse for a twig leave it
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Phase
from quadphase.phantom.canvas import Canvas, Organ
from quadphase.phantom.enhancement import tissue_hu
from quadphase.phantom.fields import rng_of
from quadphase.phantom.patient import PatientSpec
from quadphase.phantom.shapes import Patch, Point, inside_of, tube

__all__ = ["paint_hepatic_vessels"]

Points = NDArray[np.float64]

_LEVELS: Final = 5
_DAUGHTER: Final = 0.77
"""Radius of a branch to its parent; Murray's cube law gives 2 ** (-1/3) = 0.79 for equal branches (Murray, PNAS
1926;12:207, doi:10.1073/pnas.12.3.207)."""

_PORTAL_TRUNK: tuple[tuple[Point, Point, float], ...] = (
    ((-14, -10, 38), (-26, -10, 46), 6.5),
    ((-26, -10, 46), (-48, -4, 52), 6.0),
    ((-26, -10, 46), (-6, -28, 60), 5.0),
    ((-6, -28, 60), (6, -44, 66), 4.2),
)
_PORTAL: tuple[tuple[Point, Point, float], ...] = (
    ((-48, -4, 52), (-76, -24, 60), 4.6),
    ((-48, -4, 52), (-78, 22, 54), 4.6),
    ((-48, -4, 52), (-84, 4, 24), 3.8),
    ((6, -44, 66), (34, -52, 74), 3.2),
    ((6, -44, 66), (-22, -58, 62), 3.0),
)
_HEPATIC: tuple[tuple[Point, Point, float], ...] = (
    ((-18, 6, 98), (-56, 14, 84), 5.0),
    ((-18, 2, 98), (-44, -26, 82), 4.6),
    ((-16, 0, 97), (18, -38, 82), 4.2),
    ((-22, 10, 70), (-58, 34, 46), 2.6),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """Straight vessels: start and end, (N, 3) phantom millimetres, and radius, (N,)."""

    start: Points
    end: Points
    radius: NDArray[np.float64]


def paint_hepatic_vessels(canvas: Canvas, liver: Patch, spec: PatientSpec, phase: Phase) -> None:
    """Paint hepatic veins, then portal branches, then the portal trunk and its bifurcation."""
    portal = tissue_hu("portal vein", spec, phase)
    for seeds, name, hu, organ in (
        (_HEPATIC, "hepatic veins", tissue_hu("hepatic vein", spec, phase), Organ.HEPATIC_VEIN),
        (_PORTAL, "portal veins", portal, Organ.PORTAL_VEIN),
    ):
        tree = _grow(rng_of(spec.seed, name), seeds)
        for a, b, radius in zip(tree.start.tolist(), tree.end.tolist(), tree.radius.tolist(), strict=True):
            vessel = tube(canvas.moving, [a, b], (radius, radius * 0.82))
            canvas.paint(inside_of(vessel, liver, 2.0), hu, organ)
    for a, b, radius in _PORTAL_TRUNK:
        canvas.paint(tube(canvas.moving, [a, b], (radius, radius * 0.92)), portal, Organ.PORTAL_VEIN)


def _grow(rng: np.random.Generator, seeds: tuple[tuple[Point, Point, float], ...]) -> _Tree:
    start, end = np.array([s[0] for s in seeds], float), np.array([s[1] for s in seeds], float)
    radius = np.array([s[2] for s in seeds])
    levels = [(start, end, radius)]
    for _ in range(_LEVELS - 1):
        step = 0.72 * (end - start)
        across = np.cross(step, rng.normal(size=step.shape))
        across *= (np.linalg.norm(step, axis=1) / np.maximum(np.linalg.norm(across, axis=1), 1e-6))[:, None]
        ends = [
            end + step * rng.uniform(0.7, 1.0, (len(end), 1)) + sign * across * rng.uniform(0.45, 0.8, (len(end), 1))
            for sign in (-1.0, 1.0)
        ]
        start, end = np.concatenate([end, end]), np.concatenate(ends)
        radius = np.tile(radius * _DAUGHTER, 2)
        levels.append((start, end, radius))
    return _Tree(*(np.concatenate(part) for part in zip(*levels, strict=True)))
