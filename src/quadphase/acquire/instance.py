"""Turn one file's header into the ledger's row: its outcome, and keys that are never blank.

Half-done de-identification blanks study, series and SOP UIDs. Such files stay usable: the SOP UID comes from the file
meta group where it survives, and blank study and series UIDs get synthetic ones (``2.25.…``, PS3.5 B.2) derived from
what does separate exams. A study is known by patient, date, time, study id and accession number only when patient, date
and time are all there; otherwise by its folder, so two exams with blank UIDs in two folders never merge. A series is
always kept within its folder. The same file in the same place always gets the same keys.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import Any, Final

from quadphase.acquire.header import WANTED, Header, header_of
from quadphase.io.dicom_date import day_of
from quadphase.io.dicom_elements import DamagedDicomError, read_elements

__all__ = ["read_row", "row_of"]

DAMAGE: Final = {"empty-file": "empty", "truncated-file": "cut short", "unreadable-dicom": "broken"}
"""Why a file is unreadable, in words, by the code of `DamagedDicomError`."""

Row = dict[str, Any]


def read_row(path: str, size: int, mtime_ns: int) -> tuple[Row, str]:
    """Read one file; never raises for what is in it.

    Returns
    -------
    row : mapping with the columns of `FileRow`
    reason : str
        Why it is unreadable; blank otherwise. Never quotes a value.
    """
    row: Row = {
        "path": path,
        "size": size,
        "mtime_ns": mtime_ns,
        "outcome": "not-dicom",
        "patient_id": "",
        "study_instance_uid": "",
        "series_instance_uid": "",
        "sop_instance_uid": "",
        "sop_class_uid": "",
        "modality": "",
        "study_date": None,
        "accession_number": None,
    }
    if PurePath(path).name.upper() == "DICOMDIR":
        return row | {"outcome": "dicomdir"}, ""  # a table of contents, often of another tree: never needed
    try:
        elements = read_elements(path, WANTED, size=size)
    except DamagedDicomError as error:
        if error.code == "not-dicom":
            return row, ""
        if error.elements is not None:
            row |= row_of(header_of(error.elements), path)
        return row | {"outcome": "unreadable"}, DAMAGE[error.code]
    except OSError as error:
        return row | {"outcome": "unreadable"}, _why(error)
    row |= row_of(header_of(elements), path)
    if row["outcome"] == "unreadable":
        return row, "an image without pixel data"
    return row, ""


def _why(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "not allowed to read"
    return "a link that leads nowhere" if isinstance(error, FileNotFoundError) else "cannot be read"


def row_of(header: Header, path: str) -> Row:
    """Columns of `FileRow` that come from the header."""
    folder = str(PurePath(path).parent)
    date_text = header.study_date.replace(".", "").replace("-", "")
    time_text = header.study_time.strip("0:. ")
    study = header.study_instance_uid
    if not study:
        identified = header.patient_id and date_text and time_text
        place = "" if identified else folder
        study = _synthetic(
            "study", place, header.patient_id, date_text, header.study_time, header.study_id, header.accession_number
        )
    series = header.series_instance_uid
    if not series:
        series = _synthetic("series", folder, study, header.modality, header.series_number)
    if header.is_dicomdir:
        outcome = "dicomdir"
    elif header.is_image:
        outcome = "image" if header.has_pixels else "unreadable"
    else:
        outcome = "other-dicom"
    return {
        "outcome": outcome,
        "patient_id": header.patient_id,
        "study_instance_uid": study,
        "series_instance_uid": series,
        "sop_instance_uid": header.sop_instance_uid or header.media_sop_instance_uid or _synthetic("instance", path),
        "sop_class_uid": header.sop_class_uid or header.media_sop_class_uid,
        "modality": header.modality,
        "study_date": day_of(date_text),
        "accession_number": header.accession_number or None,
    }


def _synthetic(*parts: str) -> str:
    digest = hashlib.sha256("\0".join(("quadphase", *parts)).encode("utf-8", "surrogateescape")).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
