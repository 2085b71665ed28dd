"""Checks a notebook again whenever it is saved."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.checking.changes import fingerprints
from autograder.checking.recheck import Answer, Recheck
from autograder.course import Limits
from autograder.feedback.overview import Overview
from autograder.notebooks.submission import Submission, UnreadableSubmission, read_submission
from autograder.results import ExerciseResult

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_WHILE_CHECKING = 0.1
SECONDS_PER_CHECK = Limits().seconds_per_submission


@dataclass(frozen=True)
class _Version:
    """The code of a notebook at one time, by exercise what its result depends on, and once it is checked what came."""

    code: tuple[object, ...]
    prints: dict[str, str]
    overview: Overview | None = None

    def still_holding(self, prints: dict[str, str]) -> dict[str, ExerciseResult]:
        """The results of exercises that depend on nothing that has changed."""
        results = self.overview.exercises if self.overview else ()
        # One that is missing was not judged, and why it is missing is told by the cells of the others.
        return {
            result.name: result
            for result in results
            if result.status not in ("missing", "error")
            and result.name in prints
            and prints[result.name] == self.prints.get(result.name)
        }


def watch(
    notebook: Path,
    show: Callable[[Answer], None],
    begin: Callable[[], None] = lambda: None,
    *,
    once: bool = False,
) -> None:
    """Checks a notebook, and again whenever its code or the checks beside it change, until it is interrupted.

    Args:
        notebook: in the folder that it came in; while it is away or cannot be read, that is shown.
        show: told what was found.
        begin: told that a check begins.
        once: returns after the first answer.
    """
    watcher = _Watcher(notebook, show, begin)
    try:
        while not (watcher.look() and once):
            time.sleep(SECONDS_WHILE_CHECKING if watcher.is_checking else SECONDS_BETWEEN_LOOKS)
    finally:
        watcher.close()


class _Watcher:
    """What was seen of a notebook so far, and the check that is under way."""

    def __init__(self, notebook: Path, show: Callable[[Answer], None], begin: Callable[[], None]) -> None:
        self._notebook = notebook
        folder = notebook.resolve().parent
        self._beside = (folder / "checks.py", folder / "examples.npz")
        self._show, self._begin = show, begin
        self._seen: object = None
        self._suspect: object = None
        self._known = _Version((), {})
        self._wanted = self._known
        self._shows_fault = False
        self._deadline = 0.0
        self._running: Recheck | None = None
        self._spare: Recheck | None = Recheck()

    @property
    def is_checking(self) -> bool:
        return self._running is not None

    def look(self) -> bool:
        """Looks at the files and at the check under way; whether something new was shown."""
        state = tuple(_stamp(file) for file in (self._notebook, *self._beside))
        if state != self._seen:
            try:
                submission = read_submission(self._notebook)
            except UnreadableSubmission as error:
                # Editors replace a file or write it in parts: it is broken if the next look finds it the same.
                if state != self._suspect:
                    self._suspect = state
                    return False
                self._seen = state
                self._stop()
                self._tell(Answer(fault=str(error)))
                return True
            self._seen, self._suspect = state, None
            if self._consider(submission):
                return True
        return self._collect()

    def close(self) -> None:
        """Ends every process."""
        self._stop()
        if self._spare is not None:
            self._spare.stop()

    def _consider(self, submission: Submission) -> bool:
        """Begins a check unless this code was checked before; whether its overview was shown again."""
        surroundings = "".join(_digest(file) for file in self._beside)
        code = (*submission.cells, surroundings)
        if self._running is not None and code == self._wanted.code:
            return False
        self._stop()
        if self._known.overview is not None and code == self._known.code:
            if self._shows_fault:
                self._tell(Answer(self._known.overview))
                return True
            return False
        self._wanted = _Version(code, fingerprints(submission.cells, surroundings))
        self._begin()
        self._running, self._spare = self._spare or Recheck(), None
        self._running.begin(submission, self._known.still_holding(self._wanted.prints))
        self._deadline = time.monotonic() + SECONDS_PER_CHECK
        return False

    def _collect(self) -> bool:
        if self._running is None:
            return False
        answer = self._running.answer()
        if answer is None and time.monotonic() < self._deadline:
            return False
        self._stop()
        self._spare = Recheck()
        if answer is None:
            answer = never_ended()
        if answer.overview is not None:
            self._known = _Version(self._wanted.code, self._wanted.prints, answer.overview)
        self._tell(answer)
        return True

    def _tell(self, answer: Answer) -> None:
        self._shows_fault = answer.overview is None
        self._show(answer)

    def _stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


def never_ended() -> Answer:
    """What to tell of a check that was ended after `SECONDS_PER_CHECK`."""
    return Answer(fault=f"No end after {SECONDS_PER_CHECK:g} seconds: look for an endless loop.")


def _stamp(file: Path) -> tuple[int, ...] | None:
    """Changes whenever a file is written or replaced; None where it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
