"""The stand-alone form: a folder of DICOM to volumes with names that disclose nobody, and its command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import typer
from pydicom import dcmread
from typer.testing import CliRunner

from quadphase.cli.convert import register
from quadphase.convert.folder import convert_folder
from quadphase.errors import InputError, OutputError
from quadphase.io.nifti import load_nifti, load_volume
from quadphase.model.protocol.sections import ConvertSection
from quadphase.phantom.dicom import PixelFormat, write_series
from quadphase.phantom.nasty import NASTY, texture

FEW = ConvertSection(minimum_slices=2)


def run(*arguments: object) -> tuple[int, str, str]:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_volumes_tables_and_report(tmp_path: Path) -> None:
    case = NASTY["two_kernels"](tmp_path / "in")
    report = convert_folder(tmp_path / "in", tmp_path / "out", settings=FEW)
    assert report.n_volumes == 2
    names = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert len([n for n in names if n.endswith(".nii.gz")]) == len([n for n in names if n.endswith(".csv")]) == 2
    written = {stack.volume: load_volume(tmp_path / "out" / str(stack.volume)) for stack in report.stacks}
    assert {v.hu.tobytes() for v in written.values()} == {np.asfortranarray(s.hu).tobytes() for s in case.stacks}
    saved = json.loads((tmp_path / "out/report.json").read_text())
    assert saved == report.to_dict()


def test_names_and_report_disclose_nobody(tmp_path: Path) -> None:
    secret = {
        "PatientID": "SECRET1",
        "PatientName": "SECRET^2",
        "SeriesDescription": "SECRET3",
        "ProtocolName": "SECRET4",
    }
    write_series(texture(), tmp_path / "in" / "SECRET folder", overrides=secret)
    convert_folder(tmp_path / "in", tmp_path / "out", settings=FEW)
    for path in (tmp_path / "out").rglob("*"):
        assert "SECRET" not in path.name
        if path.suffix in (".json", ".csv"):
            text = path.read_text("utf-8")
            assert "SECRET" not in text
            assert "2.25." not in text
        elif path.name.endswith(".nii.gz"):
            assert b"SECRET" not in load_nifti(path).header.binaryblock


def test_two_patients_in_one_flat_folder(tmp_path: Path) -> None:
    for n, name in enumerate(("A", "B")):
        tags = {"PatientID": name, "StudyInstanceUID": f"2.25.{n + 1}", "SeriesInstanceUID": f"2.25.{n + 1}1"}
        write_series(texture(n), tmp_path / "in", overrides=tags, name=f"{name}{{}}".format)
    report = convert_folder(tmp_path / "in", tmp_path / "out", settings=FEW)
    assert sorted(stack.exam for stack in report.stacks) == [1, 2]
    assert {str(stack.volume).split("/")[0] for stack in report.stacks} == {"exam1", "exam2"}


def test_nothing_is_resampled_unless_asked_and_then_it_is_said(tmp_path: Path) -> None:
    NASTY["missing_slice"](tmp_path / "in")
    assert convert_folder(tmp_path / "in", tmp_path / "a", settings=FEW).n_volumes == 0
    asked = ConvertSection(minimum_slices=2, fill_gaps=True)
    report = convert_folder(tmp_path / "in", tmp_path / "b", settings=asked)
    (stack,) = report.stacks
    assert stack.grid is not None
    assert stack.grid.shape[2] == texture().grid.shape[2]
    assert {f.code: f.severity for f in stack.findings}["missing-slices"] == "warning"
    assert "resampled" in {f.code for f in stack.findings}
    file = load_nifti(tmp_path / "b" / str(stack.volume))
    assert file.header["descrip"].item() == b"1 missing slices interpolated"
    with (tmp_path / "b" / str(stack.volume).replace(".nii.gz", ".csv")).open() as table:
        sources = [row["source"] for row in csv.DictReader(table)]
    assert sources.count("interpolated") == 1
    assert sources[3] == "interpolated"


class TestErrors:
    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no file or folder"):
            convert_folder(tmp_path / "nowhere", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_empty_folder(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        with pytest.raises(InputError, match="holds no files"):
            convert_folder(tmp_path / "in", tmp_path / "out")

    def test_existing_output_is_kept(self, tmp_path: Path) -> None:
        NASTY["oblique"](tmp_path / "in")
        (tmp_path / "out").mkdir()
        (tmp_path / "out/mine.txt").write_text("mine")
        with pytest.raises(OutputError, match="exists already"):
            convert_folder(tmp_path / "in", tmp_path / "out")
        assert (tmp_path / "out/mine.txt").read_text() == "mine"

    def test_output_inside_the_input(self, tmp_path: Path) -> None:
        NASTY["oblique"](tmp_path / "in")
        with pytest.raises(InputError, match="lies inside"):
            convert_folder(tmp_path / "in", tmp_path / "in" / "out")


class TestCommand:
    def test_text(self, tmp_path: Path) -> None:
        NASTY["gantry_tilt"](tmp_path / "in/tilted")
        write_series(texture(), tmp_path / "in/good", series_number=9, overrides={"SeriesInstanceUID": "2.25.99"})
        code, out, err = run(tmp_path / "in", tmp_path / "out", "--minimum-slices", 2)
        assert code == 1
        assert "[gantry-tilt]" in out
        assert "exam1/series009" in out
        assert "1 volumes of 2 stacks, " in out
        assert "Traceback" not in out + err

    def test_json_is_one_object(self, tmp_path: Path) -> None:
        NASTY["oblique"](tmp_path / "in")
        code, out, _ = run(tmp_path / "in", tmp_path / "out", "--json")
        assert code == 0
        value = json.loads(out)
        assert value["n_volumes"] == 1
        assert set(value) == {"n_files", "n_volumes", "stacks", "rejected", "findings", "out"}

    def test_deskew_is_asked_for(self, tmp_path: Path) -> None:
        NASTY["gantry_tilt"](tmp_path / "in")
        code, out, _ = run(tmp_path / "in", tmp_path / "out", "--minimum-slices", 2, "--deskew")
        assert code == 0
        assert "deskewed by 18.5" in out

    @pytest.mark.parametrize(
        ("files", "words"), [("nowhere", "There is no file or folder"), ("empty", "holds no files")]
    )
    def test_bad_input_is_one_line_and_two(self, files: str, words: str, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        code, _, err = run(tmp_path / files, tmp_path / "out")
        assert code == 2
        assert words in err
        assert len(err.strip().splitlines()) == 1

    def test_unwritable_place(self, tmp_path: Path) -> None:
        NASTY["oblique"](tmp_path / "in")
        (tmp_path / "file").write_text("a file, not a folder")
        code, _, err = run(tmp_path / "in", tmp_path / "file" / "out")
        assert code == 2
        assert len(err.strip().splitlines()) == 1

    def test_a_study_takes_no_resampling_options(self, tmp_path: Path) -> None:
        code, _, err = run(tmp_path, "--deskew")
        assert code == 2
        assert "protocol.toml" in err


def test_the_python_name_stays_callable(tmp_path: Path) -> None:
    """`quadphase.convert` is a function of the API and a package of the same name: both uses must go on working."""
    import quadphase

    NASTY["oblique"](tmp_path / "in")
    for n in range(2):
        assert quadphase.convert(tmp_path / "in", tmp_path / f"out{n}", settings=FEW).n_volumes == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [({"RescaleSlope": None}, "without rescale"), ({"RescaleType": "MGML"}, "of MGML"), ({"RescaleType": "HU"}, "")],
)
def test_only_hounsfield_units_become_a_volume(tmp_path: Path, change: dict[str, str | None], said: str) -> None:
    for path in write_series(texture(), tmp_path / "in"):
        data = dcmread(path)
        for keyword, value in change.items():
            setattr(data, keyword, value)
        data.save_as(path)
    (stack,) = convert_folder(tmp_path / "in", tmp_path / "out", settings=FEW).stacks
    assert (stack.volume is None) is bool(said)
    assert any(said in f.message for f in stack.findings if f.code == "not-hounsfield") is bool(said)


def test_padding_beyond_the_bits_in_use_is_no_bone(tmp_path: Path) -> None:
    """-2000 written as 63536 into unsigned pixels of 12 bits."""
    form = PixelFormat(bits_stored=12, signed=False, intercept=-1024.0)
    for path in write_series(texture(), tmp_path / "in", pixels=form):
        data = dcmread(path)
        pixels = np.frombuffer(data.PixelData, "<u2").copy()
        pixels[:9] = 63536
        data.PixelData = pixels.tobytes()
        data.add_new("PixelPaddingValue", "US", 63536)
        data.save_as(path)
    (report,) = convert_folder(tmp_path / "in", tmp_path / "out", settings=FEW).stacks
    hu = load_volume(tmp_path / "out" / str(report.volume)).hu
    assert int(hu.min()) == -3024
    assert int(np.count_nonzero(hu == -3024)) == 9 * hu.shape[2]
    assert int(hu.max()) < 2000


def test_cut_files_at_the_end_of_a_series_are_never_silent(tmp_path: Path) -> None:
    paths = write_series(texture(), tmp_path / "in")
    for path in paths[-3:]:
        path.write_bytes(path.read_bytes()[:-200])
    (stack,) = convert_folder(tmp_path / "in", tmp_path / "out", settings=FEW).stacks
    assert stack.volume is None
    assert "incomplete-series" in {f.code for f in stack.findings}
    for path in paths[-3:]:
        path.write_bytes(b"")
    (stack,) = convert_folder(tmp_path / "in", tmp_path / "again", settings=FEW).stacks
    assert [f.severity for f in stack.findings if f.code == "incomplete-series"] == ["warning"]


def test_doubts_about_phases_are_told(tmp_path: Path) -> None:
    """The same acquisition twice under two series: no phase, and the reason."""
    for number in (1, 2):
        tags = {"SeriesInstanceUID": f"2.25.77{number}", "SeriesNumber": str(number), "SeriesDescription": "arterial"}
        write_series(texture(number), tmp_path / "in", overrides=tags, name=f"{number}{{}}".format)
    report = convert_folder(tmp_path / "in", tmp_path / "out", settings=FEW)
    assert {stack.phase for stack in report.stacks} == {None}
    assert any(finding.code.startswith("phase-") for finding in report.findings)


@pytest.mark.parametrize("option", ["--slices", "--stack", "--segment", "--to"])
def test_options_of_another_form_are_refused(tmp_path: Path, option: str) -> None:
    write_series(texture(), tmp_path / "in")
    value = {"--slices": tmp_path, "--stack": 1, "--segment": "liver", "--to": "dicom-seg"}[option]
    code, _, error = run(tmp_path / "in", tmp_path / "out", option, value)
    assert code == 2
    assert option in error
    assert not (tmp_path / "out").exists()
