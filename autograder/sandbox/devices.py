"""Whether a student's function works where its input is, found out without a GPU.

The function runs on tensors that have a shape, a dtype and a device and no numbers: first under torch's
``FakeTensorMode``, as if they were on a GPU, and where that does not get to the end, on the ``meta`` device. Only a
clash of devices counts, or an answer on the CPU. Whatever else stops the function, such as a branch that depends on a
number, leaves it unanalysed, which is no fault.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorDeviceMismatchError, FakeTensorMode
from torch.overrides import TorchFunctionMode, resolve_name

from autograder.sandbox.inspection import Finding
from autograder.sandbox.nested import leaves, mapped
from autograder.sandbox.places import is_students, line_of

CLASH = (
    "Expected all tensors to be on the same device",
    "is not on the expected device",
    "found two different devices",
)
ADVICE = "Make new tensors with `device=x.device`, or from the input, as `torch.zeros_like(x)` does."

Function = Callable[..., Any]


def device_finding(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Finding:
    """Runs ``function`` as if every tensor among its arguments were on a GPU.

    Args:
        function: the student's.
        args, kwargs: arguments as on the CPU; they are not changed. Without a tensor that has axes nothing is
            analysed.
    """
    if not any(isinstance(value, Tensor) and value.ndim for value in leaves((args, kwargs))):
        return Finding()
    found = _as_if_on_a_gpu(function, args, kwargs)
    return found if found.analysed else _on_meta(function, args, kwargs)


def _as_if_on_a_gpu(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Finding:
    mode = FakeTensorMode(allow_non_fake_inputs=True)

    def put(x: Any) -> Any:
        return FakeTensor(mode, _on_the_meta_device(x), _GPU) if isinstance(x, Tensor) else x

    # A graph over tensors of a GPU that is not there ends the process, so none is made: autograd is seen on `meta`.
    with torch.inference_mode(), mode, _unlogged():
        return _tried(function, mapped(args, put), mapped(kwargs, put), "cuda")


@contextmanager
def _unlogged() -> Iterator[None]:
    """torch logs a traceback of every operation that fails here, which a student would read above the panel."""
    logger = logging.getLogger(FakeTensorMode.__module__)
    was, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was


def _on_meta(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Finding:
    def put(x: Any) -> Any:
        return _on_the_meta_device(x) if isinstance(x, Tensor) else x

    return _tried(function, mapped(args, put), mapped(kwargs, put), "meta")


def _on_the_meta_device(x: Tensor) -> Tensor:
    return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta")


_GPU = torch.device("cuda:0")


def _tried(function: Function, args: Any, kwargs: Any, device: str) -> Finding:
    made = _Made(device)
    try:
        with made:
            answer = function(*args, **kwargs)
    except Exception as error:
        clash = isinstance(error, FakeTensorDeviceMismatchError) or any(text in str(error) for text in CLASH)
        if not clash:
            return Finding()
        where = f" in `{made.line}`" if made.line else ""
        return Finding(True, f"`{made.operation}`{where} gets tensors of the GPU and of the CPU.{made.told} {ADVICE}")
    elsewhere = [x for x in leaves(answer) if isinstance(x, Tensor) and x.device.type != device]
    if elsewhere:
        return Finding(True, f"The answer is on the CPU, though the input is on the GPU.{made.told} {ADVICE}")
    return Finding(True)


class _Unanalysable(Exception):
    """Stops a function at what cannot be tried without a GPU."""


class _Made(TorchFunctionMode):
    """Remembers the operation at hand, and the student's line that last made a tensor with axes on the CPU."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device
        self.operation = ""
        self.line = ""
        self._made = ""

    @property
    def told(self) -> str:
        return f" One on the CPU comes from `{self._made}`." if self._made and self._made != self.line else ""

    def __torch_function__(
        self, func: Function, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.operation = (resolve_name(func) or getattr(func, "__name__", "an operation")).removeprefix("torch.Tensor.")
        self.line = _line()
        if self._unanalysable(kwargs or {}):
            raise _Unanalysable
        out = _without_numbers(func, args, kwargs or {})
        if isinstance(out, Tensor) and out.ndim and out.device.type == "cpu":
            self._made = self.line
        return out

    def _unanalysable(self, kwargs: dict[str, Any]) -> bool:
        # `device=generator.device` is right: only here does the generator stay on the CPU.
        if kwargs.get("generator") is not None and torch.device(kwargs.get("device") or "meta").type == "cpu":
            return True
        graph = not torch.is_inference_mode_enabled() or torch._C._functorch.peek_interpreter_stack() is not None
        return self._device == "cuda" and graph


def _without_numbers(func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What ``func`` gives; where it moves a tensor of the ``meta`` device, which torch refuses, one without numbers."""
    x = args[0] if args else None
    moves = func is Tensor.cpu or (func is Tensor.to and "cpu" in map(str, (*args[1:], *kwargs.values())))
    if moves and isinstance(x, Tensor) and x.device.type == "meta":
        return torch.zeros(x.shape, dtype=x.dtype)
    if func is Tensor.__setitem__ and isinstance(x, Tensor) and x.device.type == "cpu":
        value = args[2]
        if isinstance(value, Tensor) and value.device.type != "cpu":
            return func(x, args[1], torch.zeros(value.shape, dtype=value.dtype))
    return func(*args, **kwargs)


def _line() -> str:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and not is_students(frame.f_code.co_filename):
        frame = frame.f_back
    return "" if frame is None else line_of(frame, frame.f_lineno)
