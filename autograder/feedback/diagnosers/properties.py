"""Diagnosers of what all right answers have in common and the wrong ones do not: a sign, a bound, a sum."""

from collections.abc import Callable, Iterator

import numpy as np

from autograder.feedback.diagnosers.evidence import Evidence, Pair, is_number, shaped_inputs

# So many different right values, and so many wrong answers, show a property that is no chance.
ENOUGH = 4
Property = Callable[[Pair, np.ndarray], bool]


def breaks_a_bound(evidence: Evidence) -> str | None:
    """Each wrong answer lacks a sum, a sign or a bound that all right ones have."""
    return _broken(evidence, _bounds)


def leaves_an_argument(evidence: Evidence) -> str | None:
    """Each wrong answer lacks what all right ones have in common with an argument."""
    return _broken(evidence, _beside_arguments)


def _broken(evidence: Evidence, properties: Callable[[tuple[Pair, ...]], Iterator[tuple[str, Property]]]) -> str | None:
    if not evidence.sure:
        return None
    pairs = evidence.pairs
    right = [pair for pair in (*pairs, *evidence.right_pairs) if np.isfinite(pair.expected).all()]
    finite = [pair for pair in pairs if np.isfinite(pair.expected).all()]
    if len(finite) < max(ENOUGH, len(pairs) / 2) or evidence.distinct < ENOUGH:
        return None
    where = "" if len(finite) == len(pairs) else " without nan and infinity"
    for text, holds in properties(pairs):
        if all(holds(pair, pair.expected) for pair in right) and not any(holds(pair, pair.got) for pair in finite):
            return f"In every example tried{where} the right answer {text}; each wrong one breaks that somewhere."
    return None


def _bounds(pairs: tuple[Pair, ...]) -> Iterator[tuple[str, Property]]:
    if all(pair.expected.ndim for pair in pairs):
        for total in (0.0, 1.0):
            for text, axis in (("`dim`", _asked_axis), ("the last axis", _last_axis), ("the first axis", _first_axis)):
                yield f"sums to {total:g} along {text}", _sums_to(total, axis)
    yield "lies between 0 and 1", lambda p, x: bool((x >= -p.atol).all() and (x <= 1 + p.atol).all())
    yield "has no negative entry", lambda p, x: bool((x >= -p.atol).all())
    yield "has no positive entry", lambda p, x: bool((x <= p.atol).all())
    yield "lies between -1 and 1", lambda p, x: bool((np.abs(x) <= 1 + p.atol).all())


def _beside_arguments(pairs: tuple[Pair, ...]) -> Iterator[tuple[str, Property]]:
    for name in sorted(set.intersection(*({n for n, _ in shaped_inputs(pair)} for pair in pairs))):
        yield f"never has another sign than {name}", _sign_of(name)
        yield f"stays within the size of {name} everywhere", _within(name)
    for text, lines in (("rows", 0), ("columns", 1)):
        yield f"has no two equal {text}", _all_differ(lines)


def _sums_to(total: float, axis_of: Callable[[Pair], int | None]) -> Property:
    def holds(pair: Pair, x: np.ndarray) -> bool:
        axis = axis_of(pair)
        if axis is None or not -x.ndim <= axis < x.ndim or not np.isfinite(x).all():
            return False
        slack = pair.atol + pair.rtol * float(np.abs(x).sum(axis).max(initial=0))
        return bool(np.allclose(x.sum(axis), total, rtol=0, atol=slack))

    return holds


def _asked_axis(pair: Pair) -> int | None:
    value = pair.inputs.get("`dim`", pair.inputs.get("`axis`"))
    return int(value) if is_number(value) and isinstance(value, int) else None


def _last_axis(pair: Pair) -> int | None:
    return -1 if pair.expected.ndim > 1 else None


def _first_axis(pair: Pair) -> int | None:
    return 0


def _sign_of(name: str) -> Property:
    def holds(pair: Pair, x: np.ndarray) -> bool:
        own = dict(shaped_inputs(pair)).get(name)
        return own is not None and bool((np.sign(x) * np.sign(own) >= 0).all())

    return holds


def _within(name: str) -> Property:
    def holds(pair: Pair, x: np.ndarray) -> bool:
        own = dict(shaped_inputs(pair)).get(name)
        return own is not None and bool((np.abs(x) <= np.abs(own) * (1 + pair.rtol) + pair.atol).all())

    return holds


def _all_differ(axis: int) -> Property:
    def holds(pair: Pair, x: np.ndarray) -> bool:
        if x.ndim < 2 or x.shape[axis] < 2:
            return False
        lines = np.moveaxis(x, axis, 0).reshape(x.shape[axis], -1)
        return len(np.unique(lines, axis=0)) == len(lines)

    return holds
