"""All figures of a release into its `figures/` folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from quadphase.errors import InputError
from quadphase.io.release import Release, ReleasedPhase
from quadphase.model import Phase
from quadphase.release.figures.style import save_figure
from quadphase.statistics.measures import ImageMeasures

__all__ = ["FIGURES_FOLDER", "find_phase", "write_figures"]

FIGURES_FOLDER: Final = "figures"


def find_phase(
    release: Release, measures: tuple[ImageMeasures, ...], *, subject: str | None, phase: Phase | None
) -> ReleasedPhase | None:
    """The image to show: the one asked for, or a typical one; None for a release without images.

    Raises
    ------
    InputError
        ``"no-subject"``, ``"no-phase"``.
    """
    from quadphase.release.figures.scene import choose_phase

    if subject is None:
        return choose_phase(release, measures)
    chosen = release[subject]
    if phase is not None:
        return chosen.phase(phase)
    if not chosen.phases:
        raise InputError("no-phase", f"{subject} has no image")
    return next((p for p in chosen if p.name is Phase.C1), chosen.phases[0])


def write_figures(
    release: Release,
    folder: Path,
    measures: tuple[ImageMeasures, ...],
    *,
    subject: str | None = None,
    phase: Phase | None = None,
) -> tuple[Path, ...]:
    """Draw what the release supports.

    Parameters
    ----------
    folder : Path
        Where SVG and PNG go.
    measures : tuple of ImageMeasures
        Of all images, to choose a typical one.
    subject, phase
        The image to show instead of a typical one.

    Returns
    -------
    tuple of Path
        The files written.
    """
    from quadphase.release.figures.scene import load_scene
    from quadphase.release.figures.slices import draw_slices

    drawn: dict[str, Any] = {}
    image = find_phase(release, measures, subject=subject, phase=phase)
    if image is not None:
        scene = load_scene(image)
        drawn["slices"] = draw_slices(scene)
    return tuple(path for name, figure in drawn.items() for path in save_figure(figure, folder, name))
