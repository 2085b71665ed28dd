"""Diagnosers of what wrong numbers have to do with the arguments: off by an entry of one, or by a sum along an axis."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement

import numpy as np
from torch import Tensor

from autograder.feedback.diagnosers.evidence import Evidence, Pair, as_array, is_number, shaped_inputs
from autograder.feedback.diagnosers.factors import HALF_OVERFLOWS, NO_FACTOR

# So many wrong answers, with so many different entries each, show a relation that is no chance.
ENOUGH = 3
# So many different entries are off by one and the same multiple.
DIFFERENT = 6
REDUCTIONS: tuple[tuple[str, Callable[..., np.ndarray]], ...] = (
    ("sum", np.sum),
    ("mean", np.mean),
    ("largest entry", np.max),
    ("smallest entry", np.min),
)
MOST_AXES = 4
Named = tuple[str, np.ndarray]


def off_by_an_entry(evidence: Evidence) -> str | None:
    """Each value is off by the entry of an argument at its place, as a factor or a term, or is that entry."""
    pairs = evidence.pairs
    if evidence.distinct < 3 or not any(len(np.unique(x)) > 1 for pair in pairs for _, x in _candidates(pair)):
        return None
    shared: set[tuple[str, str]] | None = None
    for pair in pairs:
        own = set(_relations(pair))
        shared = own if shared is None else shared & own
        if not shared:
            return None
    name, how = min(shared or (), key=lambda found: (len(found[0]), found))
    if sum(len(np.unique(dict(_candidates(pair))[name].round(6))) > 1 for pair in pairs) < min(ENOUGH, len(pairs)):
        return None
    if how == "factor":
        seen = f"Wherever it is wrong, each value is off by a factor, {name}."
        return f"{seen} Look at where it is multiplied."
    if how == "sum":
        seen = f"Wherever it is wrong, each value and the right one add up to {name}."
        return f"{seen} Which sign, or which of two cases, is turned round?"
    if how == "value":
        return f"Wherever it is wrong, the answer is {name}, and nothing else."
    seen = f"Wherever it is wrong, each value is off by {name}."
    return f"{seen} Is it added or subtracted where it should not be, or is a factor of it off by 1?"


# So many times rounding can be seen.
CLEARLY = 10


def off_by_a_multiple(evidence: Evidence) -> str | None:
    """What is wrong is a multiple of an argument, another one in each example, or one that is an argument's value."""
    pairs = evidence.pairs
    if evidence.distinct < 3 or len(pairs) < ENOUGH:
        return None
    names = set.intersection(*({name for name, _ in _candidates(pair, products=False)} for pair in pairs))
    for name in sorted(names, key=lambda name: (len(name), name)):
        multiples = [_multiple(pair, dict(_candidates(pair, products=False))[name]) for pair in pairs]
        known = [multiple for multiple in multiples if multiple is not None]
        if len(known) < len(pairs):
            continue
        factors = [factor for factor, _ in known]
        different = {value for pair in pairs for value in dict(_candidates(pair, products=False))[name].flat}
        if len(different) >= DIFFERENT and all(math.isclose(f, factors[0], rel_tol=1e-3) for f in factors):
            times = "" if math.isclose(abs(factors[0]), 1, rel_tol=1e-3) else f"{abs(factors[0]):.3g} times "
            seen = f"Wherever it is wrong, each value is off by {times}{name}."
            return f"{seen} Is it added or subtracted where it should not be, or is a factor of it wrong?"
        if sum(certain for _, certain in known) < ENOUGH:
            continue
        return f"Wherever it is wrong, each value is off by a multiple of {name}. By what should that be multiplied?"
    return None


def _multiple(pair: Pair, x: np.ndarray) -> tuple[float, bool] | None:
    """By what multiple of ``x`` the answer is off, and whether it has different entries to show it."""
    off = pair.got - pair.expected
    if not np.isfinite(off).all() or not np.isfinite(x).all() or not x.any():
        return None
    largest = int(np.argmax(np.abs(x)))
    factor = float(off.flat[largest] / x.flat[largest])
    if not factor or not _near(off, factor * x, pair, np.abs(pair.got) + np.abs(pair.expected)):
        return None
    # Where the multiple is no larger than rounding, any argument would do.
    seen = (np.abs(x) > 100 * pair.atol) & (np.abs(factor * x) > CLEARLY * pair.atol)
    return factor, len(np.unique(x[seen].round(6))) >= ENOUGH


def moves_too_far(evidence: Evidence) -> str | None:
    """What is added to an argument, or taken from it, is off by one factor."""
    if not evidence.pairs or evidence.distinct < 3:
        return None
    for name in sorted(set.intersection(*({name for name, _ in shaped_inputs(pair)} for pair in evidence.pairs))):
        moved = [_moved(pair, dict(shaped_inputs(pair))[name]) for pair in evidence.pairs]
        factors = [_ratio(pair) for pair in moved]
        known = [factor for factor in factors if factor is not None]
        if len(known) < len(moved) or sum(len(np.unique(p.expected.round(6))) > 2 for p in moved) < ENOUGH:
            continue
        if any(math.isclose(factor, 1, rel_tol=NO_FACTOR) for factor in known):
            continue
        if all(math.isclose(factor, known[0], rel_tol=1e-3) for factor in known):
            turned = math.isclose(known[0], -1, rel_tol=1e-3)
            how = "has the wrong sign" if turned else f"is {known[0]:.3g} times what it should be"
            return f"Wherever it is wrong, what is added to {name} {how}."
        argument = _argument(moved, known)
        if argument:
            seen = f"Wherever it is wrong, what is added to {name} is off by a factor, and it is {argument}."
            return f"{seen} Where does {argument.removeprefix('1 / ')} enter?"
    return None


def _moved(pair: Pair, x: np.ndarray) -> Pair:
    """How far the answer and the expected one are from an argument."""
    slack = pair.atol + pair.rtol * float(np.abs(x).max(initial=0))
    return Pair(pair.inputs, pair.got - x, pair.expected - x, pair.dtype, pair.rtol, slack)


def _ratio(pair: Pair) -> float | None:
    if not (np.isfinite(pair.got).all() and np.isfinite(pair.expected).all()):
        return None
    largest = int(np.argmax(np.abs(pair.expected)))
    if abs(pair.expected.flat[largest]) <= 100 * pair.atol:
        return None
    factor = float(pair.got.flat[largest] / pair.expected.flat[largest])
    return factor if abs(factor) > 1e-6 and _near(pair.got, factor * pair.expected, pair, np.abs(pair.got)) else None


def _argument(pairs: Sequence[Pair], factors: Sequence[float]) -> str:
    """The argument that the factor is, or is 1 divided by."""
    for name in pairs[0].inputs:
        values = [float(v) if is_number(v := pair.inputs.get(name)) and v is not None else math.nan for pair in pairs]
        if len(set(values)) < ENOUGH or any(map(math.isnan, values)):
            continue
        if all(math.isclose(v, f, rel_tol=1e-3) for v, f in zip(values, factors, strict=True)):
            return name
        if all(math.isclose(v * f, 1, rel_tol=1e-3) for v, f in zip(values, factors, strict=True)):
            return f"1 / {name}"
    return ""


def _relations(pair: Pair) -> Iterator[tuple[str, str]]:
    for name, x in _candidates(pair):
        usable = np.isfinite(x)
        if not usable.any():
            continue
        if pair.is_close(x):
            yield name, "value"
        if _near(pair.got, x - pair.expected, pair, np.abs(pair.expected) + np.abs(x)):
            yield name, "sum"
        with np.errstate(all="ignore"):
            product, quotient = pair.expected * x, pair.got * x
        if _fits(pair.got, product, pair) or _fits(quotient, pair.expected, pair):
            yield name, "factor"
        size = np.abs(pair.expected) + np.abs(x)
        if _near(pair.got, pair.expected + x, pair, size) or _near(pair.got, pair.expected - x, pair, size):
            yield name, "term"


def _candidates(pair: Pair, *, products: bool = True) -> Iterator[Named]:
    """What each value may be off by: arguments entry by entry, products of two, vectors along an axis, reductions."""
    own = [(f"the entry of {name} at its place", name, x) for name, x in shaped_inputs(pair)]
    yield from ((text, array) for text, _, array in own)
    if products:
        for (_, a, left), (_, b, right) in combinations_with_replacement(own, 2):
            what = f"the square of the entry of {a}" if a == b else f"{a} times {b}"
            with np.errstate(all="ignore"):
                yield f"{what} at its place", left * right
    if not pair.got.ndim and not products:
        return
    shape = pair.got.shape
    for name, value in pair.inputs.items():
        x = as_array(value) if isinstance(value, Tensor | np.ndarray) else None
        if x is None or not x.size or x.ndim > MOST_AXES:
            continue
        if x.ndim == 1 < len(shape):
            if len(x) == shape[-1]:
                yield f"the entry of {name} at its place", np.broadcast_to(x, shape)
            if len(x) == shape[1] and len(shape) > 2:
                yield (
                    f"the entry of {name} for its place along axis 1",
                    np.broadcast_to(x.reshape(-1, *[1] * (len(shape) - 2)), shape),
                )
        yield from _reductions(pair, name, x)


def _reductions(pair: Pair, name: str, x: np.ndarray) -> Iterator[Named]:
    shape = pair.got.shape
    dim = pair.inputs.get("`dim`")
    asked = isinstance(dim, int) and not isinstance(dim, bool) and x.ndim and -x.ndim <= dim < x.ndim
    axes: list[int | None] = [int(dim) % x.ndim] if asked and isinstance(dim, int) else [None, *range(x.ndim)]
    for axis in axes:
        kept = () if axis is None else (*x.shape[:axis], *x.shape[axis + 1 :])
        one = tuple(1 for _ in x.shape) if axis is None else (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        # What is reduced along the axis that is asked for may be meant for every entry on it.
        onto = one if asked and shape == x.shape else shape
        if (shape not in (kept, one) and onto is shape) or (axis is None and x.ndim == 0):
            continue
        along = "" if axis is None else " along `dim`" if asked else f" along axis {axis}"
        for word, reduce in REDUCTIONS:
            with np.errstate(all="ignore"):
                reduced = np.reshape(reduce(x, axis=axis), onto)
                yield f"the {word} of {name}{along}", np.broadcast_to(reduced, shape)


def _fits(a: np.ndarray, b: np.ndarray, pair: Pair) -> bool:
    """Whether two arrays are close, as far as the dtype can hold them."""
    close = np.isclose(a, b, rtol=pair.rtol, atol=pair.atol, equal_nan=True)
    if pair.dtype == "float16":
        close |= (np.isinf(a) & (np.abs(b) > HALF_OVERFLOWS)) | (np.isinf(b) & (np.abs(a) > HALF_OVERFLOWS))
    return bool(close.all())


def _near(a: np.ndarray, b: np.ndarray, pair: Pair, size: np.ndarray) -> bool:
    """Whether two differences of numbers of some size are close, apart from where nan is expected and given."""
    nan = np.isnan(pair.got) & np.isnan(pair.expected)
    with np.errstate(all="ignore"):
        return bool((nan | (np.abs(a - b) <= pair.atol + pair.rtol * size)).all())
