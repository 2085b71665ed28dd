"""A contract's checks: each catches its kind of mistake, a right solution passes them all, on torch and numpy."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product
from math import inf, nan
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.examples.replay import run_once
from autograder.examples.search import search
from autograder.guards import require_axis, require_between, require_ndim, require_positive, require_same_shape
from autograder.sandbox.inprocess import InProcess
from autograder.testing import (
    Contract,
    Digits,
    another_length,
    another_number_of_axes,
    another_shape,
    arrays,
    bad_values,
    case,
    dims,
    exercise,
    floats,
    negative,
    no_axis,
    no_word,
    not_positive,
    outside,
    pairwise,
    probabilities,
    seeded,
    tensors,
)
from autograder.testing.contract import LAYOUTS
from autograder.testing.declarations import Check, declared_checks
from autograder.testing.digits import multiples
from autograder.testing.kinds import DeclarationError
from autograder.testing.student import Call

AGREES, FLOAT32, HALF = "test_agrees", "test_float32", "test_half_precision"
DIGITS = "test_keeps_its_digits"
LAYOUT, EMPTY, STAY = "test_not_contiguous", "test_empty_and_single", "test_arguments_stay"
REFUSES = "test_bad_input_is_refused"
DRAWS = 40
# As in `load_assignment`: how long an example takes is no failure.
settings.register_profile("contract", database=None, deadline=None, suppress_health_check=list(HealthCheck))


def checks_of(contract: Contract, owner: type | None = None) -> tuple[Check, ...]:
    """The checks that the contract gives an exercise called ``f``."""
    module = ModuleType("content")
    before = settings.get_current_profile_name()
    settings.load_profile("contract")
    module.owner = exercise("f", points=1, contract=contract)(owner or type("TestF", (), {}))  # type: ignore[attr-defined]
    settings.load_profile(before)
    ((_, checks),) = declared_checks(module, visible=True)
    return checks


Drawn = list[tuple[Check, list[dict[str, Any]]]]


def examples_of(contract: Contract, right: Callable[..., Any]) -> Drawn:
    """What a search of each check draws on a right solution, which has to pass."""
    drawn = []
    for check in checks_of(contract):
        draws = search(check, InProcess({"f": right}, seconds_per_call=5), seed=1, draws_at_most=DRAWS)
        assert [str(draw.failure) for draw in draws if draw.failure is not None] == [], check.name
        drawn.append((check, [draw.values for draw in draws]))
    return drawn


def failures(drawn: Drawn, solution: Callable[..., Any]) -> dict[str, str]:
    """The first thing that each check finds wrong, by the checks' names."""
    runner = InProcess({"f": solution}, seconds_per_call=5)
    found = {}
    for check, examples in drawn:
        faults = (run_once(check, runner, values)[1] for values in examples)
        first = next((fault for fault in faults if fault is not None), None)
        if first is not None:
            found[check.name] = str(first)
    return found


SOFTMAX = Contract(
    {"x": tensors(min_ndim=2), "dim": dims(2), "t": floats(0.25, 4)},
    lambda x, dim, t: torch.softmax(x / t, dim),
    magnitudes=(1.0, 1e-3, 500.0),
    batch={"x": 0},
    refuses=(no_axis("dim", "x"), not_positive("t")),
)


def refuse(x, dim, t):
    require_axis(x, dim=dim)
    require_positive(t=t)


def softmax(x, dim, t):
    refuse(x, dim, t)
    return torch.softmax(x / t, dim)


def takes_another_axis(x, dim, t):
    refuse(x, dim, t)
    return torch.softmax(x / t, dim - 1)


def multiplies_by_t(x, dim, t):
    refuse(x, dim, t)
    return torch.softmax(x * t, dim)


def overflows(x, dim, t):
    refuse(x, dim, t)
    e = (x / t).exp()
    return e / e.sum(dim, keepdim=True)


def answers_in_float64(x, dim, t):
    return softmax(x.double(), dim, t)


def is_rough(x, dim, t):
    return softmax(x.half(), dim, t).to(x.dtype) if x.dtype == torch.float32 else softmax(x, dim, t)


def lifts_halves_to_float32(x, dim, t):
    return softmax(x.float() if x.dtype.itemsize == 2 else x, dim, t)


def knows_no_bfloat16(x, dim, t):
    if x.dtype == torch.bfloat16:
        raise TypeError("unknown dtype")
    return softmax(x, dim, t)


def asks_for_contiguous(x, dim, t):
    return softmax(x.view(-1).view(x.shape), dim, t)


def takes_it_for_contiguous(x, dim, t):
    own = x.clone(memory_format=torch.preserve_format)
    return softmax(torch.as_strided(own, x.shape, torch.empty(x.shape).stride()), dim, t)


def needs_an_entry(x, dim, t):
    refuse(x, dim, t)
    x = x / t
    return torch.softmax(x - x.max(), dim)


def divides_in_place(x, dim, t):
    refuse(x, dim, t)
    x /= t
    return torch.softmax(x, dim)


def refuses_nothing(x, dim, t):
    return torch.softmax(x / t, dim % x.ndim)


def leaves_it_to_torch(x, dim, t):
    require_positive(t=t)
    return torch.softmax(x / t, dim)


def names_nothing(x, dim, t):
    if not t > 0 or not -x.ndim <= dim < x.ndim:
        raise ValueError("bad input")
    return torch.softmax(x / t, dim)


def forgets_nan(x, dim, t):
    require_axis(x, dim=dim)
    if t <= 0:
        raise ValueError("t is not positive")
    return torch.softmax(x / t, dim)


TORCH = {
    takes_another_axis: {AGREES, FLOAT32, HALF, LAYOUT},
    multiplies_by_t: {AGREES, FLOAT32, HALF, LAYOUT},
    overflows: {FLOAT32, HALF},
    answers_in_float64: {FLOAT32, HALF},
    is_rough: {FLOAT32},
    lifts_halves_to_float32: {HALF},
    knows_no_bfloat16: {HALF},
    asks_for_contiguous: {LAYOUT},
    takes_it_for_contiguous: {LAYOUT},
    needs_an_entry: {EMPTY},
    divides_in_place: {STAY, LAYOUT},  # what is expanded cannot be written to
    refuses_nothing: {REFUSES},
    leaves_it_to_torch: {REFUSES},
    names_nothing: {REFUSES},
    forgets_nan: {REFUSES},
}


@pytest.fixture(scope="module")
def of_softmax() -> Drawn:
    return examples_of(SOFTMAX, softmax)


@pytest.mark.parametrize(("wrong", "caught"), TORCH.items(), ids=[wrong.__name__ for wrong in TORCH])
def test_each_check_catches_its_kind_of_mistake(of_softmax: Drawn, wrong, caught: set[str]):
    found = failures(of_softmax, wrong).keys()
    # A wrong idea shows in more than the idea's check; everything else only where it belongs.
    assert caught <= found if AGREES in caught else caught == found


def standardize(x):
    require_ndim(2, x=x)
    return (x - x.mean(axis=0)) / x.std(axis=0)


STANDARDIZE = Contract(
    {"x": arrays(min_ndim=2, max_ndim=2, min_side=2).filter(lambda x: (np.ptp(x, axis=0) > 0).all())},
    lambda x: (x - x.mean(axis=0)) / x.std(axis=0),
    magnitudes=(1.0, 1e-3, 1000.0),
    half_magnitudes=(),
    slack=20.0,
    batch={"x": 1},
    refuses=(another_number_of_axes("x"),),
)


def takes_rows(x):
    return standardize(x.T).T


def answers_in_float64_of_numpy(x):
    return standardize(x.astype(np.float64))


def reads_as_it_lies_in_memory(x):
    require_ndim(2, x=x)
    return standardize(x.ravel(order="K").reshape(x.shape))


def needs_a_column(x):
    require_ndim(2, x=x)
    return standardize(x + 0 * x.max())


def subtracts_in_place(x):
    require_ndim(2, x=x)
    deviation = x.std(axis=0)
    x -= x.mean(axis=0)
    return x / deviation


def takes_any_axes(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def answers_with_a_list(x):
    return standardize(x).tolist()


NUMPY = {
    takes_rows: {AGREES, FLOAT32},
    answers_with_a_list: {AGREES, FLOAT32},
    answers_in_float64_of_numpy: {FLOAT32},
    reads_as_it_lies_in_memory: {LAYOUT},
    needs_a_column: {EMPTY},
    subtracts_in_place: {STAY},
    takes_any_axes: {REFUSES},
}


# A layout that repeats the first entry makes every column constant, and all answers nan.
@pytest.fixture(scope="module")
def of_standardize() -> Drawn:
    with np.errstate(invalid="ignore"):
        return examples_of(STANDARDIZE, standardize)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("wrong", "caught"), NUMPY.items(), ids=[wrong.__name__ for wrong in NUMPY])
def test_each_check_catches_its_kind_of_mistake_on_numpy(of_standardize: Drawn, wrong, caught: set[str]):
    found = failures(of_standardize, wrong).keys()
    assert caught <= found if AGREES in caught else caught == found


def softmax_backward(grad_out, x, dim, t):
    require_same_shape(grad_out=grad_out, x=x)
    y = softmax(x, dim, t)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True)) / t


def forgets_the_others(grad_out, x, dim, t):
    y = softmax(x, dim, t)
    require_same_shape(grad_out=grad_out, x=x)
    return y * (1 - y) * grad_out / t


def lets_grad_out_broadcast(grad_out, x, dim, t):
    y = softmax(x, dim, t)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True)) / t


BACKWARD = replace(SOFTMAX.backward("x"), half_slack=20.0)


@pytest.fixture(scope="module")
def of_backward() -> Drawn:
    return examples_of(BACKWARD, softmax_backward)


def test_the_backward_of_a_contract_compares_with_the_gradient_of_its_oracle(of_backward: Drawn):
    assert AGREES in failures(of_backward, forgets_the_others)
    assert checks_of(BACKWARD)[0].title == "The gradient agrees with torch's for a random upstream gradient."


def test_the_backward_of_a_contract_refuses_an_upstream_gradient_of_another_shape(of_backward: Drawn):
    assert failures(of_backward, lets_grad_out_broadcast).keys() == {REFUSES}


@st.composite
def matching(draw):
    rows, inner, columns = draw(st.lists(st.integers(1, 4), min_size=3, max_size=3, unique=True))
    return {"a": draw(tensors(shape=(rows, inner))), "b": draw(tensors(shape=(inner, columns)))}


PRODUCT = Contract(matching(), lambda a, b: a @ b, names=("a", "b"), slack=4.0, batch={"a": 0})


def product_backward(grad_out, a, b):
    if grad_out.shape != (a.shape[0], b.shape[1]):
        raise ValueError("grad_out has another shape")
    return grad_out @ b.T, a.T @ grad_out


def swaps_the_gradients(grad_out, a, b):
    return product_backward(grad_out, a, b)[::-1]


def test_the_gradients_of_several_arguments_come_in_order():
    both = examples_of(PRODUCT.backward("a", "b", half_slack=8.0), product_backward)
    assert AGREES in failures(both, swaps_the_gradients)


def test_the_gradient_of_one_argument_is_no_tuple():
    one = examples_of(PRODUCT.backward("b", half_slack=8.0), lambda g, a, b: product_backward(g, a, b)[1])
    assert AGREES in failures(one, product_backward)


DROPOUT = Contract(
    {"x": tensors(min_ndim=1), "p": probabilities(), "generator": st.integers(0, 9).map(seeded)},
    lambda answer, x, p, generator: (torch.where(answer[1], x / (1 - p), torch.zeros_like(x)), answer[1]),
    of_answer=True,
    keywords=("generator",),
    batch={"x": 0},
    refuses=(outside("p", 0.0, 1.0, ends=True),),
)


def dropout(x, p, *, generator):
    require_between(0, 1, exclusive=True, p=p)
    mask = torch.rand(x.shape, generator=generator) >= p
    return torch.where(mask, x / (1 - p), torch.zeros_like(x)), mask


def keeps_what_the_mask_drops(x, p, *, generator):
    out, mask = dropout(x, p, generator=generator)
    return out, ~mask


def scales_in_place(x, p, *, generator):
    out, mask = dropout(x, p, generator=generator)
    x /= 1 - p
    return out, mask


def allows_the_end(x, p, *, generator):
    require_between(0, 1, p=p)
    return dropout(x, min(max(p, 0.01), 0.99), generator=generator)


def test_what_draws_is_compared_with_what_follows_from_its_own_answer():
    drawn = examples_of(DROPOUT, dropout)
    assert AGREES in failures(drawn, keeps_what_the_mask_drops)
    assert STAY in failures(drawn, scales_in_place)
    assert failures(drawn, allows_the_end).keys() == {REFUSES}


def shuffled(x, generator):
    return x[torch.randperm(len(x), generator=generator)]


SHUFFLED = Contract(
    {"x": tensors(min_ndim=1, max_ndim=1, min_side=3), "generator": st.integers(0, 9).map(seeded)},
    shuffled,
    keywords=("generator",),
)


def test_an_oracle_that_draws_begins_where_the_student_does():
    def draws_once_too_often(x, generator):
        torch.rand(1, generator=generator)
        return shuffled(x, generator)

    drawn = examples_of(SHUFFLED, shuffled)
    assert AGREES in failures(drawn, draws_once_too_often)


def test_a_list_that_is_changed_in_place_is_noticed():
    contract = Contract({"values": st.lists(st.integers(0, 9), min_size=1)}, sorted, half_magnitudes=())

    def sorts_in_place(values):
        values.sort()
        return list(values)

    assert STAY in failures(examples_of(contract, sorted), sorts_in_place)


def test_a_refusal_says_what_was_passed_in_and_beside_what(of_softmax: Drawn):
    either = examples_of(replace(BACKWARD, refuses=(another_shape("grad_out", or_naming=("x",)),)), softmax_backward)
    message = failures(either, lets_grad_out_broadcast)[REFUSES]
    assert message.startswith("Expected ValueError that names `grad_out` or `x`, but ")
    assert ": grad_out is of shape (" in message and ", x has shape (" in message
    assert "array(" not in message and "tensor(" not in message
    message = failures(of_softmax, forgets_nan)[REFUSES]
    assert message.startswith("Expected ValueError that names `t`, but nothing was raised: t is nan, x has shape (")


def test_either_of_two_arguments_may_be_named_where_both_may_be_refused(of_backward: Drawn):
    def names_x(grad_out, x, dim, t):
        if grad_out.shape != x.shape:
            raise ValueError("x has another shape")
        return softmax_backward(grad_out, x, dim, t)

    assert REFUSES in failures(of_backward, names_x)
    examples_of(replace(BACKWARD, refuses=(another_shape("grad_out", or_naming=("x",)),)), names_x)


def test_each_check_says_what_it_is_about():
    kinds = {check.name: (check.kind, check.stage) for check in checks_of(SOFTMAX)}
    assert kinds == {
        AGREES: ("idea", ""),
        **dict.fromkeys((FLOAT32, HALF, LAYOUT, EMPTY, STAY), ("case", "")),
        REFUSES: ("refusal", ""),
    }
    assert all(check.title.endswith(".") for check in checks_of(SOFTMAX))


def test_what_is_not_asked_for_is_left_out():
    short = Contract({"x": tensors()}, torch.relu, agrees=None, half_magnitudes=())
    assert [check.name for check in checks_of(short)] == [FLOAT32, LAYOUT, STAY]


def test_a_class_keeps_its_own_check_of_a_name():
    class TestF:
        @case
        def test_float32(self, student):
            """Mine."""

    checks = {check.name: check for check in checks_of(SOFTMAX, TestF)}
    assert checks["test_float32"].title == "Mine."
    assert next(iter(checks)) == "test_float32"


def test_magnitudes_reach_what_is_scaled_and_nothing_else():
    arguments = {"grad_out": torch.ones(2), "x": torch.ones(2), "steps": [torch.ones(2)], "n": 3, "p": 0.5}
    (sizes,) = multiples([500.0])
    larger = SOFTMAX.resized(arguments, sizes)
    assert (larger["grad_out"][0], larger["x"][0], larger["steps"][0][0]) == (1, 500, 500)
    assert (larger["n"], larger["p"]) == (3, 0.5)
    only = replace(SOFTMAX, scaled=("grad_out",)).resized(arguments, sizes)
    assert (only["grad_out"][0], only["x"][0]) == (500, 1)


def shapes_of(values: tuple[Any, ...]) -> list[tuple[int, ...] | None]:
    return [None if value is None else tuple(value.shape) for value in values]


@pytest.mark.parametrize("make", [torch.ones, np.ones], ids=["torch", "numpy"])
@pytest.mark.parametrize(
    ("refusal", "shape", "bad"),
    [
        (another_shape("x"), (2, 3), [(3, 3), (6,), (1, 2, 3), (2, 1), ()]),
        (another_shape("x"), (1,), [(2,), None, (1, 1), None, ()]),
        (another_shape("x"), (), [(2,), (1,), (1,), (1, 1), None]),
        (another_shape("x"), (0, 3), [(1, 3), (0,), (1, 0, 3), (0, 1), ()]),
        (another_number_of_axes("x"), (2, 3), [(1, 2, 3), (3,)]),
        (another_number_of_axes("x"), (), [(1,), None]),
        (another_length("x", 1), (2, 3), [(2, 4), (2, 1)]),
        (another_length("x", -1), (2, 1), [(2, 2), None]),
    ],
)
def test_bad_arrays_are_made_of_good_ones(make, refusal, shape, bad):
    values = refusal.spoil({"x": make(shape)})
    assert shapes_of(values) == bad
    assert refusal.naming == ("x",)
    assert all(value is None or value.dtype == make(shape).dtype for value in values)


@pytest.mark.parametrize(
    ("refusal", "bad"),
    [
        (no_axis("p", "x"), [2, -3]),
        (not_positive("p"), [0.0, -1.5, nan]),
        (negative("p"), [-0.01, -3.0, nan]),
        (outside("p", 0.0, 1.0), [-0.1, 1.1, inf, nan]),
        (outside("p", 0.0, 1.0, ends=True), [-0.1, 1.1, inf, nan, 0.0, 1.0]),
        (no_word("p", "Tanh"), ["", "Tanh"]),
        (bad_values("p", 0, None, or_naming=("q",)), [0, None]),
    ],
)
def test_bad_values_are_listed(refusal, bad):
    values = refusal.spoil({"x": torch.ones(2, 3), "p": 1})
    assert list(map(repr, values)) == list(map(repr, bad))
    assert refusal.naming[0] == "p"


AT_NINE = replace(SOFTMAX, variants=(SOFTMAX.arguments | {"t": st.just(9.0)},))


def layouts_of(contract: Contract, right: Callable[..., Any]) -> list[tuple[Call, ...]]:
    """The calls of each example of other layouts."""
    check = next(check for check in checks_of(contract) if check.name == LAYOUT)
    return [draw.transcript for draw in search(check, InProcess({"f": right}), seed=0)]


def test_every_magnitude_is_tried_in_every_dtype_on_every_example():
    for name, dtypes in ((FLOAT32, ["float32"]), (HALF, ["float16", "bfloat16"])):
        check = next(check for check in checks_of(SOFTMAX) if check.name == name)
        for draw in search(check, InProcess({"f": softmax}), seed=0):
            tried = [str(call.request.args[0].dtype).removeprefix("torch.") for call in draw.transcript]
            assert tried == [dtype for dtype in dtypes for _ in SOFTMAX.magnitudes]


def test_every_layout_is_tried_on_every_example():
    calls = layouts_of(SOFTMAX, softmax)
    assert {len(example) for example in calls} == {len(LAYOUTS)}
    assert False in {call.request.args[0].is_contiguous() for example in calls for call in example}


def test_every_call_of_an_example_draws_from_the_same_place():
    states = [call.request.kwargs["generator"].get_state() for call in layouts_of(SHUFFLED, shuffled)[0]]
    assert len(states) == len(LAYOUTS)
    assert all(torch.equal(state, states[0]) for state in states)


def test_a_single_variant_is_tried_in_every_layout():
    layouts = len(LAYOUTS)
    for example in layouts_of(AT_NINE, softmax):
        assert [call.request.args[2] for call in example].count(9.0) == layouts
        assert len(example) == 2 * layouts


def test_many_variants_take_one_layout_each_in_turn():
    temperatures = [2.0, 3.0, 5.0, 7.0]
    contract = replace(AT_NINE, variants=[{**SOFTMAX.arguments, "t": st.just(t)} for t in temperatures])
    for example in layouts_of(contract, softmax):
        assert [call.request.args[2] for call in example][len(LAYOUTS) :] == temperatures


def test_a_variant_that_is_wrong_however_it_lies_in_memory_is_another_checks_matter():
    drawn = examples_of(AT_NINE, softmax)

    def is_wrong_at_nine(x, dim, t):
        return softmax(x, dim, 1.0 if t == 9.0 else t)

    def reads_memory_at_nine(x, dim, t):
        return (takes_it_for_contiguous if t == 9.0 else softmax)(x, dim, t)

    assert failures(drawn, is_wrong_at_nine) == {}
    assert failures(drawn, reads_memory_at_nine).keys() == {LAYOUT}


def test_whole_numbers_lie_otherwise_in_memory_too():
    def takes_it_for_contiguous(y):
        return torch.as_strided(y, y.shape, torch.empty(y.shape).stride()) + 0

    counts = hnp.arrays(np.int64, (2, 3), elements=st.integers(0, 9)).map(torch.from_numpy)
    drawn = examples_of(Contract({"y": counts}, lambda y: y, half_magnitudes=()), lambda y: y + 0)
    assert failures(drawn, takes_it_for_contiguous).keys() == {LAYOUT}


@pytest.mark.parametrize("words", [(2, 3), (2, 2, 2, 4), (1, 3)], ids=str)
def test_any_two_words_of_two_options_meet(words: tuple[int, ...]):
    options = {f"option {place}": list(range(count)) for place, count in enumerate(words)}
    chosen = pairwise(**options)
    for one, other in combinations(options, 2):
        assert {(choice[one], choice[other]) for choice in chosen} == set(product(options[one], options[other]))
    assert len(chosen) < np.prod(words) or len(words) == 2


LOG_SOFTMAX = Contract(
    {"x": tensors(min_ndim=1), "dim": st.just(-1)},
    torch.log_softmax,
    digits=Digits("As exact as near 0.", offsets=(4000.0, 9990.0)),
)


def subtracts_a_rounded_sum(x, dim):
    return x - torch.logsumexp(x, dim, keepdim=True)


def rounds_only_in(dtype: torch.dtype):
    def solution(x, dim):
        return (subtracts_a_rounded_sum if x.dtype == dtype else torch.log_softmax)(x, dim)

    return solution


def test_large_numbers_that_hardly_differ_are_compared_in_each_dtype():
    drawn = examples_of(LOG_SOFTMAX, torch.log_softmax)
    assert DIGITS in failures(drawn, subtracts_a_rounded_sum)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        assert failures(drawn, rounds_only_in(dtype)).keys() == {DIGITS}, dtype
    assert checks_of(LOG_SOFTMAX)[3].title == "As exact as near 0."


def expm1_of_own_size(of_own_size: bool) -> Contract:
    digits = Digits("Near 0.", factors=(1e-2, 1e-5, 1e-9), of_own_size=of_own_size)
    return Contract({"x": tensors(min_ndim=1)}, torch.expm1, half_slack=4.0, digits=digits)


def test_a_number_close_to_zero_counts_with_its_own_size_only_where_that_is_asked_for():
    def exp_minus_one(x):
        return torch.exp(x) - 1

    assert failures(examples_of(expm1_of_own_size(True), torch.expm1), exp_minus_one).keys() == {DIGITS}
    assert failures(examples_of(expm1_of_own_size(False), torch.expm1), exp_minus_one) == {}


def test_sizes_come_one_by_one_and_then_in_turn():
    digits = Digits("", factors=(1.0, 2.0), offsets=(0.0, 10.0))
    sizes = digits.sizes
    assert sizes == [((1, 0),), ((1, 10),), ((2, 0),), ((2, 10),), ((1, 0), (1, 10), (2, 0), (2, 10))]
    arguments = {"grad_out": torch.ones(1), "x": torch.ones(2, 3), "dim": 1}
    mixed = SOFTMAX.resized(arguments, sizes[-1])
    assert mixed["x"].tolist() == [[1, 11, 2], [12, 1, 11]]
    assert (mixed["grad_out"].item(), mixed["dim"]) == (1, 1)
    assert Digits("").sizes == [((1.0, 0.0),)]


def test_the_arguments_of_a_digits_check_may_be_its_own():
    own = replace(LOG_SOFTMAX, digits=Digits("", arguments={"x": st.just(torch.full((2,), 9984.0)), "dim": st.just(0)}))
    assert DIGITS in failures(examples_of(own, torch.log_softmax), subtracts_a_rounded_sum)


LABELS = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, (n, 3), elements=st.floats(-2, 2)).map(torch.from_numpy),
        hnp.arrays(np.int64, n, elements=st.integers(0, 2)).map(torch.from_numpy),
    ).map(lambda values: {"scores": values[0], "labels": values[1]})
)


def test_whole_numbers_are_shortened_beside_the_rest():
    def picked(scores, labels):
        if len(scores) != len(labels):
            raise ValueError("labels has another length than scores")
        return scores[torch.arange(len(labels)), labels]

    contract = Contract(LABELS, picked, batch={"scores": 0, "labels": 0}, names=("scores", "labels"))
    ((_, examples),) = [one for one in examples_of(contract, picked) if one[0].name == EMPTY]
    assert {example["length"] for example in examples} == {0, 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"batch": {"y": 0}},
        {"nan": ("y",)},
        {"scaled": ("y",)},
        {"keywords": ("y",)},
        {"refuses": (another_shape("y"),)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_contract_names_only_arguments_that_there_are(changes: dict[str, Any]):
    message = "the contract of f names 'y', allowed are its arguments x, dim, t"
    with pytest.raises(DeclarationError, match=message):
        exercise("f", points=1, contract=replace(SOFTMAX, **changes))(type("TestF", (), {}))
