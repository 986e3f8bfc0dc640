"""Time stamps of files and of members of archives, as text that is searched for dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from quadphase.deidentify.regions import Nature, Region

__all__ = ["moment", "zip_moment"]

CHINA: Final = timezone(timedelta(hours=8))
"""A time stamp is a date only in some zone; besides UTC the one the scanners of the paper ran in."""

STAND_INS: Final = (1970, 1980, 2000)
"""The first second of these years stands for "no time": 0 in gzip and tar, the earliest time of ZIP, and what a release
writes. The year 2000 is also what tables give where nobody knows a birth date, and would then stop every release."""

_STAND_INS: Final = frozenset(datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in STAND_INS)


def moment(seconds: float, place: str) -> Iterator[Region]:
    """A time stamp as text.

    Parameters
    ----------
    seconds : float
        Since 1970, in UTC.
    place : str

    Yields
    ------
    Region
        Day and minute in UTC and in China; nothing for a stand-in.
    """
    if seconds in _STAND_INS:
        return
    text = ""
    for zone in (UTC, CHINA):
        try:
            text += f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M} "
        except (ValueError, OverflowError, OSError):
            continue
    yield Region(data=text.encode(), nature=Nature.TEXT, place=place)


def zip_moment(when: tuple[int, ...], place: str) -> Iterator[Region]:
    """Time of a member of a ZIP archive, (year, month, day, hour, minute, second), as `moment`.

    It has no zone (APPNOTE.TXT 4.4.6): it is the day wherever the archive was made.
    """
    year, month, day, hour, minute, _ = when
    if year not in STAND_INS or when[1:] != (1, 1, 0, 0, 0):
        stamp = f"{year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}"
        yield Region(data=stamp.encode(), nature=Nature.TEXT, place=place)
