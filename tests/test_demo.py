"""The demo: one assignment through both doors, in a folder of its own, whatever else the course has."""

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import BIN

from autograder.course import Course, load_course
from autograder.demo.run import THROUGH_NBGRADER, DemoError, Grade, refuse_other_points


def demo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "140", "NO_COLOR": "1", "PATH": os.defpath}
    command = [str(BIN / "autograder"), "demo", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, check=False)


def add_assignment(course: Course, name: str) -> Course:
    """The course with the sources of `basics` under another name too, of which nothing is built."""
    for parent in (course.assignments_dir, course.solutions_dir):
        shutil.copytree(parent / "basics", parent / name, ignore=shutil.ignore_patterns("*.npz", "*.ipynb"))
    (course.assignments_dir / name / "basics.md").rename(course.assignments_dir / name / f"{name}.md")
    with (course.root / "course.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[[assignments]]\nname = "{name}"\ntitle = "Copy called {name}"\n')
    return load_course(course.root)


def rows(printed: str) -> dict[str, list[str]]:
    """The cells of each student's row."""
    cells = ([cell.strip() for cell in line.split("│")[1:-1]] for line in printed.splitlines())
    return {row[0]: row[1:] for row in cells if len(row) == 4 and row[0]}


@pytest.fixture(scope="module")
def course(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("demo") / "course"
    shutil.copytree(built_fixture_course.root, root)
    return add_assignment(load_course(root), "other")


@pytest.fixture(scope="module")
def shown(course: Course) -> subprocess.CompletedProcess[str]:
    done = demo(cwd=course.root)
    assert done.returncode == 0, done.stderr
    return done


def test_it_shows_the_grades_of_the_first_assignment_alone(shown, course):
    assert "basics: Basics" in shown.stdout and "other" not in shown.stdout + shown.stderr
    assert not (course.build_dir / "examples" / "other.npz").exists()
    assert not (course.build_dir / "source" / "other").exists()
    grades = rows(shown.stdout)
    assert len(grades) == 13
    maximum = grades["ada"][1].split(" of ")[1].strip()
    assert grades["ada"][1] == f"{maximum} of {maximum}" and grades["ivan"][1] == f"0 of {maximum}"
    assert float(grades["kofi"][1].split(" of ")[0]) < float(maximum)
    assert grades["mei"][1] == "not graded" and "is not a notebook" in shown.stdout
    assert "basics: most common mistakes" in shown.stdout


def test_nbgrader_itself_grades_three_to_the_same_points(shown, course):
    assert f"`nbgrader autograde` gave {', '.join(THROUGH_NBGRADER)} the same points" in shown.stdout
    log = (course.build_dir / "demo" / "nbgrader.log").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ nbgrader (\w+)", log, re.MULTILINE)
    assert commands == ["generate_assignment", "autograde", "generate_feedback", "export"]
    graded = re.findall(r"Writing .*/autograded/(\w+)/basics/basics.ipynb", log.replace("\\", "/"))
    assert set(graded) == set(THROUGH_NBGRADER)


def test_what_it_says_is_there_is_there(shown, course):
    where = dict(line.split("  ", 1) for line in shown.stdout.splitlines() if re.match(r"[A-Z][a-z ]+  ", line))
    assert Path(where["Feedback page"].strip()).is_file() and Path(where["Class report"].strip()).is_file()
    made = course.build_dir / "demo"
    assert len(list(made.glob("private/feedback/*/basics/basics.html"))) == len(THROUGH_NBGRADER)
    assert "is not a notebook" in (made / "private" / "reports" / "basics.html").read_text(encoding="utf-8")
    gradebook, grades = re.findall(r"(/\S+\.(?:db|csv))\b", where["Gradebook"])
    assert Path(gradebook).is_file()
    with Path(grades).open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 13
    jupyter = re.search(r"&& (\S+) lab", where["Formgrader"])
    assert jupyter is not None and Path(jupyter[1]).is_file()


def test_without_a_terminal_it_says_each_stage_with_the_time(shown):
    stages = [
        re.fullmatch(r"\d\d:\d\d:\d\d  (.*?)( \d+ of \d+)?(, \d+ s)?", line) for line in shown.stderr.splitlines()
    ]
    assert None not in stages
    said = list(dict.fromkeys(stage[1] for stage in stages if stage is not None))
    assert said == [
        "loading torch and nbgrader",
        "basics: what has to be built",
        "basics: notebooks",
        "basics: nbgrader generate_assignment",
        "basics: a class hands in",
        "basics: nbgrader autograde",
        "basics: autograder grade",
        "basics: nbgrader generate_feedback",
        "report",
        "nbgrader export",
    ]


def test_two_doors_that_give_different_points_end_the_demo():
    grades = [Grade("ada", "", 3.0, False, ""), Grade("boris", "", 1.0, False, "")]
    refuse_other_points("basics", {"ada": 3.0}, grades)
    with pytest.raises(DemoError, match=r"basics: `nbgrader autograde` gave ada 2\.5 points"):
        refuse_other_points("basics", {"ada": 2.5}, grades)


def test_all_shows_a_table_for_each_assignment(course):
    done = demo("--all", "--out", "all", cwd=course.root)
    assert done.returncode == 0, done.stderr
    assert "basics: Basics" in done.stdout and "other: Copy called other" in done.stdout
    assert "all-assignments.html" in done.stdout
    assert len(list((course.root / "all").glob("private/feedback/*/*/*.html"))) == 2 * len(THROUGH_NBGRADER)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("basic",), 2, "did you mean basics?"),
        (("basics", "--all"), 2, "basics and --all were given; allowed is one of them."),
    ],
)
def test_what_cannot_be_shown_is_said(course, arguments, code, says):
    done = demo(*arguments, cwd=course.root)
    assert done.returncode == code and says in done.stderr


def test_a_course_without_a_configuration_of_nbgrader_is_told_so(fixture_course: Course):
    (fixture_course.root / "nbgrader_config.py").unlink()
    done = demo(cwd=fixture_course.root)
    assert done.returncode == 1 and "has no nbgrader_config.py; copy the one" in done.stderr


def test_it_does_not_replace_a_folder_that_is_not_its_own(fixture_course: Course, tmp_path):
    keep = tmp_path / "mine"
    keep.mkdir()
    (keep / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = demo("--out", str(keep), cwd=fixture_course.root)
    assert done.returncode == 1 and "was not made by a demo" in done.stderr
    assert (keep / "thesis.txt").read_text(encoding="utf-8") == "years of work"
