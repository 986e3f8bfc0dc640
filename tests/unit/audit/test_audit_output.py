"""What people and machines get: values, JSON, the page, pictures, exit codes; the same from any number of workers."""

from __future__ import annotations

import io
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from quadphase.audit import AuditReport, audit
from quadphase.audit.html import render_html
from quadphase.audit.png import encode_png
from quadphase.cli import audit as audit_command
from quadphase.cli import repair as repair_command
from quadphase.model.catalogue.audit import CODES

from .conftest import Item, paths_of, write_plain

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="session")
def flawed(clean: tuple[Item, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects; one volume truncated, one copied over another."""
    items = [i for i in clean if i.case != "P0339"]
    root = write_plain(tmp_path_factory.mktemp("output") / "release", items)
    ct = [root / paths_of(item)[0] for item in items]
    ct[0].write_bytes(ct[0].read_bytes()[:500])
    ct[6].write_bytes(ct[5].read_bytes())
    for n in (1, 2):
        masks = [root / (paths_of(items[5])[n] or "x"), root / (paths_of(items[6])[n] or "x")]
        if masks[0].exists():
            masks[1].write_bytes(masks[0].read_bytes())
    return root


@pytest.fixture(scope="session")
def report(flawed: Path) -> AuditReport:
    return audit(flawed, thumbnails=True)


def test_errors_come_first_and_order_is_stable(report: AuditReport, flawed: Path) -> None:
    ranks = [["error", "warning", "info"].index(f.severity.value) for f in report.findings]
    assert ranks == sorted(ranks)
    with ThreadPoolExecutor(2) as pool:
        again = audit(flawed, executor=pool)
    assert again.to_dict() == report.to_dict()


@pytest.mark.slow
def test_processes_give_the_same(report: AuditReport, flawed: Path) -> None:
    seen = []
    again = audit(flawed, workers=2, progress=lambda done, total, label: seen.append((done, total, label)))
    assert again.to_dict() == report.to_dict()
    assert seen == [(1, 2, "P0417"), (2, 2, "P0052")]


def test_json_keys_are_the_documented_ones(report: AuditReport) -> None:
    value = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    page = (DOCS / "reference" / "audit-checks.md").read_text("utf-8")
    for key in (*value, *value["findings"][0], *value["volumes"][0]):
        assert key in page, key
    assert value["images"] == 8
    assert value["images_read"] == 7
    assert value["counts"]["duplicate-volume"] == 1


def test_every_code_has_its_entry() -> None:
    page = (DOCS / "reference" / "audit-checks.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `([a-z0-9-]+)` \| (?:error|warning|info) \|", page, re.M))
    assert documented == {code.code for code in CODES}


def test_page_is_self_contained(report: AuditReport) -> None:
    page = render_html(report)
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert all(url.startswith("data:image/png;base64,") for url in re.findall(r"url\(([^)]*)\)", page))
    for code in report.counts:
        assert f'id="{code}"' in page
    assert "no picture: the image could not be read" in page


def test_every_finding_about_a_readable_volume_has_a_picture(report: AuditReport) -> None:
    (duplicate,) = report.of("duplicate-volume")
    first, second = duplicate.location.split(" = ")
    assert {first, second} <= set(report.thumbnails)
    picture = matplotlib.image.imread(io.BytesIO(report.thumbnails[first]))
    assert picture.shape[0] == 132
    assert picture.max() > 0.5


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (132, 320)])
def test_png_is_read_back_by_another_reader(shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    back = matplotlib.image.imread(io.BytesIO(encode_png(rgb)))
    assert np.array_equal(np.rint(back[..., :3] * 255).astype(np.uint8), rgb)


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer()
    audit_command.register(made)
    repair_command.register(made)
    return made


def test_command_exit_codes(app: typer.Typer, flawed: Path, ours: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    found = runner.invoke(app, ["audit", str(flawed), "--json", "--workers", "1"])
    assert found.exit_code == 1
    assert json.loads(found.stdout)["severities"]["error"] == 2
    clean = runner.invoke(app, ["audit", str(ours), "--workers", "1"])
    assert clean.exit_code == 0
    assert "0 errors" in clean.stdout
    missing = runner.invoke(app, ["audit", str(tmp_path / "nothing")])
    assert missing.exit_code == 2
    assert "Traceback" not in missing.output
    assert len(missing.output.strip().splitlines()) == 1


def test_command_writes_the_page(app: typer.Typer, flawed: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    outcome = CliRunner().invoke(app, ["audit", str(flawed), "--html", str(page), "--workers", "1"])
    assert outcome.exit_code == 1
    assert page.read_text("utf-8").startswith("<!doctype html>")
    page.write_text("mine")
    again = CliRunner().invoke(app, ["audit", str(flawed), "--html", str(page), "--workers", "1"])
    assert again.exit_code == 2
    assert "exists already" in again.output
    assert page.read_text() == "mine"
    forced = CliRunner().invoke(app, ["audit", str(flawed), "--html", str(page), "--overwrite", "--workers", "1"])
    assert forced.exit_code == 1
    assert page.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("name", ["report.html", "new.html", "figures/page.html", "../{own}/page.html"])
def test_command_writes_nothing_into_the_release(name: str, app: typer.Typer, ours: Path, tmp_path: Path) -> None:
    release = Path(shutil.copytree(ours, tmp_path / "release"))
    (release / "report.html").write_text("the release's own")
    before = sorted(release.rglob("*"))
    target = release / name.format(own="release")
    for path in (release, release / "patient_data.csv"):
        done = CliRunner().invoke(app, ["audit", str(path), "--html", str(target), "--overwrite", "--workers", "1"])
        assert done.exit_code == 2
        assert "inside the release" in done.output
    other = CliRunner().invoke(
        app, ["audit", str(ours), "--against", str(release), "--html", str(target), "--workers", "1"]
    )
    assert other.exit_code == 2
    assert sorted(release.rglob("*")) == before
    assert (release / "report.html").read_text() == "the release's own"


def test_page_beside_a_table_on_its_own(app: typer.Typer, ours: Path, tmp_path: Path) -> None:
    table = Path(shutil.copy(ours / "patient_data.csv", tmp_path))
    done = CliRunner().invoke(app, ["audit", str(table), "--html", str(tmp_path / "page.html"), "--workers", "1"])
    assert done.exit_code == 0
    assert "0 errors, 0 warnings, 1 info" in done.stdout
    assert (tmp_path / "page.html").is_file()
    folder = CliRunner().invoke(app, ["audit", str(table), "--html", str(tmp_path), "--workers", "1"])
    assert folder.exit_code == 2
    assert "is a folder" in folder.output


def test_one_is_singular(app: typer.Typer, clean: tuple[Item, ...], tmp_path: Path) -> None:
    release = write_plain(tmp_path / "release", [i for i in clean if i.case == "P0417"])
    table = release / "patient_data.csv"
    table.write_text(table.read_text().replace('"male"', "NA"))
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["audit", str(release), "--html", str(page), "--workers", "1"])
    assert "1 subject, 4 of 4 volumes read; 0 errors, 1 warning, 1 info." in done.stdout
    assert "1 subject, 4 images in the table" in page.read_text("utf-8")
    assert "<b>1</b>warning<" in page.read_text("utf-8")


def test_repair_command(app: typer.Typer, flawed: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    out = tmp_path / "out"
    done = runner.invoke(app, ["repair", str(flawed), str(out), "--json", "--workers", "1"])
    assert done.exit_code == 0
    lines = json.loads(done.stdout)["lines"]
    assert any(line["status"] == "left" and "cannot be read" in line["basis"] for line in lines)
    again = runner.invoke(app, ["repair", str(flawed), str(out), "--workers", "1"])
    assert again.exit_code == 2
    assert "exists already" in again.output
