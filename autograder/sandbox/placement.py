"""Puts what a check passes on the device where a student's code is judged, and takes what comes back to the CPU.

A check makes its inputs and compares on the CPU; only the student's code sees another device.
"""

from typing import Any

import torch
from torch import Tensor

from autograder.sandbox.nested import leaves, mapped
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
        return mapped(value, self._put)

    def _put(self, leaf: Any) -> Any:
        if isinstance(leaf, Tensor):
            return leaf.to(self._device)
        if isinstance(leaf, torch.Generator) and self._device.type != leaf.device.type:
            seed = torch.randint(1 << 62, (), generator=copy_generator(leaf)).item()
            return torch.Generator(self._device).manual_seed(int(seed))
        return leaf

    def take(self, value: Any) -> Any:
        """``value`` with its tensors on the CPU."""
        return mapped(value, lambda leaf: leaf.cpu() if isinstance(leaf, Tensor) else leaf)

    def advance(self, own: torch.Generator, used: torch.Generator) -> None:
        """Moves a check's generator on if the student's code has drawn from its twin ``used``."""
        if own.device.type == used.device.type:
            own.set_state(used.get_state())
        elif not torch.equal(self.put(own).get_state(), used.get_state()):
            torch.rand((), generator=own)

    def require(self, answer: Any, asked: Any) -> None:
        """Raises `Misplaced` if a tensor of ``answer`` is elsewhere, though what was ``asked`` held tensors."""
        if not any(isinstance(leaf, Tensor) for leaf in leaves(asked)):
            return
        for leaf in leaves(answer):
            if isinstance(leaf, Tensor) and leaf.device.type != self._device.type:
                raise Misplaced(
                    f"the answer is on {leaf.device.type}, though the input is on {self._device.type}: "
                    "make new tensors with `device=x.device`"
                )
