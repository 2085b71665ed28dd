"""What the trials of an exercise show: the first wrong answer of each failing one beside the expected one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.examples.replay import Trial
from autograder.feedback.likeness import same_answer, tolerance
from autograder.sandbox.messages import generators_in
from autograder.sandbox.protocol import Reply, Request
from autograder.sandbox.values import same_data
from autograder.testing.comparison import Mismatch
from autograder.testing.student import Call

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
Places = Mapping[tuple[str, int], str]


@dataclass(frozen=True)
class Pair:
    """Two arrays of one shape that differ, as float64; a number is an array without axes.

    Attributes:
        inputs: what the call was given, by how a sentence names it.
        rtol, atol: tolerance of the expected dtype.
    """

    inputs: Mapping[str, Any]
    got: np.ndarray
    expected: np.ndarray
    rtol: float
    atol: float

    def is_close(self, value: Any) -> bool:
        """Whether the answer got is ``value``, an array that broadcasts to its shape."""
        return bool(np.allclose(self.got, value, rtol=self.rtol, atol=self.atol, equal_nan=True))

    @cached_property
    def wrong(self) -> np.ndarray:
        """Which entries differ."""
        return np.asarray(~np.isclose(self.got, self.expected, rtol=self.rtol, atol=self.atol, equal_nan=True))


@dataclass(frozen=True)
class Answer:
    """One answer of the student's code beside the one expected."""

    request: Request
    inputs: Mapping[str, Any]
    got: Reply
    expected: Reply

    @property
    def is_value(self) -> bool:
        """Whether there are two values to compare."""
        return self.got.raised is None and self.expected.raised is None

    def pair(self) -> Pair | None:
        """The two values as arrays; None where they are none, differ in shape, or do not differ."""
        got, expected = as_array(self.got.value), as_array(self.expected.value)
        if not self.is_value or got is None or expected is None or got.shape != expected.shape or not got.size:
            return None
        pair = Pair(self.inputs, got, expected, *tolerance(self.expected.value))
        return pair if pair.wrong.any() else None


@dataclass(frozen=True)
class Situation:
    """What a check drew for one example, and whether the answers to it are right."""

    values: Mapping[str, Any]
    right: bool


@dataclass(frozen=True)
class Evidence:
    """What is known of a wrong solution.

    Attributes:
        wrong: the first wrong answer of each failing trial that has an expected one.
        right: answers before it, and those of passing trials, where the call is known.
        situations: each trial's drawn values, and whether all its answers are right.
        refused: failing trials in which the right type of exception was raised.
        failing: failing trials.
        transcripts: each failing trial's calls, with the reference's replies as far as they are recorded.
    """

    wrong: tuple[Answer, ...]
    right: tuple[Answer, ...] = ()
    situations: tuple[Situation, ...] = ()
    transcripts: tuple[tuple[tuple[Call, ...], tuple[Reply, ...]], ...] = ()
    refused: int = 0
    failing: int = 0

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Wrong answers beside the right ones as arrays; none unless all have the right shape.

        Answers to what had to be refused are left aside: there is nothing to compare.
        """
        answered = [answer for answer in self.wrong if answer.expected.raised is None]
        pairs = tuple(pair for answer in answered if (pair := answer.pair()) is not None)
        return pairs if len(pairs) == len(answered) else ()

    @cached_property
    def distinct(self) -> int:
        """How many different expected values other than 0 the pairs hold: few of them fit anything."""
        entries = [telling(pair).round(6) for pair in self.pairs]
        return len(np.unique(np.concatenate(entries))) if entries else 0

    def of_part(self, key: int) -> "Evidence":
        """The evidence on one of several results."""
        return replace(
            self,
            wrong=tuple(
                replace(a, got=Reply(a.got.value[key]), expected=Reply(a.expected.value[key])) for a in self.wrong
            ),
            right=(),
        )


def telling(pair: Pair) -> np.ndarray:
    """The expected entries that are finite and far from 0, which alone tell one factor from another."""
    far = np.isfinite(pair.expected) & (np.abs(pair.expected) > 100 * pair.atol)
    return np.asarray(pair.expected[far])


def gather(trials: Sequence[Trial]) -> Evidence:
    """The evidence of every trial of an exercise, of passed and of failed checks."""
    wrong: list[Answer] = []
    right: list[Answer] = []
    situations: list[Situation] = []
    transcripts = []
    places = _places(trials)
    for trial in trials:
        if trial.failure is not None:
            transcripts.append((trial.transcript, trial.example.reference))
        answers = tuple(_answers(trial, places))
        first = next((answer for answer in answers if not same_answer(answer.got, answer.expected)), None)
        right.extend(answer for answer in answers if answer is not first)
        if trial.failure is not None and first is not None:
            wrong.append(first)
            if first.expected.raised is None:
                situations.append(Situation(_values(trial, first), False))
        elif trial.failure is None and first is None and _answers_fully(trial):
            situations.append(Situation(_values(trial, answers[-1] if answers else None), True))
    failing = [trial for trial in trials if trial.failure is not None]
    return Evidence(
        tuple(wrong), tuple(right), tuple(situations), tuple(transcripts), sum(map(_is_refused, failing)), len(failing)
    )


def _is_refused(trial: Trial) -> bool:
    """Whether the last answer is an exception, of the type that is expected."""
    if not trial.transcript or len(trial.transcript) != len(trial.example.reference):
        return False
    own, recorded = trial.transcript[-1].reply, trial.example.reference[-1]
    return own.raised is not None and same_answer(own, recorded)


def _values(trial: Trial, answer: Answer | None) -> dict[str, Any]:
    """What was drawn, and what the call was given."""
    given = answer.inputs if answer is not None else {}
    return trial.example.values | {name.strip("`"): value for name, value in given.items() if name.startswith("`")}


def _answers_fully(trial: Trial) -> bool:
    """Whether there were answers that say something: none empty, none refused."""
    own, recorded = trial.replies, trial.example.reference
    values = [as_array(reply.value) for reply in recorded]
    return (
        bool(recorded)
        and len(own) == len(recorded)
        and all(reply.raised is None for reply in recorded)
        and all(value is None or value.size > 0 for value in values)
    )


def _answers(trial: Trial, places: Places) -> Iterator[Answer]:
    """The calls with what was expected, up to the first wrong one: later ones may be asked with its answer."""
    by_mismatch = _by_mismatch(trial, places)
    for call, recorded in zip(trial.transcript, trial.example.reference, strict=False):
        if generators_in(call.request):
            break
        yield Answer(call.request, _named(call.request, places), call.reply, recorded)
        if not same_answer(call.reply, recorded):
            return
    if by_mismatch is not None:
        yield by_mismatch


def _by_mismatch(trial: Trial, places: Places) -> Answer | None:
    """The answer that the check itself compared, if it was a call's own and not computed from it."""
    failure = trial.failure
    if not isinstance(failure, Mismatch) or failure.expected is None:
        return None
    for call in reversed(trial.transcript):
        if call.reply.raised is None and same_data(failure.got, call.reply.value):
            inputs = _named(call.request, places)
            return Answer(call.request, inputs, call.reply, Reply(failure.expected))
    return None


def _places(trials: Sequence[Trial]) -> Places:
    """What the check authors call each positional argument: the drawn value that it most often is."""
    votes: dict[tuple[str, int], Counter[str]] = {}
    for trial in trials:
        for call in trial.transcript:
            left = dict(trial.example.values)
            for place, value in enumerate(call.request.args):
                same = (n for n, own in left.items() if type(own) is type(value) and same_data(own, value))
                if (name := next(same, None)) is not None:
                    del left[name]
                    votes.setdefault((call.request.name, place), Counter())[name] += 1
    names: dict[tuple[str, int], str] = {}
    for (function, place), counted in sorted(votes.items()):
        name = counted.most_common(1)[0][0]
        if (function, name) not in {(f, n) for (f, _), n in names.items()}:
            names[function, place] = name
    return names


def _named(request: Request, places: Places) -> dict[str, Any]:
    """A call's arguments by how a sentence names them.

    By convention the upstream gradient stands first in the backward functions, where it is rarely drawn.
    """
    named: dict[str, Any] = {}
    for place, value in enumerate(request.args):
        name = places.get((request.name, place), "")
        if not name and place == 0 and request.name.endswith("_backward"):
            name = "grad_out"
        where = ORDINALS[place] if place < len(ORDINALS) else "last"
        named[f"`{name}`" if name else f"the {where} argument"] = value
    return named | {f"`{name}`": value for name, value in request.kwargs.items()}


def as_array(value: Any) -> np.ndarray | None:
    """A real tensor, array or number as a float64 array; None for anything else."""
    if isinstance(value, Tensor):
        return None if value.is_complex() else value.detach().cpu().to(torch.float64).numpy()
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype.kind in "fiub" else None
    try:
        return np.asarray(value, np.float64) if isinstance(value, int | float) else None
    except OverflowError:  # an int of hundreds of digits
        return None


def same_arguments(a: Request, b: Request, *, but: str | int | None = None) -> bool:
    """Whether two calls are given the same, generators and the argument ``but`` left aside."""
    return all(same_data(x, y) for place, x, y in argument_pairs(a, b) if place != but)


def argument_pairs(a: Request, b: Request) -> Iterator[tuple[str | int, Any, Any]]:
    """Place or name of each argument with its two values, of two calls of one form."""
    for place, (x, y) in enumerate(zip(a.args, b.args, strict=True)):
        yield place, x, y
    for name in a.kwargs:
        yield name, a.kwargs[name], b.kwargs[name]


def same_form(a: Request, b: Request) -> bool:
    """Whether two calls are of one function, with as many arguments of the same names."""
    return (a.kind, a.name, len(a.args), a.kwargs.keys()) == (b.kind, b.name, len(b.args), b.kwargs.keys())
