"""Whether a student's function works where its input is, found out without a GPU.

The function runs on the CPU, as always, and it is remembered which memory stands for a GPU's: that of its arguments, of
what is made on their device, and of what comes of both. Its tensors say that they are on a GPU, and no operation may
take them together with others. Only such a clash counts, or an answer that is elsewhere. Whatever else stops the
function leaves it unanalysed, which is no fault.

torch's ``FakeTensorMode`` and its ``meta`` device would do it without numbers, but both import torch's compiler: longer
than torch itself, half-way through a student's check.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name

from autograder.sandbox.inspection import Finding
from autograder.sandbox.nested import leaves, mapped
from autograder.sandbox.places import is_students, line_of
from autograder.sandbox.plain_modes import PlainDispatchMode

ADVICE = "Make new tensors with `device=x.device`, or from the input, as `torch.zeros_like(x)` does."

Function = Callable[..., Any]

GPU = torch.device("cuda:0")
# What a tensor of the GPU says of itself.
PROPERTIES: dict[Function, object] = {
    Tensor.device.__get__: GPU,
    Tensor.is_cuda.__get__: True,  # type: ignore[attr-defined]
    Tensor.is_cpu.__get__: False,  # type: ignore[attr-defined]
    Tensor.get_device: 0,
}
MOVES = (Tensor.to, Tensor.cpu, Tensor.cuda, Tensor.type_as)
NEED_THE_CPU = (Tensor.numpy, Tensor.__array__, Tensor.data_ptr)
# Operations whose second argument, the indices, may be on the CPU too.
TAKE_INDICES = ("index", "index_put", "index_put_", "_index_put_impl_")


def device_finding(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Finding:
    """Runs ``function`` as if every tensor among its arguments were on a GPU.

    Args:
        function: the student's.
        args, kwargs: arguments that it may change. Without a tensor that has axes nothing is analysed.
    """
    if not any(isinstance(value, Tensor) and value.ndim for value in leaves((args, kwargs))):
        return Finding()
    memory = _Memory()
    memory.put((args, kwargs), on_gpu=True)
    made = _Made(memory)
    try:
        with _Operations(memory), made:
            answer = function(*args, **kwargs)
    except _Clash:
        where = f" in `{made.line}`" if made.line else ""
        return Finding(True, f"`{made.operation}`{where} gets tensors of the GPU and of the CPU.{made.told} {ADVICE}")
    except Exception:
        return Finding()
    if any(isinstance(x, Tensor) and not memory.is_on_gpu(x) for x in leaves(answer)):
        return Finding(True, f"The answer is on the CPU, though the input is on the GPU.{made.told} {ADVICE}")
    return Finding(True)


class _Clash(Exception):
    """Tensors of the GPU and of the CPU in one operation."""


class _Unanalysable(Exception):
    """Stops a function at what cannot be tried without a GPU."""


class _Memory:
    """Which storages stand for memory of a GPU; they are held, so that none of the CPU gets the place of one."""

    def __init__(self) -> None:
        self._storages: dict[int, torch.UntypedStorage] = {}
        # Whether the call of torch at hand makes what it makes on the GPU.
        self.makes_on_gpu = False

    def is_on_gpu(self, x: Tensor) -> bool:
        return x.device.type != "cpu" or _storage(x)._cdata in self._storages

    def put(self, value: Any, *, on_gpu: bool) -> None:
        """Remembers where the tensors of ``value`` are."""
        for x in leaves(value):
            if isinstance(x, Tensor):
                storage = _storage(x)
                if on_gpu:
                    self._storages[storage._cdata] = storage
                else:
                    self._storages.pop(storage._cdata, None)


def _storage(x: Tensor) -> torch.UntypedStorage:
    while torch._C._functorch.is_functorch_wrapped_tensor(x):
        x = torch._C._functorch.get_unwrapped(x)
    return x.untyped_storage()


class _Operations(PlainDispatchMode):
    """Refuses operations that a GPU would refuse, and follows where their answers are."""

    def __init__(self, memory: _Memory) -> None:
        super().__init__()
        self._memory = memory

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, func.overloadpacket.__name__
        if name == "copy_":
            return func(*args, **kwargs)
        placed = [(x, self._memory.is_on_gpu(x)) for x in leaves((args, kwargs)) if isinstance(x, Tensor)]
        on_gpu = any(is_on_gpu for _, is_on_gpu in placed)
        indices = [id(x) for x in leaves(args[1])] if name in TAKE_INDICES else []
        # A number of the CPU may meet tensors of a GPU.
        if on_gpu and any(x.ndim and not is_on_gpu and id(x) not in indices for x, is_on_gpu in placed):
            raise _Clash
        out = func(*args, **kwargs)
        if on_gpu or (self._memory.makes_on_gpu and not placed):
            self._memory.put(out, on_gpu=True)
        return out


class _Made(TorchFunctionMode):
    """Answers for the GPU where a student asks for it; remembers the operation at hand, and the student's line that
    last made a tensor with axes on the CPU.
    """

    def __init__(self, memory: _Memory) -> None:
        super().__init__()
        self._memory = memory
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
        out = self._answered(func, args, kwargs or {})
        if isinstance(out, Tensor) and out.ndim and not self._memory.is_on_gpu(out):
            self._made = self.line
        return out

    def _answered(self, func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What ``func`` gives; what is said of devices is as it is on a GPU."""
        device = _device(kwargs.get("device"))
        # `device=generator.device` is right: only here does the generator stay on the CPU.
        if kwargs.get("generator") is not None and device is not None and device.type == "cpu":
            raise _Unanalysable
        places = [self._memory.is_on_gpu(x) for x in leaves((args, kwargs)) if isinstance(x, Tensor)]
        if args and isinstance(args[0], Tensor) and places[0]:
            if func in PROPERTIES:
                return PROPERTIES[func]
            if func in NEED_THE_CPU:
                raise _Unanalysable
        if func is torch._C._nn._parse_to:  # how a module reads the arguments of its `to`
            return func(*args, **kwargs)
        self._memory.makes_on_gpu = any(places) if device is None else device == GPU
        on_the_cpu = mapped(args, _on_the_cpu), mapped(kwargs, _on_the_cpu)
        out = args[0] if func is Tensor.cuda else func(*on_the_cpu[0], **on_the_cpu[1])
        if func in MOVES:
            target = self._target(func, args, kwargs)
        else:
            told = device is not None or func is Tensor.new_tensor  # which makes its answer by no operation
            target = self._memory.makes_on_gpu if told else None
        if target is None:
            return out
        if isinstance(out, Tensor) and args and isinstance(args[0], Tensor) and self._memory.is_on_gpu(out) != target:
            out = out.clone()  # without a GPU what moves may be given as it is
        self._memory.put(out, on_gpu=target)
        return out

    def _target(self, func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | None:
        """Whether a tensor is moved to the GPU; None where it stays where it is."""
        if func in (Tensor.cpu, Tensor.cuda):
            return func is Tensor.cuda
        for value in (*args[1:], *kwargs.values()):
            if isinstance(value, Tensor):
                return self._memory.is_on_gpu(value)
            if (device := _device(value)) is not None:
                return device == GPU
        return None


def _device(value: Any) -> torch.device | None:
    """The device that a student says, any GPU being the same; None where nothing says one."""
    if isinstance(value, str):
        try:
            value = torch.device(value)
        except RuntimeError:
            return None
    if not isinstance(value, torch.device):
        return None
    return GPU if value.type == GPU.type else value


def _on_the_cpu(value: Any) -> Any:
    return torch.device("cpu") if _device(value) == GPU else value


def _line() -> str:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and not is_students(frame.f_code.co_filename):
        frame = frame.f_back
    return "" if frame is None else line_of(frame, frame.f_lineno)
