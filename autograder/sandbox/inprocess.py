"""Runs a student's code in this process: in a notebook, and for trusted submissions."""

import inspect
import random
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np
import torch

from autograder.sandbox.axes import shapes_of
from autograder.sandbox.devices import device_finding
from autograder.sandbox.forbidden.watching import Watch, watching
from autograder.sandbox.gradients import gradients
from autograder.sandbox.inspection import Finding, Findings, Inquiry
from autograder.sandbox.limits import CappedOutput, TimeLimitReached, TooManyCallbacks, time_limit
from autograder.sandbox.loops import LoopSearch
from autograder.sandbox.messages import encode_reply, with_own_generators
from autograder.sandbox.placement import Placement
from autograder.sandbox.places import describe
from autograder.sandbox.protocol import OPERATORS, TIMED_OUT, Raised, Reply, Request
from autograder.sandbox.reach import Reach
from autograder.sandbox.script import Played, Script
from autograder.sandbox.values import GENERATORS, BoundMethod, Callback, Handle, copy_value, same_data
from autograder.sandbox.wire import Pack

NOWHERE = CappedOutput(0)
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class InProcess:
    """A `Runner` over a namespace of this process.

    Args:
        namespace: the student's globals, read at each request.
        seconds_per_call: wall-time limit of a request; None for no limit.
        output_characters: what one request may print; the rest is dropped.
        callbacks: how often one request may call back functions that the check passed in.
        device: where the student's code gets its tensors.
    """

    def __init__(
        self,
        namespace: Mapping[str, Any],
        *,
        seconds_per_call: float | None = None,
        output_characters: int = 20_000,
        callbacks: int = 10_000,
        device: str = "cpu",
    ) -> None:
        self._namespace = namespace
        self._seconds = seconds_per_call
        self._limit = nullcontext if seconds_per_call is None else partial(time_limit, seconds_per_call)
        self._output_characters = output_characters
        self._callbacks = callbacks
        self._objects: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._watch: Watch | None = None
        self._around: Callable[[], AbstractContextManager[object]] = nullcontext
        self._placement = None if device == "cpu" else Placement(device)

    def begin(self) -> None:
        self._objects.clear()
        self._numbers.clear()
        # Not `torch.manual_seed`, which looks for every accelerator each time.
        torch.default_generator.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        if self._placement is not None:
            self._placement.begin()

    def defines(self, name: str) -> bool:
        return callable(self._namespace.get(name))

    def play(self, script: Script) -> Played | None:
        played: Played = []
        for number, sequence in enumerate(script.sequences):
            self.begin()
            replies, pack, trees = [], Pack(), []
            for request in sequence:
                replies.append(self.run(with_own_generators(request)))
                if _timed_out(replies[-1]):
                    return [*played, replies]
                trees.append(encode_reply(replies[-1], [], pack))
            played.append(None if script.is_known(number, trees, memoryview(pack.data)) else replies)
        return played

    def inspect(self, inquiry: Inquiry) -> Findings:
        seen: dict[str, None] = {}

        @contextmanager
        def watched() -> Iterator[None]:
            with watching(inquiry.forbidden, inquiry.exercise, frozenset(inquiry.judged)) as self._watch:
                try:
                    yield
                finally:
                    seen.update(dict.fromkeys(self._watch.seen))
            self._watch = None

        self._around = watched
        try:
            for sequence in inquiry.sequences:
                self.begin()
                if any(_timed_out(self.run(with_own_generators(request))) for request in sequence):
                    break
        finally:
            self._around = nullcontext
        function = self._namespace.get(inquiry.exercise)
        if not isinstance(function, FunctionType):
            return Findings(tuple(seen))
        reach = Reach(function)
        device = loop = Finding()
        if inquiry.on_devices:
            device = self._analysed(inquiry, partial(device_finding, function)) if reach.may_misplace else Finding(True)
        if inquiry.vectorised:
            loop = self._analysed(inquiry, self._loops(inquiry, function)) if reach.may_repeat else Finding(True)
        return Findings(tuple(seen), device, loop)

    @contextmanager
    def standing_in(self, functions: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
        namespace = self._namespace
        if not isinstance(namespace, MutableMapping):
            raise TypeError("names of a namespace that cannot be changed are asked to be others")
        before = {name: namespace[name] for name in functions if name in namespace}
        namespace.update(functions)
        try:
            yield
        finally:
            for name in functions:
                namespace.pop(name, None)
            namespace.update(before)

    def _loops(self, inquiry: Inquiry, function: FunctionType) -> Callable[..., Finding]:
        shapes = shapes_of(inquiry.exercise, self._namespace) if inquiry.shapes is None else inquiry.shapes
        judged = [self._namespace.get(name) for name in inquiry.judged if name != inquiry.exercise]
        others = [other for other in judged if isinstance(other, FunctionType)]
        return LoopSearch(function, shapes, inquiry.loops_over, others).finding

    def _analysed(self, inquiry: Inquiry, analyse: Callable[..., Finding]) -> Finding:
        """The first fault that an analysis finds on a call of the exercise's function; else whether it got through."""
        analysed = False
        for sequence in inquiry.sequences:
            request = sequence[-1]
            if (request.kind, request.name) != ("call", inquiry.exercise):
                continue
            self.begin()
            args, kwargs = copy_value((request.args, request.kwargs), lambda item: item)
            try:
                with redirect_stdout(NOWHERE), redirect_stderr(NOWHERE), self._limit():
                    finding = analyse(args, kwargs)
            except TimeLimitReached:
                return Finding()
            except Exception:
                continue
            if finding.fault is not None:
                return finding
            analysed = analysed or finding.analysed
        return Finding(analysed)

    def run(self, request: Request) -> Reply:
        calls_left = [self._callbacks]
        try:
            args, kwargs = self._inward((request.args, request.kwargs), calls_left)
        except KeyError:
            # Known beforehand is what to ask of an object; here it was never made.
            return Reply(raised=Raised("LookupError", ("LookupError",), "the object was not made"))
        printed = CappedOutput(self._output_characters)
        value, raised = None, None
        try:
            with redirect_stdout(printed), redirect_stderr(NOWHERE), self._limit(), self._around():
                result = self._perform(request, args, kwargs)
            if calls_left[0] < 0:
                raise TooManyCallbacks
            if self._placement is not None:
                self._placement.require(result, (request.args, request.kwargs))
            value = self._outward(result)
        except KeyboardInterrupt:
            raise
        except TimeLimitReached:
            raised = Raised(TIMED_OUT, (), f"no answer after {self._seconds:g} seconds")
        except TooManyCallbacks:
            raised = Raised("TooManyCallbacks", (), f"more than {self._callbacks} calls of the function passed in")
        except BaseException as error:
            raised = describe(error)
        changed = self._changed(request, args, kwargs)
        self._return_generators(request, args, kwargs)
        return Reply(value, raised, printed.getvalue(), changed)

    def _perform(self, request: Request, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        if request.kind in ("call", "gradient"):
            if not self.defines(request.name):
                raise NameError(f"name '{request.name}' is not defined")
            function = self._namespace[request.name]
            if request.kind == "gradient":
                return gradients(function, args[0], args[1], args[2:], kwargs)
            return self._call(request.name, function, args, kwargs)
        if request.kind == "method":
            return self._call(request.name, getattr(args[0], request.name), args[1:], kwargs)
        if request.kind == "attribute":
            found = getattr(args[0], request.name)
            is_method = inspect.isroutine(found)
            return BoundMethod(request.args[0], request.name) if is_method else found
        if request.kind == "assign":
            setattr(args[0], request.name, args[1])
            return None
        if request.name == "call":
            return self._call(type(args[0]).__name__, args[0], args[1:], kwargs)
        return OPERATORS[request.name](*args, **kwargs)

    def _call(
        self, name: str, function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> object:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # One frame: the call itself failed, before any line of the function ran.
            refused = error.__traceback__ is not None and error.__traceback__.tb_next is None
            complaint = signature_complaint(name, function, args, kwargs) if refused else None
            if complaint is None:
                raise
        raise TypeError(complaint)

    def _inward(self, value: object, calls_left: list[int]) -> Any:
        def foreign(item: object) -> object:
            if isinstance(item, Handle):
                return self._objects[item.number]
            if callable(item):
                return self._bounded(item, calls_left)
            raise TypeError(f"a check may not pass a {type(item).__name__} to a student's code")

        own = copy_value(value, foreign)
        return own if self._placement is None else self._placement.put(own)

    def _outward(self, value: object) -> Any:
        def foreign(item: object) -> object:
            if isinstance(item, BoundMethod | Callback):
                return item
            number = self._numbers.setdefault(id(item), len(self._numbers))
            self._objects[number] = item
            named = (name for name, value in self._namespace.items() if value is type(item))
            return Handle(number, next(named, type(item).__name__))

        return copy_value(value if self._placement is None else self._placement.take(value), foreign)

    def _bounded(self, function: Callable[..., object], calls_left: list[int]) -> Callable[..., object]:
        def callback(*args: object, **kwargs: object) -> object:
            calls_left[0] -= 1
            if calls_left[0] < 0:
                raise TooManyCallbacks
            with nullcontext() if self._watch is None else self._watch.paused():
                outward = self._outward((args, kwargs))
                return self._inward(function(*outward[0], **outward[1]), calls_left)

        return callback

    def _changed(self, request: Request, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, ...]:
        if self._placement is not None:
            args, kwargs = self._placement.take((args, kwargs))
        if request.kind == "call":
            skipped, function = 0, self._namespace.get(request.name)
        elif request.kind == "method":
            skipped, function = 1, getattr(type(args[0]), request.name, None)
        elif request.name == "call":
            skipped, function = 1, args[0]
        else:
            return ()
        own, given = request.args[skipped:], args[skipped:]
        places = [i for i in range(len(own)) if not same_data(own[i], given[i])]
        named = tuple(f"`{name}`" for name in kwargs if not same_data(request.kwargs[name], kwargs[name]))
        if not places:
            return named
        bound = request.kind == "method" and inspect.isfunction(function)
        labels = _positional_names(function, len(own) + bound)[bound:]
        return tuple(labels[i] for i in places) + named

    def _return_generators(self, request: Request, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        pairs = [
            (own, used)
            for own, used in (*zip(request.args, args, strict=True), *((request.kwargs[k], kwargs[k]) for k in kwargs))
            if type(own) in GENERATORS
        ]
        for own, used in pairs:
            if isinstance(own, torch.Generator) and self._placement is not None:
                self._placement.advance(own, used)
            elif isinstance(own, torch.Generator):
                own.set_state(used.get_state())
            else:
                own.bit_generator.state = used.bit_generator.state


def _timed_out(reply: Reply) -> bool:
    return reply.raised is not None and reply.raised.type_name == TIMED_OUT


def _positional_names(function: object, count: int) -> list[str]:
    """What the first arguments of a function are called in its signature."""
    try:
        parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        parameters = {}.values()
    names = [f"`{p.name}`" for p in parameters if p.kind in POSITIONAL]
    rest = next((f"`{p.name}`" for p in parameters if p.kind is p.VAR_POSITIONAL), "")
    return [names[i] if i < len(names) else rest or f"argument {i + 1}" for i in range(count)]


def signature_complaint(
    name: str, function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str | None:
    """A sentence on how the call misses the function's signature, or None where it fits."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        pass
    else:
        return None
    parameters = signature.parameters
    kinds = {p.kind for p in parameters.values()}
    unknown = [key for key in kwargs if key not in parameters and inspect.Parameter.VAR_KEYWORD not in kinds]
    takes = f"your {name} takes {signature.replace(return_annotation=inspect.Signature.empty)}"
    if unknown:
        return f"{name} was called with `{unknown[0]}=…`, but {takes}: no argument has that name"
    positional = [p for p in parameters.values() if p.kind in POSITIONAL]
    if len(args) > len(positional) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        return f"{name} was called with {len(args)} positional arguments, but {takes}"
    given = {p.name for p in positional[: len(args)]} | kwargs.keys()
    required = [
        p.name for p in parameters.values() if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    missing = [parameter for parameter in required if parameter not in given]
    if missing:
        return f"{name} was called without `{missing[0]}`, but {takes}: that argument needs a default"
    return f"the call does not fit: {takes}"
