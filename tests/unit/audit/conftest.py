"""A clean small release made from the phantom, and the means to damage copies of it as published ones were."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quadphase.imaging.crop import slice_range
from quadphase.imaging.lesions import measure_lesions
from quadphase.imaging.window import window
from quadphase.io.hashing import sha256_of
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.release_rows import COLUMNS
from quadphase.io.release_tables import GEOMETRY_NAME, LESIONS_NAME, GeometryRow, LesionRow, format_rows
from quadphase.io.tables import format_csv
from quadphase.model import Box, Diagnosis, Mask, Phase, Protocol, Sex, Volume
from quadphase.phantom.anatomy import render_phase
from quadphase.phantom.patient import LesionSpec, LiverState, PatientSpec

SHAPE, SPACING_MM = (128, 128, 52), (3.125, 3.125, 4.5)

PEOPLE = (
    ("P0417", Diagnosis.HCC, Sex.MALE, 61, LiverState.CIRRHOTIC, 0.97),
    ("P0052", Diagnosis.CN, Sex.FEMALE, 55, LiverState.NORMAL, 1.03),
    ("P0339", Diagnosis.ICC, Sex.FEMALE, 58, LiverState.NORMAL, 0.94),
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image of a release in memory."""

    case: str
    phase: Phase
    diagnosis: Diagnosis | None
    sex: Sex | None
    age: float | None
    volume: Volume
    liver: Mask | None
    lesion: Mask | None

    @property
    def location(self) -> str:
        return f"{self.case}/{self.phase.value}"


def _item(case: str, spec: PatientSpec, phase: Phase) -> Item:
    drawn = render_phase(spec, phase, shape=SHAPE, spacing_mm=SPACING_MM)
    kept = slice_range(drawn.liver.voxels)
    assert kept is not None
    box = Box.of_slices(drawn.volume.grid.shape, *kept)
    lesion = Mask(voxels=(drawn.lesions.labels > 0) & drawn.liver.voxels, grid=drawn.volume.grid)
    return Item(
        case=case,
        phase=phase,
        diagnosis=spec.diagnosis,
        sex=spec.sex,
        age=spec.age_years,
        volume=drawn.volume.crop(box),
        liver=drawn.liver.crop(box),
        lesion=lesion.crop(box) if spec.diagnosis.is_cancer else None,
    )


@pytest.fixture(scope="session")
def full_range() -> tuple[Item, ...]:
    """Three subjects, four phases each, cropped to the liver, full HU range."""
    items = []
    for n, (case, diagnosis, sex, age, state, build) in enumerate(PEOPLE):
        lesion = LesionSpec(center_mm=(-84.0, 4.0, 60.0), radius_mm=26.0, kind=diagnosis)
        spec = PatientSpec(
            seed=40 + n,
            diagnosis=diagnosis,
            sex=sex,
            age_years=age,
            lesions=(lesion,) if diagnosis.is_cancer else (),
            liver_state=state,
            build=build,
            fat_mm=14.0 + 3 * n,
            breathing_mm=(0.0, 4.0, -5.0, 2.0),
            table_position_mm=-1000.0 - 37.0 * n,
        )
        items += [_item(case, spec, phase) for phase in Phase]
    return tuple(items)


@pytest.fixture(scope="session")
def clean(full_range: tuple[Item, ...]) -> tuple[Item, ...]:
    """The same, windowed to -200…200 HU as the paper does."""
    return tuple(replace(item, volume=window(item.volume, lower_hu=-200, upper_hu=200)) for item in full_range)


def paths_of(item: Item) -> tuple[str, str | None, str | None]:
    return (
        f"ct_files/{item.case}_ct_{item.phase.value}.nii.gz",
        f"mask_files/{item.case}_mask_{item.phase.value}.nii.gz" if item.lesion is not None else None,
        f"liver_mask_files/{item.case}-livermask_{item.phase.value}.nii.gz" if item.liver is not None else None,
    )


def write_table(root: Path, items: Iterable[Item]) -> None:
    rows = [
        (
            i.case,
            i.age,
            i.sex.value if i.sex else None,
            i.phase.value,
            i.diagnosis.value if i.diagnosis else None,
            *paths_of(i),
        )
        for i in items
    ]
    (root / "patient_data.csv").write_text(format_csv(COLUMNS, rows), newline="")


def write_plain(root: Path, items: Iterable[Item]) -> Path:
    """A dataset as others publish it: table, images, masks, nothing else."""
    items = tuple(items)
    for item in items:
        ct, lesion, liver = paths_of(item)
        save_volume(root / ct, item.volume)
        if lesion is not None and item.lesion is not None:
            save_mask(root / lesion, item.lesion)
        if liver is not None and item.liver is not None:
            save_mask(root / liver, item.liver)
    write_table(root, items)
    return root


def write_ours(root: Path, items: Iterable[Item]) -> Path:
    """A release in quadphase's own layout, with every derived table."""
    from quadphase.io.release_rows import load_rows
    from quadphase.release.case import ReleaseSubject
    from quadphase.release.manifest import seal
    from quadphase.release.metadata import write_metadata
    from quadphase.release.rows import lesion_rows
    from quadphase.release.splits import format_splits, make_splits
    from quadphase.release.table1_text import render_table1
    from quadphase.statistics.measures import ImageMeasures
    from quadphase.statistics.table1 import compute_table1

    items = tuple(sorted(items, key=lambda item: (item.case, item.phase.order)))
    write_plain(root, items)
    geometry, lesions, images = [], [], []
    for item in items:
        found = measure_lesions(item.lesion) if item.lesion is not None else None
        geometry.append(_geometry(item, found))
        lesions += lesion_rows(item.case, item.phase, found) if found is not None else ()
        images.append(
            ImageMeasures(
                subject=item.case,
                phase=item.phase,
                slices=item.volume.grid.shape[2],
                lesion_slices=found.slices if found else None,
                lesion_volume_ml=found.volume_ml if found else None,
                lesion_max_diameter_mm=found.max_diameter_mm if found else None,
                lesion_count=found.count if found else None,
            )
        )
    (root / GEOMETRY_NAME).write_text(format_rows(GeometryRow, geometry), newline="")
    (root / LESIONS_NAME).write_text(format_rows(LesionRow, lesions), newline="")
    rows, _ = load_rows(root / "patient_data.csv")
    (root / "table1.csv").write_text(render_table1(compute_table1(rows, images), "csv"), newline="")
    subjects = {i.case: ReleaseSubject(case=i.case, age=i.age, sex=i.sex, diagnosis=i.diagnosis) for i in items}
    (root / "splits.csv").write_text(format_splits(make_splits(subjects.values(), folds=3, seed=0)), newline="")
    protocol = Protocol.of({"study": {"name": "test"}, "splits": {"folds": 3}})
    write_metadata(root, protocol)
    seal(root)
    return root


def reseal(root: Path) -> None:
    """Make hashes and manifest those of the files as they now are: nothing but the content itself is wrong then."""
    from quadphase.release.manifest import seal

    for name, files, key, prefix in (
        ("croissant.json", "distribution", "sha256", ""),
        ("datapackage.json", "resources", "hash", "sha256:"),
    ):
        path = root / name
        try:
            value = json.loads(path.read_text("utf-8"))
            for entry in value[files]:
                file = root / entry.get("path", entry.get("contentUrl", "?"))
                if file.is_file():
                    entry[key] = prefix + sha256_of(file)
            path.write_text(json.dumps(value), "utf-8")
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a test made it unreadable
    (root / "checksums.sha256").unlink(missing_ok=True)
    seal(root)


def _geometry(item: Item, found: Any) -> GeometryRow:
    i, j, k = item.volume.grid.shape
    si, sj, sk = item.volume.grid.spacing_mm
    x, y, z = item.volume.grid.origin_mm
    assert item.liver is not None
    lower, upper = item.volume.window_hu or (-200, 200)
    return GeometryRow(
        patient_id=item.case,
        phase=item.phase.value,
        voxels_i=i,
        voxels_j=j,
        voxels_k=k,
        spacing_i_mm=si,
        spacing_j_mm=sj,
        slice_spacing_mm=sk,
        orientation="".join(item.volume.grid.axis_codes),
        origin_x_mm=x,
        origin_y_mm=y,
        origin_z_mm=z,
        source_slices=SHAPE[2],
        first_slice=0,
        stop_slice=k,
        window_lower_hu=lower,
        window_upper_hu=upper,
        minimum_hu=int(item.volume.hu.min()),
        maximum_hu=int(item.volume.hu.max()),
        data_type="int16",
        liver_volume_ml=item.liver.volume_ml,
        lesion_count=found.count if found else None,
        lesion_volume_ml=found.volume_ml if found else None,
        lesion_max_diameter_mm=found.max_diameter_mm if found else None,
        lesion_slices=found.slices if found else None,
        manufacturer=None,
        model=None,
        kernel=None,
        kvp=None,
        slice_thickness_mm=None,
        seconds_after_first=None,
    )


Damage = Callable[[Item], Item]


def damaged(items: Iterable[Item], location: str, change: Damage) -> tuple[Item, ...]:
    """The items with one of them changed."""
    return tuple(change(item) if item.location == location else item for item in items)


def with_hu(item: Item, hu: np.ndarray) -> Item:
    return replace(item, volume=Volume(hu=np.ascontiguousarray(hu), grid=item.volume.grid))


@pytest.fixture(scope="session")
def ours(clean: tuple[Item, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean release in our layout; never changed by a test."""
    return write_ours(tmp_path_factory.mktemp("ours"), clean)


@pytest.fixture(scope="session")
def two(clean: tuple[Item, ...]) -> tuple[Item, ...]:
    """Two subjects: enough for what is asked of a release as a whole."""
    return tuple(item for item in clean if item.case in ("P0417", "P0052"))


@pytest.fixture(scope="session")
def sealed(two: tuple[Item, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own release of `two`; read only."""
    return write_ours(tmp_path_factory.mktemp("sealed") / "release", two)


@pytest.fixture
def root(sealed: Path, tmp_path: Path) -> Path:
    """A copy of `sealed` to be damaged."""
    return Path(shutil.copytree(sealed, tmp_path / "release"))
