"""`AuditReport`: what an audit found, as values; its JSON form is documented in `docs/reference/audit-checks.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from quadphase.audit.facts import VolumeFacts
from quadphase.model import Finding, Severity

__all__ = ["AuditReport"]

FORMAT: Final = 1
"""Version of the JSON form; raised when a key changes its meaning."""

_RANK: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AuditReport:
    """Outcome of `audit`.

    Parameters
    ----------
    name : str
        What was audited, as given.
    subjects, images : int
        Of the table.
    findings : tuple of Finding
        Errors first, then by code and place.
    facts : tuple of VolumeFacts
    thumbnails : mapping of str to bytes
        PNG by location (``P0137/C1``), only where asked for.
    """

    name: str
    subjects: int
    images: int
    findings: tuple[Finding, ...]
    facts: tuple[VolumeFacts, ...]
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Findings by code, most severe and most frequent first."""
        by_code = Counter(finding.code for finding in self.findings)
        rank = {finding.code: _RANK[finding.severity] for finding in self.findings}
        return {code: by_code[code] for code in sorted(by_code, key=lambda code: (rank[code], -by_code[code], code))}

    def severity_counts(self) -> dict[str, int]:
        found = Counter(finding.severity for finding in self.findings)
        return {severity.value: found[severity] for severity in Severity}

    @property
    def has_errors(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    def of(self, code: str) -> tuple[Finding, ...]:
        """Findings with this code."""
        return tuple(finding for finding in self.findings if finding.code == code)

    def to_dict(self) -> dict[str, Any]:
        """Stable JSON form."""
        return {
            "format": FORMAT,
            "release": self.name,
            "subjects": self.subjects,
            "images": self.images,
            "images_read": len(self.facts),
            "severities": self.severity_counts(),
            "counts": self.counts,
            "findings": [finding.to_dict() for finding in self.findings],
            "volumes": [facts.to_dict() for facts in self.facts],
        }


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by code and place; the same release always gives the same order."""
    return tuple(sorted(findings, key=lambda f: (_RANK[f.severity], f.code, f.location, f.message)))
