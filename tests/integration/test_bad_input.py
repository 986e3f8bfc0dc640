"""Bad input through the commands: one clear line or a finding, the right exit code, no traceback, nothing half-written.

A small study of two synthetic patients is broken in one way at a time; the other patient must be finished.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from typer.testing import CliRunner, Result

from quadphase.cli.main import app
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.phantom.hospital import Hospital, build_hospital


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def one_line(result: Result) -> str:
    assert "Traceback" not in result.stderr + result.stdout
    assert "defect" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return build_hospital(
        tmp_path_factory.mktemp("hospital"), patients=2, matrix=64, slice_spacing_mm=12.0, ineligible=False
    )


@pytest.fixture
def study(tmp_path: Path, hospital: Hospital) -> Callable[..., tuple[Path, Path]]:
    """``study()`` gives a fresh study with its cohort, and a private copy of the PACS to break."""

    def make() -> tuple[Path, Path]:
        pacs = shutil.copytree(hospital.pacs, tmp_path / "pacs")
        root = tmp_path / "study"
        assert run("init", root).exit_code == 0
        assert run("cohort", root, hospital.clinical_table).exit_code == 0
        return root, pacs

    return make


def slices_of(pacs: Path, patient: str) -> list[Path]:
    found = []
    for path in sorted(p for p in pacs.rglob("*") if p.is_file()):
        try:
            data = pydicom.dcmread(path, stop_before_pixels=True)
        except Exception:  # noqa: S112  # the clutter of a PACS
            continue
        if data.get("PatientID") == patient and data.get("Modality") == "CT" and "ImagePositionPatient" in data:
            found.append(path)
    return found


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def as_text(path: Path) -> None:
    path.write_text("this is not DICOM")


def without_pixels(path: Path) -> None:
    data = pydicom.dcmread(path)
    del data.PixelData
    data.save_as(path)


@pytest.mark.parametrize("damage", [truncate, empty, as_text, without_pixels])
def test_a_damaged_slice_never_makes_a_wrong_volume(study, hospital, damage) -> None:  # type: ignore[no-untyped-def]
    """A slice is missing then: its stack has a gap and is refused, the other patient is converted."""
    root, pacs = study()
    broken, whole = hospital.eligible
    series = {}
    for path in slices_of(pacs, broken):
        data = pydicom.dcmread(path, stop_before_pixels=True)
        series.setdefault(data.SeriesInstanceUID, []).append((float(data.ImagePositionPatient[2]), path))
    longest = sorted(max(series.values(), key=len))
    damage(longest[len(longest) // 2][1])
    acquired = run("acquire", root, pacs, "--json")
    assert acquired.exit_code in (0, 3), acquired.stderr
    result = run("convert", root, "--json")
    assert result.exit_code == 3, result.stderr
    outcomes = {o["case"]: o for o in json.loads(result.stdout)["outcomes"]}
    with Ledger(Study(root).ledger_url) as ledger:
        cases = ledger.cases()
    assert outcomes[cases[whole]]["status"] == "done"
    assert outcomes[cases[broken]]["status"] == "held"
    assert not (root / "cases" / cases[broken]).exists()
    assert list(root.rglob(".tmp-*")) == []


def test_folders_without_dicom_are_said(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.dcm").write_text("no DICOM")
    result = run("convert", tmp_path / "texts", tmp_path / "out")
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.stderr
    assert not list((tmp_path / "out").rglob("*.nii.gz")) if (tmp_path / "out").exists() else True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "{tmp}/absent"), "no protocol.toml"),
        (("convert", "{tmp}/absent", "{tmp}/out"), "absent"),
        (("audit", "{tmp}/absent"), "absent"),
        (("table1", "{tmp}/absent"), "absent"),
        (("agree", "{tmp}/absent", "{tmp}/absent"), "absent"),
        (("localize", "{tmp}/absent", "{tmp}/mask.nii.gz"), "absent"),
        (("acquire", "{tmp}/absent", "{tmp}"), ""),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    result = run(*(a.format(tmp=tmp_path) for a in arguments))
    assert result.exit_code == 2
    assert says in one_line(result)
    assert not (tmp_path / "out").exists()


def test_an_unknown_protocol_key(study) -> None:  # type: ignore[no-untyped-def]
    root, _ = study()
    with (root / "protocol.toml").open("a") as stream:
        stream.write("\n[releese]\nx = 1\n")
    result = run("run", root)
    assert result.exit_code == 2
    assert "unknown key 'releese'" in one_line(result)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no header row"),
        (b"\x00\x01", "not a text table"),
        (b"age,sex\n1,2\n", "patient_id"),
    ],
)
def test_unreadable_tables(tmp_path: Path, content: bytes, says: str) -> None:
    assert run("init", tmp_path / "study").exit_code == 0
    (tmp_path / "t.csv").write_bytes(content)
    result = run("cohort", tmp_path / "study", tmp_path / "t.csv")
    assert result.exit_code == 2
    assert says in one_line(result)


def test_an_existing_output_is_kept(tmp_path: Path, hospital: Hospital) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "precious").write_text("…")
    result = run("convert", hospital.pacs, target)
    assert result.exit_code == 2
    assert "exists" in one_line(result)
    assert [p.name for p in target.iterdir()] == ["precious"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk(tmp_path: Path, hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write of a volume goes to a device that is always full."""
    original = Path.open

    def full(self: Path, mode: str = "r", *args, **kwargs):  # type: ignore[no-untyped-def]
        if "w" in mode and ".nii" in self.name:
            return open("/dev/full", "wb", buffering=0)  # noqa: PTH123
        return original(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    result = run("convert", hospital.pacs, tmp_path / "out")
    assert result.exit_code == 2
    assert "No space left" in one_line(result)
    assert not (tmp_path / "out").exists()


def test_a_place_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o500)
    if os.geteuid() == 0:  # root may write everywhere: let the system say what it would say to others
        original = Path.mkdir

        def denied(self: Path, *args: object, **kwargs: object) -> None:
            if self.is_relative_to(tmp_path):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
            original(self, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(Path, "mkdir", denied)
    try:
        result = run("init", tmp_path / "study")
    finally:
        tmp_path.chmod(0o700)
    assert result.exit_code == 2
    assert "Not allowed to write" in one_line(result)


@pytest.mark.parametrize("place", ["file", "file/study"])
def test_a_demo_in_a_file(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("…")
    result = run("demo", tmp_path / place)
    assert result.exit_code == 2
    assert "is not a folder" in one_line(result)


def test_a_place_that_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("…")
    result = run("init", tmp_path / "file" / "study")
    assert result.exit_code == 2
    assert "not a folder" in one_line(result)


def test_two_runs_of_one_study_do_not_meet(study, hospital) -> None:  # type: ignore[no-untyped-def]
    from quadphase.pipeline.lock import lock_study

    root, pacs = study()
    with lock_study(Study(root)):
        result = run("run", root, "--source", pacs)
    assert result.exit_code == 2
    assert "Another run holds" in one_line(result)
