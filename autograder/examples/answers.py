"""What the reference and the mistakes answer on a check's examples, written down."""

from collections.abc import Mapping, Sequence
from typing import Any

from autograder.examples.codec import encode_answer, encode_question
from autograder.examples.replay import run_once
from autograder.examples.store import RecordedCheck
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.messages import with_own_generators
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
    asked = [run_once(check, _runner(reference), values)[0] for values in examples]
    requests: list[list[Any] | None] = [[encode_question(call.request, pack) for call in calls] for calls in asked]
    right = [[encode_answer(call, pack) for call in calls] for calls in asked]
    wrong = {}
    for mistake in mistakes:
        runner = _runner({**reference, mistake.exercise: mistake.solution})
        calls = [_asked_again(check, runner, *pair) for pair in zip(examples, asked, strict=True)]
        answers = [[encode_answer(call, pack) for call in of_example] for of_example in calls]
        wrong[mistake.name] = [None if a == r else a for a, r in zip(answers, right, strict=True)]
    trees = [{name: encode(value, pack) for name, value in values.items()} for values in examples]
    return RecordedCheck(key, trees, requests, right, wrong, bytes(pack.data))


def _runner(namespace: Mapping[str, Any]) -> InProcess:
    return InProcess(namespace, seconds_per_call=SECONDS_PER_CALL)


def _asked_again(check: Check, runner: InProcess, values: dict[str, Any], asked: tuple[Call, ...]) -> tuple[Call, ...]:
    """What a check asks of other code; the one call that it asks of the reference needs no comparison after it."""
    if len(asked) != 1:
        return run_once(check, runner, values)[0]
    request = asked[0].request
    runner.begin()
    return (Call(request, runner.run(with_own_generators(request))),)
