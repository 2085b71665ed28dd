"""What every assignment of the real course keeps to. All other tests run on the fixture course, or on no course at all.

`make test NAME=activations` runs the tests of one assignment: those that have it as ``assignment_name``.
"""

import ast
import os
import re
import subprocess

import pytest
from conftest import BIN
from content_rules import imports
from device_mistakes import overlooked

from autograder.course import Course
from autograder.demo.made_class import make_class
from autograder.judging.recordings import load_recordings
from autograder.notebooks.build import source_notebook
from autograder.notebooks.source import SourceCell, read_source
from autograder.notebooks.stub import solution_cell
from autograder.proving.verify import verify_assignment
from autograder.testing.assignment import load_assignment
from autograder.testing.comparison import TOLERANCE_RULE


def test_nothing_that_is_proven_of_it_is_breached(course: Course, assignment_name: str):
    verified = verify_assignment(course, assignment_name)
    assert verified.breaches == ()
    assert verified.mistakes_caught == verified.mistakes
    assert verified.mistakes_caught_visible >= 0.85 * verified.mistakes
    assert verified.mistakes_named >= 0.9 * verified.mistakes


def test_the_committed_notebook_is_what_nbgrader_releases(course: Course, assignment_name: str, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_COURSE"}
    command = [str(BIN / "nbgrader"), "generate_assignment", assignment_name, "--force"]
    command += [f"--CourseDirectory.release_directory={tmp_path}"]
    command += [f"--CourseDirectory.db_url=sqlite:///{tmp_path / 'gradebook.db'}"]
    done = subprocess.run(command, cwd=course.root, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    committed = course.assignments_dir / assignment_name
    for file in (f"{assignment_name}.ipynb", "checks.py", "examples.npz"):
        assert (tmp_path / assignment_name / file).read_bytes() == (committed / file).read_bytes(), file


NO_TENSORS = "it takes and returns numbers"
NOT_ANALYSED = {
    ("backprop", "edge_gradients"): "its tensors have no axes, and such ones may stay on the CPU",
    ("backprop", "train_mlp"): "when it stops depends on numbers",
    ("convolution", "conv_output_size"): NO_TENSORS,
    ("convolution", "receptive_field"): NO_TENSORS,
    ("convolution", "conv_parameter_count"): NO_TENSORS,
    ("losses", "choose_head"): "it takes and returns words",
    ("lstm_gru", "char_lstm_loss"): "it looks up characters by their numbers, so one of the four is not seen",
}


def test_four_device_mistakes_are_caught_in_every_torch_function(course: Course, assignment_name: str):
    assignment = load_assignment(course, assignment_name)
    released = load_recordings(course, assignment_name)[0]
    missed = {
        exercise.name: names
        for exercise in assignment.exercises
        if exercise.on_devices
        and not isinstance(assignment.reference[exercise.name], type)
        and (assignment_name, exercise.name) not in NOT_ANALYSED
        and (names := overlooked(assignment, exercise, released))
    }
    assert missed == {}


def test_the_notebook_says_what_every_exercise_may_not_call(course: Course, assignment_name: str):
    assignment = load_assignment(course, assignment_name)
    cells = {cell.id: cell.source for cell in source_notebook(course, assignment).cells}
    for exercise in assignment.exercises:
        stated = [line for line in cells[exercise.name].splitlines() if line.startswith("# ")]
        assert exercise.forbidden.says in " ".join(line[2:] for line in stated)


def test_content_imports_only_what_the_program_has_for_it(course: Course, assignment_name: str):
    folders = (course.assignments_dir / assignment_name, course.solutions_dir / assignment_name)
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) >= 5
    for file in files:
        parts = {name for name in imports(file) if name.startswith("autograder.")}
        assert parts <= {"autograder.testing", "autograder.guards"}, file


def test_a_class_can_be_made_of_it(course: Course, assignment_name: str):
    assignment = load_assignment(course, assignment_name)
    made = make_class(assignment, source_notebook(course, assignment))
    assert len({submission.text for submission in made}) == len(made)


def test_the_released_folder_holds_no_solution_and_no_hidden_check(course: Course, assignment_name: str):
    folder = course.build_dir / "source" / assignment_name
    assert sorted(p.name for p in folder.iterdir()) == sorted(["checks.py", "examples.npz", f"{assignment_name}.ipynb"])
    released = (course.assignments_dir / assignment_name / f"{assignment_name}.ipynb").read_text(encoding="utf-8")
    reference = ast.parse((course.solutions_dir / assignment_name / "reference.py").read_text(encoding="utf-8"))
    exercises = {exercise.name for exercise in load_assignment(course, assignment_name).exercises}
    solved = [ast.unparse(d.body[-1]) for d in reference.body if isinstance(d, ast.FunctionDef) and d.name in exercises]
    assert [line for line in solved if len(line) > 25 and line in released] == []
    assert "BEGIN SOLUTION" not in released
    assert "hidden" not in {cell_id for cell_id in released.split('"') if cell_id == "hidden"}


@pytest.fixture(scope="module")
def cells(course: Course, assignment_name: str) -> tuple[SourceCell, ...]:
    return read_source(course.assignments_dir / assignment_name / f"{assignment_name}.md")


@pytest.fixture(scope="module")
def text(cells: tuple[SourceCell, ...]) -> str:
    return "\n\n".join(cell.text for cell in cells if cell.role == "text")


@pytest.fixture(scope="module")
def reference(course: Course, assignment_name: str) -> str:
    return (course.solutions_dir / assignment_name / "reference.py").read_text(encoding="utf-8")


def test_the_rules_say_how_exact_an_answer_has_to_be(text):
    assert TOLERANCE_RULE in text


def test_every_exercise_says_how_long_it_takes(cells):
    assert [cell.name for cell in cells if cell.role == "exercise" and not cell.minutes] == []


def test_one_exercise_teaches_refusing(cells):
    assert len([cell for cell in cells if cell.role == "exercise" and cell.refuses]) == 1


def test_hints_are_folded_and_closed(text):
    assert text.count("<details>") == text.count("</details>") >= 5
    assert all("\n\n" in hint for hint in re.findall(r"<details>(.*?)</details>", text, re.S))


def test_no_stub_derives_what_the_student_is_to_find(cells, reference):
    for cell in cells:
        if cell.role == "exercise":
            stub = solution_cell(reference, cell.name, guards_given=not cell.refuses)
            assert stub is not None
            assert "Derivation:" not in stub


def test_results_have_names(cells, reference):
    """Every reference that returns something says what it is called: `grad_x: shaped like x`."""
    graded = {cell.name for cell in cells if cell.role == "exercise"}
    for node in ast.parse(reference).body:
        if isinstance(node, ast.FunctionDef) and node.name in graded:
            returned = re.search(r"Returns:\n(.*?)(?=\n\w|\Z)", ast.get_docstring(node) or "", re.S)
            assert returned, node.name
            assert re.match(r"\s+\w+: \S", returned[1]), node.name
