"""Of what a check asked a reader sees the call that failed, smallest first, and the calls whose results it uses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from autograder.examples.replay import Trial, run_once
from autograder.examples.store import Example
from autograder.feedback.failure import MOST_CHARACTERS, check_result
from autograder.results import CheckResult
from autograder.sandbox.inprocess import InProcess
from autograder.testing import Student, assert_close, assert_unchanged, raises, seeded
from autograder.testing.declarations import Check

SOURCE = """
import torch
STATE = {"recording": True}
def double(x): return 2 * x
def wrong(x): return 3 * x
def adds(x): x += 1; return x
def split(x): return x + 1, x > 0
def joined(x, mask): return x * mask + 1
def noise(n, generator): return torch.rand(n, generator=generator)
def recording(): return STATE["recording"]
def set_recording(on): STATE["recording"] = on
def takes_all(x, weight, bias=None): return x
def numbers(count): return list(range(count))
class Counter:
    def __init__(self, start): self.count = start
    def step(self, by): self.count += by; return self.count
    def __enter__(self): STATE["recording"] = False; return self
    def __exit__(self, *error): STATE["recording"] = True
class Variable:
    def __init__(self, value, parents=()): self.value, self.parents, self.grad = value, parents, 0.0
    def __add__(self, other): return Variable(self.value + other.value, (self, other))
    def __mul__(self, other): return Variable(self.value * other.value, (self, other))
    def backward(self):
        for parent in self.parents: parent.grad = 1.0
"""
X, Y = torch.tensor([1.0, 2.0]), torch.tensor([3.0])


def an_assertion_that_passed_before(s: Any) -> None:
    assert_close(s.double(X), 2 * X)
    assert_close(s.wrong(Y), 2 * Y)


def derived_after_one_that_passed(s: Any) -> None:
    for x in (X, Y):
        assert_close(s.double(x).sum(), 2 * x.sum())
    assert_close(s.wrong(Y).sum(), Y.sum())


def two_answers_compared(s: Any) -> None:
    s.double(Y)
    assert_close(s.wrong(X), s.double(X))


def two_answers_in_one_number(s: Any) -> None:
    assert_close((s.wrong(X) - s.double(X)).sum().item(), 0.0)


def an_answer_passed_on(s: Any) -> None:
    s.double(Y)
    out, mask = s.split(X)
    assert_close(s.joined(out, mask), out)


def a_number_of_numpy(s: Any) -> None:
    assert_close(s.wrong(np.float64(2.0)), 4.0)


def a_generator_passed_on(s: Any) -> None:
    generator = seeded(3)
    s.noise(1, generator)
    assert_close(s.noise(2, generator), X)


def two_equal_generators(s: Any) -> None:
    s.noise(1, seeded(3))
    assert_close(s.noise(2, seeded(3)), X)


def an_object_and_what_was_done_to_it(s: Any) -> None:
    counter, other = s.Counter(0), s.Counter(5)
    other.step(1)
    counter.step(1)
    assert_close(counter.count, 1)
    counter.step(by=2)
    assert_close(counter.count, 4)


def objects_that_hold_each_other(s: Any) -> None:
    x, y = s.Variable(2.0), s.Variable(3.0)
    assert_close((x + y).value, 5.0)
    (x * y).backward()
    assert_close(x.grad, 3.0)


def what_was_set_for_all(s: Any) -> None:
    s.double(X)
    s.set_recording(False)
    assert_close(s.recording(), True)


def inside_a_block(s: Any) -> None:
    with s.Counter(1):
        assert_close(s.recording(), True)


def an_error_inside_a_block(s: Any) -> None:
    with s.Counter(1):
        s.double(X)
        s.wrong("a", "b")


def changed_in_place(s: Any) -> None:
    s.double(X)
    s.adds(Y)
    assert_unchanged(s)


def a_refusal(s: Any) -> None:
    with raises(TypeError):
        s.double(None)
    with raises(ValueError, naming="bias"):
        s.takes_all(torch.rand(4, 3), torch.rand(3, 2), bias=torch.ones(1))


def a_refusal_of_numbers(s: Any) -> None:
    with raises(ValueError, naming="x"):
        s.takes_all(np.array([1.0, np.nan]), np.zeros((2, 3)), bias=2)


def a_refusal_of_a_dtype(s: Any) -> None:
    with raises(ValueError, naming="weight"):
        s.takes_all(torch.rand(4, 3), torch.rand(3, 2, dtype=torch.float64))


def an_answer_that_cannot_be_used(s: Any) -> None:
    s.double(X)
    assert_close(s.double(X) + s.numbers(2), X)


SHOWN = {
    an_assertion_that_passed_before: "wrong(torch.tensor([3.]))",
    derived_after_one_that_passed: "wrong(torch.tensor([3.]))",
    two_answers_compared: "wrong(torch.tensor([1., 2.]))\ndouble(torch.tensor([1., 2.]))",
    two_answers_in_one_number: "wrong(torch.tensor([1., 2.]))\ndouble(torch.tensor([1., 2.]))",
    an_answer_passed_on: "result = split(torch.tensor([1., 2.]))\njoined(result[0], result[1])",
    a_generator_passed_on: "generator = torch.Generator().manual_seed(3)\nnoise(1, generator)\nnoise(2, generator)",
    a_number_of_numpy: "wrong(np.float64(2.))",
    two_equal_generators: "noise(2, torch.Generator().manual_seed(3))",
    an_object_and_what_was_done_to_it: "counter = Counter(0)\ncounter.step(1)\ncounter.step(by=2)\ncounter.count",
    objects_that_hold_each_other: (
        "variable = Variable(2.0)\nvariable2 = Variable(3.0)\nvariable3 = variable * variable2\n"
        "variable3.backward()\nvariable.grad"
    ),
    what_was_set_for_all: "set_recording(False)\nrecording()",
    inside_a_block: "counter = Counter(1)\ncounter.__enter__()\nrecording()",
    an_error_inside_a_block: "counter = Counter(1)\ncounter.__enter__()\nwrong('a', 'b')",
    changed_in_place: "adds(torch.tensor([3.]))",
    a_refusal: "takes_all(torch.zeros(4, 3), torch.zeros(3, 2), bias=torch.zeros(1))",
    a_refusal_of_numbers: 'takes_all(np.array([1., float("nan")]), np.zeros((2, 3)), bias=2)',
    a_refusal_of_a_dtype: (
        "takes_all(torch.zeros(4, 3, dtype=torch.float32), torch.zeros(3, 2, dtype=torch.float64))"
    ),
    an_answer_that_cannot_be_used: (
        "double(torch.tensor([1., 2.]))\ndouble(torch.tensor([1., 2.]))\nnumbers(2)"
    ),
}  # fmt: skip


def result_of(body: Callable[..., None], *values: dict[str, Any]) -> CheckResult:
    """What is shown of a check with this body on the student's code above, on examples in this order."""

    class Checks:
        def test(self, student: Student, **own: Any) -> None:
            body(student, **own)

    check = Check("f", "test", "It holds.", 1.0, "idea", "", True, Checks, Checks.test, ())
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    runner = InProcess(namespace)
    return check_result(check, tuple(Trial(Example(v, (), {}), *run_once(check, runner, v)) for v in values or ({},)))


@pytest.mark.parametrize(("body", "code"), SHOWN.items(), ids=[body.__name__ for body in SHOWN])
def test_only_the_failed_call_is_shown_and_what_it_uses(body: Callable[..., None], code: str) -> None:
    assert result_of(body).counterexample == code


@pytest.mark.parametrize("body", SHOWN, ids=[body.__name__ for body in SHOWN])
def test_the_code_runs_after_the_students_own(body: Callable[..., None]) -> None:
    namespace: dict[str, Any] = {"torch": torch, "np": np}
    exec(SOURCE, namespace)
    code = result_of(body).counterexample
    if body is an_error_inside_a_block:
        with pytest.raises(TypeError):
            exec(code, namespace)
    else:
        exec(code, namespace)


def triples(s: Any, x: torch.Tensor) -> None:
    assert_close(s.wrong(x), 2 * x)


def counts(s: Any, n: int, x: torch.Tensor) -> None:
    assert_close(s.wrong(x) if n % 4 else s.wrong("a", "b"), 2 * x)


def test_the_example_with_the_least_to_read_is_shown() -> None:
    long, short = torch.tensor([0.123456, 2.0]), torch.tensor([1.0, 2.0])
    assert result_of(triples, {"x": long}, {"x": short}).counterexample == "wrong(torch.tensor([1., 2.]))"


def test_an_example_without_entries_is_shown_only_if_no_other_fails() -> None:
    def has_another_shape(s: Any, x: torch.Tensor) -> None:
        assert_close(s.wrong(x)[None], 2 * x)

    empty = {"x": torch.zeros(0)}
    assert result_of(has_another_shape, empty).counterexample == "wrong(torch.zeros((0,)))"
    assert result_of(has_another_shape, empty, {"x": X}).counterexample == "wrong(torch.tensor([1., 2.]))"


def test_an_example_of_the_commonest_symptom_is_shown() -> None:
    result = result_of(counts, *({"n": n, "x": torch.arange(1.0, 2.0 + n)} for n in range(4)))
    assert (result.status, result.counterexample) == ("failed", "wrong(torch.tensor([1., 2.]))")


def long_text(s: Any) -> None:
    assert_close(s.takes_all("a" * 5000, X), X)


def long_list(s: Any) -> None:
    assert_close(s.takes_all([1] * 5000, {"x": torch.rand(80, 80)}), X)


def many_calls(s: Any) -> None:
    counter = s.Counter(0)
    for _ in range(500):
        counter.step(1)
    assert_close(counter.count, 3)


def a_generator_that_two_calls_draw_from(s: Any) -> None:
    """What the first gives is what it was given; the second is given the same again."""
    generator, x = seeded(1), torch.arange(900.0)
    assert_close(s.takes_all(x, generator) - s.takes_all(x, generator), x)


OUTLINES = {
    a_generator_that_two_calls_draw_from: [
        "# generator = torch.Generator().manual_seed(1)",
        "# takes_all(<float32 of shape (900,)>, generator)",
        "# takes_all(<float32 of shape (900,)>, generator)",
    ],
    long_text: ["# takes_all(<str of length 5000>, torch.tensor([1., 2.]))"],
    long_list: ["# takes_all(<list of length 5000>, {'x': <float32 of shape (80, 80)>})"],
    many_calls: [
        "# counter = Counter(0)",
        "# counter.step(1)",
        "# counter.step(1)",
        "# counter.step(1)",
        "# ... 497 more lines ...",
        "# counter.count",
    ],
}


def test_a_long_array_of_one_number_is_short_code() -> None:
    result = result_of(triples, {"x": torch.ones(5000)})
    assert result.counterexample == "wrong(torch.full((5000,), 1.))"


@pytest.mark.parametrize(("body", "lines"), OUTLINES.items(), ids=[body.__name__ for body in OUTLINES])
def test_of_code_that_is_too_long_there_is_an_outline(body: Callable[..., None], lines: list[str]) -> None:
    code = result_of(body).counterexample or ""
    assert code.splitlines() == ["# Too long to show in full:", *lines]
    assert len(code) <= MOST_CHARACTERS
