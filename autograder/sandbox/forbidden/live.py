"""Reads a live namespace, such as a kernel's, for forbidden operations."""

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from torch.overrides import resolve_name

from autograder.sandbox.forbidden.operations import LIBRARIES, Forbidden, Use
from autograder.sandbox.forbidden.reading import read_uses


def uses_in_namespace(
    namespace: Mapping[str, Any],
    name: str,
    forbidden: Forbidden,
    judged: frozenset[str] = frozenset(),
) -> tuple[Use, ...]:
    """Like `read_uses` for a live namespace, such as a kernel's; lines are counted from the start of a definition."""
    return read_uses(tuple(_sources(namespace, name)), name, forbidden, judged)


def source_in_namespace(namespace: Mapping[str, Any], name: str, others: frozenset[str]) -> str:
    """The source of ``name`` and of what it uses, without that of ``others``."""
    return "\n".join(_sources(namespace, name, others))


def _sources(namespace: Mapping[str, Any], name: str, others: frozenset[str] = frozenset()) -> Iterator[str]:
    """Source of ``name`` and of the global names that it mentions, and what mentions these; ``others`` left out."""
    wanted, told = [name], set(others)
    while wanted:
        one = wanted.pop()
        if one in told or one not in namespace:
            continue
        told.add(one)
        value = namespace[one]
        source = _source(one, value)
        if source is None:
            continue
        yield source
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        wanted += [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def _source(name: str, value: object) -> str | None:
    """Code that gives ``name`` its value: its own definition, or where it was imported from."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}"
    path = _imported_path(value)
    if path is not None:
        return f"import {path.partition('.')[0]}\n{name} = {path}"
    try:
        source = _class_source(value) if isinstance(value, type) else inspect.getsource(value)  # type: ignore[arg-type]
    except (TypeError, OSError, ValueError, IndexError):
        return None
    source, own = textwrap.dedent(source), getattr(value, "__name__", name)
    return source if own == name or not own.isidentifier() else f"{source}\n{name} = {own}"


def _class_source(own: type) -> str:
    """A class's source through one of its methods: `inspect` finds no class that was written in a notebook."""
    for member in vars(own).values():
        if inspect.isfunction(member):
            lines = linecache.getlines(member.__code__.co_filename, member.__globals__)
            for node in ast.walk(ast.parse("".join(lines))):
                if isinstance(node, ast.ClassDef) and node.name == own.__name__:
                    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                    return "".join(lines[first - 1 : node.end_lineno])
    raise OSError


def _imported_path(value: object) -> str | None:
    """The path of a library's function or class, or of the class of a library's callable; None for a student's own."""
    if not callable(value):
        return None
    try:
        path = resolve_name(value)
    except Exception:  # what is not hashable
        path = None
    if path is None:
        named = value if hasattr(value, "__qualname__") else type(value)
        path = f"{named.__module__}.{named.__qualname__}"
    path = f"torch.ops.{path}" if path.startswith("aten.") else path
    is_path = all(part.isidentifier() for part in path.split("."))
    return path if path.partition(".")[0] in LIBRARIES and is_path else None
