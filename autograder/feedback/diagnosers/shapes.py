"""Diagnosers of an answer's shape and dtype."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from autograder.feedback.diagnosers.evidence import Answer, Evidence, as_array, shape_of
from autograder.feedback.naming import IN_THE_FIRST, instead_of

MOST_AXES = 4
Shape = tuple[int, ...]


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


def _natural(order: Shape) -> Shape:
    return tuple(range(len(order)))


def _orders(got: np.ndarray, expected: np.ndarray) -> Sequence[Shape]:
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
    if shaped_like_an_input(evidence) is not None:
        return None  # it may come from there without anything being reduced
    answer, got, expected = shapes[0]
    x = next(x for x in _input_shapes(answer) if _lost(x, got, expected))
    gone, kept = _lost(x, got, expected)[0]
    return (
        f"The result is reduced over another axis than asked for: {'' if _is_one(shapes) else IN_THE_FIRST + ', '}"
        f"of an input of shape {x}, axis {gone} has gone, and axis {kept} should."
    )


def _lost(x: Shape, got: Shape, expected: Shape) -> list[tuple[int, int]]:
    """Pairs of an axis that was reduced and of one that should have been, which explain both shapes."""

    def reduced(shape: Shape) -> set[int]:
        dropped = {a for a in range(len(x)) if x[:a] + x[a + 1 :] == shape}
        return dropped | {a for a in range(len(x)) if x[a] != 1 and (*x[:a], 1, *x[a + 1 :]) == shape}

    ours, right = reduced(got), reduced(expected)
    return [] if ours & right else [(a, b) for a in sorted(ours) for b in sorted(right)]


def axes_of_size_one(evidence: Evidence) -> str | None:
    """An axis of size 1 too many or too few."""
    shapes = _shapes(evidence)
    if not shapes or not all(len(g) != len(e) and _squeezed(g) == _squeezed(e) for _, g, e in shapes):
        return None
    if len({len(g) > len(e) for _, g, e in shapes}) > 1:
        return None
    _, got, expected = shapes[0]
    too = "many" if len(got) > len(expected) else "few"
    by_one = all(abs(len(g) - len(e)) == 1 for _, g, e in shapes)
    return (
        f"There {'is an axis' if by_one else 'are axes'} of size 1 too {too}: "
        f"{'' if _is_one(shapes) else f'{IN_THE_FIRST} '}the shape is {got}, and {expected} is expected. "
        "Is a reduced axis kept or dropped?"
    )


def _squeezed(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def same_values_reshaped(evidence: Evidence) -> str | None:
    """The right values in the right order, in another shape."""
    arrays = _arrays(evidence)
    if not arrays or any(got.shape == expected.shape for got, expected in arrays):
        return None
    if not all(g.size == e.size and np.allclose(g.ravel(), e.ravel(), equal_nan=True) for g, e in arrays):
        return None
    return f"The values and their order are right, but the shape is {_example_of(_shapes(evidence))}."


def broadcast_too_far(evidence: Evidence) -> str | None:
    """A vector against a column became a matrix."""
    shapes = _shapes(evidence)
    if not shapes or not all(len(e) == 1 and e[0] > 1 and g == (e[0], e[0]) for _, g, e in shapes):
        return None
    if any(got in _input_shapes(answer) for answer, got, _ in shapes):
        return None
    return (
        f"The result has grown into a matrix: its shape is {_example_of(shapes)}. Are two arrays broadcast against "
        "each other? Compare their shapes just before."
    )


def shaped_like_an_input(evidence: Evidence) -> str | None:
    """The shape of another argument than expected, each time."""
    shapes = _shapes(evidence)
    if not shapes:
        return None
    named = [
        {n for n, v in a.inputs.items() if (shape := shape_of(v)) == got and shape not in ((), expected)}
        for a, got, expected in shapes
    ]
    shared = set.intersection(*named)
    if not shared or len({got for _, got, _ in shapes}) < 2:
        return None
    _, got, expected = shapes[0]
    return f"The result is shaped like {min(shared)}, {got} {IN_THE_FIRST}, and {expected} is expected."


def not_broadcast(evidence: Evidence) -> str | None:
    """Axes of size 1 where the result should be longer: something was reduced, or never broadcast."""
    shapes = _shapes(evidence)
    if not shapes:
        return None
    if not all(len(g) == len(e) and all(x in (y, 1) for x, y in zip(g, e, strict=True)) for _, g, e in shapes):
        return None
    shared = set.intersection(*({i for i, (x, y) in enumerate(zip(g, e, strict=True)) if x < y} for _, g, e in shapes))
    # Where 2 is expected each time, 1 may as well be one too few.
    telling = [axis for axis in sorted(shared) if {expected[axis] for _, _, expected in shapes} != {2}]
    if not telling:
        return None
    return (
        f"Axis {telling[0]} of the result has size 1, where more is expected: the shape is "
        f"{_example_of(shapes)}. Is only one entry computed, is something reduced, or not repeated?"
    )


def wrong_shape(evidence: Evidence) -> str | None:
    """Another number of axes, or other sizes."""
    shapes = _shapes(evidence)
    if not shapes:
        return None
    _, got, expected = shapes[0]
    first = f"{got} instead of {expected} {IN_THE_FIRST}"
    if all(len(got) != len(expected) for _, got, expected in shapes):
        if len({(len(got), len(expected)) for _, got, expected in shapes}) > 1:
            return f"The result has another number of axes than expected: shape {first}."
        verb = "is" if len(expected) == 1 else "are"
        return (
            f"The result has {_axes(len(got))} where {_axes(len(expected))} {verb} expected: "
            f"shape {_example_of(shapes)}."
        )
    if any(len(got) != len(expected) for _, got, expected in shapes):
        return f"The result has the wrong shape: {first}."
    off = [_off(got, expected) for _, got, expected in shapes]
    shared = set.intersection(*(set(axes) for axes in off))
    if not shared:
        return f"The result has the wrong size along some axis: shape {first}."
    axis = min(shared)
    by = {axes[axis] for axes in off}
    size = "large" if min(by) > 0 else "small"
    each = (
        f"too {size} by {abs(by.pop())} in all {len(shapes)} examples" if len(by) == 1 and len(shapes) > 1 else "wrong"
    )
    return (
        f"The size of axis {axis} of the result is {each}: {got[axis]} instead of {expected[axis]} "
        "in the first example that fails."
    )


def _is_one(shapes: Sequence[tuple[Answer, Shape, Shape]]) -> bool:
    """Whether the shapes of all wrong answers are the same, and so are all expected ones."""
    return len({(got, expected) for _, got, expected in shapes}) == 1


def _example_of(shapes: Sequence[tuple[Answer, Shape, Shape]]) -> str:
    """The first wrong shape beside the right one; that it is the first, where there are others."""
    return instead_of([(got, expected) for _, got, expected in shapes])


def _off(got: Shape, expected: Shape) -> dict[int, int]:
    return {i: g - e for i, (g, e) in enumerate(zip(got, expected, strict=True)) if g != e}


def wrong_dtype(evidence: Evidence) -> str | None:
    """Another dtype."""
    dtypes = {(_dtype(a.got.value), _dtype(a.expected.value)) for a in evidence.wrong}
    if not all(got and expected for got, expected in dtypes):
        return None
    look = "Which operation, or which new array, has another dtype than the input?"
    if len({got for got, _ in dtypes}) == 1:
        wanted = sorted({expected for _, expected in dtypes})
        return f"The result has dtype {next(iter(dtypes))[0]} where {' or '.join(wanted)} is expected. {look}"
    got, expected = _dtype(evidence.wrong[0].got.value), _dtype(evidence.wrong[0].expected.value)
    return f"The result has another dtype than expected, such as {got} where {expected} is. {look}"


def _dtype(value: object) -> str:
    return str(getattr(value, "dtype", "")).removeprefix("torch.")


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else "no axes" if count == 0 else f"{count} axes"


def _arrays(evidence: Evidence) -> list[tuple[np.ndarray, np.ndarray]]:
    """Both arrays of every wrong answer; none if one of them is no array."""
    both = [(as_array(a.got.value), as_array(a.expected.value)) for a in evidence.wrong]
    found = [(got, expected) for got, expected in both if got is not None and expected is not None]
    return found if len(found) == len(evidence.wrong) else []


def _shapes(evidence: Evidence) -> list[tuple[Answer, Shape, Shape]]:
    """The two shapes of every wrong answer that is an array of another shape; none if some is not."""
    both = [(a, shape_of(a.got.value), shape_of(a.expected.value)) for a in evidence.wrong]
    found = [(a, got, expected) for a, got, expected in both if got is not None and expected is not None]
    return found if len(found) == len(evidence.wrong) and all(got != expected for _, got, expected in found) else []


def _input_shapes(answer: Answer) -> list[Shape]:
    shapes = [shape_of(value) for value in answer.inputs.values()]
    return [shape for shape in shapes if shape is not None and len(shape) > 1]
