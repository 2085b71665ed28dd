"""The published record of one judged submission, version 1."""

import math
from typing import Literal

import msgspec
from msgspec import Struct

SCHEMA = 1

CheckStatus = Literal["passed", "failed", "error", "timeout", "not_analysed"]
CheckKind = Literal["idea", "case", "refusal"]
ExerciseStatus = Literal["passed", "partial", "failed", "missing", "error", "timeout", "forbidden"]


class Diagnosis(Struct, frozen=True):
    """What a wrong answer looks like: the name of a mistake, and the sentence for its author.

    Attributes:
        mistake: the known mistake, or the kind of error.
        says: one or two sentences.
        kind: ``known`` if it is one that the assignment lists, ``generic`` if it may happen in any exercise.
        checks: the failed checks that it is about; empty where it is about all of them.
    """

    mistake: str
    says: str
    kind: Literal["known", "generic"] = "known"
    checks: tuple[str, ...] = ()


class Curve(Struct, frozen=True, tag="curve"):
    """A function of one variable where it was tried: the right values, and the student's.

    Attributes:
        x: the inputs, rising.
        right: the right value at each.
        yours: the student's; None where it is nan or infinite.
        wrong: which of them are wrong, as places in ``x``.
        says: the same in words.
    """

    x: tuple[float, ...]
    right: tuple[float, ...]
    yours: tuple[float | None, ...]
    wrong: tuple[int, ...]
    says: str


class Squares(Struct, frozen=True, tag="squares"):
    """Where an image or a mask differs from the right one, and by how much.

    Attributes:
        rows: a character for each entry, or block of entries: ``.`` where it is right, ``1`` to ``4`` where it is too
            large by more and more, ``a`` to ``d`` where it is too small, ``x`` where it is nan or infinite.
        block: how many entries in each direction a character stands for; the worst of them counts.
        is_mask: whether the entries are True and False.
        says: the same in words.
    """

    rows: tuple[str, ...]
    block: int
    is_mask: bool
    says: str


class CheckResult(Struct, frozen=True):
    """The outcome of one check.

    Attributes:
        name, title: the check's method name, and its property in words.
        visible: whether students have the check.
        device: where the tensors were.
        status: ``error`` if the student's code raised, ``timeout`` if it took too long.
        weight: relative to the other checks of its kind.
        kind: what it is about: the idea of the exercise, a case, or refusing bad input.
        stage: of a staged exercise the idea that it is about.
        message: what went wrong, in one or two sentences; empty where it passed.
        counterexample: code that shows the failure when run after the student's own; None where it passed.
        expected, got: the two answers as text, where there are two to compare.
        difference: the largest absolute difference between them.
        differing: where in ``got`` the entries stand that differ, as positions of characters.
        picture: what to draw of a failure, where that says more than the numbers.
    """

    name: str
    title: str
    visible: bool
    device: str
    status: CheckStatus
    weight: float
    message: str = ""
    counterexample: str | None = None
    expected: str | None = None
    got: str | None = None
    difference: float | None = None
    differing: tuple[tuple[int, int], ...] = ()
    picture: Curve | Squares | None = None
    kind: CheckKind = "idea"
    stage: str = ""


class HiddenChecks(Struct, frozen=True):
    """How many hidden checks pass, where a student may not see which."""

    passed: int
    total: int

    @property
    def says(self) -> str:
        """The same in words."""
        return f"{self.passed} of {self.total} hidden checks passed."


class ExerciseResult(Struct, frozen=True):
    """The outcome of one exercise.

    Attributes:
        name: the exercise.
        points, max_points: what it got, and could get.
        status: the outcome as a whole.
        diagnosis: what its wrong answers look like.
        checks: each check's outcome.
        message: why there are no checks, where there are none.
        hidden: instead of the hidden checks' outcomes, where a student may not see these.
        stood_in: earlier exercises that are wrong. It was judged again with right ones in their place, and half of what
            that makes right is given back.
    """

    name: str
    points: float
    max_points: float
    status: ExerciseStatus
    diagnosis: Diagnosis | None
    checks: tuple[CheckResult, ...]
    message: str = ""
    hidden: HiddenChecks | None = None
    stood_in: tuple[str, ...] = ()


class Seconds(Struct, frozen=True):
    """What judging took, in seconds of CPU and of wall time."""

    cpu: float
    wall: float


class Result(Struct, frozen=True):
    """The outcome of one submission. ``max_score`` leaves out manually graded questions."""

    assignment: str
    submission: str
    sha256: str
    score: float
    max_score: float
    seconds: Seconds
    isolation: tuple[str, ...]
    notes: tuple[str, ...]
    exercises: tuple[ExerciseResult, ...]
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        for name, value in (("score", self.score), ("max_score", self.max_score)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{self.submission}: {name} is {value}, allowed is a finite number of at least 0")


def to_json(result: Result) -> str:
    return msgspec.json.format(msgspec.json.encode(result), indent=1).decode()
