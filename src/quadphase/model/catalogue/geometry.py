"""Finding codes: DICOM files, stacks and volumes (room convert)."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]


def _code(code: str, severity: Severity, title: str, hint: str) -> FindingCode:
    return FindingCode(code=code, severity=severity, title=title, hint=hint)


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

CODES: tuple[FindingCode, ...] = (
    # Files that are no slice of a volume.
    _code("not-dicom", INFO, "A file is not DICOM", "Nothing to do"),
    _code("empty-file", WARNING, "A file is empty or holds only zeros", "Copy or export it again"),
    _code("unreadable-file", ERROR, "A file cannot be opened", "Check its rights and the disk"),
    _code("unreadable-dicom", ERROR, "The element structure of a DICOM file is damaged", "Export or copy it again"),
    _code("truncated-file", ERROR, "A DICOM file ends too early", "Export or copy it again"),
    _code("dicom-directory", INFO, "A DICOMDIR; files are read themselves", "Nothing to do"),
    _code("no-pixel-data", INFO, "A DICOM object without an image", "Nothing to do"),
    _code("not-ct", INFO, "An image of another modality", "Nothing to do"),
    _code("localizer", INFO, "A localizer (scout, topogram)", "Nothing to do"),
    _code("reformatted", INFO, "A reformat or projection, not acquired slices", "Send the original axial series"),
    _code(
        "secondary-capture",
        INFO,
        "A secondary capture or screenshot; it may show identifiers",
        "Keep it out of a release",
    ),
    _code("dose-report", INFO, "A dose report", "Nothing to do"),
    _code("report", INFO, "A structured report", "Nothing to do"),
    _code("segmentation", INFO, "A segmentation object", "Read it with `quadphase convert SEG.dcm OUT`"),
    _code("colour-image", INFO, "A colour image; it may show identifiers", "Keep it out of a release"),
    _code("multi-frame", WARNING, "A multi-frame image without a position for each frame", "Export single slices"),
    _code(
        "no-position",
        WARNING,
        "An image without usable position, orientation or pixel spacing",
        "Send the original series",
    ),
    _code("unsupported-pixels", WARNING, "Pixels of a kind CT does not use", "Export the original series"),
    _code("unsupported-encoding", ERROR, "Pixels in an encoding that cannot be read", "Export the series uncompressed"),
    _code("undecodable-pixels", ERROR, "Pixels are damaged", "Export or copy the series again"),
    # Slices and stacks.
    _code("duplicate-file", INFO, "The same instance was found more than once; one copy is used", "Nothing to do"),
    _code(
        "duplicate-slice",
        WARNING,
        "The same slice exists under several instance UIDs; one is used",
        "Find out why the archive holds it twice",
    ),
    _code(
        "conflicting-instance",
        ERROR,
        "Two different images carry one SOP instance UID",
        "Ask the archive for the series again",
    ),
    _code(
        "too-few-slices", INFO, "A stack has fewer slices than the protocol asks for", "See `[convert] minimum_slices`"
    ),
    _code("split-series", INFO, "One series holds several stacks; each becomes a volume", "Nothing to do"),
    _code(
        "weakly-split",
        WARNING,
        "Only content times or instance numbers tell the stacks of a series apart",
        "Look at the volumes",
    ),
    _code(
        "duplicate-positions",
        ERROR,
        "Slices lie at the same position and nothing tells them apart",
        "Send the series separately",
    ),
    _code("missing-slices", ERROR, "Slices are missing inside a stack", "Ask for them again, or allow `fill_gaps`"),
    _code(
        "uneven-spacing",
        ERROR,
        "Slices are not evenly spaced",
        "Ask for an even reconstruction, or allow `resample_mm`",
    ),
    _code(
        "gantry-tilt", ERROR, "The gantry was tilted: slices are stacked off their normal", "Allow `deskew` to resample"
    ),
    _code(
        "shifted-slices", ERROR, "Slices are shifted against each other in their plane", "Ask for one reconstruction"
    ),
    _code(
        "no-thickness",
        ERROR,
        "A single slice has no usable slice thickness, so no volume can be made of it",
        "Send the whole series",
    ),
    _code("geometry-proof", ERROR, "The corners of the slices do not lie on a grid", "Ask for one reconstruction"),
    _code(
        "tilt-contradiction",
        WARNING,
        "The header claims a tilt that the positions do not show",
        "Look at a sagittal view",
    ),
    _code(
        "thickness-differs",
        INFO,
        "Slice thickness and distance between slices differ; positions are used",
        "Nothing to do",
    ),
    _code(
        "normal-to-feet",
        INFO,
        "k runs from head to feet because rows and columns are ordered so",
        "Nothing to do; the affine says so",
    ),
    _code(
        "mixed-matrix",
        WARNING,
        "One series holds slices of several matrix or pixel sizes",
        "Check that no slice is missing",
    ),
    _code(
        "incomplete-series",
        ERROR,
        "Files of a stack's series are damaged, so slices may be missing at its ends",
        "Send the series again, or remove the damaged files to use the rest",
    ),
    _code(
        "not-hounsfield",
        ERROR,
        "Stored values do not lead to Hounsfield units",
        "Send the original series with rescale slope and intercept",
    ),
    _code("fractional-rescale", INFO, "HU are fractional; the volume is float32", "Nothing to do"),
    _code("wide-range", WARNING, "HU exceed int16; the volume is float32", "Check the rescale intercept"),
    _code(
        "pixel-padding",
        INFO,
        "Pixels outside the reconstruction are marked with a padding value, which is kept",
        "Nothing to do",
    ),
    _code(
        "stray-bits", INFO, "Bits outside the stored range were set and were cleared (old overlays)", "Nothing to do"
    ),
    _code(
        "varying-rescale",
        INFO,
        "Slices have different rescale slopes or intercepts; each is applied to its slice",
        "Nothing to do",
    ),
    _code(
        "resampled",
        WARNING,
        "The volume was resampled because it was asked for",
        "Release it only if resampling is what you want",
    ),
)
