"""What a check could not foresee becomes a finding: which check, where, and the place in the code; never a value.

An audit of a thousand volumes must not end at the one that no check was written for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from quadphase.errors import place_of
from quadphase.model import Finding

__all__ = ["failure", "judged"]

C = TypeVar("C")


def failure(check: str, location: str, error: Exception) -> Finding:
    """A `check-failed` finding; the exception's text may hold anything and is left out."""
    return Finding.of("check-failed", location, f"check {check} could not finish: {place_of(error)}")


def judged(check: Callable[[C], Iterable[Finding]], context: C, location: str) -> list[Finding]:
    """All findings of one check, and one more if it cannot finish."""
    findings: list[Finding] = []
    try:
        findings.extend(check(context))
    except Exception as error:
        name = getattr(check, "__module__", "?").rpartition(".")[2]
        findings.append(failure(name, location, error))
    return findings
