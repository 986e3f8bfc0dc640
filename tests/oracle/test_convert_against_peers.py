"""Real stacks against dcm2niix, SimpleITK and highdicom: identical voxels at identical places, or their error on
record.

Versions stand in the log of `pytest -rP`. Places are compared to 0.01 mm, voxels exactly.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quadphase.convert.exam import Stack, read_stacks
from quadphase.convert.header import SliceHeader
from quadphase.imaging.reorient import reorient_volume
from quadphase.io.nifti import load_nifti, load_volume
from quadphase.model import Grid, Volume, lps_from_ras

LOG = logging.getLogger(__name__)
RAS = ("R", "A", "S")

RIGHT = {
    "plain": ("multiphase_hcc/study/2.000000-PRE LIVER-82398", 0),
    "incomplete": ("incomplete_exam/103.000000-LIVER 3 PHASE AP-45033", 0),
    "jpeg2000": ("compressed_ct/dicom", 0),
    "arterial": ("multiphase_hcc/study/4.000000-Recon 2 LIVER 3 PHASE AP-28011", 0),
    "venous": ("multiphase_hcc/study/4.000000-Recon 2 LIVER 3 PHASE AP-28011", 1),
}
"""Stacks peers convert rightly when they get the files of that stack alone: folder, and which of its stacks."""


def stack_of(real_data: Path, name: str) -> Stack:
    folder, number = RIGHT[name]
    return read_stacks([real_data / folder]).usable[number]


def copied(stack: Stack, target: Path) -> Path:
    """The files of one stack, in a folder of their own."""
    target.mkdir()
    for n, header in enumerate(stack.headers):
        shutil.copyfile(header.origin.path, target / f"{n:04d}.dcm")
    return target


def assert_same(ours: Volume, theirs: Volume) -> None:
    """Same voxels at the same world positions, whatever the storage order."""
    a, b = reorient_volume(ours, RAS), reorient_volume(theirs, RAS)
    assert a.grid.is_close(b.grid, tolerance_mm=0.01)
    np.testing.assert_array_equal(a.hu, b.hu)


def by_dcm2niix(program: Callable[[str], str], folder: Path, out: Path) -> tuple[list[Path], str]:
    out.mkdir()
    command = [program("dcm2niix"), "-z", "n", "-b", "n", "-f", "%s_%d", "-o", str(out), str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    LOG.warning("%s", ran.stdout.splitlines()[0])
    return sorted(out.glob("*.nii")), ran.stdout


def sitk_volume(files: list[str]) -> Volume:
    sitk = pytest.importorskip("SimpleITK")
    LOG.warning("SimpleITK %s", sitk.Version().VersionString())
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    image = reader.Execute()
    direction = np.array(image.GetDirection()).reshape(3, 3)
    lps = np.eye(4)
    lps[:3, :3] = direction * np.array(image.GetSpacing())
    lps[:3, 3] = image.GetOrigin()
    hu = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    return Volume(hu=hu.astype(np.int16), grid=Grid(hu.shape, lps_from_ras(lps)))


@pytest.mark.parametrize("name", RIGHT)
def test_dcm2niix_agrees(name: str, real_data: Path, program: Callable[[str], str], tmp_path: Path) -> None:
    stack = stack_of(real_data, name)
    (path,), _ = by_dcm2niix(program, copied(stack, tmp_path / "in"), tmp_path / "out")
    assert_same(stack.load().volume, load_volume(path))


@pytest.mark.parametrize("name", RIGHT)
def test_simpleitk_agrees(name: str, real_data: Path) -> None:
    stack = stack_of(real_data, name)
    files = [str(h.origin.path) for h in stack.headers]
    assert_same(stack.load().volume, sitk_volume(files))


@pytest.mark.parametrize("name", ["plain", "arterial"])
def test_highdicom_agrees(name: str, real_data: Path) -> None:
    highdicom = pytest.importorskip("highdicom")
    from pydicom import dcmread

    stack = stack_of(real_data, name)
    volume = highdicom.get_volume_from_series(
        [dcmread(h.origin.path) for h in stack.headers], apply_real_world_transform=False
    )
    LOG.warning("highdicom %s", highdicom.__version__)
    # highdicom's axes are (slice, row, column); its affine maps those to LPS.
    array = volume.array.transpose(2, 1, 0)
    lps = volume.affine[:, [2, 1, 0, 3]]
    theirs = Volume(hu=array.astype(np.int16), grid=Grid(array.shape, lps_from_ras(lps)))
    assert_same(stack.load().volume, theirs)


def test_plain_positions_are_those_of_the_files(real_data: Path) -> None:
    """Every voxel column against pydicom alone: header, pixels, rescale, one slice at a time."""
    from pydicom import dcmread

    stack = stack_of(real_data, "plain")
    volume = stack.load().volume
    assert stack.proved_grid.spacing_mm == pytest.approx((0.703125, 0.703125, 10.0))
    for k, header in enumerate(stack.headers):
        data = dcmread(header.origin.path)
        world = volume.grid.world_from_index((0, 0, k)) * (-1, -1, 1)
        assert np.abs(world - np.array(data.ImagePositionPatient, dtype=float)).max() < 0.01
        hu = data.pixel_array.astype(int) * int(data.RescaleSlope) + int(data.RescaleIntercept)
        np.testing.assert_array_equal(volume.hu[:, :, k].T, hu)


class TestWhereTheyAreWrong:
    """What peers make of exams they get wrong, beside ours; a change here means that a peer has improved."""

    def test_two_phases_of_one_series(self, real_data: Path, program: Callable[[str], str], tmp_path: Path) -> None:
        folder = real_data / RIGHT["arterial"][0]
        ours = read_stacks([folder]).usable
        assert [s.n_slices for s in ours] == [75, 75]
        (path,), _ = by_dcm2niix(program, folder, tmp_path / "out")
        assert load_nifti(path).stored.shape == (512, 512, 75, 2)  # one 4-D file, phases as time points
        wrong = sitk_volume([str(p) for p in sorted(folder.glob("*.dcm"))])
        assert wrong.grid.shape == (512, 512, 150)
        assert wrong.grid.spacing_mm[2] < 2.5  # 150 slices through 75 places

    def test_phases_of_unequal_coverage(self, real_data: Path, program: Callable[[str], str], tmp_path: Path) -> None:
        """Arterial 75 and venous 40 slices under one series: ours are two volumes, theirs is none of them."""
        arterial, venous = stack_of(real_data, "arterial"), stack_of(real_data, "venous")
        folder = tmp_path / "in"
        copied(arterial, folder)
        for n, header in enumerate(venous.headers[10:50]):
            shutil.copyfile(header.origin.path, folder / f"v{n:04d}.dcm")
        ours = read_stacks([folder]).usable
        assert [s.n_slices for s in ours] == [75, 40]
        np.testing.assert_array_equal(ours[0].load().volume.hu, arterial.load().volume.hu)
        np.testing.assert_array_equal(ours[1].load().volume.hu, venous.load().volume.hu[:, :, 10:50])
        paths, _ = by_dcm2niix(program, folder, tmp_path / "out")
        stored = {path.name: load_nifti(path).stored for path in paths}
        shapes = {name: array.shape for name, array in stored.items()}
        merged = next(name for name in stored if "_Eq" not in name)
        assert shapes[merged] == (512, 512, 115)  # both phases in one stack, positions repeated
        venous_hu = ours[1].load().volume.hu
        kept = [name for name, array in stored.items() if array.shape == venous_hu.shape]
        assert not kept  # its `_Eq` file resamples the mixture back to the arterial slices; the venous phase is lost

    def test_tilted_and_uneven(self, real_data: Path, program: Callable[[str], str], tmp_path: Path) -> None:
        (ours,) = read_stacks([real_data / "tilted_ct"]).stacks
        assert not ours.usable
        assert {"gantry-tilt", "uneven-spacing"} <= {f.code for f in ours.findings}
        paths, _ = by_dcm2niix(program, real_data / "tilted_ct", tmp_path / "out")
        sheared = load_nifti(next(p for p in paths if "Tilt" not in p.name)).affine
        last = sheared @ [0, 511, 27, 1]
        assert abs(last[2] - max_z(ours.headers)) > 5  # an affine that puts the top slice in the wrong place
        wrong = sitk_volume([str(p) for p in sorted((real_data / "tilted_ct").glob("*.dcm"))])
        assert wrong.grid.spacing_mm[2] == pytest.approx(5.627, abs=0.01)  # neither 4 mm nor 7 mm


def max_z(headers: tuple[SliceHeader, ...]) -> float:
    """Highest corner of the stack, millimetres."""
    return float(max(h.plane.corners_mm()[:, 2].max() for h in headers))
