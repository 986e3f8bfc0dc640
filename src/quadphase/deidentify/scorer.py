"""Judge de-identified DICOM against an answer key, by the ten actions of the MIDI-B challenge.

An answer key says, instance by instance and attribute by attribute, what must have become of a value: *tag retained,
text not null, text retained, text removed, date shifted, UID changed, UID consistent, patient id consistent, pixels
hidden, pixels retained*. Instances are found by a value that de-identification keeps (`Expected.instance_tag`), never
by name. The score is the share of checks that pass.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from quadphase.deidentify.dataset import lenient
from quadphase.errors import InputError
from quadphase.io.access import unreadable
from quadphase.io.json_file import load_json
from quadphase.io.whole_tree import whole_tree

__all__ = ["Check", "Expected", "Score", "Task", "answer_key_from", "score"]


class Task(StrEnum):
    """The ten actions."""

    TAG_RETAINED = "tag_retained"
    TEXT_NOT_NULL = "text_notnull"
    TEXT_RETAINED = "text_retained"
    TEXT_REMOVED = "text_removed"
    DATE_SHIFTED = "date_shifted"
    UID_CHANGED = "uid_changed"
    UID_CONSISTENT = "uid_consistent"
    PATIENT_ID_CONSISTENT = "patid_consistent"
    PIXELS_HIDDEN = "pixels_hidden"
    PIXELS_RETAINED = "pixels_retained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One check.

    Parameters
    ----------
    task : Task
    instance : str
        Value of `instance_tag` of the instance, unchanged by de-identification.
    path : tuple of (str or int)
        Keywords and item numbers from the data set to the attribute, ``("RequestAttributesSequence", 0, "StudyID")``;
        empty for pixels.
    value : str
        Source value: the text that must stay or go, the date, the UID, the patient id, or the SHA-256 of the pixels.
    """

    task: Task
    instance: str
    path: tuple[str | int, ...] = ()
    value: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Outcome of one `Expected`; the reason never holds a value."""

    expected: Expected
    passed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """All checks of an answer key."""

    checks: tuple[Check, ...] = field(repr=False)

    @property
    def percent(self) -> float:
        return 100.0 * sum(check.passed for check in self.checks) / max(1, len(self.checks))

    def by_task(self) -> dict[str, tuple[int, int]]:
        """(passed, all) of every action that has a check."""
        passed = Counter(check.expected.task.value for check in self.checks if check.passed)
        return {
            task: (passed[task], n) for task, n in sorted(Counter(c.expected.task.value for c in self.checks).items())
        }

    def to_dict(self) -> dict[str, Any]:
        failures = [
            {"task": c.expected.task.value, "attribute": "/".join(map(str, c.expected.path)), "reason": c.reason}
            for c in self.checks
            if not c.passed
        ]
        return {
            "percent": round(self.percent, 3),
            "checks": len(self.checks),
            "by_task": {task: {"passed": p, "checks": n} for task, (p, n) in self.by_task().items()},
            "failures": failures,
        }


def answer_key_from(path: Path) -> tuple[Expected, ...]:
    """Read an answer key: a JSON list of objects with the fields of `Expected`.

    Raises
    ------
    InputError
        ``"missing-file"``, ``"bad-json"``, ``"bad-answer-key"``.
    """
    rows = load_json(path)
    try:
        return tuple(
            Expected(
                task=Task(row["task"]),
                instance=str(row["instance"]),
                path=tuple(row.get("path", ())),
                value=str(row.get("value", "")),
            )
            for row in rows
        )
    except (KeyError, TypeError, ValueError):
        raise InputError(
            "bad-answer-key", f"{path} is not an answer key", "It needs task, instance, path and value"
        ) from None


def score(answer_key: Iterable[Expected], out: Path, *, instance_tag: str = "InstanceNumber") -> Score:
    """Judge a folder of de-identified DICOM.

    Parameters
    ----------
    answer_key : iterable of Expected
    out : Path
    instance_tag : str
        Keyword of the attribute that tells instances apart and is kept (MIDI-B maps by UID; a hidden image has none).

    Raises
    ------
    InputError
        ``"missing-file"``, ``"not-readable"``, ``"bad-dicom"``; ``"no-instances"`` where no file has the attribute, and
        ``"ambiguous-instances"`` where files lack it or share a value: a check of one of them would say nothing about
        the others, and what is missing counts as removed.
    """
    if not out.is_dir():
        raise InputError("missing-file", f"There is no folder {out}", "Check the name")
    with lenient():
        judge = _Judge(_by_instance(out, instance_tag))
        return Score(checks=tuple(judge.check(expected) for expected in answer_key))


def _by_instance(out: Path, tag: str) -> dict[str, Dataset]:
    """DICOM files by what tells them apart."""
    tree = whole_tree(out)
    if tree.closed:
        raise InputError("not-readable", f"Not allowed to list {tree.closed[0]}", "Ask for the right to read it")
    datasets = [dataset for path in tree.files if (dataset := _dicom(path)) is not None]
    values = Counter(_text(dataset.get(tag)) or "" for dataset in datasets)
    hint = "Name with --instance-tag an attribute that is kept and differs in every file, or judge one series at a time"
    without, shared = values.pop("", 0), sum(n for n in values.values() if n > 1)
    if not values:
        raise InputError("no-instances", f"No DICOM file in {out} has {tag}", hint)
    if without or shared:
        told = f"{without} of {len(datasets)} files in {out} have no {tag}, {shared} share one with another"
        raise InputError("ambiguous-instances", told, hint)
    return {_text(dataset.get(tag)) or "": dataset for dataset in datasets}


def _dicom(path: Path) -> Dataset | None:
    """A file as DICOM, also without preamble; None for what has no class of objects and so is none."""
    try:
        dataset = dcmread(path, force=True)
    except OSError as error:
        raise unreadable(error, path) from None
    except Exception as error:  # pydicom raises many kinds
        raise InputError(
            "bad-dicom", f"{path} is damaged ({type(error).__name__})", "Take it out of the folder"
        ) from None
    is_marked = bool(getattr(dataset, "preamble", None))
    return dataset if is_marked or "SOPClassUID" in dataset or "SOPInstanceUID" in dataset else None


@dataclass(slots=True)
class _Judge:
    found: Mapping[str, Dataset]
    uids: dict[str, str] = field(default_factory=dict)
    """Released UID of each source UID seen so far."""
    sources: dict[str, str] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    shifts: dict[str, int] = field(default_factory=dict)
    """Days by which the dates of each released patient moved."""

    def check(self, expected: Expected) -> Check:
        dataset = self.found.get(expected.instance)
        if dataset is None:
            hidden = expected.task in (Task.PIXELS_HIDDEN, Task.TEXT_REMOVED)
            return Check(expected=expected, passed=hidden, reason="" if hidden else "the instance is missing")
        reason = self._reason(expected, dataset, _text(_value(dataset, expected.path)))
        return Check(expected=expected, passed=not reason, reason=reason)

    def _reason(self, expected: Expected, dataset: Dataset, now: str | None) -> str:
        """Why the check fails; empty when it passes."""
        match expected.task:
            case Task.TAG_RETAINED:
                return "the attribute is gone" if now is None else ""
            case Task.TEXT_NOT_NULL:
                return "" if now else "the attribute is gone or empty"
            case Task.TEXT_RETAINED:
                return "" if now is not None and expected.value in now else "the text is gone"
            case Task.TEXT_REMOVED:
                return "the text is still there" if now and expected.value.casefold() in now.casefold() else ""
            case Task.DATE_SHIFTED:
                return self._shift(expected.value, now or "", str(dataset.get("PatientID", "")))
            case Task.UID_CHANGED:
                return "the UID is missing or unchanged" if not now or now == expected.value else ""
            case Task.UID_CONSISTENT:
                return _consistent(self.uids, self.sources, expected.value, now or "")
            case Task.PATIENT_ID_CONSISTENT:
                return "" if now and self.patients.setdefault(expected.value, now) == now else "another patient id"
            case Task.PIXELS_RETAINED:
                same = _digest(dataset) == expected.value
                return "" if same else "the pixels have changed"
            case Task.PIXELS_HIDDEN:
                return "the pixels are still there" if _digest(dataset) == expected.value else ""

    def _shift(self, before: str, now: str, patient: str) -> str:
        try:
            moved = (_day(now) - _day(before)).days
        except ValueError:
            return "no date"
        if moved == 0:
            return "the date is unchanged"
        if now[8:] != before[8:]:
            return "the time of day has changed"
        return "" if self.shifts.setdefault(patient, moved) == moved else "another shift than the patient's other dates"


def _consistent(forward: dict[str, str], backward: dict[str, str], before: str, now: str) -> str:
    if not now:
        return "the UID is missing"
    one_to_one = forward.setdefault(before, now) == now and backward.setdefault(now, before) == before
    return "" if one_to_one else "not the same UID everywhere"


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _value(dataset: Dataset, path: tuple[str | int, ...]) -> Any:
    """Value at a path; None where it does not exist. A path part like ``0019,1023`` names a tag."""
    at: Any = dataset
    for part in path:
        if isinstance(part, int):
            if part >= len(at):
                return None
            at = at[part]
            continue
        tag: Any = tuple(int(half, 16) for half in part.split(",")) if "," in part else part
        meta = getattr(at, "file_meta", {})
        if tag in at:
            at = at[tag].value
        elif tag in meta:
            at = meta[tag].value
        else:
            return None
    return "" if at is None else at


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if type(value).__name__ == "MultiValue":
        return "\\".join(map(str, value))
    return "" if isinstance(value, Dataset) else str(value)


def _digest(dataset: Dataset) -> str:
    return hashlib.sha256(dataset.get("PixelData", b"")).hexdigest()
