"""Scanner noise: grainy as a reconstruction kernel makes it, stronger where the body is thick, never white.

Filtered back-projection gives a noise power spectrum that rises with frequency and is cut by the kernel (Kijewski &
Judy, Phys Med Biol 1987;32:565, doi:10.1088/0031-9155/32/5/003). A few slices are synthesised that way; each slice
of the volume mixes two of them, rolled at random, which costs a tenth of filtering every slice and is as
uncorrelated between slices.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.phantom.patient import Scanner

__all__ = ["NOISE_INDEX_HU", "kernel_noise", "noise_level"]

NOISE_INDEX_HU: Final = 14.0
"""Standard deviation the automatic exposure control aims at in 0.8 mm slices (Luo et al. 2025)."""

_PEAK_PER_MM: Final = {Scanner.CANON: 0.26, Scanner.PHILIPS: 0.21}
"""Frequency at which the noise power of the scanner's body kernel peaks."""


def noise_level(slice_thickness_mm: float) -> float:
    """Noise in HU for a slice thickness: the index at 0.8 mm, falling with the square root of thickness, tempered by
    the lower tube current that exposure control then uses."""
    return float(NOISE_INDEX_HU * (0.8 / max(slice_thickness_mm, 0.4)) ** 0.35)


def kernel_noise(
    rng: np.random.Generator, shape: tuple[int, int, int], pixel_mm: float, scanner: Scanner, *, bank: int = 6
) -> NDArray[np.float32]:
    """Correlated noise of unit standard deviation.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (int, int, int)
        (K, J, I).
    pixel_mm : float
        In-plane pixel size.
    bank : int
        Independent slices synthesised.

    Returns
    -------
    (K, J, I) ndarray of float32
    """
    n_k, n_j, n_i = shape
    bank = max(1, min(bank, n_k))
    frequency = np.hypot(np.fft.fftfreq(n_j, pixel_mm)[:, None], np.fft.rfftfreq(n_i, pixel_mm)[None, :]).astype(
        np.float32
    )
    peak = _PEAK_PER_MM[scanner]
    transfer = np.sqrt(frequency / peak) * np.exp(-0.5 * (frequency / peak) ** 2 + 0.5)
    white = rng.standard_normal((bank, n_j, n_i), dtype=np.float32)
    grains = np.fft.irfft2(np.fft.rfft2(white) * transfer, s=(n_j, n_i)).astype(np.float32)
    grains /= max(float(grains.std()), 1e-6)
    out = np.empty(shape, dtype=np.float32)
    for k in range(n_k):
        a, b = rng.integers(bank, size=2)
        mix = float(rng.uniform(0, 2 * np.pi))
        dj, di = (int(x) for x in rng.integers(0, (n_j, n_i)))
        first = np.roll(grains[a], (dj, di), (0, 1)) * np.float32(np.cos(mix))
        out[k] = first + np.roll(grains[b], (di % n_j, dj % n_i), (0, 1)) * np.float32(np.sin(mix))
    return out
