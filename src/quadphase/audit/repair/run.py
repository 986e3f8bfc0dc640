"""`repair`: write the corrected copy, case by case, resumable; it gets its name when it is complete."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from quadphase import __version__
from quadphase.audit.repair.case import RepairJob, repair_case
from quadphase.audit.repair.provenance import NAME, Assumption, format_provenance
from quadphase.audit.repair.spacing import GivenGeometry, load_spacings
from quadphase.audit.workers import rows_by_subject, worker_pool
from quadphase.errors import InputError
from quadphase.io import atomic
from quadphase.io.hashing import format_checksums, sha256_of
from quadphase.io.json_file import load_json, save_json
from quadphase.io.release import Release
from quadphase.model import Phase
from quadphase.model.progress import Progress

__all__ = ["RepairReport", "repair"]

RECORDS: Final = ".repair"
"""Folder of finished subjects inside the unfinished copy; gone when it is complete."""

KEPT: Final = ("LICENSE*", "LICENCE*", "README*")
"""Files besides images that stay true after a repair; derived tables do not, and are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What was done.

    Parameters
    ----------
    out : Path
    images : int
    lines : tuple of Assumption
        As in `provenance.csv`.
    resumed : int
        Subjects that an earlier, interrupted run had finished.
    """

    out: Path
    images: int
    lines: tuple[Assumption, ...]
    resumed: int

    def counts(self) -> dict[str, dict[str, int]]:
        """Lines by status and by what they are about."""
        table: dict[str, Counter[str]] = {"repaired": Counter(), "assumed": Counter(), "left": Counter()}
        for line in self.lines:
            table[line.status][line.what] += 1
        return {status: dict(sorted(counter.items())) for status, counter in table.items()}

    def to_dict(self) -> dict[str, Any]:
        """Stable JSON form."""
        return {
            "format": 1,
            "out": str(self.out),
            "images": self.images,
            "resumed_subjects": self.resumed,
            "counts": self.counts(),
            "lines": [asdict(line) for line in self.lines],
        }


def repair(
    path: Path | str,
    out: Path,
    *,
    spacing: Path | None = None,
    estimate: bool = False,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> RepairReport:
    """Write a corrected copy of a release.

    Parameters
    ----------
    path : Path or str
        The flawed release; never changed.
    out : Path
        New folder.
    spacing : Path, optional
        Table with patient_id, phase, spacing_i_mm, spacing_j_mm, slice_spacing_mm (and origin_*_mm); a `geometry.csv`
        will do.
    estimate : bool
        Whether spacings the table does not give may be estimated; each with its uncertainty in `provenance.csv`.
    workers : int
        Processes, where no `executor` is given.

    Raises
    ------
    InputError
        As `Release` and `load_spacings`; ``"out-inside"`` if `out` lies in the release; ``"unknown-subject"`` if the
        table names subjects the release does not have and none it has.
    OutputError
        ``"exists"`` if `out` exists; if the disk refuses.
    """
    release = Release(path)
    place = _place(release, out)
    given = load_spacings(spacing) if spacing is not None else {}
    names = {case for case, _ in given}
    if names and not any(name in release for name in names):
        raise InputError(
            "unknown-subject", "The spacing table names no subject of this release", "Is it the right table?"
        )
    work = place.with_name(f"{atomic.TEMPORARY_PREFIX}{place.name}")
    _prepare(work, _inputs(release, spacing, estimate=estimate))
    jobs = _jobs(release, work, given, estimate=estimate)
    # Records bear the number of the job: names of subjects may differ in signs that a file name cannot hold.
    record_of = {job.case: work / RECORDS / f"{number}.json" for number, job in enumerate(jobs)}
    finished = {case: _finished(record) for case, record in record_of.items()}
    todo = [job for job in jobs if finished[job.case] is None]
    with worker_pool(executor, workers, len(todo)) as pool:
        results = map(repair_case, todo) if pool is None else pool.map(repair_case, todo)
        for done, (job, lines) in enumerate(zip(todo, results, strict=True), start=len(jobs) - len(todo) + 1):
            finished[job.case] = lines
            save_json(record_of[job.case], [asdict(line) for line in lines])
            if progress is not None:
                progress(done, len(jobs), job.case)
    every = [line for job in jobs for line in finished[job.case] or ()]
    every += _left_out(release)
    _finish(release, work, every)
    try:
        work.rename(place)
    except OSError as error:
        raise atomic.explain(error, out) from None
    return RepairReport(out=out, images=len(release.rows), lines=tuple(every), resumed=len(jobs) - len(todo))


def _place(release: Release, out: Path) -> Path:
    """Where the copy goes, links followed: a link may lead to a folder that is not there yet."""
    place = atomic.require_target(out)
    if place.is_relative_to(release.root.resolve()):
        raise InputError(
            "out-inside", f"{out} lies inside the release", "A repair is never in place: choose another folder"
        )
    return place


def _inputs(release: Release, spacing: Path | None, *, estimate: bool) -> dict[str, Any]:
    """What an unfinished copy must have been made from and with, to be gone on with.

    Images are told by size and time of change, as make and rsync do: hashing them would take as long as the repair.
    """
    paths = sorted({p for row in release.rows for p in (row.ct_path, row.mask_path, row.liver_mask_path) if p})
    files = hashlib.sha256()
    for path in paths:
        file = release.root / path
        state = file.stat() if file.is_file() else None
        files.update(f"{path}\0{(state.st_size, state.st_mtime_ns) if state else None}\n".encode())
    return {
        "software": __version__,
        # A digest: a path may name a person, and this file may stay behind.
        "source": hashlib.sha256(str(release.root.resolve()).encode()).hexdigest(),
        "files": files.hexdigest(),
        "table": sha256_of(release.table),
        "spacing": sha256_of(spacing) if spacing else None,
        "estimate": estimate,
    }


def _prepare(work: Path, settings: dict[str, Any]) -> None:
    """Keep an unfinished copy made with the same inputs; begin anew otherwise."""
    marker = work / RECORDS / "settings.json"
    if work.exists():
        try:
            same = load_json(marker) == settings
        except InputError:
            same = False
        if not same:
            shutil.rmtree(work)
    save_json(marker, settings)


def _finished(record: Path) -> tuple[Assumption, ...] | None:
    return tuple(Assumption(**line) for line in load_json(record)) if record.is_file() else None


def _jobs(
    release: Release, work: Path, given: dict[tuple[str, Phase | None], GivenGeometry], *, estimate: bool
) -> list[RepairJob]:
    jobs = []
    for case, rows in rows_by_subject(release).items():
        own = {}
        for phase in Phase:
            stated = given.get((case, phase), given.get((case, None)))
            if stated is not None:
                own[phase] = stated
        jobs.append(RepairJob(root=release.root, out=work, case=case, rows=rows, given=own, estimate=estimate))
    return jobs


def _left_out(release: Release) -> list[Assumption]:
    """What a repair of images cannot touch, said once for the whole release."""
    why = "ids, labels and missing values of the table are the publisher's to correct"
    return [
        Assumption(location=release.table.name, status="left", what="table", before="", after="", basis=why),
        Assumption(
            location=release.root.name,
            status="left",
            what="file",
            before="",
            after="",
            basis="derived tables and other files of the release are not copied: they describe the flawed images",
        ),
    ]


def _finish(release: Release, work: Path, lines: list[Assumption]) -> None:
    atomic.write_bytes(work / release.table.name, release.table.read_bytes())
    for pattern in KEPT:
        for path in sorted(release.root.glob(pattern)):
            if path.is_file():
                atomic.write_bytes(work / path.name, path.read_bytes())
    atomic.write_text(work / NAME, format_provenance(lines))
    shutil.rmtree(work / RECORDS)
    files = sorted(path for path in work.rglob("*") if path.is_file())
    digests = {path.relative_to(work).as_posix(): sha256_of(path) for path in files}
    atomic.write_text(work / "checksums.sha256", format_checksums(digests))
