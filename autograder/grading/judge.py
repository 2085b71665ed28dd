"""Judges one submission: runs its cells in notebook order, and each exercise at its check cell."""

import os
import time
from pathlib import Path
from typing import Any

from autograder.course import Course, Limits
from autograder.examples.store import Examples
from autograder.grading.exercise import Trials, judge_exercise, replayed, searched
from autograder.grading.notebook import load_recordings
from autograder.notebooks.submission import Cell, Submission, read_submission
from autograder.results import ExerciseResult, Result, Seconds
from autograder.sandbox.cells import run_cell
from autograder.sandbox.inprocess import InProcess
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
        seconds, output = self._limits.seconds_per_cell, self._limits.output_bytes
        raised = run_cell(cell.name, cell.code, self.namespace, seconds=seconds, output=output)
        if raised is not None:
            self._failures[cell.name] = raised

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
