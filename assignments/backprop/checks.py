"""Visible checks of the assignment on backpropagation.

Each compares with torch's own autograd or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.
"""

from itertools import pairwise
from math import log

import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Rules,
    assert_close,
    assert_unchanged,
    cotangent_like,
    entries,
    exercise,
    floats,
    raises,
    tensors,
)

RULES = Rules(library="torch")

Params = list[tuple[Tensor, Tensor]]


def vector(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def filled(*shape: int, seed: int = 0) -> Tensor:
    """Irregular numbers of [-2, 2], never zero, the same at every replay."""
    return cotangent_like(torch.empty(*shape, *[1] * seed, dtype=torch.float64)).reshape(shape)


def layers(*sizes: int) -> Params:
    """A network's weights and biases, irregular, with about as many negative as positive sums."""
    return [
        (filled(after, before, seed=i) / before**0.5, filled(after, seed=i + 3) / 4)
        for i, (before, after) in enumerate(pairwise(sizes))
    ]


def network(x: Tensor, params: Params) -> Tensor:
    """What torch makes of the network."""
    for weight, bias in params[:-1]:
        x = torch.relu(F.linear(x, weight, bias))
    return F.linear(x, *params[-1])


def gradients(out: Tensor, inputs: list[Tensor], grad_out: Tensor) -> tuple[Tensor, ...]:
    """torch's own gradients of ``out`` with respect to each of ``inputs``."""
    return torch.autograd.grad(out, inputs, grad_out)


def tracked(*inputs: Tensor) -> list[Tensor]:
    return [x.detach().clone().requires_grad_() for x in inputs]


def network_gradients(grad_out: Tensor, x: Tensor, params: Params) -> tuple[Tensor, Params]:
    x, *flat = tracked(x, *(p for layer in params for p in layer))
    of_x, *of_params = gradients(network(x, list(zip(flat[::2], flat[1::2], strict=True))), [x, *flat], grad_out)
    return of_x, list(zip(of_params[::2], of_params[1::2], strict=True))


def networks(max_layers: int = 3) -> st.SearchStrategy[tuple[Tensor, Params]]:
    """Samples and a network whose sizes all differ."""
    sizes = st.lists(st.integers(1, 6), min_size=3, max_size=max_layers + 2, unique=True)
    return sizes.map(lambda n: (filled(n[0], n[1], seed=7), layers(*n[1:])))


@exercise("neuron", points=1, forbid=("sigmoid", "expit", "logsigmoid"))
class TestNeuron:
    def test_worked_values(self, student):
        """With weights (1, -1) and bias ln 3, the samples (0, 0), (0, ln 3), (ln 3, 0) give 3/4, 1/2 and 9/10."""
        x = torch.tensor([[0.0, 0.0], [0.0, log(3)], [log(3), 0.0]], dtype=torch.float64)
        assert_close(student.neuron(x, vector(1, -1), number(log(3))), vector(0.75, 0.5, 0.9))

    @given(x=tensors(min_ndim=2, max_ndim=2), bias=entries())
    def test_agrees_with_torch(self, student, x, bias):
        """The answers agree with torch's, sample by sample."""
        weight = filled(x.shape[1])
        assert_close(student.neuron(x, weight, number(bias)), torch.sigmoid(x @ weight + bias))

    @given(x=tensors(min_ndim=2, max_ndim=2, low=-1000, high=1000))
    def test_large_sums(self, student, x):
        """Sums of a thousand, positive or negative, give 1 or 0: no nan and no overflow."""
        weight = filled(x.shape[1])
        assert_close(student.neuron(x, weight, number(0.5)), torch.sigmoid(x @ weight + 0.5))

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """float32 tensors give a float32 tensor, and nothing is changed in place."""
        weight, bias = filled(x.shape[1]).float(), torch.tensor(-0.5)
        assert_close(student.neuron(x, weight, bias), torch.sigmoid(x @ weight + bias))
        assert_unchanged(student)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2))
    def test_weight_has_to_fit(self, student, x):
        """A weight with too many entries, or with a single one, raises ValueError that names weight."""
        for entries_of_weight in (x.shape[1] + 1, 1):
            with raises(ValueError, naming="weight"):
                student.neuron(x, filled(entries_of_weight), number(0.0))


class Linear:
    """Layers that every check of the linear layer tries: sizes differ, axes before the last one may be any number."""

    def layer(self, x: Tensor, out: int = 4) -> tuple[Tensor, Tensor]:
        return filled(out, x.shape[-1]).to(x.dtype), filled(out, seed=1).to(x.dtype)


@exercise("linear", points=1)
class TestLinear(Linear):
    def test_worked_values(self, student):
        """x = (1, 2) through weights (1, 0), (3, -1), (0, 5) and biases (0, 10, -10) gives (1, 11, 0)."""
        weight = torch.tensor([[1.0, 0.0], [3.0, -1.0], [0.0, 5.0]], dtype=torch.float64)
        assert_close(student.linear(vector(1, 2), weight, vector(0, 10, -10)), vector(1, 11, 0))

    @given(x=tensors(min_ndim=1))
    def test_agrees_with_torch(self, student, x):
        """The values agree with torch's, for samples with any number of axes."""
        weight, bias = self.layer(x)
        assert_close(student.linear(x, weight, bias), F.linear(x, weight, bias))

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_no_bias(self, student, x):
        """Without a bias nothing is added."""
        weight, _ = self.layer(x)
        assert_close(student.linear(x, weight), F.linear(x, weight))

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """float32 tensors give a float32 tensor, and nothing is changed in place."""
        weight, bias = self.layer(x)
        assert_close(student.linear(x, weight, bias), F.linear(x, weight, bias))
        assert_unchanged(student)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2))
    def test_weight_has_to_fit(self, student, x):
        """A weight with another number of columns than x raises ValueError that names weight."""
        with raises(ValueError, naming="weight"):
            student.linear(x, filled(4, x.shape[1] + 1), filled(4))

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_bias_has_to_fit(self, student, x):
        """A bias of another length than weight has rows raises ValueError that names bias, also where it would broadcast."""
        weight, _ = self.layer(x)
        with raises(ValueError, naming="bias"):
            student.linear(x, weight, filled(1))


@exercise("linear_backward", points=3)
class TestLinearBackward(Linear):
    def expected(self, grad_out: Tensor, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        inputs = tracked(x, weight, bias)
        return gradients(F.linear(*inputs), inputs, grad_out)

    def test_worked_values(self, student):
        """Two samples, (1, 2) and (3, 4), one neuron with weights (5, 6), upstream gradient (1, 10)."""
        x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
        grad_x, grad_weight, grad_bias = student.linear_backward(
            vector(1, 10).reshape(2, 1), x, vector(5, 6).reshape(1, 2), vector(0)
        )
        assert_close(grad_x, torch.tensor([[5.0, 6.0], [50.0, 60.0]], dtype=torch.float64))
        assert_close(grad_weight, vector(31, 42).reshape(1, 2))
        assert_close(grad_bias, vector(11))

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_gradient_of_x(self, student, x):
        """The gradient of x agrees with torch's for a random upstream gradient."""
        weight, bias = self.layer(x)
        grad_out = cotangent_like(F.linear(x, weight))
        assert_close(student.linear_backward(grad_out, x, weight, bias)[0], self.expected(grad_out, x, weight, bias)[0])

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_gradient_of_weight(self, student, x):
        """The gradient of weight agrees with torch's: it is summed over the samples and shaped like weight."""
        weight, bias = self.layer(x)
        grad_out = cotangent_like(F.linear(x, weight))
        assert_close(student.linear_backward(grad_out, x, weight, bias)[1], self.expected(grad_out, x, weight, bias)[1])

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_gradient_of_bias(self, student, x):
        """The gradient of bias agrees with torch's: it is summed over the samples."""
        weight, bias = self.layer(x)
        grad_out = cotangent_like(F.linear(x, weight))
        assert_close(student.linear_backward(grad_out, x, weight, bias)[2], self.expected(grad_out, x, weight, bias)[2])

    @given(x=tensors(min_ndim=1))
    def test_any_number_of_axes(self, student, x):
        """Samples with any number of axes before the last one give the right three gradients."""
        weight, bias = self.layer(x)
        grad_out = cotangent_like(F.linear(x, weight))
        assert_close(
            tuple(student.linear_backward(grad_out, x, weight, bias)), self.expected(grad_out, x, weight, bias)
        )

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_no_bias(self, student, x):
        """Without a bias its gradient is None, and the other two stay right."""
        weight, bias = self.layer(x)
        grad_out = cotangent_like(F.linear(x, weight))
        expected = self.expected(grad_out, x, weight, bias)
        assert_close(tuple(student.linear_backward(grad_out, x, weight)), (*expected[:2], None))

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """float32 tensors give float32 gradients, and no argument is changed in place."""
        weight, bias = self.layer(x)
        grad_out = cotangent_like(F.linear(x, weight))
        answer = tuple(student.linear_backward(grad_out, x, weight, bias))
        assert_close(answer, self.expected(grad_out, x, weight, bias))
        assert_unchanged(student)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2))
    def test_another_shape_is_refused(self, student, x):
        """An upstream gradient of another shape than the result raises ValueError that names grad_out."""
        weight, bias = self.layer(x)
        with raises(ValueError, naming="grad_out"):
            student.linear_backward(cotangent_like(F.linear(x, weight))[:1], x, weight, bias)


@exercise("edge_gradients", points=2)
class TestEdgeGradients:
    def expected(self, x: Tensor, w: Tensor, b: Tensor, y_true: Tensor) -> dict[tuple[str, str], Tensor]:
        x, w, b = tracked(x, w, b)
        x1 = x * w
        x2 = x1 + b
        loss_val = (y_true - x2).abs()
        nodes = {"x": x, "w": w, "b": b, "x1": x1, "x2": x2, "loss_val": loss_val}
        pairs = [("x1", "w"), ("x1", "x"), ("x2", "x1"), ("x2", "b")]
        pairs += [("loss_val", "x2"), ("loss_val", "w"), ("loss_val", "b")]
        return {(b, a): torch.autograd.grad(nodes[b], nodes[a], retain_graph=True)[0] for b, a in pairs}

    def test_worked_values(self, student):
        """x = 2, w = 3, b = 1, y_true = 4: loss_val is 3, and growing w by a little makes it grow twice as much."""
        answer = student.edge_gradients(number(2), number(3), number(1), number(4))
        expected = {("x1", "w"): 2.0, ("x1", "x"): 3.0, ("x2", "x1"): 1.0, ("x2", "b"): 1.0}
        expected |= {("loss_val", "x2"): 1.0, ("loss_val", "w"): 2.0, ("loss_val", "b"): 1.0}
        assert_close(answer, {key: number(value) for key, value in expected.items()})

    @given(x=entries(), w=entries(), b=entries(), gap=floats(0.25, 4))
    def test_prediction_above_the_target(self, student, x, w, b, gap):
        """Where the prediction is above y_true, every gradient agrees with torch's."""
        given_numbers = number(x), number(w), number(b), number(x * w + b - gap)
        assert_close(student.edge_gradients(*given_numbers), self.expected(*given_numbers))

    @given(x=entries(), w=entries(), b=entries(), gap=floats(0.25, 4))
    def test_prediction_below_the_target(self, student, x, w, b, gap):
        """Where the prediction is below y_true, the slopes of the loss change sign and those of the other edges do not."""
        given_numbers = number(x), number(w), number(b), number(x * w + b + gap)
        assert_close(student.edge_gradients(*given_numbers), self.expected(*given_numbers))

    @given(x=st.integers(-4, 4), w=st.integers(-4, 4), b=st.integers(-4, 4))
    def test_exactly_right(self, student, x, w, b):
        """Where the loss is 0 its slope is 0; the other edges keep theirs."""
        given_numbers = number(x), number(w), number(b), number(x * w + b)
        assert_close(student.edge_gradients(*given_numbers), self.expected(*given_numbers))


@exercise("mlp_forward", points=2, forbid=("relu", "threshold"))
class TestMlpForward:
    def test_worked_values(self, student):
        """x = (1, -2), one hidden neuron 2·1 + 1·(-2) + 1 = 1, then 3·1 - 1 = 2; for (0, -2) the neuron is silent: -1."""
        params = [(vector(2, 1).reshape(1, 2), vector(1)), (vector(3).reshape(1, 1), vector(-1))]
        x = torch.tensor([[1.0, -2.0], [0.0, -2.0]], dtype=torch.float64)
        assert_close(student.mlp_forward(x, params), vector(2, -1).reshape(2, 1))

    @given(given_network=networks())
    def test_agrees_with_torch(self, student, given_network):
        """The answers agree with torch's, for networks of any depth and width."""
        x, params = given_network
        assert_close(student.mlp_forward(x, params), network(x, params))

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_one_layer_is_linear(self, student, x):
        """A network of one layer has no ReLU: negative answers stay negative."""
        params = layers(x.shape[1], 6)
        assert_close(student.mlp_forward(x, params), network(x, params))

    @given(given_network=networks())
    def test_float32_stays_float32(self, student, given_network):
        """float32 tensors give a float32 tensor, and nothing is changed in place."""
        x, params = given_network[0].float(), [(w.float(), b.float()) for w, b in given_network[1]]
        assert_close(student.mlp_forward(x, params), network(x, params))
        assert_unchanged(student)

    def test_no_layer_is_refused(self, student):
        """An empty list of layers raises ValueError that names params."""
        with raises(ValueError, naming="params"):
            student.mlp_forward(filled(2, 3), [])


@exercise("mlp_backward", points=4, forbid=("relu", "threshold"))
class TestMlpBackward:
    def test_worked_values(self, student):
        """The network of the text: x = (1, -2), hidden neuron 1, output 2, upstream gradient 10."""
        params = [(vector(2, 1).reshape(1, 2), vector(1)), (vector(3).reshape(1, 1), vector(-1))]
        grad_x, grads = student.mlp_backward(vector(10).reshape(1, 1), vector(1, -2).reshape(1, 2), params)
        assert_close(grad_x, vector(60, 30).reshape(1, 2))
        assert_close(grads[1], (vector(10).reshape(1, 1), vector(10)))
        assert_close(grads[0], (vector(30, -60).reshape(1, 2), vector(30)))

    @given(given_network=networks())
    def test_last_layer(self, student, given_network):
        """The gradients of the last layer's weight and bias agree with torch's."""
        x, params = given_network
        grad_out = cotangent_like(network(x, params))
        expected = network_gradients(grad_out, x, params)
        assert_close(student.mlp_backward(grad_out, x, params)[1][-1], expected[1][-1])

    @given(given_network=networks())
    def test_every_layer(self, student, given_network):
        """The gradients of every weight and bias agree with torch's, in the order of the layers."""
        x, params = given_network
        grad_out = cotangent_like(network(x, params))
        assert_close(student.mlp_backward(grad_out, x, params)[1], network_gradients(grad_out, x, params)[1])

    @given(given_network=networks())
    def test_gradient_of_x(self, student, given_network):
        """The gradient of x agrees with torch's."""
        x, params = given_network
        grad_out = cotangent_like(network(x, params))
        assert_close(student.mlp_backward(grad_out, x, params)[0], network_gradients(grad_out, x, params)[0])

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_one_layer(self, student, x):
        """A network of one layer has the gradients of a linear layer."""
        params = layers(x.shape[1], 6)
        grad_out = cotangent_like(network(x, params))
        grad_x, grads = student.mlp_backward(grad_out, x, params)
        assert_close((grad_x, grads), network_gradients(grad_out, x, params))

    @given(given_network=networks())
    def test_float32_stays_float32(self, student, given_network):
        """float32 tensors give float32 gradients, and no argument is changed in place."""
        x, params = given_network[0].float(), [(w.float(), b.float()) for w, b in given_network[1]]
        grad_out = cotangent_like(network(x, params))
        grad_x, grads = student.mlp_backward(grad_out, x, params)
        assert_close((grad_x, grads), network_gradients(grad_out, x, params))
        assert_unchanged(student)

    @given(given_network=networks())
    def test_another_shape_is_refused(self, student, given_network):
        """An upstream gradient of another shape than the result raises ValueError that names grad_out."""
        x, params = given_network
        with raises(ValueError, naming="grad_out"):
            student.mlp_backward(filled(x.shape[0] + 1, params[-1][0].shape[0]), x, params)


@exercise("train_mlp", points=3)
class TestTrainMlp:
    def trained(
        self, x: Tensor, y: Tensor, params: Params, *, lr: float, target_error: float, max_epochs: int
    ) -> tuple[Params, list[float]]:
        """The flow chart with torch's gradients."""
        errors: list[float] = []
        for _ in range(max_epochs):
            flat = tracked(*(p for layer in params for p in layer))
            error = F.mse_loss(network(x, list(zip(flat[::2], flat[1::2], strict=True))), y)
            errors.append(error.item())
            if errors[-1] <= target_error:
                break
            steps = [p.detach() - lr * g for p, g in zip(flat, torch.autograd.grad(error, flat), strict=True)]
            params = list(zip(steps[::2], steps[1::2], strict=True))
        return params, errors

    def problem(self, given_network: tuple[Tensor, Params]) -> tuple[Tensor, Tensor, Params]:
        x, params = given_network
        return x, filled(x.shape[0], params[-1][0].shape[0], seed=2), params

    def test_worked_values(self, student):
        """One weight 2, no hidden layer, x = 1, y = 0, learning rate 1/4: the error is 4, and one step leads to weight 1 and bias -1."""
        params = [(vector(2).reshape(1, 1), vector(0))]
        one, zero = vector(1).reshape(1, 1), vector(0).reshape(1, 1)
        settings = {"lr": 0.25, "target_error": 0.0, "max_epochs": 1}
        assert_close(student.train_mlp(one, zero, params, **settings), ([(vector(1).reshape(1, 1), vector(-1))], [4.0]))

    @given(given_network=networks(max_layers=2), lr=floats(0.01, 0.2), max_epochs=st.integers(1, 4))
    def test_one_epoch_after_another(self, student, given_network, lr, max_epochs):
        """Weights, biases and errors agree with gradient descent by torch's gradients."""
        x, y, params = self.problem(given_network)
        settings = {"lr": lr, "target_error": 0.0, "max_epochs": max_epochs}
        assert_close(student.train_mlp(x, y, params, **settings), self.trained(x, y, params, **settings), rtol=1e-6)

    @given(given_network=networks(max_layers=2))
    def test_stops_at_the_target_error(self, student, given_network):
        """It stops, before another step, in the epoch whose error is at most the target."""
        x, y, params = self.problem(given_network)
        _, errors = self.trained(x, y, params, lr=0.05, target_error=0.0, max_epochs=4)
        settings = {"lr": 0.05, "target_error": (errors[1] + errors[2]) / 2, "max_epochs": 9}
        assert_close(student.train_mlp(x, y, params, **settings), self.trained(x, y, params, **settings), rtol=1e-6)

    def test_exactly_the_target_error(self, student):
        """An error that is exactly the target is good enough: no step is taken."""
        params = [(vector(2).reshape(1, 1), vector(0))]
        one, zero = vector(1).reshape(1, 1), vector(0).reshape(1, 1)
        answer = student.train_mlp(one, zero, params, lr=0.25, target_error=4.0, max_epochs=3)
        assert_close(answer, (params, [4.0]))

    @given(given_network=networks(max_layers=2))
    def test_a_start_that_is_good_enough(self, student, given_network):
        """If the first error is at most the target, no step is taken and one error is returned."""
        x, y, params = self.problem(given_network)
        settings = {"lr": 0.1, "target_error": 1e6, "max_epochs": 5}
        assert_close(student.train_mlp(x, y, params, **settings), self.trained(x, y, params, **settings))

    @given(given_network=networks(max_layers=2))
    def test_no_epochs(self, student, given_network):
        """With max_epochs = 0 the params come back as they are, with no error."""
        x, y, params = self.problem(given_network)
        assert_close(student.train_mlp(x, y, params, lr=0.1, target_error=0.0, max_epochs=0), (params, []))

    @given(given_network=networks(max_layers=2))
    def test_the_start_is_not_changed(self, student, given_network):
        """The tensors of params stay as they were: the caller may start again from them."""
        x, y, params = self.problem(given_network)
        student.train_mlp(x, y, params, lr=0.1, target_error=0.0, max_epochs=2)
        assert_unchanged(student)

    @given(lr=st.sampled_from([0.0, -0.1]))
    def test_bad_input_is_refused(self, student, lr):
        """A learning rate that is not positive raises ValueError that names lr."""
        with raises(ValueError, naming="lr"):
            student.train_mlp(filled(2, 3), filled(2, 4), layers(3, 4), lr=lr, target_error=0.0, max_epochs=1)
