"""`autograder progress` over the whole course: every assignment by part, and what to do next."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from conftest import BIN

from autograder.checking.whole_course import find_assignments
from autograder.course import Course, load_course
from autograder.feedback.course_overview import AssignmentProgress, course_overview_of, progress_of
from autograder.feedback.overview import Next, overview_of, to_json
from autograder.notebooks.build import notebook_text, released_notebook, source_notebook
from autograder.notebooks.place import Place, place_of
from autograder.results import ExerciseResult
from autograder.testing.assignment import load_assignment

PASSED = ExerciseResult("relu", 2.0, 2.0, "passed", None, ())
PARTIAL = ExerciseResult("gelu", 0.5, 1.0, "partial", None, (), "`gelu` is off.")
MISSING = ExerciseResult("elu", 0.0, 1.0, "missing", None, (), "`elu` is not defined.")
MINUTES = {"relu": 5, "gelu": 7, "elu": 30}


def autograder(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BIN / "autograder"), *arguments], cwd=cwd, text=True, capture_output=True, check=False)


def notebook(folder: Path, assignment: str, **told: object) -> None:
    """A folder that looks like an assignment's."""
    folder.mkdir(parents=True)
    for name in ("checks.py", "examples.npz"):
        (folder / name).touch()
    made = nbformat.v4.new_notebook(metadata={"autograder": {"assignment": assignment, **told}})
    nbformat.write(made, folder / f"{assignment}.ipynb")


def line(assignment: str, part: str, *results: ExerciseResult) -> AssignmentProgress:
    return progress_of(overview_of(assignment, results), part, MINUTES)


def test_an_assignment_counts_what_is_passed_and_the_minutes_of_the_rest():
    found = line("a", "First", PASSED, PARTIAL, MISSING)
    assert (found.points, found.max_points, found.passed, found.tried, found.exercises) == (2.5, 4.0, 1, 2, 3)
    assert (found.minutes_left, found.next) == (37, Next("gelu", "`gelu` is off."))


def test_the_text_shows_parts_points_what_is_left_and_the_next_step():
    due = datetime(2026, 12, 18, 15, 59, tzinfo=UTC)
    late = AssignmentProgress(
        "d", "Last", 0.0, 1.0, 0, 0, 1, 30, Next("elu", "`elu` is not defined."), due, "in 3 days"
    )
    fault = AssignmentProgress("broken", "Last", fault="x.ipynb is not a notebook.")
    overview = course_overview_of(
        (
            line("done", "First", PASSED),
            line("half", "First", PASSED, PARTIAL),
            line("new", "Last", MISSING),
            late,
            fault,
        )
    )
    assert overview.text().splitlines() == [
        "The whole course: 4.5 of 7 points by the visible checks, about 67 minutes left",
        "[###############---------] 64 %",
        "",
        "First",
        "  ✓ done      2 of 2  finished",
        "  ~ half    2.5 of 3  1 of 2 exercises, about 7 minutes left",
        "",
        "Last",
        "  · new       0 of 1  not begun, about 30 minutes left",
        "  · d         0 of 1  not begun, about 30 minutes left, due Fri 18 Dec 2026, 15:59 (UTC), in 3 days",
        "  ✗ broken            not checked: x.ipynb is not a notebook.",
        "",
        "Next: gelu in half. `gelu` is off.",
    ]


def test_a_finished_course_says_that_hidden_checks_remain():
    overview = course_overview_of((line("a", "", PASSED),))
    assert overview.next is None and "100 %" in overview.text()
    assert overview.text().endswith("Hidden checks with harder inputs remain; they run when you are graded.")
    fault = AssignmentProgress("b", fault="It is broken.")
    assert course_overview_of((line("a", "", PASSED), fault)).text().endswith("\nWhat could be checked is finished.")


def test_the_record_is_json():
    record = json.loads(to_json(course_overview_of((line("a", "First", PARTIAL),))))
    assert (record["schema"], record["next"], record["assignments"][0]["part"]) == (1, "a", "First")


def test_assignments_stand_in_the_order_of_the_course(tmp_path: Path):
    notebook(tmp_path / "alpha", "alpha", number=3)
    notebook(tmp_path / "beta", "beta", number=1, part="First", minutes={"f": 5})
    notebook(tmp_path / "gamma", "gamma")
    notebook(tmp_path / ".hidden", "delta", number=2)
    (tmp_path / "notes").mkdir()
    found = find_assignments(tmp_path)
    assert [one.place.assignment for one in found] == ["beta", "alpha", "gamma"]
    assert found[0].place == Place("beta", 1, "First", {"f": 5})
    assert find_assignments(tmp_path / "alpha") == find_assignments(tmp_path / "alpha" / "alpha.ipynb") == ()
    assert find_assignments(tmp_path / "notes") == ()


def test_two_folders_of_one_assignment_are_named(tmp_path: Path):
    notebook(tmp_path / "a_copy", "beta")
    notebook(tmp_path / "beta", "beta")
    (found,) = find_assignments(tmp_path)
    assert found.fault == "beta and a_copy both hold it: give the path of one notebook."


def test_a_folder_whose_notebook_is_away_or_broken_says_so(tmp_path: Path):
    notebook(tmp_path / "alpha", "alpha")
    notebook(tmp_path / "beta", "beta")
    (tmp_path / "alpha" / "alpha.ipynb").unlink()
    (tmp_path / "beta" / "beta.ipynb").write_text("{", encoding="utf-8")
    away, broken = find_assignments(tmp_path)
    assert away.fault.startswith("No notebook in ") and "is not a notebook: not JSON" in broken.fault


@pytest.mark.parametrize("told", [{"number": "one"}, {"part": 3}, {"minutes": [1]}])
def test_a_notebook_that_tells_nonsense_of_its_place_keeps_its_folders_name(tmp_path: Path, told: dict[str, object]):
    notebook(tmp_path / "alpha", "alpha", **told)
    assert place_of(tmp_path / "alpha" / "alpha.ipynb") == Place("alpha")


def test_a_released_notebook_tells_its_place(fixture_course: Course):
    settings = fixture_course.root / "course.toml"
    text = (
        settings.read_text("utf-8").rstrip() + '\npart = "first"\n[[parts]]\nname = "first"\ntitle = "First things"\n'
    )
    settings.write_text(text, "utf-8")
    course = load_course(fixture_course.root)
    path = course.assignments_dir / "basics" / "basics.ipynb"
    path.write_text(
        notebook_text(released_notebook(source_notebook(course, load_assignment(course, "basics")))), "utf-8"
    )
    place = place_of(path)
    assert (place.assignment, place.number, place.part) == ("basics", 1, "First things")
    assert place.minutes["dropout"] == 10


def test_the_command_checks_every_assignment_and_goes_on_past_a_fault(built_fixture_course: Course, tmp_path: Path):
    shutil.copytree(built_fixture_course.assignments_dir / "basics", tmp_path / "basics")
    notebook(tmp_path / "broken", "broken")
    done = autograder("progress", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Checking basics (1 of 2) ...", "Checking broken (2 of 2) ..."]
    assert "  · basics  0 of 14  not begun" in done.stdout
    assert "  ✗ broken           not checked: " in done.stdout
    assert "Next: EarlyStopping in basics. `EarlyStopping` still raises NotImplementedError." in done.stdout


def test_a_course_is_checked_from_its_own_folder_and_one_assignment_can_be_chosen(built_fixture_course: Course):
    done = autograder("progress", "--only", "basics", "--json", cwd=built_fixture_course.root)
    assert done.returncode == 0
    record = json.loads(done.stdout)
    assert ([one["assignment"] for one in record["assignments"]], record["max_points"]) == (["basics"], 14.0)


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        (".", "--only is 'basic'; allowed is basics (did you mean basics?)."),
        ("assignments/basics", "--only chooses among"),
    ],
)
def test_a_choice_that_is_none_is_one_sentence(built_fixture_course: Course, folder: str, says: str):
    done = autograder("progress", "--only", "basic", cwd=built_fixture_course.root / folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr
