"""UIDs replaced by keyed hashes, the same everywhere, except those that DICOM itself defines."""

from __future__ import annotations

from pydicom.uid import UID

from quadphase.io.pseudonyms import keyed_uid

__all__ = ["is_well_known", "replaced_uid"]


def is_well_known(uid: str) -> bool:
    """Whether PS3.6 annex A lists the UID (SOP classes, transfer syntaxes, coding schemes, well-known frames)."""
    return UID(uid).name != uid


def replaced_uid(key: bytes, uid: str) -> str:
    """The released UID of a source UID; well-known UIDs and blanks stay."""
    uid = uid.strip().rstrip("\0")
    return uid if not uid or is_well_known(uid) else keyed_uid(key, uid)
