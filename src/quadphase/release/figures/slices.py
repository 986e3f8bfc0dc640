"""Figure 3 of the paper: five consecutive slices in three rows (annotated, lesion alone, liver alone)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from quadphase.release.figures.outline import outline
from quadphase.release.figures.scene import Scene
from quadphase.release.figures.style import styled

__all__ = ["draw_slices"]

COUNT: Final = 5


def _five(scene: Scene) -> range:
    """Consecutive slices around the largest lesion area (else liver area), as many as the image has, at most five."""
    mask = scene.lesions if scene.lesions.any() else scene.liver
    depth = mask.shape[2]
    area = mask.sum(axis=(0, 1))
    count = min(COUNT, depth)
    sums = np.convolve(area, np.ones(count, int), mode="valid")
    first = int(sums.argmax())
    return range(first, first + count)


def draw_slices(scene: Scene) -> Any:
    """The figure; slices run from the feet to the head, left to right."""
    chosen = _five(scene)
    box = scene.box_around(scene.liver | scene.lesions, 15.0)
    a, b, _ = box.slices
    si, sj, sk = scene.spacing_mm
    height = 1.0 * (b.stop - b.start) * sj / ((a.stop - a.start) * si)
    with styled() as figure_module:
        width, foot, head, side = 1.75, 0.26, 0.2, 0.22
        tall, gap = width * height, 0.04
        total = (side + len(chosen) * (width + gap), foot + 3 * (tall + gap) + head)
        figure = figure_module.Figure(figsize=total)
        for column, k in enumerate(chosen):
            hu, liver, lesion = scene.hu[a, b, k].T, scene.liver[a, b, k].T, scene.lesions[a, b, k].T
            grey = scene.grey(hu)
            pictures = (grey, np.where(lesion, grey, 0.0), np.where(liver | lesion, grey, 0.0))
            for row, picture in enumerate(pictures):
                x, y = side + column * (width + gap), foot + (2 - row) * (tall + gap)
                ax = figure.add_axes((x / total[0], y / total[1], width / total[0], tall / total[1]))
                size = (picture.shape[1] * si, picture.shape[0] * sj)
                ax.imshow(
                    picture, cmap="gray", vmin=0, vmax=1, extent=(0, size[0], size[1], 0), interpolation="bilinear"
                )
                if row == 0:
                    outline(ax, liver, lesion, pixel_mm=(si, sj))
                    ax.set_title(f"slice {k + 1}", fontsize=8, pad=3)
                ax.set(xlim=(0, size[0]), ylim=(size[1], 0))
                ax.set_axis_off()
        for row, name in enumerate(("Liver and lesion", "Lesion alone", "Liver alone")):
            y = (foot + (2 - row + 0.5) * (tall + gap)) / total[1]
            figure.text(0.09 / total[0], y, name, rotation=90, ha="center", va="center")
        figure.text(
            side / total[0],
            0.0,
            f"{scene.subject}, {scene.phase.label.lower()} phase. Liver in red, lesion in blue. "
            f"Slices are {sk:.2f} mm apart, from feet to head.",
            fontsize=8,
            va="bottom",
        )
    return figure
