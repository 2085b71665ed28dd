"""Reference solutions of the assignment on backpropagation.

Tensors may have any floating dtype and device; results keep both. Backwards are written by hand.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.guards import require_ndim, require_positive, require_shape, require_whole


def neuron(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A neuron's answer to every sample: the sigmoid of its weighted sum plus bias.

    Args:
        x: samples, shape (N, D); any floating dtype and device.
        weight: shape (D,).
        bias: without axes.
    Returns:
        answers: numbers from 0 to 1, shape (N,).
    Raises:
        ValueError: ``x`` does not have two axes, ``weight`` does not have one entry for each column of ``x``, or
            ``bias`` has axes.
    Derivation:
        sigmoid(z) is 1 / (1 + exp(-z)), and the same as exp(z) / (1 + exp(z)). exp of a number that is not positive
        never overflows, so each form is taken where its exp is at most 1.
    Source: Rosenblatt (1958), "The perceptron"; Goodfellow et al. (2016), "Deep Learning", section 6.2.2.2.
    """
    require_ndim(2, x=x)
    require_shape(x.shape[1:], weight=weight)
    require_shape((), bias=bias)
    z = x @ weight + bias
    small = torch.exp(-z.abs())
    return torch.where(z >= 0, 1 / (1 + small), small / (1 + small))


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A layer of neurons without activation function: each neuron's weighted sum of the inputs, plus its bias.

    Args:
        x: shape (..., D), at least one axis; any floating dtype and device.
        weight: shape (M, D): a row for each neuron.
        bias: shape (M,); None for no bias.
    Returns:
        out: shape (..., M).
    Raises:
        ValueError: ``x`` has no axes; ``weight`` does not have two axes, or not as many columns as ``x`` has entries
            along its last axis; ``bias`` is not of shape (M,). The message names the argument.
    Derivation:
        The answer of neuron m to one sample is the sum of w_md x_d over d, plus b_m: for all at once, x Wᵀ + b.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.1.
    """
    if x.ndim == 0:
        raise ValueError("x has no axes, it needs at least one for the inputs")
    require_shape((None, x.shape[-1]), weight=weight)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias has shape {tuple(bias.shape)}, weight has {weight.shape[0]} rows")
    out = x @ weight.T
    return out if bias is None else out + bias


def linear_backward(
    grad_out: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Gradients of ``linear`` with respect to its three arguments.

    Args:
        grad_out: upstream gradient, shape (..., M).
        x, weight, bias: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
        grad_weight: shaped like ``weight``.
        grad_bias: shaped like ``bias``; None without one.
    Raises:
        ValueError: as ``linear``; or ``grad_out`` is not shaped like the forward's result.
    Derivation:
        With G the upstream gradient, one row for each sample: x_nd went into every y_nm of its own sample with the
        factor w_md, so grad_x = G W; w_md into the y_nm of every sample with the factor x_nd, so grad_W = Gᵀ X; b_m
        with the factor 1, so grad_b is the sum of G's rows. Further axes of x are samples as well.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.5.6.
    """
    if x.ndim == 0:
        raise ValueError("x has no axes, it needs at least one for the inputs")
    require_shape((None, x.shape[-1]), weight=weight)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias has shape {tuple(bias.shape)}, weight has {weight.shape[0]} rows")
    require_shape((*x.shape[:-1], weight.shape[0]), grad_out=grad_out)
    # Counted and not left to -1, which cannot be told from a layer without inputs or neurons.
    samples = x.shape[:-1].numel()
    rows = grad_out.reshape(samples, weight.shape[0])
    grad_weight = rows.T @ x.reshape(samples, weight.shape[1])
    return grad_out @ weight, grad_weight, None if bias is None else rows.sum(0)


def edge_gradients(x: Tensor, w: Tensor, b: Tensor, y_true: Tensor) -> dict[tuple[str, str], Tensor]:
    """grad(B, A), by key (B, A), on the graph x1 = x * w, x2 = x1 + b, loss_val = |y_true - x2|.

    Args:
        x, w, b, y_true: numbers, tensors without axes of one floating dtype and device.
    Returns:
        gradients: a tensor without axes for each of the edges ("x1", "w"), ("x1", "x"), ("x2", "x1"), ("x2", "b"),
            ("loss_val", "x2"), and of the paths ("loss_val", "w"), ("loss_val", "b").
    Raises:
        ValueError: an argument has axes.
    Derivation:
        A product passes on the other factor, a sum 1, and |y_true - x2| grows with x2 where x2 is above y_true and
        shrinks where it is below: sign(x2 - y_true), 0 in the corner. Along a path slopes are multiplied.
    Source: Chollet (2021), "Deep Learning with Python", 2nd edition, section 2.4.4.
    """
    require_shape((), x=x)
    require_shape((), w=w)
    require_shape((), b=b)
    require_shape((), y_true=y_true)
    x2 = x * w + b
    slope = torch.sign(x2 - y_true)
    one = torch.ones_like(x2)
    return {
        ("x1", "w"): x.clone(),
        ("x1", "x"): w.clone(),
        ("x2", "x1"): one,
        ("x2", "b"): one.clone(),
        ("loss_val", "x2"): slope,
        ("loss_val", "w"): slope * x,
        ("loss_val", "b"): slope.clone(),
    }


def mlp_forward(x: Tensor, params: list[tuple[Tensor, Tensor]]) -> Tensor:
    """A multilayer perceptron: linear layers with a ReLU after each but the last.

    Args:
        x: samples, shape (N, D); any floating dtype and device.
        params: (weight, bias) of each layer, shapes (M, D) and (M,), from the input to the output; at least one.
    Returns:
        out: shape (N, M) with the M of the last layer.
    Raises:
        ValueError: ``params`` is empty, or ``x`` does not have two axes.
    Source: Goodfellow et al. (2016), "Deep Learning", algorithm 6.3.
    """
    if not params:
        raise ValueError("params is empty: a network needs at least one layer")
    require_ndim(2, x=x)
    for weight, bias in params[:-1]:
        x = linear(x, weight, bias).clamp(min=0)
    return linear(x, *params[-1])


def mlp_backward(
    grad_out: Tensor, x: Tensor, params: list[tuple[Tensor, Tensor]]
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Gradients of ``mlp_forward`` with respect to ``x`` and to every weight and bias.

    Args:
        grad_out: upstream gradient, shaped like the forward's result.
        x, params: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
        grads: a list like ``params``: (grad_weight, grad_bias) of each layer, from the first layer to the last.
    Raises:
        ValueError: ``params`` is empty, ``x`` does not have two axes, or ``grad_out`` is not shaped like the
            forward's result.
    Derivation:
        Forward, keep what enters each layer. Then from the last layer to the first: linear_backward gives the
        gradients of weight and bias, and that of what entered. This was let through by the ReLU of the layer before
        where it is above 0, and only there the gradient goes on.
    Source: Rumelhart, Hinton & Williams (1986), "Learning representations by back-propagating errors";
        Goodfellow et al. (2016), "Deep Learning", algorithm 6.4.
    """
    if not params:
        raise ValueError("params is empty: a network needs at least one layer")
    require_ndim(2, x=x)
    require_shape((x.shape[0], params[-1][0].shape[0]), grad_out=grad_out)
    inputs = [x]
    for weight, bias in params[:-1]:
        inputs.append(linear(inputs[-1], weight, bias).clamp(min=0))
    grads = []
    grad = grad_out
    for layer in reversed(range(len(params))):
        weight, bias = params[layer]
        grad, grad_weight, grad_bias = linear_backward(grad, inputs[layer], weight, bias)
        grads.append((grad_weight, grad_bias))
        if layer > 0:
            grad = torch.where(inputs[layer] > 0, grad, 0)
    return grad, grads[::-1]


def train_mlp(
    x: Tensor,
    y: Tensor,
    params: list[tuple[Tensor, Tensor]],
    forward: Callable[..., Tensor],
    backward: Callable[..., tuple[Tensor, list[tuple[Tensor, Tensor]]]],
    *,
    lr: float,
    target_error: float,
    max_epochs: int,
) -> tuple[list[tuple[Tensor, Tensor]], list[float]]:
    """Gradient descent on the mean squared error, over all samples at once, by the flow chart.

    Args:
        x: samples, shape (N, D), at least one.
        y: targets, shaped like the network's result (N, M).
        params: where to start, (weight, bias) of each layer; not changed.
        forward: ``forward(x, params)`` gives the network's result.
        backward: ``backward(grad_out, x, params)`` gives (grad_x, grads), as ``mlp_backward`` does.
        lr: learning rate, > 0.
        target_error: error that is good enough.
        max_epochs: epochs at most, a whole number >= 0.
    Returns:
        trained: params after the last step, a new list of new pairs.
        errors: the error of each epoch, measured before its step; Python floats.
    Raises:
        ValueError: ``x`` has no sample or not two axes, ``y`` does not have a row for each sample, ``lr`` is not
            positive, or ``max_epochs`` is not a whole number from 0 on.
    Derivation:
        The error is the mean of (out - y)² over all N M entries, so its slope in an entry of out is
        2 (out - y) / (N M).
    Source: Rumelhart, Hinton & Williams (1986), "Learning representations by back-propagating errors".
    """
    require_ndim(2, x=x)
    if x.shape[0] == 0:
        raise ValueError("x has no sample, so there is no mean")
    require_shape((x.shape[0], None), y=y)
    require_positive(lr=lr)
    require_whole(0, max_epochs=max_epochs)
    params, errors = list(params), []
    for _ in range(max_epochs):
        difference = forward(x, params) - y
        errors.append(difference.square().mean().item())
        if errors[-1] <= target_error:
            break
        _, grads = backward(2 * difference / difference.numel(), x, params)
        params = [(w - lr * dw, b - lr * db) for (w, b), (dw, db) in zip(params, grads, strict=True)]
    return params, errors
