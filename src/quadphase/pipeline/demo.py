"""`quadphase demo`: a synthetic hospital goes the whole way, with readers and an adjudication.

Nothing here is shortened for the demo: the hospital is DICOM on disk, and the study is run by the functions a real one
is run by. Only the people are simulated: their masks were drawn by the phantom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quadphase import annotate
from quadphase.errors import OutputError
from quadphase.io import atomic
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model import Outcome, Status
from quadphase.phantom.hospital import Hospital, build_hospital
from quadphase.pipeline.reading import write_agreement
from quadphase.pipeline.run import RunResult, StageProgress, run_study
from quadphase.pipeline.stages import passed

__all__ = ["Demo", "make_demo"]

KEY = "5eed" * 16
"""The demo's key is public, so that its pseudonyms are the same everywhere; a real study makes a secret one."""


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
    """Build ``out/hospital``, run ``out/study``, publish ``out/release``.

    Raises
    ------
    OutputError
        ``"exists"`` if `out` holds a demo already; those of a disk that refuses.
    """
    for part in ("hospital", "study", "release"):
        if (out / part).exists():
            raise OutputError("exists", f"{out / part} exists already", "Name a new folder, or remove it")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise atomic.explain(error, out / "hospital") from None
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
    study = Study.create(out / "study")
    atomic.write_text(study.key_path, KEY + "\n")
    study.key_path.chmod(0o600)

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
            given = annotate.reading_files(hospital.adjudicated / persons[case])
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
