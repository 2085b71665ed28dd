"""The closed set of values: what crosses comes back equal, and neither side can reach into the other."""

from collections import OrderedDict

import numpy as np
import pytest
import torch

from autograder.feedback.code import show
from autograder.sandbox.values import Callback, copy_value, same_bits, same_data

WIDE = torch.arange(24.0).reshape(4, 6)
TENSORS = {
    "float32": torch.tensor([1.5, -0.0]),
    "bfloat16": torch.tensor([1.5, 3.0], dtype=torch.bfloat16),
    "nan and inf": torch.tensor([float("nan"), float("inf"), -float("inf")]),
    "0-d": torch.tensor(3.0),
    "empty": torch.empty(0, 3, dtype=torch.int64),
    "bool": torch.tensor([True, False]),
    "complex": torch.tensor([1 + 2j, 3 - 1j]),
    "conjugate view": torch.tensor([1 + 2j]).conj(),
    "transposed": WIDE.T,
    "every second column": WIDE[1:, ::2],
    "expanded": torch.ones(3, 1).expand(3, 4),
    "three axes turned": torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
}
ARRAYS = {
    "float64": np.array([1.0, np.nan, np.inf]),
    "float32": np.array([[1.5]], dtype=np.float32),
    "0-d": np.array(2.0),
    "empty": np.empty((0, 3), dtype=np.int32),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "Fortran order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
}


def nothing_foreign(item: object) -> object:
    raise AssertionError(f"{item!r} is not of the closed set")


def crossed(value):
    return copy_value(value, nothing_foreign)


@pytest.mark.parametrize("x", TENSORS.values(), ids=TENSORS.keys())
def test_a_tensor_crosses_with_dtype_shape_and_entries(x: torch.Tensor) -> None:
    copy = crossed(x)
    assert (copy.dtype, copy.shape) == (x.dtype, x.shape)
    assert torch.equal(copy.nan_to_num(7.0), x.nan_to_num(7.0))
    assert torch.equal(copy.isnan(), x.isnan())


@pytest.mark.parametrize("name", ["transposed", "every second column", "expanded", "three axes turned"])
def test_a_tensor_keeps_its_strides(name: str) -> None:
    assert crossed(TENSORS[name]).stride() == TENSORS[name].stride()
    assert not crossed(TENSORS[name]).is_contiguous()


@pytest.mark.parametrize("a", ARRAYS.values(), ids=ARRAYS.keys())
def test_an_array_crosses_with_dtype_shape_order_and_entries(a: np.ndarray) -> None:
    copy = crossed(a)
    assert (copy.dtype, copy.shape, copy.strides) == (a.dtype, a.shape, a.strides)
    assert np.array_equal(copy, a, equal_nan=a.dtype.kind in "fc")


@pytest.mark.parametrize("value", [True, 3, 2**80, 2.5, 1 + 2j, "ü", b"\0", None, torch.bfloat16])
def test_a_plain_value_crosses_unchanged(value: object) -> None:
    assert crossed(value) == value
    assert type(crossed(value)) is type(value)


def test_nan_crosses_as_nan() -> None:
    assert crossed(float("nan")) != crossed(float("nan"))


def test_nested_containers_cross_with_their_types() -> None:
    copy = crossed({"a": [torch.ones(2), (1, "x")], 2: {"b": None}, (1, 2): []})
    assert torch.equal(copy["a"].pop(0), torch.ones(2))
    assert copy == {"a": [(1, "x")], 2: {"b": None}, (1, 2): []}
    assert type(copy["a"][0]) is tuple


@pytest.mark.parametrize(
    ("value", "plain"),
    [(np.float64(2.5), np.array(2.5)), (np.int32(3), np.array(3, np.int32)), (np.bool_(True), np.array(True))],
)
def test_a_numpy_number_crosses_as_an_array_without_axes(value: np.generic, plain: np.ndarray) -> None:
    copy = crossed(value)
    assert type(copy) is np.ndarray
    assert (copy.shape, copy.dtype, copy.item()) == ((), plain.dtype, plain.item())


def test_a_shape_and_a_numpy_string_cross_as_plain_ones() -> None:
    assert type(crossed(torch.ones(2, 3).shape)) is tuple
    assert type(crossed(np.str_("a"))) is str


@pytest.mark.parametrize("changed", ["original", "copy"])
@pytest.mark.parametrize(
    "make", [lambda: torch.zeros(3), lambda: torch.zeros(3, 2).T, lambda: np.zeros(3), lambda: [0.0] * 3]
)
def test_changing_one_side_leaves_the_other(make, changed: str) -> None:
    original = make()
    copy = crossed(original)
    mine, other = (original, copy) if changed == "original" else (copy, original)
    mine[0] = mine[0] + 1
    assert same_data(make(), other)
    assert not same_data(make(), mine)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        OrderedDict(a=1),
        np.array(["a"]),
        torch.ones(2).to_sparse(),
        torch.ones(2, device="meta"),
        slice(1),
        len,
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_handed_over_as_foreign(value: object) -> None:
    met: list[object] = []
    assert copy_value([value], lambda item: met.append(item) or "handle") == ["handle"]
    assert met[0] is value


def test_requires_grad_does_not_cross() -> None:
    x = torch.ones(2, requires_grad=True)
    assert not crossed(x).requires_grad
    assert crossed(x * 2).grad_fn is None
    assert x.requires_grad


class Tagged(torch.Tensor):
    """A subclass that a student might return."""


@pytest.mark.parametrize("x", [torch.ones(2).as_subclass(Tagged), torch.nn.Parameter(torch.ones(2))])
def test_a_subclass_of_tensor_comes_back_plain(x: torch.Tensor) -> None:
    assert type(crossed(x)) is torch.Tensor
    assert torch.equal(crossed(x), torch.ones(2))


def test_a_subclass_of_array_comes_back_plain() -> None:
    assert type(crossed(np.ma.masked_array([1.0, 2.0], mask=[True, False]))) is np.ndarray


def test_a_torch_generator_is_copied_with_its_state() -> None:
    generator = torch.Generator().manual_seed(5)
    torch.rand(3, generator=generator)
    copy = crossed(generator)
    expected = torch.rand(4, generator=generator)
    assert torch.equal(torch.rand(4, generator=copy), expected)
    assert show(copy) == "torch.Generator().manual_seed(5)"


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_numpy_generator_is_copied_with_its_state_and_seed(bits) -> None:
    rng = np.random.Generator(bits(11))
    rng.random(3)
    copy = crossed(rng)
    expected = rng.random(4)
    assert np.array_equal(copy.random(4), expected)
    assert show(copy) == "np.random.default_rng(11)"


def test_a_callback_is_its_source() -> None:
    callback = Callback("lambda v: (v ** 2).sum()")
    assert callback(torch.tensor([1.0, 2.0])) == 5
    assert (callback, repr(callback)) == (Callback(callback.source), callback.source)
    assert callback != Callback("lambda v: v")
    assert len({callback, Callback(callback.source)}) == 1


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (torch.tensor([float("nan")]), torch.tensor([float("nan")]), True),
        (torch.tensor([1.0]), torch.tensor([2.0]), False),
        (torch.ones(2), torch.ones(2, 1), False),
        (torch.ones(2), torch.ones(2, dtype=torch.float64), False),
        (torch.tensor([True]), torch.tensor([True]), True),
        (np.array([np.nan, 1]), np.array([np.nan, 1]), True),
        (np.array([1]), np.array([1.0]), False),
        (np.empty((0, 2)), np.empty((0, 2)), True),
    ],
)
def test_same_bits_compares_shape_dtype_and_entries(a, b, same: bool) -> None:
    assert same_bits(a, b) is same


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": [1.0]}, {"a": [2.0]}),
        ([1], [1.0]),
        ([torch.ones(1)], [None]),
    ],
)
def test_a_changed_container_is_noticed(before, after) -> None:
    assert not same_data(before, after)
    assert same_data(before, crossed(before))
