"""DICOM series to a clean volume: against the authors' chain and dcm2niix, same files, same machine, same minute.

The series has 150 slices of 512 × 512 pixels: real CT where QUADPHASE_REAL_DATA is set (arterial and venous of one
exam stacked into one range), otherwise a smooth phantom with scanner noise. All files are in the page cache for every
contestant. The authors' chain is theirs step by step (SimpleITK merge, crop of slices through nibabel, window in
float64, header edit, a .nii.gz after each).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from measuring import Row, best_of, peak_memory_mb
from quadphase.convert.exam import read_stacks
from quadphase.imaging.window import window
from quadphase.io.nifti import save_volume
from quadphase.model import Box, Grid, Volume
from quadphase.phantom.dicom import write_series

SLICES, FIRST, STOP = 150, 20, 120
"""Liver range of the crop, 0-based half-open; the same for every contestant."""
JPEG2000_LOSSLESS = "1.2.840.10008.1.2.4.90"


def real_volume() -> Volume | None:
    """150 slices of real CT, or None."""
    root = os.environ.get("QUADPHASE_REAL_DATA")
    folder = Path(root or "/nonexistent") / "multiphase_hcc" / "study"
    if not folder.is_dir():
        return None
    parts = [s.load().volume for s in read_stacks([folder]).usable if s.n_slices == 75]
    hu = np.concatenate([part.hu for part in parts], axis=2)
    return Volume(hu=hu, grid=Grid((512, 512, 150), parts[0].grid.affine))


def synthetic_volume(slices: int = SLICES) -> Volume:
    """An ellipse of soft tissue in air with scanner noise: compresses about as CT does."""
    draw = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(-1, 1, 512), np.linspace(-1, 1, 512), indexing="ij")
    body = np.where((x / 0.8) ** 2 + (y / 0.6) ** 2 < 1, 50, -1000)[:, :, None]
    hu = np.empty((512, 512, slices), dtype=np.int16, order="F")
    for k in range(slices):
        noise = draw.normal(0, 12, (512, 512))
        hu[:, :, k] = np.clip(np.rint(body[:, :, 0] + noise), -1024, 3071)
    return Volume(hu=hu, grid=Grid((512, 512, slices), np.diag([-0.7, -0.7, 1.0, 1.0])))


def ours(folder: Path, out: Path) -> None:
    """DICOM folder → proved, cropped, windowed, clean ct.nii.gz."""
    (stack,) = read_stacks([folder]).usable
    volume = stack.load().volume
    cropped = volume.crop(Box.of_slices(volume.grid.shape, FIRST, STOP))
    save_volume(out / "ct.nii.gz", window(cropped, lower_hu=-200, upper_hu=200))


def ours_whole(folder: Path, out: Path) -> None:
    """DICOM folder → proved full-range .nii.gz: what dcm2niix does."""
    (stack,) = read_stacks([folder]).usable
    save_volume(out / "ct.nii.gz", stack.load().volume)


def authors(folder: Path, out: Path) -> None:
    """The published chain, file by file."""
    import nibabel as nib
    import SimpleITK as sitk  # noqa: N813 - its own documentation says so

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    sitk.WriteImage(reader.Execute(), str(out / "merged.nii.gz"))
    image = nib.load(out / "merged.nii.gz")
    data = image.get_fdata()
    nib.save(nib.Nifti1Image(data[:, :, FIRST:STOP], image.affine, image.header), out / "cropped.nii.gz")
    image = nib.load(out / "cropped.nii.gz")
    data = np.clip(image.get_fdata(), -200, 200)
    nib.save(nib.Nifti1Image(data, image.affine, image.header), out / "windowed.nii.gz")
    image = nib.load(out / "windowed.nii.gz")
    header = image.header.copy()
    for field in ("descrip", "aux_file", "db_name"):
        header[field] = b""
    nib.save(nib.Nifti1Image(image.dataobj, image.affine, header), out / "ct.nii.gz")


def dcm2niix(folder: Path, out: Path) -> None:
    """Conversion alone, compressed by its default (pigz where there, else its own)."""
    program = Path(sys.executable).with_name("dcm2niix")
    command = [str(program) if program.exists() else "dcm2niix", "-z", "y", "-b", "n", "-o", str(out), str(folder)]
    subprocess.run(command, check=True, capture_output=True)


Way = Callable[[Path, Path], None]


def _race(ways: dict[str, Way], folder: Path, *, rounds: int) -> dict[str, float]:
    """Shortest seconds of each way; they take turns, so that a busy minute of the machine hits all of them."""
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            seconds[name] = min(seconds[name], _timed(way, folder))
    return seconds


def _timed(way: Way, folder: Path) -> float:
    def once() -> None:
        with tempfile.TemporaryDirectory() as out:
            way(folder, Path(out))

    return best_of(1, once)


def _memory(folder: str, whole: bool) -> None:
    with tempfile.TemporaryDirectory() as out:
        (ours_whole if whole else ours)(Path(folder), Path(out))


def run() -> Iterable[Row]:
    """Ratios; larger is faster."""
    work = Path(tempfile.mkdtemp())
    try:
        volume = real_volume() or synthetic_volume()
        write_series(volume, work / "plain")
        write_series(Volume(hu=volume.hu[:, :, :40], grid=volume.grid.crop(Box.of_slices(volume.grid.shape, 0, 40))),
                     work / "j2k", transfer_syntax=JPEG2000_LOSSLESS)  # fmt: skip
        took = _race({"ours": ours, "alone": ours_whole, "dcm2niix": dcm2niix}, work / "plain", rounds=5)
        chain = _timed(authors, work / "plain")
        mine, alone, peer = took["ours"], took["alone"], took["dcm2niix"]
        yield Row(what="crop, window, clean vs authors' chain", value=chain / mine, unit="x", claim=">= 15",
                  detail=f"{chain:.2f} s / {mine:.2f} s")  # fmt: skip
        yield Row(what="crop, window, clean vs dcm2niix -z y alone", value=peer / mine, unit="x", claim=">= 3",
                  detail=f"{peer:.2f} s / {mine:.2f} s")  # fmt: skip
        yield Row(what="converting alone vs dcm2niix -z y", value=peer / alone, unit="x", claim=">= 5",
                  detail=f"{peer:.2f} s / {alone:.2f} s")  # fmt: skip
        took = _race({"alone": ours_whole, "dcm2niix": dcm2niix}, work / "j2k", rounds=2)
        ratio = took["dcm2niix"] / took["alone"]
        yield Row(what="JPEG 2000 source vs dcm2niix -z y", value=ratio, unit="x", claim=">= 1",
                  detail=f"{took['dcm2niix']:.2f} s / {took['alone']:.2f} s, 40 slices")  # fmt: skip
        size = volume.hu.nbytes / 1e6
        for label, flag in (("crop, window, clean", False), ("converting alone", True)):
            peak = peak_memory_mb(_memory, str(work / "plain"), flag)
            yield Row(what=f"peak memory, {label}", value=peak, unit="MB", claim="<= 500")
            yield Row(what=f"peak memory over volume, {label}", value=peak / size, unit="volumes", claim="<= 3")
        shutil.rmtree(work / "plain")
        yield from _linear(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _linear(work: Path) -> Iterable[Row]:
    """Milliseconds a slice from 50 to 1,000 slices."""
    costs = {}
    for slices in (50, 200, 1000):
        write_series(synthetic_volume(slices), work / f"n{slices}")
        costs[slices] = min(_timed(ours_whole, work / f"n{slices}") for _ in range(3)) / slices * 1e3
        shutil.rmtree(work / f"n{slices}")
    detail = ", ".join(f"{n}: {ms:.2f} ms/slice" for n, ms in costs.items())
    yield Row(
        what="cost a slice, 1,000 slices over 50",
        value=costs[1000] / costs[50],
        unit="of",
        claim="<= 1.5",
        detail=detail,
    )


if __name__ == "__main__":
    for row in run():
        print(row)
