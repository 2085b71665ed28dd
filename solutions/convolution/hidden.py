"""Hidden checks of the assignment on convolution: precision, memory layout, large numbers, bad input."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import assert_close, exercise, raises

from . import reference

# Sums of a few dozen products of small whole numbers stay exact in float16; bfloat16 keeps eight bits.
HALF = {torch.float16: 0.25, torch.bfloat16: 4.0}
SEEDS = st.integers(0, 99)


def numbers(seed: int, *shape: int) -> Tensor:
    return torch.tensor(np.random.RandomState(seed).randint(-4, 5, shape), dtype=torch.float64)


class OfTensors:
    """What every function of tensors has to keep; ``arguments`` makes a call's arguments from a seed."""

    function: str

    def arguments(self, seed: int) -> tuple[Any, ...]:
        raise NotImplementedError

    def assert_right(self, student, *arguments: Any, **tolerances: float) -> None:
        assert_close(
            getattr(student, self.function)(*arguments), getattr(reference, self.function)(*arguments), **tolerances
        )

    @given(seed=SEEDS)
    def test_not_contiguous(self, student, seed):
        """Tensors that are not contiguous in memory give the same values."""
        self.assert_right(student, *[_strided(v) if isinstance(v, Tensor) else v for v in self.arguments(seed)])

    @given(seed=SEEDS)
    def test_large_and_fine_numbers(self, student, seed):
        """Thousands with digits after the point give the right values."""
        arguments = [v * 1234.5678 if isinstance(v, Tensor) else v for v in self.arguments(seed)]
        # Products of millions may cancel to 0 up to their rounding, which depends on the order of the sum.
        self.assert_right(student, *arguments, atol=0.01)

    @given(seed=SEEDS, dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, seed, dtype):
        """float16 and bfloat16 keep their dtype, and the values are right to its precision."""
        wide = self.arguments(seed)
        low = [v.to(dtype) if isinstance(v, Tensor) else v for v in wide]
        expected = getattr(reference, self.function)(*wide)
        expected = tuple(v.to(dtype) for v in expected) if isinstance(expected, tuple) else expected.to(dtype)
        assert_close(getattr(student, self.function)(*low), expected, rtol=0.05, atol=HALF[dtype])


def _strided(x: Tensor) -> Tensor:
    """The same values, every second of a longer last axis."""
    return torch.stack([x, -x], -1).flatten(-2)[..., ::2]


@exercise("conv_output_size")
class TestConvOutputSize:
    @given(padding=st.sampled_from([-1, "full", "SAME", ""]))
    def test_padding_is_a_number_or_a_word(self, student, padding):
        """A negative padding, or another word than "valid" and "same", raises ValueError that names padding."""
        with raises(ValueError, naming="padding"):
            student.conv_output_size(9, 3, padding=padding)

    def test_kernel_may_just_fit(self, student):
        """A kernel that just fits has one place, also with dilation and padding; one entry more is refused."""
        assert_close(student.conv_output_size(5, 3, 1, 0, 2), 1)
        assert_close(student.conv_output_size(3, 3, 2, 1, 2), 1)
        with raises(ValueError, naming="kernel_size"):
            student.conv_output_size(4, 3, 1, 0, 2)

    @given(size=st.integers(1, 4), padding=st.integers(1, 3))
    def test_padding_counts_twice(self, student, size, padding):
        """A kernel as long as the axis with its padding on both sides has one place; one entry more is refused."""
        assert_close(student.conv_output_size(size, size + 2 * padding, padding=padding), 1)
        with raises(ValueError, naming="kernel_size"):
            student.conv_output_size(size, size + 2 * padding + 1, padding=padding)

    @given(size=st.integers(1, 3))
    def test_same_with_a_wide_kernel(self, student, size):
        """With "same" a kernel may be wider than the axis."""
        assert_close(student.conv_output_size(size, 5, padding="same"), size)

    @given(name=st.sampled_from(["kernel_size", "stride", "dilation"]))
    def test_negative_numbers_are_refused(self, student, name):
        """A negative kernel_size, stride or dilation raises ValueError that names it."""
        with raises(ValueError, naming=name):
            student.conv_output_size(**{"size": 8, "kernel_size": 3, name: -1})


@exercise("pad2d")
class TestPad2d(OfTensors):
    function = "pad2d"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        return numbers(seed, 2, 3, 4, 5), (2, 4), "same", 1, (1, 3)

    def test_no_entries(self, student):
        """A batch without images stays one, padded."""
        self.assert_right(student, numbers(0, 0, 2, 3, 4), 3, 1)

    @given(padding=st.sampled_from([(1, -1), (-1, 0), "SAME", ""]))
    def test_bad_padding_is_refused(self, student, padding):
        """One negative number of two, or an unknown word, raises ValueError that names padding."""
        with raises(ValueError, naming="padding"):
            student.pad2d(numbers(0, 1, 2, 3, 4), 3, padding)


@exercise("conv2d")
class TestConv2d(OfTensors):
    function = "conv2d"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        return numbers(seed, 2, 3, 5, 6), numbers(seed + 1, 4, 3, 3, 2), numbers(seed + 2, 4)

    @given(seed=SEEDS)
    def test_same_with_dilation(self, student, seed):
        """Dilation with "same": an even kernel still puts the odd zero right and at the bottom."""
        x, weight, bias = self.arguments(seed)
        self.assert_right(student, x, weight[:, :, :2], bias, 1, "same", (3, 1))

    @given(groups=st.sampled_from([0, 3, -1, 2]))
    def test_groups_divide_both(self, student, groups):
        """Groups that do not divide both channel counts raise ValueError that names groups."""
        with raises(ValueError, naming="groups"):
            student.conv2d(numbers(0, 2, 4, 5, 6), numbers(1, 9, 2, 3, 2), groups=groups)

    @given(name=st.sampled_from(["stride", "dilation"]))
    def test_zero_is_refused(self, student, name):
        """A stride or dilation of 0 raises ValueError that names it."""
        x, weight, bias = self.arguments(0)
        with raises(ValueError, naming=name):
            student.conv2d(x, weight, bias, **{name: 0})

    def test_kernel_has_to_fit(self, student):
        """A kernel that is larger than the padded image raises ValueError."""
        with raises(ValueError):
            student.conv2d(numbers(0, 2, 3, 4, 5), numbers(1, 4, 3, 5, 2))


@exercise("conv2d_backward")
class TestConv2dBackward(OfTensors):
    function = "conv2d_backward"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        x, weight, bias = numbers(seed, 2, 4, 5, 6), numbers(seed + 1, 6, 2, 3, 2), numbers(seed + 2, 6)
        return numbers(seed + 3, 2, 6, 3, 4), x, weight, bias, 2, (1, 1), 1, 2

    @given(seed=SEEDS)
    def test_rows_that_no_kernel_meets(self, student, seed):
        """Pixels that the stride leaves out get gradient 0, and the gradient keeps the shape of x."""
        self.assert_right(
            student, numbers(seed, 2, 1, 1, 2), numbers(seed, 2, 3, 4, 6), numbers(3, 1, 3, 2, 2), None, 3
        )

    @given(seed=SEEDS)
    def test_same_with_dilation(self, student, seed):
        """With "same", an even kernel and dilation the gradients are right."""
        x, weight = numbers(seed, 2, 3, 5, 6), numbers(seed + 1, 4, 3, 2, 4)
        self.assert_right(student, numbers(seed + 2, 2, 4, 5, 6), x, weight, None, 1, "same", (3, 1))

    def test_as_many_entries_in_another_shape(self, student):
        """An upstream gradient with as many entries in another shape raises ValueError that names grad_out."""
        grad_out, *others = self.arguments(0)
        with raises(ValueError, naming="grad_out"):
            student.conv2d_backward(grad_out.mT, *others)


@exercise("im2col")
class TestIm2col(OfTensors):
    function = "im2col"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        return numbers(seed, 2, 3, 6, 5), (3, 2), (1, 2), (1, 0), (2, 1)

    def test_bad_input_is_refused(self, student):
        """Three axes and a negative padding raise ValueError that names the argument; so does a kernel too large."""
        x = numbers(0, 2, 3, 6, 5)
        with raises(ValueError, naming="x"):
            student.im2col(x[0], 2)
        with raises(ValueError, naming="padding"):
            student.im2col(x, 2, padding=-1)
        with raises(ValueError, naming="kernel_size"):
            student.im2col(x, 7)


@exercise("col2im")
class TestCol2im(OfTensors):
    function = "col2im"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        return numbers(seed, 2, 18, 9), (6, 5), (3, 2), (1, 2), (1, 0), (2, 1)

    def test_axes_and_rows_have_to_fit(self, student):
        """Two or four axes, or rows that make no whole number of channels, raise ValueError that names x."""
        x, *others = self.arguments(0)
        for wrong in (x[0], x.unsqueeze(-1), x[:, :17], x[:, :15], x[:, :16]):
            with raises(ValueError, naming="x"):
                student.col2im(wrong, *others)

    @given(seed=SEEDS)
    def test_wide_padding(self, student, seed):
        """With padding wider than the kernel, what lands outside of the image is left out."""
        self.assert_right(student, numbers(seed, 2, 18, 63), (3, 2), (3, 2), 1, (3, 4))


@exercise("conv1d")
class TestConv1d(OfTensors):
    function = "conv1d"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        return numbers(seed, 2, 4, 9), numbers(seed + 1, 6, 2, 3), numbers(seed + 2, 6), 2, 1, 2, 2

    def test_same_needs_stride_one(self, student):
        """ "same" with another stride than 1 raises ValueError that names padding."""
        x, weight, bias = self.arguments(0)[:3]
        with raises(ValueError, naming="padding"):
            student.conv1d(x, weight, bias, 2, "same", 1, 2)


@exercise("conv3d")
class TestConv3d(OfTensors):
    function = "conv3d"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        x, weight = numbers(seed, 2, 4, 3, 5, 6), numbers(seed + 1, 6, 2, 2, 3, 1)
        return x, weight, numbers(seed + 2, 6), (1, 2, 1), (1, 0, 1), 1, 2

    @given(seed=SEEDS)
    def test_wide_padding(self, student, seed):
        """Padding that differs from axis to axis, three slices at the front and the back, gives the right values."""
        x, weight = numbers(seed, 2, 3, 2, 4, 3), numbers(seed + 1, 4, 3, 2, 3, 2)
        self.assert_right(student, x, weight, None, 1, (3, 1, 2))


@exercise("conv_transpose2d")
class TestConvTranspose2d(OfTensors):
    function = "conv_transpose2d"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        x, weight = numbers(seed, 2, 4, 3, 5), numbers(seed + 1, 4, 3, 3, 2)
        return x, weight, numbers(seed + 2, 6), (2, 3), (1, 0), (0, 2), 2, (1, 2)

    @given(output_padding=st.sampled_from([(0, 3), (2, 0), -1]))
    def test_output_padding_has_to_be_small(self, student, output_padding):
        """An output_padding that is negative, or not smaller than the stride of its axis, is refused by name."""
        x, weight = self.arguments(0)[:2]
        with raises(ValueError, naming="output_padding"):
            student.conv_transpose2d(x, weight, stride=(2, 3), output_padding=output_padding)

    def test_weight_has_four_axes(self, student):
        """A kernel of three axes that starts with the channels of x raises ValueError that names weight."""
        x, weight = self.arguments(0)[:2]
        with raises(ValueError, naming="weight"):
            student.conv_transpose2d(x, weight[..., 0])

    def test_bias_has_to_fit(self, student):
        """A bias that is not one number an output channel raises ValueError that names bias."""
        x, weight = self.arguments(0)[:2]
        with raises(ValueError, naming="bias"):
            student.conv_transpose2d(x, weight, numbers(0, 1))


@exercise("depthwise_separable_conv2d")
class TestDepthwiseSeparableConv2d(OfTensors):
    function = "depthwise_separable_conv2d"

    def arguments(self, seed: int) -> tuple[Any, ...]:
        x, depthwise = numbers(seed, 2, 2, 5, 6), numbers(seed + 1, 4, 1, 3, 2)
        return x, depthwise, numbers(seed + 2, 3, 4, 1, 1), numbers(seed + 3, 3), 2, 1

    def test_every_channel_needs_as_many_kernels(self, student):
        """Three kernels for two channels, or a pointwise kernel wider than 1x1, raise ValueError that names it."""
        x, depthwise, pointwise = self.arguments(0)[:3]
        with raises(ValueError, naming="depthwise_weight"):
            student.depthwise_separable_conv2d(x, depthwise[:3], pointwise[:, :3])
        with raises(ValueError, naming="pointwise_weight"):
            student.depthwise_separable_conv2d(x, depthwise, pointwise.expand(-1, -1, 2, 1))

    def test_axes_are_counted(self, student):
        """An image, or a depthwise kernel, of three axes raises ValueError that names it."""
        x, depthwise, pointwise = self.arguments(0)[:3]
        with raises(ValueError, naming="x"):
            student.depthwise_separable_conv2d(x[0], depthwise, pointwise)
        with raises(ValueError, naming="depthwise_weight"):
            student.depthwise_separable_conv2d(x, depthwise[..., 0], pointwise)


@exercise("receptive_field")
class TestReceptiveField:
    @given(layers=st.lists(st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(1, 4)), max_size=8))
    def test_many_layers(self, student, layers):
        """Up to eight layers of any kind are counted right."""
        assert_close(student.receptive_field(layers), reference.receptive_field(layers))


@exercise("conv_parameter_count")
class TestConvParameterCount:
    @given(case=st.sampled_from([(6, 4, 3), (4, 6, 3), (9, 4, 2), (4, 9, 2)]))
    def test_groups_divide_both(self, student, case):
        """Groups that divide only one of the channel counts raise ValueError that names groups."""
        in_channels, out_channels, groups = case
        with raises(ValueError, naming="groups"):
            student.conv_parameter_count(in_channels, out_channels, 3, groups)
