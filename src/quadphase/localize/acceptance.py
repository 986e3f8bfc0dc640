"""Is this a liver? Refusals before and after the search, and an honest number between.

A finder that always answers is worse than none: a pelvis gave an early version 220 ml of "liver", a head 1.2 l. So
a scan is refused by name when its anatomy cannot hold a liver, and every accepted mask gets a confidence from
things that can be measured without knowing the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from quadphase.localize.body import Body
from quadphase.localize.results import LiverFlag, NoLiverError, NoLiverReason
from quadphase.localize.working_grid import BoolArray

BEST = 0.93
"""Confidence when nothing speaks against a mask: the Dice that such masks reached on scans with a reference."""

SKULL_SHARE = 0.35
"""Share of the cross-section inside closed bone: a head 0.6 to 0.8, a trunk under 0.15 (vertebral canal)."""

CHEST_SHARE = 0.6
"""Lung in the right half of the lowest slices: above it the scan ends over the liver."""

HIP_MM = 80.0
"""A bone beside the midline this long within a slice is a hip bone; sections of ribs stay under 60 mm."""

HIP_SLICES = 0.5
"""Share of slices with hip bones that makes a scan a pelvis."""

NO_RIBS = 0.05
"""Share of the flanks drawn from ribs that noise can feign (0.01 in water, 80 HU at 1.5 mm). The least among slabs of
15 mm of the real scans is 0.10, and 0.13 where they are clipped at 200 HU, which hides the spine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What was measured on an accepted mask.

    Attributes
    ----------
    volume_ml : float
    stability : float
        Mean Dice between the members of the ensemble and their mean, 0 to 1.
    wall_contact : float
        Share of rows whose right end lies within 12 mm of the right wall or of lung.
    even_share : float
        Share of the mask at the liver's own density.
    rib_share : float
        Share of the flanks drawn from ribs.
    cut_top, cut_bottom : float
        Area in the end slices as a share of the largest area, 0 to 1.
    mirrored : bool
        The left half holds a larger even piece at its wall.
    """

    volume_ml: float
    stability: float
    wall_contact: float
    even_share: float
    rib_share: float
    cut_top: float
    cut_bottom: float
    mirrored: bool


def refuse_wrong_region(body: Body | None, cavity: BoolArray | None) -> None:
    """Refuse scans whose anatomy cannot hold a liver.

    Raises
    ------
    NoLiverError
        ``empty-scan``, ``head``, ``pelvis`` or ``chest-only``.
    """
    if body is None:
        raise NoLiverError(NoLiverReason.EMPTY, "Nothing as large as a body is in the scan", "Check the series and HU")
    if _skull_share(body) > SKULL_SHARE:
        raise NoLiverError(
            NoLiverReason.HEAD, "The scan is a head: bone encloses most of it", "Choose the abdominal series"
        )
    if not body.lung.any() and _hip_share(body) > HIP_SLICES:
        raise NoLiverError(
            NoLiverReason.PELVIS, "The scan is a pelvis: hip bones in most slices", "Choose the abdominal series"
        )
    if cavity is not None and _lung_share_at_bottom(body, cavity) > CHEST_SHARE:
        raise NoLiverError(
            NoLiverReason.CHEST_ONLY,
            "The scan ends above the liver: lung fills the right half of its lowest slices",
            "Choose the abdominal series",
        )


def refuse_boneless(body: Body, rib_share: float) -> None:
    """Refuse scans without a skeleton: every real trunk shows its spine in each slice, or ribs where HU are clipped.

    Raises
    ------
    NoLiverError
        ``no-bone``.
    """
    if body.spine_seen == 0 and rib_share < NO_RIBS:
        raise NoLiverError(
            NoLiverReason.NO_BONE, "Neither spine nor ribs are in the scan", "Choose a scan of a patient, in HU"
        )


def _skull_share(body: Body) -> float:
    shares = []
    for k in np.flatnonzero(body.inside.any(axis=(0, 1))):
        bone = ndimage.binary_closing(body.bone[:, :, k], iterations=1)
        enclosed = ndimage.binary_fill_holes(bone)
        shares.append(enclosed.sum() / body.inside[:, :, k].sum())
    return float(np.median(shares)) if shares else 0.0


def _hip_share(body: Body) -> float:
    """Share of the slices with a long bone on both sides of the midline."""
    aside_mm = (np.arange(body.bone.shape[0])[:, None] - body.midline[None]) * body.spacing_mm
    count = 0
    depth = int(body.bone.shape[2])
    for k in range(depth):
        sides = (aside_mm[:, k] > 35, aside_mm[:, k] < -35)
        count += all(_longest_mm(body.dense[:, :, k] & side[:, None], body.spacing_mm) > HIP_MM for side in sides)
    return count / depth


def _longest_mm(bone: BoolArray, spacing_mm: float) -> float:
    labels, _ = ndimage.label(ndimage.binary_closing(bone))
    boxes = ndimage.find_objects(labels)
    lengths = [float(np.hypot(b[0].stop - b[0].start, b[1].stop - b[1].start)) for b in boxes]
    return max(lengths, default=0.0) * spacing_mm


def _lung_share_at_bottom(body: Body, cavity: BoolArray) -> float:
    right = np.arange(cavity.shape[0])[:, None] > body.midline[None, :3]
    room = cavity[:, :, :3] & right[:, None, :]
    return float((body.lung[:, :, :3] & room).sum() / max(room.sum(), 1))


def refuse_too_small(volume_ml: float, least_ml: float) -> None:
    """Refuse a result that is no liver.

    Raises
    ------
    NoLiverError
        ``too-small``.
    """
    if volume_ml < least_ml:
        raise NoLiverError(
            NoLiverReason.TOO_SMALL,
            f"Only {volume_ml:.0f} ml of liver-like tissue was found",
            "If the scan does show a liver, add its slice range or mask by hand",
        )


def judge(signs: Signs) -> tuple[float, tuple[str, ...], tuple[LiverFlag, ...]]:
    """Confidence and what lowered it.

    Each sign gives a factor between 0 and 1; their product is the confidence, an estimate of the Dice to expect. The
    signs see what went visibly wrong; a wrong organ of the right size, density and place they cannot see.

    Returns
    -------
    confidence : float
    reasons : tuple of str
    flags : tuple of LiverFlag
    """
    whole = signs.cut_top < 0.1 and signs.cut_bottom < 0.1
    enough = _ramp(signs.volume_ml, 300, 700) if whole else 1.0  # part of a liver may be small, none is larger than one
    volume = enough * (1 - _ramp(signs.volume_ml, 3000, 5000))
    found = [
        (LiverFlag.UNSTABLE, _ramp(signs.stability, 0.70, 0.97), f"agreement of the ensemble {signs.stability:.2f}"),
        (LiverFlag.LITTLE_WALL, _ramp(signs.wall_contact, 0.0, 0.30), f"wall contact {signs.wall_contact:.2f}"),
        (LiverFlag.UNEVEN, _ramp(signs.even_share, 0.2, 0.75), f"{signs.even_share:.0%} at the liver's density"),
        (LiverFlag.FEW_RIBS, 0.6 + 0.4 * _ramp(signs.rib_share, 0.05, 0.4), f"ribs on {signs.rib_share:.0%}"),
        (LiverFlag.VOLUME_UNUSUAL, max(volume, 0.1), f"{signs.volume_ml:.0f} ml"),
        (LiverFlag.MAYBE_MIRRORED, 0.35 if signs.mirrored else 1.0, "a larger even piece on the left"),
    ]
    confidence = BEST
    reasons, flags = [], []
    for flag, factor, reason in found:
        confidence *= factor
        if factor < 0.85:
            reasons.append(reason)
            flags.append(flag)
    for flag, cut, end in (
        (LiverFlag.TOP_CUT, signs.cut_top, "uppermost"),
        (LiverFlag.BOTTOM_CUT, signs.cut_bottom, "lowest"),
    ):
        if cut > 0.02:
            confidence *= 0.97
            reasons.append(f"liver in the {end} slice ({cut:.0%} of its largest area)")
            flags.append(flag)
    return float(np.clip(confidence, 0.01, 0.99)), tuple(reasons), tuple(flags)


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
