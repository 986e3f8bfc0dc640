"""What in a volume tells whether its values are Hounsfield units: air, fat, and the limits it was clipped to.

Two questions are answered, from the histogram alone: were all values shifted (then two anchors shift alike), and have
air or fat become something else (then nothing tells what was there before).
"""

from __future__ import annotations

from typing import Final

from quadphase.audit.facts import Intensity

__all__ = ["AIR_HU", "AIR_SLACK_HU", "FAT_HU", "FAT_SLACK_HU", "displaced", "offset_of"]

FAT_HU: Final = -98.0
"""Mode of subcutaneous and visceral fat; means of -115 to -90 HU are usual at 120 kV (Yoshizumi et al., Radiology
1999;211:283), and thin patients' fat, blurred with its surroundings, has its mode at -80."""
FAT_SLACK_HU: Final = 30.0
AIR_HU: Final = -1000.0
AIR_SLACK_HU: Final = 40.0
"""Scanners clip air at -1024; table and clothes mix in."""
AGREE_HU: Final = 25.0
OUTSIDE_HU: Final = (-150.0, 300.0)
"""The border of the plane is air: darker than any tissue, unless it is cut there; never brighter than soft tissue."""
LEAST_FAT: Final = 0.005
"""Share of fat in the body: 14 % and more in the scans we have, 4 % in the tightest box around a liver."""


def offset_of(intensity: Intensity) -> tuple[float, str] | None:
    """Offset of the values against HU and its proof in words; None where the anchors do not prove one.

    Window limits are expected to be symmetric or round numbers of the soft-tissue window -200…200.
    """
    fat = None if intensity.fat is None else intensity.fat - FAT_HU
    air = None if intensity.air is None else intensity.air - AIR_HU
    window = intensity.window
    if window is not None and window[1] - window[0] == 400:
        edge = (window[0] + window[1]) / 2
        # Fat that is nearer to its own place than to the shifted one says that only the window is another.
        if edge and (fat is None or abs(fat - edge) <= min(AGREE_HU, abs(fat))):
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
