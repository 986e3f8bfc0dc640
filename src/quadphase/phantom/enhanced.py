"""Enhanced CT: all slices of a series as the frames of one object (PS3.3 A.38).

Geometry, pixels and identity are complete; the macros on how the scanner acquired each frame are left out, as
converters leave them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage

from quadphase.phantom.dicom import Slice, base_dataset, decimal, save_dataset
from quadphase.phantom.exam import uid_of

__all__ = ["write_enhanced"]

_CONTENT = 0x00209111
"""FrameContentSequence."""


def write_enhanced(slices: Sequence[Slice], path: Path, *, tags: Mapping[str, Any]) -> Path:
    """Write slices as frames, in the order given.

    Parameters
    ----------
    slices : sequence of Slice
        One pixel format for all; positions may be in any order.
    path : Path
    tags : mapping
        Attributes by keyword, as from `Exam.tags`.
    """
    moved = ("SliceThickness", "RescaleSlope", "RescaleIntercept", "ConvolutionKernel", "KVP", "SOPClassUID")
    data = base_dataset({k: v for k, v in tags.items() if k not in moved}, EnhancedCTImageStorage)
    first = slices[0]
    data.SOPInstanceUID = uid_of("enhanced", tags.get("SeriesInstanceUID"))
    data.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    data.InstanceNumber = 1
    data.NumberOfFrames = len(slices)
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = first.hu.shape
    form = first.pixels
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, form.bits_stored, form.bits_stored - 1
    data.PixelRepresentation = int(form.signed)
    organization = uid_of("dimension", data.SOPInstanceUID)
    data.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=organization)]
    data.DimensionIndexSequence = [
        _item(DimensionOrganizationUID=organization, DimensionIndexPointer=pointer, FunctionalGroupPointer=_CONTENT)
        for pointer in (0x00209056, 0x00209057)  # StackID, InStackPositionNumber
    ]
    data.SharedFunctionalGroupsSequence = [_shared(first)]
    data.PerFrameFunctionalGroupsSequence = [_frame(s, n) for n, s in enumerate(slices, start=1)]
    stored = np.stack([s.pixels.encode(s.hu) for s in slices])
    data.add_new("PixelData", "OW", stored.astype(stored.dtype.newbyteorder("<")).tobytes())
    return save_dataset(data, path)


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return _item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def _shared(first: Slice) -> Dataset:
    spacing = [decimal(x) for x in first.pixel_spacing_mm]
    form = first.pixels
    return _item(
        PixelMeasuresSequence=[_item(PixelSpacing=spacing, SliceThickness=decimal(first.thickness_mm))],
        PlaneOrientationSequence=[_item(ImageOrientationPatient=[decimal(x) for x in first.orientation])],
        PixelValueTransformationSequence=[
            _item(RescaleIntercept=decimal(form.intercept), RescaleSlope=decimal(form.slope), RescaleType="HU")
        ],
        CTImageFrameTypeSequence=[
            _item(
                FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
                PixelPresentation="MONOCHROME",
                VolumetricProperties="VOLUME",
                VolumeBasedCalculationTechnique="NONE",
            )
        ],
        FrameAnatomySequence=[
            _item(FrameLaterality="U", AnatomicRegionSequence=[_code("818983003", "SCT", "Abdomen")])
        ],
    )


def _frame(item: Slice, number: int) -> Dataset:
    return _item(
        FrameContentSequence=[_item(StackID="1", InStackPositionNumber=number, DimensionIndexValues=[1, number])],
        PlanePositionSequence=[_item(ImagePositionPatient=[decimal(x) for x in item.position_mm])],
    )
