"""Spellings of a person's name: orders, pinyin, Chinese characters, joined and apart.

A DICOM person name has up to three groups (``Zhang^Wei=张^伟``, PS3.5 6.2.1); each is treated by its script. Chinese
characters are spelled in simplified and traditional forms (`han_variants`) and give their pinyin as well: surnames by
their surname reading (单 is Shan, not Dan), other characters by every reading they have, ü as ``v``, ``u``, ``yu``.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from quadphase.deidentify.han_variants import han_variants
from quadphase.deidentify.spellings import Rule, Spelling

__all__ = ["name_spellings"]

MOST_READINGS: Final = 16
"""Pinyin readings of one name that are searched; names with more are rare and their further readings rarer."""

MINIMUM_LETTERS: Final = 4
"""A shorter Latin name (``Li``) is a word of any text."""

MOST_PERMUTED: Final = 4
"""Parts of a name whose every order is spelled. Of more, every order has two parts beside each other: pairs find it."""

MOST_PARTS: Final = 12
"""A cell with more words is no name; so many already have 132 pairs."""

PARTICLES: Final = frozenset(("de", "del", "den", "der", "el", "la", "las", "los", "van", "von", "zu"))
"""Two of them (``de la``) are words of any text in their language and nobody's name."""

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def name_spellings(value: str) -> Iterator[Spelling]:
    """Spellings of a name as a table or a DICOM header gives it."""
    for group in value.split("="):
        han = "".join(_HAN.findall(group))
        if len(han) >= 2:
            yield from _chinese(group, han)
        latin = [part for part in re.split(r"[^\w]+|_+", _HAN.sub(" ", group)) if part and not part.isdigit()]
        yield from _latin(latin)


def _latin(parts: Sequence[str]) -> Iterator[Spelling]:
    """Every order of up to four parts, turns of more, and any two of them; with blanks, and joined."""
    parts = parts[:MOST_PARTS]
    if sum(len(part) for part in parts) < MINIMUM_LETTERS:
        return
    if any(not part.isascii() for part in parts):
        yield from (Spelling(" ".join(order), Rule.HAN) for order in _orders(parts))
        plain = ["".join(c for c in unicodedata.normalize("NFKD", part) if c.isascii()) for part in parts]
        yield from _latin([part for part in plain if part])
        return
    if len(parts) == 1:
        yield Spelling(parts[0], Rule.WORDS)
        return
    orders = {*_orders(parts), *(_pairs(parts) if len(parts) > 2 else ())}
    for order in orders:
        yield Spelling(" ".join(order), Rule.WORDS)
        yield Spelling("".join(part.capitalize() for part in order), Rule.JOINED)


def _orders(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All parts in every order that is written: with five and more the family name, or any part, is put first."""
    if len(parts) <= MOST_PERMUTED:
        yield from itertools.permutations(parts)
    else:
        yield from ((*parts[n:], *parts[:n]) for n in range(len(parts)))


def _pairs(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Any two parts in both orders, as others are often left out; a single letter or two particles are no name."""
    for pair in itertools.permutations(parts, 2):
        long = min(map(len, pair)) > 1 and len("".join(pair)) >= MINIMUM_LETTERS
        if long and not PARTICLES.issuperset(part.lower() for part in pair):
            yield pair


def _chinese(group: str, han: str) -> Iterator[Spelling]:
    pieces = ["".join(_HAN.findall(piece)) for piece in re.split(r"[\s^,，·]+", group)]
    pieces = [piece for piece in pieces if piece]
    surname = pieces[0] if len(pieces) > 1 else han[: _surname_length(han)]
    given = han[len(surname) :] if han.startswith(surname) else "".join(pieces[1:])
    for text in (han, *han_variants(han)):
        yield from _in_characters(text[: len(surname)], text[len(surname) :])
    for family, names in _readings(surname, given):
        apart = [family, *names]
        joined = [family, "".join(names)]
        for order in {tuple(joined), tuple(joined[::-1]), tuple(apart), (*names, family)}:
            if sum(len(part) for part in order) >= MINIMUM_LETTERS:
                yield Spelling(" ".join(order), Rule.WORDS)
                yield Spelling("".join(part.capitalize() for part in order), Rule.JOINED)


def _in_characters(surname: str, given: str) -> Iterator[Spelling]:
    for first, second in ((surname, given), (given, surname)):
        yield Spelling(first + second, Rule.HAN)
        for separator in ("^", " ", "\u3000", "·"):
            yield Spelling(first + separator + second, Rule.HAN)
    yield Spelling(" ".join(surname + given), Rule.HAN)


def _surname_length(han: str) -> int:
    """Two characters for the compound surnames (欧阳, 司马 …), else one."""
    return 2 if len(han) > 2 and han[:2] in _COMPOUND else 1


_COMPOUND: Final = frozenset(
    re.findall(
        "..",
        "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶"
        "太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于司空闾丘子车亓官司寇巫马公西颛孙壤驷公良"
        "漆雕乐正宰父谷梁拓跋夹谷轩辕令狐段干百里呼延东郭南门羊舌微生左丘东门西门第五歐陽"
        "司馬東方諸葛尉遲慕容鍾離長孫鮮于",
    )
)
"""Surnames of two characters."""


def _readings(surname: str, given: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(surname, given syllables) in pinyin without tones, at most `MOST_READINGS`."""
    from pypinyin import Style, pinyin
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_normal

    def syllables(char: str) -> list[str]:
        readings = PINYIN_DICT.get(ord(char), "").split(",") if ord(char) in PINYIN_DICT else []
        plain = [to_normal(reading, v_to_u=False) for reading in readings if reading]
        common = pinyin(char, style=Style.NORMAL, v_to_u=False)[0][0]
        spelled = [variant for reading in [common, *plain] for variant in _umlauts(reading)]
        return list(dict.fromkeys(spelled))

    families = [_SURNAME_READING[surname]] if surname in _SURNAME_READING else []
    families += ["".join(order) for order in itertools.islice(itertools.product(*map(syllables, surname)), 4)]
    names = list(itertools.islice(itertools.product(*map(syllables, given)), MOST_READINGS))
    yield from itertools.islice(itertools.product(dict.fromkeys(families), names), 2 * MOST_READINGS)


def _umlauts(reading: str) -> tuple[str, ...]:
    if "v" in reading or "ü" in reading:
        plain = reading.replace("ü", "v")
        return plain, plain.replace("v", "u"), plain.replace("v", "yu")
    return (reading,)


_SURNAME_READING: Final = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "朴": "piao", "任": "ren",
    "盖": "ge", "区": "ou", "尉迟": "yuchi", "万俟": "moqi", "华": "hua", "翟": "zhai",
    "乐": "yue", "覃": "qin", "冼": "xian", "缪": "miao", "种": "chong", "召": "shao",
    "员": "yun", "繁": "po", "秘": "bi", "么": "yao", "黑": "he", "折": "she", "逄": "pang",
    "尹": "yin", "长孙": "zhangsun",
}  # fmt: skip
"""Surnames whose reading is not the character's common one."""
