"""Agreement from sealed originals only; consensus where readers agree or a person decided."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from quadphase.annotate import (
    agreement_of_case,
    build_consensus,
    import_reading,
    seal_reading,
    summarise,
    verify_consensus,
)
from quadphase.annotate.consensus import decide_slices
from quadphase.errors import InputError, OutputError
from quadphase.io.json_file import load_record
from quadphase.io.nifti import load_mask, load_volume, save_volume
from quadphase.io.study import Study
from quadphase.model import ConsensusRecord, Phase, Status, Volume


@pytest.fixture
def read(study, draw):  # type: ignore[no-untyped-def]
    """``read(A={C1: [1, 2]}, B={C1: [1]})`` imports and seals both readings."""

    def make(**readers):  # type: ignore[no-untyped-def]
        for reader, phases in readers.items():
            files = {phase: draw(f"{reader}-{phase}", slices) for phase, slices in phases.items()}
            import_reading(study, reader, "P0001", files)
            seal_reading(study, reader, "P0001")

    return make


def test_nothing_is_compared_before_both_are_sealed(study, draw, read) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1]})
    import_reading(study, "B", "P0001", {Phase.C1: draw("b", [1])})
    with pytest.raises(InputError) as caught:
        agreement_of_case(study, "P0001")
    assert caught.value.code == "not-sealed"
    with pytest.raises(InputError, match="reader B"):
        build_consensus(study, "P0001")


def test_agreement_counts_what_one_reader_left_out(study, read) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1, 2], Phase.C2: [1]}, B={Phase.C1: [2, 3]})
    c1, c2 = agreement_of_case(study, "P0001")
    assert (c1.phase, c1.overlap.dice, c1.overlap.differing_slices) == (Phase.C1, 0.5, (1, 3))
    assert (c2.phase, c2.overlap.dice, c2.overlap.volume_b_ml) == (Phase.C2, 0.0, 0.0)
    summary = summarise([c1, c2])
    assert summary["dice"]["mean"] == 0.25
    assert summary["dice"]["sd"] == pytest.approx(0.5 / np.sqrt(2))
    assert summary["both_empty"] == 0


def test_two_empty_masks_have_no_dice(study, read) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: []}, B={Phase.C1: []})
    rows = agreement_of_case(study, "P0001")
    assert rows[0].overlap.dice is None
    assert summarise(rows)["dice"]["n"] == 0
    assert summarise(rows)["both_empty"] == 1


def test_equal_readings_are_the_consensus(study, read) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1]}, B={Phase.C1: [1]})
    assert build_consensus(study, "P0001").status is Status.DONE
    record = load_record(study.consensus("P0001") / "consensus.json", ConsensusRecord)
    assert [(d.first, d.stop, d.how) for d in record.phases[Phase.C1]] == [(0, 4, "agreed")]


def test_open_disagreement_holds_the_case_and_names_the_slices(study, read) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1, 2]}, B={Phase.C1: [2, 3]})
    outcome = build_consensus(study, "P0001")
    assert outcome.status is Status.HELD
    assert [f.code for f in outcome.findings] == ["reading-disagreement"]
    assert "1, 3" in outcome.findings[0].message
    assert not study.consensus("P0001").exists()


def test_an_adjudicated_mask_decides_and_the_record_says_where(study, read, draw) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1, 2]}, B={Phase.C1: [2, 3]})
    agreed = draw("agreed", [2, 3])
    outcome = build_consensus(study, "P0001", adjudicated={Phase.C1: agreed}, author="Dr X")
    assert outcome.status is Status.DONE
    stored = load_mask(study.consensus("P0001") / "C1.nii.gz")
    assert np.array_equal(stored.voxels, load_mask(agreed).voxels)
    record = load_record(study.consensus("P0001") / "consensus.json", ConsensusRecord)
    assert [(d.first, d.stop, d.how, d.author) for d in record.phases[Phase.C1]] == [
        (0, 1, "agreed", "readers"),
        (1, 2, "adjudicated", "Dr X"),
        (2, 3, "agreed", "readers"),
        (3, 4, "adjudicated", "Dr X"),
    ]


def test_a_mask_nobody_drew_is_questioned(study, read, draw) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1]}, B={Phase.C1: [2]})
    outcome = build_consensus(study, "P0001", adjudicated={Phase.C1: draw("agreed", [0])})
    assert [f.code for f in outcome.findings] == ["consensus-outside-readings"]


def test_runs_of_slices() -> None:
    runs = decide_slices(np.array([True, True, False, True]), author="x")
    assert [(r.first, r.stop, r.how) for r in runs] == [(0, 2, "agreed"), (2, 3, "adjudicated"), (3, 4, "agreed")]


def test_a_consensus_counts_while_everything_it_rests_on_is_unchanged(study, read, draw) -> None:  # type: ignore[no-untyped-def]
    assert verify_consensus(study, "P0001") is None
    read(A={Phase.C1: [1]}, B={Phase.C1: [1]})
    build_consensus(study, "P0001")
    record = verify_consensus(study, "P0001")
    assert record is not None
    assert list(record.phases) == [Phase.C1]


@pytest.mark.parametrize(
    ("file", "damage", "code"),
    [
        ("consensus/P0001/C1.nii.gz", "gone", "consensus-changed"),
        ("consensus/P0001/C1.nii.gz", "other", "consensus-changed"),
        ("consensus/P0001/C2.nii.gz", "other", "consensus-changed"),
        ("consensus/P0001/consensus.json", "gone", "consensus-changed"),
        ("readings/A/P0001/C1.nii.gz", "gone", "broken-seal"),
        ("readings/B/P0001/C1.nii.gz", "other", "broken-seal"),
        ("readings/B/P0001/C2.nii.gz", "other", "broken-seal"),
        ("readings/B/P0001/seal.json", "gone", "not-sealed"),
    ],
)
def test_a_lost_or_changed_file_is_noticed(study, read, draw, file: str, damage: str, code: str) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1]}, B={Phase.C1: [1]})
    build_consensus(study, "P0001")
    (study.root / file).unlink(missing_ok=True)
    if damage == "other":
        (study.root / file).write_bytes(draw("other", [2]).read_bytes())
    with pytest.raises(InputError) as caught:
        verify_consensus(study, "P0001")
    assert caught.value.code == code
    assert "P0001" in caught.value.message


def test_a_consensus_of_readings_since_replaced_is_noticed(study, read, draw) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1]}, B={Phase.C1: [1]})
    build_consensus(study, "P0001")
    shutil.rmtree(study.reading("A", "P0001"))
    read(A={Phase.C1: [2]})
    with pytest.raises(InputError, match="another reading of reader A"):
        verify_consensus(study, "P0001")


def converted_anew(study: Study, phase: Phase, hu: int) -> None:
    """Another image under the name of a phase, on the same grid."""
    ct = load_volume(study.ct("P0001", phase))
    save_volume(study.ct("P0001", phase), Volume(hu=np.full_like(ct.hu, hu), grid=ct.grid))


def test_a_reading_counts_for_the_image_it_was_drawn_on(study, read, draw) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1]}, B={Phase.C1: [1]})
    before = study.ct("P0001", Phase.C1).read_bytes()
    build_consensus(study, "P0001")
    converted_anew(study, Phase.C2, 70)  # nobody outlined this phase
    assert verify_consensus(study, "P0001") is not None
    converted_anew(study, Phase.C1, 70)
    for judge in (verify_consensus, build_consensus, agreement_of_case):
        with pytest.raises(InputError, match="P0001 C1: reader A outlined another image") as caught:
            judge(study, "P0001")
        assert caught.value.code == "reading-outdated"
    study.ct("P0001", Phase.C1).write_bytes(before)
    assert verify_consensus(study, "P0001") is not None


def test_masks_imported_before_a_conversion_are_not_sealed_after_it(study, draw) -> None:  # type: ignore[no-untyped-def]
    import_reading(study, "A", "P0001", {Phase.C1: draw("a", [1]), Phase.C2: draw("b", [1])})
    converted_anew(study, Phase.C2, 70)
    with pytest.raises(InputError) as caught:
        seal_reading(study, "A", "P0001")
    assert caught.value.code == "reading-outdated"
    import_reading(study, "A", "P0001", {Phase.C2: draw("b", [1])})
    assert set(seal_reading(study, "A", "P0001").images) == {Phase.C1, Phase.C2}


def test_a_third_mask_where_readers_agree_is_not_used_and_said(study, read, draw) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1]}, B={Phase.C1: [1]})
    third = draw("third", [2])
    outcome = build_consensus(study, "P0001", adjudicated={Phase.C1: third, Phase.C2: third})
    assert [(f.code, f.location) for f in outcome.findings] == [
        ("readings-identical", "P0001"),
        ("adjudication-unused", "P0001 C1"),
        ("adjudication-unused", "P0001 C2"),
    ]
    record = load_record(study.consensus("P0001") / "consensus.json", ConsensusRecord)
    assert not any(name.startswith("adjudicated") for name in record.steps[0].inputs)
    assert set(record.phases) == {Phase.C1}


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ({Phase.C1: [1], Phase.C2: [2]}, {Phase.C1: [1], Phase.C2: [2]}, True),
        ({Phase.C1: [1], Phase.C2: [2]}, {Phase.C1: [1]}, False),
        ({Phase.C1: []}, {Phase.C1: []}, False),
    ],
)
def test_one_reading_handed_in_twice_is_told(study, read, draw, a, b, told) -> None:  # type: ignore[no-untyped-def]
    read(A=a, B=b)
    adjudicated = {Phase.C2: draw("agreed", [2])} if len(a) != len(b) else {}
    outcome = build_consensus(study, "P0001", adjudicated=adjudicated)
    assert outcome.status is Status.DONE
    assert ("readings-identical" in {f.code for f in outcome.findings}) is told


def test_a_decision_is_replaced_only_when_asked(study, read, draw) -> None:  # type: ignore[no-untyped-def]
    read(A={Phase.C1: [1, 2]}, B={Phase.C1: [2, 3]})
    first, second = draw("first", [2]), draw("second", [2, 3])
    folder = study.consensus("P0001")
    build_consensus(study, "P0001", adjudicated={Phase.C1: first}, author="Dr A")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = build_consensus(study, "P0001", adjudicated={Phase.C1: first}, author="Dr A")
    assert again.status is Status.UNCHANGED
    for mask, author in ((second, "Dr A"), (first, "adjudication")):
        with pytest.raises(OutputError, match="P0001: another consensus") as caught:
            build_consensus(study, "P0001", adjudicated={Phase.C1: mask}, author=author)
        assert caught.value.code == "consensus-exists"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert build_consensus(study, "P0001", adjudicated={Phase.C1: second}, replace=True).status is Status.DONE
    assert np.array_equal(load_mask(folder / "C1.nii.gz").voxels, load_mask(second).voxels)
