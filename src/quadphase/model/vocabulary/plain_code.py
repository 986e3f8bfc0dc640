"""Kept texts are codes and names of things: a model, a kernel, a version; whatever reads like anything else goes.

The standard lets Manufacturer, SoftwareVersions, ConvolutionKernel and their like stay, and whoever installs a scanner
can type a sentence into them. A text passes when it is short, has no date and no long number, and when every run of
letters in it is a known technical word or too short to be anybody's name. An allow-list, as in `descriptions`: an
unknown product is lost before an unknown person is kept.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from quadphase.model.vocabulary.descriptions import clean_description, is_description_word

__all__ = ["holds_date", "is_plain_code", "plain_code"]

LONGEST: Final = 64
"""Longest LO (PS3.5 6.2)."""

LONGEST_NUMBER: Final = 4
MOST_DIGITS: Final = 9
"""In a dotted version (``4.1.6.22118``) a part may be longer, but all together are shorter than a telephone number."""

_SIGNS: Final = re.compile(r"[A-Za-z0-9 ._+\-/()*,:&^%]*")
_DATES: Final = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([-/._ ])\d{1,2}\1\d{1,2}|\d{1,2}([-/._ ])\d{1,2}\2(?:19|20)\d\d"
    r"|\d{1,2}([-/])\d{1,2}\3\d\d|\d\d\.\d\d\.\d\d)(?![\d.]*\d)"
)
_VERSION: Final = re.compile(r"(?<![\d.])\d+(?:\.\d+){2,3}(?![\d.])")
_NUMBER: Final = re.compile(r"\d+")
_CHAIN: Final = re.compile(r"\d[\d.\-/() ]*\d")
_LETTERS: Final = re.compile(r"[A-Za-z]+")
_HUMPS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PIECE: Final = re.compile(r"[A-Za-z0-9.+*]+(?:[_-][A-Za-z0-9.+*]+)*")


@cache
def _technical() -> frozenset[str]:
    return frozenset(files("quadphase.model.vocabulary").joinpath("technical_words.txt").read_text("utf-8").split())


def holds_date(text: str) -> bool:
    """Whether a calendar date stands in a text."""
    return _DATES.search(text) is not None


def is_plain_code(text: str) -> bool:
    """Whether a text is the name of a thing and nothing else.

    Examples
    --------
    >>> [is_plain_code(t) for t in ("SOMATOM Definition AS+", "Br40d", "V8.40ER003", "4.1.6.22118", "")]
    [True, True, True, True, True]
    >>> [is_plain_code(t) for t in ("DrLiuYang", "ward of Li", "VB20 2021-03-05", "13800138000")]
    [False, False, False, False]
    """
    if len(text) > LONGEST or not _SIGNS.fullmatch(text) or holds_date(text):
        return False
    if any(sum(map(str.isdigit, chain)) > MOST_DIGITS for chain in _CHAIN.findall(text)):
        return False
    if any(len(number) > LONGEST_NUMBER for number in _NUMBER.findall(_VERSION.sub(" ", text))):
        return False
    short = 0
    for match in _LETTERS.finditer(text):
        run = match[0]
        if len(run) == 1 or _is_known(run):
            continue
        touches_digit = (
            text[match.start() - 1 : match.start()].isdigit() or text[match.end() : match.end() + 1].isdigit()
        )
        if len(run) > 2 or not (touches_digit or run.isupper()):
            return False
        short += not touches_digit
    # "YA" is a kernel; "LI NA" are two of them and may be a name.
    return short < 2


def plain_code(text: str) -> str:
    """The text where it is a plain code, else those of its parts that name a thing; may be empty.

    Examples
    --------
    >>> plain_code("Aquilion PRIME"), plain_code("Aquilion of Wang Fang ward 7"), plain_code("DrLiuYang")
    ('Aquilion PRIME', 'Aquilion', '')
    """
    if is_plain_code(text):
        return text
    if not text.isascii():
        return clean_description(text)
    kept = [piece for piece in _PIECE.findall(_DATES.sub(" ", text[: 4 * LONGEST])) if _names_a_thing(piece)]
    joined = " ".join(kept)
    return joined if is_plain_code(joined) else ""


def _is_known(run: str) -> bool:
    if run.lower() in _technical() or is_description_word(run):
        return True
    humps = _HUMPS.findall(run)
    return len(humps) > 1 and all(len(hump) > 2 and hump.lower() in _technical() for hump in humps)


def _names_a_thing(piece: str) -> bool:
    """A technical word: numbers alone and the small words between them are left out with what they belonged to."""
    runs = _LETTERS.findall(piece)
    words = [*runs, *(hump for run in runs for hump in _HUMPS.findall(run))]
    return is_plain_code(piece) and any(word.lower() in _technical() for word in words)
