"""Figure 1 of the paper: how the dataset was made, drawn with pictures and numbers of the dataset itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from quadphase.release.figures.outline import outline
from quadphase.release.figures.scene import Scene
from quadphase.release.figures.style import GREY, INK, PALETTE, styled
from quadphase.release.wording import counted

__all__ = ["OverviewFacts", "draw_overview"]

WIDTH: Final = 2.35
HEIGHT: Final = 2.25
GAP: Final = 0.36
_FILL: Final = "#f3f6f9"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewFacts:
    """Numbers for the boxes.

    Parameters
    ----------
    phases : (int, int)
        Fewest and most phases of a subject.
    """

    subjects: int
    by_type: Mapping[str, int]
    images: int
    phases: tuple[int, int]
    slices: int
    lesion_masks: int
    liver_masks: int
    readers: int
    window_hu: tuple[int, int] | None


def draw_overview(scenes: Sequence[Scene], facts: OverviewFacts) -> Any:
    """The figure: eight steps in two rows, read like text.

    Parameters
    ----------
    scenes : sequence of Scene
        Phases of one subject, in order; the arterial one (else the last) shows the single-phase steps.
    facts : OverviewFacts
    """
    shown = next((scene for scene in scenes if scene.phase.value == "C1"), scenes[-1])
    window = f"clipped to {facts.window_hu[0]}…{facts.window_hu[1]} HU" if facts.window_hu else "full range of HU"
    types = "  ".join(f"{name} {count}" for name, count in sorted(facts.by_type.items()))
    phases = " to ".join(map(str, sorted(set(facts.phases))))
    apart = f"{facts.readers} readers\napart" if facts.readers > 1 else "one reader"
    steps: tuple[tuple[str, str], ...] = (
        ("1  Patients", f"{counted(facts.subjects, 'subject')}\n{types}"),
        (
            "2  CT exams",
            f"{counted(facts.images, 'volume')},\n{phases} {'phase' if phases == '1' else 'phases'} a subject",
        ),
        ("3  Exact volumes", "DICOM positions proved,\nHounsfield units kept"),
        ("4  Liver", f"slices with liver kept,\n{window}"),
        ("5  Readings", f"lesions outlined by {apart}, sealed, then compared"),
        ("6  Consensus", f"{counted(facts.lesion_masks, 'lesion mask')},\n{counted(facts.liver_masks, 'liver mask')}"),
        ("7  De-identification", "files built new, random\nnumbers, bytes searched"),
        ("8  Release and audit", f"{facts.slices:,} slices, measured\nagain from the files"),
    )
    columns = 4
    total = (columns * WIDTH + (columns - 1) * GAP, 2 * HEIGHT + GAP + 0.02)
    with styled() as figure_module:
        from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

        figure = figure_module.Figure(figsize=total)
        page = figure.add_axes((0, 0, 1, 1))
        page.set(xlim=(0, total[0]), ylim=(0, total[1]))
        page.set_axis_off()
        for number, (title, text) in enumerate(steps):
            row, column = divmod(number, columns)
            x, y = column * (WIDTH + GAP), (1 - row) * (HEIGHT + GAP)
            page.add_patch(
                FancyBboxPatch(
                    (x + 0.06, y + 0.06),
                    WIDTH - 0.12,
                    HEIGHT - 0.12,
                    boxstyle="round,pad=0.04,rounding_size=0.09",
                    facecolor=_FILL,
                    edgecolor="#cfd7df",
                    linewidth=0.8,
                )
            )
            page.text(x + 0.14, y + HEIGHT - 0.2, title, weight="bold", fontsize=9.5, va="center")
            page.text(x + 0.14, y + 0.3, text, fontsize=7.6, va="center", color=INK, linespacing=1.35)
            _picture(
                figure, total, (x + 0.14, y + 0.56), (WIDTH - 0.28, HEIGHT - 0.94), number, scenes, shown, facts.readers
            )
        for number in range(len(steps) - 1):
            row, column = divmod(number, columns)
            y = (1 - row) * (HEIGHT + GAP) + HEIGHT / 2
            if column < columns - 1:
                ends = ((column * (WIDTH + GAP) + WIDTH + 0.03, y), ((column + 1) * (WIDTH + GAP) - 0.03, y))
                page.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=11, color=GREY, linewidth=1.1))
            else:
                middle = HEIGHT + GAP / 2
                x0, x1 = column * (WIDTH + GAP) + WIDTH / 2, WIDTH / 2
                page.plot([x0, x0, x1], [HEIGHT + GAP, middle, middle], color=GREY, linewidth=1.1)
                page.add_patch(
                    FancyArrowPatch(
                        (x1, middle), (x1, HEIGHT - 0.03), arrowstyle="-|>", mutation_scale=11, color=GREY, shrinkA=0
                    )
                )
    return figure


def _picture(
    figure: Any,
    total: tuple[float, float],
    at: tuple[float, float],
    size: tuple[float, float],
    number: int,
    scenes: Sequence[Scene],
    shown: Scene,
    readers: int,
) -> None:
    """Fill the middle of box `number` (0-based)."""

    def axes(x: float, y: float, w: float, h: float) -> Any:
        ax = figure.add_axes(((at[0] + x) / total[0], (at[1] + y) / total[1], w / total[0], h / total[1]))
        ax.set_axis_off()
        return ax

    width, height = size
    if number == 0:
        _people(axes(0, 0, width, height))
    elif number == 1:
        step = min(0.3, width * 0.14)
        for n, scene in enumerate(scenes):
            ax = axes(n * step, height * 0.09 * (len(scenes) - 1 - n), width - step * (len(scenes) - 1), height * 0.72)
            _axial(ax, scene, frame=True, label=scene.phase.value)
    elif number == 2:
        _coronal(axes(0, 0, width, height), shown, kept=False)
    elif number == 3:
        _coronal(axes(0, 0, width, height), shown, kept=True)
    elif number == 4:
        # A release holds no reading: what is shown is the bare picture that each reader gets.
        copies = min(max(readers, 1), 3)
        part = (width + 0.06) / copies
        for n in range(copies):
            _axial(axes(n * part, 0, part - 0.06, height), shown, zoom=True, label=f"for reader {n + 1}")
    elif number == 5:
        _axial(axes(0, 0, width, height), shown, liver=True, outlined=True)
    elif number == 6:
        _shield(axes(0, 0, width, height))
    else:
        _files(axes(0, 0, width, height))


def _axial(
    ax: Any,
    scene: Scene,
    *,
    frame: bool = False,
    label: str = "",
    liver: bool = False,
    outlined: bool = False,
    zoom: bool = False,
) -> None:
    mask = scene.lesions if scene.lesions.any() else scene.liver
    k = int(mask.sum(axis=(0, 1)).argmax())
    target = mask if zoom else scene.liver | scene.lesions
    a, b, _ = scene.box_around(target, 25.0 if zoom else 12.0).slices
    grey, lesions = scene.grey(scene.hu[a, b, k].T), scene.lesions[a, b, k].T
    width, height = grey.shape[1] * scene.spacing_mm[0], grey.shape[0] * scene.spacing_mm[1]
    ax.imshow(grey, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0), interpolation="bilinear")
    if outlined:
        around = scene.liver[a, b, k].T if liver else np.zeros_like(lesions)
        outline(ax, around, lesions, pixel_mm=scene.spacing_mm[:2])
    if label:
        from matplotlib.patheffects import withStroke

        words = ax.text(0.03, 0.96, label, transform=ax.transAxes, color="white", fontsize=7.5, va="top", weight="bold")
        words.set_path_effects([withStroke(linewidth=1.6, foreground="black")])  # to be read on bone and enhanced liver
    if frame:
        ax.add_patch(_rectangle(width, height))
    ax.set(xlim=(0, width), ylim=(height, 0))


def _rectangle(width: float, height: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((0, 0), width, height, fill=False, edgecolor="white", linewidth=1.6)


def _coronal(ax: Any, scene: Scene, *, kept: bool) -> None:
    j = int(scene.liver.sum(axis=(0, 2)).argmax())
    grey, liver = scene.grey(scene.hu[:, j, :].T[::-1]), scene.liver[:, j, :].T[::-1]
    si, _, sk = scene.spacing_mm
    width, height = grey.shape[1] * si, grey.shape[0] * sk
    ax.imshow(grey, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0), interpolation="bilinear")
    if kept:
        outline(ax, liver, np.zeros_like(liver), pixel_mm=(si, sk), tint=0.2)
    else:
        every = max(1, round(8.0 / sk))
        for row in range(0, grey.shape[0] + 1, every):
            ax.axhline(row * sk, color=PALETTE[5], linewidth=0.35, alpha=0.8)
    ax.set(xlim=(0, width), ylim=(height, 0))


def _people(ax: Any) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch

    ax.set(xlim=(0, 10), ylim=(0, 6), aspect="equal")
    for n, (x, y, s) in enumerate(((2.4, 2.4, 0.85), (7.6, 2.4, 0.85), (5.0, 1.7, 1.15))):
        colour = (PALETTE[5], PALETTE[5], PALETTE[0])[n]
        ax.add_patch(
            FancyBboxPatch(
                (x - 0.95 * s, y - 1.3 * s),
                1.9 * s,
                1.9 * s,
                boxstyle=f"round,pad=0,rounding_size={0.8 * s}",
                facecolor=colour,
                edgecolor=_FILL,
                linewidth=2,
            )
        )
        ax.add_patch(Circle((x, y + 1.35 * s), 0.68 * s, facecolor=colour, edgecolor=_FILL, linewidth=2))


def _shield(ax: Any) -> None:
    from matplotlib.textpath import TextPath

    ax.set(xlim=(0, 10), ylim=(0, 6), aspect="equal")
    points_a_unit = 72 * (WIDTH - 0.28) / 10
    for n, (before, after) in enumerate((("name, id", "P0137"), ("dates", "intervals"), ("header text", "none"))):
        y = 4.9 - n * 1.9
        ax.text(0.0, y, before, fontsize=8, va="center", color=GREY)
        length = TextPath((0, 0), before, size=8).get_extents().x1 / points_a_unit
        ax.plot([0.0, length], [y, y], color=PALETTE[1], linewidth=1.4, solid_capstyle="butt")
        ax.annotate("", xy=(5.9, y), xytext=(4.1, y), arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 1.0})
        ax.text(6.3, y, after, fontsize=8, va="center", color=INK, weight="bold")


def _files(ax: Any) -> None:
    ax.set(xlim=(0, 10), ylim=(0, 6), aspect="equal")
    names = ("ct_files/", "mask_files/", "liver_mask_files/", "patient_data.csv", "checksums.sha256")
    for n, name in enumerate(names):
        y = 5.5 - n * 1.22
        ax.text(0.4, y, "✓", fontsize=9, va="center", color=PALETTE[2], weight="bold")
        ax.text(1.4, y, name, fontsize=8, va="center", family="DejaVu Sans Mono")
