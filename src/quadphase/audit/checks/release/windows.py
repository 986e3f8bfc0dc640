"""All volumes were clipped to one window, and it is the one the release claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from quadphase.audit.checks.release.derived import stated_geometry
from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.facts import Intensity
from quadphase.model import Finding

__all__ = ["check"]

SLACK_HU: Final = 0.01
"""float32 of a limit that a slope was applied to."""
SATURATION_HU: Final = (-900.0, 2900.0)
"""Beyond these, values pile up without any window: air and padding below, the scanner's largest value above."""


def check(context: ReleaseContext) -> Iterator[Finding]:
    yield from _claims(context)
    windows = {v.location: v.intensity.window for v in context.volumes}
    common = Counter(windows.values()).most_common(1)
    if not common or common[0][1] == len(windows) or common[0][1] < 2:
        return
    usual = common[0][0]
    for location, window in windows.items():
        if window is not None and usual is not None and window != usual:
            message = f"clipped to {window[0]:.0f}…{window[1]:.0f}, most others to {usual[0]:.0f}…{usual[1]:.0f}"
            yield Finding.of("window-differs", location, message)
        elif window is None and usual is not None:
            volume = next(v for v in context.volumes if v.location == location)
            if volume.intensity.minimum < usual[0] or volume.intensity.maximum > usual[1]:
                limits = f"{volume.intensity.minimum:.0f}…{volume.intensity.maximum:.0f}"
                message = f"values {limits}, most others were clipped to {usual[0]:.0f}…{usual[1]:.0f}"
                yield Finding.of("window-differs", location, message)


def _claims(context: ReleaseContext) -> Iterator[Finding]:
    """`geometry.csv` against the voxels, and `dataset_description.json` against `geometry.csv`."""
    stated, _ = stated_geometry(context)
    for volume in context.volumes:
        row = stated.get(volume.location)
        if row is None:
            continue
        wrong = _wrong(row.window_lower_hu, row.window_upper_hu, volume.intensity)
        if wrong:
            yield Finding.of("window-claim", volume.location, wrong)
    claims = {(row.window_lower_hu, row.window_upper_hu) for row in stated.values()}
    if len(claims) > 1:
        yield Finding.of("window-claim", "geometry.csv", f"{len(claims)} different windows; all volumes must share one")
    elif claims and "window_hu" in context.description:
        (claim,) = claims
        described = context.description["window_hu"]
        if described != (None if claim == (None, None) else list(claim)):
            message = f"window_hu is not the window of geometry.csv, {_shown(*claim)}"
            yield Finding.of("window-claim", "dataset_description.json", message)


def _wrong(lower: float | None, upper: float | None, seen: Intensity) -> str:
    """What contradicts the claim; empty if nothing does."""
    if (lower is None) != (upper is None):
        return "the claimed window has one limit"
    low_cut = seen.clipped_low and seen.minimum > SATURATION_HU[0]
    high_cut = seen.clipped_high and seen.maximum < SATURATION_HU[1]
    limits = f"{seen.minimum:.0f}…{seen.maximum:.0f}"
    if lower is None or upper is None:
        return f"values were clipped to {limits}, no window is claimed" if low_cut and high_cut else ""
    if seen.minimum < lower - SLACK_HU or seen.maximum > upper + SLACK_HU:
        return f"values {limits}, claimed window {_shown(lower, upper)}"
    if (low_cut and seen.minimum > lower + SLACK_HU) or (high_cut and seen.maximum < upper - SLACK_HU):
        return f"values were clipped to {limits}, claimed window {_shown(lower, upper)}"
    return ""


def _shown(lower: float | None, upper: float | None) -> str:
    return "none" if lower is None or upper is None else f"{lower:g}…{upper:g}"
