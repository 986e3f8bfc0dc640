"""`Grid`: where the voxels of an array are in the patient, and `Box`: a part of such an array.

One convention inside quadphase: **RAS+ millimetres**, arrays ``(I, J, K)``, index (0, 0, 0) at the *centre* of the
first voxel. LPS, DICOM's frame, exists only at the border: `lps_from_ras` is its own inverse. A `Grid` may be sheared
(gantry tilt is representable) and of either handedness; it refuses only what has no meaning (singular, non-finite,
empty).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quadphase.errors import GeometryError

__all__ = ["GEOMETRY_TOLERANCE_MM", "LPS_FROM_RAS", "Box", "Grid", "lps_from_ras"]

LPS_FROM_RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
LPS_FROM_RAS.setflags(write=False)

GEOMETRY_TOLERANCE_MM: Final = 0.01
"""Two positions closer than this are the same place: ten times the rounding of DICOM decimal strings with two
decimals, a fortieth of the finest CT voxel."""


def lps_from_ras(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert an index-to-RAS affine to index-to-LPS, or back (the map is its own inverse).

    Parameters
    ----------
    affine : (4, 4) ndarray of float64
        Index to world, millimetres.
    """
    return np.asarray(LPS_FROM_RAS @ affine, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open box of array indices, ``start <= index < stop`` on each axis, 0-based.

    Parameters
    ----------
    start, stop : (int, int, int)
        ``0 <= start < stop``.

    Raises
    ------
    GeometryError
        If empty or negative (``code`` ``"empty-box"``).
    """

    start: tuple[int, int, int]
    stop: tuple[int, int, int]

    def __post_init__(self) -> None:
        start = tuple(int(v) for v in self.start)
        stop = tuple(int(v) for v in self.stop)
        if len(start) != 3 or len(stop) != 3 or any(not 0 <= a < b for a, b in zip(start, stop, strict=True)):
            raise GeometryError("empty-box", f"A box needs 0 <= start < stop on three axes, not {start}..{stop}")
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "stop", stop)

    @classmethod
    def whole(cls, shape: tuple[int, int, int]) -> Box:
        """The box that holds an array of this shape."""
        return cls((0, 0, 0), shape)

    @classmethod
    def of_slices(cls, shape: tuple[int, int, int], first: int, stop: int) -> Box:
        """All of the plane, slices ``first <= k < stop``."""
        return cls((0, 0, first), (shape[0], shape[1], stop))

    @property
    def shape(self) -> tuple[int, int, int]:
        a, b = self.start, self.stop
        return (b[0] - a[0], b[1] - a[1], b[2] - a[2])

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Index expression for an ``(I, J, K)`` array."""
        a, b = self.start, self.stop
        return (slice(a[0], b[0]), slice(a[1], b[1]), slice(a[2], b[2]))

    def fits(self, shape: tuple[int, int, int]) -> bool:
        """Whether the box lies inside an array of this shape."""
        return all(b <= n for b, n in zip(self.stop, shape, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Shape of an array and the affine that maps its indices to RAS+ millimetres.

    Parameters
    ----------
    shape : (int, int, int)
        Number of voxels along I, J, K; each at least 1.
    affine : (4, 4) array_like of float
        Index (voxel centre, 0-based) to RAS+ world, millimetres. Copied, read-only.

    Raises
    ------
    GeometryError
        ``"bad-shape"``, ``"bad-affine"``.

    Examples
    --------
    >>> grid = Grid((512, 512, 60), [[-0.78, 0, 0, 200], [0, -0.78, 0, 200], [0, 0, 5, -300], [0, 0, 0, 1]])
    >>> grid.axis_codes
    ('L', 'P', 'S')
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError("bad-shape", f"A grid needs three sizes of at least 1, not {shape}")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or not np.array_equal(affine[3], [0, 0, 0, 1]):
            raise GeometryError("bad-affine", "An affine must be a finite 4x4 matrix with last row 0 0 0 1")
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        # The determinant of the unit axes is the sine-volume they span: 0 means two axes coincide.
        if spacing.min() <= 0 or abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-3:
            raise GeometryError("bad-affine", "An affine must have three independent axes of positive length")
        affine.setflags(write=False)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along I, J, K."""
        a, b, c = np.linalg.norm(self.affine[:3, :3], axis=0)
        return (float(a), float(b), float(c))

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """RAS+ position of the centre of voxel (0, 0, 0)."""
        x, y, z = self.affine[:3, 3]
        return (float(x), float(y), float(z))

    @property
    def voxel_volume_mm3(self) -> float:
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @property
    def voxel_volume_ml(self) -> float:
        return self.voxel_volume_mm3 / 1000.0

    @property
    def axis_codes(self) -> tuple[str, str, str]:
        """Direction each array axis runs towards, e.g. ``('L', 'P', 'S')``; nearest for oblique grids."""
        axes = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        order = _closest_axes(axes)
        codes = [("L", "R"), ("P", "A"), ("I", "S")]
        a, b, c = (codes[w][int(axes[w, i] > 0)] for i, w in enumerate(order))
        return (a, b, c)

    @property
    def is_orthogonal(self) -> bool:
        """Whether the axes are perpendicular within 1e-3 (cosine), highdicom's tolerance."""
        axes = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        return bool(np.abs(axes.T @ axes - np.eye(3)).max() < 1e-3)

    def world_from_index(self, index: ArrayLike) -> NDArray[np.float64]:
        """RAS+ positions in millimetres, ``(..., 3)``, of voxel indices ``(..., 3)``."""
        points = np.asarray(index, dtype=np.float64)
        return np.asarray(points @ self.affine[:3, :3].T + self.affine[:3, 3])

    def index_from_world(self, world_mm: ArrayLike) -> NDArray[np.float64]:
        """Fractional voxel indices, ``(..., 3)``, of RAS+ positions ``(..., 3)`` in millimetres."""
        inverse = np.linalg.inv(self.affine)
        points = np.asarray(world_mm, dtype=np.float64)
        return np.asarray(points @ inverse[:3, :3].T + inverse[:3, 3])

    def corners_mm(self) -> NDArray[np.float64]:
        """RAS+ centres of the eight corner voxels, ``(8, 3)``."""
        last = np.array(self.shape) - 1
        return self.world_from_index(np.array(np.meshgrid(*[(0, n) for n in last])).reshape(3, -1).T)

    def crop(self, box: Box) -> Grid:
        """Grid of the part of the array inside `box`; every kept voxel keeps its world position.

        Raises
        ------
        GeometryError
            ``"box-outside"`` if the box does not fit.
        """
        if not box.fits(self.shape):
            raise GeometryError("box-outside", f"Box {box.start}..{box.stop} does not fit shape {self.shape}")
        affine = self.affine.copy()
        affine[:3, 3] = self.world_from_index(box.start)
        return Grid(box.shape, affine)

    def is_close(self, other: Grid, *, tolerance_mm: float = GEOMETRY_TOLERANCE_MM) -> bool:
        """Whether shapes agree and every corner voxel is within `tolerance_mm` of the other's."""
        if self.shape != other.shape:
            return False
        return bool(np.abs(self.corners_mm() - other.corners_mm()).max() <= tolerance_mm)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        return self.shape == other.shape and np.array_equal(self.affine, other.affine)

    def __hash__(self) -> int:
        return hash((self.shape, self.affine.tobytes()))


def _closest_axes(axes: NDArray[np.float64]) -> tuple[int, int, int]:
    """World axis (0 R, 1 A, 2 S) nearest to each array axis, each used once; the strongest match first."""
    weight = np.abs(axes).copy()
    order = [0, 0, 0]
    for _ in range(3):
        world, array = divmod(int(weight.argmax()), 3)
        order[array] = world
        weight[world, :] = -1.0
        weight[:, array] = -1.0
    return (order[0], order[1], order[2])
