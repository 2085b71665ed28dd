"""Reads an assignment's MyST Markdown source into cells that say what they are for."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Role = Literal["text", "setup", "exercise", "check", "demo", "question"]
CODE_ROLES: tuple[Role, ...] = ("setup", "exercise", "check", "demo")


class SourceError(Exception):
    """A notebook source cannot be built; the sentence names file, cell, what was found and what is allowed."""


@dataclass(frozen=True)
class SourceCell:
    """One cell of a source.

    Attributes:
        role: what it is for.
        name: the exercise or question that it belongs to.
        text: what stands in it.
        points: of a question.
        minutes: how long the exercise takes, about; 0 where the source does not say.
        refuses: whether the student writes the exercise's guards too; elsewhere they are given.
    """

    role: Role
    name: str
    text: str
    points: float = 0.0
    minutes: int = 0
    refuses: bool = False


def read_source(path: Path) -> tuple[SourceCell, ...]:
    """The cells of ``NAME.md`` in order.

    Raises:
        SourceError: a cell says nothing or something unknown of what it is for, or a name occurs twice.
    """
    import jupytext  # with nbformat; whoever only reads what was built needs neither

    try:
        notebook = jupytext.read(path, fmt="md:myst")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise SourceError(f"{path} is not MyST Markdown that jupytext reads: {reason}") from None
    cells = tuple(_cells(path, notebook.cells))
    for role in ("exercise", "check", "question"):
        names = [cell.name for cell in cells if cell.role == role]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise SourceError(f"{path}: two {role} cells for {twice!r}, allowed is one")
    if [cell.role for cell in cells].count("setup") != 1:
        raise SourceError(f"{path}: needs exactly one cell with `:setup:`")
    return cells


def _cells(path: Path, cells: list[Any]) -> Iterator[SourceCell]:
    demos = 0
    for number, cell in enumerate(cells, 1):
        where = f"{path}, cell {number}"
        if cell.cell_type == "markdown":
            if not cell.source.strip():
                continue
            if "question" in cell.metadata:
                yield _question(where, cell.metadata, cell.source)
            else:
                yield SourceCell("text", _slug(cell.source), cell.source)
            continue
        roles = [role for role in CODE_ROLES if role in cell.metadata]
        if len(roles) != 1:
            raise SourceError(f"{where}: a code cell needs one of :setup:, :exercise:, :check:, :demo:")
        role = roles[0]
        if role == "demo":
            demos += 1
            yield SourceCell("demo", f"{demos}", _guarded(where, cell.source))
        elif role == "setup":
            yield SourceCell("setup", "", cell.source)
        else:
            name = cell.metadata[role]
            if not isinstance(name, str) or not name.isidentifier():
                raise SourceError(f"{where}: `:{role}:` needs the name of an exercise, found {name!r}")
            if cell.source.strip():
                raise SourceError(f"{where}: the {role} cell of {name!r} has to be empty; `autograder build` fills it")
            yield SourceCell(role, name, "", minutes=_minutes(where, cell.metadata), refuses="refuses" in cell.metadata)


def _minutes(where: str, metadata: dict[str, object]) -> int:
    minutes = metadata.get("minutes", 0)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 <= minutes <= 600:
        raise SourceError(f"{where}: `:minutes:` is {minutes!r}, allowed is a whole number up to 600")
    return minutes


def _question(where: str, metadata: dict[str, object], text: str) -> SourceCell:
    name, points = metadata["question"], metadata.get("points")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise SourceError(f"{where}: a question's name is {name!r}, allowed are a-z, 0-9 and _")
    if isinstance(points, bool) or not isinstance(points, int | float) or not 0 < points < 1e6:
        raise SourceError(f"{where}: points of question {name!r} are {points!r}, allowed is a number above 0")
    return SourceCell("question", name, text, float(points))


def _slug(text: str) -> str:
    heading = re.search(r"^#+ (.+)$", text, re.MULTILINE)
    words = re.findall(r"[a-z0-9]+", (heading[1] if heading else text[:60]).lower())
    return "-".join(words)[:40].strip("-") or "text"


def _guarded(where: str, code: str) -> str:
    """A demo's code behind ``if not grading():``, so that an unmodified nbgrader skips it too."""
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise SourceError(f"{where}: line {error.lineno} is not Python: {error.msg}") from None
    if not tree.body:
        raise SourceError(f"{where}: a demo cell is empty, needed is a statement")
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        )
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if is_text and first != last:
            raise SourceError(f"{where}: line {first}: a demo cell is indented, so no string may span lines")
    return "\n".join(["if not grading():", *(f"    {line}" if line.strip() else "" for line in code.splitlines())])
