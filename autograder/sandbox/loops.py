"""Whether a student's function loops over samples: the number of its torch operations grows with their number."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from autograder.sandbox.inspection import Finding
from autograder.sandbox.nested import mapped
from autograder.sandbox.plain_modes import PlainDispatchMode

FACTORS = (1, 2, 4)

Function = Callable[..., Any]


def loop_finding(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Finding:
    """Counts the operations for n, 2n and 4n samples.

    A loop adds the same number for every sample, so from 2n to 4n it adds twice as many as from n to 2n. Code that
    adds a few once, or a few with each doubling, is no such loop. Only torch's operations are counted: a loop over
    plain Python numbers is not seen.

    Args:
        function: the student's.
        args, kwargs: arguments; every tensor as long as the first one is repeated along its first axis. If the
            function works along that axis (its ``dim``), the last axis is repeated instead.
    """
    found = _axis(function, args, kwargs)
    if found is None:
        return Finding()
    axis, length = found
    try:
        counts = [_operations(function, *_repeated((args, kwargs), axis, length, factor)) for factor in FACTORS]
    except Exception:  # a larger example may be one that the function refuses
        return Finding()
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    if first >= length and second >= 2 * first:
        return Finding(
            True,
            f"Your code runs {counts[0]} torch operations where an axis has length {length}, and {counts[2]} where it "
            f"has {4 * length}. Let torch work on the whole tensor at once instead of in a loop.",
        )
    return Finding(True)


def _axis(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, int] | None:
    """The axis to repeat and its length in the first tensor; None where there is none."""
    tensors = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]
    first = tensors[0] if tensors else None
    if first is None or first.ndim == 0 or any(isinstance(x, torch.Generator) for x in (*args, *kwargs.values())):
        return None
    dim = _dim(function, args, kwargs)
    axis = 0
    if dim is not None and dim % first.ndim == 0:
        axis = -1
        if first.ndim == 1:
            return None
    return (axis, first.shape[axis]) if first.shape[axis] else None


def _dim(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
    except (TypeError, ValueError):
        return None
    dim = bound.arguments.get("dim")
    return dim if isinstance(dim, int) else None


def _repeated(value: Any, axis: int, length: int, factor: int) -> Any:
    def repeat(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        fits = leaf.ndim > 0 and leaf.shape[axis] == length
        return torch.cat([leaf] * factor, axis) if fits else leaf.clone()

    return mapped(value, repeat)


def _operations(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    counted = _Counted()
    with counted:
        function(*args, **kwargs)
    return counted.count


class _Counted(PlainDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))
