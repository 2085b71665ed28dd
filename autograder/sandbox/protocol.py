"""What a check may ask of a student's code, and what comes back: data only."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Kind = Literal["call", "gradient", "method", "attribute", "assign", "operator"]
# The type of what is raised in place of a call that takes too long.
TIMED_OUT = "TimeLimitReached"
# A line that refuses: one that raises, or a guard; see `autograder.guards`. A line without text may be one.
ON_PURPOSE = re.compile(r"\braise\b|\brequire_\w+\(|^line \d+$")


@dataclass(frozen=True)
class Request:
    """One thing to do with a student's code.

    ``call`` runs the global function or class ``name``; ``gradient`` asks autograd for that of its answer, ``args``
    being upstream gradient, places of the arguments, and the arguments; ``method`` runs a method of the object
    ``args[0]``; ``attribute`` reads and ``assign`` sets an attribute; ``operator`` applies one of `OPERATORS`.
    """

    kind: Kind
    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Raised:
    """An exception in the student's code, as data: its type, the names of its base classes, text and place."""

    type_name: str
    bases: tuple[str, ...]
    message: str
    place: str = ""

    @property
    def on_purpose(self) -> bool:
        """Whether the student's own line refuses something, as far as it is known; else it only came upon an error."""
        return not self.place or ON_PURPOSE.search(self.place) is not None

    def __str__(self) -> str:
        text = f"{self.type_name}: {self.message}" if self.message else self.type_name
        return f"{text} ({self.place})" if self.place else text


@dataclass(frozen=True)
class Reply:
    """What a request gave: a value, or what was raised; what was printed; which arguments were changed."""

    value: Any = None
    raised: Raised | None = None
    printed: str = ""
    changed: tuple[str, ...] = ()


class Answering(Protocol):
    """Something that does what a request asks."""

    def run(self, request: Request) -> Reply:
        """Does what is asked; never raises what the student's code raises."""


def _enter(obj: Any) -> Any:
    return type(obj).__enter__(obj)


def _exit(obj: Any) -> Any:
    return type(obj).__exit__(obj, None, None, None)


OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda item, obj: item in obj,
    "neg": operator.neg,
    "abs": operator.abs,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "call": lambda obj, *args, **kwargs: obj(*args, **kwargs),
    "len": len,
    "bool": bool,
    "float": float,
    "int": int,
    "str": str,
    "repr": repr,
    "iter": iter,
    "next": next,
    "enter": _enter,
    "exit": _exit,
}
