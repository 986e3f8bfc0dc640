"""The phantom hospital inside a real archive: cohort, acquire by every way, convert; the same as from the folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from typer.testing import CliRunner

from quadphase.cli.main import app
from quadphase.phantom.hospital import Hospital, build_hospital

from .conftest import Orthanc


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    folder = tmp_path_factory.mktemp("hospital") / "h"
    return build_hospital(folder, patients=2, seed=3, matrix=64, slice_spacing_mm=10.0, ineligible=False)


@pytest.fixture(scope="module")
def full_archive(hospital: Hospital, orthanc_factory: Callable[..., Orthanc]) -> Orthanc:
    server = orthanc_factory()
    server.start()
    for path in sorted(p for p in hospital.pacs.rglob("*") if p.is_file()):
        if path.read_bytes()[128:132] == b"DICM" and path.name != "DICOMDIR":
            server.rest("/instances", path.read_bytes())
    return server


def quadphase(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def volumes(study: Path) -> dict[str, bytes]:
    return {str(p.relative_to(study)): p.read_bytes() for p in sorted((study / "cases").rglob("ct.nii.gz"))}


@pytest.mark.slow
def test_archive_gives_the_same_volumes_as_the_folder(
    hospital: Hospital, full_archive: Orthanc, tmp_path: Path
) -> None:
    sources = {
        "folder": str(hospital.pacs),
        "get": full_archive.dimse,
        "web": full_archive.web,
        "move": f"{full_archive.dimse}?retrieve=move&listen_port={full_archive.move_port}",
    }
    key: bytes | None = None
    results: dict[str, dict[str, bytes]] = {}
    secrets = [*hospital.eligible]
    for way, source in sources.items():
        study = tmp_path / way
        assert quadphase("init", study).exit_code == 0
        if key is None:
            key = (study / "restricted" / "pseudonym.key").read_bytes()
        (study / "restricted" / "pseudonym.key").write_bytes(key)
        assert quadphase("cohort", study, hospital.clinical_table).exit_code == 0
        got = quadphase("acquire", study, source, "--json")
        assert got.exit_code == 0, got.stderr
        answer = json.loads(got.stdout)
        assert answer["without_exam"] == []
        assert len(answer["cases"]) == 2
        assert not any(secret in got.stdout + got.stderr for secret in secrets)
        converted = quadphase("convert", study, "--json")
        assert converted.exit_code == 0, converted.stderr
        results[way] = volumes(study)
    assert len(results["folder"]) == 8
    assert results["get"] == results["web"] == results["move"] == results["folder"]


def test_localizers_of_the_hospital_are_left_there(hospital: Hospital, full_archive: Orthanc, tmp_path: Path) -> None:
    study = tmp_path / "study"
    quadphase("init", study)
    quadphase("cohort", study, hospital.clinical_table)
    assert quadphase("acquire", study, full_archive.web).exit_code == 0
    kinds = {
        str(pydicom.dcmread(p, stop_before_pixels=True).get("SeriesDescription", "")).casefold()
        for p in (study / "restricted" / "dicom").rglob("*.dcm")
    }
    assert len(kinds) == 10  # four phases and a reformat of each patient
    assert kinds.isdisjoint({"scanogram", "surview", "dose report"})
