"""What users may rely on: adding is a decision, removing is a breaking change."""

from __future__ import annotations

import quadphase
from quadphase.cli.main import COMMANDS
from quadphase.errors import ExitCode


def test_names() -> None:
    assert sorted(quadphase.__all__) == [
        "Box", "Diagnosis", "Grid", "LabelMap", "Mask", "Phase", "Release", "Volume", "__version__", "audit", "convert",
        "find_liver",
    ]  # fmt: skip
    for name in quadphase.__all__:
        assert getattr(quadphase, name) is not None


def test_commands() -> None:
    assert set(COMMANDS) == {
        "demo", "init", "cohort", "acquire", "convert", "exams", "localize", "annotate", "agree", "deidentify",
        "release", "pack", "audit", "table1", "figures", "repair", "run",
    }  # fmt: skip


def test_exit_codes() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "FINDINGS": 1,
        "USAGE": 2,
        "SOME_CASES_FAILED": 3,
        "SOURCE_UNREACHABLE": 4,
        "PRIVACY_STOP": 5,
    }


def test_rooms_that_share_a_name_with_a_function_stay_callable() -> None:
    for name in ("audit", "convert"):
        assert callable(getattr(quadphase, name))
        assert callable(getattr(quadphase, name)), "the second use must not differ from the first"
