"""Rules as data: facts of PS3.15 table E.1-1, our choices, defaults outside the table, safe private, clean text."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest
from pydicom.datadict import DicomDictionary, dictionary_VR, keyword_for_tag, tag_for_keyword

from quadphase.deidentify.charset import repair_charset
from quadphase.deidentify.profile import Action, action_of, is_safe_private
from quadphase.model.vocabulary.descriptions import clean_description

OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")


def rows() -> list[dict[str, str]]:
    text = files("quadphase.deidentify").joinpath("ps315_table_e1_1.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def action(keyword: str) -> Action:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return action_of(tag, dictionary_VR(tag), keyword)


def test_the_table_is_whole_and_sorted() -> None:
    table = rows()
    tags = [int(row["tag"], 16) for row in table]
    assert len(table) > 640
    assert tags == sorted(set(tags))
    assert {row["basic"] for row in table} <= {"X", "Z", "D", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}
    assert all(row["keyword"] in ("", keyword_for_tag(tag)) for row, tag in zip(table, tags, strict=True))


@pytest.mark.parametrize(
    ("keyword", "basic"),
    [
        ("PatientName", "Z"),
        ("PatientID", "Z/D"),
        ("PatientBirthDate", "Z"),
        ("AccessionNumber", "Z"),
        ("StudyDate", "Z"),
        ("SeriesDate", "X/D"),
        ("InstitutionName", "X/Z/D"),
        ("SOPInstanceUID", "U"),
        ("SourceImageSequence", "X/Z/U*"),
        ("PatientAge", "X"),
        ("ProtocolName", "X/D"),
        ("ContrastBolusAgent", "Z/D"),
        ("DeviceSerialNumber", "X/Z/D"),
        ("OriginalAttributesSequence", "X"),
        ("IconImageSequence", "X"),
        ("ContentSequence", "D"),
        ("PersonName", "D"),
    ],
)
def test_facts_of_the_standard(keyword: str, basic: str) -> None:
    found = {row["keyword"]: row["basic"] for row in rows()}
    assert found[keyword] == basic


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("PatientAddress", Action.REMOVE),
        ("StudyDate", Action.SHIFT),
        ("AcquisitionTime", Action.SHIFT),
        ("PatientBirthDate", Action.EMPTY),
        ("PatientBirthTime", Action.REMOVE),
        ("SeriesDescription", Action.CLEAN),
        ("AdmittingDiagnosesCodeSequence", Action.REMOVE),
        ("StudyInstanceUID", Action.UID),
        ("KVP", Action.KEEP),
        ("Manufacturer", Action.CODE),
        ("SequenceName", Action.CODE),
        ("TimezoneOffsetFromUTC", Action.REMOVE),
        # outside the table
        ("NameOfPhysiciansReadingStudy", Action.REMOVE),
        ("StudyVerifiedDate", Action.SHIFT),
        ("RetrieveAETitle", Action.REMOVE),
        ("TextValue", Action.CLEAN),
        ("TableType", Action.KEEP),
        ("BodyPartExamined", Action.CLEAN),
        ("RetrieveURL", Action.REMOVE),
        ("PixelDataProviderURL", Action.REMOVE),
        ("ICCProfile", Action.REMOVE),
        ("EncapsulatedDocument", Action.DUMMY),
        ("EncryptedContent", Action.REMOVE),
        ("Signature", Action.REMOVE),
        ("RecordKey", Action.REMOVE),
        ("MACParametersSequence", Action.REMOVE),
        ("PixelData", Action.KEEP),
        ("RedPaletteColorLookupTableData", Action.KEEP),
    ],
)
def test_actions(keyword: str, expected: Action) -> None:
    assert action(keyword) is expected


def test_no_address_name_or_unknown_bytes_are_kept_anywhere() -> None:
    """Over pydicom's whole dictionary: what is kept unseen is numbers, code strings and times."""
    kept: dict[str, set[str]] = {}
    for tag, (vrs, _, _, _, keyword) in DicomDictionary.items():
        for vr in vrs.split(" or "):
            if tag >> 16 > 2 and action_of(tag, vr, keyword) is Action.KEEP:
                kept.setdefault(vr, set()).add(keyword)
    assert not {"UR", "UN", "AE", "PN", "DA", "DT", "UI", "LO", "SH", "ST", "LT", "UT", "UC", "AS"} & set(kept)
    binary = set().union(*(kept.get(vr, set()) for vr in ("OB", "OW", "OD", "OF", "OL", "OV")))
    assert all("PixelData" in k or "LookupTableData" in k or k in ("LUTData", *OFFSETS) for k in binary)
    assert "PixelData" in binary


def test_unknown_tags_curves_and_overlays_go() -> None:
    assert action_of(0x00189999, "LO", "") is Action.REMOVE
    assert action_of(0x50023000, "OW", "CurveData") is Action.REMOVE
    assert action_of(0x60020010, "US", "OverlayRows") is Action.REMOVE
    assert action_of(0x00181234, "UN", "Anything") is Action.REMOVE


def test_safe_private_needs_group_creator_and_element() -> None:
    assert is_safe_private(0x0019, "GEMS_ACQU_01", 0x1023)
    assert is_safe_private(0x0019, "GEMS_ACQU_01", 0x4023)
    assert not is_safe_private(0x0019, "GEMS_ACQU_01", 0x1024 + 0x10)
    assert not is_safe_private(0x0021, "GEMS_ACQU_01", 0x1023)
    assert not is_safe_private(0x0019, "ACME", 0x1023)


@pytest.mark.parametrize(
    "text",
    [
        "Abdomen A 5.0",
        "LIVER 3 PHASE (AP)",
        "Recon 2: LIVER 3 PHASE (AP)",
        "上腹部动脉期 5.0",
        "ARTERIAL, iDose (3)",
        "C-, iDose (3)",
        "平衡期, iDose (3)",
        "Liver_multiphase /Abdomen",
        "Iohexol 350",
        "PRE LIVER",
        "FC18",
        "B30f",
        "",
        "Body 5.0 CE",
        "Abdomen Delay 5.0",
        "Upper Abdomen CE",
        "门静脉期 1.25mm",
        "Abdomen 5.0 3.75 120 350",
        "CT 120kV 250mAs 5.0 B30f",
    ],
)
def test_descriptions_of_allowed_words_stay_exactly(text: str) -> None:
    assert clean_description(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT abdomen Zhang Wei", "CT abdomen"),
        ("张伟 上腹部增强", "上腹部增强"),
        ("Zhang Wei", ""),
        ("liver 2021-03-05", "liver"),
        ("liver 20210305", "liver"),
        ("ID 0048215973 venous", "venous"),
        ("liver 5/3/2021 art", "liver art"),
        ("1950", ""),
        ("x" * 500, ""),
        ("liver, Dr. Huang, 13900139000", "liver"),
        ("A1900734 plain", "plain"),
        ("liver 2021-03-05-001", "liver -001"),
        ("liver 138-001-380-00", "liver"),
        ("liver 138 001 380 00", "liver"),
        ("liver +86 (138) 001-380-00, late", "liver , late"),
        ("liver female 67y", "liver 67y"),
    ],
)
def test_everything_else_goes(text: str, left: str) -> None:
    cleaned = clean_description(text)
    assert cleaned == left
    assert clean_description(cleaned) == cleaned


def test_misdeclared_chinese_is_read() -> None:
    assert repair_charset("动脉期".encode("gbk").decode("latin-1")) == "动脉期"
    assert repair_charset("Müller") == "Müller"
    assert repair_charset("Abdomen") == "Abdomen"
