"""What the axes of a function's tensors are called: read from the shapes in its docstring, such as ``(N, C, H, W)``."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

# An argument's shapes, each the words for its axes; several where it is a tuple of tensors.
Shapes = Mapping[str, tuple[tuple[str, ...], ...]]

ARGUMENTS = re.compile(r"^Args:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^    (\w+(?:, \w+)*): (.*?)(?=^    \w|\Z)", re.MULTILINE | re.DOTALL)
BRACKETS = re.compile(r"\(([^()]*)\)")
AXIS = re.compile(r"\.\.\.|\w+(?: [*/+-] \w+)*")
ELSEWHERE = re.compile(r"as in `+(\w+)")
LIKE = re.compile(r"shaped like `+(\w+)`+")
SYMBOL = re.compile(r"[A-Za-z]\w*")


def shapes_of(name: str, functions: Mapping[str, Any]) -> Shapes:
    """The shapes that the docstring of a function gives its arguments, by the argument's name.

    Args:
        name: the function's.
        functions: its namespace; "as in `conv2d`" and "as in the forward pass" are looked up there.
    """
    return {argument: shapes for argument, shapes in _found(name, functions, frozenset()) if shapes}


def symbol_of(word: str) -> str | None:
    """What an axis counts: C for ``C * kH * kW``, H for ``4H``; None for a number or dots."""
    found = SYMBOL.search(word)
    return found[0] if found else None


def words_for(shapes: tuple[tuple[str, ...], ...], ndim: int) -> tuple[str, ...]:
    """The words for the axes of a tensor, of the first shape that fits; empty ones where no shape says."""
    for shape in shapes:
        if "..." in shape and len(shape) - 1 <= ndim:
            at = shape.index("...")
            return (*shape[:at], *("",) * (ndim - len(shape) + 1), *shape[at + 1 :])
        if len(shape) == ndim:
            return shape
    return ("",) * ndim


def _found(
    name: str, functions: Mapping[str, Any], asked: frozenset[str]
) -> Iterator[tuple[str, tuple[tuple[str, ...], ...]]]:
    known: dict[str, tuple[tuple[str, ...], ...]] = {}
    for names, text in _entries(functions.get(name)):
        shapes = tuple(_shapes_in(text))
        elsewhere = {} if shapes else _elsewhere(name, text, functions, asked | {name})
        for place, argument in enumerate(names):
            own = (shapes[place],) if len(shapes) == len(names) > 1 else shapes
            known[argument] = own or elsewhere.get(argument, ())
    for names, text in _entries(functions.get(name)):
        like = LIKE.search(text)
        for argument in names:
            yield argument, known[argument] or (known.get(like[1], ()) if like else ())


def _entries(function: Any) -> Iterator[tuple[list[str], str]]:
    doc = getattr(function, "__doc__", None)
    section = ARGUMENTS.search(inspect.cleandoc(doc)) if isinstance(doc, str) else None
    for entry in ENTRY.finditer(section[1] if section else ""):
        yield entry[1].split(", "), " ".join(entry[2].split())


def _shapes_in(text: str) -> Iterator[tuple[str, ...]]:
    """The shapes in a text; brackets without a capital letter, as (height, width), are none."""
    for found in BRACKETS.finditer(text):
        words = tuple(word.strip() for word in found[1].removesuffix(",").split(","))
        if all(AXIS.fullmatch(word) for word in words) and any(word == "..." or word != word.lower() for word in words):
            yield words


def _elsewhere(name: str, text: str, functions: Mapping[str, Any], asked: frozenset[str]) -> Shapes:
    """The shapes of another function's arguments, where the text refers to it."""
    named = ELSEWHERE.search(text)
    stem = name.removesuffix("_backward")
    others = [stem, f"{stem}_forward"] if "the forward" in text else [named[1]] if named else []
    other = next((other for other in others if other in functions and other not in asked), None)
    return {} if other is None else dict(_found(other, functions, asked))
