import numpy as np
import pytest

from quadphase.model import Diagnosis, Phase, Sex
from quadphase.phantom.patient import LiverState, PatientSpec, random_patient


@pytest.mark.parametrize("diagnosis", Diagnosis)
def test_the_same_state_draws_the_same_patient(diagnosis: Diagnosis) -> None:
    assert random_patient(np.random.default_rng(5), diagnosis) == random_patient(np.random.default_rng(5), diagnosis)
    assert random_patient(np.random.default_rng(5), diagnosis) != random_patient(np.random.default_rng(6), diagnosis)


def test_controls_have_no_lesions_and_cancers_have() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        assert random_patient(rng, Diagnosis.CN).lesions == ()
        lesions = random_patient(rng, Diagnosis.ICC).lesions
        assert lesions
        assert {lesion.kind for lesion in lesions} == {Diagnosis.ICC}


def test_demographics_follow_the_paper() -> None:
    rng = np.random.default_rng(1)
    cancers = [random_patient(rng, Diagnosis.HCC) for _ in range(400)]
    controls = [random_patient(rng, Diagnosis.CN) for _ in range(400)]
    assert 0.60 < np.mean([p.sex is Sex.MALE for p in cancers]) < 0.75
    assert 0.75 < np.mean([p.sex is Sex.FEMALE for p in controls]) < 0.88
    assert 56 <= np.median([p.age_years for p in cancers]) <= 62
    assert 38 <= np.median([p.age_years for p in controls]) <= 48
    assert min(p.age_years for p in cancers + controls) >= 18


def test_every_liver_state_and_tiny_and_large_and_necrotic_lesions_occur() -> None:
    rng = np.random.default_rng(2)
    patients = [random_patient(rng, Diagnosis.HCC) for _ in range(200)]
    assert {p.liver_state for p in patients} == set(LiverState)
    lesions = [lesion for p in patients for lesion in p.lesions]
    assert min(lesion.radius_mm for lesion in lesions) < 5
    assert max(lesion.radius_mm for lesion in lesions) > 38
    assert any(lesion.necrosis > 0.3 for lesion in lesions)
    assert max(len(p.lesions) for p in patients) >= 5


def test_breath_is_looked_up_by_phase() -> None:
    spec = PatientSpec(seed=0, diagnosis=Diagnosis.CN, breathing_mm=(1.0, 2.0, 3.0, 4.0))
    assert [spec.breath(p) for p in Phase] == [1.0, 2.0, 3.0, 4.0]
