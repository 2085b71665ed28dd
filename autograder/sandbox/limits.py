"""Limits on one call of a student's function, and on what the judge spends on its answer."""

import ctypes
import mmap
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import FrameType


class TimeLimitReached(BaseException):
    """Not an `Exception`, so that a student's ``except Exception`` cannot swallow it."""


class TooManyCallbacks(BaseException):
    """The student's code called a function that the check passed in too often."""


class CappedOutput(StringIO):
    """Keeps the first ``limit`` characters that are printed and drops the rest."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._left = limit

    def write(self, text: str) -> int:
        kept = text[: self._left]
        self._left -= len(kept)
        super().write(kept)
        return len(text)

    def close(self) -> None:
        """Stays open: what was printed is still wanted after a student closes ``sys.stdout``."""


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raises `TimeLimitReached` in the block after that many seconds of wall time.

    In the main thread of a POSIX process a signal does so, which ends a wait, too. Elsewhere (Windows, other threads)
    another thread does, and that reaches the block at its next step in Python: an endless loop ends, but a long sleep
    or one long operation of torch has to return first.
    """
    if seconds is None:
        yield
        return
    in_main_thread = threading.current_thread() is threading.main_thread()
    with _by_signal(seconds) if in_main_thread and hasattr(signal, "SIGALRM") else _by_thread(seconds):
        yield


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise TimeLimitReached

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def _by_thread(seconds: float) -> Iterator[None]:
    limited, is_over, deciding = threading.get_ident(), threading.Event(), threading.Lock()

    def stop() -> None:
        with deciding:
            if not is_over.is_set():
                _raise_in(limited, TimeLimitReached)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with deciding:
            is_over.set()
        # What was raised, but has not arrived: it may not meet what comes after the block.
        _raise_in(limited, None)


def _raise_in(thread: int, raised: type[BaseException] | None) -> None:
    """Raises an exception in a thread at its next step in Python; None takes back one that has not arrived."""
    what = None if raised is None else ctypes.py_object(raised)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)


@contextmanager
def memory_limit(growth: int) -> Iterator[None]:
    """Lets this process grow by at most so many bytes in the block; beyond is MemoryError, in torch RuntimeError.

    Works on Linux; elsewhere there is no limit.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    # Not the address space: threads that start meanwhile reserve much of it and use little.
    before = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[5]) * mmap.PAGESIZE + growth
    allowed = [limit for limit in before if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([wanted, *allowed]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
