"""Contrast phases of the phantom hospital: how many are right without text, and does a wrong one pass unflagged.

64 exams of random patients (all diagnoses, liver states, both scanners, English and Chinese consoles, some mis-declared
GBK) are rendered, written as DICOM, read back, and judged under several losses of information. A volume counts as right
only if the stack used for its phase is the one acquired in it. QUADPHASE_BENCH_EXAMS changes the number of exams.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from measuring import Row
from quadphase.convert.exam import read_stacks
from quadphase.convert.features import features_of
from quadphase.convert.phases import EnhancementMeasures, StackFeatures, assign
from quadphase.convert.phases.enhancement import with_enhancement
from quadphase.convert.phases.solve import log_prior
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


def exam_features(number: int, seed: int = 8) -> list[StackFeatures]:
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


def disturbed(stacks: Sequence[StackFeatures], rng: np.random.Generator) -> list[StackFeatures]:
    """Image alone, each measure off by 12 % and 8 HU: more than protocols and places differ."""
    changed = []
    for stack in image_only(stacks):
        values = {} if stack.enhancement is None else asdict(stack.enhancement)
        noisy = {k: None if v is None else v * rng.lognormal(0, 0.12) + rng.normal(0, 8) for k, v in values.items()}
        changed.append(replace(stack, enhancement=EnhancementMeasures(**noisy)))
    return changed


def calibration(exams: Sequence[Sequence[StackFeatures]], rng: np.random.Generator) -> Iterable[Row]:
    """How often an assignment with a given margin is wrong: a margin m promises odds of 10 to the m.

    Exams with every combination of two to four phases. The promise is about exams as they occur, so each combination
    has the weight of the prior; the rows without a claim show what happens where all combinations are equally
    frequent.
    """
    found = []
    for stacks in exams:
        for present in (p for size in (2, 3, 4) for p in combinations(range(4), size)):
            chosen = [disturbed(stacks, rng)[p] for p in present]
            result = assign([replace(s, index=i) for i, s in enumerate(chosen)], PhasesSection())
            wrong = any(result.labels[i] is not PHASES[p] for i, p in enumerate(present))
            weight = 10 ** float(log_prior(np.array([present], dtype=np.int8))[0])
            found.append((result.margin or 0.0, wrong, weight))
    for low, high, claim in ((0, 0.5, ""), (0.5, 1, ""), (1, 2, "<= 9.1"), (2, 99, "<= 1")):
        inside = [(wrong, weight) for margin, wrong, weight in found if low <= margin < high]
        what = (
            f"disturbed images, margin {low:g} to {high:g}" if high < 99 else f"disturbed images, margin above {low:g}"
        )
        weights = sum(weight for _, weight in inside) or 1.0
        share = 100 * sum(weight for wrong, weight in inside if wrong) / weights
        yield Row(what=f"{what}: wrong exams", value=share, unit="%", claim=claim)
        errors = sum(wrong for wrong, _ in inside)
        equal = 100 * errors / max(len(inside), 1)
        yield Row(what=f"{what}, equally frequent", value=equal, unit="%", detail=f"{errors} of {len(inside)}")


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
    yield from calibration(exams, rng)
