"""Every way an identifier may be written, as folded byte patterns with the rule that confirms a hit.

Case and punctuation need no spelling of their own (`folding`). What is enumerated: name orders, pinyin readings and
Chinese characters (`name_spellings`), formats of a date (`date_spellings`), ids without their leading zeros, and for
text beyond ASCII the encodings UTF-8, GB18030 and UTF-16. A value such as ``7`` has no spelling: it is in every table
and tells nobody anything; `Matcher.too_short` counts such values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from quadphase.deidentify.folding import fold
from quadphase.model.source import Identifier

__all__ = ["Pattern", "Rule", "Spelling", "patterns", "spellings"]


class Rule(Enum):
    """What must surround a pattern for it to be a hit; see `confirmation`."""

    WORDS = "words"
    """Latin words: not inside a longer word."""
    JOINED = "joined"
    """Latin name without a blank: not inside a word, and short ones only in capitals or CamelCase."""
    HAN = "han"
    """Text beyond ASCII: anywhere."""
    HAN_WIDE = "han-wide"
    """Text beyond ASCII as UTF-16: its bytes may all be ASCII letters, and then the neighbours must be UTF-16 too."""
    CODE = "code"
    """Letters and digits mixed: a token of its own."""
    NUMBER = "number"
    """Digits: a number of its own, any zeros before it, not a part of a decimal number or of a hash."""
    SHORT_NUMBER = "short-number"
    """Four or five digits: as `NUMBER`, and quoted or a part of a file name."""
    COMPACT_DATE = "compact-date"
    """Eight digits: as `NUMBER`, but a time of day may follow."""
    NUMERIC_DATE = "numeric-date"
    """Day, month and year with separators that people use in dates."""
    UID = "uid"
    """Digits and dots."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way of writing an identifier."""

    text: str
    rule: Rule

    def __repr__(self) -> str:
        return f"Spelling({self.rule.value})"


MINIMUM_DIGITS = 4
"""A shorter number is no id anybody could search for: each table holds it."""

PRIVATE_UID_PREFIX = "1.2.840.10008."
"""UIDs below this root are DICOM's own words (PS3.6 A), not identifiers of an exam."""


def spellings(identifier: Identifier) -> Iterator[Spelling]:
    """Spellings of one identifier, before folding and encoding; the same one may come twice."""
    from quadphase.deidentify.date_spellings import date_spellings
    from quadphase.deidentify.name_spellings import name_spellings

    value = identifier.value.strip()
    if identifier.kind == "name":
        yield from name_spellings(value)
    elif identifier.kind in ("date", "birth_date"):
        yield from date_spellings(value)
    elif identifier.kind == "uid":
        if len(value) >= 8 and not value.startswith(PRIVATE_UID_PREFIX):
            yield Spelling(value, Rule.UID)
    else:
        yield from _code_spellings(value)


def _code_spellings(value: str) -> Iterator[Spelling]:
    """Ids and accession numbers."""
    if not value.isascii():
        if len(value) >= 2:
            yield Spelling(value, Rule.HAN)
        return
    bare = re.sub(r"[^0-9A-Za-z]", "", value)
    if bare.isdigit():
        core = bare.lstrip("0")
        if len(bare) >= 6:
            # The written form is searched without its zeros when enough remains; any zeros may stand before it.
            yield Spelling(core if len(core) >= 6 else bare, Rule.NUMBER)
        if MINIMUM_DIGITS <= len(core) < 6:
            yield Spelling(core, Rule.SHORT_NUMBER)
        if bare != value and len(core) >= MINIMUM_DIGITS:
            yield Spelling(value, Rule.CODE)
        return
    if len(bare) < MINIMUM_DIGITS:
        return
    yield Spelling(bare, Rule.CODE)
    if bare != value:
        yield Spelling(value, Rule.CODE)
    # A prefix of letters and a number: HCC-0123 is also written HCC123, HCC_123.
    match = re.fullmatch(r"([A-Za-z]+)[^0-9A-Za-z]*0*([1-9][0-9]*)", value)
    if match and len(match[1]) + len(match[2]) >= MINIMUM_DIGITS:
        yield Spelling(match[1] + match[2], Rule.CODE)
        yield Spelling(f"{match[1]} {match[2]}", Rule.CODE)
        if len(match[2]) >= 6:
            yield Spelling(match[2], Rule.NUMBER)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Folded bytes to search for, and what the original bytes must be where folding would be too coarse.

    Parameters
    ----------
    folded : bytes
    rule : Rule
    exact : tuple of (int, bytes)
        Offsets at which these original bytes must stand: the second byte of a GB18030 character or half a UTF-16 unit
        looks like punctuation or a capital letter and is neither.
    """

    folded: bytes
    rule: Rule
    exact: tuple[tuple[int, bytes], ...] = ()

    def __repr__(self) -> str:
        return f"Pattern({len(self.folded)} bytes, {self.rule.value})"

    def is_exact(self, found: bytes) -> bool:
        """Whether original bytes are the pattern beyond folding."""
        return all(found[offset : offset + len(part)] == part for offset, part in self.exact)


def patterns(spelling: Spelling) -> Iterator[Pattern]:
    """Patterns of a spelling: one for ASCII (its UTF-16 is squeezed, not spelled), else one for each encoding."""
    if spelling.text.isascii():
        yield Pattern(fold(spelling.text.encode()), spelling.rule)
        return
    yield Pattern(fold(spelling.text.encode()), spelling.rule)
    for encoding, rule in (("gb18030", spelling.rule), ("utf-16-le", Rule.HAN_WIDE), ("utf-16-be", Rule.HAN_WIDE)):
        exact, offset = [], 0
        for char in spelling.text:
            part = char.encode(encoding)
            if not char.isascii():
                exact.append((offset, part))
            offset += len(part)
        yield Pattern(fold(spelling.text.encode(encoding)), rule, tuple(exact))
