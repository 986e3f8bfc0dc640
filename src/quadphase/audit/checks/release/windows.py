"""All volumes were clipped to one window, and it is the one `geometry.csv` claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from quadphase.audit.checks.release.derived import stated_geometry
from quadphase.audit.contexts import ReleaseContext
from quadphase.model import Finding

__all__ = ["check"]


def check(context: ReleaseContext) -> Iterator[Finding]:
    stated, _ = stated_geometry(context)
    for volume in context.volumes:
        row = stated.get(volume.location)
        if row is None or row.window_lower_hu is None or row.window_upper_hu is None:
            continue
        seen = volume.intensity
        if seen.minimum < row.window_lower_hu or seen.maximum > row.window_upper_hu:
            claim = f"{row.window_lower_hu}…{row.window_upper_hu}"
            message = f"values {seen.minimum:.0f}…{seen.maximum:.0f}, claimed window {claim}"
            yield Finding.of("window-claim", volume.location, message)
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
