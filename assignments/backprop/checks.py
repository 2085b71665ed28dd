"""Visible checks of the assignment on backpropagation.

Each compares with torch's own autograd or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.
"""

from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Callback,
    Contract,
    Refusal,
    Rules,
    another_length,
    another_number_of_axes,
    another_shape,
    assert_close,
    bad_values,
    case,
    entries,
    exercise,
    floats,
    gradient_of,
    idea,
    matrix,
    not_positive,
    tensors,
    vector,
    weight,
)

RULES = Rules(library="torch")
# Sums of products of numbers rounded to 8 bits lose a few of them.
ROUGH = 10.0

Params = list[tuple[Tensor, Tensor]]


def irregular(*shape: int, seed: int = 0) -> Tensor:
    """Quarters from -2 to 2, never zero, the same at every replay: products of two are exact in every dtype."""
    stream = np.random.RandomState(1000 * seed + 31 * len(shape) + prod(shape))
    return torch.tensor(stream.randint(1, 9, shape) * stream.choice([-1, 1], shape) / 4, dtype=torch.float64)


def alike(answer: Any, right: Any) -> Any:
    """The right answer with the answer's lists for tuples and Python numbers for tensors: a check of its own asks."""
    if isinstance(right, list | tuple) and isinstance(answer, list | tuple) and len(answer) == len(right):
        return type(answer)(map(alike, answer, right))
    if isinstance(right, dict) and isinstance(answer, dict):
        return {key: alike(answer.get(key), value) for key, value in right.items()}
    if isinstance(right, Tensor) and right.ndim == 0:
        is_number = isinstance(answer, int | float) and not isinstance(answer, bool)
        return float(right) if is_number else right.to(getattr(answer, "dtype", right.dtype))
    if isinstance(right, float) and isinstance(answer, Tensor) and answer.ndim == 0:
        return torch.tensor(right, dtype=answer.dtype)
    return right


@st.composite
def layer_arguments(draw, min_ndim: int = 2, max_ndim: int = 2) -> dict[str, Tensor]:
    """Inputs of a layer whose sizes all differ."""
    x = (2 * draw(tensors(min_ndim=min_ndim, max_ndim=max_ndim, low=-2, high=2))).round() / 2
    out, seed = draw(st.sampled_from([n for n in (4, 3, 2, 1, 6) if n not in x.shape])), draw(st.integers(0, 9))
    return {"x": x, "weight": irregular(out, x.shape[-1], seed=seed), "bias": irregular(out, seed=seed + 10)}


def scattered(arguments: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: x.transpose(0, -1).contiguous().transpose(0, -1) for name, x in arguments.items()}


@st.composite
def networks(draw, min_layers: int = 1, max_layers: int = 2, max_side: int = 5) -> dict[str, Any]:
    """Samples and a network whose sizes all differ. No hidden sum is ever exactly 0."""
    sizes = st.lists(st.integers(1, max_side), min_size=min_layers + 2, max_size=max_layers + 2, unique=True)
    samples, *widths = draw(sizes)
    seed = draw(st.integers(0, 9))
    params = [
        (irregular(after, before, seed=seed + i) / 2, irregular(after, seed=seed + i + 20) / 4 + 2.0 ** (-6 - 4 * i))
        for i, (before, after) in enumerate(pairwise(widths))
    ]
    return {"x": irregular(samples, widths[0], seed=seed + 40).clamp(-1, 1), "params": params}


def network(x: Tensor, params: Params) -> Tensor:
    """What torch makes of the network."""
    for layer in params[:-1]:
        x = torch.relu(F.linear(x, *layer))
    return F.linear(x, *params[-1])


def network_gradients(grad_out: Tensor, x: Tensor, params: Params) -> tuple[Tensor, Params]:
    """torch's own gradients of the network."""

    def pairs(flat) -> Params:
        return list(zip(flat[::2], flat[1::2], strict=True))

    flat = [x, *(p for layer in params for p in layer)]
    of_x, *others = gradient_of(lambda x, *rest: network(x, pairs(rest)), range(len(flat)), grad_out, flat)
    return of_x, pairs(others)


NEURON = Contract(
    layer_arguments().map(lambda a: {"x": a["x"], "weight": a["weight"][0], "bias": a["bias"][0]}),
    lambda x, weight, bias: torch.sigmoid(x @ weight + bias),
    magnitudes=(1.0, 128.0),
    scaled=("x",),
    batch={"x": 0},
    refuses=(another_shape("weight"), another_shape("bias"), another_number_of_axes("x", or_naming=("weight",))),
)


@exercise("neuron", points=1, forbid=("sigmoid", "expit", "logsigmoid"), contract=NEURON)
class TestNeuron:
    @idea
    def test_worked_values(self, student):
        """With weights (1, -1) and bias 2, the sample (0, 2) has the answer 0.5 and (2, 2) has 0.881."""
        answers = student.neuron(matrix((0, 2), (2, 2)), vector(1, -1), torch.tensor(2.0, dtype=torch.float64))
        assert_close(answers, vector(0.5, 0.8807970779778823))

    @case
    def test_sums_of_thousands(self, student):
        """Sums of five thousand, positive or negative, give 1 or 0: no nan."""
        x, bias = matrix((2000, 3000), (-2000, -3000)), torch.tensor(1.0, dtype=torch.float64)
        assert_close(student.neuron(x, vector(1, 1), bias), vector(1, 0))


NO_AXES = Refusal("x", lambda given: (given["x"].new_tensor(2.0),), ("x", "weight", "grad_out"))
LINEAR = Contract(
    layer_arguments(),
    F.linear,
    magnitudes=(1.0, 1024.0),
    half_magnitudes=(1.0, 8.0),
    batch={"x": 0},
    variants=(layer_arguments().map(lambda given: given | {"bias": None}),),
    refuses=(NO_AXES, another_shape("weight", or_naming=("bias", "grad_out")), another_shape("bias")),
)


@exercise("linear", points=1, contract=LINEAR)
class TestLinear:
    @idea
    def test_worked_values(self, student):
        """x = (1, 2) through weights (1, 0), (3, -1), (0, 5) and biases (0, 10, -12) gives (1, 11, -2)."""
        weights = matrix((1, 0), (3, -1), (0, 5))
        assert_close(student.linear(matrix((1, 2)), weights, vector(0, 10, -12)), matrix((1, 11, -2)))

    @case
    @given(arguments=layer_arguments(1, 4))
    def test_any_number_of_axes(self, student, arguments):
        """Samples may have any number of axes before the last one, also none, in any order in memory."""
        LINEAR.compare(student, "linear", scattered(arguments))

    @case
    @given(arguments=layer_arguments())
    def test_no_bias(self, student, arguments):
        """Without a bias nothing is added."""
        x, weights, _ = arguments.values()
        assert_close(student.linear(x, weights), F.linear(x, weights))


def layer_gradients(grad_out: Tensor, *layer: Any) -> Any:
    """torch's own gradients of the layer; None for a bias that is not there."""
    there = [one for one in layer if one is not None]
    return (*gradient_of(F.linear, range(len(there)), grad_out, there), None)[:3]


LAYER_BACKWARD = replace(
    LINEAR,
    oracle=lambda answer, *given: alike(answer, layer_gradients(*given)),
    of_answer=True,
    forward=F.linear,
    agrees=None,
    magnitudes=(1.0, 16.0),
    half_magnitudes=(1.0,),
    half_slack=ROUGH,
    refuses=(another_shape("grad_out"), *LINEAR.refuses),
)
LAYERS = layer_arguments().map(LAYER_BACKWARD.completed)
WORKED_LAYER = {
    "grad_out": matrix((1,), (10,)),
    **{"x": matrix((1, 2), (3, 4)), "weight": matrix((5, 6)), "bias": vector(0)},
}


@exercise("linear_backward", points=3, contract=LAYER_BACKWARD)
class TestLinearBackward:
    def assert_right(self, student, arguments, place: int) -> None:
        answer = student.linear_backward(*arguments.values())
        assert_close(answer[place], layer_gradients(*arguments.values())[place])

    @idea("x")
    @given(arguments=LAYERS)
    @example(arguments=WORKED_LAYER)
    def test_gradient_of_x(self, student, arguments):
        """The gradient of x agrees with torch's; in the example of the text it is (5, 6), (50, 60)."""
        self.assert_right(student, arguments, 0)

    @idea("weight")
    @given(arguments=LAYERS)
    @example(arguments=WORKED_LAYER)
    def test_gradient_of_weight(self, student, arguments):
        """The gradient of weight agrees with torch's; in the example of the text it is (31, 42)."""
        self.assert_right(student, arguments, 1)

    @idea("bias")
    @given(arguments=LAYERS)
    @example(arguments=WORKED_LAYER)
    def test_gradient_of_bias(self, student, arguments):
        """The gradient of bias agrees with torch's; in the example of the text it is 11."""
        self.assert_right(student, arguments, 2)

    @case
    @given(arguments=layer_arguments(1, 4))
    def test_any_number_of_axes(self, student, arguments):
        """Samples with any number of axes before the last one, in any order in memory, give the right gradients."""
        LAYER_BACKWARD.compare(student, "linear_backward", scattered(LAYER_BACKWARD.completed(arguments)))

    @case
    @given(arguments=LAYERS)
    def test_no_bias(self, student, arguments):
        """Without a bias its gradient is None, the other two stay right, and together they are a tuple."""
        grad_out, x, weights, _ = arguments.values()
        assert_close(student.linear_backward(grad_out, x, weights), layer_gradients(grad_out, x, weights))


EDGES = [("x1", "w"), ("x1", "x"), ("x2", "x1"), ("x2", "b"), ("loss_val", "x2")]
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
PATHS = [("loss_val", "w"), ("loss_val", "b")]
SOME = st.integers(-8, 8).map(lambda n: n / 4)
GRAPHS = st.tuples(entries(), entries(), entries(), floats(0.25, 4) | floats(-4, -0.25))


def edges_and_paths(x: Tensor, w: Tensor, b: Tensor, y_true: Tensor) -> dict[tuple[str, str], Tensor]:
    """torch's own gradients on the graph."""
    x, w, b = (given.clone().requires_grad_() for given in (x, w, b))
    x1 = x * w
    x2 = x1 + b
    nodes = {"x": x, "w": w, "b": b, "x1": x1, "x2": x2, "loss_val": (y_true - x2).abs()}
    return {(b, a): torch.autograd.grad(nodes[b], nodes[a], retain_graph=True)[0] for b, a in EDGES + PATHS}


@exercise("edge_gradients", points=2)
class TestEdgeGradients:
    def ask(self, student, x, w, b, gap, dtype=torch.float64) -> tuple[Any, Any]:
        numbers = [torch.tensor(value, dtype=dtype) for value in (x, w, b, x * w + b - gap)]
        return student.edge_gradients(*numbers), edges_and_paths(*numbers)

    def assert_right(self, student, keys, *graph) -> None:
        answer, right = self.ask(student, *graph)
        found = {key: answer[key] for key in keys if key in answer} if isinstance(answer, dict) else answer
        assert_close(found, alike(found, {key: right[key] for key in keys}))

    @idea("edges")
    @given(graph=GRAPHS)
    @example(graph=(2.0, 3.0, 1.0, 3.0))
    @example(graph=(2.0, 3.0, 1.0, -2.0))
    def test_edges(self, student, graph):
        """The slope on every edge agrees with torch's, with the prediction above and below y_true."""
        self.assert_right(student, EDGES, *graph)

    @idea("paths")
    @given(graph=GRAPHS)
    @example(graph=(2.0, 3.0, 1.0, 3.0))
    @example(graph=(2.0, 3.0, 1.0, -2.0))
    def test_paths(self, student, graph):
        """The slopes of the loss in w and in b agree with torch's: products along the paths."""
        self.assert_right(student, PATHS, *graph)

    @case
    @given(x=SOME, w=SOME, b=SOME)
    def test_exactly_right(self, student, x, w, b):
        """Where the loss is 0 its slope is 0; the other edges keep theirs."""
        self.assert_right(student, EDGES + PATHS, x, w, b, 0.0)

    @case
    @given(x=SOME, w=SOME, b=SOME, gap=st.sampled_from([2.0, -2.0]), dtype=st.sampled_from(DTYPES))
    def test_kind_of_numbers(self, student, x, w, b, gap, dtype):
        """The keys are these seven, and every value is a tensor without axes in the dtype of x."""
        assert_close(*self.ask(student, x, w, b, gap, dtype))

    @case
    @given(x=SOME, w=SOME, b=SOME, gap=st.sampled_from([300.0, -300.0, 2.0**-13, -(2.0**-13)]))
    def test_far_and_near(self, student, x, w, b, gap):
        """Far from the target, by 300, and near it, by 0.0001, the slopes are as right in every dtype."""
        for dtype in DTYPES:
            assert_close(*self.ask(student, x, w, b, gap, dtype))


MLP = Contract(
    networks(),
    network,
    magnitudes=(1.0, 64.0),
    half_magnitudes=(1.0, 4.0),
    half_slack=ROUGH,
    batch={"x": 0},
    refuses=(bad_values("params", []), another_number_of_axes("x", or_naming=("weight", "params"))),
)
WORKED_PARAMS = [(matrix((2, 1)), vector(1)), (matrix((-4,)), vector(3)), (matrix((3,)), vector(-1))]


@exercise("mlp_forward", points=2, forbid=("relu", "threshold"), contract=MLP)
class TestMlpForward:
    @idea
    def test_worked_values(self, student):
        """The three layers of the text: (1, -2.5) gives 2, (1, -2) gives -1, (0, -2) gives 8; the last alone makes 0 to -1."""
        x = matrix((1, -2.5), (1, -2), (0, -2))
        assert_close(student.mlp_forward(x, WORKED_PARAMS), matrix((2,), (-1,), (8,)))
        assert_close(student.mlp_forward(matrix((0,)), WORKED_PARAMS[-1:]), matrix((-1,)))

    @idea
    @given(arguments=networks(3, 5, max_side=8))
    def test_any_depth(self, student, arguments):
        """Networks of three to five layers give the right answers."""
        assert_close(student.mlp_forward(*arguments.values()), network(*arguments.values()))


MLP_BACKWARD = replace(
    MLP,
    oracle=lambda answer, *given: alike(answer, network_gradients(*given)),
    of_answer=True,
    forward=network,
    agrees=None,
    magnitudes=(1.0, 8.0),
    half_magnitudes=(1.0,),
    refuses=(another_shape("grad_out"), *MLP.refuses),
)


NETWORKS = networks(1, 4, max_side=6).map(MLP_BACKWARD.completed)
# Of the three samples of the text one silences the second hidden layer, and one the first.
WORKED_NETWORK = {"grad_out": matrix((10,), (1,), (100,)), "x": matrix((1, -2.5), (1, -2), (0, -2))}
WORKED_NETWORK |= {"params": WORKED_PARAMS}


@exercise("mlp_backward", points=4, forbid=("relu", "threshold"), contract=MLP_BACKWARD)
class TestMlpBackward:
    def assert_right(self, student, arguments, place: int) -> None:
        answer = student.mlp_backward(*arguments.values())
        assert_close(answer[place], alike(answer[place], network_gradients(*arguments.values())[place]))

    @idea("params")
    @given(arguments=NETWORKS)
    @example(arguments=WORKED_NETWORK)
    def test_every_layer(self, student, arguments):
        """The gradients of every weight and bias agree with torch's, in the order of the layers."""
        self.assert_right(student, arguments, 1)

    @idea("x")
    @weight(0.5)
    @given(arguments=NETWORKS)
    @example(arguments=WORKED_NETWORK)
    def test_gradient_of_x(self, student, arguments):
        """The gradient of x agrees with torch's."""
        self.assert_right(student, arguments, 0)

    @case
    @given(arguments=networks(2, 4))
    def test_sums_of_exactly_zero(self, student, arguments):
        """Where every hidden sum is exactly 0 only the last bias has a gradient; the pairs are tuples in a list."""
        x, params = arguments.values()
        silent = [(torch.zeros_like(w), torch.zeros_like(b)) for w, b in params[:-1]] + params[-1:]
        given = MLP_BACKWARD.completed({"x": x, "params": silent}).values()
        assert_close(student.mlp_backward(*given), network_gradients(*given))


# Models with two passes of one line each, so that every call can be shown: all layers look at x and are added up.
SIDE_BY_SIDE = {
    "forward": Callback("lambda x, params: sum(x @ w.T + b for w, b in params)"),
    "backward": Callback("lambda grad_out, x, params: (x, [(grad_out.T @ x, grad_out.sum(0)) for _ in params])"),
}
# Passes that draw: whoever calls one too often, or draws beside them, gets other numbers.
NOISY = {
    "forward": Callback("lambda x, params: torch.rand(len(x), 1).double()"),
    "backward": Callback("lambda grad_out, x, params: (x, [(torch.rand(1, 1).double(), torch.rand(1).double())])"),
}


def descent(x, y, params, forward, backward, lr, target_error, max_epochs) -> tuple[Params, list[float]]:
    """The flow chart, with torch's own slope of the error."""
    errors: list[float] = []
    for _ in range(max_epochs):
        out = forward(x, params).requires_grad_()
        error = F.mse_loss(out, y)
        errors.append(error.item())
        if errors[-1] <= target_error:
            break
        _, grads = backward(torch.autograd.grad(error, out)[0], x, params)
        params = [(w - lr * dw, b - lr * db) for (w, b), (dw, db) in zip(params, grads, strict=True)]
    return params, errors


@st.composite
def runs(draw) -> dict[str, Any]:
    """Arguments of a training run; the largest rates make the errors grow, within what float16 holds."""
    x = (2 * draw(tensors(min_ndim=2, max_ndim=2, max_side=3, low=-1, high=1))).round() / 2
    out, seed = min(n for n in (2, 3, 4) if n not in x.shape), draw(st.integers(0, 9))
    sizes = [(out, x.shape[1])] * draw(st.integers(1, 2))
    lr = draw(floats(0.01, 0.25) | floats(0.01, 2))
    return {
        "x": x,
        "y": irregular(x.shape[0], out, seed=seed) + 1 / 32,
        "params": [(irregular(*s, seed=seed + i), irregular(out, seed=seed - i + 20)) for i, s in enumerate(sizes)],
        **SIDE_BY_SIDE,
        "lr": lr,
        "target_error": -1.0,
        "max_epochs": draw(st.integers(0, 4 if lr <= 0.25 else 2)),
    }


TRAIN = Contract(
    runs(),
    lambda answer, *given: alike(answer, descent(*given)),
    agrees="Weights, biases and errors agree with gradient descent by torch's own slope of the error.",
    of_answer=True,
    half_slack=ROUGH,
    keywords=("lr", "target_error", "max_epochs"),
    refuses=(
        not_positive("lr"),
        bad_values("max_epochs", -1, 1.5),
        another_number_of_axes("x", or_naming=("y",)),
        another_length("y", 0, or_naming=("x",)),
    ),
)


@exercise("train_mlp", points=3, contract=TRAIN)
class TestTrainMlp:
    @idea("stop")
    def test_worked_values(self, student):
        """Weights 3 and 0, x = 1, targets (1, 0), lr 1/4: one step to 2.5 and bias -0.5, errors 2 and 0.5, then stop."""
        run = {"x": matrix((1,)), "y": matrix((1, 0)), "params": [(matrix((3,), (0,)), vector(0, 0))], **SIDE_BY_SIDE}
        answer = TRAIN.call(student, "train_mlp", {**run, "lr": 0.25, "target_error": 0.6, "max_epochs": 5})
        assert_close(answer, alike(answer, ([(matrix((2.5,), (0,)), vector(-0.5, 0))], [2.0, 0.5])))

    @idea("stop")
    def test_errors_that_grow(self, student):
        """Two layers that are added up, weights 1 and 0, x = 1, target 0, lr 3/4: errors 1 and 25, weights 7 and 6, biases 6."""
        params = [(matrix((1,)), vector(0)), (matrix((0,)), vector(0))]
        run = {"x": matrix((1,)), "y": matrix((0,)), "params": params, **SIDE_BY_SIDE}
        answer = TRAIN.call(student, "train_mlp", {**run, "lr": 0.75, "target_error": 0.5, "max_epochs": 2})
        trained = [(matrix((7,)), vector(6)), (matrix((6,)), vector(6))]
        assert_close(answer, alike(answer, (trained, [1.0, 25.0])))

    @idea("stop")
    @given(run=runs(), stop=st.integers(0, 3))
    def test_stops_at_the_target_error(self, student, run, stop):
        """It stops in the epoch whose error is at most the target, before another step; else it goes on."""
        _, errors = descent(*{**run, "max_epochs": stop + 1}.values())
        target = 1.0001 * errors[stop] + 1e-9
        TRAIN.compare(student, "train_mlp", {**run, "target_error": target, "max_epochs": stop + 4})

    @case
    def test_exactly_the_target_error(self, student):
        """An error that is exactly the target is good enough. The answer is a list of tuples and a list of floats."""
        params = [(matrix((2,)), vector(0))]
        run = {"x": matrix((1,)), "y": matrix((0,)), "params": params, **SIDE_BY_SIDE}
        run |= {"lr": 0.25, "target_error": 4.0, "max_epochs": 3}
        assert_close(TRAIN.call(student, "train_mlp", run), (params, [4.0]))

    @case
    def test_one_pass_an_epoch(self, student):
        """Each epoch calls forward once, and backward once if it takes a step; torch's random numbers are left alone."""
        run = {"x": matrix((1,), (2,)), "y": matrix((0,), (0,)), "params": [(matrix((1,)), vector(0))], **NOISY}
        run |= {"lr": 0.1, "target_error": -1.0, "max_epochs": 2}
        answers = [TRAIN.call(student, "train_mlp", run) for _ in range(2)]
        torch.default_generator.manual_seed(0)  # as it stood before the first call
        for answer in answers:
            assert_close(answer, TRAIN.oracle(answer, *run.values()))
