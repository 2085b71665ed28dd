"""Diagnosers of the wrong entries alone, where other entries of the same answers are right."""

import numpy as np

from autograder.feedback.diagnosers.evidence import Evidence, Pair, as_array

# So many wrong entries show what they have in common; fewer may agree by chance.
ENOUGH = 4


def some_signs(evidence: Evidence) -> str | None:
    """Entries of the right size, some with the other sign."""
    pairs = evidence.pairs
    if evidence.distinct < 3 or _count(pairs) < ENOUGH:
        return None
    if not all(np.allclose(np.abs(p.got), np.abs(p.expected), rtol=p.rtol, atol=p.atol, equal_nan=True) for p in pairs):
        return None
    return "Where it is wrong, all values have the right size, and some the wrong sign. Which entries are turned round?"


def one_value(evidence: Evidence) -> str | None:
    """The wrong entries are all one number."""
    wrong = [pair.got[pair.wrong] for pair in evidence.pairs]
    right = [pair.expected[pair.wrong] for pair in evidence.pairs]
    if _count(evidence.pairs) < ENOUGH or not _varies(right):
        return None
    values = np.unique(np.concatenate(wrong))
    if len(values) != 1 or not np.isfinite(values[0]):
        return None
    return f"Wherever it is wrong, the value is {values[0]:g}. Which case gives it, and is it chosen too often?"


def entries_of_an_input(evidence: Evidence) -> str | None:
    """The wrong entries are those of an argument, as they were passed in."""
    pairs = evidence.pairs
    if _count(pairs) < ENOUGH:
        return None
    shared = set.intersection(*({name for name, x in _shaped(pair) if _equals(pair, x)} for pair in pairs))
    if not shared or not _varies([pair.got[pair.wrong] for pair in pairs]):
        return None
    name = min(shared)
    return (
        f"Wherever it is wrong, the value is the entry of {name} as it was passed in. What should happen to it there?"
    )


def some_multiplied(evidence: Evidence) -> str | None:
    """The wrong entries are all one factor off."""
    wrong, expected, rtol = _finite(evidence)
    usable = np.abs(expected) > 1e-3
    if len(np.unique(expected[usable].round(6))) < ENOUGH or not usable.any():
        return None
    factor = float(np.median(wrong[usable] / expected[usable]))
    if abs(factor) < 1e-6 or not np.allclose(wrong, factor * expected, rtol=rtol, atol=1e-6):
        return None
    seen = f"The entries that are wrong are all {factor:.4g} times the right ones."
    return f"{seen} Which case has a factor too many, or misses one?"


def some_shifted(evidence: Evidence) -> str | None:
    """The wrong entries are all off by one number."""
    wrong, expected, rtol = _finite(evidence)
    if len(np.unique(expected.round(6))) < ENOUGH:
        return None
    offset = float(np.median(wrong - expected))
    if not np.allclose(wrong, expected + offset, rtol=rtol, atol=1e-6):
        return None
    size = "large" if offset > 0 else "small"
    seen = f"The entries that are wrong are all too {size} by {abs(offset):.4g}."
    return f"{seen} In which case is something added, or left out?"


def _finite(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, float]:
    """The wrong entries and the right ones in their place, and the loosest tolerance; nothing if one is not finite."""
    if not evidence.pairs:
        return np.zeros(0), np.zeros(0), 0.0
    wrong = np.concatenate([pair.got[pair.wrong] for pair in evidence.pairs])
    expected = np.concatenate([pair.expected[pair.wrong] for pair in evidence.pairs])
    if not (np.isfinite(wrong).all() and np.isfinite(expected).all()):
        return np.zeros(0), np.zeros(0), 0.0
    return wrong, expected, max([1e-6, *(pair.rtol for pair in evidence.pairs)])


def _count(pairs: tuple[Pair, ...]) -> int:
    return sum(int(pair.wrong.sum()) for pair in pairs)


def _varies(parts: list[np.ndarray]) -> bool:
    return len(np.unique(np.concatenate(parts).round(6))) > 2


def _equals(pair: Pair, x: np.ndarray) -> bool:
    """Whether the wrong entries are those of ``x``."""
    got, own = pair.got[pair.wrong], x[pair.wrong]
    return bool(np.allclose(got, own, rtol=pair.rtol, atol=pair.atol, equal_nan=True))


def _shaped(pair: Pair) -> list[tuple[str, np.ndarray]]:
    arrays = [(name, as_array(value)) for name, value in pair.inputs.items()]
    return [(name, x) for name, x in arrays if x is not None and x.shape == pair.got.shape]
