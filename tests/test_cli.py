"""The commands as a person types them: what they print, and how they end."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import torch
from conftest import BIN, ROOT

from autograder.course import Course


def autograder(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
    command = [str(BIN / "autograder"), *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, check=False)


@pytest.mark.parametrize("command", ["new", "preview", "build", "check", "judge", "verify", "demo"])
def test_every_command_explains_itself_with_an_example(command):
    done = autograder(command, "--help", cwd=ROOT)
    assert done.returncode == 0
    assert f"Example: autograder {command}" in " ".join(done.stdout.split())


def test_build_says_what_it_built_and_then_that_nothing_is_left(fixture_course: Course):
    (fixture_course.assignments_dir / "basics" / "basics.ipynb").unlink()
    stale = autograder("build", "--check", cwd=fixture_course.root)
    assert (stale.returncode, stale.stdout) == (1, "stale  assignments/basics/basics.ipynb  (missing)\n")
    built = autograder("build", "basics", cwd=fixture_course.root)
    assert (built.returncode, built.stdout) == (0, "built  assignments/basics/basics.ipynb  (missing)\n")
    again = autograder("build", "--check", cwd=fixture_course.root)
    assert (again.returncode, again.stdout) == (0, "Everything is up to date.\n")


def test_check_prints_each_exercise_in_plain_text(built_fixture_course: Course):
    notebook = built_fixture_course.assignments_dir / "basics" / "basics.ipynb"
    done = autograder("check", str(notebook), cwd=built_fixture_course.root)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("0 of ")
    assert "grade_letter: 0 of" in done.stdout and "Traceback" not in done.stdout + done.stderr


def test_judge_prints_the_record(built_fixture_course: Course):
    reference = "solutions/basics/reference.py"
    done = autograder("judge", reference, "--assignment", "basics", "--json", cwd=built_fixture_course.root)
    record = json.loads(done.stdout)
    assert (done.returncode, record["schema"]) == (0, 1)
    assert record["score"] == record["max_score"] > 0


def test_verify_prints_the_record(built_fixture_course: Course):
    done = autograder("verify", "--json", "--no-notebook", cwd=built_fixture_course.root)
    record = json.loads(done.stdout)
    keys = {"schema", "assignments", "exercises", "checks", "mistakes", "mistakes_caught", "mistakes_caught_visible"}
    assert done.returncode == 0
    keys |= {"mistakes_named", "alternatives", "breaches", "warnings", "per_assignment"}
    keys |= {"mutants", "mutants_caught", "mutants_equivalent", "mutants_named"}
    assert keys == record.keys()
    assert (record["schema"], record["assignments"], record["breaches"]) == (2, 1, [])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["build", "basic"], 2, "did you mean basics?"),
        (["build", "basics", "--only", "softmax"], 2, "basics has no exercise 'softmax', allowed are EarlyStopping,"),
        (["build", "basics", "--check", "--only", "dropout"], 2, "--only says which exercises of one assignment"),
        (["verify", "activation"], 2, "assignments[].name is never 'activation'"),
        (["judge", "nothing.ipynb"], 3, "nothing.ipynb cannot be read: No such file or directory."),
        (["judge", "solutions/basics/reference.py"], 2, "give --assignment NAME"),
        (["judge", "broken.ipynb", "--assignment", "basics"], 3, "broken.ipynb is not a notebook: not JSON at line 1"),
        (["check", "empty.ipynb"], 3, "empty.ipynb is empty."),
        (["judge"], 2, "Missing argument"),
    ],
)
def test_a_fault_is_one_sentence_and_an_exit_code(fixture_course: Course, arguments, code, says):
    (fixture_course.root / "broken.ipynb").write_text("{", encoding="utf-8")
    (fixture_course.root / "empty.ipynb").write_text("\n", encoding="utf-8")
    done = autograder(*arguments, cwd=fixture_course.root)
    assert done.returncode == code
    assert says in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("file", "begins", "says"),
    [
        (
            "assignments/basics/checks.py",
            "from math import nothing",
            "line 1: ImportError: cannot import name 'nothing'",
        ),
        ("solutions/basics/hidden.py", "1 / 0", "line 1: ZeroDivisionError: division by zero"),
        ("solutions/basics/mistakes.py", "def (:", "line 1: SyntaxError: invalid syntax"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_one_sentence(fixture_course: Course, file, begins, says):
    path = fixture_course.root / file
    path.write_text(f"{begins}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    done = autograder("build", "basics", cwd=fixture_course.root)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"{path}, {says}")


def test_a_build_of_some_exercises_says_what_is_still_stale(fixture_course: Course):
    mistakes = fixture_course.solutions_dir / "basics" / "mistakes.py"
    text = mistakes.read_text(encoding="utf-8").replace('"EDCBAA"', '"ZDCBAA"')
    mistakes.write_text(text.replace("deviation > 1e-12", "deviation > 1e-13"), encoding="utf-8")
    done = autograder("build", "basics", "--only", "grade_letter", cwd=fixture_course.root)
    assert done.returncode == 0, done.stderr
    assert "Still stale: standardize. Nothing is checked or graded before `autograder build`." in done.stdout
    listed = [line for line in done.stdout.splitlines() if "what it was made from has changed: " in line]
    assert len(listed) == 2 and all("grade_letter" in line and "standardize" not in line for line in listed)
    refused = autograder("judge", "solutions/basics/reference.py", "--assignment", "basics", cwd=fixture_course.root)
    assert refused.returncode == 1 and "is built in part only: run `autograder build`" in refused.stderr
    done = autograder("build", "basics", "--only", "standardize", cwd=fixture_course.root)
    assert done.returncode == 0 and "Still stale" not in done.stdout


def test_an_assignment_that_cannot_be_built_leaves_no_other_unbuilt(fixture_course: Course):
    for folder in (fixture_course.assignments_dir, fixture_course.solutions_dir):
        shutil.copytree(folder / "basics", folder / "broken")
    broken = fixture_course.assignments_dir / "broken"
    (broken / "basics.md").rename(broken / "broken.md")
    (broken / "checks.py").write_text("def (\n", encoding="utf-8")
    rows = fixture_course.root / "course.toml"
    first = '[[assignments]]\nname = "broken"\ntitle = "Broken"\n\n[[assignments]]'
    rows.write_text(rows.read_text(encoding="utf-8").replace("[[assignments]]", first, 1), encoding="utf-8")
    (fixture_course.assignments_dir / "basics" / "basics.ipynb").unlink()
    done = autograder("build", cwd=fixture_course.root)
    assert done.returncode == 1 and f"{broken / 'checks.py'}, line 1: SyntaxError" in done.stderr
    assert "built  assignments/basics/basics.ipynb  (missing)" in done.stdout.splitlines()


def test_a_command_finds_those_of_its_environment_where_that_is_not_activated(fixture_course: Course):
    """nbgrader starts `alembic` by name for a new gradebook."""
    submitted = fixture_course.private_dir / "submitted" / "ada" / "basics"
    submitted.mkdir(parents=True)
    shutil.copy(fixture_course.assignments_dir / "basics" / "basics.ipynb", submitted)

    def grade() -> tuple[int, str]:
        done = subprocess.run(
            [str(BIN / "autograder"), "grade", "basics"],
            cwd=fixture_course.root,
            env={"HOME": os.environ["HOME"], "PATH": os.defpath},
            text=True,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stderr

    gradebook = fixture_course.private_dir / "gradebook.db"
    refused = 2, "basics is not in the gradebook yet: run `nbgrader generate_assignment basics` first.\n"
    assert grade() == refused and not gradebook.exists()
    gradebook.touch()  # for nbgrader as new as one that is missing
    assert grade() == refused
    with closing(sqlite3.connect(gradebook)) as opened:
        assert opened.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert grade() == refused


def test_examples_that_are_not_built_are_asked_for(fixture_course: Course):
    (fixture_course.build_dir / "examples" / "basics.npz").unlink()
    done = autograder("judge", "solutions/basics/reference.py", "--assignment", "basics", cwd=fixture_course.root)
    assert done.returncode == 1
    assert "basics.npz is missing: run `autograder build`" in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there_is_named(fixture_course: Course):
    command = "judge", "solutions/basics/reference.py", "--assignment", "basics", "--device", "cuda"
    done = autograder(*command, cwd=fixture_course.root)
    assert done.returncode == 2
    assert done.stderr.startswith("--device is cuda, but torch finds no GPU here")
