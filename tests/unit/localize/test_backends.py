from __future__ import annotations

import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from quadphase.localize import (
    BACKENDS,
    LiverBackend,
    LiverFlag,
    LocalizeError,
    NoLiverError,
    find_liver_with,
    get_backend,
)
from quadphase.model import Grid, Phase, Volume

THRESHOLD = """
import sys
from pathlib import Path
from quadphase.io.nifti import load_volume, save_mask
from quadphase.model import Grid, Mask
ct, out = Path(sys.argv[sys.argv.index("--in") + 1]), Path(sys.argv[sys.argv.index("--out") + 1])
volume = load_volume(ct)
grid = volume.grid
if "--shift" in sys.argv:
    affine = grid.affine.copy()
    affine[2, 3] += 5
    grid = Grid(grid.shape, affine)
if "--gbk" in sys.argv:
    for stream in (sys.stdout, sys.stderr):
        stream.buffer.write("肝脏".encode("gbk"))
if "--fail" in sys.argv:
    sys.exit("the weights are missing")
if "--silent" not in sys.argv:
    save_mask(out, Mask(voxels=volume.hu > 50, grid=grid))
"""

FAKE = """#!{python}
import json, sys
from pathlib import Path
from quadphase.io.nifti import load_volume, save_mask
from quadphase.model import Mask
arguments = sys.argv[1:]
Path({log!r}).write_text(json.dumps(arguments))
{body}
"""


@pytest.fixture
def scan() -> Volume:
    hu = np.full((40, 30, 12), -100, dtype=np.int16)
    hu[5:30, 5:25, 3:9] = 60
    return Volume(hu=hu, grid=Grid(hu.shape, np.diag([-5.0, -5.0, 8.0, 1.0])))


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "threshold tool.py"
    path.write_text(THRESHOLD)
    return f"{sys.executable} '{path}' --in {{ct}} --out {{mask}}"


def _fake(folder: Path, name: str, body: str) -> Path:
    log = folder / "arguments.json"
    program = folder / name
    program.write_text(FAKE.format(python=sys.executable, log=str(log), body=body))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return log


def test_a_command_runs_without_a_shell_and_its_mask_counts(scan: Volume, script: str) -> None:
    backend = get_backend("command", command=script)
    assert isinstance(backend, LiverBackend)
    assert backend.name == "command"
    result = backend.find({Phase.P: scan})[Phase.P]
    np.testing.assert_array_equal(result.mask.voxels, scan.hu > 50)
    assert result.mask.grid == scan.grid
    assert (result.k_range, result.confidence) == ((3, 9), 0.4)
    assert result.flags == (LiverFlag.VOLUME_UNUSUAL,)


@pytest.mark.parametrize(
    ("option", "code"), [("--shift", "bad-mask"), ("--fail", "program-failed"), ("--silent", "no-mask")]
)
def test_a_command_that_does_wrong_is_named(scan: Volume, script: str, option: str, code: str) -> None:
    with pytest.raises(LocalizeError) as caught:
        find_liver_with("command", scan, command=f"{script} {option}")
    assert caught.value.code == code
    assert "quadphase-liver-" not in caught.value.message


def test_a_command_may_print_in_any_encoding(scan: Volume, script: str) -> None:
    result = find_liver_with("command", scan, command=f"{script} --gbk")
    np.testing.assert_array_equal(result.mask.voxels, scan.hu > 50)
    with pytest.raises(LocalizeError, match="the weights are missing"):
        find_liver_with("command", scan, command=f"{script} --gbk --fail")


def test_a_copy_of_the_scan_is_no_mask(scan: Volume) -> None:
    with pytest.raises(LocalizeError, match="several values") as caught:
        find_liver_with("command", scan, command="cp {ct} {mask}")
    assert caught.value.code == "bad-mask"


def test_the_labels_of_many_organs_are_no_mask(scan: Volume, script: str) -> None:
    organs = script.replace("threshold tool", "organs")
    Path(organs.split("'")[1]).write_text(
        THRESHOLD.replace("save_mask", "save_label_map")
        .replace("Mask(voxels=volume.hu > 50,", "LabelMap(labels=(volume.hu > 50) * 5 + (volume.hu < -50) * 1,")
        .replace("Mask\n", "LabelMap\n")
    )
    with pytest.raises(LocalizeError, match="several values"):
        find_liver_with("command", scan, command=organs)


@pytest.mark.parametrize(("depth", "cut"), [(12, True), (10, False)])
def test_no_liver_is_larger_than_any_liver_also_where_the_scan_cuts_it(script: str, depth: int, cut: bool) -> None:
    hu = np.full((40, 30, 12), -100, dtype=np.int16)
    hu[:, :, 1:11] = 60
    if cut:
        hu[:, :, :depth] = 60
    scan = Volume(hu=hu, grid=Grid(hu.shape, np.diag([-6.0, -6.0, 9.0, 1.0])))
    result = find_liver_with("command", scan, command=script)
    assert result.mask.volume_ml > 3500
    assert result.confidence == 0.4
    assert LiverFlag.VOLUME_UNUSUAL in result.flags
    assert (LiverFlag.TOP_CUT in result.flags) is cut


def test_part_of_a_liver_may_be_small(script: str) -> None:
    hu = np.full((40, 30, 12), -100, dtype=np.int16)
    hu[5:20, 5:15, :4] = 60
    scan = Volume(hu=hu, grid=Grid(hu.shape, np.diag([-5.0, -5.0, 8.0, 1.0])))
    result = find_liver_with("command", scan, command=script)
    assert (result.confidence, result.flags) == (1.0, (LiverFlag.BOTTOM_CUT,))


def test_an_empty_mask_in_every_phase_is_no_liver(scan: Volume, script: str) -> None:
    fat = Volume(hu=np.full_like(scan.hu, -100), grid=scan.grid)
    with pytest.raises(NoLiverError):
        find_liver_with("command", fat, command=script)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("", "bad-command"),
        ("cp {ct} out.nii.gz", "bad-command"),
        ("'unclosed {ct} {mask}", "bad-command"),
        ("no-such-program-here {ct} {mask}", "missing-program"),
    ],
)
def test_a_command_is_checked_before_it_runs(command: str, code: str) -> None:
    with pytest.raises(LocalizeError) as caught:
        get_backend("command", command=command)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["totalsegmentator", "livermask"])
def test_a_missing_program_is_named_with_a_hint(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalizeError) as caught:
        get_backend(name)
    assert caught.value.code == "missing-program"
    assert "pip install" in caught.value.hint


def test_totalsegmentator_is_called_as_its_manual_says(
    scan: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "assert arguments[0] == '-i' and arguments[2] == '-o' and arguments[4:] == ['--roi_subset', 'liver']\n"
        "v = load_volume(Path(arguments[1]))\n"
        "save_mask(Path(arguments[3]) / 'liver.nii.gz', Mask(voxels=v.hu > 50, grid=v.grid))"
    )
    log = _fake(tmp_path, "TotalSegmentator", body)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = find_liver_with("totalsegmentator", scan)
    assert log.is_file()
    np.testing.assert_array_equal(result.mask.voxels, scan.hu > 50)


def test_livermask_is_called_as_its_source_wants(scan: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "options = dict(zip(arguments[::2], arguments[1::2]))\n"
        "assert sorted(options) == ['--extension', '--input', '--output']\n"
        "assert options['--extension'] in ('.nii', '.nii.gz')\n"
        "assert '.' not in options['--output'].split('/')[-1]\n"
        "v = load_volume(Path(options['--input']))\n"
        "out = Path(options['--output'] + '-livermask' + options['--extension'])\n"
        "save_mask(out, Mask(voxels=v.hu > 50, grid=v.grid))"
    )
    log = _fake(tmp_path, "livermask", body)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = find_liver_with("livermask", scan)
    assert log.is_file()
    np.testing.assert_array_equal(result.mask.voxels, scan.hu > 50)


def test_an_unknown_backend_lists_the_known() -> None:
    with pytest.raises(LocalizeError) as caught:
        get_backend("magic")
    assert all(name in caught.value.hint for name in BACKENDS)


def test_builtin_is_a_backend() -> None:
    backend = get_backend("builtin")
    assert isinstance(backend, LiverBackend)
    assert backend.name == "builtin"
