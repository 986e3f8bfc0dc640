"""Copies of slices: the same file sent twice is used once; two images under one UID are a conflict and are said.

Copies are told by what they are (place, acquisition, pixel bytes), never by file name. Pixels are read only where two
slices lie at one place.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from quadphase.convert.header import SliceHeader
from quadphase.convert.intake import Rejection
from quadphase.convert.splitting import SAME_PLACE_MM
from quadphase.io.dicom_elements import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT

__all__ = ["without_copies"]


def _pixel_digest(header: SliceHeader, files: dict[Path, bytes]) -> bytes:
    """What tells the pixels of a slice; `files` remembers what was read whole, once for all its frames."""
    layout, plane, path, frame = header.pixels, header.plane, header.origin.path, header.origin.frame
    if layout.transfer_syntax in (IMPLICIT, EXPLICIT, BIG_ENDIAN):
        size = plane.rows * plane.columns * layout.bits_allocated // 8
        return _digest(path, layout.offset + frame * size, size) + b"%d" % frame
    if path not in files:
        deflated = layout.transfer_syntax == DEFLATED  # its offset is one of the inflated bytes
        files[path] = _digest(path, 0, None) if deflated else _digest(path, layout.offset, layout.length)
    return files[path] + b"%d" % frame


def _digest(path: Path, start: int, length: int | None) -> bytes:
    with path.open("rb") as stream:
        stream.seek(start)
        return hashlib.sha256(stream.read() if length is None else stream.read(length)).digest()


def _bucket(header: SliceHeader) -> tuple[object, ...]:
    """What two copies have in common for certain; cheap to compute."""
    o, a, p = header.origin, header.acquisition, header.plane
    place = tuple(round(x / SAME_PLACE_MM) for x in p.position_mm)
    series = (o.patient_id, o.study_instance_uid, o.series_instance_uid, a.series_number, o.frame_of_reference_uid)
    scan = (a.acquisition_number, a.acquisition_time_s, a.temporal_position, a.trigger_delay_ms, a.image_type, a.kernel)
    return (series, place, p.rows, p.columns, scan)


def without_copies(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], Counter[str], list[Rejection]]:
    """Headers with one of each set of copies, how many by finding code, and files that could not be read for it.

    ``duplicate-file``: same SOP instance UID and pixels. ``duplicate-slice``: same pixels under another UID, left out
    only where no position of its series repeats otherwise, because two phases may share an empty slice.
    ``conflicting-instance``: one UID for several images of a series; all are kept, and a repeated position will refuse
    the stack.
    """
    buckets: dict[tuple[object, ...], list[SliceHeader]] = defaultdict(list)
    for header in headers:
        buckets[_bucket(header)].append(header)
    counts: Counter[str] = Counter()
    kept: list[SliceHeader] = []
    renamed: dict[object, list[tuple[list[SliceHeader], int]]] = defaultdict(list)
    truly_repeated: set[object] = set()
    files: dict[Path, bytes] = {}
    lost: list[Rejection] = []
    for key, members in buckets.items():
        if len(members) == 1:
            kept += members
            continue
        by_pixels: dict[bytes, list[SliceHeader]] = defaultdict(list)
        for header in sorted(members, key=lambda h: (h.origin.sop_instance_uid, str(h.origin.path))):
            try:
                by_pixels[_pixel_digest(header, files)].append(header)
            except OSError as error:
                lost.append(_lost(header, error))
        if len(by_pixels) > 1:
            truly_repeated.add(key[0])
        for same in by_pixels.values():
            unique = list({(h.origin.sop_instance_uid): h for h in reversed(same)}.values())
            counts["duplicate-file"] += len(same) - len(unique)
            renamed[key[0]].append((unique[::-1], len(unique) - 1))
    for series, sets in renamed.items():
        for unique, extra in sets:
            if extra and series not in truly_repeated:
                counts["duplicate-slice"] += extra
                kept.append(unique[0])
            else:
                kept += unique
    counts["conflicting-instance"] = _shared_uids(kept)
    return kept, +counts, lost


def _lost(header: SliceHeader, error: OSError) -> Rejection:
    o = header.origin
    return Rejection(
        code="unreadable-file",
        detail=f"cannot be read ({error.strerror})",
        path=o.path,
        series=(o.patient_id, o.study_instance_uid, o.series_instance_uid),
        series_number=header.acquisition.series_number,
    )


def _shared_uids(headers: Sequence[SliceHeader]) -> int:
    """How many images carry the SOP instance UID of another image of their series, wherever in the body they lie."""
    origins = (header.origin for header in headers)
    images = Counter(
        (o.patient_id, o.study_instance_uid, o.series_instance_uid, o.sop_instance_uid, o.frame)
        for o in origins
        if o.sop_instance_uid
    )
    return sum(n - 1 for n in images.values())
