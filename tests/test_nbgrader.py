"""Stock nbgrader, run with its own commands in the course's root: the whole way from source to export."""

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import BIN
from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment


def nbgrader(course: Course, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_COURSE"}
    command = [str(BIN / "nbgrader"), *arguments]
    return subprocess.run(command, cwd=course.root, env=environment, text=True, capture_output=True, check=False)


def submit(course: Course, student: str, name: str, text: str) -> Path:
    path = course.private_dir / "submitted" / student / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def graded(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The fixture course after generate, autograde, feedback and export of four submissions."""
    import shutil

    from autograder.course import load_course

    root = tmp_path_factory.mktemp("graded") / "course"
    shutil.copytree(built_fixture_course.root, root)
    course = load_course(root)
    assignment = load_assignment(course, "basics")
    made = {m.student: m for m in make_class(assignment, source_notebook(course, assignment))}
    assert nbgrader(course, "generate_assignment", "basics").returncode == 0
    for student in ("ada", "ivan", "chen", "mei"):
        submit(course, student, "basics", made[student].text)
    autograde = nbgrader(course, "autograde", "basics")
    assert autograde.returncode == 0 and "mei was not graded: basics.ipynb is not a notebook" in autograde.stderr
    assert nbgrader(course, "generate_feedback", "basics").returncode == 0
    assert nbgrader(course, "export").returncode == 0
    return course


def test_scores_are_those_of_the_judge(graded: Course):
    from autograder.judging.judge import judge

    with Gradebook(f"sqlite:///{graded.private_dir / 'gradebook.db'}", graded.course_id) as gradebook:
        for student in ("ada", "ivan", "chen"):
            submission = gradebook.find_submission("basics", student)
            grades = [g for n in submission.notebooks for g in n.grades if g.cell.cell_type == "code"]
            path = graded.private_dir / "submitted" / student / "basics" / "basics.ipynb"
            result = judge(graded, "basics", path, trusted=True)
            by_cell = {grade.name: grade.auto_score for grade in grades}
            assert by_cell == {f"check-{e.name}": pytest.approx(e.points) for e in result.exercises}
            assert (student, result.score) in (("ada", result.max_score), ("ivan", 0.0), ("chen", result.score))


def test_the_written_question_waits_for_manual_grading(graded: Course):
    with Gradebook(f"sqlite:///{graded.private_dir / 'gradebook.db'}", graded.course_id) as gradebook:
        submission = gradebook.find_submission("basics", "ada")
        assert submission.needs_manual_grade
        (written,) = [g for n in submission.notebooks for g in n.grades if g.cell.cell_type == "markdown"]
        assert (written.needs_manual_grade, written.auto_score, written.max_score) == (True, None, 2)


def test_a_broken_file_costs_nobody_else_a_grade(graded: Course):
    feedback = graded.private_dir / "feedback"
    assert sorted(p.name for p in feedback.iterdir()) == ["ada", "chen", "ivan", "mei"]
    assert "Not graded automatically" in (feedback / "mei" / "basics" / "basics.html").read_text(encoding="utf-8")
    with (graded.root / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)}
    assert rows["ada"] > rows["chen"] > rows["ivan"] == 0


def test_feedback_shows_the_panel_and_no_hidden_source(graded: Course):
    page = (graded.private_dir / "feedback" / "chen" / "basics" / "basics.html").read_text(encoding="utf-8")
    hidden = (graded.solutions_dir / "basics" / "hidden.py").read_text(encoding="utf-8")
    assert "What it looks like:" in page
    assert [line for line in hidden.splitlines() if len(line) > 40 and "assert" in line and line.strip() in page] == []


def test_a_right_answer_leaves_no_error_and_no_stderr(graded: Course):
    path = graded.private_dir / "autograded" / "ada" / "basics" / "basics.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = [output for cell in cells for output in cell.get("outputs", [])]
    assert [o for o in found if o["output_type"] == "error" or o.get("name") == "stderr"] == []
