"""For and against liver at every voxel: density compared with this liver's, and where in the body one is.

Density speaks softly (stomach, muscle and heart can have it too) and only where even tissue joins the certain liver
through more than a thin neck. Position speaks against the few places a liver never takes: beside and behind the
spine, the left back, the far left, above the diaphragm. Fat, gas and bone are certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from quadphase.localize.level import LiverLevel
from quadphase.localize.walker import solve
from quadphase.localize.working_grid import BoolArray, FloatArray

FOR = 0.03
"""Pull of liver density, where the flow between equal neighbours is 1: felt within 1/sqrt(0.03) = 6 voxels, 17 mm."""

AGAINST = 0.005
"""Pull against at every voxel: what is reached only through a neck stays outside."""

AGAINST_DARK, AGAINST_BRIGHT, AGAINST_FAR = 0.012, 0.03, 0.1
"""Pull against other densities. Darker is the mildest: tumours are."""

AGAINST_PLACE = 0.25
"""Pull against the places where no liver is."""

AGAINST_CHEST, AGAINST_DENSE, DENSE_HU = 1.0, 5.0, 150.0
"""Pull against what lies above the diaphragm, and against bone and contrast medium: this far above the liver."""

SEED = 50.0
"""Certain."""

FAR_HU = 60.0
"""Beyond this from the liver's density lie kidney, aorta, heart in the arterial phase, bile, fluid."""

NECK_MM = 9.0
"""Bridges narrower than twice this do not carry the density evidence."""

FISSURE_MM = 9.0
"""Fat of the falciform fissure between the left lateral segment and the rest; seldom wider."""

CONTACT_CM2 = 4.0
"""Least area along which a part beyond the fissure faces the rest."""

LEAST_PART_ML = 15.0

MUSCLE_HU, APART_HU = 60.0, 20.0
"""Only a liver this far from muscle and bowel, which keep near 60 HU, lends its density to a part beyond a fissure."""

LEVEL_SCALE_MM = 40.0
"""The liver's density drifts over this length (beam hardening, fat distribution)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where voxels are in the body, each an (X, Y, Z) float32 or bool array.

    Attributes
    ----------
    domain : bool
        Cavity without lung and gas: the voxels that take part.
    against : float32
        0 to 1, places where no liver is.
    above : bool
        Above the diaphragm.
    lung : bool
    right, left : bool
        Beside the spine.
    """

    domain: BoolArray
    against: FloatArray
    above: BoolArray
    lung: BoolArray
    right: BoolArray
    left: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """One way to weigh the evidence; several together tell how much the answer depends on it.

    Attributes
    ----------
    width : float
        Factor on the spread of liver density.
    neck_mm : float
        See `NECK_MM`.
    against : float
        Factor on `AGAINST`.
    """

    width: float = 1.0
    neck_mm: float = NECK_MM
    against: float = 1.0


def grow(
    smooth: FloatArray,
    levels: Sequence[LiverLevel],
    place: Place,
    *,
    spacing_mm: float,
    temper: Temper,
    edge_hu: float,
    belief: FloatArray | None = None,
    belief_weight: float = 0.0,
    known_local: FloatArray | None = None,
    known_apart: BoolArray | None = None,
    rounds: int = 3,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Probability of liver, the liver's local density, and its parts beyond a fissure.

    Parameters
    ----------
    smooth : (X, Y, Z) float32 array
        Denoised HU.
    levels : sequence of LiverLevel
        The liver's density first, then densities of large pieces against it.
    place : Place
    spacing_mm : float
    temper : Temper
    edge_hu : float
        See `quadphase.localize.walker.solve`.
    belief : (X, Y, Z) float32 array, optional
        Probability from other phases; NaN where they do not tell.
    belief_weight : float
        Pull of the belief.
    known_local : (X, Y, Z) float32 array, optional
        Local density of an earlier walk to start from.
    known_apart : (X, Y, Z) bool array, optional
        Parts beyond a fissure that other phases show.
    rounds : int
        Walks; before each but the first the local density is measured anew.

    Returns
    -------
    probability, local_hu : (X, Y, Z) float32 array
    apart : (X, Y, Z) bool array
        Tissue of this density that fat parts from the rest, as the left lateral segment; empty where there is none.
    """
    liver = levels[0]
    seed = _seed(liver, place)
    local = np.full(smooth.shape, liver.hu, dtype=np.float32) if known_local is None else known_local
    probability = np.zeros(smooth.shape, dtype=np.float32)
    apart = np.zeros(smooth.shape, dtype=bool)
    for turn in range(rounds):
        if turn:
            local = _local_level(smooth, probability, liver.hu, spacing_mm)
        alike = _likeness(smooth, local, levels, temper.width, spacing_mm)
        joined, others = _joined(alike, seed, place, temper.neck_mm, spacing_mm)
        apart = _beyond_fissure(others, joined, smooth - local, liver, spacing_mm)
        if known_apart is not None:
            apart |= known_apart
        pro = (FOR * alike * (joined | apart)).astype(np.float32)
        con = _against(smooth, local, alike, place, temper.against)
        if belief is not None:
            # Phases that could not prove a part beyond the fissure say nothing against it.
            told = np.isfinite(belief) & ~apart
            pro[told] += belief_weight * belief[told]
            con[told] += belief_weight * (1 - belief[told])
        con[place.domain & (smooth < np.minimum(-40, local - 70))] = SEED
        pro[seed], con[seed] = SEED, 0
        probability = solve(smooth, place.domain, pro, con, edge_hu=edge_hu)
    return probability, local, apart


def _seed(liver: LiverLevel, place: Place) -> BoolArray:
    inner = ndimage.binary_erosion(liver.core, border_value=1) & place.right
    return inner if inner.sum() > 100 else liver.core


def _likeness(
    smooth: FloatArray, local: FloatArray, levels: Sequence[LiverLevel], width: float, spacing_mm: float
) -> FloatArray:
    """1 at the liver's density, falling as a Gaussian; other accepted densities count near their piece."""
    spread = width * max(10.0, 1.5 * levels[0].sigma_hu)
    alike = np.exp(-(((smooth - local) / spread) ** 2) / 2)
    for other in levels[1:]:
        spread = width * max(10.0, 1.5 * other.sigma_hu)
        as_other = np.exp(-(((smooth - other.hu) / spread) ** 2) / 2)
        near = ndimage.binary_dilation(other.core, iterations=max(1, round(12 / spacing_mm)))
        alike = np.where(near, np.maximum(alike, as_other), alike)
    return np.asarray(alike, dtype=np.float32)


def _joined(
    alike: FloatArray, seed: BoolArray, place: Place, neck_mm: float, spacing_mm: float
) -> tuple[BoolArray, BoolArray]:
    """Tissue of liver density that joins the seed through more than a neck, and bulky tissue that does not."""
    bulk = (alike > 0.3) & place.domain & (place.against < 0.4) & ~place.above
    steps = max(1, round(neck_mm / spacing_mm))
    flat = ndimage.generate_binary_structure(3, 1)
    flat[:, :, ::2] = False
    core = ndimage.binary_erosion(bulk, flat, iterations=steps)
    core &= ndimage.binary_erosion(bulk, border_value=1)
    labels, _ = ndimage.label(core | seed)
    reached = np.isin(labels, np.setdiff1d(np.unique(labels[seed]), [0]))

    def grown(part: BoolArray) -> BoolArray:
        return np.asarray(ndimage.binary_dilation(ndimage.binary_dilation(part, flat, iterations=steps + 1)))

    joined = grown(reached)
    return joined, grown((labels > 0) & ~reached) & bulk & ~joined


def _beyond_fissure(
    others: BoolArray, joined: BoolArray, difference: FloatArray, liver: LiverLevel, spacing_mm: float
) -> BoolArray:
    """Those of the other pieces that are liver: its very density, at the front, facing it across a narrow cleft."""
    kept = np.zeros_like(others)
    if abs(liver.hu - MUSCLE_HU) < APART_HU or not others.any():
        return kept
    near = ndimage.binary_dilation(joined, iterations=round(FISSURE_MM / spacing_mm))
    front = float(np.nonzero(joined)[1].mean())
    labels, count = ndimage.label(others)
    for number in range(1, count + 1):
        piece = labels == number
        size_ml = int(piece.sum()) * spacing_mm**3 / 1000
        facing_cm2 = int((piece & near).sum()) * spacing_mm**2 / 100 / max(1, round(FISSURE_MM / spacing_mm))
        even = difference[ndimage.binary_erosion(piece)]
        if size_ml < LEAST_PART_ML or facing_cm2 < CONTACT_CM2 or even.size < 50:
            continue
        same = abs(float(np.median(even))) < 0.5 * max(10.0, 1.5 * liver.sigma_hu)
        if same and float(np.nonzero(piece)[1].mean()) > front:
            kept |= piece
    return kept


def _against(smooth: FloatArray, local: FloatArray, alike: FloatArray, place: Place, factor: float) -> FloatArray:
    other = np.where(smooth < local, AGAINST_DARK, AGAINST_BRIGHT)
    con = factor * AGAINST + (1 - alike) * other
    con += AGAINST_FAR * (np.abs(smooth - local) > FAR_HU)
    con += AGAINST_PLACE * place.against
    con += AGAINST_CHEST * place.above
    con += AGAINST_DENSE * (smooth > local + DENSE_HU)
    return np.asarray(con, dtype=np.float32)


def _local_level(smooth: FloatArray, probability: FloatArray, hu: float, spacing_mm: float) -> FloatArray:
    """Mean density of probable liver nearby, by normalised convolution, drawn to the global level far away."""
    weight = ((probability > 0.6) & (np.abs(smooth - hu) < 40)).astype(np.float32)
    sigma = LEVEL_SCALE_MM / spacing_mm
    total = ndimage.gaussian_filter(weight, sigma)
    change = ndimage.gaussian_filter(weight * (smooth - hu), sigma)
    return np.asarray(hu + change / (total + 0.05), dtype=np.float32)
