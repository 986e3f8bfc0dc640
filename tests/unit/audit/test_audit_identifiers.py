"""What nobody should publish is noticed by its form: in the table, in other tables and notes, behind the voxels."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from quadphase.audit import audit
from quadphase.audit.report import AuditReport
from quadphase.audit.suspicion import suspicious_column, suspicious_text
from quadphase.model import Finding, Severity

from .conftest import Item, paths_of, reseal, write_ours, write_table

PEOPLE = ("Hu Xiuying", "Zhang Wei", "Li Na", "Wang Fang", "Chen Jie")
SECRETS = (*PEOPLE, "Xiuying", "1969", "20210618", "YB204333", "胡秀英", "birth_date", "13800138000")


def said(report: AuditReport, code: str = "text-identifier") -> list[Finding]:
    """Findings with the code; no finding of the report shows what was hidden."""
    for finding in report.findings:
        text = f"{finding.location} {finding.message}"
        assert not any(secret in text for secret in SECRETS), text
    return list(report.of(code))


@pytest.fixture(scope="session")
def sealed(clean: tuple[Item, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ours(tmp_path_factory.mktemp("sealed") / "release", [i for i in clean if i.case == "P0417"])


@pytest.fixture
def root(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "release"))


def with_columns(root: Path, clean: Sequence[Item], **columns: str) -> Path:
    """The table alone, with further columns."""
    write_table(root, clean)
    table = root / "patient_data.csv"
    rows = list(csv.reader(io.StringIO(table.read_text(), newline="")))
    rows[0] += columns
    filled = [rows[0], *([*row, *columns.values()] for row in rows[1:])]
    table.write_text("\r\n".join(",".join(f'"{cell}"' for cell in row) for row in filled))
    return table


def test_name_and_birth_date_beside_the_table(clean: tuple[Item, ...], tmp_path: Path) -> None:
    report = audit(with_columns(tmp_path, clean, name="Hu Xiuying", birth_date="1969-12-30", ward="NA", phone=""))
    found = said(report)
    assert [f.message.split(" (")[0] for f in reversed(found)] == [
        "column 9 looks like a person's name",
        "column 10 looks like a date of birth, a date",
    ]
    assert report.has_errors


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("姓名", ["胡秀英"]),
        ("Patient Name", ["x"]),
        ("PatientBirthDate", ["60 years ago"]),
        ("DOB", ["30/12/69"]),
        ("住院号", ["12"]),
        ("MRN", ["12"]),
        ("accession_number", ["12"]),
        ("exam", ["2021-06-18"]),
        ("exam", ["2021年6月18日"]),
        ("day", ["20210618", "20200131"]),
        ("reader", ["HU^XIUYING"]),
        ("remark", ["see YB204333"]),
        ("code", ["110101196912300021"[:17] + "X"]),
        ("series", ["1.2.840.113619.2.55.3.2831164482"]),
        ("number", ["0020433", "0020434"]),
        ("contact", ["13800138000", "13800138001"]),
        ("doctor", list(PEOPLE)),
        ("doctor", ["胡秀英", "张伟", "李娜", "王芳", "陈杰"]),
    ],
)
def test_columns_that_tell_who(column: str, cells: list[str]) -> None:
    assert suspicious_column(column, [(f"P{n}", cell) for n, cell in enumerate(cells)])


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("AFP", ["20000.5", "1210012", "3.2"]),
        ("HBV DNA", ["12345678", "20210618", "400"]),
        ("liver_voxels", ["1234567", "2345678", "1834567", "1555555", "1666666"]),
        ("year", ["2016", "2018"]),
        ("birth_year", ["1961", "1972"]),
        ("Child-Pugh", ["A", "B"]),
        ("manufacturer", ["GE MEDICAL SYSTEMS", "SIEMENS"]),
        ("model", ["SOMATOM Definition AS+", "Aquilion ONE"]),
        ("病理", ["肝细胞癌", "胆管细胞癌", "肝细胞癌", "肝细胞癌", "肝细胞癌"]),
        ("stage", ["BCLC A", "BCLC B", "BCLC C", "BCLC D", "BCLC 0"]),
        ("spacing_mm", ["0.78125", "0.703125"]),
        ("file_name", ["a.nii.gz"]),
        ("scanner name", ["A", "B"]),
        ("remark", []),
    ],
)
def test_columns_that_measure(column: str, cells: list[str]) -> None:
    assert suspicious_column(column, [(f"P{n}", cell) for n, cell in enumerate(cells)]) == ()


def test_texts() -> None:
    assert suspicious_text("Hu Xiuying, 1969-12-30, YB204333") == ("a date", "an archive number")
    for innocent in ("0.20210618", "10.57760/sciencedb.12207", "version 1.2.3", "P0417_ct_C1.nii.gz", "a3f20210618b"):
        assert suspicious_text(innocent) == (), innocent


def test_ids_and_paths_are_the_publishers_own_but_for_dates_and_numbers(
    clean: tuple[Item, ...], tmp_path: Path
) -> None:
    write_table(tmp_path, clean)
    table = tmp_path / "patient_data.csv"
    text = table.read_text()
    table.write_text(text.replace("ct_files/", "LIVER_20210618/"))
    assert said(audit(table)) == []  # what all paths share tells nothing of one patient
    table.write_text(text.replace("ct_files/P0417", "ct_files/20210618_P0417").replace('"P0052"', '"YB204333"'))
    found = said(audit(table))
    assert [(f.severity, f.message.split(" (")[0]) for f in found] == [
        (Severity.WARNING, "column 1 looks like an archive number"),
        (Severity.WARNING, "column 6 looks like a date"),
    ]


def test_note_in_a_release(root: Path) -> None:
    (root / "notes.txt").write_text("Hu Xiuying, 1969-12-30, YB204333\n")
    reseal(root)
    report = audit(root)
    assert said(report)[0].location == "notes.txt"
    unlisted = said(report, "file-unlisted")
    assert [(f.location, f.severity) for f in unlisted] == [("notes.txt", Severity.ERROR)]
    assert set(report.counts) == {"file-unlisted", "text-identifier"}


@pytest.mark.parametrize("path", ["figures/notes.txt", "figures/more/phases.png", "clinical.csv", "ct_files/more.txt"])
def test_files_the_specification_does_not_name(path: str, root: Path) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("a,b\r\n1,2\r\n")
    reseal(root)
    report = audit(root)
    assert [(f.code, f.location) for f in report.findings] == [("file-unlisted", path)]
    assert report.has_errors


@pytest.mark.parametrize("name", ["geometry.csv", "lesions.csv", "splits.csv", "clinical.csv"])
def test_column_in_another_table(name: str, root: Path) -> None:
    path = root / name
    lines = path.read_text().splitlines() if path.exists() else ["patient_id", "P0417"]
    path.write_text("\r\n".join([f'{lines[0]},"name"', *(f'{line},"Hu Xiuying"' for line in lines[1:])]) + "\r\n")
    reseal(root)
    found = said(audit(root))
    assert [(f.location, f.severity) for f in found] == [(name, Severity.ERROR)]


def test_dataset_of_others_may_say_when_it_was_published(clean: tuple[Item, ...], tmp_path: Path) -> None:
    from .conftest import write_plain

    root = write_plain(tmp_path, [i for i in clean if i.case == "P0417"])
    for name in ("README.md", "LICENSE", "CITATION.cff", "changelog.txt"):
        (root / name).write_text("Published 2025-01-12 by Zhang Wei")
    assert set(audit(root).counts) == {"checksums-absent"}
    (root / "export.log").write_text("2021-06-18 HU^XIUYING")
    found = said(audit(root))
    assert [(f.location, f.severity) for f in found] == [("export.log", Severity.WARNING)]


def _behind_voxels(raw: bytes) -> bytes:
    return gzip.compress(gzip.decompress(raw) + b"YB204333", mtime=0)


def _second_member(raw: bytes) -> bytes:
    named = io.BytesIO()
    with gzip.GzipFile("HuXiuying.nii", "wb", fileobj=named, mtime=0):
        pass
    return raw + named.getvalue()


BEHIND: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "voxels": (_behind_voxels, "header-extension"),
    "gzip stream": (_second_member, "gzip-name-time"),
}


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("place", BEHIND)
def test_behind(place: str, which: int, root: Path, clean: tuple[Item, ...]) -> None:
    change, code = BEHIND[place]
    item = next(i for i in clean if i.location == "P0417/C1")
    path = root / str(paths_of(item)[which])
    path.write_bytes(change(path.read_bytes()))
    reseal(root)
    report = audit(root)
    where = "P0417/C1" + ("", "/lesion", "/liver")[which]
    assert [(f.code, f.location) for f in report.findings] == [("contract-broken", where), (code, where)]
    assert said(report, code)
