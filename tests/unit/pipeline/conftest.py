"""The release room's study in miniature, with the ledger of a run that came as far as the release."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model import Decision
from quadphase.model.source import SourcePatient

_spec = importlib.util.spec_from_file_location("small_study", Path(__file__).parents[1] / "release" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_small = importlib.util.module_from_spec(_spec)
sys.modules["small_study"] = _small  # dataclasses look their module up
_spec.loader.exec_module(_small)
make_study = _small.make_study

STAGES = ("cohort", "exam", "convert", "localize", "annotate")


@pytest.fixture
def ready(make_study: Callable[..., Any]) -> Study:  # the fixture above
    """Four cases, all ready to be released; their ids are ``QX-000001`` and so on."""
    small = make_study(4)
    study: Study = small.study
    study.make_restricted()
    patients = [
        SourcePatient(
            patient_id=f"QX-{number:06d}",
            name=f"Somebody Unlikely{number}",
            sex=subject.sex,
            birth_date=date(1960, 5, 17),
            surgery_date=date(2020, 3, 2),
            diagnosis=subject.diagnosis,
        )
        for number, subject in enumerate(small.subjects.values(), start=1)
    ]
    with Ledger(study.ledger_url) as ledger:
        ledger.replace_patients(patients, dict(zip((p.patient_id for p in patients), small.subjects, strict=True)))
        ledger.decide(Decision(case=case, stage=stage, eligible=True) for case in small.subjects for stage in STAGES)
    return study
