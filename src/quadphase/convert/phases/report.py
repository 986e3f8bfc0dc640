"""`ExamReport`: what was seen in every stack of an exam and what followed, as `quadphase exams` shows it.

Free of identity: series are keyed hashes, times count from the exam's first stack, words are the recognised ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from pydantic import BaseModel, ConfigDict

from quadphase.convert.phases.features import StackFeatures
from quadphase.model import Evidence, Finding, Phase

__all__ = ["ExamReport", "StackReport", "stack_reports"]


class StackReport(BaseModel):
    """One stack: how it was acquired, what speaks for which phase, what it became."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stack: int
    series: str
    series_number: int | None
    acquisition_number: int | None
    seconds_after_first: float | None
    n_slices: int
    slice_spacing_mm: float
    z_extent_mm: tuple[float, float]
    kernel: str | None
    enhancement_hu: dict[str, float | None] | None
    evidence: tuple[Evidence, ...]
    phase: Phase | None
    """None: left out by a person."""
    used: bool
    """Whether this stack becomes the volume of its phase."""


class ExamReport(BaseModel):
    """`reports/exams/<case>.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case: str
    stacks: tuple[StackReport, ...]
    margins: dict[Phase, float]
    assigned_by: dict[Phase, str]
    missing: tuple[Phase, ...]
    needs_review: bool
    findings: tuple[Finding, ...]


def stack_reports(
    stacks: Sequence[StackFeatures],
    evidence: Mapping[int, tuple[Evidence, ...]],
    labels: Mapping[int, Phase | None],
    used: Mapping[Phase, int],
) -> tuple[StackReport, ...]:
    """Reports of all stacks, by index."""
    times = [stack.acquisition_s for stack in stacks if stack.acquisition_s is not None]
    chosen = set(used.values())
    return tuple(
        StackReport(
            stack=stack.index,
            series=stack.series,
            series_number=stack.series_number,
            acquisition_number=stack.acquisition_number,
            seconds_after_first=None if stack.acquisition_s is None else round(stack.acquisition_s - min(times), 1),
            n_slices=stack.n_slices,
            slice_spacing_mm=round(stack.slice_spacing_mm, 4),
            z_extent_mm=(round(stack.z_extent_mm[0], 2), round(stack.z_extent_mm[1], 2)),
            kernel=stack.kernel,
            enhancement_hu=None if stack.enhancement is None else asdict(stack.enhancement),
            evidence=evidence.get(stack.index, ()),
            phase=labels.get(stack.index),
            used=stack.index in chosen,
        )
        for stack in stacks
    )
