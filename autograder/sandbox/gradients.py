"""torch's own gradients of a student's function, for checks that ask whether autograd can pass through an answer."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

ADVICE = "an answer made by `.item()`, `.detach()`, numpy or a new tensor has lost where it came from"


def gradients(
    function: Callable[..., object], grad_out: Tensor, wrt: Sequence[int], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Tensor, ...]:
    """The gradients of ``(function(*args, **kwargs) * grad_out).sum()``.

    Args:
        function: returns a tensor.
        grad_out: upstream gradient, shaped like the result.
        wrt: places of the floating tensors whose gradients are asked for.
        args, kwargs: what it is called with.
    Raises:
        RuntimeError: no gradient reaches one of them; the message names it.
    """
    own = [arg.detach().clone().requires_grad_() if place in wrt else arg for place, arg in enumerate(args)]
    with torch.enable_grad():
        answer = function(*own, **kwargs)
    if not isinstance(answer, Tensor):
        raise TypeError(f"the answer is a {type(answer).__name__}, which has no gradient")
    if not answer.requires_grad:
        raise RuntimeError(f"autograd cannot pass: {ADVICE}")
    found = pulled_back([answer], [grad_out.to(answer.dtype)], [own[place] for place in wrt])
    lost = [place for place, gradient in zip(wrt, found, strict=True) if gradient is None]
    if lost:
        raise RuntimeError(f"no gradient reaches {_named(function, lost[0])}: {ADVICE}")
    return tuple(gradient for gradient in found if gradient is not None)


def pulled_back(
    outs: Sequence[Tensor], upstream: Sequence[Tensor], inputs: Sequence[Tensor]
) -> tuple[Tensor | None, ...]:
    """The gradients that reach ``inputs`` if each of ``outs`` has that of ``upstream``; None where none does.

    As `torch.autograd.grad` with ``grad_outputs``, which imports sympy: half as long as torch, within a check.

    Raises:
        RuntimeError: an upstream gradient is of another shape than its output.
    """
    if not outs:
        return (None,) * len(inputs)
    for out, gradient in zip(outs, upstream, strict=True):
        if out.shape != gradient.shape:
            raise RuntimeError(f"the gradient has the shape {tuple(gradient.shape)}, the answer {tuple(out.shape)}")
    with torch.enable_grad():
        weighed = [(out * gradient).sum() for out, gradient in zip(outs, upstream, strict=True)]
        total = sum(weighed[1:], start=weighed[0])
    return torch.autograd.grad(total, inputs, allow_unused=True)


def _named(function: Callable[..., object], place: int) -> str:
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return f"`{names[place]}`" if place < len(names) else f"argument {place + 1}"
