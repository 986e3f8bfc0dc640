"""Contrast phases of the phantom hospital: how many are right without text, and does a wrong one pass unflagged.

64 exams of random patients (all diagnoses, liver states, both scanners, English and Chinese consoles, some mis-declared
GBK) are rendered, written as DICOM, read back, and judged under several losses of information. A volume counts as right
only if the stack used for its phase is the one acquired in it. QUADPHASE_BENCH_EXAMS changes the number of exams.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from measuring import Row
from quadphase.convert.exam import read_stacks
from quadphase.convert.features import features_of
from quadphase.convert.phases import StackFeatures, assign
from quadphase.convert.phases.enhancement import with_enhancement
from quadphase.convert.phases.thumbnail import thumbnail
from quadphase.model import Phase
from quadphase.model.protocol.sections import PhasesSection
from quadphase.phantom.anatomy import render_phase
from quadphase.phantom.dicom import write_series
from quadphase.phantom.exam import DESCRIPTIONS
from quadphase.phantom.roster import roster

EXAMS = int(os.environ.get("QUADPHASE_BENCH_EXAMS", "64"))
SHAPE, SPACING_MM = (128, 128, 40), (3.125, 3.125, 6.0)
PHASES = tuple(Phase)

Change = Callable[[Sequence[StackFeatures], np.random.Generator], tuple[list[StackFeatures], bool]]


def exam_features(number: int, seed: int = 7) -> list[StackFeatures]:
    """Features of one exam, the stack of each phase in the order P, C1, C2, C3; through DICOM files."""
    admission = roster(number + 1, seed)[number]
    exam = admission.exam
    with tempfile.TemporaryDirectory() as folder:
        for phase in PHASES:
            rendered = render_phase(admission.spec, phase, shape=SHAPE, spacing_mm=SPACING_MM)
            write_series(rendered.volume, Path(folder) / phase.value, exam=exam, phase=phase)
        stacks = read_stacks([Path(folder)]).usable
        features = [features_of(stack, b"k" * 32) for stack in stacks]
        features = list(with_enhancement(features, [thumbnail(stack.load().volume) for stack in stacks]))
    # The phantom numbers its series 2 to 5 in the order of the phases: that is the truth.
    return sorted(features, key=lambda f: f.series_number or 0)


def without_text(stacks: Sequence[StackFeatures]) -> list[StackFeatures]:
    return [replace(s, texts={}) for s in stacks]


def without_clock(stacks: Sequence[StackFeatures]) -> list[StackFeatures]:
    return [replace(s, acquisition_s=None, contrast_start_s=None) for s in stacks]


def image_only(stacks: Sequence[StackFeatures]) -> list[StackFeatures]:
    blank = {"series_number": None, "acquisition_number": None, "instance_range": None}
    tags = {"contrast_agent": None, "contrast_route": None, "contrast_volume_ml": None}
    return [replace(s, **blank, **tags) for s in without_clock(without_text(stacks))]


def with_wrong_text(stacks: Sequence[StackFeatures], rng: np.random.Generator) -> tuple[list[StackFeatures], bool]:
    """Each description is replaced, with one chance in ten, by that of another phase."""
    style = list(DESCRIPTIONS)[int(rng.integers(4))]
    changed, wrong = [], False
    for phase, stack in zip(PHASES, stacks, strict=True):
        if rng.random() < 0.1:
            other = int(rng.choice([p.order for p in PHASES if p is not phase]))
            text = DESCRIPTIONS[style][other]
            changed.append(replace(stack, texts={"SeriesDescription": text}, charset="ISO_IR 192"))
            wrong = True
        else:
            changed.append(stack)
    return changed, wrong


def judge(stacks: Sequence[StackFeatures], rng: np.random.Generator) -> tuple[int, bool, float]:
    """Number of right volumes, whether a person is asked, and the exam's margin; stacks come shuffled."""
    order = rng.permutation(len(stacks))
    shuffled = [replace(stacks[n], index=i) for i, n in enumerate(order)]
    result = assign(shuffled, PhasesSection())
    right = sum(phase in result.by_phase and order[result.by_phase[phase]] == phase.order for phase in PHASES)
    return right, result.needs_review, result.margin or 0.0


def run() -> Iterable[Row]:
    exams = [exam_features(n) for n in range(EXAMS)]
    volumes = len(exams) * len(PHASES)
    rng = np.random.default_rng(11)
    plain: tuple[tuple[str, Callable[[Sequence[StackFeatures]], list[StackFeatures]], str], ...] = (
        ("everything", list, ">= 98"),
        ("text removed", without_text, ">= 98"),
        ("text and clocks removed", lambda s: without_clock(without_text(s)), ">= 98"),
        ("image alone: no text, clocks, numbers, contrast tags", image_only, ">= 98"),
    )
    for name, change, claim in plain:
        results = [judge(change(stacks), rng) for stacks in exams]
        right = sum(r for r, _, _ in results)
        silent = sum(r < len(PHASES) and not asked for r, asked, _ in results)
        asked = sum(a for _, a, _ in results)
        margins = np.percentile([m for _, _, m in results], (5, 50))
        detail = f"{right}/{volumes}; {asked} exams ask a person; margin 5 % {margins[0]:.1f}, median {margins[1]:.1f}"
        yield Row(what=f"{name}: right volumes", value=100 * right / volumes, unit="%", claim=claim, detail=detail)
        yield Row(what=f"{name}: wrong exams that pass unflagged", value=silent, unit="exams", claim="<= 0")
    for name, prepare in (("", list), (", clocks removed", without_clock)):
        silent = planted = flagged = right = 0
        for stacks in exams:
            for _ in range(5):
                changed, wrong = with_wrong_text(prepare(stacks), rng)
                n_right, asked, _ = judge(changed, rng)
                right += n_right
                planted += wrong
                flagged += wrong and asked
                silent += n_right < len(PHASES) and not asked
        total = 5 * volumes
        what = f"text wrong in 10 %{name}"
        detail = (
            f"{flagged} of {planted} exams with a wrong text ask a person; {100 * right / total:.2f} % of volumes right"
        )
        yield Row(
            what=f"{what}: wrong exams that pass unflagged", value=silent, unit="exams", claim="<= 0", detail=detail
        )
