"""The built-in liver finder: seconds on one core and memory of a phase, overlap with masks where there are any.

No peer runs here (networks need downloads); the claims are absolute. Seconds are processor seconds of one thread, so
a busy machine does not blur them.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from measuring import Row, peak_memory_mb
from quadphase.io.nifti import load_mask, load_volume
from quadphase.localize import find_liver_in
from quadphase.model import Diagnosis, Grid, Mask, Phase, Volume

SHAPE, SPACING_MM = (512, 512, 150), (0.78, 0.78, 2.0)
"""A thin abdominal phase as in PLC-CECT."""


def run() -> Iterable[Row]:
    """Measure on a phantom, and on real scans where QUADPHASE_REAL_DATA names them."""
    what = f"phantom {SHAPE[0]}x{SHAPE[1]}x{SHAPE[2]}"
    with tempfile.TemporaryDirectory(prefix="quadphase-liver-") as folder:
        path = Path(folder) / "phantom.npz"
        # A child starts with its parent's peak, so the phantom is drawn elsewhere and memory measured first.
        drawing = multiprocessing.get_context("spawn").Process(target=_draw, args=(path,))
        drawing.start()
        drawing.join()
        if drawing.exitcode:
            raise RuntimeError("the phantom could not be drawn")
        base, peak = peak_memory_mb(_load, path), peak_memory_mb(_find, path)
        detail = f"{base:.0f} MB with only the volume loaded"
        yield Row(what=f"{what}: peak memory", value=peak, unit="MB", claim="<= 600", detail=detail)
        with np.load(path) as stored:
            truth = Mask(voxels=stored["liver"], grid=Grid(SHAPE, stored["affine"]))
        seconds, overlap = _measure(_load(path), truth)
    yield Row(what=f"{what}: processor time of one phase", value=seconds, unit="s", claim="<= 10")
    yield Row(what=f"{what}: Dice", value=overlap, unit="", claim=">= 0.93")
    real = Path(os.environ.get("QUADPHASE_REAL_DATA", "") or "/nonexistent") / "compressed_ct" / "plain_3mm"
    if real.is_dir():
        seconds, overlap = _measure(load_volume(real / "ct.nii.gz"), load_mask(real / "liver.nii.gz"))
        yield Row(
            what="real plain scan, 3 mm: Dice", value=overlap, unit="", claim=">= 0.90", detail=f"{seconds:.1f} s"
        )


def _draw(path: Path) -> None:
    from quadphase.phantom.anatomy import render_phase
    from quadphase.phantom.patient import PatientSpec

    spec = PatientSpec(seed=11, diagnosis=Diagnosis.CN)
    drawn = render_phase(spec, Phase.C2, shape=SHAPE, spacing_mm=SPACING_MM)
    np.savez(path, hu=drawn.volume.hu, liver=drawn.liver.voxels, affine=drawn.volume.grid.affine)


def _load(path: Path) -> Volume:
    with np.load(path) as stored:
        return Volume(hu=stored["hu"], grid=Grid(SHAPE, stored["affine"]))


def _find(path: Path) -> None:
    find_liver_in(_load(path))


def _measure(volume: Volume, truth: Mask) -> tuple[float, float]:
    start = time.process_time()
    found = find_liver_in(volume).mask.voxels
    seconds = time.process_time() - start
    both = np.count_nonzero(found & truth.voxels)
    return seconds, 2 * both / (np.count_nonzero(found) + np.count_nonzero(truth.voxels))
