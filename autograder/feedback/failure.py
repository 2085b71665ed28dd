"""A failed check for a reader: message, counterexample as code, expected and got, and a picture where it helps."""

from typing import Any

import numpy as np
from msgspec import structs
from torch import Tensor

from autograder.examples.replay import Trial
from autograder.feedback.answers import compare_answers
from autograder.feedback.code import code_of
from autograder.feedback.pictures import picture_of
from autograder.results import CheckResult, CheckStatus
from autograder.sandbox.protocol import TIMED_OUT
from autograder.testing.comparison import Mismatch
from autograder.testing.declarations import Check
from autograder.testing.student import StudentError

MOST_ENTRIES = 2000
# So many characters of a text count as one more number.
CHARACTERS = 10
ERROR_CHARACTERS = 300
NOT_WAITED_FOR = "Not waited for: two earlier checks took too long."


def check_result(check: Check, trials: tuple[Trial, ...], device: str = "cpu") -> CheckResult:
    """The outcome of a check from its replayed examples; the first failure is the counterexample."""
    failed = next((trial for trial in trials if trial.failure is not None), None)
    if failed is None:
        return outcome(check, "passed", device)
    status, message = _explain(failed)
    result = structs.replace(outcome(check, status, device, message), counterexample=_counterexample(failed))
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


def not_waited_for(check: Check, device: str = "cpu") -> CheckResult:
    """The outcome of a check that was not made, since earlier ones of its exercise took too long."""
    return outcome(check, "timeout", device, NOT_WAITED_FOR)


def _counterexample(trial: Trial) -> str | None:
    """The calls as code; None where there are none, or more numbers than anybody would read."""
    asked = [(call.request.args, call.request.kwargs) for call in trial.transcript]
    return code_of(trial.transcript) or None if _entries(asked) <= MOST_ENTRIES else None


def _entries(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel()
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, str | bytes):
        return 1 + len(value) // CHARACTERS
    if isinstance(value, dict):
        return sum(map(_entries, value.values()))
    return sum(map(_entries, value)) if isinstance(value, list | tuple) else 1


def _explain(trial: Trial) -> tuple[CheckStatus, str]:
    failure = trial.failure
    last = trial.transcript[-1] if trial.transcript else None
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
