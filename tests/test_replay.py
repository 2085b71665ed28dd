"""Replay plays what a check asks in one go, and gives the verdict that running the check's body would give."""

from collections.abc import Callable

import pytest
import torch

from autograder.examples.answers import answered
from autograder.examples.codec import encode_answer
from autograder.examples.replay import replay, run_once
from autograder.examples.store import Example, Recorded
from autograder.examples.store import recorded as recorded_of
from autograder.judging.remembered import Remembered
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.protocol import Request
from autograder.sandbox.script import Script
from autograder.sandbox.wire import Pack
from autograder.testing import assert_close, raises
from autograder.testing.declarations import Check


class Doubling:
    def test_twice(self, student, x):
        """Twice is two times as much, and twice that four times."""
        once = student.twice(x)
        assert_close(once, 2 * x)
        assert_close(student.twice(once), 4 * x)


CHECK = Check("twice", "test_twice", "Twice.", 1.0, "idea", "", True, Doubling, Doubling.test_twice, ("x",))


class Counting(InProcess):
    """Counts what is asked one by one."""

    asked = 0

    def run(self, request: Request):
        self.asked += 1
        return super().run(request)


def recorded(*inputs: torch.Tensor) -> Recorded:
    pack, sequences, answers, examples = Pack(), [], [], []
    for x in inputs:
        transcript, failure = run_once(CHECK, InProcess({"twice": lambda x: x + x}), {"x": x})
        assert failure is None
        sequences.append(tuple(call.request for call in transcript))
        answers.append(tuple(encode_answer(call, pack) for call in transcript))
        examples.append(Example({"x": x}, tuple(call.reply for call in transcript), {}))
    return Recorded(tuple(examples), Script(tuple(sequences), tuple(answers), memoryview(bytes(pack.data))))


INPUTS = (torch.tensor([1.0, 3.0]), torch.tensor([[0.1], [0.7]]))


def test_the_references_answers_pass_and_their_body_need_not_run():
    trials = replay(CHECK, InProcess({"twice": lambda x: 2 * x}), recorded(*INPUTS))
    assert [(trial.failure, trial.transcript) for trial in trials] == [(None, ()), (None, ())]
    assert trials[0].replies == trials[0].example.reference


def test_answers_that_differ_in_the_last_bit_are_compared_by_the_check_without_asking_again():
    runner = Counting({"twice": lambda x: x * 2 * (1 + 1e-7)})
    trials = replay(CHECK, runner, recorded(*INPUTS))
    assert [trial.failure for trial in trials] == [None, None]
    # The second question of an example depends on the first answer, so those are asked again.
    assert runner.asked <= 4 + 4


def test_a_wrong_answer_fails_with_its_transcript():
    trials = replay(CHECK, InProcess({"twice": lambda x: x + 2}), recorded(*INPUTS))
    assert [trial.failure is None for trial in trials] == [False, False]
    assert [call.request.name for call in trials[0].transcript] == ["twice"]


def test_replay_gives_the_verdicts_of_the_bodies():
    for twice in (lambda x: x + x, lambda x: x * 2.0000001, lambda x: x * 3, lambda x: None, lambda x: x.double() * 2):
        trials = replay(CHECK, InProcess({"twice": twice}), recorded(*INPUTS))
        bodies = [run_once(CHECK, InProcess({"twice": twice}), {"x": x})[1] for x in INPUTS]
        assert [str(trial.failure) for trial in trials] == [str(failure) for failure in bodies]


class Drawing:
    def test_drawn(self, student, generator):
        """Numbers between 0 and 1."""
        x = student.draw(generator)
        assert bool(((x >= 0) & (x <= 1)).all())


DRAWS = Check("draw", "test_drawn", "Drawn.", 1.0, "idea", "", True, Drawing, Drawing.test_drawn, ("generator",))


def test_what_is_replayed_again_is_given_the_same_draws():
    values = {"generator": torch.Generator().manual_seed(3)}
    pack = Pack()
    asked, _ = run_once(DRAWS, InProcess({"draw": lambda generator: torch.rand(4, generator=generator)}), values)
    # As it is recorded: the generator in the state in which the check passed it.
    sequence = (Request("call", "draw", (torch.Generator().manual_seed(3),)),)
    answers = (tuple(encode_answer(call, pack) for call in asked),)
    example = Example(values, tuple(call.reply for call in asked), {})
    drawn = Recorded((example,), Script((sequence,), answers, memoryview(bytes(pack.data))))

    def shifted(generator):
        return torch.rand(4, generator=generator) - 1

    for draw in (lambda generator: torch.rand(4, generator=generator), shifted):
        first, second = (replay(DRAWS, InProcess({"draw": draw}), drawn)[0] for _ in range(2))
        assert (first.failure is None) == (second.failure is None) == (draw is not shifted)
        assert torch.equal(first.replies[0].value, second.replies[0].value)
        assert first.transcript == second.transcript == () or draw is shifted


class Counted:
    ran = 0

    def test_root(self, student, x):
        """The root, and no root of a negative number."""
        Counted.ran += 1
        if x < 0:
            with raises(ValueError, naming="x"):
                student.root(x)
        else:
            assert_close(student.root(x), x**0.5)


COUNTED = Check("root", "test_root", "Root.", 1.0, "idea", "", True, Counted, Counted.test_root, ("x",))


def root(x: float) -> float:
    if x < 0:
        raise ValueError(f"x is {x}, it has to be at least 0")
    return x**0.5


def bodies_run(remembered: Remembered | None, *solutions: Callable[[float], float]) -> list[int]:
    """How often the body ran for each solution, on a right, a wrong and a refused number."""
    drawn = [{"x": x} for x in (4.0, 2.0, -1.0)]
    examples = recorded_of(answered(COUNTED, {"root": root}, [], drawn, "key"))
    counts = []
    for solution in solutions:
        Counted.ran = 0
        replay(COUNTED, InProcess({"root": solution}), examples, remembered)
        counts.append(Counted.ran)
    return counts


def test_an_exception_of_the_references_type_and_words_is_a_known_answer():
    def other_words(x: float) -> float:
        return root(x) if x >= 0 else root(float(int(x)) * 2)

    def other_type(x: float) -> float:
        if x < 0:
            raise ArithmeticError(f"x is {x}, it has to be at least 0")
        return root(x)

    assert bodies_run(None, root, other_words, other_type) == [0, 1, 1]


def test_what_passed_for_one_student_passes_for_the_next_without_a_look():
    def nearly(x: float) -> float:
        return root(x) * (1 + 1e-12)

    def a_little_else(x: float) -> float:
        return root(x) * (1 - 1e-12)

    assert bodies_run(Remembered(), nearly, nearly, a_little_else, nearly) == [2, 0, 2, 0]
    # Of two that are kept the second pushes out the first, before that is asked for again.
    assert bodies_run(Remembered(most=1), nearly, nearly) == [2, 2]


@pytest.mark.parametrize("error", [1e-12, 1.0])
def test_a_remembered_trial_is_the_one_that_would_be_made(error: float):
    examples = recorded_of(answered(COUNTED, {"root": root}, [], [{"x": 2.0}], "key"))
    remembered, runner = Remembered(), InProcess({"root": lambda x: root(x) * (1 + error)})
    (first,), (second,), (made,) = (replay(COUNTED, runner, examples, one) for one in (remembered, remembered, None))
    assert second is first
    assert second.transcript == made.transcript
    assert repr(second.failure) == repr(made.failure)


def test_a_remembered_failure_holds_on_to_nothing():
    examples = recorded_of(answered(COUNTED, {"root": root}, [], [{"x": 2.0}], "key"))
    (trial,) = replay(COUNTED, InProcess({"root": lambda x: x}), examples, Remembered())
    assert trial.failure is not None and trial.failure.__traceback__ is None


def test_long_answers_are_not_remembered():
    def long(x: float) -> torch.Tensor:
        return torch.zeros(3000, dtype=torch.float64)

    assert bodies_run(Remembered(), long, long) == [3, 3]
