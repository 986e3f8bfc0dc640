from datetime import date

import pytest

from quadphase.model import Phase, Sex
from quadphase.phantom.exam import DESCRIPTIONS, Exam, Person, misdeclared, uid_of
from quadphase.phantom.patient import Scanner


def seconds(tag: str) -> float:
    return int(tag[:2]) * 3600 + int(tag[2:4]) * 60 + float(tag[4:])


@pytest.mark.parametrize(("scanner", "delayed"), [(Scanner.CANON, 180), (Scanner.PHILIPS, 155)])
def test_phases_are_timed_as_in_the_paper(scanner: Scanner, delayed: int) -> None:
    exam = Exam(scanner=scanner)
    injection = seconds(exam.tags(Phase.C1)["ContrastBolusStartTime"])
    after = {p: seconds(exam.tags(p)["AcquisitionTime"]) - injection for p in Phase}
    assert after[Phase.P] < 0
    assert 20 <= after[Phase.C1] <= 40
    assert after[Phase.C2] == pytest.approx(60)
    assert after[Phase.C3] == pytest.approx(delayed)


def test_only_contrast_phases_have_contrast_attributes() -> None:
    exam = Exam()
    assert not [k for k in exam.tags(Phase.P) if k.startswith("Contrast")]
    for phase in (Phase.C1, Phase.C2, Phase.C3):
        assert exam.tags(phase)["ContrastBolusAgent"].startswith("Iohexol")
        assert exam.tags(phase)["ContrastFlowRate"] == "3"


def test_the_two_scanners_say_who_they_are() -> None:
    canon, philips = (Exam(scanner=s).tags(Phase.P) for s in Scanner)
    assert (canon["ManufacturerModelName"], canon["StationName"]) == ("Aquilion PRIME", "TSX-303A")
    assert philips["ManufacturerModelName"] == "Brilliance iCT"
    assert {canon["KVP"], philips["KVP"]} == {"120"}


def test_uids_are_valid_and_differ_by_series() -> None:
    exam = Exam()
    uids = {exam.tags(p)["SeriesInstanceUID"] for p in Phase} | {exam.study_uid}
    assert len(uids) == 5
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)
    assert uid_of("a", "b") != uid_of("ab")


def test_a_bare_console_keeps_all_contrast_phases_in_one_series() -> None:
    exam = Exam(style="bare")
    tags = {p: exam.tags(p) for p in Phase}
    assert len({t["SeriesInstanceUID"] for p, t in tags.items() if p is not Phase.P}) == 1
    assert tags[Phase.P]["SeriesInstanceUID"] != tags[Phase.C1]["SeriesInstanceUID"]
    assert len({t["AcquisitionNumber"] for t in tags.values()}) == 4
    assert len({t["AcquisitionTime"] for t in tags.values()}) == 4
    assert len({t["SeriesDescription"] for p, t in tags.items() if p is not Phase.P}) == 1


def test_misdeclared_text_leaves_gbk_bytes() -> None:
    assert misdeclared("动脉期").encode("latin-1").decode("gbk") == "动脉期"


@pytest.mark.parametrize(
    ("charset", "misdeclare", "name"),
    [
        ("GB18030", False, "Wang^Xiaoming=王^小明"),
        ("ISO_IR 192", False, "Wang^Xiaoming=王^小明"),
        ("ISO_IR 100", False, "Wang^Xiaoming"),
        ("ISO_IR 100", True, misdeclared("王^小明")),
    ],
)
def test_names_by_character_set(charset: str, misdeclare: bool, name: str) -> None:
    person = Person(pinyin="Wang^Xiaoming", hanzi="王^小明")
    assert Exam(person=person, charset=charset, misdeclare=misdeclare).tags(Phase.P)["PatientName"] == name


def test_age_counts_completed_years() -> None:
    person = Person(birth_date=date(1960, 3, 13), sex=Sex.FEMALE)
    tags = Exam(person=person).tags(Phase.P)  # the exam is on 2019-03-12
    assert (tags["PatientAge"], tags["PatientSex"]) == ("058Y", "F")


def test_every_style_has_four_descriptions() -> None:
    assert all(len(words) == 4 for words in DESCRIPTIONS.values())


def test_a_person_does_not_show_in_a_repr() -> None:
    text = repr(Exam(person=Person(patient_id="YB123456", pinyin="Wang^Xiaoming", hanzi="王^小明")))
    assert not any(word in text for word in ("YB123456", "Wang", "王", "1960"))
