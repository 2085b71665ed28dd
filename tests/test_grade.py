"""`autograder grade`: the class in parallel, resumable, into nbgrader's gradebook; and `nbgrader autograde` by the judge."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from conftest import BIN
from file_attacks import FILE_ATTACKS, FileAttack

from autograder.course import Course, load_course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment

ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_COURSE"}


# For reading one submission, where a file is made to use up all that there is.
SECONDS_TO_READ = 4.0


def run(course: Course, *command: str) -> subprocess.CompletedProcess[str]:
    first, *rest = command
    return subprocess.run(
        [str(BIN / first), *rest], cwd=course.root, env=ENVIRONMENT, text=True, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def released(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The fixture course after `nbgrader generate_assignment`, with a class that has handed in."""
    root = tmp_path_factory.mktemp("class") / "course"
    shutil.copytree(built_fixture_course.root, root)
    course = load_course(root)
    assignment = load_assignment(course, "basics")
    for made in make_class(assignment, source_notebook(course, assignment)):
        folder = course.private_dir / "submitted" / made.student / "basics"
        folder.mkdir(parents=True)
        (folder / "basics.ipynb").write_text(made.text, encoding="utf-8")
    (course.private_dir / "submitted" / "ada" / "basics" / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC")
    assert run(course, "nbgrader", "generate_assignment", "basics").returncode == 0
    return course


@pytest.fixture
def class_(released: Course, tmp_path: Path) -> Course:
    root = tmp_path / "course"
    shutil.copytree(released.root, root)
    return load_course(root)


def rows(course: Course) -> list[tuple]:
    """Every automatic score in the gradebook, with its cell and student, and whether a person has to look."""
    query = """
        select submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.needs_manual_grade
        from grade join submitted_notebook on grade.notebook_id = submitted_notebook.id
        join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
        join base_cell on grade.cell_id = base_cell.id order by 1, 2
    """
    with sqlite3.connect(course.private_dir / "gradebook.db") as database:
        return database.execute(query).fetchall()


def test_a_class_is_graded_once_and_the_broken_file_is_named(class_: Course):
    done = run(class_, "autograder", "grade", "basics")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[0] == "12 judged, 0 unchanged since they were judged before."
    assert "not judged  mei  " in done.stdout and "is not a notebook: not JSON" in done.stdout
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    before, notebooks = rows(class_), list((class_.private_dir / "autograded").rglob("*.ipynb"))
    times = [notebook.stat().st_mtime_ns for notebook in notebooks]
    again = run(class_, "autograder", "grade", "basics")
    assert again.stdout.splitlines()[0] == "0 judged, 12 unchanged since they were judged before."
    assert rows(class_) == before
    assert len(notebooks) == 13 and [notebook.stat().st_mtime_ns for notebook in notebooks] == times
    lines = (class_.private_dir / "results" / "basics.jsonl").read_text(encoding="utf-8").splitlines()
    records = {record["student"]: record for record in map(json.loads, lines)}
    assert records["ada"]["result"]["score"] == records["ada"]["result"]["max_score"]
    assert records["ada"]["submitted"] == "2026-11-21 10:00:00 UTC"
    assert records["mei"]["result"] is None and "not JSON" in records["mei"]["reason"]
    assert {"landlock", "seccomp"} <= set(records["ada"]["result"]["isolation"])


def test_grade_and_nbgrader_autograde_give_the_same_rows(class_: Course, tmp_path: Path):
    other = tmp_path / "other"
    shutil.copytree(class_.root, other)
    run(class_, "autograder", "grade", "basics", "--jobs", "1")
    stock = load_course(other)
    run(stock, "nbgrader", "autograde", "basics")
    of_mei = [row for row in rows(class_) if row[0] == "mei"]
    assert {row[2] for row in of_mei} == {None}
    assert [row for row in rows(class_) if row[0] != "mei"] == [row for row in rows(stock) if row[0] != "mei"]
    for course in (class_, stock):
        assert run(course, "nbgrader", "generate_feedback", "basics").returncode == 0
        page = (course.private_dir / "feedback" / "chen" / "basics" / "basics.html").read_text(encoding="utf-8")
        assert "points" in page and "✗" in page
        assert run(course, "nbgrader", "export").returncode == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there_is_named_before_anything_is_judged(class_: Course):
    done = run(class_, "autograder", "grade", "basics", "--device", "cuda")
    assert done.returncode == 2
    assert done.stderr.startswith("--device is cuda, but torch finds no GPU here")
    assert rows(class_) == []


def test_compare_lists_what_would_change_and_writes_nothing(class_: Course):
    run(class_, "autograder", "grade", "basics", "--student", "ada")
    before = rows(class_)
    path = class_.private_dir / "submitted" / "ada" / "basics" / "basics.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("def grade_letter", "def no_letter"), encoding="utf-8")
    done = run(class_, "autograder", "grade", "basics", "--student", "ada", "--compare")
    assert "would change  ada  " in done.stdout
    assert rows(class_) == before


def test_a_broken_resubmission_leaves_no_old_score(class_: Course):
    run(class_, "autograder", "grade", "basics", "--student", "ada")
    (class_.private_dir / "submitted" / "ada" / "basics" / "basics.ipynb").write_text("{", encoding="utf-8")
    done = run(class_, "autograder", "grade", "basics", "--student", "ada")
    assert done.returncode == 1
    assert {(row[2], row[3]) for row in rows(class_) if row[0] == "ada"} == {(None, 1)}


def test_a_truncated_result_is_judged_again(class_: Course):
    run(class_, "autograder", "grade", "basics", "--student", "ada")
    before = rows(class_)
    kept = class_.private_dir / "results" / "basics" / "ada.json"
    kept.write_bytes(kept.read_bytes()[:100])
    done = run(class_, "autograder", "grade", "basics", "--student", "ada")
    assert done.stdout.startswith("1 judged, 0 unchanged")
    assert rows(class_) == before


def test_a_killed_run_goes_on_and_ends_as_an_undisturbed_one(class_: Course, tmp_path: Path):
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(class_.root, undisturbed)
    run(load_course(undisturbed), "autograder", "grade", "basics")
    results, killed = class_.private_dir / "results" / "basics", 0
    for _ in range(3):
        before = len(list(results.glob("*.json")))
        process = subprocess.Popen(
            [str(BIN / "autograder"), "grade", "basics"],
            cwd=class_.root,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and len(list(results.glob("*.json"))) == before:
            time.sleep(0.01)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert killed
    run(class_, "autograder", "grade", "basics")
    assert rows(class_) == rows(load_course(undisturbed))


def test_a_notebook_that_a_killed_run_did_not_write_any_more_is_written_by_the_next(class_: Course):
    """Rows come first, notebooks after them."""
    for folder in (class_.private_dir / "submitted").iterdir():
        if folder.name not in ("ada", "mei"):
            shutil.rmtree(folder)
    run(class_, "autograder", "grade", "basics")
    before = rows(class_)
    folders = [class_.private_dir / "autograded" / student / "basics" for student in ("ada", "mei")]
    notebooks = [json.loads((folder / "basics.ipynb").read_bytes()) for folder in folders]
    (folders[0] / "basics.ipynb").unlink()
    shutil.rmtree(folders[1])
    run(class_, "autograder", "grade", "basics")
    assert [json.loads((folder / "basics.ipynb").read_bytes()) for folder in folders] == notebooks
    assert (folders[0] / "timestamp.txt").read_text(encoding="utf-8") == "2026-11-21 10:00:00 UTC"
    assert rows(class_) == before
    assert not [path for folder in folders for path in folder.iterdir() if path.name.startswith(".")]


def test_what_a_person_graded_instead_of_the_program_stays_graded(class_: Course):
    run(class_, "autograder", "grade", "basics", "--student", "mei")
    with sqlite3.connect(class_.private_dir / "gradebook.db") as database:
        database.execute("update grade set manual_score = 0.5, needs_manual_grade = 0")
    before = rows(class_)
    assert {row[3] for row in before} == {0}
    run(class_, "autograder", "grade", "basics", "--student", "mei")
    assert rows(class_) == before


def test_a_later_time_stamp_of_the_same_file_reaches_the_gradebook(class_: Course):
    run(class_, "autograder", "grade", "basics", "--student", "ada")
    stamp = class_.private_dir / "submitted" / "ada" / "basics" / "timestamp.txt"
    stamp.write_text("2026-11-22 10:00:00 UTC", encoding="utf-8")
    run(class_, "autograder", "grade", "basics", "--student", "ada")
    with sqlite3.connect(class_.private_dir / "gradebook.db") as database:
        (found,) = database.execute("select timestamp from submitted_assignment").fetchone()
    assert found.startswith("2026-11-22 10:00")
    assert (class_.private_dir / "autograded" / "ada" / "basics" / "timestamp.txt").read_text() == stamp.read_text()


def test_a_cell_that_the_gradebook_does_not_know_is_named_and_costs_nobody_a_score(class_: Course):
    with sqlite3.connect(class_.private_dir / "gradebook.db") as database:
        (name,) = database.execute("select name from base_cell where name like 'check-%'").fetchone()
        database.execute("update base_cell set name = 'earlier' where name = ?", (name,))
    done = run(class_, "autograder", "grade", "basics", "--student", "ada")
    assert done.returncode == 2
    assert f"basics: the gradebook does not know the cell {name}, which students have: run" in done.stderr
    assert "Traceback" not in done.stderr and not rows(class_)


def workers(parent: int) -> list[int]:
    """Processes that judge for the process ``parent``."""
    children = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            is_worker = b"spawn_main" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(status[1]) == parent and is_worker:
            children.append(int(folder.name))
    return children


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
def test_a_killed_worker_costs_no_submission_its_score(class_: Course, tmp_path: Path):
    """Whatever was being judged when it was killed is judged once more, by itself."""
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(class_.root, undisturbed)
    run(load_course(undisturbed), "autograder", "grade", "basics")
    process = subprocess.Popen(
        [str(BIN / "autograder"), "grade", "basics", "--jobs", "2"],
        cwd=class_.root, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    results, killed = class_.private_dir / "results" / "basics", False
    while process.poll() is None and not killed:
        if len(list(results.glob("*.json"))) >= 2 and (found := workers(process.pid)):
            os.kill(found[0], signal.SIGKILL)
            killed = True
        time.sleep(0.01)
    process.communicate()
    assert killed
    assert rows(class_) == rows(load_course(undisturbed))


def test_too_little_isolation_is_refused_with_a_way_to_go_on(class_: Course, monkeypatch):
    from autograder.judging import judge as judging
    from autograder.sandbox.layers import Probe

    off = {name: Probe(False, "tried here, and it does not hold") for name in class_.isolation.minimum}
    monkeypatch.setattr(judging, "probe_layers", lambda names: off)
    with pytest.raises(judging.TooLittleIsolation, match="--trust-submissions"):
        judging.open_court(class_, "basics")


def attack(course: Course, attacks: Sequence[FileAttack]) -> dict[str, FileAttack]:
    """Hands in files that are made to stop whoever reads them; by student."""
    text = (course.root / "course.toml").read_text("utf-8")
    text = text.replace("[limits]", f"[limits]\nseconds_to_read = {SECONDS_TO_READ}")
    (course.root / "course.toml").write_text(text, "utf-8")
    honest = course.build_dir / "source" / "basics" / "basics.ipynb"
    attackers = {f"attacker-{number:02}": attack for number, attack in enumerate(attacks)}
    for student, one in attackers.items():
        folder = course.private_dir / "submitted" / student / "basics"
        folder.mkdir(parents=True)
        (folder / "basics.ipynb").write_bytes(one.build(json.loads(honest.read_text("utf-8"))))
    return attackers


def told(course: Course) -> dict[str, dict]:
    lines = (course.private_dir / "results" / "basics.jsonl").read_bytes().splitlines()
    assert max(map(len, lines)) < 1_000_000
    return {record["student"]: record for record in map(json.loads, lines)}


def test_files_made_to_stop_the_grader_cost_themselves_alone(class_: Course):
    run(class_, "autograder", "grade", "basics")
    undisturbed = rows(class_)
    attackers = attack(class_, FILE_ATTACKS)
    done = run(class_, "autograder", "grade", "basics", "--force", "--jobs", "2")
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert [row for row in rows(class_) if row[0] not in attackers] == undisturbed
    records = told(class_)
    for student, one in attackers.items():
        # What memory runs out for depends on how much there may be: the course allows more than the attack expects.
        if one.says is not None and one.memory == 1024:
            assert records[student]["result"] is None and one.says in records[student]["reason"], one.name
        elif one.says is None:
            assert records[student]["result"] is not None, one.name


def test_nbgrader_goes_on_past_files_made_to_stop_it(class_: Course):
    run(class_, "autograder", "grade", "basics", "--student", "ada")
    undisturbed = [row for row in rows(class_) if row[0] == "ada"]
    for folder in (class_.private_dir / "submitted").iterdir():
        if folder.name != "ada":
            shutil.rmtree(folder)
    chosen = ("doubles", "100,000 attributes", "300,000", "million cells", "take a second", "nothing ends")
    attackers = attack(class_, [one for one in FILE_ATTACKS if any(part in one.name for part in chosen)])
    done = run(class_, "nbgrader", "autograde", "basics", "--force")
    assert done.returncode == 0, done.stderr
    found = rows(class_)
    assert [row for row in found if row[0] == "ada"] == undisturbed
    for student, one in attackers.items():
        scores = [row[2] for row in found if row[0] == student and row[1].startswith("check-")]
        assert scores and (None in scores) == (one.says is not None), one.name
