"""One odd file never ends the audit of the others: it becomes a finding, and the report stays valid JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from quadphase.audit import audit
from quadphase.audit import case as audit_case_module
from quadphase.audit import run as audit_run_module
from quadphase.audit.contexts import ReleaseContext
from quadphase.audit.facts import VolumeFacts
from quadphase.audit.measure import volume as measure_module
from quadphase.audit.report import AuditReport
from quadphase.audit.thumbnail import picture_of
from quadphase.model import Finding

from .conftest import Item, paths_of, reseal

Items = tuple[Item, ...]
ODD = "P0417/C1"


def rewrite(root: Path, two: Items, change: Callable[[np.ndarray], np.ndarray], *, which: int = 0) -> None:
    """Another array under the same header, in the CT (0), lesion (1) or liver mask (2) of `ODD`."""
    item = next(i for i in two if i.location == ODD)
    path = root / str(paths_of(item)[which])
    image = nib.load(path)
    nib.save(nib.Nifti1Image(change(np.asarray(image.dataobj)), image.affine), path)
    reseal(root)


def whole(report: AuditReport) -> set[str]:
    """Codes at the odd volume; all other volumes were read, and the report is JSON without NaN."""
    json.dumps(report.to_dict(), allow_nan=False)
    assert len(report.facts) >= 7
    return {f.code for f in report.findings if f.location.startswith(ODD)}


def _with_nan(hu: np.ndarray) -> np.ndarray:
    changed = hu.astype(np.float32)
    changed[0, 0, 0] = np.nan
    return changed


def test_one_nan(root: Path, two: Items) -> None:
    rewrite(root, two, _with_nan)
    report = audit(root)
    assert "not-finite" in whole(report)
    assert report.of("not-finite")[0].message == "NaN or infinite voxels: 1"
    # Everything else is measured as before: no number of the derived tables changes.
    assert [f.message for f in report.of("geometry-table-differs")] == ["data_type int16 but measured float32"]
    assert {"table1-differs", "lesion-table-differs", "window-claim"}.isdisjoint(report.counts)
    assert len(report.facts) == 8


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nothing_but_not_finite(value: float, root: Path, two: Items) -> None:
    rewrite(root, two, lambda hu: np.full(hu.shape, value, np.float32))
    assert whole(audit(root)) >= {"not-finite", "volume-constant"}


def test_nan_in_a_mask(root: Path, two: Items) -> None:
    rewrite(root, two, _with_nan, which=2)
    report = audit(root)
    assert "not-finite" in whole(report)
    assert report.of("not-finite")[0].location == f"{ODD}/liver"


def test_far_values_are_measured_as_they_are(root: Path, two: Items) -> None:
    def far(hu: np.ndarray) -> np.ndarray:
        changed = hu.astype(np.float64)
        changed[0, 0, 0] = 1e300
        return changed

    rewrite(root, two, far)
    report = audit(root)
    assert {"window-claim", "not-hu"} <= whole(report)
    assert next(v for v in report.facts if v.location == ODD).intensity.maximum == pytest.approx(1e30)


ODD_KINDS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "colours": (lambda hu: np.zeros(hu.shape, [("R", "u1"), ("G", "u1"), ("B", "u1")]), "colours (R, G, B)"),
    "complex": (lambda hu: hu.astype(np.complex64), "complex64 voxels"),
    "plane": (lambda hu: hu[:, :, 5], "2 axes"),
    "line": (lambda hu: hu[:, 5, 5], "1 axes"),
}


@pytest.mark.parametrize("kind", ODD_KINDS)
def test_no_volume_of_numbers(kind: str, root: Path, two: Items) -> None:
    change, words = ODD_KINDS[kind]
    rewrite(root, two, change)
    report = audit(root, thumbnails=True)
    assert "not-a-volume" in whole(report)
    assert words in report.of("not-a-volume")[0].message
    assert len(report.facts) == 7
    assert "check-failed" not in report.counts


@pytest.mark.parametrize("kind", ["colours", "complex"])
def test_no_mask_of_numbers(kind: str, root: Path, two: Items) -> None:
    rewrite(root, two, ODD_KINDS[kind][0], which=2)
    report = audit(root)
    assert report.of("not-a-volume")[0].location == f"{ODD}/liver"
    assert "check-failed" not in report.counts


def test_one_slice(root: Path, two: Items) -> None:
    rewrite(root, two, lambda hu: hu[:, :, :1])
    report = audit(root)
    assert "mask-size" in whole(report)
    assert "check-failed" not in report.counts


def test_singular_affine_leaves_volumes_unknown(root: Path, two: Items) -> None:
    path = root / paths_of(next(i for i in two if i.location == ODD))[0]
    image = nib.load(path)
    header = nib.Nifti1Image(np.asarray(image.dataobj), None).header.copy()
    header.set_sform(np.diag([1.0, 1.0, 0.0, 1.0]), code=1)
    header["vox_offset"] = 352
    path.with_suffix("").write_bytes(header.binaryblock + b"\0\0\0\0" + np.asarray(image.dataobj).tobytes(order="F"))
    path.write_bytes(path.with_suffix("").read_bytes())
    path.with_suffix("").unlink()
    reseal(root)
    report = audit(root)
    assert "geometry-unusable" in whole(report)
    odd = next(v for v in report.to_dict()["volumes"] if v["location"] == ODD)
    assert odd["liver_volume_ml"] is None
    assert odd["lesion_volume_ml"] is None


@pytest.mark.parametrize("phases", [[["P"]], [{"P": 1}], "P", [None], 7])
def test_phases_of_another_kind(phases: object, root: Path) -> None:
    path = root / "dataset_description.json"
    value = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**value, "phases": phases}), "utf-8")
    reseal(root)
    report = audit(root)
    assert set(report.counts) == {"contract-broken"}
    assert "phases must be a list" in report.findings[0].message


class TestUnforeseen:
    """A defect of a check, or of the measuring, is a finding that names the check and the place, and no value."""

    def test_in_a_volume_check(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(volume: VolumeFacts) -> Iterator[Finding]:
            yield Finding.of("not-hu", volume.location, "found before it broke")
            raise RuntimeError("Zhang San 1961")

        monkeypatch.setattr(audit_case_module, "VOLUME_CHECKS", (broken,))
        report = audit(root)
        assert report.counts == {"check-failed": 8, "not-hu": 8}
        said = report.of("check-failed")[0].message
        assert "RuntimeError at " in said
        assert "test_audit_odd_files" in said
        assert "Zhang" not in said
        assert len(report.facts) == 8

    def test_in_a_case_check(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(audit_case_module, "CASE_CHECKS", (lambda case: case.nothing,))
        report = audit(root)
        assert {f.location for f in report.of("check-failed")} == {"P0417", "P0052"}

    def test_in_a_release_check(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(context: ReleaseContext) -> Iterator[Finding]:
            raise ValueError(context.root)

        monkeypatch.setattr(audit_run_module, "RELEASE_CHECKS", (broken, *audit_run_module.RELEASE_CHECKS))
        report = audit(root)
        assert report.counts == {"check-failed": 1}
        assert report.findings[0].location == "patient_data.csv"
        assert str(root) not in report.findings[0].message

    def test_in_measuring(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = measure_module.header_facts

        def broken(path: Path, file: object) -> object:
            if path.name == "P0417_ct_C1.nii.gz":
                raise IndexError
            return real(path, file)  # type: ignore[arg-type]

        monkeypatch.setattr(measure_module, "header_facts", broken)
        report = audit(root)
        assert {f.location for f in report.of("check-failed")} == {ODD}
        assert len(report.facts) == 7

    def test_in_a_picture(self, root: Path, two: Items, monkeypatch: pytest.MonkeyPatch) -> None:
        rewrite(root, two, _with_nan)

        def broken(picture: object) -> bytes:
            raise ZeroDivisionError

        monkeypatch.setattr(audit_case_module, "thumbnail", broken)
        monkeypatch.setattr("quadphase.audit.thumbnail.thumbnail", broken)
        report = audit(root, thumbnails=True)
        assert {"not-finite", "check-failed"} <= set(report.counts)
        assert report.thumbnails == {}
        row = next(row for row in report.facts if row.location == ODD).row
        assert picture_of(root, row) == {}
