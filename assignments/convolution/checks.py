"""Visible checks of the assignment on convolution.

Each compares with torch's own function or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails. An option, such as stride, is a stage with points of its own.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Contract,
    Mismatch,
    Refusal,
    Rules,
    another_length,
    another_number_of_axes,
    another_shape,
    assert_close,
    assert_unchanged,
    bad_values,
    case,
    exercise,
    idea,
    matrix,
    pairwise,
    raises,
    refusal,
    vector,
    weight,
)

RULES = Rules(library="torch", vectorised=True, loops_over=("k", "kD", "kH", "kW"))
READY = ("conv2d", "conv_transpose2d", "convolution", "im2col", "col2im")

SEEDS, MOSTLY = st.integers(0, 99), (True, True, False)
ONE, NONE, ZERO_OR_ONE = st.just(1), st.just(0), st.sampled_from([0, 1])
# "same" goes with odd kernels; with one of these and dilation 1 or 3 a zero is left over.
ODD = st.sampled_from([(3, 1), (1, 3), (3, 5)])
EVEN = st.sampled_from([(2, 3), (4, 2), (4, 1), (1, 4), (2, 2)])
STRIDE = {"stride": st.sampled_from([2, (2, 1), (1, 3), 3])}
PADDING = {"padding": st.sampled_from([1, (1, 0), (0, 2), 2, "valid", "same"])}
DILATION = {"dilation": st.sampled_from([2, (1, 2), (3, 1), 3])}
GROUPS = {"groups": st.sampled_from([2, 3])}
# One number each, for sequences.
SINGLE = {"stride": st.sampled_from([2, 3]), "padding": st.sampled_from([1, 2, "valid", "same"])}
SINGLE |= {"dilation": st.sampled_from([2, 3])}
TRIPLE = {"stride": st.sampled_from([2, (2, 1, 3), (1, 2, 1)]), "padding": st.sampled_from([1, (0, 1, 2), (2, 0, 1)])}
TRIPLE |= {"dilation": st.sampled_from([2, (2, 1, 1), (1, 2, 3)])}

# Words of the options: the usual one and another. Layouts are tried so that any two words of two options meet.
EITHER = (ONE, st.sampled_from([2, 3]))
WORDS = {"stride": EITHER, "padding": (NONE, ONE), "dilation": EITHER}
SAME_TOO = WORDS | {"padding": (NONE, ONE, st.just("valid"), st.just("same"))}
GROUPED = {"groups": EITHER, "biased": ((True,), (False,))}

# torch says so of this file's own calls; it would stand above the student's panel.
warnings.filterwarnings("ignore", message="Using padding='same' with even kernel lengths")

Given = st.SearchStrategy[dict[str, Any]]


def numbers(seed: int, *shape: int) -> Tensor:
    """Whole numbers of [-4, 4], from numpy's frozen legacy stream: the same for a seed, everywhere.

    Sums of a few dozen products of such numbers are exact in half precision too.
    """
    return torch.tensor(np.random.RandomState(seed).randint(-4, 5, shape), dtype=torch.float64)


def whole(*rows: list[float]) -> Tensor:
    """One image, or one kernel, of one channel."""
    return matrix(*rows)[None, None]


def tuple_of(value: Any, axes: int = 2) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


@st.composite
def windows(draw, stride=ONE, padding=NONE, dilation=ONE, groups=ONE, *, axes=2, kernels=None, fine=0.5, biased=MOSTLY):
    """The arguments of a convolution: sides differ where they can, and the kernel fits.

    ``axes`` is 1 for sequences, 2 for images, 3 for volumes; ``kernels`` draws the kernel's sides; ``fine`` is added
    to the entries of ``x``, so that they are not whole; ``biased`` says how often there is a bias.
    """
    s, p, d, g = draw(stride), draw(padding), draw(dilation), draw(groups)
    p = 1 if p == "same" and s != 1 else p
    usual = ODD if p == "same" else st.permutations([1, 2, 3, 4][: axes + 1])
    channels = draw(st.sampled_from([(1, 2), (2, 3), (3, 2), (1, 3)]))
    # No axis of a sequence's result has length 1.
    extra, seed = draw(st.permutations([0, 1, 2, 3, 4] if axes > 1 else [3, 4, 5, 6])), draw(SEEDS)
    kernel = draw(usual if kernels is None else kernels)[:axes]
    sizes = (e * (k - 1) + 1 + more for k, e, more in zip(kernel, tuple_of(d, axes), extra[:axes], strict=True))
    bias = numbers(seed + 200, channels[1] * g) if draw(st.sampled_from(biased)) else None
    x = numbers(seed, draw(st.sampled_from([2, 3])), channels[0] * g, *sizes) + fine
    kernel = numbers(seed + 100, channels[1] * g, channels[0], *kernel)
    return {"x": x, "weight": kernel, "bias": bias, "stride": s, "padding": p, "dilation": d, "groups": g}


def every_two(made: Callable[..., Given], **words: Sequence[Any]) -> dict[str, Any]:
    """A contract's variants: sets of arguments in which any two words of two options meet."""
    return {"variants": [made(**choice) for choice in pairwise(**words)]}


def assert_values(answer: Any, right: Any) -> None:
    """Compares values alone: a dtype that is lost is a case of its own."""
    is_tensor = isinstance(answer, Tensor) and answer.is_floating_point()
    assert_close(answer.double() if is_tensor else answer, right)


def per_option(arguments: Given, oracle: Callable[..., Any], *refuses: Refusal, **more: Any) -> Contract:
    """A contract without a check of agreement: the class has a stage for each option instead."""
    return Contract(arguments, oracle, **{"agrees": None, "batch": {"x": 0}, "refuses": refuses, **more})


def values(contract: Contract) -> Callable[..., None]:
    """Compares the values of the student's answer for given arguments with the right ones."""

    def compare(student, function: str, arguments: dict[str, Any]) -> None:
        right = contract.oracle(*arguments.values())
        assert_values(contract.call(student, function, arguments), right)

    return compare


def staged(
    function: str, compare: Callable[..., None], made: Callable[..., Given], plain: str = "", *, same=False, **options
) -> Callable[[type], type]:
    """Adds a stage without options (called ``plain``), one for each option, and all options together as a case.

    ``compare`` compares the student's answer for given arguments with the right one; ``made`` makes the arguments, from
    strategies of the options. With ``same`` even kernels and dilation under "same" are a case.
    """

    def declare(owner: type) -> type:
        def add(name: str, says: str, mark: Callable[..., Any], arguments: Given, times: float = 1) -> None:
            @weight(times)
            @mark
            @given(arguments=arguments)
            def test(self, student, arguments):
                compare(student, function, arguments)

            test.__name__, test.__doc__ = f"test_{name}", says
            setattr(owner, test.__name__, test)

        if plain:
            add(plain.replace(" ", "_"), f"The {plain}, without options: as in torch.", idea(plain), made(), 2)
        for option, drawn in options.items():
            stage = option.replace("_", " ")
            add(option, f"{stage.capitalize()}: the answer agrees with torch's.", idea(stage), made(**{option: drawn}))
        either = {option: drawn | ONE if option == "stride" else drawn for option, drawn in options.items()}
        add("everything_together", "All options together: as in torch.", case, made(**either), 2)
        if same:
            drawn = made(padding=st.just("same"), dilation=st.sampled_from([1, 3]), kernels=EVEN)
            says = 'With "same" and an even kernel, with dilation too, the odd zero goes to the right and the bottom.'
            add("same_with_even_kernels", says, case, drawn)
        return owner

    return declare


@st.composite
def axes_of_one(draw, stride=ONE, padding=NONE, dilation=ONE):
    """The arguments of `conv_output_size`: a kernel that fits."""
    k, s, p, d = draw(st.integers(1, 7)), draw(stride), draw(padding), draw(dilation)
    p = 1 if p == "same" and s != 1 else p
    size = max(1, d * (k - 1) + 1 - (0 if isinstance(p, str) else 2 * p)) + draw(st.integers(0, 40))
    return {"size": size, "kernel_size": k, "stride": s, "padding": p, "dilation": d}


def places(size: int, k: int, *options: Any) -> int:
    """The length of what torch's convolution gives."""
    return F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, k), None, *options).shape[2]


FEW = st.integers(2, 5)
NONSENSE = [{name: value} for name in ("kernel_size", "stride", "dilation") for value in (0, -1, -4)]
NONSENSE += [{"padding": value} for value in (-1, -3, "full", "SAME", "")]
NONSENSE += [{"padding": "same", "dilation": -1}, {"padding": "same", "kernel_size": 0}]
NONSENSE += [{"padding": "same", "stride": stride} for stride in (2, 3)]


@exercise("conv_output_size", points=2, forbid=(), rules=Rules(library="torch"))
@staged(
    *("conv_output_size", values(Contract(axes_of_one(), places)), axes_of_one, "places"),
    **{"stride": FEW, "padding": st.sampled_from([1, 2, 3, 5, "valid", "same"]), "dilation": FEW},
)
class TestConvOutputSize:
    @idea("places")
    def test_worked_values(self, student):
        """A kernel of 3 has 5 places on 7 pixels, and 26 on 28."""
        assert_close(student.conv_output_size(7, 3), 5)
        assert_close(student.conv_output_size(28, 3), 26)

    @case
    def test_worked_values_with_options(self, student):
        """8 pixels, kernel 3, stride 2 give 3 places; 10 pixels, kernel 3, stride 2, padding 2, dilation 3 give 4."""
        assert_close(student.conv_output_size(8, 3, 2), 3)
        assert_close(student.conv_output_size(10, 3, 2, 2, 3), 4)

    @case
    @given(size=st.integers(1, 9), k=st.integers(1, 7), d=st.integers(1, 4))
    def test_words(self, student, size, k, d):
        """With "same" the result is as long as the axis, also if the kernel is wider; "valid" goes with any stride."""
        assert_close(student.conv_output_size(size, k, padding="same", dilation=d), size)
        assert_close(student.conv_output_size(size + 9, 4, stride=2, padding="valid"), (size + 5) // 2 + 1)

    @case
    @given(k=st.integers(3, 6), p=st.integers(0, 3), d=st.integers(3, 5), s=st.integers(1, 3))
    def test_kernel_just_fits(self, student, k, p, d, s):
        """A kernel as long as the padded axis has one place."""
        assert_close(student.conv_output_size(d * (k - 1) + 1 - 2 * p, k, s, p, d), 1)

    @refusal
    def test_nonsense(self, student):
        """Numbers below 1, other words and "same" with a stride raise ValueError that names the argument."""
        for bad in NONSENSE:
            naming = ("padding", "stride") if len(bad) == 2 and "stride" in bad else tuple(bad)[-1]
            found = ", ".join(f"{name} is {value!r}" for name, value in bad.items())
            with raises(ValueError, naming=naming, because=found):
                student.conv_output_size(**{"size": 8, "kernel_size": 3, **bad})

    @refusal
    @given(size=st.integers(1, 6), p=st.integers(0, 2), d=st.integers(1, 3))
    def test_kernel_that_does_not_fit(self, student, size, p, d):
        """A kernel that reaches further than the padded axis raises ValueError that names kernel_size."""
        k = (size + 2 * p - 1) // d + 2
        with raises(ValueError, naming=("kernel_size", "kernel"), because=f"it reaches over {d * (k - 1) + 1} entries"):
            student.conv_output_size(size, k, 1, p, d)


def padded(x: Tensor, kernel_size: Any, padding: Any, stride: Any, dilation: Any) -> Tensor:
    """torch's zeros around images."""
    zeros = [2 * p for p in tuple_of(0 if padding == "valid" else padding)]
    if padding == "same":
        zeros = [d * (k - 1) for d, k in zip(tuple_of(dilation), tuple_of(kernel_size), strict=True)]
    top, left = zeros[0] // 2, zeros[1] // 2
    return F.pad(x, (left, zeros[1] - left, top, zeros[0] - top))


@st.composite
def images(draw, padding=NONE, dilation=ONE, stride=ONE, kernels=None):
    """The arguments of `pad2d`."""
    x = numbers(draw(SEEDS), *draw(st.permutations([1, 2, 3, 4, 5]))[:4]) + 0.5
    p = draw(padding)
    usual = ODD if p == "same" else st.sampled_from([3, 2, (1, 4), (3, 2)])
    kernel = draw(usual if kernels is None else kernels)
    return {"x": x, "kernel_size": kernel, "padding": p, "stride": draw(stride), "dilation": draw(dilation)}


PAD2D = per_option(
    images(**PADDING, **DILATION),
    padded,
    *(another_number_of_axes("x"), bad_values("dilation", 0, -1, (1, -2))),
    bad_values("padding", -1, "full", "SAME", (1, -1), ""),
    **every_two(images, padding=SAME_TOO["padding"], dilation=EITHER),
)


@exercise("pad2d", points=2, forbid=("pad", "constant_pad_nd"), contract=PAD2D)
class TestPad2d:
    @idea("numbers")
    @given(arguments=images(st.sampled_from([(0, 1), 1, (1, 0), (2, 1), 2, (1, 3)])))
    @example(arguments={"x": whole([1, 2]), "kernel_size": 3, "padding": (0, 1), "stride": 1, "dilation": 1})
    def test_numbers(self, student, arguments):
        """One number pads all sides, two pad rows and columns: [[1, 2]] with padding (0, 1) is [[0, 1, 2, 0]]."""
        assert_values(student.pad2d(*list(arguments.values())[:3]), padded(*arguments.values()))

    @idea("same")
    @given(arguments=images(st.just("same")))
    def test_same(self, student, arguments):
        """With "same" and an odd kernel there are as many zeros on one side as on the other."""
        assert_values(student.pad2d(*list(arguments.values())[:3]), padded(*arguments.values()))

    @idea("dilation")
    @given(arguments=images(st.just("same"), **DILATION))
    def test_dilation(self, student, arguments):
        """Dilation: with "same" a kernel with gaps needs more zeros."""
        values(PAD2D)(student, "pad2d", arguments)

    @weight(2)
    @case
    @given(arguments=images(st.just("same"), st.sampled_from([1, 3, (1, 3)]), kernels=EVEN))
    @example(arguments={"x": whole([1, 2]), "kernel_size": 2, "padding": "same", "stride": 1, "dilation": (1, 3)})
    def test_odd_zero(self, student, arguments):
        """With "same" and an even kernel the zero that is left over goes to the right and to the bottom."""
        values(PAD2D)(student, "pad2d", arguments)

    @case
    @given(arguments=images(st.just("valid"), **DILATION, **STRIDE))
    def test_valid_adds_nothing(self, student, arguments):
        """ "valid", which is the default, adds nothing, with any stride and dilation."""
        assert_close(student.pad2d(*arguments.values()), arguments["x"])
        assert_close(student.pad2d(arguments["x"], 3), arguments["x"])

    @refusal
    @given(arguments=images(st.just("same"), **DILATION, **STRIDE))
    def test_same_needs_stride_one(self, student, arguments):
        """ "same" with another stride than 1 raises ValueError that names padding."""
        with raises(ValueError, naming=("padding", "stride"), because=f"stride is {arguments['stride']}"):
            student.pad2d(*arguments.values())


CONV2D = per_option(
    windows(padding=ZERO_OR_ONE, fine=0, biased=(True,)),
    F.conv2d,
    *(another_number_of_axes("x"), another_number_of_axes("weight"), another_length("weight", 1)),
    *(another_shape("bias"), bad_values("groups", 0, -1, 7)),
    **every_two(windows, **SAME_TOO, **GROUPED),
)


@exercise("conv2d", points=4, forbid=READY, contract=CONV2D)
@staged("conv2d", values(CONV2D), windows, "window sum", same=True, **STRIDE, **PADDING, **DILATION, **GROUPS)
class TestConv2d:
    @idea("window sum")
    def test_worked_values(self, student):
        """[[2, 0], [1, -1]] on [[1, 2, 0], [3, 4, 1], [0, 1, 5]] gives [[1, 7], [5, 4]]; (1, 0) and (0, 1) on the channels (1, 2) and (3, 4), with bias 10, give 15."""
        x = whole([1, 2, 0], [3, 4, 1], [0, 1, 5])
        assert_values(student.conv2d(x, whole([2, 0], [1, -1])), whole([1, 7], [5, 4]))
        two_channels = torch.cat([whole([1, 2]), whole([3, 4])], 1), torch.cat([whole([1, 0]), whole([0, 1])], 1)
        assert_values(student.conv2d(*two_channels, vector(10)), whole([15]))

    @idea("window sum")
    @given(arguments=windows())
    def test_moves_with_the_image(self, student, arguments):
        """On an image that moved by a row and a column the result moves as far (equivariance)."""
        x, kernel = arguments["x"], arguments["weight"]
        assert_values(student.conv2d(F.pad(x, (1, 0, 1, 0)), kernel)[..., 1:, 1:], F.conv2d(x, kernel))


def gradients(grad_out: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, *options: Any) -> tuple[Any, ...]:
    """torch's own gradients of conv2d; None for a bias that is not there."""
    inputs = [v.detach().clone().requires_grad_() for v in (x, weight, bias) if v is not None]
    out = F.conv2d(*inputs[:2], inputs[2] if bias is not None else None, *options)
    return (*torch.autograd.grad(out, inputs, grad_out), None)[:3]


def with_upstream(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `conv2d_backward` from those of `conv2d`."""
    out = F.conv2d(*arguments.values())
    return {"grad_out": numbers(out.numel(), *out.shape), **arguments}


def backward_windows(**options: Any) -> Given:
    return windows(**options).map(with_upstream)


BY_HAND = {"grad_out": whole([1000, 100], [10, 1]), "x": whole([1, 2, 3], [4, 5, 6], [7, 8, 9])}
BY_HAND |= {"weight": whole([5, 6], [7, 8]), "bias": vector(0)}
BY_HAND |= {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
# The same image twice: what belongs to all images adds up.
TWICE = BY_HAND | {name: torch.cat([BY_HAND[name]] * 2) for name in ("grad_out", "x")}
BACKWARD = per_option(
    windows(padding=ZERO_OR_ONE, fine=0, biased=(True,)).map(with_upstream),
    gradients,
    another_shape("grad_out"),
    batch={"grad_out": 0, "x": 0},
    **every_two(backward_windows, **SAME_TOO, **GROUPED),
)


def right_gradients(student, function: str, arguments: dict[str, Any], places: tuple[int, ...] = (0, 1)) -> None:
    """Compares some of the student's three gradients with torch's."""
    right, answer = gradients(*arguments.values()), student.conv2d_backward(*arguments.values())
    if not isinstance(answer, tuple) or len(answer) != 3:
        raise Mismatch("Expected a tuple of three: grad_x, grad_weight, grad_bias.")
    for place in places:
        assert_values(answer[place], right[place])


@exercise("conv2d_backward", points=4, forbid=(*READY, "conv2d_input", "conv2d_weight"), contract=BACKWARD)
@staged("conv2d_backward", right_gradients, backward_windows, same=True, **STRIDE, **PADDING, **DILATION, **GROUPS)
class TestConv2dBackward:
    @weight(2)
    @idea("grad_x")
    @given(arguments=backward_windows())
    @example(arguments=BY_HAND)
    def test_grad_x(self, student, arguments):
        """The gradient of x: the central pixel of the worked example gets 8765, with several channels as in torch."""
        right_gradients(student, "", arguments, (0,))

    @weight(2)
    @idea("grad_weight")
    @given(arguments=backward_windows())
    @example(arguments=BY_HAND)
    @example(arguments=TWICE)
    def test_grad_weight(self, student, arguments):
        """The gradient of weight: the first of the worked example gets 1245, from two such images 2490."""
        right_gradients(student, "", arguments, (1,))

    @idea("grad_bias")
    @given(arguments=windows(biased=(True,)).map(with_upstream))
    @example(arguments=BY_HAND)
    @example(arguments=TWICE)
    def test_grad_bias(self, student, arguments):
        """The gradient of bias: that of the worked example gets 1111, from two such images 2222."""
        right_gradients(student, "", arguments, (2,))

    @case
    @given(arguments=backward_windows())
    def test_without_bias(self, student, arguments):
        """Without a bias its gradient is None."""
        grad_out, x, kernel = (arguments[name] for name in ("grad_out", "x", "weight"))
        assert_close(student.conv2d_backward(grad_out, x, kernel), gradients(grad_out, x, kernel, None))


def patches(**options: Any) -> Given:
    """The arguments of `im2col`, in its order."""

    def of(arguments: dict[str, Any]) -> dict[str, Any]:
        padding = 1 if isinstance(arguments["padding"], str) else arguments["padding"]
        kernel_size = tuple(arguments["weight"].shape[2:])
        named = {"dilation": arguments["dilation"], "padding": padding, "stride": arguments["stride"]}
        return {"x": arguments["x"], "kernel_size": kernel_size, **named}

    return windows(**options).map(of)


def columns(**options: Any) -> Given:
    """The arguments of `col2im`, in its order."""

    def of(arguments: dict[str, Any]) -> dict[str, Any]:
        x, *others = arguments.values()
        made = F.unfold(x, *others)
        named = {"x": numbers(made.numel(), *made.shape), "output_size": tuple(x.shape[2:])}
        return {**named, **{name: value for name, value in arguments.items() if name != "x"}}

    return patches(**options).map(of)


def a_row_too_many(arguments: Any) -> tuple[Any, ...]:
    """Columns that make no whole number of channels."""
    x = arguments["x"]
    return (torch.cat([x, x[:, :1]], 1) if prod(arguments["kernel_size"]) > 1 else None,)


# The patches of two channels, the second ten times [[1, 2, 3], [4, 5, 6]], under a kernel of one row and two columns.
OF_TWO_CHANNELS = torch.tensor([[[1, 2, 4, 5], [2, 3, 5, 6]]], dtype=torch.float64)
OF_TWO_CHANNELS = torch.cat([OF_TWO_CHANNELS, 10 * OF_TWO_CHANNELS], 1)
NO_WORDS = bad_values("padding", -1, "same", (0, -1))
IM2COL = per_option(
    patches(padding=ZERO_OR_ONE, fine=0),
    F.unfold,
    *(another_number_of_axes("x"), NO_WORDS),
    **every_two(patches, **WORDS),
)
COL2IM = per_option(
    columns(padding=ZERO_OR_ONE, fine=0),
    F.fold,
    *(another_number_of_axes("x"), NO_WORDS, Refusal("x", a_row_too_many, ("x",))),
    **every_two(columns, **WORDS),
)


@exercise("im2col", points=3, forbid=("im2col", "conv2d", "convolution"), contract=IM2COL)
@staged("im2col", values(IM2COL), patches, "patches", **DILATION, **PADDING, **STRIDE)
class TestIm2col:
    @idea("patches")
    def test_worked_values(self, student):
        """[[1, 2, 3], [4, 5, 6]] has under a 2x2 kernel the columns (1, 2, 4, 5) and (2, 3, 5, 6); with ten times it as second channel, a 1x2 kernel begins with (1, 2, 10, 20), (2, 3, 20, 30)."""
        expected = torch.tensor([[[1, 2], [2, 3], [4, 5], [5, 6]]], dtype=torch.float64)
        image = whole([1, 2, 3], [4, 5, 6])
        assert_values(student.im2col(image, 2), expected)
        assert_values(student.im2col(torch.cat([image, 10 * image], 1), (1, 2)), OF_TWO_CHANNELS)

    @idea("patches")
    @given(arguments=windows())
    def test_makes_convolution_a_matrix_product(self, student, arguments):
        """The kernels as rows times the columns is the convolution."""
        x, kernel = arguments["x"], arguments["weight"]
        answer = student.im2col(x, tuple(kernel.shape[2:]))
        assert_close(answer.shape, F.unfold(x, kernel.shape[2:]).shape)
        assert_values(kernel.flatten(1) @ answer.double(), F.conv2d(x, kernel).flatten(2))


@exercise("col2im", points=3, forbid=("col2im", "conv_transpose2d", "convolution"), contract=COL2IM)
@staged("col2im", values(COL2IM), columns, "adding up", **DILATION, **PADDING, **STRIDE)
class TestCol2im:
    @idea("adding up")
    def test_worked_values(self, student):
        """(1, 2, 4, 5) and (2, 3, 5, 6) come back as [[1, 4, 3], [4, 10, 6]]: shared pixels add up; four columns of two channels come back in two channels."""
        x = torch.tensor([[[1, 2], [2, 3], [4, 5], [5, 6]]], dtype=torch.float64)
        assert_values(student.col2im(x, (2, 3), 2), whole([1, 4, 3], [4, 10, 6]))
        image = whole([1, 4, 3], [4, 10, 6])
        assert_values(student.col2im(OF_TWO_CHANNELS, (2, 3), (1, 2)), torch.cat([image, 10 * image], 1))


sequences, volumes = partial(windows, axes=1), partial(windows, axes=3)
CONV1D = per_option(
    sequences(padding=ZERO_OR_ONE, fine=0, biased=(True,)),
    F.conv1d,
    *(another_number_of_axes("x"), another_number_of_axes("weight"), bad_values("padding", -1, "full", (1,))),
    *(bad_values("stride", 0, (2,)), bad_values("dilation", -1, 0, (2,))),
    **every_two(sequences, **SAME_TOO, **GROUPED),
)
CONV3D = per_option(
    volumes(padding=ZERO_OR_ONE, fine=0, biased=(True,)),
    F.conv3d,
    *(another_number_of_axes("x"), another_number_of_axes("weight"), bad_values("stride", 0, (1, 2))),
    bad_values("padding", -1, "same", (1, 0, -1), (1, 1)),
    **every_two(volumes, **WORDS, **GROUPED),
)


@exercise("conv1d", points=2, forbid=READY, contract=CONV1D)
@staged("conv1d", values(CONV1D), sequences, "window sum", same=True, **SINGLE, **GROUPS)
class TestConv1d:
    @idea("window sum")
    def test_worked_values(self, student):
        """The kernel (1, 0, -1) on (1, 3, 2, 5) gives (-1, -2), on (0, 1, 2, 3) it gives (-2, -2)."""
        x, kernels = whole([1, 3, 2, 5], [0, 1, 2, 3])[0], whole([1, 0, -1], [0, 1, 0])[0]
        right = torch.tensor([[[-1, -2], [3, 2]], [[-2, -2], [1, 2]]], dtype=torch.float64)
        assert_values(student.conv1d(x.transpose(0, 1), kernels.transpose(0, 1)), right)


@exercise("conv3d", points=3, forbid=READY, contract=CONV3D)
@staged("conv3d", values(CONV3D), volumes, "window sum", **TRIPLE, **GROUPS)
class TestConv3d:
    @idea("window sum")
    def test_worked_values(self, student):
        """Pictures of one pixel, 2, 5, 9, under (-1, 1) along the depth give 3 and 4, with bias 10 13 and 14; in two channels 1, 2 and 3, 4, with weights 1 and 10, give 31 and 42."""
        film, kernel = vector(2, 5, 9).reshape(1, 1, 3, 1, 1), vector(-1, 1).reshape(1, 1, 2, 1, 1)
        assert_values(student.conv3d(film, kernel), vector(3, 4).reshape(1, 1, 2, 1, 1))
        assert_values(student.conv3d(film, kernel, vector(10)), vector(13, 14).reshape(1, 1, 2, 1, 1))
        two_channels = vector(1, 2, 3, 4).reshape(1, 2, 2, 1, 1), vector(1, 10).reshape(1, 2, 1, 1, 1)
        assert_values(student.conv3d(*two_channels), vector(31, 42).reshape(1, 1, 2, 1, 1))


@st.composite
def stamps(draw, stride=ONE, padding=NONE, output_padding=NONE, groups=ONE, dilation=ONE, biased=MOSTLY):
    """The arguments of a transposed convolution, large enough for the padding to leave something.

    ``output_padding`` draws for each axis how much of what is allowed there is used, from 0 to 1.
    """
    s, p, g, d = draw(stride), draw(padding), draw(groups), draw(dilation)
    channels, kernel, seed = draw(st.permutations([1, 2, 3])), draw(st.permutations([1, 2, 3, 4])), draw(SEEDS)
    x = numbers(seed, draw(st.sampled_from([2, 3])), channels[0] * g, *draw(st.permutations([4, 5, 6]))[:2])
    shares = draw(output_padding), draw(output_padding)
    s = 2 if any(shares) and (s, d) == (1, 1) else s
    most = [max(pair) - 1 for pair in zip(tuple_of(s), tuple_of(d), strict=True)]
    bias = numbers(seed + 200, channels[1] * g) if draw(st.sampled_from(biased)) else None
    kernel = numbers(seed + 100, channels[0] * g, channels[1], *kernel[:2])
    extra = tuple(round(share * allowed) for share, allowed in zip(shares, most, strict=True))
    options = {"stride": s, "padding": p, "output_padding": extra, "groups": g, "dilation": d}
    return {"x": x, "weight": kernel, "bias": bias, **options}


TRANSPOSED = per_option(
    stamps(st.sampled_from([1, 2]), ZERO_OR_ONE, biased=(True,)),
    F.conv_transpose2d,
    *(another_number_of_axes("x"), another_number_of_axes("weight"), another_length("weight", 0)),
    *(another_shape("bias"), bad_values("padding", -1, "same")),
    bad_values("output_padding", -1, (0, -1), 2, (0, 2), 3),
    **every_two(stamps, **WORDS, **GROUPED, output_padding=(NONE, ONE)),
)
SHARE = {"output_padding": st.sampled_from([1.0, 0.5, 0.0])}


@exercise("conv_transpose2d", points=3, forbid=READY, contract=TRANSPOSED)
@staged(
    *("conv_transpose2d", values(TRANSPOSED), stamps, "stamps"),
    **{**STRIDE, "padding": st.sampled_from([1, (1, 0), (0, 1)]), **SHARE, **GROUPS, **DILATION},
)
class TestConvTranspose2d:
    @idea("stamps")
    def test_worked_values(self, student):
        """[[1, 2]] under the kernel [[1, 10]] gives [[1, 12, 20]]."""
        assert_values(student.conv_transpose2d(whole([1, 2]), whole([1, 10])), whole([1, 12, 20]))

    @idea("stamps")
    @given(arguments=windows())
    def test_is_the_gradient_of_convolution(self, student, arguments):
        """It is the gradient of conv2d with respect to its images."""
        arguments = with_upstream({**arguments, "bias": None})
        answer = student.conv_transpose2d(arguments["grad_out"], arguments["weight"])
        assert_values(answer, gradients(*arguments.values())[0])

    @idea("output padding")
    def test_output_padding_by_hand(self, student):
        """[[1, 2]] under [[1, 10]] with stride 2, padding 1 and output padding 1 along the width: [[10, 2, 20]]."""
        options = {"stride": (1, 2), "padding": (0, 1), "output_padding": (0, 1)}
        assert_values(student.conv_transpose2d(whole([1, 2]), whole([1, 10]), **options), whole([10, 2, 20]))

    @case
    @given(arguments=stamps(ONE, ZERO_OR_ONE, st.just(1.0), **DILATION))
    def test_output_padding_below_the_dilation(self, student, arguments):
        """Output padding may be above the stride where it is below the dilation, as in torch."""
        TRANSPOSED.compare(student, "conv_transpose2d", arguments)


@st.composite
def separable(draw, stride=ONE, padding=NONE, dilation=ONE, kernels_a_channel=ONE, kernels=None, fine=0.5):
    """The arguments of a depthwise separable convolution."""
    one = draw(windows(stride, padding, dilation, kernels=kernels, fine=fine))
    x, seed, out = one["x"], draw(SEEDS), draw(st.sampled_from([3, 1, 4]))
    middle = x.shape[1] * draw(kernels_a_channel)
    depthwise = numbers(seed + 100, middle, 1, *one["weight"].shape[2:])
    bias = draw(st.sampled_from([numbers(seed + 300, out)] * 2 + [None]))
    first = {"x": x, "depthwise_weight": depthwise, "pointwise_weight": numbers(seed + 200, out, middle, 1, 1)}
    return {**first, "bias": bias, **{name: one[name] for name in ("stride", "padding", "dilation")}}


def by_two_steps(x: Tensor, depthwise: Tensor, pointwise: Tensor, bias: Tensor | None = None, *options: Any) -> Tensor:
    """torch's two convolutions."""
    return F.conv2d(F.conv2d(x, depthwise, None, *options, groups=x.shape[1]), pointwise, bias)


SEPARABLE = per_option(
    separable(padding=ZERO_OR_ONE, fine=0),
    by_two_steps,
    *(another_number_of_axes("x"), another_number_of_axes("depthwise_weight")),
    *(another_length("depthwise_weight", 1), another_number_of_axes("pointwise_weight")),
    *(another_length("pointwise_weight", 1), another_length("pointwise_weight", 3)),
    half_slack=4.0,  # what the first step rounds is multiplied in the second
    **every_two(separable, **SAME_TOO, kernels_a_channel=EITHER),
)


@exercise("depthwise_separable_conv2d", points=2, forbid=READY, contract=SEPARABLE)
@staged(
    *("depthwise_separable_conv2d", values(SEPARABLE), separable, "two steps"),
    **{"same": True, "kernels_a_channel": st.sampled_from([2, 3]), **STRIDE, **PADDING, **DILATION},
)
class TestDepthwiseSeparableConv2d:
    @idea("two steps")
    def test_worked_values(self, student):
        """Channels [[1, 2, 0]] and [[3, 4, 0]] under (1, 1) and (1, -1) give (3, 2) and (-1, 4); 10 and 1 mix 29 and 24."""
        x = torch.tensor([[[[1, 2, 0]], [[3, 4, 0]]]], dtype=torch.float64)
        depthwise = torch.tensor([[[[1, 1]]], [[[1, -1]]]], dtype=torch.float64)
        pointwise = torch.tensor([[[[10]], [[1]]]], dtype=torch.float64)
        assert_values(student.depthwise_separable_conv2d(x, depthwise, pointwise), whole([29, 24]))


def needed(layers: list[tuple[int, int, int]]) -> int:
    """The length of the shortest input from which the layers make one output entry."""
    length = 1
    for kernel_size, stride, dilation in reversed(layers):
        length = (length - 1) * stride + dilation * (kernel_size - 1) + 1
    return length


KERNELS, NUMBERS = st.integers(1, 7), st.integers(1, 4)


@exercise("receptive_field", points=2, forbid=(), rules=Rules(library="torch"))
class TestReceptiveField:
    @weight(2)
    @idea("strides")
    @given(layers=st.lists(st.tuples(KERNELS, NUMBERS, ONE), min_size=2, max_size=5))
    @example(layers=[(4, 2, 1), (3, 1, 1)])
    def test_strides(self, student, layers):
        """A kernel of 4 with stride 2 and one of 3 behind it see 8; so many entries are needed for one answer."""
        assert_close(student.receptive_field(layers), needed(layers))

    @idea("dilations")
    @given(layers=st.lists(st.tuples(KERNELS, NUMBERS, st.integers(2, 4)), min_size=1, max_size=5))
    @example(layers=[(3, 2, 1), (5, 3, 1), (3, 1, 2)])
    def test_dilations(self, student, layers):
        """With dilation too: (3, 2, 1), (5, 3, 1) and (3, 1, 2) see 35."""
        assert_close(student.receptive_field(layers), needed(layers))

    @case
    def test_no_layers(self, student):
        """Without layers one entry is seen."""
        assert_close(student.receptive_field([]), 1)

    @case
    @given(layers=st.lists(st.tuples(KERNELS, NUMBERS, NUMBERS), min_size=1, max_size=4))
    def test_layers_stay(self, student, layers):
        """The list of layers is not changed."""
        student.receptive_field(layers)
        assert_unchanged(student)

    @refusal
    @given(layer=st.sampled_from([(0, 1, 1), (3, 0, 1), (3, 1, 0), (3, 1), (3, 1, 1, 1), 3, (3, 1, 1.5)]))
    def test_bad_input_is_refused(self, student, layer):
        """A layer that is not three whole numbers of at least 1 raises ValueError that names layers."""
        with raises(ValueError, naming=("layers", "layer"), because=f"one of the layers is {layer}"):
            student.receptive_field([(3, 1, 1), layer])


@st.composite
def counts(draw, groups=ONE):
    """in_channels, out_channels, kernel_size, groups, bias."""
    many, (c_in, c_out) = draw(groups), draw(st.permutations(range(1, 9)))[:2]
    kernel_size = draw(st.sampled_from([3, (2, 5), 1, (1, 4), 5]))
    channels = {"in_channels": c_in * many, "out_channels": c_out * many}
    return {**channels, "kernel_size": kernel_size, "groups": many, "bias": draw(st.booleans())}


@exercise("conv_parameter_count", points=1, forbid=(), rules=Rules(library="torch"))
class TestConvParameterCount:
    def assert_right(self, student, arguments):
        expected = sum(p.numel() for p in torch.nn.Conv2d(**arguments).parameters())
        assert_close(student.conv_parameter_count(*arguments.values()), expected)

    @idea("weights and biases")
    @given(arguments=counts())
    def test_counts_torchs_layer(self, student, arguments):
        """The count is that of torch's layer, with and without a bias."""
        self.assert_right(student, arguments)

    @idea("weights and biases")
    def test_worked_values(self, student):
        """3x3 kernels from 3 to 16 channels have 448 parameters, without bias 432."""
        assert_close(student.conv_parameter_count(3, 16, 3), 448)
        assert_close(student.conv_parameter_count(3, 16, 3, bias=False), 432)

    @idea("groups")
    @given(arguments=counts(st.integers(2, 5)))
    @example(arguments={"in_channels": 8, "out_channels": 8, "kernel_size": 3, "groups": 8, "bias": True})
    def test_groups(self, student, arguments):
        """Groups: kernels see the channels of their group only; from 8 to 8 channels in 8 groups there are 80."""
        self.assert_right(student, arguments)

    @case
    @given(kernel_size=st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple), bias=st.booleans())
    def test_one_and_three_axes(self, student, kernel_size, bias):
        """A kernel may have one side, as for sound, or three, as for volumes."""
        expected = 6 * 2 * prod(kernel_size) + 6 * bias
        assert_close(student.conv_parameter_count(2, 6, kernel_size, bias=bias), expected)

    @refusal
    @given(arguments=st.sampled_from([(4, 6, 0), (4, 6, -1), (4, 6, 3), (6, 4, 3), (9, 4, 2), (4, 9, 2)]))
    def test_bad_groups(self, student, arguments):
        """Groups that do not divide both channel counts raise ValueError that names groups."""
        c_in, c_out, groups = arguments
        with raises(ValueError, naming="groups", because=f"groups is {groups}, the channels are {c_in} and {c_out}"):
            student.conv_parameter_count(c_in, c_out, 3, groups=groups)
