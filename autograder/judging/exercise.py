"""Judges one exercise by replaying recorded examples, or by live search."""

from collections.abc import Callable, Sequence
from typing import Protocol

from autograder.examples.replay import Trial, replay
from autograder.examples.search import search
from autograder.examples.store import Example, Examples
from autograder.feedback.diagnosis import Earlier, Words, diagnose
from autograder.feedback.failure import check_result, not_waited_for, outcome
from autograder.judging.remembered import Remembered
from autograder.judging.scoring import points_for
from autograder.results import CheckResult, CheckStatus, Diagnosis, ExerciseResult, ExerciseStatus
from autograder.sandbox.forbidden.operations import Use, accusation
from autograder.sandbox.inspection import NOTHING_FOUND, Finding, Findings, Inquiry
from autograder.sandbox.runner import Runner
from autograder.sandbox.values import BoundMethod, Handle
from autograder.testing.assignment import Exercise
from autograder.testing.declarations import Check
from autograder.testing.student import StudentError

# An endless loop hangs in every check: after so many that took too long the others are not waited for.
MOST_TIMEOUTS = 2
DEVICE, LOOP = "device", "loop"
RULE_CHECKS = {
    DEVICE: "It works on a GPU: new tensors are made on the device of the input.",
    LOOP: "No slow loop: the steps of the code do not grow with the number of samples, channels or entries.",
}


class Trials(Protocol):
    """Where a check's trials come from."""

    def __call__(self, check: Check, runner: Runner) -> tuple[Trial, ...]: ...


def replayed(*recordings: Examples) -> Trials:
    """Trials from recorded examples; of several recordings the last that has the check counts, the private one."""
    remembered = Remembered()

    def trials(check: Check, runner: Runner) -> tuple[Trial, ...]:
        found = next((e for r in reversed(recordings) if (e := r.of(check.exercise, check.name))), None)
        if found is None:
            raise LookupError(f"no recorded examples of {check.exercise}.{check.name}")
        return replay(check, runner, found, remembered)

    return trials


def searched(recorded: Trials, seed: int) -> Trials:
    """Trials from recorded examples, and after them from a live search."""

    def trials(check: Check, runner: Runner) -> tuple[Trial, ...]:
        first = recorded(check, runner)
        if any(trial.failure is not None for trial in first):
            return first
        draws = search(check, runner, seed)
        # Hypothesis runs its smallest failing example last.
        live = [Trial(Example(draw.values, (), {}), draw.transcript, draw.failure) for draw in reversed(draws)]
        return first + tuple(live)

    return trials


def judge_exercise(
    exercise: Exercise,
    checks: Sequence[Check],
    runner: Runner,
    trials: Trials,
    words: Words,
    *,
    uses: Sequence[Use] = (),
    inquiry: Inquiry | None = None,
    absent: str = "",
    device: str = "cpu",
    earlier: Callable[[], Earlier] = Earlier,
    advance: Callable[[Check], None] = lambda check: None,
) -> ExerciseResult:
    """Runs the checks of an exercise on a runner's code.

    Args:
        exercise: what is judged.
        checks: which of its checks count.
        runner: where the student's code runs.
        trials: where examples come from.
        words: what a diagnosis says and calls by name.
        device: where the runner's code gets its tensors.
        uses: forbidden operations that were read in the student's code.
        inquiry: what else to find out about it.
        absent: what to say if the exercise is not there, such as why its cell failed.
        earlier: finds out which earlier exercises the code uses that do not pass; asked only for a diagnosis.
        advance: called after each check.
    """
    if not runner.defines(exercise.name):
        status: ExerciseStatus = "error" if absent else "missing"
        return _without_points(exercise, checks, status, absent or f"`{exercise.name}` is not defined.")
    ran: list[tuple[Trial, ...]] = []
    timeouts = 0
    for check in checks:
        ran.append(trials(check, runner) if timeouts < MOST_TIMEOUTS else ())
        timeouts += any(trial.timed_out for trial in ran[-1])
        advance(check)
    seen = [trial for of_check in ran for trial in of_check]
    if _is_unattempted(exercise.name, seen):
        return _without_points(exercise, checks, "missing", f"`{exercise.name}` still raises NotImplementedError.")
    findings = NOTHING_FOUND if inquiry is None or timeouts else runner.inspect(inquiry)
    used = (*uses, *map(Use, findings.uses))
    if used:
        return _without_points(exercise, checks, "forbidden", accusation(exercise.name, used))
    results = [
        check_result(check, of_check, device) if of_check else not_waited_for(check, device)
        for check, of_check in zip(checks, ran, strict=True)
    ]
    results += _rule_results(exercise, findings, device, answers=_answers(exercise.name, seen))
    # A rule can only cost: keeping it earns nothing, or wrong answers that keep it would have points.
    counted = [result for result in results if result.name not in RULE_CHECKS or result.status == "failed"]
    points = points_for(exercise.points, counted)
    status = _status(counted, points)
    names = [check.name for check, of_check in zip(checks, ran, strict=True) for _ in of_check]
    diagnosis = None if status == "passed" else _diagnosed(exercise, seen, names, words, earlier)
    return ExerciseResult(exercise.name, points, exercise.points, status, diagnosis, tuple(results))


def _diagnosed(
    exercise: Exercise, trials: Sequence[Trial], checks: Sequence[str], words: Words, earlier: Callable[[], Earlier]
) -> Diagnosis | None:
    try:
        return diagnose(trials, words, name=exercise.name, earlier=earlier(), checks=checks)
    except Exception:  # an answer too odd or too large to be explained must not cost the verdict
        return None


def _rule_results(exercise: Exercise, findings: Findings, device: str, *, answers: bool) -> list[CheckResult]:
    """The outcomes of the rules that stand beside the checks; a function that never answers keeps none."""
    asked = {DEVICE: (exercise.on_devices, findings.device), LOOP: (exercise.vectorised, findings.loop)}
    return [
        CheckResult(
            name, RULE_CHECKS[name], True, device, _rule_status(finding, answers), 1.0, finding.fault or "", kind="case"
        )
        for name, (is_asked, finding) in asked.items()
        if is_asked
    ]


def _rule_status(finding: Finding, answers: bool) -> CheckStatus:
    if not finding.analysed or (finding.fault is None and not answers):
        return "not_analysed"
    return "passed" if finding.fault is None else "failed"


def _answers(name: str, trials: Sequence[Trial]) -> bool:
    """Whether the function or class called ``name`` ever gave something, be it right or wrong."""
    # Without a transcript they are the reference's, which may be that input is refused.
    known = (reply for trial in trials if trial.failure is None and not trial.transcript for reply in trial.replies)
    if any(reply.raised is None for reply in known):
        return True
    # What is asked of an object is asked of what the exercise made; the object itself is no answer.
    calls = (
        call
        for trial in trials
        for call in trial.transcript
        if call.request.kind != "call" or call.request.name == name
    )
    return any(not isinstance(call.reply.value, Handle | BoundMethod | None) for call in calls)


def _is_unattempted(name: str, trials: Sequence[Trial]) -> bool:
    """Whether all that fails is not written yet, and what passes only refuses, as guards do that are given."""
    failures = [trial.failure for trial in trials if trial.failure is not None]
    unwritten = all(
        isinstance(failure, StudentError) and failure.raised.type_name == "NotImplementedError" for failure in failures
    )
    return bool(failures) and unwritten and not _answers(name, [trial for trial in trials if trial.failure is None])


def _without_points(
    exercise: Exercise, checks: Sequence[Check], status: ExerciseStatus, message: str
) -> ExerciseResult:
    results = tuple(outcome(check, "failed", "cpu", message) for check in checks)
    return ExerciseResult(exercise.name, 0.0, exercise.points, status, None, results, message)


def _status(results: Sequence[CheckResult], points: float) -> ExerciseStatus:
    """The outcome as a whole; what has no points is not called partly right, whatever passes beside the idea."""
    statuses = {result.status for result in results}
    if statuses == {"passed"}:
        return "passed"
    if points > 0:
        return "partial"
    if "timeout" in statuses:
        return "timeout"
    return "error" if "error" in statuses else "failed"
