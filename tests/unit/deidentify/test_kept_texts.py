"""A hospital's header, with a person in every text that the standard keeps, and its clean twin."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from planted_dicom import volume
from pydicom import dcmread
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from quadphase.deidentify.coded_concepts import CODE_TAGS, clean_concept
from quadphase.deidentify.dataset import deidentify_dataset, lenient
from quadphase.model import Phase
from quadphase.phantom.dicom import write_series
from quadphase.phantom.exam import Exam
from quadphase.phantom.patient import Scanner

KEY = b"k" * 32

WORDS = ("liu", "yang", "sun mei", "installed", "wang", "fang", "ward", "zhongshan", "13800138000", "2021-03-05")
"""None of them is in the header's own names: no other attribute tells the cleaner about them."""


@pytest.fixture(params=list(Scanner))
def source(request: pytest.FixtureRequest, tmp_path: object) -> FileDataset:
    exam = Exam(scanner=request.param, style=f"{request.param.value}-en")
    return dcmread(write_series(volume(1), tmp_path, exam=exam, phase=Phase.C1)[0])  # type: ignore[arg-type]


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def cleaned(source: FileDataset) -> tuple[FileDataset, Counter[str]]:
    changed: Counter[str] = Counter()
    with lenient():
        return deidentify_dataset(source, KEY, changed=changed), changed


def test_the_clean_twin_keeps_what_research_needs(source: FileDataset) -> None:
    source.AnatomicRegionSequence = Sequence([code("10200004", "SCT", "Liver")])
    source.ContrastBolusAgentSequence = Sequence([code("C-B0322", "SRT", "Iohexol")])
    source.RescaleType, source.PositionReferenceIndicator = "HU", "SN"
    result, changed = cleaned(source)
    for keyword in (
        "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel", "FilterType", "KVP",
        "ImageType", "RescaleType", "PositionReferenceIndicator", "BodyPartExamined", "PatientPosition", "Modality",
        "SliceThickness", "PixelSpacing", "SeriesDescription", "AnatomicRegionSequence", "ContrastBolusAgentSequence",
        "AcquisitionTime", "RescaleSlope", "PixelData",
    ):  # fmt: skip
        assert result.get(keyword) == source.get(keyword), keyword
    assert source.Manufacturer and source.ConvolutionKernel and source.SoftwareVersions  # noqa: PT018
    assert changed == Counter()


def test_people_in_kept_texts_go_and_are_counted(source: FileDataset) -> None:
    model = source.ManufacturerModelName
    source.RetrieveURL = "https://pacs.zhongshan-hospital.example/studies/ward7/room12"
    source.PixelDataProviderURL = "https://pacs.zhongshan-hospital.example/mrn/13800138000"
    source.SequenceName = "DrLiuYang"
    source.SoftwareVersions = ["installed by Sun Mei 2021-03-05", "LiuYang"]
    source.ManufacturerModelName = f"{model} of Wang Fang ward 7"
    source.ConvolutionKernel, source.FilterType = "LiuYang", "filter of ward 7"
    source.PositionReferenceIndicator, source.RescaleType = "Wang Fang", "HU 13800138000"
    source.AcquisitionDeviceProcessingDescription = "LiuYang body"
    source.BodyPartExamined, source.ScanOptions = "LIUYANG", "13800138000"
    with lenient():
        source.add_new(0x00080031, "TM", "Liu Yang")
    source.AnatomicRegionSequence = Sequence([code("1", "99X", "Patient of Dr Liu Yang, tel 13800138000")])
    source.ViewCodeSequence = Sequence([code("LiuYang", "99X", "liver"), code("10200004", "SCT", "Liver of Wang Fang")])
    source.add_new(0x04000120, "OB", b"Liu Yang signs")
    source.add_new(0x00282000, "OB", b"profile of Liu Yang")
    source.add_new(0x00420011, "OB", b"report of Liu Yang")
    result, changed = cleaned(source)
    said = str(result).casefold()
    assert not [word for word in WORDS if word in said]
    assert "RetrieveURL" not in result
    assert "ICCProfile" not in result
    assert result.ManufacturerModelName == model
    assert result.AnatomicRegionSequence[0].CodeMeaning == "1"
    assert [(i.CodeValue, i.CodeMeaning) for i in result.ViewCodeSequence] == [
        ("10200004", "Liver structure (body structure)")
    ]
    assert {"SequenceName", "SoftwareVersions", "ManufacturerModelName", "CodeMeaning", "CodeValue"} <= set(changed)
    assert "Manufacturer" not in changed


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("", True), ("09", True), ("0930", True), ("093015", True), ("093015.123456", True), ("09:30:15.5", True),
        ("235960", True), ("20210305 101112", False), ("13800138000", False), ("20210305", False), ("250000", False),
        ("610305", False), ("2021-0305", False), ("093015.1234567", False), ("-.-", False), ("\u0661\u0662", False),
    ],
)  # fmt: skip
def test_a_time_is_a_time_of_day(source: FileDataset, text: str, is_kept: bool) -> None:
    with lenient():
        source.add_new(0x00080032, "TM", text)
        source.AcquisitionDateTime = f"20210305{text.replace(':', '')}"
    result, changed = cleaned(source)
    assert result.AcquisitionTime == (text if is_kept else "")
    assert changed["AcquisitionTime"] == (not is_kept)
    assert result.AcquisitionDateTime[8:] == (text.replace(":", "") if is_kept else "")


def test_a_name_somewhere_is_not_kept_anywhere(source: FileDataset) -> None:
    """A person named in a sequence only, and again where code strings are kept as they are."""
    person = Dataset()
    person.PersonName = "Liuyang^Mei"
    maker = Dataset()
    maker.PersonName = f"{source.Manufacturer}^Service"
    source.OperatorIdentificationSequence = Sequence([person, maker])
    source.ScanOptions, source.FilterType = ["HELIX", "LIUYANG"], "BODY"
    result, _ = cleaned(source)
    assert "liuyang" not in str(result).casefold()
    assert list(result.ScanOptions) == ["HELIX", ""]
    assert result.FilterType == "BODY"
    assert result.Manufacturer == source.Manufacturer


@pytest.mark.parametrize("value", ["Dr Sun Mei, tel 13800138000", "https://pacs.hospital.example/1", "2021-03-05 Sun"])
def test_whatever_attribute_a_stranger_stands_in_he_goes(source: FileDataset, value: str) -> None:
    """Every attribute of the dictionary that can hold a text, in the data set and in a sequence."""
    planted = Dataset()
    with lenient():
        for tag, (vrs, _, _, _, keyword) in DicomDictionary.items():
            vr = vrs.split(" or ")[-1]
            if tag >> 16 in (0x0000, 0x0002, 0x0004) or keyword in source or not keyword or "PixelData" in keyword:
                continue
            if vr in ("LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE", "CS", "TM", "DA", "DT", "AS"):
                planted.add_new(tag, vr, value)
            elif vr in ("OB", "OW", "OD", "OF", "OL", "OV", "UN"):
                planted.add_new(tag, "UN" if vr == "UN" else "OB", value.encode())
        assert len(planted) > 1500
        for element in planted:
            source.add(element)
        for tag in CODE_TAGS:  # an item with a code that is none would go as a whole
            planted.pop(tag, None)
        planted.KVP = 120
        source.SharedFunctionalGroupsSequence = Sequence([planted])
        result, _ = cleaned(source)
        left = [e.keyword for e in result.iterall() if re.search("sun|1380013|hospital|2021.03", str(e.value), re.I)]
    assert left == []
    assert result.SharedFunctionalGroupsSequence[0].KVP == 120
    assert result.Manufacturer == source.Manufacturer


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        (("10200004", "SCT", "Liver"), "Liver"),
        (("10200004", "SCT", "肝"), "肝"),
        (("T-62000", "SRT", "Liver"), "Liver"),
        (("113100", "DCM", "Basic Application Confidentiality Profile"), "Basic Application Confidentiality Profile"),
        (("113100", "DCM", "by Dr Liu"), "Basic Application Confidentiality Profile"),
        (("mm", "UCUM", "mm"), "mm"),
        (("T-62001", "SRT", "Liver of Wang Fang"), "T-62001"),
        (("CT7", "99CT_VIA", "CT, ABDOMEN W&W/O CONTRAST"), "CT, ABDOMEN W&W/O CONTRAST"),
        (("CT7", "99CT_VIA", "PET of Wang Fang"), "CT7"),
        (("13800138000", "SCT", "Liver"), None),
        (("13800138000", "99CT_VIA", "Liver"), None),
        (("1", "99LiuYang", "Liver"), None),
        (("LiuYang", "UCUM", "mm"), None),
        (("", "SCT", "Liver"), None),
    ],
)
def test_coded_concepts(item: tuple[str, str, str], kept: str | None) -> None:
    source = code(*item)
    clean = Dataset()
    is_kept, changed = clean_concept(source, clean)
    assert is_kept == (kept is not None)
    assert clean.get("CodeMeaning") == kept
    assert bool(changed) == (kept != item[2])
