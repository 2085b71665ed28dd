"""How long a child may take: time in which it was ready and the machine had no processor for it does not count."""

import os
import time

# A limit becomes at most so many times as long on a clock, however busy the machine is.
AT_MOST = 6.0
# Shorter than this nothing is worth asking the kernel about.
SHORT = 0.1


class Patience:
    """A limit on what a process does from now on.

    Args:
        pid: the process; its first thread counts, in which a student's code runs.
        seconds: what it may take.
    """

    def __init__(self, pid: int, seconds: float) -> None:
        self.seconds = seconds
        self._pid = pid
        self._start = time.monotonic()
        self._before = waited_for_processor(pid)
        self._forgiven = 0.0

    @property
    def taken(self) -> float:
        """Seconds it has taken so far; of a process that has ended, at most a little too many."""
        gone = time.monotonic() - self._start
        if gone > min(SHORT, self.seconds):
            self._forgiven = max(self._forgiven, waited_for_processor(self._pid) - self._before)
        return max(gone - self._forgiven, gone / AT_MOST)

    @property
    def left(self) -> float:
        """Seconds until it may have taken too long; where this is not above 0, it has."""
        gone = time.monotonic() - self._start
        return self.seconds - (gone if gone < self.seconds else self.taken)


def waited_for_processor(pid: int) -> float:
    """Seconds for which a process was ready to run and another one ran instead; 0 where the kernel does not say."""
    try:
        file = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)
    except OSError:
        return 0.0
    try:
        return int(os.read(file, 100).split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
    finally:
        os.close(file)
