"""What checks, mistakes and alternatives are written with."""

from autograder.sandbox.forbidden.operations import Rules
from autograder.sandbox.values import Callback
from autograder.testing.comparison import Mismatch, assert_close, assert_unchanged, raises
from autograder.testing.declarations import alternative, exercise, mistake, statistical, weight
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
    "Mismatch",
    "Rules",
    "Student",
    "StudentError",
    "alternative",
    "arrays",
    "assert_close",
    "assert_unchanged",
    "callbacks",
    "cotangent_like",
    "dims",
    "entries",
    "exercise",
    "floats",
    "mistake",
    "noncontiguous_tensors",
    "probabilities",
    "raises",
    "seeded",
    "shapes",
    "statistical",
    "tensors",
    "weight",
]
