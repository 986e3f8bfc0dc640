"""Overrides that fit nothing: a decision of a person about a case, or a phase, that the study does not have.

``P001`` for ``P0001`` would leave the decision without effect, so each such row, file and folder is an outcome of its
own that failed, and the cases go on. What people wrote is never repeated (a file may be called after a patient): a row
is named by its number, a folder by its place in the list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from quadphase.annotate import is_mask_name
from quadphase.convert.phases import PhaseOverride
from quadphase.errors import InputError
from quadphase.io.json_file import load_record
from quadphase.io.study import Study
from quadphase.localize.overrides import RangeOverride
from quadphase.model import CaseRecord, Outcome, Phase, Reason, Status

__all__ = ["stray_livers", "stray_phase_rows", "stray_ranges"]

_NO_CASE = Reason(code="unknown-case", text="the study has no case of that name; they are in reports/cohort.csv")


def stray_phase_rows(overrides: Iterable[PhaseOverride], cases: Collection[str]) -> tuple[Outcome, ...]:
    """Rows of `phases.csv` for a case the study does not have."""
    return tuple(_stray(f"phases.csv row {o.row}", "convert", _NO_CASE) for o in overrides if o.case not in cases)


def stray_ranges(
    study: Study,
    ranges: Mapping[tuple[str, Phase], RangeOverride],
    cases: Collection[str],
    converted: Collection[str],
) -> tuple[Outcome, ...]:
    """Rows of `liver_range.csv` for a case the study does not have, or a phase that the converted case lacks."""
    return tuple(
        _stray(f"liver_range.csv row {override.row}", "localize", reason)
        for (case, phase), override in ranges.items()
        if (reason := _why_not(study, case, phase, cases, converted)) is not None
    )


def _why_not(
    study: Study, case: str, phase: Phase, cases: Collection[str], converted: Collection[str]
) -> Reason | None:
    if case not in cases:
        return _NO_CASE
    if case not in converted or phase in _phases(study, case):
        return None
    return Reason(code="unknown-phase", text=f"{case} has no phase {phase}")


def stray_livers(study: Study, cases: Collection[str], converted: Collection[str]) -> tuple[Outcome, ...]:
    """What lies in `overrides/livers` where no mask of a case's phase belongs."""
    return tuple(_stray_livers(study, cases, converted))


def _stray_livers(study: Study, cases: Collection[str], converted: Collection[str]) -> Iterator[Outcome]:
    entries = _entries(study.overrides / "livers")
    for number, entry in enumerate(entries, start=1):
        if entry.name not in cases:
            if entry.is_dir() or is_mask_name(entry.name):
                yield _stray(f"overrides/livers, entry {number} of {len(entries)}", "localize", _NO_CASE)
        elif entry.name in converted:
            wanted = {f"{phase}.nii.gz" for phase in _phases(study, entry.name)}
            count = sum(is_mask_name(path.name) and path.name not in wanted for path in _entries(entry))
            if count:
                text = f"{count} masks are not called {', '.join(sorted(wanted))}"
                yield _stray(f"overrides/livers/{entry.name}", "localize", Reason(code="unknown-phase", text=text))


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else []


def _phases(study: Study, case: str) -> Collection[Phase]:
    try:
        return load_record(study.case_record(case), CaseRecord).phases
    except InputError:  # the outcome of the case says so
        return tuple(Phase)


def _stray(where: str, stage: str, reason: Reason) -> Outcome:
    return Outcome(case=where, stage=stage, status=Status.FAILED, reasons=(reason,))
