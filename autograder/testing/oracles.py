"""Right answers that many checks compare with: worked numbers as tensors, and torch's own gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from autograder.sandbox.gradients import pulled_back


def vector(*values: float) -> Tensor:
    """A float64 tensor with one axis: ``vector(1, -2)``.

    >>> vector(1, -2)
    tensor([ 1., -2.], dtype=torch.float64)
    """
    return torch.tensor(values, dtype=torch.float64)


def matrix(*rows: Sequence[float]) -> Tensor:
    """A float64 tensor with two axes, of its rows: ``matrix((1, 2), (3, 4))``.

    >>> matrix((1, 2), (3, 4))
    tensor([[1., 2.],
            [3., 4.]], dtype=torch.float64)
    """
    return torch.tensor(rows, dtype=torch.float64)


def gradient_of(function: Callable[..., Any], wrt: Sequence[int], grad_out: Any, arguments: Sequence[Any]) -> Any:
    """torch's own gradients of ``function``, computed in float64.

    Args:
        function: takes ``arguments``; returns a tensor or a tuple of tensors.
        wrt: places of the arguments whose gradients are asked for.
        grad_out: upstream gradient, shaped like the result; a tuple where that is one.
        arguments: in order; tensors of any floating dtype.
    Returns:
        A gradient in the dtype of its argument; a tuple of them where ``wrt`` has several places.

    >>> gradient_of(torch.sin, [0], vector(1, 1), [vector(0, torch.pi)])
    tensor([ 1., -1.], dtype=torch.float64)
    """
    leaves = [
        arg.detach().to(torch.float64, copy=True).requires_grad_(place in wrt)
        if isinstance(arg, Tensor) and arg.is_floating_point()
        else arg
        for place, arg in enumerate(arguments)
    ]
    out = function(*leaves)
    outs, upstream = (out, grad_out) if isinstance(out, tuple) else ((out,), (grad_out,))
    inputs = [leaves[place] for place in wrt]
    kept = [(o, g.double()) for o, g in zip(outs, upstream, strict=True) if o.requires_grad]
    grads = pulled_back([o for o, _ in kept], [g for _, g in kept], inputs)
    found = tuple(
        (torch.zeros_like(leaf) if grad is None else grad).to(arguments[place].dtype)
        for place, leaf, grad in zip(wrt, inputs, grads, strict=True)
    )
    return found if len(found) > 1 else found[0]
