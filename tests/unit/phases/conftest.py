"""Stacks of a four-phase exam as the phantom's consoles describe them, and rendered ones with their enhancement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from quadphase.convert.phases import StackFeatures
from quadphase.convert.phases.enhancement import with_enhancement
from quadphase.convert.phases.thumbnail import Thumbnail, thumbnail
from quadphase.model import Diagnosis, Phase
from quadphase.phantom.anatomy import render_phase
from quadphase.phantom.exam import Exam
from quadphase.phantom.patient import LiverState, PatientSpec, Scanner, random_patient

SHAPE, SPACING_MM = (128, 128, 40), (3.125, 3.125, 6.0)


def seconds(clock: str) -> float:
    at = datetime.strptime(clock, "%H%M%S.%f")  # noqa: DTZ007
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6


@pytest.fixture(scope="session")
def headers() -> Callable[..., list[StackFeatures]]:
    """``headers(scanner, style)``: the four stacks from headers alone, in the order P, C1, C2, C3."""

    def make(scanner: Scanner = Scanner.CANON, style: str = "", **changes: object) -> list[StackFeatures]:
        exam = Exam(scanner=scanner, style=style or f"{scanner.value}-en", **changes)
        stacks = []
        for phase in Phase:
            tags = exam.tags(phase)
            start = tags.get("ContrastBolusStartTime")
            stacks.append(
                StackFeatures(
                    index=phase.order,
                    series=f"series{phase.order}-1",
                    series_group=f"series{phase.order}",
                    texts={k: tags[k] for k in ("SeriesDescription", "ProtocolName", "StudyDescription")},
                    charset=tags["SpecificCharacterSet"],
                    acquisition_s=seconds(tags["AcquisitionTime"]),
                    contrast_start_s=seconds(start) if start else None,
                    series_number=tags["SeriesNumber"],
                    acquisition_number=tags["AcquisitionNumber"],
                    instance_range=(1, 40),
                    n_slices=40,
                    z_extent_mm=(0.0, 234.0),
                    slice_spacing_mm=6.0,
                    kernel=tags["ConvolutionKernel"],
                    contrast_agent=tags.get("ContrastBolusAgent"),
                    image_type=tuple(tags["ImageType"]),
                )
            )
        return stacks

    return make


@pytest.fixture(scope="session")
def images() -> dict[str, list[Thumbnail]]:
    """Coarse copies of the four phases of a few patients, by name."""
    patients = {
        "control": random_patient(np.random.default_rng(1), Diagnosis.CN),
        "fatty": PatientSpec(seed=5, diagnosis=Diagnosis.HCC, liver_state=LiverState.STEATOTIC, enhancement=0.85),
        "strong": PatientSpec(seed=6, diagnosis=Diagnosis.ICC, enhancement=1.3, breathing_mm=(0.0, 8.0, -6.0, 3.0)),
        "weak": PatientSpec(seed=7, diagnosis=Diagnosis.CHCC, liver_state=LiverState.CIRRHOTIC, enhancement=0.7),
    }
    return {
        name: [thumbnail(render_phase(spec, phase, shape=SHAPE, spacing_mm=SPACING_MM).volume) for phase in Phase]
        for name, spec in patients.items()
    }


@pytest.fixture(scope="session")
def seen(headers, images) -> Callable[..., list[StackFeatures]]:
    """``seen("control")``: stacks with headers and enhancement; ``phases`` picks and repeats some of the four."""

    def make(name: str = "control", phases: tuple[int, ...] = (0, 1, 2, 3), **changes: object) -> list[StackFeatures]:
        stacks = headers(**changes)
        picked = [replace(stacks[p], index=n) for n, p in enumerate(phases)]
        return list(with_enhancement(picked, [images[name][p] for p in phases]))

    return make
