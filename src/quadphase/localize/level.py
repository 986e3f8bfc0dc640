"""The density of this patient's liver in this phase, and the piece of tissue that is certainly liver.

No phase label is needed: among the densities that fill large even regions right of the spine, the liver's is the one
whose largest even piece is big and lies against the right wall. That holds for a fatty plain liver at 0 HU as for
an enhanced one at 130 HU.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from quadphase.localize.working_grid import BoolArray, FloatArray

SEARCH_HU = (-20, 220)
"""A steatotic liver on a plain scan to the brightest venous phase."""

MIN_CORE_ML = 25.0
"""Smaller even pieces (kidney, bowel) are no liver."""

ERODE_MM = 5.0
"""A core is eroded by this: what survives is no vessel, wall or strip of muscle."""

EVEN_HU = 12.0
"""Half-width of the band of densities counted for one level."""

OTHER_SHARE = 0.2
"""Core of a second density as a share of the first; a smaller tumour is enclosed by the liver anyway, and a kidney
next to a whole liver has less."""

MIN_SHARED_BORDER = 0.3
"""Share of its surface a second density must have in common with the liver."""

MAX_DIP_HU = 12.0
"""A border darker than both sides by more than this is fat, averaged."""

RIVAL_SHARE = 0.3
"""A second piece at least this large beside the first may be the liver's own density."""

MIN_SIGMA_HU = 6.0
"""Even in a noise-free scan the vessels and fat of a liver vary by this much at 3 mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiverLevel:
    """Density of the liver.

    Attributes
    ----------
    hu, sigma_hu : float
        Mean and spread of the denoised liver.
    core : (X, Y, Z) bool array
        Voxels that are liver beyond doubt.
    core_ml : float
    wall_contact : float
        Share of the core's right-most surface that lies within 12 mm of the wall, 0 to 1.
    """

    hu: float
    sigma_hu: float
    core: BoolArray
    core_ml: float
    wall_contact: float


def find_levels(
    smooth: FloatArray,
    room: BoolArray,
    wall_band: BoolArray,
    wide: BoolArray,
    *,
    spacing_mm: float,
    secondary: bool = True,
) -> list[LiverLevel]:
    """Find the density of the liver.

    Parameters
    ----------
    smooth : (X, Y, Z) float32 array
        Denoised HU.
    room : (X, Y, Z) bool array
        Where the bulk of a liver may lie: in the cavity, right of the spine, below the diaphragm.
    wall_band : (X, Y, Z) bool array
        Part of `room` within 12 mm of the right wall.
    wide : (X, Y, Z) bool array
        Where any part of a liver may lie, the left lobe included.
    spacing_mm : float
    secondary : bool
        Whether to look for other densities too.

    Returns
    -------
    list of LiverLevel
        The liver's, then other densities that lie against it; empty when none forms a large even piece.
    """
    voxel_ml = spacing_mm**3 / 1000
    spread = smooth - ndimage.uniform_filter(smooth, 3)
    even = room & (smooth > SEARCH_HU[0]) & (smooth < SEARCH_HU[1])
    if even.sum() * voxel_ml < MIN_CORE_ML:
        return []
    noise = float(np.median(np.abs(spread[even]))) * 1.4826
    even &= np.abs(spread) < max(4.0, 2.5 * noise)
    counts, edges = np.histogram(smooth[even], bins=np.arange(SEARCH_HU[0], SEARCH_HU[1] + 1))
    counts = ndimage.gaussian_filter1d(counts.astype(float), 4)
    peaks = np.flatnonzero((counts[1:-1] >= counts[:-2]) & (counts[1:-1] > counts[2:])) + 1
    peaks = peaks[counts[peaks] > 0.05 * counts.max()]
    found: list[tuple[float, LiverLevel]] = []
    for peak in peaks[np.argsort(counts[peaks])[::-1][:6]]:
        level = _largest_piece(smooth, room, wall_band, float(edges[peak]) + 0.5, spacing_mm)
        if level is not None:
            amount = int((even & (np.abs(smooth - level.hu) < EVEN_HU)).sum())
            found.append((amount * (0.4 + level.wall_contact), level))
    if not found:
        return []
    found.sort(key=lambda item: item[0], reverse=True)
    liver = found[0][1]
    if not secondary:
        return [liver]
    others = [level for _, level in found[1:] if level.core_ml > OTHER_SHARE * liver.core_ml]
    joined = [liver] + [level for level in others if _shares_border(level, liver, smooth, spacing_mm)]
    return _widest_first(joined, smooth, wide)


def _widest_first(levels: list[LiverLevel], smooth: FloatArray, wide: BoolArray) -> list[LiverLevel]:
    """Of the large pieces, the density that also fills most of the rest (the left lobe) is the liver's own.

    A tumour of 10 cm at the wall can outweigh what is left of the right lobe, but it stays where it is.
    """
    large = [level for level in levels if level.core_ml > RIVAL_SHARE * levels[0].core_ml]
    own = max(large, key=lambda level: int((wide & (np.abs(smooth - level.hu) < EVEN_HU)).sum()))
    return [own] + [level for level in levels if level is not own]


def _shares_border(one: LiverLevel, other: LiverLevel, smooth: FloatArray, spacing_mm: float) -> bool:
    """Whether much of the surface of either piece faces the other with no fat between."""
    solid = smooth > min(one.hu, other.hu) - MAX_DIP_HU
    shares = (_facing(one.core, other.core, solid, spacing_mm), _facing(other.core, one.core, solid, spacing_mm))
    return max(shares) > MIN_SHARED_BORDER


def _facing(piece: BoolArray, other: BoolArray, solid: BoolArray, spacing_mm: float) -> float:
    """Share of the piece's surface, as far out as the erosion took it back, that lies near the other piece."""
    reach = max(1, round(ERODE_MM / spacing_mm)) + 1
    star = ndimage.generate_binary_structure(3, 1)
    inner = ndimage.binary_dilation(piece, star, iterations=reach - 1)
    rim = ndimage.binary_dilation(inner, star) & ~inner
    near = ndimage.binary_dilation(other, star, iterations=reach + 1)
    return float((rim & near & solid).sum() / max(int(rim.sum()), 1))


def _largest_piece(
    smooth: FloatArray, room: BoolArray, wall_band: BoolArray, hu: float, spacing_mm: float
) -> LiverLevel | None:
    voxel_ml = spacing_mm**3 / 1000
    near = room & (np.abs(smooth - hu) < 18)
    radius = max(1, round(ERODE_MM / spacing_mm))
    cross = ndimage.generate_binary_structure(3, 1)
    flat = cross & np.array([False, True, False])[None, None, :]
    core = ndimage.binary_erosion(near, flat, iterations=radius)
    if smooth.shape[2] > 4:
        core &= ndimage.binary_erosion(near, cross, border_value=1)
    labels, count = ndimage.label(core)
    if not count:
        return None
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    piece = labels == sizes.argmax()
    values = smooth[piece]
    core_ml = float(piece.sum() * voxel_ml)
    if core_ml < MIN_CORE_ML:
        return None
    middle = float(np.median(values))
    sigma = max(MIN_SIGMA_HU, 1.4826 * float(np.median(np.abs(values - middle))))
    grown = ndimage.binary_dilation(piece, flat, iterations=radius + 1)
    contact = _right_contact(grown, wall_band)
    return LiverLevel(hu=middle, sigma_hu=sigma, core=piece, core_ml=core_ml, wall_contact=contact)


def _right_contact(piece: BoolArray, wall_band: BoolArray) -> float:
    """Share of the rows through the piece whose right end is in the wall band."""
    rows = piece.any(axis=0)
    end = piece.shape[0] - 1 - piece[::-1].argmax(axis=0)
    y, z = np.nonzero(rows)
    return float(wall_band[end[y, z], y, z].mean()) if y.size else 0.0
