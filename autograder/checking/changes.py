"""Which exercises a change of a notebook can touch."""

import ast
import hashlib
import re
from collections.abc import Sequence

from autograder.notebooks.submission import Cell

WORD = re.compile(r"\w+")


def fingerprints(cells: Sequence[Cell], surroundings: str = "") -> dict[str, str]:
    """For each exercise that has a check cell a hash of all the code that its result can depend on.

    That is its own cell, every cell that is nobody's own, and the cells of exercises that these name, directly or
    through one another. A cell that does more than define functions and classes is nobody's own.

    Args:
        cells: of a submission, in order.
        surroundings: whatever else all results depend on.
    """
    exercises = dict.fromkeys(cell.name for cell in cells if cell.kind == "check")
    own: dict[str, list[str]] = {name: [] for name in exercises}
    shared: list[str] = []
    defined_by: dict[str, set[str]] = {}
    for cell in cells:
        if cell.kind != "code":
            continue
        names = _definitions(cell.code) if cell.name in exercises else None
        if names is None:
            shared.append(cell.code)
            continue
        own[cell.name].append(cell.code)
        for name in names:
            defined_by.setdefault(name, set()).add(cell.name)
    found = {}
    for exercise in exercises:
        used = _reached([*shared, *own[exercise]], own, defined_by) | {exercise}
        parts = [surroundings, *shared, *(code for name in sorted(used) for code in (name, *own[name]))]
        found[exercise] = hashlib.sha256(repr(parts).encode(errors="replace")).hexdigest()
    return found


def _definitions(code: str) -> set[str] | None:
    """The functions and classes that a cell defines; None if it does anything else."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = set()
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Expr(ast.Constant()):
                pass
            case _:
                return None
    return names


def _reached(start: Sequence[str], own: dict[str, list[str]], defined_by: dict[str, set[str]]) -> set[str]:
    """The exercises whose definitions some code names, and those that these name, and so on."""
    reached: set[str] = set()
    left = list(start)
    while left:
        named = {exercise for word in WORD.findall(left.pop()) for exercise in defined_by.get(word, ())}
        left += [code for exercise in named - reached for code in own[exercise]]
        reached |= named
    return reached
