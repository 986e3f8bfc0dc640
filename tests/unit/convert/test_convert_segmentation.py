"""DICOM Segmentation out and in: every voxel where it was, and the real object of dcmqi as its own NRRD says."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from pydicom import Dataset, dcmread
from typer.testing import CliRunner

from quadphase.cli.convert import register
from quadphase.convert.drawn_on import stack_referred_to, stack_under
from quadphase.convert.exam import Stack, read_stacks
from quadphase.convert.segmentation import MAY_BE_BLANK, load_segmentation, save_segmentation
from quadphase.errors import GridMismatchError, InputError, OutputError
from quadphase.imaging.reorient import reorient_mask
from quadphase.io.nifti import load_mask, save_mask
from quadphase.model import Box, Mask, Phase
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.dicom import write_series
from quadphase.phantom.exam import Exam
from quadphase.phantom.nasty import NASTY, texture

pytest.importorskip("highdicom")


def stack_in(folder: Path) -> Stack:
    (stack,) = read_stacks([folder], settings=ConvertSection(minimum_slices=2)).usable
    return stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return stack_in(NASTY["oblique"](tmp_path / "in").folder)


def masks_on(stack: Stack) -> dict[str, Mask]:
    draw = np.random.default_rng(3)
    liver = np.zeros(stack.proved_grid.shape, dtype=bool)
    liver[5:20, 4:17, 3:9] = draw.random((15, 13, 6)) < 0.7
    lesion = np.zeros_like(liver)
    lesion[7:9, 6:8, 4:6] = True
    return {"liver": Mask(voxels=liver, grid=stack.proved_grid), "lesion": Mask(voxels=lesion, grid=stack.proved_grid)}


def test_round_trip_keeps_every_voxel(stack: Stack, tmp_path: Path) -> None:
    masks = masks_on(stack)
    path = save_segmentation(tmp_path / "seg.dcm", masks, stack)
    found = {one.name: one.mask for one in load_segmentation(path, stack)}
    assert set(found) == set(masks)
    for name, mask in masks.items():
        assert found[name].grid.is_close(stack.proved_grid)
        np.testing.assert_array_equal(found[name].voxels, mask.voxels)


def test_crops_and_other_orders_find_their_place(stack: Stack, tmp_path: Path) -> None:
    whole = masks_on(stack)["liver"]
    part = whole.crop(Box((4, 3, 2), (22, 18, 10)))
    turned = reorient_mask(part, ("R", "A", "S"))
    path = save_segmentation(tmp_path / "seg.dcm", {"liver": turned}, stack, algorithm="quadphase builtin")
    (found,) = load_segmentation(path, stack)
    np.testing.assert_array_equal(found.mask.voxels, whole.voxels)


def test_same_masks_same_bytes(stack: Stack, tmp_path: Path) -> None:
    one = dcmread(save_segmentation(tmp_path / "a.dcm", masks_on(stack), stack))
    two = dcmread(save_segmentation(tmp_path / "b.dcm", masks_on(stack), stack))
    assert one.SOPInstanceUID == two.SOPInstanceUID
    assert one.PixelData == two.PixelData


def test_the_object_refers_to_the_slices(stack: Stack, tmp_path: Path) -> None:
    data = dcmread(save_segmentation(tmp_path / "a.dcm", masks_on(stack), stack))
    assert data.FrameOfReferenceUID == stack.headers[0].origin.frame_of_reference_uid
    referred = {item.ReferencedSOPInstanceUID for item in data.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert referred == {h.origin.sop_instance_uid for h in stack.headers}


def test_dcmqi_object_is_read_as_its_nrrd(real_data: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    folder = real_data / "seg_object"
    (one,) = load_segmentation(folder / "liver_seg.dcm", stack_in(folder / "ct-3slice"))
    assert one.name == "Liver"
    image = sitk.ReadImage(str(folder / "liver_seg.nrrd"))
    np.testing.assert_array_equal(one.mask.voxels, sitk.GetArrayFromImage(image).transpose(2, 1, 0) > 0)
    np.testing.assert_allclose(one.mask.grid.world_from_index((0, 0, 0)) * (-1, -1, 1), image.GetOrigin(), atol=0.01)


def command(*arguments: object) -> tuple[int, str, str]:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_command_there_and_back(stack: Stack, tmp_path: Path) -> None:
    mask = masks_on(stack)["liver"]
    save_mask(tmp_path / "liver.nii.gz", mask)
    options = ("--to", "dicom-seg", "--slices", tmp_path / "in", "--segment", "liver")
    assert command(tmp_path / "liver.nii.gz", tmp_path / "seg.dcm", *options)[0] == 0
    code, out, _ = command(tmp_path / "seg.dcm", tmp_path / "masks", "--slices", tmp_path / "in", "--json")
    assert code == 0
    (path,) = json.loads(out)["masks"]
    back = load_mask(Path(path))
    assert back.grid.is_close(mask.grid)
    np.testing.assert_array_equal(back.voxels, mask.voxels)
    code, _, err = command(tmp_path / "liver.nii.gz", tmp_path / "other.dcm", "--to", "dicom-seg")
    assert code == 2
    assert "--slices" in err


@pytest.mark.parametrize("form", ["to-dicom", "to-nifti"])
def test_command_replaces_its_output_when_asked(stack: Stack, tmp_path: Path, form: str) -> None:
    save_mask(tmp_path / "liver.nii.gz", masks_on(stack)["liver"])
    save_segmentation(tmp_path / "seg.dcm", masks_on(stack), stack)
    to_dicom = (tmp_path / "liver.nii.gz", tmp_path / "out", "--to", "dicom-seg", "--slices", tmp_path / "in")
    words = to_dicom if form == "to-dicom" else (tmp_path / "seg.dcm", tmp_path / "out")
    assert command(*words)[0] == 0
    code, _, err = command(*words)
    assert code == 2
    assert "exists already. Choose another name, or add --overwrite." in err
    assert command(*words, "--overwrite")[0] == 0


def test_command_never_replaces_an_input(stack: Stack, tmp_path: Path) -> None:
    mask = save_mask(tmp_path / "liver.nii.gz", masks_on(stack)["liver"])
    before = {path: path.read_bytes() for path in (mask, *(h.origin.path for h in stack.headers))}
    for out in before:
        code, _, err = command(mask, out, "--to", "dicom-seg", "--slices", tmp_path / "in", "--overwrite")
        assert code == 2
        assert "an input of this command" in err
    assert {path: path.read_bytes() for path in before} == before


class TestReferences:
    """The phases of one exam on one grid: only the images that a Segmentation names tell them apart."""

    @pytest.fixture
    def phases(self, tmp_path: Path) -> tuple[Stack, ...]:
        exam = Exam()
        for number, phase in enumerate((Phase.P, Phase.C1, Phase.C2)):
            write_series(texture(number), tmp_path / "exam" / phase.value, exam=exam, phase=phase)
        return read_stacks([tmp_path / "exam"], settings=ConvertSection(minimum_slices=2)).stacks

    @pytest.fixture
    def segmentation(self, phases: tuple[Stack, ...], tmp_path: Path) -> Path:
        return save_segmentation(tmp_path / "seg.dcm", masks_on(phases[1]), phases[1])

    def test_it_names_its_stack(self, phases: tuple[Stack, ...], segmentation: Path, tmp_path: Path) -> None:
        mask = masks_on(phases[1])["liver"]
        with pytest.raises(GridMismatchError, match="3 stacks"):
            stack_under(mask, phases)
        assert stack_referred_to(segmentation, mask, phases) is phases[1]
        assert stack_referred_to(segmentation, mask, phases, index=1) is phases[1]
        code, out, _ = command(segmentation, tmp_path / "masks", "--slices", tmp_path / "exam", "--json")
        assert (code, json.loads(out)["names"]) == (0, ["liver", "lesion"])

    def test_another_stack_is_refused(self, segmentation: Path, tmp_path: Path) -> None:
        words = (segmentation, tmp_path / "masks", "--slices", tmp_path / "exam", "--stack")
        code, _, err = command(*words, 2)
        assert code == 2
        assert err.endswith("refers to images of stack 1, not of stack 2. Leave --stack out.\n")
        assert not (tmp_path / "masks").exists()
        assert command(*words, 1)[0] == 0

    def test_a_stack_that_is_no_volume_is_not_exchanged_for_one_that_is(
        self, phases: tuple[Stack, ...], segmentation: Path, tmp_path: Path
    ) -> None:
        phases[1].headers[5].origin.path.unlink()
        code, _, err = command(segmentation, tmp_path / "masks", "--slices", tmp_path / "exam")
        assert code == 2
        assert "lies on no stack" in err

    def test_images_that_are_not_there_are_looked_for_by_place(
        self, phases: tuple[Stack, ...], segmentation: Path
    ) -> None:
        mask = masks_on(phases[1])["liver"]
        others = (phases[0], phases[2])
        with pytest.raises(GridMismatchError, match="2 stacks"):
            stack_referred_to(segmentation, mask, others)
        assert stack_referred_to(segmentation, mask, others, index=2) is phases[2]
        with pytest.raises(InputError, match="no stack 7"):
            stack_referred_to(segmentation, mask, others, index=7)


class TestHeaders:
    """Slices of hospitals lack attributes, and hold values that are none."""

    @staticmethod
    def changed(stack: Stack, change: Callable[[Dataset], None]) -> Stack:
        for header in stack.headers:
            data = dcmread(header.origin.path)
            change(data)
            data.save_as(header.origin.path)
        return stack_in(stack.headers[0].origin.path.parent)

    @pytest.mark.parametrize("keyword", MAY_BE_BLANK)
    def test_what_may_be_blank_may_be_absent(self, stack: Stack, tmp_path: Path, keyword: str) -> None:
        changed = self.changed(stack, lambda data: data.pop(keyword, None))
        masks = masks_on(changed)
        path = save_segmentation(tmp_path / "seg.dcm", masks, changed)
        assert dcmread(path).get(keyword) in ("", None)
        found = {one.name: one.mask for one in load_segmentation(path, changed)}
        np.testing.assert_array_equal(found["liver"].voxels, masks["liver"].voxels)

    @pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "SeriesInstanceUID", "StudyInstanceUID"])
    def test_a_missing_uid_is_named(self, stack: Stack, tmp_path: Path, keyword: str) -> None:
        changed = self.changed(stack, lambda data: data.pop(keyword))
        with pytest.raises(InputError, match=keyword) as caught:
            save_segmentation(tmp_path / "seg.dcm", masks_on(changed), changed)
        assert caught.value.code == "missing-uid"

    @pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
    def test_a_date_that_is_none_is_one_line_without_its_value(self, stack: Stack, tmp_path: Path) -> None:
        def change(data: Dataset) -> None:
            data.PatientBirthDate = "1.2.1960"

        changed = self.changed(stack, change)
        with pytest.raises(InputError) as caught:
            save_segmentation(tmp_path / "seg.dcm", masks_on(changed), changed)
        assert caught.value.code == "bad-header"
        assert "1960" not in str(caught.value)
        assert not (tmp_path / "seg.dcm").exists()

    def test_no_warning_quotes_the_name(self, stack: Stack, tmp_path: Path) -> None:
        def change(data: Dataset) -> None:
            data.PatientName = "Zhangsan"

        changed = self.changed(stack, change)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            save_segmentation(tmp_path / "seg.dcm", masks_on(changed), changed)
        assert not [w for w in said if "Zhangsan" in str(w.message)]


class TestErrors:
    def test_mask_of_another_image(self, stack: Stack, tmp_path: Path) -> None:
        other = stack_in(NASTY["anisotropic_pixels"](tmp_path / "other").folder)
        with pytest.raises(GridMismatchError):
            save_segmentation(tmp_path / "seg.dcm", masks_on(other), stack)
        assert not (tmp_path / "seg.dcm").exists()

    def test_empty_and_unknown(self, stack: Stack, tmp_path: Path) -> None:
        nothing = Mask(voxels=np.zeros(stack.proved_grid.shape, dtype=bool), grid=stack.proved_grid)
        with pytest.raises(InputError, match="empty"):
            save_segmentation(tmp_path / "seg.dcm", {"liver": nothing}, stack)
        with pytest.raises(InputError, match="no segment 'spleen'"):
            save_segmentation(tmp_path / "seg.dcm", {"spleen": nothing}, stack)

    def test_existing_output_is_kept(self, stack: Stack, tmp_path: Path) -> None:
        (tmp_path / "seg.dcm").write_bytes(b"mine")
        with pytest.raises(OutputError, match="exists"):
            save_segmentation(tmp_path / "seg.dcm", masks_on(stack), stack)
        assert (tmp_path / "seg.dcm").read_bytes() == b"mine"

    def test_not_a_segmentation(self, stack: Stack, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="not a readable DICOM Segmentation"):
            load_segmentation(stack.headers[0].origin.path)
        with pytest.raises(InputError, match="no file"):
            load_segmentation(tmp_path / "none.dcm")
