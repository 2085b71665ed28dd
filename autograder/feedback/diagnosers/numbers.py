"""Diagnosers of what the wrong numbers have to do with the right ones, entry by entry."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from torch import Tensor

from autograder.feedback.diagnosers.evidence import Evidence, Pair, as_array, telling

FACTORS = {"2": 2.0, "1/2": 0.5, "ln 2": math.log(2), "1 / ln 2": 1 / math.log(2), "π": math.pi, "√2": math.sqrt(2)}
# Further apart than this it is no longer called an approximation.
ROUGHLY = 2e-2
# float16 ends at 65,504.
HALF_OVERFLOWS = 6e4


def not_finite(evidence: Evidence) -> str | None:
    """nan or inf where a number is expected, and where it first stands."""
    pairs = evidence.pairs
    if not pairs or not all((~np.isfinite(pair.got) & np.isfinite(pair.expected)).any() for pair in pairs):
        return None
    pair = pairs[0]
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(pair.got) & np.isfinite(pair.expected))[0])
    what = "nan" if np.isnan(pair.got[index]) else "inf"
    at = f"first at {list(index)}" if index else "in the first example that fails"
    entries = sorted(((name, x[index]) for name, x in _shaped_inputs(pair)), key=lambda entry: -abs(entry[1]))
    given = f", where {entries[0][0]} is {entries[0][1]:.5g}" if entries else ""
    return (
        f"Every answer that is wrong has {what if len(pairs) == 1 else 'nan or inf'} in it, {what} {at}{given}. "
        "Which step overflows, or divides by 0, there?"
    )


def returns_an_input(evidence: Evidence) -> str | None:
    """An argument comes back as it was."""
    names = (
        set.intersection(*({n for n, x in _shaped_inputs(p) if p.is_close(x)} for p in evidence.pairs))
        if evidence.pairs
        else set()
    )
    if not names or evidence.distinct < 2:
        return None
    return f"Where it is wrong, the answer is {min(names)} as it was passed in. Does anything happen to it?"


def all_zero(evidence: Evidence) -> str | None:
    """Nothing but zeros."""
    if evidence.distinct < 2 or any(pair.got.any() for pair in evidence.pairs):
        return None
    return "Where it is wrong, the answer is 0 everywhere. Is the result ever written to, or multiplied by 0?"


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


def constant_factor(evidence: Evidence) -> str | None:
    """Every value is off by one factor, which may be one of the call's sizes or arguments."""
    telling_pairs = [pair for pair in evidence.pairs if telling(pair).size]
    factors = [_factor(pair) for pair in telling_pairs]
    known = [factor for factor in factors if factor is not None]
    if not known or len(known) < len(factors) or evidence.distinct < 2:
        return None
    precise = known[int(np.argmin([pair.rtol for pair in telling_pairs]))]
    plain = _plain(precise, 1e-3)
    factor = math.copysign(FACTORS[plain.removeprefix("-")], precise) if plain else precise
    if all(_is_multiple(pair, factor) for pair in evidence.pairs):
        name = None if plain else _named_in_all(telling_pairs, known)
        seen = f"Wherever it is wrong, every value is {plain or f'{precise:.4g}'} times the right one."
        return name or f"{seen} Which factor is missing, or one too many?"
    if len(telling_pairs) < len(evidence.pairs):
        return None
    if (name := _named_in_all(telling_pairs, known)) is not None:
        return name
    if sum(len(np.unique(telling(pair).round(6))) > 1 for pair in telling_pairs) < 2:
        return None
    return (
        f"In each example that fails, all values are off by one and the same factor, {known[0]:.4g} in the first, "
        "another one elsewhere. Which factor depends on the input?"
    )


def _factor(pair: Pair) -> float | None:
    """What the expected values are multiplied by to give those got; None if by nothing, or if it is 0."""
    usable = np.isfinite(pair.expected) & (np.abs(pair.expected) > 100 * pair.atol) & np.isfinite(pair.got)
    if not usable.any():
        return None
    largest = int(np.argmax(np.where(usable, np.abs(pair.expected), 0)))
    factor = float(pair.got.flat[largest] / pair.expected.flat[largest])
    return factor if abs(factor) > 1e-6 and _is_multiple(pair, factor) else None


def _is_multiple(pair: Pair, factor: float) -> bool:
    """Whether all values are ``factor`` times the right ones, as far as the dtype can hold them."""
    with np.errstate(all="ignore"):
        multiple = factor * pair.expected
    overflown = np.isinf(pair.got) & (np.abs(multiple) > HALF_OVERFLOWS)
    atol = pair.atol * max(1, abs(factor))
    fits = np.isclose(pair.got, multiple, rtol=pair.rtol, atol=atol, equal_nan=True)
    return bool((fits | overflown).all())


def _slack(pair: Pair) -> float:
    return max(1e-6, 10 * pair.rtol)


def _plain(factor: float, slack: float) -> str:
    """A well-known factor by its name, with its sign."""
    name = next((n for n, value in FACTORS.items() if math.isclose(abs(factor), value, rel_tol=min(slack, 1e-3))), "")
    return f"-{name}" if name and factor < 0 else name


def _named_in_all(pairs: Sequence[Pair], factors: Sequence[float]) -> str | None:
    """The sentence on a size or an argument that is the factor in every pair; None where there is none."""
    for made, forms, sentence in ((_sizes, _SIZE_FORMS, _size_sentence), (_numbers, tuple(_FORMS), _number_sentence)):
        tables = [dict(made(pair.inputs)) for pair in pairs]
        for name, form in product(tables[0], forms):
            candidates = [_FORMS[form](table.get(name, 0.0)) for table in tables]
            if all(
                c is not None and math.isclose(c, k, rel_tol=_slack(pair))
                for c, k, pair in zip(candidates, factors, pairs, strict=True)
            ):
                return sentence(name, form)
    return None


def _size_sentence(name: str, form: str) -> str:
    if form == "{}":
        meant = "Is something summed of which the mean is meant?"
        return f"Wherever it is wrong, every value is too large by a factor: {name}. {meant}"
    meant = "Is something averaged of which the sum is meant?"
    return f"Wherever it is wrong, every value is too small by a factor: {name}. {meant}"


def _number_sentence(name: str, form: str) -> str:
    factor = form.format(name)
    return f"Wherever it is wrong, every value is off by a factor, and it is {factor}. Where does {name} enter?"


_FORMS: dict[str, Callable[[float], float | None]] = {
    "{}": lambda v: v or None,
    "1 / {}": lambda v: 1 / v if v else None,
    "1 / (1 - {})": lambda v: 1 / (1 - v) if v != 1 else None,
    "1 - {}": lambda v: 1 - v or None,
    "{} squared": lambda v: v * v or None,
    "1 / {} squared": lambda v: 1 / (v * v) if v else None,
    "the root of {}": lambda v: math.sqrt(v) if v > 0 else None,
    "1 / the root of {}": lambda v: 1 / math.sqrt(v) if v > 0 else None,
}
_SIZE_FORMS = ("{}", "1 / {}")


def _sizes(inputs: Any) -> Iterator[tuple[str, float]]:
    for name, value in inputs.items():
        if isinstance(value, Tensor | np.ndarray) and value.ndim:
            if value.ndim > 1:
                yield f"the batch size, the length of the first axis of {name}", float(value.shape[0])
                yield f"the length of the last axis of {name}, such as the number of classes", float(value.shape[-1])
            yield f"the number of entries of {name}", float(math.prod(value.shape))


def _numbers(inputs: Any) -> Iterator[tuple[str, float]]:
    for name, value in inputs.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value)


def constant_offset(evidence: Evidence) -> str | None:
    """Every value is off by one number."""
    pairs = evidence.pairs
    offsets = [offset for pair in pairs if (offset := _offset(pair)) is not None]
    if not offsets or len(offsets) < len(pairs) or sum(p.got.size for p in pairs) < 3 or evidence.distinct < 2:
        return None
    precise = offsets[int(np.argmin([pair.rtol for pair in pairs]))]
    if all(pair.is_close(pair.expected + precise) for pair in pairs):
        size = "large" if precise > 0 else "small"
        seen = f"Wherever it is wrong, every value is too {size} by {abs(precise):.4g}."
        return f"{seen} What is added or subtracted once too often, or not at all?"
    if sum(len(np.unique(pair.expected.round(6))) > 1 for pair in pairs) < 2:
        return None
    return (
        f"In each example that fails, all values are off by one and the same amount, {offsets[0]:+.4g} in the first, "
        "another one elsewhere. What is added to all of them alike?"
    )


def _offset(pair: Pair) -> float | None:
    usable = np.isfinite(pair.expected) & np.isfinite(pair.got)
    if not usable.any():
        return None
    offset = float(np.median(pair.got[usable] - pair.expected[usable]))
    return offset if pair.is_close(pair.expected + offset) else None


def mirrored(evidence: Evidence) -> str | None:
    """The answer and the right one add up to one number."""
    pairs = evidence.pairs
    if evidence.distinct < 3:
        return None
    precise = min(pairs, key=lambda pair: pair.rtol)
    finite = np.isfinite(precise.got) & np.isfinite(precise.expected)
    if not finite.any():
        return None
    total = float(np.median(precise.got[finite] + precise.expected[finite]))
    if abs(total) < 1e-6 or not all(pair.is_close(total - pair.expected) for pair in pairs):
        return None
    seen = f"Wherever it is wrong, each value and the right one add up to {total:.4g}: it is mirrored."
    return f"{seen} Which sign, or which of two cases, is turned round?"


def one_sided(evidence: Evidence) -> str | None:
    """All wrong values are too large, or all too small, or so in size."""
    pairs = evidence.pairs
    if evidence.distinct < 3 or sum(int(pair.wrong.sum()) for pair in pairs) < 3:
        return None
    got = np.concatenate([pair.got[pair.wrong] for pair in pairs])
    expected = np.concatenate([pair.expected[pair.wrong] for pair in pairs])
    same_sign = np.array_equal(np.sign(got[expected != 0]), np.sign(expected[expected != 0]))
    for size, other, holds in (("large", "small", np.greater), ("small", "large", np.less)):
        if holds(got, expected).all():
            return f"Wherever it is wrong, the value is too {size}, never too {other}. Which term or factor does that?"
        if same_sign and holds(np.abs(got), np.abs(expected)).all():
            return f"Wherever it is wrong, the value has the right sign and is too {size} in size, never too {other}."
    return None


def entrywise_factor(evidence: Evidence) -> str | None:
    """Each value is off by the entry of an argument at its place."""

    def names(pair: Pair) -> set[tuple[str, str]]:
        return {(n, how) for n, x in _shaped_inputs(pair) for how in _relations(pair, x)}

    pairs = evidence.pairs
    if evidence.distinct < 3 or not any(len(np.unique(x)) > 1 for pair in pairs for _, x in _shaped_inputs(pair)):
        return None
    shared = set.intersection(*map(names, pairs))
    if not shared:
        return None
    name, how = min(shared)
    if how == "factor":
        seen = f"Wherever it is wrong, each value is off by a factor, the entry of {name} at its place."
        return f"{seen} Look at where {name} is multiplied."
    seen = f"Wherever it is wrong, each value is off by the entry of {name} at its place."
    return f"{seen} Look at where {name} is added or subtracted."


def _relations(pair: Pair, x: np.ndarray) -> Iterator[str]:
    with np.errstate(all="ignore"):
        if pair.is_close(pair.expected * x) or np.allclose(pair.got * x, pair.expected, rtol=pair.rtol, atol=pair.atol):
            yield "factor"
        if pair.is_close(pair.expected + x) or pair.is_close(pair.expected - x):
            yield "term"


def only_roughly_right(evidence: Evidence) -> str | None:
    """Right to a few digits."""
    if evidence.distinct < 3:
        return None
    look = (
        "Look for an approximation, a constant that is rounded or added for safety, or arithmetic in a lower precision."
    )
    worst = max(map(_relative_error, evidence.pairs))
    if worst < ROUGHLY:
        digits = max(1, int(-math.log10(worst)))
        known = "1 digit" if digits == 1 else f"{digits} digits"
        return f"Where they are wrong, the values are right to about {known} and no further. {look}"
    off = max(_absolute_error(pair) for pair in evidence.pairs)
    largest = max(float(np.abs(telling(pair)).max(initial=0)) for pair in evidence.pairs)
    return (
        f"Where they are wrong, the values are close, never off by more than {off:.1e}. {look}"
        if off < ROUGHLY * min(1, largest)
        else None
    )


def _absolute_error(pair: Pair) -> float:
    finite = np.isfinite(pair.expected)
    if not np.isfinite(pair.got[finite]).all() or not np.array_equal(
        pair.got[~finite], pair.expected[~finite], equal_nan=True
    ):
        return math.inf
    return float(np.abs(pair.got[finite] - pair.expected[finite]).max(initial=0))


def _relative_error(pair: Pair) -> float:
    if not math.isfinite(_absolute_error(pair)):
        return math.inf
    finite = np.isfinite(pair.expected)
    size = np.maximum(np.abs(pair.expected[finite]), np.abs(pair.expected[finite]).max(initial=0) * 1e-2)
    with np.errstate(all="ignore"):
        errors = np.abs(pair.got[finite] - pair.expected[finite]) / np.maximum(size, 1e-300)
    return float(np.max(errors, initial=0))


def _shaped_inputs(pair: Pair) -> Iterator[tuple[str, np.ndarray]]:
    """The arguments that have an entry for each entry of the answer."""
    for name, value in pair.inputs.items():
        array = as_array(value)
        is_number = not isinstance(value, bool | int) and "bool" not in str(getattr(value, "dtype", ""))
        if array is not None and array.shape == pair.got.shape and is_number:
            yield name, array
