"""The closing summary of `run` names what it counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quadphase.audit import AuditReport
from quadphase.cli.run import print_run
from quadphase.deidentify import ScanReport
from quadphase.model import Finding
from quadphase.pipeline.publish import Published
from quadphase.pipeline.run import RunResult
from quadphase.release import ReleaseSummary


def summary_of(*codes: str) -> RunResult:
    findings = tuple(Finding.of(code, "P0001", "a message") for code in codes)
    released = ReleaseSummary(released=("P0001",), images=4, failed={}, findings=(), files=98, size_bytes=32_400_000)
    return RunResult(
        study=Path("study"),
        excluded=1,
        outcomes=(),
        published=Published(
            out=Path("release"),
            summary=released,
            audit=AuditReport(name="release", subjects=1, images=4, findings=findings, facts=()),
            scan=ScanReport(findings=(), files=98, bytes=1, bytes_searched=1, identifiers=7),
            outcomes=(),
        ),
    )


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ((), "0 errors, 0 warnings; 98 files"),
        (("phases-apart",), "0 errors, 1 warning (phases-apart ×1); 98 files"),
        (("phases-apart", "liver-volume", "phases-apart"), "3 warnings (phases-apart ×2, liver-volume ×1); 98 files"),
    ],
)
def test_findings_of_the_audit_are_named(
    codes: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_run(summary_of(*codes))
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("Audit"))
    assert words in line


def test_nothing_released_names_no_audit(capsys: pytest.CaptureFixture[str]) -> None:
    print_run(replace(summary_of(), published=None))
    assert "Audit" not in capsys.readouterr().out
