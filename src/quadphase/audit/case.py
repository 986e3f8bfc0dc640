"""The unit of parallel work: all phases of one subject, in one process, from files to findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quadphase.audit.checks import CASE_CHECKS, VOLUME_CHECKS
from quadphase.audit.contexts import CaseContext
from quadphase.audit.facts import Sketch, VolumeFacts
from quadphase.audit.failures import failure, judged
from quadphase.audit.measure import location_of, measure
from quadphase.audit.thumbnail import thumbnail, volumes_of
from quadphase.io.release_rows import ReleaseRow
from quadphase.model import Finding, Phase

__all__ = ["CaseJob", "CaseResult", "audit_case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseJob:
    """Rows of one subject, and what to measure besides the usual."""

    root: Path
    case: str
    rows: tuple[ReleaseRow, ...]
    digests: bool = False
    lesions: bool = False
    thumbnails: bool = False
    checks: bool = True
    """False: facts only, for a release that others are compared with."""
    windows: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Window the release states for an image, by location."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseResult:
    """What a job sends back: a few kilobytes a volume."""

    case: str
    facts: tuple[VolumeFacts, ...]
    findings: tuple[Finding, ...]
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    """PNG by location, of volumes with a finding."""


def audit_case(job: CaseJob) -> CaseResult:
    """Measure and judge one subject; never raises for what is in its files."""
    findings: list[Finding] = []
    facts: list[VolumeFacts] = []
    volumes: dict[Phase, VolumeFacts] = {}
    sketches: dict[Phase, Sketch] = {}
    for row in job.rows:
        window = job.windows.get(location_of(row))
        measured = measure(job.root, row, digests=job.digests, lesions=job.lesions, window=window)
        findings.extend(measured.findings)
        if measured.facts is None:
            continue
        facts.append(measured.facts)
        if row.phase is not None and row.phase not in volumes:
            volumes[row.phase] = measured.facts
            if measured.sketch is not None and job.checks:
                sketches[row.phase] = measured.sketch
    if job.checks:
        for volume in facts:
            for volume_check in VOLUME_CHECKS:
                findings.extend(judged(volume_check, volume, volume.location))
        ordered = {phase: volumes[phase] for phase in Phase if phase in volumes}
        context = CaseContext(case=job.case, volumes=ordered, sketches=sketches)
        for case_check in CASE_CHECKS:
            findings.extend(judged(case_check, context, job.case))
    pictures = {}
    if job.thumbnails:
        wanted = volumes_of(finding.location for finding in findings)
        for phase, drawn in sketches.items():
            where = volumes[phase].location
            if wanted & {job.case, where}:
                try:
                    pictures[where] = thumbnail(drawn)
                except Exception as error:
                    findings.append(failure("thumbnail", where, error))
    return CaseResult(case=job.case, facts=tuple(facts), findings=tuple(findings), thumbnails=pictures)
