"""Texts in another character set than their header declares."""

from __future__ import annotations

import re

__all__ = ["repair_charset"]


def repair_charset(text: str) -> str:
    """GB18030 bytes that were declared as Latin-1, read as what they are; other text as it is."""
    if text.isascii():
        return text
    try:
        repaired = text.encode("latin-1").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text
    return repaired if re.search(r"[\u4e00-\u9fff]{2}", repaired) else text
