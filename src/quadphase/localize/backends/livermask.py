"""livermask (Pedersen, doi 10.5281/zenodo.7448865) as a liver finder, run as an outside program.

It is what the PLC-CECT authors used. It needs an old Python of its own, so it can only be an outside command:
``livermask --input ct.nii.gz --output NAME --extension .nii.gz`` writes ``NAME-livermask.nii.gz`` (version 1.4.1; NAME
must not contain a dot).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quadphase.localize.backends.outside import find_with, require_program
from quadphase.localize.results import LiverResult
from quadphase.model import Phase, Volume

PROGRAM = "livermask"
HINT = "pip install livermask in its own Python 3.8 environment and put it on PATH, or use the builtin backend"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiverMask:
    """livermask on the processor or the GPU it finds.

    Raises
    ------
    LocalizeError
        ``missing-program`` if it is not on PATH.
    """

    def __post_init__(self) -> None:
        require_program(PROGRAM, hint=HINT)

    @property
    def name(self) -> str:
        return "livermask"

    def find(self, phases: Mapping[Phase, Volume]) -> Mapping[Phase, LiverResult]:
        """Run it once per phase; see `LiverBackend.find`."""
        return find_with(phases, PROGRAM, _line)


def _line(ct: Path, out: Path) -> tuple[list[str], Path]:
    program = require_program(PROGRAM, hint=HINT)
    line = [program, "--input", str(ct), "--output", str(out / "liver"), "--extension", ".nii.gz"]
    return line, out / "liver-livermask.nii.gz"
