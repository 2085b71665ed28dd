"""Diagnosers of when it goes wrong: what the examples that are right share, and the wrong ones do not have."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from torch import Tensor

from autograder.feedback.diagnosers.evidence import (
    Answer,
    Evidence,
    Situation,
    argument_pairs,
    as_array,
    same_arguments,
    same_form,
)
from autograder.feedback.likeness import same_answer
from autograder.sandbox.values import same_data

# So many right and wrong examples show that a property decides; fewer may agree by chance.
ENOUGH = 2
MOST_ANSWERS = 40
HALVES = {"float16", "bfloat16"}


def changes_an_input(evidence: Evidence) -> str | None:
    """An argument is changed in place."""
    if not all(a.is_value and a.got.changed and not a.expected.changed for a in evidence.wrong):
        return None
    names = sorted({name for answer in evidence.wrong for name in answer.got.changed})
    return (
        f"It changes {' and '.join(names)} in place, and the caller still needs it. "
        "Look for assignments into it, and for operations with a trailing underscore or `out=`."
    )


def ignores_an_argument(evidence: Evidence) -> str | None:
    """Answers stay the same when one argument alone changes, though the right ones do not."""
    answers = [a for a in (*evidence.wrong, *evidence.right) if a.request.kind in ("call", "method")][:MOST_ANSWERS]
    ignored: dict[str, list[Answer]] = defaultdict(list)
    used: set[str] = set()
    for a, b in combinations(answers, 2):
        name = _single_difference(a, b)
        if name is None or not a.is_value or not b.is_value:
            continue
        if not same_answer(a.got, b.got):
            used.add(name)
        elif not same_answer(a.expected, b.expected) and _says_something(a):
            ignored[name].append(a)
    names = sorted(name for name, seen in ignored.items() if name not in used and _cover_both_signs(seen))
    if len(names) != 1:
        return None
    return f"{names[0]} makes no difference: calls that differ in it alone give the same answer. Where does it enter?"


def _cover_both_signs(answers: list[Answer]) -> bool:
    """Whether there are enough, and every array among the arguments has positive and negative entries."""
    arrays: dict[str, list[np.ndarray]] = defaultdict(list)
    for answer in answers:
        for name, value in answer.inputs.items():
            if isinstance(value, Tensor | np.ndarray) and (array := as_array(value)) is not None:
                arrays[name].append(array.ravel())
    entries = [np.concatenate(parts) for parts in arrays.values()]
    return len(answers) >= ENOUGH and all((x > 0).any() and (x < 0).any() for x in entries)


def _says_something(answer: Answer) -> bool:
    """Whether an answer is not 0 everywhere: that can come of anything."""
    value = as_array(answer.got.value)
    return value is None or bool(value.any())


def _single_difference(a: Answer, b: Answer) -> str | None:
    """The name of the only argument in which two calls differ."""
    if not same_form(a.request, b.request):
        return None
    places = [place for place, x, y in argument_pairs(a.request, b.request) if not same_data(x, y)]
    if len(places) != 1 or not same_arguments(a.request, b.request, but=places[0]):
        return None
    place = places[0]
    name = f"`{place}`" if isinstance(place, str) else list(a.inputs)[place]
    return name[0].upper() + name[1:]


def only_default_argument(evidence: Evidence) -> str | None:
    """Right exactly where one argument has one value."""
    for name in _names(evidence):
        wrong, right = _split(evidence, name)
        if not _enough(wrong, right) or not all(isinstance(v, bool | int | float | str) for v in wrong + right):
            continue
        if len(set(map(repr, right))) == 1 and repr(right[0]) not in set(map(repr, wrong)):
            return f"It is right only where `{name}` is {right[0]!r}. What does the code do with other values?"
    return None


def only_given_argument(evidence: Evidence) -> str | None:
    """Wrong only where an argument with a default is given a value."""
    function = evidence.wrong[0].request
    if any((a.request.kind, a.request.name) != (function.kind, function.name) for a in evidence.wrong):
        return None
    calls = [a for a in evidence.right if (a.request.kind, a.request.name) == (function.kind, function.name)]
    left_out = [answer.inputs for answer in calls if answer.is_value]
    for name in _names(evidence):
        wrong, right = _split(evidence, name)
        missing = [inputs for inputs in left_out if f"`{name}`" not in inputs]
        if right or len(missing) < ENOUGH or len(wrong) < ENOUGH:
            continue
        if all(isinstance(v, bool | int | float | str) for v in wrong) and len(set(map(repr, wrong))) > 1:
            seen = f"It fails only where `{name}` is given a value of its own, such as {wrong[0]!r}."
            return f"{seen} Where does `{name}` enter?"
    return None


def only_some_numbers(evidence: Evidence) -> str | None:
    """Right exactly where one argument, a number, is on one side of a limit that matters."""
    limits = (0.0, 1.0, 0.5)
    for name in _names(evidence):
        wrong, right = _split(evidence, name)
        numbers = wrong + right
        if not _enough(wrong, right) or not all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in numbers
        ):
            continue
        for limit in limits:
            for text, holds in _sides(limit):
                if all(map(holds, wrong)) and not any(map(holds, right)):
                    return f"It is wrong only where `{name}` is {text}. What is different there?"
    return None


def _sides(limit: float) -> Iterator[tuple[str, Callable[[float], bool]]]:
    yield f"exactly {limit:g}", lambda v: v == limit
    yield f"less than {limit:g}", lambda v: v < limit
    yield f"larger than {limit:g}", lambda v: v > limit


def only_one_axis(evidence: Evidence) -> str | None:
    """Right only for the first or the last axis."""
    wrong = [s for s in evidence.situations if not s.right]
    right = [s for s in evidence.situations if s.right]
    for text, holds in (("the last axis", _is_last), ("the first axis", _is_first)):
        found = [[holds(s) for s in side] for side in (wrong, right)]
        bad, good = ([v for v in side if v is not None] for side in found)
        if len(bad) == len(wrong) and _enough(bad, good) and not any(bad) and all(good):
            return f"It is right only where `dim` is {text}. Is `dim` used everywhere?"
    return None


def _is_last(situation: Situation) -> bool | None:
    return _is_axis(situation.values, -1)


def _is_first(situation: Situation) -> bool | None:
    return _is_axis(situation.values, 0)


def _is_axis(values: Mapping[str, Any], wanted: int) -> bool | None:
    dim = values.get("dim", values.get("axis"))
    x = values.get("x")
    if not isinstance(dim, int) or isinstance(dim, bool) or not isinstance(x, Tensor | np.ndarray) or x.ndim < 2:
        return None
    return dim % x.ndim == wanted % x.ndim


def only_some_inputs(evidence: Evidence) -> str | None:
    """Right exactly for arrays with a property: one row, square, contiguous, a dtype, small, positive."""
    for name in _names(evidence):
        wrong, right = _split(evidence, name)
        if not _enough(wrong, right) or not all(isinstance(v, Tensor | np.ndarray) for v in wrong + right):
            continue
        for text, holds in PROPERTIES:
            bad, good = [holds(v) for v in wrong], [holds(v) for v in right]
            if (
                None not in bad
                and not any(bad)
                and all(v for v in good if v is not None)
                and _enough(bad, [v for v in good if v is not None])
            ):
                return f"It is right only where `{name}` {text}, and wrong in every example where that is not so."
        if (sentence := _dtypes(name, wrong, right) or _magnitudes(name, wrong, right)) is not None:
            return sentence
    return None


def _dtypes(name: str, wrong: list[Any], right: list[Any]) -> str | None:
    """Right for one precision alone, or wrong in half precision alone; another split would be chance."""
    good = {str(v.dtype).removeprefix("torch.") for v in right if math.prod(v.shape) > 1}
    bad = {str(v.dtype).removeprefix("torch.") for v in wrong}
    if good & bad or not good or not (good == {"float64"} or bad <= HALVES) or {"float64"} & bad:
        return None
    seen = f"It is right for {name_list(good)} and wrong for {name_list(bad)}."
    return f"{seen} Which step depends on the dtype of `{name}`?"


def _magnitudes(name: str, wrong: list[Any], right: list[Any]) -> str | None:
    """Right while entries are small: a step that overflows or cancels."""
    largest = [[_largest(v) for v in side] for side in (wrong, right)]
    least, most = min(largest[0]), max(largest[1])
    if not (least >= 10 and least > 1.5 * most):
        return None
    return (
        f"It is right while the entries of `{name}` are small, up to {most:.4g} in size, "
        f"and wrong from {least:.4g} on. Which step overflows or loses digits there?"
    )


def _largest(x: Any) -> float:
    array = as_array(x)
    return float(np.abs(array[np.isfinite(array)]).max(initial=0)) if array is not None else 0.0


def _one_line(x: Any) -> bool | None:
    return bool(max(x.shape) == math.prod(x.shape)) if x.ndim and min(x.shape) else None


def _one_row(x: Any) -> bool | None:
    return bool(x.shape[0] == 1) if x.ndim > 1 else None


def _square(x: Any) -> bool | None:
    return bool(x.shape[-1] == x.shape[-2]) if x.ndim > 1 else None


def _contiguous(x: Any) -> bool | None:
    return x.is_contiguous() if isinstance(x, Tensor) else bool(x.flags.c_contiguous)


def _positive(x: Any) -> bool | None:
    array = as_array(x)
    return None if array is None or not array.size else bool((array > 0).all())


def _no_zero(x: Any) -> bool | None:
    array = as_array(x)
    return None if array is None or not array.size else bool((array != 0).all())


def _no_ties(x: Any) -> bool | None:
    array = as_array(x)
    return None if array is None or array.size < 2 else len(np.unique(array)) == array.size


PROPERTIES: tuple[tuple[str, Callable[[Any], bool | None]], ...] = (
    ("has one row, a batch of size 1", _one_row),
    ("is a single row or column", _one_line),
    ("is square", _square),
    ("is contiguous in memory", _contiguous),
    ("has no entry that is exactly 0", _no_zero),
    ("has positive entries only", _positive),
    ("has no two equal entries", _no_ties),
)


def _names(evidence: Evidence) -> list[str]:
    """What every wrong example has drawn, in order."""
    wrong = [s.values for s in evidence.situations if not s.right]
    return [name for name in (wrong[0] if wrong else ()) if all(name in values for values in wrong)]


def _split(evidence: Evidence, name: str) -> tuple[list[Any], list[Any]]:
    wrong = [s.values[name] for s in evidence.situations if not s.right]
    return wrong, [s.values[name] for s in evidence.situations if s.right and name in s.values]


def _enough(wrong: list[Any], right: list[Any]) -> bool:
    return len(wrong) >= ENOUGH and len(right) >= ENOUGH


def name_list(names: set[str]) -> str:
    """Names in order, joined by "and"."""
    return " and ".join(sorted(names))
