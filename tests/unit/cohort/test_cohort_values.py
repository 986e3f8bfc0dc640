"""Cells of hospital tables, in the spellings met in practice."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quadphase.cohort.values import (
    clean,
    has_words_beside_codes,
    icd10_codes,
    morphology,
    parse_age,
    parse_date,
    parse_group,
    parse_sex,
    parse_yes_no,
)
from quadphase.model import Sex

MARCH = date(2021, 3, 5)


@pytest.mark.parametrize(
    "text",
    ["2021-03-05", "2021/3/5", "20210305", "2021.3.5", "2021年3月5日", "2021 3 5", "5-Mar-2021", "5 March 2021",
     "Mar 5, 2021", "2021-03-05 08:30:00", "2021-03-05T08:30", "44260", "44260.0", "5.3.2021"],
)  # fmt: skip
def test_dates_in_many_forms(text):
    assert parse_date(clean(text)) == MARCH


@pytest.mark.parametrize("text", ["25/03/2021", "25-3-2021", "03/25/2021"])
def test_day_and_month_are_told_apart_where_only_one_order_is_possible(text):
    assert parse_date(text) == date(2021, 3, 25)


@pytest.mark.parametrize("text", ["05/03/2021", "2021-02-30", "20211301", "spring", "19x1", "1021-01-01", "1987"])
def test_what_is_no_date_is_refused_without_quoting_it(text):
    with pytest.raises(ValueError, match=r"day|date") as caught:
        parse_date(text)
    assert text not in str(caught.value)


@given(st.dates(date(1900, 1, 2), date(2099, 12, 31)))
def test_every_written_day_is_read_back(day):
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%d-%b-%Y"):
        assert parse_date(day.strftime(form)) == day


@pytest.mark.parametrize("text", ["男", "M", "male", "Male", "1", "男性", "m"])
def test_male(text):
    assert parse_sex(clean(text)) is Sex.MALE


@pytest.mark.parametrize("text", ["女", "F", "female", "2", "女性"])
def test_female(text):
    assert parse_sex(clean(text)) is Sex.FEMALE


@pytest.mark.parametrize(("text", "value"), [("是", True), ("Yes", True), ("1", True), ("已确诊", True), ("有", True),
                                             ("否", False), ("no", False), ("0", False), ("无", False)])  # fmt: skip
def test_yes_and_no(text, value):
    assert parse_yes_no(text) is value


@pytest.mark.parametrize(
    ("text", "value"), [("63", 63), ("63岁", 63), ("063Y", 63), ("63.7", 63), ("18M", 1), ("20d", 0)]
)
def test_ages(text, value):
    assert parse_age(text) == value


@pytest.mark.parametrize("parse", [parse_sex, parse_yes_no, parse_age, parse_group])
def test_nonsense_is_refused(parse):
    with pytest.raises(ValueError, match="is"):
        parse("perhaps")


@pytest.mark.parametrize(
    "text", ["8170/3", "M8170/3", "M81700/3", "81703", "M-8170/3", "817003", "8170 / 3", "肝细胞癌 M8170/3"]
)
def test_morphology_in_the_papers_and_other_spellings(text):
    assert morphology(clean(text)) == "8170/3"


def test_morphology_words_stay_and_several_codes_are_refused():
    assert morphology("肝细胞癌") == "肝细胞癌"
    with pytest.raises(ValueError, match="several"):
        morphology("8170/3; 8160/3")


def test_icd10_lists():
    assert icd10_codes("C22.0;K74.6") == ("C22.0", "K74.6")
    assert icd10_codes("c22.0 肝癌、K74.6 , B18.1|I10") == ("C22.0", "K74.6", "B18.1", "I10")
    assert icd10_codes("C22.900x003") == ("C22.900X003",)
    assert icd10_codes("C22.0 C7A.1;C7B00|S72.001A") == ("C22.0", "C7A.1", "C7B00", "S72.001A")
    assert icd10_codes("I10.x00x002;C22 HCC, T1aN0M0") == ("I10.X00X002", "C22")
    assert icd10_codes("E11.9 Type 2 diabetes, without complications, C92.0") == ("E11.9", "C92.0")
    for none in ("无", "none", "C22.0;无"):
        assert icd10_codes(none) in ((), ("C22.0",))


@pytest.mark.parametrize(
    "text", ["C22.0;急性白血病", "原发性硬化性胆管炎", "C22.0, acute leukaemia", "C22.0 肝癌、急性白血病", "CA19-9"]
)
def test_a_diagnosis_without_its_code_is_not_passed_over(text):
    with pytest.raises(ValueError, match="without its ICD-10 code"):
        icd10_codes(text)


@pytest.mark.parametrize(
    ("text", "words"), [("C22.0;C7A.1", False), ("C22.0 急性白血病", True), ("C22.900x003", False), ("无", False)]
)
def test_words_beside_codes(text, words):
    assert has_words_beside_codes(text) is words


def test_words_for_not_known_and_full_width_forms():
    assert clean("不详") == clean(" N/A ") == clean("") == ""
    assert clean("２０２１－０３") == "2021-03"
