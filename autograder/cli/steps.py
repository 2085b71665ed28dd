"""What long work says while it runs: a bar in a terminal, elsewhere lines with the time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

# Seconds between two lines of one stage, and after which a stage in which nothing happens says that it still runs.
BETWEEN, SILENCE = 5.0, 10.0


class Steps(Protocol):
    """Shows stage after stage of long work."""

    def begin(self, what: str, steps: int) -> None:
        """A stage begins; it has so many steps."""

    def advance(self, step: str = "") -> None:
        """A step is done."""

    def say(self, sentence: str) -> None:
        """Says something beside how far the work is."""


class Bar:
    """One progress bar that every stage uses anew."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=1, visible=False)

    def begin(self, what: str, steps: int) -> None:
        self._progress.reset(self._task, description=what, total=steps, visible=True)

    def advance(self, step: str = "") -> None:
        self._progress.advance(self._task)

    def say(self, sentence: str) -> None:
        self._progress.console.print(sentence, highlight=False, markup=False, soft_wrap=True)


class Lines:
    """A line with the time where a stage begins and ends, and now and then in between with the seconds it has taken.

    Args:
        say: takes a line.
        clock: seconds that never go back.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock, self._lock = say, clock, threading.Lock()
        self._what, self._done, self._total = "", 0, 0
        self._begun = self._said = clock()

    def begin(self, what: str, steps: int) -> None:
        with self._lock:
            self._what, self._done, self._total = what, 0, steps
            self._begun = self._clock()
            self._line()

    def advance(self, step: str = "") -> None:
        with self._lock:
            self._done += 1
            is_last = self._done == self._total > 1
            if is_last or (self._done < self._total and self._clock() - self._said >= BETWEEN):
                self._line()

    def say(self, sentence: str) -> None:
        with self._lock:
            self._say(f"{datetime.now():%H:%M:%S}  {sentence}")

    def remind(self) -> None:
        """Says where the work stands if nothing was said for a while: also after a stage's last step it may go on."""
        with self._lock:
            if self._what and self._clock() - self._said >= SILENCE:
                self._line()

    def _line(self) -> None:
        count = f" {self._done} of {self._total}" if self._total > 1 else ""
        self._said = self._clock()
        seconds = round(self._said - self._begun)
        self._say(f"{datetime.now():%H:%M:%S}  {self._what}{count}{f', {seconds} s' if seconds else ''}")


def columns() -> tuple[ProgressColumn, ...]:
    """What stands beside the bar; a long name goes on in the next line."""
    what = TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold"))
    return what, BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()


@contextmanager
def steps() -> Iterator[Steps]:
    """Shows on stderr what is done inside."""
    console = Console(stderr=True)
    if console.is_terminal:
        with Progress(*columns(), console=console, transient=True) as progress:
            yield Bar(progress)
        return
    lines, ended = (
        Lines(lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True)),
        threading.Event(),
    )

    def remind() -> None:
        while not ended.wait(1.0):
            lines.remind()

    threading.Thread(target=remind, daemon=True).start()
    try:
        yield lines
    finally:
        ended.set()
