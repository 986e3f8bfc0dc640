"""`AcquireReport`: what a source held and what was fetched, by pseudonym and in counts only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quadphase.model.finding import Finding, Severity

__all__ = ["AcquireReport", "CaseFound", "Transfer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFound:
    """What the ledger now holds of one patient of the cohort."""

    exams: int = 0
    """Distinct CT studies."""
    series: int = 0
    """Distinct CT series."""
    images: int = 0
    """Distinct CT images."""
    duplicates: int = 0
    """Image files beyond the first of the same SOP instance UID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What a network source was asked for and gave, in this run."""

    source: str
    """Address without credentials."""
    exams_found: int = 0
    series_wanted: int = 0
    series_skipped: int = 0
    """Not CT, or left out by the protocol's `skip_series`."""
    series_done: int = 0
    series_before: int = 0
    """Complete since an earlier run; not asked for again."""
    series_failed: int = 0
    instances: int = 0
    bytes: int = 0
    missing: int = 0
    """Instances the source announced and did not give."""
    duplicates: int = 0
    """Instances that were sent twice."""
    seconds: float = 0.0
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquireReport:
    """Result of `acquire`."""

    files: Mapping[str, int]
    """Files the ledger knows, by outcome."""
    opened: int
    """Files opened in this run; the others had not changed."""
    forgotten: int
    """Files that are no longer there."""
    unmatched_files: int
    """DICOM files of nobody in the clinical table."""
    cases: Mapping[str, CaseFound]
    """By pseudonym, every wanted patient."""
    findings: tuple[Finding, ...] = ()
    unreadable_of_cases: int = 0
    """Unreadable files that say they belong to a patient of the clinical table."""
    transfer: Transfer | None = None
    wanted: Mapping[str, int] = field(default_factory=dict)
    """Network source: series to fetch or fetched, by pseudonym."""

    @property
    def without_exam(self) -> tuple[str, ...]:
        """Pseudonyms of wanted patients without a CT exam."""
        return tuple(sorted(case for case, found in self.cases.items() if found.exams == 0))

    @property
    def complete(self) -> bool:
        """False when a patient could not be asked for, a series not fetched whole, or a patient's file not read."""
        failed = any(finding.severity is Severity.ERROR for finding in self.findings)
        return not failed and not self.unreadable_of_cases

    def to_dict(self) -> dict[str, Any]:
        """Plain values with stable keys, for ``--json``."""
        transfer = self.transfer
        return {
            "files": dict(self.files),
            "opened": self.opened,
            "forgotten": self.forgotten,
            "unmatched_files": self.unmatched_files,
            "unreadable_of_cases": self.unreadable_of_cases,
            "cases": {
                case: {
                    "exams": found.exams,
                    "series": found.series,
                    "images": found.images,
                    "duplicates": found.duplicates,
                }
                for case, found in sorted(self.cases.items())
            },
            "without_exam": list(self.without_exam),
            "wanted": dict(sorted(self.wanted.items())),
            "transfer": None
            if transfer is None
            else {name: getattr(transfer, name) for name in transfer.__dataclass_fields__},
            "findings": [finding.to_dict() for finding in self.findings],
        }
