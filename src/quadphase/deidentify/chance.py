"""How often chance writes a pattern into voxels: what it would write anyway there is no evidence of anybody.

A volume of 8-bit noise around 80 consists of the codes of letters and punctuation, and five million of its voxels spell
some eight-letter name of three thousand. The bytes at even and at odd positions are counted apart, because the high
bytes of 16-bit HU are no letters: there chance spells nothing, and every hit counts.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.deidentify.folding import FOLD

__all__ = ["Chance"]

RARE: Final = 1e-6
"""A hit counts where chance writes any pattern so improbable less often than this into the stretch that is searched: a
release has some ten thousand stretches, so one of a hundred releases of pure noise raises a false alarm."""


class Chance:
    """Frequencies of the bytes of a stretch of voxels.

    Parameters
    ----------
    data : bytes or memoryview
    patterns : int
        How many patterns are searched.
    """

    def __init__(self, data: bytes | memoryview, patterns: int) -> None:
        self._data, self._patterns = data, patterns
        self._counts: NDArray[np.int64] | None = None

    def explains(self, pattern: bytes, start: int, times: int) -> bool:
        """Whether chance writes such a pattern into these voxels.

        Parameters
        ----------
        pattern : bytes
            Folded.
        start : int
            Where it was found: even or odd.
        times : int
            How often; these occurrences do not count as what the voxels are made of.
        """
        if self._counts is None:
            folded = np.frombuffer(FOLD, np.uint8)[np.frombuffer(self._data, np.uint8)]
            self._counts = np.stack([np.bincount(folded[parity::2], minlength=256) for parity in (0, 1)])
        counts = self._counts.copy()
        for offset, byte in enumerate(pattern):
            counts[(start + offset) % 2, byte] -= times
        of_bytes = [counts[(start + offset) % 2, byte] for offset, byte in enumerate(pattern)]
        if min(of_bytes) <= 0:
            return False
        positions = len(self._data) / 2
        expected = math.log(self._patterns * positions) + sum(math.log(count / positions) for count in of_bytes)
        return expected > math.log(RARE)
