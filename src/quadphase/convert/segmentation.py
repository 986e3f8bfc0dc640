"""Masks as DICOM Segmentation objects, out and in (PS3.3 C.8.20), by highdicom.

A Segmentation refers to the images it was drawn on and therefore names their patient: it is a thing to send back to a
hospital's archive, never part of a release.  Writing needs the DICOM slices of the stack; reading gives masks on the
object's own grid, or on the grid of the stack it refers to.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np

from quadphase import __version__
from quadphase.convert.drawn_on import on_grid
from quadphase.convert.exam import Stack
from quadphase.errors import GridMismatchError, InputError, MissingDependencyError
from quadphase.io import atomic
from quadphase.model import Grid, Mask, lps_from_ras

__all__ = ["SEGMENTS", "NamedMask", "load_segmentation", "save_segmentation"]

SEGMENTS: Final[dict[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "liver": (("123037004", "Anatomical Structure"), ("10200004", "Liver")),
    "lesion": (("49755003", "Morphologically Abnormal Structure"), ("4147007", "Mass")),
}
"""SNOMED CT category and type (code, meaning) by our name (PS3.16 CID 7150 and 7159)."""
MAY_BE_BLANK: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
"""Type 2 attributes of the Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1): they must be there, and may be
blank. Slices that somebody has de-identified lack them, and the Segmentation takes them over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedMask:
    """One segment.

    Parameters
    ----------
    name : str
        Segment label as written.
    mask : Mask
    """

    name: str
    mask: Mask


def _highdicom() -> Any:
    try:
        import highdicom
    except ImportError:
        raise MissingDependencyError(
            "no-highdicom", "DICOM Segmentation needs the package highdicom", "pip install 'quadphase[seg]'"
        ) from None
    return highdicom


def save_segmentation(
    path: Path, masks: Mapping[str, Mask], stack: Stack, *, algorithm: str | None = None, overwrite: bool = False
) -> Path:
    """Write masks as one DICOM Segmentation that refers to the slices of `stack`.

    Parameters
    ----------
    path : Path
    masks : mapping of name to Mask
        Names are those of `SEGMENTS`; each on the stack's grid or on a crop of it.
    stack : Stack
        As its files are (not resampled).
    algorithm : str, optional
        Name of the program that drew the masks; None for people.

    Raises
    ------
    InputError
        ``"unknown-segment"``, ``"empty-mask"``, ``"missing-uid"``, ``"multi-frame-source"``, ``"bad-header"``.
    GridMismatchError
        If a mask is no part of the stack.
    OutputError
    """
    unknown = sorted(set(masks) - set(SEGMENTS))
    if unknown or not masks:
        raise InputError("unknown-segment", f"There is no segment '{', '.join(unknown)}'", f"Use {', '.join(SEGMENTS)}")
    if stack.changes:
        raise GridMismatchError("resampled", f"{stack.where} was resampled; its masks fit no DICOM slice", "")
    if blank := _blank_uids(stack):
        message = f"The slices of {stack.where} have no {', '.join(blank)}, and a Segmentation must name its images"
        raise InputError("missing-uid", message, "Use NIfTI")
    if any(h.pixels.n_frames > 1 for h in stack.headers):
        raise InputError(
            "multi-frame-source", f"{stack.where} is a multi-frame CT, which is not supported", "Use NIfTI"
        )
    hd = _highdicom()
    from pydicom.sr.coding import Code

    whole = [on_grid(stack.proved_grid, mask) for mask in masks.values()]
    if not any(mask.voxels.any() for mask in whole):
        raise InputError("empty-mask", "Every mask is empty", "A segmentation needs at least one voxel")
    pixels = np.stack([mask.voxels.T for mask in whole], axis=-1).astype(np.uint8)  # (K, J, I, segment)
    digest = hashlib.sha256(
        "".join(h.origin.sop_instance_uid for h in stack.headers).encode() + pixels.tobytes()
    ).digest()
    descriptions = [_description(hd, Code, number, name, algorithm) for number, name in enumerate(masks, start=1)]
    stream = BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom and highdicom quote names and dates of the patient
            hd.seg.Segmentation(
                source_images=_sources(stack),
                pixel_array=pixels,
                segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
                segment_descriptions=descriptions,
                series_instance_uid=_uid(digest, "series"),
                series_number=900,
                sop_instance_uid=_uid(digest, "instance"),
                instance_number=1,
                manufacturer="quadphase",
                manufacturer_model_name="quadphase",
                software_versions=__version__,
                device_serial_number="0",
                content_label="SEGMENTATION",
            ).save_as(stream)
    except Exception as error:  # pydicom and highdicom raise many kinds; their texts may quote values
        message = f"The slices of {stack.where} have a header that a Segmentation cannot take over"
        hint = "Correct it (often a date that is none), or use NIfTI"
        raise InputError("bad-header", f"{message} ({type(error).__name__})", hint) from None
    return atomic.write_bytes(path, stream.getvalue(), overwrite=overwrite)


def _blank_uids(stack: Stack) -> list[str]:
    """UIDs a Segmentation must repeat (type 1) that a slice does not have, by keyword."""
    needed = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
    fields = ("sop_instance_uid", "series_instance_uid", "study_instance_uid", "frame_of_reference_uid")
    origins = [h.origin for h in stack.headers]
    return [k for k, name in zip(needed, fields, strict=True) if not all(getattr(o, name) for o in origins)]


def _sources(stack: Stack) -> list[Any]:
    """Headers of the slices with blank attributes where the standard allows blank ones."""
    from pydicom import dcmread

    sources = [dcmread(h.origin.path, stop_before_pixels=True) for h in stack.headers]
    for source in sources:
        for keyword in MAY_BE_BLANK:
            if keyword not in source:
                setattr(source, keyword, "")
    return sources


def _description(hd: Any, code: Any, number: int, name: str, algorithm: str | None) -> Any:
    category, kind = SEGMENTS[name]
    automatic = algorithm is not None
    identification = None
    if automatic:
        family = code("123110", "DCM", "Artificial Intelligence")
        identification = hd.AlgorithmIdentificationSequence(name=algorithm, version=__version__, family=family)
    types = hd.seg.SegmentAlgorithmTypeValues
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=code(category[0], "SCT", category[1]),
        segmented_property_type=code(kind[0], "SCT", kind[1]),
        algorithm_type=types.AUTOMATIC if automatic else types.MANUAL,
        algorithm_identification=identification,
    )


def _uid(digest: bytes, what: str) -> str:
    """UID from content (PS3.5 B.2): the same masks on the same slices give the same object."""
    return f"2.25.{int.from_bytes(hashlib.sha256(digest + what.encode()).digest()[:16], 'big')}"


def load_segmentation(path: Path, stack: Stack | None = None) -> Sequence[NamedMask]:
    """Segments of a DICOM Segmentation (binary or labelmap).

    Parameters
    ----------
    path : Path
    stack : Stack, optional
        Put the masks on this stack's grid; otherwise they are on the object's own.

    Raises
    ------
    InputError
        ``"missing-file"``, ``"not-segmentation"``.
    GridMismatchError
        ``"not-a-crop"`` if the segments are not voxels of the stack.
    """
    hd = _highdicom()
    if not path.is_file():
        raise InputError("missing-file", f"There is no file {path}", "Check the name")
    try:
        segmentation = hd.seg.segread(path)
        numbers = list(segmentation.segment_numbers)
        names = [str(segmentation.get_segment_description(n).segment_label) for n in numbers]
        volume = segmentation.get_volume(combine_segments=False, segment_numbers=numbers)
    except Exception as error:  # pydicom and highdicom raise many kinds; their texts may quote values
        message = f"{path} is not a readable DICOM Segmentation on a regular grid ({type(error).__name__})"
        raise InputError("not-segmentation", message, "Export it again") from None
    voxels = volume.array.astype(bool).transpose(2, 1, 0, 3)  # highdicom: (slice, row, column, segment)
    grid = Grid(voxels.shape[:3], lps_from_ras(np.asarray(volume.affine)[:, [2, 1, 0, 3]]))
    found = [NamedMask(name=name, mask=Mask(voxels=voxels[..., n], grid=grid)) for n, name in enumerate(names)]
    if stack is None:
        return found
    return [NamedMask(name=one.name, mask=on_grid(stack.proved_grid, one.mask)) for one in found]
