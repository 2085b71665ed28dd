"""Hidden checks of the assignment on activation functions: where numbers overflow first, and rows of mixed sizes."""

from collections.abc import Callable

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import assert_close, case, cotangent_like, exercise, floats

from . import reference

DTYPES = st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16])
# x³ overflows in float16 from 41 on, u from 57, x² from 256.
EDGES = torch.tensor([[3.0, 40.0, 41.0, 57.0, 255.0], [256.0, 257.0, 300.0, 4096.0, 10_000.0]], dtype=torch.float64)
# Ties and near ties at ±10,000, alone and beside a far rival; all are numbers of float16, and of bfloat16 nearly.
MIXED = [[1e4, 1e4, -1e4], [9984, 1e4, 0], [-1e4, -9984, -9984], [0.5, -0.5, 9984], [0, 0, 0]]


def asked_in(dtype: torch.dtype, answer: Tensor, right: Callable[..., Tensor], *args: object) -> None:
    """Compares with the reference's answer in float64, with room for a few roundings in half precision."""
    wide = [arg.double() if isinstance(arg, Tensor) else arg for arg in args]
    rtol = {torch.float64: 1e-6, torch.float32: 2e-5, torch.float16: 3e-2, torch.bfloat16: 1.5e-1}[dtype]
    assert_close(answer, right(*wide).to(dtype), rtol=rtol, atol=rtol / 3)


@exercise("gelu")
class TestGelu:
    @case
    @given(dtype=DTYPES, approximate=st.sampled_from(["none", "tanh"]), sign=st.sampled_from([1, -1]))
    def test_where_powers_overflow(self, student, dtype, approximate, sign):
        """Where x² or x³ overflows, the value is still right."""
        x = (sign * EDGES).to(dtype)
        asked_in(dtype, student.gelu(x, approximate), reference.gelu, x, approximate)


@exercise("gelu_backward")
class TestGeluBackward:
    @case
    @given(dtype=DTYPES, approximate=st.sampled_from(["none", "tanh"]), sign=st.sampled_from([1, -1]))
    def test_where_powers_overflow(self, student, dtype, approximate, sign):
        """Where x² or x³ overflows, the gradient is still right."""
        x = (sign * EDGES).to(dtype)
        grad_out = cotangent_like(x)
        answer = student.gelu_backward(grad_out, x, approximate)
        asked_in(dtype, answer, reference.gelu_backward, grad_out, x, approximate)


@exercise("softmax")
class TestSoftmax:
    @case
    @given(dtype=DTYPES, temperature=floats(0.1, 10))
    def test_mixed_rows(self, student, dtype, temperature):
        """Rows of large, mixed and equal scores are right side by side, at any temperature."""
        x = torch.tensor(MIXED).to(dtype)
        asked_in(dtype, student.softmax(x, 1, temperature), reference.softmax, x, 1, temperature)


@exercise("softmax_backward")
class TestSoftmaxBackward:
    @case
    @given(dtype=DTYPES, temperature=st.sampled_from([0.5, 1.0, 2.0, 8.0]))
    def test_mixed_rows(self, student, dtype, temperature):
        """Rows of large, mixed and equal scores have the right gradient side by side, at any temperature."""
        x = torch.tensor(MIXED).to(dtype)
        grad_out = cotangent_like(x)
        answer = student.softmax_backward(grad_out, x, 1, temperature)
        asked_in(dtype, answer, reference.softmax_backward, grad_out, x, 1, temperature)


@exercise("log_softmax")
class TestLogSoftmax:
    @case
    @given(dtype=DTYPES)
    def test_mixed_rows(self, student, dtype):
        """Rows of large, mixed and equal scores are right side by side."""
        x = torch.tensor(MIXED).to(dtype)
        asked_in(dtype, student.log_softmax(x, 1), reference.log_softmax, x, 1)
