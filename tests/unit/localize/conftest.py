"""Scans for the tests of `localize`: phantoms drawn once, real scans loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from quadphase.io.nifti import load_label_map, load_mask, load_volume
from quadphase.model import Diagnosis, Grid, Mask, Phase, Volume, lps_from_ras
from quadphase.phantom.anatomy import RenderedPhase, render_phase
from quadphase.phantom.patient import PatientSpec

COARSE = {"shape": (128, 128, 40), "spacing_mm": (3.125, 3.125, 6.0)}


@pytest.fixture(scope="session")
def phantom() -> Callable[[Phase], RenderedPhase]:
    """A healthy phantom whose liver sits 12 mm higher in the plain and 10 mm lower in the arterial phase."""
    spec = PatientSpec(seed=7, diagnosis=Diagnosis.CN, breathing_mm=(12.0, -10.0, 0.0, 0.0))
    drawn: dict[Phase, RenderedPhase] = {}

    def draw(phase: Phase) -> RenderedPhase:
        if phase not in drawn:
            drawn[phase] = render_phase(spec, phase, **COARSE)
        return drawn[phase]

    return draw


def dicom_volume(paths: Iterable[Path], *, acquisition: int | None = None) -> Volume:
    """An axial stack as a volume; independent of the package's own converter on purpose."""
    slices = [pydicom.dcmread(path) for path in paths]
    slices = [s for s in slices if acquisition is None or int(s.AcquisitionNumber) == acquisition]
    row, column = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(row, column)
    slices.sort(key=lambda s: float(normal @ np.array(s.ImagePositionPatient, float)))
    hu = np.stack([s.pixel_array.T * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices], axis=2)
    first, last = (np.array(slices[n].ImagePositionPatient, float) for n in (0, -1))
    affine = np.eye(4)
    affine[:3, 0] = row * float(slices[0].PixelSpacing[1])
    affine[:3, 1] = column * float(slices[0].PixelSpacing[0])
    affine[:3, 2] = (last - first) / (len(slices) - 1) if len(slices) > 1 else normal * 5.0
    affine[:3, 3] = first
    return Volume(hu=np.rint(hu).astype(np.int16), grid=Grid(hu.shape, lps_from_ras(affine)))


@pytest.fixture(scope="session")
def venous_20(real_data: Path) -> tuple[Volume, Mask]:
    """20 venous slices of 2 mm and the liver of TotalSegmentator's authors on the grid of the scan."""
    folder = real_data / "compressed_ct"
    volume = dicom_volume(folder.glob("dicom/*"))
    organs = load_label_map(folder / "organs.nii.gz")
    index = np.stack(np.meshgrid(*[np.arange(n) for n in volume.grid.shape], indexing="ij"), axis=-1)
    there = np.rint(organs.grid.index_from_world(volume.grid.world_from_index(index))).astype(int)
    liver = organs.labels[there[..., 0], there[..., 1], there[..., 2]] == 5
    return volume, Mask(voxels=liver, grid=volume.grid)


@pytest.fixture(scope="session")
def plain_3mm(real_data: Path) -> tuple[Volume, Mask]:
    """A plain scan of 3 mm and its liver."""
    folder = real_data / "compressed_ct" / "plain_3mm"
    return load_volume(folder / "ct.nii.gz"), load_mask(folder / "liver.nii.gz")


@pytest.fixture(scope="session")
def hcc_exam(real_data: Path) -> dict[Phase, Volume]:
    """Plain 10 mm, arterial and venous 2.5 mm of one patient with a tumour of 10 cm."""
    files = sorted((real_data / "multiphase_hcc").rglob("*.dcm"))
    plain = [f for f in files if "PRE" in str(f)]
    others = [f for f in files if "PRE" not in str(f)]
    return {
        Phase.P: dicom_volume(plain),
        Phase.C1: dicom_volume(others, acquisition=2),
        Phase.C2: dicom_volume(others, acquisition=3),
    }


def dice(a: Mask, b: Mask) -> float:
    """Overlap of two masks on one grid."""
    return 2 * np.count_nonzero(a.voxels & b.voxels) / (np.count_nonzero(a.voxels) + np.count_nonzero(b.voxels))
