"""Limits on one call of a student's function, and on what the judge spends on its answer."""

import mmap
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import FrameType

# How an import looks on the stack.
IMPORTING = "<frozen importlib._bootstrap>"
# Whether an import has ended is asked so often; one that takes longer than this hangs.
SECONDS_BETWEEN_LOOKS = 0.05
SECONDS_TO_IMPORT = 60.0


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

    An import is never cut off: it would leave half a module behind for good, and what runs later would be judged by
    that. A block that imports when its time is over gets as much again when the import has ended, since what torch
    imports late is not the student's doing.

    Works in the main thread of a POSIX process; elsewhere there is no limit.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    imported = 0.0
    waits = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal imported, waits
        if _imports(frame) and imported < SECONDS_TO_IMPORT:
            imported, waits = imported + SECONDS_BETWEEN_LOOKS, True
            signal.setitimer(signal.ITIMER_REAL, SECONDS_BETWEEN_LOOKS)
        elif waits:
            waits = False
            signal.setitimer(signal.ITIMER_REAL, seconds)
        else:
            raise TimeLimitReached

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _imports(frame: FrameType | None) -> bool:
    """Whether an import is going on in a frame or around it."""
    while frame is not None:
        if frame.f_code.co_filename == IMPORTING:
            return True
        frame = frame.f_back
    return False


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
    wanted = int(Path("/proc/self/statm").read_text().split()[5]) * mmap.PAGESIZE + growth
    allowed = [limit for limit in before if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([wanted, *allowed]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
