"""Right answers that many checks compare with: worked numbers as tensors, and torch's own gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
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


def with_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """An oracle written in torch, for an exercise written in numpy: arrays become tensors, and its tensors arrays.

    A tensor without axes becomes a Python number. Called with tensors it stays in torch, so `gradient_of` and
    `Contract.backward` find its gradients.

    >>> squared_error = with_arrays(lambda x, y: (x - y).square().mean())
    >>> squared_error(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    2.0
    """

    def oracle(*arguments: Any) -> Any:
        if any(isinstance(argument, Tensor) for argument in arguments):
            return function(*arguments)
        out = function(*map(_as_tensor, arguments))
        return tuple(map(_as_array, out)) if isinstance(out, tuple) else _as_array(out)

    return oracle


def gradient_of(function: Callable[..., Any], wrt: Sequence[int], grad_out: Any, arguments: Sequence[Any]) -> Any:
    """torch's own gradients of ``function``, computed in float64.

    Args:
        function: takes ``arguments``, arrays among them as tensors; returns a tensor or a tuple of tensors.
        wrt: places of the arguments whose gradients are asked for.
        grad_out: upstream gradient, shaped like the result; a tuple where that is one. Arrays and numbers are fine.
        arguments: in order; tensors or arrays of any floating dtype.
    Returns:
        A gradient of the kind and in the dtype of its argument; a tuple of them where ``wrt`` has several places.

    >>> gradient_of(torch.sin, [0], vector(1, 1), [vector(0, torch.pi)])
    tensor([ 1., -1.], dtype=torch.float64)
    >>> gradient_of(torch.sin, [0], np.ones(2), [np.array([0, np.pi])])
    array([ 1., -1.])
    """
    leaves = [
        arg.detach().to(torch.float64, copy=True).requires_grad_(place in wrt)
        if isinstance(arg, Tensor) and arg.is_floating_point()
        else arg
        for place, arg in enumerate(map(_as_tensor, arguments))
    ]
    out = function(*leaves)
    outs, upstream = (out, grad_out) if isinstance(out, tuple) else ((out,), (grad_out,))
    inputs = [leaves[place] for place in wrt]
    kept = [(o, torch.as_tensor(g).double()) for o, g in zip(outs, upstream, strict=True) if o.requires_grad]
    grads = pulled_back([o for o, _ in kept], [g for _, g in kept], inputs)
    found = tuple(
        _like(torch.zeros_like(leaf) if grad is None else grad, arguments[place])
        for place, leaf, grad in zip(wrt, inputs, grads, strict=True)
    )
    return found if len(found) > 1 else found[0]


def _as_tensor(value: Any) -> Any:
    return torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray) else value


def _as_array(value: Any) -> Any:
    return (value.numpy() if value.ndim else value.item()) if isinstance(value, Tensor) else value


def _like(gradient: Tensor, argument: Any) -> Any:
    return gradient.to(argument.dtype) if isinstance(argument, Tensor) else gradient.numpy().astype(argument.dtype)
