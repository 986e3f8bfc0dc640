"""`Release` shows a table as it is: NA, older names, odd cells, and images read on demand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quadphase.errors import InputError
from quadphase.io.nifti import save_mask, save_volume
from quadphase.io.release import Release
from quadphase.io.release_rows import COLUMNS, load_rows
from quadphase.io.tables import format_csv
from quadphase.model import Diagnosis, Grid, Mask, Phase, Sex, Volume

ROW = ("P0001", 58, "male", "C1", "HCC", "ct_files/P0001_ct_C1.nii.gz", "mask_files/P0001_mask_C1.nii.gz", None)


def write(folder: Path, *rows: tuple[object, ...], header: tuple[str, ...] = COLUMNS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "patient_data.csv").write_bytes(format_csv(header, rows).encode())
    return folder


def test_published_table(real_data: Path) -> None:
    release = Release(real_data / "plc_cect")
    assert (len(release), len(release.rows), release.problems) == (361, 1444, ())
    first = release["P0001"]
    assert (first.age_years, first.sex, first.diagnosis) == (58, Sex.MALE, Diagnosis.HCC)
    assert [phase.name for phase in first] == list(Phase)  # the table has another order
    assert release["P0118"].age_years is None
    assert release["P0118"].sex is None
    assert release["P0361"].phase("C1").lesions is None
    assert release["P0361"].phase(Phase.C1).lesions_path is None


def test_older_column_names_words_and_windows_paths(tmp_path: Path) -> None:
    header = ("Patient ID", "Age", "Gender", "Stage", "Cancer Type", "CT File", "Mask File", "Liver Mask File")
    row = ("P0001", 58, "Male", "Arterial", "cHCC-CCA", "ct_files\\a.nii.gz", "nan", "")
    release = Release(write(tmp_path / "r", row, header=header))
    (only,) = release.rows
    assert (only.phase, only.diagnosis, only.sex) == (Phase.C1, Diagnosis.CHCC, Sex.MALE)
    assert (only.ct_path, only.mask_path, only.liver_mask_path) == ("ct_files/a.nii.gz", None, None)


def test_images_are_read_on_demand(tmp_path: Path) -> None:
    root = write(tmp_path / "r", ROW)
    grid = Grid((4, 5, 6), np.diag([0.8, 0.8, 2.0, 1.0]))
    phase = Release(root)["P0001"].phase("C1")
    with pytest.raises(InputError, match="There is no file"):
        _ = phase.ct
    save_volume(root / ROW[5], Volume(hu=np.full(grid.shape, 40, np.int16), grid=grid))  # type: ignore[operator]
    save_mask(root / ROW[6], Mask(voxels=np.ones(grid.shape, bool), grid=grid))  # type: ignore[operator]
    assert phase.ct.hu[0, 0, 0] == 40
    assert phase.lesions is not None
    assert phase.lesions.volume_ml == pytest.approx(120 * 0.8 * 0.8 * 2 / 1000)
    assert phase.liver is None
    assert phase.ct.window_hu is None  # nothing states one
    (root / "geometry.csv").write_text("id,columns\n1,512\n")
    assert Release(root)["P0001"].phase("C1").ct.window_hu is None  # nor does somebody else's table


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (0, None),
        (1, "old"),
        (1, -3),
        (2, "x"),
        (3, "C9"),
        (3, None),
        (4, "flu"),
        (5, "../../etc/passwd"),
        (5, "/etc/passwd"),
        (6, "C:\\x"),
    ],
)
def test_an_odd_cell_is_none_and_a_problem(tmp_path: Path, column: int, value: object) -> None:
    row = (*ROW[:column], value, *ROW[column + 1 :])
    rows, problems = load_rows(write(tmp_path / "r", row) / "patient_data.csv")
    assert [(p.line, p.column) for p in problems] == [(2, COLUMNS[column])]
    assert len(rows) == 1


def test_errors_name_what_is_wrong(tmp_path: Path) -> None:
    release = Release(write(tmp_path / "r", ROW))
    for code, attempt in {
        "no-subject": lambda: release["P9"],
        "no-phase": lambda: release["P0001"].phase("C3"),
        "not-a-release": lambda: Release(tmp_path / "nowhere"),
        "missing-column": lambda: Release(write(tmp_path / "s", ("a",), header=("patient_id",))),
        "empty-release": lambda: Release(write(tmp_path / "t")),
    }.items():
        with pytest.raises(InputError) as caught:
            attempt()
        assert caught.value.code == code
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no patient_data"):
        Release(tmp_path / "empty")


def test_table_one_folder_down(tmp_path: Path) -> None:
    write(tmp_path / "dataset-1.0.0", ROW)
    assert len(Release(tmp_path)) == 1


def test_a_problem_is_in_the_line_a_spreadsheet_shows(tmp_path: Path) -> None:
    root = write(tmp_path / "r", ROW, ("",) * len(COLUMNS), ("",) * len(COLUMNS), ("P0002", "old", *ROW[2:]))
    rows, problems = load_rows(root / "patient_data.csv")
    assert [row.line for row in rows] == [2, 5]
    assert [(problem.line, problem.column) for problem in problems] == [(5, "age")]
