"""The few attributes that tell which patient, exam and series a DICOM file belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from quadphase.io.dicom_elements import Elements, read_beginning

__all__ = ["WANTED", "Header", "header_of", "sop_instance_uid_of"]

DICOMDIR_CLASS: Final = "1.2.840.10008.1.3.10"
CT_CLASSES: Final = frozenset(
    ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
)
"""CT, enhanced CT, legacy converted enhanced CT (PS3.4 B.5)."""
ATTRIBUTES: Final[dict[str, int]] = {
    "media_sop_class_uid": 0x00020002,
    "media_sop_instance_uid": 0x00020003,
    "sop_class_uid": 0x00080016,
    "sop_instance_uid": 0x00080018,
    "study_date": 0x00080020,
    "study_time": 0x00080030,
    "accession_number": 0x00080050,
    "modality": 0x00080060,
    "patient_id": 0x00100020,
    "study_instance_uid": 0x0020000D,
    "series_instance_uid": 0x0020000E,
    "study_id": 0x00200010,
    "series_number": 0x00200011,
}
"""Tag of each text of `Header` (PS3.6)."""
ROWS: Final = 0x00280010
WANTED: Final = frozenset(ATTRIBUTES.values()) | {ROWS}
_UIDS: Final = frozenset((ATTRIBUTES["media_sop_instance_uid"], ATTRIBUTES["sop_instance_uid"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Attributes of one file, as written there (stripped of padding); blank text where absent.

    ``media_sop_class_uid`` and ``media_sop_instance_uid`` come from the file meta group: half-done de-identification
    blanks the data set and forgets them there.
    """

    sop_class_uid: str = ""
    sop_instance_uid: str = field(default="", repr=False)
    media_sop_class_uid: str = ""
    media_sop_instance_uid: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    study_time: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    modality: str = ""
    patient_id: str = field(default="", repr=False)
    study_instance_uid: str = field(default="", repr=False)
    series_instance_uid: str = field(default="", repr=False)
    study_id: str = field(default="", repr=False)
    series_number: str = ""
    has_matrix: bool = False
    """Rows is present: the object describes an image."""
    has_pixels: bool = False

    @property
    def is_image(self) -> bool:
        """Whether the object must have pixels; without them its file was cut, perhaps exactly between two elements."""
        return self.has_matrix or bool(CT_CLASSES & {self.media_sop_class_uid, self.sop_class_uid})

    @property
    def is_dicomdir(self) -> bool:
        return DICOMDIR_CLASS in (self.media_sop_class_uid, self.sop_class_uid)


def header_of(elements: Elements) -> Header:
    """Header from the `WANTED` elements of a file."""
    values, pixels = elements.values, elements.pixels
    return Header(
        **{name: _decode(values[tag]) for name, tag in ATTRIBUTES.items() if tag in values},
        has_matrix=ROWS in values,
        has_pixels=elements.has_float_pixels or (pixels is not None and pixels.length != 0),
    )


def sop_instance_uid_of(beginning: bytes) -> str:
    """SOP instance UID of a DICOM file whose first bytes these are; blank where they do not tell."""
    header = header_of(read_beginning(beginning, _UIDS))
    return header.media_sop_instance_uid or header.sop_instance_uid


def _decode(value: bytes) -> str:
    """Text of a short value: ASCII nearly always; else UTF-8, then GB18030 (undeclared in many Chinese archives)."""
    raw = value.strip(b"\0 \t\r\n")
    for encoding in ("ascii", "utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
