"""When and how fast to fetch: the night window, the rate limit, the pauses between retries. Clocks are handed in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as clock_time
from typing import Final, TypeVar

from quadphase.errors import SourceUnreachableError

T = TypeVar("T")

__all__ = ["LONGEST_PAUSE_S", "Clock", "NightWindow", "RateLimit", "pause_before_retry", "with_retries"]

LONGEST_PAUSE_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as tests replace it."""

    now: Callable[[], datetime] = lambda: datetime.now().astimezone()  # the night is local
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class NightWindow:
    """Times of day (local) during which fetching is allowed; may span midnight.

    Parameters
    ----------
    text : str
        ``"22:00-06:00"``, or empty for always. The protocol has checked the form.
    """

    text: str

    def wait_s(self, now: datetime) -> float:
        """Seconds from `now` until fetching is allowed; 0 inside the window.

        Examples
        --------
        >>> NightWindow("22:00-06:00").wait_s(datetime(2024, 1, 1, 21, 30))
        1800.0
        """
        if not self.text:
            return 0.0
        start, stop = (clock_time.fromisoformat(part) for part in self.text.split("-"))
        at = now.time()
        inside = start <= at < stop if start <= stop else at >= start or at < stop
        if inside or start == stop:
            return 0.0
        opens = datetime.combine(now.date(), start, tzinfo=now.tzinfo)
        if opens < now:
            opens += timedelta(days=1)
        return (opens - now).total_seconds()


@dataclass(slots=True)
class RateLimit:
    """At most so many instances a second, evenly spaced; `wait` sleeps when called too early.

    The pause happens while an instance is being acknowledged, so the archive's sending slows down with it.
    """

    per_second: float | None
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = field(default=0.0, init=False)

    def wait(self) -> None:
        if self.per_second is None:
            return
        now = self.now()
        if now < self._next:
            self.sleep(self._next - now)
        self._next = max(now, self._next) + 1.0 / self.per_second


def pause_before_retry(attempt: int, first_s: float) -> float:
    """Seconds before retry number `attempt` (from 1): exponential, at most `LONGEST_PAUSE_S`."""
    return float(min(first_s * 2.0 ** (attempt - 1), LONGEST_PAUSE_S))


def with_retries(call: Callable[[], T], *, retries: int, first_s: float, clock: Clock) -> T:
    """Result of a query; one that finds the archive away is repeated with growing pauses.

    Raises
    ------
    SourceUnreachableError
        When the last try failed too, or at once when another cannot help (refused, not authorised).
    """
    for attempt in range(1, retries + 1):
        try:
            return call()
        except SourceUnreachableError as error:
            if error.code not in ("unreachable", "busy", "find-failed"):
                raise
            clock.sleep(pause_before_retry(attempt, first_s))
    return call()
