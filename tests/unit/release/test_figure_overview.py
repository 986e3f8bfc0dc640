"""The overview says what is true of the release, whichever subject it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from quadphase.cli.main import app
from quadphase.model import Phase
from quadphase.release.figures import overview, write
from quadphase.release.figures.agreement import AgreementPair, draw_agreement
from quadphase.release.figures.overview import OverviewFacts, draw_overview
from quadphase.release.figures.scene import Scene

FACTS = OverviewFacts(
    subjects=1,
    by_type={"HCC": 1},
    images=4,
    phases=(4, 4),
    slices=1234,
    lesion_masks=1,
    liver_masks=4,
    readers=2,
    window_hu=(-200, 200),
)


def drawn(**facts: Any) -> Any:
    liver = np.zeros((20, 20, 10), bool)
    liver[4:16, 4:16, 2:8] = True
    lesions = np.zeros_like(liver)
    lesions[8:12, 8:12, 4:6] = True
    hu = np.where(liver, 60, -100).astype(np.int16)
    scenes = [
        Scene(subject="P0001", phase=phase, hu=hu, liver=liver, lesions=lesions, spacing_mm=(4.0, 4.0, 5.0))
        for phase in Phase
    ]
    return draw_overview(scenes, replace(FACTS, **facts))


def words(figure: Any) -> str:
    return " ".join(text.get_text().replace("\n", " ") for ax in figure.axes for text in ax.texts)


def test_slices_are_counted_whichever_subject_is_shown(
    make_study: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_study(2).build(tmp_path / "release")
    told = []
    monkeypatch.setattr(overview, "draw_overview", lambda _, facts: told.append(facts) or drawn())
    for options in ([], ["--subject", "P0002"]):
        out = tmp_path / f"figures {len(options)}"
        result = CliRunner().invoke(app, ["figures", str(root), str(out), *options])
        assert result.exit_code == 0, result.output
    one, two = told
    assert one == two
    assert (one.slices, one.phases, one.liver_masks) == (8 * 8, (4, 4), 8)


def test_nothing_is_claimed_where_nothing_was_measured(
    make_study: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_study(2).build(tmp_path / "release")
    monkeypatch.setattr(overview, "draw_overview", lambda *_: pytest.fail("drawn"))
    names = {path.stem for path in write.write_figures(write.Release(root), tmp_path / "f", (), subject="P0002")}
    assert names == {"sample_table", "slices", "planes", "phases"}


def test_one_is_not_many() -> None:
    text = words(drawn())
    assert "1 subject HCC 1" in text
    assert "4 volumes, 4 phases a subject" in text
    assert "1 lesion mask, 4 liver masks" in text
    assert "1,234 slices" in text
    assert "3 to 4 phases a subject" in words(drawn(phases=(3, 4)))
    assert "outlined by one reader, sealed" in words(drawn(readers=1))


def test_the_readers_pictures_show_no_reading() -> None:
    figure = drawn()
    copies = [ax for ax in figure.axes if any(text.get_text().startswith("for reader") for text in ax.texts)]
    assert [ax.texts[0].get_text() for ax in copies] == ["for reader 1", "for reader 2"]
    assert all(len(ax.images) == 1 and not ax.collections for ax in copies)


def test_words_are_struck_from_end_to_end() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = drawn()
    FigureCanvasAgg(figure).draw()
    struck = {text.get_text(): (ax, text) for ax in figure.axes for text in ax.texts}
    for n, before in enumerate(("name, id", "dates", "header text")):
        ax, text = struck[before]
        word, line = text.get_window_extent(), ax.lines[n].get_window_extent()
        assert line.x0 == pytest.approx(word.x0, abs=2)
        assert line.x1 == pytest.approx(word.x1, abs=4)  # hinting moves letters by fractions of a pixel


def test_the_line_of_the_median_has_a_name() -> None:
    pairs = [
        AgreementPair(case=f"P{n}", phase=Phase.C1, dice=d, volume_a_ml=9.0, volume_b_ml=10.0)
        for n, d in enumerate((0.2, 0.3, 0.9))
    ]
    (left, _) = draw_agreement(pairs).axes
    (label,) = left.texts
    assert (label.get_text(), label.xy[0]) == ("median", 0.3)
