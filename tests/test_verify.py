"""`verify` proves the real course and the fixture course, and finds what is planted."""

from pathlib import Path

from autograder.course import Course
from autograder.grading.verify import summarize, verify_assignment


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_real_course_has_no_breach(course: Course):
    verified = summarize(verify_assignment(course, a.name) for a in course.assignments)
    assert verified.breaches == ()
    assert verified.mistakes_caught == verified.mistakes
    assert verified.mistakes_caught_visible >= 0.85 * verified.mistakes
    assert verified.mistakes_named >= 0.9 * verified.mistakes


def test_replay_and_live_search_agree_on_everything(built_fixture_course: Course):
    verified = verify_assignment(built_fixture_course, "basics", search=True)
    assert verified.breaches == ()
    assert verified.mistakes_caught == verified.mistakes >= 21
    assert verified.mistakes_named >= 0.9 * verified.mistakes


def test_a_mistake_that_no_check_catches_is_a_breach(fixture_course: Course):
    path = fixture_course.solutions_dir / "basics" / "mistakes.py"
    right = "\n\n@mistake('grade_letter', says='None.')\ndef is_right(score):\n    return reference_letter(score)\n"
    path.write_text(
        path.read_text(encoding="utf-8") + "\n\nfrom .reference import grade_letter as reference_letter\n" + right,
        encoding="utf-8",
    )
    verified = verify_assignment(fixture_course, "basics", notebook=False)
    assert "grade_letter: the mistake is_right gets full points" in verified.breaches


def test_a_wrong_alternative_is_a_breach(fixture_course: Course):
    path = fixture_course.solutions_dir / "basics" / "alternatives.py"
    wrong = "\n\n@alternative('grade_letter')\ndef always_a(score):\n    return 'A'\n"
    path.write_text(path.read_text(encoding="utf-8") + wrong, encoding="utf-8")
    verified = verify_assignment(fixture_course, "basics", notebook=False)
    assert any("the alternative always_a fails test_" in breach for breach in verified.breaches)


def test_a_demo_that_stops_is_a_breach(fixture_course: Course):
    edit(fixture_course.assignments_dir / "basics" / "basics.md", ":demo:\n\n", ":demo:\n\n1 / 0\n")
    (breach,) = verify_assignment(fixture_course, "basics").breaches
    assert breach == "the source notebook stops: ZeroDivisionError: division by zero"
