"""Reference solutions of the assignment on backpropagation.

Tensors may have any floating dtype and device; results keep both. Backwards are written by hand.
"""

import torch
from torch import Tensor


def neuron(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A neuron's answer to every sample: sigmoid(x · w + b).

    Args:
        x: samples, shape (N, D); any floating dtype and device.
        weight: w, shape (D,).
        bias: b, without axes.
    Returns:
        Values of [0, 1], shape (N,).
    Raises:
        ValueError: ``weight`` does not have one entry for each column of ``x``.
    Source: Rosenblatt (1958), "The perceptron"; Goodfellow et al. (2016), "Deep Learning", section 6.2.2.2.
    """
    if weight.shape != x.shape[1:]:
        raise ValueError(f"weight has shape {tuple(weight.shape)}, a sample of x has shape {tuple(x.shape[1:])}")
    z = x @ weight + bias
    small = torch.exp(-z.abs())
    return torch.where(z >= 0, 1 / (1 + small), small / (1 + small))


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A layer of neurons without activation function: x Wᵀ + b.

    Args:
        x: shape (..., D); any floating dtype and device.
        weight: W, shape (M, D): a row for each neuron.
        bias: b, shape (M,); None for no bias.
    Returns:
        Shape (..., M).
    Raises:
        ValueError: ``weight`` does not have as many columns as ``x`` has entries along its last axis, or ``bias``
            does not have one entry for each row of ``weight``.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.1.
    """
    if weight.ndim != 2 or weight.shape[1] != x.shape[-1]:
        raise ValueError(f"weight has shape {tuple(weight.shape)}, x has shape {tuple(x.shape)}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias has shape {tuple(bias.shape)}, weight has {weight.shape[0]} rows")
    return x @ weight.T if bias is None else x @ weight.T + bias


def linear_backward(
    grad_out: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Gradients of ``linear`` with respect to x, W and b.

    With G the upstream gradient, one row for each sample: grad_x = G W, grad_W = Gᵀ X, grad_b = the sum of G's rows.

    Args:
        grad_out: upstream gradient, shape (..., M).
        x, weight, bias: arguments of the forward pass.
    Returns:
        grad_x shaped like ``x``, grad_weight shaped like ``weight``, grad_bias shaped like ``bias`` (None without one).
    Raises:
        ValueError: as ``linear``; or ``grad_out`` is not shaped like the forward's result.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.5.6.
    """
    out = linear(x, weight, bias)
    if grad_out.shape != out.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, the result has shape {tuple(out.shape)}")
    rows, samples = grad_out.reshape(-1, weight.shape[0]), x.reshape(-1, x.shape[-1])
    return grad_out @ weight, rows.T @ samples, None if bias is None else rows.sum(0)


def edge_gradients(x: Tensor, w: Tensor, b: Tensor, y_true: Tensor) -> dict[tuple[str, str], Tensor]:
    """grad(B, A) on the graph x1 = x * w, x2 = x1 + b, loss_val = |y_true - x2|.

    Args:
        x, w, b, y_true: numbers, tensors without axes of one floating dtype and device.
    Returns:
        A tensor without axes for each key (B, A): the edges ("x1", "w"), ("x1", "x"), ("x2", "x1"), ("x2", "b"),
        ("loss_val", "x2"), and the paths ("loss_val", "w"), ("loss_val", "b"). Where loss_val is 0, its slope is 0.
    Source: Chollet (2021), "Deep Learning with Python", 2nd edition, section 2.4.4.
    """
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
        Shape (N, M) with the M of the last layer.
    Raises:
        ValueError: ``params`` is empty.
    Source: Goodfellow et al. (2016), "Deep Learning", algorithm 6.3.
    """
    if not params:
        raise ValueError("params is empty: a network needs at least one layer")
    for weight, bias in params[:-1]:
        x = linear(x, weight, bias).clamp(min=0)
    return linear(x, *params[-1])


def mlp_backward(
    grad_out: Tensor, x: Tensor, params: list[tuple[Tensor, Tensor]]
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Gradients of ``mlp_forward`` with respect to x and to every weight and bias, from the last layer to the first.

    Args:
        grad_out: upstream gradient, shaped like the forward's result.
        x, params: arguments of the forward pass.
    Returns:
        grad_x shaped like ``x``; and a list like ``params`` with (grad_weight, grad_bias) of each layer.
    Raises:
        ValueError: ``params`` is empty, or ``grad_out`` is not shaped like the forward's result.
    Source: Rumelhart, Hinton & Williams (1986), "Learning representations by back-propagating errors";
        Goodfellow et al. (2016), "Deep Learning", algorithm 6.4.
    """
    if not params:
        raise ValueError("params is empty: a network needs at least one layer")
    inputs = [x]
    for weight, bias in params[:-1]:
        inputs.append(linear(inputs[-1], weight, bias).clamp(min=0))
    out = linear(inputs[-1], *params[-1])
    if grad_out.shape != out.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, the result has shape {tuple(out.shape)}")
    grads = []
    grad = grad_out
    for layer in reversed(range(len(params))):
        weight, bias = params[layer]
        grad_in, grad_weight, grad_bias = linear_backward(grad, inputs[layer], weight, bias)
        grads.append((grad_weight, grad_bias))
        # What entered this layer is what the ReLU before it let through.
        grad = torch.where(inputs[layer] > 0, grad_in, 0) if layer > 0 else grad_in
    return grad, grads[::-1]


def train_mlp(
    x: Tensor,
    y: Tensor,
    params: list[tuple[Tensor, Tensor]],
    *,
    lr: float,
    target_error: float,
    max_epochs: int,
) -> tuple[list[tuple[Tensor, Tensor]], list[float]]:
    """Gradient descent on the mean squared error, over all samples at once.

    Each epoch: forward pass, error; stop if it is at most ``target_error``; else backward pass and one step
    p - lr * grad for every weight and bias. After ``max_epochs`` epochs it stops too.

    Args:
        x: samples, shape (N, D).
        y: targets, shaped like the network's result.
        params: where to start, as for ``mlp_forward``; not changed.
        lr: learning rate, > 0.
        target_error: error that is good enough, >= 0.
        max_epochs: epochs at most, >= 0.
    Returns:
        The new params, and the error of each epoch, measured before its step; Python floats.
    Raises:
        ValueError: ``lr`` is not positive.
    Source: Rumelhart, Hinton & Williams (1986), "Learning representations by back-propagating errors".
    """
    if lr <= 0:
        raise ValueError(f"lr is {lr}, allowed is a number above 0")
    params, errors = list(params), []
    for _ in range(max_epochs):
        difference = mlp_forward(x, params) - y
        errors.append(difference.square().mean().item())
        if errors[-1] <= target_error:
            break
        _, grads = mlp_backward(2 * difference / difference.numel(), x, params)
        params = [(w - lr * dw, b - lr * db) for (w, b), (dw, db) in zip(params, grads, strict=True)]
    return params, errors
