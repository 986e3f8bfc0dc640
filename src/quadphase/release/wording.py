"""Numbers in sentences."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """``1 subject``, ``2 subjects``, ``1,204 subjects``.

    >>> counted(1, "volume")
    '1 volume'
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
