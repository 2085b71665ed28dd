"""In otter's kernel: one check of the course as a test case."""

import os
from functools import cache
from pathlib import Path

from autograder.course import Course, load_course
from autograder.examples.replay import replay
from autograder.examples.search import search
from autograder.examples.store import Examples
from autograder.judging.recordings import load_recordings
from autograder.sandbox.inprocess import InProcess
from autograder.testing.assignment import Assignment, load_assignment
from autograder.testing.declarations import Check
from bench.content import NAME
from bench.search_side import SEED


@cache
def course() -> Course:
    return load_course(Path(os.environ["AUTOGRADER_COURSE"]))


@cache
def assignment() -> Assignment:
    return load_assignment(course(), NAME)


@cache
def recordings() -> tuple[Examples, Examples]:
    return load_recordings(course(), NAME)


def searches(exercise: str, check: str, namespace: dict[str, object]) -> bool:
    """Whether a check passes under live Hypothesis search."""
    draws = search(_check(exercise, check), InProcess(namespace), SEED)
    return bool(draws) and all(draw.failure is None for draw in draws)


def replays(exercise: str, check: str, namespace: dict[str, object]) -> bool:
    """Whether a check passes on its recorded examples."""
    recorded = next(found for part in recordings() if (found := part.of(exercise, check)))
    return all(trial.failure is None for trial in replay(_check(exercise, check), InProcess(namespace), recorded))


def _check(exercise: str, name: str) -> Check:
    found = assignment().exercise(exercise)
    assert found is not None
    return next(check for check in found.checks if check.name == name)
