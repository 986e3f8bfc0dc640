"""What the study says about the phases of a case, and proof that its masks belong to the images that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from quadphase.errors import InputError
from quadphase.io.consensus import consensus_masks
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import load_record
from quadphase.io.nifti import load_mask
from quadphase.io.study import Study
from quadphase.model import CaseRecord, LiverPhaseRecord, LiverRecord, Phase, PhaseRecord

__all__ = ["PhaseSource", "phase_sources"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSource:
    """What the study says about one phase.

    Parameters
    ----------
    record : PhaseRecord
    liver : LiverPhaseRecord
    liver_source : str or None
        Who made the liver mask: a backend, or ``person``; None where the record has no step that says so. Never
        `LiverPhaseRecord.source`: it may be a name.
    range_source : str
        Who gave the slice range: ``person``, or the ``liver`` mask.
    lesion_file : Path or None
        Consensus mask; None where nobody outlined the phase.
    first_s : float or None
        When the first *released* phase was scanned; an exam may have earlier ones that are not released.
    """

    record: PhaseRecord
    liver: LiverPhaseRecord
    liver_source: str | None
    range_source: str
    lesion_file: Path | None
    first_s: float | None


def phase_sources(study: Study, case: str, phases: tuple[Phase, ...], *, is_cancer: bool) -> Iterator[PhaseSource]:
    """The named phases of a case, one by one.

    Raises
    ------
    InputError
        ``"phase-missing"``, ``"liver-missing"``, ``"liver-outdated"``, ``"liver-changed"``, ``"control-with-lesion"``;
        as `consensus_masks`.
    """
    record = load_record(study.case_record(case), CaseRecord)
    liver = load_record(study.liver_record(case), LiverRecord)
    lesions = _lesion_files(study, case, is_cancer=is_cancer)
    times = (record.phases[phase].seconds_after_first for phase in phases if phase in record.phases)
    first_s = min((time for time in times if time is not None), default=None)
    for phase in phases:
        if phase not in record.phases:
            raise InputError("phase-missing", f"{case} has no phase {phase.value}")
        if phase not in liver.phases:
            raise InputError("liver-missing", f"{case} has no liver mask of phase {phase.value}")
        _require_same_liver(study, liver, phase)
        codes = {finding.code for finding in liver.phases[phase].findings}
        yield PhaseSource(
            record=record.phases[phase],
            liver=liver.phases[phase],
            liver_source="person" if "liver-mask-overridden" in codes else _backend(liver),
            range_source="person" if "liver-range-overridden" in codes else "liver",
            lesion_file=lesions.get(phase),
            first_s=first_s,
        )


def _lesion_files(study: Study, case: str, *, is_cancer: bool) -> Mapping[Phase, Path]:
    """Consensus masks by phase; none of a control: its readers found nothing, or the case is to be looked at."""
    masks = consensus_masks(study, case)
    if is_cancer:
        return masks
    for phase, path in masks.items():
        if load_mask(path).voxels.any():
            raise InputError(
                "control-with-lesion",
                f"{case} {phase.value}: the readers outlined a lesion in a control",
                "Correct the diagnosis or the mask",
            )
    return {}


def _backend(record: LiverRecord) -> str | None:
    backend = str(record.steps[-1].settings.get("backend", "")) if record.steps else ""
    return backend if re.fullmatch(r"[a-z]{1,20}", backend) else None


def _require_same_liver(study: Study, record: LiverRecord, phase: Phase) -> None:
    """Refuse a liver mask that is not the one `liver.json` describes, or was found in another image."""
    path, ct = study.liver(record.case, phase), study.ct(record.case, phase)
    found_in = {name: digest for step in record.steps for name, digest in step.inputs.items()}
    if not _is(ct, found_in.get(study.relative(ct))):
        raise InputError(
            "liver-outdated",
            f"{record.case} {phase}: the liver mask was found in another image than the one that is there now",
            "Run `quadphase localize` again",
        )
    written = {name: digest for step in record.steps for name, digest in step.outputs.items()}
    if not _is(path, written.get(study.relative(path))):
        raise InputError(
            "liver-changed",
            f"{record.case} {phase}: the liver mask is not what localize wrote",
            "Put your own mask under overrides/livers and run `quadphase localize` again",
        )


def _is(path: Path, stated: str | None) -> bool:
    """Whether a file is what a record states; one that states nothing, or a missing file, is refused elsewhere."""
    return stated is None or not path.is_file() or sha256_of(path) == stated
