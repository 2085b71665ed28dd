"""The late policy: what `course.toml` and `private/extensions.csv` may say, and what a late submission then costs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from test_course import GOOD, assert_one_clear_sentence, fault_of, write_course

from autograder.course import Course, CourseError, FeedbackPolicy, LatePolicy, load_course
from autograder.policy.deadline import deadline_of, late_rule, time_left
from autograder.policy.extensions import Extension, read_extensions
from autograder.policy.lateness import lateness, penalty

TABLES = """
[late]
grace_minutes = 15
percent = 10
per = "day"
at_most_percent = 50
free_days = 2

[feedback]
hidden_checks = "after_due"

[[assignments]]"""
SECOND_DUE = 'name = "optimisers"\ndue = 2026-12-25T23:59:00+08:00'
WITH_POLICY = GOOD.replace("\n[[assignments]]", TABLES, 1).replace('name = "optimisers"', SECOND_DUE)
DUE = datetime.fromisoformat("2026-12-18T23:59:00+08:00")
SECOND = datetime.fromisoformat("2026-12-25T23:59:00+08:00")
MINUTES, PERCENT, DAYS = "a whole number of minutes", "a number of percent from 0 to 100", "a whole number of days"

FAULTS = {
    "grace negative": ("minutes = 15", "minutes = -1", "late.grace_minutes", "-1", MINUTES),
    "grace half": ("minutes = 15", "minutes = 1.5", "late.grace_minutes", "1.5", MINUTES),
    "grace text": ("minutes = 15", 'minutes = "15"', "late.grace_minutes", "'15'", MINUTES),
    "percent above 100": ("percent = 10", "percent = 101", "late.percent", "101", PERCENT),
    "percent nan": ("percent = 10", "percent = nan", "late.percent", "nan", PERCENT),
    "percent negative": ("percent = 10", "percent = -1", "late.percent", "-1", PERCENT),
    "per week": ('"day"', '"week"', "late.per", "'week'", '"day" or "hour"'),
    "cap true": ("percent = 50", "percent = true", "late.at_most_percent", "true", PERCENT),
    "free days negative": ("days = 2", "days = -2", "late.free_days", "-2", DAYS),
    "unknown key": ("free_days", "freedays", "late.freedays", "an unknown key", "grace_minutes"),
    "visibility": ('"after_due"', '"later"', "feedback.hidden_checks", "'later'", '"never", "after_due" or "always"'),
    "visibility true": ('"after_due"', "true", "feedback.hidden_checks", "true", '"never", "after_due" or "always"'),
}


def policy(**keys) -> LatePolicy:
    return msgspec.structs.replace(LatePolicy(percent=10), **keys)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = load_course(write_course(tmp_path, WITH_POLICY))
    course.private_dir.mkdir()
    return course


def extensions_of(course: Course, text: str) -> tuple[Extension, ...]:
    (course.private_dir / "extensions.csv").write_text(text, encoding="utf-8")
    return read_extensions(course)


def test_the_policy_is_read(course: Course):
    assert course.late == LatePolicy(grace_minutes=15, percent=10.0, per="day", at_most_percent=50.0, free_days=2)
    assert course.feedback == FeedbackPolicy(hidden_checks="after_due")


def test_without_tables_lateness_costs_nothing_and_hidden_checks_are_named(tmp_path: Path):
    course = load_course(write_course(tmp_path))
    assert (course.late.percent, course.feedback.hidden_checks) == (0, "always")


@pytest.mark.parametrize(("stood", "stands", "key", "found", "allowed"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_of_the_policy_is_one_sentence(tmp_path, stood, stands, key, found, allowed):
    assert stood in WITH_POLICY
    error = fault_of(write_course(tmp_path, WITH_POLICY.replace(stood, stands, 1)))
    assert_one_clear_sentence(error)
    assert (error.key, error.found) == (key, found)
    assert error.allowed.startswith(allowed)


# (late policy, how late, free days spent, percent lost)
COSTS = {
    "in time": (policy(), timedelta(minutes=-1), 0, 0),
    "at the very moment": (policy(), timedelta(), 0, 0),
    "a second late": (policy(), timedelta(seconds=1), 0, 10),
    "within the grace": (policy(grace_minutes=15), timedelta(minutes=15), 0, 0),
    "a day and the grace": (policy(grace_minutes=15), timedelta(days=1, minutes=15), 0, 10),
    "a day and more than the grace": (policy(grace_minutes=15), timedelta(days=1, minutes=16), 0, 20),
    "by the hour": (policy(percent=1, per="hour"), timedelta(hours=2, minutes=1), 0, 3),
    "at most": (policy(at_most_percent=50), timedelta(days=9), 0, 50),
    "all of it": (policy(), timedelta(days=400), 0, 100),
    "a free day covers it": (policy(free_days=2), timedelta(hours=1), 1, 0),
    "free days cover a part": (policy(free_days=2), timedelta(days=2, hours=1), 2, 10),
    "free days by the hour": (policy(percent=1, per="hour", free_days=1), timedelta(hours=26), 1, 2),
    "no penalty at all": (LatePolicy(), timedelta(days=3), 0, 0),
}


@pytest.mark.parametrize(("late", "delay", "free_days", "percent"), COSTS.values(), ids=COSTS.keys())
def test_what_a_late_submission_costs(course, late, delay, free_days, percent):
    course = msgspec.structs.replace(course, late=late)
    (found,) = lateness(course, "ada", (), {"activations": DUE + delay})
    assert (found.free_days, found.percent) == (free_days, percent)


def test_free_days_are_spent_in_the_order_of_the_due_dates(course):
    submitted = {"optimisers": SECOND + timedelta(days=1), "activations": DUE + timedelta(days=1)}
    course = msgspec.structs.replace(course, late=policy(free_days=1))
    first, second = lateness(course, "ada", (), submitted)
    assert (first.assignment, first.free_days, first.percent) == ("activations", 1, 0)
    assert (second.assignment, second.free_days, second.percent) == ("optimisers", 0, 10)


def test_an_extension_moves_the_due_date_of_one_student_alone(course):
    extensions = extensions_of(course, "student,assignment,due,days,reason\nada,activations,,2,flu\n")
    submitted = {"activations": DUE + timedelta(days=2)}
    course = msgspec.structs.replace(course, late=policy())
    assert [one.percent for one in lateness(course, "ada", extensions, submitted)] == [0]
    assert [one.percent for one in lateness(course, "bo", extensions, submitted)] == [20]


def test_an_extension_may_change_the_order_in_which_free_days_are_spent(course):
    extensions = extensions_of(course, "student,assignment,due\nada,activations,2026-12-30T00:00:00+08:00\n")
    submitted = {"activations": DUE + timedelta(days=20), "optimisers": SECOND + timedelta(days=1)}
    assert [one.assignment for one in lateness(course, "ada", extensions, submitted)] == ["optimisers", "activations"]


def test_an_assignment_without_a_due_date_is_never_late(tmp_path):
    course = load_course(write_course(tmp_path, WITH_POLICY.replace("due = 2026-12-25T23:59:00+08:00", "")))
    assert lateness(course, "ada", (), {"optimisers": datetime(2030, 1, 1, tzinfo=UTC)}) == ()


@pytest.mark.parametrize(
    ("score", "percent", "lost"),
    [(8.0, 0, None), (8.0, 10, 0.8), (8.0, 100, 8.0), (0.0, 10, 0.0), (-1.0, 10, 0.0), (1 / 3, 10, 0.033333)],
)
def test_a_penalty_is_never_more_than_the_score(score, percent, lost):
    assert penalty(score, percent) == lost


def test_extensions_are_read_with_byte_order_mark_blanks_and_any_order_of_columns(course):
    text = "\ufeffassignment , Days,student\r\n\r\nactivations, 3 , ada\r\noptimisers,1,ada\r\n"
    assert extensions_of(course, text) == (
        Extension("ada", "activations", DUE + timedelta(days=3)),
        Extension("ada", "optimisers", SECOND + timedelta(days=1)),
    )


def test_without_a_file_there_are_no_extensions(course):
    assert read_extensions(course) == ()


HEADER = "student,assignment,due,days\n"
EXTENSION_FAULTS = {
    "no header": ("", "line 1, column student", "missing"),
    "unknown column": ("student,assignment,until\n", "line 1, column 'until'", "unknown"),
    "column twice": ("student,assignment,days,days\n", "line 1, column days", "there twice"),
    "no student": (HEADER + ",activations,,1\n", "line 2, student", "empty"),
    "unknown assignment": (HEADER + "ada,activation,,1\n", "line 2, assignment", "'activation'"),
    "neither": (HEADER + "ada,activations\n", "line 2, due or days", "empty"),
    "both": (HEADER + "ada,activations,2026-12-20T00:00:00Z,1\n", "line 2, due or days", "filled twice"),
    "no zone": (HEADER + "ada,activations,2026-12-20T00:00:00,\n", "line 2, due", "'2026-12-20T00:00:00'"),
    "no date": (HEADER + "ada,activations,tomorrow,\n", "line 2, due", "'tomorrow'"),
    "no days": (HEADER + "ada,activations,,0\n", "line 2, days", "'0'"),
    "half a day": (HEADER + "ada,activations,,0.5\n", "line 2, days", "'0.5'"),
    "other digits": (HEADER + "ada,activations,,²\n", "line 2, days", "'²'"),
    "too many cells": (HEADER + "ada,activations,,1,flu\n", "line 2", "a row of 5 cells"),
    "twice": (HEADER + "ada,activations,,1\n\nada,activations,,2\n", "line 4", "a second one of 'ada'"),
    "an open quote": (HEADER + 'ada,"activations,,1\n', "line 2", "no CSV"),
}


@pytest.mark.parametrize(("text", "key", "found"), EXTENSION_FAULTS.values(), ids=EXTENSION_FAULTS.keys())
def test_each_fault_of_an_extension_is_one_sentence(course, text, key, found):
    with pytest.raises(CourseError) as caught:
        extensions_of(course, text)
    assert_one_clear_sentence(caught.value)
    assert caught.value.key == key
    assert caught.value.found.startswith(found)


def test_an_extension_of_what_is_never_due_is_refused(tmp_path):
    course = load_course(write_course(tmp_path))
    course.private_dir.mkdir()
    with pytest.raises(CourseError, match="optimisers, which has no due date"):
        extensions_of(course, "student,assignment,days\nada,optimisers,1\n")


@pytest.mark.parametrize(
    ("late", "says"),
    [
        (LatePolicy(), ""),
        (policy(), "Late: 10 % of the points you earned for each day begun."),
        (
            policy(percent=0.5, per="hour", at_most_percent=50),
            "Late: 0.5 % of the points you earned for each hour begun, at most 50 %.",
        ),
        (
            policy(grace_minutes=15, free_days=1),
            "Late: 10 % of the points you earned for each day begun; "
            "without loss: the first 15 minutes and 1 late day over the whole course.",
        ),
    ],
)
def test_the_late_rule_is_one_sentence(late, says):
    assert late_rule(late) == says


def test_a_deadline_is_told_in_the_time_zone_of_the_course(course):
    deadline = deadline_of(course, "activations")
    assert deadline is not None
    assert deadline.markdown().startswith("**Due Fri 18 Dec 2026, 23:59 (UTC+08:00).** Late: 10 % of the points")


@pytest.mark.parametrize(
    ("before", "says"),
    [
        (timedelta(days=27, hours=5), "in 27 days"),
        (timedelta(hours=47), "in 47 hours"),
        (timedelta(minutes=61), "in 61 minutes"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(seconds=-1), "which has passed"),
    ],
)
def test_the_time_left_is_told_in_a_fitting_unit(before, says):
    assert time_left(DUE, DUE - before) == says
