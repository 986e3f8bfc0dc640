"""The network sources: connect, plan, fetch, then index what was fetched like any folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from quadphase.acquire.address import DimseAddress, WebAddress
from quadphase.acquire.archive import Archive
from quadphase.acquire.folder import index_folder
from quadphase.acquire.pace import Clock
from quadphase.acquire.plan import Plan, make_plan
from quadphase.acquire.report import AcquireReport, Transfer
from quadphase.acquire.retrieve import Retrieved, retrieve
from quadphase.acquire.store import SeriesStore
from quadphase.errors import InputError
from quadphase.io.ledger import Ledger
from quadphase.io.ledger.acquisition import retrievals
from quadphase.io.leftovers import sweep
from quadphase.io.study import Study
from quadphase.model.finding import Finding
from quadphase.model.progress import Progress
from quadphase.model.source import SourcePatient

__all__ = ["fetch_and_index", "open_archive"]


def open_archive(address: DimseAddress | WebAddress, study: Study) -> Archive:
    """The client that fits an address; nothing is sent yet."""
    if isinstance(address, DimseAddress):
        from quadphase.acquire.dimse import DimseArchive

        return DimseArchive(address, study.protocol.pacs)
    from quadphase.acquire.web import WebArchive

    return WebArchive(address, study.protocol.pacs)


def fetch_and_index(
    study: Study,
    ledger: Ledger,
    address: DimseAddress | WebAddress,
    *,
    wanted: tuple[str, ...],
    progress: Progress,
    dry_run: bool,
    clock: Clock | None = None,
) -> AcquireReport:
    """Fetch the wanted patients' exams from a network source and index them.

    Raises
    ------
    InputError
        ``"no-cohort"``: there is nobody to ask for.
    SourceUnreachableError, OutputError
    """
    patients = {case: patient for case, patient in ledger.patients().items() if case in wanted}
    if not patients:
        raise InputError("no-cohort", "There is no patient to ask the archive for", "Run `quadphase cohort` first")
    clock = clock or Clock()
    sweep(study.downloads.glob("*/*"))
    archive = open_archive(address, study)
    try:
        archive.check()
        plan = make_plan(archive, patients, study.protocol, progress=progress, clock=clock)
        if dry_run:
            return _dry(study, ledger, plan, str(address), wanted)
        got = retrieve(study, ledger, archive, plan, source=str(address), progress=progress, clock=clock)
    finally:
        archive.close()
    study.downloads.mkdir(parents=True, exist_ok=True, mode=0o700)
    report = index_folder(study, ledger, study.downloads, wanted=wanted, progress=progress)
    return replace(
        report,
        transfer=_transfer(plan, got, str(address)),
        wanted=_per_case(plan, patients),
        findings=(*report.findings, *_plan_findings(plan), *got.findings),
    )


def _per_case(plan: Plan, patients: Mapping[str, SourcePatient]) -> dict[str, int]:
    counts = dict.fromkeys(patients, 0)
    for wanted in plan.series:
        counts[wanted.case] += 1
    return counts


def _plan_findings(plan: Plan) -> tuple[Finding, ...]:
    nothing = [
        Finding.of("no-exam-in-archive", case, "the archive has no wanted CT series in the dates asked for")
        for case in plan.without_exam
    ]
    unsafe = [
        Finding.of("id-not-askable", case, "the id in the clinical table is blank or holds a wildcard; not asked for")
        for case in plan.not_askable
    ]
    return (*nothing, *unsafe)


def _transfer(plan: Plan, got: Retrieved, source: str) -> Transfer:
    return Transfer(
        source=source,
        exams_found=plan.exams,
        series_wanted=len(plan.series),
        series_skipped=plan.skipped,
        series_done=got.done,
        series_before=got.before,
        series_failed=got.failed,
        instances=got.instances,
        bytes=got.bytes,
        missing=got.missing,
        duplicates=got.duplicates,
        seconds=round(got.seconds, 3),
    )


def _dry(study: Study, ledger: Ledger, plan: Plan, source: str, wanted: tuple[str, ...]) -> AcquireReport:
    """What would be fetched."""
    done = {row.series_instance_uid: row for row in retrievals(ledger) if row.state == "done"}
    here = instances = 0
    to_fetch: dict[str, int] = dict.fromkeys(wanted, 0)
    for each in plan.series:
        row = done.get(each.series.series_instance_uid)
        store = SeriesStore(study.downloads, study.key, each.series.study_instance_uid, each.series.series_instance_uid)
        if row is not None and store.held >= max(row.received, each.series.instances or 0):
            here += 1
            continue
        to_fetch[each.case] += 1
        instances += each.series.instances or 0
    return AcquireReport(
        files={},
        opened=0,
        forgotten=0,
        unmatched_files=0,
        cases={},
        findings=_plan_findings(plan),
        wanted=to_fetch,
        transfer=Transfer(
            source=source,
            exams_found=plan.exams,
            series_wanted=sum(to_fetch.values()),
            series_skipped=plan.skipped,
            series_before=here,
            instances=instances,
            dry_run=True,
        ),
    )
