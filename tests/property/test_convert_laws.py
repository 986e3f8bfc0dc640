"""Laws of stacking: nothing about files matters but what they say, and the affine is where DICOM says it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quadphase.convert.exam import StackSet, read_stacks
from quadphase.convert.geometry import prove_geometry
from quadphase.convert.header import Acquisition, Origin, PixelLayout, Plane, SliceHeader
from quadphase.convert.stacks import group_slices
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.nasty import NASTY

SETTINGS = ConvertSection(minimum_slices=2)
SERIES = (
    "acquisition_number_per_slice",
    "phases_by_acquisition_number",
    "phases_by_instance_number",
    "two_kernels",
    "unequal_phases_in_one_series",
    "blank_uids",
    "duplicate_slices",
    "missing_slice",
    "conflicting_duplicates",
)


def header(
    position: Sequence[float],
    *,
    row: Sequence[float] = (1.0, 0.0, 0.0),
    column: Sequence[float] = (0.0, 1.0, 0.0),
    acquisition_number: int | None = None,
    instance_number: int | None = None,
    uid: str = "",
) -> SliceHeader:
    """A slice header of a 16 × 12 image without a file."""
    x, y, z = (float(v) for v in position)
    a, b, c = (float(v) for v in row)
    d, e, f = (float(v) for v in column)
    plane = Plane(
        rows=12, columns=16, position_mm=(x, y, z), row_direction=(a, b, c), column_direction=(d, e, f),
        row_spacing_mm=0.7, column_spacing_mm=0.9,
    )  # fmt: skip
    origin = Origin(
        path=Path("none"), patient_id="", study_instance_uid="1", series_instance_uid="2", accession_number="",
        sop_instance_uid=uid or f"{x}.{y}.{z}.{instance_number}", frame_of_reference_uid="3", study_moment=("", ""),
    )  # fmt: skip
    pixels = PixelLayout(
        transfer_syntax="1.2.840.10008.1.2.1", bits_allocated=16, bits_stored=16, high_bit=15, signed=True, slope=1.0,
        intercept=0.0, padding=None, padding_written=None, offset=0, length=384,
    )  # fmt: skip
    acquisition = Acquisition(
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"), kernel="B30", slice_thickness_mm=2.0, series_number=4,
        acquisition_number=acquisition_number, instance_number=instance_number, temporal_position=None,
        trigger_delay_ms=None, acquisition_time_s=None, content_time_s=None, series_time_s=None, contrast_start_s=None,
        gantry_tilt_deg=0.0, reconstruction_diameter_mm=None, filter_type="", kvp=120.0, manufacturer="", model="",
        texts=MappingProxyType({}),
    )  # fmt: skip
    return SliceHeader(origin=origin, plane=plane, pixels=pixels, acquisition=acquisition)


def summary(found: StackSet) -> list[tuple[object, ...]]:
    """All that may be compared between two readings of the same images: stacks, grids, voxels, findings."""
    return [
        (
            stack.exam,
            stack.index,
            stack.part,
            stack.n_slices,
            None if stack.grid is None else (stack.grid.shape, stack.grid.affine.tobytes()),
            stack.load().volume.hu.tobytes() if stack.usable else None,
            sorted((f.code, f.message) for f in stack.findings),
        )
        for stack in found.stacks
    ]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, list[tuple[object, ...]]]]:
    """Each series once, and what is read of it as it lies."""
    cases = {}
    for name in SERIES:
        folder = tmp_path_factory.mktemp(name)
        NASTY[name](folder)
        cases[name] = (folder, summary(read_stacks([folder], settings=SETTINGS)))
    return cases


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("name", SERIES)
def test_names_order_nesting_and_copies_never_matter(
    name: str,
    seed: int,
    written: dict[str, tuple[Path, list[tuple[object, ...]]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, expected = written[name]
    draw = np.random.default_rng(seed)
    target = tmp_path_factory.mktemp("shuffled")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for n, path in enumerate(draw.permutation(np.array(files, dtype=object))):
        place = target.joinpath(*[f"d{draw.integers(3)}" for _ in range(draw.integers(3))])
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place / f"{draw.integers(10**9):09d}{n}")
        if draw.random() < 0.3:
            shutil.copyfile(path, place / f"copy{n}")
    assert summary(read_stacks([target], settings=SETTINGS)) == expected


@given(order=st.permutations(range(40)))
def test_grouping_does_not_depend_on_order(order: list[int]) -> None:
    phases = [
        header((0, 0, 2.5 * k), acquisition_number=n, instance_number=20 * n + k) for n in (2, 3) for k in range(20)
    ]
    groups = group_slices([phases[i] for i in order])
    assert [g.headers for g in groups] == [tuple(phases[:20]), tuple(phases[20:])]


@given(
    counts=st.lists(st.integers(5, 40), min_size=2, max_size=4),
    starts=st.lists(st.integers(-4, 4), min_size=4, max_size=4),
)
def test_passes_of_any_coverage_come_apart(counts: list[int], starts: list[int]) -> None:
    """Overlapping passes of different start and length, told apart by acquisition number alone."""
    passes = [
        [
            header((0, 0, 2.5 * (starts[n] + k)), acquisition_number=n + 1, instance_number=100 * n + k)
            for k in range(count)
        ]
        for n, count in enumerate(counts)
    ]
    common = [
        max(a, b) <= min(a + m, b + n) - 3 for a, m, b, n in zip(starts, counts, starts[1:], counts[1:], strict=False)
    ]
    assume(all(common))  # passes that hardly overlap may be one scan in two parts
    groups = group_slices([h for one in passes for h in one])
    assert sorted(len(g.headers) for g in groups) == sorted(counts)


@given(per_step=st.integers(1, 4), count=st.integers(4, 60))
def test_axial_steps_stay_one_stack(per_step: int, count: int) -> None:
    """A step-and-shoot scan numbers each step; that never cuts the stack."""
    slices = [header((0, 0, 5.0 * k), acquisition_number=k // per_step, instance_number=k) for k in range(count)]
    assert len(group_slices(slices)) == 1


rotations = st.tuples(*[st.floats(-np.pi, np.pi, allow_nan=False) for _ in range(3)])


def _axes(angles: tuple[float, float, float]) -> np.ndarray:
    a, b, c = angles
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(rz @ ry @ rx)


@given(angles=rotations, spacing=st.floats(0.3, 10), count=st.integers(2, 30), flip=st.booleans())
def test_affine_puts_every_corner_where_dicom_does(
    angles: tuple[float, float, float], spacing: float, count: int, flip: bool
) -> None:
    """Any orientation, any row and column order: right-handed, ascending along the normal, corners within 0.01 mm."""
    axes = _axes(angles)
    row, column = axes[:, 0], -axes[:, 1] if flip else axes[:, 1]
    normal = np.cross(row, column)
    slices = [
        header(np.array([10.0, -20.0, 30.0]) + k * spacing * normal, row=row, column=column) for k in range(count)
    ]
    (group,) = group_slices(reversed(slices))
    assert group.headers == tuple(slices)
    geometry = prove_geometry(group.headers, where="stack")
    assert geometry.grid is not None
    assert np.linalg.det(geometry.grid.affine[:3, :3]) > 0
    for k, one in enumerate(slices):
        ours = geometry.grid.world_from_index([[0, 0, k], [15, 0, k], [0, 11, k], [15, 11, k]]) * (-1, -1, 1)
        assert np.abs(ours - one.plane.corners_mm()).max() < 0.01


@given(where=st.integers(1, 18), shift=st.floats(0.03, 2.0))
def test_one_slice_out_of_place_is_never_silent(where: int, shift: float) -> None:
    slices = [header((0, 0, 2.5 * k + (shift if k == where else 0.0))) for k in range(20)]
    geometry = prove_geometry(slices, where="stack")
    assert geometry.grid is None
    assert {f.code for f in geometry.findings} & {"uneven-spacing", "missing-slices"}


@given(missing=st.sets(st.integers(1, 28), min_size=1, max_size=8))
def test_missing_slices_are_counted(missing: set[int]) -> None:
    slices = [header((0, 0, 1.25 * k)) for k in range(30) if k not in missing]
    geometry = prove_geometry(slices, where="stack")
    (finding,) = [f for f in geometry.findings if f.severity == "error"]
    assert finding.code == "missing-slices"
    assert finding.message.startswith(f"{len(missing)} slices")


def one_pass(start: int, count: int, spacing: float = 2.5, **tags: Any) -> list[SliceHeader]:
    """A pass over ``count`` places, its instance numbers counting up from ``first``, with other attributes set."""
    first = tags.pop("first", 0)
    plain = [header((0, 0, spacing * (start + k)), instance_number=first + k, uid=f"{first + k}") for k in range(count)]
    return [replace(h, acquisition=replace(h.acquisition, **tags)) for h in plain]


def clocked(slices: list[SliceHeader], start_s: float, step_s: float) -> list[SliceHeader]:
    """The slices with an acquisition time of their own each."""
    times = [start_s + step_s * k for k in range(len(slices))]
    return [
        replace(h, acquisition=replace(h.acquisition, acquisition_time_s=t)) for h, t in zip(slices, times, strict=True)
    ]


def numbered(slices: list[SliceHeader], numbers: Iterable[int], *, what: str) -> list[SliceHeader]:
    """The slices with a number of their own each: ``what`` names the attribute."""
    return [replace(h, acquisition=replace(h.acquisition, **{what: n})) for h, n in zip(slices, numbers, strict=False)]


def raised(slices: list[SliceHeader], by_mm: float) -> list[SliceHeader]:
    """The slices moved along the patient."""
    return [replace(h, plane=replace(h.plane, position_mm=(0.0, 0.0, h.plane.position_mm[2] + by_mm))) for h in slices]


COUSINS: dict[str, tuple[list[list[SliceHeader]], tuple[str, ...]]] = {
    "79 + 115": (
        [one_pass(20, 79, acquisition_number=2), one_pass(0, 115, acquisition_number=3, first=79)],
        ("acquisition number",),
    ),
    "79 + 79 + 87": (
        [
            one_pass(0, 79, acquisition_number=2),
            one_pass(0, 79, acquisition_number=3, first=79),
            one_pass(-4, 87, acquisition_number=4, first=158),
        ],
        ("acquisition number",),
    ),
    "79 + 115, scanned back, by the clock of each slice": (
        [clocked(one_pass(0, 79), 100.0, 0.05), clocked(one_pass(0, 115, first=79), 140.0, -0.05)],
        ("acquisition time",),
    ),
    "between each other's slices": (
        [one_pass(0, 40, acquisition_number=1), raised(one_pass(0, 40, acquisition_number=2, first=40), 1.25)],
        ("acquisition number",),
    ),
    "numbered in turn": (
        [
            numbered(one_pass(0, 40), range(0, 80, 2), what="instance_number"),
            numbered(one_pass(0, 40, first=40), range(1, 80, 2), what="instance_number"),
        ],
        ("instance number",),
    ),
    "thin and thick of one acquisition": (
        [
            one_pass(0, 100, spacing=1.0, slice_thickness_mm=1.0),
            one_pass(0, 20, spacing=5.0, slice_thickness_mm=5.0, first=100),
        ],
        ("slice thickness",),
    ),
    "by acquisition, then by trigger delay": (
        [
            one_pass(0, 40, acquisition_number=1, trigger_delay_ms=30e3),
            one_pass(0, 40, acquisition_number=2, trigger_delay_ms=30e3, first=40),
            one_pass(0, 40, acquisition_number=2, trigger_delay_ms=60e3, first=80),
        ],
        ("acquisition number", "trigger delay"),
    ),
    "axial steps in two passes": (
        [
            numbered(one_pass(0, 30), [k // 2 for k in range(30)], what="acquisition_number"),
            numbered(one_pass(0, 30, first=30), [15 + k // 2 for k in range(30)], what="acquisition_number"),
        ],
        ("acquisition number",),
    ),
}
"""Series that hold several passes, and what must tell them apart."""


@pytest.mark.parametrize("name", COUSINS)
def test_cousins_come_apart(name: str) -> None:
    passes, told_by = COUSINS[name]
    mixed = [h for one in passes for h in one]
    shuffled = np.random.default_rng(4).permutation(len(mixed))
    groups = group_slices([mixed[i] for i in shuffled])
    expected = [tuple(sorted(one, key=lambda h: h.plane.along_mm)) for one in passes]
    assert sorted(len(g.headers) for g in groups) == sorted(map(len, expected))
    for group in groups:
        assert group.headers in expected
        assert group.told_by == told_by
