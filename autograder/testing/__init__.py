"""What checks, mistakes and alternatives are written with."""

from autograder.sandbox.forbidden.operations import Rules
from autograder.sandbox.values import Callback
from autograder.testing.comparison import Mismatch, assert_close, assert_unchanged, raises
from autograder.testing.contract import Contract
from autograder.testing.declarations import alternative, case, exercise, idea, mistake, refusal, statistical, weight
from autograder.testing.oracles import gradient_of, vector
from autograder.testing.refusals import (
    Refusal,
    another_length,
    another_number_of_axes,
    another_shape,
    bad_values,
    negative,
    no_axis,
    no_word,
    not_positive,
    outside,
)
from autograder.testing.strategies import (
    arrays,
    callbacks,
    cotangent_like,
    dims,
    entries,
    floats,
    noncontiguous_tensors,
    probabilities,
    seeded,
    shapes,
    tensors,
)
from autograder.testing.student import Student, StudentError

__all__ = [
    "Callback",
    "Contract",
    "Mismatch",
    "Refusal",
    "Rules",
    "Student",
    "StudentError",
    "alternative",
    "another_length",
    "another_number_of_axes",
    "another_shape",
    "arrays",
    "assert_close",
    "assert_unchanged",
    "bad_values",
    "callbacks",
    "case",
    "cotangent_like",
    "dims",
    "entries",
    "exercise",
    "floats",
    "gradient_of",
    "idea",
    "mistake",
    "negative",
    "no_axis",
    "no_word",
    "noncontiguous_tensors",
    "not_positive",
    "outside",
    "probabilities",
    "raises",
    "refusal",
    "seeded",
    "shapes",
    "statistical",
    "tensors",
    "vector",
    "weight",
]
