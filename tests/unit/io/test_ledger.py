"""The ledger keeps who is who, and everything that must never be released."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from quadphase.errors import InputError
from quadphase.io.ledger import Ledger
from quadphase.io.ledger.acquisition import Retrieval, retrievals, save_retrievals
from quadphase.io.pseudonyms import keyed_uid, permute
from quadphase.model import Decision, Diagnosis, Reason, Sex
from quadphase.model.source import SourcePatient

KEY = bytes(range(32))


def patient(number: int) -> SourcePatient:
    return SourcePatient(
        patient_id=f"00{number}", name="Li Lei 李雷", sex=Sex.MALE, birth_date=date(1960, 2, 3),
        surgery_date=date(2020, 5, 6), diagnosis=Diagnosis.HCC, icd10=("C22.0",), accession_number=f"ACC{number}",
    )  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as opened:
        yield opened


def test_patients_come_back_as_they_went_in(ledger: Ledger) -> None:
    people = [patient(1), patient(2)]
    ledger.replace_patients(people, {"001": "P0002", "002": "P0001"})
    assert ledger.patients() == {"P0001": people[1], "P0002": people[0]}
    assert ledger.cases() == {"001": "P0002", "002": "P0001"}


def test_a_later_decision_replaces_the_earlier(ledger: Ledger) -> None:
    no = Decision(case="P0001", stage="cohort", eligible=False, reasons=(Reason(code="too-young", text="17 years"),))
    yes = Decision(case="P0001", stage="cohort", eligible=True)
    ledger.decide([no])
    assert ledger.decisions("cohort") == (no,)
    ledger.decide([yes, Decision(case="P0001", stage="exam", eligible=True)])
    assert ledger.decisions("cohort") == (yes,)
    assert len(ledger.decisions()) == 2


def test_every_identifier_is_known(ledger: Ledger) -> None:
    ledger.replace_patients([patient(1)], {"001": "P0001"})
    row = {
        "path": "a.dcm", "size": 1, "mtime_ns": 2, "outcome": "image", "patient_id": "001",
        "study_instance_uid": "1.2.3",
        "series_instance_uid": "1.2.4", "sop_instance_uid": "1.2.5", "sop_class_uid": "1",
        "modality": "CT", "study_date": date(2020, 5, 1), "accession_number": "XYZ",
    }  # fmt: skip
    ledger.record_files([row])
    ledger.record_files([row])
    found = {(i.kind, i.value, i.case) for i in ledger.identifiers()}
    assert {
        ("name", "Li Lei 李雷", "P0001"), ("patient_id", "001", "P0001"), ("accession", "ACC1", "P0001"),
        ("accession", "XYZ", "P0001"), ("date", "1960-02-03", "P0001"), ("date", "2020-05-01", "P0001"),
        ("uid", "1.2.3", "P0001"), ("uid", "1.2.5", "P0001"),
    } <= found  # fmt: skip
    assert "Lei" not in repr(ledger.identifiers())
    assert "Lei" not in repr(patient(1))


def test_a_ledger_that_is_not_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("this is no database, it is a long enough text file" * 50)
    with pytest.raises(InputError) as caught:
        Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    assert caught.value.code == "bad-ledger"


def alter(tmp_path: Path, *statements: str) -> str:
    """A ledger with a patient and a series to fetch, changed as another version would have it."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with Ledger(url) as ledger:
        ledger.replace_patients([patient(1)], {"001": "P0001"})
        save_retrievals(ledger, [WANTED])
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return url


WANTED = Retrieval(series_instance_uid="1.2", study_instance_uid="1", patient_id="001", source="dimse://x", expected=9)


def test_a_ledger_with_a_retired_column_is_brought_up_to_date(tmp_path: Path) -> None:
    url = alter(
        tmp_path,
        "ALTER TABLE retrievals RENAME TO new",
        "CREATE TABLE retrievals (series_instance_uid VARCHAR PRIMARY KEY, study_instance_uid VARCHAR NOT NULL, "
        "patient_id VARCHAR NOT NULL, source VARCHAR NOT NULL, expected INTEGER, received INTEGER NOT NULL, "
        "state VARCHAR NOT NULL, attempts INTEGER NOT NULL, message VARCHAR NOT NULL, details JSON NOT NULL)",
        "INSERT INTO retrievals SELECT *, '{}' FROM new",
        "DROP TABLE new",
    )
    for _ in range(2):
        with Ledger(url) as ledger:
            save_retrievals(ledger, [replace(WANTED, series_instance_uid="1.3"), replace(WANTED, received=4)])
            assert [(r.series_instance_uid, r.received) for r in retrievals(ledger)] == [("1.2", 4), ("1.3", 0)]
            assert ledger.cases() == {"001": "P0001"}


def test_columns_of_a_newer_version_that_may_be_blank_are_left_alone(tmp_path: Path) -> None:
    url = alter(tmp_path, "ALTER TABLE retrievals ADD COLUMN priority INTEGER")
    with Ledger(url) as ledger:
        save_retrievals(ledger, [WANTED])
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as database:
        assert "priority" in {row[1] for row in database.execute("PRAGMA table_info(retrievals)")}


NEWER = 'CREATE TABLE decisions ("case" TEXT, stage TEXT, eligible INT, reasons JSON, author TEXT NOT NULL)'


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (["ALTER TABLE retrievals DROP COLUMN state"], "retrievals has no column state"),
        (["DROP TABLE decisions", NEWER], "decisions needs a column author"),
    ],
)
def test_a_ledger_of_another_version_is_refused_when_it_is_opened(
    tmp_path: Path, statements: list[str], says: str
) -> None:
    url = alter(tmp_path, *statements)
    with pytest.raises(InputError, match=says) as caught:
        Ledger(url)
    assert caught.value.code == "bad-ledger"


def test_pseudonyms_are_a_keyed_permutation() -> None:
    ids = [f"{n:03d}" for n in range(50)]
    names = permute(KEY, ids, taken={}, prefix="P", digits=4)
    assert sorted(names.values()) == [f"P{n:04d}" for n in range(1, 51)]
    assert names == permute(KEY, reversed(ids), taken={}, prefix="P", digits=4)
    assert names != permute(b"other key" * 4, ids, taken={}, prefix="P", digits=4)
    assert [names[i] for i in ids] != sorted(names.values())


def test_pseudonyms_stay_when_the_table_grows() -> None:
    first = permute(KEY, ["a", "b"], taken={}, prefix="P", digits=4)
    grown = permute(KEY, ["a", "b", "c"], taken=first, prefix="P", digits=4)
    assert {k: grown[k] for k in first} == first
    assert grown["c"] == "P0003"


def test_keyed_uids_are_valid_and_depend_on_the_key() -> None:
    uid = keyed_uid(KEY, "1.2.840.1")
    assert uid.startswith("2.25.")
    assert len(uid) <= 64
    assert uid != keyed_uid(b"x" * 32, "1.2.840.1")
