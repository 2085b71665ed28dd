"""What a student holds, a wheel and a released folder, works by itself: in Jupyter, in a terminal, on other systems."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder.course import Course

# Makes a Python lack what Windows lacks.
ELSEWHERE = ROOT / "tests" / "elsewhere"
# For each assignment an exercise, a right and a wrong answer, and what is said of the wrong one.
ANSWERS = {
    "basics": (
        "grade_letter",
        """
def grade_letter(score):
    if not 0 <= score <= 100:
        raise ValueError('score')
    return next((letter for letter, least in zip('ABCD', (90, 80, 70, 60)) if score >= least), 'F')
""",
        ">= least",
        "> least",
    ),
    "activations": ("relu", "import torch\ndef relu(x):\n    return x.clamp(min=0)\n", "min=0", "min=1"),
}

# What no assignment of its own would show.
one_assignment = pytest.mark.parametrize("student", ["basics"], indirect=True)


@dataclass(frozen=True)
class Student:
    """A student's folder, and an environment whose autograder is that of the wheel."""

    assignment: str
    folder: Path
    environment: dict[str, str]
    encoding: str = "utf-8"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, encoding=self.encoding, check=False,
            timeout=300,
        )  # fmt: skip

    def python(self, code: str) -> str:
        """What a file of a student's prints."""
        (self.folder / "mine.py").write_text(code, encoding="utf-8")
        done = self.run(sys.executable, "mine.py")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def notebook(self, *cells: str, where: Path | None = None) -> list[nbformat.NotebookNode]:
        """The cells after they ran in a kernel."""
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(where or self.folder)}})
        client.execute(env=self.environment)
        return notebook.cells

    def autograder(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("autograder", *arguments)

    def answer(self, code: str) -> None:
        """Writes an answer into the released notebook."""
        path = self.folder / f"{self.assignment}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        exercise = ANSWERS[self.assignment][0]
        next(cell for cell in notebook.cells if cell.id == exercise).source = code
        nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment_with(package: Path) -> dict[str, str]:
    """An environment in which autograder is what is installed in a folder; all else is that of the tests."""
    left = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOGRADER", "NBGRADER"))}
    path = os.pathsep.join([str(package / "bin"), left["PATH"]])
    return left | {"PYTHONPATH": str(package), "PATH": path, "COLUMNS": "120", "NO_COLOR": "1", "PYTHONUTF8": "1"}


@pytest.fixture(scope="module")
def package(wheel: Path) -> Path:
    folder = wheel.parent / "installed"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    return folder


@pytest.fixture(params=["basics", "activations"])
def student(
    request: pytest.FixtureRequest, package: Path, built_fixture_course: Course, course: Course, tmp_path: Path
) -> Student:
    source = built_fixture_course if request.param == "basics" else course
    folder = tmp_path / request.param
    shutil.copytree(source.build_dir / "source" / request.param, folder)
    # The solutions are in nbgrader's sources; students get the notebook that stands among the assignments.
    shutil.copy(source.assignments_dir / request.param / f"{request.param}.ipynb", folder)
    assert not any((above / "course.toml").exists() for above in folder.parents)
    return Student(request.param, folder, environment_with(package))


def test_a_released_folder_works_in_plain_python(student):
    exercise, right, good, bad = ANSWERS[student.assignment]
    check = f"\nfrom autograder import check\nprint('points', check('{exercise}') == {{}})\n"
    whole = f"\nimport autograder\nprint('of the wheel', 'installed' in autograder.__file__)\n{right}"
    said = student.python(whole + check.format(1.0))
    assert "of the wheel True" in said and "points True" in said and "All visible checks pass" in said
    said = student.python(right.replace(good, bad) + check.format(1.0))
    assert "points False" in said and "✗" in said


def test_a_released_folder_works_in_a_notebook(student):
    exercise, right, good, bad = ANSWERS[student.assignment]
    ask = f'check("{exercise}")'
    cells = student.notebook("from autograder import check", right, ask, right.replace(good, bad), ask, "check()")
    shown = [cell.outputs[0].data["text/plain"] for cell in (cells[2], cells[4], cells[5])]
    assert "All visible checks pass" in shown[0] and "✗" in shown[1]
    assert f"{student.assignment}: " in shown[2] and "points by the visible checks" in shown[2]


def command_sees_a_right_answer(student: Student, command: tuple[str, ...]) -> None:
    exercise, right, _, _ = ANSWERS[student.assignment]
    student.answer(right)
    done = student.autograder(*command, f"{student.assignment}.ipynb")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert f"{exercise}: 1 of 1 points" in said if command == ("check",) else f"{exercise} 1 of 1 passed" in said
    assert "Note:" not in said


COMMANDS = pytest.mark.parametrize("command", [("check",), ("progress",), ("watch", "--once")])


@COMMANDS
def test_a_released_folder_works_in_a_terminal(student, command):
    command_sees_a_right_answer(student, command)


@pytest.fixture
def on_windows(student: Student) -> Student:
    path = os.pathsep.join([str(ELSEWHERE), student.environment["PYTHONPATH"]])
    variables = {"PYTHONPATH": path, "PYTHONWARNDEFAULTENCODING": "1"}
    return Student(student.assignment, student.folder, student.environment | variables)


@one_assignment
def test_the_stand_in_for_windows_lacks_what_windows_lacks(on_windows):
    said = on_windows.python(
        "import os, signal, sys\n"
        "for name in ('fcntl', 'resource', 'pwd', 'termios', 'nbgrader', 'pyseccomp'):\n"
        "    try:\n        __import__(name)\n        print('there:', name)\n    except ImportError:\n        pass\n"
        "print(sys.platform, hasattr(os, 'fork'), hasattr(signal, 'SIGALRM'), hasattr(os, 'register_at_fork'))"
    )
    assert said == "win32 False False False\n"


def test_the_students_side_needs_nothing_that_only_unix_has(on_windows):
    exercise, right, good, bad = ANSWERS[on_windows.assignment]
    check = f"\nfrom autograder import check\nprint('points', check('{exercise}') == 1.0)\n"
    assert "points True" in on_windows.python(right + check)
    said = on_windows.python(right.replace(good, bad) + check)
    assert "points False" in said and "✗" in said


@one_assignment
@COMMANDS
def test_the_students_commands_need_nothing_that_only_unix_has(on_windows, command):
    command_sees_a_right_answer(on_windows, command)


@one_assignment
def test_an_assignment_is_begun_without_what_only_unix_has(on_windows, tmp_path):
    name = on_windows.assignment
    done = on_windows.autograder("start", name, str(tmp_path / "new"), "--from", str(on_windows.folder))
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert (tmp_path / "new" / "checks.py").read_bytes() == (on_windows.folder / "checks.py").read_bytes()


@one_assignment
def test_a_call_is_stopped_in_time_where_there_is_no_alarm(on_windows):
    said = on_windows.python(
        """
from autograder.sandbox.limits import TimeLimitReached, time_limit
def forever():
    while True:
        pass
for seconds in (0.05, 0.01):
    try:
        with time_limit(seconds):
            forever()
    except TimeLimitReached:
        print("stopped")
for _ in range(200):
    with time_limit(30):
        pass
print("on")
"""
    )
    assert said == "stopped\nstopped\non\n"


@one_assignment
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_letter_that_the_output_has_no_code_for_is_printed_by_its_name(student, encoding):
    exercise, right, _, _ = ANSWERS[student.assignment]
    student.answer(right)
    environment = student.environment | {"PYTHONIOENCODING": encoding}
    done = Student(student.assignment, student.folder, environment, encoding).autograder("progress")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"\\N{{CHECK MARK}} {exercise} ", done.stdout)


@pytest.fixture
def instructors_server(wheel: Path, student: Student, tmp_path: Path) -> Iterator[str]:
    """The address of a web server on this machine, with the wheel and the assignment's zip."""
    served = tmp_path / "served"
    served.mkdir()
    shutil.copy(wheel, served)
    shutil.make_archive(str(served / student.assignment), "zip", student.folder.parent, student.assignment)
    handler = partial(QuietHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


def documented_cell() -> str:
    """The cell for Colab, as the student's page has it."""
    page = (ROOT / "docs" / "student.md").read_text(encoding="utf-8")
    (cell,) = re.findall(r"^```python\n(%pip install.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return cell


@one_assignment
def test_the_documented_first_cell_for_colab_does_all(student, instructors_server, wheel, tmp_path):
    cell = documented_cell()
    assert cell.count("https://example.org") == 2 and "deep_learning_by_hand-0.1.0-py3-none-any.whl" in cell
    cell = cell.replace("deep_learning_by_hand-0.1.0-py3-none-any.whl", wheel.name)
    cell = cell.replace("https://example.org", instructors_server).replace("activations", student.assignment)
    cell = cell.replace("/content", str(tmp_path / "content"))
    installed = tmp_path / "pip"
    installed.mkdir()  # as the folder of a machine's packages is there when its kernel starts
    environment = environment_with(installed) | {"PIP_TARGET": str(installed), "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1"}
    colab = Student(student.assignment, tmp_path, environment | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    exercise, right, _, _ = ANSWERS[student.assignment]
    use = "from autograder import check\nimport autograder"
    cells = colab.notebook(cell, use, "autograder.__file__", right, f'check("{exercise}")', cell, "check()")
    assert str(installed) in cells[2].outputs[0].data["text/plain"]
    assert "All visible checks pass" in cells[4].outputs[0].data["text/plain"]
    printed = "".join(output.text for output in cells[5].outputs if output.output_type == "stream")
    assert "is up to date" in printed
    assert f"{student.assignment}: 1 of " in cells[6].outputs[0].data["text/plain"]
