"""Lesion measures against SimpleITK's LabelShapeStatisticsImageFilter (its version is printed) on real masks.

Tolerances: counts and voxels exact; volumes 1e-6 relative (ITK multiplies spacings in another order); the diameter
within half a voxel diagonal, because ITK's Feret diameter runs over border pixels and its borders are face neighbours
only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from quadphase.imaging.lesions import measure_lesions
from quadphase.io.nifti import load_label_map, load_mask

CASES = [f"lesion_masks_4phase/example_{n:04d}/segmentation_{p}.nii.gz" for n in (0, 1, 2, 5, 9, 11) for p in (1, 4)]


@pytest.mark.parametrize("name", CASES)
def test_same_as_simpleitk(real_data: Path, name: str) -> None:
    sitk = pytest.importorskip("SimpleITK")
    print(f"SimpleITK {sitk.Version_VersionString()}")  # noqa: T201 -- the record of the oracle
    mask = load_mask(real_data / name)
    image = sitk.ReadImage(str(real_data / name)) != 0
    labelled = sitk.ConnectedComponent(image, True)
    oracle = sitk.LabelShapeStatisticsImageFilter()
    oracle.ComputeFeretDiameterOn()
    oracle.Execute(labelled)
    found = measure_lesions(mask)
    labels = oracle.GetLabels()
    assert found.count == len(labels)
    assert sorted(x.voxels for x in found.lesions) == sorted(oracle.GetNumberOfPixels(n) for n in labels)
    assert found.volume_ml == pytest.approx(sum(oracle.GetPhysicalSize(n) for n in labels) / 1000, rel=1e-6)
    half_diagonal = float(np.linalg.norm(mask.grid.spacing_mm)) / 2
    ours = sorted((x.voxels, x.max_diameter_mm) for x in found.lesions)
    theirs = sorted((oracle.GetNumberOfPixels(n), oracle.GetFeretDiameter(n)) for n in labels)
    for (_, a), (_, b) in zip(ours, theirs, strict=True):
        assert abs(a - b) <= half_diagonal
    largest = found.lesions[0]
    centre = oracle.GetCentroid(max(labels, key=oracle.GetNumberOfPixels))
    assert np.allclose(np.array(largest.centroid_mm) * (-1, -1, 1), centre, atol=1e-3)


@pytest.mark.parametrize("name", ["example_0000", "example_0009", "example_0012"])
def test_diameter_is_the_all_pairs_answer(real_data: Path, name: str) -> None:
    from scipy import ndimage

    mask = load_mask(real_data / "lesion_masks_4phase" / name / "segmentation_2.nii.gz")
    labels, count = ndimage.label(mask.voxels, np.ones((3, 3, 3)))
    expected = []
    for part in range(1, count + 1):
        points = mask.grid.world_from_index(np.argwhere(labels == part))
        expected.append(float(pdist(points).max()) if len(points) > 1 else 0.0)
    found = [lesion.max_diameter_mm for lesion in measure_lesions(mask).lesions]
    assert sorted(found) == pytest.approx(sorted(expected), abs=1e-9)


def test_reader_pairs_are_measured_class_by_class(real_data: Path) -> None:
    for path in sorted((real_data / "reader_pairs").rglob("*_gt*.nii.gz")):
        label_map = load_label_map(path)
        values = [int(v) for v in np.unique(label_map.labels) if v]
        whole = measure_lesions(label_map.mask())
        parts = [measure_lesions(label_map.mask(value)) for value in values]
        assert whole.volume_ml == pytest.approx(sum(part.volume_ml for part in parts))
        assert whole.count <= sum(part.count for part in parts)  # touching lesions of two classes are one component
