"""Finding codes: releases. Their documentation is `docs/reference/audit-checks.md`, one entry a code (tested)."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO


def _code(code: str, severity: Severity, title: str, hint: str) -> FindingCode:
    return FindingCode(code=code, severity=severity, title=title, hint=hint)


CODES: tuple[FindingCode, ...] = (
    # -- files -------------------------------------------------------------------------------------------------
    _code("file-missing", _E, "A file that the release names does not exist", "Restore it, or write NA in the table"),
    _code("file-corrupt", _E, "A file cannot be read to its end", "Copy or download it again"),
    _code(
        "not-a-volume",
        _E,
        "A file holds no volume of numbers",
        "Publish one real number a voxel, on three axes",
    ),
    _code(
        "check-failed",
        _E,
        "A check could not finish: a defect of quadphase, met in this place",
        "Report the line; the other checks are not affected",
    ),
    _code("file-unlisted", _W, "A file is in the release but nothing names it", "Remove it, or list it"),
    _code("folder-closed", _E, "A folder of the release may not be listed", "Ask for the right to read it"),
    _code("images-absent", _I, "Only the table is here, no image", "Audit the whole release to check its images"),
    _code("checksums-absent", _I, "There is no checksums.sha256", "Publish one, so that users can prove their copy"),
    _code("checksum-differs", _E, "A file is not the one that was published", "Copy or download it again"),
    _code("checksum-missing", _W, "checksums.sha256 does not list a file", "Write the manifest again"),
    _code(
        "contract-broken", _E, "The release breaks a MUST of the release specification", "See docs/spec/release-v1.md"
    ),
    # -- table -------------------------------------------------------------------------------------------------
    _code("table-cell", _E, "A cell of the table cannot be understood", "Correct the cell"),
    _code("row-duplicated", _E, "Two rows name the same subject and phase", "Remove one of them"),
    _code("path-shared", _E, "Two rows name the same file", "Correct the path"),
    _code("phases-incomplete", _E, "A subject does not have all four phases", "Complete the subject or say so"),
    _code("age-missing", _W, "The age of a subject is missing", "Keep it missing; state denominators"),
    _code("sex-missing", _W, "The sex of a subject is missing", "Keep it missing (never impute); state denominators"),
    _code("age-implausible", _E, "The age of a subject is outside 0 to 120 years", "Correct it"),
    _code("subject-contradicts", _E, "Rows of one subject differ in age, sex or diagnosis", "Correct the table"),
    _code("control-with-lesion", _E, "A control has lesion voxels", "Correct the diagnosis or the mask"),
    _code("cancer-without-lesion", _W, "A cancer has no lesion mask", "Expected only where nobody has read the image"),
    _code("id-reveals-diagnosis", _E, "Subject ids tell the diagnosis", "Use keyed random pseudonyms"),
    _code("order-reveals-diagnosis", _W, "Row order tells the diagnosis", "Sort by random pseudonyms"),
    _code(
        "age-sex-confounded",
        _W,
        "Age or sex separates the diagnoses",
        "Report clinical-only baselines; match or adjust",
    ),
    _code(
        "path-reveals-diagnosis", _E, "A file name or folder tells the diagnosis", "Name files by pseudonym and phase"
    ),
    # -- masks and grids ---------------------------------------------------------------------------------------
    _code("grid-differs", _E, "An image and its mask are not on the same grid", "Export the mask on the image's grid"),
    _code("mask-size", _E, "A mask has another number of voxels than its image", "Export the mask on the image's grid"),
    _code("mask-not-binary", _E, "A mask holds values other than 0 and 1", "Say what they mean, or write 0 and 1"),
    _code("mask-empty", _E, "A mask is empty", "Redo the mask, or write NA in the table"),
    _code("liver-mask-small", _W, "A liver mask covers much less than its siblings", "Look at it; redo the mask"),
    _code("liver-mask-gap", _W, "Slices in the middle of the liver have no liver voxel", "Look at them; redo the mask"),
    _code("liver-mask-not-liver", _W, "What the liver mask covers does not look like liver", "Look at it"),
    _code("lesion-outside-liver", _W, "Lesion voxels lie outside the liver mask", "Correct one of the masks"),
    # -- geometry ----------------------------------------------------------------------------------------------
    _code("geometry-nominal", _E, "The header holds default geometry, not the scanner's", "quadphase repair --spacing"),
    _code("geometry-unusable", _E, "The header's affine is not usable", "Write the header again from DICOM"),
    _code(
        "field-of-view", _W, "The field of view is not that of an abdominal CT", "Compare with the DICOM pixel spacing"
    ),
    _code("forms-disagree", _W, "qform and sform place the image differently", "Write one affine; readers use either"),
    _code("slice-spacing", _W, "The slice spacing is implausible", "Compare with the DICOM positions"),
    _code(
        "liver-volume", _W, "The liver's volume is implausible with this spacing", "Check the spacing, then the mask"
    ),
    _code("liver-volume-varies", _W, "One liver has different volumes in its phases", "Check spacing and masks"),
    _code("four-dimensional", _E, "A volume has more than three axes", "Publish one volume a file"),
    _code("components-replicated", _E, "A volume repeats the same voxels", "quadphase repair keeps one component"),
    _code("upside-down", _E, "Head and feet are swapped against the header", "quadphase repair"),
    _code("back-to-front", _E, "Front and back are swapped against the header", "quadphase repair"),
    _code("left-right-swapped", _E, "Left and right are swapped against the header", "quadphase repair"),
    _code("axes-swapped", _E, "Rows and columns are exchanged against the header", "quadphase repair"),
    _code("slice-order-differs", _E, "One phase is stored in the other slice order", "quadphase repair"),
    _code(
        "phases-apart",
        _W,
        "Phases of one subject do not overlap in space",
        "Check origins; registration starts from them",
    ),
    _code(
        "frame-origin-lost", _W, "Every volume starts at the same place", "Origins were lost: phases are not aligned"
    ),
    # -- intensities -------------------------------------------------------------------------------------------
    _code("not-hu", _E, "Voxels are not Hounsfield units", "Publish int16 HU; quadphase repair where it can be proved"),
    _code("not-finite", _E, "Voxels are NaN or infinite", "Convert it again; write air as -1000 HU"),
    _code("hu-offset", _E, "All values are shifted against HU", "quadphase repair"),
    _code("window-claim", _E, "Values do not fit the window the release claims", "Window again from the HU"),
    _code("window-differs", _W, "Volumes were clipped to different windows", "Window all alike, from the HU"),
    _code("air-fat-misplaced", _W, "Air or fat is not where it is in HU", "Check rescale slope and intercept"),
    _code("volume-constant", _E, "All voxels have the same value", "Convert it again"),
    _code("enhancement-contradicts", _W, "Enhancement contradicts the phase label", "Look at the phases side by side"),
    # -- duplicates --------------------------------------------------------------------------------------------
    _code("duplicate-volume", _E, "Two volumes are the same scan", "Remove one; check both subjects"),
    _code("near-duplicate", _W, "Two volumes look like the same scan", "Look at them side by side"),
    _code(
        "duplicate-elsewhere", _W, "A volume is also in the other release", "Do not train on one and test on the other"
    ),
    # -- privacy -----------------------------------------------------------------------------------------------
    _code("header-text", _W, "A header holds free text", "Write the header new; then quadphase deidentify scan"),
    _code("header-identifier", _E, "A header holds text that looks like an identifier or date", "Write the header new"),
    _code("header-extension", _E, "A file holds a NIfTI extension or bytes besides its voxels", "Write the file new"),
    _code(
        "text-identifier",
        _E,
        "A table or text holds what looks like an identifier or date",
        "Remove it; then quadphase deidentify scan",
    ),
    _code(
        "gzip-name-time",
        _W,
        "A gzip file holds a name, comment, time or more than the image",
        "Compress anew, without name and time",
    ),
    # -- derived tables ----------------------------------------------------------------------------------------
    _code("geometry-table-differs", _E, "geometry.csv is not what the files say", "Write the release again"),
    _code("lesion-table-differs", _E, "lesions.csv is not what the masks say", "Write the release again"),
    _code("table1-differs", _E, "table1.csv is not what the release says", "Write the release again"),
    _code("split-leaks", _E, "A subject is in two folds, or in none", "Split by subject"),
    _code("split-unbalanced", _W, "Folds differ in diagnosis", "Stratify the folds"),
)
