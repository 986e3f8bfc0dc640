"""Masks are yes or no, and not empty."""

from __future__ import annotations

from collections.abc import Iterator

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding, Severity

__all__ = ["check"]


def check(volume: VolumeFacts) -> Iterator[Finding]:
    for name, mask in volume.masks():
        where = f"{volume.location}/{name}"
        if not set(mask.values) <= {0.0, 1.0}:
            shown = ", ".join(f"{v:g}" for v in mask.values)
            yield Finding.of("mask-not-binary", where, f"values {shown}")
        control = volume.row.diagnosis is not None and not volume.row.diagnosis.is_cancer
        if mask.voxels == 0 and not (name == "lesion" and control):
            # A lesion may be invisible in one phase: its outline is then a file of zeros. A liver never is.
            severity = Severity.WARNING if name == "lesion" else None
            message = f"none of {mask.areas.size} slices holds a voxel"
            yield Finding.of("mask-empty", where, message, severity=severity)
