"""Planted identifiers in every kind of attribute: the score is 100 %, and the scorer notices each kind of failure."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from planted_dicom import write_planted
from pydicom import dcmread

from quadphase.deidentify.dataset import lenient
from quadphase.deidentify.folder import DicomReport, deidentify_folder
from quadphase.deidentify.scorer import Expected, Task, score
from quadphase.errors import InputError

KEY = bytes(range(32))

Done = tuple[tuple[Expected, ...], Path, Path, DicomReport]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    root = tmp_path_factory.mktemp("planted")
    key = write_planted(root / "in")
    report = deidentify_folder(root / "in", root / "out", KEY)
    return key, root / "in", root / "out", report


def test_the_score_is_one_hundred_percent(done: Done) -> None:
    key, _, out, report = done
    result = score(key, out)
    assert result.to_dict()["failures"] == []
    assert result.percent == 100.0
    assert set(result.by_task()) == {task.value for task in Task}
    assert len(result.checks) > 2000
    assert (report.written, report.refused, report.subjects) == (32, 1, 1)


def test_untouched_files_fail_every_action_but_keeping(done: Done) -> None:
    key, source, _, _ = done
    tasks = score(key, source).by_task()
    for task in (Task.TEXT_REMOVED, Task.UID_CHANGED, Task.DATE_SHIFTED, Task.PIXELS_HIDDEN):
        passed, count = tasks[task]
        assert passed <= 0.02 * count


@pytest.mark.parametrize(
    ("task", "keyword", "value"),
    [
        (Task.TAG_RETAINED, "KVP", None),
        (Task.TEXT_NOT_NULL, "Manufacturer", ""),
        (Task.TEXT_RETAINED, "SeriesDescription", "x"),
        (Task.TEXT_REMOVED, "StudyDescription", "Zhenhua"),
        (Task.DATE_SHIFTED, "StudyDate", "20180101"),
        (Task.UID_CONSISTENT, "SeriesInstanceUID", "1.2.3"),
        (Task.PATIENT_ID_CONSISTENT, "PatientID", "other"),
        (Task.PIXELS_RETAINED, "PixelData", b"\0\0"),
    ],
)
def test_the_scorer_notices(done: Done, tmp_path: Path, task: Task, keyword: str, value: object) -> None:
    key, _, out, _ = done
    if task is Task.TAG_RETAINED:
        key = (*key, Expected(task=task, instance="5", path=(keyword,)))
    shutil.copytree(out, tmp_path / "out")
    with lenient():
        for path in (tmp_path / "out").rglob("*.dcm"):
            dataset = dcmread(path)
            if dataset.InstanceNumber == 5:
                if value is None:
                    del dataset[keyword]
                else:
                    setattr(dataset, keyword, value)
                dataset.save_as(path, enforce_file_format=True)
    passed, count = score(key, tmp_path / "out").by_task()[task]
    assert passed < count


def test_nothing_of_the_person_is_left_in_any_byte(done: Done) -> None:
    _, _, out, report = done
    assert report.proof is not None
    assert report.proof.is_clean
    for path in out.rglob("*.dcm"):
        data = path.read_bytes()
        assert data[:128] == b"\0" * 128
        for value in (
            b"Zhenhua",
            b"ZHENHUA",
            b"0048215973",
            "振华".encode(),
            "振华".encode("gb18030"),
            b"OUYANG",
            b"Qian",
        ):
            assert value not in data
        assert "Ouyang" not in str(path)


@pytest.fixture
def out(done: Done, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done[2], tmp_path / "out"))


def test_files_that_share_what_tells_them_apart_are_not_judged(done: Done, out: Path) -> None:
    """A leak in one of two series with the same numbers would be certified away by the other."""
    leak = sorted(out.rglob("*.dcm"))[0]
    with lenient():
        dataset = dcmread(leak)
        dataset.InstanceNumber = 5 if dataset.InstanceNumber != 5 else 6
        dataset.save_as(leak, enforce_file_format=True)
    with pytest.raises(InputError, match=r"0 of 32 files in .* have no InstanceNumber, 2 share") as stopped:
        score(done[0], out)
    assert stopped.value.code == "ambiguous-instances"


def test_a_file_without_what_tells_it_apart_is_not_left_out(done: Done, out: Path) -> None:
    path = sorted(out.rglob("*.dcm"))[0]
    with lenient():
        dataset = dcmread(path)
        del dataset.InstanceNumber
        dataset.save_as(path, enforce_file_format=True)
    with pytest.raises(InputError, match=r"1 of 32 files in .* have no InstanceNumber, 0 share"):
        score(done[0], out)


@pytest.mark.parametrize("tag", ["NoSuch", "PatientComments", ""])
def test_an_attribute_no_file_has_certifies_nothing(done: Done, out: Path, tag: str) -> None:
    with pytest.raises(InputError, match="No DICOM file in") as stopped:
        score(done[0], out, instance_tag=tag)
    assert stopped.value.code == "no-instances"


def test_an_empty_folder_certifies_nothing(done: Done, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no DICOM here")
    with pytest.raises(InputError, match="No DICOM file in"):
        score(done[0], tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        score(done[0], tmp_path / "README.md")


def test_other_files_are_no_instances_and_dicom_without_preamble_is_one(done: Done, out: Path) -> None:
    (out / "README.md").write_text("cleaned on Monday")
    path = sorted(out.rglob("*.dcm"))[0]
    path.write_bytes(path.read_bytes()[132:])
    assert score(done[0], out).percent == 100.0
