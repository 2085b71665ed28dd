"""Late penalties in the gradebook: by `nbgrader autograde`, by `autograder grade` and after manual grading."""

import csv
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from conftest import BIN
from nbgrader.api import Gradebook

from autograder.course import Course, load_course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment

ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_COURSE"}
POLICY = """
[late]
grace_minutes = 15
percent = 10
at_most_percent = 50

[limits]
"""
# The due date of `basics` is 2026-12-18 15:59:00 UTC.
STAMPS = {
    "ada": "2026-12-19 16:30:00 UTC",  # a day, the grace and more
    "chen": "2026-12-19 16:30:00 UTC",  # the same, with an extension
    "dmitri": "2026-12-19T00:10:00+08:00",  # within the grace, by another clock
    "ivan": "2026-12-30 00:00:00 UTC",  # late with nothing in it
    "jun": "",  # nobody knows when
}
LOST = {"ada": 20, "chen": 0, "dmitri": 0, "ivan": 50, "jun": 0}


def run(course: Course, *command: str) -> subprocess.CompletedProcess[str]:
    first, *rest = command
    return subprocess.run(
        [str(BIN / first), *rest], cwd=course.root, env=ENVIRONMENT, text=True, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def handed_in(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The fixture course with a due date and a late policy, and a class that has handed in."""
    root = tmp_path_factory.mktemp("late") / "course"
    shutil.copytree(built_fixture_course.root, root)
    settings = (root / "course.toml").read_text(encoding="utf-8").replace("[limits]", POLICY, 1)
    (root / "course.toml").write_text(settings + "due = 2026-12-18T23:59:00+08:00\n", encoding="utf-8")
    course = load_course(root)
    assignment = load_assignment(course, "basics")
    made = {one.student: one for one in make_class(assignment, source_notebook(course, assignment))}
    for student, stamp in STAMPS.items():
        folder = course.private_dir / "submitted" / student / "basics"
        folder.mkdir(parents=True)
        (folder / "basics.ipynb").write_text(made[student].text, encoding="utf-8")
        (folder / "timestamp.txt").write_text(stamp, encoding="utf-8")
    (course.private_dir / "extensions.csv").write_text("student,assignment,days\nchen,basics,2\n", encoding="utf-8")
    done = run(course, "nbgrader", "generate_assignment", "basics", "--force")
    assert done.returncode == 0, done.stderr
    return course


@pytest.fixture(scope="module")
def graded(handed_in: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The same class after `autograder grade`."""
    root = tmp_path_factory.mktemp("graded") / "course"
    shutil.copytree(handed_in.root, root)
    course = load_course(root)
    done = run(course, "autograder", "grade", "basics", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    return course


def gradebook(course: Course) -> Gradebook:
    return Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id)


def rows(course: Course) -> list[tuple]:
    """Of each submission: student, time stamp, extension, penalty; and the assignment's due date."""
    query = """
        select student_id, submitted_assignment.timestamp, submitted_assignment.extension,
               submitted_notebook.late_submission_penalty, assignment.duedate
        from submitted_notebook
        join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
        join assignment on submitted_assignment.assignment_id = assignment.id order by 1
    """
    with sqlite3.connect(course.private_dir / "gradebook.db") as database:
        return database.execute(query).fetchall()


def test_generate_assignment_puts_the_due_date_into_the_gradebook_in_utc(handed_in: Course):
    with gradebook(handed_in) as book:
        assert book.find_assignment("basics").duedate.isoformat() == "2026-12-18T15:59:00"


def test_grade_and_nbgrader_autograde_write_the_same_penalties(handed_in: Course, graded: Course, tmp_path: Path):
    shutil.copytree(handed_in.root, tmp_path / "course")
    stock = load_course(tmp_path / "course")
    done = run(stock, "nbgrader", "autograde", "basics")
    assert done.returncode == 0, done.stderr
    assert rows(stock) == rows(graded)
    assert [row[3] is not None for row in rows(stock)] == [LOST[row[0]] > 0 for row in rows(stock)]


@pytest.mark.parametrize(("student", "percent"), LOST.items())
def test_a_penalty_is_a_percentage_of_the_points_earned(graded: Course, student: str, percent: int):
    with gradebook(graded) as book:
        submission = book.find_submission("basics", student)
        assert submission.late_submission_penalty == pytest.approx(submission.score * percent / 100)


def test_the_export_subtracts_the_penalty_and_is_never_negative(graded: Course):
    assert run(graded, "nbgrader", "export").returncode == 0
    with (graded.root / "grades.csv").open(encoding="utf-8") as file:
        exported = {row["student_id"]: row for row in csv.DictReader(file)}
    ada = exported["ada"]
    assert float(ada["score"]) == pytest.approx(0.8 * float(ada["raw_score"])) and float(ada["score"]) > 0
    assert float(exported["ivan"]["score"]) == 0


def test_after_manual_grading_the_penalty_is_written_anew_and_listed(graded: Course, tmp_path: Path):
    shutil.copytree(graded.root, tmp_path / "course")
    course = load_course(tmp_path / "course")
    with gradebook(course) as book:
        before = book.find_submission("basics", "ada").late_submission_penalty
        (written,) = [
            g for n in book.find_submission("basics", "ada").notebooks for g in n.grades if g.cell_type == "markdown"
        ]
        written.manual_score = 2.0
        book.db.commit()
    done = run(course, "autograder", "late")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "5 submissions, 2 late; 1 score changed."
    assert "ada" in done.stdout and "dmitri" not in done.stdout
    with gradebook(course) as book:
        assert book.find_submission("basics", "ada").late_submission_penalty == pytest.approx(before + 0.4)


def test_a_new_extension_takes_the_penalty_away_although_no_result_changes(graded: Course, tmp_path: Path):
    shutil.copytree(graded.root, tmp_path / "course")
    course = load_course(tmp_path / "course")
    with (course.private_dir / "extensions.csv").open("a", encoding="utf-8") as file:
        file.write("ada,basics,2\n")
    done = run(course, "autograder", "grade", "basics")
    assert done.stdout.splitlines()[0] == "0 judged, 5 unchanged since they were judged before."
    assert {row[0]: row[3] for row in rows(course)}["ada"] is None


@pytest.mark.parametrize("command", [("autograder", "grade", "basics"), ("nbgrader", "autograde", "basics")])
def test_a_faulty_extension_ends_every_door_with_one_sentence(graded: Course, tmp_path: Path, command):
    shutil.copytree(graded.root, tmp_path / "course")
    course = load_course(tmp_path / "course")
    file = course.private_dir / "extensions.csv"
    file.write_text("student,assignment,days\nada,basics,soon\n", encoding="utf-8")
    done = run(course, *command)
    assert done.returncode != 0
    assert f"In {file}, line 2, days is 'soon'; allowed is a whole number of days from 1 to 1000." in done.stderr
    assert "Traceback" not in done.stderr
