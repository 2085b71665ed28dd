"""Searches with many seeds what has to pass: the references and the alternatives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import InvalidArgument

from autograder.course import load_course
from autograder.examples.replay import run_once
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.warming import warm
from autograder.testing.assignment import Assignment, Exercise, load_assignment
from autograder.testing.declarations import Check

SECONDS_PER_CALL = 5.0
SEEDS_PER_TASK = 50

Values = dict[str, Any]


@dataclass(frozen=True)
class SeedTask:
    """Some seeds of one check, searched on the reference and on every alternative."""

    exercise: str
    check: str
    seeds: range


@dataclass(frozen=True)
class Searched:
    """What came of a `SeedTask`.

    Attributes:
        runs: how often a check ran.
        alarms: seeds with which a solution failed.
        failures: a sentence for each solution that failed, its first.
    """

    runs: int
    alarms: int
    failures: tuple[str, ...]


def seed_tasks(exercise: Exercise, seeds: int) -> tuple[SeedTask, ...]:
    """The whole search of an exercise, in parts; a check that draws nothing runs once."""
    return tuple(
        SeedTask(exercise.name, check.name, range(first, min(first + SEEDS_PER_TASK, last)))
        for check in exercise.checks
        for last in [seeds if check.parameters else 1]
        for first in range(0, last, SEEDS_PER_TASK)
    )


def search_seeds(root: Path, name: str, examples: int, task: SeedTask) -> Searched:
    """Draws each seed's examples once, and runs the check on them for every solution.

    Args:
        root, name: the course's folder, and the assignment.
        examples: how many a seed draws; the first is the smallest there is.
        task: what to search.
    """
    assignment = _assignment(root, name, examples)
    exercise = assignment.exercise(task.exercise)
    assert exercise is not None
    check = next(check for check in exercise.checks if check.name == task.check)
    solutions = _solutions(exercise, assignment.reference)
    failures: dict[str, str] = {}
    runs, alarms = 0, set()
    for seed in task.seeds:
        for values in draw(check, seed):
            for what, runner in solutions.items():
                runs += 1
                failure = run_once(check, runner, values)[1]
                if failure is not None:
                    alarms.add(seed)
                    failures.setdefault(what, f"{what} fails {check.name} with seed {seed} on {values}: {failure}")
    return Searched(runs, len(alarms), tuple(f"{exercise.name}: {sentence}" for sentence in failures.values()))


def draw(check: Check, seed: int) -> Sequence[Values]:
    """What Hypothesis draws for a check with a seed; nothing is run. The check's body is back in place afterwards."""
    handle = getattr(check.test, "hypothesis", None)
    if handle is None:
        return [{}]
    drawn: list[Values] = []
    body = handle.inner_test

    def collect(**keywords: Any) -> None:
        drawn.append({name: keywords[name] for name in check.parameters})

    handle.inner_test = collect
    try:
        hypothesis.seed(seed)(check.test)
        check.test(check.owner(), student=None)
    finally:
        handle.inner_test = body
    return drawn


def _solutions(exercise: Exercise, reference: Mapping[str, Any]) -> dict[str, InProcess]:
    named = {"the reference": reference[exercise.name]}
    named |= {f"the alternative {alternative.name}": alternative.solution for alternative in exercise.alternatives}
    return {
        what: InProcess({**reference, exercise.name: solution}, seconds_per_call=SECONDS_PER_CALL)
        for what, solution in named.items()
    }


@lru_cache(maxsize=1)
def _assignment(root: Path, name: str, examples: int) -> Assignment:
    """The assignment, loaded for this search alone: its checks draw that many examples."""
    warm()
    assignment = load_assignment(load_course(root), name)
    few = hypothesis.settings(
        max_examples=examples,
        # Named examples are among the recorded ones, which `verify` replays.
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    for exercise in assignment.exercises:
        for check in exercise.checks:
            if check.parameters:
                try:
                    few(check.test)
                except InvalidArgument:
                    # The check has settings of its own, or shares its test with one that came before.
                    continue
    return assignment
