"""Whether points follow the lesson: what a listed mistake costs, and when that is too little or too much."""

import pytest

from autograder.course import Course
from autograder.proving.outcome import Verified
from autograder.proving.shares import MistakeShare, complaint, share_lines, share_of
from autograder.proving.verify import verify_assignment
from autograder.testing.assignment import Exercise
from autograder.testing.declarations import Check, Mistake


def check(kind, stage="", weight=1.0):
    return Check("f", f"test_{kind}_{stage}", "It holds.", weight, kind, stage, True, object, print, ())


PLAIN = Exercise("f", 4.0, (check("idea"), check("case"), check("refusal")))
STAGED = Exercise("f", 4.0, (check("idea", "sum", 3.0), check("idea", "sum"), check("idea", "stride"), check("case")))


def share(kind, lost, stage=""):
    return MistakeShare("f", "m", kind, stage, lost)


@pytest.mark.parametrize(("points", "lost"), [(0.0, 1.0), (3.8, 0.05), (4.0, 0.0), (4 / 3, 0.6667)])
def test_a_share_is_what_is_lost_of_the_exercises_points(points: float, lost: float):
    mistake = Mistake("f", "m", "Look again.", print, "case", "")
    assert share_of(PLAIN, mistake, points) == share("case", lost)


@pytest.mark.parametrize(
    ("exercise", "right"),
    [
        (PLAIN, share("idea", 1.0)),
        (PLAIN, share("idea", 0.8)),
        (STAGED, share("idea", 0.6, "sum")),  # at least 0.8 of its three quarters
        (STAGED, share("idea", 0.2, "stride")),
        (STAGED, share("idea", 0.9, "stride")),
        (PLAIN, share("case", 0.4)),
        (PLAIN, share("case", 0.01)),
        (PLAIN, share("refusal", 0.05)),
        (PLAIN, share("refusal", 0.0125)),
    ],
)
def test_what_follows_the_lesson_is_no_breach(exercise: Exercise, right: MistakeShare):
    assert complaint(exercise, right) is None


@pytest.mark.parametrize(
    ("exercise", "wrong", "says"),
    [
        (PLAIN, share("idea", 0.79), "is about the idea and costs 79%, at least 80% is asked"),
        (STAGED, share("idea", 0.59, "sum"), "is about the idea 'sum' and costs 59%, at least 60% is asked"),
        (STAGED, share("idea", 0.75), "is about the idea and costs 75%, at least 80% is asked"),
        (STAGED, share("idea", 1.0, "dilation"), "names the stage 'dilation', and no check is about it"),
        (PLAIN, share("case", 0.41), "is about a case and costs 41%, at most 40% is allowed"),
        (PLAIN, share("refusal", 0.06), "is about a refusal and costs 6%, at most 5% is allowed"),
    ],
)
def test_what_costs_too_little_or_too_much_is_named(exercise: Exercise, wrong: MistakeShare, says: str):
    assert complaint(exercise, wrong) == f"the mistake m {says}"


def test_the_shares_are_listed_by_exercise_and_kind_the_dearest_first():
    shares = [share("idea", 0.9), share("refusal", 0.05), share("idea", 1.0), share("case", 0.175)]
    assert list(share_lines(shares)) == [
        "what each mistake costs, in percent:",
        "  f: idea m 100, m 90; case m 18; refusal m 5",
    ]
    assert list(share_lines([])) == []


@pytest.fixture(scope="module")
def verified(built_fixture_course: Course) -> Verified:
    return verify_assignment(built_fixture_course, "basics", notebook=False)


def test_the_fixture_course_follows_the_lesson(verified: Verified):
    assert verified.breaches == ()
    assert len(verified.shares) == verified.mistakes
    for one in verified.shares:
        if one.kind == "idea":
            assert one.lost >= (0.4 if one.stage else 0.8), one
        else:
            assert 0 < one.lost <= (0.4 if one.kind == "case" else 0.05), one


def test_each_kind_of_mistake_is_tried_in_the_fixture_course(verified: Verified):
    assert {one.kind for one in verified.shares} == {"idea", "case", "refusal"}
    assert {one.stage for one in verified.shares} >= {"", "patience", "min_delta", "sum over paths"}


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("case", "grade_letter: the mistake invents_an_e is about a case and costs 100%, at most 40% is allowed"),
        ("refusal", "grade_letter: the mistake invents_an_e is about a refusal and costs 100%, at most 5% is allowed"),
    ],
)
def test_a_mistake_of_another_kind_than_it_says_is_a_breach(fixture_course: Course, kind: str, says: str):
    path = fixture_course.solutions_dir / "basics" / "mistakes.py"
    text = path.read_text(encoding="utf-8")
    head = '@mistake("grade_letter", kind="idea", says="The letter after D'
    assert head in text
    path.write_text(text.replace(head, head.replace('"idea"', f'"{kind}"')), encoding="utf-8")
    breaches = verify_assignment(fixture_course, "basics", notebook=False).breaches
    assert [said for said in breaches if "its proof" not in said] == [says]
