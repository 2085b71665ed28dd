"""Correct solutions of the assignment on backpropagation that go another way than the reference."""

import torch

from autograder.testing import alternative

from .reference import linear, linear_backward


@alternative("neuron")
def neuron_by_tanh(x, weight, bias):
    if weight.shape[0] != x.shape[1] or weight.ndim != 1:
        raise ValueError("weight does not fit x")
    return (1 + torch.tanh(((x * weight).sum(1) + bias) / 2)) / 2


@alternative("neuron")
def neuron_one_sample_after_another(x, weight, bias):
    if weight.shape != (x.shape[1],):
        raise ValueError("weight needs one entry for each column")
    sums = [torch.dot(sample, weight) + bias for sample in x]
    return 1 / (1 + torch.exp(-torch.stack(sums))) if sums else x.new_empty(0)


@alternative("linear")
def linear_by_einsum(x, weight, bias=None):
    _refuse(x, weight, bias)
    out = torch.einsum("...d,md->...m", x, weight)
    return out if bias is None else out + bias


@alternative("linear")
def linear_neuron_by_neuron(x, weight, bias=None):
    _refuse(x, weight, bias)
    columns = [(x * row).sum(-1) for row in weight]
    return torch.stack(columns, -1) + (0 if bias is None else bias)


@alternative("linear_backward")
def linear_backward_by_einsum(grad_out, x, weight, bias=None):
    _refuse(x, weight, bias)
    if grad_out.shape != x.shape[:-1] + weight.shape[:1]:
        raise ValueError("grad_out has another shape than the result")
    grad_weight = torch.einsum("...m,...d->md", grad_out, x)
    grad_bias = None if bias is None else torch.einsum("...m->m", grad_out)
    return torch.einsum("...m,md->...d", grad_out, weight), grad_weight, grad_bias


@alternative("linear_backward")
def linear_backward_sample_by_sample(grad_out, x, weight, bias=None):
    if grad_out.shape != linear(x, weight, bias).shape:
        raise ValueError("grad_out has another shape than the result")
    grad_weight, grad_bias = torch.zeros_like(weight), torch.zeros_like(weight[:, 0])
    for g, sample in zip(grad_out.reshape(-1, len(weight)), x.reshape(-1, x.shape[-1]), strict=True):
        grad_weight = grad_weight + g[:, None] * sample
        grad_bias = grad_bias + g
    return (grad_out[..., None] * weight).sum(-2), grad_weight, None if bias is None else grad_bias


@alternative("edge_gradients")
def edge_gradients_from_the_last_edge(x, w, b, y_true):
    edges = {("x1", "w"): x * 1, ("x1", "x"): w * 1, ("x2", "x1"): x * 0 + 1, ("x2", "b"): x * 0 + 1}
    distance = y_true - (x * w + b)
    edges["loss_val", "x2"] = torch.where(distance > 0, -1.0, torch.where(distance < 0, 1.0, 0.0)).to(x.dtype)
    edges["loss_val", "b"] = edges["loss_val", "x2"] * edges["x2", "b"]
    edges["loss_val", "w"] = edges["loss_val", "x2"] * edges["x2", "x1"] * edges["x1", "w"]
    return edges


@alternative("mlp_forward")
def mlp_forward_with_ones_for_the_biases(x, params):
    """Each bias becomes one more column of the weight, for an input that is always 1."""
    if len(params) == 0:
        raise ValueError("params has no layer")
    for layer, (weight, bias) in enumerate(params):
        wide = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        x = wide @ torch.cat([weight, bias[:, None]], 1).T
        if layer < len(params) - 1:
            x = x * (x > 0)
    return x


@alternative("mlp_backward")
def mlp_backward_by_recursion(grad_out, x, params):
    if not params:
        raise ValueError("params is empty")
    (weight, bias), *rest = params
    z = linear(x, weight, bias)
    if not rest:
        if grad_out.shape != z.shape:
            raise ValueError("grad_out has another shape than the result")
        grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
        return grad_x, [(grad_weight, grad_bias)]
    grad, grads = mlp_backward_by_recursion(grad_out, torch.maximum(z, torch.zeros_like(z)), rest)
    grad_x, grad_weight, grad_bias = linear_backward(grad * (z > 0), x, weight, bias)
    return grad_x, [(grad_weight, grad_bias), *grads]


@alternative("train_mlp")
def train_mlp_with_its_own_passes(x, y, params, *, lr, target_error, max_epochs):
    if not lr > 0:
        raise ValueError("lr has to be positive")
    weights, biases = [w.clone() for w, _ in params], [b.clone() for _, b in params]
    errors = []
    while len(errors) < max_epochs:
        into, sums = [x], []
        for w, b in zip(weights, biases, strict=True):
            sums.append(into[-1] @ w.T + b)
            into.append(sums[-1].clamp(min=0))
        error = float(((sums[-1] - y) ** 2).sum()) / y.numel()
        errors.append(error)
        if error <= target_error:
            break
        grad = (sums[-1] - y) * (2 / y.numel())
        for layer in range(len(weights) - 1, -1, -1):
            below = (grad @ weights[layer]) * (sums[layer - 1] > 0) if layer else None
            weights[layer] = weights[layer] - lr * (grad.T @ into[layer])
            biases[layer] = biases[layer] - lr * grad.sum(0)
            grad = below
    return list(zip(weights, biases, strict=True)), errors


def _refuse(x, weight, bias):
    if x.shape[-1] != weight.shape[-1]:
        raise ValueError("weight does not fit x")
    if bias is not None and len(bias) != len(weight):
        raise ValueError("bias does not fit weight")
