"""`quadphase demo`: a synthetic hospital goes the whole way, with readers and an adjudication.

Nothing here is shortened for the demo: the hospital is DICOM on disk, and the study is run by the functions a real one
is run by. Only the people are simulated: their masks were drawn by the phantom.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from quadphase import annotate
from quadphase.errors import OutputError
from quadphase.io import atomic
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model import Outcome, Status
from quadphase.phantom.hospital import Hospital, build_hospital
from quadphase.pipeline.lock import lock_study
from quadphase.pipeline.reading import write_agreement
from quadphase.pipeline.run import RunResult, StageProgress, run_study
from quadphase.pipeline.stages import passed

__all__ = ["Demo", "make_demo"]

KEY = "5eed" * 16
"""The demo's key is public, so that its pseudonyms are the same everywhere; a real study makes a secret one."""


PARTS = ("hospital", "study", "release")

MARKER = "DEMO.txt"
"""What tells a demo's folder from anybody else's; it is there before anything else is."""

MARK = "Made by `quadphase demo`. When it is run here again, hospital, study and release are replaced.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Where the demo's parts are and what the run did."""

    hospital: Hospital
    result: RunResult


def make_demo(
    out: Path,
    *,
    patients: int = 6,
    seed: int = 0,
    matrix: int = 256,
    slice_spacing_mm: float = 5.0,
    workers: int = 2,
    progress: StageProgress,
) -> Demo:
    """Build ``out/hospital``, run ``out/study``, publish ``out/release``; an earlier demo of `out` is replaced.

    Raises
    ------
    OutputError
        ``"exists"`` if one of them is there and no demo made it; ``"study-busy"`` if someone works in it; those of a
        disk that refuses.
    """
    _make_room(out)
    with progress("hospital") as bar:
        hospital = build_hospital(
            out / "hospital",
            patients=patients,
            seed=seed,
            matrix=matrix,
            slice_spacing_mm=slice_spacing_mm,
            workers=workers,
            progress=bar,
        )
    study = Study(out / "study")
    atomic.write_text(study.key_path, KEY + "\n")
    study.key_path.chmod(0o600)
    Study.create(study.root)

    def read(study: Study, ledger: Ledger) -> Sequence[Outcome]:
        """The two simulated readers hand in and seal; the adjudicated masks settle what they differ in.

        The run holds the study, so this is done case by case and not by the commands, which ask for it themselves.
        """
        ready = set(passed(ledger, "localize"))
        persons = {case: patient_id for patient_id, case in ledger.cases().items() if case in ready}
        outcomes: list[Outcome] = []
        for reader in study.protocol.annotate.readers:
            for case, patient_id in persons.items():
                if masks := annotate.given_masks(hospital.readings / reader / patient_id, case):
                    findings = annotate.import_reading(study, reader, case, masks)
                    annotate.seal_reading(study, reader, case, tool="quadphase phantom")
                    outcomes.append(Outcome(case=case, stage="annotate", status=Status.DONE, findings=findings))
        write_agreement(study.root)
        for case in annotate.comparable_cases(study):
            agreed = annotate.reading_files(hospital.adjudicated / persons[case])
            rows = annotate.agreement_of_case(study, case)
            given = {row.phase: agreed[row.phase] for row in rows if row.overlap.differing_slices}
            outcomes.append(annotate.build_consensus(study, case, adjudicated=given, author="readers together"))
        return outcomes

    result = run_study(
        study.root,
        table=hospital.clinical_table,
        source=str(hospital.pacs),
        out=out / "release",
        workers=workers,
        progress=progress,
        before_release=read,
    )
    return Demo(hospital=hospital, result=result)


def _make_room(out: Path) -> None:
    """Remove an earlier demo, finished or not, and nothing else."""
    study = Study(out / "study")
    there = [out / part for part in PARTS if os.path.lexists(out / part)]
    if there and not _is_demo(out, study):
        raise OutputError("exists", f"{there[0]} exists already", "Name a new folder, or remove it")
    with lock_study(study) if study.root.is_dir() else nullcontext():
        for part in there:
            try:
                shutil.rmtree(part)
            except OSError as error:
                raise atomic.explain(error, part) from None
    atomic.write_text(out / MARKER, MARK)


def _is_demo(out: Path, study: Study) -> bool:
    """Whether a demo made what is here; a study with a key of its own is somebody's, wherever it lies."""
    try:
        marked = (out / MARKER).read_text("utf-8") == MARK
        own = study.key_path.exists() and study.key_path.read_text("ascii").strip() != KEY
    except (OSError, ValueError):
        return False
    return marked and not own
