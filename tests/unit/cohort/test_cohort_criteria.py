"""Every criterion of the paper, provoked alone; every reason that applies is given."""

from __future__ import annotations

import pytest

from quadphase.cohort.criteria import eligibility
from quadphase.cohort.table import load_clinical_table
from quadphase.model import Protocol

CONTROL = {"group": "control", "morphology_code": "", "pathology_confirmed": "", "surgery_date": "", "icd10": "N20.0"}


def reasons(path, protocol=None):
    protocol = protocol or Protocol()
    clinical = load_clinical_table(path, protocol)
    return [[r.code for r in eligibility(p, clinical, protocol.cohort)] for p in clinical.patients]


def test_the_papers_three_tumours_and_a_control_are_eligible(table):
    path = table({}, {"morphology_code": "8160/3", "icd10": "C22.1"}, {"morphology_code": "81803"}, CONTROL)
    assert reasons(path) == [[], [], [], []]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"birth_date": "2001-03-21"}, "underage"),
        ({"birth_date": ""}, "age-unknown"),
        ({"birth_date": "2020-01-01"}, "impossible-dates"),
        ({"morphology_code": ""}, "no-diagnosis"),
        ({"morphology_code": "8140/6"}, "other-morphology"),
        ({"morphology_code": "9120/0", "icd10": "D18.0"}, "other-morphology"),
        ({"pathology_confirmed": "no"}, "pathology-not-confirmed"),
        ({"pathology_confirmed": ""}, "pathology-not-confirmed"),
        ({"prior_treatment": "有"}, "prior-treatment"),
        ({"icd10": "C22.0;C18.7"}, "other-malignancy"),
        ({"icd10": "C22.0;C92.0"}, "other-malignancy"),
        ({"icd10": "C22.0;C83.3"}, "other-malignancy"),
        ({"icd10": "C22.0;C78.7"}, "other-malignancy"),
        ({"icd10": "C22.0;E83.1"}, "liver-disease"),
        ({"icd10": "C22.0;E83.0"}, "liver-disease"),
        ({"icd10": "C22.0;K75.4"}, "liver-disease"),
        ({"icd10": "C22.0;K74.3"}, "liver-disease"),
        ({"icd10": "C22.1;K83.0"}, "liver-disease"),
        ({"icd10": "C22.0;I82.0"}, "liver-disease"),
        ({"icd10": "C22.0;B65.2"}, "liver-disease"),
        ({"icd10": "C22.0;M06.9"}, "autoimmune-disease"),
        ({"icd10": "C22.0;M32.1"}, "autoimmune-disease"),
        ({"icd10": "C22.0;I50.000"}, "severe-disease"),
        ({"icd10": "C22.0;I63.9"}, "severe-disease"),
        ({"icd10": "C22.0;J96.1"}, "severe-disease"),
        ({"icd10": "C22.0;N18.5"}, "severe-disease"),
        ({**CONTROL, "icd10": "K80.2"}, "hepatobiliary-disease"),
        ({**CONTROL, "icd10": "C22.0"}, "hepatobiliary-disease"),
        ({**CONTROL, "morphology_code": "8170/3"}, "control-with-tumour"),
    ],
)
def test_each_criterion_excludes(table, change, reason):
    assert reason in reasons(table(change))[0]


@pytest.mark.parametrize(
    "change",
    [
        {"birth_date": "2001-03-20"},  # 18 on the day of surgery
        {"birth_date": "", "age": "59"},
        {"icd10": "C22.0;C77.2;C78.0"},  # metastases are no second primary
        {"icd10": "C22.900x003;K74.6;E11.9;I10"},
        {"icd10": "K76.0"},  # steatosis excludes controls only
        {"prior_treatment": ""},
        {"group": ""},
    ],
)
def test_what_does_not_exclude(table, change):
    assert reasons(table(change)) == [[]]


def test_every_reason_is_given_and_none_twice(table):
    path = table(
        {
            "birth_date": "2005-01-01",
            "pathology_confirmed": "no",
            "prior_treatment": "yes",
            "icd10": "C34;C50;I50;N18;E83.1",
        }
    )
    (found,) = reasons(path)
    assert found == [
        "underage",
        "pathology-not-confirmed",
        "prior-treatment",
        "other-malignancy",
        "liver-disease",
        "severe-disease",
        "severe-disease",
    ]


def test_criteria_are_data(table):
    relaxed = Protocol.of(
        {
            "cohort": {
                "minimum_age_years": 16,
                "require_pathology": False,
                "exclude_prior_treatment": False,
                "morphology": {"肝母细胞瘤": "HCC"},
                "severe_disease_codes": {},
            }
        }
    )
    path = table(
        {
            "birth_date": "2002-12-01",
            "pathology_confirmed": None,
            "prior_treatment": "yes",
            "morphology_code": "肝母细胞瘤",
            "icd10": "C22;I50",
        }
    )
    assert reasons(path, relaxed) == [[]]


def test_study_period(table):
    protocol = Protocol.of({"cohort": {"first_date": "2019-03-20", "last_date": "2019-03-20"}})
    path = table({}, {"surgery_date": "2019-03-19"}, {"surgery_date": "2019-03-21"})
    assert reasons(path, protocol) == [[], ["outside-period"], ["outside-period"]]


def test_reasons_never_hold_a_value_of_the_person(table):
    path = table({"birth_date": "2005-07-09", "icd10": "C34.1", "prior_treatment": "yes", "surgery_date": "2019-13-99"})
    protocol = Protocol()
    clinical = load_clinical_table(path, protocol)
    text = " ".join(r.text for r in eligibility(clinical.patients[0], clinical, protocol.cohort))
    for secret in ("2005", "07-09", "Zhang", "QX-", "2019-13"):
        assert secret not in text + " ".join(f.message + f.location for f in clinical.findings)
