"""Enhanced (multi-frame) CT: one slice header for each frame, from the functional groups (PS3.3 C.7.6.16).

A value comes from the frame's own functional group, else from the shared one. Frames then go through the same
grouping and proof as single slices: temporal positions, several acquisitions and several stacks in one object come
apart by themselves.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from quadphase.convert.attributes import Values, clock_of
from quadphase.convert.header import SliceHeader, acquisition_of, header_of, make_plane

__all__ = ["read_frames"]


def read_frames(data: bytes, v: Values, path: Path) -> tuple[SliceHeader, ...] | tuple[str, str]:
    """Headers of all frames, or (finding code, detail) of the refusal."""
    count = v.whole("NumberOfFrames") or 1
    try:
        shared, frames = _functional_groups(data)
        if len(frames) != count:
            return "multi-frame", f"{count} frames, positions for {len(frames)}"
        headers = tuple(_headers(v, path, shared, frames))
    except Exception as error:  # pydicom raises many kinds for damaged sequences
        return "unreadable-dicom", f"its functional groups cannot be read ({type(error).__name__})"
    if len(headers) != count:
        return "no-position", "frames without usable position, orientation or pixel spacing"
    return headers


def _functional_groups(data: bytes) -> tuple[Any, list[Any]]:
    from pydicom import dcmread

    tags = ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
    dataset = dcmread(io.BytesIO(data), stop_before_pixels=True, specific_tags=tags, force=True)
    shared = dataset.get("SharedFunctionalGroupsSequence") or [{}]
    return shared[0], list(dataset.get("PerFrameFunctionalGroupsSequence") or [])


def _headers(v: Values, path: Path, shared: Any, frames: list[Any]) -> Iterator[SliceHeader]:
    base = acquisition_of(v)
    for number, frame in enumerate(frames):

        def group(name: str, frame: Any = frame) -> Any:
            found = frame.get(name) or shared.get(name)
            return found[0] if found else {}

        measures, content = group("PixelMeasuresSequence"), group("FrameContentSequence")
        position = _floats(group("PlanePositionSequence").get("ImagePositionPatient"))
        orientation = _floats(group("PlaneOrientationSequence").get("ImageOrientationPatient"))
        spacing = _floats(measures.get("PixelSpacing"))
        if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2:
            return
        plane = make_plane(position, orientation, spacing, rows=v.count("Rows"), columns=v.count("Columns"))
        if plane is None:
            return
        header = header_of(v, path, plane)
        transform = group("PixelValueTransformationSequence")
        # As in a single slice, a slope of 0 is a missing one.
        slope, intercept = _float(transform.get("RescaleSlope")) or None, _float(transform.get("RescaleIntercept"))
        kind = group("CTImageFrameTypeSequence").get("FrameType")
        kernel = group("CTReconstructionSequence").get("ConvolutionKernel")
        stamp = str(content.get("FrameAcquisitionDateTime") or content.get("FrameReferenceDateTime") or "")
        acquisition = replace(
            base,
            image_type=tuple(str(part).upper() for part in kind) if kind else base.image_type,
            kernel=str(kernel or base.kernel),
            slice_thickness_mm=_float(measures.get("SliceThickness")) or base.slice_thickness_mm,
            acquisition_number=_whole(content.get("FrameAcquisitionNumber"), base.acquisition_number),
            temporal_position=_whole(content.get("TemporalPositionIndex"), base.temporal_position),
            acquisition_time_s=clock_of(stamp) if stamp else base.acquisition_time_s,
            instance_number=number + 1,
        )
        yield replace(
            header,
            origin=replace(header.origin, frame=number),
            acquisition=acquisition,
            pixels=replace(
                header.pixels,
                slope=header.pixels.slope if slope is None else slope,
                intercept=header.pixels.intercept if intercept is None else intercept,
                unit=header.pixels.unit if slope is None or intercept is None else _unit(transform),
            ),
        )


def _unit(transform: Any) -> str:
    return str(transform.get("RescaleType") or "HU").strip().upper()


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: Any, fallback: int | None) -> int | None:
    number = _float(value)
    return fallback if number is None else int(number)


def _floats(values: Any) -> tuple[float, ...]:
    if values is None:
        return ()
    numbers = tuple(_float(x) for x in values)
    return tuple(x for x in numbers if x is not None) if None not in numbers else ()
