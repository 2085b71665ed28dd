"""Reads a submission, a notebook or a plain Python file, into the code that runs when grading."""

import ast
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

import nbformat
from packaging.version import InvalidVersion, Version

import autograder

DEMO = re.compile(r"^\s*if not grading\(\)\s*:")
SHELL = re.compile(r"^\s*(?:%%?[A-Za-z]|!|\?\??[\w.]|[\w.]+\?\??\s*$|\w[\w, ]*=\s*(?:%[A-Za-z]|!))")
# Cell magics whose body is Python that fills the notebook's namespace; with any other the whole cell is ignored.
PYTHON_MAGICS = ("%%time", "%%capture", "%%prun")


class UnreadableSubmission(Exception):
    """A submission cannot be read; the sentence says why."""


@dataclass(frozen=True)
class Cell:
    """One piece of a submission in notebook order.

    ``code`` runs; ``check`` says that the exercise ``name`` is judged with the namespace as it stands here.
    """

    kind: Literal["code", "check"]
    name: str
    code: str = ""


@dataclass(frozen=True)
class Submission:
    """A submission's code, and what was noticed in reading it."""

    path: Path
    sha256: str
    assignment: str | None
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]


def read_submission(path: Path) -> Submission:
    """Reads a notebook (``.ipynb``) or Python file.

    Raises:
        UnreadableSubmission: the file is missing, empty, or not what its name says.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableSubmission(f"{path} cannot be read: {error.strerror}.") from None
    sha256 = hashlib.sha256(raw).hexdigest()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSubmission(f"{path} is not UTF-8 text (byte {error.start}).") from None
    if not text.strip():
        raise UnreadableSubmission(f"{path} is empty.")
    if path.suffix == ".py":
        return Submission(path, sha256, None, (Cell("code", path.name, text),), ())
    return submission_of(_notebook(path, text), path, sha256)


def submission_of(notebook: Any, path: Path, sha256: str = "") -> Submission:
    """A notebook that was read before as a submission."""
    cells, notes = _cells(notebook)
    ours = notebook.metadata.get("autograder")
    assignment = ours.get("assignment") if isinstance(ours, dict) else None
    aged = _aged(notebook)
    return Submission(path, sha256, assignment if isinstance(assignment, str) else None, cells, (*aged, *notes))


def _aged(notebook: Any) -> tuple[str, ...]:
    """A note if the notebook, or the package that wrote one of its outputs, is older than this package."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    marks = [part.get("metadata", {}).get("autograder") for part in (notebook, *outputs)]
    versions = {str(mark["version"]) for mark in marks if isinstance(mark, dict) and "version" in mark}
    older = [version for version in versions if _is_older(version)]
    if not older:
        return ()
    return (
        f"made with autograder {min(older, key=Version)}, older than the grader's {autograder.__version__}: "
        "what the student saw may differ from this result",
    )


def _is_older(version: str) -> bool:
    try:
        return Version(version) < Version(autograder.__version__)
    except InvalidVersion:
        return False


def _notebook(path: Path, text: str) -> Any:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableSubmission(
            f"{path} is not a notebook: not JSON at line {error.lineno} ({error.msg})."
        ) from None
    except ValueError:
        raise UnreadableSubmission(f"{path} is not a notebook: its JSON has a number of thousands of digits.") from None
    except RecursionError:
        raise UnreadableSubmission(f"{path} is not a notebook: its JSON is nested too deeply.") from None
    if not isinstance(content, dict) or not isinstance(content.get("cells", content.get("worksheets")), list):
        raise UnreadableSubmission(f"{path} is not a notebook: its JSON has no list of cells.")
    if type(content.get("nbformat")) is not int:
        raise UnreadableSubmission(f"{path} is not a notebook: its JSON does not say which nbformat it has.")
    try:
        return nbformat.reads(text, as_version=4)
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UnreadableSubmission(f"{path} is not a notebook of a known format: {reason}.") from None


def _cells(notebook: Any) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    cells: list[Cell] = []
    notes: list[str] = []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.get("cell_type") != "code":
            continue
        code = cell.get("source", "")
        if not isinstance(code, str):
            notes.append(f"cell {number}: its source is no text and was ignored")
            continue
        checked = _checked(code)
        if checked is not None:
            cells.extend(Cell("check", name) for name in checked)
            continue
        if DEMO.match(code) or not code.strip():
            continue
        graded = cell.metadata.get("nbgrader")
        grade_id = graded.get("grade_id") if isinstance(graded, dict) else None
        # Half a surrogate pair, which no file can hold, becomes "?".
        name = str(grade_id or f"cell {number}").encode(errors="replace").decode()
        plain, dropped = without_magics(code)
        if dropped:
            notes.append(f"{name}: notebook commands were ignored: {', '.join(dropped[:3])}")
        cells.append(Cell("code", name, plain))
    for name in sorted({c.name for c in cells if c.kind == "code"}):
        count = sum(c.name == name for c in cells if c.kind == "code")
        if count > 1:
            notes.append(f"{count} cells for {name}: both run, the last definition counts")
    return tuple(cells), tuple(notes)


def _checked(code: str) -> list[str] | None:
    """The exercises that a cell checks; None if it does anything else."""
    tree = _parsed(dedent(code).strip())
    if tree is None or not tree.body:
        return None
    names = []
    for statement in tree.body:
        match statement:
            case ast.Expr(ast.Call(ast.Name("check"), [], [])):
                pass
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Constant(str(name))], [])):
                names.append(name)
            case _:
                return None
    return names


def _parsed(code: str) -> ast.Module | None:
    """The tree of a cell, or None if it is not Python."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def without_magics(code: str) -> tuple[str, list[str]]:
    """Code without magics, shell lines and help lines, and the lines that were dropped."""
    # A notebook runs a cell that is indented as a whole, too.
    for python in (code, dedent(code)):
        if _parsed(python) is not None:
            return python, []
    lines = code.lstrip("\n").splitlines()
    if lines and lines[0].startswith("%%") and not lines[0].startswith(PYTHON_MAGICS):
        return "", [lines[0].strip()]
    kept: list[str] = []
    dropped: list[str] = []
    continued = False
    for line in lines:
        if continued or SHELL.match(line):
            kept.append("" if continued else re.sub(r"\S.*", "pass", line))
            dropped.append(line.strip())
            continued = line.endswith("\\")
        else:
            kept.append(line)
    return "\n".join(kept), dropped
