"""A study folder: made once, its secrets private."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from quadphase.errors import InputError, OutputError, ProtocolError
from quadphase.io.study import Study
from quadphase.model import Protocol


def test_create_makes_a_private_key(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "study")
    assert len(study.key) == 32
    assert stat.S_IMODE(study.restricted.stat().st_mode) == 0o700
    assert stat.S_IMODE(study.key_path.stat().st_mode) == 0o600
    assert Study.create(tmp_path / "other").key != study.key
    assert study.protocol == Protocol()


def test_create_never_overwrites(tmp_path: Path) -> None:
    study = Study.create(tmp_path)
    key = study.key
    with pytest.raises(OutputError, match="exists already"):
        Study.create(tmp_path)
    assert Study(tmp_path).key == key


def test_missing_pieces_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError) as caught:
        _ = Study(tmp_path).protocol
    assert caught.value.code == "no-protocol"
    with pytest.raises(InputError) as no_key:
        _ = Study(tmp_path).key
    assert no_key.value.code == "no-key"


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("[window]\nlowr_hu = 3\n", "bad-protocol", "unknown key 'window.lowr_hu'"),
        ("[windw]\n", "bad-protocol", "unknown key 'windw'"),
        ("[window]\nlower_hu = 'x'\n", "bad-protocol", "window.lower_hu"),
        ("[window]\nlower_hu = 300\n", "bad-protocol", "lower_hu must be below upper_hu"),
        ("[window\n", "bad-toml", "not valid TOML"),
        ('[phases]\nrequired = ["C9"]\n', "bad-protocol", "phases.required"),
    ],
)
def test_a_wrong_protocol_gets_one_line(tmp_path: Path, text: str, code: str, says: str) -> None:
    (tmp_path / "protocol.toml").write_text(text)
    with pytest.raises(ProtocolError) as caught:
        _ = Study(tmp_path).protocol
    assert caught.value.code == code
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_half_written_case_is_no_case(tmp_path: Path) -> None:
    study = Study(tmp_path)
    for name in ("P0002", ".tmp-P0001.123", "P0003"):
        study.case(name).mkdir(parents=True)
    for name in ("P0002", ".tmp-P0001.123"):
        study.case_record(name).write_text("{}")
    assert study.case_names() == ("P0002",)
