"""How benchmarks measure: wall time, best of a few, and the peak memory of a child process."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Row", "best_of", "peak_memory_mb"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One claim and what was measured.

    Parameters
    ----------
    what : str
        What was measured, and against which peer.
    value : float
    unit : str
        ``"x"`` for a ratio to a peer (larger is faster), or a unit.
    claim : str
        The number promised, e.g. ``">= 8"`` or ``"<= 500"``; empty for a figure without a promise.
    detail : str
        The raw seconds behind a ratio.
    """

    what: str
    value: float
    unit: str
    claim: str = ""
    detail: str = ""

    @property
    def holds(self) -> bool:
        if not self.claim:
            return True
        sign, number = self.claim.split()
        return self.value >= float(number) if sign == ">=" else self.value <= float(number)

    def __str__(self) -> str:
        verdict = "" if not self.claim else f"  claim {self.claim}: {'holds' if self.holds else 'MISSED'}"
        detail = f"  ({self.detail})" if self.detail else ""
        return f"{self.what:<66} {self.value:>9.2f} {self.unit}{verdict}{detail}"


def best_of(runs: int, call: Callable[[], Any]) -> float:
    """Shortest wall time of a few runs, in seconds: the least disturbed one."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def _child(call: Callable[..., Any], arguments: tuple[Any, ...], pipe: Any) -> None:
    call(*arguments)
    pipe.send(_high_water_kb())
    pipe.close()


def _high_water_kb() -> float:
    """Peak resident memory of this process. ``ru_maxrss`` would do, but Linux hands a child its parent's peak."""
    status = Path("/proc/self/status")
    if status.exists():
        return float(status.read_text().split("VmHWM:")[1].split()[0])
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def peak_memory_mb(call: Callable[..., Any], *arguments: Any) -> float:
    """Peak resident memory in MB of a fresh process that runs ``call(*arguments)``, interpreter included."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(call, arguments, there))
    process.start()
    peak = here.recv()
    process.join()
    return float(peak) / 1024.0
