"""What a NIfTI file tells besides its image. Text is judged here and forgotten: only field names leave this module."""

from __future__ import annotations

from os import SEEK_END
from pathlib import Path
from typing import Final

import numpy as np
from nibabel.spatialimages import HeaderDataError

from quadphase.audit.facts import HeaderFacts
from quadphase.audit.suspicion import suspicious_header
from quadphase.io.nifti import HEADER_BYTES, NiftiFile

__all__ = ["header_facts"]

TEXT_FIELDS: Final = ("data_type", "db_name", "intent_name", "descrip", "aux_file")

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
            if suspicious_header(text):
                suspicious.append(name)
    with path.open("rb") as stream:
        head = stream.read(1024)
        stream.seek(-4, SEEK_END)
        tail = stream.read()
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
        size = HEADER_BYTES + len(file.before_voxels) + file.stored.nbytes + len(file.after_voxels)
        if int.from_bytes(tail, "little") != size % 2**32:  # RFC 1952, 2.3.1: ISIZE, of the last member
            gzip.append("more behind the image")
    return HeaderFacts(
        texts=tuple(texts),
        suspicious=tuple(suspicious),
        extension_bytes=sum(len(part) - part.count(0) for part in (file.before_voxels, file.after_voxels)),
        gzip=tuple(gzip),
        sform_code=int(file.header["sform_code"]),
        qform_code=int(file.header["qform_code"]),
        forms_apart_mm=_forms_apart(file),
        voxel_offset=int(file.header["vox_offset"]),
    )


def _forms_apart(file: NiftiFile) -> float:
    """Largest distance between corners placed by qform and by sform, millimetres; 0 where only one speaks."""
    if int(file.header["sform_code"]) <= 0 or int(file.header["qform_code"]) <= 0:
        return 0.0
    try:
        sform, qform = file.header.get_sform(), file.header.get_qform()
    except (HeaderDataError, ValueError):  # a quaternion that is none
        return float("inf")
    last = [n - 1 for n in file.stored.shape[:3]]
    last += [0] * (3 - len(last))
    corners = np.array([(i, j, k, 1.0) for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])])
    apart = corners @ (np.asarray(sform) - np.asarray(qform)).T
    return float(np.linalg.norm(apart[:, :3], axis=1).max())
