"""Visible checks of the assignment on LSTM and GRU.

Each compares with torch's own cells and layers, with worked numbers or with a plain loop, or states a property.
The sentence under a test is what you read when it fails.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from math import exp, log, sqrt
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    GENERATORS,
    SEEDS,
    Callback,
    Contract,
    Digits,
    Mismatch,
    Refusal,
    Rules,
    another_length,
    another_number_of_axes,
    another_shape,
    assert_close,
    assert_unchanged,
    bad_values,
    case,
    exercise,
    explained,
    idea,
    matrix,
    numbers,
    outside,
    seeded,
    shapes,
    statistical,
    tensors,
    vector,
    weight,
)

Tensors = tuple[Tensor, ...]

PROBABILITIES = st.sampled_from([0.6, 0.25, 0.05, 1 / 3, 0.37, 0.9])

RULES = Rules(library="torch")
READY_LSTM = ("lstm", "lstm_cell")
READY_GRU = ("gru", "gru_cell")


def steps(*values: float) -> Tensor:
    """One sequence of one feature."""
    return vector(*values).reshape(1, -1, 1)


def single(value: float) -> Tensor:
    return matrix([value])


def arguments(gates: int, sizes: tuple[int, ...], seed: int) -> dict[str, Tensor]:
    """What a cell (sizes N, D, H) or a layer (sizes N, T, D, H) takes, but for an upstream gradient."""
    n, *steps, d, units = sizes
    rows, states = gates * units, ("h0", "c0") if steps else ("h", "c")
    sides = {"x": (n, *steps, d), **dict.fromkeys(states[: gates - 2], (n, units))}
    sides |= {"weight_ih": (rows, d), "weight_hh": (rows, units), "bias_ih": (rows,), "bias_hh": (rows,)}
    return {name: numbers(10 * seed + k, *shape) for k, (name, shape) in enumerate(sides.items())}


def along(gates: int, x: Tensor, *args: Tensor) -> Tensors:
    """torch's cell step by step: the hidden states of all steps, and the states after the last."""
    states, weights, shown = args[:-4], args[-4:], [args[0][:, None][:, :0]]
    for step in x.unbind(1):
        states = torch.lstm_cell(step, states, *weights) if gates == 4 else (torch.gru_cell(step, *states, *weights),)
        shown.append(states[0][:, None])
    return torch.cat(shown, 1), *states


def recurrent(gates: int, axes: int, oracle: Callable[..., Any]) -> Contract:
    """The contract of a cell, with three sizes, or of a layer, with four; all sizes differ."""
    names = tuple(arguments(gates, (1, 2, 3, 4)[:axes], 0))
    states = names[1:-4]
    misfits = (*states[1:], "weight_ih", "weight_hh")  # a state of another size fits x and nothing else
    others = [another_shape(name) for name in names if name not in ("x", states[0])]
    return Contract(
        st.tuples(shapes(axes, axes, 1, axes + 1), SEEDS).map(lambda pair: arguments(gates, *pair)),
        oracle,
        magnitudes=(1.0, 1e-3, 1000.0),
        half_magnitudes=(1.0,),
        slack=2.0,
        half_slack=2.0 if axes == 3 else 8.0,  # each step goes on from what the one before has rounded
        batch=dict.fromkeys(["x", *states], 0),
        refuses=(another_number_of_axes("x"), another_shape(states[0], or_naming=misfits), *others),
        names=names,
    )


def backward_of(forward: Contract, magnitudes: tuple[float, ...] = (1.0, 1e-3, 3.0)) -> Contract:
    """The contract of the backward; its answers add up many rounded products."""

    def spoil(given: dict[str, Any]) -> tuple[Any, ...]:
        grads = given["grad_out"]
        if isinstance(grads, Tensor):
            return grads[None], grads[..., :-1], None, None, None, None
        bad = [(k % len(grads), wrong) for k in range(3) for wrong in (grads[k % len(grads)][None], grads[0][:, :0])]
        return tuple((*grads[:k], wrong, *grads[k + 1 :]) for k, wrong in bad)

    refuses = (Refusal("grad_out", spoil, ("grad_out",)), *forward.refuses)
    return forward.backward(*forward.names, refuses=refuses, magnitudes=magnitudes, slack=5.0, half_slack=10.0)


# Two rounded products are added in c, and may nearly cancel.
LSTM_CELL = replace(recurrent(4, 3, lambda x, h, c, *weights: torch.lstm_cell(x, (h, c), *weights)), half_slack=4.0)
LSTM, GRU_CELL, GRU = (
    recurrent(4, 4, partial(along, 4)),
    recurrent(3, 3, torch.gru_cell),
    recurrent(3, 4, partial(along, 3)),
)


def deaf(*biases: float, of_x: float = 0.0, hidden_bias: float = 0.0) -> Tensors:
    """Weights and biases with D = H = 1 that hear bias_ih alone, but for the candidate: its weight of x and bias_hh."""
    weight_ih, weight_hh, bias_hh = (torch.zeros(len(biases), *more).double() for more in ((1,), (1,), ()))
    weight_ih[2], bias_hh[2] = of_x, hidden_bias
    return weight_ih, weight_hh, vector(*biases), bias_hh


# The cell that the notebook works by hand: weights of x and of h, and both biases, for i, f, g, o.
OF_X, OF_H = vector(1.0, 0.5, 0.5, -0.5)[:, None], vector(0.2, 0.3, -0.1, 0.4)[:, None]
BY_HAND = OF_X, OF_H, vector(0.2, 0.3, -0.1, -0.1), vector(0.1, -0.1, 0.2, -0.1)
# A GRU cell of the first three of these, whose gates hear the hidden state too.
HEARS_BOTH = tuple(weights[:3] for weights in BY_HAND)
ROUNDED = {"rtol": 0.0, "atol": 6e-4}  # numbers that the notebook gives to three places


class Cell:
    """What the cells and their backward are asked alike."""

    function: str
    gates: int
    contract: Contract

    @case
    @given(seed=SEEDS, units=st.sampled_from([5, 8]))
    def test_more_units(self, student, seed, units):
        """A cell of five or eight units is right as well: each block of rows is as long as there are units."""
        given = self.contract.completed(arguments(self.gates, (2, 3, units), seed))
        self.contract.compare(student, self.function, given)


@exercise("lstm_cell", points=3, forbid=READY_LSTM, contract=LSTM_CELL)
class TestLstmCell(Cell):
    function, gates, contract = "lstm_cell", 4, LSTM_CELL

    @idea
    def test_worked_values(self, student):
        """The cell that the notebook works by hand, with x = 1, h = -1, c = 2, gives h_new = 0.232 and c_new = 1.651."""
        got = student.lstm_cell(single(1), single(-1), single(2), *BY_HAND)
        assert_close(got, (single(0.2320), single(1.6508)), **ROUNDED)


class CellBackward(Cell):
    """What the cells' backward are asked alike."""

    @case
    @given(seed=SEEDS)
    def test_large_sums(self, student, seed):
        """With sums of thousands the gradients are right, too, and not nan."""
        large = {name: 100 * value for name, value in arguments(self.gates, (2, 3, 4), seed).items()}
        self.contract.compare(student, self.function, self.contract.completed(large))


LSTM_CELL_BACKWARD = backward_of(LSTM_CELL)


@exercise("lstm_cell_backward", points=4, forbid=READY_LSTM, contract=LSTM_CELL_BACKWARD)
class TestLstmCellBackward(CellBackward):
    function, gates, contract = "lstm_cell_backward", 4, LSTM_CELL_BACKWARD

    @idea
    def test_worked_values(self, student):
        """In the cell by hand (2, 1) upstream gives the sums 0.121, 0.513, 0.509, 0.348, x 0.458, h 0.267, c 0.640; two such samples give the biases twice as much."""
        got = student.lstm_cell_backward((single(2), single(1)), single(1), single(-1), single(2), *BY_HAND)
        sums = vector(0.1210, 0.5134, 0.5088, 0.3481)
        states = single(0.4580), single(0.2666), single(0.6397)
        assert_close(got, (*states, sums[:, None], -sums[:, None], sums, sums), **ROUNDED)
        upstream, *sample = (single(value).repeat(2, 1) for value in (2, 1, -1, 2))
        got = student.lstm_cell_backward((upstream, upstream / 2), *sample, *BY_HAND)
        assert_close(got[5:], (2 * sums, 2 * sums), rtol=0.0, atol=1.2e-3)


class Layer:
    """What the layers and their backward are asked alike."""

    function: str
    gates: int
    contract: Contract

    @case
    @given(seed=SEEDS, length=st.sampled_from([0, 20]))
    def test_no_step_and_many(self, student, seed, length):
        """A sequence without a step gives what came in, and one of twenty steps is right as well."""
        given = self.contract.completed(arguments(self.gates, (2, length, 3, 4), seed))
        self.contract.compare(student, self.function, given)


@exercise("lstm_forward", points=2, forbid=READY_LSTM, contract=LSTM)
class TestLstmForward(Layer):
    function, gates, contract = "lstm_forward", 4, LSTM

    @idea
    def test_counts(self, student):
        """With i = f = o = 1 and g = ±1 for an input of ±1 the memory counts: from 1, (1, 1, -1, 1) gives 2, 3, 2, 3. A single step is the cell by hand."""
        hidden = torch.tanh(steps(2, 3, 2, 3))
        got = student.lstm_forward(steps(1, 1, -1, 1), single(0), single(1), *deaf(100, 100, 0, 100, of_x=100))
        assert_close(got, (hidden, hidden[:, -1], single(3)))
        got = student.lstm_forward(steps(1), single(-1), single(2), *BY_HAND)
        assert_close(got, (steps(0.2320), single(0.2320), single(1.6508)), **ROUNDED)


# Through several steps large weights make rounding as large as the gradient itself.
LSTM_BACKWARD = backward_of(LSTM, magnitudes=(1.0, 1e-3))


@exercise("lstm_backward", points=4, forbid=READY_LSTM, contract=LSTM_BACKWARD)
class TestLstmBackward(Layer):
    function, gates, contract = "lstm_backward", 4, LSTM_BACKWARD

    @idea
    def test_worked_values(self, student):
        """In the two steps by hand c0 gets 0.275, and the forget gate's bias 0.3625 from one and 0.275 from the other, from two such sequences twice as much; in the two steps that hear the hidden state x gets 0.403 and 0.349, h0 0.189, c0 0.517."""
        given = steps(1, 0), single(0), single(1), steps(3, 1), single(-1), single(2)
        weights = deaf(log(3), 0.0, log(2), -log(3))
        got = student.lstm_backward(given[:3], *given[3:], *weights)
        assert_close((got[2], got[5][1:2]), (single(0.2747), vector(0.6372)), **ROUNDED)
        twice = [torch.cat([one] * 2) for one in given]
        got = student.lstm_backward(tuple(twice[:3]), *twice[3:], *weights)
        assert_close(got[5][1:2], vector(1.2744), rtol=0.0, atol=1.2e-3)
        upstream = steps(1, 2), single(0), single(1)
        got = student.lstm_backward(upstream, steps(1, -1), single(-1), single(2), *BY_HAND)
        assert_close(got[:3], (steps(0.4028, 0.3494), single(0.1894), single(0.5171)), **ROUNDED)


@exercise("gru_cell", points=2, forbid=READY_GRU, contract=GRU_CELL)
class TestGruCell(Cell):
    function, gates, contract = "gru_cell", 3, GRU_CELL

    @idea
    def test_worked_values(self, student):
        """In another cell than the notebook's, with r = 3/4, z = 1/4, n = 3/5, a hidden state of 2 becomes 3/4 of 3/5 and 1/4 of 2, together 0.95."""
        weights = deaf(log(3), -log(3), log(2) / 4, hidden_bias=log(2))
        assert_close(student.gru_cell(single(3.0), single(2.0), *weights), single(0.95))
        assert_close(student.gru_cell(single(1), single(-1), *HEARS_BOTH), single(-0.3761), **ROUNDED)


GRU_CELL_BACKWARD = backward_of(GRU_CELL)


@exercise("gru_cell_backward", points=4, forbid=READY_GRU, contract=GRU_CELL_BACKWARD)
class TestGruCellBackward(CellBackward):
    function, gates, contract = "gru_cell_backward", 3, GRU_CELL_BACKWARD

    @idea
    def test_worked_values(self, student):
        """In another cell than the notebook's, r = 3/4, z = 1/4, n = 3/5, h = 2, an upstream 1 gives the sums of z 0.2625 and of n 0.48; two such samples give the biases twice as much."""
        weights = deaf(log(3), -log(3), log(2) / 4, hidden_bias=log(2))
        got = student.gru_cell_backward(single(1.0), single(3.0), single(2.0), *weights)
        of_r = 0.48 * log(2) * 3 / 16
        da, db = vector(of_r, 0.2625, 0.48), vector(of_r, 0.2625, 0.36)
        assert_close(got, (single(0), single(0.25), 3 * da[:, None], 2 * db[:, None], da, db))
        got = student.gru_cell_backward(*(single(value).repeat(2, 1) for value in (1, 3, 2)), *weights)
        assert_close(got[4:], (2 * da, 2 * db))
        got = student.gru_cell_backward(single(2), single(1), single(-1), *HEARS_BOTH)
        assert_close(got[:2], (single(-0.0644), single(0.9378)), **ROUNDED)
        assert_close(got[4], vector(0.0312, -0.7470, 0.5557), **ROUNDED)


@exercise("gru_forward", points=1, forbid=READY_GRU, contract=GRU)
class TestGruForward(Layer):
    function, gates, contract = "gru_forward", 3, GRU

    @idea
    def test_averages(self, student):
        """With z = 1/2 and n = ±1 for an input of ±1, from 1, (1, -1, -1) gives 1, 0, -1/2: half old, half new."""
        out = steps(1, 0, -0.5)
        assert_close(student.gru_forward(steps(1, -1, -1), single(1), *deaf(0, 0, 0, of_x=100)), (out, out[:, -1]))


def dropped(answer: Any, x: Tensor, p: float, training: bool, generator: Any) -> Tensors:
    """What the answer has to be, given what it drops: nothing of the mask but its zeros is taken over."""
    shape = (len(x), 1, x.shape[2])
    if not (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], Tensor)):
        raise Mismatch("Expected a pair of tensors: out, mask.")
    if tuple(answer[1].shape) != shape:
        raise Mismatch(f"Expected a mask of shape {shape}, one for all steps; got {tuple(answer[1].shape)}.")
    kept = answer[1] != 0 if p < 1 else torch.zeros(shape)
    mask = kept.double() / (1 - p if p < 1 else 1) if training else torch.ones(shape).double()
    return x * mask, mask


def of_mask(answer: Any, x: Tensor, p: float) -> str:
    """What is wrong with the mask in training, or with what becomes of it; empty where it cannot be told."""
    out, mask = answer
    factors = mask[mask != 0].double()
    if len(factors) < 3 or len(x.unique()) < 3 or (factors - factors[0]).abs().max() > 1e-6:
        return ""
    if (factor := factors[0].item() * (1 - p)) < 0.999 or factor > 1.001:
        return (
            f"With p = {p:.3g} what is kept is multiplied by {factors[0]:.4g}, so on average the result is {factor:.3g} "
            "times the input."
        )
    return "" if torch.allclose(out, x * mask) else "The mask is right, and the result is not x times that mask."


ANY_P = PROBABILITIES | st.sampled_from([0.0, 1.0])
DROPOUT = Contract(
    {"x": tensors(min_ndim=3, low=1), "p": ANY_P, "training": st.booleans(), "generator": GENERATORS},
    dropped,
    agrees=None,  # p = 1 is no part of the idea
    batch={"x": 0},
    keywords=("training", "generator"),
    refuses=(another_number_of_axes("x"), outside("p", 0, 1)),
    of_answer=True,
)
ROWS, OFF = 1200, 0.17


@exercise("recurrent_dropout", points=2, forbid=("dropout", "feature_dropout", "alpha_dropout"), contract=DROPOUT)
class TestRecurrentDropout:
    @idea
    @given(x=tensors(min_ndim=3, min_side=2, low=1), p=PROBABILITIES, generator=GENERATORS)
    def test_one_mask_for_all_steps(self, student, x, p, generator):
        """out is x * mask with one mask for all steps, scaled so that the mean stays; in evaluation nothing is changed."""
        for training in (True, False):
            answer = student.recurrent_dropout(x.float(), p, training=training, generator=generator)
            right = dropped(answer, x, p, training, generator)
            with explained(lambda answer=answer, train=training: of_mask(answer, x.float(), p) if train else ""):
                assert_close(answer, tuple(part.float() for part in right))

    @idea
    @statistical(
        false_alarm=80 * 12 * 2 * exp(-2 * (ROWS / 2) * OFF**2),
        because="Hoeffding (1963): the share of n independent draws is off by t or more with at most 2 exp(-2 n t²)",
    )
    @given(p=PROBABILITIES, generator=GENERATORS)
    def test_every_entry_is_drawn_by_itself(self, student, p, generator):
        """About the share 1 - p of many features is kept; two features, or two sequences, are dropped independently."""
        _, mask = student.recurrent_dropout(torch.ones(ROWS, 2, 4), p, generator=generator)
        kept = mask[:, 0] > 0
        assert_close(kept.double().mean(0), torch.full((4,), 1 - p).double(), rtol=0.0, atol=OFF)
        alike = [kept[:, i] == kept[:, j] for i, j in combinations(range(4), 2)]
        alike += [(kept[0::2] == kept[1::2])[:, 0], (kept[: ROWS // 2] == kept[ROWS // 2 :])[:, 1]]
        shares = torch.stack([pair.double().mean() for pair in alike])
        assert_close(shares, torch.full_like(shares, p**2 + (1 - p) ** 2), rtol=0.0, atol=OFF)

    @idea
    @statistical(
        false_alarm=80 * 2 * 0.905**400,
        because="400 independent draws agree with 400 others with at most (p² + (1 - p)²) ** 400, p within 0.05 … 0.95",
    )
    @given(p=PROBABILITIES, seed=SEEDS)
    def test_all_randomness_is_the_generators(self, student, p, seed):
        """The same seed gives the same mask; another seed, and the generator as it is left, give another one."""
        x, generators = torch.ones(40, 2, 10), [seeded(seed), seeded(seed), seeded(seed + 1)]
        masks = [student.recurrent_dropout(x, p, generator=g)[1] for g in (*generators, generators[0])]
        assert_close(masks[1], masks[0])
        assert_close([torch.equal(mask, masks[0]) for mask in masks[2:]], [False, False])


def windows(x: Tensor, window: int, horizon: int, stride: int = 1) -> Tensors:
    """Inputs and targets, one by one."""
    starts = range(0, len(x) - window - horizon + 1, stride)
    inputs = [x[k : k + window] for k in starts]
    return torch.stack(inputs), torch.stack([x[k + window - 1 + horizon] for k in starts])


@st.composite
def cuts(draw) -> dict[str, Any]:
    """A series that is long enough, and how to cut it."""
    window, horizon, stride = (draw(st.integers(1, most)) for most in (4, 3, 4))
    x = numbers(draw(SEEDS), window + horizon + draw(st.integers(0, 9)), draw(st.integers(1, 3)))
    return {"x": x, "window": window, "horizon": horizon, "stride": stride}


WINDOWS = Contract(
    cuts(),
    windows,
    agrees="Every pair is the right one, and there are as many as the series can give, for any horizon and stride.",
    refuses=(
        another_number_of_axes("x"),
        Refusal("x", lambda given: (given["x"][: given["window"] + given["horizon"] - 1],), ("x",)),
        *(bad_values(name, 0, -1, 1.5) for name in ("window", "horizon", "stride")),
    ),
)


@exercise("make_windows", points=2, forbid=(), contract=WINDOWS)
class TestMakeWindows:
    @idea
    def test_worked_values(self, student):
        """10, 11, ..., 16 with window 3, horizon 2 and stride 2 gives two pairs: 10 11 12 -> 14 and 12 13 14 -> 16."""
        inputs, targets = torch.tensor([[10.0, 11, 12], [12, 13, 14]])[:, :, None], torch.tensor([[14.0], [16.0]])
        assert_close(student.make_windows(torch.arange(10.0, 17.0)[:, None], 3, 2, 2), (inputs, targets))


@st.composite
def forecasts(draw) -> dict[str, Any]:
    """Windows, a horizon, and a period that is no longer than they are, so that they show a value of it."""
    n, window, columns = draw(shapes(3, 3, 1, 6))
    x, horizon = numbers(draw(SEEDS), n, window, columns), draw(st.integers(1, 9))
    return {"x": x, "horizon": horizon, "period": draw(st.integers(1, window))}


def seen_before(x: Tensor, horizon: int, period: int) -> Tensor:
    """The naive forecast, by looking at one place after another."""
    target = x.shape[1] - 1 + horizon
    return x[:, max(place for place in range(x.shape[1]) if (target - place) % period == 0)]


NAIVE = Contract(
    forecasts(),
    seen_before,
    agrees="It is the last value seen that lies a whole number of periods before the target.",
    batch={"x": 0},
    refuses=(
        another_number_of_axes("x"),
        *(bad_values(name, 0, -1, 1.5) for name in ("horizon", "period")),
        Refusal("period", lambda g: tuple(g["x"].shape[1] + g["horizon"] + more for more in (0, 1, 7)), ("period",)),
    ),
)


@exercise("naive_forecast", points=2, forbid=(), contract=NAIVE)
class TestNaiveForecast:
    @idea
    def test_worked_values(self, student):
        """After 5 6 7 8, with period 3: one step ahead 6, three steps 8, four steps 6 again."""
        for horizon, expected in ((1, 6), (3, 8), (4, 6)):
            assert_close(student.naive_forecast(steps(5, 6, 7, 8), horizon, 3), single(expected))
        assert_close(student.naive_forecast(steps(5, 6, 7, 8), period=3), single(6))


class Watched:
    """A model, a loss and a step that remember what they were given; each answer depends on all of it."""

    def __init__(self) -> None:
        self.losses: list[tuple[Any, ...]] = []  # parameters, windows, targets
        self.steps: list[tuple[Any, ...]] = []  # state, learning rate, parameters after it
        self.shown: list[Tensor] = []  # windows that the model was to forecast

    def model(self, windows: Tensor, *params: Tensor) -> Tensor:
        self.shown.append(windows)
        weighed = sum((k + 1) * param.mean() for k, param in enumerate(params))
        return windows[:, -1] * weighed + 0.5 * windows.mean(1) + params[-1]

    def loss(self, params: Sequence[Tensor], windows: Tensor, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        self.losses.append((list(params), windows, targets))
        error = self.model(windows, *params) - targets
        return (error**2).mean(), [0.3 * param + 0.1 * (k + 1) * error.mean() for k, param in enumerate(params)]

    def step(self, params: Sequence[Tensor], grads: Sequence[Tensor], state: dict[str, Any], lr: float) -> Any:
        count = state.get("count", 0) + 1
        moved = [p - lr / count * g for p, g in zip(params, grads, strict=True)]
        self.steps.append((dict(state), lr, moved))
        return moved, {"count": count}


@st.composite
def tasks(draw) -> dict[str, Any]:
    """Everything that forecast_series takes but its parts and the generator."""
    given = draw(cuts())
    del given["stride"]
    length, columns = given["window"] + given["horizon"] + draw(st.integers(0, 3)), given["x"].shape[1]
    given["x"] = 20 + 3 * torch.cat([given["x"], numbers(1, 2, columns)])
    hidden, steps, gates = draw(st.integers(1, 5)), draw(st.integers(2, 5)), draw(st.sampled_from([4, 3]))
    test = 24 + 5 * numbers(draw(SEEDS), length, columns)
    rate = draw(st.sampled_from([0.25, 0.01, 0.7, 1.5]))
    return {**given, "test": test, "hidden": hidden, "steps": steps, "lr": rate, "gates": gates}


def scales(x: Tensor) -> list[Tensors]:
    """Mean and standard deviation of each column: divided by T - 1, and by T."""
    return [(x.mean(0), x.std(0, correction=correction)) for correction in (1, 0)]


def close_to_one_of(answer: Any, first: Any, second: Any, reading: Callable[[], str], **tolerances: float) -> None:
    """Fails unless the answer is one of two right ones; ``reading`` says what is wrong with another."""
    try:
        assert_close(answer, second, **tolerances)
    except Mismatch:
        with explained(reading):
            assert_close(answer, first, **tolerances)


def line_through(x: Tensor, y: Tensor) -> tuple[float, float] | None:
    """Factor and offset that make every y of its x; None where no line does, or too few points show it."""
    x, y = x.flatten().double(), y.flatten().double()
    if x.shape != y.shape or len(x.unique()) < 3 or not y.isfinite().all():
        return None
    factor, offset = torch.linalg.lstsq(torch.stack([x, torch.ones_like(x)], 1), y[:, None]).solution[:, 0].tolist()
    return (factor, offset) if (factor * x + offset - y).abs().max() < 1e-6 * (1 + y.abs().max()) else None


def of_windows(got: Any, series: Tensor, x: Tensor, window: int, horizon: int, name: str) -> str:
    """How windows come from a series that should have been standardised as ``x`` is; empty where they are right."""
    raw, _ = windows(series, window, horizon)
    if got.shape != raw.shape:
        return f"Windows of {name} are given with the shape {tuple(got.shape)}, and {tuple(raw.shape)} is right."
    for column in range(x.shape[1]):
        line = line_through(got[..., column], raw[..., column])
        if line is None:
            continue
        mean, deviations = x[:, column].mean().item(), [one[1][column].item() for one in scales(x)]
        is_scaled = any(abs(line[0] - one) < 1e-6 * one for one in deviations)
        if not is_scaled or abs(line[1] - mean) > 1e-6 * (1 + abs(mean)):
            return (
                f"Column {column} of the windows of {name} is standardised with {line[1]:.4g} for the mean and "
                f"{line[0]:.4g} for the deviation; those of x are {mean:.4g} and {deviations[0]:.4g}."
            )
    return ""


def of_training_data(inputs: Any, targets: Any, task: dict[str, Any]) -> str:
    """What is wrong with the windows or targets that `loss` was given."""
    x, window, horizon = task["x"], task["window"], task["horizon"]
    said = of_windows(inputs, x, x, window, horizon, "x")
    if said or tuple(targets.shape) == (len(inputs), x.shape[1]):
        return said
    return f"The targets have the shape {tuple(targets.shape)}, and {(len(inputs), x.shape[1])} is right."


def of_forecast(forecast: Any, shown: Sequence[Any], right: Sequence[Tensor], task: dict[str, Any]) -> str:
    """What is wrong with the windows of test, or else with how the model's answers become the forecast."""
    x = task["x"]
    if len(shown) != 1:
        return "" if shown else "After the training `model` is not asked for a forecast of test."
    said = of_windows(shown[0], task["test"], x, task["window"], task["horizon"], "test")
    if said or forecast.shape != right[0].shape:
        return said
    for column in range(x.shape[1]):
        mean, deviation = x[:, column].mean().item(), x[:, column].std().item()
        answers = (right[0][:, column] - mean) / deviation  # the model's own, by the deviation that divides by T - 1
        line = line_through(answers, forecast[:, column])
        if line is not None and (abs(line[0] / deviation - 1) > 0.5 / len(x) or abs(line[1] - mean) > 1e-6 * abs(mean)):
            return (
                f"In column {column} the forecast is {line[0]:.4g} times the model's answer "
                f"{'plus' if line[1] >= 0 else 'minus'} {abs(line[1]):.4g}; x has the mean {mean:.4g} and the "
                f"deviation {deviation:.4g} there."
            )
    return ""


def of_parameters(params: Sequence[Tensor], shapes: Sequence[tuple[int, ...]], gates: int) -> str:
    """Which of the first parameters has a wrong shape, or within what bounds they lie."""
    if len(params) != len(shapes):
        return f"There are {len(params)} parameters at first, and {len(shapes)} are asked for."
    for number, (param, right) in enumerate(zip(params, shapes, strict=True)):
        if tuple(param.shape) != right:
            return (
                f"With hidden = 12 and gates = {gates}, number {number} of the six parameters, counted from 0, has the "
                f"shape {tuple(param.shape)}, and {right} is right."
            )
    drawn = torch.cat([param.flatten() for param in params]) * sqrt(12)
    if len(drawn.unique()) == 1:
        return f"The {len(drawn)} numbers of the first parameters are all the same."
    return (
        f"The first parameters lie between {drawn.min():.3g}/√hidden and {drawn.max():.3g}/√hidden, their mean is "
        f"{drawn.mean():.2g}/√hidden; -1/√hidden to 1/√hidden is asked for."
    )


def train(student: Any, task: dict[str, Any], generator: torch.Generator) -> tuple[Any, Watched]:
    """The student's answer, and the parts with what they remember."""
    parts = Watched()
    answer = student.forecast_series(**task, model=parts.model, loss=parts.loss, step=parts.step, generator=generator)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise Mismatch("Expected a pair: forecast, losses.")
    if not (parts.losses and parts.steps):
        raise Mismatch(f"`loss` was called {len(parts.losses)} times and `step` {len(parts.steps)} times.")
    return answer, parts


# Parts with a source, which can be run on a GPU that is not there: each step adds lr to what all parameters are.
MODEL = Callback("lambda windows, *params: windows[:, -1] + params[0].mean() * windows[:, 0]")
LOSS = Callback("lambda params, windows, targets: (0 * targets.mean() + 1, [0 * p + 1 for p in params])")
STEP = Callback(
    "lambda params, grads, state, lr: ([(len(state) + 1) * lr * g for g in grads], {**state, len(state): 1})"
)


@exercise("forecast_series", points=4, forbid=READY_LSTM)
class TestForecastSeries:
    @idea("data")
    @given(task=tasks(), generator=GENERATORS)
    def test_training_data(self, student, task, generator):
        """`loss` is given all windows of x and their targets, standardised column by column, at every step."""
        _, parts = train(student, task, generator)
        x, window, horizon = task["x"], task["window"], task["horizon"]
        pairs = [windows((x - mean) / deviation, window, horizon) for mean, deviation in scales(x)]
        for _, inputs, targets in parts.losses:
            close_to_one_of((inputs, targets), *pairs, lambda a=inputs, b=targets: of_training_data(a, b, task))

    @idea("training")
    @statistical(
        false_alarm=80 * (0.9**400 + 2 * exp(-2 * 400 * 0.36**2 / 4)),
        because="400 draws all within 0.9 of the bound; Hoeffding (1963) for the mean of so many draws within ±1",
    )
    @given(task=tasks(), seed=SEEDS)
    def test_parameters_at_first(self, student, task, seed):
        """Six parameters of the right shapes start uniform within ±1/√hidden, drawn with the generator alone."""
        task |= {"hidden": 12, "steps": 1}
        begun = [train(student, task, seeded(s))[1].losses[0][0] for s in (seed, seed, seed + 1)]
        columns, rows = task["x"].shape[1], 12 * task["gates"]
        shapes = [(rows, columns), (rows, 12), (rows,), (rows,), (columns, 12), (columns,)]
        with explained(lambda: of_parameters(begun[0], shapes, task["gates"])):
            assert_close([tuple(param.shape) for param in begun[0]], shapes)
        assert_close({str(param.dtype) for param in begun[0]} <= {str(task["x"].dtype)}, True)
        assert_close(begun[1], begun[0])
        first, _, other = (sqrt(12) * torch.cat([param.flatten() for param in params]) for params in begun)
        # Random numbers of so many digits: hardly two are the same.
        with explained(lambda: of_parameters(begun[0], shapes, task["gates"]) if first.unique().numel() < 99 else ""):
            assert_close([bool((first == other).sum() > 3), first.unique().numel() < len(first) - 3], [False, False])
        largest, mean = first.abs().max().item(), first.mean().item()
        with explained(lambda: of_parameters(begun[0], shapes, task["gates"])):
            if not (0.9 < largest <= 1 and abs(mean) < 0.36):
                raise Mismatch(f"In units of 1/√hidden the largest is {largest:.3f}, and their mean {mean:.3f}.")

    @idea("training")
    @given(task=tasks(), generator=GENERATORS)
    def test_every_step(self, student, task, generator):
        """Each step moves the parameters by `step` with the gradients of `loss`, hands its state on, and keeps lr."""
        (_, losses), parts = train(student, task, generator)
        right, params, state, expected = Watched(), parts.losses[0][0], {}, []
        for _ in range(task["steps"]):
            value, grads = right.loss(params, *parts.losses[0][1:])
            expected.append(value)
            params, state = right.step(params, grads, state, task["lr"])
        assert_close(parts.steps, right.steps)
        assert_close(losses, torch.stack(expected))

    @idea("forecast")
    @given(task=tasks(), generator=GENERATORS)
    def test_forecast(self, student, task, generator):
        """For every window of test it is the trained model's answer, standardised by x and brought back to its units."""
        (forecast, _), parts = train(student, task, generator)
        shown, expected = parts.shown[len(parts.losses) :], []  # each loss asks the model, too
        for mean, deviation in scales(task["x"]):
            unseen, _ = windows((task["test"] - mean) / deviation, task["window"], task["horizon"])
            expected.append(parts.model(unseen, *parts.steps[-1][2]) * deviation + mean)
        close_to_one_of(forecast, *expected, lambda: of_forecast(forecast, shown, expected, task))

    @case
    @given(task=tasks(), level=st.sampled_from([4000.0, -4000.0]))
    def test_series_far_from_zero(self, student, task, level):
        """A series of float32 that wavers a little about 4,000 or -4,000 is standardised right to 0.005."""
        task |= {"steps": 1, "x": (task["x"] + level).float(), "test": (task["test"] + level).float()}
        _, parts = train(student, task, seeded())
        x = task["x"].double()
        pairs = [windows(((x - mean) / one).float(), task["window"], task["horizon"]) for mean, one in scales(x)]
        close_to_one_of(parts.losses[0][1:], *pairs, lambda: "", rtol=5e-3, atol=5e-3)

    @case
    @given(task=tasks(), dtype=st.sampled_from([torch.float64, torch.float32, torch.float16]), turned=st.booleans())
    def test_dtypes_and_layouts(self, student, task, dtype, turned):
        """The results have the dtype of x, however x lies in memory, and no argument is changed in place."""
        task |= {k: (task[k].T.contiguous().T if turned else task[k]).to(dtype) for k in ("x", "test")} | {"lr": 0.25}
        answer = student.forecast_series(**task, model=MODEL, loss=LOSS, step=STEP, generator=seeded())
        assert_unchanged(student)
        unseen, _ = windows(task["test"].double(), task["window"], task["horizon"])
        moved = 0.25 * task["steps"] * (unseen[:, 0] - task["x"].double().mean(0))
        assert_close(answer, ((unseen[:, -1] + moved).to(dtype), torch.ones(task["steps"], dtype=dtype)))


def model_of_letters(vocabulary: int, units: int, seed: int) -> dict[str, Tensor]:
    """Weights and biases of a character model."""
    lstm = list(arguments(4, (1, vocabulary, units), seed).items())[3:]
    return {**dict(lstm), "weight_out": numbers(seed, vocabulary, units), "bias_out": numbers(seed + 1, vocabulary)}


def torch_loss(x: Tensor, *args: Any) -> Tensor:
    """The character model's loss by torch's own layer and loss; the last argument is the number for padding."""
    *weights, weight_out, bias_out, ignore_index = args
    one_hot = F.one_hot(x[:, :-1].clamp(0, len(bias_out) - 1), len(bias_out)).to(weight_out.dtype)
    zeros = one_hot.new_zeros(len(x), weight_out.shape[1])
    scores = along(4, one_hot, zeros, zeros, *weights)[0] @ weight_out.T + bias_out
    return F.cross_entropy(scores.flatten(0, 1), x[:, 1:].flatten(), ignore_index=ignore_index)


@st.composite
def texts(draw, padded: bool) -> dict[str, Any]:
    """x, weights and the number for padding: one that is no character, or one of them; some texts are shorter."""
    n, length, vocabulary, units = draw(shapes(4, 4, 2, 5))
    seed = draw(SEEDS)
    x = torch.tensor(np.random.RandomState(seed).randint(0, vocabulary, (n, length)), dtype=torch.int64)
    ignore_index = draw(st.sampled_from([-100, -1, vocabulary, 0, vocabulary - 1] if padded else [-100]))
    if padded:
        x[x == ignore_index] = (ignore_index + 1) % vocabulary
        for row, text in enumerate(x):
            text[length - min(row, length - 2) :] = ignore_index
    return {"x": x, **model_of_letters(vocabulary, units, seed), "ignore_index": ignore_index}


@st.composite
def texts_with_large_scores(draw) -> dict[str, Any]:
    """Texts for a model that does not listen: its scores are its biases, large numbers that hardly differ."""
    given = draw(texts(padded=False))
    level = draw(st.sampled_from([2000.0, 9000.0, -9000.0]))
    return given | {"weight_out": 0 * given["weight_out"], "bias_out": level + given["bias_out"].round()}


def strangers(given: dict[str, Any]) -> tuple[Tensor, ...]:
    """Texts with nothing to predict, and with numbers that are no characters."""
    x = given["x"]
    spoilt = [torch.where(x == x[0, 0], number, x) for number in (-1, len(given["bias_out"]))]
    return x[:, :1], x[:, :0], torch.full_like(x, -100), *spoilt


LETTERS = Contract(
    texts(padded=False),
    torch_loss,
    agrees=None,  # loss, logarithm and padding are ideas of their own
    magnitudes=(1.0, 1e-3),
    half_magnitudes=(1.0,),  # large weights make rounding large from step to step
    digits=Digits(
        "Scores near 2,000 and ±9,000, which hardly differ, give as exact a loss as scores near 0, in every dtype.",
        arguments=texts_with_large_scores(),
    ),
    variants=(texts(padded=True),),
    differentiable=True,
    keywords=("ignore_index",),
    refuses=(
        Refusal("x", strangers, ("x",)),
        *(another_number_of_axes(name) for name in ("x", "weight_out")),
        *(another_length(name, 0) for name in ("weight_ih", "bias_hh", "bias_out")),
    ),
)


@exercise("char_lstm_loss", points=4, forbid=(*READY_LSTM, "cross_entropy", "nll_loss"), contract=LETTERS)
class TestCharLstmLoss:
    def by_hand(self, student: Any, x: list[list[int]], cost: float, **options: Any) -> None:
        """A model that always says 1/4 and 3/4."""
        args = [torch.zeros_like(arg) for arg in model_of_letters(2, 3, 0).values()]
        args[-1] = vector(0.0, log(3))
        assert_close(student.char_lstm_loss(torch.tensor(x), *args, **options), torch.tensor(cost).double(), rtol=1e-5)

    @weight(2)
    @idea("loss")
    def test_worked_values(self, student):
        """With probabilities 1/4 and 3/4 for every next character, 0 1 1 1 costs log 4/3, 1 0 costs log 4, and 1 0 1 half of their sum."""
        self.by_hand(student, [[0, 1, 1, 1]], log(4 / 3))
        self.by_hand(student, [[1, 0]], log(4))
        self.by_hand(student, [[1, 0, 1]], (log(4) + log(4 / 3)) / 2)

    @weight(2)
    @idea("loss")
    @given(args=texts(padded=False))
    def test_agrees(self, student, args):
        """The loss agrees with that of torch's LSTM, linear layer and cross-entropy."""
        assert_close(student.char_lstm_loss(*list(args.values())[:-1]), torch_loss(*args.values()))

    @idea("logarithm")
    @given(args=texts(padded=False), scale=st.sampled_from([1000.0, 1e4]))
    def test_large_scores(self, student, args, scale):
        """Scores of many thousands give the right, finite loss, however small the probability."""
        x, *weights = [scale * arg if arg.is_floating_point() else arg for arg in list(args.values())[:-1]]
        assert_close(student.char_lstm_loss(x, *weights), torch_loss(x, *weights, -100))

    @idea("padding")
    def test_padding_by_hand(self, student):
        """The two texts of the notebook in one batch: four predictions count, and cost (3 log 4/3 + log 4) / 4."""
        self.by_hand(student, [[0, 1, 1, 1], [1, 0, -1, -1]], (3 * log(4 / 3) + log(4)) / 4, ignore_index=-1)
        self.by_hand(student, [[0, 1, 1, 1], [1, 0, -100, -100]], (3 * log(4 / 3) + log(4)) / 4)
        self.by_hand(student, [[0, 1, 1, 1], [1, 0, 2, 2]], (3 * log(4 / 3) + log(4)) / 4, ignore_index=2)

    @idea("padding")
    @given(args=texts(padded=True))
    def test_padding(self, student, args):
        """Behind a shorter text stands padding: any number, which is never to be predicted and counts nothing."""
        *given, ignore_index = args.values()
        assert_close(student.char_lstm_loss(*given, ignore_index=ignore_index), torch_loss(*args.values()))
