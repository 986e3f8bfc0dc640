"""Nouns of the field. Values are frozen and valid from birth; `source` (identities) is not re-exported on purpose."""

from quadphase.model.finding import Finding, FindingCode, Severity
from quadphase.model.grid import GEOMETRY_TOLERANCE_MM, Box, Grid, lps_from_ras
from quadphase.model.outcome import Decision, Outcome, Reason, Status
from quadphase.model.phase import Diagnosis, Phase, Sex
from quadphase.model.protocol import Protocol
from quadphase.model.records import (
    CaseRecord,
    ConsensusRecord,
    Evidence,
    GridRecord,
    LiverPhaseRecord,
    LiverRecord,
    PhaseRecord,
    ReadingRecord,
    SealRecord,
    SliceDecision,
    StepRecord,
)
from quadphase.model.volume import LabelMap, Mask, Volume, require_same_grid

__all__ = [
    "GEOMETRY_TOLERANCE_MM",
    "Box",
    "CaseRecord",
    "ConsensusRecord",
    "Decision",
    "Diagnosis",
    "Evidence",
    "Finding",
    "FindingCode",
    "Grid",
    "GridRecord",
    "LabelMap",
    "LiverPhaseRecord",
    "LiverRecord",
    "Mask",
    "Outcome",
    "Phase",
    "PhaseRecord",
    "Protocol",
    "ReadingRecord",
    "Reason",
    "SealRecord",
    "Severity",
    "Sex",
    "SliceDecision",
    "Status",
    "StepRecord",
    "Volume",
    "lps_from_ras",
    "require_same_grid",
]
