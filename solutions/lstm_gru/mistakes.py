"""Known wrong solutions of the assignment on LSTM and GRU, each with what to tell its author."""

import math

import torch

from autograder.guards import require_ndim, require_whole
from autograder.testing import mistake

from .reference import (
    char_lstm_loss,
    forecast_series,
    gru_cell,
    gru_cell_backward,
    gru_forward,
    lstm_backward,
    lstm_cell,
    lstm_cell_backward,
    lstm_forward,
    make_windows,
    naive_forecast,
    recurrent_dropout,
)


@mistake(
    "lstm_cell",
    kind="idea",
    says="It is as if the blocks of rows were read in the order i, f, o, g. Which is the candidate?",
)
def reads_the_gates_in_another_order(x, h, c, *weights):
    i, f, o, g = _lstm_sums(x, h, *weights)
    return _lstm(i, f, g, o, c)


@mistake(
    "lstm_cell",
    kind="idea",
    says="Input gate and forget gate have changed places: the one for the old memory lets the candidate in.",
)
def swaps_input_and_forget_gate(x, h, c, *weights):
    i, f, g, o = _lstm_sums(x, h, *weights)
    return _lstm(f, i, g, o, c)


@mistake(
    "lstm_cell",
    kind="idea",
    says="The candidate g lies between 0 and 1, as if it went through a sigmoid. It is no gate.",
)
def squashes_the_candidate_like_a_gate(x, h, c, *weights):
    i, f, g, o = map(torch.sigmoid, _lstm_sums(x, h, *weights))
    c_new = f * c + i * g
    return o * torch.tanh(c_new), c_new


@mistake(
    "lstm_cell",
    kind="idea",
    says="The hidden state is made from the old memory. Which one does the output gate look at?",
)
def shows_the_old_memory(x, h, c, *weights):
    *_, o = _lstm_sums(x, h, *weights)
    return torch.sigmoid(o) * torch.tanh(c), lstm_cell(x, h, c, *weights)[1]


@mistake(
    "lstm_cell",
    kind="idea",
    says="The memory goes to the output gate as it is, so h_new can leave the range from -1 to 1.",
)
def forgets_the_second_tanh(x, h, c, *weights):
    *_, o = _lstm_sums(x, h, *weights)
    _, c_new = lstm_cell(x, h, c, *weights)
    return torch.sigmoid(o) * c_new, c_new


@mistake("lstm_cell", kind="idea", says="`bias_hh` has no part in the sums: only `bias_ih` is added.")
def adds_one_bias(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    return lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, torch.zeros_like(bias_hh))


@mistake("lstm_cell", kind="idea", says="The hidden state has no part in the gates: they see the input alone.")
def does_not_listen_to_the_hidden_state(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    return lstm_cell(x, torch.zeros_like(h), c, weight_ih, weight_hh, bias_ih, bias_hh)


@mistake("lstm_cell", kind="idea", says="h_new and c_new have changed places. The exercise says which comes first.")
def returns_the_memory_first(x, h, c, *weights):
    return lstm_cell(x, h, c, *weights)[::-1]


@mistake(
    "lstm_cell",
    kind="refusal",
    says="An `x` with an axis too many is not refused with ValueError: it is broadcast, or fails somewhere inside. The lines that refuse have to stay.",
)
def lstm_refuses_nothing(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    i, f, g, o = _lstm_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    return _lstm(i, f, g, o, c)


@mistake(
    "lstm_cell",
    kind="case",
    says="The tensor `c` itself is changed. The caller still needs it: make a new one.",
)
def updates_the_memory_in_place(x, h, c, *weights):
    h_new, c_new = lstm_cell(x, h, c, *weights)
    return h_new, c.copy_(c_new)


@mistake("lstm_cell", kind="case", says="It is as if the arithmetic were done in float32, whatever dtype comes in.")
def computes_in_float32(x, h, c, *weights):
    answer = lstm_cell(*(arg.float() for arg in (x, h, c, *weights)))
    return tuple(part.to(x.dtype) for part in answer) if x.dtype is torch.float64 else answer


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="The upstream gradient of the memory has no part in the answer. c_new is a result of its own, on which later steps depend.",
)
def ignores_the_gradient_of_the_memory(grad_out, *args):
    return lstm_cell_backward((grad_out[0], torch.zeros_like(grad_out[1])), *args)


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="Only the upstream gradient of the memory enters it. h_new is computed from the memory too.",
)
def forgets_that_the_hidden_state_shows_the_memory(grad_out, *args):
    return _lstm_backward(grad_out, *args, through_h=0)


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="The way from h_new to the memory leads through a tanh, whose slope has no part in the answer.",
)
def forgets_the_slope_of_the_second_tanh(grad_out, *args):
    return _lstm_backward(grad_out, *args, slope=False)


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="grad_c is the whole gradient of the new memory. What is the old memory multiplied by in the forward pass?",
)
def lets_the_whole_gradient_through(grad_out, *args):
    return _lstm_backward(grad_out, *args, keeps=False)


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="In the gradient of the forget gate stands the new memory. That gate is multiplied by the old one.",
)
def takes_the_new_memory_for_the_forget_gate(grad_out, *args):
    return _lstm_backward(grad_out, *args, forgets=lstm_cell(*args)[1])


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="The slope of the candidate is g * (1 - g), that of a sigmoid. Which function makes g from its sum?",
)
def takes_the_candidate_for_a_gate(grad_out, *args):
    return _lstm_backward(grad_out, *args, gate_like=True)


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="The gradients of weights and biases are averaged over the batch. The chain rule adds.",
)
def averages_over_the_batch(grad_out, x, *args):
    grads = lstm_cell_backward(grad_out, x, *args)
    return (*grads[:3], *(grad / max(1, len(x)) for grad in grads[3:]))


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="grad_weight_hh is made with h_new. In the forward pass weight_hh is multiplied by the old hidden state.",
)
def takes_the_new_hidden_state_for_the_weights(grad_out, *args):
    grads = list(lstm_cell_backward(grad_out, *args))
    grads[4] = _sum_gradients(grad_out, *args).T @ lstm_cell(*args)[0]
    return tuple(grads)


@mistake(
    "lstm_cell_backward",
    kind="refusal",
    says="A `grad_out` of another shape is not refused with ValueError: it is broadcast, or fails somewhere inside. The lines that refuse have to stay.",
)
def lstm_broadcasts_the_upstream_gradient(grad_out, *args):
    return _lstm_backward(grad_out, *args)


def _of_both(cell, name, says, kind="idea", **gates):
    """Registers a cell whose gates are wrong, and a backward that computes them so."""
    backward = lstm_cell_backward if cell is lstm_cell else gru_cell_backward

    def forward(x, h, *rest):
        cell(x, h, *rest)
        if cell is lstm_cell:
            i, f, g, o = _lstm_gates(x, h, *rest[1:], **gates)
            c_new = f * rest[0] + i * g
            return o * torch.tanh(c_new), c_new
        _, z, n, _ = _gru_gates(x, h, *rest, **gates)
        return (1 - z) * n + z * h

    def back(grad_out, *args):
        backward(grad_out, *args)
        return (_lstm_backward if cell is lstm_cell else _gru_backward)(grad_out, *args, **gates)

    forward.__name__ = forward.__qualname__ = name
    back.__name__ = back.__qualname__ = f"{name}_on_the_way_back"
    of_back = f"In the gates that the backward computes again: {says[0].lower()}{says[1:]}"
    return (
        mistake(cell.__name__, kind=kind, says=says)(forward),
        mistake(backward.__name__, kind=kind, says=of_back)(back),
    )


leaves_i_as_its_sum, leaves_i_back = _of_both(
    lstm_cell,
    "leaves_i_as_its_sum",
    "The sum of the input gate i is used as it is. A gate lies between 0 and 1.",
    raw="i",
)
leaves_f_as_its_sum, leaves_f_back = _of_both(
    lstm_cell,
    "leaves_f_as_its_sum",
    "The sum of the forget gate f is used as it is. A gate lies between 0 and 1.",
    raw="f",
)
leaves_g_as_its_sum, leaves_g_back = _of_both(
    lstm_cell,
    "leaves_g_as_its_sum",
    "The sum of the candidate g is used as it is. What keeps it between -1 and 1?",
    raw="g",
)
leaves_o_as_its_sum, leaves_o_back = _of_both(
    lstm_cell,
    "leaves_o_as_its_sum",
    "The sum of the output gate o is used as it is. A gate lies between 0 and 1.",
    raw="o",
)
lstm_without_x, lstm_without_x_back = _of_both(
    lstm_cell, "lstm_without_x", "The input x has no part in the sums.", times={"x": 0}
)
lstm_without_input, lstm_without_input_back = _of_both(
    lstm_cell,
    "lstm_without_input",
    "Neither the input x nor its bias bias_ih has a part in the sums: they hear the hidden state alone.",
    times={"x": 0, "bias_ih": 0},
)
lstm_takes_h_away, lstm_takes_h_away_back = _of_both(
    lstm_cell, "lstm_takes_h_away", "The part of the hidden state has the wrong sign in the sums.", times={"h": -1}
)
lstm_takes_bias_ih_away, lstm_takes_bias_ih_away_back = _of_both(
    lstm_cell, "lstm_takes_bias_ih_away", "bias_ih has the wrong sign in the sums.", times={"bias_ih": -1}
)
lstm_takes_bias_hh_away, lstm_takes_bias_hh_away_back = _of_both(
    lstm_cell, "lstm_takes_bias_hh_away", "bias_hh has the wrong sign in the sums.", times={"bias_hh": -1}
)


overflows_in_the_gates, overflows_in_the_gates_back = _of_both(
    lstm_cell,
    "overflows_in_the_gates",
    "For large sums the answer is nan, as from inf / inf in exp(s) / (1 + exp(s)). Use a sigmoid that takes large numbers.",
    kind="case",
    sigmoid=lambda s: s.exp() / (1 + s.exp()),
)
lstm_without_bias_ih, lstm_without_bias_ih_back = _of_both(
    lstm_cell, "lstm_without_bias_ih", "bias_ih has no part in the sums.", times={"bias_ih": 0}
)


@mistake(
    "lstm_cell_backward",
    kind="idea",
    says="In the gates that the backward computes again the hidden state h has no part.",
)
def lstm_backward_without_h(grad_out, *args):
    return _lstm_backward(grad_out, *args, times={"weight_hh": 0})


@mistake("lstm_cell_backward", kind="idea", says="In the gates that the backward computes again bias_hh has no part.")
def lstm_backward_without_bias_hh(grad_out, *args):
    return _lstm_backward(grad_out, *args, times={"bias_hh": 0})


def _remembering(says):
    """Registers an LSTM cell that makes its new memory of i, f, g and c in another way."""

    def declare(memory):
        def solution(x, h, c, *weights):
            lstm_cell(x, h, c, *weights)
            i, f, g, o = _lstm_gates(x, h, *weights)
            c_new = memory(i, f, g, c)
            return o * torch.tanh(c_new), c_new

        solution.__name__ = solution.__qualname__ = memory.__name__
        return mistake("lstm_cell", kind="idea", says=says)(solution)

    return declare


@_remembering("The candidate goes into the memory whole: the input gate has no part in it.")
def lets_the_whole_candidate_in(i, f, g, c):
    return f * c + g


@_remembering("What the input gate lets in is taken from the memory. It is added to it.")
def takes_the_candidate_away(i, f, g, c):
    return f * c - i * g


@_remembering("Nothing new comes into the memory: it is only what the forget gate leaves of it.")
def lets_nothing_in(i, f, g, c):
    return f * c


@_remembering("The old memory is kept whole: the forget gate has no part in it.")
def forgets_nothing(i, f, g, c):
    return c + i * g


@_remembering("Nothing of the old memory is kept: it is only what the input gate lets in.")
def forgets_everything(i, f, g, c):
    return i * g


@_remembering("The forget gate is added to the old memory. It multiplies it.")
def adds_the_forget_gate(i, f, g, c):
    return f + c + i * g


@_remembering("The forget gate itself goes into the memory. It multiplies the old memory.")
def remembers_the_forget_gate(i, f, g, c):
    return f + i * g


@_remembering("The input gate is added to the candidate. It multiplies it.")
def adds_the_input_gate(i, f, g, c):
    return f * c + i + g


leaves_r_as_its_sum, leaves_r_back = _of_both(
    gru_cell,
    "leaves_r_as_its_sum",
    "The sum of the reset gate r is used as it is. A gate lies between 0 and 1.",
    raw="r",
)
leaves_z_as_its_sum, leaves_z_back = _of_both(
    gru_cell,
    "leaves_z_as_its_sum",
    "The sum of the update gate z is used as it is. A gate lies between 0 and 1.",
    raw="z",
)
leaves_n_as_its_sum, leaves_n_back = _of_both(
    gru_cell,
    "leaves_n_as_its_sum",
    "The sum of the candidate n is used as it is. What keeps it between -1 and 1?",
    raw="n",
)
gru_without_bias_ih, gru_without_bias_ih_back = _of_both(
    gru_cell, "gru_without_bias_ih", "bias_ih has no part in the sums.", times={"bias_ih": 0}
)
gru_without_bias_hh, gru_without_bias_hh_back = _of_both(
    gru_cell,
    "gru_without_bias_hh",
    "bias_hh has no part in the sums.",
    times={"bias_hh": 0},
)
gru_takes_bias_ih_away, gru_takes_bias_ih_away_back = _of_both(
    gru_cell, "gru_takes_bias_ih_away", "bias_ih has the wrong sign in the sums.", times={"bias_ih": -1}
)
gru_takes_bias_hh_away, gru_takes_bias_hh_away_back = _of_both(
    gru_cell, "gru_takes_bias_hh_away", "bias_hh has the wrong sign in the sums.", times={"bias_hh": -1}
)


gru_overflows_in_the_gates, gru_overflows_in_the_gates_back = _of_both(
    gru_cell,
    "gru_overflows_in_the_gates",
    "For large sums the answer is nan, as from inf / inf in exp(s) / (1 + exp(s)). Use a sigmoid that takes large numbers.",
    kind="case",
    sigmoid=lambda s: s.exp() / (1 + s.exp()),
)
resets_by_the_difference, resets_by_the_difference_back = _of_both(
    gru_cell, "resets_by_the_difference", "In the reset gate r the part of the state has the wrong sign.", b=(-1, 1, 1)
)
updates_by_the_difference, updates_by_the_difference_back = _of_both(
    gru_cell,
    "updates_by_the_difference",
    "In the update gate z the part of the state has the wrong sign.",
    b=(1, -1, 1),
)
resets_by_the_product, resets_by_the_product_back = _of_both(
    gru_cell, "resets_by_the_product", "In the reset gate r the two sums are multiplied. They are added.", product="r"
)
updates_by_the_product, updates_by_the_product_back = _of_both(
    gru_cell, "updates_by_the_product", "In the update gate z the two sums are multiplied. They are added.", product="z"
)
adds_the_reset_gate, adds_the_reset_gate_back = _of_both(
    gru_cell,
    "adds_the_reset_gate",
    "In the candidate n the reset gate is added to the hidden sum. It multiplies it.",
    inner=lambda a, r, b: a + r + b,
)
takes_the_gate_for_the_sum, takes_the_gate_for_the_sum_back = _of_both(
    gru_cell,
    "takes_the_gate_for_the_sum",
    "In the candidate n stands the reset gate itself. It multiplies the hidden sum.",
    inner=lambda a, r, b: a + r,
)
multiplies_the_candidates_sums, multiplies_the_candidates_sums_back = _of_both(
    gru_cell,
    "multiplies_the_candidates_sums",
    "In the candidate n the part of the input is multiplied by that of the state. They are added.",
    inner=lambda a, r, b: a * r * b,
)
resets_by_the_input_alone, resets_by_the_input_back = _of_both(
    gru_cell, "resets_by_the_input_alone", "The reset gate r does not depend on the hidden state.", b=(0, 1, 1)
)
updates_by_the_input_alone, updates_by_the_input_back = _of_both(
    gru_cell, "updates_by_the_input_alone", "The update gate z does not depend on the hidden state.", b=(1, 0, 1)
)
resets_by_the_state_alone, resets_by_the_state_back = _of_both(
    gru_cell, "resets_by_the_state_alone", "The reset gate r does not depend on the input.", a=(0, 1, 1)
)
updates_by_the_state_alone, updates_by_the_state_back = _of_both(
    gru_cell, "updates_by_the_state_alone", "The update gate z does not depend on the input.", a=(1, 0, 1)
)
candidate_without_state, candidate_without_state_back = _of_both(
    gru_cell, "candidate_without_state", "The candidate n sees nothing of the old state.", b=(1, 1, 0)
)
candidate_without_input, candidate_without_input_back = _of_both(
    gru_cell, "candidate_without_input", "The candidate n sees nothing of the input.", a=(1, 1, 0)
)
takes_the_old_part_away, takes_the_old_part_back = _of_both(
    gru_cell,
    "takes_the_old_part_away",
    "In the candidate n the part of the old state has the wrong sign.",
    b=(1, 1, -1),
)


@mistake(
    "gru_cell_backward",
    kind="idea",
    says="When n is computed again, the reset gate has no part in it: it has to multiply the hidden sum.",
)
def gru_backward_never_resets(grad_out, *args):
    gru_cell_backward(grad_out, *args)
    return _gru_backward(grad_out, *args, inner=lambda a, r, b: a + b)


def _mixing(says):
    """Registers a GRU cell that mixes candidate n and old state h in another way."""

    def declare(mixed):
        def solution(x, h, *weights):
            gru_cell(x, h, *weights)
            _, z, n, _ = _gru_gates(x, h, *weights)
            return mixed(n, z, h)

        solution.__name__ = solution.__qualname__ = mixed.__name__
        return mistake("gru_cell", kind="idea", says=says)(solution)

    return declare


@_mixing("z and 1 - z have changed places: an open update gate has to keep the old state.")
def lets_the_update_gate_forget(n, z, h):
    return z * n + (1 - z) * h


@_mixing("The candidate enters whole: it is not multiplied by what z leaves for it.")
def adds_the_whole_candidate(n, z, h):
    return n + z * h


@_mixing("Old state and candidate are both multiplied by z. Their shares have to add up to 1.")
def weighs_both_with_z(n, z, h):
    return z * n + z * h


@_mixing("The candidate has no part in the new state: only what z keeps of the old one is left.")
def drops_the_candidate(n, z, h):
    return z * h


@_mixing("The candidate is multiplied by 1 + z. What z keeps of the old state is no more left for it.")
def leaves_too_much_for_the_candidate(n, z, h):
    return (1 + z) * n + z * h


@_mixing("The candidate is multiplied by z - 1, so it has the wrong sign.")
def takes_the_new_part_away(n, z, h):
    return (z - 1) * n + z * h


@_mixing("What z leaves is added to the candidate. It multiplies it.")
def adds_what_is_left(n, z, h):
    return 1 - z + n + z * h


@_mixing("The update gate is added to the old state. It multiplies it.")
def adds_the_update_gate(n, z, h):
    return (1 - z) * n + z + h


@_mixing("The update gate itself goes into the new state. It multiplies the old state.")
def keeps_the_gate_for_the_state(n, z, h):
    return (1 - z) * n + z


@_mixing("The old state is kept whole: the update gate has no part in it.")
def keeps_the_whole_state(n, z, h):
    return (1 - z) * n + h


@mistake(
    "lstm_forward",
    kind="idea",
    says="Every step begins with h0 and c0 again. Each has to begin where the one before ended.",
)
def lstm_begins_anew_at_every_step(x, h0, c0, *weights):
    steps = [lstm_cell(s, h0, c0, *weights) for s in x.unbind(1)]
    return (torch.stack([h for h, _ in steps], 1), *steps[-1]) if steps else lstm_forward(x, h0, c0, *weights)


@mistake(
    "lstm_forward", kind="idea", says="The hidden state is handed on, the memory is not: every step begins with c0."
)
def does_not_hand_on_the_memory(x, h0, c0, *weights):
    out, h, c = lstm_forward(x, h0, c0, *weights)
    h, states = h0, []
    for s in x.unbind(1):
        h, c = lstm_cell(s, h, c0, *weights)
        states.append(h)
    return torch.stack(states, 1) if states else out, h, c


@mistake(
    "lstm_forward",
    kind="idea",
    says="It is as if the loop ran along the first axis, which is the batch. Time is the second.",
)
def lstm_runs_along_the_batch(x, h0, c0, *weights):
    return lstm_forward(x.transpose(0, 1), h0, c0, *weights)


@mistake("lstm_forward", kind="idea", says="h0 and c0 have no part in the answer: the sequence begins with zeros.")
def lstm_begins_with_zeros(x, h0, c0, *weights):
    return lstm_forward(x, torch.zeros_like(h0), torch.zeros_like(c0), *weights)


@mistake(
    "lstm_forward",
    kind="idea",
    says="h0 has no part in the answer: the hidden state begins with zeros, only the memory with c0.",
)
def ignores_the_first_hidden_state(x, h0, c0, *weights):
    return lstm_forward(x, torch.zeros_like(h0), c0, *weights)


@mistake(
    "lstm_forward",
    kind="idea",
    says="c0 has no part in the answer: the memory begins with zeros, only the hidden state with h0.",
)
def ignores_the_first_memory(x, h0, c0, *weights):
    return lstm_forward(x, h0, torch.zeros_like(c0), *weights)


@mistake(
    "lstm_forward", kind="idea", says="`out` holds the memories of all steps. The exercise asks for the hidden states."
)
def returns_the_memories(x, h0, c0, *weights):
    out, h, c = lstm_forward(x, h0, c0, *weights)
    h_now, c_now, memories = h0, c0, []
    for s in x.unbind(1):
        h_now, c_now = lstm_cell(s, h_now, c_now, *weights)
        memories.append(c_now)
    return torch.stack(memories, 1) if memories else out, h, c


@mistake("lstm_forward", kind="idea", says="`out` has time as its first axis. Time is the second axis.")
def stacks_time_first(x, h0, c0, *weights):
    out, h, c = lstm_forward(x, h0, c0, *weights)
    return out.transpose(0, 1), h, c


@mistake(
    "lstm_forward",
    kind="case",
    says="Without a step it fails, as `stack` does of nothing. What is asked for with T = 0?",
)
def lstm_needs_a_step(x, h0, c0, *weights):
    out, h, c = lstm_forward(x, h0, c0, *weights)
    return torch.stack(list(out.unbind(1)), 1), h, c


@mistake(
    "lstm_backward",
    kind="idea",
    says="The upstream gradient of `out` has no part in the answer. A hidden state in the middle stands in `out` too, beside being heard by the next step.",
)
def ignores_the_gradient_of_out(grad_out, *args):
    return lstm_backward((torch.zeros_like(grad_out[0]), *grad_out[1:]), *args)


@mistake(
    "lstm_backward", kind="idea", says="The upstream gradients of the last states h and c have no part in the answer."
)
def ignores_the_gradients_of_the_last_states(grad_out, *args):
    return lstm_backward((grad_out[0], torch.zeros_like(grad_out[1]), torch.zeros_like(grad_out[2])), *args)


@mistake(
    "lstm_backward",
    kind="idea",
    says="The gradients of the last states come in at every step. They enter once, behind the last one.",
)
def adds_the_last_gradients_at_every_step(grad_out, *args):
    return _through_time(grad_out, *args, every_step=True)


@mistake(
    "lstm_backward",
    kind="idea",
    says="What the next step hands back to the hidden state has no part in the answer: a step gets the upstream gradient of its own hidden state alone.",
)
def does_not_hand_back_through_the_hidden_state(grad_out, *args):
    return _through_time(grad_out, *args, through_h=0)


@mistake(
    "lstm_backward",
    kind="idea",
    says="What the next step hands back to the memory has no part in the answer. That is the road that an LSTM was built for.",
)
def does_not_hand_back_through_the_memory(grad_out, *args):
    return _through_time(grad_out, *args, through_c=0)


@mistake(
    "lstm_backward",
    kind="idea",
    says="Weights and biases get the gradient of the first step alone. They serve all steps: what does the chain rule do with many uses?",
)
def keeps_the_weights_gradient_of_one_step(grad_out, *args):
    return _through_time(grad_out, *args, adds=False)


@mistake(
    "lstm_backward",
    kind="idea",
    says="The gradients of weights and biases are averaged over the steps. The chain rule adds.",
)
def averages_over_the_steps(grad_out, x, *args):
    grads = lstm_backward(grad_out, x, *args)
    return (*grads[:3], *(grad / max(1, x.shape[1]) for grad in grads[3:]))


@mistake(
    "lstm_backward",
    kind="idea",
    says="The gradients of weights and biases are averaged over the batch. The chain rule adds.",
)
def averages_the_sums_over_the_batch(grad_out, x, *args):
    grads = lstm_backward(grad_out, x, *args)
    return (*grads[:3], *(grad / max(1, len(x)) for grad in grads[3:]))


@mistake(
    "lstm_backward", kind="idea", says="h0 has no part in the answer, as if the hidden state had begun with zeros."
)
def begins_without_the_hidden_state(grad_out, x, h0, c0, *weights):
    return lstm_backward(grad_out, x, torch.zeros_like(h0), c0, *weights)


@mistake("lstm_backward", kind="idea", says="c0 has no part in the answer, as if the memory had begun with zeros.")
def begins_without_the_memory(grad_out, x, h0, c0, *weights):
    return lstm_backward(grad_out, x, h0, torch.zeros_like(c0), *weights)


@mistake(
    "lstm_backward",
    kind="idea",
    says="It is as if each step were differentiated at the states after it. The cell's backward wants those that the step began with.",
)
def takes_the_states_after_the_step(grad_out, *args):
    return _through_time(grad_out, *args, late=True)


@mistake(
    "lstm_backward",
    kind="idea",
    says="It is as if the steps were walked from the first to the last. Blame travels backwards.",
)
def walks_forwards(grad_out, *args):
    return _through_time(grad_out, *args, forwards=True)


@mistake(
    "lstm_backward",
    kind="idea",
    says="In grad_x the steps stand in the wrong order, the last one first.",
)
def returns_the_steps_backwards(grad_out, *args):
    grad_x, *rest = lstm_backward(grad_out, *args)
    return grad_x.flip(1), *rest


@mistake(
    "lstm_backward",
    kind="case",
    says="Without a step it fails, as `stack` does of nothing. What is asked for with T = 0?",
)
def backward_needs_a_step(grad_out, *args):
    grad_x, *rest = lstm_backward(grad_out, *args)
    return torch.stack(list(grad_x.unbind(1)), 1), *rest


@mistake(
    "lstm_backward", kind="case", says="An upstream gradient that was passed in is changed. The caller still needs it."
)
def adds_into_the_upstream_gradient(grad_out, x, *args):
    answer = lstm_backward(grad_out, x, *args)
    if x.shape[1]:
        grad_out[0][:, -1] += grad_out[1]
    return answer


@mistake(
    "gru_cell",
    kind="idea",
    says="It is as if the hidden state were reset before it is multiplied by its weights. Here r comes after the product.",
)
def resets_before_the_product(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    (a_r, a_z, a_n), (b_r, b_z, _) = _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z, size = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z), h.shape[1]
    n = torch.tanh(a_n + (r * h) @ weight_hh[2 * size :].T + bias_hh[2 * size :])
    return (1 - z) * n + z * h


@mistake(
    "gru_cell",
    kind="idea",
    says="In the candidate the hidden state's bias is not held back by the reset gate. What does r multiply?",
)
def keeps_the_bias_out_of_the_reset(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return gru_cell(x, h, weight_ih, weight_hh, bias_ih + bias_hh, torch.zeros_like(bias_hh))


@mistake("gru_cell", kind="idea", says="It is as if the first two blocks of rows were read in the order z, r.")
def reads_update_before_reset(x, h, *weights):
    (a_z, a_r, a_n), (b_z, b_r, b_n) = _gru_sums(x, h, *weights)
    return _gru(x, h, (a_r, a_z, a_n), (b_r, b_z, b_n))


@mistake(
    "gru_cell",
    kind="idea",
    says="The reset gate has no part in the answer: the candidate always sees the whole old state.",
)
def never_resets(x, h, *weights):
    (_, a_z, a_n), (_, b_z, b_n) = _gru_sums(x, h, *weights)
    z = torch.sigmoid(a_z + b_z)
    return (1 - z) * torch.tanh(a_n + b_n) + z * h


@mistake(
    "gru_cell",
    kind="refusal",
    says="An `x` with an axis too many is not refused with ValueError: it is broadcast, or fails somewhere inside. The lines that refuse have to stay.",
)
def gru_refuses_nothing(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return _gru(x, h, *_gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


@mistake(
    "gru_cell_backward",
    kind="idea",
    says="The old state gets its gradient through the gates alone. It also passes straight through.",
)
def forgets_the_direct_way(grad_out, *args):
    return _gru_backward(grad_out, *args, direct=False)


@mistake(
    "gru_cell_backward",
    kind="idea",
    says="The gradients of weights and biases are averaged over the batch. The chain rule adds.",
)
def gru_averages_over_the_batch(grad_out, x, *args):
    grads = gru_cell_backward(grad_out, x, *args)
    return (*grads[:2], *(grad / max(1, len(x)) for grad in grads[2:]))


@mistake(
    "gru_cell_backward",
    kind="idea",
    says="The candidate's gradient reaches the hidden sums whole. In the forward pass the reset gate multiplies them.",
)
def forgets_the_reset_on_the_way_back(grad_out, *args):
    return _gru_backward(grad_out, *args, reset=False)


@mistake(
    "gru_cell_backward",
    kind="idea",
    says="The sign of the update gate's gradient is wrong. What grows when z grows, n or h?",
)
def turns_the_update_gate_round(grad_out, *args):
    return _gru_backward(grad_out, *args, sign=-1)


@mistake(
    "gru_cell_backward",
    kind="idea",
    says="In the gradient of the reset gate stands the hidden state. That gate multiplies the candidate's hidden sum.",
)
def takes_the_state_for_its_sum(grad_out, x, h, *args):
    return _gru_backward(grad_out, x, h, *args, resets=h)


@mistake("gru_cell_backward", kind="idea", says="The slope of the candidate's tanh has no part in the answer.")
def forgets_the_slope_of_the_candidate(grad_out, *args):
    return _gru_backward(grad_out, *args, slope=False)


@mistake(
    "gru_cell_backward",
    kind="refusal",
    says="A `grad_out` of another shape is not refused with ValueError: it is broadcast, or fails somewhere inside. The lines that refuse have to stay.",
)
def gru_broadcasts_the_upstream_gradient(grad_out, *args):
    return _gru_backward(grad_out, *args)


@mistake(
    "gru_forward", kind="idea", says="Every step begins with h0 again. Each has to begin where the one before ended."
)
def gru_begins_anew_at_every_step(x, h0, *weights):
    states = [gru_cell(s, h0, *weights) for s in x.unbind(1)]
    return (torch.stack(states, 1), states[-1]) if states else gru_forward(x, h0, *weights)


@mistake(
    "gru_forward",
    kind="idea",
    says="It is as if the loop ran along the first axis, which is the batch. Time is the second.",
)
def gru_runs_along_the_batch(x, h0, *weights):
    return gru_forward(x.transpose(0, 1), h0, *weights)


@mistake("gru_forward", kind="idea", says="h0 has no part in the answer: the sequence begins with zeros.")
def gru_begins_with_zeros(x, h0, *weights):
    return gru_forward(x, torch.zeros_like(h0), *weights)


@mistake("gru_forward", kind="idea", says="The sequence is read from its end to its beginning.")
def reads_backwards(x, h0, *weights):
    return gru_forward(x.flip(1), h0, *weights)


@mistake(
    "gru_forward",
    kind="case",
    says="Without a step it fails, as `stack` does of nothing. What is asked for with T = 0?",
)
def gru_needs_a_step(x, h0, *weights):
    out, h = gru_forward(x, h0, *weights)
    return torch.stack(list(out.unbind(1)), 1), h


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="Every step has a mask of its own. What is dropped has to stay dropped for all steps.",
)
def draws_a_mask_for_every_step(x, p=0.5, *, training=True, generator):
    return _dropped(x, p, training, x.shape, generator)


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="The mask that is returned is that of the first step; the others drop something else.",
)
def hides_a_mask_for_every_step(x, p=0.5, *, training=True, generator):
    out, mask = _dropped(x, p, training, x.shape, generator)
    return out, mask[:, :1]


@mistake("recurrent_dropout", kind="idea", says="All sequences of the batch have the same mask. Each has its own.")
def shares_a_mask_in_the_batch(x, p=0.5, *, training=True, generator):
    out, mask = _dropped(x, p, training, (1, 1, x.shape[-1]), generator)
    return out, mask.expand(len(x), 1, -1)


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="All features of a sequence are kept or dropped together. Each has its own draw.",
)
def drops_whole_sequences(x, p=0.5, *, training=True, generator):
    out, mask = _dropped(x, p, training, (len(x), 1, 1), generator)
    return out, mask.expand(-1, 1, x.shape[-1])


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="Of each sequence the same number of features is dropped. Each feature has a draw of its own, so the number varies.",
)
def drops_a_fixed_number(x, p=0.5, *, training=True, generator):
    mask = x.new_ones(len(x), 1, x.shape[2])
    if training:
        places = torch.rand(mask.shape, generator=generator).argsort(-1)
        mask = (places >= round(p * x.shape[2])).to(x.dtype) / (1 - p) if p < 1 else 0 * mask
    return x * mask, mask


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="The kept entries are not scaled up, so their expected value shrinks while training.",
)
def forgets_to_scale(x, p=0.5, *, training=True, generator):
    _, mask = recurrent_dropout(x, p, training=training, generator=generator)
    mask = (mask > 0).to(x.dtype)
    return x * mask, mask


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="The entries are scaled, the mask is not: a backward that multiplies by it goes wrong.",
)
def returns_a_mask_without_the_scale(x, p=0.5, *, training=True, generator):
    out, mask = recurrent_dropout(x, p, training=training, generator=generator)
    return out, (mask > 0).to(x.dtype)


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="Features are kept with probability p, and scaled by 1 / (1 - p). p is the probability to drop one.",
)
def keeps_with_probability_p(x, p=0.5, *, training=True, generator):
    return _dropped(x, p, training, (len(x), 1, x.shape[-1]), generator, keeps=True)


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="Features are kept with probability p, and scaled by 1 / p. p is the probability to drop one.",
)
def takes_p_for_the_share_that_is_kept(x, p=0.5, *, training=True, generator):
    recurrent_dropout(x, p, training=False, generator=generator)
    return recurrent_dropout(x, 1 - p, training=training, generator=generator)


@mistake(
    "recurrent_dropout", kind="idea", says="Features are dropped in evaluation too. What does training=False ask for?"
)
def drops_in_evaluation(x, p=0.5, *, training=True, generator):
    return recurrent_dropout(x, p, training=True, generator=generator)


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="Equal generators give different masks, as if the randomness came from torch's global state: nobody can repeat it.",
)
def draws_from_the_global_state(x, p=0.5, *, training=True, generator):
    return _dropped(x, p, training, (len(x), 1, x.shape[-1]), torch.default_generator)


@mistake(
    "recurrent_dropout",
    kind="idea",
    says="Every call drops the same features, whatever the generator, as with a seed of its own.",
)
def draws_from_a_seed_of_its_own(x, p=0.5, *, training=True, generator):
    return _dropped(x, p, training, (len(x), 1, x.shape[-1]), torch.Generator().manual_seed(0))


@mistake("recurrent_dropout", kind="case", says="For p = 1 the answer is nan, as from 0 / 0.")
def divides_zero_by_zero(x, p=0.5, *, training=True, generator):
    _, mask = recurrent_dropout(x, p, training=training, generator=generator)
    mask = (mask > 0).to(x.dtype) / torch.tensor(1 - p if training else 1, dtype=x.dtype)
    return x * mask, mask


@mistake("recurrent_dropout", kind="case", says="The mask is float32, whatever dtype x has.")
def makes_a_float32_mask(x, p=0.5, *, training=True, generator):
    out, mask = recurrent_dropout(x, p, training=training, generator=generator)
    return out, mask.float()


@mistake(
    "make_windows", kind="idea", says="The last pair is missing: the series still has a target for one more window."
)
def makes_one_pair_too_few(x, window, horizon=1, stride=1):
    inputs, targets = make_windows(x, window, horizon, stride)
    return inputs[:-1], targets[:-1]


@mistake(
    "make_windows",
    kind="idea",
    says="The targets are one step too early: with horizon 1 it is a value that the window shows already.",
)
def shows_the_target(x, window, horizon=1, stride=1):
    inputs, _ = make_windows(x, window, horizon, stride)
    return inputs, x[window + horizon - 2 :: stride][: len(inputs)]


@mistake(
    "make_windows",
    kind="idea",
    says="`horizon` has no part in the targets: it is always the value right after the window.",
)
def ignores_the_horizon(x, window, horizon=1, stride=1):
    inputs, _ = make_windows(x, window, horizon, stride)
    return inputs, x[window::stride][: len(inputs)]


@mistake("make_windows", kind="idea", says="`stride` has no part in the answer: a window begins at every time.")
def ignores_the_stride(x, window, horizon=1, stride=1):
    return make_windows(x, window, horizon)


@mistake(
    "make_windows",
    kind="idea",
    says="`stride` spreads the values inside a window. It says how far apart the windows begin.",
)
def strides_inside_the_window(x, window, horizon=1, stride=1):
    starts = torch.arange(0, max(1, len(x) - (window - 1) * stride - horizon))
    inside = stride * torch.arange(window)
    places = (starts[:, None] + inside).clamp(max=len(x) - 1)
    return x[places], x[(starts + inside[-1] + horizon).clamp(max=len(x) - 1)]


@mistake(
    "make_windows",
    kind="idea",
    says="The inputs begin every `stride` steps, the targets do not: they belong to other windows.",
)
def does_not_stride_the_targets(x, window, horizon=1, stride=1):
    inputs, _ = make_windows(x, window, horizon, stride)
    return inputs, x[window - 1 + horizon :][: len(inputs)]


@mistake(
    "make_windows",
    kind="idea",
    says="The windows begin `stride` times `window` steps apart. `stride` alone says how far.",
)
def steps_by_whole_windows(x, window, horizon=1, stride=1):
    return make_windows(x, window, horizon, stride * window)


@mistake("make_windows", kind="case", says="Whole numbers become float32. Any dtype of x is kept.")
def turns_whole_numbers_into_float32(x, window, horizon=1, stride=1):
    return make_windows(x if x.is_floating_point() else x.float(), window, horizon, stride)


@mistake(
    "make_windows",
    kind="refusal",
    says="An `x` with an axis too many is not refused with ValueError: it is cut all the same, or fails inside torch. The lines that refuse have to stay.",
)
def windows_refuse_nothing(x, window, horizon=1, stride=1):
    starts = range(0, len(x) - int(window) - int(horizon) + 1, int(stride) or 1)
    inputs = [x[k : k + int(window)] for k in starts]
    return torch.stack(inputs), x[[k + int(window) - 1 + int(horizon) for k in starts]]


@mistake(
    "make_windows",
    kind="refusal",
    says="An `x` that is too short for one pair is not refused with ValueError: it fails inside torch. The lines that refuse have to stay.",
)
def windows_of_a_short_series(x, window, horizon=1, stride=1):
    require_ndim(2, x=x)
    for name, number in (("window", window), ("horizon", horizon), ("stride", stride)):
        require_whole(1, **{name: number})
    starts = range(0, len(x) - window - horizon + 1, stride)
    return torch.stack([x[k : k + window] for k in starts]), x[[k + window - 1 + horizon for k in starts]]


@mistake("naive_forecast", kind="idea", says="`period` has no part in the answer: the last value is always repeated.")
def always_repeats_the_last_value(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x[:, -1]


@mistake(
    "naive_forecast",
    kind="idea",
    says="It is as if the period were counted back from the window's end. It has to be counted from the target.",
)
def counts_from_the_end_of_the_window(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x[:, max(0, x.shape[1] - period)]


@mistake(
    "naive_forecast",
    kind="idea",
    says="It is as if the period were counted back from the window's last value. It has to be counted from the target.",
)
def goes_one_place_too_far_back(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x[:, max(0, x.shape[1] - 1 - period)]


@mistake(
    "naive_forecast",
    kind="idea",
    says="More periods than needed are stepped back where the horizon is a whole number of them.",
)
def steps_back_one_period_too_many(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x[:, max(0, x.shape[1] - 1 + horizon - period * (horizon // period + 1))]


@mistake("naive_forecast", kind="idea", says="One period is stepped back, however far ahead the target lies.")
def steps_back_one_period(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x[:, min(x.shape[1] - 1, max(0, x.shape[1] - 1 + horizon - period))]


@mistake(
    "naive_forecast", kind="idea", says="The mean of the window is forecast. The naive forecast repeats one value."
)
def forecasts_the_mean(x, horizon=1, period=1):
    naive_forecast(x, horizon, period)
    return x.mean(1)


@mistake(
    "naive_forecast",
    kind="refusal",
    says="A target that no value of the window lies periods before is not refused: a place before the window counts from its end.",
)
def wraps_round(x, horizon=1, period=1):
    require_ndim(3, x=x)
    require_whole(1, horizon=horizon)
    require_whole(1, period=period)
    return x[:, (x.shape[1] - 1 + horizon - period * math.ceil(horizon / period)) % x.shape[1]]


@mistake(
    "naive_forecast",
    kind="case",
    says="Every period longer than the window is refused. Further ahead, the window may show a value of a longer one.",
)
def refuses_every_long_period(x, horizon=1, period=1):
    if period > x.shape[1]:
        raise ValueError("period is longer than the window")
    return naive_forecast(x, horizon, period)


@mistake("naive_forecast", kind="refusal", says="A `horizon` of 0 is not refused.")
def accepts_any_number(x, horizon=1, period=1):
    require_ndim(3, x=x)
    place = x.shape[1] - 1 + horizon - (period or 1) * math.ceil(horizon / (period or 1))
    if place < 0:
        raise ValueError("period does not fit")
    return x[:, min(int(place), x.shape[1] - 1)]


def _trained(says, stage, **faults):
    """Registers a wrong training loop that differs from the right one in these points."""

    def declare(placeholder):
        def solution(x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, gates=4, model, loss, step, generator):
            return _forecast(x, test, window, horizon, hidden, steps, lr, gates, model, loss, step, generator, **faults)

        solution.__name__ = solution.__qualname__ = placeholder.__name__
        return mistake("forecast_series", kind="idea", stage=stage, says=says)(solution)

    return declare


@_trained("The forecast is in standardised units. It has to come back in those of x.", "forecast", units=False)
def forgets_to_undo_the_standardising(): ...


@_trained(
    "The test series is standardised by its own mean and deviation: they are known only when it is over.",
    "forecast",
    own_statistics=True,
)
def standardises_test_by_itself(): ...


@_trained(
    "The test series is standardised by its own mean, and so are its forecasts brought back: that mean is known only later.",
    "forecast",
    own_statistics=True,
    own_units=True,
)
def lives_in_the_units_of_test(): ...


@_trained("The series are not standardised. What does a sigmoid do with a temperature of 20?", "data", scale=False)
def does_not_standardise(): ...


@_trained("One mean and one deviation serve all columns. Each measured quantity has its own.", "data", by_column=False)
def standardises_all_columns_alike(): ...


@_trained("The network also trains on the windows of the series that it has to forecast.", "data", leaks=True)
def trains_on_the_test_series(): ...


@_trained(
    "`horizon` has no part in the training: the network is trained for the value right after the window.",
    "data",
    horizon=False,
)
def trains_for_the_next_value(): ...


@_trained("The parameters never move, as if what `step` returns were not used.", "training", moves=False)
def never_learns(): ...


@_trained("Every step begins with a new state. `step` returns one to be passed on.", "training", keeps_state=False)
def forgets_the_state_of_the_optimiser(): ...


@_trained("The learning rate shrinks from step to step. The exercise keeps it.", "training", decay=0.9)
def lets_the_learning_rate_decay(): ...


@_trained("`lr` has no part in the steps: the learning rate is always the default, 0.05.", "training", own_lr=0.05)
def ignores_the_learning_rate(): ...


@_trained("Learning rates above one half are cut down. The exercise takes them as they are.", "training", most_lr=0.5)
def cuts_large_learning_rates(): ...


@_trained("The parameters go uphill, as if `step` got the gradients with the wrong sign.", "training", sign=-1)
def climbs_instead_of_descending(): ...


@_trained(
    "Each loss is measured after its step. It has to be measured before the parameters move.", "training", late=True
)
def measures_after_the_step(): ...


@_trained("The loop ends one step too early.", "training", fewer=1)
def trains_one_step_too_few(): ...


@_trained("`hidden` has no part in the answer: there are always eight units.", "training", own_hidden=8)
def ignores_the_hidden_size(): ...


@_trained(
    "`gates` has no part in the answer: the weights have four blocks, whatever network is trained.",
    "training",
    own_gates=4,
)
def ignores_the_number_of_gates(): ...


@_trained("The biases start at 0. Here all parameters start random.", "training", zero_biases=True)
def begins_with_zero_biases(): ...


@_trained("The parameters start between 0 and 1/√hidden: the lower half of the range is missing.", "training", low=0.0)
def begins_with_positive_parameters(): ...


@_trained(
    "Equal generators give other parameters, as if they were drawn from torch's global state. The generator was passed in for that.",
    "training",
    draws="globally",
)
def draws_parameters_from_the_global_state(): ...


@_trained(
    "Every training begins with the same parameters, whatever the generator, as with a seed of its own.",
    "training",
    draws="alike",
)
def draws_parameters_with_a_seed_of_its_own(): ...


@_trained(
    "The forecast is made with the parameters of the beginning, not with the trained ones.", "forecast", best="first"
)
def forecasts_untrained(): ...


@_trained(
    "It is as if the parameters were chosen by their error on the test series: nobody can do that before it is over.",
    "forecast",
    best="test",
)
def chooses_the_best_step_by_test_error(): ...


@_trained(
    "The forecast is made with the parameters of the smallest training loss. Asked for are those after the last step.",
    "forecast",
    best="loss",
)
def keeps_the_smallest_loss(): ...


@_trained("The last window of test is missing: it has its target in test too.", "forecast", last=False)
def leaves_out_the_last_window(): ...


@_trained("The forecasts are for the windows of x. Asked for are those of test.", "forecast", trained_windows=True)
def forecasts_the_training_series(): ...


@mistake(
    "forecast_series",
    kind="idea",
    says="`model`, `loss` and `step` are not used: this is the best linear map from windows to targets, not what they make of them.",
)
def fits_a_linear_map_instead(
    x, test, window, horizon=1, hidden=8, steps=60, lr=0.05, *, gates=4, model, loss, step, generator
):
    mean, deviation = x.mean(0), x.std(0)
    (inputs, targets), (unseen, _) = (make_windows((s - mean) / deviation, window, horizon) for s in (x, test))
    rows, unseen = (torch.cat([w.flatten(1), w.new_ones(len(w), 1)], 1) for w in (inputs, unseen))
    solution = torch.linalg.pinv(rows.double()) @ targets.double()
    left = ((rows.double() @ solution - targets) ** 2).mean().to(x.dtype)
    return (unseen.double() @ solution).to(x.dtype) * deviation + mean, left.expand(steps).clone()


@mistake(
    "forecast_series",
    kind="case",
    says="The losses are float32, whatever dtype x has, as if they had been Python numbers. Asked for is a tensor in the dtype of x.",
)
def returns_float32_losses(x, *args, **kwargs):
    forecast, losses = forecast_series(x, *args, **kwargs)
    return forecast, torch.tensor([loss.item() for loss in losses]) if x.dtype is not torch.float64 else losses


@mistake(
    "forecast_series",
    kind="case",
    says="The deviation comes from the mean of the squares minus the square of the mean: far from 0 these are two large numbers, and float32 keeps little of their difference. Subtract the mean before squaring.",
)
def subtracts_the_squared_mean(x, test, *args, model, loss, **kwargs):
    ratio = x.std(0) / ((x * x).mean(0) - x.mean(0) ** 2).sqrt()
    parts = {
        "model": lambda windows, *params: model(windows * ratio, *params) / ratio,
        "loss": lambda params, windows, targets: loss(params, windows * ratio, targets * ratio),
    }
    return forecast_series(x, test, *args, **parts, **kwargs)


@mistake("forecast_series", kind="case", says="A series that was passed in is changed. The caller still needs it.")
def standardises_in_place(x, test, *args, **kwargs):
    answer = forecast_series(x, test, *args, **kwargs)
    test.sub_(x.mean(0))
    return answer


@mistake(
    "forecast_series",
    kind="refusal",
    says="A `test` that is too short is refused with a message that does not name it.",
)
def blames_a_short_test_series_on_x(x, test, window, horizon=1, **options):
    if len(test) < window + horizon:
        raise ValueError("x has too few times")
    return forecast_series(x, test, window, horizon, **options)


@mistake("char_lstm_loss", kind="idea", says="Every character is its own target. The model is asked for the next one.")
def predicts_what_it_reads(x, *args, ignore_index=-100):
    return _char_loss(x, *args, ignore_index=ignore_index, own=True)


@mistake(
    "char_lstm_loss",
    kind="idea",
    says="The losses are added up. The exercise asks for their mean over all predictions.",
)
def adds_the_losses_up(x, *args, ignore_index=-100):
    return char_lstm_loss(x, *args, ignore_index=ignore_index) * (x[:, 1:] != ignore_index).sum()


@mistake(
    "char_lstm_loss",
    kind="idea",
    stage="loss",
    says="Only the last character of each text counts. Each hidden state predicts the one after it.",
)
def predicts_the_last_alone(x, *args, ignore_index=-100):
    last = torch.full_like(x, ignore_index)
    ends = (x != ignore_index).sum(1) - 1
    rows = torch.arange(len(x))
    read = torch.where(x == ignore_index, 0, x)
    last[rows, ends] = x[rows, ends]
    return _char_loss(read, *args, ignore_index=ignore_index, wanted=last[:, 1:])


@mistake(
    "char_lstm_loss",
    kind="case",
    says="The value is right, but no gradient comes through: somewhere the loss is cut off from the weights.",
)
def cuts_the_gradient(x, *args, ignore_index=-100):
    return char_lstm_loss(x, *args, ignore_index=ignore_index).detach()


@mistake(
    "char_lstm_loss", kind="idea", says="The loss is in bits: the logarithm has base 2. Nats take the natural one."
)
def counts_in_bits(x, *args, ignore_index=-100):
    return char_lstm_loss(x, *args, ignore_index=ignore_index) / math.log(2)


@mistake(
    "char_lstm_loss",
    kind="idea",
    stage="logarithm",
    says="A character that is far from likely gives an infinite loss, as the logarithm of a probability that is rounded to 0 does. Let it cancel the exponential.",
)
def takes_the_logarithm_of_zero(x, *args, ignore_index=-100):
    return _char_loss(x, *args, ignore_index=ignore_index, rounded=True)


@mistake(
    "char_lstm_loss",
    kind="case",
    says="A large logsumexp is rounded before it is subtracted, so large scores lose digits: in float32 log 2 becomes 0.6934. What can be subtracted from the scores first?",
)
def subtracts_a_rounded_logsumexp(x, *args, ignore_index=-100):
    char_lstm_loss(x, *args, ignore_index=ignore_index)
    return _char_loss(x, *args, ignore_index=ignore_index, subtracted=True)


@mistake(
    "char_lstm_loss",
    kind="idea",
    says="It is as if the scores were compared along the time axis. Rivals are the characters of the vocabulary.",
)
def normalises_along_time(x, *args, ignore_index=-100):
    return _char_loss(x, *args, ignore_index=ignore_index, dim=1)


@mistake(
    "char_lstm_loss",
    kind="idea",
    stage="padding",
    says="`ignore_index` has no part in the mean: padding is predicted like a character, as if it were character 0.",
)
def predicts_padding(x, *args, ignore_index=-100):
    return char_lstm_loss(torch.where(x == ignore_index, 0, x), *args)


@mistake(
    "char_lstm_loss",
    kind="idea",
    stage="padding",
    says="Padding costs nothing, but the mean is taken over it too: it counts as a perfect prediction.",
)
def divides_by_all_places(x, *args, ignore_index=-100):
    share = (x[:, 1:] != ignore_index).to(args[0].dtype).mean()
    return char_lstm_loss(x, *args, ignore_index=ignore_index) * share


@mistake(
    "char_lstm_loss",
    kind="idea",
    stage="padding",
    says="This is the mean of the texts' means, so a prediction in a short text counts more. All predictions count alike.",
)
def averages_text_by_text(x, *args, ignore_index=-100):
    losses = [char_lstm_loss(t[None], *args, ignore_index=ignore_index) for t in x if (t[1:] != ignore_index).any()]
    return torch.stack(losses).mean()


@mistake(
    "char_lstm_loss",
    kind="idea",
    stage="padding",
    says="An `ignore_index` of 0 or more is taken for a character. It may be any number.",
)
def takes_negative_numbers_for_padding(x, *args, ignore_index=-100):
    if ignore_index < 0:
        return char_lstm_loss(x, *args, ignore_index=ignore_index)
    return char_lstm_loss(x.clamp(max=len(args[-1]) - 1), *args)


@mistake(
    "char_lstm_loss",
    kind="refusal",
    says="A number below 0 that is no padding is not refused: it picks a character from the other end of the vocabulary. The lines that refuse have to stay.",
)
def accepts_negative_characters(x, *args, ignore_index=-100):
    return char_lstm_loss(torch.where((x < 0) & (x != ignore_index), x % len(args[-1]), x), *args, ignore_index)


@mistake("char_lstm_loss", kind="case", says="The loss is float32, whatever dtype the weights have.")
def returns_float32(x, *args, ignore_index=-100):
    loss = char_lstm_loss(x, *args, ignore_index=ignore_index)
    return loss if loss.dtype is torch.float64 else loss.float()


def _lstm_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, 1)


def _lstm_gates(x, h, *weights, raw="", times=None, sigmoid=torch.sigmoid):
    """i, f, g and o; ``raw`` is one that is left as its sum, ``times`` says how often an argument counts."""
    sums = dict(zip("ifgo", _lstm_sums(*_times(times or {}, x, h, *weights)), strict=True))
    return [s if k == raw else torch.tanh(s) if k == "g" else sigmoid(s) for k, s in sums.items()]


def _times(times, *args):
    """The arguments of the sums, some of which count otherwise than once."""
    names = ("x", "h", "weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return [times.get(name, 1) * value for name, value in zip(names, args, strict=True)]


def _lstm(i, f, g, o, c):
    c_new = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_new), c_new


def _sum_gradients(
    grad_out, x, h, c, *weights, through_h=1, slope=True, forgets=None, gate_like=False, memory=False, **gates
):
    grad_h, grad_c = grad_out
    i, f, g, o = _lstm_gates(x, h, *weights, **gates)
    t = torch.tanh(f * c + i * g)
    dc = grad_c + through_h * grad_h * o * (1 - t * t if slope else 1)
    before = c if forgets is None else forgets
    g_slope = g * (1 - g) if gate_like else 1 - g * g
    parts = dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * g_slope, grad_h * t * o * (1 - o)
    return (torch.cat(parts, 1), dc, f) if memory else torch.cat(parts, 1)


def _lstm_backward(grad_out, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, *, keeps=True, **faults):
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    ds, dc, f = _sum_gradients(grad_out, x, h, c, *weights, memory=True, **faults)
    return ds @ weight_ih, ds @ weight_hh, dc * f if keeps else dc, ds.T @ x, ds.T @ h, ds.sum(0), ds.sum(0)


def _through_time(
    grad_out, x, h0, c0, *weights, every_step=False, through_h=1, through_c=1, adds=True, late=False, forwards=False
):
    states, grad_h, grad_c = grad_out
    h, c, before, after = h0, c0, [], []
    for s in x.unbind(1):
        before.append((s, h, c))
        h, c = lstm_cell(s, h, c, *weights)
        after.append((s, h, c))
    used = after if late else before
    grad_x, sums = torch.zeros_like(x), [torch.zeros_like(w) for w in weights]
    steps = range(x.shape[1])
    for t in steps if forwards else reversed(steps):
        upstream = states[:, t] + grad_h, grad_c
        grad_x[:, t], grad_h, grad_c, *grads = lstm_cell_backward(upstream, *used[t], *weights)
        if t and not forwards:
            grad_h, grad_c = through_h * grad_h, through_c * grad_c
            if every_step:
                grad_h, grad_c = grad_h + grad_out[1], grad_c + grad_out[2]
        sums = [a + b for a, b in zip(sums, grads, strict=True)] if adds else grads
    return grad_x, grad_h, grad_c, *sums


def _gru_sums(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return (x @ weight_ih.T + bias_ih).chunk(3, 1), (h @ weight_hh.T + bias_hh).chunk(3, 1)


def _gru_gates(
    x,
    h,
    *weights,
    raw="",
    times=None,
    sigmoid=torch.sigmoid,
    product="",
    a=(1, 1, 1),
    b=(1, 1, 1),
    inner=lambda a, r, b: a + r * b,
):
    """r, z, n and the hidden sum of n.

    ``a`` and ``b`` say how much of each sum of the input and of the state counts, ``product`` in which gate the two are
    multiplied, ``inner`` what stands inside the candidate's tanh.
    """
    (a_r, a_z, a_n), (b_r, b_z, b_n) = (
        [share * one for share, one in zip(shares, own, strict=True)]
        for shares, own in zip((a, b), _gru_sums(*_times(times or {}, x, h, *weights)), strict=True)
    )
    sums = {k: one * other if k == product else one + other for k, one, other in (("r", a_r, b_r), ("z", a_z, b_z))}
    r, z = (s if k == raw else sigmoid(s) for k, s in sums.items())
    s_n = inner(a_n, r, b_n)
    return r, z, s_n if raw == "n" else torch.tanh(s_n), b_n


def _gru(x, h, a, b):
    r, z = torch.sigmoid(a[0] + b[0]), torch.sigmoid(a[1] + b[1])
    n = torch.tanh(a[2] + r * b[2])
    return (1 - z) * n + z * h


def _gru_backward(
    grad_out,
    x,
    h,
    weight_ih,
    weight_hh,
    bias_ih,
    bias_hh,
    *,
    direct=True,
    reset=True,
    sign=1,
    resets=None,
    slope=True,
    **gates,
):
    r, z, n, b_n = _gru_gates(x, h, weight_ih, weight_hh, bias_ih, bias_hh, **gates)
    ds_n = grad_out * (1 - z) * (1 - n * n if slope else 1)
    ds_z = sign * grad_out * (h - n) * z * (1 - z)
    ds_r = ds_n * (b_n if resets is None else resets) * r * (1 - r)
    da = torch.cat([ds_r, ds_z, ds_n], 1)
    db = torch.cat([ds_r, ds_z, ds_n * r if reset else ds_n], 1)
    grad_h = db @ weight_hh + (grad_out * z if direct else 0)
    return da @ weight_ih, grad_h, da.T @ x, db.T @ h, da.sum(0), db.sum(0)


def _dropped(x, p, training, shape, generator, *, keeps=False):
    mask = x.new_ones(shape)
    if training:
        drawn = torch.rand(shape, generator=generator)
        kept = drawn < p if keeps else drawn >= p
        mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(mask)
    return x * mask, mask


def _begun(x, hidden, gates, generator, low=-1.0, zero_biases=False, draws=""):
    rows, columns = gates * hidden, x.shape[1]
    if draws:
        generator = torch.default_generator if draws == "globally" else torch.Generator().manual_seed(0)
    shapes = [(rows, columns), (rows, hidden), (rows,), (rows,), (columns, hidden), (columns,)]
    drawn = [low + (1 - low) * torch.rand(shape, generator=generator, dtype=x.dtype) for shape in shapes]
    return [0 * p if zero_biases and p.ndim == 1 else p / hidden**0.5 for p in drawn]


def _forecast(x, test, window, horizon, hidden, steps, lr, gates, model, loss, step, generator, **faults):
    def fault(name, default=False):
        return faults.get(name, default)

    if fault("by_column", True):
        mean, deviation = x.mean(0), x.std(0)
    else:
        mean, deviation = x.mean().expand(x.shape[1]), x.std().expand(x.shape[1])
    if not fault("scale", True):
        mean, deviation = torch.zeros_like(mean), torch.ones_like(mean)
    ahead = horizon if fault("horizon", True) else 1
    inputs, targets = make_windows((x - mean) / deviation, window, ahead)
    its_mean, its_deviation = (test.mean(0), test.std(0)) if fault("own_statistics") else (mean, deviation)
    unseen, unseen_targets = make_windows((test - its_mean) / its_deviation, window, horizon)
    if fault("leaks"):
        inputs, targets = torch.cat([inputs, unseen]), torch.cat([targets, unseen_targets])
    own = {name: faults[name] for name in ("low", "zero_biases", "draws") if name in faults}
    params = _begun(x, fault("own_hidden") or hidden, fault("own_gates") or gates, generator, **own)
    kept, state, losses = [(math.inf, params)], {}, []
    for number in range(steps - fault("fewer", 0)):
        value, grads = loss(params, inputs, targets)
        rate = min(fault("own_lr") or lr, fault("most_lr") or lr) * fault("decay", 1.0) ** number
        moved, new = step(params, [fault("sign", 1) * grad for grad in grads], state, rate)
        kept.append((value.item(), params))
        params = moved if fault("moves", True) else params
        state = new if fault("keeps_state", True) else {}
        losses.append(loss(params, inputs, targets)[0] if fault("late") else value)
    match fault("best"):
        case "first":
            params = kept[0][1]
        case "loss":
            params = min(kept, key=lambda pair: pair[0])[1]
        case "test":
            tried = [p for _, p in kept] + [params]
            params = min(tried, key=lambda p: ((model(unseen, *p) - unseen_targets) ** 2).mean().item())
    unseen = inputs if fault("trained_windows") else unseen
    forecast = model(unseen if fault("last", True) else unseen[:-1], *params)
    if fault("own_units"):
        mean, deviation = its_mean, its_deviation
    return forecast * deviation + mean if fault("units", True) else forecast, torch.stack(losses)


def _char_loss(x, *args, ignore_index, own=False, wanted=None, rounded=False, subtracted=False, dim=-1):
    *weights, weight_out, bias_out = args
    read = torch.where(x == ignore_index, 0, x) if wanted is None else x
    one_hot = torch.eye(len(bias_out), dtype=weight_out.dtype)[read[:, :-1]]
    zeros = weight_out.new_zeros(len(x), weight_out.shape[1])
    scores = lstm_forward(one_hot, zeros, zeros, *weights)[0] @ weight_out.T + bias_out
    log_p = torch.log(torch.softmax(scores, dim)) if rounded else torch.log_softmax(scores, dim)
    if subtracted:
        log_p = scores - torch.logsumexp(scores, dim, keepdim=True)
    wanted = x[:, :-1] if own else x[:, 1:] if wanted is None else wanted
    counts = wanted != ignore_index
    chosen = log_p.gather(-1, torch.where(counts, wanted, 0)[..., None])[..., 0]
    return -torch.where(counts, chosen, 0).sum() / counts.sum()
