"""The published record of one judged submission, version 1."""

import math
from typing import Literal

import msgspec
from msgspec import Struct

SCHEMA = 1

CheckStatus = Literal["passed", "failed", "error", "timeout", "not_analysed"]
ExerciseStatus = Literal["passed", "partial", "failed", "missing", "error", "timeout", "forbidden"]


class Diagnosis(Struct, frozen=True):
    """What a wrong answer looks like: the known mistake's name, and the sentence for its author."""

    mistake: str
    says: str


class CheckResult(Struct, frozen=True):
    """The outcome of one check.

    Attributes:
        name, title: the check's method name, and its property in words.
        visible: whether students have the check.
        device: where the tensors were.
        status: ``error`` if the student's code raised, ``timeout`` if it took too long.
        weight: share of the exercise's points, relative to its other checks.
        message: what went wrong, in one or two sentences; empty where it passed.
        counterexample: code that shows the failure when run after the student's own; None where it passed.
        expected, got: the two answers as text, where there are two to compare.
        difference: the largest absolute difference between them.
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


class ExerciseResult(Struct, frozen=True):
    """The outcome of one exercise."""

    name: str
    points: float
    max_points: float
    status: ExerciseStatus
    diagnosis: Diagnosis | None
    checks: tuple[CheckResult, ...]
    message: str = ""


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


def share_points(points: float, passed: float, total: float) -> float:
    """Points for ``passed`` of ``total`` weight: rounded to 1e-6, within [0, points].

    nbgrader refuses a submission whose score exceeds the maximum by a rounding error.
    """
    if total <= 0:
        return 0.0
    return min(max(round(points * passed / total, 6), 0.0), points)
