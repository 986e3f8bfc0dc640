"""The command answers fast because nothing heavy is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "pydicom", "nibabel", "pandas", "matplotlib", "sqlalchemy", "pydantic", "rich.progress")


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["import quadphase", "import quadphase.cli.main"])
def test_start_up_imports_nothing_heavy(statement: str) -> None:
    assert sorted(modules_after(statement) & set(HEAVY)) == []


def test_matplotlib_is_imported_in_release_only() -> None:
    rooms = [
        "acquire",
        "annotate",
        "audit",
        "cohort",
        "convert",
        "deidentify",
        "localize",
        "phantom",
        "statistics",
        "imaging",
        "io",
        "model",
    ]
    statement = "; ".join(f"import quadphase.{room}" for room in rooms)
    assert "matplotlib" not in modules_after(statement)
