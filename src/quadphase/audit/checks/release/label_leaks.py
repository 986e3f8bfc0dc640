"""Ids, row order and file names must not tell the diagnosis.

Tests: with subjects in the order of their ids (or rows), how many times does the diagnosis change from one to the
next? Sorted classes change as often as there are classes; random order changes often. The number of runs is compared
with its distribution under shuffling (Wald & Wolfowitz 1940, doi:10.1214/aoms/1177731909, generalised to several
classes by permutation).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from quadphase.audit.contexts import ReleaseContext
from quadphase.io.release_rows import ReleaseRow
from quadphase.model import Diagnosis, Finding

__all__ = ["check", "runs_p_value"]

SHUFFLES: Final = 4000
LEAST_SUBJECTS: Final = 12
ALPHA: Final = 0.001
"""Two such tests on a clean release raise a false alarm once in 500."""

GIVEAWAYS: Final = frozenset({*(d.value for d in Diagnosis), "CONTROL", "NORMAL", "TUMOR", "TUMOUR", "CANCER"})


def runs_p_value(labels: Sequence[object], *, shuffles: int = SHUFFLES, seed: int = 0) -> tuple[int, float]:
    """Number of runs of equal labels, and the chance of so few in random order.

    Examples
    --------
    >>> runs_p_value(list("aaaaaabbbbbbcccccc"))[0]
    3
    """
    codes = np.unique([str(label) for label in labels], return_inverse=True)[1]
    runs = 1 + int(np.count_nonzero(np.diff(codes)))
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(codes, (shuffles, 1)), axis=1)
    counts = 1 + np.count_nonzero(np.diff(shuffled, axis=1), axis=1)
    return runs, (1 + int(np.count_nonzero(counts <= runs))) / (shuffles + 1)


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
    runs, p = runs_p_value(labels)
    if p < ALPHA:
        message = f"{len(labels)} subjects in order of their {what} form {runs} runs of one diagnosis (p {_shown(p)})"
        yield Finding.of(code, context.release.table.name, message)


def _shown(p: float) -> str:
    return f"≤ {1 / (SHUFFLES + 1):.1g}" if p <= 1.5 / (SHUFFLES + 1) else f"= {p:.2g}"


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sort key that puts P2 before P10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name)]
