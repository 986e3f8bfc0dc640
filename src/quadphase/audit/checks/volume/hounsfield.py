"""Voxels must be Hounsfield units: signed, water 0, air -1000, fat about -100.

Three anchors are looked for: the peak of fat, the peak of air, and the limits the volume was clipped to. An offset is
called proved when two of them shift alike. A window that the release states may lie anywhere: alone it proves nothing,
and where it cuts off air and fat, nothing here can prove or disprove HU.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.facts import Intensity, VolumeFacts
from quadphase.model import Finding

__all__ = ["AIR_HU", "FAT_HU", "check", "displaced", "offset_of"]

FAT_HU: Final = -98.0
"""Mode of subcutaneous and visceral fat; means of -115 to -90 HU are usual at 120 kV (Yoshizumi et al., Radiology
1999;211:283), and thin patients' fat, blurred with its surroundings, has its mode at -80."""
FAT_SLACK_HU: Final = 30.0
AIR_HU: Final = -1000.0
AIR_SLACK_HU: Final = 40.0
"""Scanners clip air at -1024; table and clothes mix in."""
AGREE_HU: Final = 25.0
SLACK_HU: Final = 0.01
"""float32 of a limit."""
OUTSIDE_HU: Final = (-150.0, 300.0)
"""The border of the plane is air: darker than any tissue, unless it is cut there; never brighter than all soft tissue."""
LEAST_FAT: Final = 0.005
"""Share of fat in the body: 14 % and more in the scans we have, 4 % in the tightest box around a liver."""
LARGEST_HU: Final = 32768.0
"""16 bits: what CT images are stored in (PS3.3 C.8.2.1); metal on an extended scale reaches 30710."""


def offset_of(intensity: Intensity) -> tuple[float, str] | None:
    """Offset of the values against HU and its proof in words; None where the anchors do not prove one.

    Window limits are expected to be symmetric or round numbers of the soft-tissue window -200…200.
    """
    fat = None if intensity.fat is None else intensity.fat - FAT_HU
    air = None if intensity.air is None else intensity.air - AIR_HU
    window = intensity.window
    if window is not None and window[1] - window[0] == 400:
        edge = (window[0] + window[1]) / 2
        if edge and (fat is None or abs(fat - edge) <= AGREE_HU):
            words = f"clipped to {window[0]:.0f}…{window[1]:.0f} instead of -200…200"
            if fat is not None:
                return edge, f"{words}, and fat lies at {intensity.fat:.0f}"
            if intensity.soft is not None and -200 < intensity.soft - edge < 200 and abs(edge) >= 10:
                return edge, words
        return None
    if fat is not None and air is not None and abs(fat - air) <= AGREE_HU and abs(air) > 25 and fat * air > 0:
        return round(air), f"air lies at {intensity.air:.0f} and fat at {intensity.fat:.0f}"
    return None


def displaced(seen: Intensity) -> str:
    """Why values cannot be HU although some are negative: air or fat have become something else; empty if not so."""
    low, high = OUTSIDE_HU
    if seen.border > max(low, seen.minimum) and (seen.border_share > 0.5 or seen.border > high):
        return f"the border of the plane, where air is, holds {seen.border:.0f}"
    if seen.fat_share < LEAST_FAT:
        return f"{seen.fat_share:.1%} of the body lies near -100, where fat is"
    return ""


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
