"""The files a quadphase release must hold (`docs/spec/release-v1.md`). Other datasets are not held to our layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.facts import HeaderFacts
from quadphase.io.release_rows import COLUMNS
from quadphase.io.release_tables import GEOMETRY_NAME
from quadphase.model import Finding, Grid

__all__ = ["REQUIRED", "check", "is_ours", "is_specified"]

REQUIRED: Final = (
    "patient_data.csv",
    "geometry.csv",
    "lesions.csv",
    "splits.csv",
    "dataset_description.json",
    "checksums.sha256",
    "README.md",
    "LICENSE",
    "croissant.json",
    "datapackage.json",
    "datacite.json",
)
"""Section 1 of the specification."""

ALLOWED: Final = frozenset(
    {*REQUIRED, "flow.svg", "report.html", "demo.ipynb", *(f"table1.{form}" for form in ("csv", "md", "html", "tex"))}
)
FIGURES: Final = "figures/"
FIGURE_ENDINGS: Final = (".png", ".svg")

OLDEST_AGE: Final = 90
VOXEL_OFFSET: Final = 352


def is_ours(context: ReleaseContext) -> bool:
    """Whether the release says so, or states the geometry of its volumes as only ours do."""
    specification = context.description.get("specification")
    named = isinstance(specification, dict) and specification.get("name") == "quadphase-release"
    return named or GEOMETRY_NAME in context.files


def is_specified(path: str) -> bool:
    """Whether the specification knows a file besides the images that the table names."""
    figure = path.startswith(FIGURES) and path.count("/") == 1 and path.endswith(FIGURE_ENDINGS)
    return path in ALLOWED or figure


def check(context: ReleaseContext) -> Iterator[Finding]:
    if not is_ours(context):
        return
    for name in REQUIRED:
        if name not in context.files:
            yield Finding.of("contract-broken", name, "a release must hold this file")
        elif _is_empty(context.root / name):
            yield Finding.of("contract-broken", name, "the file is empty")
    yield from _rows(context)
    for volume in context.volumes:
        if volume.dtype not in ("int16", "float32") or volume.scaling != (1.0, 0.0):
            words = f"{volume.dtype}, slope {volume.scaling[0]:g}, intercept {volume.scaling[1]:g}"
            yield Finding.of("contract-broken", volume.location, f"voxels must be int16 HU with slope 1, not {words}")
        if volume.lesion_outside:
            message = (
                f"{volume.lesion_outside:.2%} of the lesion voxels are not in the liver mask, which must include them"
            )
            yield Finding.of("contract-broken", f"{volume.location}/liver", message)
        yield from _header(volume.location, volume.header, volume.grid)
        for name, mask in volume.masks():
            yield from _header(f"{volume.location}/{name}", mask.header, volume.grid)
            if mask.dtype != "uint8" or not set(mask.values) <= {0.0, 1.0}:
                message = "masks must be uint8 and hold 0 and 1 only"
                yield Finding.of("contract-broken", f"{volume.location}/{name}", message)


def _is_empty(path: Path) -> bool:
    """Whether there is nothing but white space; a file that may not be read is said by the check of the files."""
    try:
        return not path.read_bytes().strip()
    except OSError:
        return False


def _rows(context: ReleaseContext) -> Iterator[Finding]:
    table = context.release.table
    header = table.read_text("utf-8-sig", errors="replace").splitlines()[0]
    if [cell.strip().strip('"') for cell in header.split(",")] != list(COLUMNS):
        yield Finding.of("contract-broken", table.name, f"the columns must be {', '.join(COLUMNS)}")
    keys = [(row.subject, row.phase.order if row.phase else -1) for row in context.release.rows]
    if keys != sorted(keys):
        yield Finding.of("contract-broken", table.name, "rows must be sorted by subject, then P, C1, C2, C3")
    for subject in context.release:
        if subject.age_years is not None and subject.age_years > OLDEST_AGE:
            yield Finding.of("contract-broken", subject.name, "an age above 90 must be given as 90")
        control = subject.diagnosis is not None and not subject.diagnosis.is_cancer
        if control and any(phase.row.mask_path is not None for phase in subject):
            yield Finding.of("contract-broken", subject.name, "mask_path must be NA for controls")


def _header(location: str, header: HeaderFacts, grid: Grid | None) -> Iterator[Finding]:
    broken = []
    if set(header.texts) - {"descrip"} or header.suspicious or header.extension_bytes or header.gzip:
        broken.append("the header must be built new, without text, extension or gzip name and time")
    if header.sform_code != 1:
        broken.append(f"sform code must be 1, not {header.sform_code}")
    if header.qform_code != 1 and (header.qform_code != 0 or grid is None or grid.is_orthogonal):
        broken.append(f"qform code must be 1 (0 where the grid is sheared), not {header.qform_code}")
    if header.voxel_offset != VOXEL_OFFSET:
        broken.append(f"voxels must start at byte {VOXEL_OFFSET}, not {header.voxel_offset}")
    if broken:
        yield Finding.of("contract-broken", location, "; ".join(broken))
