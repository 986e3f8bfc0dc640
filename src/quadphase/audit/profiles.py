"""Find pairs of volumes whose profiles along the slices have the same fine structure: copies with changed values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.audit.facts import VolumeFacts

__all__ = ["similar_pairs"]

SAME_SUBJECT: Final = 0.97
"""Two phases of one person reach 0.92 on phantoms; copies in 8 bit 0.99."""
OTHER_SUBJECT: Final = 0.88
"""Two persons stay under 0.80 on phantoms; copies resampled in the plane reach 0.89 and more."""
LEAST_SLICES: Final = 12
LEAST_OVERLAP: Final = 0.5
CANDIDATE: Final = 0.45

Fine = NDArray[np.float32]


def similar_pairs(ours: Sequence[VolumeFacts], theirs: Sequence[VolumeFacts]) -> Iterator[tuple[int, int, float]]:
    """Pairs (number in `ours`, number in `theirs`, correlation); each pair once where both are the same sequence.

    All against all by FFT; candidates are then compared exactly, in both slice orders.
    """
    if not ours or not theirs:
        return
    left = [_fine(v.profile) for v in ours]
    right = left if ours is theirs else [_fine(v.profile) for v in theirs]
    size = 1 << int(np.ceil(np.log2(max(f.shape[1] for f in (*left, *right)) * 2 + 1)))
    spectra = np.stack([np.fft.rfft(f, size, axis=1) for f in right]).astype(np.complex64)
    energy = np.array([float((f * f).sum()) for f in right]) + 1e-9
    for a, fine in enumerate(left):
        start = a + 1 if ours is theirs else 0
        if fine.shape[1] < LEAST_SLICES or start >= len(right):
            continue
        own = float((fine * fine).sum()) + 1e-9
        peak = np.zeros(len(right) - start)
        for turned in (fine, fine[:, ::-1]):
            spectrum = np.conj(np.fft.rfft(turned, size, axis=1)).astype(np.complex64)
            product = np.einsum("bcf,cf->bf", spectra[start:], spectrum)
            peak = np.maximum(peak, np.fft.irfft(product, size, axis=1).max(axis=1))
        likely = np.flatnonzero(peak > CANDIDATE * np.sqrt(own * energy[start:])) + start
        for b in map(int, likely):
            score = _correlation(fine, right[b])
            if score >= _limit(ours[a], theirs[b]):
                yield a, b, score


def _limit(a: VolumeFacts, b: VolumeFacts) -> float:
    """Phases of one subject look alike and are no copies."""
    return SAME_SUBJECT if a.row.subject == b.row.subject and a.row.phase != b.row.phase else OTHER_SUBJECT


def _fine(profile: Fine) -> Fine:
    """Second difference along the slices, each channel scaled to unit spread."""
    if profile.shape[1] < LEAST_SLICES + 2:
        return np.zeros((profile.shape[0], 1), dtype=np.float32)
    rough = np.diff(profile, n=2, axis=1)
    return np.asarray(rough / (rough.std(axis=1, keepdims=True) + 1e-9), dtype=np.float32)


def _correlation(a: Fine, b: Fine) -> float:
    """Best correlation over all shifts with at least half of the shorter profile in common, both directions."""
    best = -1.0
    n_a, n_b = a.shape[1], b.shape[1]
    least = max(LEAST_SLICES, int(LEAST_OVERLAP * min(n_a, n_b)))
    for other in (b, b[:, ::-1]):
        for shift in range(least - n_b, n_a - least + 1):
            first, last = max(0, shift), min(n_a, shift + n_b)
            x, y = a[:, first:last], other[:, first - shift : last - shift]
            score = float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum() + 1e-12))
            best = max(best, score)
    return best
