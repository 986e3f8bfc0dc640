"""Build a whole release in a given folder: images by workers, then tables, figures, metadata, page and checksums.

Same study, protocol and subjects: same bytes, on any day, with any number of workers, in a folder of any name. So
nothing here writes a time, a host, a path or an order of completion; everything is sorted by pseudonym and phase.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quadphase.errors import InputError
from quadphase.io import atomic
from quadphase.io.json_file import load_json
from quadphase.io.release import Release
from quadphase.io.release_rows import TABLE_NAME
from quadphase.io.release_tables import GEOMETRY_NAME, LESIONS_NAME, GeometryRow, LesionRow, format_rows
from quadphase.io.study import Study
from quadphase.model import Finding, Protocol, Reason
from quadphase.model.progress import Progress
from quadphase.release.case import ReleasedCase, ReleaseJob, ReleaseSubject, release_case
from quadphase.release.datasheet import check_answers
from quadphase.release.figures.write import FIGURES_FOLDER, write_figures
from quadphase.release.license import license_url
from quadphase.release.manifest import released_files, seal
from quadphase.release.metadata import write_metadata
from quadphase.release.report import AuditNote, write_report
from quadphase.release.splits import SPLITS_NAME, format_splits, make_splits
from quadphase.release.table1_text import FILE_FORMATS, render_table1
from quadphase.release.tables import format_patient_data
from quadphase.statistics.measures import stored_measures
from quadphase.statistics.table1 import compute_table1

__all__ = ["ReleaseSummary", "build_release", "finish_release"]

Run = Callable[[Callable[[ReleaseJob], ReleasedCase], Iterable[ReleaseJob]], Iterable[ReleasedCase]]
"""`map`, or the `map` of a `concurrent.futures.Executor`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSummary:
    """What was built.

    Parameters
    ----------
    released : tuple of str
        Pseudonyms, sorted.
    failed : mapping of pseudonym to (code, message)
        Cases whose images could not be released; nothing of them is in the release.
    """

    released: tuple[str, ...]
    images: int
    failed: Mapping[str, tuple[str, str]]
    findings: tuple[Finding, ...]
    files: int
    size_bytes: int


def build_release(
    study_root: Path,
    out: Path,
    cases: Mapping[str, ReleaseSubject],
    protocol: Protocol,
    *,
    run: Run = map,
    progress: Progress | None = None,
    held: Mapping[str, tuple[Reason, ...]] | None = None,
    flow: Callable[[Mapping[str, tuple[str, str]]], str] | None = None,
    figures: bool = True,
) -> ReleaseSummary:
    """Build a release in `out`.

    Parameters
    ----------
    study_root : Path
    out : Path
        An existing, empty folder (a temporary one: the caller renames it when the audit is content).
    cases : mapping of pseudonym to ReleaseSubject
        The cases to release, all of whose required phases are converted and localized.
    protocol : Protocol
    run : callable
        `map` or an executor's `map`; it must yield in the order given.
    progress : callable, optional
        Called with (done, total, label).
    held : mapping of pseudonym to reasons, optional
        Cases that are not released and why; counted, never named, in the report.
    flow : callable, optional
        Draws ``flow.svg``: takes the cases that failed, as `ReleaseSummary.failed`, and returns the SVG. Without it the
        release has no flow diagram.
    figures : bool
        False leaves the figures out, which saves some seconds.

    Raises
    ------
    InputError
        ``"nothing-to-release"`` if no case is given or none succeeds.
    ProtocolError
        ``"unknown-question"``, ``"unknown-license"``.
    OutputError
        If the disk refuses.
    """
    # What a person must correct is said before hours of work, not after.
    check_answers(protocol)
    license_url(protocol.release.license)
    jobs = [
        ReleaseJob(
            subject=cases[case],
            study_root=study_root,
            out=out,
            phases=tuple(sorted(protocol.phases.required, key=lambda p: p.order)),
            margin_mm=protocol.localize.margin_mm,
            window=protocol.window,
        )
        for case in sorted(cases)
    ]
    done: list[ReleasedCase] = []
    for case in run(release_case, jobs):
        done.append(case)
        if progress is not None:
            progress(len(done), len(jobs), case.subject.case)
    released = [case for case in done if case.failure is None]
    failed = {case.subject.case: case.failure for case in done if case.failure is not None}
    if not released:
        first = next(iter(failed.values()), ("", "no case is ready"))
        raise InputError("nothing-to-release", f"No case could be released: {first[1]}", "See the reports of the study")
    why = {**(held or {}), **{case: (Reason(code=code, text=text),) for case, (code, text) in failed.items()}}
    _write_tables(out, released, protocol)
    write_metadata(out, protocol)
    if flow is not None:
        atomic.write_text(out / "flow.svg", flow(failed))
    if figures:
        release = Release(out)
        agreement = _agreement(Study(study_root), release)
        write_figures(release, out / FIGURES_FOLDER, stored_measures(out) or (), agreement=agreement)
    finish_release(out, protocol, held=why)
    files = released_files(out)
    return ReleaseSummary(
        released=tuple(case.subject.case for case in released),
        images=sum(len(case.images) for case in released),
        failed=failed,
        findings=tuple(finding for case in done for finding in case.findings),
        files=len(files),
        size_bytes=sum(path.stat().st_size for path in files),
    )


def finish_release(
    out: Path,
    protocol: Protocol,
    *,
    held: Mapping[str, tuple[Reason, ...]] | None = None,
    audit: AuditNote | None = None,
) -> None:
    """Write the page (again, now with the audit's result) and the checksums; nothing may change afterwards."""
    write_report(
        out,
        title=protocol.release.title or protocol.study.name,
        version=protocol.release.version,
        license_name=protocol.release.license,
        held=held or {},
        audit=audit,
    )
    seal(out)


def _write_tables(out: Path, cases: list[ReleasedCase], protocol: Protocol) -> None:
    images = [image for case in cases for image in case.images]
    texts: dict[str, Any] = {
        TABLE_NAME: format_patient_data(cases),
        GEOMETRY_NAME: format_rows(GeometryRow, (image.geometry for image in images)),
        LESIONS_NAME: format_rows(LesionRow, (row for image in images for row in image.lesions)),
        SPLITS_NAME: format_splits(
            make_splits((c.subject for c in cases), folds=protocol.splits.folds, seed=protocol.splits.seed)
        ),
    }
    for name, text in texts.items():
        atomic.write_text(out / name, text)
    table = compute_table1(Release(out).rows, stored_measures(out))
    for form in FILE_FORMATS:
        atomic.write_text(out / f"table1.{form}", render_table1(table, form))


def _agreement(study: Study, release: Release) -> dict[str, Any] | None:
    """The study's agreement of readers, for the released cases only; None where nobody compared readings."""
    path = study.reports / "agreement.json"
    if not path.is_file():
        return None
    report = load_json(path)
    return {"rows": [row for row in report.get("rows", ()) if row["case"] in release]}
