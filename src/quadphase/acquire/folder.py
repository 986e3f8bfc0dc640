"""The folder source: index a tree of DICOM in place. Nothing is copied, moved or changed there."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

from quadphase.acquire.match import Matching, match
from quadphase.acquire.report import AcquireReport, CaseFound
from quadphase.acquire.scan import changed, read_batches, vanished_elsewhere
from quadphase.io import atomic
from quadphase.io.file_tree import list_tree
from quadphase.io.ledger import Ledger
from quadphase.io.ledger.acquisition import file_keys, replace_owners, series_found, unreadable_files
from quadphase.io.study import Study
from quadphase.model.finding import Finding
from quadphase.model.progress import Progress

__all__ = ["UNREADABLE_LIST", "index_folder"]

UNREADABLE_LIST: Final = "unreadable_files.csv"
"""In `restricted/`: paths may hold names of persons."""


def index_folder(
    study: Study,
    ledger: Ledger,
    folder: Path,
    *,
    wanted: tuple[str, ...],
    progress: Progress,
    blank_is: str | None = None,
) -> AcquireReport:
    """Read what is new or changed below `folder`, forget what vanished there or elsewhere, match files to patients.

    Parameters
    ----------
    study : Study
    ledger : Ledger
    folder : Path
    wanted : tuple of str
        Pseudonyms of the patients the report is about.
    progress : callable
    blank_is : str, optional
        See `match`.

    Raises
    ------
    InputError
        ``"no-source"``.
    """
    root, own = folder.resolve(), study.root.resolve()
    listing = list_tree(folder, skip=None if root.is_relative_to(own) else own)
    known = ledger.known_files()
    new, gone = changed(listing, known)
    elsewhere = vanished_elsewhere(listing, known)
    ledger.forget_files([*gone, *elsewhere])
    done = 0
    progress(0, len(new), "files")
    for batch in read_batches(new):
        ledger.record_files([row | {"reason": reason, "owner": ""} for row, reason in batch])
        done += len(batch)
        progress(done, len(new), "files")
    patients = ledger.patients()
    keys = file_keys(ledger)
    matching = match(keys, patients, blank_is=blank_is)
    replace_owners(ledger, matching.owners)
    unreadable = unreadable_files(ledger)
    _write_list(study, unreadable)
    found = _found(ledger, wanted)
    return AcquireReport(
        files=ledger.file_counts(),
        opened=len(new),
        forgotten=len(gone) + len(elsewhere),
        unmatched_files=sum(count for key, count in keys.items() if key not in matching.owners),
        unreadable_of_cases=sum(1 for _, _, owner in unreadable if owner),
        cases=found,
        findings=(*_findings(matching, unreadable, found, listing.closed_folders), *_forgotten(len(elsewhere))),
    )


def _found(ledger: Ledger, wanted: tuple[str, ...]) -> dict[str, CaseFound]:
    cases = ledger.cases()
    studies: dict[str, set[str]] = {}
    series: dict[str, int] = {}
    images: dict[str, int] = {}
    files: dict[str, int] = {}
    for row in series_found(ledger):
        case = cases.get(row.owner)
        if case is None or row.modality not in ("CT", ""):
            continue
        studies.setdefault(case, set()).add(row.study_instance_uid)
        series[case] = series.get(case, 0) + 1
        images[case] = images.get(case, 0) + row.instances
        files[case] = files.get(case, 0) + row.files
    return {
        case: CaseFound(
            exams=len(studies.get(case, ())),
            series=series.get(case, 0),
            images=images.get(case, 0),
            duplicates=files.get(case, 0) - images.get(case, 0),
        )
        for case in wanted
    }


def _findings(
    matching: Matching, unreadable: tuple[tuple[str, str, str], ...], found: dict[str, CaseFound], closed: int
) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    reasons: dict[str, int] = {}
    for _, reason, _ in unreadable:
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        words = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        findings.append(Finding.of("unreadable-files", "source", f"{words}; listed in restricted/{UNREADABLE_LIST}"))
    if closed:
        findings.append(Finding.of("closed-folders", "source", f"{closed} folders may not be listed"))
    if matching.blank:
        findings.append(
            Finding.of(
                "blank-patient-id", "source", f"{matching.blank} exams carry no PatientID and no known accession"
            )
        )
    if matching.conflicts:
        findings.append(
            Finding.of("accession-conflict", "source", f"{matching.conflicts} exams name two patients of the table")
        )
    if matching.by_accession:
        findings.append(
            Finding.of(
                "matched-by-accession",
                "source",
                f"{matching.by_accession} exams carry another PatientID, or none, and were matched by accession number",
            )
        )
    if matching.near_misses:
        findings.append(
            Finding.of(
                "patient-id-near-miss",
                "source",
                f"{matching.near_misses} PatientIDs equal one of the table but for zeros, case or punctuation",
            )
        )
    findings += [
        Finding.of("duplicate-instances", case, f"{case_found.duplicates} image files are there twice")
        for case, case_found in sorted(found.items())
        if case_found.duplicates
    ]
    return tuple(findings)


def _forgotten(elsewhere: int) -> tuple[Finding, ...]:
    if not elsewhere:
        return ()
    text = f"{elsewhere} files indexed from another folder are no longer there and were forgotten"
    return (Finding.of("source-gone", "source", text),)


def _write_list(study: Study, unreadable: tuple[tuple[str, str, str], ...]) -> None:
    """Paths of unreadable files, for the person who may see them; removed when there are none."""
    target = study.restricted / UNREADABLE_LIST
    if not unreadable:
        target.unlink(missing_ok=True)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "reason"))
    writer.writerows((path, reason) for path, reason, _ in unreadable)
    atomic.write_bytes(target, text.getvalue().encode("utf-8", "surrogateescape"))
    target.chmod(0o600)
