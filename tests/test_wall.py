"""The wall between the folders: who may import what, and what students get."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

from conftest import ROOT

from autograder.course import Course
from autograder.testing.assignment import load_assignment


def imports(path: Path) -> set[str]:
    """The parts of autograder that a file imports, and the other packages by their top name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top, *rest = name.split(".")
            found.add(f"autograder.{rest[0]}" if top == "autograder" and rest else top)
    return found


def test_dependencies_run_one_way():
    """The layers stand in pyproject.toml; a new room has to be given its place there."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    linted = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_the_sandbox_imports_neither_pytest_nor_hypothesis():
    for file in (ROOT / "autograder" / "sandbox").glob("*.py"):
        assert not imports(file) & {"pytest", "hypothesis"}, file


def test_content_imports_only_what_the_program_has_for_it(course: Course):
    for file in [*course.assignments_dir.rglob("*.py"), *course.solutions_dir.rglob("*.py")]:
        parts = {name for name in imports(file) if name.startswith("autograder.")}
        assert parts <= {"autograder.testing", "autograder.guards"}, file


def test_the_wheel_holds_the_program_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "autograder/feedback/templates/panel.html.j2" in names
    assert [n for n in names if not n.startswith(("autograder/", "deep_learning_by_hand-"))] == []


def test_the_released_folder_holds_no_solution_and_no_hidden_check(course: Course):
    for assignment in course.assignments:
        folder = course.build_dir / "source" / assignment.name
        assert sorted(p.name for p in folder.iterdir()) == sorted(
            ["checks.py", "examples.npz", f"{assignment.name}.ipynb"]
        )
        released = (course.assignments_dir / assignment.name / f"{assignment.name}.ipynb").read_text(encoding="utf-8")
        reference = ast.parse((course.solutions_dir / assignment.name / "reference.py").read_text(encoding="utf-8"))
        exercises = {exercise.name for exercise in load_assignment(course, assignment.name).exercises}
        solved = [
            ast.unparse(d.body[-1]) for d in reference.body if isinstance(d, ast.FunctionDef) and d.name in exercises
        ]
        assert [line for line in solved if len(line) > 25 and line in released] == []
        assert "BEGIN SOLUTION" not in released
        assert "hidden" not in {cell_id for cell_id in released.split('"') if cell_id == "hidden"}
