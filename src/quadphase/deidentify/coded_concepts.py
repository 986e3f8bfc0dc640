"""Coded concepts (PS3.3 8.8): a code of a standard scheme stays with its standard meaning, free text beside it goes.

CodeMeaning is where departments write what they like. The meaning of a code that pydicom's copy of PS3.16 knows is
known; any other meaning stays only when it is made of words of medicine, and else the code value stands for it. An item
whose scheme or value is no plain code says nothing that may be shared, and goes as a whole.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from pydicom.dataset import Dataset

from quadphase.deidentify.charset import repair_charset
from quadphase.model.vocabulary.descriptions import clean_description
from quadphase.model.vocabulary.plain_code import is_plain_code

__all__ = ["CODE_TAGS", "clean_concept", "is_concept"]

CODE_TAGS: Final = frozenset((0x00080100, 0x00080102, 0x00080104, 0x00080119))
"""CodeValue, CodingSchemeDesignator, CodeMeaning, LongCodeValue."""

_VALUES: Final = {
    "DCM": r"\d{6}",
    "SRT": r"[A-Z]-[0-9A-F]{4,6}",
    "LN": r"\d{1,5}-\d",
    "RADLEX": r"RID\d{1,5}",
    "FMA": r"\d{4,6}",
    "I10": r"[A-Z]\d\d(?:\.\d{1,2})?",
    "NCIt": r"C\d{3,6}",
}
"""Shapes of the values of schemes (PS3.16 8) that number their concepts; SCT has check digits."""

_ALSO: Final = {
    "SNM3": "SRT", "99SDM": "SRT", "ICD10": "I10", "I10P": "I10", "RadLex": "RADLEX", "NCIT": "NCIt",
    "SNOMED-CT": "SCT",
}  # fmt: skip


def is_concept(item: Dataset) -> bool:
    """Whether a data set is an item of a code sequence."""
    return any(tag in item for tag in CODE_TAGS)


def clean_concept(source: Dataset, clean: Dataset) -> tuple[bool, tuple[str, ...]]:
    """Give a cleaned item its value, scheme and meaning.

    Parameters
    ----------
    source, clean : pydicom.dataset.Dataset
        The item as read, and what may stay of its other attributes.

    Returns
    -------
    is_kept : bool
        False for an item that must go as a whole.
    changed : tuple of str
        Keywords whose texts were changed or removed.
    """
    keyword = "LongCodeValue" if source.get("LongCodeValue") else "CodeValue"
    value, scheme, meaning = (
        repair_charset(str(source.get(k) or "").strip()) for k in (keyword, "CodingSchemeDesignator", "CodeMeaning")
    )
    standard = _standard_meaning(scheme, value)
    if not (value and scheme and is_plain_code(scheme)):
        return False, (keyword,)
    if not (standard or _has_shape(scheme, value) or is_plain_code(value)):
        return False, (keyword,)
    chosen = meaning if meaning and clean_description(meaning) == meaning else standard or ""
    if meaning and standard and meaning.casefold() == standard.casefold():
        chosen = meaning
    setattr(clean, keyword, value)
    clean.CodingSchemeDesignator = scheme
    clean.CodeMeaning = chosen or value
    return True, () if chosen == meaning else ("CodeMeaning",)


@cache
def _dictionary() -> dict[tuple[str, str], str]:
    """(scheme, value) → meaning of the concepts in PS3.16, as pydicom copies it."""
    from pydicom.sr.codedict import Collection, codes

    concepts = (code for scheme in codes.schemes() for code in Collection(scheme).concepts.values())
    return {(str(code.scheme_designator), str(code.value)): str(code.meaning) for code in concepts}


def _standard_meaning(scheme: str, value: str) -> str | None:
    return _dictionary().get((_ALSO.get(scheme, scheme), value))


def _has_shape(scheme: str, value: str) -> bool:
    scheme = _ALSO.get(scheme, scheme)
    if scheme == "SCT":
        return bool(re.fullmatch(r"[1-9]\d{5,17}", value)) and _verhoeff(value)
    return scheme in _VALUES and re.fullmatch(_VALUES[scheme], value) is not None


def _verhoeff(digits: str) -> bool:
    """Whether the check digit of a SNOMED CT identifier fits (SNOMED CT Technical Implementation Guide, 5.5)."""
    step = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    check = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit)
        for _ in range(place % 8):
            number = step[number]
        check = _turned(check, number)
    return check == 0


def _turned(a: int, b: int) -> int:
    """Product in the dihedral group of order ten."""
    if a < 5:
        return (a + b) % 5 if b < 5 else (a + b - 5) % 5 + 5
    return (a - b - 5) % 5 + 5 if b < 5 else (a - b) % 5
