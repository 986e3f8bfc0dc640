"""A shaded picture of liver and lesions seen from the front right: the liver like glass, the lesions solid inside.

Rays run through smoothed masks (`smoothing`) on a grid turned to the camera; each pixel is shaded by the gradient
where its ray first meets the surface (Levoy 1988, doi:10.1109/38.511). Plain NumPy: no mesh, no graphics driver, the
same picture on every machine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.release.figures.scene import Scene
from quadphase.release.figures.smoothing import smooth_distance
from quadphase.release.figures.style import LESION, LIVER

__all__ = ["render_surfaces"]

STEP_MM: Final = 1.2
"""Pixel and ray step."""

_TURN: Final = np.deg2rad(-28.0)
"""Camera moved towards the patient's right, around the long axis."""

_TILT: Final = np.deg2rad(14.0)
"""Camera raised above the front."""


def _camera() -> NDArray[np.float64]:
    """Rows: right, down, forward of the picture in (left, posterior, superior)."""
    forward = np.array([-np.sin(_TURN) * np.cos(_TILT), np.cos(_TURN) * np.cos(_TILT), -np.sin(_TILT)])
    right = np.array([np.cos(_TURN), np.sin(_TURN), 0.0])
    return np.stack([right, np.cross(forward, right), forward])


def render_surfaces(scene: Scene) -> NDArray[np.float32]:
    """RGB picture ``(rows, columns, 3)``, white where there is nothing; square pixels of `STEP_MM`."""
    box = scene.box_around(scene.liver | scene.lesions, 6.0)
    spacing = np.array(scene.spacing_mm)
    camera = _camera()
    size = np.array(box.shape) * spacing
    corners = np.array(np.meshgrid(*[(-s / 2, s / 2) for s in size])).reshape(3, -1)
    reach = np.abs(camera @ corners).max(axis=1)
    shape = tuple(int(n) for n in np.ceil(2 * reach / STEP_MM))
    # Output voxel (column, row, depth) -> index in the cropped array.
    matrix = (camera.T * STEP_MM) / spacing[:, None]
    offset = (np.array(box.shape) - 1) / 2 - matrix @ ((np.array(shape) - 1) / 2)
    picture = np.ones((shape[1], shape[0], 3), np.float32)
    solid = _surface(scene.lesions[box.slices], spacing, matrix, offset, shape)
    glass = _surface(scene.liver[box.slices] | scene.lesions[box.slices], spacing, matrix, offset, shape)
    if solid is not None:
        picture = _blend(picture, *solid, colour=LESION, clear=0.0)
    if glass is not None:
        picture = _blend(picture, *glass, colour=LIVER, clear=0.72)
    return np.clip(picture, 0.0, 1.0)


def _surface(
    mask: NDArray[np.bool_],
    spacing: NDArray[np.float64],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    shape: tuple[int, ...],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]] | None:
    """(cover 0..1, depth, normals) per pixel; None for an empty mask."""
    if not mask.any():
        return None
    seen = smooth_distance(mask, spacing, matrix, offset, shape, step_mm=STEP_MM)
    inside = seen > 0
    # How much of the pixel the surface covers: distances are millimetres, so the outline fades over one step.
    cover = np.clip(seen.max(axis=2) / STEP_MM + 0.5, 0.0, 1.0)
    depth = np.where(inside.any(axis=2), inside.argmax(axis=2), seen.argmax(axis=2))
    columns, rows = np.nonzero(cover)
    at = depth[columns, rows]
    before = seen[columns, rows, np.maximum(at - 1, 0)]
    here = seen[columns, rows, at]
    exact = at - np.clip(here / np.maximum(here - before, 1e-6), 0, 1)
    normals = np.zeros((*cover.shape, 3), np.float32)
    normals[columns, rows] = _gradient(seen, columns, rows, at)
    depths = np.zeros(cover.shape, np.float32)
    depths[columns, rows] = exact
    return cover.T, depths.T, normals.transpose(1, 0, 2)


def _gradient(seen: NDArray[Any], i: NDArray[Any], j: NDArray[Any], k: NDArray[Any]) -> NDArray[np.float32]:
    """Unit normals out of the surface, (right, down, forward), by central differences two voxels wide."""
    at = np.stack([i, j, k])
    parts = []
    for axis in range(3):
        last = seen.shape[axis] - 1
        low, high = at.copy(), at.copy()
        low[axis] = np.maximum(at[axis] - 2, 0)
        high[axis] = np.minimum(at[axis] + 2, last)
        parts.append(seen[tuple(low)] - seen[tuple(high)])
    normal = np.stack(parts, axis=1)
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6), np.float32)


def _blend(
    behind: NDArray[np.float32],
    cover: NDArray[np.float32],
    depth: NDArray[np.float32],
    normals: NDArray[np.float32],
    *,
    colour: str,
    clear: float,
) -> NDArray[np.float32]:
    """Paint a surface over a picture. `clear`: how much shows through where it faces the camera; edges show less."""
    from matplotlib.colors import to_rgb

    light = np.array([-0.45, -0.65, -0.62], np.float32)
    light /= np.linalg.norm(light)
    half = light + np.array([0.0, 0.0, -1.0], np.float32)
    half /= np.linalg.norm(half)
    diffuse = np.clip(normals @ light, 0.0, 1.0)
    shine = np.clip(normals @ half, 0.0, 1.0) ** 28
    facing = np.clip(-normals[..., 2], 0.0, 1.0)
    span = depth[cover > 0]
    far = (depth - span.min()) / max(float(np.ptp(span)), 1.0)
    shade = (0.5 + 0.55 * diffuse) * (1.0 - 0.22 * far)
    paint = np.array(to_rgb(colour), np.float32) * shade[..., None] + 0.35 * shine[..., None]
    opacity = (cover * (1.0 - clear * facing**1.3))[..., None].astype(np.float32)
    return np.asarray(opacity * paint + (1.0 - opacity) * behind, np.float32)
