"""`localize` as a stage of a study: liver masks and slice ranges of one converted case, with what people overrode.

It reads `cases/<case>/` and `overrides/`, and writes `livers/<case>/` whole or not at all. What a person gave (a mask,
a slice range) always wins over the finder and is recorded as theirs. A case is left alone only where its inputs, the
settings, the versions *and the masks on disk* are those of its record; a record that cannot be read counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quadphase import __version__
from quadphase.errors import InputError
from quadphase.io import atomic
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import load_record, save_record
from quadphase.io.nifti import load_mask, load_volume, save_mask
from quadphase.io.study import Study
from quadphase.localize.backends import get_backend
from quadphase.localize.overrides import RangeOverride
from quadphase.localize.results import LiverResult, NoLiverError
from quadphase.localize.slices import slices_with_liver
from quadphase.model import (
    CaseRecord,
    Finding,
    LiverPhaseRecord,
    LiverRecord,
    Mask,
    Outcome,
    Phase,
    Reason,
    Status,
    StepRecord,
    Volume,
    require_same_grid,
)

__all__ = ["LocalizeJob", "localize_case"]

STAGE = "localize"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizeJob:
    """What one worker needs for one case.

    Parameters
    ----------
    study_root : Path
    case : str
    backend, command : str
        Liver finder, see `get_backend`.
    ranges : mapping of Phase to RangeOverride
        Rows of `overrides/liver_range.csv` for this case.
    """

    study_root: Path
    case: str
    backend: str
    command: str
    ranges: Mapping[Phase, RangeOverride]


def localize_case(job: LocalizeJob) -> Outcome:
    """Find the liver in every phase of a case; see the module for what is written.

    Returns
    -------
    Outcome
        ``UNCHANGED`` if inputs, settings, versions and masks are those of the existing record; ``HELD`` with reason
        ``"no-liver"`` or ``"liver-low-confidence"``; the masks of an uncertain case are written for people to look at.
    """
    study = Study(job.study_root)
    record = load_record(study.case_record(job.case), CaseRecord)
    given = {p: f for p in record.phases if (f := study.overrides / "livers" / job.case / f"{p}.nii.gz").is_file()}
    settings = _settings(job, study)
    inputs = {study.relative(path): sha256_of(path) for path in (*_cts(study, record), *given.values())}
    step = StepRecord(stage=STAGE, settings=settings, versions=_versions(), inputs=inputs)
    if (before := _unchanged(study, job.case, step)) is not None:
        return _outcome(before, Status.UNCHANGED)

    volumes = {phase: load_volume(study.ct(job.case, phase)) for phase in record.phases}
    try:
        results = _find(job, volumes, given)
    except NoLiverError as error:
        finding = Finding.of("liver-not-found", job.case, error.message)
        reason = Reason(code="no-liver", text=f"no liver found: {error.message}")
        return Outcome(case=job.case, stage=STAGE, status=Status.HELD, reasons=(reason,), findings=(finding,))
    phases = {phase: _phase_record(job, phase, results[phase], given, study) for phase in record.phases}
    with atomic.new_folder(study.livers / job.case, replace=True) as folder:
        for phase, result in results.items():
            save_mask(folder / f"{phase}.nii.gz", result.mask)
        outputs = {study.relative(study.liver(job.case, p)): sha256_of(folder / f"{p}.nii.gz") for p in results}
        after = LiverRecord(case=job.case, phases=phases, steps=(step.model_copy(update={"outputs": outputs}),))
        save_record(folder / "liver.json", after)
    return _outcome(after, Status.DONE)


def _cts(study: Study, record: CaseRecord) -> list[Path]:
    return [study.ct(record.case, phase) for phase in record.phases]


def _settings(job: LocalizeJob, study: Study) -> dict[str, Any]:
    rows = {phase.value: override.to_dict() for phase, override in sorted(job.ranges.items())}
    return {
        "backend": job.backend,
        "command": job.command,
        "ranges": rows,
        "minimum_confidence": study.protocol.localize.minimum_confidence,
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", "scipy", "isal")} | {"quadphase": __version__}


def _unchanged(study: Study, case: str, step: StepRecord) -> LiverRecord | None:
    """The existing record, if it was made from the same inputs, settings and versions and its masks are whole."""
    try:
        record = load_record(study.liver_record(case), LiverRecord)
    except InputError:  # none there, or damaged: what it would prove is not proved
        return None
    old = next((s for s in record.steps if s.stage == STAGE), None)
    if old is None or (old.settings, old.versions, old.inputs) != (step.settings, step.versions, step.inputs):
        return None
    if set(old.outputs) != {study.relative(study.liver(case, phase)) for phase in record.phases}:
        return None
    whole = all(_is_intact(study.root / name, digest) for name, digest in old.outputs.items())
    return record if whole else None


def _is_intact(path: Path, digest: str) -> bool:
    try:
        return sha256_of(path) == digest
    except OSError:
        return False


def _find(job: LocalizeJob, volumes: Mapping[Phase, Volume], given: Mapping[Phase, Path]) -> dict[Phase, LiverResult]:
    """Masks people gave, and the finder's for the other phases."""
    results: dict[Phase, LiverResult] = {}
    for phase, path in given.items():
        mask = load_mask(path)
        require_same_grid(mask.grid, volumes[phase].grid, what=f"{job.case} {phase}: the given liver mask and its CT")
        mask = Mask(voxels=mask.voxels, grid=volumes[phase].grid)
        results[phase] = LiverResult(mask=mask, confidence=1.0, k_range=slices_with_liver(mask))
    if set(volumes) - set(given):
        found = get_backend(job.backend, command=job.command).find(volumes)
        results |= {phase: result for phase, result in found.items() if phase not in given}
    return results


def _phase_record(
    job: LocalizeJob, phase: Phase, result: LiverResult, given: Mapping[Phase, Path], study: Study
) -> LiverPhaseRecord:
    where = f"{job.case} {phase}"
    findings = [Finding.of(f.value, where, "; ".join(result.reasons) or f.value) for f in result.flags]
    first, stop = result.k_range
    source = job.backend
    override = job.ranges.get(phase)
    if phase in given:
        source = "person"
        findings.append(Finding.of("liver-mask-overridden", where, "the mask under overrides/livers is used"))
    if override is not None:
        first, stop = override.within(result.mask.grid.shape[2])
        source = override.author or "person"
        findings.append(Finding.of("liver-range-overridden", where, f"slices {first}..{stop - 1} (0-based)"))
    minimum = study.protocol.localize.minimum_confidence
    if result.confidence < minimum and override is None:
        text = f"confidence {result.confidence:.2f}, the protocol demands {minimum:.2f}"
        findings.append(Finding.of("liver-low-confidence", where, text))
    return LiverPhaseRecord(
        first=first,
        stop=stop,
        volume_ml=round(result.mask.volume_ml, 3),
        confidence=round(float(result.confidence), 4),
        source=source,
        findings=tuple(findings),
    )


def _outcome(record: LiverRecord, status: Status) -> Outcome:
    """Held where a phase has no liver or is too uncertain for the protocol; otherwise `status`."""
    findings = tuple(f for phase in record.phases.values() for f in phase.findings)
    uncertain = [p for p, r in record.phases.items() if any(f.code == "liver-low-confidence" for f in r.findings)]
    empty = [p for p, r in record.phases.items() if r.stop <= r.first]
    reasons = []
    if empty:
        reasons.append(Reason(code="no-liver", text=f"no liver in {', '.join(empty)}"))
    if uncertain:
        text = f"the liver in {', '.join(uncertain)} is too uncertain; look at livers/{record.case}"
        reasons.append(Reason(code="liver-low-confidence", text=text))
    held = Status.HELD if reasons else status
    return Outcome(case=record.case, stage=STAGE, status=held, reasons=tuple(reasons), findings=findings)
