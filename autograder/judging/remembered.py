"""What checks made of answers that were given before: a class answers much alike."""

import hashlib
from collections.abc import Callable

from autograder.examples.replay import Trial
from autograder.sandbox.protocol import Reply
from autograder.sandbox.wire import NotCarried, Pack, encode
from autograder.testing.declarations import Check

# Longer answers are not remembered: what a submission gives must not fill the grader's memory.
REMEMBERED_BYTES = 1 << 14


class Remembered:
    """Trials by what was answered, for a whole class: many answer alike, and what a body makes of it stays the same.

    Args:
        most: how many are kept; the one that was asked for longest ago goes first.
    """

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._trials: dict[tuple[str, str, int, bytes], Trial | None] = {}

    def __call__(
        self, check: Check, number: int, replies: list[Reply], make: Callable[[], Trial | None]
    ) -> Trial | None:
        """The trial of the check's example of that number with these answers; made where it is not known."""
        digest = _digest(replies)
        if digest is None:
            return make()
        key = check.exercise, check.name, number, digest
        # Taken out and put back, so that it stands last.
        trial = self._trials.pop(key) if key in self._trials else _let_go(make())
        self._trials[key] = trial
        if len(self._trials) > self._most:
            del self._trials[next(iter(self._trials))]
        return trial


def _let_go(trial: Trial | None) -> Trial | None:
    """The same trial, whose failure no longer holds on to all that was there when it was raised."""
    if trial is not None and trial.failure is not None:
        trial.failure.__traceback__ = trial.failure.__cause__ = trial.failure.__context__ = None
    return trial


def _digest(replies: list[Reply]) -> bytes | None:
    """Tells answers apart to the last bit, with all that comes along; None of what is long or cannot be written."""
    pack = Pack()
    try:
        trees = [[encode(one.value, pack), one.raised, one.printed, one.changed] for one in replies]
    except NotCarried:
        return None
    written = repr(trees).encode() + pack.data
    return hashlib.sha256(written).digest() if len(written) <= REMEMBERED_BYTES else None
