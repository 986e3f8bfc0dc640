"""Histograms of CT values: one per slice, in one pass; the modes of air, fat and soft tissue; keys of slices.

The key of a slice is a checksum of its counts between the first and the last value that occurs. It does not change
when the slice is flipped, turned, shifted by a constant, given another header or clipped to a window wider than the
soft tissues, and two different scans practically never share it: noise sees to that.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.audit.facts import Intensity

__all__ = ["border_of", "intensity_of", "profile_of", "slice_histograms", "slice_keys"]

LIMITS: Final = (-4096, 8191)
"""CT values lie inside: 12 bits and the extended range of metal (PS3.3 C.11.1.1.2)."""

KEY_LIMITS_HU: Final = (-199, 199)
"""Interior of the paper's window: what windowing leaves untouched."""

FAT_HU: Final = (-125, -70)
BODY_HU: Final = -150
LEAST_BODY: Final = 0.15
"""Of a volume: a patient holds 20 % and more of a field of view, a liver cut out of its surroundings 10 %."""

QUANTILES: Final = (0.3, 0.5, 0.7, 0.85, 0.95)

MINIMUM_BINS: Final = 64
"""A slice with fewer different values has too little texture to be recognised."""


def slice_histograms(values: NDArray[Any]) -> tuple[int, NDArray[np.int64]]:
    """Counts of each whole value in each slice.

    Parameters
    ----------
    values : (I, J, K) ndarray
        Any numeric type; rounded, clipped to -4096 … 8191.

    Returns
    -------
    first : int
        Value of bin 0.
    counts : (K, B) ndarray of int64
    """
    if values.dtype.kind == "f":
        low = np.nan_to_num(values, nan=LIMITS[0], posinf=LIMITS[1], neginf=LIMITS[0])
        values = np.rint(np.clip(low, *LIMITS)).astype(np.int16)
    elif values.dtype.itemsize > 2 or values.dtype == np.uint16:
        values = np.clip(values, max(LIMITS[0], np.iinfo(values.dtype).min), LIMITS[1]).astype(np.int16)
    first, last = int(values.min()), int(values.max())
    size = last - first + 1
    counts = np.empty((values.shape[2], size), dtype=np.int64)
    for k in range(values.shape[2]):
        flat = values[:, :, k].ravel(order="K").astype(np.intp)
        flat -= first
        counts[k] = np.bincount(flat, minlength=size)
    return first, counts


def slice_keys(first: int, counts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Key of each slice, 0 where there is too little texture; see the module's text.

    Returns
    -------
    (K,) ndarray of uint32
    """
    if first < -300:  # full range: keep what a windowed copy keeps
        begin, end = KEY_LIMITS_HU[0] - first, KEY_LIMITS_HU[1] - first + 1
        counts = counts[:, max(0, begin) : max(0, end)]
        trimmed = 0
    else:
        trimmed = 1
    keys = np.zeros(counts.shape[0], dtype=np.uint32)
    for k, row in enumerate(counts):
        used = np.flatnonzero(row)
        if used.size < MINIMUM_BINS:
            continue
        inner = row[used[0] + trimmed : used[-1] + 1 - trimmed]
        keys[k] = zlib.crc32(np.trim_zeros(inner).astype("<i4").tobytes()) or 1
    return keys


def border_of(values: NDArray[Any]) -> tuple[float, float]:
    """Median of the outermost columns and rows of all slices, and the share of them that have just this value.

    Parameters
    ----------
    values : (I, J, K) ndarray
    """
    edges = np.concatenate([face.ravel() for face in (values[0], values[-1], values[:, 0], values[:, -1])])
    middle = np.partition(edges, edges.size // 2)[edges.size // 2]
    return float(middle), float(np.mean(edges == middle))


def intensity_of(
    first: int,
    counts: NDArray[np.int64],
    *,
    limits: tuple[float, float] | None = None,
    border: tuple[float, float] = (-1000.0, 0.0),
) -> Intensity:
    """Ends, clipping and tissue modes of a volume's histogram.

    Parameters
    ----------
    limits : (float, float), optional
        Smallest and largest voxel, where the histogram rounded or clipped them.
    border : (float, float)
        From `border_of`; by default that of air in HU.
    """
    total = counts.sum(axis=0)
    size = total.size
    values = np.arange(first, first + size)
    low, high = _spike(total), _spike(total[::-1])
    inner = total.astype(np.float64)
    if low:
        inner[0] = 0
    if high:
        inner[-1] = 0
    smooth = _smooth(inner)
    air = _lowest_peak(values, _without_padding(total), -1100, -850) if first < -600 else None
    minimum, maximum = limits or (first, first + size - 1)
    return Intensity(
        minimum=float(minimum),
        maximum=float(maximum),
        clipped_low=low,
        clipped_high=high,
        air=air,
        fat=_peak(values, smooth, -185, -55),
        soft=_peak(values, smooth, -20, 170),
        fat_share=_fat_share(values, total),
        border=border[0],
        border_share=border[1],
    )


def _fat_share(values: NDArray[np.int64], total: NDArray[np.int64]) -> float:
    body = total[values > BODY_HU].sum()
    if values[0] > BODY_HU or values[-1] < FAT_HU[1] or body < LEAST_BODY * total.sum():
        return 1.0
    return float(total[(values >= FAT_HU[0]) & (values <= FAT_HU[1])].sum() / body)


def profile_of(first: int, counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Share of each slice brighter than five quantiles of the body's values, ``(5, K)``.

    Its fine structure along k is that of the scan, noise included: it survives flips, rescaling to 8 bit, windowing
    of the ends and cropping, while another scan of the same person has another.
    """
    values = np.arange(first, first + counts.shape[1])
    low, high = float(values[0]), float(values[-1])
    if low < -100:
        low, high = max(low, -200.0), min(high, 200.0)
    cumulated = np.cumsum(counts.sum(axis=0) * (values > low + 0.12 * (high - low)))
    bins = [int(np.searchsorted(cumulated, q * cumulated[-1])) for q in QUANTILES]
    return np.stack([counts[:, b:].sum(axis=1) for b in bins]).astype(np.float32) / np.float32(counts[0].sum())


def _spike(total: NDArray[np.int64]) -> bool:
    """Whether the first bin holds far more than the bins after it, as clipping leaves it."""
    if total.size < 16:
        return False
    return bool(total[0] > 5 * max(1.0, float(total[1:9].mean())) and total[0] > 1e-5 * total.sum())


def _smooth(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    kernel = np.exp(-0.5 * (np.arange(-12, 13) / 4.0) ** 2)
    return np.convolve(counts, kernel / kernel.sum(), mode="same") if counts.size >= kernel.size else counts


def _without_padding(total: NDArray[np.int64]) -> NDArray[np.float64]:
    """Histogram without single values that stand alone (padding such as -1024 or -2048 around the field of view)."""
    counts = total.astype(np.float64)
    around = np.maximum(np.roll(counts, 1), np.roll(counts, -1))
    return np.asarray(_smooth(np.where(counts > 20 * np.maximum(around, 1), 0, counts)))


def _lowest_peak(values: NDArray[np.int64], smooth: NDArray[np.float64], low: int, high: int) -> float | None:
    """Lowest local maximum of at least a fifth of the highest: air lies below the table's foam, which may be more."""
    inside = np.flatnonzero((values >= low) & (values <= high))
    if inside.size < 8 or smooth[inside].max() <= 0:
        return None
    limit = 0.2 * smooth[inside].max()
    for at in inside[1:-1].tolist():
        near = smooth[max(0, at - 8) : at + 9]
        if smooth[at] >= limit and smooth[at] == near.max() and smooth[at] > near[0]:
            return float(values[at])
    return None


def _peak(values: NDArray[np.int64], smooth: NDArray[np.float64], low: int, high: int) -> float | None:
    """Mode inside the limits, if it stands at least 10 % above the histogram 20 units to both sides and holds 0.2 %."""
    inside = np.flatnonzero((values >= low) & (values <= high))
    if inside.size < 8:
        return None
    at = int(inside[smooth[inside].argmax()])
    left, right = smooth[max(0, at - 20)], smooth[min(smooth.size - 1, at + 20)]
    tall = smooth[at] > 1.1 * max(left, right) and smooth[max(0, at - 20) : at + 21].sum() > 0.002 * smooth.sum()
    return float(values[at]) if tall else None
