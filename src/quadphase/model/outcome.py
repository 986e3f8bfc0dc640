"""What stages decide and report about cases: `Reason`, `Decision`, `Outcome`. All free of identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from quadphase.model.finding import Finding

__all__ = ["Decision", "Outcome", "Reason", "Status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a case was excluded, held back or failed; `text` is free of identity."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What `stage` decided about `case`; kept in the ledger, drawn in the flow diagram.

    Stages in order: ``cohort``, ``exam``, ``convert``, ``localize``, ``annotate``, ``release``.
    """

    case: str
    stage: str
    eligible: bool
    reasons: tuple[Reason, ...] = ()


class Status(StrEnum):
    """How a stage ended for one case."""

    DONE = "done"
    UNCHANGED = "unchanged"
    """Its inputs, settings and outputs are what they were; nothing was done."""
    HELD = "held"
    """A rule of the protocol holds the case back."""
    FAILED = "failed"
    """The stage could not do its work; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result of one stage for one case, as a worker returns it to the parent process."""

    case: str
    stage: str
    status: Status
    reasons: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Stable JSON form: case, stage, status, reasons, findings."""
        return {
            "case": self.case,
            "stage": self.stage,
            "status": self.status.value,
            "reasons": [{"code": reason.code, "text": reason.text} for reason in self.reasons],
            "findings": [finding.to_dict() for finding in self.findings],
        }
