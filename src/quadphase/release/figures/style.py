"""How every figure looks, and how it is saved: SVG and PNG whose bytes depend on the picture alone.

The liver is red and the lesion blue, as in the paper; other colours are Okabe & Ito's, told apart with any colour
vision
(https://jfly.uni-koeln.de/color/).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from quadphase.io import atomic

__all__ = ["GREY", "INK", "LESION", "LIVER", "PALETTE", "Saved", "save_figure", "styled"]

LIVER: Final = "#e8442e"
LESION: Final = "#2f9bff"
INK: Final = "#1d2733"
GREY: Final = "#8a94a0"
PALETTE: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

Saved = tuple[Path, Path]
"""Paths of the SVG and the PNG."""

_STYLE: Final[dict[str, Any]] = {
    "svg.hashsalt": "quadphase",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same glyphs on every machine
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "image.interpolation": "antialiased",
}


@contextmanager
def styled() -> Iterator[Any]:
    """`matplotlib.figure` with our style in force; pyplot and its global state are never touched."""
    import matplotlib as mpl
    from matplotlib import figure

    with mpl.rc_context(cast(Any, _STYLE)):
        yield figure


def save_figure(figure: Any, folder: Path, name: str, *, dpi: int = 200) -> Saved:
    """Write ``name.svg`` and ``name.png`` without date, software name or other traces of the machine."""
    paths = []
    for form, metadata in (
        ("svg", {"Date": None, "Creator": None, "Format": None, "Type": None}),
        ("png", {"Software": None}),
    ):
        stream = io.BytesIO()
        with styled():  # the salt of SVG ids counts while saving, not while drawing
            figure.savefig(stream, format=form, dpi=dpi, metadata=metadata, bbox_inches="tight", pad_inches=0.08)
        paths.append(atomic.write_bytes(folder / f"{name}.{form}", stream.getvalue()))
    return paths[0], paths[1]
