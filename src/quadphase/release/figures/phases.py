"""One subject in every phase: how liver and lesion enhance, each phase at the slice its lesion is largest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quadphase.release.figures.outline import outline
from quadphase.release.figures.scene import Scene
from quadphase.release.figures.style import styled

__all__ = ["draw_phases"]


def draw_phases(scenes: Sequence[Scene]) -> Any:
    """The figure: without outlines above, with outlines below.

    Parameters
    ----------
    scenes : sequence of Scene
        Phases of one subject, in order.
    """
    each, gap, head, foot = 1.8, 0.04, 0.22, 0.26
    pictures = []
    for scene in scenes:
        mask = scene.lesions if scene.lesions.any() else scene.liver
        k = int(mask.sum(axis=(0, 1)).argmax())
        a, b = _part(scene, scenes)
        pictures.append((scene, scene.grey(scene.hu[a, b, k].T), scene.liver[a, b, k].T, scene.lesions[a, b, k].T, k))
    sizes = [(g.shape[1] * s.spacing_mm[0], g.shape[0] * s.spacing_mm[1]) for s, g, *_ in pictures]
    tall = each * max(h / w for w, h in sizes)
    total = (len(scenes) * (each + gap), 2 * (tall + gap) + head + foot)
    with styled() as figure_module:
        figure = figure_module.Figure(figsize=total)
        for column, (scene, grey, liver, lesions, k) in enumerate(pictures):
            width, height = sizes[column]
            for row in range(2):
                x, y = column * (each + gap), foot + (1 - row) * (tall + gap)
                ax = figure.add_axes((x / total[0], y / total[1], each / total[0], tall / total[1]))
                ax.imshow(grey, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0), interpolation="bilinear")
                if row == 0:
                    ax.set_title(f"{scene.phase.value} {scene.phase.label.lower()}, slice {k + 1}", fontsize=8, pad=3)
                else:
                    outline(ax, liver, lesions, pixel_mm=scene.spacing_mm[:2], tint=0.06)
                ax.set(xlim=(0, width), ylim=(height, 0))
                ax.set_axis_off()
        names = ", ".join(scene.phase.label.lower() for scene in scenes)
        text = f"{scenes[0].subject}: {names}. Liver in red, lesions in blue."
        figure.text(0.0, 0.0, text, fontsize=8, va="bottom")
    return figure


def _part(scene: Scene, scenes: Sequence[Scene]) -> tuple[slice, slice]:
    """Rows and columns to show: the same for all phases that share matrix and spacing, so that pictures compare."""
    alike = all(s.hu.shape[:2] == scene.hu.shape[:2] and s.spacing_mm[:2] == scene.spacing_mm[:2] for s in scenes)
    boxes = [s.box_around(s.liver | s.lesions, 18.0) for s in (scenes if alike else (scene,))]
    i, j = (slice(min(box.start[axis] for box in boxes), max(box.stop[axis] for box in boxes)) for axis in (0, 1))
    return i, j
