"""Reading, sealing and consensus over all cases of a study, as the command line and `run` need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from quadphase import annotate
from quadphase.errors import InputError, QuadphaseError
from quadphase.io.json_file import save_json
from quadphase.io.study import Study
from quadphase.model import Finding, Outcome, Reason, Status
from quadphase.pipeline.lock import lock_study

__all__ = ["build_consensuses", "import_readings", "reading_status", "seal_readings", "write_agreement"]


_STRANGER = Reason(
    code="unknown-case", text="its name is no converted case of the study (Name the folders by pseudonym, e.g. P0137)"
)


def _each(cases: Sequence[str], step: Callable[[str], Outcome]) -> tuple[Outcome, ...]:
    """One outcome a case; what a case refuses does not stop the others."""
    outcomes = []
    for case in cases:
        try:
            outcomes.append(step(case))
        except QuadphaseError as error:
            reason = Reason(code=error.code, text=str(error))
            outcomes.append(Outcome(case=case, stage="annotate", status=Status.FAILED, reasons=(reason,)))
    return tuple(outcomes)


def _done(case: str, findings: tuple[Finding, ...] = ()) -> Outcome:
    return Outcome(case=case, stage="annotate", status=Status.DONE, findings=findings)


def _open(root: Path) -> Study:
    """The study, if there is one: a misspelt name must not look like a study nobody has read."""
    study = Study(root)
    _ = study.protocol
    return study


def import_readings(root: Path, reader: str, folder: Path, *, replace: bool = False) -> tuple[Outcome, ...]:
    """Import ``folder/<case>/<phase>.nii.gz`` of one reader; see `annotate.import_reading` for `replace`.

    Raises
    ------
    InputError
        ``"missing-folder"``, ``"no-masks"``, ``"unknown-reader"``; no study there.
    OutputError
        ``"study-busy"``: somebody else works on the study.
    """
    study = _open(root)
    annotate.require_reader(study, reader)
    if not folder.is_dir():
        raise InputError("missing-folder", f"There is no folder {folder}", "Check the name")
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    given = {path.name: annotate.reading_files(path) for path in folders}
    if not any(given.values()):
        raise InputError("no-masks", f"{folder} holds no CASE/PHASE.nii.gz", "Name masks such as P0137/C1.nii.gz")
    cases = set(study.case_names())

    def step(case: str) -> Outcome:
        return _done(case, annotate.import_reading(study, reader, case, given[case], replace=replace))

    # A folder that is no case may be called after a patient: it is counted, never named.
    strangers = tuple(
        Outcome(case=f"folder {number} of {len(folders)}", stage="annotate", status=Status.FAILED, reasons=(_STRANGER,))
        for number, path in enumerate(folders, start=1)
        if path.name not in cases
    )
    with lock_study(study):
        return (*_each([name for name in given if name in cases], step), *strangers)


def seal_readings(
    root: Path, reader: str, *, tool: str = "", cases: Sequence[str] | None = None
) -> tuple[Outcome, ...]:
    """Seal one reader's readings: those named, or all that are there and not sealed yet.

    Raises
    ------
    InputError
        ``"unknown-reader"``; no study there.
    OutputError
        ``"study-busy"``.
    """
    study = _open(root)
    annotate.require_reader(study, reader)
    there = [c for c in study.case_names() if annotate.reading_files(study.reading(reader, c))]
    chosen = list(cases) if cases else [c for c in there if not annotate.is_sealed(study, reader, c)]

    def step(case: str) -> Outcome:
        annotate.seal_reading(study, reader, case, tool=tool)
        return _done(case)

    with lock_study(study):
        return _each(chosen, step)


def write_agreement(root: Path) -> dict[str, Any]:
    """Agreement of all cases every reader has sealed, written to ``reports/agreement.json`` and returned."""
    study = _open(root)
    rows = [row for case in annotate.comparable_cases(study) for row in annotate.agreement_of_case(study, case)]
    summary = annotate.summarise(rows)
    save_json(study.reports / "agreement.json", summary)
    return summary


def build_consensuses(root: Path, adjudicated: Path | None, *, author: str = "adjudication") -> tuple[Outcome, ...]:
    """Consensus of all cases every reader has sealed; `adjudicated` holds ``<case>/<phase>.nii.gz``.

    Raises
    ------
    InputError
        ``"missing-folder"``.
    OutputError
        ``"study-busy"``.
    """
    study = _open(root)
    if adjudicated is not None and not adjudicated.is_dir():
        raise InputError("missing-folder", f"There is no folder {adjudicated}", "Check the name")

    def step(case: str) -> Outcome:
        given = annotate.reading_files(adjudicated / case) if adjudicated else {}
        return annotate.build_consensus(study, case, adjudicated=given, author=author)

    with lock_study(study):
        return _each(annotate.comparable_cases(study), step)


def reading_status(root: Path) -> list[dict[str, Any]]:
    """Per case: state of each reader (``none``, ``open``, ``sealed``) and whether there is a consensus."""
    study = _open(root)

    def state(reader: str, case: str) -> str:
        if annotate.is_sealed(study, reader, case):
            return "sealed"
        return "open" if annotate.reading_files(study.reading(reader, case)) else "none"

    return [
        {
            "case": case,
            "readers": {reader: state(reader, case) for reader in study.protocol.annotate.readers},
            "consensus": (study.consensus(case) / "consensus.json").is_file(),
        }
        for case in study.case_names()
    ]
