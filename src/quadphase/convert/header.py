"""`SliceHeader`: everything conversion needs to know of one slice, read once; pixels stay on disk until asked for.

Values are taken as the file has them: nothing is repaired, a number that is not a number is absent.  Headers carry
identity (UIDs, patient id, path), so their repr shows none of it and they never leave this room.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.elements import Elements, PixelElement
from quadphase.errors import UnsupportedDataError

__all__ = ["TAGS", "Acquisition", "Origin", "PixelLayout", "Plane", "SliceHeader", "clock_of", "header_of"]

TAGS: Final[dict[str, int]] = {
    "MediaStorageSOPClassUID": 0x00020002,
    "MediaStorageSOPInstanceUID": 0x00020003,
    "SpecificCharacterSet": 0x00080005,
    "ImageType": 0x00080008,
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "StudyDate": 0x00080020,
    "SeriesDate": 0x00080021,
    "AcquisitionDate": 0x00080022,
    "ContentDate": 0x00080023,
    "AcquisitionDateTime": 0x0008002A,
    "StudyTime": 0x00080030,
    "SeriesTime": 0x00080031,
    "AcquisitionTime": 0x00080032,
    "ContentTime": 0x00080033,
    "AccessionNumber": 0x00080050,
    "Modality": 0x00080060,
    "Manufacturer": 0x00080070,
    "StudyDescription": 0x00081030,
    "SeriesDescription": 0x0008103E,
    "ManufacturerModelName": 0x00081090,
    "PatientID": 0x00100020,
    "ContrastBolusAgent": 0x00180010,
    "ContrastBolusRoute": 0x00181040,
    "ContrastBolusVolume": 0x00181041,
    "AcquisitionProtocolName": 0x00189423,
    "SliceThickness": 0x00180050,
    "KVP": 0x00180060,
    "ProtocolName": 0x00181030,
    "ContrastBolusStartTime": 0x00181042,
    "TriggerTime": 0x00181060,
    "GantryDetectorTilt": 0x00181120,
    "ReconstructionDiameter": 0x00181100,
    "FilterType": 0x00181160,
    "ConvolutionKernel": 0x00181210,
    "AcquisitionComments": 0x00184000,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "SeriesNumber": 0x00200011,
    "AcquisitionNumber": 0x00200012,
    "InstanceNumber": 0x00200013,
    "ImagePositionPatient": 0x00200032,
    "ImageOrientationPatient": 0x00200037,
    "FrameOfReferenceUID": 0x00200052,
    "TemporalPositionIdentifier": 0x00200100,
    "TemporalPositionIndex": 0x00209128,
    "NominalCardiacTriggerDelayTime": 0x00209153,
    "ImageComments": 0x00204000,
    "SamplesPerPixel": 0x00280002,
    "PhotometricInterpretation": 0x00280004,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
    "PixelPaddingValue": 0x00280120,
    "RescaleIntercept": 0x00281052,
    "RescaleSlope": 0x00281053,
}
"""Attributes read, by keyword (PS3.6)."""

TEXTS: Final = (
    "SeriesDescription",
    "ProtocolName",
    "StudyDescription",
    "ImageComments",
    "AcquisitionComments",
    "AcquisitionProtocolName",
    "ContrastBolusAgent",
)
"""Free text that may name a contrast phase; kept as raw bytes because the declared character set is often wrong."""


class Values:
    """Typed access to the raw values of one file; absent or malformed is None, never an exception."""

    def __init__(self, elements: Elements) -> None:
        self.elements = elements
        self._raw = elements.values
        self._order = ">" if elements.big_endian else "<"

    @property
    def pixels(self) -> PixelElement:
        """Where the pixel data lie; only asked of files that have them."""
        if self.elements.pixels is None:
            raise UnsupportedDataError("no-pixel-data", "no pixel data", "")
        return self.elements.pixels

    def raw(self, keyword: str) -> bytes:
        """Value bytes without padding; empty where absent."""
        return self._raw.get(TAGS[keyword], b"").strip(b" \0")

    def has(self, keyword: str) -> bool:
        """Whether the attribute is there, blank or not."""
        return TAGS[keyword] in self._raw

    def text(self, keyword: str) -> str:
        """Value of a coded string or UID; bytes outside ASCII are read as Latin-1."""
        return self.raw(keyword).decode("latin-1")

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Values of a decimal or integer string; empty where absent or where any is not a finite number."""
        raw = self.raw(keyword)
        if not raw:
            return ()
        try:
            values = tuple(float(part) for part in raw.split(b"\\"))
        except ValueError:
            return ()
        return values if all(math.isfinite(v) for v in values) else ()

    def number(self, keyword: str) -> float | None:
        values = self.numbers(keyword)
        return values[0] if values else None

    def whole(self, keyword: str) -> int | None:
        value = self.number(keyword)
        return None if value is None or abs(value) > 2**53 else int(value)

    def binary(self, keyword: str, form: str = "H") -> int | float | None:
        """First value of a binary element, as the `struct` code `form` reads it."""
        raw = self._raw.get(TAGS[keyword], b"")
        size = struct.calcsize(form)
        return None if len(raw) < size else struct.unpack(self._order + form, raw[:size])[0]

    def count(self, keyword: str) -> int:
        return int(self.binary(keyword) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose slice it is and which file holds it. Identity: shown nowhere."""

    path: Path = field(repr=False)
    frame: int = 0
    """0-based frame of a multi-frame file."""
    patient_id: str = field(repr=False)
    study_instance_uid: str = field(repr=False)
    series_instance_uid: str = field(repr=False)
    sop_instance_uid: str = field(repr=False)
    frame_of_reference_uid: str = field(repr=False)
    accession_number: str = field(repr=False)
    study_moment: tuple[str, str] = field(repr=False)
    """StudyDate and StudyTime as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Where the pixels of one slice are, in DICOM's own frame (LPS, millimetres; PS3.3 C.7.6.2).

    Parameters
    ----------
    rows, columns : int
    position_mm : (float, float, float)
        Centre of the first pixel.
    row_direction, column_direction : (float, float, float)
        Unit vectors along a row (increasing column index) and down a column (increasing row index).
    row_spacing_mm, column_spacing_mm : float
        Between centres of adjacent rows, and of adjacent columns.
    """

    rows: int
    columns: int
    position_mm: tuple[float, float, float]
    row_direction: tuple[float, float, float]
    column_direction: tuple[float, float, float]
    row_spacing_mm: float
    column_spacing_mm: float

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector row × column; slices are stacked along it."""
        return np.array(self._normal())

    @property
    def along_mm(self) -> float:
        """Position along the plane's own normal."""
        return sum(n * p for n, p in zip(self._normal(), self.position_mm, strict=True))

    def _normal(self) -> tuple[float, float, float]:
        # Plain floats: called for each slice several times, and NumPy costs ten times as much on three numbers.
        (a, b, c), (d, e, f) = self.row_direction, self.column_direction
        x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
        length = math.sqrt(x * x + y * y + z * z)
        return x / length, y / length, z / length

    def corners_mm(self) -> NDArray[np.float64]:
        """Centres of the pixels (column, row) = (0, 0), (last, 0), (0, last), (last, last), ``(4, 3)`` LPS."""
        along = np.array(self.row_direction) * self.column_spacing_mm * (self.columns - 1)
        down = np.array(self.column_direction) * self.row_spacing_mm * (self.rows - 1)
        start = np.array(self.position_mm)
        return np.stack([start, start + along, start + down, start + along + down])


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """How the pixels of one slice are stored, and how stored values become HU (PS3.3 C.7.6.3, C.11.1)."""

    transfer_syntax: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    slope: float
    intercept: float
    padding: int | None
    """PixelPaddingValue as a stored value."""
    offset: int
    length: int | None
    n_frames: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """When and how a slice was acquired; seconds count from a fixed day, so only differences mean anything."""

    image_type: tuple[str, ...]
    kernel: str
    slice_thickness_mm: float | None
    series_number: int | None
    acquisition_number: int | None
    instance_number: int | None
    temporal_position: int | None
    trigger_delay_ms: float | None
    acquisition_time_s: float | None = field(repr=False)
    content_time_s: float | None = field(repr=False)
    series_time_s: float | None = field(repr=False)
    contrast_start_s: float | None = field(repr=False)
    gantry_tilt_deg: float | None
    reconstruction_diameter_mm: float | None
    filter_type: str
    kvp: float | None
    manufacturer: str
    model: str
    texts: Mapping[str, bytes] = field(repr=False)
    character_set: str = ""
    contrast_agent: str | None = None
    """Blank where the attribute is there without a value, None where it is absent."""
    contrast_route: str | None = None
    contrast_volume_ml: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceHeader:
    """One slice: origin, place, pixels and acquisition."""

    origin: Origin
    plane: Plane
    pixels: PixelLayout
    acquisition: Acquisition

    def __repr__(self) -> str:
        return f"SliceHeader(instance {self.acquisition.instance_number})"


def _clock(raw: bytes) -> float | None:
    """Seconds since midnight of a TM value, ``HHMMSS.ffffff`` or the old ``HH:MM:SS``; None if it is none."""
    text = raw.decode("latin-1").replace(":", "")
    whole, _, fraction = text.partition(".")
    if (
        not text.isascii()
        or not whole.isdigit()
        or len(whole) not in (2, 4, 6)
        or (fraction and not fraction.isdigit())
    ):
        return None
    whole = whole.ljust(6, "0")
    hours, minutes, seconds = int(whole[:2]), int(whole[2:4]), int(whole[4:6])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return hours * 3600.0 + minutes * 60.0 + seconds + (float(f"0.{fraction}") if fraction else 0.0)


def _day(raw: bytes) -> int | None:
    text = raw.decode("latin-1").replace(".", "").replace("-", "")
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
    except ValueError:
        return None


def _moment(v: Values, time: str, *dates: str) -> float | None:
    """Seconds of the TM attribute `time` on the first day that one of `dates` names; no day counts as day 0."""
    clock = _clock(v.raw(time))
    if clock is None:
        return None
    days = (_day(v.raw(name)) for name in dates)
    return next((day for day in days if day is not None), 0) * 86400.0 + clock


def clock_of(stamp: str) -> float | None:
    """Seconds from a fixed day of a DT value ``YYYYMMDDHHMMSS.FFFFFF&ZZXX``; the time zone is left out."""
    raw = stamp.encode("latin-1", "replace")
    if len(raw) < 10:
        return None
    day, clock = _day(raw[:8]), _clock(raw[8:].split(b"+")[0].split(b"-")[0])
    return None if day is None or clock is None else day * 86400.0 + clock


def _acquired(v: Values) -> float | None:
    if (stamped := clock_of(v.text("AcquisitionDateTime"))) is not None:
        return stamped
    return _moment(v, "AcquisitionTime", "AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")


def _padding(v: Values, *, signed: bool, bits: int) -> int | None:
    value = v.binary("PixelPaddingValue")
    if value is None:
        return None
    # Written as US or SS, whichever the writer liked; the pixel representation decides what the bits mean.
    number = int(value) & ((1 << bits) - 1) if bits < 16 else int(value)
    return number - (1 << bits) if signed and number >= 1 << (bits - 1) else number


def origin_of(v: Values, path: Path) -> Origin:
    """Identity of a file."""
    return Origin(
        path=path,
        patient_id=v.text("PatientID"),
        study_instance_uid=v.text("StudyInstanceUID"),
        series_instance_uid=v.text("SeriesInstanceUID"),
        # Half-done de-identification blanks the data set and forgets the file meta information.
        sop_instance_uid=v.text("SOPInstanceUID") or v.text("MediaStorageSOPInstanceUID"),
        frame_of_reference_uid=v.text("FrameOfReferenceUID"),
        accession_number=v.text("AccessionNumber"),
        study_moment=(v.text("StudyDate"), v.text("StudyTime")),
    )


def acquisition_of(v: Values) -> Acquisition:
    """Acquisition attributes of a file."""
    temporal = v.whole("TemporalPositionIdentifier")
    if temporal is None and (index := v.binary("TemporalPositionIndex", "I")) is not None:
        temporal = int(index)
    trigger = v.number("TriggerTime")
    if trigger is None and (delay := v.binary("NominalCardiacTriggerDelayTime", "d")) is not None:
        trigger = float(delay) if math.isfinite(delay) else None
    days = ("AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")
    return Acquisition(
        image_type=tuple(part.strip().upper() for part in v.text("ImageType").split("\\")),
        kernel=v.text("ConvolutionKernel"),
        slice_thickness_mm=v.number("SliceThickness"),
        series_number=v.whole("SeriesNumber"),
        acquisition_number=v.whole("AcquisitionNumber"),
        instance_number=v.whole("InstanceNumber"),
        temporal_position=temporal,
        trigger_delay_ms=trigger,
        acquisition_time_s=_acquired(v),
        content_time_s=_moment(v, "ContentTime", "ContentDate", *days),
        series_time_s=_moment(v, "SeriesTime", "SeriesDate", *days),
        contrast_start_s=_moment(v, "ContrastBolusStartTime", *days),
        gantry_tilt_deg=v.number("GantryDetectorTilt"),
        reconstruction_diameter_mm=v.number("ReconstructionDiameter"),
        filter_type=v.text("FilterType"),
        kvp=v.number("KVP"),
        manufacturer=v.text("Manufacturer"),
        model=v.text("ManufacturerModelName"),
        texts={keyword: raw for keyword in TEXTS if (raw := v.raw(keyword))},
        character_set=v.text("SpecificCharacterSet"),
        contrast_agent=v.text("ContrastBolusAgent") if v.has("ContrastBolusAgent") else None,
        contrast_route=v.text("ContrastBolusRoute") if v.has("ContrastBolusRoute") else None,
        contrast_volume_ml=v.number("ContrastBolusVolume"),
    )


def plane_of(v: Values) -> Plane | None:
    """Place of a single-frame image, or None where the file does not say it."""
    position, orientation = v.numbers("ImagePositionPatient"), v.numbers("ImageOrientationPatient")
    spacing = v.numbers("PixelSpacing")
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2:
        return None
    return make_plane(position, orientation, spacing, rows=v.count("Rows"), columns=v.count("Columns"))


def make_plane(
    position: tuple[float, ...], orientation: tuple[float, ...], spacing: tuple[float, ...], *, rows: int, columns: int
) -> Plane | None:
    """A plane, or None unless its axes are perpendicular unit vectors (within 1e-3) and its sizes positive."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    with np.errstate(over="ignore", invalid="ignore"):
        skew = max(abs(row @ row - 1), abs(column @ column - 1), abs(row @ column))
    sensible = max(abs(x) for x in position) < 1e5 and all(1e-3 < s < 1e3 for s in spacing)
    if not sensible or not skew < 2e-3 or rows < 1 or columns < 1:
        return None
    a, b, c = position
    d, e, f, g, h, i = orientation
    return Plane(
        rows=rows,
        columns=columns,
        position_mm=(a, b, c),
        row_direction=(d, e, f),
        column_direction=(g, h, i),
        row_spacing_mm=spacing[0],
        column_spacing_mm=spacing[1],
    )


def layout_of(v: Values) -> PixelLayout:
    """Pixel format of a file that has pixel data."""
    pixels = v.pixels
    bits = v.count("BitsStored") or v.count("BitsAllocated")
    signed = v.count("PixelRepresentation") == 1
    high = v.binary("HighBit")
    slope, intercept = v.number("RescaleSlope"), v.number("RescaleIntercept")
    return PixelLayout(
        transfer_syntax=v.elements.transfer_syntax,
        bits_allocated=v.count("BitsAllocated"),
        bits_stored=bits,
        high_bit=bits - 1 if high is None else int(high),
        signed=signed,
        slope=1.0 if slope is None or slope == 0 else slope,
        intercept=0.0 if intercept is None else intercept,
        padding=_padding(v, signed=signed, bits=bits) if 0 < bits <= 16 else None,
        offset=pixels.offset,
        length=pixels.length,
        n_frames=max(1, v.whole("NumberOfFrames") or 1),
    )


def header_of(v: Values, path: Path, plane: Plane) -> SliceHeader:
    """Header of a single-frame image."""
    return SliceHeader(origin=origin_of(v, path), plane=plane, pixels=layout_of(v), acquisition=acquisition_of(v))
