"""Ways of writing an identifier, each found; and texts that only look like one, none found."""

from __future__ import annotations

import pytest

from quadphase.deidentify.matcher import Matcher
from quadphase.deidentify.regions import Region
from quadphase.deidentify.spellings import spellings
from quadphase.deidentify.unpacking import regions
from quadphase.model.source import Identifier


def finds(identifier: Identifier, text: str | bytes, **options: object) -> bool:
    data = text.encode() if isinstance(text, str) else text
    matcher = Matcher([identifier], **options)  # type: ignore[arg-type]
    return any(matcher.search(region) for region in regions(data) if isinstance(region, Region))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Zhang^Xiaoming", "ZHANG, XIAOMING"),
        ("Zhang^Xiaoming", "xiaoming zhang"),
        ("Zhang^Xiaoming", "Xiaoming_Zhang"),
        ("Zhang^Xiaoming", "patient:zhangxiaoming."),
        ("Zhang^Xiaoming", "ZhangXiaoming"),
        ("张小明", "zhang xiaoming"),
        ("张小明", "Zhang Xiao-Ming"),
        ("张小明", "XIAO MING ZHANG"),
        ("张小明", "张 小明"),
        ("张^小明", "张小明"),
        ("吕伟", "LV WEI"),
        ("吕伟", "Lyu Wei"),
        ("单田芳", "Shan Tianfang"),
        ("曾国强", "zeng guoqiang"),
        ("欧阳修文", "Ouyang Xiuwen"),
        ("欧阳修文", "xiuwen_ouyang"),
        ("仇和", "qiu^he"),
        ("胡曼", "HuMan"),
        ("DOE^JOHN^MICHAEL", "John Doe"),
        ("DOE^JOHN^MICHAEL", "Doe, John Michael"),
        ("Juan^Carlos Maria del Pilar Gonzalez", "Juan Gonzalez"),
        ("Juan^Carlos Maria del Pilar Gonzalez", "GONZALEZ, Juan"),
        ("Juan^Carlos Maria del Pilar Gonzalez", "JuanGonzalez"),
        ("Juan^Carlos Maria del Pilar Gonzalez", "Gonzalez Juan Carlos Maria del Pilar"),
        ("Juan^Carlos Maria del Pilar Gonzalez", "del Pilar"),
        ("González^José Luis de la Cruz", "José González"),
        ("González^José Luis de la Cruz", "Jose Gonzalez"),
        ("González^José Luis de la Cruz", "González José Luis de la Cruz"),
        ("Müller^Jürgen", "Muller Jurgen"),
        ("Wang^Wei=王^伟", "王伟"),
        ("刘国华", "姓名: 劉國華"),
        ("劉^國華", "刘国华"),
        ("范云", "范雲"),
        ("范云", "範云"),
        ("王伟", '{"family": "Wang", "given": "Wei"}'),
        ("王伟", "姓: 王\n名: 伟"),
    ],
)
def test_names(name: str, text: str) -> None:
    text = f"this is {text} of ward 7, seen 病人 twice"
    for encoding in ("utf-8", "gb18030", "utf-16", "utf-16-le", "utf-16-be"):
        assert finds(Identifier(kind="name", value=name), text.encode(encoding))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("胡曼", "human data"),
        ("李娜", "carolina"),
        ("常格", "a change"),
        ("王伟", "wang yan and li wei"),
        ("González^José Luis de la Cruz", "hoja de la tabla"),
        ("González^José Luis de la Cruz", "Luis and Gonzalez"),
        ("Zhang^Wei", "zhang  and  wei"),
        ("DOE^JOHN", "doe"),
        ("Li^Na", "li nada"),
        ("Wang^Wei", '{"family": "Wang", "age": "61", "given": "Wei"}'),
        ("Wang^Wei", '{"wang": 1, "wei": 2}'),
        ("刘国华", "劉國芳"),
    ],
)
def test_words_that_are_no_names(name: str, text: str) -> None:
    assert not finds(Identifier(kind="name", value=name), text)


@pytest.mark.parametrize(
    "text",
    [
        "2021-03-05", "20210305", "2021/3/5", "2021.03.05", "05/03/2021", "03/05/2021", "5.3.2021", "2021 03 05",
        "2021年3月5日", "2021年03月05日", "二〇二一年三月五日",
        "5 Mar 2021", "05-MAR-2021", "5 March 2021", "Mar 5, 2021",
        "March 5th, 2021", "5th of March 2021", "05Mar2021", "20210305143000", "2021-03-05T14:30:00Z", "2021_03_05",
        "ct_20210305.nii.gz", "2021 Mar 5",
    ],
)  # fmt: skip
def test_dates(text: str) -> None:
    for value in ("2021-03-05", "20210305"):
        assert finds(Identifier(kind="date", value=value), text)


@pytest.mark.parametrize(
    "text",
    [
        "2005年3月1日",
        "2005年 3月 1日",
        "2005 年 03 月 01 日",
        "二〇〇五年三月一日",
        "二零零五年三月一日",
        "二○○五年三月一日",
    ],
)
def test_chinese_dates(text: str) -> None:
    for encoding in ("utf-8", "gb18030", "utf-16"):
        assert finds(Identifier(kind="date", value="2005-03-01"), f"检查于{text}，".encode(encoding))


def test_the_first_is_not_found_in_the_eleventh() -> None:
    assert not finds(Identifier(kind="date", value="2005-03-01"), "检查于2005年3月11日，")


@pytest.mark.parametrize(
    "text", ["03/05/61", "3/5/61", "05/03/61", "61/05/03", "born 03-05-61.", "61-05-03", "5/3/61, male", "(03/05/61)"]
)
def test_dates_with_a_year_of_two_digits(text: str) -> None:
    assert finds(Identifier(kind="birth_date", value="1961-05-03"), text)


@pytest.mark.parametrize(
    "text",
    ["03-MAY-61", "3 May 61", "born 3 may 61.", "61-MAY-03", "61 May 3", "03MAY61", "61may03", "3. May 61", "3-may-61"],
)
def test_dates_with_a_month_and_a_year_of_two_digits(text: str) -> None:
    assert finds(Identifier(kind="birth_date", value="1961-05-03"), f"on {text} in ward 7")


@pytest.mark.parametrize(
    "text",
    ["3 May 6", "3 May 612", "13 May 61", "in May 61 of 3", "May 3 61:10", "61 May 31", "161 May 03", "3 maybe 61",
     "3 dismay 61", "may 61", "3mayo61"],
)  # fmt: skip
def test_months_that_make_no_date(text: str) -> None:
    assert not finds(Identifier(kind="birth_date", value="1961-05-03"), text)


@pytest.mark.parametrize("text", ["03.05.20", "03:05:20", "at 03-05-20", "20-05-03", "1/03/05/20", "03/05/20/1",
                                  "v03-05-20-1", "03/05-20", "a/03/05/20", "0.3/05/20", "03/05/20.5"])  # fmt: skip
def test_short_numbers_that_are_no_dates(text: str) -> None:
    assert not finds(Identifier(kind="date", value="2020-05-03"), text)
    assert not finds(Identifier(kind="date", value="2020-03-05"), text)


@pytest.mark.parametrize(
    "text",
    [
        "2021", "03-05", "2021-03", "0.20210305", "120210305", "202103059", "2021,3,5", "5 3 2021",
        "e3b020210305ab77cc01",
        '"bytes": 20210305', "2021-03-051", "12021-03-05", "2021-3.5", "20210305.75",
    ],
)  # fmt: skip
def test_numbers_that_are_no_dates(text: str) -> None:
    assert not finds(Identifier(kind="date", value="2021-03-05"), text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("00734519", "00734519"), ("00734519", "734519"), ("00734519", "ID:0000734519;"), ("00734519", "P734519"),
        ("00734519", "734519.0"), ("12345", '"12345"'), ("HCC-0123", "hcc_0123"), ("HCC-0123", "HCC123"),
        ("A1900734", "a1900734"), ("A1900734", "acc-A1900734"), ("CT2019/0077", "CT2019-0077"),
        ("病案甲七", "病案甲七"),
        ("000012", "000012"), ("440101-1951", "440101.1951"),
    ],
)  # fmt: skip
def test_ids(value: str, text: str) -> None:
    assert finds(Identifier(kind="patient_id", value=value), text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("00734519", "10734519"), ("00734519", "7345190"), ("00734519", "0.734519"), ("00734519", "734519.25"),
        ("00734519", "aa734519bb00cc11dd"), ("12345", "12345"), ("12345", "volume 12345 mm3"),
        ("A1900734", "A19007341"),
        ("00734519", "123e4567-e89b-12d3-a456-426600734519"), ("00734519", '"contentSize": "734519 B"'),
    ],
)  # fmt: skip
def test_numbers_that_are_no_ids(value: str, text: str) -> None:
    assert not finds(Identifier(kind="patient_id", value=value), text)


def test_uids() -> None:
    uid = Identifier(kind="uid", value="1.2.840.113619.2.55.77")
    assert finds(uid, "SOP 1.2.840.113619.2.55.77")
    assert finds(uid, "1.2.840.113619.2.55.77.1")
    assert not finds(uid, "1.2.840.113619.2.55.771")
    assert not finds(uid, "11.2.840.113619.2.55.77")


@pytest.mark.parametrize("kind_value", [("patient_id", "7"), ("patient_id", "123"), ("name", "Li"), ("date", "soon"),
                                        ("uid", "1.2.840.10008.5.1.4.1.1.2"), ("patient_id", "A1")])  # fmt: skip
def test_what_cannot_be_searched_is_counted(kind_value: tuple[str, str]) -> None:
    identifier = Identifier(kind=kind_value[0], value=kind_value[1])
    assert list(spellings(identifier)) == []
    assert Matcher([identifier]).too_short == {kind_value[0]: 1}


def test_allowed_text_is_no_hit() -> None:
    day = Identifier(kind="date", value="2026-11-23")
    assert not finds(day, "published 2026-11-23", allow=["2026-11-23"])
    assert finds(day, "seen 23.11.2026", allow=["2026-11-23"])
    study = Identifier(kind="patient_id", value="12207000")
    assert not finds(study, "doi:10.57760/sciencedb.12207000", allow=["10.57760/sciencedb.12207000"])
    assert finds(study, "row 12207000", allow=["10.57760/sciencedb.12207000"])


def test_reprs_hold_no_value() -> None:
    identifier = Identifier(kind="name", value="Zhang^Xiaoming")
    said = f"{list(spellings(identifier))!r} {Matcher([identifier])!r}".lower()
    assert "xiaoming" not in said


@pytest.mark.parametrize("text", ["García,  José", '{"name": "García,  José"}', "<li>García,  José</li>"])
def test_a_public_text_is_public_in_every_reading_of_it(text: str) -> None:
    person = Identifier(kind="name", value="José García")
    assert finds(person, text)
    assert not finds(person, text, allow=["García,  José"])
    assert finds(person, text + " and José García", allow=["García,  José"])
