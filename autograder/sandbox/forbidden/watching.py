"""Watches what a student's function calls while it runs.

Best effort: a student's code can leave the watch, in a thread for one, and shared libraries are not seen from inside.
torch's Python functions and methods are seen however they were reached; ``torch.autograd.Function`` and what
``torch.compile`` made before are not. scipy, scikit-learn and numpy are seen as far as they are written in Python, and
only in exercises that may not call them; a ufunc such as ``scipy.special.expit`` is only read.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode, resolve_name

from autograder.sandbox.forbidden.operations import LIBRARIES, Forbidden, last_name
from autograder.sandbox.plain_modes import PlainDispatchMode

PYTHON_LIBRARIES = frozenset({"numpy", "scipy", "sklearn"})


class Watch:
    """Which forbidden operations were seen so far, as a person writes them, each once."""

    def __init__(self, forbidden: Forbidden, others: frozenset[str]) -> None:
        self._forbidden = forbidden
        self._others = others
        self._seen: dict[str, None] = {}
        self._paused = False
        self.inside = 0

    @property
    def seen(self) -> tuple[str, ...]:
        return tuple(self._seen)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Sees nothing for a while: for functions of a check that the student's code calls back."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def note(self, path: str) -> None:
        """Remembers the operation ``path`` if it is forbidden."""
        operation = None if self._paused else self._forbidden.operation(path)
        if operation is not None and not self._is_free(operation):
            self._seen[operation] = None

    def note_gradient(self, how: str) -> None:
        """Remembers that a tensor was made to require a gradient."""
        if not self._paused and "autograd" in self._forbidden.families and not self._is_free(how):
            self._seen[how] = None

    def _is_free(self, operation: str) -> bool:
        """Whether another exercise's function is running, which may call what its own reference calls."""
        other = self._other_running()
        if other is None:
            return False
        return self._forbidden.free is None or last_name(operation) in self._forbidden.free.get(other, frozenset())

    def _other_running(self) -> str | None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            name = frame.f_code.co_qualname.partition(".")[0]
            if name in self._others and not _is_library(frame):
                return name
            frame = frame.f_back
        return None


@contextmanager
def watching(forbidden: Forbidden, name: str = "", judged: frozenset[str] = frozenset()) -> Iterator[Watch]:
    """Watches for forbidden operations while the block runs; results stay what they are.

    An operation that torch itself calls inside of one that is allowed is not noted.

    Args:
        forbidden: what may not be called.
        name: the exercise whose function runs.
        judged: names of all exercises. What another one's reference calls it may call for this one too.
    """
    watch = Watch(forbidden, judged - {name})
    with ExitStack() as stack:
        if forbidden:
            stack.enter_context(_Entered(watch))
            stack.enter_context(_Dispatched(watch))
        if "scipy" in forbidden.families:
            stack.enter_context(_profiled(watch))
        yield watch


class _Entered(TorchFunctionMode):
    """Sees every torch function where a student's code enters it; inside of it the mode is off."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        path = _path(func)
        if path == "torch.Tensor.requires_grad.__set__":
            if args[1]:
                self._watch.note_gradient("Tensor.requires_grad = True")
        else:
            self._watch.note(path)
        if kwargs.get("requires_grad"):
            self._watch.note_gradient("requires_grad=True")
        self._watch.inside += 1
        try:
            return func(*args, **kwargs)
        finally:
            self._watch.inside -= 1


class _Dispatched(PlainDispatchMode):
    """Sees operations that were reached past torch's Python functions."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if not self._watch.inside:
            self._watch.note(f"torch.ops.{func}")
        return func(*args, **(kwargs or {}))


def _path(func: Callable[..., Any]) -> str:
    """Where a torch function is found by its users."""
    path = resolve_name(func) or f"{func.__module__}.{getattr(func, '__qualname__', '')}"
    if path.startswith("aten."):
        return f"torch.ops.{path}"
    # One object may have two names, such as `torch.cosine_similarity`; the one that is not in `torch.nn` is allowed.
    name = path.rpartition(".")[2]
    return f"torch.{name}" if path.startswith("torch.nn.") and getattr(torch, name, None) is func else path


@contextmanager
def _profiled(watch: Watch) -> Iterator[None]:
    """Sees Python functions of libraries where other code enters them."""

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event != "call":
            return
        module = _module(frame)
        if module.partition(".")[0] in PYTHON_LIBRARIES:
            caller = frame.f_back
            if caller is None or _module(caller).partition(".")[0] not in PYTHON_LIBRARIES:
                watch.note(f"{module}.{frame.f_code.co_name}")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)


def _module(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__")
    return name if isinstance(name, str) else ""


def _is_library(frame: FrameType) -> bool:
    return _module(frame).partition(".")[0] in LIBRARIES
