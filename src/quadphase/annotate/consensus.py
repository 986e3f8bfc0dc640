"""Consensus lesion masks: where all readers drew the same it is theirs; elsewhere a person's adjudicated mask decides.

Software never votes. A phase whose readers differ and that nobody adjudicated leaves the case without a consensus, and
the case says on which slices people must meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quadphase.annotate.readings import empty_like, load_reading, mask_on_grid
from quadphase.annotate.seal import verify_seal
from quadphase.errors import InputError, OutputError
from quadphase.io import atomic
from quadphase.io.consensus import consensus_masks, load_consensus_record
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import save_record
from quadphase.io.nifti import save_mask
from quadphase.io.study import Study
from quadphase.model import ConsensusRecord, Finding, Mask, Outcome, Phase, Reason, SliceDecision, Status, StepRecord

__all__ = ["are_identical", "build_consensus", "decide_slices", "verify_consensus"]


def decide_slices(agreed: NDArray[np.bool_], *, author: str) -> tuple[SliceDecision, ...]:
    """Runs of slices by who decided them.

    Parameters
    ----------
    agreed : (K,) ndarray of bool
        Whether all readers and the consensus are identical on slice k.
    author : str
        Who decided the others.
    """
    edges = [0, *(np.flatnonzero(np.diff(agreed.astype(np.int8))) + 1).tolist(), len(agreed)]
    return tuple(
        SliceDecision(
            first=first,
            stop=stop,
            how="agreed" if agreed[first] else "adjudicated",
            author="readers" if agreed[first] else author,
        )
        for first, stop in pairwise(edges)
    )


def build_consensus(
    study: Study,
    case: str,
    *,
    adjudicated: Mapping[Phase, Path] | None = None,
    author: str = "adjudication",
    replace: bool = False,
    dry_run: bool = False,
) -> Outcome:
    """Write ``consensus/<case>/`` from sealed readings, and adjudicated masks where the readers differ.

    Parameters
    ----------
    adjudicated : mapping of Phase to Path, optional
        Masks the readers agreed on together; only phases in which they differ need one.
    author : str
        Who answers for the adjudicated masks.
    replace : bool
        Whether another consensus takes the place of the one that is there.
    dry_run : bool
        Only tell what would come of it.

    Returns
    -------
    Outcome
        ``HELD`` with reason ``"no-consensus"`` and one finding a phase where people must still decide; ``UNCHANGED``
        if the consensus that is there was decided like that.

    Raises
    ------
    InputError
        ``"not-sealed"``, ``"broken-seal"``, ``"reading-outdated"``; as `mask_on_grid`.
    OutputError
        ``"consensus-exists"``: another one is there, and `replace` was not asked for.
    """
    readers = study.protocol.annotate.readers
    for reader in readers:
        verify_seal(study, reader, case)
    readings = {reader: load_reading(study, reader, case) for reader in readers}
    findings: list[Finding] = []
    if are_identical(tuple(readings.values())):
        findings.append(Finding.of("readings-identical", case, "all readers sealed the same voxels in every phase"))
    given = dict(adjudicated or {})
    used: dict[Phase, Path] = {}
    masks: dict[Phase, Mask] = {}
    decisions: dict[Phase, tuple[SliceDecision, ...]] = {}
    for phase in Phase:
        drawn = [readings[reader].get(phase) for reader in readers]
        known = next((mask for mask in drawn if mask is not None), None)
        if known is None:
            continue
        voxels = np.stack([(mask or empty_like(known)).voxels for mask in drawn])
        differing = (voxels != voxels[0]).any(axis=(0, 1, 2))
        where = f"{case} {phase}"
        if not differing.any():
            masks[phase] = known
        elif phase in given:
            used[phase] = given.pop(phase)
            masks[phase], found = mask_on_grid(used[phase], known.grid, where=where)
            beyond = int(np.count_nonzero(masks[phase].voxels & ~voxels.any(axis=0)))
            findings += found
            if beyond:
                text = f"{beyond * known.grid.voxel_volume_ml:.2f} ml lie outside every reading"
                findings.append(Finding.of("consensus-outside-readings", where, text))
        else:
            slices = ", ".join(str(k) for k in np.flatnonzero(differing))
            findings.append(
                Finding.of("reading-disagreement", where, f"the readers differ on slices (0-based) {slices}")
            )
            continue
        untouched = ~(voxels != masks[phase].voxels).any(axis=(0, 1, 2))
        decisions[phase] = decide_slices(untouched, author=author)
    if any(finding.code == "reading-disagreement" for finding in findings):
        reason = Reason(code="no-consensus", text="the readers differ and no adjudicated mask is given")
        return Outcome(case=case, stage="annotate", status=Status.HELD, reasons=(reason,), findings=tuple(findings))
    for phase in given:
        text = "the readers agree on this phase" if phase in masks else "nobody outlined a lesion in this phase"
        findings.append(Finding.of("adjudication-unused", f"{case} {phase}", text))
    record = _record(study, case, decisions, used)
    before = load_consensus_record(study, case)
    if before is not None and _same_decision(before, record):
        return Outcome(case=case, stage="annotate", status=Status.UNCHANGED, findings=tuple(findings))
    if before is not None and not replace:
        raise OutputError(
            "consensus-exists",
            f"{case}: another consensus was decided already",
            "It stays unless --overwrite is given; nothing of this case was changed",
        )
    if not dry_run:
        _write(study, record, masks)
    return Outcome(case=case, stage="annotate", status=Status.DONE, findings=tuple(findings))


def verify_consensus(study: Study, case: str) -> ConsensusRecord | None:
    """Check everything a consensus rests on: its masks, the seals of all readers, and that it was made from them.

    Returns
    -------
    ConsensusRecord or None
        None where there is no consensus.

    Raises
    ------
    InputError
        ``"consensus-changed"``, ``"not-sealed"``, ``"broken-seal"``, ``"reading-outdated"``, ``"consensus-outdated"``.
    """
    record = load_consensus_record(study, case)
    if record is None:
        return None
    consensus_masks(study, case)
    known = {name: digest for step in record.steps for name, digest in step.inputs.items()}
    used = {reader for step in record.steps for reader in step.settings.get("readers", ())}
    for reader in dict.fromkeys((*study.protocol.annotate.readers, *sorted(used))):
        seal = verify_seal(study, reader, case)
        now = {study.relative(study.reading(reader, case) / name): digest for name, digest in seal.sha256.items()}
        then = {n: d for n, d in known.items() if n.startswith(f"{study.relative(study.reading(reader, case))}/")}
        if now != then:
            raise InputError(
                "consensus-outdated",
                f"{case}: the consensus was made from another reading of reader {reader}",
                "Run `quadphase annotate adjudicate` again with the masks agreed on and --overwrite",
            )
    return record


def are_identical(readings: Sequence[Mapping[Phase, Mask]]) -> bool:
    """Whether several readings are the same voxel for voxel, with a lesion at all: one reading handed in twice."""
    first = readings[0]
    if len(readings) < 2 or not any(mask.voxels.any() for mask in first.values()):
        return False
    return all(
        other.keys() == first.keys() and all(np.array_equal(other[p].voxels, first[p].voxels) for p in first)
        for other in readings[1:]
    )


def _record(
    study: Study, case: str, decisions: Mapping[Phase, tuple[SliceDecision, ...]], adjudicated: Mapping[Phase, Path]
) -> ConsensusRecord:
    """The record of a decision; what it led to is not in it yet."""
    inputs = {
        study.relative(study.reading(reader, case) / name): digest
        for reader in study.protocol.annotate.readers
        for name, digest in verify_seal(study, reader, case).sha256.items()
    }
    inputs |= {f"adjudicated/{phase}.nii.gz": sha256_of(path) for phase, path in adjudicated.items()}
    step = StepRecord(stage="annotate", settings={"readers": list(study.protocol.annotate.readers)}, inputs=inputs)
    return ConsensusRecord(case=case, phases=dict(decisions), steps=(step,))


def _same_decision(before: ConsensusRecord, after: ConsensusRecord) -> bool:
    """Whether the same people decided the same from the same masks."""
    steps = tuple(step.model_copy(update={"outputs": {}}) for step in before.steps)
    return before.model_copy(update={"steps": steps}) == after


def _write(study: Study, record: ConsensusRecord, masks: Mapping[Phase, Mask]) -> None:
    case = record.case
    with atomic.new_folder(study.consensus(case), replace=True) as folder:
        for phase, mask in masks.items():
            save_mask(folder / f"{phase}.nii.gz", mask)
        outputs = {f"consensus/{case}/{phase}.nii.gz": sha256_of(folder / f"{phase}.nii.gz") for phase in masks}
        steps = tuple(step.model_copy(update={"outputs": outputs}) for step in record.steps)
        save_record(folder / "consensus.json", record.model_copy(update={"steps": steps}))
