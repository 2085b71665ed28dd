"""Diagnosers of what is computed step by step: losses of a training, states of a sequence."""

import numpy as np

from autograder.feedback.diagnosers.evidence import Evidence, Pair

# So many answers, or so many steps, show where it begins to go wrong.
ENOUGH = 3
LONG = 4


def stays_at_the_first_value(evidence: Evidence) -> str | None:
    """What should change from step to step does not."""
    pairs = evidence.pairs
    if not pairs or not all(pair.got.ndim == 1 and len(pair.got) > 1 for pair in pairs):
        return None
    if not all(_equal(pair.got, pair.got[0], pair) and not pair.wrong[0] for pair in pairs):
        return None
    if sum(len(pair.got) for pair in pairs) < LONG:
        return None
    return (
        "The first entry is right, and all others are the same again: from step to step nothing changes. "
        "What should a step move?"
    )


def right_up_to_a_step(evidence: Evidence) -> str | None:
    """The first entries are right, and those after them wrong, in every answer."""
    pairs = [pair for pair in evidence.pairs if pair.got.ndim == 1 and len(pair.got) > 1]
    if len(pairs) < max(1, len(evidence.pairs)) or max(len(pair.got) for pair in pairs) < LONG:
        return None
    begins = [int(np.argmax(pair.wrong)) for pair in pairs]
    if len(set(begins)) > 1 or not begins[0] or not all(pair.wrong[begins[0] :].all() for pair in pairs):
        return None
    begin = begins[0]
    if begin == 1:
        return "The first entry is right each time, and all after it are wrong: look at what one step does."
    if sum(len(pair.got) > begin + 1 for pair in pairs) < 1:
        return None
    return (
        f"The first {begin} entries are right each time, and all after them are wrong. "
        "What is carried from one step to the next: a state, a count, a rate?"
    )


def right_from_the_second_step(evidence: Evidence) -> str | None:
    """Only the first entry is wrong."""
    pairs = [pair for pair in evidence.pairs if pair.got.ndim == 1 and len(pair.got) > 1]
    if len(pairs) < max(ENOUGH, len(evidence.pairs)) or not all(len(pair.got) >= LONG for pair in pairs):
        return None
    if not all(pair.wrong[0] and not pair.wrong[1:].any() for pair in pairs):
        return None
    return "Only the first entry is wrong each time. What is different about the first step?"


def _equal(values: np.ndarray, value: float, pair: Pair) -> bool:
    return bool(np.allclose(values, value, rtol=pair.rtol, atol=pair.atol))
