"""Reads a submission, a notebook or a plain Python file, into the code that runs when grading."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

from packaging.version import InvalidVersion, Version

from autograder.course import Limits
from autograder.notebooks.kernel_code import as_kernel_runs, parsed
from autograder.notebooks.repair.cells import Released, checked, grade_id, restore
from autograder.notebooks.repair.merge import conflict_marker
from autograder.notebooks.repair.reading import USUAL, Handed, UnreadableSubmission, read_handed
from autograder.notebooks.repair.shape import TooMany
from autograder.version import VERSION

__all__ = [
    "Cell",
    "Submission",
    "UnreadableSubmission",
    "capped",
    "read_handed",
    "read_submission",
    "repaired",
    "submission_of",
]

DEMO = re.compile(r"^\s*if not grading\(\)\s*:")


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


def read_submission(path: Path, released: Released | None = None, limits: Limits = USUAL) -> Submission:
    """Reads a notebook or Python file.

    Args:
        path: the file.
        released: the notebook that students were given; its cells are put right from it.
        limits: what the file may hold.
    Raises:
        UnreadableSubmission: the file is missing, too large, or nothing that could be graded.
    """
    handed = read_handed(path, limits)
    if released is None and handed.python is not None and path.suffix == ".py":
        return script(handed, path)
    notebook, notes = repaired(handed, released, path)
    return submission_of(notebook, path, handed.sha256, notes, limits)


def script(handed: Handed, path: Path) -> Submission:
    """A Python file as it stands, where it answers no assignment that is known."""
    return Submission(path, handed.sha256, None, (Cell("code", path.name, handed.python or ""),), handed.notes)


def capped(notes: Sequence[str], limits: Limits) -> tuple[str, ...]:
    """Notes as far as a person would read them; the last one says how many more there are."""
    if len(notes) <= limits.notes:
        return tuple(notes)
    return (*notes[: limits.notes - 1], f"and {len(notes) - limits.notes + 1:,} more of such notes")


def repaired(handed: Handed, released: Released | None, path: Path) -> tuple[Any, tuple[str, ...]]:
    """What was handed in with its cells put right, and all notes on what was put right.

    Raises:
        UnreadableSubmission: it answers another assignment, or defies repair.
    """
    if released is None:
        return handed.notebook, handed.notes
    ours, theirs = _assignment(released.notebook), _assignment(handed.notebook)
    if theirs not in (ours, None) and not released.cells.keys() & {grade_id(cell) for cell in handed.notebook.cells}:
        raise UnreadableSubmission(path, f"is a notebook of the assignment {theirs}, not of {ours}.")
    try:
        notebook, notes = restore(handed.notebook, released)
    except Exception as error:  # whatever is wrong with one file must not stop a class
        raise UnreadableSubmission(path, f"cannot be put right ({type(error).__name__}: {error}).") from error
    # Of a Python file no cell is as it was released, which one note says.
    return notebook, handed.notes if handed.python is not None else (*handed.notes, *notes)


def submission_of(
    notebook: Any, path: Path, sha256: str = "", notes: tuple[str, ...] = (), limits: Limits = USUAL
) -> Submission:
    """A notebook that was read before as a submission.

    Raises:
        UnreadableSubmission: it has more check cells than allowed.
    """
    cells, noticed = _cells(notebook)
    checks = sum(cell.kind == "check" for cell in cells)
    if checks > limits.check_cells:
        raise UnreadableSubmission(path, str(TooMany(checks, "checks in its cells", limits.check_cells)))
    said = capped((*notes, *_aged(notebook), *noticed), limits)
    return Submission(path, sha256, _assignment(notebook), cells, said)


def _assignment(notebook: Any) -> str | None:
    ours = notebook.metadata.get("autograder")
    assignment = ours.get("assignment") if isinstance(ours, dict) else None
    return assignment if isinstance(assignment, str) else None


def _aged(notebook: Any) -> tuple[str, ...]:
    """A note if the notebook, or the package that wrote one of its outputs, is older than this package."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    metadata = [part.get("metadata") for part in (notebook, *outputs)]
    marks = [found.get("autograder") for found in metadata if isinstance(found, dict)]
    versions = {str(mark["version"]) for mark in marks if isinstance(mark, dict) and "version" in mark}
    older = [version for version in versions if _is_older(version)]
    if not older:
        return ()
    return (
        f"made with autograder {min(older, key=Version)}, older than the grader's {VERSION}: "
        "what the student saw may differ from this result",
    )


def _is_older(version: str) -> bool:
    try:
        return Version(version) < Version(VERSION)
    except InvalidVersion:
        return False


def _cells(notebook: Any) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    cells: list[Cell] = []
    notes: list[str] = []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.get("cell_type") != "code":
            continue
        code = cell.source
        exercises = checked(code)
        if exercises is not None:
            cells.extend(Cell("check", name) for name in exercises)
            continue
        if DEMO.match(code) or not code.strip():
            continue
        name = grade_id(cell) or f"cell {number}"
        if (conflict := _conflict(code)) is not None:
            cells.append(Cell("code", name, f"raise SyntaxError({conflict!r})"))
            notes.append(f"{name}: {conflict}")
            continue
        plain, dropped = as_kernel_runs(code)
        if dropped:
            notes.append(f"{name}: notebook commands were ignored: {', '.join(dropped[:3])}")
        cells.append(Cell("code", name, plain))
    for name, count in sorted(Counter(cell.name for cell in cells if cell.kind == "code").items()):
        if count > 1:
            notes.append(f"{count} cells for {name}: both run, the last definition counts")
    return tuple(cells), tuple(notes)


def _conflict(code: str) -> str | None:
    """What to say of a cell in which a merge conflict was left."""
    marker = conflict_marker(code) if "<<<<<<<" in code or ">>>>>>>" in code else None
    if marker is None or parsed(dedent(code)) is not None:
        return None
    number, line = marker
    return f"line {number} is a marker of a merge conflict ({line[:40]}): keep one side, and delete the markers"
