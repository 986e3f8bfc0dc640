"""`slices.csv`: where each slice of a volume came from and how its stored values became HU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quadphase.convert.exam import Stack
from quadphase.io.pseudonyms import keyed_hash
from quadphase.io.tables import format_csv
from quadphase.model import Grid

__all__ = ["COLUMNS", "slice_table"]

COLUMNS = ("k", "r_mm", "a_mm", "s_mm", "instance", "sop", "slope", "intercept", "source")


def slice_table(stack: Stack, key: bytes | None) -> str:
    """CSV text, one row a slice of the volume, ascending in k.

    ``r_mm, a_mm, s_mm`` is the RAS position of the centre of voxel (0, 0, k); ``sop`` the keyed hash of the SOP
    instance UID (NA without a key); ``source`` is ``acquired``, or ``interpolated`` for a slice that no single file
    holds.
    """
    grid = stack.proved_grid
    changed = bool(stack.changes)
    rows: list[Sequence[object]] = []
    normal_places = stack.geometry.along_mm
    targets = _along(grid, stack)
    for k in range(grid.shape[2]):
        r, a, s = (round(float(x), 6) for x in grid.world_from_index((0, 0, k)))
        nearest = int(np.abs(normal_places - targets[k]).argmin())
        acquired = not changed or (
            abs(float(normal_places[nearest] - targets[k])) < 1e-4 and all(c.kind != "deskew" for c in stack.changes)
        )
        if not acquired:
            rows.append((k, r, a, s, None, None, None, None, "interpolated"))
            continue
        h = stack.headers[nearest]
        uid = f"{h.origin.sop_instance_uid}\0{h.origin.frame}" if h.origin.frame else h.origin.sop_instance_uid
        hashed = keyed_hash(key, "sop", uid) if key and h.origin.sop_instance_uid else None
        rows.append((k, r, a, s, h.acquisition.instance_number, hashed, h.pixels.slope, h.pixels.intercept, "acquired"))
    return format_csv(COLUMNS, rows)


def _along(grid: Grid, stack: Stack) -> np.ndarray:
    from quadphase.model import lps_from_ras

    lps = lps_from_ras(grid.affine)
    normal = stack.headers[0].plane.normal
    return np.array([float(normal @ (lps[:3, 3] + k * lps[:3, 2])) for k in range(grid.shape[2])])
