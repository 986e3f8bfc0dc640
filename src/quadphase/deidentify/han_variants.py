"""Names in simplified and traditional characters: 张伟 of one hospital system is 張偉 of another.

`han_variants.txt` holds the characters of surnames and given names whose two forms differ, from the standard list of
simplified characters (通用规范汉字表, 2013, appendix 1). A few have two traditional forms and are spelled with both.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["han_variants"]

MOST_VARIANTS: Final = 8
"""Traditional forms of one name that are searched."""

_BOTH: Final = frozenset("郁范余谷涂岳凌云丰于干台松秋升沈姜曲朱舍志群杰峰俊梁里游朴欣万征党恒芸权种")
"""Characters that traditional texts write in the simplified form too, as another word or surname."""


@cache
def _forms() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    """Simplified → its traditional forms, and back."""
    pairs = files("quadphase.deidentify").joinpath("han_variants.txt").read_text("utf-8").split()
    traditional: dict[str, tuple[str, ...]] = {char: (char,) for char in _BOTH}
    for pair in pairs:
        traditional[pair[0]] = (pair[1], *traditional.get(pair[0], ()))
    return traditional, {pair[1]: pair[0] for pair in pairs}


def han_variants(han: str) -> Iterator[str]:
    """Other ways of writing a name of Chinese characters: all simplified, or all traditional.

    Examples
    --------
    >>> list(han_variants("张伟")), list(han_variants("張偉")), list(han_variants("王明"))
    (['張偉'], ['张伟'], [])
    """
    traditional, simplified = _forms()
    simple = "".join(simplified.get(char, char) for char in han)
    full = itertools.product(*(traditional.get(char, (char,)) for char in simple))
    variants = [simple, *("".join(chars) for chars in itertools.islice(full, MOST_VARIANTS))]
    yield from (variant for variant in dict.fromkeys(variants) if variant != han)
