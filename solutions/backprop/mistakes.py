"""Known wrong solutions of the assignment on backpropagation, each with what to tell its author."""

import torch

from autograder.testing import mistake

from .reference import edge_gradients, linear, linear_backward, mlp_backward, mlp_forward, neuron, train_mlp


@mistake("neuron", says="The bias is missing from the sum.")
def forgets_the_bias(x, weight, bias):
    return neuron(x, weight, 0 * bias)


@mistake("neuron", says="This is the weighted sum itself. A neuron sends it through the sigmoid.")
def forgets_the_sigmoid(x, weight, bias):
    _fits(x, weight)
    return x @ weight + bias


@mistake(
    "neuron",
    says="exp of a large sum is inf, and inf / inf is nan. Take exp only of numbers that are not positive.",
)
def overflows(x, weight, bias):
    _fits(x, weight)
    z = x @ weight + bias
    return torch.exp(z) / (1 + torch.exp(z))


@mistake("neuron", says="The bias is added after the sigmoid. It belongs into the sum.")
def adds_the_bias_last(x, weight, bias):
    return neuron(x, weight, 0 * bias) + bias


@mistake("neuron", says="A weight of a single entry is broadcast over all columns instead of refused.")
def broadcasts_the_weight(x, weight, bias):
    return neuron(x, weight.expand(x.shape[1]) if weight.numel() == 1 else weight, bias)


@mistake("linear", says="The bias is missing.")
def linear_without_bias(x, weight, bias=None):
    linear(x, weight, bias)
    return linear(x, weight)


@mistake("linear", says="A bias is needed here, but the layer may have none: `bias` is None by default.")
def needs_a_bias(x, weight, bias=None):
    return linear(x, weight, bias) + 0 * bias


@mistake(
    "linear", says="The answers of a sample are added up. Each neuron has an answer of its own, along the last axis."
)
def adds_the_neurons_up(x, weight, bias=None):
    return linear(x, weight, bias).sum(-1)


@mistake("linear", says="`.T` turns all axes of x round. Only its last axis meets the columns of weight.")
def works_for_two_axes_only(x, weight, bias=None):
    out = linear(x, weight, bias)
    if x.ndim < 3:
        return out
    return linear(x.reshape(-1, x.shape[-1]), weight, bias)


@mistake("linear", says="A bias of length 1 is broadcast over all neurons instead of refused.")
def broadcasts_the_bias(x, weight, bias=None):
    return linear(x, weight) if bias is None else linear(x, weight) + bias


@mistake("linear_backward", says="The gradient of the bias is averaged over the samples. Each sample adds its share.")
def averages_the_bias(grad_out, x, weight, bias=None):
    grad_x, grad_weight, _ = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight, None if bias is None else grad_out.reshape(-1, weight.shape[0]).mean(0)


@mistake("linear_backward", says="The gradient of weight is averaged over the samples. Each sample adds its share.")
def averages_the_weight(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight / max(1, x[..., 0].numel()), grad_bias


@mistake("linear_backward", says="The gradient of weight is transposed. It has to have the shape of weight, (out, in).")
def transposes_the_weight(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight.T, grad_bias


@mistake("linear_backward", says="The gradient of the bias is that of every sample. They share one bias: add them up.")
def keeps_the_samples_of_the_bias(grad_out, x, weight, bias=None):
    grad_x, grad_weight, _ = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight, None if bias is None else grad_out.clone()


@mistake(
    "linear_backward",
    says="The gradients of x and weight have changed places. The order is that of the forward's arguments.",
)
def swaps_the_gradients(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return grad_weight, grad_x, grad_bias


@mistake(
    "linear_backward", says="The upstream gradient is not used: this is the gradient of the plain sum of the answers."
)
def ignores_the_upstream_gradient(grad_out, x, weight, bias=None):
    linear_backward(grad_out, x, weight, bias)
    return linear_backward(torch.ones_like(grad_out), x, weight, bias)


@mistake(
    "linear_backward",
    says="Only the first of several axes is summed. With (N, T, D) samples both N and T share the weights.",
)
def sums_one_axis_only(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    if bias is not None and grad_out.ndim > 1:
        grad_bias = grad_out.sum(0)
    return grad_x, grad_weight, grad_bias


@mistake("linear_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def broadcasts_the_upstream_gradient(grad_out, x, weight, bias=None):
    return linear_backward(grad_out.expand(linear(x, weight, bias).shape), x, weight, bias)


@mistake(
    "edge_gradients", says="The slopes of the loss have the wrong sign. Does the loss grow or shrink when x2 grows?"
)
def turns_the_loss_round(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {key: -value if key[0] == "loss_val" else value for key, value in answer.items()}


@mistake(
    "edge_gradients",
    says="The slope of |y_true - x2| is 1 or -1, whatever the distance. This is the slope of its square.",
)
def squares_the_loss(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    distance = (x * w + b - y_true).abs()
    return {key: 2 * distance * value if key[0] == "loss_val" else value for key, value in answer.items()}


@mistake("edge_gradients", says="The slope of the loss is 1 on both sides. It is -1 where the prediction is too small.")
def forgets_the_sign(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {key: value * answer["loss_val", "x2"] if key[0] == "loss_val" else value for key, value in answer.items()}


@mistake(
    "edge_gradients", says="grad(x1, w) and grad(x1, x) have changed places. How fast does x * w grow when w grows?"
)
def swaps_the_factors(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {**answer, ("x1", "w"): w.clone(), ("x1", "x"): x.clone()}


@mistake("edge_gradients", says="grad(loss_val, w) stops at x2. The path from loss_val to w has one more edge.")
def stops_before_the_last_edge(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {**answer, ("loss_val", "w"): answer["loss_val", "x2"]}


@mistake("edge_gradients", says="Where the loss is exactly 0, its slope is stated to be 0.")
def has_a_slope_at_zero(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    slope = torch.where(x * w + b >= y_true, 1.0, -1.0).to(x.dtype)
    return {**answer, ("loss_val", "x2"): slope, ("loss_val", "w"): slope * x, ("loss_val", "b"): slope}


@mistake("mlp_forward", says="There is a ReLU after the last layer too: its answers can never be negative.")
def bends_the_last_layer(x, params):
    return mlp_forward(x, params).clamp(min=0)


@mistake("mlp_forward", says="There is no ReLU between the layers, so that all of them together are one linear layer.")
def forgets_the_relu(x, params):
    mlp_forward(x, params)
    for weight, bias in params:
        x = linear(x, weight, bias)
    return x


@mistake("mlp_forward", says="The biases of the hidden layers are missing.")
def forgets_the_hidden_biases(x, params):
    mlp_forward(x, params)
    return mlp_forward(x, [*((weight, 0 * bias) for weight, bias in params[:-1]), params[-1]])


@mistake(
    "mlp_forward", says="The ReLU is taken of the input as well. It stands after each hidden layer, not before it."
)
def bends_the_input(x, params):
    return mlp_forward(x.clamp(min=0), params)


@mistake("mlp_forward", says="The network has always two layers here. `params` says how many there are.")
def uses_two_layers_only(x, params):
    mlp_forward(x, params)
    return mlp_forward(x, [params[0], params[-1]] if params[0][0].shape[0] == params[-1][0].shape[1] else params[:1])


@mistake("mlp_backward", says="The gradient passes every hidden neuron. A silent ReLU lets nothing through.")
def opens_every_gate(grad_out, x, params):
    mlp_backward(grad_out, x, params)
    inputs = [x]
    for weight, bias in params[:-1]:
        inputs.append(linear(inputs[-1], weight, bias).clamp(min=0))
    grads = []
    for (weight, bias), into in zip(reversed(params), reversed(inputs), strict=True):
        grad_out, *of_params = linear_backward(grad_out, into, weight, bias)
        grads.insert(0, tuple(of_params))
    return grad_out, grads


@mistake("mlp_backward", says="The gradients stand from the last layer to the first. The list has to be like `params`.")
def leaves_them_reversed(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params)
    return grad_x, grads[::-1]


@mistake("mlp_backward", says="The gradient is closed off at the last layer too, where there is no ReLU.")
def gates_the_last_layer(grad_out, x, params):
    mlp_backward(grad_out, x, params)
    return mlp_backward(torch.where(mlp_forward(x, params) > 0, grad_out, 0), x, params)


@mistake(
    "mlp_backward", says="The gradient of x is closed off where x is negative. There is no ReLU before the first layer."
)
def gates_the_input(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params)
    return torch.where(x > 0, grad_x, 0), grads


@mistake(
    "mlp_backward",
    says="The gradient is closed off at every layer, before the first and after the last too. A ReLU stands only between.",
)
def gates_every_layer(grad_out, x, params):
    grad_x, grads = gates_the_last_layer(grad_out, x, params)
    return torch.where(x > 0, grad_x, 0), grads


@mistake(
    "mlp_backward", says="At a hidden sum of exactly 0 the gradient passes. The slope of ReLU is stated to be 0 there."
)
def opens_at_zero(grad_out, x, params):
    mlp_backward(grad_out, x, params)
    inputs, sums = [x], []
    for weight, bias in params[:-1]:
        sums.append(linear(inputs[-1], weight, bias))
        inputs.append(sums[-1].clamp(min=0))
    grads = []
    for layer in reversed(range(len(params))):
        grad_out, *of_params = linear_backward(grad_out, inputs[layer], *params[layer])
        grads.insert(0, tuple(of_params))
        grad_out = torch.where(sums[layer - 1] >= 0, grad_out, 0) if layer > 0 else grad_out
    return grad_out, grads


@mistake("train_mlp", says="The step goes uphill: the gradient is added. The error should fall.")
def climbs(x, y, params, *, lr, target_error, max_epochs):
    errors = []
    for _ in range(max_epochs):
        trained, error = train_mlp(x, y, params, lr=lr, target_error=target_error, max_epochs=1)
        errors += error
        if error[0] <= target_error:
            break
        params = [(2 * w - down_w, 2 * b - down_b) for (w, b), (down_w, down_b) in zip(params, trained, strict=True)]
    return params, errors


@mistake("train_mlp", says="The factor 2 of the derivative of the square is missing: each step is half as long.")
def forgets_the_two(x, y, params, *, lr, target_error, max_epochs):
    return train_mlp(x, y, params, lr=lr / 2, target_error=target_error, max_epochs=max_epochs)


@mistake("train_mlp", says="The gradient belongs to the sum of the squares. The error is their mean.")
def descends_the_sum(x, y, params, *, lr, target_error, max_epochs):
    return train_mlp(x, y, params, lr=lr * y.numel(), target_error=target_error, max_epochs=max_epochs)


@mistake(
    "train_mlp", says="The gradient is averaged over the samples only. The error is the mean over all entries of y."
)
def averages_over_the_samples_only(x, y, params, *, lr, target_error, max_epochs):
    return train_mlp(x, y, params, lr=lr * y.shape[1], target_error=target_error, max_epochs=max_epochs)


@mistake("train_mlp", says="One more step is taken after the target error is reached.")
def steps_once_too_often(x, y, params, *, lr, target_error, max_epochs):
    trained, errors = train_mlp(x, y, params, lr=lr, target_error=target_error, max_epochs=max_epochs)
    if errors and errors[-1] <= target_error:
        trained, _ = train_mlp(x, y, trained, lr=lr, target_error=-1.0, max_epochs=1)
    return trained, errors


@mistake("train_mlp", says="The target error is never looked at: training always runs to max_epochs.")
def never_stops_early(x, y, params, *, lr, target_error, max_epochs):
    return train_mlp(x, y, params, lr=lr, target_error=-1.0, max_epochs=max_epochs)


@mistake("train_mlp", says="The weights learn and the biases stay where they were.")
def keeps_the_biases(x, y, params, *, lr, target_error, max_epochs):
    start, errors = params, []
    for _ in range(max_epochs):
        params, error = train_mlp(x, y, params, lr=lr, target_error=target_error, max_epochs=1)
        errors += error
        if error[0] <= target_error:
            break
        params = [(w, b) for (w, _), (_, b) in zip(params, start, strict=True)]
    return params, errors


@mistake("train_mlp", says="The tensors of `params` are changed in place. The caller still has them: make new ones.")
def trains_in_place(x, y, params, *, lr, target_error, max_epochs):
    trained, errors = train_mlp(x, y, params, lr=lr, target_error=target_error, max_epochs=max_epochs)
    for (w, b), (new_w, new_b) in zip(params, trained, strict=True):
        w.copy_(new_w)
        b.copy_(new_b)
    return params, errors


def _fits(x, weight):
    if weight.shape != x.shape[1:]:
        raise ValueError("weight does not fit x")
