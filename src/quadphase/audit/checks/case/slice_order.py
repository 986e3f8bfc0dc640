"""All phases of a subject run the same way along their headers; the published PLC-CECT has 78 volumes that do not.

The majority is right. With two against two, the phase whose lungs lie at the foot end is wrong; if no phase shows
that either, the pair is reported together.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from quadphase.audit.contexts import CaseContext
from quadphase.audit.matching import match_slices
from quadphase.model import Finding, Phase

__all__ = ["check", "odd_ones"]


def odd_ones(case: CaseContext) -> tuple[tuple[Phase, ...], bool]:
    """Phases stored in another slice order than the rest, and whether anything says which side is wrong."""
    phases = [phase for phase in Phase if phase in case.sketches]
    opposite: set[tuple[Phase, Phase]] = set()
    for a, b in combinations(phases, 2):
        trusted = not (case.volumes[a].is_nominal or case.volumes[b].is_nominal)
        match = match_slices(case.sketches[a], case.sketches[b], trust_spacing=trusted)
        if match is not None and match.is_convincing and match.is_reversed:
            opposite.add((a, b))
    if not opposite:
        return (), True
    votes = {phase: sum(phase in pair for pair in opposite) for phase in phases}
    odd = tuple(phase for phase in phases if votes[phase] > (len(phases) - 1) / 2)
    if odd and len(odd) < len(phases):
        return odd, True
    down = [phase for phase in phases if (case.volumes[phase].orientation.head or 0) < 0 and votes[phase]]
    if down:
        return tuple(down), True
    first = next(iter(sorted(opposite, key=lambda pair: (pair[0].order, pair[1].order))))
    return first, False


def check(case: CaseContext) -> Iterator[Finding]:
    odd, sure = odd_ones(case)
    if sure:
        for phase in odd:
            message = "slices run the other way than in the other phases"
            yield Finding.of("slice-order-differs", f"{case.case}/{phase.value}", message)
    else:
        names = " and ".join(phase.value for phase in odd)
        message = f"{names} run in opposite directions; which of them is wrong is open"
        yield Finding.of("slice-order-differs", case.case, message)
