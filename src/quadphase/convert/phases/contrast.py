"""Evidence from contrast attributes: whether the scanner noted an intravenous agent for a stack (PS3.3 C.7.6.4).

Attributes are copied with the protocol, so they weigh little; what counts most is that a stack lacks them while
others of the same exam have them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from quadphase.convert.phases.features import StackFeatures
from quadphase.model import Evidence, Phase

__all__ = ["contrast_evidence", "says_contrast"]

_NOTED: Final = 0.6
_ABSENT_BESIDE_NOTED: Final = 0.6

_DENIED: Final = re.compile(
    r"(?:no|non|none|not|nil|n\.?\s*/?\s*a\.?|without|w/?o|-+|0|未使用|未用|未|无|否|不用|不)"
    r"(?:[\s_-]*(?:iv|contrast|agent|media|medium|used|given|applicable|cm|km|造影剂|对比剂))*"
)
"""What technologists type into the agent when there was none."""


def says_contrast(stack: StackFeatures) -> bool | None:
    """True if an intravenous agent is noted, False if the attributes deny it, None if there are none.

    ``Oral`` alone is no intravenous contrast.
    """
    route = (stack.contrast_route or "").strip().lower()
    agent = (stack.contrast_agent or "").strip().lower()
    if _DENIED.fullmatch(agent):
        return False
    if route:
        if "iv" in route or "intra" in route or "静脉" in route:
            return True
        if "oral" in route or "rect" in route:
            return None
    if agent or (stack.contrast_volume_ml or 0.0) > 0.0 or stack.contrast_start_s is not None:
        return None if agent == "oral" else True
    return None


def contrast_evidence(stacks: Sequence[StackFeatures]) -> tuple[Evidence | None, ...]:
    """Evidence of each stack, in log10 of odds; None where the attributes tell nothing."""
    said = [says_contrast(stack) for stack in stacks]
    noted = any(said)
    found: list[Evidence | None] = []
    for says in said:
        if says:
            scores = {phase: 0.0 if phase is Phase.P else _NOTED for phase in Phase}
            found.append(Evidence(source="contrast", scores=scores, detail="a contrast agent is noted"))
        elif says is False or noted:
            scores = {phase: _ABSENT_BESIDE_NOTED if phase is Phase.P else 0.0 for phase in Phase}
            detail = "no contrast agent, which other stacks of the exam have" if noted else "a contrast agent is denied"
            found.append(Evidence(source="contrast", scores=scores, detail=detail))
        else:
            found.append(None)
    return tuple(found)
