"""Diagnosers of what kind of answer it is: nothing, an exception, another type, shape, dtype or device."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
from torch import Tensor

from autograder.feedback.diagnosers.evidence import Answer, Evidence, as_array
from autograder.sandbox.values import Handle

MOST_AXES = 4
DEVICE_ERRORS = ("Misplaced", "FakeTensorDeviceMismatchError")
DEVICE_WORDS = ("same device", "not on the expected device")
GRAPH_WORDS = ("does not require grad", "does not have a grad_fn")


def prints(evidence: Evidence) -> str | None:
    """Printed instead of returned."""
    wrong = evidence.wrong
    if not all(a.is_value and a.got.value is None and a.got.printed and a.expected.value is not None for a in wrong):
        return None
    return "It prints its answer and returns None. Other code cannot use what is printed: return it."


def returns_none(evidence: Evidence) -> str | None:
    """Returns None."""
    if not all(a.is_value and a.got.value is None and a.expected.value is not None for a in evidence.wrong):
        return None
    wanted = kind(evidence.wrong[0].expected.value)
    return f"It returns None where {wanted} is expected. Does every path through the code end in `return`?"


def loses_graph(evidence: Evidence) -> str | None:
    """Right values that no longer know how they were computed."""
    if not all(_is_cut(answer) for answer in evidence.wrong):
        return None
    return (
        "The answer has lost its graph, so no gradient can flow back through it. Look for what leaves torch or "
        "cuts the graph: `.item()`, `.data`, `.detach()`, numpy, a new tensor made from numbers."
    )


def _is_cut(answer: Answer) -> bool:
    if answer.got.raised is not None and answer.expected.raised is None:
        return any(words in answer.got.raised.message for words in GRAPH_WORDS)
    if answer.request.kind != "attribute" or not answer.is_value:
        return False
    lost = answer.got.value in (None, False) and answer.expected.value not in (None, False)
    return lost and answer.request.name in ("requires_grad", "grad_fn")


def wrong_device(evidence: Evidence) -> str | None:
    """Tensors on two devices."""
    raised = [a.got.raised for a in evidence.wrong if a.expected.raised is None]
    if len(raised) < len(evidence.wrong) or not all(
        r is not None and (r.type_name in DEVICE_ERRORS or any(words in r.message for words in DEVICE_WORDS))
        for r in raised
    ):
        return None
    place = _at(raised[0].place if raised[0] else "")
    return f"A tensor stands on another device than the input{place}. Where is a new tensor made, and on which device?"


def raises_instead(evidence: Evidence) -> str | None:
    """An exception where an answer is expected."""
    raised = [a.got.raised for a in evidence.wrong if a.got.raised is not None and a.expected.raised is None]
    if len(raised) < max(len(evidence.wrong), evidence.failing):
        return None
    names = sorted({r.type_name for r in raised})
    if len(names) > 1 or "TimeLimitReached" in names:
        return None
    return f"Wherever it fails, it raises {names[0]} instead of answering{_at(raised[0].place)}."


def raises_sometimes(evidence: Evidence) -> str | None:
    """An exception in some of the failing examples."""
    raised = [a.got.raised for a in evidence.wrong if a.got.raised is not None and a.expected.raised is None]
    names = sorted({r.type_name for r in raised})
    if len(names) != 1 or "TimeLimitReached" in names:
        return None
    share = f"In {len(raised)} of the {max(len(evidence.wrong), evidence.failing)} examples that fail"
    return f"{share} it raises {names[0]} instead of answering{_at(raised[0].place)}."


def refuses_too_little(evidence: Evidence) -> str | None:
    """An answer where an exception is expected."""
    only = all(a.expected.raised is not None for a in evidence.wrong) and len(evidence.wrong) >= evidence.failing
    return _refusal(evidence.wrong) if only else None


def _refusal(wrong: Sequence[Answer]) -> str | None:
    wanted = sorted({a.expected.raised.type_name for a in wrong if a.expected.raised is not None})
    if len(wanted) != 1:
        return None
    if all(a.got.raised is None for a in wrong):
        return (
            f"It goes wrong only where the input has to be refused: it answers, and {wanted[0]} is expected. "
            "Which inputs does the exercise rule out?"
        )
    other = sorted({a.got.raised.type_name for a in wrong if a.got.raised is not None})
    if len(other) == 1 and all(a.got.raised is not None for a in wrong):
        return f"Bad input is refused with {other[0]}, and the exercise asks for {wanted[0]}."
    return (
        f"It goes wrong only where the input has to be refused with {wanted[0]}: sometimes it answers, and sometimes "
        f"{other[0]} is raised. Which inputs does the exercise rule out?"
    )


def unnamed_argument(evidence: Evidence) -> str | None:
    """The right exception, and still not what is asked for."""
    if not evidence.failing or evidence.refused < evidence.failing:
        return None
    return "Bad input is refused with the right exception. What is wrong is its message: does it name the bad argument?"


def wrong_type(evidence: Evidence) -> str | None:
    """A value of another type."""
    kinds = {(kind(a.got.value), kind(a.expected.value)) for a in evidence.wrong if a.is_value}
    if len(kinds) != 1 or not all(a.is_value for a in evidence.wrong):
        return None
    got, expected = kinds.pop()
    return None if got == expected else f"It returns {got} where {expected} is expected."


def wrong_number_of_results(evidence: Evidence) -> str | None:
    """Too many or too few results."""
    lengths = {
        (len(a.got.value), len(a.expected.value))
        for a in evidence.wrong
        if isinstance(a.got.value, tuple | list) and type(a.got.value) is type(a.expected.value)
    }
    if len(lengths) != 1 or not all(isinstance(a.got.value, tuple | list) for a in evidence.wrong):
        return None
    got, expected = lengths.pop()
    return None if got == expected else f"It returns {got} results, and {expected} are expected."


def permuted_axes(evidence: Evidence) -> str | None:
    """The right values with the axes in another order."""
    arrays = _arrays(evidence)
    orders = [set(_orders(got, expected)) for got, expected in arrays]
    common = set.intersection(*orders) if orders else set()
    if not common or not any(len(np.unique(got)) > 2 for got, _ in arrays):
        return None
    if min(common) == (1, 0):
        return "The values are right, but rows and columns have changed places: the answer is transposed."
    return f"The values are right, but the axes stand in the order {min(common)} instead of {_natural(min(common))}."


def _natural(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(len(order)))


def _orders(got: np.ndarray, expected: np.ndarray) -> Sequence[tuple[int, ...]]:
    if got.ndim != expected.ndim or not 2 <= got.ndim <= MOST_AXES:
        return ()
    return [
        order
        for order in permutations(range(got.ndim))
        if order != _natural(order)
        and expected.transpose(order).shape == got.shape
        and not (got.shape == expected.shape and np.allclose(got, expected, rtol=1e-5, atol=1e-6, equal_nan=True))
        and np.allclose(got, expected.transpose(order), rtol=1e-5, atol=1e-6, equal_nan=True)
    ]


def reduced_over_another_axis(evidence: Evidence) -> str | None:
    """Another axis has gone than should have."""
    shapes = _shapes(evidence)
    if not shapes or not all(any(_lost(x, got, expected) for x in _input_shapes(a)) for a, got, expected in shapes):
        return None
    answer, got, expected = shapes[0]
    x = next(x for x in _input_shapes(answer) if _lost(x, got, expected))
    gone, kept = _lost(x, got, expected)[0]
    return (
        f"The result is reduced over another axis than asked for: of an input of shape {x}, axis {gone} has gone, "
        f"and axis {kept} should."
    )


def _lost(x: tuple[int, ...], got: tuple[int, ...], expected: tuple[int, ...]) -> list[tuple[int, int]]:
    """Pairs of an axis that was reduced and of one that should have been, which explain both shapes."""

    def reduced(shape: tuple[int, ...]) -> set[int]:
        dropped = {a for a in range(len(x)) if x[:a] + x[a + 1 :] == shape}
        return dropped | {a for a in range(len(x)) if x[a] != 1 and (*x[:a], 1, *x[a + 1 :]) == shape}

    ours, right = reduced(got), reduced(expected)
    return [] if ours & right else [(a, b) for a in sorted(ours) for b in sorted(right)]


def axes_of_size_one(evidence: Evidence) -> str | None:
    """An axis of size 1 too many or too few."""
    shapes = _shapes(evidence)
    if not shapes or not all(len(g) != len(e) and _squeezed(g) == _squeezed(e) for _, g, e in shapes):
        return None
    _, got, expected = shapes[0]
    too = "many" if len(got) > len(expected) else "few"
    return (
        f"There is an axis of size 1 too {too}: the shape is {got}, and {expected} is expected. "
        "Is a reduced axis kept or dropped?"
    )


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def same_values_reshaped(evidence: Evidence) -> str | None:
    """The right values in the right order, in another shape."""
    arrays = [(got, expected) for got, expected in _arrays(evidence) if got.shape != expected.shape]
    if not arrays or len(arrays) < len(evidence.wrong):
        return None
    if not all(g.size == e.size and np.allclose(g.ravel(), e.ravel(), equal_nan=True) for g, e in arrays):
        return None
    got, expected = arrays[0]
    return f"The values and their order are right, but the shape is {got.shape} instead of {expected.shape}."


def broadcast_too_far(evidence: Evidence) -> str | None:
    """A vector against a column became a matrix."""
    shapes = _shapes(evidence)
    if not shapes or not all(len(e) == 1 and e[0] > 1 and g == (e[0], e[0]) for _, g, e in shapes):
        return None
    if any(got in _input_shapes(answer) for answer, got, _ in shapes):
        return None
    _, got, expected = shapes[0]
    return (
        f"The result has grown from shape {expected} to {got}. Two arrays were broadcast against each other: "
        "compare their shapes just before."
    )


def wrong_shape(evidence: Evidence) -> str | None:
    """Another number of axes, or other sizes."""
    shapes = _shapes(evidence)
    if not shapes:
        return None
    if all(len(got) != len(expected) for _, got, expected in shapes):
        _, got, expected = shapes[0]
        verb = "is" if len(expected) == 1 else "are"
        return (
            f"The result has {_axes(len(got))} where {_axes(len(expected))} {verb} expected: "
            f"shape {got} instead of {expected}."
        )
    differing = [
        {i for i, (g, e) in enumerate(zip(got, expected, strict=False)) if g != e} for _, got, expected in shapes
    ]
    shared = set.intersection(*differing)
    if not shared or any(len(got) != len(expected) for _, got, expected in shapes):
        return None
    _, got, expected = shapes[0]
    axis = min(shared)
    return (
        f"Axis {axis} of the result has the wrong size: {got[axis]} instead of {expected[axis]} "
        "in the first example that fails."
    )


def wrong_dtype(evidence: Evidence) -> str | None:
    """Another dtype."""
    dtypes = [(_dtype(a.got.value), _dtype(a.expected.value), a) for a in evidence.wrong]
    if not all(a.is_value and got and expected and got != expected for got, expected, a in dtypes):
        return None
    got, expected, _ = dtypes[0]
    return (
        f"The result has dtype {got} where {expected} is expected. "
        "Which operation, or which new array, has another dtype than the input?"
    )


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.") if isinstance(value, Tensor | np.ndarray) else ""


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else "no axes" if count == 0 else f"{count} axes"


def _arrays(evidence: Evidence) -> list[tuple[np.ndarray, np.ndarray]]:
    """Both arrays of every wrong answer; none if one of them is no array."""
    both = [(as_array(a.got.value), as_array(a.expected.value)) for a in evidence.wrong if a.is_value]
    found = [(got, expected) for got, expected in both if got is not None and expected is not None]
    return found if len(found) == len(evidence.wrong) else []


def _shapes(evidence: Evidence) -> list[tuple[Answer, tuple[int, ...], tuple[int, ...]]]:
    """The two shapes of every wrong answer that is an array of another shape; none if some is not."""
    found = [
        (a, tuple(a.got.value.shape), tuple(a.expected.value.shape))
        for a in evidence.wrong
        if _dtype(a.got.value) and _dtype(a.expected.value) and a.got.value.shape != a.expected.value.shape
    ]
    return found if len(found) == len(evidence.wrong) else []


def _input_shapes(answer: Answer) -> list[tuple[int, ...]]:
    return [tuple(value.shape) for value in answer.inputs.values() if _dtype(value) and value.ndim > 1]


def _at(place: str) -> str:
    return f", at {place}" if place else ""


def kind(value: Any) -> str:
    """What a value is, with its article."""
    if isinstance(value, Tensor):
        return "a torch tensor"
    if isinstance(value, np.ndarray):
        return "a numpy array" if value.ndim else "a numpy number"
    if isinstance(value, Handle) or (isinstance(value, str) and value.startswith("<") and value.endswith(">")):
        return "an object"
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
