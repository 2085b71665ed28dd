"""Diagnosers of what the wrong numbers have to do with the right ones, or with what was passed in."""

from itertools import combinations
from typing import Any

import numpy as np

from autograder.feedback.diagnosers.evidence import Evidence, Pair, as_array, shaped_inputs
from autograder.feedback.naming import join


def not_finite(evidence: Evidence) -> str | None:
    """nan or infinity where a number is expected, which of them, and where it first stands."""
    pairs = evidence.pairs
    spoilt = [~np.isfinite(pair.got) & np.isfinite(pair.expected) for pair in pairs]
    if not pairs or not all(where.any() for where in spoilt):
        return None
    found = np.unique(np.concatenate([pair.got[where] for pair, where in zip(pairs, spoilt, strict=True)]))
    what = " or ".join(f"{value:g}" for value in found[::-1])
    is_one = all(pair.got.size == 1 for pair in pairs)
    seen = f"It is {what} where a number is expected" if is_one else f"The answer has {what} in it each time"
    if all(answer.request.kind == "attribute" for answer in evidence.wrong):
        return f"{seen}."
    pair = pairs[0]
    index = tuple(int(i) for i in np.argwhere(spoilt[0])[0])
    at = f" at {list(index)}" if index else ""
    entries = sorted(((name, x[index]) for name, x in shaped_inputs(pair)), key=lambda entry: -abs(entry[1]))
    given = f", where {join([f'{name} is {value:.5g}' for name, value in entries[:2]])}" if entries else ""
    if at or given:
        seen += f", {'' if is_one else 'where a number is expected: '}in the first example that fails{at}{given}"
    elif not is_one:
        seen += ", where a number is expected"
    if len(found) == 1 and any((p.expected == found[0]).any() for p in (*pairs, *evidence.right_pairs)):
        return f"{seen}. Elsewhere {what} is right. Does a step overflow there, or do other entries get it than should?"
    if all(np.isfinite(value) for _, value in entries) and any(
        not np.isfinite(x).all() for _, x in shaped_inputs(pair)
    ):
        return f"{seen}. Does nan or infinity elsewhere in the same input reach it?"
    return f"{seen}. Does a step overflow there, divide by 0 or take the logarithm of 0?"


def hides_nan(evidence: Evidence) -> str | None:
    """A number where nan is expected."""
    pairs = evidence.pairs
    if not pairs or not all((np.isfinite(pair.got) & ~np.isfinite(pair.expected)).any() for pair in pairs):
        return None
    if not all((np.isfinite(pair.expected) <= ~pair.wrong).all() for pair in pairs):
        return None
    expected = np.concatenate([pair.expected[pair.wrong] for pair in pairs])
    what = "nan" if np.isnan(expected).all() else "infinity" if np.isinf(expected).all() else "nan or infinity"
    return f"All wrong entries are numbers where {what} is expected. Which step hides it?"


def returns_an_input(evidence: Evidence) -> str | None:
    """An argument comes back as it was."""
    if not evidence.pairs or evidence.distinct < 2:
        return None
    names = set.intersection(*({n for n, x in shaped_inputs(p) if p.is_close(x)} for p in evidence.pairs))
    if not names:
        return None
    return f"Where it is wrong, the answer is {min(names)} as it was passed in. Does anything happen to it?"


def never_moves(evidence: Evidence) -> str | None:
    """What is to be learned comes back as it was passed in, inside a list or a dict."""
    if not evidence.pairs or evidence.distinct < 2:
        return None
    names = set.intersection(*({name for name in p.inputs if _holds(p.inputs[name], p)} for p in evidence.pairs))
    if not names:
        return None
    return f"The values of {min(names)} come back as they were passed in: no step moves them. What is done with a step?"


def _holds(value: Any, pair: Pair) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        return False
    for item in value:
        array = as_array(item)
        if array is not None and array.shape == pair.got.shape and pair.is_close(array):
            return True
        if isinstance(item, list | tuple | dict) and _holds(item, pair):
            return True
    return False


def all_zero(evidence: Evidence) -> str | None:
    """Nothing but zeros."""
    if evidence.distinct < 2 or any(pair.got.any() for pair in evidence.pairs):
        return None
    return "Where it is wrong, the answer is 0 everywhere. Is the result ever written to, or multiplied by 0?"


def always_one_value(evidence: Evidence) -> str | None:
    """One and the same number each time."""
    if len(evidence.pairs) < 4 or evidence.distinct < 4:
        return None
    values = np.unique(np.concatenate([pair.got.ravel() for pair in evidence.pairs]))
    if len(values) != 1 or not np.isfinite(values[0]):
        return None
    return f"Wherever it is wrong, the answer is {values[0] + 0.0:g}, whatever was passed in."


def reversed_sign(evidence: Evidence) -> str | None:
    """The right values with the other sign."""
    if evidence.distinct < 2 or not all(pair.is_close(-pair.expected) for pair in evidence.pairs):
        return None
    return "Wherever it is wrong, the values have the right size and the opposite sign. What is subtracted from what?"


def lost_sign(evidence: Evidence) -> str | None:
    """Absolute values."""
    if evidence.distinct < 2 or not all(pair.is_close(np.abs(pair.expected)) for pair in evidence.pairs):
        return None
    return "Wherever it is wrong, the values have the right size and none is negative: a sign is lost on the way."


# Which way all values are off, the other way, and what holds then of the value got and the one expected.
SIDES = (("large", "small", np.greater), ("small", "large", np.less))


def one_sided(evidence: Evidence) -> str | None:
    """All wrong values are too large, or all too small, or so in size."""
    pairs = evidence.pairs
    # What an object keeps is often chosen and not computed, such as the weights of another epoch.
    if evidence.distinct < 3 or not evidence.sure or any(one.request.kind != "call" for one in evidence.wrong):
        return None
    got = np.concatenate([pair.got[pair.wrong] for pair in pairs])
    expected = np.concatenate([pair.expected[pair.wrong] for pair in pairs])
    if len(got) < SIDED:
        return None
    same_sign = np.array_equal(np.sign(got[expected != 0]), np.sign(expected[expected != 0]))
    for size, other, holds in SIDES:
        if holds(got, expected).all():
            return f"Every wrong value seen here is too {size}, none too {other}. Which term or factor does that?"
    if by_sign := _sided_by_sign(evidence):
        return by_sign
    for size, other, holds in SIDES:
        if same_sign and holds(np.abs(got), np.abs(expected)).all():
            return f"Every wrong value seen here has the right sign and is too {size} in size, none too {other}."
    return None


# So many wrong entries on one side are no chance.
SIDED = 5


def _sided_by_sign(evidence: Evidence) -> str | None:
    """Too large where an argument has one sign, and too small where it has the other; or so in size."""
    pairs = evidence.pairs
    names = sorted(set.intersection(*({name for name, _ in shaped_inputs(pair)} for pair in pairs)))
    own = {name: np.concatenate([dict(shaped_inputs(pair))[name][pair.wrong] for pair in pairs]) for name in names}
    signs = [(x, f"{name} is positive", "it is negative") for name, x in own.items()]
    signs += [
        (own[a] * own[b], f"{a} and {b} have the same sign", "they have opposite ones") for a, b in combinations(own, 2)
    ]
    for x, positive, negative in signs:
        if min((x > 0).sum(), (x < 0).sum()) < SIDED or (x == 0).any():
            continue
        for what, too_large in (("", _larger(pairs)), (" in size", _larger_in_size(pairs))):
            if too_large is not None and (np.array_equal(too_large, x > 0) or np.array_equal(too_large, x < 0)):
                there, elsewhere = ("large", "small") if too_large[x > 0].all() else ("small", "large")
                seen = f"Every wrong value seen here is too {there}{what} where {positive}"
                return f"{seen}, and too {elsewhere} where {negative}."
    return None


def _larger(pairs: tuple[Pair, ...]) -> np.ndarray | None:
    """Which of the wrong entries are too large."""
    return np.concatenate([(pair.got > pair.expected)[pair.wrong] for pair in pairs])


def _larger_in_size(pairs: tuple[Pair, ...]) -> np.ndarray | None:
    """The same in size; None if some sign is wrong."""
    if not all((np.sign(pair.got) == np.sign(pair.expected))[pair.wrong].all() for pair in pairs):
        return None
    return np.concatenate([(np.abs(pair.got) > np.abs(pair.expected))[pair.wrong] for pair in pairs])
