"""Auditing a release: volumes of 512×512×120 with both masks, two workers; against decompression alone; memory.

Windowed volumes as the paper releases them: real texture where QUADPHASE_REAL_DATA is set (real slices stacked to 120
and shifted for each volume), otherwise noise in an ellipse. "Decompression alone" reads the same files with the same
loader on the same two workers and does nothing else: the bound of any check that looks at every voxel.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measuring import Row, peak_memory_mb
from quadphase.audit import audit
from quadphase.io.nifti import load_nifti, save_mask, save_volume
from quadphase.io.release_rows import COLUMNS
from quadphase.io.tables import format_csv
from quadphase.model import Grid, Mask, Phase, Volume

SHAPE = (512, 512, 120)
CASES = 5
WORKERS = 2


def texture() -> NDArray[np.int16]:
    """512×512×120 HU."""
    folder = Path(os.environ.get("QUADPHASE_REAL_DATA") or "/nonexistent") / "multiphase_hcc" / "study"
    if folder.is_dir():
        from quadphase.convert.exam import read_stacks

        parts = [s.load().volume.hu for s in read_stacks([folder]).usable if s.n_slices == 75]
        return np.asfortranarray(np.concatenate(parts, axis=2)[:, :, : SHAPE[2]])
    draw = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(-1, 1, 512), np.linspace(-1, 1, 512), indexing="ij")
    body = np.where((x / 0.8) ** 2 + (y / 0.6) ** 2 < 1, 50, -1000)[:, :, None]
    return np.asfortranarray(np.rint(body + draw.normal(0, 12, SHAPE)).astype(np.int16))


def write_release(root: Path, cases: int) -> list[Path]:
    """A release with the given number of subjects, four volumes each; the files of its images."""
    hu = np.clip(texture(), -200, 200).astype(np.int16)
    grid = Grid(SHAPE, np.diag([-0.78, -0.78, 1.25, 1.0]))
    x, y, z = np.ogrid[-1:1:512j, -1:1:512j, -1:1:120j]
    liver = np.asfortranarray(((x + 0.3) / 0.4) ** 2 + (y / 0.4) ** 2 + (z / 0.95) ** 2 < 1)
    lesion = np.asfortranarray(((x + 0.3) / 0.1) ** 2 + (y / 0.1) ** 2 + (z / 0.2) ** 2 < 1)
    rows, files = [], []
    for n in range(cases):
        for phase in Phase:
            names = [f"{kind}/P{n:04d}_{phase.value}.nii.gz" for kind in ("ct", "lesion", "liver")]
            shifted = np.roll(hu, 7 * n + phase.order, axis=2)
            save_volume(root / names[0], Volume(hu=np.asfortranarray(shifted), grid=grid))
            save_mask(root / names[1], Mask(voxels=lesion, grid=grid))
            save_mask(root / names[2], Mask(voxels=liver, grid=grid))
            rows.append((f"P{n:04d}", 50 + n, "male", phase.value, "HCC", *names))
            files += [root / name for name in names]
    (root / "patient_data.csv").write_text(format_csv(COLUMNS, rows))
    return files


def read_only(path: Path) -> int:
    """Decompress one file."""
    return load_nifti(path).stored.size


def audit_here(root: Path) -> None:
    audit(root)


def run() -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = write_release(root, CASES)
        volumes = len(files) // 3
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
            list(pool.map(read_only, files[:3]))
            start = time.perf_counter()
            list(pool.map(read_only, files))
            bound = time.perf_counter() - start
            start = time.perf_counter()
            report = audit(root, executor=pool)
            seconds = time.perf_counter() - start
        assert len(report.facts) == volumes
        rate = volumes / seconds
        yield Row(what=f"volumes audited a second, {WORKERS} workers", value=rate, unit="/s", claim=">= 3")
        detail = f"{bound:.1f} s of {seconds:.1f} s"
        # The same with the processor time of one process, for machines that are busy with something else.
        start = time.process_time()
        audit(_part(root, 2))
        alone = 8 / (time.process_time() - start)
        yield Row(what=f"… by processor time, {WORKERS} free cores", value=WORKERS * alone, unit="/s")
        yield Row(what="share of the time that is decompression", value=bound / seconds, unit="", detail=detail)
        few = peak_memory_mb(audit_here, _part(root, 2))
        many = peak_memory_mb(audit_here, root)
        yield Row(what="peak memory of one process, 8 volumes", value=few, unit="MB")
        yield Row(
            what=f"… {volumes} volumes, ratio", value=many / few, unit="x", claim="<= 1.1", detail=f"{many:.0f} MB"
        )


def _part(root: Path, cases: int) -> Path:
    """The same files with a table of the first subjects."""
    lines = (root / "patient_data.csv").read_text().splitlines(keepends=True)
    table = root / "first.csv"
    table.write_text("".join(lines[: 1 + 4 * cases]))
    return table


if __name__ == "__main__":
    for row in run():
        print(row)
