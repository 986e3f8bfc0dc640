"""What a NIfTI file tells besides its image. Text is judged here and forgotten: only field names leave this module."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from quadphase.audit.facts import HeaderFacts
from quadphase.io.nifti import NiftiFile

__all__ = ["header_facts"]

TEXT_FIELDS: Final = ("data_type", "db_name", "intent_name", "descrip", "aux_file")

_SUSPICIOUS: Final = re.compile(
    rb"(19|20)\d{2}[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])"  # a date
    rb"|\d{6,}"  # a number long enough for an archive
    rb"|\d+(\.\d+){4,}"  # a UID
    rb"|[A-Za-z]+\^[A-Za-z]+"  # DICOM's form of a name
    rb"|[\x80-\xff]{2,}"  # text beyond ASCII
    rb"|[0-2]\d:[0-5]\d:[0-5]\d"
)

_GZIP_FLAGS: Final = {"name": 0x08, "comment": 0x10, "extra": 0x04}  # RFC 1952, 2.3.1


def header_facts(path: Path, file: NiftiFile) -> HeaderFacts:
    """Fields of a file that could hold an identifier.

    Parameters
    ----------
    path : Path
        Where `file` was read from: its first bytes are the gzip header.
    """
    texts, suspicious = [], []
    for name in TEXT_FIELDS:
        text = bytes(file.header[name].tobytes()).strip(b"\0 ")
        if text:
            texts.append(name)
            if _SUSPICIOUS.search(text):
                suspicious.append(name)
    with path.open("rb") as stream:
        head = stream.read(1024)
    gzip = []
    if head[:2] == b"\x1f\x8b":
        gzip = [name for name, flag in _GZIP_FLAGS.items() if head[3] & flag]
        if "name" in gzip and gzip == ["name"]:
            end = head.find(b"\0", 10)
            own = path.name.removesuffix(".gz").encode()
            # gzip writes the name the file had; its present name tells nothing new.
            if head[10:end] == own:
                gzip = []
        if any(head[4:8]):
            gzip.append("time")
    return HeaderFacts(
        texts=tuple(texts),
        suspicious=tuple(suspicious),
        extension_bytes=sum(byte != 0 for byte in file.before_voxels),
        gzip=tuple(gzip),
    )
