"""Fetch the planned series one by one, remember in the ledger how far it got, try again with growing pauses.

A series is done when as many instances are on disk as the archive announced. A restart asks the archive again what
there is, skips series that are done and on disk, and of a series that was cut asks only for the instances that are
missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from quadphase.acquire.archive import Archive, FetchError
from quadphase.acquire.pace import Clock, NightWindow, RateLimit, pause_before_retry
from quadphase.acquire.plan import Plan, WantedSeries
from quadphase.acquire.store import SeriesStore
from quadphase.errors import SourceUnreachableError
from quadphase.io.ledger import Ledger
from quadphase.io.ledger.acquisition import Retrieval, retrievals, save_retrievals
from quadphase.io.study import Study
from quadphase.model.finding import Finding
from quadphase.model.progress import Progress

__all__ = ["Retrieved", "retrieve"]


@dataclass(slots=True)
class Retrieved:
    """Counts of one run, and what went wrong."""

    done: int = 0
    before: int = 0
    failed: int = 0
    instances: int = 0
    bytes: int = 0
    missing: int = 0
    duplicates: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)


def retrieve(
    study: Study,
    ledger: Ledger,
    archive: Archive,
    plan: Plan,
    *,
    source: str,
    progress: Progress,
    clock: Clock | None = None,
) -> Retrieved:
    """Fetch every planned series that is not here yet.

    Parameters
    ----------
    study : Study
    ledger : Ledger
    archive : Archive
    plan : Plan
    source : str
        Address without credentials, for the retrieval ledger.
    progress : callable
        Counts instances.
    clock : Clock, optional

    Raises
    ------
    SourceUnreachableError
        The archive stayed away through every retry; what arrived is kept.
    OutputError
        The disk refuses.
    """
    clock = clock or Clock()
    total = Retrieved()
    window = NightWindow(study.protocol.pacs.night_window)
    limit = RateLimit(study.protocol.pacs.maximum_instances_per_second, now=clock.monotonic, sleep=clock.sleep)
    known = {row.series_instance_uid: row for row in retrievals(ledger)}
    expected = sum(wanted.series.instances or 0 for wanted in plan.series)
    seen = 0
    for number, wanted in enumerate(plan.series, start=1):
        label = f"series {number} of {len(plan.series)}, {wanted.case}"
        store = SeriesStore(
            study.downloads, study.key, wanted.series.study_instance_uid, wanted.series.series_instance_uid
        )
        row = _row(wanted, known.get(wanted.series.series_instance_uid), source)
        if row.state == "done" and store.held >= max(row.received, wanted.series.instances or 0):
            total.before += 1
            seen += store.held
            progress(seen, expected, label)
            continue
        _wait_for_window(window, clock, progress, seen, expected)
        base = seen

        def stored(store: SeriesStore = store, base: int = base, label: str = label) -> None:
            progress(base + store.held, expected, label)
            limit.wait()

        begun = clock.monotonic()
        job = _Job(archive, wanted, store, row, stored, study.protocol.pacs.retries, study.protocol.pacs.retry_wait_s)
        try:
            row = job.run(clock, ledger, lambda text, seen=base: progress(seen, expected, text))  # type: ignore[misc]
        finally:
            total.seconds += clock.monotonic() - begun
            total.instances += store.written
            total.bytes += store.bytes
            total.duplicates += store.duplicates
        seen += store.held
        _judge(row, store, wanted, number, total)
    return total


class _Job:
    """One series with its retries."""

    def __init__(
        self,
        archive: Archive,
        wanted: WantedSeries,
        store: SeriesStore,
        row: Retrieval,
        stored: Callable[[], None],
        retries: int,
        first_pause_s: float,
    ) -> None:
        self._archive = archive
        self._wanted = wanted
        self._store = store
        self._row = row
        self._stored = stored
        self._retries = retries
        self._first_pause_s = first_pause_s

    def run(self, clock: Clock, ledger: Ledger, say: Callable[[str], None]) -> Retrieval:
        """Fetch until it is whole or the retries are used up; the ledger follows every attempt."""
        short = False
        for attempt in range(self._retries + 1):
            if attempt:
                pause = pause_before_retry(attempt, self._first_pause_s)
                say(f"retry {attempt} of {self._retries} in {pause:.0f} s")
                clock.sleep(pause)
            message, again, unreachable = "", True, False
            try:
                missing = self._missing()
                if missing is None or missing:
                    self._archive.fetch(self._wanted.series, self._store, only=missing, stored=self._stored)
                again = not short  # it gave all it has, twice: more patience does not help
                short = True
            except FetchError as error:
                message, again, unreachable = error.reason, error.retry, error.unreachable
            except SourceUnreachableError as error:
                self._save(ledger, error.message)
                if error.code in ("rejected", "no-c-get", "not-authorised"):
                    raise
                message, unreachable = error.message, True
            self._save(ledger, message)
            if self._row.state == "done" or not again:
                break
        if unreachable and not self._answers():
            raise SourceUnreachableError(
                "unreachable",
                f"{message} (tried {attempt + 1} times; {self._store.written} images of this series arrived)",
                "What arrived is kept; run the same command again to go on",
            )
        return self._row

    def _answers(self) -> bool:
        """Whether the archive is there after all, and only this series brings it down."""
        try:
            self._archive.check()
        except SourceUnreachableError:
            return False
        return True

    def _missing(self) -> list[str] | None:
        """Instances still to fetch, when some are here; None: the whole series."""
        if self._store.held == 0:
            return None
        series = self._wanted.series
        try:
            there = self._archive.instances(series.study_instance_uid, series.series_instance_uid)
        except SourceUnreachableError as error:
            if error.code not in ("no-dicomweb", "find-failed", "incomplete-answer"):
                raise
            return None  # it answers, but cannot list this series: ask for all of it
        return [uid for uid in dict.fromkeys(there) if uid and not self._store.has(uid)] if there else None

    def _save(self, ledger: Ledger, message: str) -> None:
        expected = self._wanted.series.instances
        held = self._store.held
        whole = held >= expected if expected is not None else held > 0 and not message
        self._row = replace(
            self._row,
            expected=expected,
            received=held,
            state="done" if whole else "partial" if held else "failed",
            attempts=self._row.attempts + 1,
            message="" if whole else message,
        )
        save_retrievals(ledger, [self._row])


def _row(wanted: WantedSeries, known: Retrieval | None, source: str) -> Retrieval:
    series = wanted.series
    return Retrieval(
        series_instance_uid=series.series_instance_uid,
        study_instance_uid=series.study_instance_uid,
        patient_id=wanted.patient_id,
        source=source,
        expected=series.instances,
        received=known.received if known else 0,
        state=known.state if known else "wanted",
        attempts=known.attempts if known else 0,
        message=known.message if known else "",
    )


def _wait_for_window(window: NightWindow, clock: Clock, progress: Progress, seen: int, expected: int) -> None:
    while (wait := window.wait_s(clock.now())) > 0:
        progress(seen, expected, f"waiting {wait / 3600:.1f} h for the night window {window.text}")
        clock.sleep(min(wait, 60.0))


def _judge(row: Retrieval, store: SeriesStore, wanted: WantedSeries, number: int, total: Retrieved) -> None:
    """Count the end of a series and say what is wrong with it."""
    expected, where = wanted.series.instances, f"{wanted.case}, series {number}"
    if row.state == "done":
        total.done += 1
        if expected is not None and store.held > expected:
            total.findings.append(
                Finding.of("extra-instances", where, f"{expected} images were announced, {store.held} came")
            )
    elif row.state == "partial":
        total.failed += 1
        missing = (expected or store.held) - store.held
        total.missing += missing
        total.findings.append(
            Finding.of(
                "missing-instances",
                where,
                f"{missing} of {expected if expected is not None else 'an unknown number of'} images are missing"
                + (f": {row.message}" if row.message else ""),
            )
        )
    else:
        total.failed += 1
        total.missing += expected or 0
        total.findings.append(Finding.of("series-failed", where, row.message or "nothing was sent"))
    if store.duplicates:
        total.findings.append(
            Finding.of("sent-twice", where, f"{store.duplicates} images were sent twice; the first copy was kept")
        )
