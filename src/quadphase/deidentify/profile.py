"""The rules of PS3.15 Annex E as data: what happens to each attribute under the profile and the options we claim.

`ps315_table_e1_1.csv` holds the columns of table E.1-1 that apply (edition 2026c: Basic Profile, Retain Longitudinal
Temporal Information with Modified Dates, Clean Descriptors), `safe_private.csv` the rows of table E.3.10-1 that occur
in CT, MR and PET. Attributes the table does not name get a safe default by their value representation, as the
standard leaves them to the implementer (PS3.15 E.1.1 and E.3.5).
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

_TEXT_KEPT = frozenset(
    (
        "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel", "FilterType", "CodeValue",
        "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning", "LongCodeValue", "PositionReferenceIndicator",
        "RescaleType", "ContrastBolusRoute", "SequenceName", "WindowCenterWidthExplanation", "LUTExplanation",
        "SegmentLabel", "SegmentAlgorithmName", "ReconstructionMethod", "ContextIdentifier", "MappingResource",
    )
)  # fmt: skip
"""Text attributes outside table E.1-1 whose values are names of things, not of people."""


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
    if not keyword or vr in ("UN", "AE", "PN"):
        return Action.REMOVE
    if vr in DATE_VRS:
        return Action.SHIFT
    if vr == "UI":
        return Action.UID
    if vr in TEXT_VRS and keyword not in _TEXT_KEPT:
        return Action.CLEAN
    return Action.KEEP
