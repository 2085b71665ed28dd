"""An instructor's day with stock commands: from a built course through a real exchange folder to returned feedback."""

import csv
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import BIN, ROOT
from nbgrader.api import Gradebook

from autograder.course import Course, load_course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment

STUDENTS = {"ada": "ada", "chen": "chen", "ben": None, "fay": "ada"}
ADDED = {
    "cell_type": "code",
    "id": "scratch",
    "metadata": {},
    "source": "1 + 1",
    "outputs": [],
    "execution_count": None,
}


@dataclass
class Day:
    """The course, the folder of each student, and what was typed and answered."""

    course: Course
    folder: Path
    transcript: list[str] = field(default_factory=list)

    def run(self, command: str, student: str = "", fails: bool = False) -> str:
        """Runs a command in the course's folder, or as a student in theirs, where no configuration is found."""
        where = self.folder / student if student else self.course.root
        program, *arguments = command.split()
        shown = command
        if student:
            # One user of this machine plays all students, so each says who they are; a student's computer knows.
            arguments += [f"--Exchange.root={self.folder / 'exchange'}", f"--CourseDirectory.student_id={student}"]
            arguments += ["--course", self.course.course_id]
        elif "collect" in command:
            arguments += ["--ExchangeCollect.check_owner=False"]
        environment = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_COURSE"}
        environment |= {
            "AUTOGRADER_EXCHANGE": str(self.folder / "exchange"),
            "JUPYTER_DATA_DIR": str(self.folder / "jupyter" / (student or "instructor")),
            "JUPYTER_CONFIG_DIR": str(self.folder / "jupyter" / "configuration"),
        }
        done = subprocess.run(
            [str(BIN / program), *arguments], cwd=where, env=environment, text=True, capture_output=True, check=False
        )
        said = (done.stdout + done.stderr).replace(str(self.folder), "")
        self.transcript.append(f"{student or 'instructor'}$ {shown}\n{said}")
        assert (done.returncode != 0) == fails, self.transcript[-1]
        return said


def work(day: Day, student: str, text: str | None) -> None:
    """Puts what the student hands in over the fetched notebook; None is a file that is no notebook."""
    path = day.folder / student / "basics" / "basics.ipynb"
    if text is None:
        path.write_text('{"cells": [', encoding="utf-8")
        return
    notebook = json.loads(text)
    if student == "fay":
        notebook["cells"].insert(3, ADDED)
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture(scope="module")
def day(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The day up to the written question: released, fetched, submitted, collected and graded."""
    folder = tmp_path_factory.mktemp("day")
    shutil.copytree(built_fixture_course.root, folder / "course")
    (folder / "exchange").mkdir()
    (folder / "exchange").chmod(0o777)
    day = Day(load_course(folder / "course"), folder)
    try:
        day.run("autograder build")
        day.run("nbgrader generate_assignment basics")
        day.run("nbgrader release_assignment basics")
        assignment = load_assignment(day.course, "basics")
        made = {m.student: m.text for m in make_class(assignment, source_notebook(day.course, assignment))}
        for student, like in STUDENTS.items():
            (folder / student).mkdir()
            day.run("nbgrader fetch_assignment basics", student)
            work(day, student, made[like] if like else None)
            day.run("nbgrader submit basics", student)
        day.run("nbgrader list --inbound")
        day.run("nbgrader collect basics")
        second = folder / "second"
        shutil.copytree(day.course.root, second)
        day.run("nbgrader autograde basics")
        with_grade = Day(load_course(second), folder, day.transcript)
        with_grade.run("autograder grade basics", fails=True)
        grade_the_written_question(day.course)
        day.run("nbgrader generate_feedback basics")
        day.run("nbgrader release_feedback basics")
        for student, like in STUDENTS.items():
            if like:
                day.run("nbgrader fetch_feedback basics", student)
        day.run("nbgrader export")
    finally:
        transcript = ROOT / "build" / "day" / "transcript.txt"
        transcript.parent.mkdir(parents=True, exist_ok=True)
        transcript.write_text("\n".join(day.transcript), encoding="utf-8")
    return day


def grade_the_written_question(course: Course) -> None:
    """What the formgrader does when a person types points and a comment."""
    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
        submission = gradebook.find_submission("basics", "ada")
        (notebook,) = submission.notebooks
        (grade,) = [g for g in notebook.grades if g.cell.cell_type == "markdown"]
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        comment = next(c for c in notebook.comments if c.name == grade.name)
        comment.manual_comment = "Half a point is missing."
        gradebook.db.commit()


def automatic_scores(course: Course) -> dict[tuple[str, str], float | None]:
    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
        return {
            (submission.student.id, grade.name): grade.auto_score
            for submission in gradebook.assignment_submissions("basics")
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def test_checks_and_examples_travel_with_the_notebook(day: Day):
    for student in STUDENTS:
        for file in ("checks.py", "examples.npz"):
            fetched = day.folder / student / "basics" / file
            assert fetched.read_bytes() == (day.course.build_dir / "release" / "basics" / file).read_bytes()


def test_check_works_in_the_fetched_folder(day: Day):
    notebook = day.folder / "ada" / "basics" / "basics.ipynb"
    command = [str(BIN / "autograder"), "check", str(notebook)]
    done = subprocess.run(command, cwd=day.folder / "ada", text=True, capture_output=True, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert "grade_letter" in done.stdout


def test_both_ways_to_grade_write_equal_scores_for_who_can_be_graded(day: Day):
    by_nbgrader, by_grade = (automatic_scores(c) for c in (day.course, load_course(day.folder / "second")))
    graded = {key: score for key, score in by_nbgrader.items() if key[0] != "ben"}
    assert {student for student, _ in graded} == {"ada", "chen", "fay"}
    assert {key: score for key, score in by_grade.items() if key[0] != "ben"} == graded


def test_export_adds_the_points_that_a_person_gave(day: Day):
    with (day.course.root / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    automatic = {s: sum(v or 0 for (who, _), v in automatic_scores(day.course).items() if who == s) for s in STUDENTS}
    assert rows["ada"] == pytest.approx(automatic["ada"] + 1.5)
    assert rows["fay"] == pytest.approx(automatic["ada"])
    assert rows["chen"] == pytest.approx(automatic["chen"])
    assert 0 < rows["chen"] < automatic["ada"]


def test_the_student_fetches_feedback_with_the_comment(day: Day):
    (page,) = (day.folder / "ada" / "basics" / "feedback").rglob("basics.html")
    assert "Half a point is missing." in page.read_text(encoding="utf-8")
