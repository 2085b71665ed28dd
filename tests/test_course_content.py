"""What every assignment of the course keeps to, in its notebook and its references."""

import ast
import re
from pathlib import Path

import pytest

from autograder.course import load_course
from autograder.notebooks.source import SourceCell, read_source
from autograder.notebooks.stub import solution_cell
from autograder.testing.comparison import TOLERANCE_RULE

ROOT = Path(__file__).resolve().parent.parent
COURSE = load_course(ROOT)
NAMES = [assignment.name for assignment in COURSE.assignments]


def cells_of(name: str) -> tuple[SourceCell, ...]:
    return read_source(COURSE.assignments_dir / name / f"{name}.md")


def text_of(name: str) -> str:
    return "\n\n".join(cell.text for cell in cells_of(name) if cell.role == "text")


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_say_how_exact_an_answer_has_to_be(name):
    assert TOLERANCE_RULE in text_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_says_how_long_it_takes(name):
    assert [cell.name for cell in cells_of(name) if cell.role == "exercise" and not cell.minutes] == []


@pytest.mark.parametrize("name", NAMES)
def test_one_exercise_teaches_refusing(name):
    assert len([cell for cell in cells_of(name) if cell.role == "exercise" and cell.refuses]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_hints_are_folded_and_closed(name):
    text = text_of(name)
    assert text.count("<details>") == text.count("</details>") >= 5
    assert all("\n\n" in hint for hint in re.findall(r"<details>(.*?)</details>", text, re.S))


@pytest.mark.parametrize("name", NAMES)
def test_no_stub_derives_what_the_student_is_to_find(name):
    source = (COURSE.solutions_dir / name / "reference.py").read_text(encoding="utf-8")
    for cell in cells_of(name):
        if cell.role == "exercise":
            stub = solution_cell(source, cell.name, guards_given=not cell.refuses)
            assert stub is not None
            assert "Derivation:" not in stub


@pytest.mark.parametrize("name", NAMES)
def test_results_have_names(name):
    """Every reference that returns something says what it is called: `grad_x: shaped like x`."""
    source = (COURSE.solutions_dir / name / "reference.py").read_text(encoding="utf-8")
    graded = {cell.name for cell in cells_of(name) if cell.role == "exercise"}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name in graded:
            returned = re.search(r"Returns:\n(.*?)(?=\n\w|\Z)", ast.get_docstring(node) or "", re.S)
            assert returned, node.name
            assert re.match(r"\s+\w+: \S", returned[1]), node.name
