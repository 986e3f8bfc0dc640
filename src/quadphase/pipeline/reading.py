"""Reading, sealing and consensus over all cases of a study, as the command line and `run` need them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from quadphase import annotate
from quadphase.errors import InputError, QuadphaseError
from quadphase.io.json_file import save_json
from quadphase.io.study import Study
from quadphase.model import Finding, Mask, Outcome, Phase, Reason, Status
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
    if not folders:
        raise InputError("no-masks", f"{folder} holds no CASE/PHASE.nii.gz", "Name masks such as P0137/C1.nii.gz")
    cases = set(study.case_names())

    def step(case: str) -> Outcome:
        masks = annotate.given_masks(folder / case, case)
        return _done(case, annotate.import_reading(study, reader, case, masks, replace=replace))

    with lock_study(study):
        outcomes = _each([path.name for path in folders if path.name in cases], step)
    return (*outcomes, *_strangers(folders, cases))


def _strangers(folders: Sequence[Path], cases: Collection[str]) -> tuple[Outcome, ...]:
    """Folders that are no case: one may be called after a patient, so it is counted and never named."""
    return tuple(
        Outcome(case=f"folder {number} of {len(folders)}", stage="annotate", status=Status.FAILED, reasons=(_STRANGER,))
        for number, path in enumerate(folders, start=1)
        if path.name not in cases
    )


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
    if not there:
        raise InputError("no-reading", f"Reader {reader} has read no case yet", "Run `quadphase annotate import` first")

    def step(case: str) -> Outcome:
        if not cases and annotate.is_sealed(study, reader, case):
            return Outcome(case=case, stage="annotate", status=Status.UNCHANGED)
        seal = annotate.seal_reading(study, reader, case, tool=tool)
        left_out = [phase for phase in Phase if study.ct(case, phase).is_file() and phase not in seal.images]
        text = f"reader {reader} sealed no mask of {', '.join(left_out)}: no lesion seen there"
        return _done(case, (Finding.of("reading-without-phase", case, text),) if left_out else ())

    with lock_study(study):
        return _each(cases or there, step)


def write_agreement(root: Path) -> dict[str, Any]:
    """Agreement of all cases every reader has sealed, written to ``reports/agreement.json`` and returned."""
    study = _open(root)
    cases = annotate.comparable_cases(study)
    rows = [row for case in cases for row in annotate.agreement_of_case(study, case)]
    summary = {
        "readers": list(study.protocol.annotate.readers),
        **annotate.summarise(rows),
        "identical_cases": [case for case in cases if annotate.are_identical(_readings(study, case))],
    }
    save_json(study.reports / "agreement.json", summary)
    return summary


def _readings(study: Study, case: str) -> list[dict[Phase, Mask]]:
    return [annotate.load_reading(study, reader, case) for reader in study.protocol.annotate.readers]


def build_consensuses(
    root: Path, adjudicated: Path | None, *, author: str = "adjudication", replace: bool = False
) -> tuple[Outcome, ...]:
    """Consensus of all cases every reader has sealed; `adjudicated` holds ``<case>/<phase>.nii.gz``.

    A case that has a consensus keeps it if no mask of it is given, or the same masks by the same author; another one
    takes its place only with `replace`.

    Raises
    ------
    InputError
        ``"missing-folder"``; ``"not-sealed"`` if no case is sealed by all readers.
    OutputError
        ``"study-busy"``.
    """
    study = _open(root)
    if adjudicated is not None and not adjudicated.is_dir():
        raise InputError("missing-folder", f"There is no folder {adjudicated}", "Check the name")

    sealed = annotate.comparable_cases(study)
    if not sealed:
        readers = ", ".join(study.protocol.annotate.readers)
        raise InputError("not-sealed", f"No case is sealed by all readers ({readers})", "Run `quadphase annotate seal`")
    folders = [path for path in sorted(adjudicated.iterdir()) if path.is_dir()] if adjudicated else []
    named = {path.name for path in folders}
    cases = set(study.case_names())

    def step(case: str) -> Outcome:
        given = annotate.given_masks(adjudicated / case, case) if adjudicated else {}
        if given or replace or annotate.verify_consensus(study, case) is None:
            return annotate.build_consensus(study, case, adjudicated=given, author=author, replace=replace)
        return Outcome(case=case, stage="annotate", status=Status.UNCHANGED)

    with lock_study(study):
        outcomes = _each([*sealed, *sorted((named & cases) - set(sealed))], step)
    return (*outcomes, *_strangers(folders, cases))


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
