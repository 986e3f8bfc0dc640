"""Finding codes: identifiers that must not be released."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        code="identifier-found",
        severity=Severity.ERROR,
        title="A released byte sequence is an identifier of a person",
        hint="Do not release; remove it at its source; what is public on purpose belongs in public_texts",
    ),
    FindingCode(
        code="not-scanned",
        severity=Severity.ERROR,
        title="A file or a part of it could not be opened, so nothing is proved about it",
        hint="Replace the damaged or locked file, then scan again",
    ),
    FindingCode(
        code="identifier-too-short",
        severity=Severity.WARNING,
        title="Identifiers are too short to be told from ordinary numbers and words, and were not searched",
        hint="Check by hand that they do not occur; a number of one to three digits is in every table",
    ),
    FindingCode(
        code="dicom-refused",
        severity=Severity.WARNING,
        title="A DICOM file that may show text about a person, or is no image, is not shared",
        hint="Share it only after somebody has looked at it",
    ),
    FindingCode(
        code="dicom-unreadable",
        severity=Severity.ERROR,
        title="A DICOM file is damaged and was left out",
        hint="Fetch it again from its source",
    ),
    FindingCode(
        code="dicom-duplicate",
        severity=Severity.INFO,
        title="A DICOM file repeats an instance that was already written",
        hint="Nothing to do; the first file was kept",
    ),
    FindingCode(
        code="label-predictable",
        severity=Severity.ERROR,
        title="Ids, order, file times or splits of a release tell the diagnosis",
        hint="Give new pseudonyms in random order, sort rows by them, and set one time for all files",
    ),
    FindingCode(
        code="label-not-testable",
        severity=Severity.INFO,
        title="A release has too few subjects to test whether its layout tells the diagnosis",
        hint="Nothing to do",
    ),
)
