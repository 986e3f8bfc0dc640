"""Series whose attributes are blank, wrongly encoded, or wrapped in another kind of object."""

from __future__ import annotations

from pathlib import Path

from quadphase.model import Phase
from quadphase.phantom.clutter import write_dose_report, write_localizer
from quadphase.phantom.dicom import slices_of
from quadphase.phantom.enhanced import write_enhanced
from quadphase.phantom.exam import Exam, Person, misdeclared
from quadphase.phantom.nasty.case import NastyCase, stack_of, texture
from quadphase.phantom.nasty.geometry import write_case

__all__ = [
    "blank_uids",
    "clutter_inside",
    "enhanced_multiframe",
    "misdeclared_gbk",
    "missing_attributes",
    "truncated_file",
]


def blank_uids(folder: Path) -> NastyCase:
    """SOP class, SOP instance, study and series UIDs empty, as after a careless de-identification."""
    slices = [s.but(tags={"SOPInstanceUID": ""}) for s in slices_of(texture())]
    blank = dict.fromkeys(("SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"), "")
    return write_case(folder, slices, name="blank_uids", note="UIDs blank", tags=blank)


def misdeclared_gbk(folder: Path) -> NastyCase:
    """GBK bytes under a Latin-1 declaration: 门脉期 reads as accented nonsense until someone repairs it."""
    exam = Exam(person=Person(hanzi="王^小明"), style="canon-zh", charset="ISO_IR 100", misdeclare=True)
    tags = exam.tags(Phase.C2) | {"SeriesDescription": misdeclared("上腹部门脉期 5.0")}
    return write_case(folder, slices_of(texture()), name="misdeclared_gbk", note="GBK declared as Latin-1", tags=tags)


def missing_attributes(folder: Path) -> NastyCase:
    """No times, no description, no kernel, no thickness, no image type: positions are all there is."""
    gone: tuple[str, ...] = (
        "StudyTime",
        "SeriesTime",
        "AcquisitionTime",
        "ContentTime",
        "SeriesDescription",
        "ProtocolName",
        "ConvolutionKernel",
    )
    gone += ("ImageType", "AcquisitionNumber", "SpecificCharacterSet", "ContrastBolusAgent", "ContrastBolusStartTime")
    slices = [
        s.but(tags={"SliceThickness": None, "SliceLocation": None, "RescaleType": None}) for s in slices_of(texture())
    ]
    return write_case(folder, slices, name="missing_attributes", note="bare header", tags=dict.fromkeys(gone))


def clutter_inside(folder: Path) -> NastyCase:
    """A localizer, a dose page and a text file among the slices."""
    case = write_case(folder, slices_of(texture()), name="clutter_inside", note="localizer, dose page, text")
    write_localizer(Exam(), texture(), folder, "scout")
    write_dose_report(Exam(), folder, "dose.dcm")
    (folder / "notes.txt").write_text("not an image\n", "utf-8")
    return case


def truncated_file(folder: Path) -> NastyCase:
    """One file lost the second half of its pixels in a transfer: the stack has a gap where it was."""
    slices = slices_of(texture())
    case = write_case(folder, slices, name="truncated_file", note="one file cut short", shuffle=0)
    broken = next(p for p in case.paths if _position(p) == slices[4].position_mm[2])
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) - 1400])
    stack = stack_of(slices[:4] + slices[5:], affine=False, problems=("truncated", "gap"))
    return NastyCase(name=case.name, folder=folder, stacks=(stack,), paths=case.paths, note=case.note)


def _position(path: Path) -> float:
    from pydicom import dcmread

    return float(dcmread(path, stop_before_pixels=True).ImagePositionPatient[2])


def enhanced_multiframe(folder: Path) -> NastyCase:
    """One Enhanced CT object with all slices as frames, stored out of order."""
    slices = slices_of(texture())
    order = [3, 0, 9, 11, 7, 1, 2, 8, 10, 4, 6, 5]
    path = write_enhanced([slices[k] for k in order], folder / "enhanced.dcm", tags=Exam().tags(Phase.C2))
    return NastyCase(
        name="enhanced_multiframe",
        folder=folder,
        stacks=(stack_of(slices),),
        paths=(path,),
        note="Enhanced CT, frames shuffled",
    )
