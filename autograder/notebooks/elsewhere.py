"""Exercises that were written in another cell than their own, which still holds the untouched stub."""

import ast
from collections.abc import Collection, Mapping, Sequence

from autograder.notebooks.kernel_code import parsed
from autograder.notebooks.submission import Cell


def written_elsewhere(cells: Sequence[Cell], stubs: Mapping[str, str], exercises: Collection[str]) -> frozenset[str]:
    """The exercises whose own cell is the stub as released, and that another cell defines.

    Args:
        cells: of a submission.
        stubs: the code of the cells that students were given, by name.
        exercises: the names of all exercises.
    """
    code = [cell for cell in cells if cell.kind == "code"]
    untouched = {cell.name for cell in code if is_stub(cell, stubs) and cell.name in exercises}
    if not untouched:
        return frozenset()
    return frozenset(
        name for cell in code if not is_stub(cell, stubs) for name in _defined(cell.code) if name in untouched
    )


def is_stub(cell: Cell, stubs: Mapping[str, str]) -> bool:
    """Whether a cell holds what students were given."""
    return cell.name in stubs and cell.code.split() == stubs[cell.name].split()


def _defined(code: str) -> frozenset[str]:
    """The names that a cell's top level defines."""
    tree = parsed(code)
    names: set[str] = set()
    for node in () if tree is None else tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(names)
