"""`autograder build`: nothing stale is trusted, and a second build changes no byte."""

import hashlib
from pathlib import Path

import nbformat
import pytest

from autograder.course import Course, load_course
from autograder.examples import store
from autograder.examples.choosing import BuildError
from autograder.notebooks.build import build_assignment, still_stale
from autograder.notebooks.source import SourceError
from autograder.testing.kinds import DeclarationError


def state(root: Path) -> dict[str, str]:
    files = [p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_second_build_changes_no_byte(fixture_course: Course):
    before = state(fixture_course.root)
    assert build_assignment(fixture_course, "basics", jobs=1) == ()
    assert state(fixture_course.root) == before


def test_builds_from_nothing_give_the_same_bytes(fixture_course: Course):
    # With processes of their own: Hypothesis also draws constants that it finds in the modules which a process loaded.
    states = []
    for _ in range(2):
        for path in ("build/examples/basics.npz", "assignments/basics/examples.npz", "assignments/basics/basics.ipynb"):
            (fixture_course.root / path).unlink()
        build_assignment(fixture_course, "basics", jobs=2)
        states.append(state(fixture_course.root))
    assert states[0] == states[1]


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("assignments/basics/checks.py", '"""', '"""Edited. ', {"examples.npz"}),
        ("solutions/basics/mistakes.py", '"EDCBAA"', '"ZDCBAA"', {"examples.npz"}),
        ("solutions/basics/mistakes.py", "Read the table once more.", "Read it again.", {"examples.npz"}),
        ("solutions/basics/mistakes.py", '"""', '"""Edited. ', set()),
        ("assignments/basics/basics.md", "# ", "# Edited ", {"basics.ipynb"}),
    ],
)
def test_what_is_committed_and_stale_is_listed(fixture_course: Course, file, old, new, stale):
    assert build_assignment(fixture_course, "basics", write=False) == ()
    edit(fixture_course.root / file, old, new)
    before = state(fixture_course.root)
    listed = build_assignment(fixture_course, "basics", write=False)
    assert {built.path.name for built in listed} == stale
    assert state(fixture_course.root) == before


def test_a_due_date_makes_the_notebook_stale_and_no_example(fixture_course: Course):
    edit(fixture_course.root / "course.toml", 'name = "basics"', 'name = "basics"\ndue = 2026-12-18T23:59:00+08:00')
    course = load_course(fixture_course.root)
    assert [built.path.name for built in build_assignment(course, "basics", write=False)] == ["basics.ipynb"]
    build_assignment(course, "basics", jobs=1)
    cells = nbformat.read(course.assignments_dir / "basics" / "basics.ipynb", as_version=4).cells
    assert (cells[0].id, cells[1].source) == ("text-basics", "**Due Fri 18 Dec 2026, 23:59 (UTC+08:00).**")
    assert build_assignment(course, "basics", jobs=1) == ()


def test_damaged_examples_are_rebuilt(fixture_course: Course):
    path = fixture_course.assignments_dir / "basics" / "examples.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    (built,) = build_assignment(fixture_course, "basics", write=False)
    assert built.path == path and "damaged" in built.why
    build_assignment(fixture_course, "basics", jobs=1)
    assert build_assignment(fixture_course, "basics", write=False) == ()


def test_a_reference_that_fails_its_own_checks_stops_the_build(fixture_course: Course):
    edit(fixture_course.solutions_dir / "basics" / "reference.py", '"A"', '"B"')
    with pytest.raises(BuildError, match=r"checks\.py: the reference fails grade_letter\.test_"):
        build_assignment(fixture_course, "basics", jobs=1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_could_be_recorded_is_kept_where_other_exercises_fail(fixture_course: Course, jobs: int):
    reference = fixture_course.solutions_dir / "basics" / "reference.py"
    right = reference.read_text(encoding="utf-8")
    edit(reference, '"A"', '"B"')
    edit(reference, "self.grad += 1.0", "self.grad += 2.0")
    edit(fixture_course.solutions_dir / "basics" / "mistakes.py", "deviation > 1e-12", "deviation > 1e-13")
    with pytest.raises(BuildError) as caught:
        build_assignment(fixture_course, "basics", jobs=jobs)
    sentences = str(caught.value).splitlines()
    assert sum("the reference fails Variable." in line for line in sentences) == 1
    assert sum("the reference fails grade_letter." in line for line in sentences) == 1
    assert still_stale(fixture_course, "basics") == ("Variable", "grade_letter")
    examples = fixture_course.assignments_dir / "basics" / "examples.npz"
    assert store.read(examples).manifest.checks == ""  # built in part only: nobody is checked with it

    reference.write_text(right, encoding="utf-8")
    searched: list[str] = []
    build_assignment(fixture_course, "basics", jobs=1, advance=searched.append)
    assert "standardize" not in searched
    assert build_assignment(fixture_course, "basics", write=False) == ()


def test_an_exercise_without_a_cell_is_named(fixture_course: Course):
    edit(fixture_course.assignments_dir / "basics" / "basics.md", ":exercise: standardize", ":demo:")
    with pytest.raises((BuildError, SourceError), match=r"basics\.md"):
        build_assignment(fixture_course, "basics", jobs=1)


def test_a_name_that_a_visible_and_a_hidden_check_share_is_refused(fixture_course: Course):
    edit(
        fixture_course.solutions_dir / "basics" / "hidden.py",
        "def test_any_losses",
        "def test_an_improvement_starts_anew",
    )
    with pytest.raises(DeclarationError, match=r"EarlyStopping has a check 'test_an_improvement_starts_anew', and so"):
        build_assignment(fixture_course, "basics", jobs=1)
