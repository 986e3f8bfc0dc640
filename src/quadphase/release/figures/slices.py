"""Figure 3 of the paper: five consecutive slices in three rows (annotated, lesion alone, liver alone)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quadphase.release.figures.scene import Scene
from quadphase.release.figures.style import LESION, LIVER, styled

__all__ = ["draw_slices", "overlay"]

COUNT: Final = 5


def overlay(
    grey: NDArray[Any], liver: NDArray[np.bool_], lesions: NDArray[np.bool_], *, strength: float = 0.33
) -> NDArray[np.float32]:
    """RGB ``(rows, columns, 3)`` of a grey picture with liver and lesion tinted, their outlines at full strength."""
    from matplotlib.colors import to_rgb
    from scipy.ndimage import binary_erosion

    rgb = np.repeat(np.asarray(grey, np.float32)[..., None], 3, axis=-1)
    for mask, colour in ((liver & ~lesions, LIVER), (lesions, LESION)):
        tint = np.array(to_rgb(colour), np.float32)
        rgb[mask] = (1 - strength) * rgb[mask] + strength * tint
    for mask, colour in ((liver, LIVER), (lesions, LESION)):
        edge = mask & ~binary_erosion(mask)
        rgb[edge] = np.array(to_rgb(colour), np.float32)
    return rgb


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
    rows = ("Liver and lesion", "Lesion", "Liver")
    with styled() as figure_module:
        width = 2.0
        figure = figure_module.Figure(figsize=(width * len(chosen) + 0.3, 3 * width * height + 0.4))
        axes = figure.subplots(
            3, len(chosen), squeeze=False, gridspec_kw={"wspace": 0.03, "hspace": 0.03, "left": 0.03, "right": 1.0}
        )
        for column, k in enumerate(chosen):
            hu, liver, lesion = scene.hu[a, b, k].T, scene.liver[a, b, k].T, scene.lesions[a, b, k].T
            grey = scene.grey(hu)
            for row, picture in enumerate(
                (overlay(grey, liver, lesion), np.where(lesion, grey, 0.0), np.where(liver | lesion, grey, 0.0))
            ):
                ax = axes[row][column]
                ax.imshow(picture, cmap="gray", vmin=0, vmax=1, aspect=sj / si)
                ax.set_xticks([])
                ax.set_yticks([])
                ax.spines[:].set_visible(False)
                if column == 0:
                    ax.set_ylabel(rows[row])
                if row == 0:
                    ax.set_title(f"slice {k + 1}", fontsize=8, pad=3)
        figure.supxlabel(
            f"{scene.subject}, {scene.phase.label.lower()} phase, slices {sk:.2f} mm apart", fontsize=8, y=0.02
        )
    return figure
