"""A release holds what its tables say, in true geometry, and the same study gives the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quadphase.errors import InputError, ProtocolError
from quadphase.imaging.crop import box_within
from quadphase.io.hashing import parse_checksums, sha256_of
from quadphase.io.json_file import save_json
from quadphase.io.nifti import load_mask, load_nifti, load_volume, save_mask
from quadphase.io.release import Release
from quadphase.io.release_rows import COLUMNS
from quadphase.io.release_tables import load_geometry, load_lesions
from quadphase.model import Mask, Phase, Protocol, Reason, Severity
from quadphase.model.finding import Finding
from quadphase.release import AuditNote, build_release, finish_release
from quadphase.release.manifest import CHECKSUMS_NAME, EPOCH_S, released_files

Maker = Callable[..., Any]

LIVER = (3, 11)
"""Slices with liver in the small study, 0-based, half-open."""


def digests(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): sha256_of(path) for path in released_files(root)}


def test_volumes_are_cropped_windowed_and_where_they_were(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    root = small.build(tmp_path / "out")
    source = load_volume(small.study.ct("P0001", Phase.C1))
    phase = Release(root)["P0001"].phase("C1")
    ct, liver, lesions = phase.ct, phase.liver, phase.lesions
    assert liver is not None
    assert lesions is not None
    box = box_within(ct.grid, source.grid)
    assert (box.start[2], box.stop[2]) == LIVER
    assert np.array_equal(ct.hu, np.clip(source.hu[box.slices], -200, 200))
    assert ct.window_hu == (-200, 200)
    assert liver.grid.is_close(ct.grid)
    assert lesions.grid.is_close(ct.grid)
    header = load_nifti(root / "ct_files/P0001_ct_C1.nii.gz").header
    assert header.get_data_dtype() == np.int16
    assert header["descrip"].item() == b""
    assert liver.voxels.any(axis=(0, 1)).all()


def test_patient_data_has_the_papers_form(make_study: Maker, tmp_path: Path) -> None:
    root = make_study(4).build(tmp_path / "out")
    lines = (root / "patient_data.csv").read_bytes().decode().split("\r\n")
    assert lines[0] == ",".join(f'"{name}"' for name in COLUMNS)
    assert lines[2] == (
        '"P0001",41,"female","C1","HCC","ct_files/P0001_ct_C1.nii.gz","mask_files/P0001_mask_C1.nii.gz",'
        '"liver_mask_files/P0001-livermask_C1.nii.gz"'
    )
    assert lines[9].startswith('"P0003",NA,NA,"P","CHCC"')
    assert (
        lines[13]
        == '"P0004",44,"male","P","CN","ct_files/P0004_ct_P.nii.gz",NA,"liver_mask_files/P0004-livermask_P.nii.gz"'
    )
    assert [line.split(",")[3] for line in lines[1:5]] == ['"P"', '"C1"', '"C2"', '"C3"']
    assert lines[17:] == [""]
    assert not (root / "mask_files" / "P0004_mask_P.nii.gz").exists()


def test_measures_in_the_tables_are_the_masks(make_study: Maker, tmp_path: Path) -> None:
    root = make_study(1).build(tmp_path / "out")
    geometry = {row.phase: row for row in load_geometry(root / "geometry.csv")}
    lesions = [row for row in load_lesions(root / "lesions.csv") if row.phase == "C2"]
    mask = load_mask(root / "mask_files/P0001_mask_C2.nii.gz")
    row = geometry["C2"]
    assert row.lesion_count == len(lesions) == 2
    assert row.lesion_volume_ml == pytest.approx(mask.volume_ml, abs=1e-4)
    assert sum(lesion.voxels for lesion in lesions) == mask.voxels.sum()
    assert row.lesion_slices == mask.voxels.any(axis=(0, 1)).sum()
    assert (row.source_slices, row.first_slice, row.stop_slice) == (14, *LIVER)
    assert (row.voxels_k, row.slice_spacing_mm, row.orientation) == (LIVER[1] - LIVER[0], 4.0, "LPS")
    assert (row.minimum_hu, row.maximum_hu) == (-200, 200)
    assert row.origin_z_mm == pytest.approx(-312.0 + 4.0 * LIVER[0])


def test_margin_and_full_range(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    protocol = Protocol.of({"localize": {"margin_mm": 9.0}, "window": {"enabled": False}})
    out = tmp_path / "out"
    out.mkdir()
    build_release(small.study.root, out, small.subjects, protocol, figures=False)
    (row, *_) = load_geometry(out / "geometry.csv")
    assert (row.first_slice, row.stop_slice) == (LIVER[0] - 2, LIVER[1] + 2)  # 9 mm hold two slices of 4 mm
    assert (row.window_lower_hu, row.minimum_hu < -900, row.maximum_hu > 800) == (None, True, True)
    assert Release(out)["P0001"].phase("C1").ct.window_hu is None


@pytest.mark.parametrize("margin_mm", [0.0, 4.0])
def test_a_lesion_outside_the_liver_range_is_kept_and_reported(
    make_study: Maker, tmp_path: Path, margin_mm: float
) -> None:
    small = make_study(1)
    path = small.study.consensus("P0001") / "C1.nii.gz"
    mask = load_mask(path)
    voxels = mask.voxels.copy()
    voxels[10, 10, LIVER[1] + 1] = True
    save_mask(path, Mask(voxels=voxels, grid=mask.grid))
    small.decide("P0001")
    out = tmp_path / "out"
    out.mkdir()
    protocol = Protocol.of({"localize": {"margin_mm": margin_mm}})
    summary = build_release(small.study.root, out, small.subjects, protocol, figures=False)
    assert [(f.code, f.location) for f in summary.findings] == [("lesion-outside-liver-range", "P0001 C1")]
    row = next(r for r in load_geometry(out / "geometry.csv") if r.phase == "C1")
    slices = int(margin_mm / 4.0)  # the margin is around liver and lesions, as the released liver mask holds both
    assert (row.first_slice, row.stop_slice) == (LIVER[0] - slices, LIVER[1] + 2 + slices)
    released = Release(out)["P0001"].phase("C1").lesions
    assert released is not None
    assert released.voxels.sum() == voxels.sum()


def test_a_broken_case_leaves_nothing_and_the_others_finish(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(3)
    path = small.study.liver("P0002", Phase.C3)
    path.write_bytes(path.read_bytes()[:80])
    out = tmp_path / "out"
    out.mkdir()
    summary = build_release(small.study.root, out, small.subjects, small.study.protocol, figures=False)
    assert summary.released == ("P0001", "P0003")
    assert summary.failed["P0002"][0] == "corrupt-gzip"
    assert not [path for path in released_files(out) if "P0002" in path.name]
    for path in released_files(out):
        assert b"P0002" not in path.read_bytes(), path.name  # not even in the page: only counted there


def test_no_case_at_all_is_an_error(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    small.study.liver_record("P0001").unlink()
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError) as caught:
        build_release(small.study.root, out, small.subjects, small.study.protocol)
    assert caught.value.code == "nothing-to-release"


@pytest.mark.parametrize(
    ("section", "code"),
    [({"license": "WTFPL"}, "unknown-license"), ({"answers": {"purpos": "x"}}, "unknown-question")],
)
def test_protocol_mistakes_are_said_before_any_work(
    make_study: Maker, tmp_path: Path, section: dict[str, object], code: str
) -> None:
    small = make_study(1)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ProtocolError) as caught:
        build_release(small.study.root, out, small.subjects, Protocol.of({"release": section}))
    assert caught.value.code == code
    assert not list(out.iterdir())


@pytest.mark.slow
def test_same_bytes_with_other_workers_and_folders_and_nothing_of_this_machine(
    make_study: Maker, tmp_path: Path
) -> None:
    small = make_study(3)
    svg = "<svg xmlns='http://www.w3.org/2000/svg'/>"
    row = {"phase": "C1", "readers": ["A", "B"], "dice": 0.8, "volume_a_ml": 10.0, "volume_b_ml": 11.0}
    rows = [{"case": case, **row} for case in ("P0001", "P0002", "P0666")]
    save_json(small.study.reports / "agreement.json", {"rows": rows})
    one = small.build(tmp_path / "one", figures=True, flow=lambda _: svg)
    with ProcessPoolExecutor(2) as pool:
        two = small.build(tmp_path / "elsewhere" / "two", figures=True, run=pool.map, flow=lambda _: svg)
    assert digests(one) == digests(two)
    assert {path.stat().st_mtime for path in (*one.rglob("*"), one)} == {EPOCH_S}
    figures = ("slices", "planes", "phases", "overview", "sample_table", "agreement")
    expected = {"flow.svg", *(f"figures/{name}.{form}" for name in figures for form in ("svg", "png"))}
    assert expected <= digests(one).keys()
    assert "Who was included" in (one / "report.html").read_text()
    for path in released_files(one):
        data = path.read_bytes()
        for needle in (str(tmp_path), Path.home().as_posix() + "/", "Matplotlib", "Creator"):
            assert needle.encode() not in data, path.name


def test_same_bytes_under_another_clock(make_study: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = make_study(1)
    one = small.build(tmp_path / "one")
    monkeypatch.setenv(
        "SOURCE_DATE_EPOCH", "1500000000"
    )  # matplotlib and others would write it where they write a date
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    two = small.build(tmp_path / "two")
    assert digests(one) == digests(two)


def test_checksums_cover_every_file_but_themselves(make_study: Maker, tmp_path: Path) -> None:
    root = make_study(1).build(tmp_path / "out")
    stated = parse_checksums((root / CHECKSUMS_NAME).read_text())
    found = digests(root)
    found.pop(CHECKSUMS_NAME)
    assert stated == found


def test_page_shows_audit_and_counts_what_was_held_back(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(2)
    root = small.build(tmp_path / "out")
    held = {f"P{n}": (Reason(code="phase-missing", text="The delayed phase is missing, bed 12"),) for n in (7777, 8888)}
    note = AuditNote(
        checks=41,
        findings=(Finding(code="x", severity=Severity.WARNING, location="P0001 C1", message="liver looks small"),),
    )
    finish_release(root, small.study.protocol, held=held, audit=note)
    page = (root / "report.html").read_text()
    assert "Phase missing" in page
    assert "bed 12" not in page  # a detail of one person
    assert "2 cases were held back" in page
    assert "7777" not in page
    assert "liver looks small" in page
    assert "0 errors" in page
    assert "1 warning," in page
    assert '<table class="words"><thead><tr><th>Finding</th><th>Where</th><th>What</th>' in page
    assert ".words th, .words td { text-align: left }" in page
    # Self-contained: nothing is loaded from anywhere.
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert "http" not in re.sub(r"data:[^\"]*", "", page)
    assert parse_checksums((root / CHECKSUMS_NAME).read_text())["report.html"] == sha256_of(root / "report.html")


def test_page_says_what_was_derived_again_and_how_large_each_file_is(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    root = small.build(tmp_path / "out")
    finish_release(root, small.study.protocol, audit=AuditNote(checks=41))
    page = (root / "report.html").read_text()
    assert "Every number on this page" not in page
    assert "Table 1 were derived again" in page
    assert "what was held back and the scanners are taken from the study" in " ".join(page.split())
    assert ">0 kB<" not in page
    assert f"<td>splits.csv</td><td>{(root / 'splits.csv').stat().st_size} bytes</td>" in page
    assert "<b>1</b><span>subject: 1 with liver cancer, 0 controls</span>" in page
    besides = len(digests(root)) - 2
    assert f"in {besides} files, besides this page and the checksums" in page


def test_card_counts_one_as_one(make_study: Maker, tmp_path: Path) -> None:
    card = (make_study(1).build(tmp_path / "out") / "README.md").read_text()
    assert "1 subject (1 HCC) with 4 contrast-phase CT volumes" in card
    assert "Cancer: 1 subject," in card
    assert not re.search(r"\b1 (subjects|volumes|slices|readers)\b", card)


def test_progress_names_cases_in_order(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(3)
    seen: list[tuple[int, int, str]] = []
    small.build(tmp_path / "out", progress=lambda *event: seen.append(event))
    assert seen == [(1, 3, "P0001"), (2, 3, "P0002"), (3, 3, "P0003")]


def test_description_is_what_pack_and_audit_read(make_study: Maker, tmp_path: Path) -> None:
    root = make_study(4).build(tmp_path / "out")
    value = json.loads((root / "dataset_description.json").read_text())
    assert value["specification"] == {"name": "quadphase-release", "version": "1"}
    assert (value["subjects"], value["images"], value["window_hu"]) == (4, 16, [-200, 200])
