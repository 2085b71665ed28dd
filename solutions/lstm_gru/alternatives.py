"""Correct solutions of the assignment on LSTM and GRU that go another way than the reference."""

import math

import torch

from autograder.testing import alternative

from .reference import adam_step, gru_cell, lstm_cell, lstm_forward, require_cell, require_shape


@alternative("lstm_cell")
def lstm_gate_by_gate(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    require_cell(4, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape("c", c, (len(h), h.shape[1]))
    size = h.shape[1]

    def total(gate):
        rows = slice(gate * size, (gate + 1) * size)
        return torch.addmm(bias_ih[rows], x, weight_ih[rows].T) + torch.addmm(bias_hh[rows], h, weight_hh[rows].T)

    c_new = total(1).sigmoid() * c + total(0).sigmoid() * total(2).tanh()
    return total(3).sigmoid() * c_new.tanh(), c_new


@alternative("lstm_cell")
def lstm_by_einsum_on_a_table_of_gates(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    """tanh(s) is 2 sigmoid(2s) - 1, so that all four gates go through one sigmoid."""
    require_cell(4, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    if c.shape != h.shape:
        raise ValueError("c is not shaped like h")
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
    require_cell(4, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape("c", c, tuple(h.shape))
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
    require_cell(4, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape("c", c, tuple(h.shape))
    for grad in grad_out:
        require_shape("grad_out", grad, tuple(h.shape))
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
    if x.ndim != 3:
        raise ValueError("x needs three axes")
    require_shape("h0", h0, (len(x), -1))
    require_shape("c0", c0, tuple(h0.shape))
    require_cell(4, x.new_zeros(len(x), x.shape[2]), h0, weight_ih, weight_hh, bias_ih, bias_hh)
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
    require_shape("x", x, (-1, -1, -1))
    require_shape("h0", h0, (len(x), -1))
    require_shape("c0", c0, tuple(h0.shape))
    if x.shape[1] == 0:
        return h0.new_zeros(len(x), 0, h0.shape[1]), h0, c0
    h, c = lstm_cell(x[:, 0], h0, c0, weight_ih, weight_hh, bias_ih, bias_hh)
    out, *states = lstm_one_step_and_the_rest(x[:, 1:], h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return torch.cat([h.unsqueeze(1), out], 1), *states


@alternative("gru_cell")
def gru_gate_by_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """n + z (h - n) is the same mixture."""
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    size = h.shape[1]
    reset, update, new = (slice(k * size, (k + 1) * size) for k in range(3))
    r = torch.sigmoid(x @ weight_ih[reset].T + bias_ih[reset] + h @ weight_hh[reset].T + bias_hh[reset])
    z = torch.sigmoid(x @ weight_ih[update].T + bias_ih[update] + h @ weight_hh[update].T + bias_hh[update])
    n = torch.tanh(x @ weight_ih[new].T + bias_ih[new] + r * (h @ weight_hh[new].T + bias_hh[new]))
    return torch.lerp(n, h, z)


@alternative("gru_cell")
def gru_by_einsum(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    size = h.shape[1]
    a = torch.einsum("nd,gkd->gnk", x, weight_ih.reshape(3, size, -1)) + bias_ih.reshape(3, 1, size)
    b = torch.einsum("nj,gkj->gnk", h, weight_hh.reshape(3, size, size)) + bias_hh.reshape(3, 1, size)
    r, z = 1 / (1 + torch.exp(-(a[:2] + b[:2])))
    n = 2 / (1 + torch.exp(-2 * (a[2] + r * b[2]))) - 1
    return n + z * (h - n)


@alternative("gru_cell_backward")
def gru_gradient_block_by_block(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Each block of rows by itself, with n + z (h - n) for the forward pass."""
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
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
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape("grad_out", grad_out, tuple(h.shape))
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
    if x.ndim != 3:
        raise ValueError("x needs three axes")
    require_shape("h0", h0, (len(x), -1))
    require_cell(3, x.new_zeros(len(x), x.shape[2]), h0, weight_ih, weight_hh, bias_ih, bias_hh)
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
    require_shape("x", x, (-1, -1, -1))
    require_shape("h0", h0, (len(x), -1))
    if x.shape[1] == 0:
        return h0.new_zeros(len(x), 0, h0.shape[1]), h0
    h = gru_cell(x[:, 0], h0, weight_ih, weight_hh, bias_ih, bias_hh)
    out, last = gru_one_step_and_the_rest(x[:, 1:], h, weight_ih, weight_hh, bias_ih, bias_hh)
    return torch.cat([h.unsqueeze(1), out], 1), last


@alternative("recurrent_dropout")
def dropout_by_bernoulli(x, p=0.5, *, training=True, generator):
    require_shape("x", x, (-1, -1, -1))
    if p < 0 or p > 1:
        raise ValueError("p is no probability")
    mask = x.new_ones(len(x), 1, x.shape[2])
    if training and p > 0:
        kept = torch.empty_like(mask, dtype=torch.float32).bernoulli_(1 - p, generator=generator) > 0
        mask = mask.masked_fill(~kept, 0) / (1 - p if p < 1 else 1)
    return x * mask, mask


@alternative("recurrent_dropout")
def dropout_sequence_by_sequence(x, p=0.5, *, training=True, generator):
    require_shape("x", x, (-1, -1, -1))
    if p < 0 or p > 1:
        raise ValueError("p is no probability")
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


@alternative("forecast_series")
def forecast_with_parameters_drawn_at_once(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    """Draws all parameters at once, moves them in place with an Adam of its own, takes the population's deviation."""
    if x.ndim != 2:
        raise ValueError("x needs two axes")
    if test.ndim != 2 or test.shape[1] != x.shape[1]:
        raise ValueError("test needs the columns of x")
    _at_least_one(window=window)
    d = x.shape[1]
    shapes = [(4 * hidden, d), (4 * hidden, hidden), (4 * hidden,), (4 * hidden,), (d, hidden), (d,)]
    lengths = [math.prod(shape) for shape in shapes]
    drawn = x.new_empty(sum(lengths)).uniform_(-(hidden**-0.5), hidden**-0.5, generator=generator)
    params = [p.reshape(s).clone().requires_grad_() for p, s in zip(drawn.split(lengths), shapes, strict=True)]
    first, second = [torch.zeros_like(p) for p in params], [torch.zeros_like(p) for p in params]
    mean, deviation = x.mean(0, keepdim=True), x.std(0, correction=0, keepdim=True)

    def predict(series):
        inputs = ((series - mean) / deviation)[:-horizon].unfold(0, window, 1).mT
        zeros = inputs.new_zeros(len(inputs), hidden)
        out, _, _ = lstm_forward(inputs, zeros, zeros, *params[:4])
        return out[:, -1] @ params[4].T + params[5]

    targets, losses = ((x - mean) / deviation)[window + horizon - 1 :], []
    for count in range(1, steps + 1):
        loss = (predict(x) - targets).square().mean()
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for param, m, v in zip(params, first, second, strict=True):
                m.lerp_(param.grad, 0.1)
                v.lerp_(param.grad**2, 0.001)
                param.sub_(lr * (m / (1 - 0.9**count)) / (torch.sqrt(v / (1 - 0.999**count)) + 1e-8))
                param.grad = None
    with torch.no_grad():
        return predict(test) * deviation + mean, torch.tensor(losses, dtype=x.dtype)


@alternative("forecast_series")
def forecast_with_weights_drawn_last_first(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    """Draws the parameters in another order and works on transposed windows."""
    require_shape("x", x, (-1, -1))
    require_shape("test", test, (-1, x.shape[1]))
    _at_least_one(window=window)
    d = x.shape[1]
    centre, spread = x.mean(0), torch.sqrt(((x - x.mean(0)) ** 2).mean(0))
    shapes = [(d,), (d, hidden), (4 * hidden,), (4 * hidden,), (4 * hidden, hidden), (4 * hidden, d)]
    params = [(x.new_empty(s).uniform_(generator=generator) - 0.5) * 2 / hidden**0.5 for s in shapes]
    params, state, losses = [p.requires_grad_() for p in params], {}, []

    def forecast(series, params):
        bias_out, weight_out, bias_hh, bias_ih, weight_hh, weight_ih = params
        scaled = (series - centre) / spread
        count = len(series) - window - horizon + 1
        h = c = scaled.new_zeros(count, hidden)
        for t in range(window):
            h, c = lstm_cell(scaled[t : t + count], h, c, weight_ih, weight_hh, bias_ih, bias_hh)
        return h @ weight_out.T + bias_out

    wanted = ((x - centre) / spread)[window + horizon - 1 :]
    for _ in range(steps):
        loss = (forecast(x, params) - wanted).square().mean()
        losses.append(loss.detach())
        params, state = adam_step(params, torch.autograd.grad(loss, params), state, lr)
    return forecast(test, params).detach() * spread + centre, torch.stack(losses)


@alternative("char_lstm_loss")
def char_loss_by_a_mask(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    """One-hot vectors by comparing with every number; the same table picks the log-probability of what came."""
    _model(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out)
    one_hot = (x[..., None] == torch.arange(len(bias_out), device=x.device)).to(weight_out.dtype)
    zeros = one_hot.new_zeros(len(x), weight_out.shape[1])
    out, _, _ = lstm_forward(one_hot[:, :-1], zeros, zeros, weight_ih, weight_hh, bias_ih, bias_hh)
    log_p = torch.log_softmax(torch.einsum("nth,vh->ntv", out, weight_out) + bias_out, 2)
    return -(log_p * one_hot[:, 1:]).sum() / (x.shape[0] * (x.shape[1] - 1))


@alternative("char_lstm_loss")
def char_loss_step_by_step(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    """Picks columns of weight_ih instead of multiplying by one-hot vectors, and adds the losses step by step."""
    _model(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out)
    h = c = weight_hh.new_zeros(len(x), weight_hh.shape[1])
    losses = []
    for read, wanted in zip(x[:, :-1].T, x[:, 1:].T, strict=True):
        i, f, g, o = (weight_ih.T[read] + bias_ih + bias_hh + h @ weight_hh.T).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        scores = h @ weight_out.T + bias_out
        gaps = scores - scores[torch.arange(len(x), device=x.device), wanted][:, None]
        losses.append(torch.logsumexp(gaps, 1))
    return torch.stack(losses).mean()


def _at_least_one(**numbers):
    for name, number in numbers.items():
        if number <= 0:
            raise ValueError(f"{name} must be at least 1")


def _model(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    if x.ndim != 2 or x.shape[1] < 2:
        raise ValueError("x needs two axes and two characters")
    require_shape("weight_out", weight_out, (-1, -1))
    vocabulary, hidden = weight_out.shape
    require_shape("bias_out", bias_out, (vocabulary,))
    if ((x < 0) | (x >= vocabulary)).any():
        raise ValueError("x has an unknown character")
    zeros = weight_out.new_zeros(1, vocabulary), weight_out.new_zeros(1, hidden)
    require_cell(4, *zeros, weight_ih, weight_hh, bias_ih, bias_hh)
