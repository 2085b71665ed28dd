"""Reference solutions of the assignment on LSTM and GRU.

Every function takes tensors of any floating dtype on any device and returns tensors of the same dtype and device;
backwards are written by hand and recompute what they need. Autograd serves ``forecast_series`` alone.

The functions above the first exercise stand in the notebook's setup cell too: an exercise cell holds one definition.
"""

import math
from typing import Any

import torch
from torch import Tensor


def require_shape(name: str, x: Tensor, shape: tuple[int, ...]) -> None:
    """Raises ValueError that names the argument unless x has this shape; -1 stands for any length."""
    fits = x.ndim == len(shape) and all(want in (-1, have) for want, have in zip(shape, x.shape, strict=True))
    if not fits:
        raise ValueError(f"{name} has shape {tuple(x.shape)}, it has to be {tuple(shape)}")


def require_cell(
    gates: int, x: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> None:
    """Raises ValueError that names the first argument whose shape does not fit a cell with so many gates."""
    require_shape("x", x, (-1, -1))
    require_shape("h", h, (x.shape[0], -1))
    rows = gates * h.shape[1]
    require_shape("weight_ih", weight_ih, (rows, x.shape[1]))
    require_shape("weight_hh", weight_hh, (rows, h.shape[1]))
    require_shape("bias_ih", bias_ih, (rows,))
    require_shape("bias_hh", bias_hh, (rows,))


def adam_step(
    params: list[Tensor], grads: list[Tensor], state: dict[str, Any], lr: float
) -> tuple[list[Tensor], dict[str, Any]]:
    """One step of the optimiser Adam: new parameters, ready for autograd, and new state; ``state`` begins as {}."""
    count = state.get("count", 0) + 1
    means = [0.9 * m + 0.1 * g for m, g in zip(state.get("means", [0] * len(grads)), grads, strict=True)]
    squares = [0.999 * s + 0.001 * g * g for s, g in zip(state.get("squares", [0] * len(grads)), grads, strict=True)]
    moved = [
        p.detach() - lr * m / (1 - 0.9**count) / ((s / (1 - 0.999**count)).sqrt() + 1e-8)
        for p, m, s in zip(params, means, squares, strict=True)
    ]
    return [p.requires_grad_() for p in moved], {"count": count, "means": means, "squares": squares}


def lstm_cell(
    x: Tensor, h: Tensor, c: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """One step of a long short-term memory.

    The rows of the weights and biases stand in four blocks of H, in the order i, f, g, o. With s the sums
    x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh:
    i, f, o = sigmoid(s_i), sigmoid(s_f), sigmoid(s_o) and g = tanh(s_g);
    c_new = f * c + i * g; h_new = o * tanh(c_new).

    Args:
        x: input of this step, (N, D), any floating dtype and device.
        h: hidden state before it, (N, H).
        c: cell state before it, (N, H).
        weight_ih, weight_hh: weights (4H, D) of the input and (4H, H) of the hidden state.
        bias_ih, bias_hh: their biases, (4H,) each.
    Returns:
        ``(h_new, c_new)``, each (N, H).
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Source: Hochreiter & Schmidhuber (1997), "Long short-term memory"; the forget gate from Gers et al. (2000),
        "Learning to forget: continual prediction with LSTM".
    """
    require_cell(4, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape("c", c, h.shape)
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

    The new memory is heard twice, directly and through h_new: dc = grad_c + grad_h * o * (1 - tanh²(c_new)).
    The sums receive ds_i = dc * g * i(1 - i), ds_f = dc * c * f(1 - f), ds_g = dc * i * (1 - g²) and
    ds_o = grad_h * tanh(c_new) * o(1 - o), and pass them on like every linear layer.

    Args:
        grad_out: the pair ``(grad_h, grad_c)`` of upstream gradients of h_new and c_new, each (N, H).
        x, h, c, weight_ih, weight_hh, bias_ih, bias_hh: as in the forward pass.
    Returns:
        Gradients of x, h, c, weight_ih, weight_hh, bias_ih and bias_hh, in this order, each shaped like its argument.
    Raises:
        ValueError: an argument's shape does not fit, or one of ``grad_out`` is not shaped (N, H).
    Source: Hochreiter & Schmidhuber (1997), "Long short-term memory", appendix A;
        Graves (2012), "Supervised sequence labelling with recurrent neural networks", section 4.6.
    """
    require_cell(4, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape("c", c, h.shape)
    grad_h, grad_c = grad_out
    require_shape("grad_out (of h)", grad_h, h.shape)
    require_shape("grad_out (of c)", grad_c, h.shape)
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
    """Runs one LSTM cell along a sequence: each step gets the hidden state and the cell state of the one before.

    Args:
        x: sequences (N, T, D), any floating dtype and device; T may be 0.
        h0, c0: states before the first step, (N, H) each.
        weight_ih, weight_hh, bias_ih, bias_hh: as in ``lstm_cell``, the same at every step.
    Returns:
        ``(out, h, c)``: the hidden states of all steps, (N, T, H), and both states after the last one, (N, H).
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Source: Hochreiter & Schmidhuber (1997), "Long short-term memory".
    """
    require_shape("x", x, (-1, -1, -1))
    require_shape("h0", h0, (x.shape[0], -1))
    require_shape("c0", c0, h0.shape)
    h, c, states = h0, c0, []
    for step in x.unbind(1):
        h, c = lstm_cell(step, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
        states.append(h)
    out = torch.stack(states, dim=1) if states else h0.new_zeros(x.shape[0], 0, h0.shape[1])
    return out, h, c


def gru_cell(x: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    """One step of a gated recurrent unit, the reset gate after the product as in torch.

    The rows of the weights and biases stand in three blocks of H, in the order r, z, n. With a the sums
    x @ weight_ih.T + bias_ih and b the sums h @ weight_hh.T + bias_hh: r = sigmoid(a_r + b_r),
    z = sigmoid(a_z + b_z), n = tanh(a_n + r * b_n), h_new = (1 - z) * n + z * h.

    Args:
        x: input of this step, (N, D), any floating dtype and device.
        h: hidden state before it, (N, H).
        weight_ih, weight_hh: weights (3H, D) of the input and (3H, H) of the hidden state.
        bias_ih, bias_hh: their biases, (3H,) each.
    Returns:
        ``h_new``, (N, H).
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Source: Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine
        translation", section 2.3, which resets before the product.
    """
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    a_r, a_z, a_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=1)
    b_r, b_z, b_n = (h @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    n = torch.tanh(a_n + r * b_n)
    return (1 - z) * n + z * h


def gru_cell_backward(
    grad_out: Tensor, x: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of ``gru_cell`` with respect to all its arguments.

    With G the upstream gradient: ds_n = G * (1 - z) * (1 - n²), ds_z = G * (h - n) * z(1 - z) and
    ds_r = ds_n * b_n * r(1 - r). The sums a of the input receive (ds_r, ds_z, ds_n), the sums b of the hidden state
    (ds_r, ds_z, ds_n * r). The hidden state also passes straight through, which adds G * z.

    Args:
        grad_out: upstream gradient G, (N, H).
        x, h, weight_ih, weight_hh, bias_ih, bias_hh: as in the forward pass.
    Returns:
        Gradients of x, h, weight_ih, weight_hh, bias_ih and bias_hh, in this order, each shaped like its argument.
    Raises:
        ValueError: an argument's shape does not fit, or ``grad_out`` is not shaped (N, H).
    Source: Chung et al. (2014), "Empirical evaluation of gated recurrent neural networks on sequence modeling",
        section 3.2, differentiated by the chain rule.
    """
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape("grad_out", grad_out, h.shape)
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
    """Runs one GRU cell along a sequence: each step gets the hidden state of the one before.

    Args:
        x: sequences (N, T, D), any floating dtype and device; T may be 0.
        h0: hidden state before the first step, (N, H).
        weight_ih, weight_hh, bias_ih, bias_hh: as in ``gru_cell``, the same at every step.
    Returns:
        ``(out, h)``: the hidden states of all steps, (N, T, H), and the one after the last step, (N, H).
    Raises:
        ValueError: an argument's shape does not fit; the message names it.
    Source: Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine
        translation", section 2.3.
    """
    require_shape("x", x, (-1, -1, -1))
    require_shape("h0", h0, (x.shape[0], -1))
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

    While training, each of the D features of each sequence becomes 0 with probability p, at all steps alike;
    what is kept is divided by 1 - p, so that its expected value stays.

    Args:
        x: sequences (N, T, D), any floating dtype and device.
        p: probability of [0, 1] to drop a feature.
        training: False changes nothing.
        generator: source of all randomness, on the device of ``x``.
    Returns:
        ``(out, mask)``: ``out`` is x * mask, shaped like ``x``; ``mask`` is (N, 1, D) and of the dtype of ``x``: 0 or
        1 / (1 - p) for each feature while training (only 0 for p = 1), else 1.
    Raises:
        ValueError: ``x`` has not three axes, or ``p`` is outside [0, 1].
    Source: Gal & Ghahramani (2016), "A theoretically grounded application of dropout in recurrent neural networks",
        section 4.
    """
    require_shape("x", x, (-1, -1, -1))
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}, it has to be in [0, 1]")
    mask = x.new_ones(x.shape[0], 1, x.shape[2])
    if training:
        kept = torch.rand(mask.shape, generator=generator, device=x.device) >= p
        mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(mask)
    return x * mask, mask


def make_windows(x: Tensor, window: int, horizon: int = 1, stride: int = 1) -> tuple[Tensor, Tensor]:
    """Cuts a time series into training pairs: a stretch of the past, and the value some steps after its end.

    Pair k has the input x[k * stride : k * stride + window] and the target x[k * stride + window - 1 + horizon].
    As many pairs are made as have a target: (T - window - horizon) // stride + 1.

    Args:
        x: series (T, D) of T times and D measured quantities, any dtype and device.
        window: length of the input, at least 1.
        horizon: how many steps after the last input value the target lies, at least 1.
        stride: how many steps one input begins after the one before, at least 1.
    Returns:
        ``(inputs, targets)`` of shapes (M, window, D) and (M, D).
    Raises:
        ValueError: ``window``, ``horizon`` or ``stride`` is below 1, or ``x`` has not two axes or is too short for
            one pair.
    Source: Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", section 5.10.
    """
    for name, value in (("window", window), ("horizon", horizon), ("stride", stride)):
        if value < 1:
            raise ValueError(f"{name} is {value}, it has to be at least 1")
    require_shape("x", x, (-1, -1))
    if len(x) < window + horizon:
        raise ValueError(f"x has {len(x)} times, one pair needs {window + horizon}")
    starts = torch.arange(0, len(x) - window - horizon + 1, stride, device=x.device)
    inside = torch.arange(window, device=x.device)
    return x[starts[:, None] + inside], x[starts + window - 1 + horizon]


def naive_forecast(x: Tensor, horizon: int = 1, period: int = 1) -> Tensor:
    """The forecast to beat: the last value seen that lies a whole number of periods before the target.

    The target lies at place window - 1 + horizon, counted from the window's first value. From there
    ceil(horizon / period) periods are stepped back, as few as end inside the window. A period of 1 repeats the
    window's last value.

    Args:
        x: windows (M, window, D) as ``make_windows`` cuts them, any dtype and device.
        horizon: how many steps after the window's last value the target lies, at least 1.
        period: length of the cycle in steps, at least 1.
    Returns:
        One forecast for each window, (M, D).
    Raises:
        ValueError: ``x`` has not three axes, ``horizon`` or ``period`` is below 1, or the window is too short for
            the ``period``.
    Source: Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", section 5.2.
    """
    require_shape("x", x, (-1, -1, -1))
    for name, value in (("horizon", horizon), ("period", period)):
        if value < 1:
            raise ValueError(f"{name} is {value}, it has to be at least 1")
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
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Trains an LSTM on one series and forecasts another.

    Both series are standardised with mean and standard deviation of each column of ``x``. The network reads a
    window by ``lstm_forward`` from zero states; a linear layer turns the last hidden state into the forecast.
    Each of ``steps`` steps takes all windows of ``x``, the mean squared error (of standardised values), its gradient
    by autograd, and ``adam_step``. All parameters start uniform in ±1/√hidden, drawn with ``generator``.

    Args:
        x: training series (T, D), any floating dtype and device, no column constant.
        test: the series to forecast, (S, D), measured after ``x``.
        window, horizon: as in ``make_windows``.
        hidden: size H of the hidden state.
        steps: how many steps to train.
        lr: learning rate of Adam.
        generator: source of all randomness, on the device of ``x``.
    Returns:
        ``(forecast, losses)``: a forecast in the units of ``x`` for every window of ``test``, (M, D), and the loss
        before each step, (steps,); both without a gradient.
    Raises:
        ValueError: ``x`` has not two axes, ``test`` has not as many columns as ``x``, or ``make_windows`` refuses.
    Source: Chollet (2021), "Deep learning with Python", second edition, section 10.2; Kingma & Ba (2015), "Adam".
    """
    require_shape("x", x, (-1, -1))
    require_shape("test", test, (-1, x.shape[1]))
    columns, mean, deviation = x.shape[1], x.mean(0), x.std(0)
    inputs, targets = make_windows((x - mean) / deviation, window, horizon)
    shapes = [(4 * hidden, columns), (4 * hidden, hidden), (4 * hidden,), (4 * hidden,), (columns, hidden), (columns,)]
    params = [
        ((2 * torch.rand(s, generator=generator, dtype=x.dtype, device=x.device) - 1) / hidden**0.5).requires_grad_()
        for s in shapes
    ]

    def predict(inputs: Tensor) -> Tensor:
        weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out = params
        zeros = inputs.new_zeros(len(inputs), hidden)
        _, h, _ = lstm_forward(inputs, zeros, zeros, weight_ih, weight_hh, bias_ih, bias_hh)
        return h @ weight_out.T + bias_out

    state: dict[str, Any] = {}
    losses = x.new_zeros(steps)
    for step in range(steps):
        loss = ((predict(inputs) - targets) ** 2).mean()
        losses[step] = loss.detach()
        params, state = adam_step(params, list(torch.autograd.grad(loss, params)), state, lr)
    unseen, _ = make_windows((test - mean) / deviation, window, horizon)
    return predict(unseen).detach() * deviation + mean, losses


def char_lstm_loss(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    weight_out: Tensor,
    bias_out: Tensor,
) -> Tensor:
    """Loss of a character model: how surprised it is, on average, by each next character.

    Characters are numbers 0 … V - 1. The LSTM, from zero states, reads all but the last as one-hot vectors; after
    each a linear layer gives the scores of the next one. The loss is the mean of -log softmax(scores)[next] over all
    N * T predictions, in nats.

    Args:
        x: texts as int64 numbers, (N, T + 1) with T >= 1.
        weight_ih, weight_hh, bias_ih, bias_hh: as in ``lstm_cell`` with D = V: (4H, V), (4H, H), (4H,), (4H,).
        weight_out, bias_out: linear layer from the hidden state to the scores, (V, H) and (V,); V and H are read here.
    Returns:
        A tensor without axes in the dtype of the weights, through which autograd can pass.
    Raises:
        ValueError: ``x`` has not two axes, or fewer than two characters a row, or a number outside 0 … V - 1;
            or another argument's shape does not fit; the message names the argument.
    Source: Graves (2013), "Generating sequences with recurrent neural networks", section 2.
    """
    require_shape("x", x, (-1, -1))
    require_shape("weight_out", weight_out, (-1, -1))
    vocabulary, hidden = weight_out.shape
    require_shape("bias_out", bias_out, (vocabulary,))
    if x.shape[1] < 2:
        raise ValueError(f"x has {x.shape[1]} characters a row, at least 2 are needed")
    if x.numel() and (x.min() < 0 or x.max() >= vocabulary):
        raise ValueError(f"x has numbers outside 0 … {vocabulary - 1}")
    one_hot = torch.eye(vocabulary, dtype=weight_ih.dtype, device=weight_ih.device)[x[:, :-1]]
    zeros = weight_ih.new_zeros(len(x), hidden)
    out, _, _ = lstm_forward(one_hot, zeros, zeros, weight_ih, weight_hh, bias_ih, bias_hh)
    scores = out @ weight_out.T + bias_out
    log_p = scores - torch.logsumexp(scores, dim=-1, keepdim=True)
    return -log_p.gather(-1, x[:, 1:, None]).mean()
