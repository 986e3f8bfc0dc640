"""`release`: from finished cases to a folder that may be published, or to nothing.

Build under a temporary name, audit, write the page with the audit's result and the checksums, search every byte for
every identifier, rename. Whatever fails on the way, no release appears, and neither ledger nor flow says that one did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from quadphase.audit import AuditReport, audit
from quadphase.audit.checks import CASE_CHECKS, RELEASE_CHECKS, VOLUME_CHECKS
from quadphase.cohort import age_at_exam, flow_svg, study_flow, write_flow
from quadphase.deidentify import ScanReport, scan
from quadphase.errors import ExitCode, InputError, PrivacyError, QuadphaseError
from quadphase.io import atomic
from quadphase.io.json_file import save_json
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model import Decision, Diagnosis, Outcome, Reason, Severity, Status
from quadphase.model.progress import Progress
from quadphase.model.source import SourcePatient
from quadphase.pipeline.stages import exams_of, passed
from quadphase.processes import stopped_with
from quadphase.release import AuditNote, ReleaseSubject, ReleaseSummary, build_release, finish_release
from quadphase.release.description import is_release

__all__ = ["AuditStopError", "Published", "publish", "ready_cases", "require_release_folder", "subject_of"]

CHECK_COUNT = len(VOLUME_CHECKS) + len(CASE_CHECKS) + len(RELEASE_CHECKS)

OLDEST_AGE = 90
"""Ages of 90 and above are one class in a release: 45 CFR 164.514(b)(2)(i)(C) counts them as identifiers."""


class AuditStopError(QuadphaseError):
    """The audit of the release under construction found errors; nothing was published."""

    exit_code = ExitCode.FINDINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What `publish` made."""

    out: Path
    summary: ReleaseSummary
    audit: AuditReport
    scan: ScanReport
    outcomes: tuple[Outcome, ...]


def subject_of(case: str, patient: SourcePatient, exam_date: date | None) -> ReleaseSubject:
    """What a release says about a person: pseudonym, age at the exam (90 and above as 90), sex, diagnosis."""
    age = age_at_exam(patient, exam_date)
    return ReleaseSubject(
        case=case,
        age=None if age is None else min(age, OLDEST_AGE),
        sex=patient.sex,
        diagnosis=patient.diagnosis or Diagnosis.CN,
    )


def ready_cases(ledger: Ledger) -> tuple[str, ...]:
    """Cases that passed every stage before the release, sorted."""
    return passed(ledger, "cohort", "exam", "convert", "localize", "annotate")


def require_release_folder(study: Study, out: Path, *, replace: bool, inputs: Iterable[Path] = ()) -> None:
    """Refuse a folder a release may not be written to, before hours of work.

    Raises
    ------
    OutputError
        As `atomic.require_target`.
    """
    atomic.require_target(out, replace=replace, recognised=is_release, inputs=(*study.parts, *inputs))


def publish(
    study: Study, ledger: Ledger, out: Path, *, executor: Executor, progress: Progress, replace: bool = False
) -> Published:
    """Release every case that passed all stages.

    Parameters
    ----------
    out : Path
        Folder of the release; must not exist unless `replace`, and is replaced only if it is a release of ours.

    Raises
    ------
    InputError
        ``"nothing-to-release"``.
    OutputError
        As `atomic.new_folder`.
    PrivacyError
        ``"identifier-found"``: exit code 5.
    AuditStopError
        ``"audit-errors"``: exit code 1; the findings are in ``reports/audit.json``.
    """
    ready = ready_cases(ledger)
    # What an earlier release said of a case is said anew by this one.
    before = (d for d in ledger.decisions() if d.stage not in ("cohort", "release"))
    held = {d.case: d.reasons for d in before if not d.eligible}
    if not ready:
        raise InputError("nothing-to-release", "No case is ready to be released", _why_none(held))
    patients = ledger.patients()
    exams = exams_of(study, ledger, ready)
    subjects = {case: subject_of(case, patients[case], exams[case].study_date) for case in ready}
    identifiers = ledger.identifiers()

    def drawn(failed: Mapping[str, tuple[str, str]]) -> str:
        """The flow as it will be if this release succeeds."""
        return flow_svg(study_flow(study, ledger, _decisions(_outcomes(failed, ready))))

    with (
        atomic.new_folder(out, replace=replace, recognised=is_release, inputs=study.parts) as folder,
        stopped_with(executor),
    ):
        summary = build_release(
            study.root, folder, subjects, study.protocol, run=executor.map, progress=progress, held=held, flow=drawn
        )
        held = {**held, **_failures(summary.failed)}
        report = audit(folder, executor=executor, name=str(out))
        save_json(study.reports / "audit.json", report.to_dict())
        errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
        if errors:
            raise AuditStopError(
                "audit-errors",
                f"The audit found {len(errors)} errors, first: {errors[0].location}: {errors[0].message}",
                "Nothing was released; see reports/audit.json of the study",
            )
        finish_release(folder, study.protocol, held=held, audit=AuditNote(checks=CHECK_COUNT, findings=report.findings))
        public = study.protocol.deidentify.public_texts
        found = scan(folder, identifiers, allow=public)
        save_json(study.reports / "scan.json", {**_scan_facts(found), "public_texts": list(public)})
        leaks = [finding for finding in found.findings if finding.severity is Severity.ERROR]
        if leaks:
            raise PrivacyError(
                "identifier-found",
                f"{len(leaks)} places of the release hold an identifier, first {leaks[0].location}: {leaks[0].message}",
                "Nothing was released; see reports/scan.json of the study. A text that is public on purpose, such as "
                "an author's name, belongs in public_texts of the protocol's [deidentify]",
            )
    # Only now: a release that was stopped has released nobody.
    outcomes = _outcomes(summary.failed, ready)
    ledger.decide(_decisions(outcomes))
    write_flow(study)
    return Published(out=out, summary=summary, audit=report, scan=found, outcomes=outcomes)


def _why_none(held: Mapping[str, tuple[Reason, ...]]) -> str:
    texts = sorted({reason.text for reasons in held.values() for reason in reasons})
    return f"Held back: {'; '.join(texts)}" if texts else "Run the stages before it first: quadphase run STUDY"


def _failures(failed: Mapping[str, tuple[str, str]]) -> dict[str, tuple[Reason, ...]]:
    return {case: (Reason(code=code, text=text),) for case, (code, text) in failed.items()}


def _decisions(outcomes: Iterable[Outcome]) -> list[Decision]:
    return [
        Decision(case=o.case, stage="release", eligible=o.status is Status.DONE, reasons=o.reasons) for o in outcomes
    ]


def _outcomes(failed: Mapping[str, tuple[str, str]], ready: tuple[str, ...]) -> tuple[Outcome, ...]:
    failures = _failures(failed)
    return tuple(
        Outcome(
            case=case,
            stage="release",
            status=Status.FAILED if case in failures else Status.DONE,
            reasons=failures.get(case, ()),
        )
        for case in ready
    )


def _scan_facts(report: ScanReport) -> dict[str, Any]:
    return {
        "files": report.files,
        "bytes": report.bytes,
        "bytes_searched": report.bytes_searched,
        "identifiers": report.identifiers,
        "findings": [finding.to_dict() for finding in report.findings],
    }
