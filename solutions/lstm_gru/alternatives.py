"""Correct solutions of the assignment on LSTM and GRU that go another way than the reference."""

import math

import torch

from autograder.guards import require_between, require_ndim, require_same_shape, require_shape, require_whole
from autograder.testing import alternative

from .reference import (
    gru_cell,
    lstm_cell,
    lstm_cell_backward,
    lstm_forward,
    make_windows,
    require_weights,
)


def _fits(gates, x, h, c, *weights, axes=2, names=("h", "c")):
    """The lines that refuse, as they stand above a solution."""
    require_ndim(axes, x=x)
    require_shape((len(x), None), **{names[0]: h})
    if c is not None:
        require_same_shape(**{names[1]: c, names[0]: h})
    require_weights(gates, x.shape[-1], h.shape[1], *weights)


@alternative("lstm_cell")
def lstm_gate_by_gate(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    _fits(4, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    size = h.shape[1]

    def total(gate):
        rows = slice(gate * size, (gate + 1) * size)
        return torch.addmm(bias_ih[rows], x, weight_ih[rows].T) + torch.addmm(bias_hh[rows], h, weight_hh[rows].T)

    c_new = total(1).sigmoid() * c + total(0).sigmoid() * total(2).tanh()
    return total(3).sigmoid() * c_new.tanh(), c_new


@alternative("lstm_cell")
def lstm_by_einsum_on_a_table_of_gates(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    """tanh(s) is 2 sigmoid(2s) - 1, so that all four gates go through one sigmoid."""
    _fits(4, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    size = h.shape[1]
    sums = torch.einsum("nd,gkd->gnk", x, weight_ih.reshape(4, size, -1))
    sums = sums + torch.einsum("nj,gkj->gnk", h, weight_hh.reshape(4, size, size))
    sums = sums + (bias_ih + bias_hh).reshape(4, 1, size)
    sums[2] *= 2
    i, f, g, o = 1 / (1 + torch.exp(-sums))
    c_new = torch.addcmul(f * c, i, 2 * g - 1)
    return o * (2 / (1 + torch.exp(-2 * c_new)) - 1), c_new


@alternative("lstm_cell_backward")
def lstm_gradient_by_a_table_of_gates(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    """Gates on an axis of their own, products by einsum, the slope of a sigmoid as that of a tanh."""
    _fits(4, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    if any(grad.shape != h.shape for grad in grad_out):
        raise ValueError("grad_out does not fit")
    size = h.shape[1]
    w, u = weight_ih.reshape(4, size, -1), weight_hh.reshape(4, size, size)
    s = torch.einsum("nd,gkd->gnk", x, w) + torch.einsum("nj,gkj->gnk", h, u) + (bias_ih + bias_hh).reshape(4, 1, -1)
    halved = s * s.new_tensor([0.5, 0.5, 1.0, 0.5])[:, None, None]
    slopes = (1 - torch.tanh(halved)) * (1 + torch.tanh(halved))
    slopes = slopes * s.new_tensor([0.25, 0.25, 1.0, 0.25])[:, None, None]
    (i, f, _, o), g = torch.sigmoid(s), torch.tanh(s[2])
    shown = torch.tanh(f * c + i * g)
    of_memory = grad_out[1] + grad_out[0] * o * (1 - shown) * (1 + shown)
    d = slopes * torch.stack([of_memory * g, of_memory * c, of_memory * i, grad_out[0] * shown])
    of_bias = d.sum(1).flatten()
    return (
        torch.einsum("gnk,gkd->nd", d, w),
        torch.einsum("gnk,gkj->nj", d, u),
        of_memory * f,
        torch.einsum("gnk,nd->gkd", d, x).flatten(0, 1),
        torch.einsum("gnk,nj->gkj", d, h).flatten(0, 1),
        of_bias,
        of_bias.clone(),
    )


@alternative("lstm_cell_backward")
def lstm_gradient_sample_by_sample(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    """Every sample by itself, with outer products, and gate by gate."""
    _fits(4, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    for grad in grad_out:
        require_same_shape(grad_out=grad, h=h)
    grads = [torch.zeros_like(arg) for arg in (x, h, c, weight_ih, weight_hh, bias_ih)]
    for k in range(len(x)):
        s = (weight_ih @ x[k] + weight_hh @ h[k] + (bias_ih + bias_hh)).reshape(4, -1)
        i, f, o, g = s[0].sigmoid(), s[1].sigmoid(), s[3].sigmoid(), s[2].tanh()
        t = (f * c[k] + i * g).tanh()
        d_memory = grad_out[1][k] + grad_out[0][k] * o / torch.cosh(f * c[k] + i * g) ** 2
        d = torch.cat(
            [
                d_memory * g * i * s[0].neg().sigmoid(),
                d_memory * c[k] * f * s[1].neg().sigmoid(),
                d_memory * i * (1 - g) * (1 + g),
                grad_out[0][k] * t * o * s[3].neg().sigmoid(),
            ]
        )
        grads[0][k], grads[1][k], grads[2][k] = weight_ih.T @ d, weight_hh.T @ d, f * d_memory
        grads[3] += torch.outer(d, x[k])
        grads[4] += torch.outer(d, h[k])
        grads[5] += d
    return (*grads, grads[5].clone())


@alternative("lstm_forward")
def lstm_on_a_tensor_made_before(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    """The products of all inputs are taken at once; the loop only adds those of the hidden state."""
    _fits(4, x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh, axes=3, names=("h0", "c0"))
    sums = x @ weight_ih.T + (bias_ih + bias_hh)
    out = x.new_zeros(x.shape[0], x.shape[1], h0.shape[1])
    h, c = h0, c0
    for t in range(x.shape[1]):
        i, f, g, o = (sums[:, t] + h @ weight_hh.T).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        out[:, t] = h
    return out, h, c


@alternative("lstm_forward")
def lstm_one_step_and_the_rest(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    """Reads the first step and hands the rest to itself."""
    _fits(4, x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh, axes=3, names=("h0", "c0"))
    if x.shape[1] == 0:
        return h0.new_zeros(len(x), 0, h0.shape[1]), h0, c0
    h, c = lstm_cell(x[:, 0], h0, c0, weight_ih, weight_hh, bias_ih, bias_hh)
    out, *states = lstm_one_step_and_the_rest(x[:, 1:], h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return torch.cat([h.unsqueeze(1), out], 1), *states


@alternative("gru_cell")
def gru_gate_by_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """n + z (h - n) is the same mixture."""
    _fits(3, x, h, None, weight_ih, weight_hh, bias_ih, bias_hh)
    size = h.shape[1]
    reset, update, new = (slice(k * size, (k + 1) * size) for k in range(3))
    r = torch.sigmoid(x @ weight_ih[reset].T + bias_ih[reset] + h @ weight_hh[reset].T + bias_hh[reset])
    z = torch.sigmoid(x @ weight_ih[update].T + bias_ih[update] + h @ weight_hh[update].T + bias_hh[update])
    n = torch.tanh(x @ weight_ih[new].T + bias_ih[new] + r * (h @ weight_hh[new].T + bias_hh[new]))
    return torch.lerp(n, h, z)


@alternative("gru_cell")
def gru_by_einsum(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    _fits(3, x, h, None, weight_ih, weight_hh, bias_ih, bias_hh)
    size = h.shape[1]
    a = torch.einsum("nd,gkd->gnk", x, weight_ih.reshape(3, size, -1)) + bias_ih.reshape(3, 1, size)
    b = torch.einsum("nj,gkj->gnk", h, weight_hh.reshape(3, size, size)) + bias_hh.reshape(3, 1, size)
    r, z = 1 / (1 + torch.exp(-(a[:2] + b[:2])))
    n = 2 / (1 + torch.exp(-2 * (a[2] + r * b[2]))) - 1
    return n + z * (h - n)


@alternative("gru_cell_backward")
def gru_gradient_block_by_block(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Each block of rows by itself, with n + z (h - n) for the forward pass."""
    _fits(3, x, h, None, weight_ih, weight_hh, bias_ih, bias_hh)
    if grad_out.shape != h.shape:
        raise ValueError("grad_out does not fit")
    w, u, p, q = weight_ih.chunk(3), weight_hh.chunk(3), bias_ih.chunk(3), bias_hh.chunk(3)
    a = [x @ w[k].T + p[k] for k in range(3)]
    b = [h @ u[k].T + q[k] for k in range(3)]
    r, z = torch.sigmoid(a[0] + b[0]), torch.sigmoid(a[1] + b[1])
    n = torch.tanh(a[2] + r * b[2])
    of_n = (grad_out - grad_out * z) * (1 - n**2)
    of_z = grad_out * (h - n) * (z - z**2)
    of_r = of_n * b[2] * (r - r**2)
    into_a, into_b = [of_r, of_z, of_n], [of_r, of_z, of_n * r]
    return (
        sum(into_a[k] @ w[k] for k in range(3)),
        sum((into_b[k] @ u[k] for k in range(3)), grad_out * z),
        torch.cat([d.T @ x for d in into_a]),
        torch.cat([d.T @ h for d in into_b]),
        torch.cat([d.sum(0) for d in into_a]),
        torch.cat([d.sum(0) for d in into_b]),
    )


@alternative("gru_cell_backward")
def gru_gradient_sample_by_sample(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Every sample by itself, with outer products."""
    _fits(3, x, h, None, weight_ih, weight_hh, bias_ih, bias_hh)
    require_same_shape(grad_out=grad_out, h=h)
    grads = [torch.zeros_like(arg) for arg in (x, h, weight_ih, weight_hh, bias_ih, bias_hh)]
    for k, upstream in enumerate(grad_out):
        a_r, a_z, a_n = (weight_ih @ x[k] + bias_ih).chunk(3)
        b_r, b_z, b_n = (weight_hh @ h[k] + bias_hh).chunk(3)
        r, z = (a_r + b_r).sigmoid(), (a_z + b_z).sigmoid()
        n = (a_n + r * b_n).tanh()
        d_n = upstream * (a_z + b_z).neg().sigmoid() * (1 - n) * (1 + n)
        d_z = upstream * (h[k] - n) * z * (a_z + b_z).neg().sigmoid()
        d_r = d_n * b_n * r * (a_r + b_r).neg().sigmoid()
        d_a, d_b = torch.cat([d_r, d_z, d_n]), torch.cat([d_r, d_z, r * d_n])
        grads[0][k], grads[1][k] = weight_ih.T @ d_a, weight_hh.T @ d_b + z * upstream
        for place, d, read in ((2, d_a, x[k]), (3, d_b, h[k])):
            grads[place] += torch.outer(d, read)
            grads[place + 2] += d
    return tuple(grads)


@alternative("gru_forward")
def gru_on_a_tensor_made_before(x, h0, weight_ih, weight_hh, bias_ih, bias_hh):
    """The products of all inputs are taken at once; the loop only adds those of the hidden state."""
    _fits(3, x, h0, None, weight_ih, weight_hh, bias_ih, bias_hh, axes=3, names=("h0", ""))
    sums = x @ weight_ih.T + bias_ih
    out = x.new_zeros(x.shape[0], x.shape[1], h0.shape[1])
    h = h0.clone()
    for t in range(x.shape[1]):
        (a_r, a_z, a_n), (b_r, b_z, b_n) = sums[:, t].chunk(3, -1), (h @ weight_hh.T + bias_hh).chunk(3, -1)
        z = (a_z + b_z).sigmoid()
        h = (1 - z) * (a_n + (a_r + b_r).sigmoid() * b_n).tanh() + z * h
        out[:, t] = h
    return out, h


@alternative("gru_forward")
def gru_one_step_and_the_rest(x, h0, weight_ih, weight_hh, bias_ih, bias_hh):
    """Reads the first step and hands the rest to itself."""
    _fits(3, x, h0, None, weight_ih, weight_hh, bias_ih, bias_hh, axes=3, names=("h0", ""))
    if x.shape[1] == 0:
        return h0.new_zeros(len(x), 0, h0.shape[1]), h0
    h = gru_cell(x[:, 0], h0, weight_ih, weight_hh, bias_ih, bias_hh)
    out, last = gru_one_step_and_the_rest(x[:, 1:], h, weight_ih, weight_hh, bias_ih, bias_hh)
    return torch.cat([h.unsqueeze(1), out], 1), last


@alternative("recurrent_dropout")
def dropout_by_bernoulli(x, p=0.5, *, training=True, generator):
    require_ndim(3, x=x)
    require_between(0, 1, p=p)
    mask = x.new_ones(len(x), 1, x.shape[2])
    if training and p > 0:
        kept = torch.empty_like(mask, dtype=torch.float32).bernoulli_(1 - p, generator=generator) > 0
        mask = mask.masked_fill(~kept, 0) / (1 - p if p < 1 else 1)
    return x * mask, mask


@alternative("recurrent_dropout")
def dropout_sequence_by_sequence(x, p=0.5, *, training=True, generator):
    require_ndim(3, x=x)
    require_between(0, 1, p=p)
    mask = x.new_zeros(len(x), 1, x.shape[2])
    out = torch.zeros_like(x)
    share = 1 - p if training else 1
    for k, sequence in enumerate(x):
        kept = torch.rand(x.shape[2], generator=generator, dtype=torch.float64, device=x.device) < share
        if kept.any():
            mask[k, 0, kept] = 1 / share
            out[k][:, kept] = sequence[:, kept] / share
    return out, mask


@alternative("make_windows")
def windows_by_unfold(x, window, horizon=1, stride=1):
    _at_least_one(window=window, horizon=horizon, stride=stride)
    if x.ndim != 2 or len(x) < window + horizon:
        raise ValueError("x does not fit")
    inputs = x[:-horizon].unfold(0, window, stride).transpose(1, 2)
    return inputs, x[window + horizon - 1 :: stride]


@alternative("make_windows")
def windows_one_by_one(x, window, horizon=1, stride=1):
    _at_least_one(window=window, horizon=horizon, stride=stride)
    if x.ndim != 2 or len(x) < window + horizon:
        raise ValueError("x does not fit")
    inputs, targets, start = [], [], 0
    while start + window + horizon <= len(x):
        inputs.append(x[start : start + window])
        targets.append(x[start + window + horizon - 1])
        start += stride
    return torch.stack(inputs), torch.stack(targets)


@alternative("naive_forecast")
def naive_by_stepping_back(x, horizon=1, period=1):
    if x.ndim != 3:
        raise ValueError("x needs three axes")
    _at_least_one(horizon=horizon, period=period)
    place = x.shape[1] + horizon - 1
    while place >= x.shape[1]:
        place -= period
    if place < 0:
        raise ValueError("period does not fit into the window")
    return x[:, place, :]


@alternative("naive_forecast")
def naive_by_repeating_the_last_cycle(x, horizon=1, period=1):
    if x.ndim != 3:
        raise ValueError("x needs three axes")
    _at_least_one(horizon=horizon, period=period)
    missing = max(0, period - x.shape[1])  # places of the last cycle that the window does not show
    place = (horizon - 1) % period - missing
    if place < 0:
        raise ValueError("period does not fit into the window")
    return x[:, -period:][:, place]


def _series(x, test, window, horizon, hidden, steps):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), test=test)
    require_whole(1, window=window)
    require_whole(1, horizon=horizon)
    require_whole(1, hidden=hidden)
    require_whole(1, steps=steps)
    for name, series in (("x", x), ("test", test)):
        if len(series) < window + horizon:
            raise ValueError(f"{name} is too short")


@alternative("forecast_series")
def forecast_with_parameters_drawn_at_once(
    x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, gates=4, model, loss, step, generator
):
    """Draws all parameters at once, takes the population's deviation, fills a tensor of losses made before."""
    _series(x, test, window, horizon, hidden, steps)
    d, rows = x.shape[1], gates * hidden
    shapes = [(rows, d), (rows, hidden), (rows,), (rows,), (d, hidden), (d,)]
    lengths = [math.prod(shape) for shape in shapes]
    drawn = x.new_empty(sum(lengths)).uniform_(-(hidden**-0.5), hidden**-0.5, generator=generator)
    params = [p.reshape(shape) for p, shape in zip(drawn.split(lengths), shapes, strict=True)]
    mean, deviation = x.mean(0, keepdim=True), x.std(0, correction=0, keepdim=True)
    scaled, unseen = (x - mean) / deviation, (test - mean) / deviation
    inputs, targets = scaled[:-horizon].unfold(0, window, 1).mT, scaled[window + horizon - 1 :]
    losses, state = x.new_empty(steps), {}
    for k in range(steps):
        losses[k], grads = loss(params=params, windows=inputs, targets=targets)
        params, state = step(params, grads, state, lr=lr)
    return torch.addcmul(mean, model(unseen[:-horizon].unfold(0, window, 1).mT, *params), deviation), losses


@alternative("forecast_series")
def forecast_with_parameters_drawn_last_first(
    x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, gates=4, model, loss, step, generator
):
    """Draws the parameters in another order, as a tuple, and looks at the test series before the training."""
    _series(x, test, window, horizon, hidden, steps)
    d, rows = x.shape[1], gates * hidden
    centre, spread = x.mean(0), torch.sqrt(((x - x.mean(0)) ** 2).mean(0))
    unseen = make_windows((test - centre) / spread, window, horizon)[0]
    shapes = [(d,), (d, hidden), (rows,), (rows,), (rows, hidden), (rows, d)]
    drawn = [(x.new_empty(s).uniform_(generator=generator) - 0.5) * 2 / hidden**0.5 for s in shapes]
    params, state, losses = tuple(drawn[::-1]), {}, []
    while len(losses) < steps:
        value, grads = loss(params, *make_windows((x - centre) / spread, window, horizon))
        losses += [value]
        params, state = step(params, grads, state, lr)
    return model(unseen, *params) * spread + centre, torch.stack(losses)


@alternative("char_lstm_loss")
def char_loss_by_a_mask(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, ignore_index=-100):
    """One-hot vectors by comparing with every number; the same table picks the log-probability of what came."""
    _model(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, ignore_index)
    one_hot = (x[..., None] == torch.arange(len(bias_out), device=x.device)).to(weight_out.dtype)
    zeros = one_hot.new_zeros(len(x), weight_out.shape[1])
    out, _, _ = lstm_forward(one_hot[:, :-1], zeros, zeros, weight_ih, weight_hh, bias_ih, bias_hh)
    log_p = torch.log_softmax(torch.einsum("nth,vh->ntv", out, weight_out) + bias_out, 2)
    counts = (x[:, 1:] != ignore_index)[..., None]
    return -(log_p * one_hot[:, 1:])[counts.expand_as(log_p)].sum() / counts.sum()


@alternative("char_lstm_loss")
def char_loss_step_by_step(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, ignore_index=-100):
    """Picks columns of weight_ih instead of multiplying by one-hot vectors, and collects the losses step by step."""
    _model(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, ignore_index)
    h = c = weight_hh.new_zeros(len(x), weight_hh.shape[1])
    losses = []
    for read, wanted in zip(x[:, :-1].T, x[:, 1:].T, strict=True):
        columns = weight_ih.T[torch.where(read == ignore_index, 0, read)]
        i, f, g, o = (columns + bias_ih + bias_hh + h @ weight_hh.T).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        scores, is_text = (h @ weight_out.T + bias_out), wanted != ignore_index
        gaps = scores[is_text] - scores[is_text].gather(1, wanted[is_text][:, None])
        losses.append(torch.logsumexp(gaps, 1))
    return torch.cat(losses).mean()


def _model(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, ignore_index):
    require_ndim(2, x=x)
    require_ndim(2, weight_out=weight_out)
    require_shape((len(weight_out),), bias_out=bias_out)
    require_weights(4, len(weight_out), weight_out.shape[1], weight_ih, weight_hh, bias_ih, bias_hh)
    if not (x[:, 1:] != ignore_index).any() or ((x != ignore_index) & ((x < 0) | (x >= len(weight_out)))).any():
        raise ValueError("x has nothing to predict, or an unknown character")


def _at_least_one(**numbers):
    for name, number in numbers.items():
        require_whole(1, **{name: number})


@alternative("lstm_backward")
def back_through_time_by_recursion(grad_out, x, h0, c0, *weights):
    """The last step first: its cell's backward, then the rest of the sequence."""
    _fits(4, x, h0, c0, *weights, axes=3, names=("h0", "c0"))
    _upstream(grad_out, x, h0)
    states, grad_h, grad_c = grad_out
    if x.shape[1] == 0:
        return torch.zeros_like(x), grad_h, grad_c, *map(torch.zeros_like, weights)
    _, h, c = lstm_forward(x[:, :-1], h0, c0, *weights)
    upstream = states[:, -1] + grad_h, grad_c
    last, grad_h, grad_c, *grads = lstm_cell_backward(upstream, x[:, -1], h, c, *weights)
    earlier, *more = back_through_time_by_recursion((states[:, :-1], grad_h, grad_c), x[:, :-1], h0, c0, *weights)
    both = [a + b for a, b in zip(more[2:], grads, strict=True)]
    return torch.cat([earlier, last[:, None]], 1), more[0], more[1], *both


@alternative("lstm_backward")
def back_through_time_with_one_product_at_the_end(grad_out, x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    """Keeps the gates of all steps, collects the gradients of all sums, and multiplies them once."""
    _fits(4, x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh, axes=3, names=("h0", "c0"))
    _upstream(grad_out, x, h0)
    h, c, kept = h0, c0, []
    for t in range(x.shape[1]):
        i, f, g, o = (x[:, t] @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, -1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        kept.append((i, f, g, o, h, c))
        c = f * c + i * g
        h = o * c.tanh()
    states, d_h, d_c = grad_out
    sums = x.new_zeros(x.shape[0], x.shape[1], 4 * h0.shape[1])
    for t in range(x.shape[1] - 1, -1, -1):
        i, f, g, o, before, memory = kept[t]
        d_h = d_h + states[:, t]
        shown = torch.tanh(f * memory + i * g)
        d_c = d_c + d_h * o * (1 - shown**2)
        gates = d_c * g * i * (1 - i), d_c * memory * f * (1 - f), d_c * i * (1 - g**2), d_h * shown * o * (1 - o)
        sums[:, t] = torch.cat(gates, -1)
        d_h, d_c = sums[:, t] @ weight_hh, d_c * f
    before = torch.stack([k[4] for k in kept], 1) if kept else x.new_zeros(len(x), 0, h0.shape[1])
    flat = sums.flatten(0, 1)
    of_bias = flat.sum(0)
    return (
        sums @ weight_ih,
        d_h,
        d_c,
        flat.T @ x.flatten(0, 1),
        flat.T @ before.flatten(0, 1),
        of_bias,
        of_bias.clone(),
    )


def _upstream(grad_out, x, h0):
    require_shape((*x.shape[:2], h0.shape[1]), grad_out=grad_out[0])
    require_same_shape(grad_out=grad_out[1], h=h0)
    require_same_shape(grad_out=grad_out[2], h=h0)
