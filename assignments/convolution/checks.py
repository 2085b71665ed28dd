"""Visible checks of the assignment on convolution.

Each compares with torch's own function or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.
"""

import warnings
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Mismatch,
    Rules,
    assert_close,
    assert_unchanged,
    cotangent_like,
    exercise,
    raises,
)

RULES = Rules(library="torch", vectorised=True)
READY = ("conv2d", "conv_transpose2d", "convolution", "im2col", "col2im")

SEEDS = st.integers(0, 99)
SIDES = st.permutations([1, 2, 3]).map(lambda sides: (sides[0], sides[1]))
STRIDES = st.sampled_from([2, 1, 3, (2, 1), (1, 3)])
PADDINGS = st.sampled_from([1, 0, 2, (1, 0), (0, 2)])
DILATIONS = st.sampled_from([2, 1, 3, (1, 2), (3, 1)])
GROUPS = st.sampled_from([2, 1, 3])
ONE = st.just(1)
NONE = st.just(0)


# torch says so of this file's own calls; it would stand above the student's panel.
warnings.filterwarnings("ignore", message="Using padding='same' with even kernel lengths")


def numbers(seed: int, *shape: int) -> Tensor:
    """Whole numbers of [-4, 4], from numpy's frozen legacy stream: the same for a seed, everywhere."""
    return torch.tensor(np.random.RandomState(seed).randint(-4, 5, shape), dtype=torch.float64)


def whole(*rows: list[float]) -> Tensor:
    """One image, or one kernel, of one channel."""
    return torch.tensor([[rows]], dtype=torch.float64)


def pair(value: int | tuple[int, ...], axes: int = 2) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


@st.composite
def settings(draw, strides=ONE, paddings=NONE, dilations=ONE, groups=ONE) -> tuple[Any, ...]:
    """stride, padding, dilation, groups."""
    return draw(strides), draw(paddings), draw(dilations), draw(groups)


WITHOUT_OPTIONS = settings()


@st.composite
def problems(draw, options=WITHOUT_OPTIONS, axes=2) -> tuple[Tensor, Tensor, Tensor, tuple[Any, ...]]:
    """x, weight, bias and the options; all sides differ where they can, and the kernel fits."""
    _stride, _padding, dilation, groups = options = draw(options)
    channels = draw(st.permutations([1, 2, 3]))
    kernel = tuple(draw(st.permutations([1, 2, 3, 4][: axes + 1])))[:axes]
    extra = draw(st.permutations([0, 1, 2, 3, 4]))[:axes]
    seed = draw(SEEDS)
    sizes = tuple(d * (k - 1) + 1 + more for k, d, more in zip(kernel, pair(dilation, axes), extra, strict=True))
    x = numbers(seed, draw(st.sampled_from([2, 3])), channels[0] * groups, *sizes)
    weight = numbers(seed + 100, channels[1] * groups, channels[0], *kernel)
    return x, weight, numbers(seed + 200, channels[1] * groups), options


PLAIN = problems()
STRIDED = problems(settings(STRIDES))
PADDED = problems(settings(ONE, PADDINGS))
STRIDED_AND_PADDED = problems(settings(STRIDES, PADDINGS))
DILATED = problems(settings(ONE, NONE, DILATIONS))
GROUPED = problems(settings(ONE, NONE, ONE, GROUPS))
EVERYTHING = problems(settings(STRIDES, PADDINGS, DILATIONS, GROUPS))
SAME = problems(settings(ONE, st.just("same"), st.sampled_from([1, 2])))


def gradients(grad_out: Tensor, x: Tensor, weight: Tensor, bias: Tensor, *options: Any) -> tuple[Tensor, ...]:
    """torch's own gradients of conv2d."""
    inputs = [v.detach().clone().requires_grad_() for v in (x, weight, bias)]
    return torch.autograd.grad(F.conv2d(*inputs, *options), inputs, grad_out)


def part(answer: Any, k: int) -> Tensor:
    """The k-th of three gradients."""
    if not isinstance(answer, tuple) or len(answer) != 3:
        raise Mismatch("Expected a tuple of three: grad_x, grad_weight, grad_bias.")
    return answer[k]


AXES = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3), st.integers(0, 9))


@exercise("conv_output_size", points=2, forbid=(), rules=Rules(library="torch"))
class TestConvOutputSize:
    def test_worked_values(self, student):
        """28 under a kernel of 3: "valid" leaves 26, "same" 28, and stride 2 with padding 1 leaves 14."""
        assert_close(student.conv_output_size(28, 3), 26)
        assert_close(student.conv_output_size(28, 3, padding="valid"), 26)
        assert_close(student.conv_output_size(28, 3, padding="same"), 28)
        assert_close(student.conv_output_size(28, 3, stride=2, padding=1), 14)

    @given(case=AXES)
    def test_agrees_with_torch(self, student, case):
        """The size is the one that torch's convolution gives, for any stride, padding and dilation."""
        k, s, p, d, more = case
        size = max(1, d * (k - 1) + 1 - 2 * p) + more
        expected = F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, k), None, s, p, d).shape[2]
        assert_close(student.conv_output_size(size, k, s, p, d), expected)

    @given(size=st.integers(7, 20), k=st.integers(1, 4), d=st.integers(1, 2))
    def test_words(self, student, size, k, d):
        """ "valid" is padding 0, and with "same" the result is as long as the input."""
        assert_close(student.conv_output_size(size, k, 1, "same", d), size)
        assert_close(student.conv_output_size(size, k, 2, "valid", d), (size - d * (k - 1) - 1) // 2 + 1)

    @given(stride=st.integers(2, 4))
    def test_same_needs_stride_one(self, student, stride):
        """ "same" with another stride than 1 raises ValueError that names padding."""
        with raises(ValueError, naming="padding"):
            student.conv_output_size(8, 3, stride, "same")

    def test_bad_input_is_refused(self, student):
        """A kernel, stride or dilation of 0, an unknown word and a kernel that does not fit raise ValueError."""
        for name in ("kernel_size", "stride", "dilation"):
            with raises(ValueError, naming=name):
                student.conv_output_size(**{"size": 8, "kernel_size": 3, name: 0})
        with raises(ValueError, naming="padding"):
            student.conv_output_size(8, 3, padding="full")
        with raises(ValueError, naming="kernel_size"):
            student.conv_output_size(2, 3)


@exercise("pad2d", points=2, forbid=("pad", "constant_pad_nd"))
class TestPad2d:
    def test_worked_values(self, student):
        """[[1, 2]] with "same" for a 2x2 kernel gets its zeros on the right and at the bottom: [[1, 2, 0], [0, 0, 0]]."""
        assert_close(student.pad2d(whole([1, 2]), 2, "same"), whole([1, 2, 0], [0, 0, 0]))
        assert_close(student.pad2d(whole([1, 2]), 3, (0, 1)), whole([0, 1, 2, 0]))

    @given(case=PADDED)
    def test_numbers(self, student, case):
        """One number pads all sides, two pad the rows and the columns."""
        x, weight, _, (_, padding, _, _) = case
        rows, columns = pair(padding)
        expected = F.pad(x, (columns, columns, rows, rows))
        assert_close(student.pad2d(x, tuple(weight.shape[2:]), padding), expected)

    @given(case=PLAIN, stride=STRIDES)
    def test_valid_adds_nothing(self, student, case, stride):
        """ "valid", which is the default, adds nothing, with any stride."""
        x, weight, _, _ = case
        assert_close(student.pad2d(x, tuple(weight.shape[2:])), x)
        assert_close(student.pad2d(x, 2, "valid", stride), x)

    @given(case=SAME)
    def test_same(self, student, case):
        """With "same" a convolution keeps the size; an odd zero goes to the right and to the bottom."""
        x, weight, _, (_, _, d, _) = case
        kh, kw = weight.shape[2:]
        rows, columns = d * (kh - 1), d * (kw - 1)
        sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        assert_close(student.pad2d(x, (kh, kw), "same", dilation=d), F.pad(x, sides))

    @given(stride=st.sampled_from([2, (2, 1), (1, 2)]))
    def test_same_needs_stride_one(self, student, stride):
        """ "same" with another stride than 1 raises ValueError that names padding."""
        with raises(ValueError, naming="padding"):
            student.pad2d(numbers(0, 1, 2, 3, 4), 3, "same", stride)

    @given(case=PADDED)
    def test_float32_stays_float32(self, student, case):
        """A float32 image gives a float32 image, and the input is not changed in place."""
        x = case[0].float()
        assert_close(student.pad2d(x, 3, 1), F.pad(x, (1, 1, 1, 1)))
        assert_unchanged(student)

    def test_bad_input_is_refused(self, student):
        """Three axes, a negative padding and an unknown word raise ValueError that names the argument."""
        with raises(ValueError, naming="x"):
            student.pad2d(numbers(0, 2, 3, 4), 3, 1)
        with raises(ValueError, naming="padding"):
            student.pad2d(numbers(0, 1, 2, 3, 4), 3, -1)
        with raises(ValueError, naming="padding"):
            student.pad2d(numbers(0, 1, 2, 3, 4), 3, "full")


@exercise("conv2d", points=4, forbid=READY)
class TestConv2d:
    def test_plain_worked_values(self, student):
        """Plain: the kernel [[1, 0], [0, -1]] on [[1, 2, 0], [3, 4, 1], [0, 1, 5]] gives [[-3, 1], [2, -1]]."""
        x = whole([1, 2, 0], [3, 4, 1], [0, 1, 5])
        assert_close(student.conv2d(x, whole([1, 0], [0, -1])), whole([-3, 1], [2, -1]))

    @given(case=PLAIN)
    def test_plain_one_channel(self, student, case):
        """Plain: with one channel in and one out, the result agrees with torch's."""
        x, weight, _, _ = case
        x, weight = x[:, :1], weight[:1, :1]
        assert_close(student.conv2d(x, weight), F.conv2d(x, weight))

    @given(case=PLAIN)
    def test_plain_several_channels(self, student, case):
        """Plain: with several channels in and out, and a bias, the result agrees with torch's."""
        x, weight, bias, _ = case
        assert_close(student.conv2d(x, weight, bias), F.conv2d(x, weight, bias))

    @given(case=PLAIN)
    def test_plain_moves_with_the_image(self, student, case):
        """Plain: on an image that moved by a row and a column the result moves as far (equivariance)."""
        x, weight, _, _ = case
        moved = F.pad(x, (1, 0, 1, 0))
        assert_close(student.conv2d(moved, weight)[..., 1:, 1:], F.conv2d(x, weight))

    @given(case=PLAIN)
    def test_plain_float32_stays_float32(self, student, case):
        """Plain: float32 gives float32, and no argument is changed in place."""
        x, weight, bias = (v.float() for v in case[:3])
        assert_close(student.conv2d(x, weight, bias), F.conv2d(x, weight, bias))
        assert_unchanged(student)

    @given(case=STRIDED)
    def test_stride(self, student, case):
        """Stride, one number or two: the result agrees with torch's."""
        x, weight, bias, (stride, _, _, _) = case
        assert_close(student.conv2d(x, weight, bias, stride), F.conv2d(x, weight, bias, stride))

    @given(case=PADDED)
    def test_padding(self, student, case):
        """Padding, one number or two: the result agrees with torch's."""
        x, weight, bias, (_, padding, _, _) = case
        assert_close(student.conv2d(x, weight, bias, padding=padding), F.conv2d(x, weight, bias, padding=padding))

    @given(case=STRIDED_AND_PADDED)
    def test_stride_and_padding(self, student, case):
        """Stride and padding together: the result agrees with torch's."""
        x, weight, bias, (stride, padding, _, _) = case
        assert_close(student.conv2d(x, weight, bias, stride, padding), F.conv2d(x, weight, bias, stride, padding))

    @given(case=SAME)
    def test_padding_same(self, student, case):
        """Padding "same" keeps height and width, also with an even kernel."""
        x, weight, bias, _ = case
        assert_close(student.conv2d(x, weight, bias, padding="same"), F.conv2d(x, weight, bias, padding="same"))

    @given(case=DILATED)
    def test_dilation(self, student, case):
        """Dilation, one number or two: the result agrees with torch's."""
        x, weight, bias, (_, _, dilation, _) = case
        assert_close(student.conv2d(x, weight, bias, dilation=dilation), F.conv2d(x, weight, bias, dilation=dilation))

    @given(case=GROUPED)
    def test_groups(self, student, case):
        """Groups: each group of kernels sees its own channels only."""
        x, weight, bias, (_, _, _, groups) = case
        assert_close(student.conv2d(x, weight, bias, groups=groups), F.conv2d(x, weight, bias, groups=groups))

    @given(case=EVERYTHING)
    def test_everything_together(self, student, case):
        """Stride, padding, dilation and groups together: the result agrees with torch's."""
        x, weight, bias, options = case
        assert_close(student.conv2d(x, weight, bias, *options), F.conv2d(x, weight, bias, *options))

    def test_bad_input_is_refused(self, student):
        """Wrong axes, channels or groups, and "same" with stride 2, raise ValueError that names the argument."""
        x, weight = numbers(0, 2, 4, 5, 6), numbers(1, 6, 4, 3, 2)
        with raises(ValueError, naming="x"):
            student.conv2d(x[0], weight)
        with raises(ValueError, naming="weight"):
            student.conv2d(x, weight[0])
        with raises(ValueError, naming="weight"):
            student.conv2d(x, weight[:, :1])
        with raises(ValueError, naming="bias"):
            student.conv2d(x, weight, numbers(2, 1))
        with raises(ValueError, naming="groups"):
            student.conv2d(x, weight[:, :1], groups=3)
        with raises(ValueError, naming="padding"):
            student.conv2d(x, weight, stride=2, padding="same")


@exercise("conv2d_backward", points=4, forbid=(*READY, "conv2d_input", "conv2d_weight"))
class TestConv2dBackward:
    def compare(self, student, case, *parts: int) -> None:
        x, weight, bias, options = case
        grad_out = cotangent_like(F.conv2d(x, weight, bias, *options))
        expected = gradients(grad_out, x, weight, bias, *options)
        answer = student.conv2d_backward(grad_out, x, weight, bias, *options)
        for k in parts:
            assert_close(part(answer, k), expected[k])

    def test_worked_values(self, student):
        """One output entry with upstream gradient 2: grad_x is twice the kernel, grad_weight twice the image."""
        grad_out, x, weight = whole([2]), whole([1, 2], [3, 4]), whole([5, 6], [7, 8])
        answer = student.conv2d_backward(grad_out, x, weight, torch.zeros(1, dtype=torch.float64))
        assert_close(part(answer, 0), 2 * weight)
        assert_close(part(answer, 1), 2 * x)
        assert_close(part(answer, 2), torch.tensor([2.0], dtype=torch.float64))

    @given(case=PLAIN)
    def test_plain_grad_x(self, student, case):
        """Plain: the gradient of x agrees with torch's for a random upstream gradient."""
        self.compare(student, case, 0)

    @given(case=PLAIN)
    def test_plain_grad_weight(self, student, case):
        """Plain: the gradient of weight agrees with torch's for a random upstream gradient."""
        self.compare(student, case, 1)

    @given(case=PLAIN)
    def test_plain_grad_bias(self, student, case):
        """Plain: the gradient of bias agrees with torch's for a random upstream gradient."""
        self.compare(student, case, 2)

    @given(case=STRIDED_AND_PADDED)
    def test_stride_and_padding(self, student, case):
        """With stride and padding all three gradients agree with torch's."""
        self.compare(student, case, 0, 1, 2)

    @given(case=EVERYTHING)
    def test_dilation_and_groups(self, student, case):
        """With dilation and groups as well all three gradients agree with torch's."""
        self.compare(student, case, 0, 1, 2)

    @given(case=SAME)
    def test_padding_same(self, student, case):
        """With "same", and with an even kernel, all three gradients agree with torch's."""
        self.compare(student, case, 0, 1, 2)

    @given(case=PLAIN)
    def test_without_bias(self, student, case):
        """Without a bias its gradient is None."""
        x, weight, bias, _ = case
        grad_out = cotangent_like(F.conv2d(x, weight))
        expected = gradients(grad_out, x, weight, bias)
        assert_close(student.conv2d_backward(grad_out, x, weight), (expected[0], expected[1], None))

    @given(case=PLAIN)
    def test_float32_stays_float32(self, student, case):
        """float32 gives float32 gradients, and no argument is changed in place."""
        x, weight, bias = (v.float() for v in case[:3])
        grad_out = cotangent_like(F.conv2d(x, weight, bias))
        answer = student.conv2d_backward(grad_out, x, weight, bias)
        assert_unchanged(student)
        for k, expected in enumerate(gradients(grad_out, x, weight, bias)):
            # A hundred products of irregular numbers below 8 may cancel to near 0, but for their rounding.
            assert_close(part(answer, k), expected, atol=1e-4)

    @given(case=PLAIN)
    def test_another_shape_is_refused(self, student, case):
        """An upstream gradient of another shape raises ValueError that names grad_out, also where it would broadcast."""
        x, weight, bias, _ = case
        with raises(ValueError, naming="grad_out"):
            student.conv2d_backward(cotangent_like(F.conv2d(x, weight))[:1], x, weight, bias)


@exercise("im2col", points=3, forbid=("im2col", "conv2d", "convolution"))
class TestIm2col:
    def test_worked_values(self, student):
        """[[1, 2, 3], [4, 5, 6]] under a 2x2 kernel has two patches: the columns (1, 2, 4, 5) and (2, 3, 5, 6)."""
        expected = torch.tensor([[[1, 2], [2, 3], [4, 5], [5, 6]]], dtype=torch.float64)
        assert_close(student.im2col(whole([1, 2, 3], [4, 5, 6]), 2), expected)

    @given(case=PLAIN)
    def test_plain(self, student, case):
        """The columns agree with torch's, channel by channel and row by row."""
        x, weight, _, _ = case
        kernel = tuple(weight.shape[2:])
        assert_close(student.im2col(x, kernel), F.unfold(x, kernel))

    @given(case=problems(settings(STRIDES, PADDINGS, DILATIONS)))
    def test_everything_together(self, student, case):
        """With dilation, padding and stride, in this order, the columns agree with torch's."""
        x, weight, _, (stride, padding, dilation, _) = case
        arguments = tuple(weight.shape[2:]), dilation, padding, stride
        assert_close(student.im2col(x, *arguments), F.unfold(x, *arguments))

    @given(case=PLAIN)
    def test_makes_convolution_a_matrix_product(self, student, case):
        """The kernels as rows times the columns is the convolution."""
        x, weight, _, _ = case
        columns = student.im2col(x, tuple(weight.shape[2:]))
        assert_close(columns.shape, F.unfold(x, weight.shape[2:]).shape)
        assert_close(weight.flatten(1) @ columns, F.conv2d(x, weight).flatten(2))

    @given(case=PADDED)
    def test_float32_stays_float32(self, student, case):
        """float32 gives float32, and the input is not changed in place."""
        x = case[0].float()
        assert_close(student.im2col(x, 1, padding=1), F.unfold(x, 1, padding=1))
        assert_unchanged(student)


@exercise("col2im", points=3, forbid=("col2im", "conv_transpose2d", "convolution"))
class TestCol2im:
    def columns(self, case) -> tuple[Tensor, tuple[Any, ...]]:
        x, weight, _, (stride, padding, dilation, _) = case
        arguments = tuple(weight.shape[2:]), dilation, padding, stride
        return cotangent_like(F.unfold(x, *arguments)), (tuple(x.shape[2:]), *arguments)

    def test_worked_values(self, student):
        """The columns (1, 2, 4, 5) and (2, 3, 5, 6) come back as [[1, 4, 3], [4, 10, 6]]: the shared pixels add up."""
        x = torch.tensor([[[1, 2], [2, 3], [4, 5], [5, 6]]], dtype=torch.float64)
        assert_close(student.col2im(x, (2, 3), 2), whole([1, 4, 3], [4, 10, 6]))

    @given(case=PLAIN)
    def test_plain(self, student, case):
        """The images agree with torch's."""
        x, arguments = self.columns(case)
        assert_close(student.col2im(x, *arguments[:2]), F.fold(x, *arguments[:2]))

    @given(case=problems(settings(STRIDES, PADDINGS, DILATIONS)))
    def test_everything_together(self, student, case):
        """With dilation, padding and stride, in this order, the images agree with torch's."""
        x, arguments = self.columns(case)
        assert_close(student.col2im(x, *arguments), F.fold(x, *arguments))

    @given(case=PLAIN)
    def test_counts_the_patches(self, student, case):
        """Columns of ones come back as the number of patches that each pixel is in."""
        x, arguments = self.columns(case)
        ones = torch.ones_like(x)
        assert_close(student.col2im(ones, *arguments[:2]), F.fold(ones, *arguments[:2]))

    @given(case=PADDED)
    def test_float32_stays_float32(self, student, case):
        """float32 gives float32, and the input is not changed in place."""
        x, arguments = self.columns(case)
        assert_close(student.col2im(x.float(), *arguments), F.fold(x.float(), *arguments))
        assert_unchanged(student)

    @given(case=PLAIN)
    def test_bad_input_is_refused(self, student, case):
        """Another number of columns than there are places raises ValueError that names x."""
        x, arguments = self.columns(case)
        with raises(ValueError, naming="x"):
            student.col2im(torch.cat([x, x], 2), *arguments[:2])


@exercise("conv1d", points=2, forbid=READY)
class TestConv1d:
    def test_worked_values(self, student):
        """The kernel (1, 0, -1) on (1, 3, 2, 5) gives (-1, -2)."""
        x, weight = whole([1, 3, 2, 5])[0], whole([1, 0, -1])[0]
        assert_close(student.conv1d(x, weight), torch.tensor([[[-1, -2]]], dtype=torch.float64))

    @given(case=problems(axes=1))
    def test_plain(self, student, case):
        """With several channels and a bias the result agrees with torch's."""
        x, weight, bias, _ = case
        assert_close(student.conv1d(x, weight, bias), F.conv1d(x, weight, bias))

    @given(
        case=problems(
            settings(st.sampled_from([2, 1, 3]), st.sampled_from([1, 0, 2]), st.sampled_from([2, 1]), GROUPS), axes=1
        )
    )
    def test_everything_together(self, student, case):
        """Stride, padding, dilation and groups together: the result agrees with torch's."""
        x, weight, bias, options = case
        assert_close(student.conv1d(x, weight, bias, *options), F.conv1d(x, weight, bias, *options))

    @given(case=problems(settings(ONE, st.just("same")), axes=1))
    def test_padding_same(self, student, case):
        """Padding "same" keeps the length, in float32 too, and no argument is changed in place."""
        x, weight, bias = (v.float() for v in case[:3])
        expected = F.conv1d(x, weight, bias, padding="same")
        assert_close(student.conv1d(x, weight, bias, padding="same"), expected)
        assert_unchanged(student)

    def test_bad_input_is_refused(self, student):
        """A sequence or a kernel with two axes raises ValueError that names x or weight."""
        x, weight = numbers(0, 2, 3, 5), numbers(1, 4, 3, 2)
        with raises(ValueError, naming="x"):
            student.conv1d(x[0], weight)
        with raises(ValueError, naming="weight"):
            student.conv1d(x, weight[0])


@exercise("conv3d", points=3, forbid=READY)
class TestConv3d:
    @given(seed=SEEDS)
    def test_one_slice_is_conv2d(self, student, seed):
        """A volume and a kernel of depth 1 are an image and a flat kernel."""
        x, weight = numbers(seed, 2, 3, 1, 4, 5), numbers(seed + 1, 2, 3, 1, 3, 2)
        assert_close(student.conv3d(x, weight), F.conv2d(x.squeeze(2), weight.squeeze(2)).unsqueeze(2))

    @given(case=problems(axes=3))
    def test_plain(self, student, case):
        """With several channels and a bias the result agrees with torch's."""
        x, weight, bias, _ = case
        assert_close(student.conv3d(x, weight, bias), F.conv3d(x, weight, bias))

    @given(
        case=problems(
            settings(
                st.sampled_from([2, (2, 1, 3), 1]),
                st.sampled_from([1, (0, 1, 2), 0]),
                st.sampled_from([1, 2, (2, 1, 1)]),
                GROUPS,
            ),
            axes=3,
        )
    )
    def test_everything_together(self, student, case):
        """Stride, padding, dilation and groups together: the result agrees with torch's."""
        x, weight, bias, options = case
        assert_close(student.conv3d(x, weight, bias, *options), F.conv3d(x, weight, bias, *options))

    @given(case=problems(axes=3))
    def test_float32_stays_float32(self, student, case):
        """float32 gives float32, and no argument is changed in place."""
        x, weight, bias = (v.float() for v in case[:3])
        assert_close(student.conv3d(x, weight, bias), F.conv3d(x, weight, bias))
        assert_unchanged(student)

    def test_bad_input_is_refused(self, student):
        """A volume or a kernel with four axes raises ValueError that names x or weight."""
        x, weight = numbers(0, 2, 3, 4, 5, 6), numbers(1, 4, 3, 2, 1, 3)
        with raises(ValueError, naming="x"):
            student.conv3d(x[0], weight)
        with raises(ValueError, naming="weight"):
            student.conv3d(x, weight[0])


@st.composite
def transposed(draw, strides=ONE, paddings=NONE, groups=ONE, dilations=ONE) -> tuple[Any, ...]:
    """x, weight, bias and stride, padding, output_padding, groups, dilation."""
    stride, padding, group, dilation = draw(settings(strides, paddings, groups, dilations))
    output_padding = draw(st.integers(0, min(pair(stride)) - 1))
    channels, kernel, seed = draw(st.permutations([1, 2, 3])), draw(st.permutations([1, 2, 3, 4]))[:2], draw(SEEDS)
    # Large enough for the padding to leave something.
    x = numbers(seed, draw(st.sampled_from([2, 3])), channels[0] * group, *draw(st.permutations([5, 6, 7]))[:2])
    weight = numbers(seed + 100, channels[0] * group, channels[1], *kernel)
    options = stride, padding, output_padding, group, dilation
    return x, weight, numbers(seed + 200, channels[1] * group), options


@exercise("conv_transpose2d", points=3, forbid=READY)
class TestConvTranspose2d:
    def test_worked_values(self, student):
        """[[1, 2]] under the kernel [[1, 10]] gives [[1, 12, 20]], with stride 2 [[1, 10, 2, 20]]."""
        x, weight = whole([1, 2]), whole([1, 10])
        assert_close(student.conv_transpose2d(x, weight), whole([1, 12, 20]))
        assert_close(student.conv_transpose2d(x, weight, stride=(1, 2)), whole([1, 10, 2, 20]))

    @given(case=transposed())
    def test_plain(self, student, case):
        """With several channels and a bias the result agrees with torch's."""
        x, weight, bias, _ = case
        assert_close(student.conv_transpose2d(x, weight, bias), F.conv_transpose2d(x, weight, bias))

    @given(case=transposed(STRIDES, PADDINGS))
    def test_stride_and_padding(self, student, case):
        """With stride, padding and output_padding the result agrees with torch's."""
        x, weight, bias, options = case
        expected = F.conv_transpose2d(x, weight, bias, *options[:3])
        assert_close(student.conv_transpose2d(x, weight, bias, *options[:3]), expected)

    @given(case=transposed(STRIDES, PADDINGS, GROUPS, DILATIONS))
    def test_everything_together(self, student, case):
        """With groups and dilation as well, in torch's order, the result agrees with torch's."""
        x, weight, bias, options = case
        assert_close(student.conv_transpose2d(x, weight, bias, *options), F.conv_transpose2d(x, weight, bias, *options))

    @given(case=STRIDED_AND_PADDED)
    def test_is_the_gradient_of_convolution(self, student, case):
        """It is the gradient of conv2d with respect to its images, where output_padding restores their size."""
        x, weight, bias, (stride, padding, _, _) = case
        grad_out = cotangent_like(F.conv2d(x, weight, None, stride, padding))
        strides, pads = pair(stride), pair(padding)
        lost = tuple((x.shape[2 + a] + 2 * pads[a] - weight.shape[2 + a]) % strides[a] for a in range(2))
        expected = gradients(grad_out, x, weight, bias, stride, padding)[0]
        assert_close(student.conv_transpose2d(grad_out, weight, None, stride, padding, lost), expected)

    @given(case=transposed())
    def test_float32_stays_float32(self, student, case):
        """float32 gives float32, and no argument is changed in place."""
        x, weight, bias = (v.float() for v in case[:3])
        assert_close(student.conv_transpose2d(x, weight, bias), F.conv_transpose2d(x, weight, bias))
        assert_unchanged(student)

    def test_bad_input_is_refused(self, student):
        """Wrong axes or channels, and an output_padding as large as the stride, raise ValueError that names them."""
        x, weight = numbers(0, 2, 4, 5, 6), numbers(1, 4, 3, 2, 3)
        with raises(ValueError, naming="x"):
            student.conv_transpose2d(x[0], weight)
        with raises(ValueError, naming="weight"):
            student.conv_transpose2d(x, weight[:3])
        with raises(ValueError, naming="output_padding"):
            student.conv_transpose2d(x, weight, stride=2, output_padding=2)


@st.composite
def separable(draw, strides=ONE, paddings=NONE, dilations=ONE) -> tuple[Any, ...]:
    """x, depthwise_weight, pointwise_weight, bias and stride, padding, dilation."""
    x, _, _, options = draw(problems(settings(strides, paddings, dilations)))
    seed, many, out = draw(SEEDS), draw(st.sampled_from([1, 2])), draw(st.sampled_from([3, 1, 4]))
    middle = x.shape[1] * many
    x = numbers(seed, x.shape[0], x.shape[1], *draw(st.permutations([7, 8, 9]))[:2])
    depthwise = numbers(seed + 100, middle, 1, *draw(SIDES))
    return x, depthwise, numbers(seed + 200, out, middle, 1, 1), numbers(seed + 300, out), options[:3]


def separable_by_torch(
    x: Tensor, depthwise: Tensor, pointwise: Tensor, bias: Tensor | None = None, *options: Any
) -> Tensor:
    return F.conv2d(F.conv2d(x, depthwise, None, *options, groups=x.shape[1]), pointwise, bias)


@exercise("depthwise_separable_conv2d", points=2, forbid=READY)
class TestDepthwiseSeparableConv2d:
    def test_worked_values(self, student):
        """Channels [[1, 2]] and [[3, 4]] under (1, 1) and (1, -1) give 3 and -1; mixed by (10, 1) they give 29."""
        x = torch.tensor([[[[1, 2]], [[3, 4]]]], dtype=torch.float64)
        depthwise = torch.tensor([[[[1, 1]]], [[[1, -1]]]], dtype=torch.float64)
        pointwise = torch.tensor([[[[10]], [[1]]]], dtype=torch.float64)
        assert_close(student.depthwise_separable_conv2d(x, depthwise, pointwise), whole([29]))

    @given(case=separable())
    def test_plain(self, student, case):
        """With one or two kernels a channel, and a bias, the result is that of torch's two convolutions."""
        x, depthwise, pointwise, bias, _ = case
        expected = separable_by_torch(x, depthwise, pointwise, bias)
        assert_close(student.depthwise_separable_conv2d(x, depthwise, pointwise, bias), expected)

    @given(case=separable(STRIDES, PADDINGS, DILATIONS))
    def test_everything_together(self, student, case):
        """Stride, padding and dilation belong to the depthwise convolution."""
        x, depthwise, pointwise, bias, options = case
        expected = separable_by_torch(x, depthwise, pointwise, bias, *options)
        assert_close(student.depthwise_separable_conv2d(x, depthwise, pointwise, bias, *options), expected)

    @given(case=separable(paddings=st.just("same")))
    def test_float32_stays_float32(self, student, case):
        """With "same" float32 gives float32, and no argument is changed in place."""
        tensors, options = [v.float() for v in case[:4]], case[4]
        assert_close(student.depthwise_separable_conv2d(*tensors, *options), separable_by_torch(*tensors, *options))
        assert_unchanged(student)

    @given(case=separable())
    def test_bad_input_is_refused(self, student, case):
        """Kernels that do not fit raise ValueError that names depthwise_weight or pointwise_weight."""
        x, depthwise, pointwise, _bias, _ = case
        with raises(ValueError, naming="depthwise_weight"):
            student.depthwise_separable_conv2d(x, depthwise.expand(-1, 2, -1, -1), pointwise)
        with raises(ValueError, naming="pointwise_weight"):
            student.depthwise_separable_conv2d(x, depthwise, torch.cat([pointwise, pointwise], 1))


LAYERS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)), max_size=4)


@exercise("receptive_field", points=2, forbid=(), rules=Rules(library="torch"))
class TestReceptiveField:
    def test_worked_values(self, student):
        """Two layers of 3 see 5, three see 7; a stride of 2 in the first of two makes it 7; no layer sees 1."""
        assert_close(student.receptive_field([(3, 1, 1)] * 2), 5)
        assert_close(student.receptive_field([(3, 1, 1)] * 3), 7)
        assert_close(student.receptive_field([(3, 2, 1), (3, 1, 1)]), 7)
        assert_close(student.receptive_field([]), 1)

    @given(layers=LAYERS)
    @example(layers=[(3, 2, 1), (2, 3, 2), (3, 1, 3)])
    def test_counts_what_one_output_needs(self, student, layers):
        """It is the length of the shortest input from which the layers make one output entry."""
        needed = 1
        for kernel_size, stride, dilation in reversed(layers):
            needed = (needed - 1) * stride + dilation * (kernel_size - 1) + 1
        assert_close(student.receptive_field(layers), needed)

    @given(sides=st.lists(st.integers(1, 5), min_size=1, max_size=5))
    def test_without_strides_the_reaches_add_up(self, student, sides):
        """With stride and dilation 1 each layer adds its kernel size minus 1."""
        assert_close(student.receptive_field([(k, 1, 1) for k in sides]), 1 + sum(sides) - len(sides))

    @given(layer=st.sampled_from([(0, 1, 1), (3, 0, 1), (3, 1, 0), (3, 1)]))
    def test_bad_input_is_refused(self, student, layer):
        """A layer that is not three numbers of at least 1 raises ValueError that names layers."""
        with raises(ValueError, naming="layers"):
            student.receptive_field([(3, 1, 1), layer])


@exercise("conv_parameter_count", points=1, forbid=(), rules=Rules(library="torch"))
class TestConvParameterCount:
    def test_worked_values(self, student):
        """3x3 kernels from 3 to 16 channels have 448 parameters, without bias 432; one for each of 8 channels, 80."""
        assert_close(student.conv_parameter_count(3, 16, 3), 448)
        assert_close(student.conv_parameter_count(3, 16, 3, bias=False), 432)
        assert_close(student.conv_parameter_count(8, 8, 3, groups=8), 80)

    @given(
        channels=st.permutations([1, 2, 3]),
        kernel_size=st.sampled_from([3, (2, 5), 1, (1, 4)]),
        groups=st.sampled_from([2, 1, 3]),
        bias=st.booleans(),
    )
    def test_counts_torchs_layer(self, student, channels, kernel_size, groups, bias):
        """The count is that of torch's layer."""
        c_in, c_out = channels[0] * groups, channels[1] * groups
        layer = torch.nn.Conv2d(c_in, c_out, kernel_size, groups=groups, bias=bias)
        expected = sum(p.numel() for p in layer.parameters())
        assert_close(student.conv_parameter_count(c_in, c_out, kernel_size, groups, bias), expected)

    @given(kernel_size=st.sampled_from([(5,), (2, 3, 4), (4, 4, 4)]))
    def test_one_and_three_axes(self, student, kernel_size):
        """A kernel may have one side, as for sound, or three, as for volumes."""
        expected = 6 * 2 * int(np.prod(kernel_size)) + 6
        assert_close(student.conv_parameter_count(2, 6, kernel_size), expected)

    @given(groups=st.sampled_from([0, -1, 4, 3]))
    def test_bad_input_is_refused(self, student, groups):
        """Groups that do not divide both channel counts raise ValueError that names groups."""
        with raises(ValueError, naming="groups"):
            student.conv_parameter_count(4, 6, 3, groups=groups)
