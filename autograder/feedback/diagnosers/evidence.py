"""What a diagnoser is given: wrong answers, or one part of them, beside the ones expected; and what was right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.feedback.likeness import tolerance
from autograder.sandbox.protocol import Reply, Request
from autograder.sandbox.values import same_data
from autograder.testing.student import Call

# Where answers differ by less than the tolerance, and the check looked closer: so many roundings.
ROUNDINGS = 4.0


@dataclass(frozen=True)
class Pair:
    """Two arrays of one shape that differ, as float64; a number is an array without axes.

    Attributes:
        inputs: what the call was given, by how a sentence names it.
        dtype: of the expected one.
        rtol, atol: its tolerance.
    """

    inputs: Mapping[str, Any]
    got: np.ndarray
    expected: np.ndarray
    dtype: str
    rtol: float
    atol: float

    def is_close(self, value: Any) -> bool:
        """Whether the answer got is ``value``, an array that broadcasts to its shape."""
        return bool(np.allclose(self.got, value, rtol=self.rtol, atol=self.atol, equal_nan=True))

    @cached_property
    def wrong(self) -> np.ndarray:
        """Which entries differ."""
        return np.asarray(~np.isclose(self.got, self.expected, rtol=self.rtol, atol=self.atol, equal_nan=True))

    @cached_property
    def telling(self) -> np.ndarray:
        """The expected entries that are finite and far from 0, which alone tell one factor from another."""
        far = np.isfinite(self.expected) & (np.abs(self.expected) > 100 * self.atol)
        return np.asarray(self.expected[far])


@dataclass(frozen=True)
class Answer:
    """One answer of the student's code, or a part of it, beside the one expected.

    Attributes:
        inputs: the call's arguments by how a sentence names them.
        drawn: whether the call was given a generator.
        naming: the argument that an exception has to name, where one does.
    """

    request: Request
    inputs: Mapping[str, Any]
    got: Reply
    expected: Reply
    drawn: bool = False
    naming: str = ""

    @cached_property
    def pair(self) -> Pair | None:
        """The two values as arrays; None where they are none, differ in shape, or do not differ."""
        pair = self.arrays
        if pair is None:
            return None
        if not pair.wrong.any():
            unit = float(torch.finfo(getattr(torch, pair.dtype)).eps) if pair.dtype in _FLOATING else 0.0
            pair = Pair(pair.inputs, pair.got, pair.expected, pair.dtype, ROUNDINGS * unit, 0.0)
        return pair if pair.wrong.any() else None

    @cached_property
    def arrays(self) -> Pair | None:
        """The two values as arrays, differing or not; None where they are none, or differ in shape."""
        if self.got.raised is not None or self.expected.raised is not None:
            return None
        got, expected = as_array(self.got.value), as_array(self.expected.value)
        if got is None or expected is None or got.shape != expected.shape or not got.size:
            return None
        value = self.expected.value
        dtype = str(getattr(value, "dtype", "float64")).removeprefix("torch.")
        return Pair(self.inputs, got, expected, dtype, *tolerance(value[0] if isinstance(value, list) else value))


_FLOATING = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Situation:
    """What a check drew for one example and gave to the call, and whether the answers to it are right.

    Attributes:
        values: by name.
        drawn: the names of what was drawn: examples of one check have the same.
        dtype: of the right answer, where it is a floating tensor or array.
        telling: whether the right answer is more than zeros, which many a mistake gives as well.
    """

    values: Mapping[str, Any]
    right: bool
    drawn: frozenset[str] = frozenset()
    dtype: str = ""
    telling: bool = True


@dataclass(frozen=True)
class Evidence:
    """What is known of one symptom, or of one part of the answers that have it.

    Attributes:
        wrong: the first wrong answer of each failing trial with the symptom, or of each its parts.
        right: right answers, where the call is known.
        situations: what was drawn for each trial that fails, with whatever symptom, and for each that passes.
        transcripts: the calls of each trial with the symptom, and the reference's replies as far as they are recorded.
        sure: whether the expected answers are the only right ones: false where another solution may draw otherwise.
    """

    wrong: tuple[Answer, ...]
    right: tuple[Answer, ...] = ()
    situations: tuple[Situation, ...] = ()
    transcripts: tuple[tuple[tuple[Call, ...], tuple[Reply, ...]], ...] = ()
    sure: bool = True

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Wrong answers beside the right ones as arrays; none unless all have the right shape."""
        pairs = tuple(answer.pair for answer in self.wrong)
        return tuple(pair for pair in pairs if pair is not None) if all(pair is not None for pair in pairs) else ()

    @cached_property
    def distinct(self) -> int:
        """How many different expected values other than 0 the pairs hold: few of them fit anything."""
        entries = [pair.telling.round(6) for pair in self.pairs]
        return len(np.unique(np.concatenate(entries))) if entries else 0

    @cached_property
    def right_pairs(self) -> tuple[Pair, ...]:
        """Right answers as arrays."""
        return tuple(pair for answer in self.right if (pair := answer.arrays) is not None)


def as_array(value: Any) -> np.ndarray | None:
    """Real numbers as a float64 array: a tensor, an array, a number or a list of numbers; None for anything else.

    True and False are no numbers.
    """
    if isinstance(value, Tensor):
        if value.is_complex() or value.dtype == torch.bool:
            return None
        return np.asarray(value.detach().cpu().to(torch.float64).numpy())
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype.kind in "fiu" else None
    if isinstance(value, list) and not (value and all(map(is_number, value))):
        return None
    try:
        return np.asarray(value, np.float64) if isinstance(value, list) or is_number(value) else None
    except OverflowError:  # an int of hundreds of digits
        return None


def is_number(value: Any) -> bool:
    """Whether a value is a Python number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def shaped_inputs(pair: Pair) -> Iterator[tuple[str, np.ndarray]]:
    """The arguments that have a number for each entry of the answer."""
    for name, value in pair.inputs.items():
        array = as_array(value) if isinstance(value, Tensor | np.ndarray | float) else None
        if array is not None and array.shape == pair.got.shape:
            yield name, array


def argument_pairs(a: Request, b: Request) -> Iterator[tuple[str | int, Any, Any]]:
    """Place or name of each argument with its two values, of two calls of one form."""
    for place, (x, y) in enumerate(zip(a.args, b.args, strict=True)):
        yield place, x, y
    for name in a.kwargs:
        yield name, a.kwargs[name], b.kwargs[name]


def same_form(a: Request, b: Request) -> bool:
    """Whether two calls are of one function, with as many arguments of the same names."""
    return (a.kind, a.name, len(a.args), a.kwargs.keys()) == (b.kind, b.name, len(b.args), b.kwargs.keys())


def single_difference(a: Request, b: Request) -> str | int | None:
    """The place or name of the only argument in which two calls differ."""
    if not same_form(a, b):
        return None
    places = [place for place, x, y in argument_pairs(a, b) if not same_data(x, y)]
    return places[0] if len(places) == 1 else None


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of a tensor or array; None of anything else."""
    return tuple(value.shape) if isinstance(value, Tensor | np.ndarray) else None
