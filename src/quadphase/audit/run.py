"""`audit`: every claim of a release checked again from its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from quadphase.audit.case import CaseJob, CaseResult, audit_case
from quadphase.audit.checks import RELEASE_CHECKS
from quadphase.audit.checks.release.checksums import MANIFEST
from quadphase.audit.contexts import ReleaseContext, has_images
from quadphase.audit.facts import VolumeFacts
from quadphase.audit.failures import judged
from quadphase.audit.measure import location_of
from quadphase.audit.report import AuditReport, in_order
from quadphase.audit.thumbnail import picture_of, volumes_of
from quadphase.audit.workers import rows_by_subject, worker_pool
from quadphase.errors import InputError
from quadphase.io.hashing import load_checksums
from quadphase.io.json_file import load_json
from quadphase.io.release import Release
from quadphase.io.release_tables import GEOMETRY_NAME, LESIONS_NAME, load_geometry
from quadphase.io.whole_tree import WholeTree, whole_tree
from quadphase.model import Finding
from quadphase.model.progress import Progress

__all__ = ["audit"]

MOST_PICTURES_AGAIN = 200


def audit(
    path: Path | str,
    *,
    against: Path | str | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
    thumbnails: bool = False,
    name: str = "",
) -> AuditReport:
    """Audit a release: ours, the published PLC-CECT, or any with such a table.

    Parameters
    ----------
    path : Path or str
        Folder of the release, or its table: with the images beside it, or on its own (then only the table is judged).
    against : Path or str, optional
        Another release, searched for the same scans.
    workers : int
        Processes, where no `executor` is given.
    executor : concurrent.futures.Executor, optional
        Runs one job a subject; it must be able to read `path`.
    progress : callable, optional
        ``(done, total, label)``.
    thumbnails : bool
        Also draw a small picture of every volume that has a finding.
    name : str
        What the report calls the release; `path` by default. A release under construction has another path for now.

    Raises
    ------
    InputError
        If there is no table, or it cannot be read.

    Examples
    --------
    >>> report = audit("release")  # doctest: +SKIP
    >>> report.counts  # doctest: +SKIP
    {}
    """
    release = Release(path)
    # Where not a single image of the table exists, it is a table on its own.
    is_whole = has_images(release)
    tree = whole_tree(release.root) if is_whole else WholeTree(entries=(), closed=())
    files = _relative(release.root, tree.files)
    manifest = _manifest(release.root) if is_whole else None
    jobs = []
    if is_whole:
        stated = bool({GEOMETRY_NAME, LESIONS_NAME} & files)
        windows = _windows(release.root) if GEOMETRY_NAME in files else {}
        jobs = _jobs(release, digests=manifest is not None, lesions=stated, thumbnails=thumbnails, windows=windows)
    other = _other(against)
    total = len(jobs) + len(other)
    findings: list[Finding] = []
    volumes: list[VolumeFacts] = []
    elsewhere: list[VolumeFacts] = []
    pictures: dict[str, bytes] = {}
    with worker_pool(executor, workers, len(jobs)) as pool:
        for done, result in enumerate(_results(pool, [*jobs, *other]), start=1):
            if done <= len(jobs):
                findings.extend(result.findings)
                volumes.extend(result.facts)
                pictures |= result.thumbnails
            else:
                elsewhere.extend(result.facts)
            if progress is not None:
                progress(done, total, result.case)
    context = ReleaseContext(
        release=release,
        volumes=tuple(sorted(volumes, key=lambda volume: volume.row.line)),
        files=files,
        closed=_relative(release.root, tree.closed),
        manifest=manifest,
        description=_description(release.root) if is_whole else {},
        against=tuple(elsewhere),
    )
    for check in RELEASE_CHECKS:
        findings.extend(judged(check, context, release.table.name))
    ordered = in_order(findings)
    if thumbnails:
        # Findings between subjects are known only now; the few volumes they name are read once more.
        missing = volumes_of(finding.location for finding in ordered) - pictures.keys()
        again = [v.row for v in context.volumes if v.location in missing][:MOST_PICTURES_AGAIN]
        pictures |= {location: png for row in again for location, png in picture_of(release.root, row).items()}
    return AuditReport(
        name=name or str(path),
        subjects=len(release),
        images=len(release.rows),
        findings=ordered,
        facts=context.volumes,
        thumbnails=pictures,
    )


def _relative(root: Path, paths: Iterable[Path]) -> frozenset[str]:
    return frozenset(path.relative_to(root).as_posix() for path in paths)


def _manifest(root: Path) -> dict[str, str] | None:
    path = root / MANIFEST
    try:
        return load_checksums(path) if path.is_file() else None
    except InputError:
        return None


def _description(root: Path) -> dict[str, Any]:
    try:
        value = load_json(root / "dataset_description.json")
    except InputError:
        return {}
    return value if isinstance(value, dict) else {}


def _windows(root: Path) -> dict[str, tuple[float, float]]:
    """Window of each image as `geometry.csv` states it; a table that cannot be read states none."""
    try:
        rows = load_geometry(root / GEOMETRY_NAME)
    except InputError:
        return {}
    return {
        f"{row.patient_id}/{row.phase}": (row.window_lower_hu, row.window_upper_hu)
        for row in rows
        if row.window_lower_hu is not None and row.window_upper_hu is not None
    }


def _jobs(
    release: Release,
    *,
    digests: bool,
    lesions: bool,
    thumbnails: bool = False,
    checks: bool = True,
    windows: Mapping[str, tuple[float, float]] | None = None,
) -> list[CaseJob]:
    windows = windows or {}
    return [
        CaseJob(
            root=release.root,
            case=case,
            rows=rows,
            digests=digests,
            lesions=lesions,
            thumbnails=thumbnails,
            checks=checks,
            windows={place: windows[place] for row in rows if (place := location_of(row)) in windows},
        )
        for case, rows in rows_by_subject(release).items()
    ]


def _other(against: Path | str | None) -> list[CaseJob]:
    if against is None:
        return []
    return _jobs(Release(against), digests=False, lesions=False, checks=False)


def _results(pool: Executor | None, jobs: list[CaseJob]) -> Iterator[CaseResult]:
    return map(audit_case, jobs) if pool is None else pool.map(audit_case, jobs)
