"""`Matcher`: all spellings of all identifiers in one Aho-Corasick automaton, and the search of a region with it.

How short a pattern may be depends on the region. With n patterns of b bytes, random bytes hold one of them by chance
every 256**b / n bytes, so:

- in *text* every pattern counts, because its neighbourhood confirms it (`confirmation`);
- in *opaque* binary data a pattern counts from 6 bytes on;
- in *voxels* from 8 bytes on, written as bytes, or from 16 characters with 5 different ones on, written as UTF-16:
  smooth HU of 46 … 122 are the codes of digits and letters, so the liver itself spells short numbers in UTF-16.

Voxels are proved clean rather than searched where that is possible: a pattern of 8 bytes holds at least three whole
16-bit words made of pattern bytes only, and HU between -2048 and 4095 hardly have any. Only stretches that could
hold a pattern reach the automaton, which makes the search of CT a matter of a table look-up per word.

The automaton is ahocorasick_rs (Rust, Apache-2.0): five times as fast as pyahocorasick here, and unlike Hyperscan it
has wheels for every platform and is built in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.deidentify.confirmation import confirms
from quadphase.deidentify.folding import BREAK, FOLD, fold, squeeze_wide
from quadphase.deidentify.regions import Nature, Region
from quadphase.deidentify.spellings import Rule, patterns, spellings
from quadphase.model.source import Identifier

if TYPE_CHECKING:
    import ahocorasick_rs

__all__ = ["Matcher"]

OPAQUE_BYTES: Final = 6
VOXEL_BYTES: Final = 8
VOXEL_CHARACTERS: Final = 16
VOXEL_DIFFERENT: Final = 5
"""Different characters of a UTF-16 pattern in voxels: a constant area spells 1111…"""

PIECE_BYTES: Final = 32 << 20
"""Larger regions are searched in pieces, overlapping by the longest pattern, to keep memory flat."""


class Matcher:
    """Searches regions for identifiers.

    Parameters
    ----------
    identifiers : iterable of Identifier
    allow : iterable of str
        Texts that are public on purpose (title, DOI, day of publication): a hit inside one of them does not count.
    """

    def __init__(self, identifiers: Iterable[Identifier], *, allow: Iterable[str] = ()) -> None:
        from ahocorasick_rs import BytesAhoCorasick, Implementation

        self._kinds: list[str] = []
        self.too_short: dict[str, int] = {}
        """Number of identifiers, by kind, that are too short to be searched at all."""
        self.count = 0
        meanings: dict[bytes, dict[tuple[Rule, str], int]] = {}
        for identifier in identifiers:
            self.count += 1
            before = len(self._kinds)
            self._kinds.append(identifier.kind)
            searched = False
            for spelling in spellings(identifier):
                for pattern in patterns(spelling):
                    meanings.setdefault(pattern, {}).setdefault((spelling.rule, identifier.kind), before)
                    searched = True
            if not searched:
                self.too_short[identifier.kind] = self.too_short.get(identifier.kind, 0) + 1
        self._patterns: Sequence[bytes] = list(meanings)
        self._meanings: Sequence[Sequence[tuple[Rule, str, int]]] = [
            [(rule, kind, owner) for (rule, kind), owner in found.items()] for found in meanings.values()
        ]
        self._allow = tuple(fold(text.encode()) for text in allow if text.strip())
        self._longest = max(map(len, self._patterns), default=1)
        self._automaton: ahocorasick_rs.BytesAhoCorasick | None = (
            BytesAhoCorasick(self._patterns, implementation=Implementation.ContiguousNFA) if self._patterns else None
        )
        alphabet = np.zeros(256, np.bool_)
        alphabet[list({byte for pattern in self._patterns if len(pattern) >= VOXEL_BYTES for byte in pattern})] = True
        alphabet = alphabet[np.frombuffer(FOLD, np.uint8)]
        alphabet[0] = False
        self._both_in_alphabet: NDArray[np.bool_] = (alphabet[:, None] & alphabet[None, :]).ravel()
        """By 16-bit word: whether both of its bytes occur in patterns."""
        ascii_alphabet = alphabet & (np.arange(256) < 128)
        self._wide: NDArray[np.bool_] = np.concatenate([ascii_alphabet, np.zeros(65536 - 256, np.bool_)])
        """By 16-bit word: whether it is a character of a pattern in UTF-16."""

    def __repr__(self) -> str:
        return f"Matcher({self.count} identifiers, {len(self._patterns)} patterns)"

    def search(self, region: Region) -> frozenset[str]:
        """Kinds of the identifiers found in a region."""
        data = region.data
        found: set[str] = set()
        for start in range(0, max(len(data), 1), PIECE_BYTES):
            whole = len(data) <= PIECE_BYTES
            piece = data if whole else data[max(0, start - 2 * self._longest) : start + PIECE_BYTES]
            if region.nature is Nature.VOXELS:
                found |= self._search_voxels(piece)
            else:
                found |= self._search_bytes(piece, region.nature)
        return frozenset(found)

    def _search_bytes(self, data: bytes, nature: Nature) -> set[str]:
        least = OPAQUE_BYTES if nature is Nature.OPAQUE else 0
        found = self._confirmed(data, least=least, in_name=nature is Nature.NAME)
        if b"\0" in data:
            for parity in (0, 1):
                found |= self._confirmed(squeeze_wide(data, parity), least=least)
        return found

    def _search_voxels(self, data: bytes) -> set[str]:
        found: set[str] = set()
        stretches = self._stretches(data, self._both_in_alphabet, (VOXEL_BYTES - 1) // 2, margin=1)
        if stretches:
            found |= self._confirmed(stretches, least=VOXEL_BYTES, alone=False)
        for parity in (0, 1):
            shifted = data[parity:]
            stretches = self._stretches(shifted, self._wide, VOXEL_CHARACTERS, margin=0)
            if stretches:
                characters = np.frombuffer(stretches, np.uint8)[::2].tobytes()
                found |= self._confirmed(characters, least=VOXEL_CHARACTERS, alone=False, different=VOXEL_DIFFERENT)
        return found

    @staticmethod
    def _stretches(data: bytes, table: NDArray[np.bool_], least: int, *, margin: int) -> bytes:
        """Runs of at least `least` words that `table` accepts, each widened by `margin` words, parted by breaks."""
        words = np.frombuffer(data, "<u2", len(data) // 2)
        if len(words) < least:
            return b""
        good = table[words]
        # A run of n words holds one at every n-th position: most data is ruled out by looking at those alone.
        if not good[least - 1 :: least].any():
            return b""
        edges = np.flatnonzero(np.diff(good.view(np.int8), prepend=0, append=0))
        starts, stops = edges[::2], edges[1::2]
        long = stops - starts >= least
        pieces: list[bytes] = []
        for start, stop in zip(starts[long].tolist(), stops[long].tolist(), strict=True):
            pieces += (data[2 * max(0, start - margin) : 2 * (stop + margin)], bytes((BREAK, BREAK)))
        return b"".join(pieces)

    def _confirmed(
        self, data: bytes, *, least: int, in_name: bool = False, alone: bool = True, different: int = 0
    ) -> set[str]:
        found: set[str] = set()
        if self._automaton is None:
            return found
        folded = fold(data)
        for number, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            if end - start < least or (different and len(set(folded[start:end])) < different):
                continue
            for rule, kind, _owner in self._meanings[number]:
                if kind in found or self._is_allowed(folded, start, end):
                    continue
                if not alone or confirms(rule, data, start, end, in_name=in_name):
                    found.add(kind)
        return found

    def _is_allowed(self, folded: bytes, start: int, end: int) -> bool:
        for text in self._allow:
            low = max(0, end - len(text))
            at = folded.find(text, low, start + len(text))
            if 0 <= at <= start:
                return True
        return False
