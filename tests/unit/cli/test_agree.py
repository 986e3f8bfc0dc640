"""`quadphase agree` on the published pairs of readings, and on what cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from quadphase.cli.main import app
from quadphase.io.nifti import load_mask, save_mask
from quadphase.model import Grid, Mask


def run(*arguments: object):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_real_pairs_agree_as_published(real_data: Path) -> None:
    pairs = [
        (p, p.with_name(p.name.replace("_gt", "_pred"))) for p in sorted((real_data / "reader_pairs").rglob("*_gt*"))
    ]
    assert pairs
    for a, b in pairs:
        result = json.loads(run("agree", a, b, "--json").stdout)
        one, other = load_mask(a).voxels, load_mask(b).voxels
        assert result["dice"] == pytest.approx(2 * (one & other).sum() / (one.sum() + other.sum()))
        assert 0.75 < result["dice"] <= 1.0
        assert result["difference_ml"] == pytest.approx(abs(result["volume_a_ml"] - result["volume_b_ml"]))


def test_masks_of_different_grids_are_refused_in_one_line(tmp_path: Path) -> None:
    for name, spacing in (("a", 1.0), ("b", 2.0)):
        grid = Grid((3, 3, 3), np.diag([spacing, 1, 1, 1]))
        save_mask(tmp_path / f"{name}.nii.gz", Mask(voxels=np.ones((3, 3, 3), bool), grid=grid))
    result = run("agree", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "not on the same grid" in result.stderr


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b\x08\x00"])
def test_unreadable_masks_get_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nii.gz").write_bytes(content)
    result = run("agree", tmp_path / "a.nii.gz", tmp_path / "a.nii.gz")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
