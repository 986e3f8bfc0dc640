"""A finished study in miniature: what convert, localize and annotate leave behind, made from ellipsoids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import save_record
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.study import Study
from quadphase.model import (
    CaseRecord,
    ConsensusRecord,
    Diagnosis,
    Grid,
    GridRecord,
    LiverPhaseRecord,
    LiverRecord,
    Mask,
    Phase,
    PhaseRecord,
    Sex,
    SliceDecision,
    StepRecord,
    Volume,
)
from quadphase.release import ReleaseSubject, build_release

SHAPE = (48, 40, 14)
LIVER = (3, 11)
"""Slices with liver, 0-based, half-open."""


@dataclass(frozen=True)
class SmallStudy:
    study: Study
    subjects: dict[str, ReleaseSubject]

    def decide(self, case: str) -> None:
        """The masks that are there now are the consensus."""
        decide(self.study, case)

    def build(self, out: Path, *, figures: bool = False, **options: object) -> Path:
        """A release; without figures unless asked, they take seconds."""
        out.mkdir(parents=True)
        build_release(
            self.study.root,
            out,
            self.subjects,
            self.study.protocol,
            figures=figures,
            **options,  # type: ignore[arg-type]
        )
        return out


def grid_of(number: int) -> Grid:
    """Left, posterior, superior; each case and phase somewhere else."""
    affine = np.diag([-5.0, -5.0, 4.0, 1.0])
    affine[:3, 3] = (120.0, 100.0, -300.0 - number)
    return Grid(SHAPE, affine)


def ellipsoid(center: tuple[float, float, float], radius: tuple[float, float, float]) -> np.ndarray:
    axes = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return sum(((a - c) / r) ** 2 for a, c, r in zip(axes, center, radius, strict=True)) <= 1


def write_case(study: Study, subject: ReleaseSubject, number: int, *, lesions: bool = True) -> None:
    rng = np.random.default_rng(number)
    liver = ellipsoid((16, 18, 7), (11, 9, 30))
    liver[:, :, : LIVER[0]] = False
    liver[:, :, LIVER[1] :] = False
    lesion = ellipsoid((14, 17, 6), (3, 3, 1.5)) | ellipsoid((22, 20, 9), (1.5, 1.5, 0.9))
    body = ellipsoid((24, 20, 7), (22, 17, 80))
    phases, livers = {}, {}
    for phase in Phase:
        grid = grid_of(10 * number + phase.order)
        hu = np.where(body, 40, -1000) + np.where(liver, 20 + 15 * phase.order, 0) + rng.integers(-9, 10, SHAPE)
        hu[lesion] += 40
        hu[body & ~liver & ~ellipsoid((24, 20, 7), (20, 15, 80))] = -100  # fat under the skin
        hu[40:43, 18:22, :] = 900  # bone, beyond the window
        save_volume(study.ct(subject.case, phase), Volume(hu=hu.astype(np.int16), grid=grid))
        save_mask(study.liver(subject.case, phase), Mask(voxels=liver, grid=grid))
        if lesions and subject.diagnosis.is_cancer:
            save_mask(study.consensus(subject.case) / f"{phase.value}.nii.gz", Mask(voxels=lesion, grid=grid))
        phases[phase] = PhaseRecord(
            phase=phase,
            grid=GridRecord.of(grid),
            series="0badc0ffee#0",
            n_slices=SHAPE[2],
            slice_spacing_mm=4.0,
            slice_thickness_mm=4.0,
            manufacturer="Philips",
            model="Brilliance iCT",
            kvp=120.0,
            kernel="B",
            seconds_after_first=30.0 * phase.order,
        )
        livers[phase] = LiverPhaseRecord(first=LIVER[0], stop=LIVER[1], volume_ml=1.0, confidence=0.9, source="builtin")
    if lesions and subject.diagnosis.is_cancer:
        decide(study, subject.case)
    save_record(study.case_record(subject.case), CaseRecord(case=subject.case, phases=phases))
    step = StepRecord(stage="localize", settings={"backend": "builtin"})
    save_record(study.liver_record(subject.case), LiverRecord(case=subject.case, phases=livers, steps=(step,)))


def decide(study: Study, case: str) -> None:
    """Write `consensus.json` over the masks that are there: what adjudication does."""
    masks = {p: f for p in Phase if (f := study.consensus(case) / f"{p.value}.nii.gz").is_file()}
    step = StepRecord(stage="annotate", outputs={study.relative(path): sha256_of(path) for path in masks.values()})
    whole = (SliceDecision(first=0, stop=SHAPE[2], how="agreed", author="readers"),)
    record = ConsensusRecord(case=case, phases=dict.fromkeys(masks, whole), steps=(step,))
    save_record(study.consensus(case) / "consensus.json", record)


@pytest.fixture
def make_study(tmp_path: Path) -> Callable[..., SmallStudy]:
    """``make_study(n)``: n cases of all four diagnoses in turn, the third of unknown age and sex."""

    def make(count: int = 4, *, name: str = "study") -> SmallStudy:
        study = Study.create(tmp_path / name)
        subjects = {}
        for number in range(1, count + 1):
            case = f"P{number:04d}"
            subject = ReleaseSubject(
                case=case,
                age=None if number == 3 else 40 + number,
                sex=None if number == 3 else (Sex.MALE, Sex.FEMALE)[number % 2],
                diagnosis=list(Diagnosis)[(number - 1) % 4],
            )
            write_case(study, subject, number)
            subjects[case] = subject
        return SmallStudy(study=study, subjects=subjects)

    return make
