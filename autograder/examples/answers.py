"""What the reference and the mistakes answer on a check's examples, written down."""

from collections.abc import Mapping, Sequence
from typing import Any

from autograder.examples.codec import encode_answer, encode_question
from autograder.examples.replay import run_once
from autograder.examples.store import RecordedCheck
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
    asked = [_transcript(check, reference, values) for values in examples]
    requests: list[list[Any] | None] = [[encode_question(call.request, pack) for call in calls] for calls in asked]
    right = [[encode_answer(call, pack) for call in calls] for calls in asked]
    wrong = {}
    for mistake in mistakes:
        namespace = {**reference, mistake.exercise: mistake.solution}
        answers = [[encode_answer(call, pack) for call in _transcript(check, namespace, values)] for values in examples]
        wrong[mistake.name] = [None if a == r else a for a, r in zip(answers, right, strict=True)]
    trees = [{name: encode(value, pack) for name, value in values.items()} for values in examples]
    return RecordedCheck(key, trees, requests, right, wrong, bytes(pack.data))


def _transcript(check: Check, namespace: Mapping[str, Any], values: dict[str, Any]) -> tuple[Call, ...]:
    return run_once(check, InProcess(namespace, seconds_per_call=SECONDS_PER_CALL), values)[0]
