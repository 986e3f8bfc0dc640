"""The flow diagram as a standalone SVG: boxes as wide and tall as their text, no library, the same bytes every time.

Text is measured with the advance widths of Helvetica (the AFM of the PostScript core fonts, which Arial and
Liberation Sans share), so it fits in every viewer; characters the table lacks count as a full em.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from quadphase.cohort.flow import Flow, FlowStep

__all__ = ["flow_svg", "text_width"]

_WIDTHS: Final[Mapping[str, int]] = {
    **dict.fromkeys("ijl'", 222),
    **dict.fromkeys(" !,./:;I[]\\ft|", 278),
    **dict.fromkeys("()-r`", 333),
    **dict.fromkeys("ckszvxyJ", 500),
    **dict.fromkeys("0123456789abdeghnopqu$#_?L", 556),
    **dict.fromkeys("+<=>~", 584),
    **dict.fromkeys("FTZ", 611),
    **dict.fromkeys("ABEKPSVXY&", 667),
    **dict.fromkeys("CDHNRUw", 722),
    **dict.fromkeys("GOQ", 778),
    **dict.fromkeys("mM", 833),
    "W": 944,
    "%": 889,
    "–": 556,
}
"""Thousandths of an em. ``*`` and the like fall back to 1000, which only makes a box wider."""

_SIZE: Final = 13.0
_LINE: Final = 18.0
_PAD_X: Final = 16.0
_PAD_Y: Final = 11.0
_GAP: Final = 34.0
_SIDE: Final = 44.0
_BOLD: Final = 1.08
_INK, _SOFT, _MAIN, _OUT, _END = "#1b2733", "#5a6b7b", "#eaf2fa", "#f7f3ee", "#e6f4ea"


def text_width(text: str, *, size: float = _SIZE, bold: bool = False) -> float:
    """Width of a line in pixels."""
    return sum(_WIDTHS.get(c, 1000) for c in text) / 1000 * size * (_BOLD if bold else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    lines: tuple[tuple[str, bool], ...]
    """(text, bold)."""
    fill: str
    left: bool = False

    @property
    def width(self) -> float:
        return max(text_width(text, bold=bold) for text, bold in self.lines) + 2 * _PAD_X

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + 2 * _PAD_Y

    def draw(self, x: float, y: float, width: float) -> list[str]:
        size = f'width="{width:.1f}" height="{self.height:.1f}"'
        parts = [f'<rect x="{x:.1f}" y="{y:.1f}" {size} rx="5" fill="{self.fill}" stroke="{_INK}" stroke-width="1.2"/>']
        anchor, at = ("start", x + _PAD_X) if self.left else ("middle", x + width / 2)
        for number, (text, bold) in enumerate(self.lines):
            weight = ' font-weight="bold"' if bold else ""
            base = y + _PAD_Y + number * _LINE + 0.76 * _LINE
            parts.append(f'<text x="{at:.1f}" y="{base:.1f}" text-anchor="{anchor}"{weight}>{escape(text)}</text>')
        return parts


def _diagnoses(counts: Mapping[str, int]) -> list[str]:
    """``HCC 94, ICC 99, …`` on lines of at most three."""
    words = [f"{label} {n:,}" for label, n in counts.items()]
    return [", ".join(words[i : i + 3]) for i in range(0, len(words), 3)]


def _main_box(title: str, n: int, counts: Mapping[str, int], *, end: bool = False) -> _Box:
    lines = [(f"{title} (n = {n:,})", True), *((line, False) for line in _diagnoses(counts))]
    return _Box(lines=tuple(lines), fill=_END if end else _MAIN)


def _wrap(text: str, width: float = 330.0) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _out_box(step: FlowStep) -> _Box:
    lines: list[tuple[str, bool]] = [(f"{step.out_title} (n = {step.out:,})", True)]
    for title, n in step.reasons:
        first, *rest = _wrap(f"{title} (n = {n:,})")
        lines.append((first, False))
        lines += [("    " + line, False) for line in rest]
    if step.waiting:
        lines.append((f"Not decided yet (n = {step.waiting:,})", True))
    return _Box(lines=tuple(lines), fill=_OUT, left=True)


def flow_svg(flow: Flow) -> str:
    """Text of the SVG file."""
    mains = [_main_box("Patients in the clinical table", flow.total, flow.total_by_diagnosis)]
    outs: list[_Box | None] = []
    for number, step in enumerate(flow.steps, start=1):
        outs.append(_out_box(step) if step.out or step.waiting else None)
        mains.append(_main_box(step.title, step.passed, step.passed_by_diagnosis, end=number == len(flow.steps)))
    several = any(sum(n for _, n in step.reasons) > step.out for step in flow.steps)
    note = "A patient can have several reasons and is then counted under each." if several else ""
    return _draw(flow.title, mains, outs, note)


def _draw(title: str, mains: Sequence[_Box], outs: Sequence[_Box | None], note: str) -> str:
    margin = 24.0
    width = max(box.width for box in mains)
    out_width = max((box.width for box in outs if box), default=0.0)
    total_width = margin * 2 + width + (_SIDE + out_width if out_width else 0.0)
    total_width = max(
        total_width, text_width(title, size=16, bold=True) + 2 * margin, text_width(note, size=11) + 2 * margin
    )
    parts: list[str] = []
    y = margin
    if title:
        parts.append(
            f'<text x="{margin:.1f}" y="{y + 14:.1f}" font-size="16" font-weight="bold">{escape(title)}</text>'
        )
        y += 36
    middle = margin + width / 2
    for number, box in enumerate(mains):
        parts += box.draw(margin, y, width)
        y += box.height
        if number == len(mains) - 1:
            break
        side = outs[number]
        space = max(_GAP, side.height + _GAP if side else 0.0)
        parts.append(_arrow(middle, y, middle, y + space))
        if side:
            center = y + space / 2
            parts.append(_arrow(middle, center, margin + width + _SIDE, center))
            parts += side.draw(margin + width + _SIDE, center - side.height / 2, out_width)
        y += space
    if note:
        y += 24
        parts.append(f'<text x="{margin:.1f}" y="{y:.1f}" font-size="11" fill="{_SOFT}">{escape(note)}</text>')
    height = y + margin
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total_width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {total_width:.0f} {height:.0f}" role="img" aria-label="Flow of patients" '
        f'font-family="Helvetica, Arial, Liberation Sans, sans-serif" font-size="{_SIZE:.0f}" fill="{_INK}">'
    )
    background = f'<rect width="{total_width:.0f}" height="{height:.0f}" fill="white"/>'
    return "\n".join([head, background, *parts, "</svg>"]) + "\n"


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line with a filled head; drawn as paths because some viewers ignore markers."""
    head = 7.0
    if x1 == x2:
        tip = f"M{x2:.1f} {y2:.1f}l-4.5 -{head:.0f}h9z"
        line = f"M{x1:.1f} {y1:.1f}V{y2 - head:.1f}"
    else:
        tip = f"M{x2:.1f} {y2:.1f}l-{head:.0f} -4.5v9z"
        line = f"M{x1:.1f} {y1:.1f}H{x2 - head:.1f}"
    return f'<path d="{line}" fill="none" stroke="{_INK}" stroke-width="1.2"/><path d="{tip}" fill="{_INK}"/>'
