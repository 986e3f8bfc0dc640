"""What a liver finder returns, and the two ways it says no.

`LiverResult` is the answer for one phase. A scan that shows no liver raises `NoLiverError`; a finder that cannot run
(a missing program, an unusable table) raises `LocalizeError`. Both carry a code from a closed set, for machines, and
a sentence with a hint, for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quadphase.errors import QuadphaseError
from quadphase.model import Mask

__all__ = ["LiverFlag", "LiverResult", "LiverSettings", "LocalizeError", "NoLiverError", "NoLiverReason"]


class NoLiverReason(StrEnum):
    """Why a scan shows no liver."""

    EMPTY = "empty-scan"
    """Air, or nothing as large as a body."""
    TOO_FEW_SLICES = "too-few-slices"
    """Fewer slices than can tell an organ from its neighbours."""
    HEAD = "head"
    """Most of the cross-section lies inside a ring of bone."""
    NO_BONE = "no-bone"
    """Neither spine nor ribs: a phantom of water, an empty array, no patient."""
    CHEST_ONLY = "chest-only"
    """The lung still fills the right half of the lowest slices."""
    PELVIS = "pelvis"
    """Hip bones in most slices and no lung above."""
    NO_LIVER_TISSUE = "no-liver-tissue"
    """No large even tissue against the right wall of the trunk."""
    TOO_SMALL = "too-small"
    """What was found is smaller than any liver or part worth keeping."""


class LiverFlag(StrEnum):
    """What a person should know about a result.

    Each lowers the confidence of the built-in finder. Of an outside finder's mask only its volume does: that it is cut
    says nothing of how well it was drawn.
    """

    TOP_CUT = "liver-cut-at-top"
    """Liver in the uppermost slice: the dome is not covered."""
    BOTTOM_CUT = "liver-cut-at-bottom"
    """Liver in the lowest slice: the tip is not covered."""
    VOLUME_UNUSUAL = "liver-volume-unusual"
    """A liver covered whole is below 600 ml, or any is above 3,500 ml."""
    UNSTABLE = "liver-border-unstable"
    """Small changes of the settings move the border a lot."""
    LITTLE_WALL = "liver-away-from-wall"
    """Little of it lies against the right wall: ascites, resection, or another organ."""
    UNEVEN = "liver-density-uneven"
    """Much of it differs from the liver's density: large tumours, or other organs taken in."""
    FEW_RIBS = "liver-wall-without-ribs"
    """Few ribs seen: the wall was drawn from muscle alone."""
    MAYBE_MIRRORED = "liver-maybe-on-left"
    """The left half holds a larger piece of even tissue at the wall: a mirrored scan, situs inversus, a huge spleen."""
    PHASES_DISAGREE = "liver-differs-between-phases"
    """This phase alone and the other phases give different livers."""
    CARRIED = "liver-carried-from-other-phase"
    """This phase alone shows no liver; the mask comes from the other phases by position."""
    NOT_COVERED = "liver-not-covered"
    """This phase shows no liver, nor does it cover where the other phases show it; the mask is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiverSettings:
    """How the built-in finder works.

    Parameters
    ----------
    spacing_mm : float
        Working grid, 3 mm: fine enough for the border, coarse enough for seconds.
    min_coverage_mm : float
        Less than this along the body is refused: an organ cannot be told from a flat cut through it.
    min_volume_ml : float
        Less liver than this is refused.
    """

    spacing_mm: float = 3.0
    min_coverage_mm: float = 12.0
    min_volume_ml: float = 80.0

    def __post_init__(self) -> None:
        if not 1.5 <= self.spacing_mm <= 5.0:
            raise LocalizeError(
                "bad-setting", f"spacing_mm is {self.spacing_mm}", "Between 1.5 and 5 mm; 3 mm is what was measured"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiverResult:
    """The liver in one phase.

    Parameters
    ----------
    mask : Mask
        On the grid of the input volume.
    confidence : float
        0 to 1. For the built-in finder an estimate of how much to trust the mask; other backends that give none
        return 1.0 for a mask of plausible volume.
    k_range : (int, int)
        Slices with liver, half-open indices of the last array axis; ``(0, 0)`` when the mask is empty.
    reasons : tuple of str
        What the confidence was lowered for, one sentence each, with numbers.
    flags : tuple of LiverFlag
        The same for machines.
    """

    mask: Mask
    confidence: float
    k_range: tuple[int, int]
    reasons: tuple[str, ...] = ()
    flags: tuple[LiverFlag, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence {self.confidence} is not between 0 and 1")
        if not 0 <= self.k_range[0] <= self.k_range[1] <= self.mask.grid.shape[2]:
            raise ValueError(f"slice range {self.k_range} does not fit {self.mask.grid.shape[2]} slices")


class LocalizeError(QuadphaseError, RuntimeError):
    """A liver finder or an override table cannot be used."""


class NoLiverError(QuadphaseError, ValueError):
    """The scan shows no liver; ``code`` is a `NoLiverReason`."""
