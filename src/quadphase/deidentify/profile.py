"""The rules of PS3.15 Annex E as data: what happens to each attribute under the profile and the options we claim.

`ps315_table_e1_1.csv` holds the columns of table E.1-1 that apply (edition 2026c: Basic Profile, Retain Longitudinal
Temporal Information with Modified Dates, Clean Descriptors), `safe_private.csv` the rows of table E.3.10-1 that occur
in CT, MR and PET. Attributes the table does not name get a safe default by their value representation, as the
standard leaves them to the implementer (PS3.15 E.1.1 and E.3.5): addresses, names, and bytes other than those of the
image go.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib.resources import files

__all__ = ["Action", "action_of", "is_safe_private"]


class Action(Enum):
    """What is done to an attribute (PS3.15 table E.1-1a)."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"
    SHIFT = "shift"
    """C under Retain Longitudinal Temporal Information with Modified Dates."""
    CLEAN = "clean"
    """C under Clean Descriptors."""
    CODE = "code"
    """Kept as far as it is a plain code: the standard keeps it, and it is free text all the same."""
    KEEP = "K"


TEXT_VRS = frozenset(("LO", "SH", "ST", "LT", "UT", "UC"))
"""Value representations that hold free text."""

DATE_VRS = frozenset(("DA", "DT"))

_STRONGEST_FIRST = {
    # A compound action leaves the choice to the implementer (note to table E.1-1a): the one that keeps a CT image valid
    # and releases least. None of these attributes is type 1 in a CT image.
    "X": Action.REMOVE, "Z": Action.EMPTY, "D": Action.DUMMY, "U": Action.UID, "Z/D": Action.EMPTY,
    "X/Z": Action.REMOVE,
    "X/D": Action.REMOVE, "X/Z/D": Action.REMOVE, "X/Z/U*": Action.UID,
}  # fmt: skip

_CODES = frozenset(
    (
        "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel", "FilterType", "CodeValue",
        "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning", "LongCodeValue", "PositionReferenceIndicator",
        "RescaleType", "ContrastBolusRoute", "SequenceName", "WindowCenterWidthExplanation", "LUTExplanation",
        "SegmentLabel", "SegmentAlgorithmName", "ReconstructionMethod", "ContextIdentifier", "MappingResource",
    )
)  # fmt: skip
"""Text attributes outside table E.1-1 whose values are names of things, as far as they are (`plain_code`)."""

_FREE_CODE_STRINGS = frozenset(("BodyPartExamined", "ContentLabel"))
"""CS that users type: words of anatomy stay."""

_BINARY_VRS = frozenset(("OB", "OW", "OD", "OF", "OL", "OV", "UN"))

PIXELS = frozenset(("PixelData", "FloatPixelData", "DoubleFloatPixelData"))

_BINARY_KEPT = PIXELS | frozenset(
    (
        "ExtendedOffsetTable", "ExtendedOffsetTableLengths",  # where its compressed frames begin
        "LUTData",  # rescaling and windowing of CT, MR and PET
        "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",  # colours of perfusion maps
        "BluePaletteColorLookupTableData", "AlphaPaletteColorLookupTableData",
        "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
        "SegmentedBluePaletteColorLookupTableData", "SegmentedAlphaPaletteColorLookupTableData",
    )
)  # fmt: skip
"""Bytes that are numbers of an image. All others may be a document, a key or a signature. An ICC profile holds texts
and a date, and images in colour, which need one, are refused (`burned_in`)."""

_SECURITY_GROUPS = (0x0400, 0x4FFE)
"""Signatures, certificates and encrypted copies of what was removed (PS3.15 C and E.1.1): they would no longer hold,
and name who signed."""


@cache
def _table() -> Mapping[int, Action]:
    text = files("quadphase.deidentify").joinpath("ps315_table_e1_1.csv").read_text("utf-8")
    actions: dict[int, Action] = {}
    for row in csv.DictReader(text.splitlines()):
        action = _STRONGEST_FIRST[row["basic"]]
        if row["modified_dates"] and row["vr"] in ("DA", "DT", "TM"):
            action = Action.SHIFT
        elif row["clean_descriptors"] and row["vr"] in TEXT_VRS:
            action = Action.CLEAN
        actions[int(row["tag"], 16)] = action
    return actions


@cache
def _safe_private() -> frozenset[tuple[int, str, int]]:
    text = files("quadphase.deidentify").joinpath("safe_private.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return frozenset((int(row["group"], 16), row["creator"], int(row["element"], 16)) for row in rows)


def is_safe_private(group: int, creator: str, element: int) -> bool:
    """Whether a private attribute is known to be safe (PS3.15 table E.3.10-1).

    Parameters
    ----------
    group : int
    creator : str
        Private creator of the attribute's block.
    element : int
        Low byte of the element number; the block it lies in does not matter.
    """
    return (group, creator, element & 0xFF) in _safe_private()


def action_of(tag: int, vr: str, keyword: str) -> Action:
    """What happens to a standard attribute.

    Parameters
    ----------
    tag : int
        Group and element as one number.
    vr : str
        Value representation.
    keyword : str
        Empty for a tag the dictionary does not know: such an attribute is removed.
    """
    group = tag >> 16
    if group & 0xFF00 in (0x5000, 0x6000):  # curves and overlays
        return Action.REMOVE
    listed = _table().get(tag)
    if listed is not None:
        return listed
    if not keyword or vr in ("AE", "PN", "UR") or group in _SECURITY_GROUPS:
        return Action.REMOVE
    if vr in _BINARY_VRS:
        return Action.KEEP if keyword in _BINARY_KEPT and vr != "UN" else Action.REMOVE
    if vr in DATE_VRS:
        return Action.SHIFT
    if vr == "UI":
        return Action.UID
    if vr in TEXT_VRS:
        return Action.CODE if keyword in _CODES else Action.CLEAN
    return Action.CLEAN if keyword in _FREE_CODE_STRINGS else Action.KEEP
