"""Guards of the stub: what they let through, what they refuse, and that the sentence names the argument."""

import inspect
import re
from math import inf, nan

import numpy as np
import pytest
import torch

from autograder import guards
from autograder.guards import (
    require_axis,
    require_between,
    require_ndim,
    require_not_negative,
    require_one_of,
    require_positive,
    require_same_shape,
    require_shape,
    require_whole,
)

FLAT, SQUARE, EMPTY, SINGLE = torch.ones(3), np.ones((2, 3)), torch.ones(0, 3), torch.tensor(1.0)

PASSES = {
    "same shape": lambda: require_same_shape(grad_out=torch.ones(2, 3), x=SQUARE),
    "same shape without axes": lambda: require_same_shape(grad_out=SINGLE, x=np.array(2.0)),
    "shape": lambda: require_shape((2, 3), h=SQUARE),
    "shape with any length": lambda: require_shape((None, 3), h=EMPTY),
    "shape without axes": lambda: require_shape((), h=SINGLE),
    "axes": lambda: require_ndim(2, x=SQUARE),
    "one of two numbers of axes": lambda: require_ndim((1, 2), x=FLAT),
    "first axis": lambda: require_axis(SQUARE, dim=0),
    "last axis": lambda: require_axis(SQUARE, dim=1),
    "first axis from the back": lambda: require_axis(SQUARE, dim=-2),
    "a small number": lambda: require_positive(t=1e-300),
    "infinity": lambda: require_positive(t=inf),
    "a number of numpy": lambda: require_positive(t=np.float32(0.5)),
    "a tensor of one number": lambda: require_positive(t=torch.tensor(0.5)),
    "zero": lambda: require_not_negative(decay=0),
    "minus zero": lambda: require_not_negative(decay=-0.0),
    "both ends": lambda: (require_between(0, 1, p=0.0), require_between(0, 1, p=1)),
    "between": lambda: require_between(0, 1, exclusive=True, p=0.999),
    "a word": lambda: require_one_of(("none", "tanh"), approximate="tanh"),
    "a number of a list": lambda: require_one_of((1, 2), order=2),
    "a whole number": lambda: require_whole(1, k=1),
    "a tuple of whole numbers": lambda: require_whole(0, k=(0, 3)),
    "a list of whole numbers": lambda: require_whole(1, k=[2]),
}


@pytest.mark.parametrize("guard", PASSES.values(), ids=PASSES.keys())
def test_what_is_right_passes(guard):
    guard()


# (the guard, the argument that the message names)
REFUSED = {
    "another length": (lambda: require_same_shape(grad_out=FLAT, x=torch.ones(4)), "grad_out"),
    "an axis more": (lambda: require_same_shape(grad_out=torch.ones(1, 3), x=FLAT), "grad_out"),
    "what would broadcast": (lambda: require_same_shape(grad_out=torch.ones(2, 1), x=SQUARE), "grad_out"),
    "no axis": (lambda: require_same_shape(grad_out=SINGLE, x=FLAT), "grad_out"),
    "a number for an array": (lambda: require_same_shape(grad_out=1.0, x=FLAT), "grad_out"),
    "another shape": (lambda: require_shape((2, 4), h=SQUARE), "h"),
    "too few axes for the shape": (lambda: require_shape((None, 3), h=FLAT), "h"),
    "single where a length is asked": (lambda: require_shape((None, 3), h=torch.ones(2, 1)), "h"),
    "too many axes": (lambda: require_ndim(1, x=SQUARE), "x"),
    "none of two numbers of axes": (lambda: require_ndim((2, 3), x=FLAT), "x"),
    "behind the last axis": (lambda: require_axis(SQUARE, dim=2), "dim"),
    "before the first axis": (lambda: require_axis(SQUARE, dim=-3), "dim"),
    "no axis to take": (lambda: require_axis(SINGLE, dim=0), "dim"),
    "half an axis": (lambda: require_axis(SQUARE, dim=0.5), "dim"),
    "a truth value for an axis": (lambda: require_axis(SQUARE, dim=True), "dim"),
    "zero where it has to be positive": (lambda: require_positive(t=0.0), "t"),
    "negative where it has to be positive": (lambda: require_positive(t=-1), "t"),
    "nan where it has to be positive": (lambda: require_positive(t=nan), "t"),
    "nan of numpy": (lambda: require_positive(t=np.float64(nan)), "t"),
    "a negative tensor": (lambda: require_positive(t=torch.tensor(-0.5)), "t"),
    "text for a number": (lambda: require_positive(t="1"), "t"),
    "None for a number": (lambda: require_positive(t=None), "t"),
    "a truth value for a number": (lambda: require_positive(t=True), "t"),
    "below zero": (lambda: require_not_negative(decay=-1e-9), "decay"),
    "nan where it has to be at least zero": (lambda: require_not_negative(decay=nan), "decay"),
    "below the range": (lambda: require_between(0, 1, p=-0.01), "p"),
    "above the range": (lambda: require_between(0, 1, p=1.01), "p"),
    "nan in the range": (lambda: require_between(0, 1, p=nan), "p"),
    "infinity in the range": (lambda: require_between(0, 1, p=inf), "p"),
    "the lower end": (lambda: require_between(0, 1, exclusive=True, p=0), "p"),
    "the upper end": (lambda: require_between(0, 1, exclusive=True, p=1.0), "p"),
    "a word with a capital": (lambda: require_one_of(("none", "tanh"), approximate="Tanh"), "approximate"),
    "no word": (lambda: require_one_of(("none", "tanh"), approximate=None), "approximate"),
    "a truth value for 1": (lambda: require_one_of((1, 2), order=True), "order"),
    "too small": (lambda: require_whole(1, k=0), "k"),
    "no whole number": (lambda: require_whole(1, k=2.0), "k"),
    "a truth value for a whole number": (lambda: require_whole(1, k=True), "k"),
    "one too small in a tuple": (lambda: require_whole(1, k=(2, 0)), "k"),
    "a tensor for a whole number": (lambda: require_whole(1, k=torch.tensor(2)), "k"),
}


@pytest.mark.parametrize(("guard", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_raises_value_error_that_names_the_argument(guard, named):
    with pytest.raises(ValueError) as caught:
        guard()
    message = str(caught.value)
    assert re.match(rf"{named} (is|has)\b", message), message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("guard", "message"),
    [
        (
            lambda: require_same_shape(grad_out=FLAT, x=SQUARE),
            "grad_out has shape (3,), x has shape (2, 3): they have to be the same",
        ),
        (lambda: require_shape((None, 3), h=FLAT), "h has shape (3,), it has to be (any, 3)"),
        (lambda: require_shape((4,), h=FLAT), "h has shape (3,), it has to be (4,)"),
        (lambda: require_ndim((2, 3), x=FLAT), "x has 1 axis, it has to have 2 or 3"),
        (lambda: require_axis(FLAT, dim=1), "dim is 1, x has 1 axis"),
        (lambda: require_between(0, 1, p=2), "p is 2, it has to be from 0 to 1"),
        (lambda: require_between(0, 1, exclusive=True, p=1), "p is 1, it has to be strictly between 0 and 1"),
        (lambda: require_one_of(("none", "tanh"), form="erf"), "form is 'erf', allowed is 'none' or 'tanh'"),
    ],
)
def test_the_sentence_says_what_was_found_and_what_is_allowed(guard, message):
    with pytest.raises(ValueError) as caught:
        guard()
    assert str(caught.value) == message


def test_guards_need_no_numbers_of_a_tensor():
    x = torch.empty(2, 3, device="meta")
    require_same_shape(grad_out=torch.empty(2, 3, device="meta"), x=x)
    require_shape((None, 3), x=x)
    require_ndim(2, x=x)
    require_axis(x, dim=-1)
    with pytest.raises(ValueError, match="x has 2 axes"):
        require_ndim(1, x=x)


def test_every_guard_is_called_require_so_that_the_stub_keeps_it():
    functions = {name for name, value in vars(guards).items() if inspect.isfunction(value) and name[0] != "_"}
    assert functions == set(guards.__all__)
    assert all(name.startswith("require_") for name in functions)
