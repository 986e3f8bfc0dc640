"""Ids, row order and file names must not tell the diagnosis.

Subjects are put in the order of their ids (or rows); a permutation test asks whether diagnoses lie as unevenly along it
by chance (`statistics.permutation`, the test that `deidentify` makes of a release, too): one class early, another late,
or several blocks of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from quadphase.audit.contexts import ReleaseContext
from quadphase.io.release_rows import ReleaseRow
from quadphase.model import Diagnosis, Finding
from quadphase.statistics.permutation import SHUFFLES, order_p_value

__all__ = ["check"]

LEAST_SUBJECTS: Final = 12
ALPHA: Final = 0.0005
"""Two such tests raise a false alarm on one clean release in a thousand."""

GIVEAWAYS: Final = frozenset({*(d.value for d in Diagnosis), "CONTROL", "NORMAL", "TUMOR", "TUMOUR", "CANCER"})


def check(context: ReleaseContext) -> Iterator[Finding]:
    known = [(s.name, s.diagnosis) for s in context.release if s.diagnosis is not None]
    if len(known) >= LEAST_SUBJECTS and len({d for _, d in known}) > 1:
        by_id = [d for _, d in sorted(known, key=lambda pair: _natural(pair[0]))]
        yield from _judge("id-reveals-diagnosis", "ids", by_id, context)
        by_row = [d for _, d in known]
        if by_row != by_id:
            yield from _judge("order-reveals-diagnosis", "rows", by_row, context)
    words = [(row, _giveaways(row)) for row in context.release.rows if row.diagnosis is not None]
    if len({row.diagnosis for row, _ in words}) < 2:
        return
    # A word that every path has ("Liver Cancer CT/...") tells nobody which image is which.
    shared = frozenset.intersection(*(found for _, found in words))
    for row, found in words:
        if found - shared:
            message = "a word of the path names a diagnosis"
            yield Finding.of("path-reveals-diagnosis", row.ct_path or row.subject, message)


def _giveaways(row: ReleaseRow) -> frozenset[str]:
    text = " ".join(path for path in (row.ct_path, row.liver_mask_path) if path)
    return GIVEAWAYS & {word.upper() for word in re.findall("[A-Za-z]+", text)}


def _judge(code: str, what: str, labels: list[Diagnosis], context: ReleaseContext) -> Iterator[Finding]:
    p = order_p_value(range(len(labels)), labels)
    if p < ALPHA:
        runs = 1 + sum(a is not b for a, b in pairwise(labels))
        message = f"{len(labels)} subjects in order of their {what} form {runs} runs of one diagnosis (p {_shown(p)})"
        yield Finding.of(code, context.release.table.name, message)


def _shown(p: float) -> str:
    return f"≤ {1 / (SHUFFLES + 1):.1g}" if p <= 1.5 / (SHUFFLES + 1) else f"= {p:.2g}"


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sort key that puts P2 before P10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name)]
