"""Hidden checks of the assignment on LSTM and GRU: defaults, edges, and input that is refused."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.testing import (
    SEEDS,
    Callback,
    assert_close,
    case,
    exercise,
    explained,
    numbers,
    raises,
    refusal,
    seeded,
    statistical,
)

from . import reference

# A model that tells the shapes it was trained with, and a training that does nothing.
PARTS = {
    "model": Callback("lambda windows, *params: windows[:, -1] * 0 + 100 * params[1].shape[0] + params[1].shape[1]"),
    "loss": Callback("lambda params, windows, targets: (0 * targets.mean() + len(windows), [0 * p for p in params])"),
    "step": Callback("lambda params, grads, state, lr: ([0 * p + lr for p in params], state)"),
}


@exercise("recurrent_dropout")
class TestRecurrentDropout:
    @case
    @statistical(false_alarm=0.5**64, because="64 features are all dropped with probability (1/2) ** 64")
    def test_a_half_by_default(self, student):
        """Without p a feature is dropped with probability 1/2, and what is kept is doubled."""
        out, mask = student.recurrent_dropout(torch.ones(2, 3, 32), generator=seeded())
        assert_close((out, mask.max().item()), (torch.ones(2, 3, 32) * mask, 2.0))


@exercise("make_windows")
class TestMakeWindows:
    @case
    @given(seed=SEEDS, window=st.integers(1, 3), dtype=st.sampled_from([torch.int64, torch.float32]))
    def test_defaults_and_other_dtypes(self, student, seed, window, dtype):
        """Without horizon and stride every stretch is taken, its target is the value right after it, in any dtype."""
        x = (10 * numbers(seed, window + 3, 2)).to(dtype)
        assert_close(student.make_windows(x, window), reference.make_windows(x, window))


@exercise("naive_forecast")
class TestNaiveForecast:
    @case
    @given(seed=SEEDS, window=st.integers(1, 4), horizon=st.integers(1, 6))
    def test_defaults_and_long_periods(self, student, seed, window, horizon):
        """By default the last value is repeated; of a period longer than the window it may still show a value."""
        x = numbers(seed, 2, window, 3)
        assert_close((student.naive_forecast(x), student.naive_forecast(x, horizon)), (x[:, -1], x[:, -1]))
        for back in range(window):
            assert_close(student.naive_forecast(x, horizon, horizon + back), x[:, -1 - back])

    @refusal
    @given(window=st.integers(1, 4), horizon=st.integers(2, 6))
    def test_short_periods_that_are_not_shown(self, student, window, horizon):
        """Among the shorter periods too may be some of which the window shows nothing: ValueError naming period."""
        shown = {
            (horizon + back) // whole
            for back in range(window)
            for whole in range(1, 9)
            if (horizon + back) % whole == 0
        }
        for period in set(range(1, window + horizon + 3)) - shown:
            with raises(ValueError, naming="period", because=f"period {period}, a window of {window}, {horizon} ahead"):
                student.naive_forecast(numbers(0, 2, window, 3), horizon, period)


@exercise("forecast_series")
class TestForecastSeries:
    @case
    @settings(max_examples=3)  # sixty steps each, and nothing but the numbers differs
    @given(seed=SEEDS)
    def test_defaults(self, student, seed):
        """Without horizon, hidden, steps and gates they are 1, 8, 60 and 4; one window of test is enough."""
        x = numbers(seed, 9, 2)
        forecast, losses = student.forecast_series(x, x[:4], 3, **PARTS, generator=seeded(seed))
        shown = (forecast - x.mean(0)) / x.std(0)
        assert_close(shown / 3208, torch.ones(1, 2).double(), rtol=0.1)  # by T the deviation is a little smaller
        assert_close(losses, torch.full((60,), 6.0).double())

    @case
    @settings(max_examples=6)
    @given(seed=SEEDS)
    def test_default_rate(self, student, seed):
        """Without lr it is 0.05: the forecast is the one that lr=0.05 gives."""
        x = numbers(seed, 9, 2)
        parts = {**PARTS, "model": Callback("lambda windows, *params: windows[:, -1] * 0 + params[0].mean()")}
        given, left_out = (
            student.forecast_series(x, x[:4], 3, steps=2, **rate, **parts, generator=seeded(seed))[0]
            for rate in ({"lr": 0.05}, {})
        )
        with explained(lambda: "Without `lr` the forecast is another one than with the `lr` that the exercise names."):
            assert_close(left_out, given)

    @refusal
    @given(
        bad=st.sampled_from(["x axes", "x long", "test axes", "test long", "test columns", "window", "hidden", "steps"])
    )
    def test_bad_input_is_refused(self, student, bad):
        """A series without two axes, of other columns or too short, or a number below 1, raises ValueError naming it."""
        name, _, how = bad.partition(" ")
        task = {"x": numbers(1, 9, 2), "test": numbers(2, 7, 2), "window": 3, "horizon": 2}
        wrong = {"axes": numbers(3, 9), "long": numbers(3, 4, 2), "columns": numbers(3, 9, 1), "": 0}[how]
        with raises(ValueError, naming=name):
            student.forecast_series(**{**task, name: wrong}, **PARTS, generator=seeded())


@exercise("char_lstm_loss")
class TestCharLstmLoss:
    @case
    @given(sizes=st.sampled_from([(1, 2, 1, 1), (1, 2, 3, 2), (3, 2, 2, 1), (2, 5, 1, 3)]), seed=SEEDS)
    def test_sizes_of_one(self, student, sizes, seed):
        """One text, one prediction, one character, one unit are right too; a single character is no surprise."""
        n, length, vocabulary, units = sizes
        x = torch.tensor(np.random.RandomState(seed).randint(0, vocabulary, (n, length)), dtype=torch.int64)
        rows = 4 * units
        sides = [(rows, vocabulary), (rows, units), (rows,), (rows,), (vocabulary, units), (vocabulary,)]
        args = x, *(numbers(seed + k, *shape) for k, shape in enumerate(sides))
        assert_close(student.char_lstm_loss(*args), reference.char_lstm_loss(*args))
