"""Agreement of the readers, computed from sealed originals and from nothing else.

Both readings must be sealed before either can be compared: the store enforces the blinding, not a screen.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from quadphase.annotate.readings import empty_like, load_reading
from quadphase.annotate.seal import is_sealed, verify_seal
from quadphase.imaging.overlap import Overlap, overlap
from quadphase.io.study import Study
from quadphase.model import Phase

__all__ = ["PhaseAgreement", "agreement_of_case", "comparable_cases", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseAgreement:
    """How two readers agree on one phase of one case."""

    case: str
    phase: Phase
    readers: tuple[str, str]
    overlap: Overlap

    def to_dict(self) -> dict[str, Any]:
        head = {"case": self.case, "phase": self.phase.value, "readers": list(self.readers)}
        return {**head, **self.overlap.to_dict()}


def comparable_cases(study: Study) -> tuple[str, ...]:
    """Cases every reader of the protocol has sealed."""
    readers = study.protocol.annotate.readers
    return tuple(case for case in study.case_names() if all(is_sealed(study, reader, case) for reader in readers))


def agreement_of_case(study: Study, case: str) -> tuple[PhaseAgreement, ...]:
    """Agreement of every pair of readers on every phase either drew; a phase one of them left out counts as empty.

    Raises
    ------
    InputError
        ``"not-sealed"``, ``"broken-seal"``, ``"reading-outdated"``.
    """
    readers = study.protocol.annotate.readers
    for reader in readers:
        verify_seal(study, reader, case)
    readings = {reader: load_reading(study, reader, case) for reader in readers}
    rows = []
    for a, b in combinations(readers, 2):
        for phase in Phase:
            drawn = readings[a].get(phase), readings[b].get(phase)
            known = drawn[0] or drawn[1]
            if known is not None:
                first, second = (mask or empty_like(known) for mask in drawn)
                rows.append(PhaseAgreement(case=case, phase=phase, readers=(a, b), overlap=overlap(first, second)))
    return tuple(rows)


def _spread(values: Sequence[float]) -> dict[str, float | int | None]:
    """n, mean, median and sample standard deviation; None where undefined."""
    return {
        "n": len(values),
        "mean": statistics.fmean(values) if values else None,
        "median": statistics.median(values) if values else None,
        "sd": statistics.stdev(values) if len(values) > 1 else None,
    }


def summarise(rows: Sequence[PhaseAgreement]) -> dict[str, Any]:
    """The paper's technical validation: spread of Dice and of the volume difference, and every row behind them.

    Pairs in which both masks are empty have no Dice; they are counted, not averaged.
    """
    dice = [row.overlap.dice for row in rows if row.overlap.dice is not None]
    return {
        "dice": _spread(dice),
        "volume_difference_ml": _spread([row.overlap.difference_ml for row in rows if row.overlap.dice is not None]),
        "both_empty": sum(row.overlap.dice is None for row in rows),
        "rows": [row.to_dict() for row in rows],
    }
