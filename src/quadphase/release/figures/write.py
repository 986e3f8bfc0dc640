"""All figures of a release into its `figures/` folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from quadphase.errors import InputError
from quadphase.io.release import Release, ReleasedPhase
from quadphase.model import Phase
from quadphase.release.description import load_description, stated_readers, stated_window
from quadphase.release.figures.overview import OverviewFacts
from quadphase.release.figures.style import save_figure
from quadphase.statistics.measures import ImageMeasures

__all__ = ["FIGURES_FOLDER", "find_phase", "is_figures_folder", "write_figures"]

FIGURES_FOLDER: Final = "figures"

_FIGURES: Final = ("sample_table", "slices", "planes", "phases", "overview", "agreement")


def is_figures_folder(folder: Path) -> bool:
    """Whether a folder holds figures of ours and nothing else."""
    known = {f"{name}.{form}" for name in _FIGURES for form in ("svg", "png")}
    return all(path.is_file() and path.name in known for path in folder.iterdir())


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
    agreement: Mapping[str, Any] | None = None,
) -> tuple[Path, ...]:
    """Draw what the release supports.

    Parameters
    ----------
    folder : Path
        Where SVG and PNG go.
    measures : tuple of ImageMeasures
        Of all images, to choose a typical one and to count slices; none for a release whose subject is given and that
        states none.
    subject, phase
        The image to show instead of a typical one.
    agreement : mapping, optional
        Content of the study's ``reports/agreement.json``.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    InputError
        ``"no-subject"``, ``"no-phase"``, ``"bad-description"``; as `load_scene`.
    """
    from quadphase.release.figures.agreement import agreement_pairs, draw_agreement
    from quadphase.release.figures.overview import draw_overview
    from quadphase.release.figures.phases import draw_phases
    from quadphase.release.figures.planes import draw_planes
    from quadphase.release.figures.sample_table import draw_sample_table
    from quadphase.release.figures.scene import load_scene
    from quadphase.release.figures.slices import draw_slices

    drawn: dict[str, Any] = {"sample_table": draw_sample_table(release)}
    image = find_phase(release, measures, subject=subject, phase=phase)
    if image is not None:
        scenes = [load_scene(p) for p in release[image.row.subject] if p.ct_path is not None and p.ct_path.is_file()]
        shown = next((scene for scene in scenes if scene.phase is image.name), None)
        if shown is not None:
            drawn["slices"] = draw_slices(shown)
            drawn["planes"] = draw_planes(shown)
            drawn["phases"] = draw_phases(scenes)
            made_by_us = load_description(release.root)
            # The overview says how *we* make datasets; of another's release it would be untrue.
            if made_by_us is not None and measures:
                drawn["overview"] = draw_overview(scenes, _overview_facts(release, measures, made_by_us))
    if agreement is not None:
        pairs = agreement_pairs(agreement)
        if pairs:
            drawn["agreement"] = draw_agreement(pairs)
    return tuple(path for name, figure in drawn.items() for path in save_figure(figure, folder, name))


def _overview_facts(release: Release, measures: tuple[ImageMeasures, ...], made: Mapping[str, Any]) -> OverviewFacts:
    types = Counter(s.diagnosis.label for s in release if s.diagnosis is not None)
    phases = [len(subject.phases) for subject in release]
    return OverviewFacts(
        subjects=len(release),
        by_type=dict(types),
        images=len(release.rows),
        phases=(min(phases), max(phases)),
        slices=sum(m.slices for m in measures),
        lesion_masks=sum(row.mask_path is not None for row in release.rows),
        liver_masks=sum(row.liver_mask_path is not None for row in release.rows),
        readers=stated_readers(made),
        window_hu=stated_window(made),
    )
