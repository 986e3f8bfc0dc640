"""`quadphase acquire`: one at a time, and no option that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from quadphase.acquire import acquire
from quadphase.acquire.report import AcquireReport, Transfer
from quadphase.acquire.store import SeriesStore
from quadphase.cli.main import app
from quadphase.errors import InputError
from quadphase.io.study import Study
from quadphase.model import Finding
from quadphase.pipeline.lock import lock_study


@pytest.fixture
def made(study: Study) -> Study:
    study.protocol_path.write_text("")
    return study


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["acquire", *(str(word) for word in words)])


def test_two_at_once_is_one_line(made: Study, hospital: Callable[..., Path]) -> None:
    source = hospital()
    with lock_study(made):
        result = run(made.root, source)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "Another run holds" in result.stderr
    assert run(made.root, source).exit_code == 0


def test_what_a_killed_acquire_left_is_swept(made: Study, hospital: Callable[..., Path]) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    left = made.restricted / f".tmp-unreadable_files.csv.{process.pid}"
    left.write_text("x")
    assert run(made.root, hospital()).exit_code == 0
    assert not left.exists()


def test_a_store_leaves_what_a_living_process_writes(study: Study) -> None:
    store = SeriesStore(study.downloads, study.key, "1.2", "1.2.3")
    store.begin().drop()
    living, own = (store.folder / f".tmp-{pid}-0" for pid in (os.getppid(), os.getpid()))
    living.touch()
    own.touch()
    store.sweep()
    assert (living.exists(), own.exists(), store.held) == (True, False, 0)


@pytest.mark.parametrize("address", ["dimse://ARCHIVE@127.0.0.1:1", "http://127.0.0.1:1/dicom-web"])
def test_blank_id_is_refused_where_it_would_do_nothing(made: Study, address: str) -> None:
    with pytest.raises(InputError) as caught:
        acquire(made, address, blank_id="P0001")
    assert caught.value.code == "blank-id-network"


@pytest.mark.parametrize("code", ["id-not-askable", "missing-instances", "series-failed"])
def test_an_error_is_not_complete(code: str) -> None:
    def report(*findings: Finding) -> AcquireReport:
        return AcquireReport(
            files={},
            opened=0,
            forgotten=0,
            unmatched_files=0,
            cases={},
            findings=findings,
            transfer=Transfer(source="x"),
        )

    assert not report(Finding.of(code, "P0001", "x")).complete
    assert report(Finding.of("sent-twice", "P0001", "x")).complete
