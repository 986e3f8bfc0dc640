"""Keyed, one-way names: pseudonyms of patients and hashes of DICOM UIDs.

A pseudonym's number is the patient's rank in a random permutation that only the study's secret key determines
(HMAC-SHA-256, RFC 2104), so neither the id nor its order tells anything about the person or the diagnosis; the
published PLC-CECT numbered its patients by class, which gives the label away.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

__all__ = ["keyed_hash", "keyed_uid", "permute"]


def keyed_hash(key: bytes, kind: str, value: str, *, digits: int = 16) -> str:
    """First `digits` hex digits of HMAC-SHA-256 of ``kind␀value``; `kind` keeps domains apart."""
    return hmac.new(key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()[:digits]


def keyed_uid(key: bytes, uid: str) -> str:
    """A valid UID ``2.25.<128-bit number>`` (PS3.5 B.2) for a source UID; not invertible without the key."""
    return f"2.25.{int(keyed_hash(key, 'uid', uid, digits=32), 16)}"


def permute(
    key: bytes, patient_ids: Iterable[str], *, taken: Mapping[str, str], prefix: str, digits: int
) -> dict[str, str]:
    """Pseudonyms of all patients: those in `taken` keep theirs, new ones get the next numbers in keyed order.

    Parameters
    ----------
    key : bytes
        Secret of the study.
    patient_ids : iterable of str
    taken : mapping of patient id to pseudonym
    prefix, digits
        Form of a pseudonym, ``P0137`` for ``"P"`` and 4.

    Returns
    -------
    dict of patient id to pseudonym
    """
    new = sorted(set(patient_ids) - taken.keys(), key=lambda p: keyed_hash(key, "patient", p, digits=64))
    first = max((int(name.removeprefix(prefix)) for name in taken.values()), default=0) + 1
    return {**taken, **{p: f"{prefix}{number:0{digits}d}" for number, p in enumerate(new, start=first)}}
