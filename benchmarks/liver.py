"""The built-in liver finder: seconds on one core and memory of a phase, overlap with masks where there are any.

No peer runs here (networks need downloads); the claims are absolute. Seconds are processor seconds of one thread, so
a busy machine does not blur them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from measuring import Row, peak_memory_mb

from quadphase.localize import find_liver_in
from quadphase.model import Diagnosis, Mask, Phase, Volume

SHAPE, SPACING_MM = (512, 512, 150), (0.78, 0.78, 2.0)
"""A thin abdominal phase as in PLC-CECT."""


def run() -> Iterable[Row]:
    """Measure on a phantom, and on real scans where QUADPHASE_REAL_DATA names them."""
    volume, liver = _phantom()
    seconds, overlap = _measure(volume, liver)
    what = f"phantom {SHAPE[0]}x{SHAPE[1]}x{SHAPE[2]}"
    yield Row(what=f"{what}: processor time of one phase", value=seconds, unit="s", claim="<= 10")
    yield Row(what=f"{what}: Dice", value=overlap, unit="", claim=">= 0.93")
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"quadphase-liver-{os.getpid()}.npz"  # noqa: S108
    try:
        np.savez(path, hu=volume.hu, affine=volume.grid.affine)
        peak = peak_memory_mb(_find, str(path), True)
        base = peak_memory_mb(_find, str(path), False)
    finally:
        path.unlink(missing_ok=True)
    detail = f"{base:.0f} MB of it with only the volume loaded"
    yield Row(what=f"{what}: peak memory", value=peak, unit="MB", claim="<= 600", detail=detail)
    folder = Path(os.environ.get("QUADPHASE_REAL_DATA", "") or "/nonexistent") / "compressed_ct" / "plain_3mm"
    if folder.is_dir():
        from quadphase.io.nifti import load_mask, load_volume

        seconds, overlap = _measure(load_volume(folder / "ct.nii.gz"), load_mask(folder / "liver.nii.gz"))
        yield Row(
            what="real plain scan, 3 mm: Dice", value=overlap, unit="", claim=">= 0.90", detail=f"{seconds:.1f} s"
        )


def _phantom() -> tuple[Volume, Mask]:
    from quadphase.phantom.anatomy import render_phase
    from quadphase.phantom.patient import PatientSpec

    drawn = render_phase(PatientSpec(seed=11, diagnosis=Diagnosis.CN), Phase.C2, shape=SHAPE, spacing_mm=SPACING_MM)
    return drawn.volume, drawn.liver


def _measure(volume: Volume, truth: Mask) -> tuple[float, float]:
    start = time.process_time()
    found = find_liver_in(volume).mask.voxels
    seconds = time.process_time() - start
    both = np.count_nonzero(found & truth.voxels)
    return seconds, 2 * both / (np.count_nonzero(found) + np.count_nonzero(truth.voxels))


def _find(path: str, search: bool) -> None:
    from quadphase.model import Grid

    with np.load(path) as stored:
        volume = Volume(hu=stored["hu"], grid=Grid(SHAPE, stored["affine"]))
    if search:
        find_liver_in(volume)
