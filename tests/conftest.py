"""Fixtures every test may use, and the rule for peers: missing is a skip on a laptop and a failure in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


def missing(what: str) -> None:
    """Skip, saying why; fail in CI, where everything must be there."""
    if IN_CI:
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real CT (see CONTRIBUTING.md), from the environment variable QUADPHASE_REAL_DATA."""
    folder = Path(os.environ.get("QUADPHASE_REAL_DATA", "") or "/nonexistent")
    if not folder.is_dir():
        missing("real data (QUADPHASE_REAL_DATA)")
    return folder.resolve()


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """``program("dcm2niix")``: path of an outside program."""

    def find(name: str) -> str:
        venv = Path(os.sys.executable).with_name(name)  # type: ignore[attr-defined]
        path = str(venv) if venv.exists() else shutil.which(name)
        if path is None:
            missing(f"the program {name}")
        assert path is not None
        return path

    return find
