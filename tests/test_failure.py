"""From trials to a check's result: what a failed one says, and that a passed one says nothing."""

from types import ModuleType
from typing import Any

import pytest
import torch

from autograder.examples.replay import Trial, run_once
from autograder.examples.store import Example
from autograder.feedback.failure import check_result
from autograder.results import CheckResult, Curve
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.protocol import Request
from autograder.testing import assert_close, exercise, idea
from autograder.testing.declarations import Check, declared_checks

INPUTS = [torch.tensor([-1.0, 0.0]), torch.tensor([-1.0, 0.0, 1.0, 2.0]), torch.linspace(-3, 3, 7)]


@exercise("relu", points=1)
class TestRelu:
    __test__ = False

    @idea
    def test_values(self, student, x):
        """Negative entries become 0."""
        assert_close(student.relu(x), x.relu())


@pytest.fixture
def check() -> Check:
    module = ModuleType("checks")
    module.TestRelu = TestRelu  # type: ignore[attr-defined]
    ((_, (found,)),) = declared_checks(module, visible=True)
    return found


def result_of(check: Check, relu: Any) -> CheckResult:
    right, own = InProcess({"relu": torch.relu}), InProcess({"relu": relu})
    trials = []
    for x in INPUTS:
        reference = (right.run(Request("call", "relu", (x,))),)
        trials.append(Trial(Example({"x": x}, reference, {}), *run_once(check, own, {"x": x})))
    return check_result(check, tuple(trials))


def test_a_passed_check_says_nothing_more(check):
    assert result_of(check, torch.relu) == CheckResult(
        "test_values", "Negative entries become 0.", True, "cpu", "passed", 1.0
    )


def test_a_wrong_answer_is_shown_by_the_first_example_and_drawn_by_all(check):
    result = result_of(check, torch.abs)
    assert (result.status, result.message) == ("failed", "1 of 2 values are wrong; the largest difference is 1.")
    assert result.counterexample == "relu(torch.tensor([-1., 0.]))"
    assert (result.expected, result.got, result.differing) == ("[ 0 0]", "[*1 0]", ((1, 3),))
    assert result.difference == 1.0
    assert isinstance(result.picture, Curve) and result.picture.x == (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


def prints(x: torch.Tensor) -> None:
    print(x.relu())


def raises(x: torch.Tensor) -> None:
    raise ValueError("oh")


SAID = {
    "prints": (prints, "failed", "It printed its answer and returned None."),
    "none": (lambda x: None, "failed", "Got None"),
    "raises": (raises, "error", "Your code raised ValueError: oh"),
    "shape": (lambda x: x.relu()[None], "failed", "Expected 1 axis, shape (2,), got 2 axes, shape (1, 2)."),
}


@pytest.mark.parametrize(("relu", "status", "says"), SAID.values(), ids=SAID.keys())
def test_what_went_wrong_is_a_sentence_without_a_picture(check, relu, status, says):
    result = result_of(check, relu)
    assert result.status == status and result.message.startswith(says)
    assert result.picture is None and not result.differing


def test_of_too_many_numbers_there_is_an_outline(check):
    big = torch.arange(-2001.0, 0.0)
    own = InProcess({"relu": torch.abs})
    trial = Trial(Example({"x": big}, (), {}), *run_once(check, own, {"x": big}))
    result = check_result(check, (trial,))
    assert result.counterexample == "# Too long to show in full:\n# relu(<float32 of shape (2001,)>)"
    assert (result.got or "").startswith("[0:")
