"""Runs one check on one example, or replays all its recorded ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.examples.store import Example, Recorded
from autograder.sandbox.messages import generators_in
from autograder.sandbox.protocol import TIMED_OUT, Answering, Reply, Request
from autograder.sandbox.runner import Runner
from autograder.sandbox.script import Played, Script
from autograder.sandbox.values import copy_value, same_question
from autograder.testing.declarations import Check
from autograder.testing.student import Call, Session, Student


@dataclass(frozen=True)
class Trial:
    """What one example of a check gave.

    Attributes:
        example: the drawn values, and what the reference and the mistakes answer on them.
        transcript: the calls; empty where the answers are to the last bit the reference's, and so pass.
        failure: what the check found wrong, or None.
    """

    example: Example
    transcript: tuple[Call, ...]
    failure: Exception | None

    @property
    def replies(self) -> tuple[Reply, ...]:
        """What the calls gave."""
        if self.failure is None and not self.transcript:
            return self.example.reference
        return tuple(call.reply for call in self.transcript)

    @property
    def timed_out(self) -> bool:
        """Whether the last call took too long."""
        raised = self.transcript[-1].reply.raised if self.transcript else None
        return raised is not None and raised.type_name == TIMED_OUT


def run_once(check: Check, runner: Runner, values: dict[str, Any]) -> tuple[tuple[Call, ...], Exception | None]:
    """Runs a check's body with drawn values on a runner's code."""
    runner.begin()
    return _run_body(check, runner, values)


# Gives the trial of a check's example, by its number, with these answers; made by the function where it is not known.
Memory = Callable[[Check, int, list[Reply], Callable[[], Trial | None]], Trial | None]


def replay(check: Check, runner: Runner, recorded: Recorded, remembered: Memory | None = None) -> tuple[Trial, ...]:
    """Every example of a check. The first that fails is the smallest counterexample.

    What the check asks is played in one go. Answers that are the reference's to the last bit pass, since the
    reference passes; on others the check's body runs, with the answers that were played.
    After a time-out the rest is left out: each further one would wait as long.

    Args:
        check, runner, recorded: what is asked of which code.
        remembered: what was made of the same answers before; for recordings that stay the same.
    """
    played = runner.play(recorded.script) if recorded.script is not None else None
    trials = []
    for number, example in enumerate(recorded.examples):
        trial = _rehearsed(check, example, recorded.script, played, number, remembered) or Trial(
            example, *run_once(check, runner, example.values)
        )
        trials.append(trial)
        if trial.timed_out:
            break
    return tuple(trials)


def _rehearsed(
    check: Check,
    example: Example,
    script: Script | None,
    played: Played | None,
    number: int,
    remembered: Memory | None,
) -> Trial | None:
    """The trial by what was played; None if the check asked anything else than was foreseen."""
    # What was played ends at a call that took too long.
    if script is None or played is None or number >= len(played):
        return None
    replies, sequence = played[number], script.sequences[number]
    if replies is None:
        return Trial(example, (), None)

    def make() -> Trial | None:
        try:
            return Trial(example, *_run_body(check, _Rehearsed(sequence, replies), example.values))
        except _Unforeseen:
            return None

    return make() if remembered is None else remembered(check, number, replies, make)


def _run_body(check: Check, runner: Answering, values: dict[str, Any]) -> tuple[tuple[Call, ...], Exception | None]:
    session = Session(runner)
    own = copy_value(values, lambda item: item)
    try:
        check.body(self=check.owner(), student=Student(session), **own)
    except Exception as failure:
        return tuple(session.transcript), failure
    return tuple(session.transcript), None


class _Unforeseen(BaseException):
    """A check asks something that was not played; not an `Exception`, so that no check can swallow it."""


class _Rehearsed:
    """Gives the replies that were played, as long as it is asked what was played."""

    def __init__(self, sequence: tuple[Request, ...], replies: list[Reply]) -> None:
        self._sequence = sequence
        self._replies = replies
        self._next = 0

    def run(self, request: Request) -> Reply:
        number = self._next
        self._next += 1
        # A check may look at its generator afterwards, and what was played has not moved that on.
        is_foreseen = number < len(self._replies) and not generators_in(request)
        if not is_foreseen or not _same_request(request, self._sequence[number]):
            raise _Unforeseen
        reply = self._replies[number]
        return Reply(copy_value(reply.value, lambda item: item), reply.raised, reply.printed, reply.changed)


def _same_request(own: Request, foreseen: Request) -> bool:
    return (
        (own.kind, own.name) == (foreseen.kind, foreseen.name)
        and same_question(own.args, foreseen.args)
        and same_question(own.kwargs, foreseen.kwargs)
    )
