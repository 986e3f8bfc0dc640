"""The truth of every nasty folder, read back with pydicom alone."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.errors import InvalidDicomError

from quadphase.phantom.nasty import NASTY, NastyCase

WHOLE_FILES = [name for name in NASTY if name not in ("enhanced_multiframe", "truncated_file")]


def images(case: NastyCase) -> list[pydicom.Dataset]:
    found = []
    for path in sorted(case.folder.iterdir()):
        try:
            data = pydicom.dcmread(path)
        except InvalidDicomError:
            continue
        if "ImagePositionPatient" in data and "LOCALIZER" not in data.get("ImageType", []):
            found.append(data)
    return found


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_every_slice_of_the_truth_is_in_the_folder(name: str, tmp_path: Path) -> None:
    case = NASTY[name](tmp_path)
    at: dict[tuple[float, ...], list[np.ndarray]] = defaultdict(list)
    for data in images(case):
        hu = data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept)
        at[tuple(np.round([float(x) for x in data.ImagePositionPatient], 4))].append(hu)
    for stack in case.stacks:
        assert stack.n_slices == len(stack.positions_mm) > 0
        for k, position in enumerate(stack.positions_mm):
            candidates = at[tuple(np.round(position, 4))]
            assert any(np.array_equal(hu, stack.hu[:, :, k].T) for hu in candidates), k
    assert case.name == name
    assert case.note


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_affines_put_slices_where_the_files_say(name: str, tmp_path: Path) -> None:
    for stack in NASTY[name](tmp_path).stacks:
        if stack.affine is None:
            assert stack.problems
            continue
        ras = stack.affine[:3, 3] + np.arange(stack.n_slices)[:, None] * stack.affine[:3, 2]
        np.testing.assert_allclose(ras * [-1, -1, 1], stack.positions_mm, atol=0.005)


def test_mixed_phases_share_one_series_and_their_positions(tmp_path: Path) -> None:
    for name in (n for n in NASTY if n.startswith("phases_by_")):
        case = NASTY[name](tmp_path / name)
        assert len({d.SeriesInstanceUID for d in images(case)}) == 1
        assert len(case.stacks) == 4
        assert all(np.array_equal(case.stacks[0].positions_mm, s.positions_mm) for s in case.stacks)
        assert len({str(d.SOPInstanceUID) for d in images(case)}) == sum(s.n_slices for s in case.stacks)


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("phases_by_acquisition_number", "AcquisitionNumber"),
        ("phases_by_acquisition_time", "AcquisitionTime"),
        ("phases_by_trigger_delay", "TriggerTime"),
        ("phases_by_temporal_position", "TemporalPositionIdentifier"),
    ],
)
def test_only_the_named_attribute_tells_phases_apart(name: str, keyword: str, tmp_path: Path) -> None:
    found = images(NASTY[name](tmp_path))
    for attribute in (
        "AcquisitionNumber",
        "AcquisitionTime",
        "TriggerTime",
        "TemporalPositionIdentifier",
        "ContentTime",
    ):
        values = {str(d.get(attribute, "")) for d in found}
        assert len(values) == (4 if attribute == keyword else 1), attribute


def test_the_enhanced_object_holds_every_frame(tmp_path: Path) -> None:
    case = NASTY["enhanced_multiframe"](tmp_path)
    data = pydicom.dcmread(case.paths[0])
    z = [float(f.PlanePositionSequence[0].ImagePositionPatient[2]) for f in data.PerFrameFunctionalGroupsSequence]
    frames = data.pixel_array
    assert len(frames) == data.NumberOfFrames == case.stacks[0].n_slices
    assert z != sorted(z)
    for n, k in enumerate(np.argsort(np.argsort(z))):
        np.testing.assert_array_equal(frames[n], case.stacks[0].hu[:, :, k].T)


def test_the_truncated_file_is_short(tmp_path: Path) -> None:
    case = NASTY["truncated_file"](tmp_path)
    sizes = sorted(p.stat().st_size for p in case.paths)
    assert sizes[0] < sizes[1] - 1000
    assert case.stacks[0].n_slices == len(case.paths) - 1


def test_blank_uids_are_blank_and_misdeclared_text_is_gbk(tmp_path: Path) -> None:
    blank = images(NASTY["blank_uids"](tmp_path / "a"))[0]
    assert {blank.SOPClassUID, blank.SOPInstanceUID, blank.StudyInstanceUID, blank.SeriesInstanceUID} == {""}
    wrong = images(NASTY["misdeclared_gbk"](tmp_path / "b"))[0]
    assert wrong.SpecificCharacterSet == "ISO_IR 100"
    assert wrong.SeriesDescription.encode("latin-1").decode("gbk") == "上腹部门脉期 5.0"
