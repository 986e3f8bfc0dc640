"""Clean descriptions: words of anatomy, technique and phase stay, all else goes (PS3.15 E.3.5, Clean Descriptors).

An allow-list, because nobody can list all names. A description of allowed words only is kept exactly as it is, so that
phases can be read from the result as from the original.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["clean_description", "is_description_word"]

LONGEST: Final = 128
"""A longer text is a report, not a description."""

_DATE_LIKE: Final = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\+?\d(?:[-/() ]{0,2}\d){9,}|\d(?:\.?\d){9,}|[A-Za-z]*\d{5,}[A-Za-z]*"
)
"""Dates, telephone numbers in groups, long numbers."""
_TOKEN: Final = re.compile(r"[A-Za-z]+(?:'s)?|\d+(?:\.\d+)?|[\u3400-\u9fff]+|[^A-Za-z\d\u3400-\u9fff]+")
_SETTING: Final = re.compile(r"(?<![A-Za-z\d])[A-Z][a-z]?[A-Z]?\d{1,3}[a-z]?(?![A-Za-z\d])")
"""A kernel or a protocol number: FC18, B30f, Br40, i31s."""


@cache
def _words() -> tuple[frozenset[str], re.Pattern[str]]:
    lines = files("quadphase.model.vocabulary").joinpath("description_words.txt").read_text("utf-8").split()
    latin = frozenset(word.lower() for word in lines if word.isascii())
    chinese = sorted((word for word in lines if not word.isascii()), key=len, reverse=True)
    return latin, re.compile("|".join(map(re.escape, chinese)))


def is_description_word(word: str) -> bool:
    """Whether a Latin word may stay in a description."""
    return word.lower() in _words()[0]


def clean_description(text: str) -> str:
    """Text with only allowed words left; the text itself when all of them are.

    Examples
    --------
    >>> clean_description("Abdomen A 5.0"), clean_description("ct liver of Zhang Wei, 2021-03-05")
    ('Abdomen A 5.0', 'ct liver of')
    """
    if len(text) > LONGEST:
        return ""
    latin, chinese = _words()
    plain = _DATE_LIKE.sub(" \0 ", text)
    dropped = plain != text
    settings = [match.span() for match in _SETTING.finditer(plain)]
    kept: list[str] = []
    for match in _TOKEN.finditer(plain):
        token = match[0]
        inside = any(start <= match.start() and match.end() <= stop for start, stop in settings)
        if token[0].isascii() and token[0].isalpha():
            good = inside or token.lower() in latin
        elif token[0].isdigit():
            good = inside or len(token.split(".")[0]) <= 3
        elif "\u3400" <= token[0] <= "\u9fff":
            allowed = "".join(chinese.findall(token))
            good, token = bool(allowed), allowed
            dropped |= allowed != match[0]
        else:
            good, token = True, token.replace("\0", "")
        dropped |= not good
        kept.append(token if good else " ")
    if not dropped:
        return text
    left = re.sub(r"\s+", " ", "".join(kept)).strip(" ^,;:-_/\\|.'\"()[]&@#")
    return left if re.search(r"[A-Za-z\u3400-\u9fff]", left) else ""
