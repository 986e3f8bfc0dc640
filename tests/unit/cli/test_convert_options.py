"""An option that means nothing for the form at hand is refused by name, before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from quadphase.cli.main import app

OF_FOLDERS = (("--deskew",), ("--resample", "2"), ("--fill-gaps",), ("--minimum-slices", "5"))
OF_MASKS = (("--to", "dicom-seg"), ("--slices", "dicom"), ("--stack", "1"), ("--segment", "liver"))


@pytest.mark.parametrize(
    ("form", "option"),
    [
        *(("study", option) for option in (*OF_FOLDERS, *OF_MASKS, ("--overwrite",))),
        *(("folder", option) for option in OF_MASKS),
        *(("mask", option) for option in OF_FOLDERS),
    ],
)
def test_an_option_of_another_form(tmp_path: Path, form: str, option: tuple[str, ...]) -> None:
    (tmp_path / "mask.nii.gz").write_bytes(b"")
    source = tmp_path / "mask.nii.gz" if form == "mask" else tmp_path
    words = [str(source), *([] if form == "study" else [str(tmp_path / "out")])]
    result = CliRunner().invoke(app, ["convert", *words, *option])
    assert result.exit_code == 2
    assert f"{option[0]} cannot be used with" in result.stderr
    assert not (tmp_path / "out").exists()
