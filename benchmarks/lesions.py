"""Measuring lesions on 512 × 512 × 150 masks, against the authors' method and SimpleITK with Feret diameter.

Three masks of 0.78 × 0.78 × 0.8 mm voxels: the paper's median (75 ml in one lobulated lesion), its maximum count (27
small lesions), and a 1.2-litre mass. Everyone starts from the same mask: the authors' method from the file, as theirs
does; SimpleITK and we from the array in memory as well, so that reading does not hide the measuring.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy import ndimage

from measuring import Row, best_of
from quadphase.imaging.lesions import measure_lesions
from quadphase.io.nifti import load_mask, save_mask
from quadphase.model import Grid, Mask

SHAPE = (512, 512, 150)
SPACING = (0.78125, 0.78125, 0.8)
GRID = Grid(SHAPE, np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0]))


def lobulated(center: tuple[float, float, float], radius_mm: float, seed: int) -> np.ndarray:
    """A ball whose surface is dented by smooth noise, as tumours are."""
    axes = [(np.arange(n) - c) * s for n, c, s in zip(SHAPE, center, SPACING, strict=True)]
    reach = [np.abs(a) < 1.3 * radius_mm for a in axes]
    box = tuple(slice(int(np.argmax(r)), int(len(r) - np.argmax(r[::-1]))) for r in reach)
    x, y, z = np.meshgrid(*[a[b] for a, b in zip(axes, box, strict=True)], indexing="ij", sparse=True)
    noise = np.random.default_rng(seed).normal(size=tuple(b.stop - b.start for b in box))
    dents = ndimage.gaussian_filter(noise, 0.12 * radius_mm / np.array(SPACING))
    mask = np.zeros(SHAPE, bool, order="F")
    mask[box] = np.sqrt(x**2 + y**2 + z**2) < radius_mm * (1 + 0.12 * dents / dents.std())
    return mask


def masks() -> dict[str, np.ndarray]:
    """The three masks."""
    rng = np.random.default_rng(1)
    many = np.zeros(SHAPE, bool, order="F")
    for seed in range(27):
        center = (*rng.uniform(60, 450, 2), rng.uniform(15, 135))
        many |= lobulated(center, float(rng.uniform(3, 9)), seed)
    return {
        "75 ml": lobulated((180, 240, 75), 26.2, 0),
        "27 lesions": many,
        "1.2 l": lobulated((200, 250, 75), 58.0, 2),
    }


def authors(path: Path) -> float:
    """What the published script computes for a file, by its own steps: float64 array, 6-connected labels, the largest
    component, hull of all its voxels, every pair of hull vertices in a Python loop, in voxel indices."""
    import nibabel as nib
    from scipy.spatial import ConvexHull

    image = nib.load(path)
    data = (image.get_fdata() > 0).astype(int)
    labels, count = ndimage.label(data)
    sums = ndimage.sum(data, labels, index=np.arange(1, count + 1))
    points = np.argwhere(labels == np.argmax(sums) + 1)
    corners = points[ConvexHull(points).vertices]
    diameter = max(
        np.linalg.norm(corners[a] - corners[b]) for a in range(len(corners)) for b in range(a + 1, len(corners))
    )
    np.any(data > 0, axis=(0, 1)).sum()
    (data > 0).sum()
    return float(diameter)


def simpleitk(image: object) -> tuple[int, list[tuple[int, float]]]:
    """26-connected components, their size and Feret diameter."""
    import SimpleITK as sitk  # noqa: N813 - its own documentation says so

    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.ComputeFeretDiameterOn()
    shape.Execute(sitk.ConnectedComponent(image, True))
    found = [(shape.GetNumberOfPixels(n), shape.GetFeretDiameter(n)) for n in shape.GetLabels()]
    return len(found), sorted(found, reverse=True)


def run() -> Iterable[Row]:
    """Ratios for each mask; the answers are compared too."""
    import SimpleITK as sitk  # noqa: N813 - its own documentation says so

    half_diagonal = float(np.linalg.norm(SPACING)) / 2
    with tempfile.TemporaryDirectory() as folder:
        for name, voxels in masks().items():
            mask = Mask(voxels=voxels, grid=GRID)
            path = save_mask(Path(folder) / "mask.nii.gz", mask)
            image = sitk.ReadImage(str(path)) != 0
            measured = measure_lesions(mask)
            count, theirs = simpleitk(image)
            ours = sorted(((x.voxels, x.max_diameter_mm) for x in measured.lesions), reverse=True)
            assert count == measured.count
            assert all(a[0] == b[0] for a, b in zip(ours, theirs, strict=True))
            worst = max(abs(a[1] - b[1]) for a, b in zip(ours, theirs, strict=True))
            ours_s = best_of(5, lambda mask=mask: measure_lesions(mask))
            file_s = best_of(5, lambda path=path: measure_lesions(load_mask(path)))
            authors_s = best_of(1, lambda path=path: authors(path))
            itk_s = best_of(3, lambda image=image: simpleitk(image))
            yield Row(
                what=f"{name}: authors' script / ours, both from the file",
                value=authors_s / file_s,
                unit="x",
                claim=">= 20",
                detail=f"{authors_s:.2f} s / {file_s:.3f} s",
            )
            yield Row(
                what=f"{name}: SimpleITK with Feret / ours, both in memory",
                value=itk_s / ours_s,
                unit="x",
                claim=">= 5",
                detail=f"{itk_s:.2f} s / {ours_s:.3f} s",
            )
            yield Row(
                what=f"{name}: largest difference of a diameter to SimpleITK",
                value=worst,
                unit="mm",
                claim=f"<= {half_diagonal:.3f}",
            )
