"""Figure 2 of the paper: axial, coronal and sagittal plane through the largest lesion, and a rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quadphase.imaging.components import components
from quadphase.imaging.crop import bounding_box
from quadphase.release.figures.outline import outline
from quadphase.release.figures.rendering import render_surfaces
from quadphase.release.figures.scene import Scene
from quadphase.release.figures.style import styled

__all__ = ["draw_planes"]


def _target(scene: Scene) -> tuple[int, int, int]:
    """A voxel of the largest lesion nearest to its middle; of the liver where there is no lesion."""
    mask = scene.lesions if scene.lesions.any() else scene.liver
    if not mask.any():
        i, j, k = (n // 2 for n in mask.shape)
        return i, j, k
    found = components(mask)
    largest = int(found.sizes().argmax())
    runs, of = found.runs, found.label == largest
    points = np.stack([(runs.start[of] + runs.stop[of] - 1) // 2, runs.j[of], runs.k[of]], axis=1)
    middle = np.average(points, axis=0, weights=runs.length[of])
    nearest = ((points - middle) * np.array(scene.spacing_mm)) ** 2
    i, j, k = points[int(nearest.sum(axis=1).argmin())]
    return int(i), int(j), int(k)


def _body(scene: Scene) -> tuple[slice, slice]:
    """Rows and columns that hold the patient, so that no picture is mostly air."""
    middle = scene.hu[:, :, scene.hu.shape[2] // 2] > -150
    box = bounding_box(middle[:, :, None] | scene.liver.any(axis=2, keepdims=True))
    if box is None:
        return slice(None), slice(None)
    return box.slices[0], box.slices[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plane:
    """A cut through the image: grey picture, masks, size of a pixel, and the letters of its sides."""

    title: str
    grey: NDArray[Any]
    liver: NDArray[np.bool_]
    lesions: NDArray[np.bool_]
    pixel_mm: tuple[float, float]
    target: tuple[int, int]
    letters: str

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height."""
        rows, columns = self.grey.shape
        return columns * self.pixel_mm[0], rows * self.pixel_mm[1]


def _planes(scene: Scene) -> tuple[_Plane, _Plane, _Plane]:
    i, j, k = _target(scene)
    a, b = _body(scene)
    si, sj, sk = scene.spacing_mm
    up = scene.hu.shape[2] - 1 - k

    def cut(title: str, index: Any, pixel: tuple[float, float], target: tuple[int, int], letters: str) -> _Plane:
        def of(array: NDArray[Any]) -> NDArray[Any]:
            # Pictures have the head up; axial ones the front.
            picture: NDArray[Any] = array[index].T
            return picture if title == "Axial" else picture[::-1]

        return _Plane(
            title=title,
            grey=scene.grey(of(scene.hu)),
            liver=of(scene.liver),
            lesions=of(scene.lesions),
            pixel_mm=pixel,
            target=target,
            letters=letters,
        )

    i0, j0 = a.start or 0, b.start or 0
    return (
        cut("Axial", (a, b, k), (si, sj), (i - i0, j - j0), "RLAP"),
        cut("Coronal", (a, j, slice(None)), (si, sk), (i - i0, up), "RLSI"),
        cut("Sagittal", (i, b, slice(None)), (sj, sk), (j - j0, up), "APSI"),
    )


def draw_planes(scene: Scene) -> Any:
    """The figure. All three planes are in one scale: a millimetre is as long in every picture and direction."""
    axial, coronal, sagittal = _planes(scene)
    gap, head, foot, width = 0.12, 0.24, 0.3, 7.4
    scale = (width - gap) / (coronal.size_mm[0] + sagittal.size_mm[0])
    top, bottom = axial.size_mm[1] * scale, coronal.size_mm[1] * scale
    height = top + bottom + 2 * head + foot
    left = coronal.size_mm[0] * scale
    with styled() as figure_module:
        figure = figure_module.Figure(figsize=(width, height))

        def axes(x: float, y: float, w: float, h: float) -> Any:
            return figure.add_axes((x / width, y / height, w / width, h / height))

        _draw_plane(axes(0, foot + bottom + head, left, top), axial)
        _draw_plane(axes(0, foot, left, bottom), coronal)
        _draw_plane(axes(left + gap, foot, sagittal.size_mm[0] * scale, bottom), sagittal)
        ax = axes(left + gap, foot + bottom + head, sagittal.size_mm[0] * scale, top)
        ax.imshow(render_surfaces(scene), interpolation="bilinear")
        ax.set_title("From the front right", loc="left", pad=3)
        ax.set_axis_off()
        figure.text(
            0.0,
            0.0,
            f"{scene.subject}, {scene.phase.label.lower()} phase. Liver in red, lesions in blue. Bars are 50 mm.",
            fontsize=8,
            va="bottom",
        )
    return figure


def _draw_plane(ax: Any, plane: _Plane) -> None:
    width, height = plane.size_mm
    ax.imshow(plane.grey, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0), interpolation="bilinear")
    outline(ax, plane.liver, plane.lesions, pixel_mm=plane.pixel_mm)
    ax.set_title(plane.title, loc="left", pad=3)
    for line, at, step in ((ax.axvline, plane.target[0], 0), (ax.axhline, plane.target[1], 1)):
        line((at + 0.5) * plane.pixel_mm[step], color="white", linewidth=0.5, alpha=0.4)
    style = {"color": "white", "fontsize": 7, "alpha": 0.9, "transform": ax.transAxes}
    for letter, x, y, ha, va in zip(
        plane.letters,
        (0.01, 0.99, 0.5, 0.5),
        (0.5, 0.5, 0.98, 0.02),
        ("left", "right", "center", "center"),
        ("center", "center", "top", "bottom"),
        strict=True,
    ):
        ax.text(x, y, letter, ha=ha, va=va, **style)
    if width > 80:
        x, y = width - 58, height - 7
        ax.plot([x, x + 50], [y, y], color="white", linewidth=2, solid_capstyle="butt")
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
