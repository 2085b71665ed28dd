"""The student as a check sees it: a proxy that passes data, keeps a transcript, and never holds an object."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from autograder.sandbox.nested import leaves
from autograder.sandbox.protocol import Answering, Raised, Reply, Request
from autograder.sandbox.values import BoundMethod, Handle, copy_value

GENERATORS = (torch.Generator, np.random.Generator)
# What can be told apart from an equal one by being the same object.
TRACED = (torch.Tensor, np.ndarray, *GENERATORS)


class StudentError(Exception):
    """The student's code raised; `raised` says what.

    >>> try:
    ...     student.root(-4.0)
    ... except StudentError as error:
    ...     error.raised.type_name, error.raised.message
    ('ValueError', 'x is -4.0, it has to be at least 0')
    """

    def __init__(self, raised: Raised) -> None:
        super().__init__(str(raised))
        self.raised = raised


class StudentTypeError(StudentError, TypeError):
    """The student's object has no length; ``list`` asks for one, and takes a `TypeError` for none."""


@dataclass(frozen=True)
class Call:
    """One request with what it gave. Argument values are as they were before the call.

    Attributes:
        request, reply: what was asked, and what it gave.
        origins: of arrays and generators among the arguments, by id, the call that gave them or drew from them before.
        asserted: how many assertions had passed before.
    """

    request: Request
    reply: Reply
    origins: Mapping[int, "Call"] = field(default_factory=dict, repr=False, compare=False)
    asserted: int = field(default=0, repr=False, compare=False)


class Assertions:
    """Counts the assertions that pass in this process, so that a transcript shows what each was about."""

    passed = 0


class Session:
    """Sends requests to a runner and keeps what was asked and answered."""

    def __init__(self, runner: Answering) -> None:
        self.runner = runner
        self.transcript: list[Call] = []
        # The call that gave each array, or last drew from each generator; both are kept, so that no id comes again.
        self._origins: dict[int, tuple[object, Call]] = {}

    def ask(self, request: Request) -> Any:
        """Sends ``request``; returns its value, objects as `StudentObject`; raises `StudentError`."""
        request = Request(
            request.kind,
            request.name,
            tuple(_lower(arg) for arg in request.args),
            {name: _lower(value) for name, value in request.kwargs.items()},
        )
        kept = copy_value((request.args, request.kwargs), lambda item: item)
        reply = self.runner.run(request)
        if not isinstance(reply.value, BoundMethod):
            self._keep(Request(request.kind, request.name, *kept), reply, (request.args, request.kwargs))
        if reply.raised is not None:
            raise StudentError(reply.raised)
        return self._lift(reply.value)

    def _keep(self, request: Request, reply: Reply, given: object) -> None:
        copies = leaves((request.args, request.kwargs))
        origins = {
            id(copy): self._origins[id(leaf)][1]
            for copy, leaf in zip(copies, leaves(given), strict=True)
            if isinstance(leaf, TRACED) and id(leaf) in self._origins
        }
        call = Call(request, reply, origins, Assertions.passed)
        self.transcript.append(call)
        drawn_from = (leaf for leaf in leaves(given) if isinstance(leaf, GENERATORS))
        for leaf in (*(leaf for leaf in leaves(reply.value) if isinstance(leaf, TRACED)), *drawn_from):
            self._origins[id(leaf)] = leaf, call

    def _lift(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return StudentObject(self, value)
        if isinstance(value, BoundMethod):
            return StudentMethod(self, value)
        if isinstance(value, list):
            return [self._lift(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self._lift(item) for item in value)
        if isinstance(value, dict):
            return {key: self._lift(item) for key, item in value.items()}
        return value


def _lower(value: Any) -> Any:
    if isinstance(value, StudentObject):
        return value._handle
    if isinstance(value, list):
        return [_lower(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_lower(item) for item in value)
    if isinstance(value, dict):
        return {key: _lower(item) for key, item in value.items()}
    return value


class Student:
    """``student.softmax(x, dim=1)`` calls the student's ``softmax``, wherever it runs.

    >>> student.half(vector(3))
    tensor([1.5000], dtype=torch.float64)
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> "StudentFunction":
        if name.startswith("_"):
            raise AttributeError(name)
        return StudentFunction(self._session, name)


class StudentFunction:
    """A global function or class of the student."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._session.ask(Request("call", self._name, args, kwargs))

    def gradient(self, grad_out: Any, wrt: tuple[int, ...], *args: Any, **kwargs: Any) -> Any:
        """What autograd gives through the function's answer; see `autograder.sandbox.gradients`."""
        return self._session.ask(Request("gradient", self._name, (grad_out, wrt, *args), kwargs))


class StudentMethod:
    """A method of a student's object."""

    def __init__(self, session: Session, method: BoundMethod) -> None:
        self._session = session
        self._method = method

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._session.ask(Request("method", self._method.name, (self._method.owner, *args), kwargs))


class StudentObject:
    """Stands for an object of the student: attributes, methods, operators, indexing, iteration, ``with``."""

    # An array on the left leaves the operator to the student's object.
    __array_ufunc__ = None

    _session: Session
    _handle: Handle

    def __init__(self, session: Session, handle: Handle) -> None:
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_handle", handle)

    def _operate(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._session.ask(Request("operator", name, args, kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._session.ask(Request("attribute", name, (self,)))

    def __setattr__(self, name: str, value: Any) -> None:
        self._session.ask(Request("assign", name, (self, value)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._operate("call", self, *args, **kwargs)

    def __add__(self, other: Any) -> Any:
        return self._operate("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._operate("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._operate("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._operate("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._operate("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._operate("*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._operate("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._operate("/", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._operate("//", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._operate("//", other, self)

    def __mod__(self, other: Any) -> Any:
        return self._operate("%", self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._operate("%", other, self)

    def __pow__(self, other: Any) -> Any:
        return self._operate("**", self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._operate("**", other, self)

    def __matmul__(self, other: Any) -> Any:
        return self._operate("@", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._operate("@", other, self)

    def __neg__(self) -> Any:
        return self._operate("neg", self)

    def __abs__(self) -> Any:
        return self._operate("abs", self)

    def __eq__(self, other: object) -> Any:
        return self._operate("==", self, other)

    def __ne__(self, other: object) -> Any:
        return self._operate("!=", self, other)

    def __lt__(self, other: Any) -> Any:
        return self._operate("<", self, other)

    def __le__(self, other: Any) -> Any:
        return self._operate("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._operate(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._operate(">=", self, other)

    def __hash__(self) -> int:
        return hash(self._handle)

    def __contains__(self, item: Any) -> bool:
        return bool(self._operate("in", item, self))

    def __getitem__(self, key: Any) -> Any:
        return self._operate("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._operate("setitem", self, key, value)

    def __len__(self) -> int:
        try:
            return int(self._operate("len", self))
        except StudentError as error:
            raise (StudentTypeError if error.raised.type_name == "TypeError" else StudentError)(error.raised) from None

    def __bool__(self) -> bool:
        return bool(self._operate("bool", self))

    def __float__(self) -> float:
        return float(self._operate("float", self))

    def __int__(self) -> int:
        return int(self._operate("int", self))

    def __str__(self) -> str:
        return str(self._operate("str", self))

    def __repr__(self) -> str:
        return f"<the student's {self._handle.type_name}>"

    def __iter__(self) -> Iterator[Any]:
        return self._operate("iter", self)  # type: ignore[no-any-return]

    def __next__(self) -> Any:
        try:
            return self._operate("next", self)
        except StudentError as error:
            if error.raised.type_name == "StopIteration":
                raise StopIteration from None
            raise

    def __enter__(self) -> Any:
        return self._operate("enter", self)

    def __exit__(self, *exc_info: object) -> None:
        self._operate("exit", self)
