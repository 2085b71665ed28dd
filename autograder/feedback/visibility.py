"""What a student may see of a result: hidden checks by name, or only how many of them pass."""

from datetime import datetime, timedelta

import msgspec

from autograder.course import Course
from autograder.policy.extensions import Extension
from autograder.results import ExerciseResult, HiddenChecks, Result


def hidden_are_named(course: Course, name: str, extensions: tuple[Extension, ...], now: datetime) -> bool:
    """Whether feedback on an assignment may name its hidden checks.

    Under ``after_due`` the last student's extension counts: feedback is passed on among friends.
    """
    if course.feedback.hidden_checks != "after_due":
        return course.feedback.hidden_checks == "always"
    due = course.assignment(name).due
    if due is None:
        return False
    last = max([due, *(one.due for one in extensions if one.assignment == name)])
    return now > last + timedelta(minutes=course.late.grace_minutes)


def result_for_student(result: Result, named: bool) -> Result:
    """A submission's result as its student may see it."""
    exercises = tuple(for_student(exercise, named) for exercise in result.exercises)
    return msgspec.structs.replace(result, exercises=exercises)


def for_student(result: ExerciseResult, named: bool) -> ExerciseResult:
    """An exercise's result as its student may see it; unless ``named``, hidden checks are counted and left out."""
    hidden = [check for check in result.checks if not check.visible]
    if named or not hidden:
        return result
    shown = tuple(check for check in result.checks if check.visible)
    judged = [check for check in hidden if check.status != "not_analysed"]
    passed = sum(check.status == "passed" for check in judged)
    diagnosis = result.diagnosis
    fails_visibly = any(check.status not in ("passed", "not_analysed") for check in shown)
    # Students have the sentences of known mistakes anyway; another one would tell what a hidden check found.
    if diagnosis is not None and diagnosis.kind != "known" and not fails_visibly:
        diagnosis = None
    return msgspec.structs.replace(
        result, checks=shown, diagnosis=diagnosis, hidden=HiddenChecks(passed, len(judged)) if judged else None
    )
