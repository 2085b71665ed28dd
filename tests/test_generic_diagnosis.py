"""Generic diagnosis: what kind of error a wrong answer is, in any exercise, and silence where nothing is sure."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, tensor

from autograder.examples.replay import Trial
from autograder.examples.store import Example
from autograder.feedback.diagnosers import DIAGNOSERS
from autograder.feedback.diagnosis import Earlier, Words, diagnose
from autograder.feedback.likeness import same_answer
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.protocol import TIMED_OUT, Raised, Reply, Request
from autograder.sandbox.values import Callback, Handle, copy_value
from autograder.testing.comparison import Mismatch, assert_close
from autograder.testing.student import Call

GOLDEN = tomllib.loads(Path(__file__).with_name("generic_diagnoses.toml").read_text())
Inputs = dict[str, Any]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 3


def matrices(*shapes: tuple[int, ...]) -> list[Inputs]:
    return [{"x": random(*shape, seed=i)} for i, shape in enumerate(shapes)]


SHAPES = matrices((2, 3), (4, 2), (3, 5), (5, 4))
VECTORS = matrices((3,), (4,), (5,))
SQUARES = matrices((2, 2), (3, 3), (4, 4))
WITH_DIM = [{"x": random(3, 4, seed=i), "dim": dim} for i, dim in enumerate((0, 1, 0, 1, -1, -2, -1, 0))]
BACKWARD = [
    {"grad_out": random(2, 3, seed=10), "x": random(2, 3, seed=11)},
    {"grad_out": random(4, seed=12), "x": random(4, seed=13)},
]
PROBABILITIES = [{"x": random(5, seed=i), "p": p} for i, p in enumerate((0.1, 0.3, 0.6))]


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    return torch.softmax(x, dim)


def calls(function: Callable[..., object], asked: list[Inputs], name: str) -> list[Call]:
    """What the calls of one trial give, each with copies of its arguments."""
    runner = InProcess({name: function})
    runner.begin()
    done = []
    for inputs in asked:
        sent = copy_value(inputs, lambda item: item)
        kept = copy_value(inputs, lambda item: item)
        reply = runner.run(Request("call", name, tuple(sent.values())))
        done.append(Call(Request("call", name, tuple(kept.values())), reply))
    return done


def trials(
    right: Callable[..., object], wrong: Callable[..., object], examples: list[Any], name: str = "f"
) -> list[Trial]:
    """A trial for each example, which is the arguments of one call, or a list of several calls' arguments."""
    made = []
    for example in examples:
        asked = example if isinstance(example, list) else [example]
        reference = tuple(call.reply for call in calls(right, asked, name))
        own = tuple(calls(wrong, asked, name))
        recorded = Example(asked[0], tuple(_plain(reply) for reply in reference), {})
        same = all(same_answer(a.reply, b) for a, b in zip(own, recorded.reference, strict=True))
        made.append(Trial(recorded, own, None if same else AssertionError("wrong")))
    return made


def _plain(reply: Reply) -> Reply:
    return Reply(copy_value(reply.value, lambda item: item), reply.raised, "", reply.changed)


class Case(NamedTuple):
    """A right solution, a wrong one, and what both are asked."""

    right: Callable[..., object]
    wrong: Callable[..., object]
    examples: list[Any]
    name: str = "f"


def prints(x: Tensor) -> None:
    print(x.sum())


def checks_sign(x: Tensor) -> Tensor:
    if (x < 0).any():
        raise ValueError("x has negative entries")
    return x.sqrt()


def fails_to_index(x: Tensor) -> Tensor:
    return x[:, 0, 0]


def sometimes_fails_to_index(x: Tensor) -> Tensor:
    return x.sin() if x.ndim == 1 else x[:, :, 0]


def mixes_devices(x: Tensor) -> Tensor:
    raise RuntimeError("Expected all tensors to be on the same device, but found at least two devices")


def works_in_place(x: Tensor) -> Tensor:
    return x.mul_(2)


def draws(x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(x.shape, generator=generator)


def remembering() -> Callable[[Tensor], Tensor]:
    seen: list[Tensor] = []

    def f(x: Tensor) -> Tensor:
        seen.append(x)
        return x.sum() * len(seen)

    return f


def swaps(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.std(), x.mean()


def affine(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return x.sum(0), odd(x), 5 * x.sin()


def affine_with_wrong_sign(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return x.sum(0), -odd(x), 5 * x.sin()


def affine_with_wrong_cube(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return x.sum(0), other(x), 5 * x.cos()


def outer(x: Tensor) -> Tensor:
    return x[:, None] - x.mean().expand(x.shape)


def to_half(x: Tensor) -> Tensor:
    return x.float() * 2


def leaky(x: Tensor, slope: float) -> Tensor:
    return torch.where(x > 0, x, slope * x)


def naive_sigmoid(x: Tensor) -> Tensor:
    return torch.exp(x) / (1 + torch.exp(x))


def same_seeds(state: int = 3) -> list[Inputs]:
    return [{"x": random(6), "generator": torch.Generator().manual_seed(state)} for _ in range(2)]


def other_seeds() -> list[Inputs]:
    return [{"x": random(6), "generator": torch.Generator().manual_seed(seed)} for seed in (1, 2)]


def slope_of(grad_out: Tensor, x: Tensor) -> Tensor:
    return grad_out * (2 * x.cos() + 0.5)


def checks_type(x: Tensor) -> Tensor:
    raise TypeError("x is a tensor")


NUMBERS = tensor([0.5, 1, 2, 3, 4, 5], dtype=torch.float64)
GRID = [{"grad_out": random(6, seed=i), "x": NUMBERS.roll(i)} for i in range(5)]
UPDATES = [{"param": random(5, seed=i), "grad": random(5, seed=i + 9), "lr": (i + 1) / 8} for i in range(4)]
DROPOUT = [
    {"x": random(20, 15, seed=i), "p": p, "generator": torch.Generator().manual_seed(i)}
    for i, p in enumerate((0.2, 0.3, 0.8, 0.7))
]
MASKED = [{"x": random(4, seed=i), "mask": tensor([True, False, True, False]).roll(i)} for i in range(3)]
PADDED = [{"x": random(4, 3, seed=i) * (torch.arange(4) < 4 - i)[:, None]} for i in (1, 2, 3)]
TIES = [{"x": tensor(values)} for values in ([1.0, 2, 2, 4], [3.0, 3, 1, 0], [5.0, 1, 2, 5])]
ZEROS = [{"x": tensor(values)} for values in ([0.0, 2, -2, 4], [3.0, 0, 1, 0], [5.0, -1, 0, 0])]
ROWS = matrices((1, 3), (1, 4), (2, 3), (4, 2), (3, 5), (1, 5), (1, 2), (3, 3))
SQUARE_OR_NOT = matrices((2, 2), (3, 3), (4, 4), (5, 5), (2, 3), (4, 2), (3, 5), (2, 5))
STRIDED = [{"x": random(3, 4, seed=i) if i % 2 else random(4, 3, seed=i).T} for i in range(8)]
DTYPES = [
    {"x": random(4, seed=i).to(d)}
    for i, d in enumerate([torch.float64, torch.float16, torch.float64, torch.float32] * 2)
]
SIZES = [{"x": random(4, seed=i) * 10.0**k} for i, k in enumerate((0, 0, 2, 3, 0, 2, 3, 0))]
POSITIVE = [{"x": random(4, seed=i).abs() if i % 2 else random(4, seed=i)} for i in range(8)]
SLOPES = [{"x": random(4, seed=i), "slope": s} for i, s in enumerate((0.5, 2.0, 0.25, 3.0, 1.5, 0.75, 0.8, 4.0))]
ONES = [{"x": random(4, seed=i), "slope": s} for i, s in enumerate((1.0, 2.0, 1.0, 3.0, 1.0, 0.5, 1.0, 0.25))]


TWO_SEEDS = [
    [{"x": random(6, 5), "p": 0.5, "generator": torch.Generator().manual_seed(i + j)} for j in (0, 1)] for i in (1, 5)
]
STATES = [
    {"x": random(3, seed=i), "h0": random(3, seed=i + 50) * (i % 3 > 0), "c0": random(3, seed=i + 80) * (i % 2)}
    for i in range(16)
]
BATCHES = [
    {"grad_out": random(n, 3, seed=n), "x": random(n, d, seed=n + 20), "weight": random(3, d, seed=n + 40)}
    for n, d in ((1, 2), (2, 4), (3, 5), (5, 1), (4, 2))
]
CHOSEN = [{"x": random(4, seed=i), "mask": tensor([True, False, True, True]).roll(i)} for i in range(4)]


def odd(x: Tensor) -> Tensor:
    """Nothing simple holds of it."""
    return x**3 - 5 * x.cos()


def other(x: Tensor) -> Tensor:
    """It has nothing to do with `odd`."""
    return 3 * x.sin() - x.flatten().cumsum(0).reshape(x.shape)


def dropout(
    x: Tensor, p: float, generator: torch.Generator, *, scale: bool = True, shape: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    drawn = torch.rand(shape or x.shape, generator=generator, dtype=x.dtype)
    mask = (drawn >= p).to(x.dtype).expand(x.shape).clone() / (1 - p if scale else 1)
    return x * mask, mask


def sgd(params: list[Tensor], lr: float) -> list[Tensor]:
    return [param - lr * param.sin() for param in params]


def step_losses(x: Tensor) -> list[float]:
    return [float(v) for v in x.flatten().cumsum(0)]


def with_a_fixed_seed(x: Tensor, p: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return dropout(x, p, torch.Generator().manual_seed(0))


def from_states(x: Tensor, h0: Tensor, c0: Tensor) -> tuple[Tensor, Tensor]:
    return odd(x) + h0.cos() + 2 * c0.sin(), x.sin() * (c0 + 1) + h0


def descent(x: Tensor, steps: int) -> tuple[Tensor, list[float]]:
    errors = []
    for _ in range(steps):
        errors.append(float(x.square().mean()))
        x = 0.9 * x - 0.1 * x.sin()
    return x, errors


def dense_backward(grad_out: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return grad_out @ weight, grad_out.T @ x, grad_out.sum(0)


def averages_over_the_batch(grad_out: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return grad_out @ weight, grad_out.T @ x / len(x), grad_out.mean(0)


def looks_at_memory(x: Tensor) -> Tensor:
    return odd(x) if x.is_contiguous() else other(x)


CASES: dict[str, Case] = {
    "prints": Case(torch.sum, prints, VECTORS),
    "returns_none": Case(torch.sum, lambda x: None, VECTORS),
    "cut_from_the_graph": Case(
        lambda x: x.clone().requires_grad_().sum().requires_grad, lambda x: x.sum().backward(), VECTORS
    ),
    "wrong_device": Case(torch.sum, mixes_devices, VECTORS),
    "raises_instead": Case(torch.sum, fails_to_index, VECTORS),
    "refuses_too_little": Case(checks_sign, lambda x: x.abs().sqrt(), matrices((3,), (4,))),
    "changes_an_input": Case(lambda x: x * 2, works_in_place, VECTORS),
    "not_repeatable": Case(draws, lambda x, generator: torch.rand(x.shape), [same_seeds()]),
    "remembers": Case(torch.sum, remembering(), [[v, v] for v in VECTORS]),
    "wrong_type": Case(torch.sum, lambda x: x.tolist(), VECTORS),
    "wrong_number_of_results": Case(lambda x: (x, x), lambda x: (x, x, x), VECTORS),
    "swapped_results": Case(lambda x: (x.mean(), x.std()), swaps, VECTORS),
    "permuted_axes": Case(lambda x: x * 2, lambda x: (x * 2).T, SHAPES),
    "permuted_axes of three": Case(lambda x: x * 2, lambda x: (x * 2).permute(0, 2, 1), matrices((2, 3, 4), (3, 2, 5))),
    "axes_of_size_one": Case(lambda x: x.sum(1), lambda x: x.sum(1, keepdim=True), SHAPES),
    "same_values_reshaped": Case(lambda x: x * 2, lambda x: (x * 2).ravel(), SHAPES),
    "reduced_over_another_axis": Case(lambda x: x.sum(0), lambda x: x.sum(1), SHAPES),
    "broadcast_too_far": Case(lambda x: x - x.mean(), outer, VECTORS),
    "wrong_shape": Case(lambda x: x[:-1], lambda x: x[:-2], matrices((4, 2), (5, 3))),
    "wrong_shape of other axes": Case(lambda x: x.sum(0), lambda x: x.diff(dim=0)[None], matrices((3, 2), (4, 3))),
    "shaped_like_an_input": Case(lambda x: x.sum(0), lambda x: x * 2, matrices((3, 2), (4, 3))),
    "not_broadcast": Case(lambda x: x * 2, lambda x: x.sum(0, keepdim=True), matrices((3, 2), (4, 3))),
    "wrong_dtype": Case(lambda x: x * 2, to_half, VECTORS),
    "ignores_an_argument": Case(
        leaky, lambda x, slope: leaky(x, 0.1), [{"x": random(6), "slope": s} for s in (0.5, 2.0, 0.25, 4.0, 0.75)]
    ),
    "returns_an_input": Case(lambda x: x / x.norm(), lambda x: x.clone(), SHAPES),
    "all_zero": Case(lambda x: x * 2, torch.zeros_like, SHAPES),
    "reversed_sign": Case(lambda x: -x.log_softmax(-1), lambda x: x.log_softmax(-1), SHAPES),
    "lost_sign": Case(torch.tanh, lambda x: x.abs().tanh(), SHAPES),
    "constant_factor 2": Case(lambda x: x**2, lambda x: 2 * x**2, SHAPES),
    "constant_factor ln 2": Case(torch.log2, torch.log, [{"x": v["x"].abs() + 1} for v in VECTORS]),
    "constant_factor batch size": Case(lambda x: x.mean(0), lambda x: x.sum(0), SHAPES),
    "constant_factor classes": Case(lambda x: x.mean(1), lambda x: x.sum(1), SHAPES),
    "constant_factor all entries": Case(torch.mean, torch.sum, SHAPES),
    "constant_factor of weight and bias": Case(dense_backward, averages_over_the_batch, BATCHES, "f_backward"),
    "constant_factor mean for sum": Case(torch.sum, torch.mean, SHAPES),
    "constant_factor dropout": Case(lambda x, p: x.cos() / (1 - p), lambda x, p: x.cos(), PROBABILITIES),
    "constant_factor of the input": Case(lambda x: x / x.norm(), lambda x: x / x.norm() ** 2, SHAPES),
    "constant_offset": Case(torch.tanh, lambda x: torch.tanh(x) + 1, SHAPES),
    "constant_offset of the input": Case(lambda x: x - x.mean(), lambda x: x + x.max(), SHAPES),
    "mirrored": Case(torch.sigmoid, lambda x: torch.sigmoid(-x), SHAPES),
    "off_by_an_entry": Case(
        lambda grad_out, x: grad_out * x.cos(), lambda grad_out, x: x.cos(), BACKWARD, "f_backward"
    ),
    "off_by_an_entry, a term": Case(lambda x: x.exp(), lambda x: x.exp() + x, VECTORS),
    "permuted_axes of a square": Case(lambda x: x @ x, lambda x: (x @ x).T, SQUARES),
    "moved_along_an_axis": Case(lambda x: x.cumsum(0), lambda x: x.cumsum(0).roll(1, 0), VECTORS),
    "moved_along_an_axis, reversed": Case(lambda x: x.cumsum(0), lambda x: x.cumsum(0).flip(0), VECTORS),
    "other_order": Case(lambda x: x * 2, lambda x: (x * 2).sort().values, VECTORS),
    "sums_along_another_axis": Case(lambda x: softmax(x, 1), lambda x: softmax(x, 0), SHAPES),
    "only_some_numbers, all but one": Case(
        lambda x, slope: odd(x), lambda x, slope: odd(x) if slope == 1 else other(x), ONES
    ),
    "only_where_left_out": Case(
        lambda x, slope=2.0: odd(x) * slope,
        lambda x, slope=None: other(x) if slope is None else odd(x) * slope,
        [*VECTORS, *({"x": random(4, seed=i), "slope": i / 5} for i in range(1, 21))],
    ),
    "only_one_axis": Case(lambda x, dim: odd(x), lambda x, dim: odd(x) if dim % 2 else other(x), WITH_DIM),
    "not_finite": Case(torch.sigmoid, naive_sigmoid, [{"x": tensor([1.0, 900.0, -1.0])}, {"x": tensor([800.0])}]),
    "not_finite, infinity that is right elsewhere": Case(
        lambda x, mask: torch.where(mask, x, -torch.inf), lambda x, mask: torch.where(mask, -torch.inf, x), CHOSEN
    ),
    "not_finite, a number of a tuple": Case(
        lambda x: (x.exp(), float(x.std())), lambda x: (x.exp(), float("nan")), SHAPES
    ),
    "some_signs": Case(torch.tanh, lambda x: x.tanh() * torch.where(x > 3, -1, 1), SHAPES),
    "some_multiplied": Case(torch.tanh, lambda x: x.tanh() * torch.where(x > 1, 3, 1), SHAPES),
    "some_shifted": Case(torch.tanh, lambda x: x.tanh() + torch.where(x > 1, 1, 0), SHAPES),
    "entries_of_an_input": Case(torch.tanh, lambda x: torch.where(x > 0, x, x.tanh()), SHAPES),
    "one_value": Case(lambda x: x.exp(), lambda x: x.exp().clamp(max=1.5), SHAPES),
    "only_special_entries, zeros": Case(
        lambda x: x.cos(), lambda x: torch.where(x == 0, 5 + torch.arange(4.0), x.cos()), ZEROS
    ),
    "only_special_entries, ties": Case(
        lambda x: x.cos(),
        lambda x: torch.where((x[:, None] == x).sum(1) > 1, torch.arange(4.0) - 4, x.cos()),
        TIES,
    ),
    "only_special_entries, padding": Case(
        lambda x: x.cos(), lambda x: torch.where(x.any(-1, keepdim=True), x.cos(), random(4, 3, seed=9)), PADDED
    ),
    "only_special_entries, mask": Case(
        lambda x, mask: torch.where(mask, x.cos(), 0), lambda x, mask: torch.where(mask, x.cos(), x.sin()), MASKED
    ),
    "only_some_entries, large": Case(
        torch.tanh, lambda x: torch.where(x.abs() > 20, x.cos() / 2, x.tanh()), [{"x": v["x"] * 30} for v in SHAPES]
    ),
    "only_some_entries, sign": Case(torch.exp, lambda x: torch.where(x > 0, x.sin(), x.exp()), SHAPES),
    "only_some_entries, border": Case(
        lambda x: x.cumsum(0).cos(), lambda x: torch.cat((x[:1].sin(), x.cumsum(0).cos()[1:])), SHAPES
    ),
    "only_some_blocks": Case(
        odd,
        lambda x: torch.cat((odd(x[: len(x) // 3]), other(x[len(x) // 3 :]) + 0.1)),
        matrices((3, 2), (6, 2), (9, 4), (12, 3), (6, 5)),
    ),
    "only_some_entries_right": Case(torch.tanh, lambda x: torch.where(x == 0, 0.0, x.cos()), ZEROS),
    "only_roughly_right": Case(torch.exp, lambda x: (1.001 * x).exp(), SHAPES),
    "only_some_inputs, one row": Case(odd, lambda x: odd(x) if len(x) == 1 else other(x), ROWS),
    "only_some_inputs, one of two states": Case(
        from_states, lambda x, h0, c0: from_states(x, h0, torch.zeros_like(c0)), STATES
    ),
    "only_some_inputs, square": Case(odd, lambda x: odd(x) if len(x) == x.shape[1] else other(x), SQUARE_OR_NOT),
    "only_some_inputs, contiguous": Case(odd, looks_at_memory, STRIDED),
    "only_some_dtypes": Case(odd, lambda x: odd(x) if x.dtype == torch.float64 else other(x), DTYPES),
    "only_large_numbers": Case(
        lambda x: 5 * x.sin(), lambda x: 5 * x.sin() if x.abs().max() < 20 else 5 * x.cos(), SIZES
    ),
    "only_some_inputs, positive": Case(odd, lambda x: odd(x) if (x > 0).all() else other(x), POSITIVE),
    "only_some_numbers": Case(lambda x, slope: odd(x), lambda x, slope: other(x) if slope > 1 else odd(x), SLOPES),
    "one_sided": Case(lambda x: x.exp(), lambda x: x.exp() + x**4, SHAPES),
    "one_sided in size": Case(lambda x: 9 * x**3 - 2 * x, lambda x: (9 * x**3 - 2 * x) * x.cosh(), SHAPES),
    "always_one_value": Case(lambda x, slope: x.sum() * slope, lambda x, slope: torch.full_like(x.sum(), 7), SLOPES),
    "breaks_a_bound": Case(softmax, lambda x: softmax(x.flatten()).reshape(x.shape), SHAPES),
    "hides_nan": Case(
        lambda x: torch.where(x.sin() > 0, x, torch.nan), lambda x: torch.where(x.sin() > 0, x, 4), SHAPES
    ),
    "ignores_an_entry": Case(slope_of, lambda grad_out, x: 3 * x.sin() - 1, GRID),
    "not_proportional": Case(slope_of, lambda grad_out, x: grad_out + 4 * x.sin(), GRID),
    "only_the_slope": Case(slope_of, lambda grad_out, x: 3 * grad_out * x.sin(), GRID),
    "leaves_an_argument": Case(
        lambda x: x * x.sigmoid(), lambda x: x * x.cos(), matrices((4, 5), (5, 4), (3, 7), (6, 3))
    ),
    "moves_too_far": Case(
        lambda param, grad, lr: param - lr * grad, lambda param, grad, lr: param + lr * grad, UPDATES
    ),
    "moves_too_far, an argument": Case(
        lambda param, grad, lr: param - lr * grad, lambda param, grad, lr: param - grad, UPDATES
    ),
    "never_moves": Case(
        sgd,
        lambda params, lr: params,
        [{"params": [random(3, seed=i), random(2, 2, seed=i)], "lr": 0.1 * (i + 1)} for i in range(4)],
    ),
    "off_by_a_multiple": Case(
        lambda x, bias: odd(x) + bias,
        lambda x, bias: odd(x) - bias,
        [{"x": random(3, 4, seed=i), "bias": random(4, seed=i + 9)} for i in range(4)],
    ),
    "one_number_long": Case(lambda x: x.tolist(), lambda x: x.tolist()[:-1], VECTORS),
    "one_number_long, and what comes with it": Case(
        descent, lambda x, steps: descent(x, steps - 1), [{"x": random(3, seed=n), "steps": n} for n in (3, 4, 5, 6)]
    ),
    "only_some_digits": Case(lambda x: torch.pi * x, lambda x: 3.1416 * x, SHAPES),
    "only_some_relations": Case(
        lambda x, a, b: odd(x),
        lambda x, a, b: other(x) if a > b else odd(x),
        [{"x": random(4, seed=a * 9 + b), "a": a, "b": b} for a in (2, 3, 4, 5) for b in (1, 3, 4, 6)],
    ),
    "only_some_words": Case(
        lambda x, mode: odd(x),
        lambda x, mode: other(x) if mode == "same" else odd(x),
        [{"x": random(4, seed=i), "mode": mode} for i, mode in enumerate(("same", "valid", "full", "same") * 4)],
    ),
    "kept_for_dropped": Case(dropout, lambda x, p, generator: dropout(x, 1 - p, generator), DROPOUT),
    "nothing_is_dropped": Case(dropout, lambda x, p, generator: (x, torch.ones_like(x)), DROPOUT),
    "not_scaled": Case(dropout, lambda x, p, generator: dropout(x, p, generator, scale=False), DROPOUT),
    "one_draw_for_many": Case(dropout, lambda x, p, generator: dropout(x, p, generator, shape=(len(x), 1)), DROPOUT),
    "one_draw_for_many, all": Case(dropout, lambda x, p, generator: dropout(x, p, generator, shape=(1, 1)), DROPOUT),
    "ignores_the_seed": Case(dropout, with_a_fixed_seed, TWO_SEEDS),
    "refuses_with_another": Case(checks_sign, checks_type, [{"x": -torch.ones(n)} for n in (1, 2)]),
    "right_from_the_second_step": Case(step_losses, lambda x: [0.5, *step_losses(x)[1:]], SHAPES),
    "right_up_to_a_step": Case(
        step_losses, lambda x: [*step_losses(x)[:2], *(2 * v + 1 for v in step_losses(x)[2:])], SHAPES
    ),
    "stays_at_the_first_value": Case(step_losses, lambda x: [float(x.flatten()[0])] * x.numel(), SHAPES),
    "should_be_one_value": Case(
        lambda x: torch.where(x.sin() > 0, x.exp(), 7),
        lambda x: torch.where(x.sin() > 0, x.exp(), 2 * x.cos() - 3 * x + 7),
        SHAPES,
    ),
    "taken_for_true": Case(lambda x: bool(x.sum() > 0), lambda x: True, [{"x": random(3, seed=i)} for i in range(6)]),
    "wrong_keys": Case(lambda x: {"w": x, "b": x.sum()}, lambda x: {"w": x, "bias": x.sum()}, VECTORS),
    "wrong_word": Case(lambda x: "ABC"[int(x.sum()) % 3], lambda x: "D", [{"x": torch.ones(i)} for i in range(2, 6)]),
    "reversed_sign of a key": Case(
        lambda x: {"w": x.exp(), "b": x.sum()}, lambda x: {"w": -x.exp(), "b": x.sum()}, SHAPES
    ),
    "several_symptoms": Case(lambda x: x.cos(), sometimes_fails_to_index, [*VECTORS, *SHAPES[:2]]),
    "some_results_wrong": Case(affine, affine_with_wrong_cube, SHAPES),
    "reversed_sign of one result": Case(affine, affine_with_wrong_sign, SHAPES),
}


def asked_of_an_object() -> list[Trial]:
    """Two members of an object, of which one is wrong."""
    made = []
    for best, wait in ((1.0, 3.0), (2.0, 1.0), (0.5, 4.0)):
        requests = [Request("attribute", "best", (1,)), Request("attribute", "wait", (1,))]
        own = tuple(Call(r, reply) for r, reply in zip(requests, (Reply(best), Reply(-wait)), strict=True))
        made.append(Trial(Example({}, (Reply(best), Reply(wait)), {}), own, AssertionError("wrong")))
    return made


def without_graph() -> list[Trial]:
    call = Call(Request("attribute", "requires_grad", (Handle(1, "Tensor"),)), Reply(False))
    return [Trial(Example({}, (Reply(True),), {}), (call,), AssertionError("wrong"))]


def one_generator(x: Tensor, *, moves: bool) -> list[Trial]:
    """Two calls with one generator, which a first call moves on, or leaves as it was."""
    made = []
    for seed in range(3):
        first, second = (torch.Generator().manual_seed(seed) for _ in range(2))
        right = tuple(Reply(x * torch.rand(6, generator=first, dtype=x.dtype)) for _ in range(2))
        if moves:
            torch.rand(6, generator=second, dtype=x.dtype)
        states = (torch.Generator().manual_seed(seed), second)
        own = tuple(Call(Request("call", "f", (x, state)), Reply(x * 0.7 + 1)) for state in states)
        made.append(Trial(Example({"x": x}, right, {}), own, AssertionError("wrong")))
    return made


def compared(function: Callable[[Tensor], Tensor], right: Callable[[Tensor], Tensor], xs: list[Tensor]) -> list[Trial]:
    """What a check compares more closely than usual."""
    made = []
    for x in xs:
        (call,) = calls(function, [{"x": x}], "f")
        with pytest.raises(Mismatch) as failure:
            assert_close(call.reply.value, right(x), rtol=1e-12, atol=0.0)
        made.append(Trial(Example({"x": x}, (Reply(right(x)),), {}), (call,), failure.value))
    return made


def refused(message: str) -> list[Trial]:
    made = tuple(calls(checks_sign, [{"x": tensor([-1.0])}], "f"))
    return [Trial(Example({}, tuple(call.reply for call in made), {}), made, Mismatch(message))]


def endless() -> list[Trial]:
    call = Call(Request("call", "f", (1.0,)), Reply(raised=Raised(TIMED_OUT, (), "")))
    return [Trial(Example({}, (Reply(1.0),), {}), (call,), AssertionError("wrong"))]


# What the answers of functions alone do not show.
MADE: dict[str, Callable[[], list[Trial]]] = {
    "reversed_sign of an attribute": asked_of_an_object,
    "loses_graph": without_graph,
    "ignores_the_generator": lambda: one_generator(NUMBERS, moves=False),
    "loses_small_numbers": lambda: compared(
        lambda x: x.exp() - 1, torch.expm1, [tensor([n * 1e-15, 1.0], dtype=torch.float64) for n in (3, 5, 7)]
    ),
    "only_some_digits, float32": lambda: compared(
        lambda x: torch.tensor(0.01).double() * x, lambda x: 0.01 * x, [v["x"] for v in SHAPES]
    ),
    "only_some_digits, one number": lambda: compared(lambda x: x.sum().float().double(), torch.sum, [SHAPES[0]["x"]]),
    "unnamed_argument": lambda: refused("ValueError is right, but its message does not name `x`."),
    "refuses_by_accident": lambda: refused("Expected ValueError that names `x`, but this one came by accident."),
    "takes_too_long": endless,
}


def diagnosed(case: Case) -> tuple[str, str] | None:
    return said_of(trials(case.right, case.wrong, case.examples, case.name), case.name)


def said_of(made: list[Trial], name: str = "f") -> tuple[str, str] | None:
    diagnosis = diagnose(made, Words(), name=name)
    return None if diagnosis is None else (diagnosis.mistake, re.sub(r"line \d+", "line N", diagnosis.says))


@pytest.mark.parametrize("case", MADE)
def test_what_goes_wrong_between_calls_gets_the_golden_message(case: str) -> None:
    kind = case.split(maxsplit=1)[0].rstrip(",")
    assert said_of(MADE[case]()) == (kind, GOLDEN["messages"][case])


@pytest.mark.parametrize("case", CASES)
def test_a_realistic_wrong_solution_gets_the_golden_message(case: str) -> None:
    kind = case.split(maxsplit=1)[0].rstrip(",")
    assert diagnosed(CASES[case]) == (kind, GOLDEN["messages"][case])


def test_every_diagnoser_has_a_golden_message() -> None:
    kinds = {name.split()[0].rstrip(",") for name in GOLDEN["messages"]}
    assert {diagnoser.__name__ for diagnoser in DIAGNOSERS} <= kinds


@pytest.mark.parametrize("case", [*CASES, *MADE])
def test_a_message_has_one_to_four_sentences_and_no_code_of_the_solution(case: str) -> None:
    says = GOLDEN["messages"][case]
    assert len(says) < 320
    assert "torch." not in says
    assert says[-1] in ".?)"


@pytest.mark.parametrize("case", CASES)
def test_the_right_solution_gets_no_diagnosis(case: str) -> None:
    right, _, examples, name = CASES[case]
    assert diagnose(trials(right, right, examples, name), Words(), name=name) is None


SINGLE_FITS = {
    "one number times two": (lambda x: x + 1, lambda x: 2 * (x + 1), [{"x": tensor([3.0])}]),
    "one number too large by one": (lambda x: x.exp(), lambda x: x.exp() + 1, [{"x": tensor([0.5])}]),
    "one number of the other sign": (lambda x: x.exp(), lambda x: -x.exp(), [{"x": tensor([0.5])}]),
    "two numbers in reverse order": (lambda x: x.exp(), lambda x: x.exp().flip(0), [{"x": tensor([0.5, 2.0])}]),
}


@pytest.mark.parametrize("case", SINGLE_FITS)
def test_what_may_be_chance_is_not_said(case: str) -> None:
    right, wrong, examples = SINGLE_FITS[case]
    assert diagnosed(Case(right, wrong, examples)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: torch.where(x.sum() > 0, x.exp() * 2, x.exp() + 1),
        lambda x: -x.exp() if x.shape[0] == 2 else x.exp().flip(1) * 1.5,
    ],
    ids=["factor or offset", "sign or order"],
)
def test_a_pattern_that_misses_one_failing_example_is_not_said(wrong: Callable[[Tensor], Tensor]) -> None:
    said = diagnosed(Case(torch.exp, wrong, SHAPES))
    assert said is None or said[0] not in {"constant_factor", "constant_offset", "reversed_sign", "moved_along_an_axis"}


def test_a_live_trial_is_compared_by_the_checks_own_expected_value() -> None:
    made = []
    for example in SHAPES:
        (call,) = calls(lambda x: -x.exp(), [example], "f")
        try:
            assert_close(call.reply.value, example["x"].exp())
        except Mismatch as failure:
            made.append(Trial(Example(example, (), {}), (call,), failure))
    diagnosis = diagnose(made, Words())
    assert diagnosis is not None
    assert diagnosis.mistake == "reversed_sign"
    assert diagnosis.kind == "generic"


def test_a_passing_forward_is_said_of_a_wrong_backward() -> None:
    case = CASES["off_by_an_entry"]
    made = trials(case.right, case.wrong, case.examples, case.name)
    diagnosis = diagnose(made, Words(), name="f_backward", earlier=Earlier(passed=frozenset({"f"})))
    assert diagnosis is not None
    assert diagnosis.says.startswith(
        "`f` passes: what is wrong is in `f_backward` alone. Wherever it is wrong, each value is off"
    )


# Sentences that were once said and were false.


def test_one_that_is_off_by_a_millionth_is_not_said_to_be_1_times_the_right_one() -> None:
    said = said_of(compared(lambda x: x * (1 + 1e-6), lambda x: x, [v["x"] for v in SHAPES]))
    assert said is not None
    assert said[0] == "only_some_digits"
    assert "times" not in said[1]


def test_of_two_values_of_an_argument_neither_is_said_to_decide() -> None:
    rates = [{"x": random(4, seed=i), "lr": 0.1 if i % 2 else 1.0} for i in range(8)]
    assert diagnosed(Case(lambda x, lr: odd(x), lambda x, lr: odd(x) if lr == 0.1 else other(x), rates)) is None


def test_an_argument_is_not_said_to_be_ignored_by_one_that_treats_only_zero_differently() -> None:
    corners = [{"x": torch.zeros(2), "slope": s} for s in (0.1, 0.2, 0.3, 0.4, 0.5)]
    said = diagnosed(Case(lambda x, slope: x + slope, lambda x, slope: torch.where(x == 0, 0.0, x + slope), corners))
    assert said is None or said[0] != "ignores_an_argument"


def test_of_a_constant_input_it_is_not_said_that_nothing_is_drawn() -> None:
    said = said_of(one_generator(torch.zeros(6), moves=True))
    assert said is None or said[0] != "ignores_the_generator"


def test_of_a_mask_of_zeros_it_is_not_said_that_one_draw_decides() -> None:
    nothing = Case(
        dropout, lambda x, p, generator: (x * 0, x * 0), [v | {"x": v["x"][: 10 + i]} for i, v in enumerate(DROPOUT)]
    )
    said = diagnosed(nothing)
    assert said is None or said[0] != "one_draw_for_many"


def test_false_is_not_taken_for_the_number_0() -> None:
    said = diagnosed(Case(lambda x: float(x.sum() * 0 + 2), lambda x: False, VECTORS))
    assert said == ("wrong_type", "It returns a bool where a float is expected.")


def test_a_rare_exception_is_not_said_before_the_wrong_numbers() -> None:
    examples = [*matrices(*[(n, 3) for n in range(2, 14)]), {"x": random(3)}]
    said = diagnosed(Case(lambda x: x.exp(), lambda x: -x.exp() if x.ndim == 2 else x[0, 0], examples))
    assert said is not None
    assert said[0] == "reversed_sign"
    assert said[1].startswith(
        "In 12 of the 13 examples that fail: wherever it is wrong, the values have the right size"
    )
    assert "In 1 it raises IndexError instead of answering" in said[1]


def test_what_goes_along_with_another_argument_is_not_said_to_decide() -> None:
    """Here every array that is not contiguous comes with a stride above 1, which is ignored."""
    strided = [
        {"x": random(3, 4, seed=i) if i % 2 else random(4, 3, seed=i).T, "stride": 1 if i % 2 else i + 2}
        for i in range(10)
    ]
    said = diagnosed(Case(lambda x, stride: odd(x) * stride, lambda x, stride: odd(x), strided))
    assert said is None or "contiguous" not in said[1]


def test_of_parts_that_are_wrong_in_other_examples_it_is_said_in_how_many() -> None:
    """Of the union of all examples it would be said that both are wrong."""
    examples = matrices((2, 3), (4, 2), (3, 5), (5, 4), (2, 2))

    def wrong(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, second, third = affine(x)
        return (first + x[0].sin(), second, third) if len(x) == 2 else (first, other(x), third)

    said = diagnosed(Case(affine, wrong, examples))
    assert said is not None
    assert said[1].startswith("The second result is wrong in 3 of 5 examples and the first result in 2; the third")


def test_of_members_that_are_asked_in_turn_the_first_wrong_one_is_said_to_be_the_first() -> None:
    made = []
    for best, wait in ((-1.0, -3.0), (-2.0, -1.0), (0.5, -4.0)):
        requests = [Request("attribute", "best", (1,)), Request("attribute", "wait", (1,))]
        own = tuple(Call(r, reply) for r, reply in zip(requests, (Reply(best), Reply(wait)), strict=True))
        made.append(Trial(Example({}, (Reply(abs(best)), Reply(abs(wait))), {}), own, AssertionError("wrong")))
    said = said_of(made)
    assert said is not None
    assert said[1].startswith(
        "What is wrong first is the attribute `best` in 2 of 3 examples and the attribute `wait` in 1."
    )


def test_what_is_said_of_one_part_is_not_said_of_another_that_is_wrong_too() -> None:
    said = diagnosed(Case(lambda x: (x.exp(), float(x.std())), lambda x: (other(x), float("nan")), SHAPES))
    assert said is not None
    assert "Of the second result: it is nan where a number is expected." in said[1]


def test_what_is_said_of_a_part_that_is_wrong_in_several_ways_says_of_which() -> None:
    """The shape of one entry and the values of another: not every one has the wrong shape."""

    def layers(x: Tensor) -> list[tuple[Tensor, Tensor]]:
        return [(x.exp(), x.sin()), (x[:1], x.cos()), (x.tan(), x.tanh())]

    said = diagnosed(Case(layers, lambda x: [(x.exp(), x.sin()), (x[:2], x.cos()), (other(x), x.tanh())], SHAPES))
    assert said is not None
    assert "Of the first of each pair in the list, where the shape is wrong: the size of axis 0" in said[1]


def test_a_mask_of_another_dtype_does_not_make_the_draws_wrong() -> None:
    def float32_mask(x: Tensor, p: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        mask = (torch.rand(x.shape, generator=generator) >= p) / (1 - p)
        return x * mask, mask

    said = diagnosed(Case(dropout, float32_mask, DROPOUT))
    assert said is not None
    assert said[1].startswith("The second result is wrong. The result has dtype float32 where float64 is expected.")


def test_where_sums_are_alike_along_another_axis_each_time_none_is_named() -> None:
    """Of the first example's axes it would be false in another example."""
    examples = [{"x": random(3, 4, seed=i), "dim": i % 2} for i in range(6)]
    said = diagnosed(Case(softmax, lambda x, dim: softmax(x, 1 - dim), examples))
    assert said is not None
    assert said[0] != "sums_along_another_axis"


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        (
            ((1, 3, 2), (1, 4, 5), (2, 3, 2), (4, 2, 2), (3, 5, 2), (1, 5, 2), (1, 2, 2), (3, 3, 4)),
            "axis that is not of",
        ),
        (((1,), (1,), (1,), (1,), (4,), (2,), (5,), (3,)), "axis that is not of length 1"),
    ],
    ids=["three axes", "one axis"],
)
def test_arrays_without_rows_are_not_said_to_have_any(shapes: tuple[tuple[int, ...], ...], text: str) -> None:
    said = diagnosed(Case(odd, lambda x: odd(x) if len(x) == 1 else other(x), matrices(*shapes)))
    assert said is not None
    assert text in said[1]
    assert "row" not in said[1]


def test_vectors_that_are_right_speak_against_no_sentence_on_matrices() -> None:
    """That it is right only where there is one row would be false of them."""
    said = diagnosed(
        Case(odd, lambda x: odd(x) if x.ndim == 1 or len(x) == 1 else other(x), [*ROWS, *matrices((3,), (4,), (5,))])
    )
    assert said is not None
    assert "it is wrong only where `x` has another number of rows than one" in said[1]


def test_it_is_not_said_to_be_wrong_only_somewhere_if_other_symptoms_show_elsewhere() -> None:
    def wrong(x: Tensor, slope: float) -> Tensor:
        return x[0, 0] if slope == 0.25 else other(x) if slope > 1 else odd(x)

    said = diagnosed(Case(lambda x, slope: odd(x), wrong, SLOPES))
    assert said is None or "only where" not in said[1]


def test_a_size_above_which_it_is_wrong_lies_between_two_examples_of_one_check() -> None:
    """Two checks may differ in anything."""
    made = [
        Trial(Example({**trial.example.values, **extra}, trial.example.reference, {}), trial.transcript, trial.failure)
        for trial in trials(*CASES["only_large_numbers"][:3])
        for extra in [{"scale": 1.0} if trial.failure else {}]
    ]
    said = said_of(made)
    assert said is None or said[0] != "only_large_numbers"


def test_a_rare_exception_is_said_last_where_nothing_is_known_of_the_rest() -> None:
    examples = [*matrices(*[(n, 3) for n in range(2, 14)]), {"x": random(3)}]
    said = diagnosed(Case(odd, lambda x: other(x) if x.ndim == 2 else x[0, 0], examples))
    assert said is not None
    assert said[1].startswith("Of the 13 examples that fail, in 12 the values are wrong; in 1 it raises IndexError")


def test_what_an_object_says_later_is_not_said_to_be_right() -> None:
    made = []
    for right in ((False, True), (False, False, True)):
        asked = tuple(Request("method", "step", (1, float(i))) for i in range(len(right)))
        own = tuple(Call(request, Reply(not truth)) for request, truth in zip(asked, right, strict=True))
        made.append(Trial(Example({}, tuple(map(Reply, right)), {}), own, AssertionError("wrong")))
    said = said_of(made)
    assert said is not None
    assert said[1].endswith("The first wrong answer is True where False is expected, each time.")


def test_of_several_arguments_that_are_left_out_together_all_are_named() -> None:
    """It may be the default of any of them."""

    def scaled(x: Tensor, slope: float = 2.0, shift: float = 1.0) -> Tensor:
        return odd(x) * slope + shift

    def wrong(x: Tensor, slope: float = 2.0, shift: float = 0.5) -> Tensor:
        return scaled(x, slope, shift)

    both = [{"x": random(4, seed=i), "slope": i / 5, "shift": i / 9} for i in range(1, 22)]
    said = diagnosed(Case(scaled, wrong, [*VECTORS, *both]))
    assert said is not None
    assert "with `shift` and `slope`, and wrong in the 3 without. Are their defaults right?" in said[1]
    some = [{**one} if i % 2 else {"x": one["x"], "slope": one["slope"]} for i, one in enumerate(both)]
    said = diagnosed(Case(scaled, lambda x, slope=0.5, shift=1.0: scaled(x, slope, shift), [*VECTORS, *some]))
    assert said is not None
    assert "with `slope`, and wrong in the 3 without, which leave out `shift`, too. Is each default right?" in said[1]


SHAPED_WRONGLY: dict[str, tuple[Callable[[Tensor], object], Callable[[Tensor], object]]] = {
    "reshaped": (lambda x: x * 2, lambda x: (x * 2).ravel()),
    "an axis too many": (lambda x: x.sum(1), lambda x: x.sum(1, keepdim=True)),
    "another axis": (lambda x: x.sum(0), lambda x: x.sum(1)),
    "more axes": (lambda x: x.sum(0), lambda x: x.diff(dim=0)[None]),
    "a list": (lambda x: [1.0] * len(x), lambda x: [1.0] * (2 * len(x))),
}


@pytest.mark.parametrize("case", SHAPED_WRONGLY)
def test_the_shape_of_one_example_is_not_said_of_all(case: str) -> None:
    said = diagnosed(Case(*SHAPED_WRONGLY[case], SHAPES))
    assert said is not None
    assert "in the first example that fails" in said[1]


def test_what_is_computed_once_is_not_said_to_be_reduced() -> None:
    said = diagnosed(Case(lambda x: x.cumsum(0), lambda x: x[:1], matrices((3, 2), (4, 3))))
    assert said is not None
    assert said[1].startswith("Axis 0 of the result has size 1, where more is expected: the shape is (1, 2) instead")


def test_how_bad_input_ends_is_said_of_the_examples_alone() -> None:
    """Other bad input may be answered."""
    said = diagnosed(Case(checks_sign, checks_type, [{"x": -random(3).abs()}, {"x": -random(4).abs()}]))
    assert said is not None
    assert said[1].startswith("In all 2 examples that fail, bad input ends in TypeError")


def test_where_arrays_with_other_axes_are_wrong_it_is_not_put_down_to_memory() -> None:
    """All that are not contiguous have three axes, or one with a step: that has nothing to do with it."""
    flat = matrices((2, 3), (4, 2), (3, 5), (5, 4), (2, 2))
    deep = [{"x": random(*shape).transpose(1, 2)} for shape in ((2, 3, 2), (2, 3, 4), (2, 3, 4, 1))]
    lines = [{"x": random(n)[::2]} for n in (6, 8)]
    said = diagnosed(Case(odd, lambda x: odd(x) if x.ndim == 2 else other(x), [*flat, *deep, *lines]))
    assert said is not None
    assert "it is wrong only where `x` has another number of axes than 2." in said[1]
    said = diagnosed(Case(odd, lambda x: odd(x) if x.ndim < 3 else other(x), [*flat, *VECTORS, *deep, *deep]))
    assert said is not None
    assert "it is wrong only where `x` has more than 2 axes." in said[1]


def test_an_argument_below_which_entries_are_right_is_named_only_if_all_beyond_it_are_wrong() -> None:
    """Else any number below the wrong ones would do."""
    examples = [{"x": random(40, seed=i) / 3, "slope": s} for i, s in enumerate((0.01, 0.02, 0.03, 0.04))]
    far = Case(lambda x, slope: odd(x), lambda x, slope: torch.where(x > 1.5, other(x), odd(x)), examples)
    said = diagnosed(far)
    assert said is None or "larger than `slope`" not in said[1]
    said = diagnosed(far._replace(wrong=lambda x, slope: torch.where(x > slope, other(x), odd(x))))
    assert said is not None
    assert "All wrong entries seen here stand where `x` is positive" in said[1] or "larger than `slope`" in said[1]


def test_examples_whose_right_answer_is_0_do_not_show_where_it_is_right() -> None:
    """Here they are right since `slope` is 0, too: with another one an `x` of zeros comes out wrong."""
    zeros = [{"x": torch.zeros(i + 1, dtype=torch.float64), "slope": 0.0} for i in range(5)]
    others = [{"x": random(4, seed=i), "slope": s} for i, s in enumerate((0.0, 2.0, 0.25, 3.0, 1.5))]
    said = diagnosed(Case(lambda x, slope: x * slope, lambda x, slope: x + slope, [*zeros, *others]))
    assert said is None or "only where" not in said[1]


def test_zeros_are_not_said_to_come_from_a_fixed_seed() -> None:
    said = diagnosed(Case(dropout, lambda x, p, generator: (x * 0, x * 0), TWO_SEEDS))
    assert said is not None
    assert "fixed seed" not in said[1]


def test_of_an_array_that_has_to_be_refused_it_is_not_said_that_its_shape_is_bad() -> None:
    made = calls(lambda x, y: x, [{"x": -random(3).abs(), "y": random(2, 3)}], "f")
    wanted = (Reply(raised=Raised("ValueError", (), "x has negative entries")),)
    failure = Mismatch("Expected ValueError that names `x`, but nothing was raised.")
    drawn = dict(zip("xy", made[0].request.args, strict=True))
    said = said_of([Trial(Example(drawn, wanted, {}), tuple(made), failure)])
    assert said is not None
    assert said[1] == (
        "It answers where ValueError is expected: for a bad `x` of shape (3,), where `y` has shape (2, 3)."
    )


def test_the_line_of_a_function_that_a_check_passes_in_is_not_said_to_be_the_students() -> None:
    def applies(function: Callable[[float], float]) -> float:
        return function(1.0)

    reply = InProcess({"f": applies}).run(Request("call", "f", (Callback("lambda v: v[0]"),)))
    assert reply.raised is not None and reply.raised.place.endswith("return function(1.0)")


def test_what_raises_is_not_said_to_be_wrong() -> None:
    raised = Raised("AttributeError", ("AttributeError",), "no `patience`", "line 3: return self.patience")
    call = Call(Request("method", "step", (Handle(1, "Stopping"), 1.0)), Reply(raised=raised))
    said = said_of([Trial(Example({}, (Reply(True),), {}), (call,), AssertionError("wrong"))])
    assert said is not None
    assert said[1].startswith(
        "In the one example that fails, it raises AttributeError instead of answering, at line N:"
    )


def test_what_is_wrong_in_the_answer_and_in_its_gradients_is_said_of_both() -> None:
    made = []
    for i, right in enumerate((2.0, 3.0, 4.0)):
        requests = [Request("call", "f", (right,)), Request("gradient", "f", (1.0, (0, 1), right, right))]
        replies = [Reply(right), Reply((right, right, right))]
        own = [replies[0] if i else Reply(-right), Reply((-right, right, -right))]
        answered = tuple(Call(request, reply) for request, reply in zip(requests, own, strict=True))
        made.append(Trial(Example({}, tuple(replies), {}), answered, AssertionError("wrong")))
    said = said_of(made)
    assert said is not None
    assert said[1].startswith(
        "What is wrong first is the first and third of autograd's gradients in 2 of 3 examples and the answer in 1. "
    )


ODD_ANSWERS: dict[str, object] = {
    "nothing": None,
    "bool": True,
    "int": 3,
    "nan": float("nan"),
    "text": "softmax",
    "empty tuple": (),
    "tuples in a tuple": ((1.0, tensor([1.0])), 2),
    "list": [tensor(1.0), None],
    "dict": {"a": tensor([1.0])},
    "object": Handle(1, "Layer"),
    "number tensor": tensor(2.0),
    "empty tensor": torch.zeros(0, 3),
    "one axis": tensor([1.0, float("nan"), -2.0]),
    "infinities": tensor([[float("inf"), 0.0], [1.0, -float("inf")]]),
    "half": tensor([1.0, 6e4]).half(),
    "bool tensor": tensor([True, False]),
    "complex tensor": tensor([1j, 2.0]),
    "array": np.array([1.0, 2.0, 2.0]),
    "text array": np.array(["a", "b"]),
}


@pytest.mark.parametrize("own", ODD_ANSWERS)
@pytest.mark.parametrize("expected", ODD_ANSWERS)
def test_no_answer_is_too_odd_to_be_looked_at(own: str, expected: str) -> None:
    given = {"x": ODD_ANSWERS[own], "y": ODD_ANSWERS[expected], "dim": 0}
    call = Call(Request("call", "f", tuple(given.values())), Reply(ODD_ANSWERS[own]))
    odd = Trial(Example(given, (Reply(ODD_ANSWERS[expected]),), {}), (call,), AssertionError("wrong"))
    right = Trial(Example(given, (Reply(ODD_ANSWERS[expected]),), {}), (), None)
    diagnosis = diagnose([odd, odd, odd, right, right, right], Words(), name="f")
    assert diagnosis is None or diagnosis.says
