"""The day a DICOM date names."""

from __future__ import annotations

from datetime import date

__all__ = ["day_of"]


def day_of(text: str) -> date | None:
    """Day of a DA value (PS3.5 section 6.2), also in the old ``YYYY.MM.DD`` and with dashes; None if it is none.

    Examples
    --------
    >>> day_of("2024.03.01")
    datetime.date(2024, 3, 1)
    """
    digits = text.strip().replace(".", "").replace("-", "")
    if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
