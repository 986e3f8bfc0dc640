"""Prove large parts of voxel data free of any pattern, and gather the few stretches that could hold one.

A pattern of at least 8 bytes covers three whole 16-bit words one after the other wherever it lies, and each of them is
a pair of bytes that stand together in some pattern. So it is enough to look at every third word; and where the
smallest and the largest word of a block leave no such pair between them, at none. Windowed CT (-200 … 200 HU) holds
none at all, so proving it clean costs finding minima and maxima.

The same argument, with pairs of characters, serves text written as UTF-16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.deidentify.folding import BREAK, FOLD

__all__ = ["Stretches", "VoxelFilter"]

BLOCK_WORDS: Final = 1 << 18
"""512 KiB: everything is found while the block is in the cache."""

FIRST_CHARACTER: Final = 32
"""Below are control characters, which no pattern has."""
NONE: Final = 127
"""Stands for every word that is no ASCII character; DEL itself is in no pattern."""

SEPARATORS: Final = " .,-_^/"
"""Punctuation of UIDs, names and dates. Any other mark between HU that happen to be digits would do for the folded
pattern, and soft tissue (33 … 64 HU) is made of such marks."""

BATCH: Final = 1 << 14
"""Candidates whose neighbourhood is looked at at once: hardly ever more in CT, without end in noise."""

LAST_BYTES: Final = 1024
"""More than any pattern has."""

Bools = NDArray[np.bool_]
Words = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """What the automaton still has to look at, parted by breaks.

    Parameters
    ----------
    narrow : bytes
        Stretches that may hold a pattern written as bytes.
    wide : bytes
        Characters of stretches that may hold a pattern written as UTF-16.
    """

    narrow: bytes
    wide: bytes


class VoxelFilter:
    """Filter for a set of folded patterns.

    Parameters
    ----------
    patterns : iterable of bytes
        Folded patterns.
    least_bytes : int
        Shorter patterns are not searched as bytes.
    least_characters : int
        Shorter patterns are not searched as UTF-16.
    """

    def __init__(self, patterns: Iterable[bytes], *, least_bytes: int, least_characters: int) -> None:
        kept = [pattern for pattern in patterns if len(pattern) >= least_bytes]
        self._run_words = (least_bytes - 1) // 2
        # Big endian text ends without the NUL that would make its last character a word.
        self._run_pairs = least_characters - 2
        self._step = self._run_pairs // 2
        # As a little-endian word, the second byte is the high one.
        self._words: Bools = _pairs(kept).T.ravel().copy()
        in_order = np.concatenate([self._words[32768:], self._words[:32768]])  # of int16
        self._upto: NDArray[np.int64] = np.concatenate([[0], np.cumsum(in_order, dtype=np.int64)])
        """How many of the words in the table are smaller, by int16 value + 32768."""
        wide = [pattern for pattern in kept if len(pattern) >= least_characters and pattern.isascii()]
        pairs = _pairs(wide)
        unusual = [code for code in range(128) if not chr(code).isalnum() and chr(code) not in SEPARATORS]
        pairs[unusual, :] = pairs[:, unusual] = False
        pairs[NONE] = pairs[:, NONE] = False
        self._together: Bools = pairs[: NONE + 1, : NONE + 1].ravel()
        """Whether two characters stand together in a pattern, by ``first * (NONE + 1) + second``."""

    def stretches(self, data: bytes | memoryview) -> Stretches:
        """Stretches of `data` that could hold a pattern."""
        words: Words = np.frombuffer(data, "<u2", len(data) // 2)
        narrow: list[NDArray[np.int64]] = []
        wide: list[NDArray[np.int64]] = []
        shifted_is_suspect = is_mask = False
        for start in range(0, len(words), BLOCK_WORDS):
            # Overlapping, so that each sampled position sees what follows it.
            block = words[start : start + BLOCK_WORDS + self._step + 1]
            if is_mask and _is_without_characters(block):
                continue
            low, high = int(block.view("<i2").min()), int(block.view("<i2").max())
            is_mask = low >= 0 and high < FIRST_CHARACTER << 8 and _is_without_characters(block)
            if is_mask:
                continue
            if self._upto[high + 32769] - self._upto[low + 32768]:
                narrow.append(start + self._sampled_words(block[:BLOCK_WORDS], -start % self._run_words))
            wide.append(start + self._sampled_pairs(block, -start % self._step))
            # UTF-16 at odd positions puts a character into the high byte of a word.
            shifted_is_suspect |= high >= FIRST_CHARACTER << 8
        texts = [self._wide(np.concatenate([*wide, np.zeros(0, np.int64)]), words)]
        if shifted_is_suspect:
            texts.append(self._text(data[1:]))
        found = self._narrow(np.concatenate([*narrow, np.zeros(0, np.int64)]), words)
        if len(data) and data[-1] >= FIRST_CHARACTER:
            # The last character of big endian text has its NUL before it: one is lent to it.
            end = bytes(data[-LAST_BYTES:]) + b"\0"
            texts.append(self._text(end[len(end) % 2 :]))
            # And no word holds the last of an odd number of bytes.
            found += end if len(data) % 2 else b""
        return Stretches(narrow=found, wide=b"".join(texts))

    def _sampled_words(self, block: Words, offset: int) -> NDArray[np.int64]:
        found: NDArray[np.int64] = np.flatnonzero(self._words[block[offset :: self._run_words]])
        return found * self._run_words + offset

    def _sampled_pairs(self, block: Words, offset: int) -> NDArray[np.int64]:
        """Sampled positions where this and the next sample are pairs: a run that is long enough holds two."""
        end = len(block) - 1
        good = self._are_pairs(block[offset : end : self._step], block[offset + 1 : end + 1 : self._step])
        found: NDArray[np.int64] = np.flatnonzero(good[:-1] & good[1:])
        return found * self._step + offset

    def _are_pairs(self, first: Words, second: Words) -> Bools:
        """Whether each of these words and its successor are characters that some pattern holds together."""
        none = np.uint16(NONE)
        key = np.minimum(first, none) * np.uint16(NONE + 1) + np.minimum(second, none)
        return self._together.take(key, mode="wrap")  # never out of bounds, so that need not be looked for

    def _narrow(self, candidates: NDArray[np.int64], words: Words) -> bytes:
        return _gathered(candidates, words, self._run_words, lambda at: self._words[words[at]], before=1, after=1)

    def _wide(self, candidates: NDArray[np.int64], words: Words) -> bytes:
        def is_pair(at: NDArray[np.int64]) -> Bools:
            return self._are_pairs(words.take(at), words.take(at + 1, mode="clip"))

        for distance in range(1, self._step):  # every pair between the two samples must be good
            if not len(candidates):
                return b""
            candidates = candidates[is_pair(candidates + distance)]
        gathered = _gathered(candidates, words, self._run_pairs, is_pair, before=0, after=2)
        return np.frombuffer(gathered, np.uint8)[::2].tobytes()

    def _text(self, data: bytes | memoryview) -> bytes:
        """Characters of stretches that may hold a pattern written as UTF-16 at even positions."""
        words: Words = np.frombuffer(data, "<u2", len(data) // 2)
        return self._wide(self._sampled_pairs(words, 0), words)


def _is_without_characters(block: Words) -> bool:
    """Whether no byte is a character, as in a mask."""
    return int(block.view(np.uint8).max()) < FIRST_CHARACTER


def _pairs(patterns: Iterable[bytes]) -> Bools:
    """(256, 256) table of the unfolded byte pairs that folded patterns may come from."""
    folded = np.zeros((256, 256), np.bool_)
    joined = np.frombuffer(b"\0".join(patterns), np.uint8)
    folded[joined[:-1], joined[1:]] = True
    folded[0, :] = folded[:, 0] = False
    fold = np.frombuffer(FOLD, np.uint8)
    return folded[fold[:, None], fold[None, :]]


def _reach(
    candidates: NDArray[np.int64], n: int, run: int, is_good: Callable[[NDArray[np.int64]], Bools], side: int
) -> NDArray[np.int64]:
    """How many good positions in a row, fewer than `run`, follow each candidate (side 1) or precede it (side -1)."""
    at = candidates[:, None] + side * np.arange(1, run)
    good = is_good(np.clip(at, 0, n - 1).ravel()).reshape(at.shape) & (at >= 0) & (at < n)
    reach: NDArray[np.int64] = np.logical_and.accumulate(good, axis=1).sum(axis=1)
    return reach


def _gathered(
    candidates: NDArray[np.int64],
    words: Words,
    run: int,
    is_good: Callable[[NDArray[np.int64]], Bools],
    *,
    before: int,
    after: int,
) -> bytes:
    """Runs of at least `run` good positions around the candidates, a little wider, as bytes parted by breaks."""
    if not len(candidates):
        return b""
    n = len(words)
    batches = [candidates[start : start + BATCH] for start in range(0, len(candidates), BATCH)]
    below, above = (np.concatenate([_reach(batch, n, run, is_good, side) for batch in batches]) for side in (-1, 1))
    long = below + above + 1 >= run
    starts = np.maximum(candidates - below - before, 0)[long]
    stops = np.minimum(candidates + above + 1 + after, n)[long]
    if not len(starts):
        return b""
    # One run may have been found from several candidates: join what touches.
    opens = np.flatnonzero(np.concatenate([[True], starts[1:] > np.maximum.accumulate(stops)[:-1]]))
    starts, stops = starts[opens], np.maximum.reduceat(stops, opens)
    lengths = stops - starts + 1
    ends = np.cumsum(lengths)
    at = np.arange(int(ends[-1])) - np.repeat(ends - lengths - starts, lengths)
    gathered = words[np.minimum(at, n - 1)]
    gathered[ends - 1] = BREAK | BREAK << 8
    return bytes(gathered.astype("<u2").tobytes())
