"""Recognises a known mistake: its recorded answers are the student's wherever a check fails, and nowhere else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import inf

from autograder.examples.replay import Trial
from autograder.feedback.likeness import distance
from autograder.results import Diagnosis
from autograder.sandbox.protocol import Reply

# Two solutions with one mistake round differently, and training makes more of it: so far they may be apart.
ROUNDING = {
    "float64": (1e-5, 1e-8),
    "float32": (1e-3, 1e-5),
    "float16": (2e-2, 2e-3),
    "bfloat16": (1e-1, 1e-2),
    "complex128": (1e-5, 1e-8),
    "complex64": (1e-3, 1e-5),
}
# What tells a mistake is that the student is so many times nearer to it than to the reference.
NEARER = 5.0
# So many examples have to be explained by one of two mistakes alone.
EACH = 2


@dataclass(frozen=True)
class Reading:
    """What a known mistake has to do with each trial of a student.

    Attributes:
        explained: failing trials in which the student answers as the mistake does, and not as is right.
        undecided: failing trials in which student, mistake and reference answer alike.
        active: failing trials in which the mistake's answers are wrong.
        agreeing: passing trials in which mistake and student answer alike.
        contradicted: whether in some passing trial the mistake is wrong and the student is not.
    """

    explained: frozenset[int]
    undecided: frozenset[int]
    active: frozenset[int]
    agreeing: int
    contradicted: bool

    def explains(self, failing: int) -> bool:
        """Whether it is the whole explanation."""
        return len(self.explained | self.undecided) == failing and not self.contradicted


class _Seen:
    """A student's trial beside the reference and the mistakes; a distance is taken when it is asked for, and once.

    On most examples most mistakes answer like the reference, which is the same object then.
    """

    def __init__(self, trial: Trial) -> None:
        self.replies = trial.replies
        self.reference = trial.example.reference
        self._mistakes = trial.example.mistakes

    @cached_property
    def to_reference(self) -> float:
        """How far the student's answers are from the right ones."""
        return _apart(self.replies, self.reference)

    @property
    def refuses(self) -> bool:
        """Whether an exception is right."""
        return any(reply.raised is not None for reply in self.reference)

    def to(self, mistake: str) -> float:
        """How far the student's answers are from a mistake's; infinitely where none of its answers are known."""
        answers = self._mistakes.get(mistake)
        if answers is None:
            return inf
        return self.to_reference if answers is self.reference else _apart(self.replies, answers)

    def is_wrong(self, mistake: str) -> bool:
        """Whether a mistake's answers are wrong here."""
        answers = self._mistakes.get(mistake)
        return answers is not None and answers is not self.reference and _apart(answers, self.reference) > 1

    def explains(self, mistake: str) -> bool:
        """Whether the student's answers are the mistake's, and much nearer to them than to the right ones."""
        to_mistake = self.to(mistake)
        return to_mistake <= 1 and to_mistake * NEARER < self.to_reference

    def tells_nothing(self, mistake: str) -> bool:
        """Whether student, mistake and reference raise one exception: then only what it says was wrong."""
        raises = any(reply.raised for reply in self.replies)
        return raises and self.to(mistake) <= 1 and self.to_reference <= 1

    def contradicts(self, mistake: str) -> bool:
        """Whether a passing student answers otherwise than the mistake does, which is wrong there."""
        return self.is_wrong(mistake) and self.to(mistake) > max(1.0, self.to_reference)


def known_mistake(trials: Sequence[Trial], says: Mapping[str, str]) -> Diagnosis | None:
    """The known mistake that explains every failing example and contradicts no passing one; or two that do so together.

    Of several, the one that also agrees on most of the examples that passed. Those that cannot be told apart are said
    together.
    """
    failing = [_Seen(trial) for trial in trials if trial.failure is not None]
    passing = [_Seen(trial) for trial in trials if trial.failure is None]
    read = {name: _read(failing, passing, name) for name in says}
    readings = {name: reading for name, reading in read.items() if reading is not None}
    whole = [name for name, reading in readings.items() if reading.explains(len(failing))]
    if not whole:
        return _two_at_once(readings, len(failing), says)
    most = max(readings[name].agreeing for name in whole)
    best = [name for name in whole if readings[name].agreeing == most]
    sentences = list(dict.fromkeys(says[name] for name in best))[:2]
    return Diagnosis(best[0], " Or it is this: ".join(sentences))


def _read(failing: Sequence[_Seen], passing: Sequence[_Seen], mistake: str) -> Reading | None:
    """What a mistake has to do with the trials; None where it explains none of them."""
    explained = frozenset(i for i, seen in enumerate(failing) if seen.explains(mistake))
    if not explained:
        return None
    refusal = all(failing[i].refuses for i in explained)
    return Reading(
        explained,
        frozenset(i for i, seen in enumerate(failing) if seen.tells_nothing(mistake)),
        frozenset(i for i, seen in enumerate(failing) if seen.is_wrong(mistake)),
        sum(seen.to(mistake) <= 1 for seen in passing),
        any(seen.contradicts(mistake) for seen in passing if refusal or not seen.refuses),
    )


def _two_at_once(readings: Mapping[str, Reading], failing: int, says: Mapping[str, str]) -> Diagnosis | None:
    """Two mistakes that share out the failing examples: where either is at work the student answers as it does."""
    found = []
    for pair in combinations(readings, 2):
        first, second = sorted(pair, key=lambda name: -len(readings[name].explained))
        one, other = readings[first], readings[second]
        if (
            len(one.explained | other.explained | (one.undecided & other.undecided)) == failing
            and min(len(one.explained - other.explained), len(other.explained - one.explained)) >= EACH
            and one.active <= one.explained
            and other.active <= other.explained
            and not (one.contradicted or other.contradicted)
            and says[first] != says[second]
        ):
            found.append((first, second))
    if len(found) != 1:
        return None
    first, second = found[0]
    share = f"It explains {len(readings[first].explained)} of the {failing} examples that fail"
    return Diagnosis(first, f"{says[first]} {share}; the others look like another mistake: {says[second]}")


def _apart(own: Sequence[Reply], answers: Iterable[Reply]) -> float:
    """How far the answers to all calls of an example are apart."""
    other = tuple(answers)
    if len(own) != len(other):
        return inf
    return max((distance(a, b, ROUNDING) for a, b in zip(own, other, strict=True)), default=0.0)
