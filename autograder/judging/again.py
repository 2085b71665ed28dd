"""Judges an exercise again with right functions in place of wrong earlier ones: a mistake costs most where it is made.

The right functions stay out of reach: the student's code calls them, and only data passes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import structs

from autograder.feedback.diagnosis import Earlier
from autograder.results import ExerciseResult
from autograder.sandbox.protocol import Answering, Request
from autograder.sandbox.runner import Runner

Functions = Mapping[str, Callable[..., Any]]
# Where nothing was answered there is nothing to give back, and what is forbidden stays so.
FINAL = ("passed", "missing", "forbidden")


def with_half_given_back(
    result: ExerciseResult,
    earlier: Callable[[], Earlier],
    right: Callable[[tuple[str, ...]], Functions],
    runner: Runner,
    judge: Callable[[], ExerciseResult],
) -> ExerciseResult:
    """The result; half of what right earlier exercises would make right is given back.

    Args:
        result: of the exercise as it was handed in.
        earlier: finds out which earlier exercises it uses that do not pass.
        right: gives right functions for exercises, by name.
        runner: where the student's code runs.
        judge: judges the exercise once more.
    """
    if result.status in FINAL:
        return result
    failed = earlier().failed
    if not failed:
        return result
    with runner.standing_in(right(failed)):
        again = judge()
    if again.points <= result.points:
        return result
    return structs.replace(
        result, points=round((result.points + again.points) / 2, 6), status="partial", stood_in=failed
    )


def asked_of(runner: Answering, names: tuple[str, ...]) -> Functions:
    """Functions that ask another runner, in whose namespace the right ones are."""

    def function(name: str) -> Callable[..., Any]:
        def ask(*args: Any, **kwargs: Any) -> Any:
            reply = runner.run(Request("call", name, args, kwargs))
            if reply.raised is not None:
                raise ValueError(reply.raised.message)
            return reply.value

        return ask

    return {name: function(name) for name in names}
