"""The catalogue of finding codes: one file per room that reports them, merged here; a code twice is an error."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from quadphase.model.catalogue import acquire, audit, cohort, deidentify, geometry, localize, phases, readings, release
from quadphase.model.finding import FindingCode

__all__ = ["CATALOGUE"]


def _merge(*parts: tuple[FindingCode, ...]) -> Mapping[str, FindingCode]:
    merged: dict[str, FindingCode] = {}
    for entry in (entry for part in parts for entry in part):
        if entry.code in merged:
            raise ValueError(f"finding code {entry.code} is defined twice")
        merged[entry.code] = entry
    return MappingProxyType(merged)


CATALOGUE: Mapping[str, FindingCode] = _merge(
    cohort.CODES,
    acquire.CODES,
    geometry.CODES,
    phases.CODES,
    localize.CODES,
    readings.CODES,
    deidentify.CODES,
    audit.CODES,
    release.CODES,
)
