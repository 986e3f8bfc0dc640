"""Voxels must be Hounsfield units: signed, water 0, air -1000, fat about -100.

Three anchors are looked for: the peak of fat, the peak of air, and the limits the volume was clipped to. An offset is
called proved when two of them shift alike. A window that the release states may lie anywhere: alone it proves nothing,
and where it cuts off air and fat, nothing here can prove or disprove HU.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.anchors import AIR_HU, AIR_SLACK_HU, FAT_HU, FAT_SLACK_HU, displaced, offset_of
from quadphase.audit.facts import Intensity, VolumeFacts
from quadphase.model import Finding

__all__ = ["check"]

SLACK_HU: Final = 0.01
"""float32 of a limit."""
LARGEST_HU: Final = 32768.0
"""16 bits: what CT images are stored in (PS3.3 C.8.2.1); metal on an extended scale reaches 30710."""


def _is_cut(seen: Intensity, window: tuple[float, float] | None) -> bool:
    """Whether values were clipped to that window: they end at its lower limit, and none is beyond the upper one."""
    return window is not None and abs(seen.minimum - window[0]) <= SLACK_HU and seen.maximum <= window[1] + SLACK_HU


def _fat_is_in_place(seen: Intensity) -> bool:
    """Whether no peak of fat says otherwise."""
    return seen.fat is None or abs(seen.fat - FAT_HU) <= FAT_SLACK_HU


def check(volume: VolumeFacts) -> Iterator[Finding]:
    seen = volume.intensity
    if seen.minimum == seen.maximum:
        yield Finding.of("volume-constant", volume.location, f"every voxel is {seen.minimum:.0f}")
        return
    scaled = volume.scaling != (1.0, 0.0)
    as_stated = _is_cut(seen, volume.stated_window)
    if (seen.minimum > -60 and not as_stated) or (volume.dtype == "uint8" and not scaled):
        limits = f"{volume.dtype}, {seen.minimum:.0f}…{seen.maximum:.0f}"
        yield Finding.of("not-hu", volume.location, f"values are {limits}: air and fat of HU are negative")
        return
    if max(-seen.minimum, seen.maximum) > LARGEST_HU:
        limits = f"{volume.dtype}, {seen.minimum:.4g}…{seen.maximum:.4g}"
        yield Finding.of("not-hu", volume.location, f"values are {limits}: no scanner's HU are that large")
        return
    if displaced(seen):
        yield Finding.of("not-hu", volume.location, displaced(seen))
        return
    offset = offset_of(seen)
    if offset is not None and not (as_stated and _fat_is_in_place(seen)):
        yield Finding.of("hu-offset", volume.location, f"values are {offset[0]:+.0f} against HU: {offset[1]}")
        return
    if seen.fat is not None and not _fat_is_in_place(seen):
        yield Finding.of("air-fat-misplaced", volume.location, f"fat lies at {seen.fat:.0f}, expected about -100 HU")
    if seen.air is not None and abs(seen.air - AIR_HU) > AIR_SLACK_HU:
        yield Finding.of("air-fat-misplaced", volume.location, f"air lies at {seen.air:.0f}, expected -1000 HU")
