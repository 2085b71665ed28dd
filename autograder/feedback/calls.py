"""Calls as code, with names for the objects and arrays that go from one to the next."""

import builtins
import keyword
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.feedback.code import Word, shape_text, show
from autograder.sandbox.nested import leaves
from autograder.sandbox.protocol import Request
from autograder.sandbox.values import Handle, same_data
from autograder.testing.student import GENERATORS, TRACED, Call

PREFIX = {"neg": "-"}
# In an outline: entries of an array or items of a list that are shown, characters of a text and of a line, and lines.
MOST_SHOWN, LONGEST_TEXT, LONGEST_OUTLINE, MOST_OUTLINED = 6, 60, 200, 5
FUNCTIONS = ("abs", "len", "bool", "float", "int", "str", "repr", "iter", "next")


def code_of(transcript: Sequence[Call], *, by_shape: bool = False) -> str:
    """The calls of a transcript, one a line, the student's objects and what later calls use under names of their own.

    Args:
        transcript: calls in order.
        by_shape: of arrays only shape and dtype matter, as where one of a wrong shape is to be refused.
    """
    return "\n".join(_Code(transcript, _by_shape(transcript) if by_shape else lambda value: value).lines())


def outline_of(transcript: Sequence[Call]) -> str:
    """Calls whose code would be too long to read, as comments: of what is long only kind and size."""
    lines = [f"# {line}"[:LONGEST_OUTLINE] for line in _Code(transcript, _outlined).lines()]
    left_out = len(lines) - MOST_OUTLINED
    if left_out > 1:
        lines[MOST_OUTLINED - 1 : -1] = [f"# ... {left_out} more lines ..."]
    return "\n".join(["# Too long to show in full:", *lines])


def _outlined(value: Any) -> Any:
    if isinstance(value, Tensor | np.ndarray):
        kind = _dtype(value).removeprefix("torch.").removeprefix("np.")
        return value if math.prod(value.shape) <= MOST_SHOWN else Word(f"<{kind} of shape {shape_text(value.shape)}>")
    most = LONGEST_TEXT if isinstance(value, str | bytes) else MOST_SHOWN
    if isinstance(value, str | bytes | list | tuple | dict) and len(value) > most:
        return Word(f"<{type(value).__name__} of length {len(value)}>")
    return value


def _by_shape(calls: Sequence[Call]) -> Callable[[Any], Any]:
    """Arrays as zeros of the same shape; a dtype is told only if another array has another."""
    dtypes = {leaf.dtype for call in calls for leaf in _arguments(call) if _is_told_by_shape(leaf)}

    def zeros(value: Any) -> Any:
        if not _is_told_by_shape(value):
            return value
        told = "" if len(dtypes) == 1 else f", dtype={_dtype(value)}"
        if isinstance(value, Tensor):
            return Word(f"torch.zeros({', '.join(map(str, value.shape))}{told})")
        return Word(f"np.zeros({shape_text(value.shape)}{told})")

    return zeros


def _is_told_by_shape(value: Any) -> bool:
    """Whether an array's numbers matter to nobody: finite ones that are not whole numbers or True and False."""
    if not isinstance(value, Tensor | np.ndarray) or not value.ndim:
        return False
    x = value if isinstance(value, Tensor) else torch.from_numpy(value) if value.dtype.kind == "f" else None
    return x is not None and x.is_floating_point() and bool(x.isfinite().all())


class _Code:
    """The lines of a transcript's code, as they come, and the names that were given so far."""

    def __init__(self, calls: Sequence[Call], abridged: Callable[[Any], Any]) -> None:
        self._calls = calls
        self._abridged = abridged
        self._names: dict[int, str] = {}
        # Arrays and generators that later calls use, by the call that gave them or drew from them.
        self._data: dict[int, list[tuple[Any, str]]] = {}
        self._reserved = {call.request.name for call in calls if call.request.kind in ("call", "gradient")}
        self._used: dict[str, int] = {}

    def lines(self) -> Iterator[str]:
        for call in self._calls:
            if _is_silent(call, is_last=call is self._calls[-1]):
                continue
            yield from self._generators(call)
            expression = _expression(self._with_names(call), self._names)
            value = call.reply.value
            new = {number: place for number, place in _handles(value) if number not in self._names}
            data = [(leaf, place) for leaf, place in _placed(value) if self._is_used(call, leaf)]
            if not new and not data:
                yield expression
                continue
            name = self._name(_stem(value) if new else "result")
            self._names |= {number: f"{name}{place}" for number, place in new.items()}
            self._data.setdefault(id(call), []).extend((leaf, f"{name}{place}") for leaf, place in data)
            yield f"{name} = {expression}"

    def _name(self, stem: str) -> str:
        if stem in self._reserved or keyword.iskeyword(stem) or hasattr(builtins, stem) or not stem.isidentifier():
            stem = f"{stem}_object" if stem.isidentifier() else "object_"
        self._used[stem] = self._used.get(stem, 0) + 1
        return stem if self._used[stem] == 1 else f"{stem}{self._used[stem]}"

    def _is_used(self, call: Call, leaf: Any) -> bool:
        """Whether a later call is given this array, which the call gave, or draws from this generator after it."""
        return isinstance(leaf, TRACED) and any(
            other.origins.get(id(given)) is call and _same_source(given, leaf)
            for other in self._calls
            for given in _arguments(other)
        )

    def _generators(self, call: Call) -> Iterator[str]:
        """A line for each generator of a call that later ones draw from, too, unless it has a name."""
        for leaf in _arguments(call):
            if not isinstance(leaf, GENERATORS):
                continue
            name = self._name_of(call.origins.get(id(leaf)), leaf)
            if name is None and self._is_used(call, leaf):
                name = self._name("generator")
                yield f"{name} = {show(leaf)}"
            if name is not None:
                # Who draws from it next has it from this call.
                self._data.setdefault(id(call), []).append((leaf, name))

    def _name_of(self, origin: Call | None, leaf: Any) -> str | None:
        """The name of an array or generator that comes from a call."""
        known = [] if origin is None else self._data.get(id(origin), [])
        return next((name for other, name in known if _same_source(leaf, other)), None)

    def _with_names(self, call: Call) -> Request:
        """The call's request with names in place of what it has from an earlier call, or of a generator of its own."""

        def named(value: Any) -> Any:
            origin = call if isinstance(value, GENERATORS) else call.origins.get(id(value))
            name = self._name_of(origin, value)
            short: Any = self._abridged(value) if name is None else Word(name)
            if type(short) in (list, tuple):
                return type(short)(map(named, short))
            return {key: named(item) for key, item in short.items()} if type(short) is dict else short

        request = call.request
        kwargs = {key: named(value) for key, value in request.kwargs.items()}
        return Request(request.kind, request.name, tuple(map(named, request.args)), kwargs)


def _same_source(a: Any, b: Any) -> bool:
    """Whether one of two arrays or generators can stand for the other, being what a call gave or drew from."""
    if isinstance(a, torch.Generator):
        return isinstance(b, torch.Generator) and a.initial_seed() == b.initial_seed()
    if isinstance(a, np.random.Generator):
        return isinstance(b, np.random.Generator) and show(a) == show(b)
    return isinstance(a, Tensor | np.ndarray) and same_data(a, b)


def _stem(value: Any) -> str:
    if isinstance(value, Handle):
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", value.type_name.lstrip("_")).lower()
    return "values"


def _arguments(call: Call) -> Iterator[Any]:
    return leaves([call.request.args, call.request.kwargs])


def _dtype(x: Any) -> str:
    return str(x.dtype) if isinstance(x, Tensor) else f"np.{x.dtype.name}"


def _is_silent(call: Call, *, is_last: bool) -> bool:
    """Whether Python itself asked, in a loop or in ``list``, and took the exception for an answer."""
    raised = call.reply.raised.type_name if call.reply.raised is not None else ""
    asked = call.request.kind == "operator" and call.request.name
    return (asked, raised) == ("next", "StopIteration") or ((asked, raised) == ("len", "TypeError") and not is_last)


def _handles(value: Any) -> Iterator[tuple[int, str]]:
    """The objects in a value, and how each is reached from it."""
    return ((leaf.number, place) for leaf, place in _placed(value) if isinstance(leaf, Handle))


def _placed(value: Any, place: str = "") -> Iterator[tuple[Any, str]]:
    """The single things in a value, and how each is reached from it."""
    match value:
        case list() | tuple():
            for i, item in enumerate(value):
                yield from _placed(item, f"{place}[{i}]")
        case dict():
            for key, item in value.items():
                yield from _placed(item, f"{place}[{show(key)}]")
        case _:
            yield value, place


def _expression(request: Request, names: dict[int, str]) -> str:
    args = [show(arg, names) for arg in request.args]
    keywords = [f"{name}={show(value, names)}" for name, value in request.kwargs.items()]
    name = request.name
    if request.kind == "call":
        return f"{name}({', '.join(args + keywords)})"
    if request.kind == "gradient":
        places = request.args[1]
        moved = [f"p[{places.index(i)}]" if i in places else arg for i, arg in enumerate(args[2:])]
        function = f"lambda *p: {name}({', '.join(moved + keywords)})"
        return f"torch.func.vjp({function}, {', '.join(args[2 + i] for i in places)})[1]({args[0]})"
    if request.kind == "method":
        return f"{args[0]}.{name}({', '.join(args[1:] + keywords)})"
    if request.kind == "attribute":
        return f"{args[0]}.{name}"
    if request.kind == "assign":
        return f"{args[0]}.{name} = {args[1]}"
    if name == "call":
        return f"{args[0]}({', '.join(args[1:] + keywords)})"
    if name == "getitem":
        return f"{args[0]}[{args[1]}]"
    if name == "setitem":
        return f"{args[0]}[{args[1]}] = {args[2]}"
    if name == "enter":
        return f"{args[0]}.__enter__()"
    if name == "exit":
        return f"{args[0]}.__exit__(None, None, None)"
    if name in PREFIX:
        return f"{PREFIX[name]}{args[0]}"
    if name in FUNCTIONS:
        return f"{name}({', '.join(args)})"
    left = f"({args[0]})" if name == "**" and args[0].startswith("-") else args[0]
    return f"{left} {name} {args[1]}"
