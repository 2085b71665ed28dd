"""`verify` proves the real course and the fixture course, and finds what is planted."""

import json
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.proving.deep import Depth, Wrong, judge_wrong
from autograder.proving.mutants import Mutant, mutants_of
from autograder.proving.seeds import SeedTask, search_seeds
from autograder.proving.verify import Verified, deep_lines, summarize, to_json, verify_assignment


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
    right = "\n\n@mistake('grade_letter', kind='idea', says='None.')\ndef is_right(score):\n    return reference_letter(score)\n"
    path.write_text(
        path.read_text(encoding="utf-8") + "\n\nfrom .reference import grade_letter as reference_letter\n" + right,
        encoding="utf-8",
    )
    verified = verify_assignment(fixture_course, "basics", notebook=False)
    assert "grade_letter: the mistake is_right gets full points" in verified.breaches


def test_a_worked_example_that_a_wrong_rule_passes_is_a_breach(fixture_course: Course):
    """Twice x is the gradient of the worked example alone."""
    path = fixture_course.solutions_dir / "basics" / "mistakes.py"
    wrong = "\n\n@mistake('numerical_gradient', kind='idea', says='None.')\ndef doubles_x(f, x):\n    return 2 * x\n"
    path.write_text(path.read_text(encoding="utf-8") + wrong, encoding="utf-8")
    verified = verify_assignment(fixture_course, "basics", notebook=False)
    assert verified.breaches == (
        "numerical_gradient: the mistake doubles_x passes every worked value (test_worked_values)",
    )


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


@pytest.fixture(scope="module")
def deep(built_fixture_course: Course) -> Verified:
    """The fixture course, proven as deep as a test can wait for."""
    return verify_assignment(built_fixture_course, "basics", notebook=False, depth=Depth(seeds=3, examples=3, jobs=2))


def test_nearly_every_mutant_is_caught(deep: Verified):
    assert deep.breaches == ()
    assert deep.mutants > 250
    assert deep.mutants_caught >= 0.99 * (deep.mutants - deep.mutants_equivalent)
    assert len(deep.survivors) == deep.mutants - deep.mutants_equivalent - deep.mutants_caught


def test_the_deep_record_has_the_counts_beside_the_shallow_ones(deep: Verified):
    record = json.loads(to_json(summarize([deep])))
    counts = {"mutants", "mutants_caught", "mutants_equivalent", "mutants_named", "survivors"}
    assert counts | {"mistakes", "schema"} <= record.keys() and counts <= record["per_assignment"][0].keys()
    assert all(one.keys() == {"exercise", "id", "diff", "live"} for one in record["survivors"])


def test_the_deep_part_says_what_it_ran_and_how_likely_a_false_alarm_is(deep: Verified):
    lines = list(deep_lines(deep))
    assert any("3 seeds x 3 examples of each check" in line for line in lines)
    (share,) = (line for line in lines if "test_share_of_kept_entries fails a right solution" in line)
    assert "with probability 1e-09: Hoeffding" in share
    assert any(line.startswith("note  no_grad: ") and "nothing that no other check kills" in line for line in lines)


def test_every_verdict_stands_in_the_report(deep: Verified, built_fixture_course: Course):
    verdicts = [json.loads(line) for line in (built_fixture_course.root / deep.report).read_text().splitlines()]
    assert sum(verdict["kind"] == "mutant" for verdict in verdicts) == deep.mutants
    assert sum(verdict["kind"] == "mistake" for verdict in verdicts) == deep.mistakes
    assert all(verdict["killers"] for verdict in verdicts if verdict["caught"])


def test_a_shallow_record_has_no_mutants(built_fixture_course: Course):
    verified = verify_assignment(built_fixture_course, "basics", notebook=False)
    assert "mutants" not in json.loads(to_json(summarize([verified])))
    assert list(deep_lines(verified)) == []


def mutant(course: Course, exercise: str, ending: str) -> Mutant:
    source = (course.solutions_dir / "basics" / "reference.py").read_text(encoding="utf-8")
    return next(one for one in mutants_of(exercise, source) if one.id.endswith(ending))


def test_a_caught_mutant_has_its_killers_and_its_diagnosis(built_fixture_course: Course):
    changed = mutant(built_fixture_course, "grade_letter", "if score > least:")
    verdict = judge_wrong(built_fixture_course.root, "basics", Wrong("grade_letter", changed.id, changed))
    assert verdict.caught and "test_whole_tens" in verdict.killers
    assert verdict.diagnosis is not None


@pytest.mark.parametrize(
    ("wrong", "live"),
    [("71.5 < score < 72.5", True), ("score == 70.123456789", False)],
    ids=["seldom", "next to never"],
)
def test_what_recorded_examples_miss_is_searched_live(built_fixture_course: Course, wrong: str, live: bool):
    text = f"def grade_letter(score):\n    return 'A' if {wrong} else right(score)\n"
    head = "from bisect import bisect\n\n\n"
    right = "def right(score):\n    if not 0 <= score <= 100:\n        raise ValueError('score')\n"
    right += "    return 'FDCBA'[bisect([60, 70, 80, 90], score)]\n\n\n"
    changed = Mutant("grade_letter", "seldom", "", head + right + text, "")
    verdict = judge_wrong(built_fixture_course.root, "basics", Wrong("grade_letter", "seldom", changed))
    assert (verdict.caught, verdict.caught_live) == (False, live)


def test_an_alternative_that_is_seldom_wrong_is_found_by_many_seeds(fixture_course: Course):
    path = fixture_course.solutions_dir / "basics" / "alternatives.py"
    load = "\n\nfrom .reference import grade_letter as letter\n\n\n"
    seldom = "@alternative('grade_letter')\ndef seldom(score):\n    return 'A' if 89 < score < 90 else letter(score)\n"
    path.write_text(path.read_text(encoding="utf-8") + load + seldom, encoding="utf-8")
    found = search_seeds(fixture_course.root, "basics", 5, SeedTask("grade_letter", "test_fractions", range(200)))
    (failure,) = found.failures
    assert failure.startswith("grade_letter: the alternative seldom fails test_fractions with seed ")
    assert found.runs > 2 * 200
