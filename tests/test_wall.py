"""The wall between the folders: who may import what, and what students get."""

import subprocess
import sys
import zipfile

from conftest import ROOT
from content_rules import imports


def test_dependencies_run_one_way():
    """The layers stand in pyproject.toml; a new room has to be given its place there."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    linted = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_the_sandbox_imports_neither_pytest_nor_hypothesis():
    for file in (ROOT / "autograder" / "sandbox").glob("*.py"):
        assert not imports(file) & {"pytest", "hypothesis"}, file


def test_the_wheel_holds_the_program_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "autograder/feedback/templates/panel.html.j2" in names
    assert [n for n in names if not n.startswith(("autograder/", "deep_learning_by_hand-"))] == []
