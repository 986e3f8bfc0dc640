"""Write CT series as DICOM files: the honest ones of the hospital and, slice by slice, the nasty ones of the tests.

A series is a list of `Slice` values (what each file shows and where it claims to be) plus a table of attributes.
Anything a scanner or an archive can get wrong is a change to that list or that table before `write_slices` runs; the
writer itself does not judge. `write_series` is the common case: a `Volume`, an `Exam`, a phase. Files are
byte-identical for identical arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from quadphase.model import Phase, Volume
from quadphase.phantom.exam import Exam, uid_of
from quadphase.phantom.patient import Scanner
from quadphase.phantom.slices import PIXELS, PixelFormat, Slice, outside_circle, slices_of

__all__ = [
    "PIXELS",
    "PixelFormat",
    "Slice",
    "base_dataset",
    "decimal",
    "outside_circle",
    "save_dataset",
    "slices_of",
    "write_series",
    "write_slices",
]

IMPLEMENTATION_UID: Final = UID("2.25.163274513850967202331785116190321871")


def write_series(
    volume: Volume,
    out_dir: Path,
    *,
    exam: Exam | None = None,
    scanner: Scanner = Scanner.CANON,
    phase: Phase | None = Phase.P,
    overrides: Mapping[str, Any] | None = None,
    pixels: PixelFormat | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
    order: Sequence[int] | None = None,
    name: Callable[[int], str] = "IM{:04d}.dcm".format,
    series_number: int | None = None,
) -> list[Path]:
    """Write a volume as one CT series.

    Parameters
    ----------
    volume : Volume
        (I, J, K) HU; any orientation.
    out_dir : Path
        Created if missing.
    exam : Exam, optional
        Default: an exam of a test person on `scanner`.
    scanner : Scanner
        Used only when `exam` is not given.
    phase : Phase or None
    overrides : mapping, optional
        Attributes by keyword that replace the computed ones; None removes one, ``""`` blanks it.
    pixels : PixelFormat, optional
        Default: that of the scanner.
    transfer_syntax : str
        UID; compressed ones use pydicom's encoders.
    order : sequence of int, optional
        Slice numbers k in the order in which files are written and named; subsets and repeats are allowed.
    name : callable
        File name of the n-th file written.
    series_number : int, optional

    Returns
    -------
    list of Path
        In the order written.
    """
    exam = exam or Exam(scanner=scanner, style=f"{scanner.value}-en")
    slices = slices_of(volume, pixels=pixels or PIXELS[exam.scanner])
    chosen = slices if order is None else [slices[k] for k in order]
    tags = {**exam.tags(phase, series_number=series_number), **(overrides or {})}
    return write_slices(chosen, out_dir, tags=tags, transfer_syntax=transfer_syntax, name=name)


def write_slices(
    slices: Iterable[Slice],
    out_dir: Path,
    *,
    tags: Mapping[str, Any],
    transfer_syntax: str = ExplicitVRLittleEndian,
    name: Callable[[int], str] = "IM{:04d}.dcm".format,
    first: int = 0,
) -> list[Path]:
    """Write slices with common attributes; see `write_series`.

    Parameters
    ----------
    first : int
        Number handed to `name` for the first file.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    base = base_dataset(tags)
    content_time = _time_of(tags.get("ContentTime"))
    paths = []
    for n, item in enumerate(slices, start=first):
        data = base.copy()
        for keyword, value in _slice_tags(item, tags, content_time).items():
            _set(data, keyword, value)
        _pixels(data, item)
        paths.append(save_dataset(data, out_dir / name(n), transfer_syntax))
    return paths


def base_dataset(tags: Mapping[str, Any], sop_class: str = CTImageStorage) -> Dataset:
    """Dataset of the attributes common to a series."""
    data = Dataset()
    _set(data, "SOPClassUID", sop_class)
    for keyword, value in tags.items():
        _set(data, keyword, value)
    return data


def _slice_tags(item: Slice, tags: Mapping[str, Any], content_time: datetime | None) -> dict[str, Any]:
    row, column = np.array(item.orientation[:3]), np.array(item.orientation[3:])
    location = float(np.dot(np.cross(row, column), item.position_mm))
    series = (tags.get("SeriesInstanceUID"), tags.get("AcquisitionNumber"))
    computed: dict[str, Any] = {
        "SOPInstanceUID": uid_of("sop", *series, item.instance_number, item.position_mm),
        "InstanceNumber": item.instance_number,
        "ImagePositionPatient": [decimal(x) for x in item.position_mm],
        "ImageOrientationPatient": [decimal(x) for x in item.orientation],
        "SliceLocation": decimal(location),
        "SliceThickness": decimal(item.thickness_mm),
        "PixelSpacing": [decimal(x) for x in item.pixel_spacing_mm],
    }
    if content_time is not None:
        at = content_time + timedelta(milliseconds=40 * (item.instance_number - 1))
        computed["ContentTime"] = at.strftime("%H%M%S.%f")
    return computed | {k: v for k, v in tags.items() if k in computed and k != "ContentTime"} | dict(item.tags)


def _pixels(data: Dataset, item: Slice) -> None:
    form = item.pixels
    stored = form.encode(item.hu)
    if form.padding is not None:
        stored[outside_circle(stored.shape)] = form.padding
        data.add_new("PixelPaddingValue", "SS" if form.signed else "US", form.padding)
    rows, columns = stored.shape
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = rows, columns
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, form.bits_stored, form.bits_stored - 1
    data.PixelRepresentation = int(form.signed)
    for keyword, value in (("RescaleIntercept", form.intercept), ("RescaleSlope", form.slope)):
        if keyword not in item.tags:
            _set(data, keyword, decimal(value))
    if "RescaleType" not in item.tags:
        _set(data, "RescaleType", "HU")
    data.add_new("PixelData", "OW", np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("<")).tobytes())


def save_dataset(data: Dataset, path: Path, transfer_syntax: str = ExplicitVRLittleEndian) -> Path:
    """Save a dataset as a DICOM file with file meta; encodes the pixels where the transfer syntax asks for it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(str(data.get("SOPClassUID") or CTImageStorage))
    meta.MediaStorageSOPInstanceUID = UID(str(data.get("SOPInstanceUID") or uid_of("meta", path.name)))
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "QUADPHASE"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = meta
    if transfer_syntax != ExplicitVRLittleEndian:
        _encode(data, transfer_syntax)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def _encode(data: Dataset, transfer_syntax: str) -> None:
    syntax = UID(transfer_syntax)
    if syntax.is_compressed and not syntax.is_deflated:
        data.compress(syntax, generate_instance_uid=False)
        return
    if not syntax.is_little_endian:
        data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
    data.file_meta.TransferSyntaxUID = syntax


def _set(data: Dataset, keyword: str, value: Any) -> None:
    """Set without touching an element shared with another dataset; None removes."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(f"{keyword} is not a DICOM keyword")
    if value is None:
        data.pop(tag, None)
        return
    data.add_new(tag, dictionary_VR(tag), value)


def decimal(value: float) -> str:
    """Decimal string of at most 16 characters and six decimals (PS3.5 6.2)."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _time_of(value: Any) -> datetime | None:
    if not isinstance(value, str) or not value:
        return None
    return datetime.strptime(value, "%H%M%S.%f" if "." in value else "%H%M%S")  # noqa: DTZ007 - DICOM times are local
