from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless

from quadphase.model import Phase, lps_from_ras
from quadphase.phantom.dicom import PixelFormat, slices_of, write_series, write_slices
from quadphase.phantom.exam import Exam, Person
from quadphase.phantom.nasty import texture
from quadphase.phantom.patient import Scanner

TYPE_1 = """
    SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID Modality ImageType PixelSpacing
    ImageOrientationPatient ImagePositionPatient SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated
    BitsStored HighBit PixelRepresentation RescaleIntercept RescaleSlope PixelData
"""
"""PS3.3 C.7 and C.8.2.1: attributes of the CT image IOD that must be present and not empty."""

TYPE_2 = """
    PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID
    AccessionNumber SeriesNumber PatientPosition PositionReferenceIndicator Manufacturer InstanceNumber SliceThickness
    KVP AcquisitionNumber
"""


@pytest.mark.parametrize("scanner", Scanner)
@pytest.mark.parametrize("phase", [Phase.P, Phase.C2])
def test_required_attributes_are_there(tmp_path: Path, scanner: Scanner, phase: Phase) -> None:
    for path in write_series(texture(), tmp_path, scanner=scanner, phase=phase):
        data = pydicom.dcmread(path)
        assert [k for k in TYPE_1.split() if data.get(k) in (None, "")] == []
        assert [k for k in TYPE_2.split() if k not in data] == []
        assert data.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
        assert not [e for e in data if e.tag.is_private]
        assert data.BitsStored == data.HighBit + 1


@pytest.mark.parametrize("scanner", Scanner)
def test_pixels_and_positions_survive(tmp_path: Path, scanner: Scanner) -> None:
    volume = texture()
    affine = lps_from_ras(volume.grid.affine)
    paths = write_series(volume, tmp_path, scanner=scanner)
    for k, path in enumerate(paths):
        data = pydicom.dcmread(path)
        hu = data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept)
        np.testing.assert_array_equal(hu, volume.hu[:, :, k].T)
        np.testing.assert_allclose(data.ImagePositionPatient, affine[:3, 3] + k * affine[:3, 2], atol=1e-5)
        assert list(data.PixelSpacing) == [1.25, 1.5]  # between rows (J), then between columns (I)
        assert list(data.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]


def test_the_same_arguments_write_the_same_bytes(tmp_path: Path) -> None:
    a, b = (write_series(texture(), tmp_path / name, phase=Phase.C1) for name in "ab")
    assert [p.read_bytes() for p in a] == [p.read_bytes() for p in b]


def test_overrides_replace_blank_and_remove(tmp_path: Path) -> None:
    overrides = {"SeriesDescription": "Delay", "StudyTime": "", "ProtocolName": None, "SliceThickness": "9"}
    data = pydicom.dcmread(write_series(texture(), tmp_path, overrides=overrides)[0])
    assert data.SeriesDescription == "Delay"
    assert data.StudyTime == ""
    assert "ProtocolName" not in data
    assert float(data.SliceThickness) == 9
    with pytest.raises(KeyError, match="NoSuchThing"):
        write_series(texture(), tmp_path, overrides={"NoSuchThing": 1})


def test_order_selects_shuffles_and_repeats(tmp_path: Path) -> None:
    paths = write_series(texture(), tmp_path, order=[4, 0, 4], name="x{}".format)
    z = [float(pydicom.dcmread(p).ImagePositionPatient[2]) for p in paths]
    assert [p.name for p in paths] == ["x0", "x1", "x2"]
    assert z == [-92.5, -112.5, -92.5]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_files_decode_to_the_same_pixels(tmp_path: Path, syntax: str) -> None:
    volume = texture()
    path = write_series(volume, tmp_path, transfer_syntax=syntax)[3]
    data = pydicom.dcmread(path)
    assert data.file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(data.pixel_array, volume.hu[:, :, 3].T)


def test_chinese_text_reads_back_where_it_is_declared(tmp_path: Path) -> None:
    exam = Exam(person=Person(pinyin="Wang^Xiaoming", hanzi="王^小明"), style="canon-zh", charset="GB18030")
    data = pydicom.dcmread(write_series(texture(), tmp_path, exam=exam, phase=Phase.C1)[0])
    assert data.SeriesDescription == "上腹部动脉期 5.0"
    assert str(data.PatientName.ideographic) == "王^小明"
    assert "动脉期".encode("gb18030") in (tmp_path / "IM0000.dcm").read_bytes()


def test_pixel_format_clips_to_what_it_can_hold() -> None:
    form = PixelFormat(bits_stored=12, signed=False, intercept=-1024.0)
    assert form.encode(np.array([-2000, -1024, 0, 3071, 9000])).tolist() == [0, 0, 1024, 4095, 4095]
    assert PixelFormat(bits_stored=12).limits == (-2048, 2047)


def test_slices_may_carry_attributes_of_their_own(tmp_path: Path) -> None:
    slices = [s.but(tags={"AcquisitionNumber": 40 + k}) for k, s in enumerate(slices_of(texture()))]
    paths = write_slices(slices, tmp_path, tags=Exam().tags(Phase.P))
    assert [pydicom.dcmread(p).AcquisitionNumber for p in paths][:3] == [40, 41, 42]
