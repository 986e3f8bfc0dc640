"""`patient_data.csv` of a release: the paper's columns, quoting and line ends, sorted by pseudonym and phase."""

from __future__ import annotations

from collections.abc import Iterable

from quadphase.io.release_rows import COLUMNS
from quadphase.io.tables import format_csv
from quadphase.release.case import ReleasedCase

__all__ = ["format_patient_data"]


def format_patient_data(cases: Iterable[ReleasedCase]) -> str:
    """CSV text. What does not exist is NA: an unknown age or sex, a lesion mask nobody drew."""
    rows = [
        (
            case.subject.case,
            case.subject.age,
            case.subject.sex.value if case.subject.sex else None,
            image.phase.value,
            case.subject.diagnosis.value,
            image.ct_path,
            image.mask_path,
            image.liver_mask_path,
        )
        for case in sorted(cases, key=lambda c: c.subject.case)
        for image in sorted(case.images, key=lambda i: i.phase.order)
    ]
    return format_csv(COLUMNS, rows)
