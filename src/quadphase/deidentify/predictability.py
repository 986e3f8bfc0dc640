"""Nothing about how a release is laid out may tell the diagnosis: ids, row order, file order, file times, splits.

The published PLC-CECT numbered its patients by class, so the id alone was the label. Each signal is tested by
permutation (`quadphase.statistics.permutation`); a release with fewer than twelve subjects cannot be judged and says
so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from quadphase.io.release import Release
from quadphase.io.tables import load_table
from quadphase.model import Finding
from quadphase.statistics.permutation import membership_p_value, order_p_value

__all__ = ["PredictabilityReport", "Signal", "judge_release", "judge_signals"]

FEWEST_SUBJECTS: Final = 12

ALPHA: Final = 1e-3
"""For all signals together (Bonferroni): one clean release in a thousand raises a false alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something a reader of a release sees of every subject.

    Parameters
    ----------
    name : str
        In words: ``"ids"``, ``"row order"``.
    values : mapping of subject to number or name
        Subjects without a value are left out.
    is_order : bool
        Whether values have an order; else they are groups.
    """

    name: str
    values: Mapping[str, Any] = field(repr=False)
    is_order: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictabilityReport:
    """p-value of every signal, and findings for those that tell the diagnosis."""

    subjects: int
    p_values: Mapping[str, float | None]
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "subjects": self.subjects,
            "p_values": dict(self.p_values),
            "findings": [finding.to_dict() for finding in self.findings],
        }


def judge_signals(diagnoses: Mapping[str, str], signals: Sequence[Signal], *, location: str) -> PredictabilityReport:
    """Test every signal against the diagnoses.

    Parameters
    ----------
    diagnoses : mapping of subject to diagnosis
    signals : sequence of Signal
    location : str
        Of the findings.
    """
    if len(diagnoses) < FEWEST_SUBJECTS:
        message = f"{len(diagnoses)} subjects are too few to test whether their order tells the diagnosis"
        few = Finding.of("label-not-testable", location, message)
        return PredictabilityReport(subjects=len(diagnoses), p_values={}, findings=(few,))
    p_values: dict[str, float | None] = {}
    findings: list[Finding] = []
    for signal in signals:
        known = [subject for subject in diagnoses if signal.values.get(subject) is not None]
        labels, values = [diagnoses[subject] for subject in known], [signal.values[subject] for subject in known]
        if len(known) < FEWEST_SUBJECTS:
            p_values[signal.name] = None  # no files, no splits: nothing was tested
            continue
        p = order_p_value(values, labels) if signal.is_order else membership_p_value(values, labels)
        p_values[signal.name] = p
        if p < ALPHA / len(signals):
            message = f"the {signal.name} of {len(known)} subjects tell their diagnosis (permutation test, p = {p:.1g})"
            findings.append(Finding.of("label-predictable", location, message))
    return PredictabilityReport(subjects=len(diagnoses), p_values=p_values, findings=tuple(findings))


def judge_release(root: Path) -> PredictabilityReport:
    """Test ids, row order, file names' order, file times and split membership of a release.

    Parameters
    ----------
    root : Path
        Folder of a release, or its table; times are tested where the files are there.

    Raises
    ------
    InputError
        As `quadphase.io.release.Release`.
    """
    release = Release(root)
    rows = [row for row in release.rows if row.diagnosis is not None]
    first: dict[str, int] = {}
    for number, row in enumerate(rows):
        first.setdefault(row.subject, number)
    folder = release.table.parent
    paths = {row.subject: row.ct_path for row in reversed(rows) if row.ct_path}
    names = {path: number for number, path in enumerate(sorted(paths.values()))}
    times = {
        subject: (folder / path).stat().st_mtime_ns for subject, path in paths.items() if (folder / path).is_file()
    }
    signals = [
        Signal(name="ids", values={subject: _number(subject) for subject in first}),
        Signal(name="row order", values=first),
        Signal(name="file names", values={subject: names[path] for subject, path in paths.items()}),
        Signal(name="file times", values=_ranked(times)),
        Signal(name="splits", values=_splits(folder / "splits.csv"), is_order=False),
    ]
    diagnoses = {row.subject: str(row.diagnosis) for row in rows}
    return judge_signals(diagnoses, signals, location=release.table.name)


def _number(subject: str) -> int | None:
    digits = re.sub(r"\D", "", subject)
    return int(digits) if digits else None


def _ranked(times: Mapping[str, int]) -> dict[str, int]:
    """Times as ranks: nanoseconds since 1970 do not fit a float."""
    ranks = {time: rank for rank, time in enumerate(sorted(set(times.values())))}
    return {subject: ranks[time] for subject, time in times.items()}


def _splits(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    rows = load_table(path)
    columns = list(rows[0]) if rows else []
    group = next((name for name in columns if name.lower() in ("fold", "split")), None)
    return {row[columns[0]]: row[group] for row in rows} if group else {}
