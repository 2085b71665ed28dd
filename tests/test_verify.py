"""`verify` proves the fixture course, finds what is planted, and keeps what it proved."""

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from autograder.course import Course, load_course
from autograder.notebooks.build import build_assignment
from autograder.proving.content import Content
from autograder.proving.deep import Depth, Proved, prove
from autograder.proving.mutants import Mutant, mutants_of
from autograder.proving.outcome import Verified, strength_lines, summarize, to_json
from autograder.proving.seeds import SeedTask, search_seeds
from autograder.proving.strength import read_strength, write_strength
from autograder.proving.verdicts import Wrong, judge_wrong
from autograder.proving.verify import verify_assignment, with_kept_proofs
from autograder.testing.assignment import load_assignment
from autograder.testing.kinds import DeclarationError


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


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
    assert [said for said in verified.breaches if "its proof" not in said] == [
        "numerical_gradient: the mistake doubles_x passes every worked value (test_worked_values)"
    ]


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


DEPTH = Depth(seeds=2, examples=3, jobs=2)


@pytest.fixture(scope="module")
def deep_course(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The fixture course without a proof."""
    root = tmp_path_factory.mktemp("deep") / "course"
    shutil.copytree(built_fixture_course.root, root)
    strength_of(load_course(root)).unlink()
    return load_course(root)


def strength_of(course: Course) -> Path:
    return course.solutions_dir / "basics" / "strength.toml"


class Steps:
    """What is told of the progress: each stage with its steps, and how many of them were taken."""

    def __init__(self) -> None:
        self.stages: list[list[Any]] = []

    def begin(self, what: str, steps: int) -> None:
        self.stages.append([what, steps, 0])

    def advance(self, step: str) -> None:
        self.stages[-1][2] += 1


@pytest.fixture(scope="module")
def progress() -> Steps:
    return Steps()


@pytest.fixture(scope="module")
def deep(deep_course: Course, progress: Steps) -> Verified:
    """The fixture course, proven as deep as a test can wait for."""
    return verify_assignment(
        deep_course, "basics", notebook=False, depth=DEPTH, begin=progress.begin, advance=progress.advance
    )


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
    lines = list(strength_lines(deep))
    assert any("2 seeds x 3 examples of each check" in line for line in lines)
    (share,) = (line for line in lines if "test_share_of_kept_entries fails a right solution" in line)
    assert "with probability 1e-09: Hoeffding" in share


def test_every_stage_tells_its_exercise_and_takes_all_its_steps(deep: Verified, progress: Steps):
    assert progress.stages[0][0] == "basics"
    assert progress.stages[1][0].endswith(f"(1 of {deep.exercises}): mistakes and mutants")
    assert progress.stages[2][0].endswith(f"(1 of {deep.exercises}): 2 seeds of each check")
    assert len(progress.stages) == 1 + 2 * deep.exercises
    assert all(steps == taken for _, steps, taken in progress.stages)


def test_every_verdict_stands_in_the_report(deep: Verified, deep_course: Course):
    files = sorted((deep_course.root / deep.report).iterdir())
    assert [file.stem for file in files] == sorted(deep.proved)
    verdicts = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert sum(verdict["kind"] == "mutant" for verdict in verdicts) == deep.mutants
    assert sum(verdict["kind"] == "mistake" for verdict in verdicts) == deep.mistakes
    assert all(verdict["killers"] for verdict in verdicts if verdict["caught"])


def test_without_the_checks_that_are_called_idle_nothing_gets_away(deep: Verified, deep_course: Course):
    assignment, idle = load_assignment(deep_course, "basics"), dict(map(idle_in, deep.notes))
    assert "" not in idle and any(idle.values())
    for exercise in assignment.exercises:
        gone = idle.get(exercise.name, set())
        left = {check.name for check in exercise.checks} - gone
        assert any(check.kind == "idea" and check.visible for check in exercise.checks if check.name in left)
        file = deep_course.root / deep.report / f"{exercise.name}.jsonl"
        verdicts = [json.loads(line) for line in file.read_text().splitlines()]
        counted = [v for v in verdicts if v.get("equivalent") is None]
        # The rules, such as that of devices, are no checks that could go.
        killers = [set(v["killers"]) & (left | gone) for v in counted]
        assert all(names & left for names in killers if names)


def idle_in(note: str) -> tuple[str, set[str]]:
    """The exercise of a note, and the checks that could go."""
    exercise, _, rest = note.partition(": ")
    return exercise, set(rest.rpartition(": ")[2].split(", ")) if " checks could go" in rest else set()


def test_the_kept_proof_says_what_was_found(deep: Verified, deep_course: Course):
    kept = read_strength(strength_of(deep_course))
    assert list(kept) == sorted(deep.proved)
    assert sum(proof.mutants for proof in kept.values()) == deep.mutants
    assert {(proof.seeds, proof.examples, proof.false_alarms) for proof in kept.values()} == {(2, 3, 0)}
    assert kept["dropout"].stated_false_alarm == pytest.approx(1e-9)
    before = strength_of(deep_course).read_bytes()
    write_strength(strength_of(deep_course), kept)
    assert strength_of(deep_course).read_bytes() == before


@pytest.fixture
def proven(deep: Verified, deep_course: Course, tmp_path: Path) -> Course:
    """A copy of the proven course that a test may change."""
    shutil.copytree(deep_course.root, tmp_path / "course")
    return load_course(tmp_path / "course")


@pytest.fixture
def shallow(deep: Verified) -> Callable[[Course], Verified]:
    """Looks at the kept proofs alone: all else was verified before."""
    found = msgspec.structs.replace(deep, breaches=(), notes=(), proved=UNSET, mutants=UNSET)
    return lambda course: with_kept_proofs(found, Content.of(course, "basics"), only=None)


def prove_again(course: Course, **asked: Any) -> Proved:
    """Proves what is asked for, and tells nobody of the progress."""
    depth = dataclasses.replace(DEPTH, **asked)
    return prove(course, "basics", depth, lambda what, steps: None, lambda step: None)


def test_what_was_proven_is_not_proven_again(proven: Course):
    before = strength_of(proven).read_bytes()
    verified = verify_assignment(proven, "basics", notebook=False, depth=DEPTH)
    assert (verified.breaches, verified.proved, verified.mutants > 250) == ((), (), True)
    assert "basics: every proof that was asked for is up to date" in list(strength_lines(verified))
    assert strength_of(proven).read_bytes() == before


def test_without_its_proof_an_exercise_is_a_breach(proven: Course, shallow):
    kept = read_strength(strength_of(proven))
    del kept["dropout"]
    write_strength(strength_of(proven), kept)
    assert shallow(proven).breaches == (
        "dropout: its proof is missing in solutions/basics/strength.toml: run `autograder verify --deep basics`",
    )


def test_a_change_makes_the_proofs_stale_that_depend_on_it_and_only_these_are_proven_again(proven: Course, shallow):
    reference = proven.solutions_dir / "basics" / "reference.py"
    edit(reference, 'return "F"', 'return "FF"[0]')
    build_assignment(proven, "basics", jobs=1)
    assert shallow(proven).breaches == (
        "grade_letter: its proof in solutions/basics/strength.toml is stale, what it depends on has changed: "
        "run `autograder verify --deep basics`",
    )
    before = read_strength(strength_of(proven))
    proved = prove_again(proven)
    after = read_strength(strength_of(proven))
    assert (proved.breaches, proved.exercises) == ((), ("grade_letter",))
    assert {name for name in after if after[name] != before[name]} == {"grade_letter"}


def test_comments_layout_and_docstrings_leave_every_proof_as_it_is(proven: Course):
    for path in (proven.solutions_dir / "basics").glob("*.py"):
        text = re.sub(r'^( +""")(?=\w)', r"\1Once more. ", path.read_text("utf-8"), flags=re.MULTILINE)
        path.write_text(f"# A remark.\n\n\n{text}", "utf-8")
    assert Content.of(proven, "basics").bases == {
        name: proof.depends_on for name, proof in read_strength(strength_of(proven)).items()
    }


def test_a_mutant_that_is_called_equivalent_makes_its_exercises_proof_stale_and_no_other(proven: Course, shallow):
    path = proven.solutions_dir / "basics" / "equivalents.toml"
    entry = "\n[[equivalent]]\nmutant = 'grade_letter: return a -> return b'\nreason = 'None.'\n"
    path.write_text(path.read_text("utf-8") + entry, "utf-8")
    (stale,) = shallow(proven).breaches
    assert stale.startswith("grade_letter: its proof in ")
    kept = strength_of(proven).read_bytes()
    (wrong,) = prove_again(proven, only="grade_letter").breaches
    assert wrong == "equivalents.toml names 'grade_letter: return a -> return b', which is no mutant any more"
    assert strength_of(proven).read_bytes() == kept


def changed(course: Course, **fields: Any) -> None:
    """The kept proof of grade_letter, with other fields."""
    kept = read_strength(strength_of(course))
    kept["grade_letter"] = msgspec.structs.replace(kept["grade_letter"], **fields)
    write_strength(strength_of(course), kept)


def test_a_false_alarm_that_was_kept_is_a_breach(proven: Course, shallow):
    changed(proven, false_alarms=2)
    (breach,) = shallow(proven).breaches
    assert breach.startswith("grade_letter: a right solution failed in 2 of the searches with 2 seeds each: mend the")


def test_a_proof_with_another_package_is_a_note(proven: Course, shallow):
    changed(proven, package="0" * 12)
    verified = shallow(proven)
    assert verified.breaches == ()
    (note,) = verified.notes
    assert note.startswith("1 of 7 exercises were proved with another version of the checks' package: ")


def test_few_mutants_caught_or_named_are_a_warning(proven: Course, shallow):
    proof = read_strength(strength_of(proven))["grade_letter"]
    gone = ("grade_letter: a -> b", "grade_letter: a -> c")
    changed(proven, mutants=proof.equivalents + 12, caught=10, named=8, survivors=gone[:1], caught_live_only=gone[1:])
    verified = shallow(proven)
    assert verified.breaches == ()
    seldom_caught, seldom_named = [said for said in verified.warnings if said.startswith("grade_letter: ")]
    assert seldom_caught.startswith("grade_letter: 10 of 12 mutants are caught (83.3%), 99% are wanted")
    assert seldom_named.startswith("grade_letter: 8 of 10 caught mutants get a diagnosis (80.0%), 85% are wanted")
    assert "'grade_letter: a -> b'" in strength_of(proven).read_text() or '"grade_letter: a -> b"' in strength_of(
        proven
    ).read_text("utf-8")


def test_a_proof_of_what_is_gone_is_a_breach_and_goes(proven: Course, shallow):
    kept = read_strength(strength_of(proven))
    write_strength(strength_of(proven), {**kept, "gone": kept["dropout"]})
    (breach,) = shallow(proven).breaches
    assert breach.startswith("gone: it is no exercise any more")
    assert prove_again(proven).exercises == ()
    assert read_strength(strength_of(proven)) == kept


def test_more_seeds_prove_again_what_was_proven_with_fewer(proven: Course):
    content = Content.of(proven, "basics")
    assert content.unproved(only=None, seeds=2, again=False) == []
    assert len(content.unproved(only=None, seeds=3, again=False)) == 7
    assert len(content.unproved(only=None, seeds=1, again=True)) == 7
    assert [one.name for one in content.unproved(only="dropout", seeds=3, again=False)] == ["dropout"]
    with pytest.raises(DeclarationError, match="--only is 'drop'; allowed is an exercise of basics: "):
        content.unproved(only="drop", seeds=2, again=False)


class Killed(BaseException):
    """The run ends here."""


def test_a_run_that_is_killed_keeps_what_it_proved(proven: Course):
    strength_of(proven).unlink()

    def begin(what: str, steps: int) -> None:
        if "(3 of 7)" in what:
            raise Killed

    with pytest.raises(Killed):
        prove(proven, "basics", DEPTH, begin, lambda step: None)
    names = [exercise.name for exercise in load_assignment(proven, "basics").exercises]
    assert sorted(read_strength(strength_of(proven))) == sorted(names[:2])


def test_a_shallow_record_of_what_was_never_proven_has_no_mutants(proven: Course, shallow):
    strength_of(proven).unlink()
    record = json.loads(to_json(summarize([shallow(proven)])))
    assert "mutants" not in record and "mutants" not in record["per_assignment"][0]
    assert len(record["breaches"]) == 7


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
