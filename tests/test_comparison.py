"""The assertions of checks: what passes, what fails, and the sentence a student reads."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import tensor

from autograder.guards import require_positive
from autograder.sandbox.inprocess import InProcess
from autograder.testing import Mismatch, Student, StudentError, assert_close, assert_unchanged, explained, raises
from autograder.testing.comparison import TOLERANCE_RULE, TOLERANCES
from autograder.testing.student import Session

NAN, INF = float("nan"), float("inf")


def student_of(*, seconds: float | None = None, **namespace: object) -> Student:
    return Student(Session(InProcess(namespace, seconds_per_call=seconds)))


def message_of(actual: object, expected: object, **tolerances: float) -> str:
    with pytest.raises(Mismatch) as caught:
        assert_close(actual, expected, **tolerances)
    assert str(caught.value) == caught.value.message
    return caught.value.message


# (got, expected, what the student reads)
FAULTS = {
    "None before all": (None, tensor([1.0]), "Got None, expected a torch tensor. Does every path of the function end in `return`?"),
    "None for a number": (None, 1.0, "Got None, expected a float. Does every path of the function end in `return`?"),
    "None in a tuple": ((1, None), (1, 2), "Got None at position 1, expected an int. Does every path of the function end in `return`?"),
    "type before axes": (np.ones((2, 2)), torch.ones(3), "Expected a torch tensor, got a numpy array."),
    "tensor for array": (torch.ones(3), np.ones(3), "Expected a numpy array, got a torch tensor."),
    "list for a tensor": ([1.0, 2.0], tensor([1.0, 2.0]), "Expected a torch tensor, got a list."),
    "number for an array": (1.0, np.ones(1), "Expected a numpy array, got a float."),
    "axes before dtype": (tensor(1), tensor([1.0]), "Expected 1 axis, shape (1,), got 0 axes, shape ()."),
    "axes of arrays": (np.ones(2), np.ones((1, 2)), "Expected 2 axes, shape (1, 2), got 1 axis, shape (2,)."),
    "dtype before shape": (torch.ones(2), torch.ones(3).double(), "Expected dtype torch.float64, got torch.float32."),
    "dtype of arrays": (np.ones(2, np.float32), np.ones(2), "Expected dtype float64, got float32."),
    "shape before value": (torch.zeros(2), torch.ones(3), "Expected shape (3,), got (2,)."),
    "values": (tensor([1.0, 2.0, 4.5]), tensor([1.0, 3.0, 4.0]), "2 of 3 values are wrong; the largest difference is 1."),
    "one value": (tensor([2.0]), tensor([1.5]), "The value is wrong; the largest difference is 0.5."),
    "integers": (tensor([2, 3]), tensor([2, 5]), "1 of 2 values are wrong; the largest difference is 2."),
    "truth values": (tensor([True, True]), tensor([True, False]), "1 of 2 values are wrong; the largest difference is 1."),
    "complex": (np.array([1 + 3j]), np.array([1 + 1j]), "The value is wrong; the largest difference is 2."),
    "number": (2.0, 1.0, "The value is wrong; the largest difference is 1."),
    "text for a number": ("1", 1.0, "Expected a float, got a str."),
    "truth for a number": (True, 1, "Expected an int, got a bool."),
    "float for an int": (2.0, 2, "Expected an int, got a float."),
    "tensor for a float": (tensor(1.0), 1.0, "Expected a float, got a torch tensor."),
    "array for a float": (np.ones(1), 1.0, "Expected a float, got a numpy array."),
    "text": ("b", "a", "The answer is wrong."),
    "number for text": (1, "a", "Expected a str, got an int."),
    "truth": (False, True, "The answer is wrong."),
    "number for truth": (1, True, "Expected a bool, got an int."),
    "something for None": (1, None, "Expected None, got an int."),
    "tuple for a list": ((1,), [1], "Expected a list, got a tuple."),
    "length": ([1, 2], [1], "Expected 1 values, got 2."),
    "inside": ([1, (2, 3)], [1, (2, 4)], "The value at [1][1] is wrong; the largest difference is 1."),
    "keys": ({"a": 1}, {"b": 1, "a": 1}, "Expected a dict with the keys ['a', 'b']."),
    "list for a dict": ([1], {"a": 1}, "Expected a dict with the keys ['a']."),
    "under a key": ({"a": 2.0}, {"a": 1.0}, "The value under 'a' is wrong; the largest difference is 1."),
    "nan": (tensor([[1.0, NAN]]), tensor([[1.0, 2.0]]), "The answer has nan at index (0, 1), where a number is expected."),
    "nan number": (NAN, 1.0, "The answer has nan, where a number is expected."),
    "nan before inf": (tensor([INF, NAN]), tensor([1.0, 2.0]), "The answer has nan at index 1, where a number is expected."),
    "inf": (np.array([1.0, INF]), np.array([1.0, 2.0]), "The answer is infinite at index 1, where a finite number is expected."),
    "finite for inf": (tensor([1.0, 5.0]), tensor([1.0, -INF]), "The answer has 5 at index 1, where -inf is expected."),
    "wrong sign of inf": (tensor([INF]), tensor([-INF]), "The answer has inf at index 0, where -inf is expected."),
    "number for nan": (tensor([1.0, 2.0]), tensor([NAN, 2.0]), "The answer has 1 at index 0, where nan is expected."),
}  # fmt: skip


@pytest.mark.parametrize(("got", "expected", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_the_first_difference_is_told_in_one_sentence(got: object, expected: object, message: str) -> None:
    assert message_of(got, expected) == message


@pytest.mark.parametrize(
    "value",
    [tensor([1.0, NAN, INF]), tensor(True), torch.empty(0, 2), np.array([1, 2]), 1, 1.5, NAN, -INF, 1j, "a", b"a", True, None, [], (1, [2.0]), {"a": tensor([1.0])}],
    ids=repr,
)  # fmt: skip
def test_a_value_is_close_to_itself(value: object) -> None:
    assert_close(value, value)


@pytest.mark.parametrize(
    ("got", "expected"),
    [(np.array(1.5), 1.5), (np.float64(1.5), 1.5), (np.array(3), 3), (np.array(True), True), (3, 3.0), (np.array(2.0, np.float32), 2.0)],
)  # fmt: skip
def test_a_numpy_number_passes_where_a_number_is_asked(got: object, expected: object) -> None:
    assert_close(got, expected)


@pytest.mark.parametrize("expected", [torch.ones(2, 3).shape, torch.max(tensor([[2, 3]]), 0)])
def test_a_named_tuple_is_asked_for_as_a_plain_one(expected: tuple) -> None:
    assert_close(tuple(expected), expected)


# numpy has no bfloat16.
@pytest.mark.parametrize(
    ("library", "dtype"), [("torch", d) for d in TOLERANCES] + [("numpy", d) for d in TOLERANCES if d != "bfloat16"]
)
def test_the_dtype_of_the_expected_answer_sets_the_tolerance(library: str, dtype: str) -> None:
    rtol, atol = TOLERANCES[dtype]
    make = (
        (lambda v: tensor([v], dtype=getattr(torch, dtype))) if library == "torch" else (lambda v: np.array([v], dtype))
    )
    for size in (0.0, 8.0):
        room = atol + rtol * size
        assert_close(make(size + 0.7 * room), make(size))
        assert "is wrong" in message_of(make(size + 1.5 * room), make(size))


def test_what_students_read_of_the_tolerances_is_what_holds() -> None:
    named = {"float64": 1e-6, "float32": 2e-5, "float16": 1e-2, "bfloat16": 5e-2}
    in_words = {
        "float64": "a millionth",
        "float32": "2·10⁻⁵ of it",
        "float16": "a hundredth",
        "bfloat16": "a twentieth",
    }
    for dtype, rtol in named.items():
        assert TOLERANCES[dtype] == pytest.approx((rtol, 0.1 * rtol)), "numbers smaller than 0.1 count as 0.1"
        assert f"{in_words[dtype]}{' of its size' if dtype == 'float64' else ''} in {dtype}" in TOLERANCE_RULE


def test_the_fixture_notebook_states_the_tolerances_in_these_words() -> None:
    source = Path(__file__).parent / "fixture_course" / "assignments" / "basics" / "basics.md"
    assert TOLERANCE_RULE in source.read_text(encoding="utf-8")


@pytest.mark.parametrize("constant", [0.7978845, 1.702000], ids=str)
def test_a_constant_of_seven_digits_is_right_in_float64(constant: float) -> None:
    exact = constant * (1 + 4e-7)
    assert_close(tensor([constant], dtype=torch.float64), tensor([exact], dtype=torch.float64))


def test_integers_have_no_tolerance() -> None:
    assert message_of(tensor([10**6 + 1]), tensor([10**6])).startswith("The value is wrong")
    assert message_of(10**9 + 1, 10**9, rtol=0.1).startswith("The value is wrong")


def test_a_check_can_set_its_own_tolerance() -> None:
    assert_close(tensor([1.09]), tensor([1.0]), rtol=0.1)
    assert_close(0.09, 0.0, atol=0.1)
    assert message_of(1.0 + 1e-9, 1.0, rtol=0, atol=0).startswith("The value is wrong")


def test_a_mismatch_carries_both_answers_and_the_difference() -> None:
    with pytest.raises(Mismatch) as caught:
        assert_close(tensor([1.0, 4.0]), tensor([1.0, 2.0]))
    assert torch.equal(caught.value.expected, tensor([1.0, 2.0]))
    assert torch.equal(caught.value.got, tensor([1.0, 4.0]))
    assert caught.value.difference == 2.0


def test_an_object_where_a_tensor_is_asked_is_named() -> None:
    class Layer:
        pass

    assert (
        message_of(student_of(Layer=Layer).Layer(), torch.ones(1))
        == "Expected a torch tensor, got <the student's Layer>."
    )


def raiser(error: BaseException):
    def f():
        raise error

    return student_of(f=f)


@pytest.mark.parametrize("asked", [ZeroDivisionError, ArithmeticError, Exception])
def test_raises_accepts_the_exception_and_its_base_classes(asked: type[Exception]) -> None:
    with raises(asked):
        raiser(ZeroDivisionError("by `p`")).f()


@pytest.mark.parametrize("message", ["p must be below 1", "2.0 is no `p`", "p=2", "bad p_value", "the ps differ"])
def test_raises_accepts_a_message_that_names_the_argument(message: str) -> None:
    with raises(ValueError, naming="p"):
        raiser(ValueError(message)).f()


@pytest.mark.parametrize("message", ["p is 2", "x has shape (3,)"])
def test_of_two_arguments_that_may_be_refused_either_may_be_named(message: str) -> None:
    with raises(ValueError, naming=("p", "x")):
        raiser(ValueError(message)).f()


RAISED = {
    "nothing": (None, {}, "Expected ValueError, but nothing was raised."),
    "nothing, named": (None, {"naming": "p"}, "Expected ValueError that names `p`, but nothing was raised."),
    "another": (KeyError("k"), {}, "Expected ValueError, but KeyError was raised ('k')."),
    "a base class": (Exception("x"), {}, "Expected ValueError, but Exception was raised (x)."),
    "no name": (ValueError("bad"), {"naming": "p"}, "ValueError is right, but its message does not name `p` ('bad')."),
    "only a letter": (
        ValueError("expected 2"),
        {"naming": "p"},
        "ValueError is right, but its message does not name `p` ('expected 2').",
    ),
    "nothing, one of two": (
        None,
        {"naming": ("p", "x"), "because": "x has shape (3,)"},
        "Expected ValueError that names `p` or `x`, but nothing was raised: x has shape (3,).",
    ),
    "another, because": (
        KeyError("k"),
        {"because": "p is 2"},
        "Expected ValueError, but KeyError was raised ('k'): p is 2.",
    ),
    "none of two": (
        ValueError("bad"),
        {"naming": ("p", "x"), "because": "p is 2"},
        "ValueError is right, but its message does not name `p` ('bad'): p is 2.",
    ),
}


@pytest.mark.parametrize(("error", "naming", "message"), RAISED.values(), ids=RAISED.keys())
def test_raises_tells_what_came_instead(error: Exception | None, naming: dict[str, Any], message: str) -> None:
    student = raiser(error) if error else student_of(f=lambda: 1)
    with pytest.raises(Mismatch) as caught, raises(ValueError, **naming):
        student.f()
    assert str(caught.value) == message


def broadcasts(x, y):
    return np.zeros(x) + np.zeros(y)


def converts(x, y):
    return int("three")


def refuses(x, y):
    if x != y:
        raise ValueError("lengths differ")


def has_a_guard(x, y):
    require_positive(temperature=-x)


ACCIDENTS = {
    broadcasts: "Expected ValueError that names `y`, but this one came by accident, "
    "in line {}: return np.zeros(x) + np.zeros(y) ('operands",
    converts: "Expected ValueError that names `y`, but this one came by accident, "
    'in line {}: return int("three") ("invalid',
    refuses: "ValueError is right, but its message does not name `y` ('lengths differ').",
    has_a_guard: "ValueError is right, but its message does not name `y` ('temperature is -2",
}


@pytest.mark.parametrize(("function", "says"), ACCIDENTS.items(), ids=[f.__name__ for f in ACCIDENTS])
def test_only_what_is_raised_on_purpose_is_called_right(function, says: str) -> None:
    with pytest.raises(Mismatch) as caught, raises(ValueError, naming="y"):
        student_of(f=function).f(2, 3)
    assert re.sub(r"line \d+", "line {}", caught.value.message).startswith(says)


def loop_forever() -> None:
    while True:
        pass


def not_written() -> None:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "name"), [(loop_forever, "TimeLimitReached"), (not_written, "NotImplementedError")]
)
def test_raises_lets_a_time_out_and_an_unwritten_function_through(function, name: str) -> None:
    with pytest.raises(StudentError) as caught, raises(Exception):
        student_of(seconds=0.3, f=function).f()
    assert caught.value.raised.type_name == name


def test_assert_unchanged_names_the_argument_that_was_changed() -> None:
    def doubles(x, factor=2):
        x *= factor
        return x

    student = student_of(doubles=doubles, adds=lambda x: x + 1)
    student.adds(torch.ones(2))
    assert_unchanged(student)
    student.doubles(torch.ones(2))
    with pytest.raises(Mismatch) as caught:
        assert_unchanged(student)
    assert (
        str(caught.value) == "doubles changed `x` in place. The caller still needs it: work on a new tensor or array."
    )


def test_a_check_reads_off_a_wrong_answer_what_the_mistake_is() -> None:
    with pytest.raises(Mismatch) as caught, explained(lambda: "It is twice as large."):
        assert_close(2.0, 1.0)
    assert (caught.value.says, caught.value.expected) == ("It is twice as large.", 1.0)


def test_a_reading_that_fails_says_nothing_and_the_answer_stays_wrong() -> None:
    with pytest.raises(Mismatch) as caught, explained(lambda: f"{1 / 0}"):
        assert_close(2.0, 1.0)
    assert caught.value.says == ""


def test_of_a_right_answer_nothing_is_read() -> None:
    read: list[str] = []
    with explained(lambda: read.append("read") or ""):
        assert_close(1.0, 1.0)
    assert read == []
