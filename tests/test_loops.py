"""Loops over an axis of an argument, found by the steps that a student's code takes, without a clock."""

import itertools
import math
import sys
from collections.abc import Callable
from functools import reduce
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

from autograder.sandbox.axes import shapes_of, words_for
from autograder.sandbox.forbidden.operations import NOTHING
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.inspection import Finding, Inquiry, inquiry_of
from autograder.sandbox.loops import LoopSearch
from autograder.sandbox.protocol import Request
from autograder.sandbox.reach import Reach

X = torch.arange(48, dtype=torch.float64).reshape(2, 1, 4, 6)
WEIGHT = torch.ones(5, 1, 2, 3, dtype=torch.float64)
SHAPES = {"x": (("N", "C_in", "H", "W"),), "weight": (("C_out", "C_in / groups", "kH", "kW"),)}


def image_by_image(x: Tensor, weight: Tensor) -> Tensor:
    images, kernel = x.numpy(), weight.numpy()[0, 0]
    out = np.zeros((len(images), 1, 3, 4))
    for n in range(len(images)):
        for i in range(2):
            for j in range(3):
                out[n, 0] += kernel[i, j] * images[n, 0, i : i + 3, j : j + 4]
    return torch.from_numpy(out)


def pixel_by_pixel(x: Tensor, weight: Tensor) -> Tensor:
    kh, kw = weight.shape[2:]
    rows = []
    for y in range(x.shape[2] - kh + 1):
        row = []
        for z in range(x.shape[3] - kw + 1):
            row.append(torch.einsum("ncij,ocij->no", x[:, :, y : y + kh, z : z + kw], weight))
        rows.append(torch.stack(row, -1))
    return torch.stack(rows, 2)


def column_by_column(x: Tensor, weight: Tensor) -> Tensor:
    kw = weight.shape[3]
    tall = x.unfold(2, weight.shape[2], 1)
    columns = []
    for z in range(0, x.shape[3] - kw + 1, 3):
        columns.append(torch.einsum("nchwi,ocij->noh", tall[:, :, :, z : z + kw], weight))
    return torch.stack(columns, 3)


def kernel_by_kernel(x: Tensor, weight: Tensor) -> Tensor:
    windows = x.unfold(2, weight.shape[2], 1).unfold(3, weight.shape[3], 1)
    maps = []
    for kernel in weight:
        maps.append((windows * kernel[:, None, None]).sum((1, 4, 5)))
    return torch.stack(maps, 1)


def channel_by_channel(x: Tensor, weight: Tensor) -> Tensor:
    windows = x.unfold(2, weight.shape[2], 1).unfold(3, weight.shape[3], 1)
    return sum(torch.einsum("nhwij,oij->nohw", windows[:, c], weight[:, c]) for c in range(x.shape[1]))


def entry_by_entry(x: Tensor, weight: Tensor) -> Tensor:
    out = torch.zeros_like(x)
    for place in itertools.product(*map(range, x.shape)):
        out[place] = math.tanh(x[place].item())
    return out


def number_by_number(x: Tensor, weight: Tensor) -> Tensor:
    return torch.tensor([math.tanh(entry) for entry in x.flatten().tolist()]).reshape(x.shape)


def row_by_row(x: Tensor, weight: Tensor) -> Tensor:
    return torch.stack([image * 2 for image in x])


def mapped(x: Tensor, weight: Tensor) -> Tensor:
    return torch.stack(list(map(torch.tanh, x)))


def vectorized(x: Tensor, weight: Tensor) -> Tensor:
    return torch.from_numpy(np.vectorize(lambda entry: 2 * entry)(x.numpy()))


def one_and_the_rest(x: Tensor, weight: Tensor) -> Tensor:
    return x if len(x) == 0 else torch.cat([x[:1] * 2, one_and_the_rest(x[1:], weight)])


LOOPS = {
    image_by_image: ("`x` is (N, C_in, H, W)", "N", "for n in range(len(images)):"),
    pixel_by_pixel: ("`x` is (N, C_in, H, W)", "H", "for y in range(x.shape[2] - kh + 1):"),
    column_by_column: ("`x` is (N, C_in, H, W)", "W", "for z in range(0, x.shape[3] - kw + 1, 3):"),
    kernel_by_kernel: ("`weight` is (C_out, C_in / groups, kH, kW)", "C_out", "for kernel in weight:"),
    channel_by_channel: ("`x` is (N, C_in, H, W)", "C_in", "return sum("),
    entry_by_entry: ("`x` is (N, C_in, H, W)", "N", "for place in itertools.product(*map(range, x.shape)):"),
    number_by_number: ("`x` is (N, C_in, H, W)", "N", "return torch.tensor([math.tanh("),
    row_by_row: ("`x` is (N, C_in, H, W)", "N", "return torch.stack([image * 2"),
    mapped: ("`x` is (N, C_in, H, W)", "N", "return torch.stack(list(map("),
    vectorized: ("`x` is (N, C_in, H, W)", "N", "return torch.from_numpy("),
    one_and_the_rest: ("`x` is (N, C_in, H, W)", "N", "return x if len(x) == 0"),
}


@pytest.mark.parametrize("function", LOOPS, ids=lambda function: function.__name__)
def test_a_loop_is_found_with_its_axis_and_its_line(function: Any) -> None:
    shape, axis, line = LOOPS[function]
    assert Reach(function).may_repeat
    fault = LoopSearch(function, SHAPES, ("kH", "kW")).finding((X, WEIGHT), {}).fault
    assert fault is not None
    assert fault.startswith(f"{shape}, and your code loops over {axis} in `{line}")
    assert f"where {axis} is" in fault


def over_the_kernel(x: Tensor, weight: Tensor) -> Tensor:
    kh, kw = weight.shape[2:]
    h, w = x.shape[2] - kh + 1, x.shape[3] - kw + 1
    out = x.new_zeros(len(x), len(weight), h, w)
    for i in range(kh):
        for j in range(kw):
            out = out + torch.einsum("nchw,oc->nohw", x[:, :, i : i + h, j : j + w], weight[:, :, i, j])
    return out


def over_axes_and_words(x: Tensor, weight: Tensor) -> Tensor:
    shape = []
    for axis in range(x.ndim):
        shape.append(x.shape[axis])
    letters = "".join(letter for letter in "nchw")
    return torch.einsum(f"{letters}->{letters}", x).reshape(shape)


def halves(x: Tensor, weight: Tensor) -> Tensor:
    """Adds up along the first axis in about log2(n) steps."""
    while len(x) > 1:
        x = x[: len(x) // 2] + x[len(x) // 2 : 2 * (len(x) // 2)]
    return x


def mapped_by_vmap(x: Tensor, weight: Tensor) -> Tensor:
    def of_image(image: Tensor) -> Tensor:
        for kernel_row in range(weight.shape[2]):
            image = image * (kernel_row + 1)
        return image - image.mean()

    return torch.vmap(of_image)(x)


def looping_inside_of_torch(x: Tensor, weight: Tensor) -> Tensor:
    """What torch does inside of one call is its own matter: here it makes a step for each matrix."""
    for _ in range(2):
        y = torch.block_diag(*x.flatten(0, 2).split(x.shape[0] * x.shape[2]))
    return y


RIGHT = (over_the_kernel, over_axes_and_words, halves, mapped_by_vmap, looping_inside_of_torch)


@pytest.mark.parametrize("function", RIGHT, ids=lambda function: function.__name__)
def test_what_is_no_loop_over_an_axis_is_not_accused(function: Any) -> None:
    assert LoopSearch(function, SHAPES, ("kH", "kW")).finding((X, WEIGHT), {}) == Finding(analysed=True)


def test_a_loop_is_right_only_over_the_axes_that_are_named() -> None:
    tall = torch.ones(2, 1, 16, 6, dtype=torch.float64)
    fault = LoopSearch(over_the_kernel, SHAPES, ("kW",)).finding((tall, WEIGHT), {}).fault
    assert fault is not None and "loops over kH in `for i in range(kh):`" in fault


def test_a_loop_over_time_is_right_and_one_over_the_batch_is_not() -> None:
    def states(x: Tensor, h: Tensor, weight: Tensor) -> Tensor:
        for t in range(x.shape[1]):
            h = torch.tanh(x[:, t] @ weight + h)
        return h

    def batched(x: Tensor, h: Tensor, weight: Tensor) -> Tensor:
        return torch.cat([states(x[n : n + 1], h[n : n + 1], weight) for n in range(len(x))])

    shapes = {"x": (("N", "T", "D"),), "h": (("N", "H"),), "weight": (("D", "H"),)}
    args = torch.ones(2, 5, 3), torch.ones(2, 4), torch.ones(3, 4)
    assert LoopSearch(states, shapes, ("T",)).finding(args, {}) == Finding(analysed=True)
    fault = LoopSearch(batched, shapes, ("T",)).finding(args, {}).fault
    assert fault is not None and fault.startswith("`x` is (N, T, D), and your code loops over N in")


def test_axes_without_names_are_counted_and_grow_together_by_their_lengths() -> None:
    def function(grad_out: Tensor, x: Tensor) -> Tensor:
        assert grad_out.shape == x.shape
        return torch.stack([x[:, i] * grad_out[:, i] for i in range(x.shape[1])], 1)

    fault = LoopSearch(function, {}).finding((torch.ones(2, 2), torch.ones(2, 2)), {}).fault
    assert fault is not None and fault.startswith("Your code loops over the second axis of `grad_out` in `return")
    assert "where its length is 2" in fault and "where its length is 8" in fault


def test_a_loop_along_dim_is_right_and_one_over_the_rows_is_not() -> None:
    def along(x: Tensor, dim: int = 0) -> Tensor:
        return reduce(torch.logaddexp, x.unbind(dim))

    def rows(x: Tensor, dim: int = 0) -> Tensor:
        return torch.stack([row.logsumexp(0) for row in x.movedim(dim, -1)])

    search, other = LoopSearch(along, {}), LoopSearch(rows, {})
    assert search.finding((torch.ones(2, 3),), {}) == search.finding((torch.ones(3, 3), 1), {}) == Finding(True)
    assert other.finding((torch.ones(3, 3), -1), {}).fault is not None


def test_a_result_grows_with_the_axis_that_it_comes_from() -> None:
    def backward(grad_out: Tensor, x: Tensor, kernel: Tensor) -> Tensor:
        if grad_out.shape[1] != x.shape[1] - len(kernel) + 1:
            raise ValueError("grad_out does not fit")
        grad_x = torch.zeros_like(x)
        for place in range(grad_out.shape[1]):
            grad_x[:, place : place + len(kernel)] += grad_out[:, place, None] * kernel
        return grad_x

    shapes = {"grad_out": (("N", "L_out"),), "x": (("N", "L"),), "kernel": (("k",),)}
    args = torch.ones(2, 5), torch.ones(2, 7), torch.ones(3)
    fault = LoopSearch(backward, shapes, ("k",)).finding(args, {}).fault
    assert fault is not None and fault.startswith("`x` is (N, L), and your code loops over L in `for place in range(")


def test_arrays_and_tensors_in_lists_grow_too() -> None:
    def total(arrays: list[np.ndarray], *, scale: float) -> float:
        result = 0.0
        for array in arrays:
            for row in array:
                result += scale * row.sum()
        return result

    fault = LoopSearch(total, {}).finding(([np.ones((3, 2)), np.ones((3, 4))],), {"scale": 2.0}).fault
    assert fault is not None and "the first axis of `arrays` in `for row in array:`" in fault


def test_a_function_that_refuses_every_longer_axis_is_not_analysed() -> None:
    def function(x: Tensor) -> Tensor:
        if x.shape != (2, 3):
            raise ValueError("x has another shape")
        return torch.stack([row * 2 for row in x])

    assert LoopSearch(function, {}).finding((torch.ones(2, 3),), {}) == Finding()


def test_an_axis_that_was_made_longer_once_is_not_tried_again() -> None:
    lengths: list[int] = []

    def function(x: Tensor) -> Tensor:
        lengths.append(len(x))
        return x

    search = LoopSearch(function, {"x": (("N",),)})
    assert search.finding((torch.ones(3),), {}) == search.finding((torch.ones(5),), {}) == Finding(analysed=True)
    assert lengths == [3, 6]


def test_another_exercise_is_judged_by_itself() -> None:
    def helper(x: Tensor) -> Tensor:
        return torch.stack([row.exp() for row in x])

    def function(x: Tensor) -> Tensor:
        return helper(x).sum()

    assert LoopSearch(function, {}).finding((X,), {}).fault is not None
    assert LoopSearch(function, {}, others=(helper,)).finding((X,), {}) == Finding(analysed=True)


def test_other_exercises_that_raise_leave_the_count_as_it_was() -> None:
    def helper(x: Tensor) -> Tensor:
        raise ValueError("no")

    def function(x: Tensor) -> Tensor:
        try:
            helper(x)
        except ValueError:
            return torch.stack([row.exp() for row in x])
        return x

    assert LoopSearch(function, {}, others=(helper,)).finding((X,), {}).fault is not None


def test_what_traced_before_traces_again() -> None:
    def trace(frame: Any, event: str, argument: object) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        LoopSearch(row_by_row, {}).finding((X, WEIGHT), {})
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert after is trace


def conv(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | tuple[int, int] = 1) -> Tensor:
    """A convolution.

    Args:
        x: images (N, C_in, H, W), as large
            as you like.
        weight: kernels (C_out, C_in / groups, kH, kW).
        bias: (C_out,), or None.
        stride: one number, or (height, width).
    Returns:
        out: (N, C_out, H_out, W_out).
    """
    return x


def conv_backward(grad_out: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> None:
    """Its gradients.

    Args:
        grad_out: upstream gradient (N, C_out, H_out, W_out).
        x, weight, bias: as in the forward pass.
    """


def cell(pair: tuple[Tensor, Tensor], x: Tensor, y: Tensor, weight_ih: Tensor, weight_hh: Tensor) -> None:
    """A cell.

    Args:
        pair: the two states, (N, T, H) and (N, H).
        x: any number of axes, shape (..., D).
        y: shaped like ``x``.
        weight_ih, weight_hh: weights (4H, D) of the input and (4H, H) of the hidden state.
        kernel: as in `conv`, or (height, width).
    """


FUNCTIONS = {"conv": conv, "conv_backward": conv_backward, "cell": cell}


def test_shapes_are_read_from_the_docstring() -> None:
    weight = ("C_out", "C_in / groups", "kH", "kW")
    forward = {"x": (("N", "C_in", "H", "W"),), "weight": (weight,), "bias": (("C_out",),)}
    assert shapes_of("conv", FUNCTIONS) == forward
    assert shapes_of("conv_backward", FUNCTIONS) == {"grad_out": (("N", "C_out", "H_out", "W_out"),), **forward}
    assert shapes_of("cell", FUNCTIONS) == {
        "pair": (("N", "T", "H"), ("N", "H")),
        "x": (("...", "D"),),
        "y": (("...", "D"),),
        "weight_ih": (("4H", "D"),),
        "weight_hh": (("4H", "H"),),
    }
    assert shapes_of("nowhere", FUNCTIONS) == {}


def test_a_shape_says_what_the_axes_of_a_tensor_are_called_if_it_fits() -> None:
    assert words_for((("N", "T", "H"), ("N", "H")), 2) == ("N", "H")
    assert words_for((("...", "D"),), 3) == ("", "", "D")
    assert words_for((("N", "H"),), 3) == ("", "", "")


def asked_about(function: Callable[..., Any], *args: Any, shapes: Any = None) -> Inquiry:
    request = Request("call", function.__name__, args, {})
    return Inquiry(function.__name__, NOTHING, (function.__name__,), ((request,),), False, True, ("kH", "kW"), shapes)


def test_an_inquiry_arrives_as_it_was_sent() -> None:
    for shapes in (None, SHAPES):
        inquiry = asked_about(over_the_kernel, X, WEIGHT, shapes=shapes)
        message = msgspec.json.decode(inquiry.message[0])
        assert inquiry_of(message, inquiry.sequences) == inquiry


def test_where_no_reference_is_the_students_docstring_names_the_axes() -> None:
    def function(x: Tensor) -> Tensor:
        """Doubles.

        Args:
            x: (N, D).
        """
        return torch.stack([row * 2 for row in x])

    inquiry = asked_about(function, torch.ones(2, 3))
    fault = InProcess({"function": function}).inspect(inquiry).loop.fault
    assert fault is not None and fault.startswith("`x` is (N, D), and your code loops over N")
