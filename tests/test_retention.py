"""`autograder student ID list|export|delete`: everything about one student, and nothing about anybody else."""

import json
import os
import shutil
import sqlite3
import zipfile
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from conftest import BIN, ROOT
from nbgrader.api import Gradebook
from nbgrader.utils import notebook_hash
from typer.testing import CliRunner

from autograder.cli import app
from autograder.course import Course, load_course
from autograder.retention.named import mentioning, named_after

# Paths below the course's folder; the first are ada's, and nobody else's.
ADAS = (
    "private/submitted/ada/basics/basics.ipynb",
    "private/submitted/ada/basics/submission_secret.txt",
    "private/autograded/ada/basics/basics.ipynb",
    "private/feedback/ada/basics/basics.html",
    "private/attempts/basics/ada/1/basics.ipynb",
    "private/attempts/basics/ada_2026-12-18.ipynb",
    "private/results/basics/ada.json",
    "private/unmatched/basics/Lovelace_77_basics.ipynb",
    "exchange/fixture/inbound/ada+basics+2026-12-18 15:00:00 UTC+abc/basics.ipynb",
)
OTHERS = (
    "private/submitted/adam/basics/basics.ipynb",
    "private/submitted/ada-2/basics/basics.ipynb",
    "private/results/basics/adam.json",
    "private/results/basics/ada-2.json",
    "private/unmatched/basics/Nobody_78_basics.ipynb",
    "exchange/fixture/inbound/adam+basics+2026-12-18 15:00:00 UTC+abc/basics.ipynb",
)
TABLES = {
    "private/students.csv": (
        "\ufeffid,name,email,section\r\n",
        "ada,Ada L.,ada@x.edu,A\r\n",
        "adam,Adam,adam@x.edu,A\r\n",
    ),
    "private/extensions.csv": (
        "student,assignment,days,reason\n",
        'ada,basics,2,"flu,\nand more"\n',
        "adam,basics,1,\n",
    ),
    "private/unmatched/basics.csv": (
        "file,student\n",
        "Lovelace_77_basics.ipynb,ada@x.edu\n",
        "Nobody_78_basics.ipynb,\n",
    ),
    "private/results/basics.jsonl": ("", '{"student":"ada","result":null}\n', '{"student":"adam","result":null}\n'),
    "grades.csv": ("assignment,student_id,score\n", "basics,ada,3\n", "basics,adam,4\n"),
}


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def fill_gradebook(course: Course) -> None:
    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as book:
        book.add_assignment("basics")
        book.add_notebook("basics", "basics")
        book.add_grade_cell("check-a", "basics", "basics", max_score=1, cell_type="code")
        book.add_solution_cell("a", "basics", "basics")
        for student in ("ada", "adam"):
            book.add_student(student, first_name=student.title(), email=f"{student}@x.edu")
            book.add_submission("basics", student)
            book.find_grade("check-a", "basics", "basics", student).auto_score = 1.0
            book.find_comment("a", "basics", "basics", student).manual_comment = f"Well done, {student}."
        book.db.commit()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in which much is held about two students."""
    root = tmp_path_factory.mktemp("held") / "course"
    shutil.copytree(ROOT / "tests" / "fixture_course", root)
    with (root / "course.toml").open("a", encoding="utf-8") as file:
        file.write("due = 2026-12-18T23:59:00+08:00\n")
    configuration = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    put(root / "nbgrader_config.py", f"{configuration}\nc.Exchange.root = str(Path(__file__).parent / 'exchange')\n")
    for path in (*ADAS, *OTHERS):
        put(root / path, "secret-of-ada" if path.endswith("secret.txt") else f"about {path}")
    page = notebook_hash(secret="secret-of-ada", notebook_id="basics")
    put(root / "exchange" / "fixture" / "feedback" / f"{page}.html", "feedback")
    put(root / "exchange" / "fixture" / "feedback" / "0123.html", "feedback")
    for name, lines in TABLES.items():
        put(root / name, "".join(lines))
    put(root / "private" / "reports" / "basics.html", "<td>ada</td>")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(BIN), prepend=os.pathsep)  # nbgrader starts alembic by name
        fill_gradebook(load_course(root))
    return root


@pytest.fixture
def course(filled: Path, tmp_path: Path) -> Course:
    shutil.copytree(filled, tmp_path / "course")
    return load_course(tmp_path / "course")


def student(course: Course, *arguments: str, answer: str = "") -> Any:
    """The command in this process: starting nbgrader anew for each would take most of the time."""
    with chdir(course.root):
        return CliRunner().invoke(app, ["student", *arguments], input=answer)


def state(course: Course) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in course.root.rglob("*") if path.is_file()}


def test_the_list_names_every_place_and_changes_nothing(course: Course):
    before = state(course)
    done = student(course, "ada", "list")
    assert done.exit_code == 0, done.stderr
    for place in ("private/submitted/ada", "private/attempts/basics/ada", "Lovelace_77", "inbound/ada+", *TABLES):
        assert place in done.stdout, place
    assert "gradebook" in done.stdout and "adam" not in done.stdout and "ada-2" not in done.stdout
    assert state(course) == before


def test_an_export_holds_files_rows_and_gradebook_of_this_student_alone(course: Course):
    before = state(course)
    done = student(course, "ada", "export", "--to", str(course.root.parent / "out.zip"))
    assert done.exit_code == 0, done.stderr
    with zipfile.ZipFile(course.root.parent / "out.zip") as archive:
        files = {name for name in archive.namelist() if name.startswith("files/")}
        about = json.loads(archive.read("student.json"))
    assert files >= {f"files/{path}" for path in ADAS if path.startswith("private")}
    assert not [name for path in OTHERS for name in files if path in name]
    assert about["rows"]["private/extensions.csv"] == list(TABLES["private/extensions.csv"][:2])
    (submission,) = about["gradebook"]["submissions"]
    (notebook,) = submission["notebooks"]
    assert notebook["grades"][0]["auto_score"] == 1.0
    assert notebook["comments"][0]["manual_comment"] == "Well done, ada."
    assert "adam" not in json.dumps(about)
    assert state(course) == before


def test_after_a_deletion_a_search_for_the_id_finds_nothing(course: Course):
    done = student(course, "ada", "delete", "--yes")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert [path for path in course.private_dir.rglob("*") if path.name.split(".")[0] == "ada"] == []
    assert list(mentioning(course.private_dir, "ada", ("ada-2",))) == []
    assert [path for path in ADAS if (course.root / path).exists()] == []
    assert [path.name for path in (course.root / "exchange" / "fixture" / "feedback").iterdir()] == ["0123.html"]
    assert student(course, "ada", "list").stdout == "Nothing is held about ada.\n"


def test_a_deletion_leaves_everybody_else_as_they_were(course: Course):
    before = state(course)
    student(course, "ada", "delete", "--yes")
    for path in OTHERS:
        assert (course.root / path).read_bytes() == before[str(course.root / path)]
    for name, (header, _, other) in TABLES.items():
        assert (course.root / name).read_bytes() == (header + other).encode()
    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as book:
        assert [one.id for one in book.students] == ["adam"]
        assert book.find_submission("basics", "adam").score == 1.0


def test_a_deletion_leaves_no_row_without_a_student_in_the_gradebook(course: Course):
    student(course, "ada", "delete", "--yes")
    tables = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")
    with sqlite3.connect(course.private_dir / "gradebook.db") as database:
        assert [database.execute(f"select count(*) from {table}").fetchone()[0] for table in tables] == [1] * 5


@pytest.mark.parametrize("answer", ["n\n", "", "\n"])
def test_nothing_is_deleted_without_a_yes(course: Course, answer: str):
    before = state(course)
    done = student(course, "ada", "delete", answer=answer)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, "Nothing was deleted.")
    assert state(course) == before


def test_a_yes_deletes(course: Course):
    done = student(course, "ada", "delete", answer="y\n")
    assert done.exit_code == 0 and not (course.private_dir / "submitted" / "ada").exists()


def test_what_still_mentions_the_student_is_named(course: Course):
    put(course.private_dir / "notes.txt", "Talk to ada.")
    done = student(course, "ada", "delete", "--yes")
    assert done.exit_code == 1
    assert done.stderr == "ada still stands in 1 file for you to look at:\n  private/notes.txt\n"


def test_a_link_is_deleted_and_what_it_leads_to_is_not(course: Course):
    put(course.root / "elsewhere" / "kept.txt", "kept")
    (course.private_dir / "feedback" / "extra").mkdir()
    (course.private_dir / "feedback" / "extra" / "ada").symlink_to(course.root / "elsewhere")
    assert student(course, "ada", "delete", "--yes").exit_code == 0
    assert not (course.private_dir / "feedback" / "extra" / "ada").is_symlink()
    assert (course.root / "elsewhere" / "kept.txt").is_file()


@pytest.mark.parametrize("name", ["", ".", "..", "../submitted", "a/b"])
def test_an_id_that_is_a_path_is_refused(course: Course, name: str):
    done = student(course, name, "list")
    assert done.exit_code == 2 and "Traceback" not in done.stderr
    assert done.stderr.endswith("allowed is an id as in private/students.csv.\n")


def test_without_a_gradebook_none_is_made(course: Course):
    (course.private_dir / "gradebook.db").unlink()
    assert student(course, "ada", "list").exit_code == 0
    assert not (course.private_dir / "gradebook.db").exists()


@pytest.mark.parametrize(
    ("name", "others", "found"),
    [
        ("ada", (), True),
        ("ada.json", (), True),
        (".ada.1234.part", (), True),
        ("ada-2.ipynb", (), True),
        ("ada-2.ipynb", ("ada-2",), False),
        ("ada.b", (), False),
        ("adam", (), False),
        ("ada_byron", (), False),
        ("lada", (), False),
    ],
)
def test_a_name_is_a_students_if_it_is_the_id_or_counts_its_attempts(tmp_path: Path, name, others, found):
    put(tmp_path / name, "")
    assert [path.name for path in named_after(tmp_path, "ada", others)] == ([name] if found else [])
