"""Diagnosers of the wrong entries alone, where other entries of the same answers are right."""

import numpy as np

from autograder.feedback.diagnosers.evidence import Evidence, Pair, shaped_inputs

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
    seen = f"Wherever it is wrong, the value is {values[0] + 0.0:g}."
    return f"{seen} Which step gives it, and for which inputs should it not?"


def should_be_one_value(evidence: Evidence) -> str | None:
    """The wrong entries should all be one number."""
    if _count(evidence.pairs) < ENOUGH:
        return None
    right = np.unique(np.concatenate([pair.expected[pair.wrong] for pair in evidence.pairs]))
    everywhere = np.unique(np.concatenate([pair.expected.ravel() for pair in evidence.pairs]))
    if len(right) != 1 or len(everywhere) < ENOUGH or not np.isfinite(right[0]):
        return None
    return (
        f"All wrong entries seen here stand where {right[0] + 0.0:g} is expected; where another value is, they are "
        "right. Which case has to give it?"
    )


def entries_of_an_input(evidence: Evidence) -> str | None:
    """The wrong entries are those of an argument, as they were passed in."""
    pairs = evidence.pairs
    if _count(pairs) < ENOUGH:
        return None
    shared = set.intersection(*({name for name, x in shaped_inputs(pair) if _equals(pair, x)} for pair in pairs))
    if not shared or not _varies([pair.got[pair.wrong] for pair in pairs]):
        return None
    name = min(shared)
    return (
        f"Wherever it is wrong, the value is the entry of {name} as it was passed in. What should happen to it there?"
    )


def _count(pairs: tuple[Pair, ...]) -> int:
    return sum(int(pair.wrong.sum()) for pair in pairs)


def _varies(parts: list[np.ndarray]) -> bool:
    return len(np.unique(np.concatenate(parts).round(6))) > 2


def _equals(pair: Pair, x: np.ndarray) -> bool:
    """Whether the wrong entries are those of ``x``."""
    got, own = pair.got[pair.wrong], x[pair.wrong]
    return bool(np.allclose(got, own, rtol=pair.rtol, atol=pair.atol, equal_nan=True))
