"""What a file says, attribute by attribute: typed values, absent or malformed ones as None, never an exception."""

from __future__ import annotations

import math
import struct
from typing import Final

from quadphase.errors import UnsupportedDataError
from quadphase.io.dicom_date import day_of
from quadphase.io.dicom_elements import Elements, PixelElement

__all__ = ["TAGS", "TEXTS", "Values", "clock_of", "moment"]

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
    "RescaleType": 0x00281054,
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
    day = day_of(raw.decode("latin-1"))
    return None if day is None else day.toordinal()


def moment(v: Values, time: str, *dates: str) -> float | None:
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
