"""The consensus masks of a case, opened only as what `consensus.json` says they are.

The record names the phases and the digests of their masks. A mask that is missing, changed or not in the record is not
"no mask": whoever asks is told, and publishes nothing of the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quadphase.errors import InputError
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import load_record
from quadphase.io.study import Study
from quadphase.model import ConsensusRecord, Phase

__all__ = ["consensus_masks", "load_consensus_record"]

_HINT = "Restore the folder from a backup, or remove it and run `quadphase annotate adjudicate` again"


def load_consensus_record(study: Study, case: str) -> ConsensusRecord | None:
    """The record of a case's consensus; None where there is no consensus, and no mask without one.

    Raises
    ------
    InputError
        ``"consensus-changed"``; as `load_record`.
    """
    folder = study.consensus(case)
    if (folder / "consensus.json").is_file():
        return load_record(folder / "consensus.json", ConsensusRecord)
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError("consensus-changed", f"{case}: consensus masks without their consensus.json", _HINT)
    return None


def consensus_masks(study: Study, case: str) -> Mapping[Phase, Path]:
    """Masks of a case's consensus by phase, each proved to be the one that was decided on.

    Returns
    -------
    mapping of Phase to Path
        Empty where nobody has read the case. A phase of the case that is not in it was outlined by nobody.

    Raises
    ------
    InputError
        ``"consensus-changed"``: a mask is missing, extra or not the one in the record.
    """
    record = load_consensus_record(study, case)
    if record is None:
        return {}
    files = {phase: study.consensus(case) / f"{phase.value}.nii.gz" for phase in Phase}
    there = {phase for phase, path in files.items() if path.is_file()}
    if extra := sorted(there - record.phases.keys(), key=lambda p: p.order):
        raise InputError("consensus-changed", f"{case} {extra[0]}: a mask nobody decided on", _HINT)
    digests = {name: digest for step in record.steps for name, digest in step.outputs.items()}
    phases = sorted(record.phases, key=lambda p: p.order)
    for phase in phases:
        if phase not in there:
            raise InputError("consensus-changed", f"{case} {phase}: the consensus mask is missing", _HINT)
        if digests.get(study.relative(files[phase])) != sha256_of(files[phase]):
            raise InputError("consensus-changed", f"{case} {phase}: the consensus mask is not what was decided", _HINT)
    return {phase: files[phase] for phase in phases}
