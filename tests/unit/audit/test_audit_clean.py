"""No false alarm: clean releases, of our layout and of others', windowed and full range, have no finding."""

from __future__ import annotations

from pathlib import Path

from quadphase.audit import audit

from .conftest import Item, write_plain


def test_our_release_is_clean(ours: Path) -> None:
    report = audit(ours)
    assert report.findings == ()
    assert len(report.facts) == 12


def test_full_range_release_is_clean(full_range: tuple[Item, ...], tmp_path: Path) -> None:
    report = audit(write_plain(tmp_path, full_range))
    assert set(report.counts) == {"checksums-absent"}
