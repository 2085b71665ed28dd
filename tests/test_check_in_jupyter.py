"""`check()` in a real Jupyter kernel, as a student sees it."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder.course import Course

WRONG = "def grade_letter(score):\n    if not 0 <= score <= 100:\n        raise ValueError('score')\n    return 'A'"

# The idea is right, the limits are not.
EXCLUDES_LIMITS = WRONG.replace("'A'", "next((x for x, n in zip('ABCD', (90, 80, 70, 60)) if score > n), 'F')")


@pytest.fixture(scope="module")
def run(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory):
    """Runs cells in one kernel, in a folder as students get it."""
    folder = tmp_path_factory.mktemp("student") / "basics"
    shutil.copytree(built_fixture_course.build_dir / "source" / "basics", folder)

    def execute(*cells: str, where: Path = folder) -> list[nbformat.NotebookNode]:
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(where)}}).execute()
        return notebook.cells

    return execute


def outputs(cell, kind: str) -> list[nbformat.NotebookNode]:
    return [output for output in cell.outputs if output.output_type == kind]


def test_a_wrong_answer_shows_panel_counterexample_and_points(run):
    cells = run(
        "from autograder import check", EXCLUDES_LIMITS, 'check("grade_letter")', 'check("grade_leter")', "check()"
    )
    checked = cells[2]
    assert [o.output_type for o in checked.outputs] == ["display_data", "execute_result"]
    panel = checked.outputs[0].data
    assert "✓" in panel["text/plain"] and "✗" in panel["text/plain"]
    assert "<script" not in panel["text/html"] and "<progress" not in panel["text/html"]
    counterexample = re.search(r"grade_letter\(.+\)", panel["text/plain"])[0]
    assert eval(counterexample, {"grade_letter": lambda score: score}) in (60, 70, 80, 90)
    points = checked.outputs[1].data["text/plain"]
    assert float(points) == 0.65 and points == repr(float(points))
    assert "Did you mean 'grade_letter'?" in outputs(cells[3], "display_data")[0].data["text/plain"]
    assert len(outputs(cells[4], "display_data")) == 1
    assert [o for cell in cells for o in cell.outputs if o.get("name") == "stderr"] == []


def test_an_earlier_exercise_that_fails_and_is_used_is_named(run):
    uses = "def standardize(x):\n    grade_letter(50)\n    return x"
    right = WRONG.replace("return 'A'", "return next((x for x, n in zip('ABCD', (90, 80, 70, 60)) if score >= n), 'F')")
    cells = run("from autograder import check", WRONG, uses, 'check("standardize")', right, 'check("standardize")')
    first, second = (cell.outputs[0].data["text/plain"] for cell in (cells[3], cells[5]))
    assert "It uses `grade_letter`, which does not pass yet" in " ".join(first.split())
    assert "It uses `grade_letter`" not in second


def test_what_the_students_function_prints_stays_out_of_the_panel(run):
    noisy = "import sys\ndef grade_letter(score):\n    print('hello'); print('oh', file=sys.stderr)\n    return 'A'"
    cells = run("from autograder import check", noisy, 'check("grade_letter")')
    assert outputs(cells[2], "stream") == []


def test_a_notebook_away_from_its_folder_is_told_so(run, tmp_path):
    cells = run("from autograder import check", 'check("grade_letter")', where=tmp_path)
    (shown,) = outputs(cells[1], "display_data")
    assert f"checks.py is not in {tmp_path}" in shown.data["text/plain"]
    assert outputs(cells[1], "execute_result")[0].data["text/plain"] == "0"


def test_changed_checks_are_refused(run, built_fixture_course, tmp_path):
    folder = tmp_path / "basics"
    shutil.copytree(built_fixture_course.build_dir / "source" / "basics", folder)
    with (folder / "checks.py").open("a", encoding="utf-8") as file:
        file.write("\n# edited\n")
    cells = run("from autograder import check", WRONG, 'check("grade_letter")', where=folder)
    assert "does not belong to" in outputs(cells[2], "display_data")[0].data["text/plain"]


def test_a_function_or_class_is_checked_under_its_name(run):
    cells = run(
        "from autograder import check", WRONG, "check(grade_letter)", 'check("grade_letter")', "check(3)", "check(len)"
    )
    by_itself, by_name = (cell.outputs[0].data["text/plain"] for cell in cells[2:4])
    assert by_itself == by_name and by_itself.startswith("grade_letter: ")
    assert outputs(cells[4], "display_data")[0].data["text/plain"] == (
        'check() takes the name of an exercise, as in check("softmax"), or the function or class itself; this is an int.'
    )
    assert "This notebook has no exercise 'len'." in outputs(cells[5], "display_data")[0].data["text/plain"]


def test_an_endless_loop_is_waited_for_twice_and_the_bar_says_how_long(run, built_fixture_course, tmp_path):
    folder = tmp_path / "basics"
    shutil.copytree(built_fixture_course.build_dir / "source" / "basics", folder)
    limits = '[limits]\nseconds_per_call = 0.5\n[[assignments]]\nname = "basics"\ntitle = "Basics"\n'
    (tmp_path / "course.toml").write_text(f'schema = 1\ntitle = "C"\ncourse_id = "c"\n{limits}', encoding="utf-8")
    (tmp_path / "assignments").mkdir()
    folder = folder.rename(tmp_path / "assignments" / "basics")
    (folder / "basics.md").touch()
    endless = "def grade_letter(score):\n    while True:\n        pass"
    told = "import autograder.checking.notebook as n\nseen, show = [], n._Bar.show\n"
    told += "n._Bar.show = lambda self, item: (seen.append(item.text()), show(self, item))"
    cells = run(
        "from autograder import check", told, endless, "check(grade_letter)", "print(*seen, sep='\\n')", where=folder
    )
    assert "grade_letter: 0 of 1 points (took too long)" in cells[3].outputs[0].data["text/plain"]
    bars = cells[4].outputs[0].text.splitlines()
    assert bars[1].startswith("grade_letter: check 2 of ") and bars[1].endswith(
        " is waiting for your function, up to 0.5 s"
    )


def test_in_a_trusted_kernel_that_nbgrader_grades_hidden_checks_run_too(run, built_fixture_course):
    # For who puts nbgrader's own `Execute` back: the value is what stock nbgrader reads.
    as_nbgrader = {"NBGRADER_EXECUTION": "autograde", "AUTOGRADER_COURSE": str(built_fixture_course.root)}
    cells = run(
        f"import os\nos.environ.update({as_nbgrader!r})\nfrom autograder import check", WRONG, 'check("grade_letter")'
    )
    panel, points = cells[2].outputs
    record = panel.data["application/vnd.autograder.v1+json"]
    assert {check["visible"] for check in record["checks"]} == {True, False}
    assert float(points.data["text/plain"]) == record["points"]


@pytest.fixture(scope="module")
def as_graded(run, built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory):
    """Runs a check in a kernel as stock nbgrader does, without the variables of our own configuration."""

    def execute(check: str, where: Path) -> list[nbformat.NotebookNode]:
        begin = "import os\nos.environ.pop('AUTOGRADER_COURSE', None)\nos.environ['NBGRADER_EXECUTION'] = 'autograde'\n"
        caught = f"try:\n    print({check})\nexcept Exception as error:\n    print(type(error).__name__, error)"
        return run(f"{begin}from autograder import check", EXCLUDES_LIMITS, caught, where=where)[2].outputs

    return execute


@pytest.mark.parametrize(
    ("folder", "check"),
    [(".", 'check("grade_letter")'), ("build", "check(grade_letter)"), ("private/basics", "check()")],
)
def test_while_nbgrader_grades_the_assignment_is_found_in_whatever_folder_the_kernel_runs(
    as_graded, fixture_course, folder, check
):
    where = fixture_course.root / folder
    where.mkdir(parents=True, exist_ok=True)
    *_, points = as_graded(check, where)
    assert float(points.text) > 0


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ('check("grade_leter")', "Which assignment this notebook belongs to cannot be told: no assignment has"),
        ("check(3)", "check() takes the name of an exercise"),
    ],
)
def test_while_nbgrader_grades_a_check_that_cannot_run_raises(as_graded, built_fixture_course, check, says):
    (told,) = as_graded(check, built_fixture_course.root)
    assert told.text.startswith(f"Ungradable {says}")


def test_while_nbgrader_grades_a_notebook_without_course_and_checks_raises(as_graded, tmp_path):
    (told,) = as_graded('check("grade_letter")', tmp_path)
    assert told.text.startswith("Ungradable checks.py is not in ")
