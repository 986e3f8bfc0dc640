"""Names of stacks: every stack of an exam has its own, the same in every run, and no identity in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quadphase.convert.exam import Stack, read_stacks
from quadphase.convert.features import series_name
from quadphase.model import Phase
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.dicom import Slice, slices_of, write_slices
from quadphase.phantom.exam import Exam
from quadphase.phantom.nasty import texture

KEY = b"k" * 32
AXIAL = np.array([[-1.5, 0, 0, 30], [0, -1.25, 0, 21], [0, 0, 5, -112.5], [0, 0, 0, 1]])
ANGLE = np.deg2rad(4)
TURNED = np.array([[np.cos(ANGLE), -np.sin(ANGLE), 0], [np.sin(ANGLE), np.cos(ANGLE), 0], [0, 0, 1]])


def _turned() -> list[Slice]:
    affine = AXIAL.copy()
    affine[:3, :3] = TURNED @ AXIAL[:3, :3]
    return slices_of(texture(1, affine=affine))


def _wide() -> list[Slice]:
    return slices_of(texture(1, affine=AXIAL @ np.diag([1.2, 1.2, 1, 1])))


def _other_frame() -> list[Slice]:
    return [s.but(tags={"FrameOfReferenceUID": "1.2.3.4"}) for s in slices_of(texture(1))]


def stacks_in(folder: Path) -> tuple[Stack, ...]:
    return read_stacks([folder], settings=ConvertSection(minimum_slices=2)).usable


@pytest.mark.parametrize("other", [_turned, _wide, _other_frame])
def test_two_stacks_of_one_series_have_two_names(tmp_path: Path, other) -> None:  # type: ignore[no-untyped-def]
    slices = slices_of(texture(0, affine=AXIAL))
    write_slices([*slices, *other()], tmp_path / "both", tags=Exam().tags(Phase.C2))
    both = stacks_in(tmp_path / "both")
    assert len({stack.series_identity for stack in both}) == 1
    names = [series_name(stack, KEY) for stack in both]
    assert len(set(names)) == 2
    # A stack is called the same whatever lies beside it.
    write_slices(slices, tmp_path / "alone", tags=Exam().tags(Phase.C2))
    (alone,) = stacks_in(tmp_path / "alone")
    assert series_name(alone, KEY) in names
    assert series_name(alone, b"o" * 32) not in names
