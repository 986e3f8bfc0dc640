"""TotalSegmentator (Wasserthal et al. 2023, doi 10.1148/ryai.230024) as a liver finder, run as an outside program.

``TotalSegmentator -i ct.nii.gz -o FOLDER --roi_subset liver`` writes ``FOLDER/liver.nii.gz`` on the grid of the scan
(version 2). It fetches its weights on first use and by default sends usage statistics; on a hospital network fetch
the weights beforehand and set ``send_usage_stats`` to false in its ``config.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quadphase.localize.backends.outside import find_with, require_program
from quadphase.localize.results import LiverResult
from quadphase.model import Phase, Volume

PROGRAM = "TotalSegmentator"


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalSegmentator:
    """TotalSegmentator, task ``total``, liver only.

    Raises
    ------
    LocalizeError
        ``missing-program`` if it is not on PATH.
    """

    def __post_init__(self) -> None:
        require_program(PROGRAM, hint="pip install TotalSegmentator, or use the builtin backend")

    @property
    def name(self) -> str:
        return "totalsegmentator"

    def find(self, phases: Mapping[Phase, Volume]) -> Mapping[Phase, LiverResult]:
        """Run it once per phase; see `LiverBackend.find`."""
        return find_with(phases, PROGRAM, _line)


def _line(ct: Path, out: Path) -> tuple[list[str], Path]:
    program = require_program(PROGRAM, hint="pip install TotalSegmentator")
    return [program, "-i", str(ct), "-o", str(out), "--roi_subset", "liver"], out / "liver.nii.gz"
