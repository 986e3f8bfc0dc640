"""The files a quadphase release must hold (`docs/spec/release-v1.md`). Other datasets are not held to our layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quadphase.audit.contexts import ReleaseContext
from quadphase.io.release import COLUMNS
from quadphase.io.release_tables import GEOMETRY_NAME
from quadphase.model import Finding

__all__ = ["REQUIRED", "check", "is_ours"]

REQUIRED: Final = (
    "patient_data.csv",
    "geometry.csv",
    "lesions.csv",
    "table1.csv",
    "splits.csv",
    "dataset_description.json",
    "README.md",
    "checksums.sha256",
)


def is_ours(context: ReleaseContext) -> bool:
    """Whether the release says so, or states the geometry of its volumes as only ours do."""
    specification = context.description.get("specification")
    named = isinstance(specification, dict) and specification.get("name") == "quadphase-release"
    return named or GEOMETRY_NAME in context.files


def check(context: ReleaseContext) -> Iterator[Finding]:
    if not is_ours(context):
        return
    for name in REQUIRED:
        if name not in context.files:
            yield Finding.of("contract-broken", name, "a release must hold this file")
    header = context.release.table.read_text("utf-8-sig", errors="replace").splitlines()[0]
    if [cell.strip().strip('"') for cell in header.split(",")] != list(COLUMNS):
        yield Finding.of("contract-broken", context.release.table.name, f"the columns must be {', '.join(COLUMNS)}")
    for volume in context.volumes:
        if volume.dtype not in ("int16", "float32") or volume.scaling != (1.0, 0.0):
            words = f"{volume.dtype}, slope {volume.scaling[0]:g}, intercept {volume.scaling[1]:g}"
            yield Finding.of("contract-broken", volume.location, f"voxels must be int16 HU with slope 1, not {words}")
        for name, mask in (("liver", volume.liver), ("lesion", volume.lesion)):
            if mask is not None and not set(mask.values) <= {0.0, 1.0}:
                yield Finding.of("contract-broken", f"{volume.location}/{name}", "masks must hold 0 and 1 only")
