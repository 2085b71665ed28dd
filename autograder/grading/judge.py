"""Judges one submission: runs its cells in notebook order, and each exercise at its check cell."""

import linecache
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from autograder.course import Course, Limits
from autograder.examples.store import Examples
from autograder.grading.exercise import Trials, judge_exercise, replayed, searched
from autograder.grading.notebook import load_recordings
from autograder.notebooks.submission import Cell, Submission, read_submission
from autograder.results import ExerciseResult, Result, Seconds
from autograder.sandbox.inprocess import InProcess, describe
from autograder.sandbox.limits import CappedOutput, TimeLimitReached, time_limit
from autograder.sandbox.protocol import Raised
from autograder.testing.assignment import Assignment, Exercise, load_assignment

IN_PROCESS = "judged in the grader's own process, without a wall: for trusted submissions only"


def judge(course: Course, name: str, path: Path, *, search: bool = False) -> Result:
    """All checks, visible and hidden, on one submission.

    Args:
        course, name: the assignment that it answers.
        path: a notebook or a Python file.
        search: adds live Hypothesis search to the recorded examples.
    Raises:
        UnreadableSubmission: the submission cannot be read.
        CourseError, DeclarationError, ExamplesError: the course has to be mended or built first.
    """
    assignment = load_assignment(course, name)
    visible, hidden = load_recordings(course, name)
    trials = replayed(visible, hidden)
    if search:
        trials = searched(trials, seed=0)
    return judge_submission(assignment, read_submission(path), trials, says_of(assignment, visible), course.limits)


def says_of(assignment: Assignment, visible: Examples) -> dict[str, dict[str, str]]:
    return {exercise.name: visible.says(exercise.name) for exercise in assignment.exercises}


def judge_submission(
    assignment: Assignment,
    submission: Submission,
    trials: Trials,
    says: dict[str, dict[str, str]],
    limits: Limits,
) -> Result:
    """Judges a submission that was read before."""
    wall, cpu = time.perf_counter(), time.process_time()
    notes = [*submission.notes, IN_PROCESS]
    results: dict[str, ExerciseResult] = {}
    kernel = Kernel(limits)

    def judge_one(exercise: Exercise) -> ExerciseResult:
        return judge_exercise(
            exercise,
            exercise.checks,
            kernel.runner(),
            trials,
            says[exercise.name],
            absent=kernel.why_absent(exercise.name),
        )

    for cell in submission.cells:
        if cell.kind == "code":
            kernel.run(cell)
            continue
        exercise = assignment.exercise(cell.name)
        if exercise is None:
            notes.append(f"a check cell names {cell.name!r}, which is no exercise of {assignment.name}")
        else:
            results[exercise.name] = judge_one(exercise)
    for exercise in assignment.exercises:
        if exercise.name not in results:
            results[exercise.name] = judge_one(exercise)
    exercises = tuple(results[exercise.name] for exercise in assignment.exercises)
    return Result(
        assignment=assignment.name,
        submission=str(submission.path),
        sha256=submission.sha256,
        score=round(sum(exercise.points for exercise in exercises), 6),
        max_score=assignment.max_score,
        seconds=Seconds(round(time.process_time() - cpu, 4), round(time.perf_counter() - wall, 4)),
        isolation=(),
        notes=(*notes, *kernel.notes()),
        exercises=exercises,
    )


class Kernel:
    """The namespace that a submission's cells fill, and what went wrong in them."""

    def __init__(self, limits: Limits) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self._limits = limits
        self._failures: dict[str, Raised] = {}
        os.environ.setdefault("MPLBACKEND", "Agg")

    def run(self, cell: Cell) -> None:
        """Runs a cell; a failure is kept and costs only what depends on it."""
        filename = f"<{cell.name}>"
        linecache.cache[filename] = (len(cell.code), None, cell.code.splitlines(keepends=True), filename)
        try:
            code = compile(cell.code, filename, "exec")
            with _quiet(self._limits.output_bytes), time_limit(self._limits.seconds_per_cell):
                exec(code, self.namespace)
        except KeyboardInterrupt:
            raise
        except TimeLimitReached:
            seconds = self._limits.seconds_per_cell
            self._failures[cell.name] = Raised("TimeLimitReached", (), f"no end after {seconds:g} seconds")
        except SyntaxError as error:
            place = f"line {error.lineno}: {(error.text or '').strip()}"
            self._failures[cell.name] = Raised("SyntaxError", (), error.msg or "", place)
        except BaseException as error:
            self._failures[cell.name] = describe(error)

    def runner(self) -> InProcess:
        return InProcess(
            self.namespace,
            seconds_per_call=self._limits.seconds_per_call,
            output_characters=self._limits.output_bytes,
            callbacks=self._limits.callbacks,
        )

    def why_absent(self, name: str) -> str:
        """What to say if ``name`` is not defined: the failure of its cell, or of the only file there is."""
        failure = self._failures.get(name)
        if failure is None and len(self._failures) == 1:
            (cell, failure), *_ = self._failures.items()
            return f"`{name}` is not defined; {cell} stopped with {failure}."
        return "" if failure is None else f"Its cell stopped with {failure}."

    def notes(self) -> list[str]:
        return [f"{cell} stopped with {raised}" for cell, raised in self._failures.items()]


@contextmanager
def _quiet(limit: int) -> Iterator[None]:
    """Keeps what a cell prints away from the grader's own output, and ends its ``input()`` at once."""
    stdin = sys.stdin
    sys.stdin = StringIO()
    try:
        with redirect_stdout(CappedOutput(limit)), redirect_stderr(CappedOutput(limit)):
            yield
    finally:
        sys.stdin = stdin
