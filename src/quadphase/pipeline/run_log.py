"""`reports/run.jsonl`: one JSON line for each thing a run did, with its time; pseudonyms only, never rewritten."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from quadphase.io.atomic import explain
from quadphase.io.study import Study
from quadphase.model import Outcome, Status

__all__ = ["RunLog"]


class RunLog:
    """Appends events of a study's runs.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        self._path = study.reports / "run.jsonl"

    def event(self, kind: str, **values: Any) -> None:
        """Append one line ``{"time": …, "event": kind, …}``.

        Raises
        ------
        OutputError
            As `atomic.write_bytes`.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, "event": kind, **values}, ensure_ascii=False) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(line)
        except OSError as error:
            raise explain(error, self._path) from None

    def outcome(self, outcome: Outcome) -> None:
        """Append the outcome of one stage for one case, unless nothing had to be done."""
        if outcome.status is not Status.UNCHANGED:
            self.event(
                outcome.stage,
                case=outcome.case,
                status=outcome.status.value,
                reasons=[reason.code for reason in outcome.reasons],
                findings=[finding.code for finding in outcome.findings],
            )
