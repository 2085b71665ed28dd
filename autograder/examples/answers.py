"""What the reference and the mistakes answer on a check's examples, written down."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from autograder.examples.codec import encode_answer, encode_question, encode_right
from autograder.examples.replay import run_once
from autograder.examples.store import Recorded, RecordedCheck, recorded
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.wire import Pack, encode
from autograder.testing.declarations import Check, Mistake
from autograder.testing.student import Call

SECONDS_PER_CALL = 5.0


def answered(
    check: Check,
    reference: Mapping[str, Any],
    mistakes: Sequence[Mistake],
    examples: Sequence[dict[str, Any]],
    key: str,
) -> RecordedCheck:
    """A check's examples with what it asks on them and all answers; ``key`` says what they were made from."""
    pack = Pack()
    asked = [run_once(check, runner_of(reference), values)[0] for values in examples]
    right = _written(examples, asked, key, pack)
    rehearsed = recorded(right)
    wrong = {}
    for mistake in mistakes:
        runner = runner_of({**reference, mistake.exercise: mistake.solution})
        ones = [_asked_again(check, runner, rehearsed.alone(number)) for number in range(len(examples))]
        wrong[mistake.name] = [_differing(calls, of_right, pack) for calls, of_right in zip(ones, asked, strict=True)]
    return msgspec.structs.replace(right, mistakes=wrong, data=bytes(pack.data))


def rehearsal(check: Check, values: dict[str, Any], asked: Sequence[Call]) -> Recorded:
    """One example with what a check asks of the reference on it."""
    return recorded(_written([values], [asked], "", Pack()))


def runner_of(namespace: Mapping[str, Any]) -> InProcess:
    """Runs code whose answers are written down."""
    return InProcess(namespace, seconds_per_call=SECONDS_PER_CALL)


def _written(
    examples: Sequence[dict[str, Any]], asked: Sequence[Sequence[Call]], key: str, pack: Pack
) -> RecordedCheck:
    """Examples and what the reference was asked and answered on each."""
    requests: list[list[Any] | None] = [[encode_question(call.request, pack) for call in calls] for calls in asked]
    right = [[encode_right(call, pack) for call in calls] for calls in asked]
    trees = [{name: encode(value, pack) for name, value in values.items()} for values in examples]
    return RecordedCheck(key, trees, requests, right, {}, bytes(pack.data))


def _asked_again(check: Check, runner: InProcess, one: Recorded) -> Sequence[Call] | None:
    """What a check asks of other code on an example; None where it answers like the reference.

    The one call that it asks of the reference needs no comparison after it.
    """
    played = None if one.script is None else runner.play(one.script)
    if one.script is None or played is None:
        return run_once(check, runner, one.examples[0].values)[0]
    (replies,), (asked,) = played, one.script.sequences
    if replies is None:
        return None
    if len(asked) == 1:
        return [Call(asked[0], replies[0])]
    return run_once(check, runner, one.examples[0].values)[0]


def _differing(calls: Sequence[Call] | None, asked: Sequence[Call], pack: Pack) -> list[Any] | None:
    """The answers, encoded; None where they tell nothing from the reference's."""
    answers = None if calls is None else [encode_answer(call, pack) for call in calls]
    return None if answers == [encode_answer(call, pack) for call in asked] else answers
