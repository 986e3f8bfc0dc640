"""Patients and renders that several tests look at; small, without noise unless a test is about noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from quadphase.model import Diagnosis, Phase
from quadphase.phantom.anatomy import RenderedPhase, render_phase
from quadphase.phantom.patient import LesionSpec, PatientSpec

SHAPE = (128, 128, 40)
SPACING_MM = (3.125, 3.125, 6.0)


@cache
def _render(spec: PatientSpec, phase: Phase) -> RenderedPhase:
    return render_phase(spec, phase, shape=SHAPE, spacing_mm=SPACING_MM, noise=False)


@pytest.fixture(scope="session")
def render() -> Callable[[PatientSpec, Phase], RenderedPhase]:
    """Render at 3.1 × 3.1 × 6 mm without noise; repeated calls cost nothing."""
    return _render


@pytest.fixture(scope="session")
def healthy() -> PatientSpec:
    return PatientSpec(seed=21, diagnosis=Diagnosis.CN)


def with_tumour(kind: Diagnosis, **changes: float) -> PatientSpec:
    """A normal liver with one 4 to 6 cm tumour in the right lobe."""
    lesion = LesionSpec(center_mm=(-88.0, -4.0, 64.0), radius_mm=changes.pop("radius_mm", 26.0), kind=kind, **changes)
    return PatientSpec(seed=22, diagnosis=kind, lesions=(lesion,))


@pytest.fixture(scope="session")
def tumour() -> Callable[..., PatientSpec]:
    return with_tumour
