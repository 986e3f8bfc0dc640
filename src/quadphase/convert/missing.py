"""Slices that may be missing: files that could not be read tell which series lost some, or which folder.

A slice lost inside a stack leaves a gap; one lost at an end leaves nothing, and a truncated liver looks whole. So a
series of which any file is damaged is refused. Where a file does not say its series, the stacks with slices in its
folder are warned of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from quadphase.convert.header import SliceHeader
from quadphase.convert.intake import Rejection
from quadphase.model import Finding, Severity

__all__ = ["Missing"]

UNREAD: Final = frozenset(("truncated-file", "unreadable-dicom", "unreadable-file", "empty-file"))
"""Rejections that may have been slices."""

SeriesKey = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Series with files that could not be read, and folders with such files of nobody knows which series."""

    series: frozenset[SeriesKey] = field(repr=False)
    folders: frozenset[Path] = field(repr=False)

    @classmethod
    def of(cls, rejected: Sequence[Rejection]) -> Self:
        """What the files that are no slices tell."""
        unread = [(item, _key(*item.series, item.series_number)) for item in rejected if item.code in UNREAD]
        return cls(
            series=frozenset(key for _, key in unread if key is not None),
            folders=frozenset(item.path.parent for item, key in unread if key is None),
        )

    def findings(self, headers: Sequence[SliceHeader], where: str) -> list[Finding]:
        """``incomplete-series`` of a stack: an error, or a warning where it may have been another series."""
        o = headers[0].origin
        uids = (o.patient_id, o.study_instance_uid, o.series_instance_uid)
        if _key(*uids, headers[0].acquisition.series_number) in self.series:
            return [Finding.of("incomplete-series", where, "other files of this series are damaged or cannot be read")]
        if any(header.origin.path.parent in self.folders for header in headers):
            text = "empty, damaged or unreadable files of unknown series lie beside its slices"
            return [Finding.of("incomplete-series", where, text, severity=Severity.WARNING)]
        return []


def _key(patient: str, study: str, series: str, number: int | None) -> SeriesKey | None:
    """What tells a series: its UID, or its number within its study; None where a file was cut before them."""
    if series:
        return (patient, study, series)
    return (patient, study, number) if study and number is not None else None
