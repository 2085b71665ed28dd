"""Makes realistic submissions out of references, mistakes and alternatives, for the demo and for tests."""

import ast
import copy
import inspect
import random
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.notebooks.build import notebook_text, released_notebook
from autograder.testing.assignment import Assignment
from autograder.testing.declarations import Alternative, Mistake

WRITTEN = "What a student writes in their own words stands here; a person grades it."
MIXED = ("chen", "dmitri", "elif", "farah", "goro", "hana")


@dataclass(frozen=True)
class MadeSubmission:
    """A submission's text, and how it was made."""

    student: str
    about: str
    text: str


def solution_source(solution: Any, name: str) -> str:
    """Source of a mistake or alternative as a student would have written it: under the exercise's own name.

    Imports and private definitions of its module that it uses come first.
    """
    tree = ast.parse(inspect.getsource(sys.modules[solution.__module__]))
    definitions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    wanted = copy.deepcopy(definitions[solution.__name__])
    wanted.decorator_list = [node for node in wanted.decorator_list if not _declares(node)]
    used = _names(wanted)
    needed: dict[str, ast.stmt] = {}
    if name in used:
        # It calls the right solution of the same name, which would now be itself.
        right = ast.parse(inspect.getsource(vars(sys.modules[solution.__module__])[name])).body[0]
        needed[f"_right_{name}"] = _renamed(right, name, f"_right_{name}")
        wanted = _renamed(wanted, name, f"_right_{name}")
    while missing := [n for n in used if n.startswith("_") and n in definitions and n not in needed]:
        needed = {missing[0]: definitions[missing[0]], **needed}
        used |= _names(definitions[missing[0]])
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) and _serves(node, used)]
    wanted = _renamed(wanted, solution.__name__, name)
    top = "\n".join(ast.unparse(node) for node in imports)
    return "\n\n\n".join([*([top] if top else []), *(ast.unparse(node) for node in [*needed.values(), wanted])])


def _is_written(solution: Any) -> bool:
    """Whether a mistake or alternative stands in its file as a definition; a function may have made it instead."""
    return not inspect.isfunction(solution) or solution.__code__.co_qualname == solution.__name__


def _written(solutions: Sequence[Mistake] | Sequence[Alternative]) -> list[Any]:
    return [one.solution for one in solutions if _is_written(one.solution)]


def _renamed(tree: Any, old: str, new: str) -> Any:
    """A copy of a definition in which ``old`` is called ``new``, the definition itself too."""
    tree = copy.deepcopy(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == old:
            node.id = new
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == old:
            node.name = new
    return tree


def _declares(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name) and called.id in ("mistake", "alternative")


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _serves(node: ast.Import | ast.ImportFrom, used: set[str]) -> bool:
    """Whether an import brings a used name in; a student has no reference to import from."""
    brought = {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return not (isinstance(node, ast.ImportFrom) and node.level) and bool(brought & used)


def with_solutions(source: Any, solutions: Mapping[str, str]) -> Any:
    """The released notebook with the given code in its exercise cells, and something written if there is any."""
    notebook = released_notebook(source)
    for cell in notebook.cells:
        if cell.id in solutions:
            cell.source = solutions[cell.id]
        elif solutions and cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = WRITTEN
    return notebook


def make_class(assignment: Assignment, source: Any, seed: int = 0) -> tuple[MadeSubmission, ...]:
    """Thirteen submissions: right ones by two ways, a blank, partly done ones, mixed mistakes, a broken file."""
    names = [exercise.name for exercise in assignment.exercises]
    right = {cell.id: cell.source for cell in source.cells if cell.id in names}
    other = {
        exercise.name: solution_source(alternatives[0], exercise.name)
        for exercise in assignment.exercises
        if (alternatives := _written(exercise.alternatives))
    }
    half = dict(list(right.items())[: len(right) // 2])
    second = names[min(1, len(names) - 1)]
    broken_cell = {**right, second: re.sub(r"^(def|class) ", "", right[second], count=1, flags=re.MULTILINE)}
    made = [
        MadeSubmission("ada", "reference solutions", _text(source, right)),
        MadeSubmission("boris", "alternative solutions", _text(source, {**right, **other})),
        MadeSubmission("ivan", "blank", _text(source, {})),
        MadeSubmission("jun", "first half done", _text(source, half)),
        MadeSubmission("kofi", "a syntax error in one cell", _text(source, broken_cell)),
        MadeSubmission("lena", "prints instead of returning, once", _text(source, {**right, **_printing(assignment)})),
        MadeSubmission("mei", "a broken file", '{"cells": [ this is not JSON'),
    ]
    stream = random.Random(seed)
    for student in MIXED:
        chosen = {}
        for exercise in assignment.exercises:
            mistakes = _written(exercise.mistakes)
            if mistakes and stream.random() < 0.35:
                chosen[exercise.name] = solution_source(stream.choice(mistakes), exercise.name)
        made.append(MadeSubmission(student, f"{len(chosen)} mistakes", _text(source, {**right, **chosen})))
    return tuple(sorted(made, key=lambda submission: submission.student))


def _text(source: Any, solutions: Mapping[str, str]) -> str:
    return notebook_text(with_solutions(source, solutions))


def _printing(assignment: Assignment) -> dict[str, str]:
    """The first function that takes one argument, printing its answer."""
    for exercise in assignment.exercises:
        solution = assignment.reference[exercise.name]
        if inspect.isfunction(solution):
            code = inspect.getsource(solution)
            body = ast.parse(code).body[0]
            for node in ast.walk(body):
                if isinstance(node, ast.Return) and node.value is not None:
                    call = ast.parse(f"print({ast.unparse(node.value)})").body[0]
                    _replace(body, node, call)
            return {exercise.name: ast.unparse(body)}
    return {}


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            items = getattr(node, field, None)
            if isinstance(items, list) and old in items:
                items[items.index(old)] = new
