"""Evidence from words: what series and protocol descriptions call the phase, in English, Chinese, German and French.

Text is typed or chosen by people and is wrong in some percent of series, so a clear word weighs about twenty to one
and never decides against the image alone. A text that names several phases, or says the same for every stack of the
exam, tells nothing. Only the recognised word is ever quoted, because free text may hold a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quadphase.convert.phases.encoding import repaired
from quadphase.convert.phases.features import StackFeatures
from quadphase.model import Evidence, Phase

__all__ = ["CLEAR_WORD", "Reading", "read_texts", "text_evidence"]

CLEAR_WORD: Final = 1.3
"""log10 of the odds a clear phase word is worth. DICOM text alone finds the right phase in 90-95 % of series
(Liu et al. 2025; Radboud 2022: 92 %), hence about 20:1."""

_WEIGHT: Final = {"SeriesDescription": 1.0, "ImageComments": 0.8, "AcquisitionProtocolName": 0.6, "ProtocolName": 0.6}
"""How much an attribute says about its own series; attributes not named here (StudyDescription) speak of the exam."""

P, C1, C2, C3 = Phase.P, Phase.C1, Phase.C2, Phase.C3


def _word(pattern: str) -> str:
    """A Latin word on its own; digits may touch it, as in ``ART5.0``."""
    return rf"(?<![a-zäöüßéèêà])(?:{pattern})(?![a-zäöüßéèêà])"


_BOTH: Final = re.compile(
    r"(?<![a-z])a\s?/\s?p(?![a-z])"  # abdomen and pelvis
    r"|w\s*[/&+]\s*(?:and\s*)?w/?o|with\s*(?:and|&|/)\s*without|pre\s*(?:and|&|/|\+)\s*post|平扫\s*[+加及和]\s*增强"
    r"|[2-5]\s*[- ]?\s*phas|(?:bi|tri|quadri|multi)\s*-?\s*phas|[二两三四多双][期相]|dynamic|mehrphas"
)
"""Statements about the whole exam."""

_RULES: Final[tuple[tuple[Phase | None, float, str], ...]] = (
    # phase (None: some contrast phase), weight, pattern; earlier rules claim their letters first
    (C1, 1.0, r"(?:早|晚)?动脉(?:早|晚|中)?期?(?:早|晚)?"),
    (C2, 1.0, r"门(?:静)?脉期?|静脉期?|门脉|实质期"),
    (C3, 1.0, r"延[迟时]期?(?:扫描)?|平衡期?|排泄期"),
    (P, 0.7, r"平(?![扫衡])"),
    (P, 1.0, r"平扫|增强前|[非未无]增强"),
    (None, 0.5, r"增强"),
    (
        C1,
        1.0,
        _word(r"(?:early|late|hepatic)?[ _-]*(?:arterial|arterielle?|arteriell?e?|artériel(?:le)?|artery|art|hap)"),
    ),
    (C1, 0.9, _word(r"(?:spät|früh)arteriell?e?")),
    (
        C2,
        1.0,
        _word(r"(?:portal|porto|pv)[ _-]*(?:venous|ven|vein|venös|venose|phase)?|pvp|portale?|portalvenös(?:e)?|porta"),
    ),
    (C2, 1.0, _word(r"venous|venös(?:e)?|veineux|veineuse|ven|venose|hepatic[ _-]*ven(?:ous)?")),
    (
        C3,
        1.0,
        _word(
            r"delay(?:ed)?|del|equilibrium|équilibre|equilibre|tardive?|tardif|spät(?:phase)?|spaet(?:phase)?|late|excretory|washout"
        ),
    ),
    (
        P,
        1.0,
        _word(
            r"non[ _-]*(?:contrast|enhanced|con|ce)|un-?enhanced|pre[ _-]*(?:contrast|con|c|iv)?|plain|nativ(?:e|f)?"
            r"|nect|ncct|ncect"
        ),
    ),
    (
        P,
        1.0,
        _word(
            r"without(?:[ _-]*(?:iv|contrast))*|w/?o(?:[ _-]*(?:iv|contrast|c))*"
            r"|sans[ _-]*(?:iv|injection|contraste|pdc|ic)?|ohne[ _-]*km|spc"
        ),
    ),
    (P, 0.9, r"(?<![a-z])c\s?-(?![a-z\d])|(?<![a-z])c-(?=,)|-c(?![a-z])"),
    (P, 0.7, _word(r"nc|blank|blanco|vor[ _-]*km")),
    (
        None,
        0.5,
        r"(?<![a-z])c\s?\+|\+\s?c(?![a-z])|"
        + _word(r"post(?:[ _-]*(?:contrast|con|c|iv|km))?|contrast|ce|cect|enhanced|with|mit|km|injecté|iv"),
    ),
    (C1, 0.6, _word(r"a(?:[ _-]?phase)?|a\.?p\.?[ _-]phase")),
    (C2, 0.6, _word(r"v(?:[ _-]?phase)?|p(?:[ _-]?phase)|vp")),
    (C3, 0.6, _word(r"d(?:[ _-]?phase)?|dp|ep")),
)

_KERNEL: Final = re.compile(r"(?<![a-z\d])[a-z]{1,2}\d{2}[a-z](?![a-z\d])")
"""``B30s``, ``I31f``, ``Br40d``: kernels of Siemens, no delays."""
_SECONDS: Final = re.compile(r"(?<![\d.])(\d{2,3})\s*(?:s|sec|secs|seconds?|sek|秒)(?![a-z])")
_MINUTES: Final = re.compile(r"(?<![\d.])(\d{1,2})\s*(?:min|mins|minutes?|分钟|分)(?![a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the words of one stack say.

    ``phase`` is set when exactly one phase is named; ``enhanced`` when only contrast is; ``delay_s`` when a delay is
    written out. ``word`` is the recognised word, never the text around it. ``weight`` is between 0 and 1.
    """

    phase: Phase | None = None
    enhanced: bool = False
    delay_s: float | None = None
    word: str = ""
    keyword: str = ""
    weight: float = 0.0
    repaired: bool = False


def _read(text: str) -> tuple[Phase | None, bool, str, float]:
    rest = _BOTH.sub(" ", text.lower())
    named: dict[Phase | None, tuple[float, str]] = {}
    for phase, weight, pattern in _RULES:
        for match in re.finditer(pattern, rest):
            word = match.group().strip(" _")
            if word and (phase not in named or weight > named[phase][0]):
                named[phase] = (weight, word)
        rest = re.sub(pattern, lambda m: " " * len(m.group()), rest)
    phases = {p: v for p, v in named.items() if p is not None}
    if len(phases) > 1:
        # A single letter beside a clear word ("Abdomen A venous") is no second name.
        clear = {p: v for p, v in phases.items() if v[0] >= 0.7}
        phases = clear if len(clear) == 1 else {}
        if not phases:
            return None, False, "", 0.0
    for phase, (weight, word) in phases.items():
        return phase, phase is not P, word, weight
    if None in named:
        return None, True, named[None][1], named[None][0]
    return None, False, "", 0.0


def _delay(text: str) -> float | None:
    text = _KERNEL.sub(" ", text.lower())
    seconds = {float(m) for m in _SECONDS.findall(text) if 15 <= float(m) <= 600}
    minutes = {60.0 * float(m) for m in _MINUTES.findall(text) if 1 <= float(m) <= 20}
    found = seconds | minutes
    return found.pop() if len(found) == 1 else None


def _read_stack(stack: StackFeatures, skip: frozenset[str]) -> Reading:
    best, was_repaired, delay = Reading(), False, None
    for keyword, factor in _WEIGHT.items():
        if keyword not in stack.texts or keyword in skip:
            continue
        text, fixed = repaired(stack.texts[keyword], stack.charset)
        was_repaired |= fixed
        phase, enhanced, word, weight = _read(text)
        delay = delay if delay is not None else _delay(text)
        weight *= factor
        if (phase is not None, weight) > (best.phase is not None, best.weight):
            best = Reading(phase=phase, enhanced=enhanced, word=word, keyword=keyword, weight=weight)
    return Reading(
        phase=best.phase,
        enhanced=best.enhanced,
        delay_s=delay,
        word=best.word,
        keyword=best.keyword,
        weight=best.weight,
        repaired=was_repaired,
    )


def read_texts(stacks: Sequence[StackFeatures]) -> tuple[Reading, ...]:
    """What the words of each stack say; attributes equal in all stacks of an exam with several are left out."""
    skip = frozenset(
        keyword
        for keyword in _WEIGHT
        if len(stacks) > 1 and len({stack.texts.get(keyword, "") for stack in stacks}) == 1
    )
    return tuple(_read_stack(stack, skip) for stack in stacks)


def text_evidence(reading: Reading) -> Evidence | None:
    """Evidence of a reading, scores in log10 of odds; None if it says nothing."""
    if reading.phase is None and not reading.enhanced:
        return None
    gain = CLEAR_WORD * reading.weight
    if reading.phase is None:
        scores = {P: 0.0, C1: gain, C2: gain, C3: gain}
    else:
        scores = {phase: gain if phase is reading.phase else 0.0 for phase in Phase}
        if reading.phase in (C2, C3):
            # Consoles copy "venous" to the delayed scan and the other way round; half of all label errors are these.
            scores[C2 if reading.phase is C3 else C3] = 0.25 * gain
    says = reading.phase.label.lower() if reading.phase else "some contrast phase"
    return Evidence(source="text", scores=scores, detail=f'{reading.keyword} has "{reading.word}": {says}')
