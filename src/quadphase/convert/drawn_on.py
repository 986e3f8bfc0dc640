"""Which stack of a folder a mask was drawn on, and the mask on the grid of that stack.

A DICOM Segmentation names its images (PS3.3 C.12.4, Common Instance Reference), and its word counts: the phases of one
exam often lie on one grid. A NIfTI mask only lies somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from quadphase.convert.exam import Stack
from quadphase.errors import GridMismatchError, InputError
from quadphase.imaging.crop import uncrop_mask
from quadphase.imaging.reorient import reorient_mask
from quadphase.model import Grid, Mask

__all__ = ["on_grid", "stack_referred_to", "stack_under"]


def on_grid(grid: Grid, mask: Mask) -> Mask:
    """The mask on `grid`, flipped and un-cropped where needed; every voxel keeps its place.

    Raises
    ------
    GridMismatchError, InputError
        As `uncrop_mask`.
    """
    same = mask if mask.grid.axis_codes == grid.axis_codes else reorient_mask(mask, grid.axis_codes)
    return uncrop_mask(same, grid)


def stack_under(mask: Mask, stacks: Sequence[Stack]) -> Stack:
    """The stack a mask was drawn on: the one whose voxels are its voxels.

    Parameters
    ----------
    mask : Mask
    stacks : sequence of Stack
        Refused ones have no voxels and are passed over.

    Raises
    ------
    GridMismatchError
        ``"no-stack"``, ``"several-stacks"`` (phases on one grid: name the folder of one of them).
    """
    fitting = []
    for stack in stacks:
        if not stack.usable:
            continue
        try:
            on_grid(stack.proved_grid, mask)
        except (GridMismatchError, InputError):
            continue
        fitting.append(stack)
    if not fitting:
        raise GridMismatchError(
            "no-stack", "The mask lies on no stack of that folder", "Name the folder it was drawn on"
        )
    if len(fitting) > 1:
        message = f"The mask lies on {len(fitting)} stacks of that folder"
        raise GridMismatchError(
            "several-stacks", message, "Choose one with --stack, as `quadphase convert` numbers them"
        )
    return fitting[0]


def stack_referred_to(segmentation: Path, mask: Mask, stacks: Sequence[Stack], *, index: int | None = None) -> Stack:
    """The stack a DICOM Segmentation refers to; where it names no image of these stacks, the one its mask lies on.

    Parameters
    ----------
    segmentation : Path
        A Segmentation that can be read.
    mask : Mask
        One of its segments on its own grid.
    stacks : sequence of Stack
        All stacks of the folder, refused ones too.
    index : int, optional
        Number of the stack a person chose, 0-based.

    Raises
    ------
    GridMismatchError
        ``"other-stack"`` if the choice contradicts the references; as `stack_under`.
    InputError
        ``"no-stack"`` if nothing has that number.
    """
    images = _referenced_images(segmentation)
    named = [s for s in stacks if any(header.origin.sop_instance_uid in images for header in s.headers)]
    if index is None:
        return stack_under(mask, named or stacks)
    chosen = [stack for stack in stacks if stack.index == index]
    if not chosen:
        raise InputError("no-stack", f"That folder holds no stack {index}", "See `quadphase convert FOLDER OUT --json`")
    if named and not (both := [stack for stack in chosen if stack in named]):
        numbers = " and ".join(sorted({str(stack.index) for stack in named}))
        message = f"{segmentation} refers to images of stack {numbers}, not of stack {index}"
        raise GridMismatchError("other-stack", message, "Leave --stack out")
    return stack_under(mask, both if named else chosen)


def _referenced_images(path: Path) -> frozenset[str]:
    from pydicom import dcmread

    data = dcmread(path, stop_before_pixels=True, specific_tags=["ReferencedSeriesSequence"])
    return frozenset(
        str(item.ReferencedSOPInstanceUID)
        for series in data.get("ReferencedSeriesSequence") or ()
        for item in series.get("ReferencedInstanceSequence") or ()
        if item.get("ReferencedSOPInstanceUID")
    )
