"""`acquire`: choose the kind of source by its spelling, ask for the wanted patients, index what is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from quadphase.acquire.address import FolderAddress, parse_address
from quadphase.acquire.folder import index_folder
from quadphase.acquire.network import fetch_and_index
from quadphase.acquire.pace import Clock
from quadphase.acquire.report import AcquireReport
from quadphase.errors import InputError
from quadphase.io.ledger import Ledger
from quadphase.io.study import Study
from quadphase.model.progress import Progress

__all__ = ["acquire", "wanted_cases"]


def _silent(done: int, total: int, label: str) -> None:
    """Progress for nobody."""


def acquire(
    study: Study,
    source: str | Path,
    *,
    wanted: Sequence[str] | None = None,
    progress: Progress = _silent,
    dry_run: bool = False,
    blank_id: str | None = None,
    clock: Clock | None = None,
) -> AcquireReport:
    """Index a source, after fetching from it where it is a network source.

    Parameters
    ----------
    study : Study
    source : str or Path
        A folder, ``dimse://CALLED_AET@host:port`` or ``http(s)://host/dicom-web``.
    wanted : sequence of str, optional
        Pseudonyms; by default the eligible patients of the cohort, or all patients where nothing was decided yet.
    progress : callable ``(done, total, label)``
    dry_run : bool
        Network source: ask what there is, fetch nothing.
    blank_id : str, optional
        Folder source: pseudonym of the patient to whom all files without PatientID belong.
    clock : Clock, optional
        Time, for tests of the night window and of pauses.

    Raises
    ------
    InputError
        ``"no-source"``, ``"unknown-case"``, ``"bad-source"``, ``"no-cohort"``, ``"dry-run-folder"``,
        ``"blank-id-network"``.
    SourceUnreachableError
        The network source does not answer or refuses.

    Examples
    --------
    >>> acquire(Study(Path("study")), "/data/export")  # doctest: +SKIP
    """
    address = parse_address(source)
    study.make_restricted()
    with Ledger(study.ledger_url) as ledger:
        cases = wanted_cases(ledger, wanted)
        if blank_id is not None and blank_id not in ledger.patients():
            raise InputError("unknown-case", f"There is no case {blank_id}", "Name a pseudonym of the cohort")
        if isinstance(address, FolderAddress):
            if dry_run:
                raise InputError(
                    "dry-run-folder", "A dry run is for network sources", "A folder is only indexed, in place"
                )
            return index_folder(study, ledger, address.path, wanted=cases, progress=progress, blank_is=blank_id)
        if blank_id is not None:
            raise InputError(
                "blank-id-network",
                "--blank-id is for folders",
                "An archive is asked by id or accession number; give the accession number in the clinical table",
            )
        return fetch_and_index(study, ledger, address, wanted=cases, progress=progress, dry_run=dry_run, clock=clock)


def wanted_cases(ledger: Ledger, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Pseudonyms to acquire, sorted.

    Raises
    ------
    InputError
        ``"unknown-case"``.
    """
    patients = ledger.patients()
    if wanted is not None:
        unknown = [case for case in wanted if case not in patients]
        if unknown:
            raise InputError(
                "unknown-case",
                f"{len(unknown)} of {len(wanted)} wanted cases are not in the cohort",
                "Name pseudonyms such as P0001; `quadphase cohort` lists them",
            )
        return tuple(sorted(set(wanted)))
    decided = {d.case: d.eligible for d in ledger.decisions("cohort")}
    return tuple(sorted(case for case in patients if decided.get(case, True)))
