"""Diagnosers of answers that are nearly right: to some digits, or where numbers are not too small or large."""

import math

import numpy as np

from autograder.feedback.diagnosers.evidence import Evidence, Pair

# Further apart than this it is no longer called an approximation.
ROUGHLY = 2e-2
# Nearer than this nothing else is said but how many digits are right.
DIGITS = 1e-3
# What passes through float32 is off by this much, relative to its size.
FLOAT32 = (2e-9, 1e-6)
# A digit that is nearly right counts: float32 has about seven.
NEARLY = 0.25
# So near to the right one a single value does not come by chance.
SURE = 1e-5
# Smaller entries than this share of the largest are taken for as large.
SMALL = 1e-2
LOOK = (
    "Look for an approximation, a constant that is rounded or added for safety, large numbers that are subtracted, "
    "or arithmetic in a lower precision."
)


def only_some_digits(evidence: Evidence) -> str | None:
    """Right to some digits and no further."""
    if not evidence.distinct:
        return None
    worst = max(map(_relative_error, evidence.pairs))
    if worst >= (DIGITS if evidence.distinct > 1 else SURE):
        return None
    digits = max(1, int(NEARLY - math.log10(worst)))
    seen = f"Wherever it is wrong, the values are right to about {digits} digits and no further."
    if all(pair.dtype == "float64" for pair in evidence.pairs) and FLOAT32[0] <= worst <= FLOAT32[1]:
        return f"{seen} It looks as if a constant was rounded, or as if something went through float32."
    return f"{seen} {LOOK}"


def loses_small_numbers(evidence: Evidence) -> str | None:
    """Small answers have no right digits, and the difference is tiny: digits cancel."""
    pairs = evidence.pairs
    if not pairs or (evidence.distinct > 0 and max(map(_relative_error, pairs)) >= DIGITS):
        return None
    wrong = [(pair, np.abs(pair.expected[pair.wrong])) for pair in pairs]
    if not all(np.isfinite(pair.got[pair.wrong]).all() and (size > 0).all() for pair, size in wrong):
        return None
    off = [np.abs(pair.got - pair.expected)[pair.wrong] / size for pair, size in wrong]
    if not all((relative > DIGITS).any() for relative in off) or max(float(size.max()) for _, size in wrong) > SMALL:
        return None
    pair = pairs[0]
    at = int(np.argmax(np.abs(pair.got - pair.expected)[pair.wrong] / np.abs(pair.expected[pair.wrong])))
    return (
        f"Small answers lose their digits, and larger ones are right: {pair.got[pair.wrong][at]:.3g} where "
        f"{pair.expected[pair.wrong][at]:.3g} is expected. Does a step subtract two numbers that are nearly equal?"
    )


def only_roughly_right(evidence: Evidence) -> str | None:
    """Right to a few digits."""
    if evidence.distinct < 3:
        return None
    worst = max(map(_relative_error, evidence.pairs))
    if worst < ROUGHLY:
        digits = max(1, int(-math.log10(worst)))
        known = "1 digit" if digits == 1 else f"{digits} digits"
        return f"Where they are wrong, the values seen here are right to about {known} at least, and not to all. {LOOK}"
    off = max(_absolute_error(pair) for pair in evidence.pairs)
    largest = max(float(np.abs(pair.telling).max(initial=0)) for pair in evidence.pairs)
    return (
        f"Where they are wrong, the values seen here are close, never off by more than {off:.1e}. {LOOK}"
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
    size = np.maximum(np.abs(pair.expected[finite]), np.abs(pair.expected[finite]).max(initial=0) * SMALL)
    with np.errstate(all="ignore"):
        errors = np.abs(pair.got[finite] - pair.expected[finite]) / np.maximum(size, 1e-300)
    return float(np.max(errors, initial=0))
