"""Diagnosers of numbers that are off by one factor or one amount: throughout, or where they are wrong."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from torch import Tensor

from autograder.feedback.diagnosers.evidence import Evidence, Pair, is_number

FACTORS = {"2": 2.0, "1/2": 0.5, "ln 2": math.log(2), "1 / ln 2": 1 / math.log(2), "π": math.pi, "√2": math.sqrt(2)}
# float16 ends at 65,504.
HALF_OVERFLOWS = 6e4
# A factor this near to 1 is none: some digits are lost.
NO_FACTOR = 1e-2
# A factor is called by the name of a size or an argument if that had so many values.
VALUES = 3


def constant_factor(evidence: Evidence) -> str | None:
    """Every value is off by one factor, which may be one of the call's sizes or arguments."""
    telling = [pair for pair in evidence.pairs if pair.telling.size]
    factors = [_factor(pair) for pair in telling]
    known = [factor for factor in factors if factor is not None]
    if not known or len(known) < len(factors) or evidence.distinct < 2:
        return None
    if any(math.isclose(factor, 1, rel_tol=NO_FACTOR) for factor in known):
        return None
    precise = known[int(np.argmin([pair.rtol for pair in telling]))]
    plain = _plain(precise)
    factor = math.copysign(FACTORS[plain.removeprefix("-")], precise) if plain else precise
    if all(_is_multiple(pair, factor) for pair in evidence.pairs):
        seen = f"Wherever it is wrong, every value is {plain or f'{precise:.4g}'} times the right one."
        return f"{seen} Which factor is missing, or one too many?"
    if len(telling) < len(evidence.pairs) and not all(_is_all_zero(p) for p in evidence.pairs if not p.telling.size):
        return None
    if (name := _named_in_all(telling, known, evidence)) is not None:
        return name
    if len(telling) < len(evidence.pairs) or sum(len(np.unique(pair.telling.round(6))) > 1 for pair in telling) < 2:
        return None
    return (
        f"In each example that fails, all values are off by one and the same factor, {known[0]:.4g} in the first, "
        "another one elsewhere. Which factor depends on the input?"
    )


def _is_all_zero(pair: Pair) -> bool:
    """Whether 0 is expected everywhere: a factor of 0 makes it so, and tells no other."""
    return not pair.expected.any() and bool(np.isfinite(pair.got).all())


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


def _plain(factor: float) -> str:
    """A well-known factor by its name, with its sign."""
    name = next((n for n, value in FACTORS.items() if math.isclose(abs(factor), value, rel_tol=1e-3)), "")
    return f"-{name}" if name and factor < 0 else name


def _named_in_all(pairs: Sequence[Pair], factors: Sequence[float], evidence: Evidence) -> str | None:
    """The sentence on a size or an argument that is the factor in every pair; None where there is none.

    A right answer that would be another with that factor speaks against it.
    """
    for made, forms, sentence in ((_sizes, _SIZE_FORMS, _size_sentence), (_numbers, tuple(_FORMS), _number_sentence)):
        tables = [dict(made(pair.inputs)) for pair in pairs]
        for name, form in product(tables[0], forms):
            candidates = [_FORMS[form](table.get(name, 0.0)) for table in tables]
            if not _enough_values([table.get(name, 0.0) for table in tables]):
                continue
            if any(dict(made(pair.inputs)).get(name) != 0 for pair in evidence.pairs if not pair.telling.size):
                continue
            if all(
                c is not None and math.isclose(c, k, rel_tol=_slack(pair))
                for c, k, pair in zip(candidates, factors, pairs, strict=True)
            ) and not any(_speaks_against(pair, dict(made(pair.inputs)), name, form) for pair in evidence.right_pairs):
                return sentence(name, form)
    return None


def _enough_values(values: Sequence[float]) -> bool:
    """Whether a size or an argument has enough values to be told from another: two small ones are no evidence."""
    different = set(values)
    return len(different) >= VALUES or (len(different) > 1 and max(map(abs, different)) > 5)


def _speaks_against(pair: Pair, table: dict[str, float], name: str, form: str) -> bool:
    factor = _FORMS[form](table[name]) if name in table else None
    return factor is not None and bool(pair.telling.size) and not math.isclose(factor, 1.0, rel_tol=_slack(pair))


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
    "twice {}": lambda v: 2 * v or None,
    "half of {}": lambda v: v / 2 or None,
    "1 / twice {}": lambda v: 1 / (2 * v) if v else None,
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
        if (is_number(value) and math.isfinite(value)) or (
            isinstance(value, Tensor | np.ndarray) and value.ndim == 0 and "bool" not in str(value.dtype)
        ):
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
    if (name := _argument_added(pairs, offsets)) is not None:
        return f"Wherever it is wrong, all values are off by one amount, and it is {name}. Where does {name} enter?"
    if sum(len(np.unique(pair.expected.round(6))) > 1 for pair in pairs) < 2:
        return None
    return (
        f"In each example that fails, all values are off by one and the same amount, {offsets[0]:+.4g} in the first, "
        "another one elsewhere. What is added to all of them alike?"
    )


def _argument_added(pairs: Sequence[Pair], offsets: Sequence[float]) -> str | None:
    tables = [dict(_numbers(pair.inputs)) for pair in pairs]
    for name in tables[0]:
        values = [table.get(name, math.nan) for table in tables]
        if len(set(values)) >= VALUES and all(
            math.isclose(abs(offset), abs(value), rel_tol=_slack(pair), abs_tol=10 * pair.atol)
            for offset, value, pair in zip(offsets, values, pairs, strict=True)
        ):
            return name
    return None


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


def some_multiplied(evidence: Evidence) -> str | None:
    """The wrong entries are all one factor off, the same everywhere, or one that an argument gives."""
    if not _enough_entries(evidence):
        return None
    precise = min(evidence.pairs, key=lambda pair: (pair.rtol, -np.abs(pair.expected[pair.wrong]).max()))
    factor = _entries_factor(precise)
    if factor is not None and all(_entries_are(pair, factor * pair.expected) for pair in evidence.pairs):
        seen = f"The entries that are wrong are all {factor:.4g} times the right ones."
        return f"{seen} Which case has a factor too many, or misses one?"
    return _multiplied_by_an_argument(evidence)


# So many wrong entries show what they have in common; fewer may agree by chance.
ENOUGH = 4


def _multiplied_by_an_argument(evidence: Evidence) -> str | None:
    usable = [pair for pair in evidence.pairs if (np.abs(pair.expected[pair.wrong]) > 100 * pair.atol).any()]
    found = [_entries_factor(pair) for pair in usable]
    factors = [factor for factor in found if factor is not None]
    if len(factors) < len(found) or len(usable) < max(ENOUGH, len(evidence.pairs)):
        return None
    if not all(_entries_are(pair, factor * pair.expected) for pair, factor in zip(usable, factors, strict=True)):
        return None
    tables = [dict(_numbers(pair.inputs)) for pair in usable]
    for name, form in product(tables[0], _FORMS):
        values = [table.get(name, 0.0) for table in tables]
        made = [_FORMS[form](value) for value in values]
        if len(set(values)) >= VALUES and all(
            c is not None and math.isclose(c, k, rel_tol=_slack(pair))
            for c, k, pair in zip(made, factors, usable, strict=True)
        ):
            seen = f"The entries that are wrong are off by a factor, and it is {form.format(name)}."
            return f"{seen} Where does {name} enter?"
    return None


def some_shifted(evidence: Evidence) -> str | None:
    """The wrong entries are all off by one number."""
    if not _enough_entries(evidence):
        return None
    precise = min(evidence.pairs, key=lambda pair: pair.rtol)
    offset = float(np.median((precise.got - precise.expected)[precise.wrong]))
    if not all(_entries_are(pair, pair.expected + offset) for pair in evidence.pairs):
        return None
    size = "large" if offset > 0 else "small"
    seen = f"The entries that are wrong are all too {size} by {abs(offset):.4g}."
    return f"{seen} In which case is something added, or left out?"


def _entries_factor(pair: Pair) -> float | None:
    """By what the largest wrong entry is off."""
    got, expected = pair.got[pair.wrong], pair.expected[pair.wrong]
    if not (np.isfinite(got).all() and np.isfinite(expected).all()):
        return None
    largest = int(np.argmax(np.abs(expected)))
    factor = float(got[largest] / expected[largest]) if expected[largest] else 0.0
    return factor if abs(factor) > 1e-6 else None


def _entries_are(pair: Pair, values: np.ndarray) -> bool:
    """Whether the wrong entries are ``values`` in their place."""
    got, own = pair.got[pair.wrong], values[pair.wrong]
    return bool(np.allclose(got, own, rtol=pair.rtol, atol=pair.atol))


def _enough_entries(evidence: Evidence) -> bool:
    """Whether the wrong entries are finite and have enough different right values other than 0."""
    if not evidence.pairs:
        return False
    wrong = np.concatenate([pair.got[pair.wrong] for pair in evidence.pairs])
    expected = np.concatenate([pair.expected[pair.wrong] for pair in evidence.pairs])
    far = np.abs(expected) > 1e-3
    return (
        bool(np.isfinite(wrong).all() and np.isfinite(expected).all())
        and len(np.unique(expected[far].round(6))) >= ENOUGH
    )
