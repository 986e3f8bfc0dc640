"""`convert_case`: one chosen exam to `cases/<case>/`, complete or not at all.

Reads the exam's files, decides the phases, writes one exact volume a phase with its slice table, and `case.json` that
says what was seen, decided and refused. A case that misses a required phase, or whose phases a person must decide, is
*held*: nothing of it is written, the outcome says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from quadphase import __version__
from quadphase.convert.exam import Stack, StackSet, read_stacks
from quadphase.convert.features import first_acquired_s, series_name
from quadphase.convert.judging import Judged, judge
from quadphase.convert.phases import Assignment, PhaseOverride
from quadphase.convert.slice_table import slice_table
from quadphase.errors import InputError, UnsupportedDataError
from quadphase.io import atomic
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import load_record, save_record
from quadphase.io.nifti import save_volume
from quadphase.io.study import Study
from quadphase.model import (
    CaseRecord,
    Finding,
    GridRecord,
    Outcome,
    Phase,
    PhaseRecord,
    Protocol,
    Reason,
    Status,
    StepRecord,
)

__all__ = ["STAGE", "ConvertJob", "convert_case"]

STAGE = "convert"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertJob:
    """What a worker needs to convert one case.

    Parameters
    ----------
    study_root : Path
    case : str
        Pseudonym.
    paths : tuple of Path
        Files of the chosen exam.
    damaged : tuple of Path
        Files of the exam, or beside its files, that could not be read: what they should have held is missing.
    key : bytes
        Secret of the study, for hashes of UIDs.
    protocol : Protocol
    phase_overrides : tuple of PhaseOverride
        Of this case.
    """

    study_root: Path
    case: str
    paths: tuple[Path, ...] = field(repr=False)
    key: bytes = field(repr=False)
    protocol: Protocol
    phase_overrides: tuple[PhaseOverride, ...] = ()
    damaged: tuple[Path, ...] = field(default=(), repr=False)


def convert_case(job: ConvertJob) -> Outcome:
    """Convert one exam; expected problems become reasons and findings of the outcome.

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    study = Study(job.study_root)
    step = StepRecord(stage=STAGE, settings=_settings(job), versions=_versions(), inputs=_inputs(job))
    if (findings := _unchanged(study, job.case, step)) is not None:
        return Outcome(case=job.case, stage=STAGE, status=Status.UNCHANGED, findings=findings)
    found = read_stacks((*job.paths, *job.damaged), settings=job.protocol.convert, where=job.case)
    findings = (*found.findings, *(f for stack in found.stacks for f in stack.findings))
    if len({stack.exam for stack in found.stacks}) > 1:
        reason = Reason(code="several-exams", text="the files belong to more than one exam or patient")
        return _held(job, (reason,), findings)
    if not found.usable:
        reason = Reason(code="no-volume", text=_why_nothing(found))
        return _held(job, (reason,), findings)
    judged = judge(found.usable, job.protocol.phases, job.phase_overrides, key=job.key, case=job.case)
    assignment = judged.assignment
    save_record(study.exam_report(job.case), assignment.report(job.case))
    findings = (*findings, *judged.findings, *assignment.findings)
    if reasons := _reasons(assignment, job.protocol):
        return _held(job, reasons, findings)
    try:
        written = _write(study, job, found, judged, findings, step)
    except UnsupportedDataError as error:
        return _held(job, (Reason(code=error.code, text=error.message),), findings)
    return Outcome(case=job.case, stage=STAGE, status=Status.DONE, findings=written)


def _settings(job: ConvertJob) -> dict[str, object]:
    protocol = job.protocol
    return {
        "convert": protocol.convert.model_dump(mode="json"),
        "phases": protocol.phases.model_dump(mode="json"),
        "overrides": [
            {
                "series": o.series,
                "stack": o.stack,
                "phase": o.phase and o.phase.value,
                "author": o.author,
                "time": o.time,
            }
            for o in job.phase_overrides
        ],
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", "pydicom", "isal")} | {"quadphase": __version__}


def _inputs(job: ConvertJob) -> dict[str, str]:
    """SHA-256 over the sorted digests of all files: their content, not their names, places or order.

    Raises
    ------
    InputError
        ``"missing-file"`` without the name, which may disclose a person.
    """
    try:
        with ThreadPoolExecutor(max_workers=2) as pool:
            inputs = {"dicom": _joined(pool.map(sha256_of, job.paths))}
    except OSError:
        raise InputError(
            "missing-file", "A DICOM file of the exam is gone or unreadable", "Run `quadphase acquire`"
        ) from None
    return inputs | ({"damaged": _joined(map(_digest_if_readable, job.damaged))} if job.damaged else {})


def _joined(digests: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(digests)).encode("ascii")).hexdigest()


def _digest_if_readable(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError:
        return "unreadable"


def _unchanged(study: Study, case: str, step: StepRecord) -> tuple[Finding, ...] | None:
    """Findings of the existing record if it was made from the same files, settings and versions and is complete."""
    path = study.case_record(case)
    if not path.is_file():
        return None
    try:
        record = load_record(path, CaseRecord)
    except InputError:
        return None
    old = next((s for s in record.steps if s.stage == STAGE), None)
    if old is None or (old.settings, old.versions, old.inputs) != (step.settings, step.versions, step.inputs):
        return None
    if any(not (study.root / name).is_file() for name in old.outputs):
        return None
    return (*record.findings, *(f for phase in record.phases.values() for f in phase.findings))


def _why_nothing(found: StackSet) -> str:
    if not found.stacks:
        return f"none of {found.n_files} files is a slice of a CT volume"
    codes = sorted({f.code for stack in found.stacks for f in stack.findings if f.severity == "error"})
    return "no stack can become a volume" + (f" ({', '.join(codes)})" if codes else "")


def _reasons(assignment: Assignment, protocol: Protocol) -> tuple[Reason, ...]:
    reasons = [
        Reason(code="missing-phase", text=f"{phase.label.lower()} phase ({phase.value}) is missing")
        for phase in protocol.phases.required
        if phase in assignment.missing
    ]
    if assignment.needs_review and not reasons:
        reasons.append(
            Reason(code="phase-review", text="a person must decide the phases (quadphase exams, phases.csv)")
        )
    return tuple(reasons)


def _held(job: ConvertJob, reasons: tuple[Reason, ...], findings: Sequence[Finding]) -> Outcome:
    return Outcome(case=job.case, stage=STAGE, status=Status.HELD, reasons=reasons, findings=tuple(findings))


def _write(
    study: Study,
    job: ConvertJob,
    found: StackSet,
    judged: Judged,
    findings: tuple[Finding, ...],
    step: StepRecord,
) -> tuple[Finding, ...]:
    """Write the case's folder; returns all findings, those of decoding included."""
    assignment = judged.assignment
    by_index = {stack.index: stack for stack in found.usable}
    chosen = {phase: by_index[index] for phase, index in sorted(assignment.by_phase.items(), key=lambda x: x[0].order)}
    starts = [s for stack in chosen.values() if (s := first_acquired_s(stack)) is not None]
    all_findings = list(findings)
    with atomic.new_folder(study.case(job.case), replace=True) as folder:
        outputs: dict[str, str] = {}
        phases: dict[Phase, PhaseRecord] = {}
        for phase, stack in chosen.items():
            loaded = judged.load(stack)
            description = "; ".join(change.text for change in stack.changes)
            ct = save_volume(folder / phase.value / "ct.nii.gz", loaded.volume, description=description[:79])
            table = atomic.write_text(folder / phase.value / "slices.csv", slice_table(stack, job.key))
            for path in (ct, table):
                outputs[f"cases/{job.case}/{phase.value}/{path.name}"] = sha256_of(path)
            own = tuple(replace(f, location=f"{job.case} {phase.value}") for f in (*stack.findings, *loaded.findings))
            phases[phase] = _phase_record(phase, stack, job, assignment, own, min(starts, default=None))
            all_findings += loaded.findings
        record = CaseRecord(
            case=job.case,
            phases=phases,
            missing=assignment.missing,
            findings=_of_case(found, judged, chosen),
            steps=(step.model_copy(update={"outputs": outputs}),),
        )
        save_record(folder / "case.json", record)
    return tuple(all_findings)


def _of_case(found: StackSet, judged: Judged, chosen: dict[Phase, Stack]) -> tuple[Finding, ...]:
    used = {stack.index for stack in chosen.values()}
    others = (f for stack in found.stacks if stack.index not in used for f in stack.findings)
    return (*found.findings, *others, *judged.findings, *judged.assignment.findings)


def _phase_record(
    phase: Phase,
    stack: Stack,
    job: ConvertJob,
    assignment: Assignment,
    findings: tuple[Finding, ...],
    first_s: float | None,
) -> PhaseRecord:
    grid = stack.proved_grid
    a = stack.headers[0].acquisition
    start = first_acquired_s(stack)
    return PhaseRecord(
        phase=phase,
        grid=GridRecord.of(grid),
        series=series_name(stack, job.key),
        n_slices=grid.shape[2],
        slice_spacing_mm=round(grid.spacing_mm[2], 6),
        slice_thickness_mm=a.slice_thickness_mm,
        manufacturer=a.manufacturer or None,
        model=a.model or None,
        kvp=a.kvp,
        kernel=a.kernel or None,
        seconds_after_first=None if start is None or first_s is None else round(start - first_s, 3),
        evidence=assignment.evidence.get(stack.index, ()),
        margin=assignment.margins.get(phase),
        assigned_by=assignment.assigned_by.get(phase, "evidence"),
        findings=findings,
    )
