"""From finished cases to a published dataset: images, tables, figures, metadata, page, checksums, archive."""

from quadphase.release.build import ReleaseSummary, build_release, finish_release
from quadphase.release.case import ReleasedCase, ReleaseJob, ReleaseSubject, release_case
from quadphase.release.report import AuditNote

__all__ = [
    "AuditNote",
    "ReleaseJob",
    "ReleaseSubject",
    "ReleaseSummary",
    "ReleasedCase",
    "build_release",
    "finish_release",
    "release_case",
]
