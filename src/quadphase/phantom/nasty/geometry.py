"""Series whose slices are in unusual, or impossible, places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from quadphase.model import Phase, Volume
from quadphase.phantom.dicom import Slice, slices_of, write_slices
from quadphase.phantom.exam import Exam
from quadphase.phantom.nasty.case import ExpectedStack, NastyCase, stack_of, texture

__all__ = [
    "anisotropic_pixels",
    "conflicting_duplicates",
    "coronal",
    "duplicate_slices",
    "gantry_tilt",
    "jittered_positions",
    "left_handed_order",
    "missing_slice",
    "oblique",
    "one_slice",
    "prone",
    "thickness_lies",
    "uneven_spacing",
    "upside_down",
    "write_case",
]


def write_case(
    folder: Path,
    slices: list[Slice],
    stacks: tuple[ExpectedStack, ...] | None = None,
    *,
    name: str,
    note: str,
    shuffle: int = 5,
    tags: dict[str, Any] | None = None,
    **options: Any,
) -> NastyCase:
    """Write slices in a shuffled order under one exam's attributes; by default they form one regular stack."""
    order = np.random.default_rng(shuffle).permutation(len(slices))
    common = Exam().tags(Phase.C2) | (tags or {})
    paths = write_slices([slices[i] for i in order], folder, tags=common, **options)
    return NastyCase(name=name, folder=folder, stacks=stacks or (stack_of(slices),), paths=tuple(paths), note=note)


def _rotation(axis: str, degrees: float) -> Any:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }[axis]


def _turned(*turns: tuple[str, float]) -> Volume:
    base = texture().grid.affine.copy()
    for axis, degrees in turns:
        base[:3] = np.array(_rotation(axis, degrees)) @ base[:3]
    return texture(affine=base)


def oblique(folder: Path) -> NastyCase:
    """Rotated about two axes: no column of the affine is parallel to a body axis."""
    return write_case(
        folder, slices_of(_turned(("x", 17.0), ("z", -11.0))), name="oblique", note="rotated about two axes"
    )


def coronal(folder: Path) -> NastyCase:
    """A coronal acquisition."""
    affine = [[-1.5, 0, 0, 30], [0, 0, -4.0, 40], [0, -1.25, 0, -300], [0, 0, 0, 1]]
    return write_case(folder, slices_of(texture(affine=affine)), name="coronal", note="coronal slices")


def left_handed_order(folder: Path) -> NastyCase:
    """Instance numbers ascend against the slice normal: stacking by number gives a left-handed array."""
    return write_case(
        folder, slices_of(texture(), head_first=True), name="left_handed_order", note="numbers run against the normal"
    )


def upside_down(folder: Path) -> NastyCase:
    """Rows run towards the chest and the slice normal towards the feet: stored flipped, geometry correct."""
    affine = [[-1.5, 0, 0, 30], [0, 1.25, 0, -18], [0, 0, -5, -60], [0, 0, 0, 1]]
    return write_case(folder, slices_of(texture(affine=affine)), name="upside_down", note="normal towards the feet")


def prone(folder: Path) -> NastyCase:
    """Head first, prone: both in-plane axes are reversed against the supine patient."""
    affine = [[1.5, 0, 0, -30], [0, 1.25, 0, -18], [0, 0, 5, -112.5], [0, 0, 0, 1]]
    return write_case(
        folder,
        slices_of(texture(affine=affine)),
        name="prone",
        note="head first prone",
        tags={"PatientPosition": "HFP"},
    )


def gantry_tilt(folder: Path) -> NastyCase:
    """Gantry tilted by 18.5 degrees: the slices are sheared, not a box."""
    grid = _turned(("x", 18.5)).grid
    affine = grid.affine.copy()
    affine[:3, 2] = (0, 0, 5.0)  # the table moves along z whatever the gantry does
    slices = slices_of(texture(affine=affine))
    return write_case(
        folder,
        slices,
        (stack_of(slices, problems=("tilt",)),),
        name="gantry_tilt",
        note="sheared by 18.5 degrees",
        tags={"GantryDetectorTilt": "18.5"},
    )


def uneven_spacing(folder: Path) -> NastyCase:
    """Spacing 5 mm for half of the scan, 7.5 mm for the rest."""
    slices = [
        s.but(position_mm=(*s.position_mm[:2], s.position_mm[2] + 2.5 * max(0, k - 5)))
        for k, s in enumerate(slices_of(texture()))
    ]
    stack = stack_of(slices, affine=False, problems=("uneven",))
    return write_case(folder, slices, (stack,), name="uneven_spacing", note="5 mm, then 7.5 mm")


def missing_slice(folder: Path) -> NastyCase:
    """The fourth slice never reached the archive."""
    slices = [s for k, s in enumerate(slices_of(texture())) if k != 3]
    return write_case(
        folder,
        slices,
        (stack_of(slices, affine=False, problems=("gap",)),),
        name="missing_slice",
        note="one slice missing",
    )


def duplicate_slices(folder: Path) -> NastyCase:
    """Three slices exist twice, byte for byte the same image under the same SOP Instance UID."""
    slices = slices_of(texture())
    stack = stack_of(slices, problems=("duplicate",))
    return write_case(folder, slices + slices[2:5], (stack,), name="duplicate_slices", note="three files twice")


def conflicting_duplicates(folder: Path) -> NastyCase:
    """One position holds two different images with nothing to tell which is right."""
    slices = slices_of(texture())
    other = slices[4].but(hu=slices[5].hu, instance_number=slices[4].instance_number + 100)
    stack = stack_of(slices, affine=False, problems=("conflict",))
    return write_case(
        folder, [*slices, other], (stack,), name="conflicting_duplicates", note="two images at one position"
    )


def anisotropic_pixels(folder: Path) -> NastyCase:
    """Rows 0.7 mm apart, columns 1.9 mm: whoever swaps the two values of PixelSpacing is found out."""
    affine = [[-1.9, 0, 0, 30], [0, -0.7, 0, 21], [0, 0, 3, -50], [0, 0, 0, 1]]
    return write_case(folder, slices_of(texture(affine=affine)), name="anisotropic_pixels", note="0.7 by 1.9 mm pixels")


def jittered_positions(folder: Path) -> NastyCase:
    """Positions off by up to 4 µm, as decimal strings of some scanners are: still one regular stack."""
    noise = np.random.default_rng(2).uniform(-0.004, 0.004, 12)
    exact = slices_of(texture())
    slices = [
        s.but(position_mm=(*s.position_mm[:2], s.position_mm[2] + float(d))) for s, d in zip(exact, noise, strict=True)
    ]
    truth = stack_of(exact)
    stack = ExpectedStack(hu=truth.hu, positions_mm=np.array([s.position_mm for s in slices]), affine=truth.affine)
    return write_case(folder, slices, (stack,), name="jittered_positions", note="rounding of positions")


def one_slice(folder: Path) -> NastyCase:
    """A phase of a single slice."""
    slices = slices_of(texture())[:1]
    return write_case(
        folder,
        slices,
        (stack_of(slices, affine=False, problems=("one-slice",)),),
        name="one_slice",
        note="a single slice",
    )


def thickness_lies(folder: Path) -> NastyCase:
    """SliceThickness 3 and SpacingBetweenSlices 2.5 while positions are 5 mm apart; SliceLocation is nonsense."""
    slices = [s.but(thickness_mm=3.0, tags={"SliceLocation": "0"}) for s in slices_of(texture())]
    return write_case(
        folder,
        slices,
        (stack_of(slices),),
        name="thickness_lies",
        note="header spacing is wrong",
        tags={"SpacingBetweenSlices": "2.5"},
    )
