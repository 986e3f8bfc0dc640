"""A clinical table of one row, to be changed by the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quadphase.io.study import Study

ELIGIBLE = {
    "patient_id": "QX-000731",
    "name": "Zhang San",
    "sex": "男",
    "birth_date": "1960-05-17",
    "diagnosis_date": "2019-03-13",
    "morphology_code": "M81700/3",
    "pathology_confirmed": "是",
    "surgery_date": "2019/3/20",
    "prior_treatment": "否",
    "icd10": "C22.0;B18.1",
    "accession_number": "",
    "group": "cancer",
}

Writer = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Writer:
    """``table({"age": "17"}, {...})``: CSV with one row a mapping, each an eligible patient but for the given cells."""

    def write(*rows: dict[str, str | None], name: str = "clinical.csv") -> Path:
        full = [{**ELIGIBLE, "patient_id": f"QX-{n:06d}", **row} for n, row in enumerate(rows)]
        gone = {column for row in rows for column, value in row.items() if value is None}
        header = [column for column in dict.fromkeys(c for row in full for c in row) if column not in gone]
        lines = [",".join(header), *(",".join(f'"{row.get(c) or ""}"' for c in header) for row in full)]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return write


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.create(tmp_path / "study")
