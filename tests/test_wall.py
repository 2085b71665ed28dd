"""The wall between the folders: who may import what, and what students get."""

import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT
from content_rules import imports

# What a part may import of autograder beside itself.
MAY_IMPORT = {
    "errors": set(),
    "course": {"errors"},
    "results": set(),
    "roster": {"course", "errors"},
    "policy": {"course", "errors"},
    "sandbox": set(),
    "testing": {"course", "sandbox"},
    "examples": {"course", "sandbox", "testing"},
    "feedback": {"course", "policy", "results", "sandbox", "testing", "examples"},
    "collecting": {"course", "errors", "roster"},
    "reporting": {"course", "results", "roster", "feedback"},
    "notebooks": {"course", "policy", "testing", "examples"},
    "grading": {"proving", "course", "policy", "results", "sandbox", "testing", "examples", "feedback", "notebooks"},
    "proving": {*("course", "results", "sandbox", "testing"), *("examples", "feedback", "notebooks", "grading")},
    "nbgrader": {
        *("course", "roster", "policy", "results", "sandbox", "testing"),
        *("feedback", "notebooks", "collecting", "grading"),
    },
    "retention": {"course", "nbgrader"},
}
MAY_IMPORT["cli"] = {*MAY_IMPORT} - {"errors"}


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_dependencies_run_one_way(part):
    package = ROOT / "autograder"
    files = [*(package / part).rglob("*.py")] if (package / part).is_dir() else [package / f"{part}.py"]
    assert files
    for file in files:
        parts = {name.split(".")[1] for name in imports(file) if name.startswith("autograder.")}
        assert parts & MAY_IMPORT.keys() <= MAY_IMPORT[part] | {part}, file


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
