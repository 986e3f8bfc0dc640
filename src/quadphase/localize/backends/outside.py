"""Run an outside liver finder on one scan, and check what it wrote before believing it.

The scan goes to a temporary folder as NIfTI under a neutral name, the program runs without a shell, and its mask must
exist, load, hold one organ and lie on the grid of the scan. A volume no liver has costs it its confidence. What the
program prints is shown only when it fails, and only its end.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quadphase.errors import QuadphaseError
from quadphase.io.nifti import load_label_map, save_volume
from quadphase.localize.results import LiverFlag, LiverResult, LocalizeError, NoLiverError, NoLiverReason
from quadphase.localize.slices import slices_with_liver
from quadphase.model import Mask, Phase, Volume, require_same_grid

TIMEOUT_S = 3600
"""A network on a slow processor takes minutes; an hour means it hangs."""

PLAUSIBLE_ML = (600.0, 3500.0)
"""Livers of adults, healthy to huge tumours; outside, a person should look. A part may be smaller, nothing larger."""


def require_program(program: str, *, hint: str) -> str:
    """Path of a program on PATH.

    Raises
    ------
    LocalizeError
        ``missing-program``.
    """
    path = shutil.which(program)
    if path is None:
        raise LocalizeError("missing-program", f"The program {program} is not on PATH", hint)
    return path


def find_with(
    phases: Mapping[Phase, Volume], name: str, line: Callable[[Path, Path], tuple[Sequence[str], Path]]
) -> dict[Phase, LiverResult]:
    """Run one program per phase.

    Parameters
    ----------
    phases : mapping of Phase to Volume
    name : str
        For messages.
    line : callable
        From the path of the scan and an empty folder to the command line and the path of the mask it will write.

    Returns
    -------
    dict of Phase to LiverResult

    Raises
    ------
    LocalizeError
        ``program-failed``, ``program-timeout``, ``no-mask``, ``bad-mask``.
    NoLiverError
        If every mask is empty.
    """
    results = {phase: _result(_run(volume, name, line), volume) for phase, volume in phases.items()}
    if not any(result.k_range[1] for result in results.values()):
        raise NoLiverError(
            NoLiverReason.NO_LIVER_TISSUE, f"{name} found no liver in any phase", "Is it an abdominal scan?"
        )
    return results


def _run(volume: Volume, name: str, line: Callable[[Path, Path], tuple[Sequence[str], Path]]) -> Mask:
    with tempfile.TemporaryDirectory(prefix="quadphase-liver-") as folder:
        ct, out = Path(folder) / "ct.nii.gz", Path(folder) / "out"
        out.mkdir()
        save_volume(ct, volume)
        command, mask = line(ct, out)
        try:
            # What a program prints may be in any encoding (GBK on a Chinese machine); it is only shown.
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_S,
                check=False,
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            raise LocalizeError(
                "program-timeout", f"{name} did not finish within {TIMEOUT_S} s", "Try it on one scan by hand"
            ) from None
        except OSError as error:
            raise LocalizeError("program-failed", f"{name} cannot start: {error.strerror}", "Check the path") from None
        if done.returncode != 0:
            said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])[-300:].replace(folder, "…")
            raise LocalizeError(
                "program-failed", f"{name} ended with status {done.returncode}: {said}", "Try it on one scan by hand"
            )
        if not mask.is_file():
            raise LocalizeError(
                "no-mask", f"{name} ended well but wrote no {mask.name}", "Does the command write the mask it was told?"
            )
        return _load(mask, volume, name)


def _load(path: Path, volume: Volume, name: str) -> Mask:
    try:
        labels = load_label_map(path)
        require_same_grid(labels.grid, volume.grid, what=f"The CT and the mask of {name}")
    except QuadphaseError as error:
        raise LocalizeError(
            "bad-mask", f"{name} wrote a mask that cannot be used: {error.message}", error.hint
        ) from error
    mask = np.asarray(labels.labels != 0)
    if not _is_one_organ(labels.labels, mask):
        raise LocalizeError(
            "bad-mask",
            f"{name} wrote several values, so which of them is liver cannot be told",
            "Make it write 0 and one value above 0",
        )
    return Mask(voxels=mask, grid=volume.grid)


def _is_one_organ(labels: NDArray[Any], mask: NDArray[np.bool_]) -> bool:
    """0 and at most one positive value: not a copy of the scan, nor the labels of many organs."""
    top = labels.max()
    return bool(labels.min() >= 0 and np.count_nonzero(labels == top) == np.count_nonzero(mask)) or not mask.any()


def _result(mask: Mask, volume: Volume) -> LiverResult:
    first, stop = slices_with_liver(mask)
    if stop == 0:
        return LiverResult(
            mask=mask, confidence=0.0, k_range=(0, 0), reasons=("the mask is empty",), flags=(LiverFlag.NOT_COVERED,)
        )
    confidence, reasons, flags = 1.0, [], []
    ends = (stop == volume.grid.shape[2], first == 0)
    upward = volume.grid.affine[2, 2] > 0
    top, bottom = ends if upward else ends[::-1]
    for cut, flag, end in ((top, LiverFlag.TOP_CUT, "uppermost"), (bottom, LiverFlag.BOTTOM_CUT, "lowest")):
        if cut:
            reasons.append(f"liver in the {end} slice")
            flags.append(flag)
    least = 0.0 if flags else PLAUSIBLE_ML[0]
    if not least <= mask.volume_ml <= PLAUSIBLE_ML[1]:
        confidence = 0.4
        reasons.append(f"{mask.volume_ml:.0f} ml")
        flags.append(LiverFlag.VOLUME_UNUSUAL)
    return LiverResult(
        mask=mask, confidence=confidence, k_range=(first, stop), reasons=tuple(reasons), flags=tuple(flags)
    )
