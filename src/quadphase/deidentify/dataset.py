"""`deidentify_dataset`: one DICOM data set, built new under PS3.15 Annex E.

Basic Application Level Confidentiality Profile with the options Retain Longitudinal Temporal Information with
Modified Dates, Clean Descriptors, Retain Safe Private and Clean Pixel Data (images with text in their pixels are
refused before, see `burned_in`). The result is a new data set into which attributes are copied by rule (`profile`);
nothing is edited in place. A seal, keyed and over the whole content, makes the function idempotent: the data set of
what it has written and nobody has touched since stays as it is. What no seal covers (preamble, file meta information,
the values beside the seal) is always written anew.
"""

from __future__ import annotations

import hmac
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from pydicom import config
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from quadphase.deidentify.attributes import Cleaner, own_words
from quadphase.deidentify.date_shift import days_of
from quadphase.deidentify.uids import replaced_uid
from quadphase.io.pseudonyms import keyed_hash

__all__ = ["IMPLEMENTATION_UID", "Subject", "deidentify_dataset", "is_sealed", "lenient", "patient_of"]

IMPLEMENTATION_UID: Final = "2.25.138519425390574915098284041232893461857"
"""Ours, in the arc of PS3.5 B.2."""

METHOD: Final = "quadphase, PS3.15 Annex E"

CODES: Final = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113101", "Clean Pixel Data Option"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113111", "Retain Safe Private Option"),
)
"""What was applied, from context group 7050 (PS3.16), scheme DCM."""

DEIDENTIFICATION_METHOD: Final = 0x00120063
_SEAL: Final = "seal:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What replaces one patient.

    Parameters
    ----------
    pseudonym : str
        Released as PatientID and PatientName.
    days : int
        By how much dates move.
    """

    pseudonym: str
    days: int = field(repr=False)

    @classmethod
    def of(cls, key: bytes, patient: str, pseudonym: str | None = None) -> Subject:
        """Subject of a source patient; without a given pseudonym one is made from the key."""
        name = pseudonym or "Q" + keyed_hash(key, "pseudonym", patient, digits=10).upper()
        return cls(pseudonym=name, days=days_of(key, patient))


@contextmanager
def lenient() -> Iterator[None]:
    """pydicom reads and writes values as they are: judging a hospital's files is not the task here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with config.disable_value_validation():
            yield


def patient_of(source: Dataset) -> str:
    """What tells one patient of the source from another: id, else name, else study."""
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID"):
        value = str(source.get(keyword) or "").strip()
        if value:
            return value
    return ""


def deidentify_dataset(
    source: FileDataset, key: bytes, *, subject: Subject | None = None, changed: Counter[str] | None = None
) -> FileDataset:
    """A de-identified data set with new file meta information.

    Parameters
    ----------
    source : pydicom.dataset.FileDataset
        As read; not changed.
    key : bytes
        The study's secret.
    subject : Subject, optional
        Default: made from the key and `patient_of`.
    changed : collections.Counter, optional
        Is told by keyword which texts that stay by rule were shortened or dropped for what they said.

    Returns
    -------
    pydicom.dataset.FileDataset
        Ready to be written; with the data set of `source` when that carries this key's intact seal.

    Raises
    ------
    ValueError
        For a transfer syntax that PS3.6 does not know: the UID itself could say anything.
    """
    with lenient():
        if is_sealed(source, key):
            return _finished(_converted(source), source, key)
        patient = patient_of(source)
        chosen = subject or Subject.of(key, patient)
        cleaner = Cleaner(key=key, days=chosen.days, own=own_words(source))
        clean = cleaner.dataset(source)
        if changed is not None:
            changed.update(cleaner.changed)
        _identify(clean, source, key, chosen, patient)
        _clear_unused_bits(clean, source)
        _declare(clean)
        return _finished(clean, source, key)


def _finished(clean: Dataset, source: FileDataset, key: bytes) -> FileDataset:
    """A cleaned data set with all that stands around it, sealed."""
    result = FileDataset("", clean, preamble=b"\0" * 128, file_meta=_file_meta(clean, source))
    result.set_original_encoding(False, True, "utf-8")
    # Not by its keyword: that would change the element, which a sealed source shares.
    result.add_new(DEIDENTIFICATION_METHOD, "LO", [METHOD, _SEAL + _seal(result, key)])
    return result


def is_sealed(dataset: Dataset, key: bytes) -> bool:
    """Whether the data set is one that `deidentify_dataset` made with this key, untouched since."""
    method = dataset.get("DeidentificationMethod")
    values = [method] if isinstance(method, str) else list(method or ())
    seals = [str(value).removeprefix(_SEAL) for value in values if str(value).startswith(_SEAL)]
    return bool(seals) and hmac.compare_digest(seals[-1], _seal(dataset, key))


def _seal(dataset: Dataset, key: bytes) -> str:
    body = _converted(dataset)
    body.pop(DEIDENTIFICATION_METHOD, None)
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, body)
    return keyed_hash(key, "seal", stream.getvalue().hex(), digits=32)


def _converted(dataset: Dataset) -> Dataset:
    """The data set with its values read: neither a seal nor a copy may depend on the transfer syntax they came in."""
    body = Dataset()
    for tag in sorted(dataset.keys()):
        body.add(dataset[tag])
    return body


def _identify(clean: Dataset, source: FileDataset, key: bytes, subject: Subject, patient: str) -> None:
    """Pseudonym, and UIDs where the source has blanks (files that somebody half de-identified before)."""
    clean.PatientID = clean.PatientName = subject.pseudonym
    meta = getattr(source, "file_meta", None) or FileMetaDataset()
    if not source.get("SOPClassUID"):
        clean.SOPClassUID = meta.get("MediaStorageSOPClassUID", "")
    sop = str(source.get("SOPInstanceUID") or meta.get("MediaStorageSOPInstanceUID") or "")
    position = str(source.get("ImagePositionPatient")) + str(source.get("InstanceNumber"))
    clean.SOPInstanceUID = replaced_uid(key, sop or f"instance {patient} {position}")
    for keyword, kind in (("StudyInstanceUID", "study"), ("SeriesInstanceUID", "series")):
        if not clean.get(keyword):
            setattr(clean, keyword, replaced_uid(key, f"{kind} {patient} {source.get('SeriesNumber')}"))
    for keyword in ("AccessionNumber", "StudyID", "ReferringPhysicianName", "PatientBirthDate", "PatientSex"):
        if keyword not in clean:  # type 2 in a CT image (PS3.3 A.3)
            setattr(clean, keyword, "")


def _clear_unused_bits(clean: Dataset, source: Dataset) -> None:
    """Old files hide an overlay in the bits above HighBit (PS3.5 8.1.2, retired): cleared with the overlay's group."""
    hidden = any(
        tag.group & 0xFF00 == 0x6000 and tag.element == 0x0102 and int(source[tag].value or 0) > 0
        for tag in source.keys()  # noqa: SIM118
    )
    syntax = UID(str(getattr(source, "file_meta", {}).get("TransferSyntaxUID", "")))
    if not hidden or "PixelData" not in clean or syntax.is_compressed or int(clean.get("BitsAllocated", 0)) != 16:
        return
    order = "<u2" if syntax.is_little_endian else ">u2"
    stored = np.frombuffer(clean.PixelData, order)
    bits = int(clean.BitsStored)
    values = stored & np.uint16((1 << bits) - 1)
    if int(clean.get("PixelRepresentation", 0)):
        sign = np.uint16(1 << (bits - 1))
        values = (values ^ sign) - sign
    clean.PixelData = values.astype(order).tobytes()


def _declare(clean: Dataset) -> None:
    items = []
    for value, meaning in CODES:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        items.append(item)
    clean.DeidentificationMethodCodeSequence = Sequence(items)
    clean.PatientIdentityRemoved = "YES"
    clean.LongitudinalTemporalInformationModified = "MODIFIED"
    clean.BurnedInAnnotation = "NO"
    clean.SpecificCharacterSet = "ISO_IR 192"


def _file_meta(clean: Dataset, source: FileDataset) -> FileMetaDataset:
    syntax = UID(str(source.file_meta.TransferSyntaxUID))
    if not syntax.is_transfer_syntax:
        raise ValueError("unknown transfer syntax")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = clean.SOPClassUID
    meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = "QUADPHASE"
    return meta
