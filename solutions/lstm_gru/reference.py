"""Reference solutions of the assignment on LSTM and GRU.

Every function takes tensors of any floating dtype on any device and returns tensors of the same dtype and device;
gradients are written by hand, and a backward recomputes what it needs. Nothing here calls autograd.

`require_weights` stands in the notebook's setup cell too: an exercise cell holds one definition.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from autograder.guards import require_between, require_ndim, require_same_shape, require_shape, require_whole


def require_weights(
    gates: int, features: int, units: int, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> None:
    """Refuses weights and biases that do not fit a cell with so many blocks of rows, features and units."""
    require_shape((gates * units, features), weight_ih=weight_ih)
    require_shape((gates * units, units), weight_hh=weight_hh)
    require_shape((gates * units,), bias_ih=bias_ih)
    require_shape((gates * units,), bias_hh=bias_hh)


def lstm_cell(
    x: Tensor, h: Tensor, c: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """One step of a long short-term memory. The rows of weights and biases stand in four blocks of H: i, f, g, o.

    Args:
        x: input of this step, (N, D), any floating dtype and device.
        h: hidden state before it, (N, H).
        c: cell state before it, (N, H).
        weight_ih, weight_hh: weights (4H, D) of the input and (4H, H) of the hidden state.
        bias_ih, bias_hh: their biases, (4H,) each.
    Returns:
        h_new: hidden state after the step, (N, H).
        c_new: cell state after the step, (N, H).
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Derivation:
        With s the sums x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh: i, f, o = sigmoid of s_i, s_f, s_o and
        g = tanh(s_g); c_new = f * c + i * g; h_new = o * tanh(c_new).
    Source: Hochreiter & Schmidhuber (1997), "Long short-term memory"; the forget gate from Gers et al. (2000),
        "Learning to forget: continual prediction with LSTM".
    """
    require_ndim(2, x=x)
    require_shape((len(x), None), h=h)
    require_same_shape(c=c, h=h)
    require_weights(4, x.shape[1], h.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    s_i, s_f, s_g, s_o = (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, dim=1)
    i, f, g, o = torch.sigmoid(s_i), torch.sigmoid(s_f), torch.tanh(s_g), torch.sigmoid(s_o)
    c_new = f * c + i * g
    return o * torch.tanh(c_new), c_new


def lstm_cell_backward(
    grad_out: tuple[Tensor, Tensor],
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of ``lstm_cell`` with respect to all its arguments.

    Args:
        grad_out: the pair ``(grad_h_new, grad_c_new)`` of upstream gradients of h_new and c_new, each (N, H).
        x, h, c, weight_ih, weight_hh, bias_ih, bias_hh: as in the forward pass.
    Returns:
        grad_x: shaped like ``x``.
        grad_h: shaped like ``h``.
        grad_c: shaped like ``c``.
        grad_weight_ih: shaped like ``weight_ih``.
        grad_weight_hh: shaped like ``weight_hh``.
        grad_bias_ih: shaped like ``bias_ih``.
        grad_bias_hh: shaped like ``bias_hh``.
    Raises:
        ValueError: an argument's shape does not fit, or one of ``grad_out`` is not shaped (N, H).
    Derivation:
        The new memory is heard twice, directly and through h_new: dc = grad_c + grad_h * o * (1 - tanh²(c_new)).
        The sums receive ds_i = dc * g * i(1 - i), ds_f = dc * c * f(1 - f), ds_g = dc * i * (1 - g²) and
        ds_o = grad_h * tanh(c_new) * o(1 - o), and pass them on like every linear layer.
    Source: Hochreiter & Schmidhuber (1997), "Long short-term memory", appendix A;
        Graves (2012), "Supervised sequence labelling with recurrent neural networks", section 4.6.
    """
    require_ndim(2, x=x)
    require_shape((len(x), None), h=h)
    require_same_shape(c=c, h=h)
    require_weights(4, x.shape[1], h.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    require_same_shape(grad_out=grad_out[0], h=h)
    require_same_shape(grad_out=grad_out[1], c=c)
    grad_h, grad_c = grad_out
    s_i, s_f, s_g, s_o = (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, dim=1)
    i, f, g, o = torch.sigmoid(s_i), torch.sigmoid(s_f), torch.tanh(s_g), torch.sigmoid(s_o)
    t = torch.tanh(f * c + i * g)

    dc = grad_c + grad_h * o * (1 - t * t)
    ds_i, ds_f = dc * g * i * (1 - i), dc * c * f * (1 - f)
    ds_g, ds_o = dc * i * (1 - g * g), grad_h * t * o * (1 - o)
    ds = torch.cat([ds_i, ds_f, ds_g, ds_o], dim=1)
    return ds @ weight_ih, ds @ weight_hh, dc * f, ds.T @ x, ds.T @ h, ds.sum(0), ds.sum(0)


def lstm_forward(
    x: Tensor, h0: Tensor, c0: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Runs one LSTM cell along a sequence.

    Args:
        x: sequences (N, T, D), any floating dtype and device; T may be 0.
        h0, c0: states before the first step, (N, H) each.
        weight_ih, weight_hh, bias_ih, bias_hh: as in ``lstm_cell``, the same at every step.
    Returns:
        out: the hidden states of all steps, (N, T, H).
        h: hidden state after the last step, (N, H).
        c: cell state after the last step, (N, H).
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Derivation:
        Each step gets the hidden state and the cell state of the one before.
    Source: Hochreiter & Schmidhuber (1997), "Long short-term memory".
    """
    require_ndim(3, x=x)
    require_shape((len(x), None), h0=h0)
    require_same_shape(c0=c0, h0=h0)
    require_weights(4, x.shape[2], h0.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    h, c, states = h0, c0, []
    for step in x.unbind(1):
        h, c = lstm_cell(step, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
        states.append(h)
    out = torch.stack(states, dim=1) if states else h0.new_zeros(x.shape[0], 0, h0.shape[1])
    return out, h, c


def lstm_backward(
    grad_out: tuple[Tensor, Tensor, Tensor],
    x: Tensor,
    h0: Tensor,
    c0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of ``lstm_forward`` with respect to all its arguments: backpropagation through time.

    Args:
        grad_out: the triple ``(grad_states, grad_h, grad_c)`` of upstream gradients of out, h and c: (N, T, H), (N, H)
            and (N, H).
        x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh: as in the forward pass.
    Returns:
        grad_x: shaped like ``x``.
        grad_h0: shaped like ``h0``.
        grad_c0: shaped like ``c0``.
        grad_weight_ih: shaped like ``weight_ih``.
        grad_weight_hh: shaped like ``weight_hh``.
        grad_bias_ih: shaped like ``bias_ih``.
        grad_bias_hh: shaped like ``bias_hh``.
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Derivation:
        Step t's hidden state is heard by the next step and stands in out, so both gradients add up. The cell's backward
        at (x_t, h_{t-1}, c_{t-1}) takes them to the states before it. All steps share the weights, so their gradients
        are summed over the steps.
    Source: Werbos (1990), "Backpropagation through time: what it does and how to do it"; Graves (2012), "Supervised
        sequence labelling with recurrent neural networks", section 4.6.
    """
    require_ndim(3, x=x)
    require_shape((len(x), None), h0=h0)
    require_same_shape(c0=c0, h0=h0)
    require_weights(4, x.shape[2], h0.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape((*x.shape[:2], h0.shape[1]), grad_out=grad_out[0])
    require_same_shape(grad_out=grad_out[1], h0=h0)
    require_same_shape(grad_out=grad_out[2], c0=c0)
    grad_states, grad_h, grad_c = grad_out
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    h, c, before = h0, c0, []
    for step in x.unbind(1):
        before.append((step, h, c))
        h, c = lstm_cell(step, h, c, *weights)

    grad_x, sums = torch.zeros_like(x), [torch.zeros_like(weight) for weight in weights]
    for t in reversed(range(x.shape[1])):
        upstream = grad_states[:, t] + grad_h, grad_c
        grad_x[:, t], grad_h, grad_c, *grads = lstm_cell_backward(upstream, *before[t], *weights)
        sums = [total + grad for total, grad in zip(sums, grads, strict=True)]
    return grad_x, grad_h, grad_c, sums[0], sums[1], sums[2], sums[3]


def gru_cell(x: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    """One step of a gated recurrent unit. The rows of weights and biases stand in three blocks of H: r, z, n.

    Args:
        x: input of this step, (N, D), any floating dtype and device.
        h: hidden state before it, (N, H).
        weight_ih, weight_hh: weights (3H, D) of the input and (3H, H) of the hidden state.
        bias_ih, bias_hh: their biases, (3H,) each.
    Returns:
        h_new: hidden state after the step, (N, H).
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Derivation:
        With a the sums x @ weight_ih.T + bias_ih and b the sums h @ weight_hh.T + bias_hh: r = sigmoid(a_r + b_r),
        z = sigmoid(a_z + b_z), n = tanh(a_n + r * b_n), h_new = (1 - z) * n + z * h. The reset gate comes after the
        product, as in torch.
    Source: Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine
        translation", section 2.3, which resets before the product.
    """
    require_ndim(2, x=x)
    require_shape((len(x), None), h=h)
    require_weights(3, x.shape[1], h.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    a_r, a_z, a_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=1)
    b_r, b_z, b_n = (h @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    n = torch.tanh(a_n + r * b_n)
    return (1 - z) * n + z * h


def gru_cell_backward(
    grad_out: Tensor, x: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of ``gru_cell`` with respect to all its arguments.

    Args:
        grad_out: upstream gradient of h_new, (N, H).
        x, h, weight_ih, weight_hh, bias_ih, bias_hh: as in the forward pass.
    Returns:
        grad_x: shaped like ``x``.
        grad_h: shaped like ``h``.
        grad_weight_ih: shaped like ``weight_ih``.
        grad_weight_hh: shaped like ``weight_hh``.
        grad_bias_ih: shaped like ``bias_ih``.
        grad_bias_hh: shaped like ``bias_hh``.
    Raises:
        ValueError: an argument's shape does not fit, or ``grad_out`` is not shaped (N, H).
    Derivation:
        With G the upstream gradient: ds_n = G * (1 - z) * (1 - n²), ds_z = G * (h - n) * z(1 - z) and
        ds_r = ds_n * b_n * r(1 - r). The sums a of the input receive (ds_r, ds_z, ds_n), the sums b of the hidden state
        (ds_r, ds_z, ds_n * r). The hidden state also passes straight through, which adds G * z.
    Source: Chung et al. (2014), "Empirical evaluation of gated recurrent neural networks on sequence modeling",
        section 3.2, differentiated by the chain rule.
    """
    require_ndim(2, x=x)
    require_shape((len(x), None), h=h)
    require_weights(3, x.shape[1], h.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    require_same_shape(grad_out=grad_out, h=h)
    a_r, a_z, a_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=1)
    b_r, b_z, b_n = (h @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    n = torch.tanh(a_n + r * b_n)

    ds_n = grad_out * (1 - z) * (1 - n * n)
    ds_z = grad_out * (h - n) * z * (1 - z)
    ds_r = ds_n * b_n * r * (1 - r)
    da = torch.cat([ds_r, ds_z, ds_n], dim=1)
    db = torch.cat([ds_r, ds_z, ds_n * r], dim=1)
    return da @ weight_ih, db @ weight_hh + grad_out * z, da.T @ x, db.T @ h, da.sum(0), db.sum(0)


def gru_forward(
    x: Tensor, h0: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """Runs one GRU cell along a sequence.

    Args:
        x: sequences (N, T, D), any floating dtype and device; T may be 0.
        h0: hidden state before the first step, (N, H).
        weight_ih, weight_hh, bias_ih, bias_hh: as in ``gru_cell``, the same at every step.
    Returns:
        out: the hidden states of all steps, (N, T, H).
        h: hidden state after the last step, (N, H).
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Derivation:
        Each step gets the hidden state of the one before.
    Source: Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine
        translation", section 2.3.
    """
    require_ndim(3, x=x)
    require_shape((len(x), None), h0=h0)
    require_weights(3, x.shape[2], h0.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    h, states = h0, []
    for step in x.unbind(1):
        h = gru_cell(step, h, weight_ih, weight_hh, bias_ih, bias_hh)
        states.append(h)
    out = torch.stack(states, dim=1) if states else h0.new_zeros(x.shape[0], 0, h0.shape[1])
    return out, h


def recurrent_dropout(
    x: Tensor, p: float = 0.5, *, training: bool = True, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Dropout for sequences: what is dropped for a sequence is dropped at every one of its steps.

    Args:
        x: sequences (N, T, D), any floating dtype and device.
        p: probability of [0, 1] to drop a feature of a sequence.
        training: False changes nothing.
        generator: source of all randomness, on the device of ``x``.
    Returns:
        out: ``x * mask``, shaped like ``x``.
        mask: what every step was multiplied by, (N, 1, D), in the dtype of ``x``; all 1 if not training.
    Raises:
        ValueError: ``x`` has not three axes, or ``p`` is outside [0, 1].
    Derivation:
        What is kept is divided by 1 - p, so that its expected value stays: (1 - p) * x / (1 - p) + p * 0 = x. With
        p = 1 nothing is kept, and nothing is divided.
    Source: Gal & Ghahramani (2016), "A theoretically grounded application of dropout in recurrent neural networks",
        section 4.
    """
    require_ndim(3, x=x)
    require_between(0, 1, p=p)
    mask = x.new_ones(x.shape[0], 1, x.shape[2])
    if training:
        kept = torch.rand(mask.shape, generator=generator, device=x.device) >= p
        mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(mask)
    return x * mask, mask


def make_windows(x: Tensor, window: int, horizon: int = 1, stride: int = 1) -> tuple[Tensor, Tensor]:
    """Cuts a time series into training pairs: a stretch of the past, and the value some steps after its end.

    Args:
        x: series (T, D) of T times and D measured quantities, any dtype and device.
        window: length of the input, at least 1.
        horizon: how many steps after the last input value the target lies, at least 1.
        stride: how many steps one input begins after the one before, at least 1.
    Returns:
        inputs: all the stretches, (M, window, D), in the order of time.
        targets: their targets, (M, D).
    Raises:
        ValueError: ``window``, ``horizon`` or ``stride`` is below 1, or ``x`` has not two axes or is too short for
            one pair.
    Derivation:
        Pair k has the input x[k * stride : k * stride + window] and the target x[k * stride + window - 1 + horizon].
        As many pairs are made as have a target: (T - window - horizon) // stride + 1.
    Source: Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", section 5.10.
    """
    require_ndim(2, x=x)
    require_whole(1, window=window)
    require_whole(1, horizon=horizon)
    require_whole(1, stride=stride)
    if len(x) < window + horizon:
        raise ValueError(f"x has {len(x)} times, one pair needs {window + horizon}")
    starts = torch.arange(0, len(x) - window - horizon + 1, stride, device=x.device)
    inside = torch.arange(window, device=x.device)
    return x[starts[:, None] + inside], x[starts + window - 1 + horizon]


def naive_forecast(x: Tensor, horizon: int = 1, period: int = 1) -> Tensor:
    """The forecast to beat: the last value seen that lies a whole number of periods before the target.

    Args:
        x: windows (M, window, D) as ``make_windows`` cuts them, any dtype and device.
        horizon: how many steps after the window's last value the target lies, at least 1.
        period: length of the cycle in steps, at least 1.
    Returns:
        forecast: one for each window, (M, D).
    Raises:
        ValueError: ``x`` has not three axes, ``horizon`` or ``period`` is below 1, or no value of the window lies a
            whole number of periods before the target; the message names ``x``, ``horizon`` or ``period``.
    Derivation:
        Counted from the window's first value the target lies at place window - 1 + horizon. From there
        ceil(horizon / period) periods are stepped back, as few as end inside the window.
    Source: Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", section 5.2.
    """
    require_ndim(3, x=x)
    require_whole(1, horizon=horizon)
    require_whole(1, period=period)
    place = x.shape[1] - 1 + horizon - period * math.ceil(horizon / period)
    if place < 0:
        raise ValueError(f"period is {period}, more than a window of {x.shape[1]} can show {horizon} steps ahead")
    return x[:, place]


def forecast_series(
    x: Tensor,
    test: Tensor,
    window: int,
    horizon: int = 1,
    hidden: int = 8,
    steps: int = 60,
    lr: float = 0.05,
    *,
    gates: int = 4,
    model: Callable[..., Tensor],
    loss: Callable[..., tuple[Tensor, list[Tensor]]],
    step: Callable[..., tuple[list[Tensor], dict[str, Any]]],
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Trains a recurrent network on one series and forecasts another.

    Args:
        x: training series (T, D), any floating dtype and device, no column constant.
        test: the series to forecast, (S, D), measured after ``x``.
        window, horizon: as in ``make_windows``.
        hidden: size H of the hidden state.
        steps: how many steps to train.
        lr: learning rate, the same for all steps.
        gates: blocks of rows in the weights: 4 for an LSTM, 3 for a GRU.
        model: ``model(windows, *params)`` gives a forecast for each window, (M, D).
        loss: ``loss(params, windows, targets)`` gives the loss of the model's forecasts, and a list of its gradients.
        step: ``step(params, grads, state, lr)`` gives new parameters and a new state; the first state is ``{}``.
        generator: source of all randomness, on the device of ``x``.
    Returns:
        forecast: for every window of ``test`` one in the units of ``x``, (M, D).
        losses: the loss before each step, (steps,).
    Raises:
        ValueError: ``x`` or ``test`` has not two axes, or another number of columns, or is too short for one window;
            a number is below 1; the message names the argument.
    Derivation:
        Both series are standardised with mean and standard deviation of each column of ``x``: those of ``test`` are
        known only when it is over. Parameters start uniform in ±1/√hidden.
    Source: Chollet (2021), "Deep learning with Python", second edition, section 10.2.
    """
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), test=test)
    require_whole(1, window=window)
    require_whole(1, horizon=horizon)
    require_whole(1, hidden=hidden)
    require_whole(1, steps=steps)
    if len(x) < window + horizon:
        raise ValueError(f"x has {len(x)} times, one window and its target need {window + horizon}")
    if len(test) < window + horizon:
        raise ValueError(f"test has {len(test)} times, one window and its target need {window + horizon}")
    columns, mean, deviation = x.shape[1], x.mean(0), x.std(0)
    rows, bound = gates * hidden, 1 / hidden**0.5
    shapes = [(rows, columns), (rows, hidden), (rows,), (rows,), (columns, hidden), (columns,)]
    params = [
        bound * (2 * torch.rand(shape, generator=generator, dtype=x.dtype, device=x.device) - 1) for shape in shapes
    ]
    inputs, targets = make_windows((x - mean) / deviation, window, horizon)
    state: dict[str, Any] = {}
    losses = []
    for _ in range(steps):
        value, grads = loss(params, inputs, targets)
        losses.append(value)
        params, state = step(params, grads, state, lr)
    unseen, _ = make_windows((test - mean) / deviation, window, horizon)
    return model(unseen, *params) * deviation + mean, torch.stack(losses)


def char_lstm_loss(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    weight_out: Tensor,
    bias_out: Tensor,
    ignore_index: int = -100,
) -> Tensor:
    """Loss of a character model: how surprised it is, on average, by each next character.

    Args:
        x: texts as int64 numbers 0 … V - 1, (N, T + 1) with T >= 1; behind a shorter text stands ``ignore_index``.
        weight_ih, weight_hh, bias_ih, bias_hh: as in ``lstm_cell`` with D = V: (4H, V), (4H, H), (4H,), (4H,).
        weight_out, bias_out: linear layer from the hidden state to the scores, (V, H) and (V,); V and H are read here.
        ignore_index: fills up short texts; it is never to be predicted.
    Returns:
        loss: in nats, without axes, in the dtype of the weights; autograd can pass through it.
    Raises:
        ValueError: ``x`` has not two axes, or nothing to predict, or a number outside 0 … V - 1 that is not
            ``ignore_index``; or another argument's shape does not fit; the message names the argument.
    Derivation:
        The LSTM, from zero states, reads all but the last as one-hot vectors; after each a linear layer gives the
        scores of the next one. The loss is the mean of -log softmax(scores)[next] over all that is to be predicted;
        a logsumexp of large scores that is subtracted from them would be rounded. As what padding is read does not
        matter: nothing after it counts.
    Source: Graves (2013), "Generating sequences with recurrent neural networks", section 2.
    """
    require_ndim(2, x=x)
    require_ndim(2, weight_out=weight_out)
    require_shape((len(weight_out),), bias_out=bias_out)
    require_weights(4, len(weight_out), weight_out.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    if not (x[:, 1:] != ignore_index).any():
        raise ValueError(f"x, of shape {tuple(x.shape)}, has nothing to predict")
    if ((x != ignore_index) & ((x < 0) | (x >= len(weight_out)))).any():
        raise ValueError(f"x has numbers outside 0 … {len(weight_out) - 1}")
    vocabulary, hidden = weight_out.shape
    read, wanted = x.clamp(0, vocabulary - 1)[:, :-1], x.clamp(0, vocabulary - 1)[:, 1:]
    counts = x[:, 1:] != ignore_index
    one_hot = torch.eye(vocabulary, dtype=weight_ih.dtype, device=weight_ih.device)[read]
    zeros = weight_ih.new_zeros(len(x), hidden)
    out, _, _ = lstm_forward(one_hot, zeros, zeros, weight_ih, weight_hh, bias_ih, bias_hh)
    scores = out @ weight_out.T + bias_out
    log_p = torch.log_softmax(scores, dim=-1)
    chosen = log_p.gather(-1, wanted[..., None])[..., 0]
    return -torch.where(counts, chosen, 0).sum() / counts.sum()
