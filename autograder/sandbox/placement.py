"""Puts what a check passes on the device where a student's code is judged, and takes what comes back to the CPU.

A check makes its inputs and compares on the CPU; only the student's code sees another device.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from autograder.sandbox.values import copy_generator


class Misplaced(TypeError):
    """An answer is not on the device of its inputs."""


class Placement:
    """One device for a student's code.

    Args:
        device: a torch device that this process can use, such as ``cuda``.
    """

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        if self._device.type == "cuda":
            # TF32 keeps 10 bits of a factor: right code would fail the tolerance of float32.
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False

    def begin(self) -> None:
        """Seeds the device's global generator."""
        if self._device.type == "cuda":
            torch.cuda.manual_seed(0)

    def put(self, value: Any) -> Any:
        """``value`` with its tensors and generators on the device; a generator's twin is seeded by its state."""
        if isinstance(value, Tensor):
            return value.to(self._device)
        if isinstance(value, torch.Generator) and self._device.type != value.device.type:
            seed = torch.randint(1 << 62, (), generator=copy_generator(value)).item()
            return torch.Generator(self._device).manual_seed(int(seed))
        return self._each(value, self.put)

    def take(self, value: Any) -> Any:
        """``value`` with its tensors on the CPU."""
        return value.cpu() if isinstance(value, Tensor) else self._each(value, self.take)

    def advance(self, own: torch.Generator, used: torch.Generator) -> None:
        """Moves a check's generator on if the student's code has drawn from its twin ``used``."""
        if own.device.type == used.device.type:
            own.set_state(used.get_state())
        elif not torch.equal(self.put(own).get_state(), used.get_state()):
            torch.rand((), generator=own)

    def require(self, answer: Any, asked: Any) -> None:
        """Raises `Misplaced` if a tensor of ``answer`` is elsewhere, though what was ``asked`` held tensors."""
        if next(_tensors(asked), None) is None:
            return
        for tensor in _tensors(answer):
            if tensor.device.type != self._device.type:
                raise Misplaced(
                    f"the answer is on {tensor.device.type}, though the input is on {self._device.type}: "
                    "make new tensors with `device=x.device`"
                )

    @staticmethod
    def _each(value: Any, change: Any) -> Any:
        if type(value) in (list, tuple):
            return type(value)(change(item) for item in value)
        if type(value) is dict:
            return {key: change(item) for key, item in value.items()}
        return value


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
