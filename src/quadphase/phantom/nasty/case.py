"""What a nasty series is: a folder of DICOM files and the truth about the stacks in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quadphase.model import Grid, Phase, Volume, lps_from_ras
from quadphase.phantom.dicom import Slice
from quadphase.phantom.fields import SmoothField, rng_of

__all__ = ["ExpectedStack", "NastyBuilder", "NastyCase", "stack_of", "texture"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpectedStack:
    """One stack a correct reader finds.

    Parameters
    ----------
    hu : (I, J, K) ndarray
        Hounsfield units, in-plane order as in DICOM, k ascending along the slice normal (row × column direction).
    positions_mm : (K, 3) ndarray of float64
        ImagePositionPatient of each slice, LPS.
    affine : (4, 4) ndarray of float64 or None
        Index to RAS+ millimetres; None where no single affine is right (uneven spacing, a gap).
    problems : tuple of str
        What must be found or refused: ``gap``, ``duplicate``, ``conflict``, ``tilt``, ``uneven``, ``one-slice``,
        ``fractional-slope``, ``padding``, ``truncated``.
    phase : Phase or None
        For series that mix phases.
    """

    hu: NDArray[Any]
    positions_mm: NDArray[np.float64]
    affine: NDArray[np.float64] | None
    problems: tuple[str, ...] = ()
    phase: Phase | None = None

    @property
    def n_slices(self) -> int:
        return int(self.hu.shape[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class NastyCase:
    """A folder and its truth.

    Parameters
    ----------
    name : str
    folder : Path
    stacks : tuple of ExpectedStack
    paths : tuple of Path
        Files written.
    note : str
        What is nasty about it.
    """

    name: str
    folder: Path
    stacks: tuple[ExpectedStack, ...]
    paths: tuple[Path, ...] = field(repr=False)
    note: str = ""


NastyBuilder = Callable[[Path], NastyCase]


def texture(seed: int = 0, *, shape: tuple[int, int, int] = (40, 32, 12), affine: Any = None) -> Volume:
    """A small volume no two voxels of which look alike: smooth HU from -900 to 900, not square, not symmetric.

    Parameters
    ----------
    affine : (4, 4) array_like, optional
        Index to RAS+; default axial, 1.5 × 1.25 × 5 mm.
    """
    axes = [np.arange(n, dtype=np.float32) for n in (shape[0], shape[1], shape[2])]
    field_ = SmoothField.seeded(rng_of(seed, "texture"), 5.0).on_axes(*axes).transpose(2, 1, 0)
    ramp = axes[0][:, None, None] * 5 - axes[1][None, :, None] * 3 + axes[2][None, None, :] * 17
    hu = np.clip(np.rint(200 * field_ + ramp), -900, 900).astype(np.int16)
    if affine is None:
        affine = [[-1.5, 0, 0, 30], [0, -1.25, 0, 21], [0, 0, 5, -112.5], [0, 0, 0, 1]]
    return Volume(hu=hu, grid=Grid(shape, affine))


def stack_of(
    slices: Sequence[Slice], *, affine: bool = True, problems: tuple[str, ...] = (), phase: Phase | None = None
) -> ExpectedStack:
    """The stack some slices form when sorted along their normal.

    Parameters
    ----------
    affine : bool
        Whether positions are regular, so that one affine holds.
    """
    first = slices[0]
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    normal = np.cross(row, column)
    ordered = sorted(slices, key=lambda s: float(np.dot(normal, s.position_mm)))
    positions = np.array([s.position_mm for s in ordered], dtype=np.float64)
    matrix = None
    if affine and len(ordered) > 1:
        lps = np.eye(4)
        lps[:3, 0] = row * first.pixel_spacing_mm[1]
        lps[:3, 1] = column * first.pixel_spacing_mm[0]
        lps[:3, 2] = (positions[-1] - positions[0]) / (len(ordered) - 1)
        lps[:3, 3] = positions[0]
        matrix = lps_from_ras(lps)
    hu = np.stack([s.hu.T for s in ordered], axis=2)
    return ExpectedStack(hu=hu, positions_mm=positions, affine=matrix, problems=problems, phase=phase)
