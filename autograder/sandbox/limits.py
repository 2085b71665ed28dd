"""Limits on one call of a student's function, and on what the judge spends on its answer."""

import ctypes
import mmap
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from types import FrameType

# How an import looks on the stack.
IMPORTING = "<frozen importlib._bootstrap>"
# Whether an import has ended is asked so often; one that takes longer than this hangs.
SECONDS_BETWEEN_LOOKS = 0.05
SECONDS_TO_IMPORT = 60.0
# Longer than it takes to leave a block.
SECONDS_UNTIL_AGAIN = 1.0


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


class _Deadline:
    """Decides, each time that the time is over, whether to wait for an import."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._importing = 0.0
        self._waited = False

    def later(self, frame: FrameType | None) -> float | None:
        """Seconds until the next look at a block that runs in a frame; None if it has to end now."""
        if _imports(frame) and self._importing < SECONDS_TO_IMPORT:
            self._importing += SECONDS_BETWEEN_LOOKS
            self._waited = True
            return SECONDS_BETWEEN_LOOKS
        waited, self._waited = self._waited, False
        return self._seconds if waited else None


def _imports(frame: FrameType | None) -> bool:
    """Whether an import is going on in a frame or around it."""
    while frame is not None:
        if frame.f_code.co_filename == IMPORTING:
            return True
        frame = frame.f_back
    return False


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    deadline = _Deadline(seconds)
    in_block = False

    def stop(signum: int, frame: FrameType | None) -> None:
        if not in_block:
            # What is raised on the way in or out would leave this handler and its timer behind.
            return
        later = deadline.later(frame)
        # It would be lost where Python passes over exceptions, as in a destructor: so it comes again.
        signal.setitimer(signal.ITIMER_REAL, SECONDS_UNTIL_AGAIN if later is None else later)
        if later is None:
            raise TimeLimitReached

    previous = signal.signal(signal.SIGALRM, stop)
    try:
        in_block = True
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        in_block = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def _by_thread(seconds: float) -> Iterator[None]:
    limited, deciding = threading.get_ident(), threading.Lock()
    deadline = _Deadline(seconds)
    timers: list[threading.Timer] = []
    in_block = False

    def stop() -> None:
        with deciding:
            if not in_block:
                return
            later = deadline.later(sys._current_frames().get(limited))
            if later is None:
                _raise_in(limited, TimeLimitReached)
            timers.append(_started(SECONDS_UNTIL_AGAIN if later is None else later, stop))

    try:
        in_block = True
        timers.append(_started(seconds, stop))
        yield
    finally:
        # First of all, and in one step: nothing is raised after it.
        in_block = False
        # What was raised and has not arrived comes here, at the latest where a function begins: it may not meet what
        # follows. Python offers to take it back, too, but counts it as waiting ever after, and 3.11 never gets past
        # that in code that is traced.
        with suppress(TimeLimitReached):
            with deciding:
                pass
            _begin()
        for timer in timers[-1:]:
            timer.cancel()


def _begin() -> None:
    """Does nothing."""


def _started(seconds: float, then: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, then)
    timer.daemon = True
    timer.start()
    return timer


def _raise_in(thread: int, raised: type[BaseException]) -> None:
    """Raises an exception in a thread at its next step in Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(raised))


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
