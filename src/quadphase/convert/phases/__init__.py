"""Which contrast phase is which stack of an exam: evidence per stack, one joint decision per exam.

Doors: `StackFeatures` (filled by whoever reads headers), `assign`, `load_overrides`. Scores and margins are log10 of
odds: a margin of 1 means that the assignment is ten times likelier than the best one that changes the phase.
"""

from quadphase.convert.phases.assign import REVIEW_CODES, Assignment, assign
from quadphase.convert.phases.features import EnhancementMeasures, StackFeatures
from quadphase.convert.phases.overrides import PhaseOverride, load_overrides

__all__ = [
    "REVIEW_CODES",
    "Assignment",
    "EnhancementMeasures",
    "PhaseOverride",
    "StackFeatures",
    "assign",
    "load_overrides",
]
