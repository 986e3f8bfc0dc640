"""Presentation contexts for receiving CT: which objects, in which encodings.

Every context proposes one transfer syntax. Were all syntaxes of an object in one context, the archive would have to
pick one for the whole association and re-encode, or fail on, everything stored otherwise (PS3.8 9.3.3.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

__all__ = ["STORAGE_CLASSES", "VERIFICATION", "accepted_contexts", "storage_contexts"]

_UNCOMPRESSED: Final = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
_COMPRESSED: Final = (
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",  # JPEG extended
    "1.2.840.10008.1.2.4.57",  # JPEG lossless
    "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.201",  # HTJ2K lossless
    "1.2.840.10008.1.2.5",  # RLE lossless
)

VERIFICATION: Final = "1.2.840.10008.1.1"

STORAGE_CLASSES: Final = (
    "1.2.840.10008.5.1.4.1.1.2",  # CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT Image Storage
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture, which scanners file among CT series
)


def storage_contexts() -> list[PresentationContext]:
    """56 contexts, within the 128 an association may propose."""
    from pynetdicom import build_context

    return [build_context(uid, syntax) for uid in STORAGE_CLASSES for syntax in (*_UNCOMPRESSED, *_COMPRESSED)]


def accepted_contexts() -> list[PresentationContext]:
    """What our listener accepts. Here the archive proposes, so one context holds all syntaxes; it may also C-ECHO."""
    from pynetdicom import build_context

    syntaxes = [*_UNCOMPRESSED, *_COMPRESSED]
    return [build_context(VERIFICATION), *(build_context(uid, syntaxes) for uid in STORAGE_CLASSES)]
