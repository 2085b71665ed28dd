"""A call is stopped in time by a signal, and where there is none, by another thread."""

import threading
import time
from contextlib import suppress

import pytest

from autograder.sandbox import limits
from autograder.sandbox.limits import TimeLimitReached, time_limit


def forever() -> None:
    while True:
        pass


def in_a_thread(work) -> list[BaseException]:
    """What it raises in a thread that is not the main one, to which no signal comes."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised


def limited() -> None:
    with time_limit(0.05):
        forever()


def test_an_endless_loop_ends_in_any_thread():
    with pytest.raises(TimeLimitReached):
        limited()
    (raised,) = in_a_thread(limited)
    assert isinstance(raised, TimeLimitReached)


def test_what_comes_after_the_block_is_never_stopped():
    def work() -> None:
        for _ in range(500):
            # Now and then the time is over just as the block ends.
            with suppress(TimeLimitReached), limits._by_thread(0.0005):
                time.sleep(0.0005)
            sum(range(2000))

    assert in_a_thread(work) == []


def test_a_finished_call_leaves_no_thread_behind():
    before = threading.active_count()
    for _ in range(50):
        with limits._by_thread(60):
            pass
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(60)
    assert threading.active_count() == before
