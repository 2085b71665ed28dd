"""Judging one exercise: what is waited for, which rules are kept, and what is not written yet."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from autograder.course import Course
from autograder.feedback.diagnosis import Words
from autograder.judging.exercise import DEVICE, MOST_TIMEOUTS, judge_exercise, replayed
from autograder.judging.inquiries import inquiry
from autograder.judging.recordings import load_recordings
from autograder.results import CheckResult, ExerciseResult
from autograder.sandbox.inprocess import InProcess
from autograder.testing.assignment import load_assignment

SECONDS = 1.0

Judge = Callable[..., ExerciseResult]


@pytest.fixture(scope="module")
def judge(built_fixture_course: Course) -> Judge:
    """Judges a function or class of the fixture course under its own name, all checks, with little patience."""
    assignment = load_assignment(built_fixture_course, "basics")
    recordings = load_recordings(built_fixture_course, "basics")

    def judged(name: str, own: Any) -> ExerciseResult:
        exercise = assignment.exercise(name)
        assert exercise is not None
        return judge_exercise(
            exercise,
            exercise.checks,
            InProcess({**assignment.reference, name: own}, seconds_per_call=SECONDS),
            replayed(*recordings),
            Words(),
            inquiry=inquiry(assignment, exercise, recordings[0]),
        )

    return judged


def rule(result: ExerciseResult) -> str:
    """What came of the rule that the function works on a GPU."""
    return next(check.status for check in result.checks if check.name == DEVICE)


def late(check: CheckResult) -> bool:
    return check.message == "Not waited for: two earlier checks took too long."


def test_after_two_time_outs_the_other_checks_are_not_waited_for(judge):
    waited = []

    def endless(*args: Any, **kwargs: Any) -> None:
        waited.append(args)
        time.sleep(60)

    result = judge("dropout", endless)
    # A check that was played and took too long is asked once more, one call after another.
    assert len(waited) <= 2 * MOST_TIMEOUTS
    made = [check for check in result.checks if check.name != DEVICE]
    assert result.status == "timeout" and {check.status for check in made} == {"timeout"}
    assert [late(check) for check in made] == [False] * MOST_TIMEOUTS + [True] * (len(made) - MOST_TIMEOUTS)
    assert all(check.counterexample is None for check in made if late(check))


def test_one_time_out_costs_one_check(judge, built_fixture_course):
    right = load_assignment(built_fixture_course, "basics").reference["dropout"]

    def hangs_on_much(x, p, *, training, generator=None):
        if x.numel() == 2000:
            time.sleep(60)
        return right(x, p, training=training, generator=generator)

    checks = [check for check in judge("dropout", hangs_on_much).checks if check.name != DEVICE]
    assert [check.name for check in checks if check.status == "timeout"] == ["test_share_of_kept_entries"]


def raises_on_everything(x, p, *, training, generator=None):
    raise RuntimeError("no")


def gives_none(x, p, *, training, generator=None):
    torch.zeros(3)


@pytest.mark.parametrize("own", [raises_on_everything, gives_none])
def test_a_function_that_never_answers_keeps_no_rule(judge, own):
    assert rule(judge("dropout", own)) == "not_analysed"


def test_a_wrong_answer_may_keep_a_rule(judge):
    assert rule(judge("dropout", lambda x, p, *, training, generator=None: (x, x > 0))) == "passed"


def is_a_stub(score):
    raise NotImplementedError


def has_guards_alone(score):
    if not 0 <= score <= 100:
        raise ValueError(f"score is {score}, allowed is 0 to 100")
    raise NotImplementedError


def is_written_in_part(score):
    if score > 50:
        raise NotImplementedError
    return "F"


@pytest.mark.parametrize(
    ("own", "status"), [(is_a_stub, "missing"), (has_guards_alone, "missing"), (is_written_in_part, "error")]
)
def test_guards_that_are_given_write_no_exercise(judge, own, status):
    result = judge("grade_letter", own)
    assert (result.status, result.points) == (status, 0.0)


def is_always_a(score):
    if not 0 <= score <= 100:
        raise ValueError(f"score is {score}, allowed is 0 to 100")
    return "A"


def excludes_limits(score):
    if not 0 <= score <= 100:
        raise ValueError(f"score is {score}, allowed is 0 to 100")
    return next((letter for letter, least in zip("ABCD", (90, 80, 70, 60), strict=True) if score > least), "F")


@pytest.mark.parametrize(("own", "status"), [(is_always_a, "failed"), (excludes_limits, "partial")])
def test_what_has_no_points_is_not_called_partly_right(judge, own, status):
    result = judge("grade_letter", own)
    assert any(check.kind == "refusal" and check.status == "passed" for check in result.checks)
    assert result.status == status and (result.points > 0) is (status == "partial")
