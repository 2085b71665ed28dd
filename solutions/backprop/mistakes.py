"""Known wrong solutions of the assignment on backpropagation, each with what to tell its author."""

from itertools import pairwise

import torch

from autograder.guards import require_ndim, require_positive, require_shape, require_whole
from autograder.testing import mistake

from .reference import edge_gradients, linear, linear_backward, mlp_backward, mlp_forward, neuron, train_mlp


@mistake("neuron", kind="idea", says="`bias` has no part in the answer. It belongs into the sum.")
def forgets_the_bias(x, weight, bias):
    return neuron(x, weight, 0 * bias)


@mistake("neuron", kind="idea", says="This is the weighted sum itself. A neuron sends it through the sigmoid.")
def forgets_the_sigmoid(x, weight, bias):
    neuron(x, weight, bias)
    return x @ weight + bias


@mistake("neuron", kind="idea", says="The bias is added after the sigmoid. It belongs into the sum.")
def adds_the_bias_last(x, weight, bias):
    return neuron(x, weight, 0 * bias) + bias


@mistake("neuron", kind="idea", says="This is the hyperbolic tangent of the sum, which runs from -1 to 1.")
def takes_the_tangent(x, weight, bias):
    neuron(x, weight, bias)
    return torch.tanh(x @ weight + bias)


@mistake(
    "neuron",
    kind="idea",
    says="A large sum gives 0, and has to give 1: the answer is that for the sum with the other sign.",
)
def turns_the_sigmoid_round(x, weight, bias):
    return 1 - neuron(x, weight, bias)


@mistake("neuron", kind="idea", says="The products are averaged over the inputs. A neuron adds them up.")
def averages_the_inputs(x, weight, bias):
    return neuron(x, weight / x.shape[1], bias)


@mistake(
    "neuron",
    kind="case",
    says="For a large sum the answer is nan, as from inf / inf of exponentials. Which of the two forms of the sigmoid is safe at both ends?",
)
def overflows(x, weight, bias):
    neuron(x, weight, bias)
    z = x @ weight + bias
    return torch.exp(z) / (1 + torch.exp(z))


@mistake(
    "neuron", kind="refusal", says="A `weight` of a single entry is not refused: it is broadcast over all columns."
)
def broadcasts_the_weight(x, weight, bias):
    return neuron(x, weight.expand(x.shape[1]) if weight.numel() == 1 else weight, bias)


@mistake("linear", kind="idea", says="`bias` has no part in the answer.")
def linear_without_bias(x, weight, bias=None):
    linear(x, weight, bias)
    return linear(x, weight)


@mistake("linear", kind="case", says="Without a bias it fails. The layer may have none: `bias` is None by default.")
def needs_a_bias(x, weight, bias=None):
    return linear(x, weight, bias) + 0 * bias


@mistake(
    "linear",
    kind="idea",
    says="The answers of a sample are added up. Each neuron has an answer of its own, along the last axis.",
)
def adds_the_neurons_up(x, weight, bias=None):
    return linear(x, weight, bias).sum(-1)


@mistake("linear", kind="idea", says="Answers below 0 come out as 0, as if there were a ReLU after the layer.")
def bends_the_layer(x, weight, bias=None):
    return linear(x, weight, bias).clamp(min=0)


@mistake(
    "linear",
    kind="case",
    says="With more than two axes the samples come back in one long row. Only the last axis of `x` changes.",
)
def works_for_two_axes_only(x, weight, bias=None):
    out = linear(x, weight, bias)
    return out.reshape(-1, weight.shape[0]) if x.ndim > 2 else out


@mistake(
    "linear",
    kind="case",
    says="It fails where the numbers of `x` do not lie side by side in memory, as `view` does. `reshape` takes any layout.",
)
def views_the_samples(x, weight, bias=None):
    out = linear(x, weight, bias)
    return linear(x.view(-1, x.shape[-1]), weight, bias).reshape(out.shape)


@mistake("linear", kind="refusal", says="A `bias` of length 1 is not refused: it is broadcast over all neurons.")
def broadcasts_the_bias(x, weight, bias=None):
    linear(x, weight, None if bias is not None and bias.shape == (1,) else bias)
    return linear(x, weight) if bias is None else linear(x, weight) + bias


@mistake("linear", kind="refusal", says="An `x` without axes is not refused with ValueError: it fails inside torch.")
def refuses_nothing(x, weight, bias=None):
    return x @ weight.T if bias is None else x @ weight.T + bias


def _averaged(rows):
    return rows.sum(0) / max(1, rows.shape[0])


@mistake(
    "linear_backward",
    kind="idea",
    stage="bias",
    says="The gradient of the bias is averaged over the samples. Each sample adds its share.",
)
def averages_the_bias(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight, None if grad_bias is None else _averaged(grad_out.reshape(-1, weight.shape[0]))


@mistake(
    "linear_backward",
    kind="idea",
    stage="weight",
    says="The gradient of weight is averaged over the samples. Each sample adds its share.",
)
def averages_the_weight(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight / max(1, x[..., 0].numel()), grad_bias


@mistake(
    "linear_backward",
    kind="idea",
    stage="weight",
    says="The gradients of weight and bias are both averaged over the samples. Each sample adds its share.",
)
def averages_weight_and_bias(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    count = max(1, x[..., 0].numel())
    return grad_x, grad_weight / count, None if grad_bias is None else grad_bias / count


@mistake(
    "linear_backward",
    kind="idea",
    stage="weight",
    says="The gradient of weight is transposed. It has to have the shape of weight, (out, in).",
)
def transposes_the_weight(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight.T, grad_bias


@mistake(
    "linear_backward",
    kind="idea",
    stage="x",
    says="The gradient of x is that of the plain sum of the answers: every neuron's upstream gradient counts as 1.",
)
def forgets_the_upstream_in_x(grad_out, x, weight, bias=None):
    _, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return linear_backward(torch.ones_like(grad_out), x, weight)[0], grad_weight, grad_bias


@mistake(
    "linear_backward",
    kind="idea",
    stage="bias",
    says="The gradient of the bias has an entry for every sample. They share one bias: add them up.",
)
def keeps_the_samples_of_the_bias(grad_out, x, weight, bias=None):
    grad_x, grad_weight, _ = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight, None if bias is None else grad_out.clone()


@mistake(
    "linear_backward",
    kind="idea",
    stage="bias",
    says="The gradient of the bias is the number of samples. Each adds its upstream gradient, not 1.",
)
def counts_the_samples(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return grad_x, grad_weight, None if bias is None else torch.full_like(grad_bias, x[..., 0].numel())


@mistake(
    "linear_backward",
    kind="idea",
    stage="x",
    says="The gradients of x and weight have changed places. The order is that of the forward's arguments.",
)
def swaps_the_gradients(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    return grad_weight, grad_x, grad_bias


@mistake(
    "linear_backward",
    kind="idea",
    says="The upstream gradient is not used: this is the gradient of the plain sum of the answers.",
)
def ignores_the_upstream_gradient(grad_out, x, weight, bias=None):
    linear_backward(grad_out, x, weight, bias)
    return linear_backward(torch.ones_like(grad_out), x, weight, bias)


@mistake(
    "linear_backward",
    kind="case",
    says="The gradient of the bias is summed over the first axis only. With (N, T, D) samples both N and T share the bias.",
)
def sums_one_axis_only(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    if bias is not None and grad_out.ndim > 1:
        grad_bias = grad_out.sum(0)
    return grad_x, grad_weight, grad_bias


@mistake(
    "linear_backward",
    kind="case",
    says="Without a bias there is a gradient of the bias all the same. It has to be None then.",
)
def invents_a_bias(grad_out, x, weight, bias=None):
    linear_backward(grad_out, x, weight, bias)
    return linear_backward(grad_out, x, weight, weight.new_zeros(weight.shape[0]))


@mistake(
    "linear_backward",
    kind="case",
    says="Without samples the gradient of the bias is nan. Nothing was added up, so it is 0.",
)
def divides_by_no_samples(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    count = x[..., 0].numel()
    mean = grad_out.reshape(count, weight.shape[0]).mean(0)
    return grad_x, grad_weight, None if grad_bias is None else mean * count


@mistake(
    "linear_backward",
    kind="case",
    says="It fails where the numbers of `grad_out` do not lie side by side in memory, as `view` does. `reshape` takes any layout.",
)
def views_the_upstream_gradient(grad_out, x, weight, bias=None):
    grad_x, grad_weight, grad_bias = linear_backward(grad_out, x, weight, bias)
    rows = grad_out.view(-1, weight.shape[0])
    return grad_x, grad_weight, None if grad_bias is None else rows.sum(0)


@mistake(
    "linear_backward",
    kind="refusal",
    says="A `grad_out` of another shape is not refused with ValueError: it is broadcast, or fails inside torch.",
)
def broadcasts_the_upstream_gradient(grad_out, x, weight, bias=None):
    return linear_backward(grad_out.expand(linear(x, weight, bias).shape), x, weight, bias)


@mistake(
    "edge_gradients",
    kind="idea",
    says="The slopes of the loss have the wrong sign. Does the loss grow or shrink when x2 grows?",
)
def turns_the_loss_round(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {key: -value if key[0] == "loss_val" else value for key, value in answer.items()}


@mistake(
    "edge_gradients",
    kind="idea",
    says="The slope of |y_true - x2| is 1 or -1, whatever the distance. This is the slope of its square.",
)
def squares_the_loss(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    distance = (x * w + b - y_true).abs()
    return {key: 2 * distance * value if key[0] == "loss_val" else value for key, value in answer.items()}


@mistake(
    "edge_gradients",
    kind="idea",
    says="The slope of the loss is never -1. It is -1 where the prediction is too small.",
)
def forgets_the_sign(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {key: value * answer["loss_val", "x2"] if key[0] == "loss_val" else value for key, value in answer.items()}


@mistake(
    "edge_gradients",
    kind="idea",
    stage="edges",
    says="grad(x1, w) and grad(x1, x) have changed places. How fast does x * w grow when w grows?",
)
def swaps_the_factors(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {**answer, ("x1", "w"): w.clone(), ("x1", "x"): x.clone()}


@mistake(
    "edge_gradients",
    kind="idea",
    stage="edges",
    says="grad(x2, x1) is x1 itself, and grad(x2, b) is b. What belongs on an edge is how fast one grows with the other.",
)
def puts_values_on_the_edges(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {**answer, ("x2", "x1"): x * w, ("x2", "b"): b.clone()}


@mistake(
    "edge_gradients",
    kind="idea",
    stage="paths",
    says="grad(loss_val, w) stops at x2. The path from loss_val to w has one more edge with a slope that is not 1.",
)
def stops_before_the_last_edge(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    return {**answer, ("loss_val", "w"): answer["loss_val", "x2"]}


@mistake(
    "edge_gradients",
    kind="idea",
    stage="paths",
    says="The slopes along a path are added here. They are multiplied; only different paths are added.",
)
def adds_along_the_path(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    slope = answer["loss_val", "x2"]
    return {**answer, ("loss_val", "w"): slope + 1 + x, ("loss_val", "b"): slope + 1}


@mistake("edge_gradients", kind="case", says="Where the loss is exactly 0 its slope is 1. It is stated to be 0 there.")
def has_a_slope_at_zero(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    slope = torch.where(x * w + b >= y_true, 1.0, -1.0).to(x.dtype)
    return {**answer, ("loss_val", "x2"): slope, ("loss_val", "w"): slope * x, ("loss_val", "b"): slope}


@mistake(
    "edge_gradients",
    kind="case",
    says="The distance is squared on the way to its sign. In float16 the square of 300 is infinite and that of 0.0001 is 0.",
)
def squares_the_distance(x, w, b, y_true):
    answer = edge_gradients(x, w, b, y_true)
    distance = x * w + b - y_true
    slope = torch.where(distance == 0, 0, distance / (distance**2).sqrt())
    return {**answer, ("loss_val", "x2"): slope, ("loss_val", "w"): slope * x, ("loss_val", "b"): slope}


@mistake("edge_gradients", kind="case", says="The 1 on an edge is a Python number. It has to be a tensor too.")
def gives_python_numbers(x, w, b, y_true):
    return {**edge_gradients(x, w, b, y_true), ("x2", "x1"): 1.0, ("x2", "b"): 1.0}


@mistake("edge_gradients", kind="case", says="The 1 on an edge is float32, whatever the dtype of x is.")
def makes_new_ones(x, w, b, y_true):
    return {**edge_gradients(x, w, b, y_true), ("x2", "x1"): torch.tensor(1.0), ("x2", "b"): torch.tensor(1.0)}


@mistake(
    "mlp_forward", kind="idea", says="Answers below 0 come out as 0, as if there were a ReLU after the last layer too."
)
def bends_the_last_layer(x, params):
    return mlp_forward(x, params).clamp(min=0)


@mistake(
    "mlp_forward",
    kind="idea",
    says="All layers together are one linear layer, as if there were no ReLU between them.",
)
def forgets_the_relu(x, params):
    mlp_forward(x, params)
    for weight, bias in params:
        x = linear(x, weight, bias)
    return x


@mistake("mlp_forward", kind="idea", says="The biases of the hidden layers have no part in the answer.")
def forgets_the_hidden_biases(x, params):
    mlp_forward(x, params)
    return mlp_forward(x, [*((weight, 0 * bias) for weight, bias in params[:-1]), params[-1]])


@mistake(
    "mlp_forward",
    kind="idea",
    says="Negative entries of `x` count as 0, as if there were a ReLU before the first layer. It stands after each hidden layer.",
)
def bends_the_input(x, params):
    return mlp_forward(x.clamp(min=0), params)


@mistake(
    "mlp_forward",
    kind="idea",
    says="Of more than two layers only the first and the last have a part in the answer. `params` says how many there are.",
)
def uses_two_layers_only(x, params):
    mlp_forward(x, params)
    hidden = linear(x, *params[0]).clamp(min=0)
    fits = hidden.shape[1] == params[-1][0].shape[1]
    return linear(hidden, *params[-1]) if len(params) > 1 and fits else linear(x, *params[0])


@mistake(
    "mlp_forward", kind="idea", says="A negative hidden sum comes out positive, as its absolute value. ReLU makes it 0."
)
def bends_by_the_absolute_value(x, params):
    mlp_forward(x, params)
    for weight, bias in params[:-1]:
        x = linear(x, weight, bias).abs()
    return linear(x, *params[-1])


@mistake(
    "mlp_forward",
    kind="idea",
    says="A network of one layer gives 0 for answers below 0. Its only layer is also its last, and has no ReLU.",
)
def bends_a_single_layer(x, params):
    out = mlp_forward(x, params)
    return out.clamp(min=0) if len(params) == 1 else out


@mistake("mlp_forward", kind="case", says="The list `params` is changed. The caller still needs it as it was.")
def empties_the_list(x, params):
    out = mlp_forward(x, params)
    while params:
        params.pop()
    return out


@mistake("mlp_forward", kind="refusal", says="An empty `params` is not refused with ValueError: the input comes back.")
def gives_the_input_back(x, params):
    return mlp_forward(x, params) if params else x


def _walked_back(grad_out, x, params, let_through, entered=lambda z: z.clamp(min=0)):
    """The walk back with other rules for what goes on, by the gradient and a hidden sum, and for what entered a layer."""
    mlp_backward(grad_out, x, params)
    inputs, sums = [x], []
    for weight, bias in params[:-1]:
        sums.append(linear(inputs[-1], weight, bias))
        inputs.append(sums[-1].clamp(min=0))
    grads = []
    for layer in reversed(range(len(params))):
        into = entered(sums[layer - 1]) if layer > 0 else x
        grad_out, *of_params = linear_backward(grad_out, into, *params[layer])
        grads.insert(0, tuple(of_params))
        grad_out = let_through(grad_out, sums[layer - 1]) if layer > 0 else grad_out
    return grad_out, grads


@mistake(
    "mlp_backward", kind="idea", says="The gradient passes every hidden neuron. A silent ReLU lets nothing through."
)
def opens_every_gate(grad_out, x, params):
    return _walked_back(grad_out, x, params, lambda grad, z: grad)


@mistake(
    "mlp_backward",
    kind="idea",
    says="The gates are the wrong way round: the gradient passes silent neurons and is closed off at those that answer.",
)
def turns_the_gates_round(grad_out, x, params):
    return _walked_back(grad_out, x, params, lambda grad, z: torch.where(z > 0, 0, grad))


@mistake(
    "mlp_backward",
    kind="idea",
    says="The ReLU of the first hidden layer is left out: the gradient passes its silent neurons too.",
)
def opens_the_first_gates(grad_out, x, params):
    right = mlp_backward(grad_out, x, params)
    if len(params) == 1:
        return right
    grad_hidden, others = mlp_backward(grad_out, linear(x, *params[0]).clamp(min=0), params[1:])
    grad_x, *first = linear_backward(grad_hidden, x, *params[0])
    return grad_x, [tuple(first), *others]


@mistake(
    "mlp_backward",
    kind="idea",
    says="It is as if the biases of the hidden layers had no part in the forward pass.",
)
def forgets_the_hidden_biases_on_the_way(grad_out, x, params):
    return mlp_backward(grad_out, x, [*((weight, 0 * bias) for weight, bias in params[:-1]), *params[-1:]])


@mistake(
    "mlp_backward",
    kind="idea",
    stage="params",
    says="The gradient of a weight behind a hidden layer is made with the sums of that layer. Its answers, after the ReLU, went into the weight.",
)
def multiplies_by_the_hidden_sums(grad_out, x, params):
    return _walked_back(grad_out, x, params, lambda grad, z: torch.where(z > 0, grad, 0), entered=lambda z: z)


@mistake(
    "mlp_backward",
    kind="idea",
    says="What goes on is closed off where the gradient is negative. It is the hidden sum that decides.",
)
def bends_the_gradient(grad_out, x, params):
    return _walked_back(grad_out, x, params, lambda grad, z: grad.clamp(min=0))


@mistake(
    "mlp_backward",
    kind="idea",
    says="What goes on is multiplied by the hidden answer. The slope of ReLU there is 1, not the answer.",
)
def multiplies_by_the_answer(grad_out, x, params):
    return _walked_back(grad_out, x, params, lambda grad, z: grad * z.clamp(min=0))


@mistake(
    "mlp_backward",
    kind="idea",
    stage="params",
    says="The gradients stand from the last layer to the first. The list has to be like `params`.",
)
def leaves_them_reversed(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params)
    return grad_x, grads[::-1]


@mistake(
    "mlp_backward",
    kind="idea",
    says="The gradient is closed off at the last layer too, where there is no ReLU.",
)
def gates_the_last_layer(grad_out, x, params):
    mlp_backward(grad_out, x, params)
    return mlp_backward(torch.where(mlp_forward(x, params) > 0, grad_out, 0), x, params)


@mistake(
    "mlp_backward",
    kind="idea",
    stage="x",
    says="The gradient of x is closed off where x is negative. There is no ReLU before the first layer.",
)
def gates_the_input(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params)
    return torch.where(x > 0, grad_x, 0), grads


@mistake(
    "mlp_backward",
    kind="idea",
    says="The gradient is closed off at every layer, before the first and after the last too. A ReLU stands only between.",
)
def gates_every_layer(grad_out, x, params):
    grad_x, grads = gates_the_last_layer(grad_out, x, params)
    return torch.where(x > 0, grad_x, 0), grads


@mistake(
    "mlp_backward",
    kind="idea",
    stage="params",
    says="The gradients of all weights and biases are averaged over the samples. Each sample adds its share.",
)
def averages_over_the_samples(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params)
    count = max(1, x.shape[0])
    return grad_x, [(dw / count, db / count) for dw, db in grads]


@mistake(
    "mlp_backward",
    kind="idea",
    stage="params",
    says="Only the last layer gets its gradients; those of the layers before it are 0.",
)
def stops_at_the_last_layer(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params)
    return grad_x, [*((0 * dw, 0 * db) for dw, db in grads[:-1]), grads[-1]]


@mistake(
    "mlp_backward",
    kind="case",
    says="At a hidden sum of exactly 0 the gradient passes. The slope of ReLU is stated to be 0 there.",
)
def opens_at_zero(grad_out, x, params):
    return _walked_back(grad_out, x, params, lambda grad, z: torch.where(z >= 0, grad, 0))


@mistake(
    "mlp_backward",
    kind="case",
    says="For float16 and bfloat16 gradients come out as float32, as if a mask were float32.",
)
def masks_in_float32(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params)
    lost = torch.promote_types(x.dtype, torch.float32) if len(params) > 1 else x.dtype
    return grad_x.to(lost), [(dw.to(lost), db.to(lost)) for dw, db in grads[:-1]] + grads[-1:]


@mistake("mlp_backward", kind="case", says="Each pair of gradients is a list. In `params` it is a tuple.")
def gives_lists_for_pairs(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params)
    return grad_x, [list(pair) for pair in grads]


@mistake("mlp_backward", kind="refusal", says="A `grad_out` of a single entry is not refused: it is broadcast.")
def broadcasts_one_gradient(grad_out, x, params):
    fits = grad_out.shape == mlp_forward(x, params).shape
    return mlp_backward(grad_out if fits or grad_out.numel() != 1 else grad_out.expand(x.shape[0], 1), x, params)


def _epochs(x, y, params, forward, backward, lr, target_error, max_epochs, step):
    """Training with another step: it is given the epoch, weights or biases of a layer, and their gradient."""
    _refuse_training(x, y, lr, max_epochs)
    errors, params = [], list(params)
    for epoch in range(max_epochs):
        difference = forward(x, params) - y
        errors.append(difference.square().mean().item())
        if errors[-1] <= target_error:
            break
        _, grads = backward(2 * difference / difference.numel(), x, params)
        params = [
            tuple(step(epoch, p, grad) for p, grad in zip(layer, of_layer, strict=True))
            for layer, of_layer in zip(params, grads, strict=True)
        ]
    return params, errors


@mistake("train_mlp", kind="idea", says="The step goes uphill, as if the gradient were added. The error should fall.")
def climbs(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return _epochs(x, y, params, forward, backward, lr, target_error, max_epochs, lambda epoch, p, grad: p + lr * grad)


@mistake("train_mlp", kind="idea", says="The weights and biases never move, as if every step were lost.")
def never_moves(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return _epochs(x, y, params, forward, backward, lr, target_error, max_epochs, lambda epoch, p, grad: p)


@mistake("train_mlp", kind="idea", says="The learning rate shrinks from epoch to epoch. It is `lr` in each of them.")
def lets_the_rate_decay(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return _epochs(
        x,
        y,
        params,
        forward,
        backward,
        lr,
        target_error,
        max_epochs,
        lambda epoch, p, grad: p - lr / (1 + epoch) * grad,
    )


@mistake("train_mlp", kind="idea", says="`lr` is ignored: the learning rate is always 0.1.")
def has_a_rate_of_its_own(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return _epochs(x, y, params, forward, backward, lr, target_error, max_epochs, lambda epoch, p, grad: p - 0.1 * grad)


@mistake("train_mlp", kind="idea", says="A learning rate above 0.5 is cut to 0.5. The step is `lr` times the gradient.")
def caps_the_rate(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return _epochs(
        x, y, params, forward, backward, lr, target_error, max_epochs, lambda epoch, p, grad: p - min(lr, 0.5) * grad
    )


@mistake("train_mlp", kind="idea", says="Only the direction of the gradient counts here: its size is lost.")
def steps_by_the_sign(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return _epochs(
        x, y, params, forward, backward, lr, target_error, max_epochs, lambda epoch, p, grad: p - lr * grad.sign()
    )


@mistake("train_mlp", kind="idea", says="The weights learn and the biases stay where they were.")
def keeps_the_biases(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return _epochs(
        x,
        y,
        params,
        forward,
        backward,
        lr,
        target_error,
        max_epochs,
        lambda epoch, p, grad: p - lr * grad if p.ndim == 2 else p,
    )


@mistake(
    "train_mlp",
    kind="idea",
    says="Each epoch begins at the first weights again. Its step has to start from the last one's.",
)
def forgets_the_last_step(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    _refuse_training(x, y, lr, max_epochs)
    trained, errors = params, []
    for _ in range(max_epochs):
        trained, error = train_mlp(x, y, params, forward, backward, lr=lr, target_error=target_error, max_epochs=1)
        errors += error
        if error[0] <= target_error:
            break
    return list(trained), errors


@mistake("train_mlp", kind="idea", says="Only the last layer learns; the layers before it stay where they were.")
def trains_the_last_layer_only(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    def last_only(grad_out, x, params):
        grad_x, grads = backward(grad_out, x, params)
        return grad_x, [*((0 * dw, 0 * db) for dw, db in grads[:-1]), grads[-1]]

    return train_mlp(x, y, params, forward, last_only, lr=lr, target_error=target_error, max_epochs=max_epochs)


@mistake(
    "train_mlp",
    kind="idea",
    says="`forward` and `backward` are not used: the network is always the multilayer perceptron. Use the two passes that are handed in.",
)
def uses_passes_of_its_own(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    fits = all(len(before[1]) == after[0].shape[1] for before, after in pairwise(params))
    own = (mlp_forward, mlp_backward) if fits else (lambda x, p: mlp_forward(x, p[:1]), _first)
    return train_mlp(x, y, params, *own, lr=lr, target_error=target_error, max_epochs=max_epochs)


def _first(grad_out, x, params):
    grad_x, grads = mlp_backward(grad_out, x, params[:1])
    return grad_x, [*grads, *((0 * w, 0 * b) for w, b in params[1:])]


@mistake(
    "train_mlp",
    kind="idea",
    says="Each step is half as long as it should be, as if the factor 2 of the derivative of the square were missing.",
)
def forgets_the_two(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return train_mlp(x, y, params, forward, backward, lr=lr / 2, target_error=target_error, max_epochs=max_epochs)


@mistake(
    "train_mlp",
    kind="idea",
    says="Each step is too long by the number of entries of `y`, as if the error were the sum of the squares. It is their mean.",
)
def descends_the_sum(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    _refuse_training(x, y, lr, max_epochs)
    rate = lr * y.numel()
    return train_mlp(x, y, params, forward, backward, lr=rate, target_error=target_error, max_epochs=max_epochs)


@mistake(
    "train_mlp",
    kind="idea",
    says="Each step is too long by the number of columns of `y`, as if the mean were taken over the samples only. The error is the mean over all entries of y.",
)
def averages_over_the_samples_only(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    _refuse_training(x, y, lr, max_epochs)
    rate = lr * y.shape[1]
    return train_mlp(x, y, params, forward, backward, lr=rate, target_error=target_error, max_epochs=max_epochs)


@mistake(
    "train_mlp",
    kind="idea",
    stage="stop",
    says="What comes back are the weights of the smallest error. Asked for are the last ones.",
)
def gives_the_best(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    trained, errors = train_mlp(
        x, y, params, forward, backward, lr=lr, target_error=target_error, max_epochs=max_epochs
    )
    if not errors:
        return trained, errors
    best = errors.index(min(errors))
    return train_mlp(x, y, params, forward, backward, lr=lr, target_error=-1.0, max_epochs=best)[0], errors


@mistake("train_mlp", kind="idea", stage="stop", says="One more step is taken after the target error is reached.")
def steps_once_too_often(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    trained, errors = train_mlp(
        x, y, params, forward, backward, lr=lr, target_error=target_error, max_epochs=max_epochs
    )
    if errors and errors[-1] <= target_error:
        trained, _ = train_mlp(x, y, trained, forward, backward, lr=lr, target_error=-1.0, max_epochs=1)
    return trained, errors


@mistake(
    "train_mlp",
    kind="idea",
    stage="stop",
    says="It never stops at the target error: training always runs to max_epochs.",
)
def never_stops_early(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return train_mlp(x, y, params, forward, backward, lr=lr, target_error=-1.0, max_epochs=max_epochs)


@mistake(
    "train_mlp",
    kind="idea",
    stage="stop",
    says="The error that reached the target is not in the list. It belongs there, as the last one.",
)
def leaves_out_the_last_error(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    trained, errors = train_mlp(
        x, y, params, forward, backward, lr=lr, target_error=target_error, max_epochs=max_epochs
    )
    return trained, errors[:-1] if errors and errors[-1] <= target_error else errors


@mistake("train_mlp", kind="idea", says="Each error is measured after the step. It is asked for before it.")
def measures_after_the_step(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    _refuse_training(x, y, lr, max_epochs)
    errors = []
    for _ in range(max_epochs):
        params, _ = train_mlp(x, y, params, forward, backward, lr=lr, target_error=-1.0, max_epochs=1)
        errors.append((forward(x, params) - y).square().mean().item())
        if errors[-1] <= target_error:
            break
    return list(params), errors


@mistake("train_mlp", kind="idea", says="The errors are square roots of the mean square. Asked for is the mean itself.")
def takes_the_root(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    trained, errors = train_mlp(
        x, y, params, forward, backward, lr=lr, target_error=target_error, max_epochs=max_epochs
    )
    return trained, [error**0.5 for error in errors]


@mistake(
    "train_mlp", kind="case", says="An error that is exactly the target is not good enough here. At most means `<=`."
)
def asks_for_less_than_the_target(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    below = float(torch.nextafter(torch.tensor(target_error).double(), torch.tensor(-torch.inf).double()))
    return train_mlp(x, y, params, forward, backward, lr=lr, target_error=below, max_epochs=max_epochs)


@mistake(
    "train_mlp",
    kind="case",
    says="The tensors of `params` are changed in place. The caller still has them: make new ones.",
)
def trains_in_place(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    trained, errors = train_mlp(
        x, y, params, forward, backward, lr=lr, target_error=target_error, max_epochs=max_epochs
    )
    for (w, b), (new_w, new_b) in zip(params, trained, strict=True):
        w.copy_(new_w)
        b.copy_(new_b)
    return params, errors


@mistake("train_mlp", kind="case", says="The errors are tensors. Asked for are Python numbers.")
def keeps_tensors(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    trained, errors = train_mlp(
        x, y, params, forward, backward, lr=lr, target_error=target_error, max_epochs=max_epochs
    )
    return trained, [torch.tensor(error, dtype=x.dtype) for error in errors]


@mistake(
    "train_mlp",
    kind="case",
    says="It is as if the forward pass ran twice in each epoch, so that passes which draw get other numbers. One is enough.",
)
def runs_forward_twice(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    def twice(x, params):
        forward(x, params)
        return forward(x, params)

    return train_mlp(x, y, params, twice, backward, lr=lr, target_error=target_error, max_epochs=max_epochs)


@mistake(
    "train_mlp",
    kind="case",
    says="It is as if torch's random numbers were set back at the start. A network that draws gets the same numbers in each training.",
)
def seeds_everything(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    torch.manual_seed(0)
    return train_mlp(x, y, params, forward, backward, lr=lr, target_error=target_error, max_epochs=max_epochs)


@mistake(
    "train_mlp",
    kind="case",
    says="Random numbers are drawn from torch's own source, as for a shuffle. All samples are needed in each epoch, in any order.",
)
def shuffles_the_samples(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    _refuse_training(x, y, lr, max_epochs)
    order = torch.randperm(x.shape[0])
    return train_mlp(
        x[order], y[order], params, forward, backward, lr=lr, target_error=target_error, max_epochs=max_epochs
    )


@mistake("train_mlp", kind="refusal", says="An `lr` of 0 is not refused.")
def takes_any_rate(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    rate = lr if lr > 0 else 1e-9
    return train_mlp(x, y, params, forward, backward, lr=rate, target_error=target_error, max_epochs=max_epochs)


@mistake("train_mlp", kind="refusal", says="A negative `lr` is not refused.")
def takes_a_negative_rate(x, y, params, forward, backward, *, lr, target_error, max_epochs):
    return _epochs(
        x, y, params, forward, backward, abs(lr), target_error, max_epochs, lambda epoch, p, grad: p - lr * grad
    )


def _refuse_training(x, y, lr, max_epochs):
    require_ndim(2, x=x)
    require_shape((x.shape[0], None), y=y)
    require_positive(lr=lr)
    require_whole(0, max_epochs=max_epochs)
