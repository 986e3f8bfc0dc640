"""All phases of an exam together: each phase is read alone, then hears the others.

A patient breathes between phases, so the liver of one phase sits some millimetres higher or lower in another. For
each pair the z shift with the best overlap is found on the probabilities; the others, so shifted and weighed by
their confidence, become a belief that pulls gently on a second walk. A phase that alone shows no liver (one thick
slice, a failed contrast) gets the belief cut at one half, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quadphase.localize.acceptance import judge
from quadphase.localize.border import to_input_grid
from quadphase.localize.one_phase import Reading, read_again, read_phase
from quadphase.localize.results import LiverFlag, LiverResult, LiverSettings, NoLiverError
from quadphase.localize.slices import slices_with_liver
from quadphase.localize.working_grid import BoolArray, FloatArray, WorkingVolume, sample_on, to_working_grid
from quadphase.model import Mask, Phase, Volume

BELIEF = 0.03
"""Pull of the other phases: as strong as this phase's own density."""

MAX_SHIFT_MM = 36.0
"""Breath-holds of one exam put the liver some 10 mm apart; three to four times that is the most a search needs."""

LEAST_GAIN = 0.002
"""A larger shift must gain this much Dice over a smaller one."""

AGREE_DICE = 0.80
"""Two phases that agree less than this after the shift are reported."""

CARRIED_TRUST = 0.6
"""Factor on the confidence of a mask carried by position alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alone:
    reading: Reading
    confidence: float


def find_liver(phases: Mapping[Phase, Volume], *, settings: LiverSettings | None = None) -> dict[Phase, LiverResult]:
    """Find the liver in every phase of an exam, using all of them together.

    Parameters
    ----------
    phases : mapping of Phase to Volume
        One volume per phase, one frame of reference; grids may differ.
    settings : LiverSettings, optional

    Returns
    -------
    dict of Phase to LiverResult
        One result per given phase.

    Raises
    ------
    NoLiverError
        If no phase shows a liver; ``code`` is the reason of the phase that came nearest.

    Examples
    --------
    >>> results = find_liver({Phase.C1: arterial, Phase.C2: venous})  # doctest: +SKIP
    >>> results[Phase.C2].k_range  # doctest: +SKIP
    (14, 61)
    """
    settings = settings or LiverSettings()
    alone: dict[Phase, _Alone] = {}
    refused: dict[Phase, NoLiverError] = {}
    for phase, volume in phases.items():
        try:
            reading = read_phase(volume, settings)
        except NoLiverError as error:
            refused[phase] = error
        else:
            alone[phase] = _Alone(reading=reading, confidence=judge(reading.signs())[0])
    if not alone:
        raise _nearest(refused)
    results: dict[Phase, LiverResult] = {}
    for phase, volume in phases.items():
        others = {other: item for other, item in alone.items() if other is not phase}
        if phase in alone:
            results[phase] = _together(alone[phase], others, volume)
        else:
            results[phase] = _carried(refused[phase], others, volume, settings)
    return results


def find_liver_in(volume: Volume, *, settings: LiverSettings | None = None) -> LiverResult:
    """Find the liver in a single scan of any phase.

    Raises
    ------
    NoLiverError
        With the reason.
    """
    return find_liver({Phase.C2: volume}, settings=settings)[Phase.C2]


def _nearest(refused: Mapping[Phase, NoLiverError]) -> NoLiverError:
    if not refused:
        return NoLiverError("empty-scan", "No phase was given", "Give at least one volume")
    order = ("too-small", "no-liver-tissue", "chest-only", "pelvis", "head", "no-bone", "too-few-slices", "empty-scan")
    return min(refused.values(), key=lambda error: order.index(error.code))


def _together(own: _Alone, others: Mapping[Phase, _Alone], volume: Volume) -> LiverResult:
    reading = own.reading
    confidence, reasons, flags = judge(reading.signs())
    if others:
        belief, apart, agreement = _belief(reading.work, reading.probability, others)
        reading = read_again(reading, belief, BELIEF, apart)
        confidence, reasons, flags = judge(reading.signs())
        if agreement < AGREE_DICE:
            confidence *= max(agreement, 0.2) / AGREE_DICE
            reasons += (f"agreement with the other phases {agreement:.2f}",)
            flags += (LiverFlag.PHASES_DISAGREE,)
    mask = to_input_grid(reading.probability, reading.mask, reading.local_hu, reading.work, volume)
    return LiverResult(mask=mask, confidence=confidence, k_range=slices_with_liver(mask), reasons=reasons, flags=flags)


def _carried(
    error: NoLiverError, others: Mapping[Phase, _Alone], volume: Volume, settings: LiverSettings
) -> LiverResult:
    work = to_working_grid(volume.hu, volume.grid, spacing_mm=settings.spacing_mm)
    total = np.zeros(work.hu.shape, dtype=np.float32)
    weight = np.zeros(work.hu.shape, dtype=np.float32)
    for item in others.values():
        field, covers = _moved(_settled(item.reading), item.reading.work, work, 0.0)
        total += item.confidence * np.where(covers, field, 0)
        weight += item.confidence * covers
    probability = (total / np.maximum(weight, np.float32(1e-6))).astype(np.float32)
    inside = (probability > 0.5) & (work.hu > -150)
    level = np.full(work.hu.shape, float(np.median(work.hu[inside])) if inside.any() else 0.0, dtype=np.float32)
    mask = to_input_grid(probability, inside, level, work, volume)
    best = max(item.confidence for item in others.values())
    reason = f"this phase alone was refused: {error.message}"
    if not mask.voxels.any():
        empty = Mask(voxels=np.zeros(volume.grid.shape, dtype=bool), grid=volume.grid)
        return LiverResult(
            mask=empty, confidence=0.0, k_range=(0, 0), reasons=(reason,), flags=(LiverFlag.NOT_COVERED,)
        )
    return LiverResult(
        mask=mask,
        confidence=CARRIED_TRUST * best,
        k_range=slices_with_liver(mask),
        reasons=(reason,),
        flags=(LiverFlag.CARRIED,),
    )


def _belief(
    work: WorkingVolume, own: FloatArray, others: Mapping[Phase, _Alone]
) -> tuple[FloatArray, BoolArray, float]:
    """What the other phases believe on this grid (NaN where none covers), the parts beyond a fissure that they show,
    and how well they agree with it."""
    total = np.zeros(own.shape, dtype=np.float32)
    weight = np.zeros(own.shape, dtype=np.float32)
    apart = np.zeros(own.shape, dtype=bool)
    agreements = []
    for item in others.values():
        reading = item.reading
        shift_mm, dice = _best_shift(work, own, reading)
        field, covers = _moved(_settled(reading), reading.work, work, shift_mm)
        trust = item.confidence * dice
        total += trust * np.where(covers, field, 0)
        weight += trust * covers
        if reading.apart.any() and dice > AGREE_DICE:
            apart |= _moved(reading.apart.astype(np.float32), reading.work, work, shift_mm)[0] > 0.5
        agreements.append(dice)
    with np.errstate(invalid="ignore", divide="ignore"):
        belief = np.where(weight > 1e-3, total / weight, np.nan).astype(np.float32)
    return belief, apart, max(agreements)


def _best_shift(work: WorkingVolume, own: FloatArray, other: Reading) -> tuple[float, float]:
    """Shift along z, in mm, that brings the other phase's liver onto this one, and the Dice there.

    Every second voxel in each plane is enough to count an overlap.
    """
    affine = np.asarray(work.affine @ np.diag([2.0, 2.0, 1.0, 1.0]), dtype=np.float64)
    coarse = replace(work, hu=work.hu[::2, ::2], affine=affine)
    settled = _settled(other)
    mine = own[::2, ::2] > 0.5
    best = (0.0, -1.0)
    steps = int(MAX_SHIFT_MM // work.spacing_mm)
    for step in sorted(range(-steps, steps + 1), key=abs):
        field, covers = _moved(settled, other.work, coarse, step * work.spacing_mm)
        theirs = (field > 0.5) & covers
        size = int((mine & covers).sum()) + int(theirs.sum())
        dice = 2 * int((mine & theirs).sum()) / size if size else 0.0
        if dice > best[1] + LEAST_GAIN:
            best = (step * work.spacing_mm, dice)
    return best


def _settled(reading: Reading) -> FloatArray:
    """Probability, below one half wherever the tidy mask is not."""
    return np.where(reading.mask, reading.probability, np.minimum(reading.probability, np.float32(0.49)))


def _moved(
    field: FloatArray, source: WorkingVolume, work: WorkingVolume, shift_mm: float
) -> tuple[FloatArray, BoolArray]:
    """A field of another phase on this grid after a z shift, and where that phase covers it."""
    affine = work.affine.copy()
    affine[2, 3] -= shift_mm
    x, y, z = work.hu.shape
    moved = sample_on(field, source.affine, affine, (x, y, z))
    a, b, c, d = (np.linalg.inv(source.affine) @ affine)[2]
    i, j, k = np.ogrid[:x, :y, :z]
    slab = a * i + b * j + c * k + d
    return moved, np.asarray((slab >= -0.5) & (slab <= source.hu.shape[2] - 0.5))
