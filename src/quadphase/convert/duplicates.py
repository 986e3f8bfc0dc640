"""Copies of slices: the same file sent twice is used once; two images under one UID are a conflict and are said.

Copies are told by what they are (place, acquisition, pixel bytes), never by file name.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from quadphase.convert.header import SliceHeader
from quadphase.convert.splitting import SAME_PLACE_MM
from quadphase.io.dicom_elements import DEFLATED

__all__ = ["without_copies"]


def _pixel_digest(header: SliceHeader) -> bytes:
    layout = header.pixels
    with header.origin.path.open("rb") as stream:
        if layout.transfer_syntax != DEFLATED:
            stream.seek(layout.offset)
        data = (
            stream.read() if layout.length is None or layout.transfer_syntax == DEFLATED else stream.read(layout.length)
        )
    return hashlib.sha256(data + b"%d" % header.origin.frame).digest()


def _bucket(header: SliceHeader) -> tuple[object, ...]:
    """What two copies have in common for certain; cheap to compute."""
    o, a, p = header.origin, header.acquisition, header.plane
    place = tuple(round(x / SAME_PLACE_MM) for x in p.position_mm)
    series = (o.patient_id, o.study_instance_uid, o.series_instance_uid, a.series_number, o.frame_of_reference_uid)
    scan = (a.acquisition_number, a.acquisition_time_s, a.temporal_position, a.trigger_delay_ms, a.image_type, a.kernel)
    return (series, place, p.rows, p.columns, scan)


def without_copies(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], Counter[str]]:
    """Headers with one of each set of copies, and how many were left out by finding code.

    ``duplicate-file``: same SOP instance UID and pixels. ``duplicate-slice``: same pixels under another UID, left out
    only where no position of its series repeats otherwise, because two phases may share an empty slice.
    ``conflicting-instance``: same UID, other pixels; both are kept, and the repeated position will refuse the stack.
    """
    buckets: dict[tuple[object, ...], list[SliceHeader]] = defaultdict(list)
    for header in headers:
        buckets[_bucket(header)].append(header)
    counts: Counter[str] = Counter()
    kept: list[SliceHeader] = []
    renamed: dict[object, list[tuple[list[SliceHeader], int]]] = defaultdict(list)
    truly_repeated: set[object] = set()
    for key, members in buckets.items():
        if len(members) == 1:
            kept += members
            continue
        by_pixels: dict[bytes, list[SliceHeader]] = defaultdict(list)
        for header in sorted(members, key=lambda h: (h.origin.sop_instance_uid, str(h.origin.path))):
            by_pixels[_pixel_digest(header)].append(header)
        if len(by_pixels) > 1:
            truly_repeated.add(key[0])
        uids = Counter(uid for same in by_pixels.values() for uid in {h.origin.sop_instance_uid for h in same} if uid)
        counts["conflicting-instance"] += sum(n - 1 for n in uids.values() if n > 1)
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
    return kept, +counts
