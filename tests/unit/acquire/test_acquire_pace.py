"""Night window, rate limit, pauses between retries: all with clocks of our own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quadphase.acquire.pace import Clock, NightWindow, RateLimit, pause_before_retry, with_retries
from quadphase.errors import SourceUnreachableError


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 1, 1, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "now", "wait"),
    [
        ("", at(12), 0.0),
        ("22:00-06:00", at(23), 0.0),
        ("22:00-06:00", at(5, 59), 0.0),
        ("22:00-06:00", at(6), 16 * 3600.0),
        ("22:00-06:00", at(22), 0.0),
        ("01:00-05:00", at(3), 0.0),
        ("01:00-05:00", at(5), 20 * 3600.0),
        ("01:00-05:00", at(0, 30), 1800.0),
    ],
)
def test_night_window(window: str, now: datetime, wait: float) -> None:
    assert NightWindow(window).wait_s(now) == wait


def test_rate_limit_spaces_evenly_and_never_catches_up() -> None:
    clock = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    limit = RateLimit(10.0, now=lambda: clock[0], sleep=sleep)
    for _ in range(5):
        limit.wait()
    assert sum(slept) == pytest.approx(0.4)
    clock[0] += 60.0
    slept.clear()
    limit.wait()
    limit.wait()
    assert sum(slept) == pytest.approx(0.1)


def test_pauses_double_up_to_five_minutes() -> None:
    assert [pause_before_retry(n, 2.0) for n in (1, 2, 3, 20)] == [2.0, 4.0, 8.0, 300.0]


def test_queries_are_repeated_only_where_it_helps() -> None:
    calls: list[int] = []
    slept: list[float] = []

    def failing(code: str) -> int:
        calls.append(1)
        if len(calls) < 3:
            raise SourceUnreachableError(code, "away")
        return 7

    clock = Clock(sleep=slept.append)
    assert with_retries(lambda: failing("unreachable"), retries=3, first_s=1.0, clock=clock) == 7
    assert slept == [1.0, 2.0]
    calls.clear()
    with pytest.raises(SourceUnreachableError):
        with_retries(lambda: failing("rejected"), retries=3, first_s=1.0, clock=clock)
    assert len(calls) == 1
