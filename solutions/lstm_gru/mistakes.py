"""Known wrong solutions of the assignment on LSTM and GRU, each with what to tell its author."""

import math

import torch

from autograder.testing import mistake

from .reference import (
    adam_step,
    char_lstm_loss,
    forecast_series,
    gru_cell,
    gru_cell_backward,
    gru_forward,
    lstm_cell,
    lstm_cell_backward,
    lstm_forward,
    make_windows,
    naive_forecast,
    recurrent_dropout,
    require_cell,
    require_shape,
)


@mistake("lstm_cell", says="The blocks of rows are read in the order i, f, o, g. Which block is the candidate?")
def reads_the_gates_in_another_order(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    i, f, o, g = _lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return _lstm(i, f, g, o, c)


@mistake(
    "lstm_cell", says="Input gate and forget gate have changed places: the old memory is let in, the new one kept."
)
def swaps_input_and_forget_gate(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    i, f, g, o = _lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return _lstm(f, i, g, o, c)


@mistake("lstm_cell", says="The candidate g goes through a sigmoid, so the memory can only grow. It is no gate.")
def squashes_the_candidate_like_a_gate(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    i, f, g, o = _lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(g), torch.sigmoid(o)
    c_new = f * c + i * g
    return o * torch.tanh(c_new), c_new


@mistake("lstm_cell", says="The hidden state is made from the old memory. Which one does the output gate look at?")
def shows_the_old_memory(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    _, _, _, o = _lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    _, c_new = lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return torch.sigmoid(o) * torch.tanh(c), c_new


@mistake("lstm_cell", says="The memory goes to the output gate as it is, so h_new can leave the range from -1 to 1.")
def forgets_the_second_tanh(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    _, _, _, o = _lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    _, c_new = lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return torch.sigmoid(o) * c_new, c_new


@mistake("lstm_cell", says="Only one of the two biases is added.")
def adds_one_bias(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    return lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, torch.zeros_like(bias_hh))


@mistake("lstm_cell", says="The two results stand in the wrong order. The exercise says which comes first.")
def returns_the_memory_first(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    return lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)[::-1]


@mistake(
    "lstm_cell",
    says="An argument whose shape does not fit is broadcast, or fails somewhere inside. Refuse every one of them first.",
)
def lstm_refuses_nothing(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    i, f, g, o = (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, 1)
    return _lstm(i, f, g, o, c)


@mistake("lstm_cell", says="The memory is updated in the tensor that was passed in. The caller still needs it.")
def updates_the_memory_in_place(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    h_new, c_new = lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return h_new, c.copy_(c_new)


@mistake(
    "lstm_cell_backward",
    says="The upstream gradient of the memory is ignored. c_new is a result of its own, on which later steps depend.",
)
def ignores_the_gradient_of_the_memory(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    grad_h, grad_c = _lstm_upstream(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    grad_out = grad_h, torch.zeros_like(grad_c)
    return lstm_cell_backward(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)


@mistake(
    "lstm_cell_backward",
    says="Only the upstream gradient of the memory enters it. h_new is computed from the memory too.",
)
def forgets_that_the_hidden_state_shows_the_memory(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    grad_h, grad_c = _lstm_upstream(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return _lstm_backward(grad_h, grad_c, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, through_h=0)


@mistake(
    "lstm_cell_backward",
    says="The way from h_new to the memory leads through a tanh, whose slope is missing.",
)
def forgets_the_slope_of_the_second_tanh(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    grad_h, grad_c = _lstm_upstream(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return _lstm_backward(grad_h, grad_c, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, slope=False)


@mistake(
    "lstm_cell_backward",
    says="The old memory gets the whole gradient of the new one. What is it multiplied by in the forward pass?",
)
def lets_the_whole_gradient_through(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    grads = list(lstm_cell_backward(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh))
    o = torch.sigmoid(_lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)[3])
    _, c_new = lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    grads[2] = grad_out[1] + grad_out[0] * o * (1 - torch.tanh(c_new) ** 2)
    return tuple(grads)


@mistake("lstm_cell_backward", says="The forget gate is multiplied by the old memory, not by the new one.")
def takes_the_new_memory_for_the_forget_gate(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    grad_h, grad_c = _lstm_upstream(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    _, c_new = lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return _lstm_backward(grad_h, grad_c, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, forgets=c_new)


@mistake("lstm_cell_backward", says="The candidate's slope is that of a sigmoid. Which function makes g from its sum?")
def takes_the_candidate_for_a_gate(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    grad_h, grad_c = _lstm_upstream(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return _lstm_backward(grad_h, grad_c, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, gate_like=True)


@mistake("lstm_cell_backward", says="Gradients of weights and biases are averaged over the batch. The chain rule adds.")
def averages_over_the_batch(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    grads = lstm_cell_backward(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    return (*grads[:3], *(grad / max(1, len(x)) for grad in grads[3:]))


@mistake(
    "lstm_cell_backward", says="weight_hh is multiplied by the old hidden state in the forward pass, not by h_new."
)
def takes_the_new_hidden_state_for_the_weights(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    h_new, _ = lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    grads = list(lstm_cell_backward(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh))
    i, f, g, o = _lstm_sum_gradients(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    grads[4] = torch.cat([i, f, g, o], 1).T @ h_new
    return tuple(grads)


@mistake("lstm_cell_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def lstm_broadcasts_the_upstream_gradient(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    grad_h, grad_c = (grad.expand(h.shape) for grad in grad_out)
    return lstm_cell_backward((grad_h, grad_c), x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)


@mistake("lstm_forward", says="Every step begins with h0 and c0 again. Each has to begin where the one before ended.")
def lstm_begins_anew_at_every_step(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    out, h, c = lstm_forward(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh)
    steps = [lstm_cell(s, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh) for s in x.unbind(1)]
    return (torch.stack([h for h, _ in steps], 1), *steps[-1]) if steps else (out, h, c)


@mistake("lstm_forward", says="The hidden state is handed on, the memory is not: every step begins with c0.")
def does_not_hand_on_the_memory(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    out, h, c = lstm_forward(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh)
    h, states = h0, []
    for s in x.unbind(1):
        h, c = lstm_cell(s, h, c0, weight_ih, weight_hh, bias_ih, bias_hh)
        states.append(h)
    return torch.stack(states, 1) if states else out, h, c


@mistake("lstm_forward", says="The loop runs along the first axis, which is the batch. Time is the second.")
def lstm_runs_along_the_batch(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    require_shape("x", x, (-1, -1, -1))
    require_shape("h0", h0, (x.shape[0], -1))
    require_shape("c0", c0, h0.shape)
    return lstm_forward(x.transpose(0, 1), h0, c0, weight_ih, weight_hh, bias_ih, bias_hh)


@mistake("lstm_forward", says="h0 and c0 are ignored: the sequence begins with zeros.")
def lstm_begins_with_zeros(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    lstm_forward(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh)
    return lstm_forward(x, torch.zeros_like(h0), torch.zeros_like(c0), weight_ih, weight_hh, bias_ih, bias_hh)


@mistake("lstm_forward", says="The memories of all steps are returned. The exercise asks for the hidden states.")
def returns_the_memories(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    out, h, c = lstm_forward(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh)
    h_now, c_now, memories = h0, c0, []
    for s in x.unbind(1):
        h_now, c_now = lstm_cell(s, h_now, c_now, weight_ih, weight_hh, bias_ih, bias_hh)
        memories.append(c_now)
    return torch.stack(memories, 1) if memories else out, h, c


@mistake("lstm_forward", says="The hidden states are stacked along a new first axis. Time is the second axis.")
def stacks_time_first(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh):
    out, h, c = lstm_forward(x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh)
    return out.transpose(0, 1), h, c


@mistake(
    "gru_cell", says="The hidden state is reset before it is multiplied by its weights. Here r comes after the product."
)
def resets_before_the_product(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    (a_r, a_z, a_n), (b_r, b_z, _) = _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z, size = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z), h.shape[1]
    n = torch.tanh(a_n + (r * h) @ weight_hh[2 * size :].T + bias_hh[2 * size :])
    return (1 - z) * n + z * h


@mistake(
    "gru_cell", says="The bias of the hidden part of the candidate stands outside the reset gate. What does r multiply?"
)
def keeps_the_bias_out_of_the_reset(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    zeros = torch.zeros_like(bias_hh)
    return gru_cell(x, h, weight_ih, weight_hh, bias_ih + bias_hh, zeros)


@mistake("gru_cell", says="z and 1 - z have changed places: an open update gate has to keep the old state.")
def lets_the_update_gate_forget(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    (a_r, a_z, a_n), (b_r, b_z, b_n) = _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    return z * torch.tanh(a_n + r * b_n) + (1 - z) * h


@mistake("gru_cell", says="The first two blocks of rows are read in the order z, r.")
def reads_update_before_reset(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    (a_z, a_r, a_n), (b_z, b_r, b_n) = _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    return (1 - z) * torch.tanh(a_n + r * b_n) + z * h


@mistake("gru_cell", says="The reset gate is computed and not used: the candidate always sees the whole old state.")
def never_resets(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    require_cell(3, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    (_, a_z, a_n), (_, b_z, b_n) = _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    z = torch.sigmoid(a_z + b_z)
    return (1 - z) * torch.tanh(a_n + b_n) + z * h


@mistake(
    "gru_cell",
    says="An argument whose shape does not fit is broadcast, or fails somewhere inside. Refuse every one of them first.",
)
def gru_refuses_nothing(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    (a_r, a_z, a_n), (b_r, b_z, b_n) = _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    return (1 - z) * torch.tanh(a_n + r * b_n) + z * h


@mistake(
    "gru_cell_backward",
    says="The old state gets its gradient through the gates alone. It also passes straight through.",
)
def forgets_the_direct_way(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return _gru_backward(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh, direct=False)


@mistake(
    "gru_cell_backward",
    says="The candidate's gradient reaches the hidden sums without the reset gate that multiplies them.",
)
def forgets_the_reset_on_the_way_back(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return _gru_backward(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh, reset=False)


@mistake("gru_cell_backward", says="The sign of the update gate's gradient is wrong. What grows when z grows, n or h?")
def turns_the_update_gate_round(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return _gru_backward(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh, sign=-1)


@mistake("gru_cell_backward", says="The reset gate multiplies the candidate's hidden sum, not the hidden state itself.")
def takes_the_state_for_its_sum(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return _gru_backward(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh, resets=h)


@mistake("gru_cell_backward", says="The slope of the candidate's tanh is missing.")
def forgets_the_slope_of_the_candidate(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return _gru_backward(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh, slope=False)


@mistake("gru_cell_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def gru_broadcasts_the_upstream_gradient(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return gru_cell_backward(grad_out.expand(h.shape), x, h, weight_ih, weight_hh, bias_ih, bias_hh)


@mistake("gru_forward", says="Every step begins with h0 again. Each has to begin where the one before ended.")
def gru_begins_anew_at_every_step(x, h0, weight_ih, weight_hh, bias_ih, bias_hh):
    out, h = gru_forward(x, h0, weight_ih, weight_hh, bias_ih, bias_hh)
    states = [gru_cell(s, h0, weight_ih, weight_hh, bias_ih, bias_hh) for s in x.unbind(1)]
    return (torch.stack(states, 1), states[-1]) if states else (out, h)


@mistake("gru_forward", says="The loop runs along the first axis, which is the batch. Time is the second.")
def gru_runs_along_the_batch(x, h0, weight_ih, weight_hh, bias_ih, bias_hh):
    require_shape("x", x, (-1, -1, -1))
    require_shape("h0", h0, (x.shape[0], -1))
    return gru_forward(x.transpose(0, 1), h0, weight_ih, weight_hh, bias_ih, bias_hh)


@mistake("gru_forward", says="h0 is ignored: the sequence begins with zeros.")
def gru_begins_with_zeros(x, h0, weight_ih, weight_hh, bias_ih, bias_hh):
    gru_forward(x, h0, weight_ih, weight_hh, bias_ih, bias_hh)
    return gru_forward(x, torch.zeros_like(h0), weight_ih, weight_hh, bias_ih, bias_hh)


@mistake("gru_forward", says="The sequence is read from its end to its beginning.")
def reads_backwards(x, h0, weight_ih, weight_hh, bias_ih, bias_hh):
    require_shape("x", x, (-1, -1, -1))
    return gru_forward(x.flip(1), h0, weight_ih, weight_hh, bias_ih, bias_hh)


@mistake(
    "recurrent_dropout", says="Every step draws a mask of its own. What is dropped has to stay dropped for all steps."
)
def draws_a_mask_for_every_step(x, p=0.5, *, training=True, generator):
    return _dropped(x, p, training, x.shape, generator)


@mistake("recurrent_dropout", says="All sequences of the batch share one mask. Each has its own.")
def shares_a_mask_in_the_batch(x, p=0.5, *, training=True, generator):
    out, mask = _dropped(x, p, training, (1, 1, x.shape[-1]), generator)
    return out, mask.expand(len(x), 1, -1)


@mistake("recurrent_dropout", says="All features of a sequence are kept or dropped together. Each has its own draw.")
def drops_whole_sequences(x, p=0.5, *, training=True, generator):
    out, mask = _dropped(x, p, training, (len(x), 1, 1), generator)
    return out, mask.expand(-1, 1, x.shape[-1])


@mistake(
    "recurrent_dropout", says="The kept entries are not scaled up, so their expected value shrinks while training."
)
def forgets_to_scale(x, p=0.5, *, training=True, generator):
    _, mask = recurrent_dropout(x, p, training=training, generator=generator)
    mask = (mask > 0).to(x.dtype)
    return x * mask, mask


@mistake(
    "recurrent_dropout", says="The entries are scaled, the mask is not: a backward that multiplies by it goes wrong."
)
def returns_a_mask_without_the_scale(x, p=0.5, *, training=True, generator):
    out, mask = recurrent_dropout(x, p, training=training, generator=generator)
    return out, (mask > 0).to(x.dtype)


@mistake("recurrent_dropout", says="Features are kept with probability p. p is the probability to drop one.")
def keeps_with_probability_p(x, p=0.5, *, training=True, generator):
    return _dropped(x, p, training, (len(x), 1, x.shape[-1]), generator, keeps=True)


@mistake("recurrent_dropout", says="Features are dropped in evaluation too. What does training=False ask for?")
def drops_in_evaluation(x, p=0.5, *, training=True, generator):
    return recurrent_dropout(x, p, training=True, generator=generator)


@mistake("recurrent_dropout", says="The randomness comes from torch's global state, so nobody can repeat it.")
def draws_from_the_global_state(x, p=0.5, *, training=True, generator):
    return _dropped(x, p, training, (len(x), 1, x.shape[-1]), torch.default_generator)


@mistake("recurrent_dropout", says="For p = 1 this is 0 / 0, which is nan.")
def divides_zero_by_zero(x, p=0.5, *, training=True, generator):
    _, mask = recurrent_dropout(x, p, training=training, generator=generator)
    mask = (mask > 0).to(x.dtype) / torch.tensor(1 - p if training else 1, dtype=x.dtype)
    return x * mask, mask


@mistake("make_windows", says="The last pair is missing: the series still has a target for one more window.")
def makes_one_pair_too_few(x, window, horizon=1, stride=1):
    inputs, targets = make_windows(x, window, horizon, stride)
    return inputs[:-1], targets[:-1]


@mistake(
    "make_windows", says="The target is one step too early: with horizon 1 it is a value that the window shows already."
)
def shows_the_target(x, window, horizon=1, stride=1):
    inputs, _ = make_windows(x, window, horizon, stride)
    return inputs, x[window + horizon - 2 :: stride][: len(inputs)]


@mistake("make_windows", says="`horizon` is ignored: the target is always the value right after the window.")
def ignores_the_horizon(x, window, horizon=1, stride=1):
    inputs, _ = make_windows(x, window, horizon, stride)
    return inputs, x[window::stride][: len(inputs)]


@mistake("make_windows", says="`stride` is ignored: a window begins at every time.")
def ignores_the_stride(x, window, horizon=1, stride=1):
    make_windows(x, window, horizon, stride)
    return make_windows(x, window, horizon)


@mistake(
    "make_windows",
    says="The windows do not overlap: each begins where the one before ended. How far apart does `stride` put them?",
)
def steps_by_whole_windows(x, window, horizon=1, stride=1):
    make_windows(x, window, horizon, stride)
    return make_windows(x, window, horizon, stride * window)


@mistake("make_windows", says="A series that is too short, or a number below 1, is not refused.")
def windows_refuse_nothing(x, window, horizon=1, stride=1):
    require_shape("x", x, (-1, -1))
    starts = range(0, len(x) - window - horizon + 1, stride or 1)
    inputs = [x[k : k + window] for k in starts]
    return (
        torch.stack(inputs) if inputs else x.new_zeros(0, max(window, 0), x.shape[1]),
        x[[k + window - 1 + horizon for k in starts]],
    )


@mistake("naive_forecast", says="`period` is ignored: the last value is always repeated.")
def always_repeats_the_last_value(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x[:, -1]


@mistake("naive_forecast", says="The period is counted from the window's end. It has to be counted from the target.")
def counts_from_the_end_of_the_window(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x[:, max(0, x.shape[1] - period)]


@mistake("naive_forecast", says="The period is counted from the window's last value, one place too far back.")
def goes_one_place_too_far_back(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x[:, max(0, x.shape[1] - 1 - period)]


@mistake(
    "naive_forecast", says="More periods than needed are stepped back where the horizon is a whole number of them."
)
def steps_back_one_period_too_many(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    place = x.shape[1] - 1 + horizon - period * (horizon // period + 1)
    return x[:, max(0, place)]


@mistake("naive_forecast", says="The mean of the window is forecast. The naive forecast repeats one value.")
def forecasts_the_mean(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x.mean(1)


@mistake("naive_forecast", says="A place before the window counts from its end instead of being refused.")
def wraps_round(x, horizon=1, period=1):
    require_shape("x", x, (-1, -1, -1))
    for name, value in (("horizon", horizon), ("period", period)):
        if value < 1:
            raise ValueError(name)
    return x[:, (x.shape[1] - 1 + horizon - period * math.ceil(horizon / period)) % x.shape[1]]


@mistake("forecast_series", says="The forecast stays in standardised units. It has to come back in those of x.")
def forgets_to_undo_the_standardising(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    forecast, losses = forecast_series(x, test, window, horizon, hidden, steps, lr, generator=generator)
    return (forecast - x.mean(0)) / x.std(0), losses


@mistake(
    "forecast_series",
    says="The test series is standardised by its own mean and deviation: they are known only when it is over.",
)
def standardises_test_by_itself(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    require_shape("x", x, (-1, -1))
    require_shape("test", test, (-1, x.shape[1]))
    alike = (test - test.mean(0)) / test.std(0) * x.std(0) + x.mean(0)
    return forecast_series(x, alike, window, horizon, hidden, steps, lr, generator=generator)


@mistake("forecast_series", says="The series are not standardised. What does a sigmoid do with a temperature of 20?")
def does_not_standardise(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    return _forecast(x, test, window, horizon, hidden, steps, lr, generator, standardise=False)


@mistake(
    "forecast_series", says="The losses are computed, but the parameters that forecast are those of the beginning."
)
def never_learns(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    return forecast_series(x, test, window, horizon, hidden, steps, 0.0, generator=generator)


@mistake(
    "forecast_series",
    says="Every step begins with a new state of the optimiser. `adam_step` returns it to be passed on.",
)
def forgets_the_state_of_the_optimiser(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    return _forecast(x, test, window, horizon, hidden, steps, lr, generator, keeps_state=False)


@mistake("forecast_series", says="The loss is the mean absolute error. The exercise asks for the squared one.")
def learns_absolute_errors(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    return _forecast(x, test, window, horizon, hidden, steps, lr, generator, power=1)


@mistake("forecast_series", says="The parameters go uphill: the losses grow. Which sign does `adam_step` expect?")
def climbs_instead_of_descending(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    return forecast_series(x, test, window, horizon, hidden, steps, -lr, generator=generator)


@mistake(
    "forecast_series", says="Each loss is measured after its step. It has to be measured before the parameters move."
)
def measures_after_the_step(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    begin = generator.get_state()
    forecast, _ = forecast_series(x, test, window, horizon, hidden, steps, lr, generator=generator)
    end = generator.get_state()
    generator.set_state(begin)
    _, losses = forecast_series(x, test, window, horizon, hidden, steps + 1, lr, generator=generator)
    generator.set_state(end)
    return forecast, losses[1:]


@mistake(
    "forecast_series", says="The parameters are drawn from torch's global state. The generator was passed in for that."
)
def draws_parameters_from_the_global_state(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    own = torch.Generator().manual_seed(int(torch.randint(0, 1_000_000, ())))
    return forecast_series(x, test, window, horizon, hidden, steps, lr, generator=own)


@mistake("forecast_series", says="The network also trains on the series that it has to forecast.")
def trains_on_the_test_series(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, generator):
    require_shape("x", x, (-1, -1))
    require_shape("test", test, (-1, x.shape[1]))
    both = torch.cat([x, test])
    return forecast_series(both, test, window, horizon, hidden, steps, lr, generator=generator)


@mistake("char_lstm_loss", says="Every character is its own target. The model is asked for the next one.")
def predicts_what_it_reads(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    return _char_loss(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, targets=x[:, :-1])


@mistake("char_lstm_loss", says="The losses are added up. The exercise asks for their mean over all predictions.")
def adds_the_losses_up(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    loss = char_lstm_loss(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out)
    return loss * x.shape[0] * (x.shape[1] - 1)


@mistake("char_lstm_loss", says="Only the last character is predicted. Each hidden state predicts the one after it.")
def predicts_the_last_alone(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    return _char_loss(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, last=True)


@mistake("char_lstm_loss", says="The loss is in bits: the logarithm has base 2. Nats take the natural one.")
def counts_in_bits(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    return char_lstm_loss(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out) / math.log(2)


@mistake(
    "char_lstm_loss",
    says="The logarithm is taken of a probability that was rounded to 0. Let it cancel the exponential.",
)
def takes_the_logarithm_of_zero(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    return _char_loss(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, rounded=True)


@mistake(
    "char_lstm_loss", says="The scores are compared along the time axis. Rivals are the characters of the vocabulary."
)
def normalises_along_time(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    return _char_loss(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, dim=1)


@mistake(
    "char_lstm_loss",
    says="A negative number picks a character from the end of the vocabulary instead of being refused.",
)
def accepts_negative_characters(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out):
    wrapped = torch.where(x < 0, x + len(bias_out), x)
    return char_lstm_loss(wrapped, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out)


def _lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    require_cell(4, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    require_shape("c", c, h.shape)
    return (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, 1)


def _lstm(i, f, g, o, c):
    c_new = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_new), c_new


def _lstm_upstream(grad_out, x, h, c, *weights):
    lstm_cell_backward(grad_out, x, h, c, *weights)
    return grad_out


def _lstm_sum_gradients(
    grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, *, through_h=1, slope=True, forgets=None, gate_like=False
):
    grad_h, grad_c = grad_out
    s_i, s_f, s_g, s_o = _lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    i, f, g, o = torch.sigmoid(s_i), torch.sigmoid(s_f), torch.tanh(s_g), torch.sigmoid(s_o)
    t = torch.tanh(f * c + i * g)
    dc = grad_c + through_h * grad_h * o * (1 - t * t if slope else 1)
    before = c if forgets is None else forgets
    g_slope = g * (1 - g) if gate_like else 1 - g * g
    return dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * g_slope, grad_h * t * o * (1 - o)


def _lstm_backward(grad_h, grad_c, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, **faults):
    parts = _lstm_sum_gradients((grad_h, grad_c), x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, **faults)
    ds = torch.cat(parts, 1)
    _, s_f, _, s_o = _lstm_sums(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    _, c_new = lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    t = torch.tanh(c_new)
    through_h = grad_h * torch.sigmoid(s_o) * (1 - t * t if faults.get("slope", True) else 1)
    dc = grad_c + faults.get("through_h", 1) * through_h
    return ds @ weight_ih, ds @ weight_hh, dc * torch.sigmoid(s_f), ds.T @ x, ds.T @ h, ds.sum(0), ds.sum(0)


def _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return (x @ weight_ih.T + bias_ih).chunk(3, 1), (h @ weight_hh.T + bias_hh).chunk(3, 1)


def _gru_backward(
    grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh, *, direct=True, reset=True, sign=1, resets=None, slope=True
):
    gru_cell_backward(grad_out, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    (a_r, a_z, a_n), (b_r, b_z, b_n) = _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    n = torch.tanh(a_n + r * b_n)
    ds_n = grad_out * (1 - z) * (1 - n * n if slope else 1)
    ds_z = sign * grad_out * (h - n) * z * (1 - z)
    ds_r = ds_n * (b_n if resets is None else resets) * r * (1 - r)
    da = torch.cat([ds_r, ds_z, ds_n], 1)
    db = torch.cat([ds_r, ds_z, ds_n * r if reset else ds_n], 1)
    grad_h = db @ weight_hh + (grad_out * z if direct else 0)
    return da @ weight_ih, grad_h, da.T @ x, db.T @ h, da.sum(0), db.sum(0)


def _dropped(x, p, training, shape, generator, *, keeps=False):
    recurrent_dropout(x, p, training=False, generator=generator)
    mask = x.new_ones(shape)
    if training:
        drawn = torch.rand(shape, generator=generator)
        kept = drawn < p if keeps else drawn >= p
        mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(mask)
    return x * mask, mask


def _forecast(x, test, window, horizon, hidden, steps, lr, generator, *, standardise=True, keeps_state=True, power=2):
    require_shape("x", x, (-1, -1))
    require_shape("test", test, (-1, x.shape[1]))
    d = x.shape[1]
    mean, deviation = (x.mean(0), x.std(0)) if standardise else (torch.zeros_like(x[0]), torch.ones_like(x[0]))
    inputs, targets = make_windows((x - mean) / deviation, window, horizon)
    params = [
        ((2 * torch.rand(shape, generator=generator, dtype=x.dtype) - 1) / hidden**0.5).requires_grad_()
        for shape in [(4 * hidden, d), (4 * hidden, hidden), (4 * hidden,), (4 * hidden,), (d, hidden), (d,)]
    ]

    def predict(inputs):
        zeros = inputs.new_zeros(len(inputs), hidden)
        return lstm_forward(inputs, zeros, zeros, *params[:4])[1] @ params[4].T + params[5]

    state, losses = {}, x.new_zeros(steps)
    for step in range(steps):
        loss = ((predict(inputs) - targets).abs() ** power).mean()
        losses[step] = loss.detach()
        params, state = adam_step(params, torch.autograd.grad(loss, params), state if keeps_state else {}, lr)
    unseen, _ = make_windows((test - mean) / deviation, window, horizon)
    return predict(unseen).detach() * deviation + mean, losses


def _char_loss(
    x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out, *, targets=None, last=False, rounded=False, dim=-1
):
    char_lstm_loss(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_out, bias_out)
    one_hot = torch.eye(len(bias_out), dtype=weight_ih.dtype)[x[:, :-1]]
    zeros = weight_ih.new_zeros(len(x), weight_out.shape[1])
    out, _, _ = lstm_forward(one_hot, zeros, zeros, weight_ih, weight_hh, bias_ih, bias_hh)
    scores = out @ weight_out.T + bias_out
    log_p = torch.log(torch.softmax(scores, dim)) if rounded else torch.log_softmax(scores, dim)
    chosen = log_p.gather(-1, (x[:, 1:] if targets is None else targets)[..., None])
    return -(chosen[:, -1:] if last else chosen).mean()
