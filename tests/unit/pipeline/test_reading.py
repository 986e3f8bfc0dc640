"""Importing the readings of a folder: what is no case is counted, never named."""

from __future__ import annotations

from pathlib import Path

from quadphase.io.study import Study
from quadphase.model import Status
from quadphase.pipeline.reading import import_readings


def test_folders_called_after_patients_are_counted_not_named(ready: Study, tmp_path: Path) -> None:
    given = tmp_path / "given"
    for name in ("QX-000001 Somebody", "P9999"):
        (given / name).mkdir(parents=True)
        (given / name / "C1.nii.gz").write_bytes(b"never opened")
    outcomes = import_readings(ready.root, ready.protocol.annotate.readers[0], given)
    assert [(o.case, o.status) for o in outcomes] == [
        ("folder 1 of 2", Status.FAILED),
        ("folder 2 of 2", Status.FAILED),
    ]
    assert "Somebody" not in repr(outcomes)
