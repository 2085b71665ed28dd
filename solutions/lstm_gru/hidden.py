"""Hidden checks of the assignment on LSTM and GRU: harder inputs, the reference, bad input, precision."""

from math import exp, log

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    assert_close,
    cotangent_like,
    exercise,
    probabilities,
    raises,
    seeded,
    shapes,
    statistical,
    tensors,
)

from . import reference

Tensors = tuple[Tensor, ...]

# Absolute tolerances with room for sums of a few rounded products, and of their gradients.
HALF = {torch.float16: 3e-2, torch.bfloat16: 2e-1}
SEEDS = st.integers(100, 199)
FEW_SEEDS = st.integers(100, 103)  # for trainings, which take longer
CELL_SIZES = shapes(3, 3, 1, 4)  # N, D, H, all different
SEQUENCE_SIZES = shapes(4, 4, 1, 5)  # N, T, D, H, all different
ONE_EACH = st.sampled_from([(1, 1, 1), (1, 2, 3), (2, 1, 3), (2, 3, 1), (2, 2, 2), (0, 2, 3)])


def numbers(seed: int, shape: tuple[int, ...], scale: float = 1.0) -> Tensor:
    """Irregular hundredths within ±scale, from numpy's frozen legacy stream."""
    return torch.tensor(np.round(np.random.RandomState(seed).uniform(-1, 1, shape), 2) * scale)


def cell_arguments(gates: int, sizes: tuple[int, ...], seed: int, scale: float = 1.0) -> Tensors:
    """x, h (and c for four gates), weights and biases, for N, D and H."""
    n, d, size = sizes
    rows = gates * size
    states = [(n, size)] * (2 if gates == 4 else 1)
    every = [(n, d), *states, (rows, d), (rows, size), (rows,), (rows,)]
    return tuple(numbers(10 * seed + k, shape, scale) for k, shape in enumerate(every))


def sequence_arguments(gates: int, sizes: tuple[int, ...], seed: int) -> Tensors:
    """The same with a batch of sequences (N, T, D) for x."""
    n, steps, d, size = sizes
    return numbers(seed, (n, steps, d), 3.0), *cell_arguments(gates, (n, d, size), seed)[1:]


def turned(x: Tensor) -> Tensor:
    """The same entries, not contiguous in memory (where there is more than one axis)."""
    return x.mT.contiguous().mT if x.ndim > 1 else torch.stack([x, -x], 1)[:, 0]


class AgainstReference:
    """Calls the student's function and the reference's."""

    function: str
    gates: int

    def assert_right(self, student, *args: object) -> None:
        assert_close(getattr(student, self.function)(*args), getattr(reference, self.function)(*args))

    def assert_right_in(self, dtype: torch.dtype, student, *args: object) -> None:
        low = lowered(args, dtype)
        expected = lowered(getattr(reference, self.function)(*lowered(low, torch.float64)), dtype)
        assert_close(getattr(student, self.function)(*low), expected, atol=HALF[dtype])


def lowered(value: object, dtype: torch.dtype) -> object:
    """Every tensor of a nested tuple in another dtype."""
    if isinstance(value, tuple):
        return tuple(lowered(item, dtype) for item in value)
    return value.to(dtype) if isinstance(value, Tensor) else value


class Cell(AgainstReference):
    """The harder inputs of both cells and of their gradients."""

    def arguments(self, sizes: tuple[int, ...], seed: int, scale: float = 1.0) -> tuple[object, ...]:
        """What the function takes; a backward gets its upstream gradient first."""
        args = cell_arguments(self.gates, sizes, seed, scale)
        if not self.function.endswith("backward"):
            return args
        grad_h, grad_c = cotangent_like(args[1]), cotangent_like(args[1].T).T.contiguous()
        return ((grad_h, grad_c) if self.gates == 4 else grad_h), *args

    @given(sizes=ONE_EACH, seed=SEEDS)
    def test_sizes_of_one_and_none(self, student, sizes, seed):
        """Batches of one or no sample, one feature, one unit, and all sizes alike are right too."""
        self.assert_right(student, *self.arguments(sizes, seed))

    @given(seed=SEEDS)
    def test_many_units(self, student, seed):
        """A cell of 17 units is right as well."""
        self.assert_right(student, *self.arguments((2, 3, 17), seed))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_not_contiguous(self, student, sizes, seed):
        """Tensors that are not contiguous in memory give the same answer."""
        args = [turned(arg) if isinstance(arg, Tensor) else arg for arg in self.arguments(sizes, seed)]
        self.assert_right(student, *args)

    @given(sizes=CELL_SIZES, seed=SEEDS, dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, sizes, seed, dtype):
        """float16 and bfloat16 tensors keep their dtype, and the answer is right to their precision."""
        self.assert_right_in(dtype, student, *self.arguments(sizes, seed))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_ten_thousand(self, student, sizes, seed):
        """With numbers of up to ten thousand nothing overflows."""
        self.assert_right(student, *self.arguments(sizes, seed, 1e4))

    @given(sizes=shapes(3, 3, 2, 4), name=st.sampled_from(["weight_ih", "weight_hh", "bias_ih", "bias_hh"]))
    def test_weights_of_another_cell_are_refused(self, student, sizes, name):
        """Weights with the gates of another kind of cell raise ValueError that names them."""
        args = list(self.arguments(sizes, 0))
        place = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].index(name) - 4
        args[place] = args[place].repeat_interleave(2, 0)
        with raises(ValueError, naming=name):
            getattr(student, self.function)(*args)


class Layer(AgainstReference):
    """The harder inputs of both layers."""

    @given(sizes=SEQUENCE_SIZES, seed=SEEDS)
    def test_not_contiguous(self, student, sizes, seed):
        """Tensors that are not contiguous in memory give the same answer."""
        self.assert_right(student, *map(turned, sequence_arguments(self.gates, sizes, seed)))

    @given(sizes=SEQUENCE_SIZES, seed=SEEDS, dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, sizes, seed, dtype):
        """float16 and bfloat16 tensors keep their dtype, and the answer is right to their precision."""
        self.assert_right_in(dtype, student, *sequence_arguments(self.gates, sizes, seed))

    @given(sizes=CELL_SIZES, seed=SEEDS)
    def test_no_step_at_all(self, student, sizes, seed):
        """A sequence without steps gives no hidden states, and the states it began with."""
        n, d, size = sizes
        self.assert_right(student, *sequence_arguments(self.gates, (n, 0, d, size), seed))

    def test_two_axes_and_no_step(self, student):
        """An x without three axes raises ValueError that names x, also where there is no step to take."""
        _, *rest = sequence_arguments(self.gates, (2, 1, 3, 4), 0)
        with raises(ValueError, naming="x"):
            getattr(student, self.function)(torch.zeros(2, 0, dtype=torch.float64), *rest)

    def test_fifty_steps(self, student):
        """Fifty steps are right as well."""
        self.assert_right(student, *sequence_arguments(self.gates, (2, 50, 3, 4), 100))

    @given(sizes=shapes(4, 4, 2, 5), name=st.sampled_from(["weight_ih", "weight_hh", "bias_ih", "bias_hh"]))
    def test_weights_of_another_cell_are_refused(self, student, sizes, name):
        """Weights with the gates of another kind of cell raise ValueError that names them."""
        args = list(sequence_arguments(self.gates, sizes, 0))
        place = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].index(name) - 4
        args[place] = args[place].repeat_interleave(2, 0)
        with raises(ValueError, naming=name):
            getattr(student, self.function)(*args)


@exercise("lstm_cell")
class TestLstmCell(Cell):
    function = "lstm_cell"
    gates = 4


@exercise("lstm_cell_backward")
class TestLstmCellBackward(Cell):
    function = "lstm_cell_backward"
    gates = 4

    @given(sizes=shapes(3, 3, 2, 4), name=st.sampled_from(["x", "h", "c"]))
    def test_bad_input_is_refused(self, student, sizes, name):
        """An x, h or c whose shape does not fit raises ValueError that names it."""
        args = list(self.arguments(sizes, 0))
        place = 1 + ["x", "h", "c"].index(name)
        args[place] = args[place][0] if name == "x" else args[place][:1]
        with raises(ValueError, naming=name):
            student.lstm_cell_backward(*args)


@exercise("lstm_forward")
class TestLstmForward(Layer):
    function = "lstm_forward"
    gates = 4


@exercise("gru_cell")
class TestGruCell(Cell):
    function = "gru_cell"
    gates = 3


@exercise("gru_cell_backward")
class TestGruCellBackward(Cell):
    function = "gru_cell_backward"
    gates = 3

    @given(sizes=shapes(3, 3, 2, 4), name=st.sampled_from(["x", "h"]))
    def test_bad_input_is_refused(self, student, sizes, name):
        """An x or h whose shape does not fit raises ValueError that names it."""
        args = list(self.arguments(sizes, 0))
        place = 1 + ["x", "h"].index(name)
        args[place] = args[place][0] if name == "x" else args[place][:1]
        with raises(ValueError, naming=name):
            student.gru_cell_backward(*args)


@exercise("gru_forward")
class TestGruForward(Layer):
    function = "gru_forward"
    gates = 3


@exercise("recurrent_dropout")
class TestRecurrentDropout:
    @given(x=tensors(min_ndim=3), p=st.sampled_from([0.0, 1.0]), training=st.booleans())
    def test_all_or_nothing(self, student, x, p, training):
        """p = 0 keeps everything as it is, p = 1 gives zeros and no nan, unless training is False."""
        out, mask = student.recurrent_dropout(x, p, training=training, generator=seeded())
        kept = 1.0 if p == 0.0 or not training else 0.0
        assert_close(out, x * kept)
        assert_close(mask, torch.full((x.shape[0], 1, x.shape[2]), kept, dtype=x.dtype))

    @given(shape=st.sampled_from([(0, 2, 3), (2, 0, 3), (2, 3, 0), (1, 1, 1)]), p=probabilities())
    def test_empty_and_single(self, student, shape, p):
        """Batches without sequences, steps or features keep their shape, and so does a single entry."""
        out, mask = student.recurrent_dropout(torch.ones(shape), p, generator=seeded())
        assert_close(out, torch.ones(shape) * mask)
        assert_close(mask, torch.where(mask == 0, 0.0, torch.full((shape[0], 1, shape[2]), 1 / (1 - p))))

    @given(x=tensors(min_ndim=3, low=-1, high=1), p=probabilities(), dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, x, p, dtype):
        """float16 and bfloat16 tensors give a result and a mask of their dtype."""
        out, mask = student.recurrent_dropout(x.to(dtype), p, generator=seeded())
        assert_close(mask, torch.where(mask == 0, 0.0, torch.full_like(x[:, :1], 1 / (1 - p))).to(dtype))
        assert_close(out, x.to(dtype) * mask)

    @given(x=tensors(min_ndim=3), p=probabilities())
    def test_not_contiguous(self, student, x, p):
        """A tensor that is not contiguous in memory is treated alike."""
        x = turned(x)
        out, mask = student.recurrent_dropout(x, p, generator=seeded())
        assert_close(out, x * mask)

    @given(x=tensors(min_ndim=1, max_ndim=2), training=st.booleans())
    def test_three_axes_are_needed(self, student, x, training):
        """An x without three axes raises ValueError that names x."""
        with raises(ValueError, naming="x"):
            student.recurrent_dropout(x, 0.25, training=training, generator=seeded())

    @given(p=st.sampled_from([-0.01, 1.01]), training=st.booleans())
    def test_just_no_probability(self, student, p, training):
        """A p just outside [0, 1] raises ValueError that names p, also with training=False."""
        with raises(ValueError, naming="p"):
            student.recurrent_dropout(torch.ones(2, 3, 4), p, training=training, generator=seeded())


@exercise("make_windows")
class TestMakeWindows(AgainstReference):
    function = "make_windows"

    @given(window=st.integers(1, 4), horizon=st.integers(1, 3), stride=st.integers(1, 9), seed=SEEDS)
    def test_exactly_one_pair(self, student, window, horizon, stride, seed):
        """A series just long enough gives one pair, whatever the stride."""
        self.assert_right(student, numbers(seed, (window + horizon, 2)), window, horizon, stride)

    @given(window=st.integers(1, 3), horizon=st.integers(1, 3), stride=st.integers(1, 4), seed=SEEDS)
    def test_not_contiguous(self, student, window, horizon, stride, seed):
        """A series that is not contiguous in memory gives the same pairs."""
        self.assert_right(student, turned(numbers(seed, (11, 3))), window, horizon, stride)

    @given(dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.int64]))
    def test_any_dtype(self, student, dtype):
        """The pairs have the dtype of the series."""
        self.assert_right(student, torch.arange(12).reshape(6, 2).to(dtype), 2, 2)

    @given(x=tensors(min_ndim=1, max_ndim=1, min_side=5) | tensors(min_ndim=3, min_side=3))
    def test_two_axes_are_needed(self, student, x):
        """An x without two axes raises ValueError that names x."""
        with raises(ValueError, naming="x"):
            student.make_windows(x, 2)


@exercise("naive_forecast")
class TestNaiveForecast(AgainstReference):
    function = "naive_forecast"

    @given(window=st.integers(1, 6), horizon=st.integers(1, 8), back=st.integers(0, 5), seed=SEEDS)
    def test_every_period(self, student, window, horizon, back, seed):
        """For every period that the window can show the right place is taken."""
        period = max(1, min(window, window + horizon - 1 - back))
        self.assert_right(student, numbers(seed, (2, window, 3)), horizon, period)

    @given(window=st.integers(2, 5), seed=SEEDS)
    def test_the_first_value(self, student, window, seed):
        """A period as long as the window, one step ahead, takes its first value."""
        self.assert_right(student, numbers(seed, (3, window, 2)), 1, window)

    @given(dtype=st.sampled_from(list(HALF)), seed=SEEDS)
    def test_not_contiguous_and_half_precision(self, student, dtype, seed):
        """The forecast has the dtype of the windows, contiguous or not."""
        self.assert_right(student, turned(numbers(seed, (2, 4, 3))).to(dtype), 2, 3)

    @given(x=tensors(min_ndim=1, max_ndim=2, min_side=2))
    def test_three_axes_are_needed(self, student, x):
        """An x without three axes raises ValueError that names x."""
        with raises(ValueError, naming="x"):
            student.naive_forecast(x)


@exercise("forecast_series")
class TestForecastSeries:
    @statistical(
        false_alarm=2 * exp(-(((log(0.01) + 7.49) / 0.28) ** 2) / 2),
        because="the tail of a log-normal: with 300 seeds the best late loss was exp(-7.49 ± 0.28), at most 0.0012",
    )
    def test_two_waves_two_steps_ahead(self, student):
        """Two clean waves in different units are forecast two steps ahead, with a loss below a hundredth in the end."""
        time = torch.arange(90, dtype=torch.float64)
        series = torch.stack([1000 + 5 * torch.sin(time * 0.7), 0.01 * torch.cos(time * 0.4)], 1)
        forecast, losses = student.forecast_series(series[:60], series[60:], 6, 2, 10, 80, 0.05, generator=seeded(3))
        wrong = (forecast - series[67:]).abs().mean(0) / series.std(0)
        assert_close([bool(w < 0.25) for w in wrong], [True, True])
        assert_close(losses[-10:].min().item() < 0.01, True)

    @given(seed=FEW_SEEDS, steps=st.integers(1, 2))
    def test_losses_are_squared_errors(self, student, seed, steps):
        """Each loss is the mean squared error, of standardised values, of what the steps before it have learned."""
        x = numbers(seed, (9, 2))
        learned, _ = student.forecast_series(x, x, 2, 1, 3, steps, generator=seeded(seed))
        _, losses = student.forecast_series(x, x, 2, 1, 3, steps + 1, generator=seeded(seed))
        expected = (((learned - x[2:]) / x.std(0)) ** 2).mean().item()
        # Dividing by n or by n - 1 in the deviation makes a factor of 8/9.
        assert_close(losses[-1].item(), expected, rtol=0.15)

    @given(seed=FEW_SEEDS)
    def test_training_looks_at_x_alone(self, student, seed):
        """The losses do not depend on the series that is forecast."""
        x = numbers(seed, (9, 2))
        _, first = student.forecast_series(x, numbers(1, (6, 2)), 2, 1, 3, 2, generator=seeded(seed))
        _, second = student.forecast_series(x, 3 + 2 * numbers(2, (7, 2)), 2, 1, 3, 2, generator=seeded(seed))
        assert_close(second, first)

    @given(seed=FEW_SEEDS)
    def test_the_first_loss_is_measured_before_the_first_step(self, student, seed):
        """The first loss does not depend on the learning rate: nothing has been learned when it is measured."""
        x, test = numbers(seed, (9, 2)), numbers(seed + 1, (6, 2))
        _, slow = student.forecast_series(x, test, 2, 1, 3, 1, 0.01, generator=seeded(seed))
        _, fast = student.forecast_series(x, test, 2, 1, 3, 1, 0.5, generator=seeded(seed))
        assert_close(fast, slow)

    @given(seed=FEW_SEEDS)
    def test_a_learning_rate_of_zero_learns_nothing(self, student, seed):
        """With lr = 0 every step has the same loss."""
        x, test = numbers(seed, (9, 2)), numbers(seed + 1, (6, 2))
        _, losses = student.forecast_series(x, test, 2, 1, 3, 2, 0.0, generator=seeded(seed))
        assert_close(losses, losses[:1].expand(2).clone())

    @statistical(
        false_alarm=2 * exp(-2 * 0.11**2 * 1000 / (4 / 9 * 2.23)) + 2 * exp(-((0.0076 / 0.00085) ** 2) / 2),
        because="mean: Hoeffding (1963) for sums of uniform draws, |h|² <= 1.23; mean square: the tail of a normal",
    )
    def test_parameters_start_within_their_bounds(self, student):
        """Untrained forecasts of the mean, over a thousand columns, spread as parameters uniform in ±1/√H make them."""
        x = numbers(100, (5, 1000))
        mean, deviation = x.mean(0), x.std(0)
        forecast, _ = student.forecast_series(x, torch.stack([mean, mean]), 1, 1, 9, 1, 0.0, generator=seeded(4))
        drawn = (forecast[0] - mean) / deviation
        assert_close(abs(drawn.mean().item()) < 0.11, True)
        # (1 + |h|²) / 27 with h of nine units near 0; a deviation of the population takes a fifth off.
        assert_close(0.022 < (drawn**2).mean().item() < 0.12, True)

    def test_bad_series_are_refused(self, student):
        """An x or a test without two axes raises ValueError that names it, and a window below 1 one that names it."""
        series = numbers(1, (9, 2))
        with raises(ValueError, naming="x"):
            student.forecast_series(series[:, 0], series, 3, steps=1, generator=seeded())
        with raises(ValueError, naming="test"):
            student.forecast_series(series, series[:, 0], 3, steps=1, generator=seeded())
        with raises(ValueError, naming="window"):
            student.forecast_series(series, series, 0, steps=1, generator=seeded())


@exercise("char_lstm_loss")
class TestCharLstmLoss(AgainstReference):
    function = "char_lstm_loss"

    def arguments(self, sizes: tuple[int, ...], seed: int, scale: float = 1.0) -> Tensors:
        n, length, vocabulary, hidden = sizes
        x = torch.tensor(np.random.RandomState(seed).randint(0, vocabulary, (n, length)), dtype=torch.int64)
        lstm = cell_arguments(4, (1, vocabulary, hidden), seed, scale)[3:]
        return x, *lstm, numbers(seed, (vocabulary, hidden), scale), numbers(seed + 1, (vocabulary,), scale)

    @given(sizes=shapes(4, 4, 2, 6), seed=SEEDS)
    def test_agrees_with_the_reference(self, student, sizes, seed):
        """The loss is right for any batch, length, vocabulary and hidden size."""
        self.assert_right(student, *self.arguments(sizes, seed, 2.0))

    @given(sizes=st.sampled_from([(1, 2, 1, 1), (1, 2, 3, 2), (3, 2, 2, 1), (2, 5, 1, 3)]), seed=SEEDS)
    def test_sizes_of_one(self, student, sizes, seed):
        """One text, one prediction, one character, one unit are right too; a single character is no surprise."""
        self.assert_right(student, *self.arguments(sizes, seed))

    @given(sizes=shapes(4, 4, 2, 5), seed=SEEDS)
    def test_not_contiguous(self, student, sizes, seed):
        """Tensors that are not contiguous in memory give the same loss."""
        self.assert_right(student, *map(turned, self.arguments(sizes, seed)))

    @given(sizes=shapes(4, 4, 2, 5), seed=SEEDS)
    def test_ten_thousand(self, student, sizes, seed):
        """With weights of up to ten thousand the loss is right and finite."""
        self.assert_right(student, *self.arguments(sizes, seed, 1e4))

    @given(sizes=shapes(4, 4, 2, 5), seed=SEEDS, dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, sizes, seed, dtype):
        """float16 and bfloat16 weights give a loss of their dtype, right to its precision."""
        x, *args = self.arguments(sizes, seed)
        low = [arg.to(dtype) for arg in args]
        expected = reference.char_lstm_loss(x, *[arg.double() for arg in low]).to(dtype)
        assert_close(student.char_lstm_loss(x, *low), expected, atol=HALF[dtype])

    @given(sizes=shapes(4, 4, 2, 5), place=st.integers(1, 6))
    def test_bad_shapes_are_refused(self, student, sizes, place):
        """Weights or biases whose shape does not fit raise ValueError that names them."""
        names = ["x", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_out", "bias_out"]
        args = list(self.arguments(sizes, 0))
        args[place] = args[place][..., None] if names[place] == "weight_out" else args[place][:1]
        with raises(ValueError, naming=names[place]):
            student.char_lstm_loss(*args)

    def test_two_axes_are_needed(self, student):
        """An x without two axes raises ValueError that names x."""
        x, *args = self.arguments((2, 5, 4, 3), 0)
        with raises(ValueError, naming="x"):
            student.char_lstm_loss(x[0], *args)
