"""Finding codes: source files and retrieval (room acquire)."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        code="unreadable-files",
        severity=Severity.WARNING,
        title="Files of the source cannot be used: empty, cut short, broken, barred, or links that lead nowhere",
        hint="Copy them again from the archive, or remove them; convert refuses the series they belong to",
    ),
    FindingCode(
        code="closed-folders",
        severity=Severity.WARNING,
        title="Folders of the source may not be listed",
        hint="Ask for the right to read them, then run the command again",
    ),
    FindingCode(
        code="source-gone",
        severity=Severity.WARNING,
        title="Files that an earlier acquire indexed in another folder are no longer there",
        hint="Nothing to do if the folder was moved; if its disk is away, connect it and run acquire on it again",
    ),
    FindingCode(
        code="blank-patient-id",
        severity=Severity.WARNING,
        title="DICOM files carry no PatientID and no accession number of the clinical table",
        hint="If they are all of one patient, say so with --blank-id PSEUDONYM; otherwise export them again with ids",
    ),
    FindingCode(
        code="accession-conflict",
        severity=Severity.WARNING,
        title="PatientID and accession number of a file belong to two patients of the clinical table",
        hint="PatientID was believed; correct the table or the archive",
    ),
    FindingCode(
        code="matched-by-accession",
        severity=Severity.INFO,
        title="Exams whose PatientID is not in the clinical table belong to a patient by their accession number",
        hint="Nothing to do if the archive numbers patients its own way; otherwise check the accession numbers",
    ),
    FindingCode(
        code="patient-id-near-miss",
        severity=Severity.WARNING,
        title="PatientIDs of files equal ids of the clinical table only when zeros, case or punctuation are ignored",
        hint="Write the ids in the table exactly as in the archive; they were left unmatched on purpose",
    ),
    FindingCode(
        code="duplicate-instances",
        severity=Severity.INFO,
        title="The same image (SOP instance UID) is there more than once",
        hint="Nothing to do; convert uses one of identical copies and refuses copies that differ",
    ),
    FindingCode(
        code="missing-instances",
        severity=Severity.ERROR,
        title="The archive announced more images of a series than it sent",
        hint="Run acquire again; if it stays so, ask the archive's administrator",
    ),
    FindingCode(
        code="extra-instances",
        severity=Severity.WARNING,
        title="The archive sent more images of a series than it had announced",
        hint="The exam may still have been arriving in the archive; run acquire again",
    ),
    FindingCode(
        code="series-failed",
        severity=Severity.ERROR,
        title="A series could not be fetched",
        hint="Run the same command again; it goes on where it stopped",
    ),
    FindingCode(
        code="no-exam-in-archive",
        severity=Severity.WARNING,
        title="The archive has no CT exam of a patient of the cohort in the dates asked for",
        hint="Check the id, the accession number and the surgery date in the clinical table",
    ),
    FindingCode(
        code="sent-twice",
        severity=Severity.INFO,
        title="The archive sent some images of a series twice",
        hint="Nothing to do; the first copy was kept",
    ),
    FindingCode(
        code="id-not-askable",
        severity=Severity.ERROR,
        title="A patient's id in the clinical table is blank or holds *, ? or \\, which would ask for other patients",
        hint="Correct the id in the clinical table",
    ),
)
