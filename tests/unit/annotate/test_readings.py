"""Readings come in on the grid of their CT or not at all; sealed ones never change."""

from __future__ import annotations

import numpy as np
import pytest

from quadphase.annotate import import_reading, load_reading, seal_reading, verify_seal
from quadphase.errors import GridMismatchError, InputError, OutputError
from quadphase.imaging.reorient import reorient_mask
from quadphase.io.nifti import load_mask, save_mask
from quadphase.model import Box, Phase


def test_a_reading_comes_in_unchanged(study, draw) -> None:  # type: ignore[no-untyped-def]
    path = draw("a", [1, 2])
    assert import_reading(study, "A", "P0001", {Phase.C1: path}) == ()
    stored = load_reading(study, "A", "P0001")
    assert list(stored) == [Phase.C1]
    assert np.array_equal(stored[Phase.C1].voxels, load_mask(path).voxels)


def test_another_axis_order_is_brought_back_and_said(study, draw, tmp_path) -> None:  # type: ignore[no-untyped-def]
    original = load_mask(draw("a", [1, 2]))
    turned = save_mask(tmp_path / "ras.nii.gz", reorient_mask(original, ("R", "A", "S")))
    findings = import_reading(study, "A", "P0001", {Phase.C1: turned})
    assert [f.code for f in findings] == ["reading-reoriented"]
    assert np.array_equal(load_reading(study, "A", "P0001")[Phase.C1].voxels, original.voxels)


def test_a_mask_of_another_grid_is_refused_and_nothing_is_left(study, draw, tmp_path) -> None:  # type: ignore[no-untyped-def]
    import_reading(study, "A", "P0001", {Phase.C1: draw("a", [1])})
    smaller = load_mask(draw("b", [1])).crop(Box((0, 0, 0), (6, 5, 3)))
    wrong = save_mask(tmp_path / "crop.nii.gz", smaller)
    with pytest.raises(GridMismatchError, match="P0001 C2, reader A"):
        import_reading(study, "A", "P0001", {Phase.C1: draw("a2", [2]), Phase.C2: wrong})
    assert list(load_reading(study, "A", "P0001")) == [Phase.C1]
    assert load_reading(study, "A", "P0001")[Phase.C1].voxels[..., 1].any()


def test_an_empty_mask_is_said(study, draw) -> None:  # type: ignore[no-untyped-def]
    assert [f.code for f in import_reading(study, "A", "P0001", {Phase.C1: draw("a", [])})] == ["reading-empty"]


@pytest.mark.parametrize(
    ("reader", "case", "phase", "code"),
    [
        ("Z", "P0001", Phase.C1, "unknown-reader"),
        ("A", "P0009", Phase.C1, "unknown-case"),
        ("A", "P0001", Phase.P, "unknown-phase"),
    ],
)
def test_unknown_names_are_refused(study, draw, reader, case, phase, code) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        import_reading(study, reader, case, {phase: draw("a", [1])})
    assert caught.value.code == code


def test_a_sealed_reading_is_immutable(study, draw) -> None:  # type: ignore[no-untyped-def]
    import_reading(study, "A", "P0001", {Phase.C1: draw("a", [1])})
    record = seal_reading(study, "A", "P0001", tool="test")
    assert verify_seal(study, "A", "P0001") == record
    with pytest.raises(OutputError, match="sealed"):
        import_reading(study, "A", "P0001", {Phase.C1: draw("b", [2])})
    with pytest.raises(OutputError, match="sealed already"):
        seal_reading(study, "A", "P0001")
    assert load_reading(study, "A", "P0001")[Phase.C1].voxels[..., 1].any()


def test_a_broken_seal_is_noticed(study, draw) -> None:  # type: ignore[no-untyped-def]
    import_reading(study, "A", "P0001", {Phase.C1: draw("a", [1])})
    seal_reading(study, "A", "P0001")
    target = study.reading("A", "P0001") / "C1.nii.gz"
    target.chmod(0o644)
    target.write_bytes(draw("b", [2]).read_bytes())
    with pytest.raises(InputError) as caught:
        verify_seal(study, "A", "P0001")
    assert caught.value.code == "broken-seal"
    target.unlink()
    with pytest.raises(InputError, match="not what was sealed"):
        verify_seal(study, "A", "P0001")


def test_nothing_to_seal(study) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        seal_reading(study, "A", "P0001")
    assert caught.value.code == "no-reading"


def test_a_second_batch_is_put_beside_the_first(study, draw) -> None:  # type: ignore[no-untyped-def]
    import_reading(study, "A", "P0001", {Phase.C1: draw("a", [1])})
    (study.reading("A", "P0001") / "notes.txt").write_text("of the reader")
    first = (study.reading("A", "P0001") / "C1.nii.gz").read_bytes()
    import_reading(study, "A", "P0001", {Phase.C2: draw("b", [2])})
    assert list(load_reading(study, "A", "P0001")) == [Phase.C1, Phase.C2]
    assert (study.reading("A", "P0001") / "C1.nii.gz").read_bytes() == first
    assert (study.reading("A", "P0001") / "notes.txt").is_file()


def test_a_phase_drawn_again_replaces_only_when_asked(study, draw) -> None:  # type: ignore[no-untyped-def]
    import_reading(study, "A", "P0001", {Phase.C1: draw("a", [1]), Phase.C2: draw("a2", [1])})
    import_reading(study, "A", "P0001", {Phase.C1: draw("same", [1])})  # the same mask is no conflict
    again = {Phase.C1: draw("b", [2]), Phase.C2: draw("b2", [1])}
    with pytest.raises(OutputError, match="another mask of C1 already") as caught:
        import_reading(study, "A", "P0001", again)
    assert caught.value.code == "reading-differs"
    assert load_reading(study, "A", "P0001")[Phase.C1].voxels.any(axis=(0, 1)).tolist() == [False, True, False, False]
    import_reading(study, "A", "P0001", again, replace=True)
    assert load_reading(study, "A", "P0001")[Phase.C1].voxels.any(axis=(0, 1)).tolist() == [False, False, True, False]


def test_a_sealed_reading_is_not_replaced_even_when_asked(study, draw) -> None:  # type: ignore[no-untyped-def]
    import_reading(study, "A", "P0001", {Phase.C1: draw("a", [1])})
    seal_reading(study, "A", "P0001")
    for phase in (Phase.C1, Phase.C2):
        with pytest.raises(OutputError, match="sealed"):
            import_reading(study, "A", "P0001", {phase: draw("b", [2])}, replace=True)
    verify_seal(study, "A", "P0001")
