"""`Cleaner`: copies the attributes of a data set by rule (`profile`), at every depth.

What a rule keeps is still judged by its value: texts by `plain_code` or `descriptions`, coded concepts by
`coded_concepts`, code strings by their character repertoire and times by their grammar (PS3.5 6.2). Names and ids of
the patient's own are emptied wherever they stand. What had to be shortened or dropped is counted by keyword, never by
value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from quadphase.deidentify.charset import repair_charset
from quadphase.deidentify.coded_concepts import CODE_TAGS, clean_concept, is_concept
from quadphase.deidentify.date_shift import is_time, shift_date, shift_datetime
from quadphase.deidentify.plain_text import is_text
from quadphase.deidentify.profile import PIXELS, TEXT_VRS, Action, action_of, is_safe_private
from quadphase.deidentify.uids import replaced_uid
from quadphase.model.vocabulary.descriptions import clean_description
from quadphase.model.vocabulary.plain_code import holds_date, is_plain_code, plain_code

__all__ = ["Cleaner", "own_words", "people"]

_WORD: Final = re.compile(r"[^\W\d_]{3,}|\d{4,}")
_CODE_STRING: Final = re.compile(r"(?!.*\d{6})[A-Za-z0-9_ +*/.-]{0,16}")
"""CS, with the small letters and signs that scanners add; no long number."""

_OWN_KEYWORDS: Final = ("PatientID", "OtherPatientIDs", "AccessionNumber", "PatientAddress", "InstitutionName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """Copies attributes by rule, at every depth."""

    key: bytes = field(repr=False)
    days: int = field(repr=False)
    own: frozenset[str] = field(repr=False)
    changed: Counter[str] = field(default_factory=Counter)
    """Keyword → values that were kept texts, codes or times by rule and were shortened or dropped by their content."""

    def dataset(self, source: Dataset) -> Dataset:
        """The data set with what may stay of it, a coded concept without its code (see `_item`)."""
        clean = Dataset()
        coded = CODE_TAGS if is_concept(source) else frozenset()
        for tag in sorted(source.keys() - coded):
            try:
                element = source[tag]
            except Exception:  # noqa: S112 (a value that cannot be read cannot be released, nor printed)
                continue
            copied = self._private(source, element) if tag.is_private else self._standard(element)
            if copied is not None:
                clean.add(copied)
        return clean

    def _standard(self, element: DataElement) -> DataElement | None:
        action = action_of(int(element.tag), element.VR, element.keyword)
        value: Any
        match action:
            case Action.REMOVE:
                return None
            case Action.EMPTY:
                value = Sequence([]) if element.VR == "SQ" else None
            case Action.DUMMY:
                return _dummy(element)
            case Action.UID if element.VR != "SQ":
                value = _each(element.value, lambda uid: replaced_uid(self.key, str(uid)))
            case Action.SHIFT:
                value = self._shifted(element)
            case Action.CLEAN if element.VR in TEXT_VRS or element.VR == "CS":
                value = _each(element.value, lambda text: clean_description(repair_charset(str(text))))
                if not value:
                    return None
            case Action.CODE:
                value = self._judged(element, lambda text: plain_code(repair_charset(text)))
            case _ if element.VR == "SQ":
                value = Sequence([item for item in map(self._item, element.value) if item is not None])
            case _ if element.VR == "CS":
                value = self._judged(element, _code_string)
            case _ if element.VR == "TM":
                value = self._time(element)
            case _ if isinstance(element.value, bytes) and element.keyword not in PIXELS and is_text(element.value):
                self.changed[element.keyword] += 1
                return None
            case _:
                value = element.value
        if isinstance(value, str) or (element.VR in TEXT_VRS | {"CS"} and value):
            value = _each(value, self._without_own_words)
        return DataElement(element.tag, element.VR, value)

    def _item(self, source: Dataset) -> Dataset | None:
        """An item of a sequence; None for a coded concept of which nothing may be kept."""
        clean = self.dataset(source)
        if not is_concept(source):
            return clean
        is_kept, changed = clean_concept(source, clean)
        self.changed.update(changed)
        texts = (clean.get(keyword) for keyword in ("CodeValue", "LongCodeValue", "CodeMeaning"))
        return clean if is_kept and all(self._without_own_words(text) == text for text in texts) else None

    def _judged(self, element: DataElement, judge: Callable[[str], str]) -> Any:
        """The value with every part that does not pass shortened or emptied, and counted."""
        value = _each(element.value, lambda text: judge(str(text)))
        if _each(element.value, str) != value:
            self.changed[element.keyword] += 1
        return value

    def _time(self, element: DataElement) -> Any:
        return self._judged(element, lambda text: text if is_time(text) else "")

    def _shifted(self, element: DataElement) -> Any:
        if element.VR == "TM":
            return self._time(element)
        move = shift_date if element.VR == "DA" else shift_datetime
        return _each(element.value, lambda text: move(str(text), self.days))

    def _private(self, source: Dataset, element: DataElement) -> DataElement | None:
        tag = element.tag
        if tag.is_private_creator:
            creator = str(element.value).strip()
            block = tag.element << 8
            kept = [
                other
                for other in source.keys()  # noqa: SIM118
                if other.group == tag.group and other.element & 0xFF00 == block
                if is_safe_private(tag.group, creator, other.element)
            ]
            return DataElement(tag, "LO", creator) if kept else None
        creator_tag = (tag.group, tag.element >> 8)
        creator = str(source[creator_tag].value).strip() if creator_tag in source else ""
        if element.VR in ("SQ", "PN", "AE", "UI", "DA", "DT") or not is_safe_private(tag.group, creator, tag.element):
            return None
        texts = [_text(part) for part in _parts(element.value)] if element.VR in (*TEXT_VRS, "CS", "UN") else []
        if not all(is_plain_code(text) and self._without_own_words(text) == text for text in texts):
            return None
        return DataElement(tag, element.VR, element.value)

    def _without_own_words(self, text: Any) -> Any:
        """A value that holds a word of the patient's own name or ids is emptied, wherever it stands."""
        if isinstance(text, str) and any(word.casefold() in self.own for word in _WORD.findall(text)):
            return ""
        return text


def _parts(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue" else [value]


def _text(value: Any) -> str:
    """Text of a value of unknown representation."""
    return value.decode("latin-1").rstrip("\0 ") if isinstance(value, bytes) else str(value)


def _each(value: Any, change: Any) -> Any:
    if value is None or value == "":
        return value
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return [change(part) for part in value]
    return change(value)


def _code_string(text: str) -> str:
    return text if _CODE_STRING.fullmatch(text) and not holds_date(text) else plain_code(text)


def own_words(source: Dataset) -> frozenset[str]:
    """Words of all names of persons in a data set, and of the patient's ids and addresses; not those of medicine."""
    texts = [str(element.value or "") for element in people(source)]
    texts += [str(source.get(keyword) or "") for keyword in _OWN_KEYWORDS if keyword in source]
    words = {word for text in texts for word in _WORD.findall(repair_charset(text))}
    # Words of medicine and of products are no names, whoever bears them ("Liver^Phantom", "Philips^Service").
    return frozenset(w.casefold() for w in words if not (clean_description(w) or (w.isalpha() and is_plain_code(w))))


def people(source: Dataset) -> Iterator[DataElement]:
    """Every attribute, at every depth, that holds the name of a person and can be read."""
    for tag in source.keys():  # noqa: SIM118
        try:
            element = source[tag]
        except Exception:  # noqa: S112 (what cannot be read is not released either)
            continue
        if element.VR == "PN":
            yield element
        elif element.VR == "SQ":
            for item in element.value:
                yield from people(item)


def _dummy(element: DataElement) -> DataElement:
    dummies: dict[str, Any] = {
        "SQ": Sequence([]), "DA": "19000101", "TM": "000000", "DT": "19000101000000", "PN": "REMOVED", "AS": "000Y",
        "UI": "2.25.0", "OB": b"\0\0", "OW": b"\0\0", "UN": b"",
    }  # fmt: skip
    return DataElement(element.tag, element.VR, dummies.get(element.VR, "REMOVED" if element.VR in TEXT_VRS else None))
