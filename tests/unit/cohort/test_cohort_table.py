"""Hospital tables: other column names, other encodings, bad rows, several rows of one patient."""

from __future__ import annotations

import pytest

from quadphase.cohort.table import load_clinical_table
from quadphase.errors import InputError
from quadphase.model import Diagnosis, Protocol, Sex


def codes(clinical):
    return [finding.code for finding in clinical.findings]


def test_own_column_names_in_gb18030(tmp_path):
    path = tmp_path / "病例.csv"
    path.write_bytes("住院号,性别,出生日期,形态学编码,病理确诊\n0071,女,1970年1月2日,M81600/3,是\n".encode("gb18030"))
    columns = {"patient_id": "住院号", "sex": "性别", "birth_date": "出生日期", "morphology_code": "形态学编码",
               "pathology_confirmed": "病理确诊"}  # fmt: skip
    clinical = load_clinical_table(path, Protocol.of({"columns": columns}))
    (patient,) = clinical.patients
    assert (patient.patient_id, patient.sex, patient.diagnosis) == ("0071", Sex.FEMALE, Diagnosis.ICC)
    assert "icd10" in clinical.absent


def test_excel_tables_are_read(tmp_path):
    from datetime import datetime

    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["patient_id", "birth_date", "morphology_code", "pathology_confirmed"])
    book.active.append(["007", datetime(1960, 5, 17), "8170/3", "yes"])  # noqa: DTZ001
    book.save(tmp_path / "t.xlsx")
    (patient,) = load_clinical_table(tmp_path / "t.xlsx", Protocol()).patients
    assert patient.patient_id == "007"
    assert str(patient.birth_date) == "1960-05-17"


@pytest.mark.parametrize("column", ["patient_id", "morphology_code", "pathology_confirmed", "birth_date"])
def test_a_missing_column_is_one_line_that_names_it_the_others_and_the_key_to_set(table, column):
    path = table({column: None})
    with pytest.raises(InputError) as caught:
        load_clinical_table(path, Protocol())
    assert caught.value.code == "missing-column"
    assert f"'{column}'" in caught.value.message
    assert "surgery_date" in caught.value.message
    assert f"Set {column} under [columns]" in caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_column_the_protocol_names_must_be_there(table):
    with pytest.raises(InputError, match="'诊断'"):
        load_clinical_table(table({}), Protocol.of({"columns": {"icd10": "诊断"}}))


def test_bad_cells_are_findings_with_row_and_column_and_without_the_value(table):
    path = table({}, {"birth_date": "the ides of March", "sex": "robot"})
    text = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([text[0], text[1], "", text[2]]) + "\n", "utf-8")  # a blank line moves the row
    clinical = load_clinical_table(path, Protocol())
    assert codes(clinical) == ["unreadable-cell", "unreadable-cell"]
    assert {f.location for f in clinical.findings} == {"row 4, column sex", "row 4, column birth_date"}
    assert not any("ides" in f.message or "robot" in f.message for f in clinical.findings)
    assert clinical.unreadable == {"QX-000001": ("birth_date",)}  # the sex decides nothing


def test_diagnoses_in_words_are_never_taken_for_none(table):
    path = table({}, {"patient_id": "B", "icd10": "C22.0;急性白血病"}, {"patient_id": "C", "icd10": "C22.0 肝癌"})
    clinical = load_clinical_table(path, Protocol())
    assert codes(clinical) == ["unreadable-cell", "words-beside-codes"]
    assert [f.location for f in clinical.findings] == ["row 3, column icd10", "column icd10"]
    assert "2 rows" in clinical.findings[1].message
    assert clinical.unreadable == {"B": ("icd10",)}
    assert not any("白血病" in f.message for f in clinical.findings)


def test_a_row_without_patient_id_is_left_out_with_a_finding(table):
    clinical = load_clinical_table(table({}, {"patient_id": ""}), Protocol())
    assert codes(clinical) == ["no-patient-id"]
    assert len(clinical.patients) == 1
    assert clinical.rows == 2


def test_rows_of_one_patient_that_agree_are_joined(table):
    path = table({"patient_id": "A", "icd10": "C22.0", "sex": ""}, {"patient_id": "A", "icd10": "K74.6;C22.0"})
    clinical = load_clinical_table(path, Protocol())
    (patient,) = clinical.patients
    assert codes(clinical) == ["repeated-rows"]
    assert patient.icd10 == ("C22.0", "K74.6")
    assert patient.sex is Sex.MALE


def test_rows_of_one_patient_that_differ_are_named(table):
    path = table({"patient_id": "A"}, {"patient_id": "A", "surgery_date": "2019-05-01", "birth_date": "1960-05-18"})
    clinical = load_clinical_table(path, Protocol())
    assert codes(clinical) == ["conflicting-rows"]
    assert clinical.findings[0].location == "rows 2, 3"
    assert clinical.conflicting == {"A": ("birth_date", "surgery_date")}


def test_a_table_without_rows_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("patient_id,morphology_code\n")
    with pytest.raises(InputError) as caught:
        load_clinical_table(path, Protocol())
    assert caught.value.code == "no-patients"


def test_every_parsed_column_is_a_field_of_the_patient():
    from dataclasses import fields

    from quadphase.cohort.table import _PARSERS
    from quadphase.model.source import SourcePatient

    assert {name for name, _ in _PARSERS.values()} <= {field.name for field in fields(SourcePatient)}
    assert set(_PARSERS) | {"patient_id"} == set(Protocol().columns.model_dump())


@pytest.mark.parametrize("others", [("1",), ("1", "2"), ("男", "女")])
def test_sex_code_0_is_not_known_and_said(table, others):
    """0 means female in no standard; a table that means it must say so, and its keeper must hear of it."""
    clinical = load_clinical_table(table({"sex": "0"}, {"sex": "9"}, *({"sex": code} for code in others)), Protocol())
    assert [p.sex for p in clinical.patients][:2] == [None, None]
    assert [p.sex for p in clinical.patients][2:] == [Sex.MALE, Sex.FEMALE][: len(others)]
    (finding,) = clinical.findings
    assert (finding.code, finding.location) == ("sex-code-unknown", "column sex")
    assert finding.message.startswith("2 rows")


def test_sex_in_words_is_no_finding(table):
    assert codes(load_clinical_table(table({}, {"sex": "2"}, {"sex": ""}), Protocol())) == []
