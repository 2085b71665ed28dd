"""An event loop for cells that await something, behind a wall that allows no sockets."""

import asyncio
import selectors
import time
from typing import Any

LONGEST = 0.01


class _Clock(selectors.SelectSelector):
    """Waits for time alone. Never for long: nothing could wake it when a thread has a result."""

    def select(self, timeout: float | None = None) -> list[Any]:
        time.sleep(LONGEST if timeout is None else min(max(timeout, 0.0), LONGEST))
        return []


class WaitingLoop(asyncio.SelectorEventLoop):
    """Runs coroutines that wait for each other, for time, and for threads."""

    _csock = _ssock = None

    def __init__(self) -> None:
        super().__init__(_Clock())

    def _make_self_pipe(self) -> None:
        """The pipe through which threads wake the loop would be a pair of sockets."""

    def _close_self_pipe(self) -> None:
        """There is none."""
