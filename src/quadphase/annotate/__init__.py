"""Readings, seals, agreement and consensus: people decide, software remembers who decided what."""

from quadphase.annotate.agreement import PhaseAgreement, agreement_of_case, comparable_cases, summarise
from quadphase.annotate.batch import given_masks, is_mask_name
from quadphase.annotate.consensus import are_identical, build_consensus, verify_consensus
from quadphase.annotate.readings import import_reading, load_reading, reading_files, require_reader
from quadphase.annotate.seal import is_sealed, seal_reading, verify_seal

__all__ = [
    "PhaseAgreement",
    "agreement_of_case",
    "are_identical",
    "build_consensus",
    "comparable_cases",
    "given_masks",
    "import_reading",
    "is_mask_name",
    "is_sealed",
    "load_reading",
    "reading_files",
    "require_reader",
    "seal_reading",
    "summarise",
    "verify_consensus",
    "verify_seal",
]
