from collections import Counter
from datetime import timedelta

from quadphase.model import Diagnosis, Phase
from quadphase.phantom.roster import EXCLUSIONS, roster


def test_every_reason_of_the_paper_occurs_once() -> None:
    reasons = Counter(r for a in roster(4, 0) for r in a.reasons)
    assert reasons == dict.fromkeys(EXCLUSIONS, 1)


def test_the_asked_number_is_eligible_and_all_diagnoses_occur() -> None:
    for patients in (4, 6, 9):
        eligible = [a for a in roster(patients, 3) if a.eligible]
        assert len(eligible) == patients
        assert {a.spec.diagnosis for a in eligible} == set(Diagnosis)


def test_eligible_patients_meet_the_criteria() -> None:
    for a in roster(24, 5):
        if not a.eligible:
            continue
        assert a.spec.age_years >= 18
        assert a.phases == tuple(Phase)
        if a.group == "cancer":
            assert a.morphology_code in {"8170/3", "8160/3", "8180/3", "M81700/3", "M81600/3", "M81800/3"}
            assert a.surgery_date is not None
            assert timedelta(0) <= a.surgery_date - a.exam.start.date() <= timedelta(days=14)
            assert (a.pathology_confirmed, a.prior_treatment) == ("yes", "no")
        else:
            assert not a.spec.lesions
            assert not a.icd10.startswith(("K7", "K8", "C", "B18"))


def test_both_spellings_of_morphology_and_both_scanners_occur() -> None:
    eligible = [a for a in roster(8, 0) if a.eligible]
    codes = [a.morphology_code for a in eligible if a.group == "cancer"]
    assert any(c.startswith("M") for c in codes)
    assert any(not c.startswith("M") for c in codes)
    assert len({a.spec.scanner for a in eligible}) == 2


def test_the_facts_behind_dates_and_phases() -> None:
    by_reason = {a.reasons[0]: a for a in roster(4, 0) if a.reasons}
    early = by_reason["ct-too-early"]
    assert early.surgery_date is not None
    assert early.surgery_date - early.exam.start.date() > timedelta(days=14)
    young = by_reason["under-18"].exam
    assert young.start.year - young.person.birth_date.year < 18
    assert Phase.C3 not in by_reason["missing-delayed-phase"].phases
    assert by_reason["control-hepatobiliary-disease"].group == "control"


def test_identities_are_unique_and_follow_the_seed() -> None:
    ids = [a.patient_id for a in roster(40, 0)]
    assert len(set(ids)) == len(ids)
    assert ids == [a.patient_id for a in roster(40, 0)]
    assert ids != [a.patient_id for a in roster(40, 1)]


def test_encodings_vary() -> None:
    exams = [a.exam for a in roster(6, 0)]
    assert {e.charset for e in exams} >= {"GB18030", "ISO_IR 192", "ISO_IR 100", None}
    assert any(e.misdeclare for e in exams)
