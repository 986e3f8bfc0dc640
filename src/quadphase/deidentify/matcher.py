"""`Matcher`: all spellings of all identifiers in one Aho-Corasick automaton, and the search of a region with it.

How short a pattern may be depends on the region. With n patterns of b bytes, random bytes hold one of them by chance
every 256**b / n bytes, so:

- in *text* every pattern counts, because its neighbourhood confirms it (`confirmation`);
- in *opaque* binary data a pattern counts from 6 bytes on;
- in *voxels* from 8 bytes on, written as bytes, unless these voxels spell such patterns by chance (`chance`), or from
  16 characters with 5 different ones on, written as UTF-16: smooth HU of 46 … 122 are the codes of digits and letters,
  so the liver itself spells short numbers in UTF-16.

Voxels are proved clean rather than searched where that is possible (`voxel_filter`); only stretches that could hold a
pattern reach the automaton.

The automaton is ahocorasick_rs (Rust, Apache-2.0): five times as fast as pyahocorasick here, and unlike Hyperscan it
has wheels for every platform and is built in a fraction of a second.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from quadphase.deidentify.chance import Chance
from quadphase.deidentify.confirmation import confirms
from quadphase.deidentify.folding import fold, squeeze_wide
from quadphase.deidentify.regions import Nature, Region
from quadphase.deidentify.spellings import Pattern, Rule, patterns, spellings
from quadphase.deidentify.voxel_filter import VoxelFilter
from quadphase.model.source import Identifier

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

__all__ = ["Matcher"]

OPAQUE_BYTES: Final = 6
VOXEL_BYTES: Final = 8
VOXEL_CHARACTERS: Final = 16
VOXEL_DIFFERENT: Final = 5
"""Different characters of a UTF-16 pattern in voxels: a constant area spells 1111…"""

PIECE_BYTES: Final = 32 << 20
"""Larger regions are searched in pieces, overlapping by the longest pattern, to keep memory flat."""


WORD_RULES: Final = frozenset((Rule.WORDS, Rule.JOINED, Rule.HAN, Rule.HAN_WIDE, Rule.CODE))
"""Rules that do not judge punctuation."""

_PLAIN: Final = bytes(range(32, 127)) + b"\t\n\r"
"""Bytes of plain ASCII text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Patterns that share an automaton, and what each of them may mean."""

    patterns: tuple[bytes, ...] = field(repr=False)
    meanings: tuple[tuple[tuple[Pattern, str], ...], ...] = field(repr=False)
    automaton: BytesAhoCorasick = field(repr=False)


def _public_forms(text: str) -> Iterator[bytes]:
    """A public text folded, in the readings a region may be of it: as it stands, without accents, blanks closed."""
    letters = (char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    for form in (text, "".join(letters)):
        folded = fold(form.encode())
        yield folded
        yield b" ".join(folded.split())


class Matcher:
    """Searches regions for identifiers.

    Parameters
    ----------
    identifiers : iterable of Identifier
    allow : iterable of str
        Texts that are public on purpose (title, DOI, day of publication): a hit inside one of them does not count.
    """

    def __init__(self, identifiers: Iterable[Identifier], *, allow: Iterable[str] = ()) -> None:
        self.too_short: dict[str, int] = {}
        """Number of identifiers, by kind, that are too short to be searched at all."""
        self.count = 0
        meanings: dict[bytes, dict[tuple[Pattern, str], None]] = {}
        for identifier in identifiers:
            self.count += 1
            searched = False
            for spelling in spellings(identifier):
                for pattern in patterns(spelling):
                    meanings.setdefault(pattern.folded, {})[pattern, identifier.kind] = None
                    searched = True
            if not searched:
                self.too_short[identifier.kind] = self.too_short.get(identifier.kind, 0) + 1
        wide = {folded for folded, found in meanings.items() if any(p.rule is Rule.HAN_WIDE for p, _ in found)}
        self._groups = [self._group(group, meanings) for group in (sorted(meanings.keys() - wide), sorted(wide))]
        """Two automata: half of a UTF-16 unit looks like a letter, so those patterns spare pure ASCII."""
        spoken = sorted(
            p for p in meanings if len(p) >= VOXEL_CHARACTERS and p.isascii() and len(set(p)) >= VOXEL_DIFFERENT
        )
        self._spoken = self._group(spoken, meanings)
        """Patterns that count when voxels spell them in UTF-16."""
        self._allow = tuple({form for text in allow if text.strip() for form in _public_forms(text)})
        self._longest = max(map(len, meanings), default=1)
        self._in_voxels = sum(len(pattern) >= VOXEL_BYTES for pattern in meanings)
        self._filter = VoxelFilter(meanings, least_bytes=VOXEL_BYTES, least_characters=VOXEL_CHARACTERS)

    @staticmethod
    def _group(group: list[bytes], meanings: Mapping[bytes, Iterable[tuple[Pattern, str]]]) -> _Group:
        from ahocorasick_rs import BytesAhoCorasick, Implementation

        automaton = BytesAhoCorasick(group, implementation=Implementation.ContiguousNFA)
        return _Group(
            patterns=tuple(group), meanings=tuple(tuple(meanings[folded]) for folded in group), automaton=automaton
        )

    def __repr__(self) -> str:
        return f"Matcher({self.count} identifiers, {sum(len(group.patterns) for group in self._groups)} patterns)"

    def search(self, region: Region) -> frozenset[str]:
        """Kinds of the identifiers found in a region."""
        data = region.data
        found: set[str] = set()
        for start in range(0, max(len(data), 1), PIECE_BYTES):
            piece = data[max(0, start - 2 * self._longest) : start + PIECE_BYTES]
            if region.nature is Nature.VOXELS:
                found |= self._search_voxels(piece)
            else:
                found |= self._search_bytes(bytes(piece), region.nature, words_only=region.words_only)
        return frozenset(found)

    def _search_bytes(self, data: bytes, nature: Nature, *, words_only: bool) -> set[str]:
        least = OPAQUE_BYTES if nature is Nature.OPAQUE else 0
        found = self._confirmed(data, least=least, in_name=nature is Nature.NAME, words_only=words_only)
        if b"\0" in data:
            for start, parity in ((0, 0), (0, 1), (1, 0), (1, 1)):
                found |= self._confirmed(squeeze_wide(data[start:], parity), least=least)
        return found

    def _search_voxels(self, data: bytes | memoryview) -> set[str]:
        stretches = self._filter.stretches(data)
        found: set[str] = set()
        if stretches.narrow:
            chance = Chance(data, self._in_voxels)
            found = self._confirmed(stretches.narrow, least=VOXEL_BYTES, alone=False, chance=chance)
        if stretches.wide:
            found |= self._confirmed(stretches.wide, groups=[self._spoken], alone=False)
        return found

    def _confirmed(
        self,
        data: bytes,
        *,
        groups: Sequence[_Group] | None = None,
        least: int = 0,
        in_name: bool = False,
        words_only: bool = False,
        alone: bool = True,
        chance: Chance | None = None,
    ) -> set[str]:
        """Kinds found and confirmed.

        Parameters
        ----------
        data : bytes
        groups : sequence of _Group, optional
            Default: all, less those that plain ASCII cannot hold.
        least : int
            Shorter patterns do not count.
        in_name, words_only, alone : bool
            Whether this is a file name, whether only words can be judged, whether the neighbourhood confirms at all.
        chance : Chance, optional
            What it explains does not count.
        """
        found: set[str] = set()
        folded = fold(data)
        if groups is None:
            groups = self._groups[:1] if not data.translate(None, _PLAIN) else self._groups
        hits = (
            (group.meanings[number], start, end)
            for group in groups
            for number, start, end in group.automaton.find_matches_as_indexes(folded, overlapping=True)
        )
        for meanings, start, end in hits:
            if end - start < least:
                continue
            for pattern, kind in meanings:
                if kind in found or not pattern.is_exact(data[start:end]) or self._is_allowed(folded, start, end):
                    continue
                if chance is not None and chance.explains(pattern.folded, start, folded.count(pattern.folded)):
                    continue
                if words_only and pattern.rule not in WORD_RULES:
                    continue
                if not alone or confirms(pattern.rule, data, start, end, in_name=in_name):
                    found.add(kind)
        return found

    def _is_allowed(self, folded: bytes, start: int, end: int) -> bool:
        for text in self._allow:
            low = max(0, end - len(text))
            at = folded.find(text, low, start + len(text))
            if 0 <= at <= start:
                return True
        return False
