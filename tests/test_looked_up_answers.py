"""Nobody can replay an answer: who knows every released example with its answers has no more points for it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from autograder.course import Course
from autograder.examples.replay import run_once
from autograder.examples.store import Examples
from autograder.feedback.diagnosis import Words
from autograder.judging.exercise import judge_exercise, replayed
from autograder.judging.recordings import load_recordings
from autograder.results import ExerciseResult
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.messages import generators_in
from autograder.sandbox.protocol import Reply, Request
from autograder.sandbox.values import BoundMethod, Handle, copy_value
from autograder.sandbox.wire import Pack, encode
from autograder.testing.assignment import Assignment, Exercise, load_assignment


@dataclass(frozen=True)
class Answer:
    """What was answered, and how generators were left."""

    reply: Reply
    generators: tuple[Any, ...]


Table = dict[tuple[str, ...], Answer]


class Recorder(InProcess):
    """Runs the reference and writes down each answer, by all that was asked in the example up to it."""

    def __init__(self, reference: Mapping[str, Any]) -> None:
        super().__init__(reference)
        self.table: Table = {}

    def begin(self) -> None:
        super().begin()
        self._asked: list[str] = []
        self._numbers_of_objects: dict[int, int] = {}

    def run(self, request: Request) -> Reply:
        self._asked.append(text_of(self._renumbered([request.kind, request.name, request.args, request.kwargs])))
        reply = super().run(request)
        left = tuple(copy_value(generator, lambda item: item) for generator in generators_in(request))
        plain = Reply(self._renumbered(reply.value), reply.raised, changed=reply.changed)
        self.table.setdefault(tuple(self._asked), Answer(plain, left))
        return reply

    def _renumbered(self, value: Any) -> Any:
        """The value with objects numbered as they are met, the same way in every example."""

        def foreign(item: Any) -> Any:
            if isinstance(item, Handle):
                numbers = self._numbers_of_objects
                return Handle(numbers.setdefault(item.number, len(numbers)), item.type_name)
            return BoundMethod(foreign(item.owner), item.name) if isinstance(item, BoundMethod) else item

        return copy_value(value, foreign)


class LookUp(InProcess):
    """Runs no code: it answers what was answered on a released example, as long as it is asked the same.

    That is more than a notebook can do: it is told where an example begins, and answers for objects too.
    """

    def __init__(self, exercise: Exercise, reference: Mapping[str, Any], released: Examples) -> None:
        super().__init__(reference)
        recorder = Recorder(reference)
        for check in exercise.visible:
            recorded = released.of(exercise.name, check.name)
            assert recorded is not None
            for example in recorded.examples:
                assert run_once(check, recorder, example.values)[1] is None
        self._table = recorder.table

    def begin(self) -> None:
        super().begin()
        self._asked: list[str] = []

    def play(self, script: Any) -> None:
        return None

    def run(self, request: Request) -> Reply:
        self._asked.append(text_of([request.kind, request.name, request.args, request.kwargs]))
        known = self._table.get(tuple(self._asked), Answer(Reply(), ()))
        for own, left in zip(generators_in(request), known.generators, strict=False):
            own.set_state(left.get_state())
        return known.reply


def text_of(request: Any) -> str:
    pack = Pack()
    tree = encode(request, pack)
    return json.dumps(tree) + hashlib.sha256(bytes(pack.data)).hexdigest()


@pytest.fixture(scope="module")
def assignment(built_fixture_course: Course) -> Assignment:
    return load_assignment(built_fixture_course, "basics")


@pytest.fixture(scope="module")
def recordings(built_fixture_course: Course) -> tuple[Examples, Examples]:
    return load_recordings(built_fixture_course, "basics")


EXERCISES = ("EarlyStopping", "Variable", "no_grad", "numerical_gradient", "dropout", "grade_letter", "standardize")


def looked_up(assignment: Assignment, name: str, released: Examples, *against: Examples) -> ExerciseResult:
    exercise = assignment.exercise(name)
    assert exercise is not None
    checks = exercise.checks if len(against) > 1 else exercise.visible
    runner = LookUp(exercise, assignment.reference, released)
    return judge_exercise(exercise, checks, runner, replayed(*against), Words())


@pytest.mark.parametrize("name", EXERCISES)
def test_on_the_released_examples_looking_up_gives_all_points(assignment, recordings, name: str):
    result = looked_up(assignment, name, recordings[0], recordings[0])
    assert result.points == result.max_points


@pytest.mark.parametrize("name", EXERCISES)
def test_when_grading_looking_up_gives_no_more_than_a_blank_answer(assignment, recordings, name: str):
    assert looked_up(assignment, name, recordings[0], *recordings).points == 0.0
