"""A demo may be typed twice: it replaces what a demo made, finished or interrupted, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from quadphase.errors import OutputError
from quadphase.io.study import Study
from quadphase.phantom.hospital import Hospital
from quadphase.pipeline import demo
from quadphase.pipeline.lock import lock_study
from quadphase.pipeline.run import silent


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a demo was interrupted in its study, beside notes of the person who tries it."""

    def hospital(out: Path, **_: object) -> Hospital:
        (out / "pacs").mkdir(parents=True)
        return Hospital(
            root=out,
            pacs=out / "pacs",
            clinical_table=out / "clinical.csv",
            readings=out / "readings",
            adjudicated=out / "adjudicated",
            truth=out / "truth",
            eligible=(),
            ineligible=(),
        )

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "build_hospital", hospital)
    monkeypatch.setattr(demo, "run_study", interrupted)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "notes.txt").write_text("mine")
    begin(tmp_path / "demo")
    return tmp_path / "demo"


def begin(out: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        demo.make_demo(out, progress=silent)
    assert Study(out / "study").key.hex() == demo.KEY


def refused(out: Path) -> str:
    before = sorted(out.rglob("*"))
    with pytest.raises(OutputError) as caught:
        demo.make_demo(out, progress=silent)
    assert sorted(out.rglob("*")) == before
    return caught.value.code


def test_an_interrupted_demo_begins_again(out: Path) -> None:
    (out / "study" / "of before").touch()
    (out / "hospital" / "pacs" / "of before").touch()
    begin(out)
    assert list(out.rglob("of before")) == []
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("part", demo.PARTS)
def test_what_no_demo_made_is_kept(out: Path, tmp_path: Path, part: str) -> None:
    (tmp_path / "other" / part).mkdir(parents=True)
    assert refused(tmp_path / "other") == "exists"
    (out / demo.MARKER).write_text("my own demonstration")
    assert refused(out) == "exists"


def test_a_study_with_a_key_of_its_own_is_somebodys(out: Path) -> None:
    (out / "study" / "restricted" / "pseudonym.key").write_text("ab" * 32 + "\n")
    assert refused(out) == "exists"


def test_a_demo_someone_works_in(out: Path) -> None:
    with lock_study(Study(out / "study")):
        assert refused(out) == "study-busy"
