"""Hidden checks of the assignment on backpropagation: harder inputs, the reference, bad input, precision."""

from itertools import pairwise

import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import assert_close, cotangent_like, exercise, floats, noncontiguous_tensors, raises, tensors

from . import reference

# Room for sums of a few products of numbers rounded to 11 and 8 bits.
HALF = {torch.float16: 2e-2, torch.bfloat16: 1.5e-1}
Params = list[tuple[Tensor, Tensor]]


def filled(*shape: int, seed: int = 0) -> Tensor:
    """Irregular numbers of [-2, 2], never zero, the same at every replay."""
    return cotangent_like(torch.empty(*shape, *[1] * seed, dtype=torch.float64)).reshape(shape)


def layers(*sizes: int) -> Params:
    return [
        (filled(after, before, seed=i + 1) / before**0.5, filled(after, seed=i) / 2)
        for i, (before, after) in enumerate(pairwise(sizes))
    ]


def in_dtype(params: Params, dtype: torch.dtype) -> Params:
    return [(w.to(dtype), b.to(dtype)) for w, b in params]


def networks(min_layers: int = 2, max_layers: int = 5) -> st.SearchStrategy[tuple[Tensor, Params]]:
    """Samples and a network whose sizes all differ, deeper than the visible ones."""
    sizes = st.lists(st.integers(1, 9), min_size=min_layers + 2, max_size=max_layers + 2, unique=True)
    return sizes.map(lambda n: (filled(n[0], n[1], seed=5), layers(*n[1:])))


@exercise("neuron")
class TestNeuron:
    @given(x=noncontiguous_tensors())
    def test_not_contiguous(self, student, x):
        """Samples that are not contiguous in memory give the same answers."""
        weight, bias = filled(x.shape[1]), torch.tensor(0.25, dtype=torch.float64)
        assert_close(student.neuron(x, weight, bias), reference.neuron(x, weight, bias))

    @given(x=tensors(min_ndim=2, max_ndim=2), dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, x, dtype):
        """float16 and bfloat16 tensors keep their dtype, and the answers are right to their precision."""
        weight, bias = filled(x.shape[1]).to(dtype), torch.tensor(0.25, dtype=dtype)
        expected = reference.neuron(x.to(dtype).double(), weight.double(), bias.double())
        assert_close(student.neuron(x.to(dtype), weight, bias), expected.to(dtype), atol=HALF[dtype])

    @given(count=st.integers(1, 5))
    def test_no_samples(self, student, count):
        """No samples give no answers."""
        bias = torch.tensor(0.25, dtype=torch.float64)
        assert_close(student.neuron(torch.empty(0, count).double(), filled(count), bias), torch.empty(0).double())


@exercise("linear")
class TestLinear:
    @given(x=noncontiguous_tensors())
    def test_not_contiguous(self, student, x):
        """Tensors that are not contiguous in memory give the same values."""
        weight, bias = filled(x.shape[1], 5).T, filled(5, 2).T[0]
        assert_close(student.linear(x, weight, bias), reference.linear(x, weight, bias))

    @given(x=tensors(min_ndim=2, max_ndim=3, low=-10_000, high=10_000))
    def test_large_numbers(self, student, x):
        """Large numbers give the right values too."""
        weight, bias = filled(6, x.shape[-1]), filled(6)
        assert_close(student.linear(x, weight, bias), reference.linear(x, weight, bias), atol=1e-7)

    @given(x=tensors(min_ndim=2, max_ndim=2), dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, x, dtype):
        """float16 and bfloat16 tensors keep their dtype, and the values are right to their precision."""
        x, weight, bias = x.to(dtype), filled(4, x.shape[1]).to(dtype), filled(4).to(dtype)
        expected = reference.linear(x.double(), weight.double(), bias.double())
        assert_close(student.linear(x, weight, bias), expected.to(dtype), atol=4 * HALF[dtype])


@exercise("linear_backward")
class TestLinearBackward:
    @given(x=noncontiguous_tensors())
    def test_not_contiguous(self, student, x):
        """Tensors that are not contiguous in memory give the same gradients."""
        weight, bias, grad_out = filled(x.shape[1], 5).T, filled(5), filled(5, x.shape[0], seed=1).T
        assert_close(
            tuple(student.linear_backward(grad_out, x, weight, bias)),
            reference.linear_backward(grad_out, x, weight, bias),
        )

    @given(x=tensors(min_ndim=2, max_ndim=2))
    def test_the_bias_does_not_matter(self, student, x):
        """The gradients do not depend on the bias: it only shifts the answers."""
        weight, bias = filled(4, x.shape[1]), filled(4)
        grad_out = filled(x.shape[0], 4, seed=2)
        expected = reference.linear_backward(grad_out, x, weight, bias)
        assert_close(tuple(student.linear_backward(grad_out, x, weight, 100 * bias)), expected)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2))
    def test_bad_layer_is_refused(self, student, x):
        """A weight or bias that the forward refuses is refused by the backward, by the same name."""
        grad_out = filled(x.shape[0], 7)
        with raises(ValueError, naming="weight"):
            student.linear_backward(grad_out, x, filled(7, x.shape[1] + 1), filled(7))
        with raises(ValueError, naming="bias"):
            student.linear_backward(grad_out, x, filled(7, x.shape[1]), filled(1))

    @given(count=st.integers(1, 4))
    def test_no_samples(self, student, count):
        """Without samples the gradients of weight and bias are 0."""
        x, grad_out = torch.empty(0, count).double(), torch.empty(0, 5).double()
        weight, bias = filled(5, count), filled(5)
        expected = (x, torch.zeros_like(weight), torch.zeros_like(bias))
        assert_close(tuple(student.linear_backward(grad_out, x, weight, bias)), expected)


@exercise("edge_gradients")
class TestEdgeGradients:
    @given(values=st.lists(floats(-100, 100), min_size=4, max_size=4))
    @example(values=[0.0, 0.0, 0.0, 1.0])
    def test_any_numbers(self, student, values):
        """Large numbers and zeros give the right gradients too."""
        numbers = [torch.tensor(value, dtype=torch.float64) for value in values]
        assert_close(student.edge_gradients(*numbers), reference.edge_gradients(*numbers))

    @given(values=st.lists(st.integers(-4, 4), min_size=4, max_size=4))
    def test_float32_stays_float32(self, student, values):
        """float32 numbers give float32 gradients."""
        numbers = [torch.tensor(float(value)) for value in values]
        assert_close(student.edge_gradients(*numbers), reference.edge_gradients(*numbers))


@exercise("mlp_forward")
class TestMlpForward:
    @given(network=networks())
    def test_deep_networks(self, student, network):
        """Networks of up to five layers give the right answers."""
        x, params = network
        assert_close(student.mlp_forward(x, params), reference.mlp_forward(x, params))

    @given(network=networks(max_layers=3), dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, network, dtype):
        """float16 and bfloat16 tensors keep their dtype, and the answers are right to their precision."""
        x, params = network[0].to(dtype), in_dtype(network[1], dtype)
        expected = reference.mlp_forward(x.double(), in_dtype(params, torch.float64))
        assert_close(student.mlp_forward(x, params), expected.to(dtype), atol=4 * HALF[dtype])


@exercise("mlp_backward")
class TestMlpBackward:
    @given(network=networks())
    def test_deep_networks(self, student, network):
        """Networks of up to five layers give the right gradients."""
        x, params = network
        grad_out = filled(x.shape[0], params[-1][0].shape[0], seed=3)
        grad_x, grads = student.mlp_backward(grad_out, x, params)
        assert_close((grad_x, grads), reference.mlp_backward(grad_out, x, params))

    @given(network=networks(max_layers=3))
    def test_silent_neurons_pass_nothing_on(self, student, network):
        """Where every hidden neuron is silent, or its sum exactly 0, nothing but the last bias has a gradient."""
        x, params = network
        silent = [(torch.zeros_like(w), -i * torch.ones_like(b)) for i, (w, b) in enumerate(params[:-1])]
        grad_out = filled(x.shape[0], params[-1][0].shape[0], seed=3)
        grad_x, grads = student.mlp_backward(grad_out, x, [*silent, params[-1]])
        assert_close((grad_x, grads), reference.mlp_backward(grad_out, x, [*silent, params[-1]]))

    @given(count=st.integers(1, 4))
    def test_no_layer_is_refused(self, student, count):
        """An empty list of layers raises ValueError that names params."""
        with raises(ValueError, naming="params"):
            student.mlp_backward(filled(count, 3), filled(count, 3), [])


@exercise("train_mlp")
class TestTrainMlp:
    @given(network=networks(max_layers=4), max_epochs=st.integers(1, 6))
    def test_deep_networks(self, student, network, max_epochs):
        """Networks of up to four layers are trained as the reference trains them."""
        x, params = network
        y = filled(x.shape[0], params[-1][0].shape[0], seed=6)
        settings = {"lr": 0.02, "target_error": 0.0, "max_epochs": max_epochs}
        assert_close(
            student.train_mlp(x, y, params, **settings), reference.train_mlp(x, y, params, **settings), rtol=1e-6
        )

    @given(network=networks(max_layers=2))
    def test_an_error_equal_to_the_target_is_good_enough(self, student, network):
        """With a target of 0 and targets that the start already meets, it stops at once."""
        x, params = network
        y = reference.mlp_forward(x, params)
        settings = {"lr": 0.1, "target_error": 1e-12, "max_epochs": 3}
        assert_close(student.train_mlp(x, y, params, **settings), (params, [0.0]), atol=1e-12)

    @given(network=networks(max_layers=2))
    def test_float32_stays_float32(self, student, network):
        """float32 params stay float32."""
        x, params = network[0].float(), in_dtype(network[1], torch.float32)
        y = filled(x.shape[0], params[-1][0].shape[0], seed=6).float()
        settings = {"lr": 0.05, "target_error": 0.0, "max_epochs": 2}
        trained, _ = student.train_mlp(x, y, params, **settings)
        assert_close(trained, reference.train_mlp(x, y, params, **settings)[0])
