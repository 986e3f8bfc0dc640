"""`deidentify_folder`: every DICOM file of a tree, de-identified under new names, or refused with one line.

Names of the result are pseudonyms and keyed hashes, so neither folder nor file nor order tells anything; all files
carry the same time. Before the new folder gets its name, it is scanned for every identifier its own sources held (and
those of the ledger, if there is one): nothing appears unless the proof succeeded.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydicom import dcmwrite
from pydicom.dataset import Dataset

from quadphase.deidentify.attributes import people
from quadphase.deidentify.burned_in import burned_in_reason
from quadphase.deidentify.charset import repair_charset
from quadphase.deidentify.dataset import Subject, deidentify_dataset, is_sealed, lenient, patient_of
from quadphase.deidentify.dicom_file import TooLargeError, read_dicom
from quadphase.deidentify.scan import ScanReport, scan
from quadphase.errors import InputError
from quadphase.io import atomic
from quadphase.io.file_tree import Entry, Listing, list_tree
from quadphase.io.pseudonyms import keyed_hash
from quadphase.model import Finding
from quadphase.model.progress import Progress
from quadphase.model.source import Identifier
from quadphase.model.vocabulary.descriptions import clean_description
from quadphase.model.vocabulary.plain_code import is_plain_code

__all__ = ["DicomReport", "deidentify_folder"]

FILE_TIME: Final = 315532800
"""1 January 1980 UTC, the earliest time that every archive format can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomReport:
    """What was done with every file of the source.

    Parameters
    ----------
    written, refused, ignored : int
        DICOM files de-identified; DICOM files kept back, each with a finding; other files.
    closed_folders : int
        Folders of the source that may not be listed, whose files are none of these.
    subjects : int
        Patients.
    changed : mapping of keyword to int
        Values of attributes that stay by rule and were shortened or dropped, because they were no plain codes.
    findings : tuple of Finding
        Locations count the source's files in sorted order, as their names may be identifiers.
    proof : ScanReport or None
        Scan of the result; None when nothing was written.
    """

    written: int
    refused: int
    ignored: int
    closed_folders: int
    subjects: int
    changed: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = field(default=())
    proof: ScanReport | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "written": self.written,
            "refused": self.refused,
            "ignored": self.ignored,
            "closed_folders": self.closed_folders,
            "subjects": self.subjects,
            "changed": dict(sorted(self.changed.items())),
            "findings": [finding.to_dict() for finding in self.findings],
            "proof": self.proof.to_dict() if self.proof else None,
        }


def deidentify_folder(
    source: Path,
    out: Path,
    key: bytes,
    *,
    pseudonyms: Mapping[str, str] | None = None,
    identifiers: Iterable[Identifier] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> DicomReport:
    """De-identify a folder of DICOM files.

    Parameters
    ----------
    source, out : Path
        `out` must not exist, and not lie inside `source`.
    key : bytes
        The study's secret: the same key gives the same pseudonyms, UIDs and dates.
    pseudonyms : mapping of patient id to pseudonym, optional
        Those of the ledger; other patients get one from the key.
    identifiers : iterable of Identifier
        What else must not be in the result, usually ``Ledger.identifiers()``. Dates are left out of this list: a moved
        date may be another patient's true one.
    dry_run : bool
        Only say what would happen.
    progress : callable, optional

    Raises
    ------
    InputError
        ``"missing-file"``, ``"inside-source"``, ``"no-dicom"``, and as `list_tree`.
    OutputError
        As `atomic.new_folder`.
    PrivacyError
        ``"identifier-found"``: the scan of the result found something; nothing is left.
    """
    if not source.exists():
        raise InputError("missing-file", f"There is no folder {source}", "Check the name")
    if out.resolve().is_relative_to(source.resolve()):
        raise InputError("inside-source", f"{out} lies inside {source}", "Name a folder outside the source")
    listing = list_tree(source) if source.is_dir() else Listing(root="", entries=(Entry(str(source), 0, 0),))
    files = [Path(entry.path) for entry in listing.entries]
    run = _Run(key=key, pseudonyms=pseudonyms or {}, total=len(files), closed_folders=listing.closed_folders)
    if dry_run:
        for number, path in enumerate(files, start=1):
            run.one(number, path, None)
            if progress is not None:
                progress(number, len(files), "")
        return run.report(None)
    with atomic.new_folder(out) as folder:
        for number, path in enumerate(files, start=1):
            run.one(number, path, folder)
            if progress is not None:
                progress(number, len(files), "")
        if not run.written:
            findings = run.report(None).findings
            first = f": {findings[0].message}" if findings else ""
            raise InputError(
                "no-dicom", f"Nothing in {source} could be de-identified{first}", "See the findings of --dry-run"
            )
        known = {(found.kind, found.value): found for found in (*identifiers, *run.identifiers) if found.kind != "date"}
        proof = scan(folder, known.values(), allow=run.released)
        proof.require_clean()
        for path in sorted(folder.rglob("*"), reverse=True):
            os.utime(path, (FILE_TIME, FILE_TIME))
    return run.report(proof)


@dataclass(slots=True, kw_only=True)
class _Run:
    """State of one call: counters, findings, and what the sources disclosed about themselves."""

    key: bytes = field(repr=False)
    pseudonyms: Mapping[str, str] = field(repr=False)
    total: int
    closed_folders: int
    written: int = 0
    refused: int = 0
    ignored: int = 0
    subjects: set[str] = field(default_factory=set, repr=False)
    changed: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    identifiers: set[Identifier] = field(default_factory=set, repr=False)
    released: set[str] = field(default_factory=set, repr=False)

    def one(self, number: int, path: Path, folder: Path | None) -> None:
        """De-identify one file, or say why not."""
        location = f"file {number} of {self.total}"
        with lenient():
            try:
                source = read_dicom(path)
            except OSError as error:
                self._refuse("dicom-unreadable", location, f"cannot be read: {error.strerror or 'input/output error'}")
                return
            except TooLargeError as error:
                self._refuse("dicom-refused", location, str(error))
                return
            except Exception as error:  # pydicom raises many kinds for damaged files
                self._refuse("dicom-unreadable", location, f"is damaged ({type(error).__name__})")
                return
            if source is None:
                self.ignored += 1
                return
            reason = burned_in_reason(source)
            if reason:
                self._refuse("dicom-refused", location, reason)
                return
            try:
                patient = patient_of(source)
                sealed = is_sealed(source, self.key)
                subject = Subject.of(self.key, patient, self.pseudonyms.get(patient))
                changed: Counter[str] = Counter()
                clean = deidentify_dataset(source, self.key, subject=subject, changed=changed)
                relative = _relative(clean, self.key)
                if folder is not None:
                    target = folder / relative
                    if target.exists():
                        self._refuse("dicom-duplicate", location, "is a second file of the same SOP instance")
                        return
                    target.parent.mkdir(parents=True, exist_ok=True)
                    dcmwrite(target, clean, enforce_file_format=True)
            except OSError:
                raise
            except Exception as error:
                self._refuse("dicom-unreadable", location, f"cannot be de-identified ({type(error).__name__})")
                return
            if not sealed:
                self.identifiers |= _identifiers(source)
            self.released.add(str(clean.PatientID))
            self.subjects.add(str(clean.PatientID))
            self.changed += changed
            self.written += 1

    def _refuse(self, code: str, location: str, message: str) -> None:
        self.refused += 1
        self.findings.append(Finding.of(code, location, message))

    def _closed(self) -> list[Finding]:
        count = self.closed_folders
        return [Finding.of("closed-folders", "source", f"folders that may not be listed: {count}")] if count else []

    def report(self, proof: ScanReport | None) -> DicomReport:
        return DicomReport(
            written=self.written,
            refused=self.refused,
            ignored=self.ignored,
            closed_folders=self.closed_folders,
            subjects=len(self.subjects),
            changed=self.changed,
            findings=(*self._closed(), *self.findings),
            proof=proof,
        )


def _relative(clean: Dataset, key: bytes) -> Path:
    """SUBJECT/study/series/instance.dcm, in hashes."""
    study = keyed_hash(key, "file", str(clean.StudyInstanceUID), digits=8)
    series = keyed_hash(key, "file", str(clean.SeriesInstanceUID), digits=8)
    return Path(
        str(clean.PatientID), f"st{study}", f"se{series}", keyed_hash(key, "file", str(clean.SOPInstanceUID)) + ".dcm"
    )


_SOURCES: Final = {
    "patient_id": ("PatientID", "OtherPatientIDs"),
    "accession": ("AccessionNumber",),
    "uid": ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"),
    "birth_date": ("PatientBirthDate",),
}


def _identifiers(source: Dataset) -> set[Identifier]:
    """What a file says about its patient and about anybody by name, to be searched in the result."""
    values = [("name", element.value) for element in people(source)]
    values += [(kind, source.get(keyword)) for kind, keywords in _SOURCES.items() for keyword in keywords]
    found = set()
    for kind, value in values:
        for one in (value if type(value).__name__ == "MultiValue" else [value]) or ():
            text = repair_charset(str(one or "").strip())
            # A name of ordinary words ("Liver Phantom") cannot be told from a description, nor a product's from itself.
            ordinary = kind == "name" and (clean_description(text.replace("^", " ")) or is_plain_code(text))
            if text and not ordinary:
                found.add(Identifier(kind=kind, value=text))
    return found
