"""A failed check for a reader: message, counterexample as code, expected and got, and a picture where it helps."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import structs
from torch import Tensor

from autograder.examples.replay import Trial
from autograder.feedback.answers import compare_answers
from autograder.feedback.calls import code_of, outline_of
from autograder.feedback.pictures import picture_of
from autograder.feedback.relevant import calls_that_show
from autograder.results import CheckResult, CheckStatus
from autograder.sandbox.protocol import TIMED_OUT
from autograder.sandbox.values import arrays_in
from autograder.testing.comparison import Mismatch, NotRefused
from autograder.testing.declarations import Check
from autograder.testing.student import Call, StudentError

MOST_CHARACTERS = 1200
# What an array of one number repeated takes, about.
SHORT = 20
ERROR_CHARACTERS = 300
NOT_WAITED_FOR = "Not waited for: two earlier checks took too long."


def check_result(check: Check, trials: tuple[Trial, ...], device: str = "cpu") -> CheckResult:
    """The outcome of a check from its replayed examples; the clearest failure is the counterexample."""
    failing = [trial for trial in trials if trial.failure is not None]
    if not failing:
        return outcome(check, "passed", device)
    failed, calls, code = _shown(failing)
    status, message = _explain(failed, calls)
    result = structs.replace(outcome(check, status, device, message), counterexample=code)
    mismatch = failed.failure
    if not isinstance(mismatch, Mismatch) or mismatch.expected is None:
        return result
    try:
        answers, picture = compare_answers(mismatch.expected, mismatch.got), picture_of(trials)
    except Exception:  # an answer too odd or too large to be shown must not cost the verdict
        return result
    return structs.replace(
        result,
        expected=answers.expected,
        got=answers.got,
        difference=mismatch.difference,
        differing=answers.differing,
        picture=picture,
    )


def not_waited_for(check: Check, device: str = "cpu") -> CheckResult:
    """The outcome of a check that was not made, since earlier ones of its exercise took too long."""
    return outcome(check, "timeout", device, NOT_WAITED_FOR)


def outcome(check: Check, status: CheckStatus, device: str, message: str = "") -> CheckResult:
    """The outcome of a check without what was found."""
    return CheckResult(
        check.name,
        check.title,
        check.visible,
        device,
        status,
        check.weight,
        message,
        kind=check.kind,
        stage=check.stage,
    )


def _shown(failing: Sequence[Trial]) -> tuple[Trial, tuple[Call, ...], str | None]:
    """The failed example to show, the calls that show it, and their code, where there are any."""
    try:
        trial, calls = _clearest(failing)
        return trial, calls, _counterexample(trial, calls)
    except Exception:  # a value too odd or too large to be shown must not cost the verdict
        return failing[0], failing[0].transcript, None


def _clearest(failing: Sequence[Trial]) -> tuple[Trial, tuple[Call, ...]]:
    """The failed example that is read most easily, and the calls that show it.

    Of the commonest symptom, with entries rather than without, and the least to read; the first of several.
    """
    raising = [isinstance(trial.failure, StudentError) for trial in failing]
    shown = [(trial, calls_that_show(trial.transcript, trial.failure)) for trial in failing]

    def order(place: int) -> tuple[bool, bool, int]:
        arrays = arrays_in([_given(call) for call in shown[place][1]])
        is_empty = any(not math.prod(array.shape) for array in arrays)
        return raising.count(raising[place]) * 2 < len(failing), is_empty, _length(shown[place][1])

    return shown[min(range(len(shown)), key=order)]


def _counterexample(trial: Trial, calls: Sequence[Call]) -> str | None:
    """The calls as code, or where that would be more than anybody reads an outline of it; None where there are none."""
    if not calls:
        return None
    by_shape = isinstance(trial.failure, NotRefused)
    if by_shape or _length(calls) <= MOST_CHARACTERS:
        code = code_of(calls, by_shape=by_shape)
        if len(code) <= MOST_CHARACTERS:
            return code
    return outline_of(calls)


def _given(call: Call) -> list[Any]:
    return [call.request.args, call.request.kwargs]


def _length(calls: Sequence[Call]) -> int:
    """About how many characters the code of these calls has."""
    return sum(len(call.request.name) + sum(map(_written, _given(call))) for call in calls)


def _written(value: Any) -> int:
    if isinstance(value, Tensor | np.ndarray):
        entries = (value.detach() if isinstance(value, Tensor) else value).ravel()
        if len(entries) > 1 and bool((entries == entries[0]).all()):
            return SHORT
        if len(entries) > MOST_CHARACTERS:
            return len(entries)
        return sum(len(f"{number:.6g}") + 2 for number in entries.tolist())
    if isinstance(value, str | bytes):
        return 2 + len(value)
    if isinstance(value, dict):
        return sum(len(str(key)) + _written(item) for key, item in value.items())
    return sum(map(_written, value)) if isinstance(value, list | tuple) else len(f"{value}"[:MOST_CHARACTERS])


def _explain(trial: Trial, calls: Sequence[Call]) -> tuple[CheckStatus, str]:
    failure = trial.failure
    last = calls[-1] if calls else None
    if isinstance(failure, StudentError):
        kind: CheckStatus = "timeout" if failure.raised.type_name == TIMED_OUT else "error"
        return kind, f"Your code raised {failure.raised}."
    if last is not None and last.reply.value is None and last.reply.raised is None and last.reply.printed:
        return "failed", "It printed its answer and returned None. A printed value cannot be used: return it."
    if isinstance(failure, Mismatch):
        return "failed", failure.message
    if last is not None and last.reply.value is None and last.reply.raised is None:
        return "failed", "Got None. Does every path of the function end in `return`?"
    answer = "nothing" if last is None else type(last.reply.value).__name__
    error = f"{type(failure).__name__}: {failure}"[:ERROR_CHARACTERS]
    return (
        "failed",
        f"The answer, a {answer}, cannot be used as the exercise asks ({error}).",
    )
