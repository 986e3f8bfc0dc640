"""Every nasty series of the phantom: the right stacks, the right voxels, the right places, or a refusal by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quadphase.convert.exam import Stack, read_stacks
from quadphase.model import Grid
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.nasty import NASTY, ExpectedStack

SETTINGS = ConvertSection(minimum_slices=2)

REFUSED = {
    "gantry_tilt": {"gantry-tilt"},
    "uneven_spacing": {"uneven-spacing"},
    "missing_slice": {"missing-slices"},
    "truncated_file": {"missing-slices", "incomplete-series"},
    "conflicting_duplicates": {"duplicate-positions"},
    "one_slice": {"too-few-slices"},
}
"""What each refused case must say of its stack."""

SAID = {
    "fractional_slope": {"fractional-rescale"},
    "padding": {"pixel-padding"},
    "per_slice_rescale": {"varying-rescale"},
    "thickness_lies": {"thickness-differs"},
}
"""What must be said of stacks that are converted."""


def matching(stacks: tuple[Stack, ...], expected: ExpectedStack) -> Stack:
    """The stack whose slices are the expected ones, by their stored pixels."""
    for stack in stacks:
        if stack.n_slices == expected.n_slices and stack.usable:
            hu = stack.load().volume.hu
            if hu.shape == expected.hu.shape and np.array_equal(hu, expected.hu):
                return stack
    raise AssertionError(f"no stack has these voxels; found {[(s.n_slices, s.usable) for s in stacks]}")


@pytest.mark.parametrize("name", sorted(set(NASTY) - set(REFUSED)))
def test_accepted_series_become_exactly_the_expected_volumes(name: str, tmp_path: Path) -> None:
    case = NASTY[name](tmp_path / "in")
    found = read_stacks([case.folder], settings=SETTINGS)
    assert len(found.stacks) == len(case.stacks)
    for expected in case.stacks:
        stack = matching(found.stacks, expected)
        assert expected.affine is not None
        truth = Grid(stack.proved_grid.shape, expected.affine)
        assert stack.proved_grid.is_close(truth), "voxels lie elsewhere"
        codes = {f.code for f in (*stack.findings, *stack.load().findings)}
        assert codes >= SAID.get(name, set())


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_series_say_why(name: str, tmp_path: Path) -> None:
    case = NASTY[name](tmp_path / "in")
    found = read_stacks([case.folder], settings=SETTINGS)
    assert [s.n_slices for s in found.stacks] == [
        len(e.positions_mm) + (name == "conflicting_duplicates") for e in case.stacks
    ]
    assert not found.usable
    assert {f.code for f in found.stacks[0].findings} >= REFUSED[name]


def test_copies_are_counted(tmp_path: Path) -> None:
    found = read_stacks([NASTY["duplicate_slices"](tmp_path).folder], settings=SETTINGS)
    assert [f.message for f in found.findings if f.code == "duplicate-file"] == [
        "3 copies of files that are here already"
    ]


def test_clutter_is_named(tmp_path: Path) -> None:
    found = read_stacks([NASTY["clutter_inside"](tmp_path).folder], settings=SETTINGS)
    assert {"localizer", "not-dicom"} <= {r.code for r in found.rejected}
    assert len(found.rejected) == 3


def test_truncated_file_is_named(tmp_path: Path) -> None:
    found = read_stacks([NASTY["truncated_file"](tmp_path).folder], settings=SETTINGS)
    assert [r.code for r in found.rejected] == ["truncated-file"]
