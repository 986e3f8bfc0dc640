"""Where the liver is: a mask and a range of slices for every phase of an exam.

`find_liver` needs nothing but the scans. Other finders (TotalSegmentator, livermask, any command) stand behind the
same `LiverBackend` protocol; people override slice ranges with a table.
"""

from quadphase.localize.backends import BACKENDS, LiverBackend, find_liver_with, get_backend
from quadphase.localize.exam import find_liver, find_liver_in
from quadphase.localize.overrides import RangeOverride, load_range_overrides
from quadphase.localize.results import (
    LiverFlag,
    LiverResult,
    LiverSettings,
    LocalizeError,
    NoLiverError,
    NoLiverReason,
)
from quadphase.localize.slices import liver_range

__all__ = [
    "BACKENDS",
    "LiverBackend",
    "LiverFlag",
    "LiverResult",
    "LiverSettings",
    "LocalizeError",
    "NoLiverError",
    "NoLiverReason",
    "RangeOverride",
    "find_liver",
    "find_liver_in",
    "find_liver_with",
    "get_backend",
    "liver_range",
    "load_range_overrides",
]
