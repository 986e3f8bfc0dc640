"""Lets tests of this folder import `hiding_places` beside them; a folder that may not be listed, also for root."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """``close(folder)``: from now on nobody may list it."""

    def closed(folder: Path) -> None:
        true_scandir = os.scandir

        def scandir(path: str | Path) -> object:
            if Path(path) == folder:
                raise PermissionError(13, "Permission denied", str(path))
            return true_scandir(path)

        monkeypatch.setattr(os, "scandir", scandir)

    return closed
