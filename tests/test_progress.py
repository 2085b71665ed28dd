"""Where a student stands: `autograder progress`, `autograder watch`, and `check()` of a whole notebook."""

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from conftest import BIN
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder.checking.changes import fingerprints
from autograder.checking.progress import check_submission
from autograder.course import Course, load_course
from autograder.feedback.overview import overview_of, to_json
from autograder.notebooks.build import build_assignment
from autograder.notebooks.submission import Cell, read_submission
from autograder.policy.deadline import Deadline, deadline_beside
from autograder.results import CheckResult, Diagnosis, ExerciseResult

EXERCISES = ("EarlyStopping", "Variable", "no_grad", "numerical_gradient", "dropout", "grade_letter", "standardize")
EXCLUDES_LIMITS = """
def grade_letter(score):
    if not 0 <= score <= 100:
        raise ValueError('score')
    return 'A' if score > 90 else 'B' if score > 80 else 'C' if score > 70 else 'D' if score > 60 else 'F'
"""
SHIFTS_ONLY = "def standardize(x):\n    return x - x.mean(axis=0)"
SECONDS = 120


def autograder(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
    command = [str(BIN / "autograder"), *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, check=False)


def answered(course: Course, path: Path, answers: dict[str, str | None]) -> Path:
    """Writes a student's notebook: for each exercise an answer of its own, or with None the reference's."""
    notebook = nbformat.read(course.assignments_dir / "basics" / "basics.ipynb", as_version=4)
    right = nbformat.read(course.build_dir / "source" / "basics" / "basics.ipynb", as_version=4)
    solutions = {cell.id: cell.source for cell in right.cells}
    for cell in notebook.cells:
        if cell.id in answers:
            own = answers[cell.id]
            cell.source = solutions[cell.id] if own is None else own
    replacement = path.with_suffix(".new")
    nbformat.write(notebook, replacement)
    replacement.replace(path)
    return path


@pytest.fixture
def folder(built_fixture_course: Course, tmp_path: Path) -> Path:
    """The assignment as a student gets it, outside the course."""
    folder = tmp_path / "basics"
    shutil.copytree(built_fixture_course.assignments_dir / "basics", folder)
    return folder


def rows(text: str) -> dict[str, str]:
    """What the table says of each exercise."""
    found = (line.split(maxsplit=2) for line in text.splitlines() if line.startswith("  "))
    return {words[1]: " ".join(words[2].split()) for words in found if len(words) == 3 and words[1] in EXERCISES}


@pytest.mark.parametrize("command", ["progress", "watch"])
def test_each_command_explains_itself_with_an_example(command, tmp_path):
    done = autograder(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"Example: autograder {command}" in " ".join(done.stdout.split())


def test_a_new_notebook_has_everything_to_do(folder):
    done = autograder("progress", cwd=folder)
    assert done.returncode == 0
    assert done.stdout.startswith("basics: 0 of 14 points by the visible checks\n")
    assert tuple(rows(done.stdout)) == EXERCISES
    assert rows(done.stdout)["dropout"] == "0 of 3 not written yet"
    assert "Next: EarlyStopping. `EarlyStopping` still raises NotImplementedError." in done.stdout


def test_half_a_notebook_shows_its_points_and_the_first_exercise_to_mend(built_fixture_course, folder):
    answers = {
        "EarlyStopping": None,
        "grade_letter": EXCLUDES_LIMITS,
        "Variable": None,
        "standardize": "def standardize(x:",
    }
    notebook = answered(built_fixture_course, folder / "basics.ipynb", {**answers, "no_grad": "import os"})
    done = autograder("progress", notebook.name, cwd=folder)
    said = rows(done.stdout)
    assert done.returncode == 0
    assert (said["EarlyStopping"], said["Variable"]) == ("2 of 2 passed", "3 of 3 passed")
    assert said["grade_letter"] == "0.65 of 1 partly right"
    assert said["standardize"] == "0 of 2 stopped with an error"
    assert "Next: no_grad. `no_grad` is not defined" in done.stdout
    assert "Note: standardize stopped with SyntaxError" in done.stdout


def test_the_record_holds_every_result_and_what_to_do_next(built_fixture_course, folder):
    notebook = answered(built_fixture_course, folder / "basics.ipynb", dict.fromkeys(EXERCISES) | {"dropout": "1 / 0"})
    done = autograder("progress", str(notebook), "--json", cwd=folder.parent)
    record = json.loads(done.stdout)
    assert (done.returncode, record["schema"], record["assignment"]) == (0, 1, "basics")
    assert (record["points"], record["max_points"], record["due"]) == (11.0, 14.0, None)
    assert record["next"] == {"exercise": "dropout", "says": record["exercises"][4]["message"]}
    assert [exercise["name"] for exercise in record["exercises"]] == list(EXERCISES)


def test_full_points_say_that_hidden_checks_remain(built_fixture_course, folder):
    answered(built_fixture_course, folder / "basics.ipynb", dict.fromkeys(EXERCISES))
    done = autograder("progress", cwd=folder)
    assert "14 of 14 points" in done.stdout and "100 %" in done.stdout
    assert done.stdout.endswith("Hidden checks with harder inputs remain; they run when you are graded.\n")
    assert set(said.split()[-1] for said in rows(done.stdout).values()) == {"passed"}


def test_the_due_date_is_that_of_the_course(fixture_course: Course):
    with (fixture_course.root / "course.toml").open("a", encoding="utf-8") as file:
        file.write("due = 2026-12-18T23:59:00+08:00\n")
    done = autograder("progress", cwd=fixture_course.assignments_dir / "basics")
    assert "points by the visible checks, due Fri 18 Dec 2026, 23:59 (UTC+08:00), " in done.stdout


def test_without_a_course_the_due_date_is_that_of_the_notebook(fixture_course: Course, tmp_path: Path):
    with (fixture_course.root / "course.toml").open("a", encoding="utf-8") as file:
        file.write("due = 2026-12-18T23:59:00+08:00\n[late]\npercent = 10\n")
    build_assignment(load_course(fixture_course.root), "basics", jobs=1)
    shutil.copytree(fixture_course.build_dir / "source" / "basics", tmp_path / "handed_out")
    done = autograder("progress", cwd=tmp_path / "handed_out")
    assert ", due Fri 18 Dec 2026, 23:59 (UTC+08:00), " in done.stdout
    assert "\nLate: 10 % of the points you earned for each day begun.\n" in done.stdout


@pytest.mark.parametrize("due", ["tomorrow", 3, [[]], "2026-12-18T23:59:00", None])
def test_a_notebook_whose_due_date_was_changed_to_nonsense_has_none(tmp_path: Path, due: object):
    about = {"assignment": "basics", "due": due}
    (tmp_path / "basics.ipynb").write_text(json.dumps({"metadata": {"autograder": about}}), encoding="utf-8")
    (tmp_path / "broken.ipynb").write_bytes(b"\xff{")
    assert deadline_beside(tmp_path, "basics") is None


def test_an_endless_loop_costs_its_own_exercise(fixture_course: Course):
    endless = "def grade_letter(score):\n    while True:\n        pass"
    folder = fixture_course.assignments_dir / "basics"
    answered(fixture_course, folder / "basics.ipynb", {"no_grad": None, "grade_letter": endless})
    said = rows(autograder("progress", cwd=folder).stdout)
    assert (said["no_grad"], said["grade_letter"]) == ("1 of 1 passed", "0 of 1 took too long")


@pytest.mark.parametrize(
    ("files", "command", "code", "says"),
    [
        ({}, ("progress",), 2, "belongs to an assignment: give its path"),
        ({"a.ipynb": "basics", "b.ipynb": "basics"}, ("watch", "--once"), 2, "say which of a.ipynb, b.ipynb."),
        ({"a.ipynb": "basics"}, ("progress", "c.ipynb"), 3, "c.ipynb cannot be read: No such file or directory."),
        ({"a.ipynb": None}, ("progress",), 3, "a.ipynb is not a notebook: not JSON at line 1"),
        ({"a.ipynb": None}, ("watch", "a.ipynb", "--once"), 3, "a.ipynb is not a notebook: not JSON at line 1"),
        ({"a.ipynb": "basics"}, ("watch", "--once"), 1, "checks.py is not in"),
    ],
)
def test_a_fault_is_one_sentence_and_an_exit_code(tmp_path, files, command, code, says):
    for name, assignment in files.items():
        notebook = new_notebook(metadata={"autograder": {"assignment": assignment}})
        (tmp_path / name).write_text(nbformat.writes(notebook) if assignment else "{", encoding="utf-8")
    done = autograder(*command, cwd=tmp_path)
    assert done.returncode == code
    assert says in done.stderr and "Traceback" not in done.stderr


def test_a_notebook_in_another_assignments_folder_is_told_so(folder):
    notebook = nbformat.read(folder / "basics.ipynb", as_version=4)
    notebook.metadata.autograder.assignment = "convolution"
    nbformat.write(notebook, folder / "basics.ipynb")
    done = autograder("progress", cwd=folder)
    assert done.returncode == 2
    assert "is a notebook of convolution, but the checks beside it are those of basics" in done.stderr


def test_a_result_that_still_holds_is_not_judged_again(folder):
    kept = ExerciseResult("dropout", 1.25, 3.0, "partial", None, ())
    overview = check_submission(read_submission(folder / "basics.ipynb"), kept={"dropout": kept})
    assert overview.exercises[4] == kept
    assert overview.points == 1.25


class Watched:
    """`autograder watch` at work on a notebook."""

    def __init__(self, notebook: Path) -> None:
        command = [str(BIN / "autograder"), "watch", str(notebook)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)

    def shown(self) -> str:
        """What is shown next, as a whole."""
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Watching "):
            lines.append(self._lines.get(timeout=SECONDS))
        return "".join(lines)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=SECONDS)


@pytest.fixture
def watched(folder: Path) -> Iterator[Watched]:
    watched = Watched(folder / "basics.ipynb")
    yield watched
    watched.process.kill()
    watched.process.wait()


def test_a_watched_notebook_is_checked_again_when_it_is_saved(built_fixture_course, folder, watched):
    assert "basics: 0 of 14 points" in watched.shown()
    answered(built_fixture_course, folder / "basics.ipynb", {"EarlyStopping": None, "Variable": "def Variable(x): 0"})
    again = watched.shown()
    assert "basics: 2 of 14 points" in again
    assert "\nVariable: 0 of 3 points (" in again and "✗" in again.split("\nVariable: ")[1]
    answered(built_fixture_course, folder / "basics.ipynb", {"EarlyStopping": None, "Variable": None})
    assert "basics: 5 of 14 points" in watched.shown()
    assert watched.interrupt() == 0
    assert "Traceback" not in watched.process.stderr.read()


def test_a_broken_or_missing_notebook_is_waited_for(built_fixture_course, folder, watched):
    notebook = folder / "basics.ipynb"
    assert "basics: 0 of 14 points" in watched.shown()
    whole = notebook.read_bytes()
    notebook.write_bytes(whole[: len(whole) // 2])
    assert "basics.ipynb is not a notebook: not JSON" in watched.shown()
    notebook.unlink()
    assert "basics.ipynb cannot be read: No such file or directory." in watched.shown()
    notebook.write_bytes(whole)
    assert "basics: 0 of 14 points" in watched.shown()
    answered(built_fixture_course, notebook, {"no_grad": None})
    assert "basics: 1 of 14 points" in watched.shown()
    assert watched.interrupt() == 0


def test_code_that_ends_python_is_told(built_fixture_course, folder):
    answered(built_fixture_course, folder / "basics.ipynb", {"no_grad": "import os\nos._exit(7)"})
    done = autograder("watch", "--once", cwd=folder)
    assert done.returncode == 1
    assert "The check ended without an answer (exit code 7)" in done.stderr


def test_the_whole_notebook_is_one_output_and_the_points(folder):
    cells = ["from autograder import check", EXCLUDES_LIMITS, SHIFTS_ONLY, "check()"]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(folder)}}).execute()
    shown, points = notebook.cells[3].outputs
    assert (shown.output_type, points.output_type) == ("display_data", "execute_result")
    said = rows(shown.data["text/plain"])
    assert said["grade_letter"] == "0.65 of 1 partly right" and said["dropout"] == "0 of 3 not written yet"
    html = shown.data["text/html"]
    assert html.count('<summary style="cursor:pointer"><code>') == 2 and html.count("<tr") == len(EXERCISES)
    assert "<script" not in html and "<progress" not in html
    total = sum(float(row.split()[0]) for row in said.values())
    assert float(points.data["text/plain"]) == pytest.approx(total, abs=0.01)
    assert points.data["text/plain"] == repr(float(points.data["text/plain"]))


PASSED = ExerciseResult("relu", 2.0, 2.0, "passed", None, ())
FAILED_CHECK = CheckResult("test_a", "It never falls.", True, "cpu", "failed", 1.0, "1 of 2 values\nare wrong.")
PARTIAL = ExerciseResult("softmax", 1.5, 3.0, "partial", Diagnosis("m", "It ignores `dim`."), (FAILED_CHECK,))
MISSING = ExerciseResult("gelu", 0.0, 1.0, "missing", None, (), "`gelu` is not defined.")
DUE = datetime(2026, 12, 18, 15, 59, tzinfo=UTC)


def test_the_text_is_a_table_a_bar_and_the_next_step():
    deadline, now = Deadline(DUE, "Late: 10 % for each day begun."), DUE - timedelta(days=3)
    overview = overview_of(
        "activations", (PASSED, PARTIAL, MISSING), notes=("a cell failed",), deadline=deadline, now=now
    )
    assert overview.text().splitlines() == [
        "activations: 3.5 of 6 points by the visible checks, due Fri 18 Dec 2026, 15:59 (UTC), in 3 days",
        "Late: 10 % for each day begun.",
        "[#############-----------] 58 %",
        "",
        "  ✓ relu       2 of 2  passed",
        "  ~ softmax  1.5 of 3  partly right",
        "  · gelu       0 of 1  not written yet",
        "",
        "Next: softmax. What it looks like: It ignores `dim`.",
        "Note: a cell failed",
    ]


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (PARTIAL, "What it looks like: It ignores `dim`."),
        (MISSING, "`gelu` is not defined."),
        (
            ExerciseResult("f", 0.0, 1.0, "failed", None, (FAILED_CHECK,)),
            "This does not hold yet: It never falls. 1 of 2 values are wrong.",
        ),
    ],
)
def test_the_next_step_is_one_line(result, says):
    following = overview_of("a", (PASSED, result, MISSING)).next
    assert (following.exercise, following.says) == (result.name, says)


def test_only_full_points_fill_the_bar():
    almost = ExerciseResult("f", 0.999, 1.0, "partial", None, ())
    assert "99 %" in overview_of("a", (almost,)).text()
    assert "100 %" in overview_of("a", (PASSED,)).text()


def test_what_was_written_but_is_not_full_is_folded_below_the_table():
    html = overview_of("activations", (PASSED, PARTIAL, MISSING)).html()
    assert html.count("<details") == 1 and html.index("<details") > html.index("</table>")
    assert "It never falls." in html.split("<details")[1]


def test_a_students_markup_is_text():
    script = "<script>alert(1)</script>"
    result = ExerciseResult("f", 0.0, 1.0, "error", None, (), f"Its cell stopped with {script}")
    assert "<script" not in overview_of("a", (result,), notes=(script,)).html()


def test_graded_results_do_not_speak_of_visible_checks():
    text = overview_of("a", (PASSED,), hidden_remain=False).text()
    assert "isible" not in text and text.endswith("All checks pass.")


def test_a_difference_that_is_not_finite_can_be_written():
    check = CheckResult("test_a", "It is finite.", True, "cpu", "failed", 1.0, difference=float("nan"))
    record = json.loads(to_json(overview_of("a", (ExerciseResult("f", 0.0, 1.0, "failed", None, (check,)),))))
    assert record["exercises"][0]["checks"][0]["difference"] is None


SETUP = Cell("code", "setup", "import torch")
RELU = Cell("code", "relu", "def relu(x):\n    return x.clamp(min=_least())\ndef _least():\n    return 0")
GELU = Cell("code", "gelu", "def gelu(x):\n    return x * _least()")
ELU = Cell("code", "elu", "def elu(x):\n    return gelu(x)")
TANH = Cell("code", "tanh", "def tanh(x):\n    return x")
CHECKS = tuple(Cell("check", name) for name in ("relu", "gelu", "elu", "tanh"))
CELLS = (SETUP, RELU, GELU, ELU, TANH, *CHECKS)
ALL = {"relu", "gelu", "elu", "tanh"}


@pytest.mark.parametrize(
    ("before", "after", "touched"),
    [
        (TANH, Cell("code", "tanh", "def tanh(x):\n    return 2 * x"), {"tanh"}),
        (GELU, Cell("code", "gelu", "def gelu(x):\n    return x"), {"gelu", "elu"}),
        (RELU, Cell("code", "relu", RELU.code + "\n"), {"relu", "gelu", "elu"}),
        (TANH, Cell("code", "tanh", "def tanh(x: return x"), ALL),
        (TANH, Cell("code", "tanh", f"{TANH.code}\ntorch.set_default_dtype(torch.float64)"), ALL),
        (SETUP, Cell("code", "setup", "import torch, math"), ALL),
        (SETUP, Cell("code", "cell 1", "import torch"), set()),
    ],
)
def test_a_change_touches_the_exercises_that_can_depend_on_it(before, after, touched):
    first = fingerprints(CELLS)
    second = fingerprints([after if cell is before else cell for cell in CELLS])
    assert {name for name in ALL if first[name] != second[name]} == touched


def test_other_checks_touch_every_exercise():
    first, second = fingerprints(CELLS, "checks"), fingerprints(CELLS, "other checks")
    assert all(first[name] != second[name] for name in ALL)
