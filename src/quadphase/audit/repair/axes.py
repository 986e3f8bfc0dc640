"""Which world axes of each phase must be turned so that header and anatomy agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

from quadphase.audit.contexts import CaseContext
from quadphase.audit.facts import Sketch
from quadphase.audit.matching import SliceMatch, match_slices
from quadphase.model import Phase

__all__ = ["AxisSigns", "axis_signs", "matches_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisSigns:
    """-1 where an axis must be turned, 1 where it agrees or nothing shows it.

    Parameters
    ----------
    right, front, head : int
    exchanged : bool
        Whether the first two axes of the array must be exchanged before that.
    unknown : tuple of str
        Axes that nothing in the subject's images shows.
    basis : str
    """

    right: int
    front: int
    head: int
    exchanged: bool
    unknown: tuple[str, ...]
    basis: str

    @property
    def is_identity(self) -> bool:
        return (self.right, self.front, self.head, self.exchanged) == (1, 1, 1, False)


def matches_of(case: CaseContext) -> dict[tuple[Phase, Phase], SliceMatch]:
    """Convincing matches between the phases of a subject, each turned in the plane as its anatomy says.

    Phases whose headers differ, because one of them is lost, would show their slices side against side.
    """
    found = {}
    planes = _planes(case)
    pictures = {phase: _turned(case.sketches[phase], *planes[phase]) for phase in Phase if phase in case.sketches}
    for a, b in combinations(pictures, 2):
        trusted = not (case.volumes[a].is_nominal or case.volumes[b].is_nominal)
        match = match_slices(pictures[a], pictures[b], trust_spacing=trusted)
        if match is not None and match.is_convincing:
            found[a, b] = match
    return found


def axis_signs(case: CaseContext, matches: dict[tuple[Phase, Phase], SliceMatch]) -> dict[Phase, AxisSigns]:
    """Decide all phases of a subject together: what one does not show, its siblings with the same header axes do."""
    planes = _planes(case)
    heads = _heads(case, matches)
    decided = {}
    for phase, volume in case.volumes.items():
        if volume.grid is None:
            continue
        right, front, exchanged = planes[phase]
        basis: list[str] = []
        unknown: list[str] = []
        head = heads.get(phase)
        for name, score in (("liver side", right), ("spine", front), ("lung and siblings", head)):
            (unknown if score is None else basis).append(name)
        decided[phase] = AxisSigns(
            right=_sign(right),
            front=_sign(front),
            head=_sign(head),
            exchanged=exchanged,
            unknown=tuple(unknown),
            basis=", ".join(basis),
        )
    return decided


def _planes(case: CaseContext) -> dict[Phase, tuple[float | None, float | None, bool]]:
    """Scores of the axes to the right and to the front of each phase, and whether they are exchanged before that."""
    seen = {phase: volume.orientation for phase, volume in case.volumes.items()}
    axes = {phase: (v.grid and v.grid.axis_codes, seen[phase].exchanged) for phase, v in case.volumes.items()}
    found = {}
    for phase, own in seen.items():
        like = [seen[p] for p in case.volumes if axes[p] == axes[phase]]
        right = own.right if own.right is not None else sum(o.right or 0.0 for o in like) or None
        front = own.front if own.front is not None else sum(o.front or 0.0 for o in like) or None
        found[phase] = (right, front, own.exchanged)
    return found


def _turned(picture: Sketch, right: float | None, front: float | None, exchanged: bool) -> Sketch:
    picture = picture.exchanged() if exchanged else picture
    return replace(picture, grey=picture.grey[:: _sign(right), :: _sign(front)])


def _sign(score: float | None) -> int:
    return -1 if score is not None and score < 0 else 1


def _heads(case: CaseContext, matches: dict[tuple[Phase, Phase], SliceMatch]) -> dict[Phase, float]:
    """Score of the head axis: own lungs plus those of every sibling it matches, turned round where the match is."""
    scores = {}
    for phase, volume in case.volumes.items():
        total = volume.orientation.head or 0.0
        for (a, b), match in matches.items():
            if phase in (a, b):
                other = case.volumes[b if phase is a else a].orientation.head or 0.0
                total += -other if match.is_reversed else other
        if total:
            scores[phase] = total
    return scores
