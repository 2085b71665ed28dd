"""The gradebook in another database than SQLite: the same class, the same rows."""

import csv
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import BIN
from postgresql import free_port, new_database, postgresql_server

from autograder.course import Course, load_course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment

STUDENTS = ("ada", "chen", "ivan")


def run(course: Course, program: str, *arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("AUTOGRADER_COURSE",)}
    environment["AUTOGRADER_DB_URL"] = url
    command = [str(BIN / program), *arguments]
    return subprocess.run(command, cwd=course.root, env=environment, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


def graded_class(built: Course, root: Path, grade: tuple[str, ...], url: str) -> list[dict[str, str]]:
    """Grades three submissions and makes their feedback; returns the exported rows."""
    shutil.copytree(built.root, root)
    course = load_course(root)
    assignment = load_assignment(course, "basics")
    made = {m.student: m for m in make_class(assignment, source_notebook(course, assignment))}
    for student in STUDENTS:
        folder = course.private_dir / "submitted" / student / "basics"
        folder.mkdir(parents=True)
        (folder / "basics.ipynb").write_text(made[student].text, encoding="utf-8")
        (folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC", encoding="utf-8")
    for command in (("nbgrader", "generate_assignment", "basics"), grade, ("nbgrader", "generate_feedback", "basics")):
        done = run(course, *command, url=url)
        assert done.returncode == 0, done.stderr
    assert run(course, "nbgrader", "export", url=url).returncode == 0
    assert (course.private_dir / "gradebook.db").exists() == (not url)
    assert all((course.private_dir / "feedback" / s / "basics" / "basics.html").is_file() for s in STUDENTS)
    with (course.root / "grades.csv").open(encoding="utf-8") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["student_id"])


@pytest.fixture(scope="module")
def sqlite_rows(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    root = tmp_path_factory.mktemp("sqlite") / "course"
    return graded_class(built_fixture_course, root, ("autograder", "grade", "basics"), "")


@pytest.mark.parametrize("grade", [("autograder", "grade", "basics"), ("nbgrader", "autograde", "basics")])
def test_a_class_in_postgresql_equals_the_one_in_sqlite(grade, server, sqlite_rows, built_fixture_course, tmp_path):
    url = new_database(server, f"by_{grade[0]}")
    rows = graded_class(built_fixture_course, tmp_path / "course", grade, url)
    assert [row["student_id"] for row in rows] == list(STUDENTS)
    assert rows == sqlite_rows


@pytest.mark.parametrize(
    "url, sentence",
    [
        (
            "postgresql://course:s3cret-word@127.0.0.1:{port}/grades",
            "no connection to postgresql+psycopg://course:***@",
        ),
        (
            "mongodb://course:s3cret-word@127.0.0.1/grades",
            "found the scheme mongodb; allowed are postgresql and sqlite",
        ),
        ("s3cret-word", "this is no database URL"),
    ],
)
@pytest.mark.parametrize("program", [("nbgrader", "export"), ("autograder", "grade", "basics")])
def test_a_database_that_cannot_be_used_ends_in_one_sentence_without_the_password(
    program, url, sentence, fixture_course
):
    submitted = fixture_course.private_dir / "submitted" / "ada" / "basics"
    submitted.mkdir(parents=True)
    shutil.copy(fixture_course.build_dir / "source" / "basics" / "basics.ipynb", submitted)
    done = run(fixture_course, *program, url=url.format(port=free_port()))
    said = done.stderr + done.stdout
    assert done.returncode != 0
    assert f"AUTOGRADER_DB_URL: {sentence}" in " ".join(said.split())
    assert "Traceback" not in said and "s3cret-word" not in said


def test_the_file_names_the_database_where_the_variable_does_not(fixture_course):
    fixture_course.private_dir.mkdir(exist_ok=True)
    other = fixture_course.root / "other.db"
    (fixture_course.private_dir / "db_url").write_text(f"sqlite:///{other}\n", encoding="utf-8")
    done = run(fixture_course, "nbgrader", "generate_assignment", "basics")
    assert done.returncode == 0, done.stderr
    assert other.is_file() and not (fixture_course.private_dir / "gradebook.db").exists()
