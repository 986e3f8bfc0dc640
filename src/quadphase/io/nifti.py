"""NIfTI-1 in and out: the only door through which quadphase images reach disk.

Writing builds the 348-byte header new from the `Grid` (never copied from a source, so nothing can leak) and compresses
with `gzip_stream`. Reading is strict for our images (`load_volume`, `load_mask`) and tolerant for auditing
(`load_nifti`, which shows a file exactly as it is). Headers are parsed by nibabel; pixels never pass through float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from nibabel.nifti1 import Nifti1Header
from numpy.typing import NDArray

from quadphase.errors import InputError, OutputError, UnsupportedDataError
from quadphase.io import atomic
from quadphase.io.access import unreadable
from quadphase.io.gzip_stream import compress, decompress
from quadphase.model import Grid, LabelMap, Mask, Volume

__all__ = [
    "NiftiFile",
    "load_label_map",
    "load_mask",
    "load_nifti",
    "load_volume",
    "require_nifti_name",
    "save_label_map",
    "save_mask",
    "save_volume",
]

HEADER_BYTES: Final = 348
ENDINGS: Final = (".nii", ".nii.gz")
SCANNER_CODE: Final = 1
"""NIFTI_XFORM_SCANNER_ANAT: coordinates of the scanner, as DICOM's patient frame."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NiftiFile:
    """A NIfTI-1 file as it is.

    Parameters
    ----------
    header : nibabel.nifti1.Nifti1Header
    stored : ndarray
        Stored values, before slope and intercept, in the file's shape (3 or more axes), read-only.
    affine : (4, 4) ndarray of float64
        Best affine to RAS+ by nibabel's rules (sform, then qform, then zooms).
    before_voxels : bytes
        Everything between the 348-byte header and the voxels: extension flags and extensions.
    after_voxels : bytes
        Whatever follows the last voxel: nothing, in a file as it should be.
    """

    header: Nifti1Header
    stored: NDArray[Any]
    affine: NDArray[np.float64]
    before_voxels: bytes
    after_voxels: bytes = b""

    @property
    def scaling(self) -> tuple[float, float]:
        """(slope, intercept) that apply; (1, 0) where the file says none."""
        slope, inter = float(self.header["scl_slope"]), float(self.header["scl_inter"])
        if not np.isfinite(slope) or slope == 0:
            return 1.0, 0.0
        return slope, inter if np.isfinite(inter) else 0.0

    def values(self) -> NDArray[Any]:
        """Values with the scaling applied; the stored array itself where there is none."""
        slope, inter = self.scaling
        return self.stored if (slope, inter) == (1.0, 0.0) else self.stored * np.float32(slope) + np.float32(inter)


def load_nifti(path: Path) -> NiftiFile:
    """Read any single-file NIfTI-1, ``.nii`` or ``.nii.gz``, without judging it.

    Raises
    ------
    InputError
        ``"missing-file"``, ``"not-readable"``, ``"corrupt-gzip"``, ``"not-nifti"``, ``"truncated-nifti"``.
    """
    try:
        raw = path.read_bytes()
    except IsADirectoryError:
        raise InputError("not-nifti", f"{path} is a folder, not a NIfTI file", "Name a .nii.gz file") from None
    except OSError as error:
        raise unreadable(error, path) from None
    if raw[:2] == b"\x1f\x8b":
        raw = decompress(raw, where=str(path))
    if len(raw) < HEADER_BYTES + 4 or raw[344:347] not in (b"n+1", b"ni1"):
        raise InputError("not-nifti", f"{path} is not a NIfTI-1 file", "Name a .nii or .nii.gz file")
    try:
        header = Nifti1Header(raw[:HEADER_BYTES], check=False)
        shape = tuple(int(n) for n in header.get_data_shape())
        dtype, offset = header.get_data_dtype(), max(int(header["vox_offset"]), HEADER_BYTES)
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    except Exception as error:  # nibabel raises many kinds for a damaged header
        raise InputError("not-nifti", f"{path} has a damaged NIfTI header: {error}", "Copy it again") from None
    count = int(np.prod(shape, dtype=np.int64))
    if not shape or count < 1 or len(raw) < offset + count * dtype.itemsize:
        raise InputError("truncated-nifti", f"{path} holds fewer voxels than its header says", "Copy it again")
    stored = np.frombuffer(raw, dtype, count, offset).reshape(shape, order="F")
    before, after = raw[HEADER_BYTES:offset], raw[offset + stored.nbytes :]
    return NiftiFile(header=header, stored=stored, affine=affine, before_voxels=before, after_voxels=after)


def _three_axes(file: NiftiFile, path: Path) -> Grid:
    if file.stored.dtype.kind not in "biuf":
        kind = {"V": "colours (RGB)", "c": "complex numbers"}.get(file.stored.dtype.kind, str(file.stored.dtype))
        raise UnsupportedDataError("not-numbers", f"{path} holds {kind}, not one real number a voxel", "Is it a CT?")
    if file.stored.ndim != 3:
        raise UnsupportedDataError("not-3d", f"{path} has {file.stored.ndim} axes, not 3", "Choose one component first")
    shape = file.stored.shape
    return Grid((shape[0], shape[1], shape[2]), file.affine)


def load_volume(path: Path) -> Volume:
    """Read a CT volume of whole HU (int16) or fractional HU (float32).

    Raises
    ------
    InputError, UnsupportedDataError
        As `load_nifti`; ``"not-numbers"`` for colours and complex numbers; ``"not-3d"``; ``"not-hu"`` for values
        outside int16; ``"not-finite"`` for NaN and infinity.
    """
    file = load_nifti(path)
    grid = _three_axes(file, path)
    values = file.values()
    if values.dtype.kind == "f":
        hu = values.astype(np.float32, copy=False)
        whole = np.rint(hu)
        if np.array_equal(whole, hu) and whole.min() >= -32768 and whole.max() <= 32767:
            hu = whole.astype(np.int16)
    elif values.dtype == np.int16:
        hu = values if values.dtype.isnative else values.astype(np.int16)
    elif values.min() >= -32768 and values.max() <= 32767:
        hu = values.astype(np.int16)
    else:
        raise UnsupportedDataError("not-hu", f"{path} holds values outside the range of HU", "Is it a CT?")
    try:
        return Volume(hu=hu, grid=grid)
    except UnsupportedDataError as error:
        raise UnsupportedDataError(error.code, f"{path}: {error.message}", error.hint) from None


def load_label_map(path: Path) -> LabelMap:
    """Read an integer image; float files of whole numbers are accepted.

    Raises
    ------
    InputError, UnsupportedDataError
        As `load_nifti`; ``"not-numbers"``; ``"not-3d"``; ``"not-integer"``.
    """
    file = load_nifti(path)
    grid = _three_axes(file, path)
    values = file.values()
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # what is not finite differs from any integer below
            whole = values.astype(np.int32)
        if not np.array_equal(whole, values):
            raise UnsupportedDataError("not-integer", f"{path} holds fractions, not labels", "Export it as labels")
        values = whole
    return LabelMap(labels=values, grid=grid)


def load_mask(path: Path) -> Mask:
    """Read a mask: every non-zero voxel is True; use `load_label_map` where the values matter."""
    return load_label_map(path).mask()


def require_nifti_name(path: Path) -> Path:
    """Refuse to write NIfTI under a name that says something else.

    Raises
    ------
    OutputError
        ``"not-nifti-name"``.
    """
    if not path.name.endswith(ENDINGS):
        raise OutputError("not-nifti-name", f"{path} does not end in .nii or .nii.gz", "Name a NIfTI file")
    return path


def _save(path: Path, array: NDArray[Any], grid: Grid, *, description: str, threads: int, overwrite: bool) -> Path:
    require_nifti_name(path)
    header = Nifti1Header()
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_xyzt_units("mm", "sec")
    header.set_sform(grid.affine, code=SCANNER_CODE)
    # A quaternion cannot hold shear: then only the sform speaks.
    header.set_qform(grid.affine, code=SCANNER_CODE if grid.is_orthogonal else 0, strip_shears=True)
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    header["vox_offset"] = HEADER_BYTES + 4
    header["descrip"] = description.encode("ascii")
    header["regular"] = b""
    head = bytes(header.binaryblock) + b"\0\0\0\0"
    body = np.ascontiguousarray(array.T).data
    compressed = path.name.endswith(".gz")
    pieces = compress((head, body), threads=threads) if compressed else iter((head, body.cast("B").tobytes()))
    return atomic.write_bytes(path, pieces, overwrite=overwrite)


def save_volume(path: Path, volume: Volume, *, description: str = "", threads: int = 2, overwrite: bool = True) -> Path:
    """Write HU with slope 1 in their true geometry; a name ending in ``.gz`` is compressed.

    Parameters
    ----------
    description : str
        ASCII text for the `descrip` field (80 bytes), such as a resampling that was asked for. Empty by default.

    Raises
    ------
    OutputError
        ``"not-nifti-name"``; as `atomic.write_bytes`.
    """
    return _save(path, volume.hu, volume.grid, description=description, threads=threads, overwrite=overwrite)


def save_mask(path: Path, mask: Mask, *, threads: int = 2, overwrite: bool = True) -> Path:
    """Write a mask as uint8 0 and 1."""
    return _save(path, mask.voxels.view(np.uint8), mask.grid, description="", threads=threads, overwrite=overwrite)


def save_label_map(path: Path, label_map: LabelMap, *, threads: int = 2, overwrite: bool = True) -> Path:
    """Write labels as the smallest of uint8 and int16 that holds them.

    Raises
    ------
    UnsupportedDataError
        ``"label-too-large"`` where neither does.
    OutputError
        As `save_volume`.
    """
    labels = label_map.labels
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < -32768 or highest > 32767:
        raise UnsupportedDataError(
            "label-too-large", f"Labels {lowest}…{highest} do not fit {path}: 16 bits hold them", "Number them anew"
        )
    kind = np.uint8 if lowest >= 0 and highest <= 255 else np.int16
    return _save(path, labels.astype(kind), label_map.grid, description="", threads=threads, overwrite=overwrite)
