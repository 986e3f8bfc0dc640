"""Phantom DICOM with identifiers planted in every kind of attribute, and the answer key: what must become of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from quadphase.deidentify.dataset import lenient
from quadphase.deidentify.profile import TEXT_VRS, Action, _table
from quadphase.deidentify.scorer import Expected, Task, _text
from quadphase.model import Grid, Phase, Volume
from quadphase.phantom.dicom import write_series
from quadphase.phantom.exam import Exam, Person
from quadphase.phantom.patient import Scanner

NAME, HANZI, PATIENT_ID, ACCESSION = "Ouyang^Zhenhua", "欧阳^振华", "0048215973", "CT20190077"

PERSON = Person(patient_id=PATIENT_ID, pinyin=NAME, hanzi=HANZI, birth_date=date(1951, 11, 23))
EXAMS = (
    Exam(person=PERSON, scanner=Scanner.CANON, accession_number=ACCESSION, style="canon-zh"),
    Exam(
        person=PERSON, scanner=Scanner.PHILIPS, accession_number="CT20190412", style="philips-en", misdeclare=False,
        start=datetime(2019, 9, 2, 15, 3, 59),  # noqa: DTZ001 (the scanner's local clock)
    ),
)  # fmt: skip


def volume(seed: int) -> Volume:
    """Eight slices of a body with noise."""
    x, y = np.meshgrid(np.arange(96), np.arange(96), indexing="ij")
    body = np.where((x - 48) ** 2 / 40**2 + (y - 48) ** 2 / 30**2 < 1, 60, -1000)
    hu = body[:, :, None] + np.random.default_rng(seed).normal(0, 12, (96, 96, 4))
    return Volume(hu=np.rint(hu).astype(np.int16), grid=Grid((96, 96, 4), np.diag([3.5, 3.5, 5.0, 1.0])))


def write_planted(root: Path) -> tuple[Expected, ...]:
    """Two exams of one person, four phases each, with planted identifiers; returns the answer key."""
    expected: list[Expected] = []
    number = 0
    for exam_number, exam in enumerate(EXAMS):
        for phase in Phase:
            folder = root / f"{NAME}" / f"{exam.start:%Y%m%d}" / phase.value
            for path in write_series(volume(number), folder, exam=exam, phase=phase):
                number += 1
                with lenient():
                    dataset = dcmread(path)
                    dataset.InstanceNumber = number
                    expected += _plant(dataset, str(number), exam_number, number)
                    dataset.save_as(path, enforce_file_format=True)
    number += 1
    expected += _capture(root / "page", number)
    return tuple(expected)


def _plant(dataset: Dataset, instance: str, exam_number: int, number: int) -> Iterator[Expected]:
    def expect(task: Task, *path: str | int, value: str = "") -> Expected:
        return Expected(task=task, instance=instance, path=path, value=value)

    yield expect(Task.PIXELS_RETAINED, value=hashlib.sha256(dataset.PixelData).hexdigest())
    yield from _identity(dataset, expect)
    yield from _descriptions(dataset, expect, number)
    yield from _nested(dataset, expect)
    yield from _private(dataset, expect)
    if number == 1:
        yield from _whole_table(dataset, expect)
    for keyword in (
        "Rows",
        "PixelSpacing",
        "ImagePositionPatient",
        "KVP",
        "RescaleIntercept",
        "SliceThickness",
        "Modality",
    ):
        yield expect(Task.TEXT_RETAINED, keyword, value=_text(dataset[keyword].value) or "")
    for keyword in ("Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "SOPClassUID", "ImageType"):
        yield expect(Task.TEXT_NOT_NULL, keyword)
    # Type 1 and 2 attributes of a CT image must exist, if empty.
    for keyword in ("PatientName", "PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber", "SeriesNumber"):
        yield expect(Task.TAG_RETAINED, keyword)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"):
        for task in (Task.UID_CHANGED, Task.UID_CONSISTENT):
            yield expect(task, keyword, value=str(dataset[keyword].value))
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"):
        yield expect(Task.DATE_SHIFTED, keyword, value=str(dataset[keyword].value))
    for keyword in ("StudyTime", "AcquisitionTime", "ContentTime"):
        yield expect(Task.TEXT_RETAINED, keyword, value=str(dataset[keyword].value))
    del exam_number


Expect = Callable[..., Expected]


def _identity(dataset: Dataset, expect: Expect) -> Iterator[Expected]:
    dataset.PatientBirthTime, dataset.PatientAddress = "081500", "No. 1 Ouyang Road, Quxian"
    dataset.OtherPatientIDs, dataset.OtherPatientNames = ["X4711", PATIENT_ID], "Zhenhua^Ou Yang"
    dataset.PatientTelephoneNumbers, dataset.MedicalRecordLocator = "+86 139 0013 9000", "MRN-55-0091"
    dataset.OperatorsName, dataset.RequestingPhysician = "Qian^San", "Sun^Siming"
    dataset.StationName, dataset.DeviceSerialNumber = "CTROOM3", "SN-008844"
    dataset.InstitutionAddress = "Renmin Lu 12, Quxian"
    yield expect(Task.PATIENT_ID_CONSISTENT, "PatientID", value=PATIENT_ID)
    for keyword, value in (
        ("PatientName", "Zhenhua"), ("PatientName", "欧阳"), ("PatientID", PATIENT_ID),
        ("PatientBirthDate", "19511123"),
        ("PatientBirthTime", "081500"), ("PatientAddress", "Quxian"), ("OtherPatientIDs", "X4711"),
        ("OtherPatientNames", "Zhenhua"), ("PatientTelephoneNumbers", "139"), ("MedicalRecordLocator", "MRN"),
        ("OperatorsName", "Qian"), ("RequestingPhysician", "Sun"), ("ReferringPhysicianName", "Zhang"),
        ("AccessionNumber", "CT2019"), ("StudyID", str(dataset.StudyID)),
        ("InstitutionName", str(dataset.InstitutionName)),
        ("InstitutionAddress", "Renmin"), ("StationName", "CTROOM3"), ("DeviceSerialNumber", "SN-008844"),
        ("PatientAge", str(dataset.PatientAge)),
    ):  # fmt: skip
        yield expect(Task.TEXT_REMOVED, keyword, value=value)


def _descriptions(dataset: Dataset, expect: Expect, number: int) -> Iterator[Expected]:
    phase = str(dataset.SeriesDescription)
    if number % 2:
        dataset.StudyDescription = f"CT abdomen {NAME.replace('^', ' ')} tel 13900139000"
        yield expect(Task.TEXT_RETAINED, "StudyDescription", value="CT abdomen")
    else:
        dataset.StudyDescription = "上腹部增强 欧阳振华 2019年3月12日"
        yield expect(Task.TEXT_RETAINED, "StudyDescription", value="上腹部增强")
    for value in ("Zhenhua", "13900139000") if number % 2 else ("振华", "2019年"):
        yield expect(Task.TEXT_REMOVED, "StudyDescription", value=value)
    yield expect(Task.TEXT_RETAINED, "SeriesDescription", value=phase)
    dataset.ImageComments = "reviewed by Dr. Qian on 12/03/2019, see 0048215973"
    for value in ("Qian", "12/03/2019", PATIENT_ID):
        yield expect(Task.TEXT_REMOVED, "ImageComments", value=value)
    dataset.AdditionalPatientHistory = "Mr. Ouyang, hepatitis B since 1999, lives in Quxian"
    yield expect(Task.TEXT_REMOVED, "AdditionalPatientHistory", value="Ouyang")
    # An attribute that no table names, misused for a name.
    dataset.BodyPartExamined = "OUYANG"
    yield expect(Task.TEXT_REMOVED, "BodyPartExamined", value="OUYANG")
    dataset.WindowCenterWidthExplanation = "liver Zhenhua"
    yield expect(Task.TEXT_REMOVED, "WindowCenterWidthExplanation", value="Zhenhua")
    # Attributes that the table keeps, with somebody in them whom no other attribute names.
    model = str(dataset.ManufacturerModelName)
    dataset.RetrieveURL, dataset.SequenceName = "https://pacs.quxian-hospital.example/ward7", "DrLiuYang"
    dataset.ManufacturerModelName, dataset.FilterType = f"{model} of Wang Fang ward 7", "13800138000"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "10200004", "SCT", "Liver of Wang Fang"
    dataset.AnatomicRegionSequence = Sequence([code])
    dataset.add_new(0x04000120, "OB", b"signed by Liu Yang")
    yield expect(Task.TEXT_RETAINED, "ManufacturerModelName", value=model)
    yield expect(Task.TEXT_RETAINED, "AnatomicRegionSequence", 0, "CodeValue", value="10200004")
    for *path, value in (
        ("RetrieveURL", "quxian"), ("SequenceName", "Liu"), ("ManufacturerModelName", "Wang"), ("FilterType", "138"),
        ("AnatomicRegionSequence", 0, "CodeMeaning", "Wang"), ("Signature", "Liu"),
    ):  # fmt: skip
        yield expect(Task.TEXT_REMOVED, *path, value=str(value))
    if "ContrastBolusAgent" in dataset:
        yield expect(Task.TEXT_RETAINED, "ContrastBolusAgent", value="Iohexol")


def _nested(dataset: Dataset, expect: Expect) -> Iterator[Expected]:
    inner, reference, outer = Dataset(), Dataset(), Dataset()
    inner.PatientID, inner.StudyDate, inner.PatientName = PATIENT_ID, dataset.StudyDate, NAME
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    reference.PurposeOfReferenceCodeSequence = Sequence([inner])
    outer.ReferencedSOPClassUID, outer.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", dataset.StudyInstanceUID
    dataset.SourceImageSequence = Sequence([reference])
    dataset.ReferencedStudySequence = Sequence([outer])
    request = Dataset()
    request.RequestedProcedureDescription, request.ScheduledProcedureStepID = f"for {NAME}", "SPS-33"
    dataset.RequestAttributesSequence = Sequence([request])
    person = Dataset()
    person.PersonName, person.InstitutionName = "Qian^San", "Quxian"
    dataset.OperatorIdentificationSequence = Sequence([person])
    nested = ("SourceImageSequence", 0)
    yield expect(Task.UID_CONSISTENT, *nested, "ReferencedSOPInstanceUID", value=str(dataset.SOPInstanceUID))
    yield expect(Task.TEXT_RETAINED, *nested, "ReferencedSOPClassUID", value=str(dataset.SOPClassUID))
    for keyword, value in (("PatientID", PATIENT_ID), ("PatientName", "Zhenhua")):
        yield expect(Task.TEXT_REMOVED, *nested, "PurposeOfReferenceCodeSequence", 0, keyword, value=value)
    yield expect(
        Task.DATE_SHIFTED, *nested, "PurposeOfReferenceCodeSequence", 0, "StudyDate", value=str(dataset.StudyDate)
    )
    yield expect(Task.TEXT_REMOVED, "RequestAttributesSequence", 0, "RequestedProcedureDescription", value="Zhenhua")
    yield expect(Task.TEXT_REMOVED, "RequestAttributesSequence", 0, "ScheduledProcedureStepID", value="SPS-33")
    yield expect(Task.TEXT_REMOVED, "OperatorIdentificationSequence", 0, "PersonName", value="Qian")


def _private(dataset: Dataset, expect: Expect) -> Iterator[Expected]:
    safe = dataset.private_block(0x0019, "GEMS_ACQU_01", create=True)
    safe.add_new(0x23, "DS", "7.5")
    safe.add_new(0x30, "LO", NAME)
    other = dataset.private_block(0x0009, "ACME 1.0", create=True)
    other.add_new(0x01, "LO", NAME)
    other.add_new(0x02, "DA", "20190312")
    yield expect(Task.TEXT_RETAINED, "0019,1023", value="7.5")
    yield expect(Task.TEXT_REMOVED, "0019,1030", value="Zhenhua")
    yield expect(Task.TEXT_REMOVED, "0009,1001", value="Zhenhua")
    yield expect(Task.TEXT_REMOVED, "0009,1002", value="20190312")
    dataset.add_new(0x60003000, "OW", b"\xff\0" * 8)
    dataset.add_new(0x60004000, "LT", NAME)
    dataset.add_new(0x50003000, "OW", NAME.encode())
    yield expect(Task.TEXT_REMOVED, "6000,4000", value="Zhenhua")
    yield expect(Task.TEXT_REMOVED, "5000,3000", value="Zhenhua")
    dataset.file_meta.SourceApplicationEntityTitle = "OUYANG_AE"
    dataset.preamble = NAME.encode().ljust(128, b"\0")
    yield expect(Task.TEXT_REMOVED, "SourceApplicationEntityTitle", value="OUYANG")


def _whole_table(dataset: Dataset, expect: Expect) -> Iterator[Expected]:
    """A value in every attribute of table E.1-1 that a data set can hold, none of them set otherwise."""
    values: dict[str, Any] = {
        "DA": "20190312", "DT": "20190312094107", "TM": "094107", "PN": NAME, "AS": "067Y", "UI": "1.2.3.4.5.6.7.8.9",
        "CS": "OUYANG", "AE": "OUYANG", "SH": "Zhenhua", "LO": NAME, "ST": NAME, "LT": NAME, "UT": NAME, "UC": NAME,
    }  # fmt: skip
    for tag, action in _table().items():
        keyword = keyword_for_tag(tag)
        if not keyword or tag >> 16 in (0, 2, 4) or keyword in dataset or dictionary_VR(tag) not in values:
            continue
        vr = dictionary_VR(tag)
        dataset.add_new(tag_for_keyword(keyword), vr, values[vr])
        if action is Action.SHIFT and vr in ("DA", "DT"):
            yield expect(Task.DATE_SHIFTED, keyword, value=values[vr])
        elif action is Action.SHIFT:
            yield expect(Task.TEXT_RETAINED, keyword, value=values[vr])
        elif action is Action.UID:
            yield expect(Task.UID_CHANGED, keyword, value=values[vr])
            yield expect(Task.UID_CONSISTENT, keyword, value=values[vr])
        elif vr in TEXT_VRS or vr in ("PN", "CS", "AE", "AS", "DA"):
            yield expect(Task.TEXT_REMOVED, keyword, value=values[vr].split("^")[-1])


def _capture(folder: Path, number: int) -> Iterator[Expected]:
    """A CT slice with the name burned into its corner."""
    from PIL import Image, ImageDraw

    path = write_series(volume(99), folder, exam=EXAMS[0], phase=Phase.P, order=[0])[0]
    with lenient():
        dataset = dcmread(path)
        pixels = dataset.pixel_array.copy()
        letters = Image.new("1", pixels.shape[::-1])
        ImageDraw.Draw(letters).text((2, 2), "OUYANG Z", fill=1)
        pixels[np.asarray(letters)] = 2000
        dataset.PixelData, dataset.InstanceNumber = pixels.tobytes(), number
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.4711"
        dataset.save_as(path, enforce_file_format=True)
    digest = hashlib.sha256(dataset.PixelData).hexdigest()
    yield Expected(task=Task.PIXELS_HIDDEN, instance=str(number), value=digest)
