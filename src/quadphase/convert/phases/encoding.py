"""Header text as the console meant it: Chinese that was declared wrongly, or not at all, is read again.

Scanners in Chinese hospitals write GBK bytes while SpecificCharacterSet is absent or says ISO 8859-1 (pydicom #1328,
#2115), and archives decode UTF-8 as Latin-1 on the way. Both leave a recognisable pattern of bytes. A reading as GBK
is believed only when it holds characters that descriptions of abdominal CT use, so German and French accents stay
what they are.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["repaired"]

_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_RARE: Final = re.compile("[\u3400-\u4dbf\ue000-\uf8ff\ufffd\U00020000-\U0003ffff]")
"""Signs of a wrong guess: extension blocks, private use, replacement characters."""

_FIELD_WORDS: Final = re.compile("[平扫动脉门静延迟衡期增强上下腹部肝脏胸盆薄层标准软组织灌注后前重建原始轴位全期相]")
"""Characters that occur in descriptions of abdominal CT; more of them means a better guess."""

_DICOM_TERMS: Final = {
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gb18030",
    "ISO 2022 IR 58": "gb18030",
    "ISO_IR 100": "latin-1",
    "ISO 2022 IR 100": "latin-1",
}


def repaired(text: str | bytes, charset: str | None = None) -> tuple[str, bool]:
    """Text in Unicode (NFKC), and whether it had to be read differently from its declaration.

    Parameters
    ----------
    text : str or bytes
        The raw value, or what a reader decoded from it.
    charset : str or None
        SpecificCharacterSet as declared (PS3.3 C.12.1.1.2), backslash-separated; None if absent.

    Examples
    --------
    >>> repaired("动脉期".encode("gbk"), "ISO_IR 100")
    ('动脉期', True)
    >>> repaired("Spätphase".encode("latin-1"), "ISO_IR 100")
    ('Spätphase', False)
    """
    declared = _declared(text, charset)
    candidates = [declared, *_other_readings(text, declared)]
    best = max(candidates, key=lambda reading: (_plausibility(reading), reading is declared))
    return unicodedata.normalize("NFKC", best).replace("\0", " ").strip(), best is not declared


def _declared(text: str | bytes, charset: str | None) -> str:
    if isinstance(text, str):
        return text
    terms = [term.strip() for term in (charset or "").split("\\")]
    # Of several repertoires the last is the one that is not the default; escapes of GB 2312 are plain bytes to GB18030.
    codec = next((_DICOM_TERMS[term] for term in reversed(terms) if term in _DICOM_TERMS), "latin-1")
    return text.replace(b"\x1b$)A", b"").replace(b"\x1b(B", b"").decode(codec, "replace")


def _other_readings(text: str | bytes, declared: str) -> list[str]:
    """Readings of the same bytes under the other encodings that occur."""
    raws: list[bytes] = []
    if isinstance(text, bytes):
        raws.append(text.replace(b"\x1b$)A", b"").replace(b"\x1b(B", b""))
    for codec in ("latin-1", "cp1252", "gb18030"):  # the last undoes UTF-8 read as GBK ("骞虫壂")
        try:
            raws.append(declared.replace("\ufffd", "").encode(codec))
        except UnicodeEncodeError:
            continue
    # What a wrong decoder could not show is lost; the rest of the word is enough.
    readings = [raws[-1].decode("utf-8", "ignore")] if "\ufffd" in declared and raws else []
    readings += [_cut(raw, codec) for raw in raws if not raw.isascii() for codec in ("utf-8", "gb18030")]
    return [r for r in readings if r and (len(_FIELD_WORDS.findall(r)) >= 2 or not _CHINESE.search(r))]


def _cut(raw: bytes, codec: str) -> str:
    """Decode; a value cut at 16 or 64 bytes may end in half a character. Empty if it is not this encoding."""
    for end in (len(raw), len(raw) - 1, len(raw) - 2):
        try:
            return raw[:end].decode(codec)
        except UnicodeDecodeError:
            continue
    return ""


def _plausibility(text: str) -> float:
    """Higher is likelier to be what a person typed; 0 for plain Latin text."""
    accents = sum(0x80 <= ord(c) < 0x250 for c in text)
    chinese = len(_CHINESE.findall(text))
    known = len(_FIELD_WORDS.findall(text))
    # Two accented letters in a row are rare in European words and the rule in undecoded Chinese.
    pairs = len(re.findall("[\u0080-\u024f]{2}", text))
    lost = 3.0 * len(_RARE.findall(text)) + 0.6 * len(re.findall("[\u0080-\u009f]", text))
    return 2.0 * known - 0.7 * (chinese - known) - 1.0 * pairs - 0.1 * accents - lost
