"""Seconds in which a machine had no processor for a student's code are not counted against it."""

import os

import pytest

from autograder.sandbox import patience
from autograder.sandbox.patience import AT_MOST, Patience, waited_for_processor


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Seconds that have gone by, and seconds of these in which another process ran."""
    now = {"gone": 100.0, "waited": 7.0}
    monkeypatch.setattr(patience.time, "monotonic", lambda: now["gone"])
    monkeypatch.setattr(patience, "waited_for_processor", lambda pid: now["waited"])
    return now


def test_a_process_that_runs_or_sleeps_uses_its_time_up(clock: dict[str, float]) -> None:
    limit = Patience(1, 10.0)
    clock["gone"] += 4
    assert limit.left == 6
    clock["gone"] += 6
    assert limit.left <= 0 and limit.taken == 10


def test_what_it_waits_for_a_processor_is_given_back(clock: dict[str, float]) -> None:
    limit = Patience(1, 10.0)
    clock["gone"] += 15
    clock["waited"] += 9
    assert limit.left == 4 and limit.taken == 6


def test_however_long_it_waits_it_has_an_end(clock: dict[str, float]) -> None:
    limit = Patience(1, 10.0)
    clock["gone"] += 10 * AT_MOST
    clock["waited"] += 10 * AT_MOST
    assert limit.left <= 0


def test_a_process_that_has_ended_has_taken_what_is_known(clock: dict[str, float]) -> None:
    limit = Patience(1, 10.0)
    clock["gone"] += 15
    clock["waited"] += 9
    assert limit.left == 4
    clock["waited"] = 0.0
    assert limit.taken == 6


def test_the_kernel_says_how_long_a_process_has_waited() -> None:
    assert waited_for_processor(os.getpid()) >= 0
    assert waited_for_processor(-1) == 0
