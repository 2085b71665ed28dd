"""Checks a notebook in a process of its own: imports are fresh, and what hangs can be ended."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from autograder.atomic import write_whole
from autograder.feedback.overview import Overview
from autograder.notebooks.submission import Cell, Submission
from autograder.results import ExerciseResult


class Job(Struct, frozen=True):
    """A submission to check, and the results, by exercise, that still hold."""

    path: str
    sha256: str
    assignment: str | None
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]
    kept: dict[str, ExerciseResult]


class Answer(Struct, frozen=True):
    """What came of a job: an overview, or in one sentence why there is none."""

    overview: Overview | None = None
    fault: str = ""


class Recheck:
    """One process for one job. It imports what it needs as soon as it is made, so that the job need not wait."""

    def __init__(self) -> None:
        # Windows removes no file that a process which has just been ended still holds.
        self._folder = TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True)
        self._answer = Path(self._folder.name) / "answer.json"
        # A session (on Windows, a group) of its own: Ctrl-C reaches the watcher alone, and, where there are sessions,
        # what the student's code starts ends with it.
        # Without -P a file of the student's could stand in for a module of ours.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "autograder.checking.recheck", str(self._answer)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def begin(self, submission: Submission, kept: dict[str, ExerciseResult]) -> None:
        """Hands over the job."""
        path, assignment = str(submission.path), submission.assignment
        job = Job(path, submission.sha256, assignment, submission.cells, submission.notes, kept)
        assert self._process.stdin is not None
        # A process that ended before its time is found by `answer`.
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(msgspec.json.encode(job))

    def answer(self) -> Answer | None:
        """What came of the job; None while it runs."""
        ended = self._process.poll() is not None
        if self._answer.is_file():
            return msgspec.json.decode(self._answer.read_bytes(), type=Answer)
        if not ended:
            return None
        code = self._process.returncode
        return Answer(
            fault=f"The check ended without an answer (exit code {code}): does your code crash or leave Python?"
        )

    def stop(self) -> None:
        """Ends the process and whatever it started."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._folder.cleanup()


def main(answer: Path) -> None:
    """Waits for a job on standard input and writes what came of it, whole or not at all."""
    from autograder.checking.progress import check_submission
    from autograder.examples.store import ExamplesError
    from autograder.notebooks.choice import NotebookChoice, NothingBeside
    from autograder.testing.kinds import DeclarationError

    given = sys.stdin.buffer.read()
    if not given:
        return
    job = msgspec.json.decode(given, type=Job)
    submission = Submission(Path(job.path), job.sha256, job.assignment, job.cells, job.notes)
    try:
        found = Answer(check_submission(submission, kept=job.kept))
    except (DeclarationError, ExamplesError, NotebookChoice, NothingBeside) as error:
        found = Answer(fault=str(error))
    write_whole(answer, msgspec.json.encode(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
