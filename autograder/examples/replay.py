"""Runs one check on one example, or replays all its recorded ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from autograder.examples.store import Example
from autograder.sandbox.protocol import Runner
from autograder.sandbox.values import copy_value
from autograder.testing.declarations import Check
from autograder.testing.student import Call, Session, Student


@dataclass(frozen=True)
class Trial:
    """What one example of a check gave: the transcript of calls, and the failure if there was one."""

    example: Example
    transcript: tuple[Call, ...]
    failure: Exception | None


def run_once(check: Check, runner: Runner, values: dict[str, Any]) -> tuple[tuple[Call, ...], Exception | None]:
    """Runs a check's body with drawn values on a runner's code."""
    session = Session(runner)
    runner.begin()
    own = copy_value(values, lambda item: item)
    try:
        check.body(self=check.owner(), student=Student(session), **own)
    except Exception as failure:
        return tuple(session.transcript), failure
    return tuple(session.transcript), None


def replay(check: Check, runner: Runner, examples: Iterable[Example]) -> tuple[Trial, ...]:
    """Runs every example of a check. The first that fails is the smallest counterexample.

    After a time-out the rest is left out: each further one would wait as long.
    """
    trials = []
    for example in examples:
        transcript, failure = run_once(check, runner, example.values)
        trials.append(Trial(example, transcript, failure))
        raised = transcript[-1].reply.raised if transcript else None
        if raised is not None and raised.type_name == "TimeLimitReached":
            break
    return tuple(trials)
