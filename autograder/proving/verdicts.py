"""Judges one wrong solution: a listed mistake, or a mutant of the reference."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from autograder.course import load_course
from autograder.examples.search import search
from autograder.examples.store import Examples
from autograder.feedback.diagnosis import words_of
from autograder.judging.exercise import RULE_CHECKS, judge_exercise, replayed
from autograder.judging.inquiries import inquiry
from autograder.judging.recordings import load_recordings
from autograder.proving.mutants import Mutant, solution_of
from autograder.results import CheckResult, Diagnosis
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.warming import warm
from autograder.testing.assignment import Assignment, Exercise, load_assignment
from autograder.testing.declarations import Check

SECONDS_PER_CALL = 5.0
# What the recorded examples miss is searched live with each of these seeds.
LIVE_SEEDS = (1, 2, 3)
# As in: in `torch.arange(n)`.
QUOTED_LINE = re.compile(r"\b(?:in|from) `[^`]+`")
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Wrong:
    """A solution that has to lose points: a listed mistake, or a mutant of the reference."""

    exercise: str
    id: str
    mutant: Mutant | None = None

    @property
    def kind(self) -> Literal["mistake", "mutant"]:
        return "mistake" if self.mutant is None else "mutant"

    @property
    def diff(self) -> str:
        return "" if self.mutant is None else self.mutant.diff


class Verdict(Struct, frozen=True):
    """What the checks made of a wrong solution; a line of ``build/verify/NAME/EXERCISE.jsonl``.

    Attributes:
        kind: a listed mistake or a mutant.
        caught: whether it loses points by the recorded examples.
        caught_live: whether a live search finds what they miss.
        killers: the checks that fail.
        diagnosis: what its author would be told.
        located: what a rule that alone is broken says, if it quotes the line at which it is.
        diff: of a mutant, against the reference.
        equivalent: the recorded reason why a mutant is no mistake.
    """

    exercise: str
    kind: Literal["mistake", "mutant"]
    id: str
    caught: bool
    caught_live: bool = False
    killers: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None
    located: str = ""
    diff: str = ""
    equivalent: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it is a mutant that has to be caught."""
        return self.kind == "mutant" and self.equivalent is None

    @property
    def named(self) -> bool:
        """Whether its author is told what the mistake is: by a diagnosis, or by a broken rule that quotes the line."""
        return self.diagnosis is not None or bool(self.located)

    @property
    def survives(self) -> bool:
        """Whether it is a mutant that has to be caught and gets full points."""
        return self.counts and not self.caught


def judge_wrong(root: Path, name: str, wrong: Wrong) -> Verdict:
    """Judges one wrong solution by the recorded examples, and live where they miss it. Runs in a worker process."""
    assignment, recordings = _content(root, name)
    exercise = assignment.exercise(wrong.exercise)
    assert exercise is not None
    try:
        solution = _solution(wrong, assignment, exercise)
    except Exception:
        checks = tuple(check.name for check in exercise.checks)
        return Verdict(wrong.exercise, wrong.kind, wrong.id, True, killers=checks, diff=wrong.diff)
    runner = InProcess({**assignment.reference, exercise.name: solution}, seconds_per_call=SECONDS_PER_CALL)
    words = words_of(exercise.name, recordings[0])
    asked = inquiry(assignment, exercise, recordings[0])
    result = judge_exercise(exercise, exercise.checks, runner, replayed(*recordings), words, inquiry=asked)
    killers = tuple(check.name for check in result.checks if check.status not in ("passed", "not_analysed"))
    caught = result.points < exercise.points
    live = not caught and any(_fails_live(check, runner) for check in exercise.checks)
    located = _located(result.checks)
    return Verdict(wrong.exercise, wrong.kind, wrong.id, caught, live, killers, result.diagnosis, located, wrong.diff)


def _located(checks: Sequence[CheckResult]) -> str:
    """What the broken rule says if nothing else is wrong, and if it quotes a line of the solution."""
    failed = [check for check in checks if check.status not in ("passed", "not_analysed")]
    is_rule_alone = bool(failed) and all(check.name in RULE_CHECKS for check in failed)
    return failed[0].message if is_rule_alone and QUOTED_LINE.search(failed[0].message) else ""


@lru_cache(maxsize=1)
def _content(root: Path, name: str) -> tuple[Assignment, tuple[Examples, Examples]]:
    warm()
    course = load_course(root)
    return load_assignment(course, name), load_recordings(course, name)


def _solution(wrong: Wrong, assignment: Assignment, exercise: Exercise) -> Any:
    if wrong.mutant is not None:
        return solution_of(wrong.mutant, assignment.reference)
    return next(mistake.solution for mistake in exercise.mistakes if mistake.name == wrong.id)


def _fails_live(check: Check, runner: InProcess) -> bool:
    return any(draw.failure is not None for seed in LIVE_SEEDS for draw in search(check, runner, seed))
