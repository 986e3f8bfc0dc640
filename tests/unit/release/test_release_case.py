"""One case: consensus masks are what was decided or the case is held; the liver holds its lesions; facts are facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quadphase.audit import audit
from quadphase.io.hashing import sha256_of
from quadphase.io.json_file import load_record, save_record
from quadphase.io.nifti import load_mask, load_volume, save_mask, save_volume
from quadphase.io.release import Release
from quadphase.io.release_tables import load_geometry
from quadphase.model import CaseRecord, Diagnosis, Finding, LiverRecord, Mask, Phase, Protocol, Volume
from quadphase.release import build_release
from quadphase.release.manifest import released_files

Maker = Callable[..., Any]


def build(small: Any, out: Path, **sections: dict[str, object]) -> Any:
    out.mkdir()
    protocol = Protocol.of(sections) if sections else small.study.protocol
    return build_release(small.study.root, out, small.subjects, protocol, figures=False)


def without(path: Path) -> None:
    path.unlink()


def overwritten(path: Path) -> None:
    mask = load_mask(path)
    save_mask(path, Mask(voxels=np.roll(mask.voxels, 3, axis=0), grid=mask.grid))


def undecided(path: Path) -> None:
    (path.parent / "consensus.json").unlink()


@pytest.mark.parametrize("damage", [without, overwritten, undecided])
def test_a_changed_consensus_holds_the_case(make_study: Maker, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    small = make_study(2)
    damage(small.study.consensus("P0002") / "C2.nii.gz")
    summary = build(small, tmp_path / "out")
    assert summary.released == ("P0001",)
    assert summary.failed["P0002"][0] == "consensus-changed"
    assert not [path for path in released_files(tmp_path / "out") if "P0002" in path.name]


def test_a_mask_nobody_decided_on_holds_the_case(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(2)
    mask = small.study.consensus("P0002") / "C2.nii.gz"
    content = mask.read_bytes()
    mask.unlink()
    small.decide("P0002")
    mask.write_bytes(content)
    assert build(small, tmp_path / "out").failed["P0002"] == ("consensus-changed", "P0002 C2: a mask nobody decided on")


def test_a_phase_that_nobody_outlined_is_na(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    (small.study.consensus("P0001") / "C2.nii.gz").unlink()
    small.decide("P0001")
    assert not build(small, tmp_path / "out").failed
    subject = Release(tmp_path / "out")["P0001"]
    assert [phase.name.value for phase in subject if phase.lesions is None] == ["C2"]
    rows = {row.phase: row.liver_voxels_from_lesions for row in load_geometry(tmp_path / "out" / "geometry.csv")}
    assert rows == {"P": 0, "C1": 0, "C2": None, "C3": 0}


def test_the_liver_includes_its_lesions_and_says_how_many_voxels_that_added(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    path = small.study.liver("P0001", Phase.C2)
    liver, lesion = load_mask(path), load_mask(small.study.consensus("P0001") / "C2.nii.gz")
    holed = liver.voxels & ~lesion.voxels
    save_mask(path, Mask(voxels=holed, grid=liver.grid))
    build(small, tmp_path / "out")
    phase = Release(tmp_path / "out")["P0001"].phase("C2")
    assert phase.liver is not None
    assert phase.lesions is not None
    assert not (phase.lesions.voxels & ~phase.liver.voxels).any()
    row = next(r for r in load_geometry(tmp_path / "out" / "geometry.csv") if r.phase == "C2")
    assert row.liver_voxels_from_lesions == lesion.voxels.sum() > 0
    assert row.liver_volume_ml == pytest.approx(phase.liver.volume_ml, abs=1e-4)
    assert np.count_nonzero(phase.liver.voxels) == np.count_nonzero(holed | lesion.voxels)


def test_a_liver_mask_that_localize_did_not_write_holds_the_case(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(2)
    path = small.study.liver("P0002", Phase.C2)
    record = load_record(small.study.liver_record("P0002"), LiverRecord)
    step = record.steps[0].model_copy(update={"outputs": {small.study.relative(path): sha256_of(path)}})
    save_record(small.study.liver_record("P0002"), record.model_copy(update={"steps": (step,)}))
    assert not build(small, tmp_path / "before").failed
    overwritten(path)
    assert build(small, tmp_path / "out").failed["P0002"][0] == "liver-changed"


def test_a_liver_mask_of_another_image_holds_the_case(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(2)
    ct = small.study.ct("P0002", Phase.C2)
    record = load_record(small.study.liver_record("P0002"), LiverRecord)
    step = record.steps[0].model_copy(update={"inputs": {small.study.relative(ct): sha256_of(ct)}})
    save_record(small.study.liver_record("P0002"), record.model_copy(update={"steps": (step,)}))
    assert not build(small, tmp_path / "before").failed
    volume = load_volume(ct)
    save_volume(ct, Volume(hu=volume.hu + np.int16(1), grid=volume.grid))
    assert build(small, tmp_path / "out").failed["P0002"][0] == "liver-outdated"


def test_metadata_say_what_made_each_liver_mask(make_study: Maker, tmp_path: Path) -> None:
    """Of the records, not of a setting that may have changed since; never the name of a person."""
    small = make_study(2)
    path = small.study.liver_record("P0001")
    record = load_record(path, LiverRecord)
    drawn = record.phases[Phase.C1].model_copy(
        update={
            "source": "Dr Zhang",
            "findings": (Finding.of("liver-mask-overridden", "P0001 C1", "the mask under overrides/livers is used"),),
        }
    )
    found = Finding.of("liver-range-overridden", "P0001 C2", "slices 2..10 (0-based)")
    ranged = record.phases[Phase.C2].model_copy(update={"source": "Dr Zhang", "first": 2, "findings": (found,)})
    phases = {**record.phases, Phase.C1: drawn, Phase.C2: ranged}
    step = record.steps[0].model_copy(update={"settings": {"backend": "totalsegmentator"}})
    save_record(path, record.model_copy(update={"phases": phases, "steps": (step,)}))
    out = tmp_path / "out"
    build(small, out, localize={"backend": "livermask"}, study={"hospital": "St. Elsewhere"})
    ranges = {(r.patient_id, r.phase): r.range_source for r in load_geometry(out / "geometry.csv")}
    assert [key for key, source in ranges.items() if source == "person"] == [("P0001", "C2")]
    sources = {(r.patient_id, r.phase): r.liver_source for r in load_geometry(out / "geometry.csv")}
    assert sources[("P0001", "C1")] == "person"
    assert sources[("P0001", "C2")] == "totalsegmentator"
    assert sources[("P0002", "C2")] == "builtin"
    page = (out / "README.md").read_text()
    assert "Liver masks drawn or corrected by a person: 1." in page
    assert "Liver masks made by quadphase (backend `totalsegmentator`): 3." in page
    assert '"quadphase, liver backend builtin"' in (out / "croissant.json").read_text()
    assert not [f for f in audit(out).findings if "before the liver" in f.message]
    for file in released_files(out):
        data = file.read_bytes()
        for needle in (b"livermask`", b"backend livermask", b"St. Elsewhere", b"Zhang"):
            assert needle not in data, file.name


def test_seconds_count_from_the_first_released_phase(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    build(small, tmp_path / "out", phases={"required": ["C1", "C2", "C3"]})
    rows = {r.phase: r.seconds_after_first for r in load_geometry(tmp_path / "out" / "geometry.csv")}
    assert rows == {"C1": 0.0, "C2": 30.0, "C3": 60.0}


def test_float_volumes_are_said_to_be_float(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    path = small.study.ct("P0001", Phase.C3)
    volume = load_volume(path)
    save_volume(path, Volume(hu=volume.hu.astype(np.float32) + np.float32(0.5), grid=volume.grid))
    build(small, tmp_path / "out")
    rows = {r.phase: r.data_type for r in load_geometry(tmp_path / "out" / "geometry.csv")}
    assert rows == {"P": "int16", "C1": "int16", "C2": "int16", "C3": "float32"}
    assert "int16 (3 volumes) and float32 (1 volume), slope 1" in (tmp_path / "out" / "README.md").read_text()


def test_resampling_is_what_happened_not_what_was_allowed(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    build(small, tmp_path / "before", convert={"deskew": True, "resample_mm": 2.5})
    assert "No volume was resampled." in (tmp_path / "before" / "README.md").read_text()
    path = small.study.case_record("P0001")
    record = load_record(path, CaseRecord)
    found = Finding.of("resampled", "exam 1 series 2", "deskewed by 12.50 degrees")
    phases = {**record.phases, Phase.C1: record.phases[Phase.C1].model_copy(update={"findings": (found,)})}
    save_record(path, record.model_copy(update={"phases": phases}))
    build(small, tmp_path / "out")
    rows = {r.phase: r.resampling for r in load_geometry(tmp_path / "out" / "geometry.csv")}
    assert rows == {"P": None, "C1": "deskewed by 12.50 degrees", "C2": None, "C3": None}
    assert "Resampled: 1 of 4 volumes" in (tmp_path / "out" / "README.md").read_text()


def test_a_phase_that_is_not_released_counts_for_nothing(make_study: Maker, tmp_path: Path) -> None:
    """A record without times gives NA, not zero."""
    small = make_study(1)
    path = small.study.case_record("P0001")
    record = load_record(path, CaseRecord)
    phases = {p: r.model_copy(update={"seconds_after_first": None}) for p, r in record.phases.items()}
    save_record(path, record.model_copy(update={"phases": phases}))
    build(small, tmp_path / "out")
    assert {r.seconds_after_first for r in load_geometry(tmp_path / "out" / "geometry.csv")} == {None}


def test_a_control_whose_readers_outlined_a_lesion_is_held(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(2)
    control = replace(small.subjects["P0002"], diagnosis=Diagnosis.CN)
    subjects = {**small.subjects, "P0002": control}
    first = small.study.consensus("P0002") / "C1.nii.gz"
    drawn = load_mask(first)
    for out, masks in (("held", drawn.voxels), ("clean", np.zeros_like(drawn.voxels))):
        for phase in ("P", "C1", "C2", "C3"):
            path = first.with_name(f"{phase}.nii.gz")
            save_mask(path, Mask(voxels=masks, grid=load_mask(path).grid))
        small.decide("P0002")
        (tmp_path / out).mkdir()
        summary = build_release(small.study.root, tmp_path / out, subjects, small.study.protocol, figures=False)
        expected = {"P0002": ("control-with-lesion", "P0002 P: the readers outlined a lesion in a control")}
        assert summary.failed == (expected if out == "held" else {})
    assert all(phase.lesions is None for phase in Release(tmp_path / "clean")["P0002"])


def test_what_somebody_typed_beside_a_scanner_is_not_released(make_study: Maker, tmp_path: Path) -> None:
    small = make_study(1)
    path = small.study.case_record("P0001")
    record = load_record(path, CaseRecord)
    typed = {
        Phase.P: {"manufacturer": "DrLiuYang 13800138000", "model": "Zhang Wei 19610305", "kernel": "Li Na"},
        Phase.C1: {"manufacturer": "SIEMENS", "model": "SOMATOM Force of Wang Fang", "kernel": "Br40d\\3"},
        Phase.C2: {"manufacturer": None, "model": "", "kernel": "\\"},
    }
    phases = {p: r.model_copy(update=typed.get(p, {})) for p, r in record.phases.items()}
    save_record(path, record.model_copy(update={"phases": phases}))
    build(small, tmp_path / "out")
    rows = {r.phase: (r.manufacturer, r.model, r.kernel) for r in load_geometry(tmp_path / "out" / "geometry.csv")}
    assert rows == {
        "P": (None, None, None),
        "C1": ("SIEMENS", "SOMATOM Force", "Br40d\\3"),
        "C2": (None, None, None),
        "C3": ("Philips", "Brilliance iCT", "B"),
    }
