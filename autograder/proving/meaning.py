"""Hashes of Python code by what it means: comments, layout, docstrings and the version of Python do not show."""

import ast
import hashlib
import re
from collections.abc import Iterable
from typing import Any

# What no run depends on.
WITHOUT_MEANING = frozenset({"ctx", "kind", "type_comment"})
# How `reached` gives an import, which is no statement of Python's.
IMPORT = re.compile(r"[\w*]+ is [\w.*]+")
DIGITS = 12


def meaning_of(text: str) -> str:
    """What a text of statements means, as another text.

    Args:
        text: a Python file, or what `autograder.examples.dependencies.reached` gives.
    """
    lines = text.splitlines()
    imports = [line for line in lines if IMPORT.fullmatch(line)]
    rest = "\n".join(line for line in lines if not IMPORT.fullmatch(line))
    return repr((imports, _shape(ast.parse(rest))))


def hash_of(parts: Iterable[str]) -> str:
    """A short hash of some texts, in their order."""
    together = hashlib.sha256()
    for part in parts:
        together.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return together.hexdigest()[:DIGITS]


def _shape(node: Any) -> Any:
    """A syntax tree as tuples, without what is empty: newer Pythons have more fields that are."""
    if isinstance(node, list):
        return tuple(_shape(item) for item in node)
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if name not in WITHOUT_MEANING)
    return (
        type(node).__name__,
        *((name, _shape(_without_docstring(node, name, value))) for name, value in fields if value not in (None, [])),
    )


def _without_docstring(node: ast.AST, field: str, value: Any) -> Any:
    match node, field, value:
        case (ast.Module() | ast.ClassDef() | ast.FunctionDef(), "body", [ast.Expr(ast.Constant(str())), *rest]):
            return rest
    return value
