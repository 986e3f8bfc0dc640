"""What stages leave on disk about their work, as pydantic models: the JSON files of a study are these, nothing else.

All of it is free of identity: cases are named by pseudonym, DICOM UIDs appear only as keyed hashes.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from quadphase.model.finding import Finding
from quadphase.model.grid import Grid
from quadphase.model.phase import Phase

__all__ = [
    "CaseRecord",
    "ConsensusRecord",
    "Evidence",
    "GridRecord",
    "LiverPhaseRecord",
    "LiverRecord",
    "PhaseRecord",
    "SealRecord",
    "SliceDecision",
    "StepRecord",
]


class Record(BaseModel):
    """Base: unknown keys are refused, instances are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GridRecord(Record):
    """`Grid` in JSON: shape and index-to-RAS affine in millimetres, row by row."""

    shape: tuple[int, int, int]
    affine: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, grid: Grid) -> GridRecord:
        return cls(shape=grid.shape, affine=tuple(tuple(float(v) for v in row) for row in grid.affine))


class StepRecord(Record):
    """Proof of one stage's work on one case.

    ``inputs`` and ``outputs`` map study-relative POSIX paths to SHA-256 hex digests; ``settings`` is the part of the
    protocol the stage read. A stage is up to date when settings, versions and input digests are what they were.
    """

    stage: str
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)
    outputs: dict[str, str] = Field(default_factory=dict)


class Evidence(Record):
    """One hint at the phase of one stack.

    ``source`` is one of ``text``, ``time``, ``delay``, ``contrast``, ``enhancement``; ``scores`` holds a
    log-likelihood-like weight for each phase it speaks for or against; ``detail`` says in words what was seen.
    """

    source: str
    scores: dict[Phase, float]
    detail: str


class PhaseRecord(Record):
    """One phase of a case as converted."""

    phase: Phase
    grid: GridRecord
    series: str
    """Keyed hash of the SeriesInstanceUID plus the stack's number within it."""
    n_slices: int
    slice_spacing_mm: float
    slice_thickness_mm: float | None = None
    manufacturer: str | None = None
    model: str | None = None
    kvp: float | None = None
    kernel: str | None = None
    seconds_after_first: float | None = None
    """Acquisition time relative to the exam's first chosen stack; never the clock."""
    evidence: tuple[Evidence, ...] = ()
    margin: float | None = None
    """How much better the chosen assignment scores than the next one that changes this phase."""
    assigned_by: str = "evidence"
    """``evidence`` or the author of the override."""
    findings: tuple[Finding, ...] = ()


class CaseRecord(Record):
    """`cases/P0137/case.json`, written by `convert`."""

    case: str
    phases: dict[Phase, PhaseRecord]
    missing: tuple[Phase, ...] = ()
    """Phases the protocol requires and the exam does not have."""
    findings: tuple[Finding, ...] = ()
    steps: tuple[StepRecord, ...] = ()


class LiverPhaseRecord(Record):
    """Liver of one phase: slice range ``first <= k < stop`` (0-based) on the grid of ``ct.nii.gz``."""

    first: int
    stop: int
    volume_ml: float
    confidence: float
    source: str
    """Backend name, or the author of an override."""
    findings: tuple[Finding, ...] = ()


class LiverRecord(Record):
    """`livers/P0137/liver.json`, written by `localize`."""

    case: str
    phases: dict[Phase, LiverPhaseRecord]
    steps: tuple[StepRecord, ...] = ()


class ReadingRecord(Record):
    """`readings/A/P0137/reading.json`, written by `annotate`: what the masks of a reading were drawn on."""

    images: dict[Phase, str] = Field(default_factory=dict)
    """SHA-256 of the `ct.nii.gz` each phase's mask was imported for."""


class SealRecord(Record):
    """`readings/A/P0137/seal.json`: a reading is immutable once this exists."""

    reader: str
    case: str
    tool: str
    sealed_at: str
    """UTC, ISO 8601, to the second."""
    sha256: dict[str, str]
    """File name within the reading to SHA-256."""
    images: dict[Phase, str] = Field(default_factory=dict)
    """As in `ReadingRecord`."""


class SliceDecision(Record):
    """Who decided the slices ``first <= k < stop`` of a consensus mask, and how."""

    first: int
    stop: int
    how: str
    """``agreed`` (readers identical there) or ``adjudicated``."""
    author: str


class ConsensusRecord(Record):
    """`consensus/P0137/consensus.json`, written by `annotate`."""

    case: str
    phases: dict[Phase, tuple[SliceDecision, ...]]
    steps: tuple[StepRecord, ...] = ()
