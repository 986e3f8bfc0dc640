"""`SliceHeader`: everything conversion needs to know of one slice, read once; pixels stay on disk until asked for.

Values are taken as the file has them: nothing is repaired, a number that is not a number is absent.  Headers carry
identity (UIDs, patient id, path), so their repr shows none of it and they never leave this room.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quadphase.convert.attributes import TEXTS, Values, clock_of, moment

__all__ = [
    "LARGEST_MM",
    "SMALLEST_MM",
    "Acquisition",
    "Origin",
    "PixelLayout",
    "Plane",
    "SliceHeader",
    "acquisition_of",
    "header_of",
    "layout_of",
    "make_plane",
    "origin_of",
    "plane_of",
]

SMALLEST_MM: Final = 1e-3
LARGEST_MM: Final = 1e3
"""Pixel spacings and slice thicknesses outside these are no measures of a CT slice."""


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
    """PixelPaddingValue as a stored value, within the bits in use where it can be."""
    padding_written: int | None
    """The same as it stands in pixels whose unused bits are not cleared yet."""
    offset: int
    length: int | None
    n_frames: int = 1
    unit: str = "HU"
    """What slope and intercept lead to (RescaleType, PS3.3 C.11.1.1.2); blank where they are missing or slope is 0."""


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


def _acquired(v: Values) -> float | None:
    if (stamped := clock_of(v.text("AcquisitionDateTime"))) is not None:
        return stamped
    return moment(v, "AcquisitionTime", "AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")


def _padding(v: Values, *, signed: bool, stored: int, allocated: int) -> tuple[int, int] | None:
    """PixelPaddingValue as (stored value, what stands in the pixels); None where there is none.

    It is written as US or SS, whichever the writer liked, and some write -2000 into 12 unsigned bits.
    """
    value = v.binary("PixelPaddingValue")
    if value is None:
        return None
    bits = int(value) & ((1 << min(allocated, 16)) - 1)
    if not signed:
        return (bits if bits < 1 << stored else bits - (1 << min(allocated, 16))), bits
    width = stored if bits < 1 << stored else min(allocated, 16)
    number = bits - (1 << width) if bits >= 1 << (width - 1) else bits
    return number, number


def _unit(v: Values) -> str:
    if not v.number("RescaleSlope") or v.number("RescaleIntercept") is None:
        return ""  # a slope of 0 makes every value the same: it says as little as a missing one
    return v.text("RescaleType").upper() or "HU"


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
        content_time_s=moment(v, "ContentTime", "ContentDate", *days),
        series_time_s=moment(v, "SeriesTime", "SeriesDate", *days),
        contrast_start_s=moment(v, "ContrastBolusStartTime", *days),
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
    sensible = max(abs(x) for x in position) < 1e5 and all(SMALLEST_MM < s < LARGEST_MM for s in spacing)
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
    allocated = v.count("BitsAllocated")
    padding = _padding(v, signed=signed, stored=bits, allocated=allocated) if 0 < bits <= 16 else None
    return PixelLayout(
        transfer_syntax=v.elements.transfer_syntax,
        bits_allocated=allocated,
        bits_stored=bits,
        high_bit=bits - 1 if high is None else int(high),
        signed=signed,
        slope=slope or 1.0,
        intercept=0.0 if intercept is None else intercept,
        padding=None if padding is None else padding[0],
        padding_written=None if padding is None else padding[1],
        unit=_unit(v),
        offset=pixels.offset,
        length=pixels.length,
        n_frames=max(1, v.whole("NumberOfFrames") or 1),
    )


def header_of(v: Values, path: Path, plane: Plane) -> SliceHeader:
    """Header of a single-frame image."""
    return SliceHeader(origin=origin_of(v, path), plane=plane, pixels=layout_of(v), acquisition=acquisition_of(v))
