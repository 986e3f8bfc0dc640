"""What each file of a folder is: slices of a CT volume, or something else with a name.

A folder from a PACS holds localizers, dose reports, screenshots, reformats, reports and damaged files beside the
slices. Each is rejected under one code of the catalogue; nothing is dropped without being counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from quadphase.convert.attributes import TAGS, Values
from quadphase.convert.header import SliceHeader, header_of, origin_of, plane_of
from quadphase.convert.pixels import NATIVE
from quadphase.errors import QuadphaseError
from quadphase.io.dicom_elements import DamagedDicomError, read_elements
from quadphase.io.file_tree import list_tree

__all__ = ["Rejection", "files_below", "read_file"]

WANTED: Final = frozenset(TAGS.values())

CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT: Final = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
SEGMENTATIONS: Final = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.481.3")
SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
STRUCTURED_REPORT: Final = "1.2.840.10008.5.1.4.1.1.88"
DOSE_REPORTS: Final = ("1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.68")
DIRECTORY: Final = "1.2.840.10008.1.3.10"
WITHOUT_PIXELS: Final = ("1.2.840.10008.5.1.4.1.1.11", "1.2.840.10008.5.1.4.1.1.104", "1.2.840.10008.5.1.4.1.1.66")
"""Presentation states, encapsulated documents, raw data."""

LOCALIZERS: Final = frozenset(("LOCALIZER", "SCOUT", "SCANOGRAM", "SURVIEW", "TOPOGRAM", "SCANO"))
REFORMATS: Final = frozenset(
    ("MPR", "CSA MPR", "CSAMPR", "CT_SOM5 MPR", "REFORMATTED", "REFORMAT", "CURVED", "CPR", "PROJECTION IMAGE", "MIP",
     "MINIP", "MIN IP", "VRT", "SSD", "VOLUME RENDERED", "RENDERED")
)  # fmt: skip
CAPTURES: Final = frozenset(
    ("SCREEN SAVE", "SCREENSHOT", "SCREEN CAPTURE", "REF_SURVIEW", "PATIENT_INFO", "RESULTS", "REPORT")
)
DOSE_PAGES: Final = frozenset(("DOSE_INFO", "DOSE", "DOSE REPORT", "DOSE_REPORT"))
MAXIMUM_FRAMES: Final = 20_000
"""More frames than any CT object holds: a damaged count."""
MAXIMUM_PIXELS: Final = 1 << 26
"""8192 × 8192: a larger matrix is a damaged header, and decoding it could fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A file that is no slice of a volume.

    Parameters
    ----------
    code : str
        Of the catalogue (`quadphase.model.catalogue.geometry`).
    detail : str
        What was seen, free of identity.
    series : tuple of str
        Patient, study and series it belongs to, for locating; shown nowhere.
    """

    code: str
    detail: str
    path: Path = field(repr=False)
    series: tuple[str, str, str] = field(default=("", "", ""), repr=False)
    series_number: int | None = None


def files_below(paths: Iterable[Path]) -> tuple[list[Path], int]:
    """Every file of the given files and folders, by path within a folder, and how many folders may not be listed.

    Raises
    ------
    InputError
        ``"no-source"`` for a folder that may not be listed.
    """
    files, closed = [], 0
    for path in paths:
        if path.is_dir():
            listing = list_tree(path)
            files += [Path(entry.path) for entry in listing.entries]
            closed += listing.closed_folders
        else:
            files.append(path)
    return files, closed


def read_file(path: Path) -> tuple[SliceHeader, ...] | Rejection:
    """Slices of a file (one; several for a multi-frame CT), or why it is no slice. Never raises for bad content."""
    values = None
    try:
        values = Values(read_elements(path, WANTED))
        found = _slices(values, path)
        if isinstance(found[0], SliceHeader):
            return found
        code, detail = found
    except OSError as error:
        code, detail = "unreadable-file", f"cannot be opened ({error.strerror})"
    except DamagedDicomError as error:
        code, detail = error.code, error.message
        values = Values(error.elements) if error.elements is not None else None
    except QuadphaseError as error:
        code, detail = error.code, error.message
    if values is None:
        return Rejection(code=code, detail=detail, path=path)
    origin = origin_of(values, path)
    return Rejection(
        code=code,
        detail=detail,
        path=path,
        series=(origin.patient_id, origin.study_instance_uid, origin.series_instance_uid),
        series_number=values.whole("SeriesNumber"),
    )


def _slices(v: Values, path: Path) -> tuple[SliceHeader, ...] | tuple[str, str]:
    if (refused := _not_volumetric(v)) is not None:
        return refused
    enhanced = _sop_class(v) in ENHANCED_CT
    frames = v.whole("NumberOfFrames") or 1
    if frames > 1 and not enhanced:
        return "multi-frame", "several frames without a position for each"
    if (damaged := _pixel_problem(v, frames=frames)) is not None:
        return damaged
    if enhanced:
        from quadphase.convert.multiframe import read_frames

        return read_frames(path.read_bytes(), v, path)
    plane = plane_of(v)
    if plane is None:
        return "no-position", "no usable position, orientation or pixel spacing"
    return (header_of(v, path, plane),)


def _sop_class(v: Values) -> str:
    return v.text("SOPClassUID") or v.text("MediaStorageSOPClassUID")


def _not_volumetric(v: Values) -> tuple[str, str] | None:
    """(code, detail) by what the file says of itself, or None for an image that may be a slice."""
    sop_class, modality = _sop_class(v), v.text("Modality").upper()
    kinds = {part.strip().upper() for part in v.text("ImageType").split("\\")[2:]}
    if sop_class == DIRECTORY:
        return "dicom-directory", "a DICOMDIR"
    if sop_class in DOSE_REPORTS or kinds & DOSE_PAGES:
        return "dose-report", "a dose report"
    if sop_class.startswith(STRUCTURED_REPORT):
        return "report", "a structured report"
    if sop_class in SEGMENTATIONS or modality in ("SEG", "RTSTRUCT"):
        return "segmentation", "a segmentation, not a CT image"
    if sop_class.startswith(WITHOUT_PIXELS):
        return "no-pixel-data", "a document or state without an image"
    if sop_class.startswith(SECONDARY_CAPTURE) or kinds & CAPTURES:
        return "secondary-capture", "a secondary capture or screenshot"
    if modality and modality != "CT":
        return "not-ct", f"modality {modality if len(modality) <= 4 and modality.isalpha() else 'other than CT'}"
    if sop_class and sop_class != CT_IMAGE and sop_class not in ENHANCED_CT:
        return "not-ct", "its SOP class is not CT"
    if kinds & LOCALIZERS:
        return "localizer", "a localizer"
    if kinds & REFORMATS:
        return "reformatted", "a reformat or projection, not an acquired slice"
    if v.elements.pixels is None:
        if v.elements.has_float_pixels:
            return "unsupported-pixels", "floating-point pixel data"
        # A file that was cut exactly between two elements is whole as far as they go.
        is_slice = sop_class or modality or v.count("Rows")
        return ("truncated-file", "a slice without its pixels") if is_slice else ("no-pixel-data", "no image")
    if v.count("SamplesPerPixel") > 1 or not v.text("PhotometricInterpretation").upper().startswith("MONOCHROME"):
        return "colour-image", "a colour or palette image"
    return None


def _pixel_problem(v: Values, *, frames: int) -> tuple[str, str] | None:
    """(code, detail) where the pixel data cannot be what the header says; checked before anything is decoded."""
    rows, columns, allocated = v.count("Rows"), v.count("Columns"), v.count("BitsAllocated")
    stored = v.count("BitsStored") or allocated
    high = v.binary("HighBit")
    high = stored - 1 if high is None else int(high)
    if not 0 < rows * columns <= MAXIMUM_PIXELS or not 0 < frames <= MAXIMUM_FRAMES:
        return "unreadable-dicom", "its matrix size or number of frames is impossible"
    if allocated not in (8, 16, 32) or not 0 < stored <= allocated or not stored - 1 <= high < allocated:
        return "unsupported-pixels", f"{stored} of {allocated} bits per pixel, high bit {high}"
    pixels, syntax = v.pixels, v.elements.transfer_syntax
    if syntax in NATIVE and (pixels.length is None or pixels.length < frames * (rows * columns * allocated // 8)):
        return "truncated-file", "fewer pixels than its matrix needs"
    return None
