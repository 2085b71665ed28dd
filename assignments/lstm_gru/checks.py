"""Visible checks of the assignment on LSTM and GRU.

Each compares with torch's own cells and layers, with worked numbers or with a plain loop, or states a property.
The sentence under a test is what you read when it fails.
"""

from collections.abc import Callable
from math import ceil, exp, log, sqrt, tanh

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Mismatch,
    Rules,
    assert_close,
    assert_unchanged,
    cotangent_like,
    exercise,
    floats,
    probabilities,
    raises,
    seeded,
    shapes,
    statistical,
    tensors,
)

Tensors = tuple[Tensor, ...]

CELL_SIZES = shapes(3, 3, 1, 4)  # N, D, H, all different
LARGER_SIZES = shapes(3, 3, 2, 4)
SEQUENCE_SIZES = shapes(4, 4, 1, 5)  # N, T, D, H, all different
SEEDS = st.integers(0, 99)
FEW_SEEDS = st.integers(0, 3)  # for trainings, which take longer

SEARCH_EXAMPLES = 80
KEPT_ENTRIES = 2000
SHARE_TOLERANCE = sqrt(log(2 * SEARCH_EXAMPLES / 5e-10) / (2 * KEPT_ENTRIES))

RULES = Rules(library="torch")
READY_LSTM = ("lstm", "lstm_cell")
READY_GRU = ("gru", "gru_cell")


def vector(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def single(value: float) -> Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


def numbers(seed: int, shape: tuple[int, ...], scale: float = 1.0) -> Tensor:
    """Irregular tenths within ±scale, from numpy's frozen legacy stream: the same for a seed, everywhere."""
    return torch.tensor(np.round(np.random.RandomState(seed).uniform(-1, 1, shape), 1) * scale)


def weights(gates: int, d: int, size: int, seed: int, scale: float = 1.0) -> Tensors:
    """weight_ih, weight_hh, bias_ih and bias_hh of a cell with so many gates."""
    rows = gates * size
    return tuple(
        numbers(1000 + 4 * seed + k, shape, scale)
        for k, shape in enumerate([(rows, d), (rows, size), (rows,), (rows,)])
    )


def cell_arguments(gates: int, sizes: tuple[int, ...], seed: int, scale: float = 1.0) -> Tensors:
    """x, h (and c for four gates), weights and biases, for N, D and H."""
    n, d, size = sizes
    states = [numbers(2000 + seed + k, (n, size), scale) for k in range(2 if gates == 4 else 1)]
    return numbers(seed, (n, d), scale), *states, *weights(gates, d, size, seed, scale)


def sequence_arguments(gates: int, sizes: tuple[int, ...], seed: int) -> Tensors:
    """The same with a batch of sequences (N, T, D) for x."""
    n, steps, d, size = sizes
    return numbers(seed, (n, steps, d), 2.0), *cell_arguments(gates, (n, d, size), seed)[1:]


def of_one_unit(*biases: float, hidden_bias: float = 0.0) -> Tensors:
    """Weights and biases of a cell with D = H = 1 that listens to its bias_ih alone, but for the candidate's bias_hh."""
    zeros = torch.zeros(len(biases), 1, dtype=torch.float64)
    bias_hh = torch.zeros(len(biases), dtype=torch.float64)
    bias_hh[2] = hidden_bias
    return zeros, zeros.clone(), vector(*biases), bias_hh


def with_gates(args: Tensors, **gates: float) -> Tensors:
    """The same arguments with a number added to bias_ih for a whole gate: one so large that it is open or shut."""
    bias, size = args[-2].clone(), args[1].shape[1]
    order = "ifgo" if len(bias) == 4 * size else "rzn"
    for gate, value in gates.items():
        bias[order.index(gate) * size :][:size] += value
    return *args[:-2], bias, args[-1]


def spoiled(arg: Tensor, name: str) -> Tensor:
    """An argument whose shape does not fit any more; a state or a bias would still broadcast."""
    if name == "x":
        return arg[0]
    return arg[:, :-1] if name == "weight_hh" else arg[:-1] if name == "weight_ih" else arg[:1]


def torch_lstm_cell(x: Tensor, h: Tensor, c: Tensor, *weights: Tensor) -> Tensors:
    return torch.lstm_cell(x, (h, c), *weights)


def torch_gru_cell(*args: Tensor) -> Tensors:
    return (torch.gru_cell(*args),)


def torch_lstm(x: Tensor, h0: Tensor, c0: Tensor, *weights: Tensor) -> Tensors:
    out, h, c = torch.lstm(x, (h0[None], c0[None]), weights, True, 1, 0.0, False, False, True)
    return out, h[0], c[0]


def torch_gru(x: Tensor, h0: Tensor, *weights: Tensor) -> Tensors:
    out, h = torch.gru(x, h0[None], weights, True, 1, 0.0, False, False, True)
    return out, h[0]


def gradients(function: Callable[..., Tensors], grad_out: Tensors, args: Tensors) -> Tensors:
    """torch's own gradients of ``function`` with respect to every argument, computed in float64."""
    leaves = [arg.to(torch.float64, copy=True).requires_grad_() for arg in args]
    grads = torch.autograd.grad(function(*leaves), leaves, [grad.double() for grad in grad_out])
    return tuple(grad.to(arg.dtype) for grad, arg in zip(grads, args, strict=True))


def to_float32(args: Tensors) -> Tensors:
    return tuple(arg.float() for arg in args)


class Gated:
    """What both cells, and their gradients, are asked alike."""

    gates: int
    oracle: Callable[..., Tensors]

    def upstream(self, h: Tensor) -> Tensors:
        """An upstream gradient for each result."""
        return (cotangent_like(h), cotangent_like(h.T).T.contiguous()) if self.gates == 4 else (cotangent_like(h),)

    def names(self) -> list[str]:
        return ["x", "h", *(["c"] if self.gates == 4 else []), "weight_ih", "weight_hh", "bias_ih", "bias_hh"]


class Cell(Gated):
    """What both cells have to keep."""

    function: str

    def ask(self, student, *args: Tensor) -> Tensors:
        """The student's answer; that of a GRU as a tuple too."""
        answer = getattr(student, self.function)(*args)
        return answer if self.gates == 4 else (answer,)

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_agrees_with_torch(self, student, sizes, seed):
        """The result agrees with that of torch's own cell with the same weights."""
        args = cell_arguments(self.gates, sizes, seed)
        assert_close(self.ask(student, *args), self.oracle(*args))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_large_numbers(self, student, sizes, seed):
        """With inputs and weights of up to a thousand every gate is wide open or shut, and nothing is nan."""
        args = cell_arguments(self.gates, sizes, seed, 1000.0)
        assert_close(self.ask(student, *args), self.oracle(*args))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_float32_stays_float32(self, student, sizes, seed):
        """float32 tensors give float32 tensors, and no argument is changed in place."""
        args = to_float32(cell_arguments(self.gates, sizes, seed))
        assert_close(self.ask(student, *args), self.oracle(*args), atol=1e-5)
        assert_unchanged(student)

    @given(sizes=LARGER_SIZES, name=st.sampled_from(["x", "h", "weight_ih", "weight_hh", "bias_ih", "bias_hh"]))
    def test_wrong_shapes_are_refused(self, student, sizes, name):
        """An argument whose shape does not fit raises ValueError that names it, also where it would broadcast."""
        args = dict(zip(self.names(), cell_arguments(self.gates, sizes, 0), strict=True))
        args[name] = spoiled(args[name], name)
        with raises(ValueError, naming=name):
            getattr(student, self.function)(*args.values())


class CellBackward(Gated):
    """What both hand-written gradients have to keep."""

    function: str

    def ask(self, student, grad_out: Tensors, *args: Tensor) -> Tensors:
        return getattr(student, self.function)(grad_out if self.gates == 4 else grad_out[0], *args)

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_agrees_with_torch(self, student, sizes, seed):
        """Every gradient agrees with torch's for a random upstream gradient."""
        args = cell_arguments(self.gates, sizes, seed)
        grad_out = self.upstream(args[1])
        assert_close(self.ask(student, grad_out, *args), gradients(self.oracle, grad_out, args))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_large_numbers(self, student, sizes, seed):
        """With inputs and weights of up to a thousand every gate is wide open or shut, and no gradient is nan."""
        args = cell_arguments(self.gates, sizes, seed, 1000.0)
        grad_out = self.upstream(args[1])
        assert_close(self.ask(student, grad_out, *args), gradients(self.oracle, grad_out, args))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_float32_stays_float32(self, student, sizes, seed):
        """float32 tensors give float32 gradients, and no argument is changed in place."""
        args = to_float32(cell_arguments(self.gates, sizes, seed))
        grad_out = self.upstream(args[1])
        assert_close(self.ask(student, grad_out, *args), gradients(self.oracle, grad_out, args), atol=2e-5)
        assert_unchanged(student)

    @given(sizes=LARGER_SIZES, place=st.integers(0, 1))
    def test_another_shape_is_refused(self, student, sizes, place):
        """An upstream gradient of another shape raises ValueError that names grad_out, also where it would broadcast."""
        args = cell_arguments(self.gates, sizes, 0)
        grad_out = list(self.upstream(args[1]))
        place %= len(grad_out)
        grad_out[place] = grad_out[place][:1]
        with raises(ValueError, naming="grad_out"):
            self.ask(student, tuple(grad_out), *args)


class Layer:
    """What both layers have to keep that run a cell along a sequence."""

    function: str
    gates: int
    oracle: Callable[..., Tensors]
    cell: Callable[..., Tensors]

    @given(sizes=SEQUENCE_SIZES, seed=SEEDS)
    def test_agrees_with_torch(self, student, sizes, seed):
        """The hidden states of all steps and the last state agree with those of torch's own layer."""
        args = sequence_arguments(self.gates, sizes, seed)
        assert_close(getattr(student, self.function)(*args), self.oracle(*args))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_one_step_is_the_cell(self, student, sizes, seed):
        """On sequences of one step the layer does what the cell does."""
        x, *rest = cell_arguments(self.gates, sizes, seed)
        h, *c = self.cell(x, *rest)
        assert_close(getattr(student, self.function)(x[:, None], *rest), (h[:, None], h, *c))

    @given(sizes=SEQUENCE_SIZES.filter(lambda sizes: sizes[1] > 1), seed=SEEDS)
    def test_a_sequence_may_be_cut(self, student, sizes, seed):
        """Running the first step, and then the rest from the state it left, gives what running all at once gives."""
        x, *rest = sequence_arguments(self.gates, sizes, seed)
        states = 2 if self.gates == 4 else 1
        layer = getattr(student, self.function)
        first, *state = layer(x[:, :1], *rest)
        second, *state = layer(x[:, 1:], *state, *rest[states:])
        assert_close((torch.cat([first, second], 1), *state), self.oracle(x, *rest))

    @given(sizes=SEQUENCE_SIZES, seed=SEEDS)
    def test_float32_stays_float32(self, student, sizes, seed):
        """float32 tensors give float32 tensors, and no argument is changed in place."""
        args = to_float32(sequence_arguments(self.gates, sizes, seed))
        assert_close(getattr(student, self.function)(*args), self.oracle(*args), atol=1e-5)
        assert_unchanged(student)

    @given(sizes=shapes(4, 4, 2, 5), name=st.sampled_from(["x", "h0"]))
    def test_wrong_shapes_are_refused(self, student, sizes, name):
        """An x without three axes, or an h0 for another batch, raises ValueError that names it."""
        x, h0, *rest = sequence_arguments(self.gates, sizes, 0)
        with raises(ValueError, naming=name):
            getattr(student, self.function)(x[:, 0] if name == "x" else x, h0[:1] if name == "h0" else h0, *rest)


@exercise("lstm_cell", points=3, forbid=READY_LSTM)
class TestLstmCell(Cell):
    function = "lstm_cell"
    gates = 4
    oracle = staticmethod(torch_lstm_cell)

    def test_worked_values(self, student):
        """With i = 3/4, f = 1/2, g = 3/5, o = 1/4 a memory of 2 becomes 1.45, and h is tanh(1.45) / 4."""
        args = of_one_unit(log(3), 0.0, log(2), -log(3))
        expected = single(tanh(1.45) / 4), single(1.45)
        assert_close(student.lstm_cell(single(3.0), single(-1.0), single(2.0), *args), expected)

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_memory_is_kept(self, student, sizes, seed):
        """With the forget gate open (f = 1) and the input gate shut (i = 0) the memory stays what it was."""
        args = with_gates(cell_arguments(4, sizes, seed), f=100.0, i=-100.0)
        _, c_new = student.lstm_cell(*args)
        assert_close(c_new, args[2])

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_memory_is_hidden(self, student, sizes, seed):
        """With the output gate shut (o = 0) h_new is 0, and the memory works on behind it."""
        args = with_gates(cell_arguments(4, sizes, seed), o=-100.0)
        expected = torch.zeros_like(args[1]), torch_lstm_cell(*args)[1]
        assert_close(student.lstm_cell(*args), expected)

    @given(sizes=LARGER_SIZES)
    def test_a_memory_of_another_batch_is_refused(self, student, sizes):
        """A c that is not shaped like h raises ValueError that names c, also where it would broadcast."""
        x, h, c, *rest = cell_arguments(4, sizes, 0)
        with raises(ValueError, naming="c"):
            student.lstm_cell(x, h, c[:1], *rest)


@exercise("lstm_cell_backward", points=4, forbid=READY_LSTM)
class TestLstmCellBackward(CellBackward):
    function = "lstm_cell_backward"
    gates = 4
    oracle = staticmethod(torch_lstm_cell)

    def test_worked_values(self, student):
        """With i = 3/4, f = 1/2, g = 3/5, c = 2 and (0, 1) upstream, the sums of i, f, g, o get 0.1125, 0.5, 0.48, 0."""
        x, h, c = single(3.0), single(-1.0), single(2.0)
        got = student.lstm_cell_backward((single(0), single(1)), x, h, c, *of_one_unit(log(3), 0.0, log(2), -log(3)))
        sums = vector(0.1125, 0.5, 0.48, 0.0)
        assert_close(got, (single(0), single(0), single(0.5), 3 * sums[:, None], -sums[:, None], sums, sums))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_gradient_of_a_kept_memory(self, student, sizes, seed):
        """With f = 1 and i = 0 the gradient of the new memory arrives at the old one unchanged."""
        args = with_gates(cell_arguments(4, sizes, seed), f=100.0, i=-100.0)
        grad_c = cotangent_like(args[2])
        grads = student.lstm_cell_backward((torch.zeros_like(grad_c), grad_c), *args)
        assert_close(grads[2], grad_c)

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_gradient_of_the_hidden_state_alone(self, student, sizes, seed):
        """An upstream gradient of h_new alone reaches every argument, the memory too."""
        args = cell_arguments(4, sizes, seed)
        grad_out = cotangent_like(args[1]), torch.zeros_like(args[1])
        assert_close(student.lstm_cell_backward(grad_out, *args), gradients(torch_lstm_cell, grad_out, args))


@exercise("lstm_forward", points=2, forbid=READY_LSTM)
class TestLstmForward(Layer):
    function = "lstm_forward"
    gates = 4
    oracle = staticmethod(torch_lstm)
    cell = staticmethod(torch_lstm_cell)

    def test_counts(self, student):
        """With i = f = o = 1 and g = ±1 for an input of ±1 the memory counts: (1, 1, -1, 1) gives 1, 2, 1, 2."""
        weight_ih, weight_hh, bias_ih, bias_hh = of_one_unit(100.0, 100.0, 0.0, 100.0)
        weight_ih[2] = 100.0
        x = vector(1, 1, -1, 1).reshape(1, 4, 1)
        hidden = torch.tanh(vector(1, 2, 1, 2)).reshape(1, 4, 1)
        got = student.lstm_forward(x, single(0), single(0), weight_ih, weight_hh, bias_ih, bias_hh)
        assert_close(got, (hidden, hidden[:, -1], single(2)))

    @given(sizes=shapes(4, 4, 2, 5))
    def test_a_memory_of_another_batch_is_refused(self, student, sizes):
        """A c0 that is not shaped like h0 raises ValueError that names c0."""
        x, h0, c0, *rest = sequence_arguments(4, sizes, 0)
        with raises(ValueError, naming="c0"):
            student.lstm_forward(x, h0, c0[:1], *rest)


@exercise("gru_cell", points=2, forbid=READY_GRU)
class TestGruCell(Cell):
    function = "gru_cell"
    gates = 3
    oracle = staticmethod(torch_gru_cell)

    def test_worked_values(self, student):
        """With r = 3/4, z = 1/4 and n = 3/5 a hidden state of 2 becomes 3/4 of 3/5 and 1/4 of 2, together 0.95."""
        args = of_one_unit(log(3), -log(3), log(2) / 4, hidden_bias=log(2))
        assert_close(student.gru_cell(single(3.0), single(2.0), *args), single(0.95))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_state_is_kept(self, student, sizes, seed):
        """With the update gate at z = 1 the hidden state stays what it was."""
        args = with_gates(cell_arguments(3, sizes, seed), z=100.0)
        assert_close(student.gru_cell(*args), args[1])

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_state_is_reset(self, student, sizes, seed):
        """With z = 0 and r = 0 the old hidden state counts nothing: the result is tanh of the input's own sum."""
        args = with_gates(cell_arguments(3, sizes, seed), z=-100.0, r=-100.0)
        x, h, weight_ih, _, bias_ih, _ = args
        size = h.shape[1]
        assert_close(student.gru_cell(*args), torch.tanh(x @ weight_ih[2 * size :].T + bias_ih[2 * size :]))


@exercise("gru_cell_backward", points=4, forbid=READY_GRU)
class TestGruCellBackward(CellBackward):
    function = "gru_cell_backward"
    gates = 3
    oracle = staticmethod(torch_gru_cell)

    def test_worked_values(self, student):
        """With r = 3/4, z = 1/4, n = 3/5 and h = 2, an upstream 1 gives the sums of z 0.2625 and of n 0.48."""
        args = of_one_unit(log(3), -log(3), log(2) / 4, hidden_bias=log(2))
        got = student.gru_cell_backward(single(1.0), single(3.0), single(2.0), *args)
        of_r = 0.48 * log(2) * 3 / 16
        da, db = vector(of_r, 0.2625, 0.48), vector(of_r, 0.2625, 0.36)
        assert_close(got, (single(0), single(0.25), 3 * da[:, None], 2 * db[:, None], da, db))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_gradient_of_a_kept_state(self, student, sizes, seed):
        """With z = 1 the gradient arrives at the old hidden state unchanged, and every other one is 0."""
        args = with_gates(cell_arguments(3, sizes, seed), z=100.0)
        grad_out = cotangent_like(args[1])
        expected = [torch.zeros_like(arg) for arg in args]
        expected[1] = grad_out
        assert_close(student.gru_cell_backward(grad_out, *args), tuple(expected))


@exercise("gru_forward", points=1, forbid=READY_GRU)
class TestGruForward(Layer):
    function = "gru_forward"
    gates = 3
    oracle = staticmethod(torch_gru)
    cell = staticmethod(torch_gru_cell)

    def test_averages(self, student):
        """With z = 1/2 and n = ±1 for an input of ±1, (1, 1, -1) gives 1/2, 3/4, -1/8: half old, half new."""
        weight_ih, weight_hh, bias_ih, bias_hh = of_one_unit(0.0, 0.0, 0.0)
        weight_ih[2] = 100.0
        x = vector(1, 1, -1).reshape(1, 3, 1)
        out = vector(0.5, 0.75, -0.125).reshape(1, 3, 1)
        assert_close(student.gru_forward(x, single(0), weight_ih, weight_hh, bias_ih, bias_hh), (out, out[:, -1]))


@exercise("recurrent_dropout", points=2, forbid=("dropout", "feature_dropout", "alpha_dropout"))
class TestRecurrentDropout:
    def test_worked_values(self, student):
        """A feature that is dropped is 0 at both steps; with p = 0.25 a kept 3 is 4 and a kept 12 is 16."""
        x = torch.tensor([[[3.0, 6.0, 9.0], [12.0, 15.0, 18.0]]])
        out, mask = student.recurrent_dropout(x, 0.25, generator=seeded())
        assert_close(mask, torch.where(out[:, :1] == 0, 0.0, 4 / 3))
        assert_close(out, torch.tensor([[[4.0, 8.0, 12.0], [16.0, 20.0, 24.0]]]) * (mask > 0))

    @statistical(
        false_alarm=0.5**64,
        because="64 features are all dropped with probability (1/2) ** 64",
    )
    def test_a_half_by_default(self, student):
        """Without p a feature is dropped with probability 1/2, and what is kept is doubled."""
        out, mask = student.recurrent_dropout(torch.ones(2, 3, 32), generator=seeded())
        assert_close(mask, torch.where(out[:, :1] == 0, 0.0, 2.0))
        assert_close(mask.max().item(), 2.0)

    @given(x=tensors(min_ndim=3), p=probabilities())
    def test_evaluation_is_identity(self, student, x, p):
        """With training=False nothing is changed, and the mask is 1 everywhere."""
        out, mask = student.recurrent_dropout(x, p, training=False, generator=seeded())
        assert_close(out, x)
        assert_close(mask, torch.ones(x.shape[0], 1, x.shape[2], dtype=x.dtype))

    @given(x=tensors(min_ndim=3, low=1), p=probabilities(), seed=SEEDS)
    def test_same_mask_at_every_step(self, student, x, p, seed):
        """The mask has one step, (N, 1, D): 1 / (1 - p) where a feature is kept, else 0. At every step out is x * mask."""
        out, mask = student.recurrent_dropout(x, p, generator=seeded(seed))
        assert_close(mask, torch.where(out[:, :1] == 0, 0.0, torch.full_like(x[:, :1], 1 / (1 - p))))
        assert_close(out, x * mask)
        assert_unchanged(student)

    @statistical(
        false_alarm=SEARCH_EXAMPLES * 2 * exp(-2 * KEPT_ENTRIES * SHARE_TOLERANCE**2),
        because="Hoeffding (1963): the share of n independent draws is off by t or more with at most 2 exp(-2 n t²)",
    )
    @given(p=probabilities(), seed=SEEDS)
    def test_share_of_kept_entries(self, student, p, seed):
        """Of many features about the share 1 - p is kept."""
        _, mask = student.recurrent_dropout(torch.ones(40, 2, KEPT_ENTRIES // 40), p, generator=seeded(seed))
        assert_close((mask > 0).double().mean().item(), 1 - p, rtol=0.0, atol=SHARE_TOLERANCE)

    @statistical(
        false_alarm=SEARCH_EXAMPLES * (0.8**2 + 0.2**2) ** 128,
        because="two masks of 128 independent features agree with probability (p² + (1 - p)²) ** 128, p within 0.2 … 0.8",
    )
    @given(p=probabilities().filter(lambda p: 0.2 <= p <= 0.8), seed=SEEDS)
    def test_all_randomness_is_the_generators(self, student, p, seed):
        """The same seed gives the same mask, and the generator as it is left after that another one."""
        x, generator = torch.ones(8, 2, 16), seeded(seed)
        _, first = student.recurrent_dropout(x, p, generator=generator)
        _, second = student.recurrent_dropout(x, p, generator=generator)
        _, again = student.recurrent_dropout(x, p, generator=seeded(seed))
        assert_close(again, first)
        assert_close(torch.equal(second, first), False)

    @statistical(
        false_alarm=SEARCH_EXAMPLES * 2 * (0.8**2 + 0.2**2) ** 100,
        because="two masks of 100 independent features agree with probability (p² + (1 - p)²) ** 100, p within 0.2 … 0.8",
    )
    @given(p=probabilities().filter(lambda p: 0.2 <= p <= 0.8), seed=SEEDS)
    def test_every_sequence_has_its_own(self, student, p, seed):
        """Two sequences of a batch lose different features, and two features are lost in different sequences."""
        _, rows = student.recurrent_dropout(torch.ones(2, 3, 100), p, generator=seeded(seed))
        _, features = student.recurrent_dropout(torch.ones(100, 3, 2), p, generator=seeded(seed))
        assert_close(torch.equal(rows[0], rows[1]), False)
        assert_close(torch.equal(features[..., 0], features[..., 1]), False)

    @given(p=floats(1, 3).map(lambda p: p if p > 1 else -0.25))
    def test_p_is_a_probability(self, student, p):
        """A p outside [0, 1] raises ValueError that names p."""
        with raises(ValueError, naming="p"):
            student.recurrent_dropout(torch.ones(2, 3, 4), p, generator=seeded())


@exercise("make_windows", points=2, forbid=())
class TestMakeWindows:
    def test_worked_values(self, student):
        """The series 10, 11, ..., 15 with window 3 and horizon 2 gives two pairs: 10 11 12 -> 14 and 11 12 13 -> 15."""
        series = torch.arange(10.0, 16.0)[:, None]
        inputs, targets = torch.tensor([[10.0, 11, 12], [11, 12, 13]])[:, :, None], torch.tensor([[14.0], [15.0]])
        assert_close(student.make_windows(series, 3, 2), (inputs, targets))

    @given(
        x=tensors(min_ndim=2, max_ndim=2, min_side=2, max_side=9),
        window=st.integers(1, 4),
        horizon=st.integers(1, 3),
        stride=st.integers(1, 3),
    )
    def test_every_pair(self, student, x, window, horizon, stride):
        """Every pair is the right one, and there are as many as the series can give."""
        x = torch.cat([x] * ceil((window + horizon) / len(x)))
        starts = range(0, len(x) - window - horizon + 1, stride)
        inputs = torch.stack([x[k : k + window] for k in starts])
        targets = torch.stack([x[k + window - 1 + horizon] for k in starts])
        assert_close(student.make_windows(x, window, horizon, stride), (inputs, targets))

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=3, max_side=7, dtype=torch.float32), window=st.integers(1, 2))
    def test_next_value_by_default(self, student, x, window):
        """Without horizon and stride every stretch is taken, and its target is the value right after it."""
        inputs = torch.stack([x[k : k + window] for k in range(len(x) - window)])
        assert_close(student.make_windows(x, window), (inputs, x[window:]))
        assert_unchanged(student)

    @given(name=st.sampled_from(["window", "horizon", "stride"]), value=st.integers(-2, 0))
    def test_numbers_below_one_are_refused(self, student, name, value):
        """A window, horizon or stride below 1 raises ValueError that names it."""
        with raises(ValueError, naming=name):
            student.make_windows(torch.arange(12.0).reshape(6, 2), **{"window": 2, name: value})

    @given(window=st.integers(1, 4), horizon=st.integers(1, 3))
    def test_too_short_a_series_is_refused(self, student, window, horizon):
        """A series that is one value too short for a single pair raises ValueError that names x."""
        with raises(ValueError, naming="x"):
            student.make_windows(torch.ones(window + horizon - 1, 2), window, horizon)


@exercise("naive_forecast", points=2, forbid=())
class TestNaiveForecast:
    def test_worked_values(self, student):
        """After 5 6 7 8: one step ahead 8; with period 3, one step ahead 6, three steps 8, and four steps 6 again."""
        x = torch.tensor([5.0, 6.0, 7.0, 8.0]).reshape(1, 4, 1)
        assert_close(student.naive_forecast(x), torch.tensor([[8.0]]))
        assert_close(student.naive_forecast(x, period=3), torch.tensor([[6.0]]))
        for horizon, expected in ((1, 6.0), (3, 8.0), (4, 6.0)):
            assert_close(student.naive_forecast(x, horizon, 3), torch.tensor([[expected]]))

    @given(x=tensors(min_ndim=3, max_ndim=3), horizon=st.integers(1, 5))
    def test_repeats_the_last_value(self, student, x, horizon):
        """With period 1 the forecast is the window's last value, however far ahead."""
        assert_close(student.naive_forecast(x, horizon), x[:, -1])

    @given(cycle=tensors(min_ndim=2, max_ndim=2), horizon=st.integers(1, 9), more=st.integers(0, 3))
    def test_right_for_a_cycle(self, student, cycle, horizon, more):
        """A series that only repeats itself is forecast without error, however far ahead."""
        period = len(cycle)
        series = torch.cat([cycle] * 14)[: period + more + horizon]
        window = series[None, : period + more]
        assert_close(student.naive_forecast(window, horizon, period=period), series[None, -1])
        assert_unchanged(student)

    @given(window=st.integers(1, 4), horizon=st.integers(1, 3))
    def test_too_long_a_period_is_refused(self, student, window, horizon):
        """A period of which the window shows no value raises ValueError that names period."""
        with raises(ValueError, naming="period"):
            student.naive_forecast(torch.ones(2, window, 3), horizon, window + horizon)

    @given(value=st.integers(-2, 0), name=st.sampled_from(["horizon", "period"]))
    def test_numbers_below_one_are_refused(self, student, value, name):
        """A horizon or period below 1 raises ValueError that names it."""
        with raises(ValueError, naming=name):
            student.naive_forecast(torch.ones(2, 3, 4), **{name: value})


def made_temperatures(days: int, seed: int) -> Tensor:
    """A made series, eight values a day: yearly and daily cycle and weather that fades over a day; (8 * days, 1)."""
    stream = np.random.RandomState(seed)
    time = np.arange(8 * days) / 8
    weather = np.zeros(len(time))
    shocks = stream.normal(0, 1.5, len(time))
    for k in range(1, len(time)):
        weather[k] = 0.8 * weather[k - 1] + shocks[k]
    celsius = 10 - 10 * np.cos(2 * np.pi * (time - 20) / 365) - 5 * np.cos(2 * np.pi * (time - 0.1)) + weather
    return torch.tensor(celsius)[:, None]


def error(forecast: Tensor, series: Tensor, window: int, horizon: int) -> float:
    """Mean absolute error of a forecast for every window of a series."""
    return (forecast - series[window + horizon - 1 :]).abs().mean().item()


def baseline(series: Tensor, window: int, horizon: int, period: int) -> float:
    """The smaller mean absolute error of the two naive forecasts: the last value, and the one a period before."""
    targets = series[window + horizon - 1 :]
    last = series[window - 1 : len(series) - horizon]
    before = series[window + horizon - 1 - period : len(series) - period]
    return min((last - targets).abs().mean().item(), (before - targets).abs().mean().item())


@exercise("forecast_series", points=4, forbid=READY_LSTM, rules=Rules(library="torch", lifts=("autograd",)))
class TestForecastSeries:
    @statistical(
        false_alarm=exp(-(((0.8 - 0.532) / 0.026) ** 2) / 2),
        because="the tail of a normal: with 1,000 seeds the error was 0.532 ± 0.026 of the naive one, at most 0.617",
    )
    def test_beats_the_naive_forecasts(self, student):
        """After 60 steps on 30 made days, the error on the 10 days after is below 0.8 of the better naive forecast's."""
        series = made_temperatures(40, 2)
        train, test = series[:240], series[240:]
        forecast, losses = student.forecast_series(train, test, 8, generator=seeded(1))
        assert_close((forecast.shape, losses.shape), ((72, 1), (60,)))
        share = error(forecast, test, 8, 1) / baseline(test, 8, 1, 8)
        if not share < 0.8:
            raise Mismatch(f"The error is {share:.2f} of the better naive forecast's; it has to be below 0.8 of it.")

    @statistical(
        false_alarm=2 * exp(-(((1.059 - 0.4) / 0.062) ** 2) / 2),
        because="the tail of a normal: with 1,000 seeds the losses began at 1.059 ± 0.062 and fell to 0.118 ± 0.009 of it",
    )
    def test_loss_falls(self, student):
        """The losses begin near 1, as for a guess of the mean, and within 30 steps fall below half of that."""
        series = made_temperatures(20, 1)
        _, losses = student.forecast_series(series[:120], series[120:], 8, steps=30, generator=seeded(2))
        assert_close(losses.shape, (30,))
        first, last = losses[0].item(), losses[-1].item()
        if not 0.4 < first < 3:
            raise Mismatch(f"The first loss is {first:.3g}; a guess of the mean has a loss near 1.")
        if not last < first / 2:
            raise Mismatch(f"The losses go from {first:.3g} to {last:.3g}; the last has to be below half of the first.")

    @given(sizes=st.sampled_from([(1, 5, 1), (2, 5, 2), (3, 7, 1)]), seed=FEW_SEEDS)
    def test_shapes_and_dtypes(self, student, sizes, seed):
        """Every window of test has a forecast and every step a loss, in the dtype of x; no argument is changed."""
        columns, rows, steps = sizes
        x, test = numbers(seed, (9, columns)).float(), numbers(seed + 1, (rows, columns)).float()
        forecast, losses = student.forecast_series(x, test, 3, 2, 4, steps, 0.05, generator=seeded(seed))
        assert_close(0 * forecast, torch.zeros(rows - 4, columns))
        assert_close(0 * losses, torch.zeros(steps))
        assert_unchanged(student)

    @given(seed=st.integers(0, 1))
    def test_defaults(self, student, seed):
        """Without horizon, hidden and lr they are 1, 8 and 0.05: the same seed gives the same forecast."""
        x, test = numbers(seed, (9, 2)), numbers(seed + 1, (6, 2))
        by_default = student.forecast_series(x, test, 3, steps=2, generator=seeded(seed))
        assert_close(student.forecast_series(x, test, 3, 1, 8, 2, 0.05, generator=seeded(seed)), by_default)

    @given(units=st.sampled_from([(2.0, 0.0), (10.0, -40.0), (0.25, 273.25)]), seed=st.integers(0, 1))
    def test_units_do_not_matter(self, student, units, seed):
        """Series in other units (scaled and shifted) give the same forecast in those units, and the same losses."""
        scale, shift = units
        x, test = numbers(seed, (9, 2)), numbers(seed + 1, (6, 2))
        forecast, losses = student.forecast_series(x, test, 2, 1, 3, 2, generator=seeded(seed))
        got = student.forecast_series(scale * x + shift, scale * test + shift, 2, 1, 3, 2, generator=seeded(seed))
        assert_close(got, (scale * forecast + shift, losses), rtol=1e-5, atol=1e-5)

    @given(seed=st.integers(0, 1), row=st.integers(2, 5))
    def test_no_look_into_the_future(self, student, seed, row):
        """A forecast does not change if what is measured after its window changes."""
        x, test = numbers(seed, (9, 2)), numbers(seed + 1, (6, 2))
        other = test.clone()
        other[row:] += 5.0
        forecast, _ = student.forecast_series(x, test, 2, 1, 3, 1, generator=seeded(seed))
        changed, _ = student.forecast_series(x, other, 2, 1, 3, 1, generator=seeded(seed))
        assert_close(changed[: row - 1], forecast[: row - 1])

    @given(seed=FEW_SEEDS)
    def test_all_randomness_is_the_generators(self, student, seed):
        """The same seed gives the same forecast, another seed another one."""
        x, test = numbers(seed, (9, 2)), numbers(seed + 1, (6, 2))
        first, _ = student.forecast_series(x, test, 2, 1, 3, 1, generator=seeded(seed))
        again, _ = student.forecast_series(x, test, 2, 1, 3, 1, generator=seeded(seed))
        other, _ = student.forecast_series(x, test, 2, 1, 3, 1, generator=seeded(seed + 1))
        assert_close(again, first)
        # Continuous random weights: two networks give the same numbers with probability 0.
        assert_close(torch.equal(other, first), False)

    @given(columns=st.sampled_from([1, 3]))
    def test_other_columns_are_refused(self, student, columns):
        """A test series with another number of columns than x raises ValueError that names test."""
        with raises(ValueError, naming="test"):
            student.forecast_series(numbers(1, (9, 2)), numbers(2, (6, columns)), 3, steps=1, generator=seeded())


def model_arguments(vocabulary: int, hidden: int, seed: int, scale: float = 1.0) -> Tensors:
    """Weights and biases of a character model."""
    out = numbers(3000 + seed, (vocabulary, hidden), scale), numbers(4000 + seed, (vocabulary,), scale)
    return *weights(4, vocabulary, hidden, seed, scale), *out


def text(seed: int, n: int, length: int, vocabulary: int) -> Tensor:
    """Characters as numbers, (n, length); numpy's frozen legacy stream."""
    return torch.tensor(np.random.RandomState(5000 + seed).randint(0, vocabulary, (n, length)), dtype=torch.int64)


def torch_loss(x: Tensor, *args: Tensor) -> Tensor:
    """The character model's loss by torch's own layer and loss."""
    *lstm, weight_out, bias_out = args
    one_hot = F.one_hot(x[:, :-1], len(bias_out)).to(weight_out.dtype)
    zeros = one_hot.new_zeros(len(x), weight_out.shape[1])
    out, _, _ = torch_lstm(one_hot, zeros, zeros, *lstm)
    return F.cross_entropy((out @ weight_out.T + bias_out).flatten(0, 1), x[:, 1:].flatten())


@exercise("char_lstm_loss", points=3, forbid=(*READY_LSTM, "cross_entropy", "nll_loss"))
class TestCharLstmLoss:
    @given(vocabulary=st.integers(2, 6), seed=SEEDS)
    def test_knows_nothing_at_first(self, student, vocabulary, seed):
        """With all weights zero every character is equally likely: the loss is log V."""
        args = [torch.zeros_like(arg) for arg in model_arguments(vocabulary, 3, 0)]
        expected = torch.tensor(log(vocabulary), dtype=torch.float64)
        assert_close(student.char_lstm_loss(text(seed, 2, 4, vocabulary), *args), expected)

    def test_worked_values(self, student):
        """With probabilities 1/4 and 3/4 for every next character, 0 1 1 0 costs (2 log 4/3 + log 4) / 3."""
        args = [torch.zeros_like(arg) for arg in model_arguments(2, 3, 0)]
        args[-1] = vector(0.0, log(3))
        expected = torch.tensor((2 * log(4 / 3) + log(4)) / 3, dtype=torch.float64)
        assert_close(student.char_lstm_loss(torch.tensor([[0, 1, 1, 0]]), *args), expected)

    @given(sizes=shapes(4, 4, 2, 5), seed=SEEDS)
    def test_agrees_with_torch(self, student, sizes, seed):
        """The loss agrees with that of torch's LSTM, linear layer and cross-entropy."""
        n, length, vocabulary, hidden = sizes
        args = text(seed, n, length, vocabulary), *model_arguments(vocabulary, hidden, seed)
        assert_close(student.char_lstm_loss(*args), torch_loss(*args))

    @given(sizes=shapes(4, 4, 2, 5), seed=SEEDS)
    def test_float32_stays_float32(self, student, sizes, seed):
        """float32 weights give a float32 loss, and no argument is changed in place."""
        n, length, vocabulary, hidden = sizes
        args = text(seed, n, length, vocabulary), *to_float32(model_arguments(vocabulary, hidden, seed))
        assert_close(student.char_lstm_loss(*args), torch_loss(*args), atol=1e-5)
        assert_unchanged(student)

    @given(sizes=shapes(4, 4, 2, 5), seed=SEEDS)
    def test_large_scores(self, student, sizes, seed):
        """Scores of many hundreds give a finite loss, however small the probability."""
        n, length, vocabulary, hidden = sizes
        args = text(seed, n, length, vocabulary), *model_arguments(vocabulary, hidden, seed, 1000.0)
        assert_close(student.char_lstm_loss(*args), torch_loss(*args))

    @given(number=st.sampled_from([-1, 4, 5, -4]), place=st.integers(0, 2))
    def test_unknown_characters_are_refused(self, student, number, place):
        """A number that stands for no character, below 0 or from V on, raises ValueError that names x."""
        x = text(0, 2, 3, 4)
        x[1, place] = number
        with raises(ValueError, naming="x"):
            student.char_lstm_loss(x, *model_arguments(4, 3, 0))

    @given(length=st.integers(0, 1))
    def test_nothing_to_predict_is_refused(self, student, length):
        """Texts of fewer than two characters raise ValueError that names x."""
        with raises(ValueError, naming="x"):
            student.char_lstm_loss(text(0, 2, length, 4), *model_arguments(4, 3, 0))
