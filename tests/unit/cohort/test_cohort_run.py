"""The stage: ledger, pseudonyms that stay, reports without identity, the phantom hospital against its truth."""

from __future__ import annotations

import json

import pytest

from quadphase.cohort import run_cohort, write_flow
from quadphase.errors import InputError
from quadphase.io.ledger import Ledger
from quadphase.model import Decision, Reason

CONTROL = {"group": "control", "morphology_code": "", "pathology_confirmed": "", "surgery_date": "", "icd10": ""}


def test_decisions_are_in_the_ledger_and_in_the_reports(study, table):
    result = run_cohort(study, table({}, CONTROL, {"prior_treatment": "yes", "birth_date": "2010-01-01"}))
    assert len(result.eligible) == 2
    with Ledger(study.ledger_url) as ledger:
        assert ledger.decisions("cohort") == result.decisions
        assert set(ledger.cases().values()) == {"P0001", "P0002", "P0003"}
    csv = (study.reports / "cohort.csv").read_text()
    assert csv.count('"eligible"') == 2
    assert '"underage;prior-treatment"' in csv
    flow = json.loads((study.reports / "flow.json").read_text())
    assert (flow["total"], flow["steps"][0]["out"]) == (3, 1)


def test_reports_hold_no_identity(study, table):
    result = run_cohort(study, table({}, {"birth_date": "rubbish-7731"}, {"patient_id": ""}))
    written = "".join(path.read_text() for path in result.reports) + json.dumps(result.to_dict()) + repr(result)
    for secret in ("QX-", "Zhang", "1960", "2019-03", "rubbish"):
        assert secret not in written


def test_pseudonyms_stay_when_the_table_grows_shrinks_and_comes_back(study, table):
    def names():
        with Ledger(study.ledger_url) as ledger:
            return ledger.cases()

    rows = [{"patient_id": name} for name in "ABCDEF"]
    run_cohort(study, table(*rows[:4]))
    first = names()
    run_cohort(study, table(*rows[2:]))
    second = names()
    assert {p: c for p, c in second.items() if p in "CD"} == {p: c for p, c in first.items() if p in "CD"}
    assert not {second[p] for p in "EF"} & set(first.values())
    result = run_cohort(study, table(*rows))
    assert names() == {**first, **second}
    assert not result.findings


def test_patients_that_left_the_table_are_a_finding(study, table):
    run_cohort(study, table({}, {}))
    result = run_cohort(study, table({}))
    assert [f.code for f in result.findings] == ["patients-gone"]


def test_a_table_that_lacks_a_criterions_column_is_a_finding(study, table):
    result = run_cohort(study, table({"icd10": None, "surgery_date": None}))
    assert {f.code for f in result.findings} == {"criterion-not-checked"}
    assert len(result.eligible) == 1


def test_a_dry_run_writes_nothing(study, table):
    before = sorted(study.root.rglob("*"))
    result = run_cohort(study, table({}, {"prior_treatment": "yes"}), dry_run=True)
    assert len(result.eligible) == 1
    assert result.reports == ()
    assert sorted(study.root.rglob("*")) == before


def test_unreadable_tables_leave_the_ledger_as_it_was(study, table, tmp_path):
    run_cohort(study, table({}))
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\x00\x01\x02")
    with pytest.raises(InputError):
        run_cohort(study, bad)
    with Ledger(study.ledger_url) as ledger:
        assert len(ledger.decisions()) == 1


def test_a_changed_prefix_is_refused(study, table):
    run_cohort(study, table({}))
    text = study.protocol_path.read_text().replace('prefix = "P"', 'prefix = "X"')
    study.protocol_path.write_text(text)
    with pytest.raises(InputError) as caught:
        run_cohort(type(study)(study.root), table({}, {}))
    assert caught.value.code == "prefix-changed"


def test_patients_that_cannot_be_judged_are_not_included(study, table):
    same = {"patient_id": "A"}
    result = run_cohort(study, table(same, {**same, "surgery_date": "2019-04-01"}, {"surgery_date": "soon"}))
    assert sorted(r.code for d in result.decisions for r in d.reasons) == ["conflicting-rows", "unreadable-value"]


def test_the_flow_grows_with_the_stages(study, table):
    (case,) = run_cohort(study, table({})).eligible
    with Ledger(study.ledger_url) as ledger:
        ledger.decide(
            [
                Decision(case=case, stage="exam", eligible=True),
                Decision(
                    case=case, stage="convert", eligible=False, reasons=(Reason(code="missing-phase", text="C3"),)
                ),
            ]
        )
    assert [step.stage for step in write_flow(study).steps] == ["cohort", "exam", "convert"]
    assert "A required phase is missing (n = 1)" in (study.reports / "flow.svg").read_text()


def test_the_phantom_hospital_is_judged_as_its_truth_says(study, tmp_path):
    """All reasons of the paper; two of them (CT too early, phase missing) need the images and come later."""
    import csv

    from quadphase.cohort import ExamCandidate, choose_exam
    from quadphase.phantom.hospital import COLUMNS
    from quadphase.phantom.roster import roster

    admissions = roster(8, 0)
    path = tmp_path / "clinical.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(a.row() for a in admissions)
    result = run_cohort(study, path)
    assert not [f for f in result.findings if f.severity != "info"]
    with Ledger(study.ledger_url) as ledger:
        cases, patients = ledger.cases(), ledger.patients()
    for admission in admissions:
        case = cases[admission.patient_id]
        eligible = case in result.eligible
        exam = ExamCandidate(
            study_instance_uid="1",
            study_date=admission.exam.start.date(),
            accession_number=admission.exam.accession_number,
            n_ct_images=160,
        )
        chosen, _ = choose_exam([exam], patients[case], study.protocol.cohort, case=case)
        if admission.reasons == ("missing-delayed-phase",):
            assert eligible
        else:
            assert (eligible and chosen is not None) is admission.eligible, admission.reasons
        if admission.eligible:
            assert patients[case].diagnosis is admission.spec.diagnosis
