"""Visible checks of the assignment on activation functions.

Each compares with torch's own function or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.
"""

from collections.abc import Callable
from math import log

import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Rules,
    assert_close,
    assert_unchanged,
    cotangent_like,
    dims,
    exercise,
    floats,
    raises,
    tensors,
)

# A gradient written by hand may call torch's own forward, such as `torch.softmax` in `softmax_backward`.
RULES = Rules(library="torch", vectorised=True)
FORMS = st.sampled_from(["none", "tanh"])
BETAS = st.integers(1, 12).map(lambda n: n / 4)
# With quarters for beta and hundredths for x, beta * x never meets one of these.
THRESHOLDS = st.sampled_from([0.001, 1.001, 2.001, 4.001])


def vector(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def gradient(function: Callable[[Tensor], Tensor], grad_out: Tensor, x: Tensor) -> Tensor:
    """torch's own gradient of ``function`` at ``x``, computed in float64, in the dtype of ``x``."""
    x64 = x.to(torch.float64, copy=True).requires_grad_()
    (grad_x,) = torch.autograd.grad(function(x64), x64, grad_out.double())
    return grad_x.to(x.dtype)


class Pointwise:
    """What every function has to keep that works entry by entry."""

    function: str
    oracle: Callable[[Tensor], Tensor]

    @given(x=tensors(low=-20, high=20))
    def test_agrees_with_torch(self, student, x):
        """The values agree with torch's."""
        assert_close(getattr(student, self.function)(x), self.oracle(x))

    @given(x=tensors(min_ndim=1, max_ndim=1, low=-1000, high=1000))
    @example(x=vector(-1000, 0, 1000))
    def test_far_from_zero(self, student, x):
        """Far from zero the values are right too: no nan and no overflow."""
        assert_close(getattr(student, self.function)(x), self.oracle(x))

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """A float32 tensor gives a float32 tensor, and the input is not changed in place."""
        assert_close(getattr(student, self.function)(x), self.oracle(x))
        assert_unchanged(student)


class PointwiseBackward:
    """What every hand-written gradient has to keep of a function that works entry by entry."""

    function: str
    forward: Callable[[Tensor], Tensor]

    @given(x=tensors(low=-20, high=20))
    def test_agrees_with_torch(self, student, x):
        """The gradient agrees with torch's for a random upstream gradient."""
        grad_out = cotangent_like(x)
        assert_close(getattr(student, self.function)(grad_out, x), gradient(self.forward, grad_out, x))

    @given(x=tensors(min_ndim=1, max_ndim=1, low=-1000, high=1000))
    @example(x=vector(-1000, 0, 1000))
    def test_far_from_zero(self, student, x):
        """Far from zero the gradient is right too: no nan and no overflow."""
        grad_out = cotangent_like(x)
        assert_close(getattr(student, self.function)(grad_out, x), gradient(self.forward, grad_out, x))

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """A float32 tensor gives a float32 gradient, and neither argument is changed in place."""
        grad_out = cotangent_like(x)
        assert_close(getattr(student, self.function)(grad_out, x), gradient(self.forward, grad_out, x))
        assert_unchanged(student)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2))
    def test_another_shape_is_refused(self, student, x):
        """An upstream gradient of another shape raises ValueError that names grad_out, also where it would broadcast."""
        with raises(ValueError, naming="grad_out"):
            getattr(student, self.function)(cotangent_like(x[0]), x)


class AlongAxis:
    """What every function has to keep that works along one axis."""

    function: str
    oracle: Callable[[Tensor, int], Tensor]

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_agrees_with_torch(self, student, x, dim):
        """The values agree with torch's, for every axis."""
        assert_close(getattr(student, self.function)(x, dim), self.oracle(x, dim))

    @given(x=tensors(min_ndim=1, max_ndim=2, low=-1000, high=1000))
    @example(x=vector(1000, 999, -1000))
    @example(x=torch.stack([vector(1000, 999, -1000), vector(-1000, -999, -1000)]))
    def test_large_scores(self, student, x):
        """Scores of a thousand, positive or negative, give the right values: no nan and no overflow."""
        assert_close(getattr(student, self.function)(x, -1), self.oracle(x, -1))

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """A float32 tensor gives a float32 tensor, and the input is not changed in place."""
        assert_close(getattr(student, self.function)(x, 1), self.oracle(x, 1))
        assert_unchanged(student)

    @given(x=tensors(min_ndim=1))
    def test_dim_has_to_be_an_axis(self, student, x):
        """A dim that is no axis of x raises ValueError that names dim."""
        with raises(ValueError, naming="dim"):
            getattr(student, self.function)(x, x.ndim)


class AlongAxisBackward:
    """What every hand-written gradient has to keep of a function that works along one axis."""

    function: str
    forward: Callable[[Tensor, int], Tensor]

    def upstream(self, x: Tensor, dim: int) -> Tensor:
        return cotangent_like(self.forward(x, dim))

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_agrees_with_torch(self, student, x, dim):
        """The gradient agrees with torch's for a random upstream gradient and every axis."""
        grad_out = self.upstream(x, dim)
        expected = gradient(lambda x64: self.forward(x64, dim), grad_out, x)
        assert_close(getattr(student, self.function)(grad_out, x, dim), expected)

    @given(x=tensors(min_ndim=1, max_ndim=2, low=-1000, high=1000))
    @example(x=vector(1000, 999, -1000))
    @example(x=torch.stack([vector(1000, 999, -1000), vector(-1000, -999, -1000)]))
    def test_large_scores(self, student, x):
        """Scores of a thousand, positive or negative, give the right gradient: no nan and no overflow."""
        grad_out = self.upstream(x, -1)
        expected = gradient(lambda x64: self.forward(x64, -1), grad_out, x)
        assert_close(getattr(student, self.function)(grad_out, x, -1), expected)

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """A float32 tensor gives a float32 gradient, and neither argument is changed in place."""
        grad_out = self.upstream(x, 1)
        expected = gradient(lambda x64: self.forward(x64, 1), grad_out, x)
        assert_close(getattr(student, self.function)(grad_out, x, 1), expected)
        assert_unchanged(student)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2))
    def test_another_shape_is_refused(self, student, x):
        """An upstream gradient of another shape raises ValueError that names grad_out, also where it would broadcast."""
        with raises(ValueError, naming="grad_out"):
            getattr(student, self.function)(self.upstream(x, 1)[0], x, 1)


@exercise("sigmoid", points=2, forbid=("sigmoid", "expit", "logsigmoid"))
class TestSigmoid(Pointwise):
    function = "sigmoid"
    oracle = staticmethod(torch.sigmoid)

    def test_worked_values(self, student):
        """sigmoid(0) is 1/2, sigmoid(ln 3) is 3/4, sigmoid(-ln 3) is 1/4."""
        assert_close(student.sigmoid(vector(0, log(3), -log(3))), vector(0.5, 0.75, 0.25))

    @given(x=tensors(min_ndim=1))
    def test_mirror_images_add_to_one(self, student, x):
        """sigmoid(x) and sigmoid(-x) add up to 1."""
        assert_close(student.sigmoid(x) + student.sigmoid(-x), torch.ones_like(x))


@exercise("sigmoid_backward", points=2)
class TestSigmoidBackward(PointwiseBackward):
    function = "sigmoid_backward"
    forward = staticmethod(torch.sigmoid)

    def test_worked_values(self, student):
        """At 0 the slope is 1/4, so an upstream gradient of 2 arrives as 1/2; at ln 3 the slope is 3/16."""
        assert_close(student.sigmoid_backward(vector(2, 1), vector(0, log(3))), vector(0.5, 3 / 16))


@exercise("tanh", points=1)
class TestTanh(Pointwise):
    function = "tanh"
    oracle = staticmethod(torch.tanh)

    def test_worked_values(self, student):
        """tanh(0) is 0, tanh(ln 2) is 3/5, tanh(-ln 3) is -4/5."""
        assert_close(student.tanh(vector(0, log(2), -log(3))), vector(0, 0.6, -0.8))

    @given(x=tensors(min_ndim=1))
    def test_mirror_images_cancel(self, student, x):
        """tanh(x) and tanh(-x) add up to 0."""
        assert_close(student.tanh(x) + student.tanh(-x), torch.zeros_like(x))


@exercise("tanh_backward", points=1)
class TestTanhBackward(PointwiseBackward):
    function = "tanh_backward"
    forward = staticmethod(torch.tanh)

    def test_worked_values(self, student):
        """At 0 the slope is 1, so an upstream gradient of -2 arrives unchanged; at ln 2 the slope is 16/25."""
        assert_close(student.tanh_backward(vector(-2, 1), vector(0, log(2))), vector(-2, 0.64))

    @given(x=tensors(min_ndim=1))
    def test_same_slope_on_both_sides(self, student, x):
        """At x and at -x the slope is the same."""
        grad_out = cotangent_like(x)
        assert_close(student.tanh_backward(grad_out, -x), gradient(torch.tanh, grad_out, x))


@exercise("relu", points=1, forbid=("relu", "threshold", "prelu", "rrelu"))
class TestRelu(Pointwise):
    function = "relu"
    oracle = staticmethod(torch.relu)

    def test_worked_values(self, student):
        """relu of (-2, 0, 3) is (0, 0, 3)."""
        assert_close(student.relu(vector(-2, 0, 3)), vector(0, 0, 3))

    @given(x=tensors(min_ndim=1))
    def test_two_halves_make_the_whole(self, student, x):
        """relu(x) - relu(-x) is x: one keeps the positive part, the other the negative part."""
        assert_close(student.relu(x) - student.relu(-x), x)


@exercise("relu_backward", points=1)
class TestReluBackward(PointwiseBackward):
    function = "relu_backward"
    forward = staticmethod(torch.relu)

    def test_worked_values(self, student):
        """At (-2, 1, 3) an upstream gradient of (5, -5, 6) arrives as (0, -5, 6)."""
        assert_close(student.relu_backward(vector(5, -5, 6), vector(-2, 1, 3)), vector(0, -5, 6))

    @given(x=tensors(min_ndim=1).map(torch.zeros_like))
    def test_nothing_passes_at_zero(self, student, x):
        """Exactly at the corner, x = 0, the gradient is 0."""
        assert_close(student.relu_backward(cotangent_like(x), x), torch.zeros_like(x))


@exercise("leaky_relu", points=1, forbid=("leaky_relu", "prelu", "rrelu"))
class TestLeakyRelu(Pointwise):
    function = "leaky_relu"
    oracle = staticmethod(F.leaky_relu)

    def test_worked_values(self, student):
        """leaky_relu of (-2, 0, 3) is (-0.02, 0, 3), and with slope 0.5 it is (-1, 0, 3)."""
        assert_close(student.leaky_relu(vector(-2, 0, 3)), vector(-0.02, 0, 3))
        assert_close(student.leaky_relu(vector(-2, 0, 3), 0.5), vector(-1, 0, 3))

    @given(x=tensors(), negative_slope=floats(-2, 2))
    def test_any_slope(self, student, x, negative_slope):
        """The values agree with torch's for any slope, also 0, above 1 or negative."""
        assert_close(student.leaky_relu(x, negative_slope), F.leaky_relu(x, negative_slope))

    @given(x=tensors())
    def test_slope_one_changes_nothing(self, student, x):
        """With slope 1, given by name, both sides are the same line: leaky_relu(x) is x."""
        assert_close(student.leaky_relu(x, negative_slope=1.0), x)


@exercise("leaky_relu_backward", points=1)
class TestLeakyReluBackward(PointwiseBackward):
    function = "leaky_relu_backward"
    forward = staticmethod(F.leaky_relu)

    def test_worked_values(self, student):
        """At (-2, 3) an upstream gradient of (5, -5) arrives as (0.05, -5), with slope 0.5 as (2.5, -5)."""
        assert_close(student.leaky_relu_backward(vector(5, -5), vector(-2, 3)), vector(0.05, -5))
        assert_close(student.leaky_relu_backward(vector(5, -5), vector(-2, 3), 0.5), vector(2.5, -5))

    @given(x=tensors(), negative_slope=floats(-2, 2))
    def test_any_slope(self, student, x, negative_slope):
        """The gradient agrees with torch's for any slope, also 0, above 1 or negative."""
        grad_out = cotangent_like(x)
        expected = gradient(lambda x64: F.leaky_relu(x64, negative_slope), grad_out, x)
        assert_close(student.leaky_relu_backward(grad_out, x, negative_slope), expected)

    @given(x=tensors(min_ndim=1).map(torch.zeros_like), negative_slope=floats(-2, 2))
    def test_left_slope_at_zero(self, student, x, negative_slope):
        """Exactly at the corner, x = 0, the slope is negative_slope."""
        grad_out = cotangent_like(x)
        assert_close(student.leaky_relu_backward(grad_out, x, negative_slope), negative_slope * grad_out)


@exercise("elu", points=2, forbid=("elu", "celu", "selu"))
class TestElu(Pointwise):
    function = "elu"
    oracle = staticmethod(F.elu)

    def test_worked_values(self, student):
        """elu(-ln 2) is -1/2, elu(0) is 0, elu(3) is 3; with alpha = 4 elu(-ln 2) is -2."""
        assert_close(student.elu(vector(-log(2), 0, 3)), vector(-0.5, 0, 3))
        assert_close(student.elu(vector(-log(2), 0, 3), alpha=4.0), vector(-2, 0, 3))

    @given(x=tensors(low=-20, high=20), alpha=floats(0.25, 4))
    def test_any_alpha(self, student, x, alpha):
        """The values agree with torch's for any alpha."""
        assert_close(student.elu(x, alpha), F.elu(x, alpha))

    @given(x=tensors(min_ndim=1, low=-800, high=-50), alpha=floats(0.25, 4))
    def test_levels_off_at_minus_alpha(self, student, x, alpha):
        """Far to the left the value is -alpha."""
        assert_close(student.elu(x, alpha), torch.full_like(x, -alpha))


@exercise("elu_backward", points=2)
class TestEluBackward(PointwiseBackward):
    function = "elu_backward"
    forward = staticmethod(F.elu)

    def test_worked_values(self, student):
        """At -ln 2 the slope is 1/2, so an upstream gradient of 3 arrives as 1.5, with alpha = 4 as 6; at 1 as 3."""
        assert_close(student.elu_backward(vector(3, 3), vector(-log(2), 1)), vector(1.5, 3))
        assert_close(student.elu_backward(vector(3, 3), vector(-log(2), 1), alpha=4.0), vector(6, 3))

    @given(x=tensors(low=-20, high=20), alpha=floats(0.25, 4))
    def test_any_alpha(self, student, x, alpha):
        """The gradient agrees with torch's for any alpha."""
        grad_out = cotangent_like(x)
        expected = gradient(lambda x64: F.elu(x64, alpha), grad_out, x)
        assert_close(student.elu_backward(grad_out, x, alpha), expected)

    @given(x=tensors(min_ndim=1).map(torch.zeros_like), alpha=floats(0.25, 4))
    def test_left_slope_at_zero(self, student, x, alpha):
        """Exactly at x = 0 the slope is alpha."""
        grad_out = cotangent_like(x)
        assert_close(student.elu_backward(grad_out, x, alpha), alpha * grad_out)


@exercise("gelu", points=2)
class TestGelu(Pointwise):
    function = "gelu"
    oracle = staticmethod(F.gelu)

    def test_worked_values(self, student):
        """gelu(1) is about 0.841345 and gelu(-1) about -0.158655; the tanh form gives 0.841192 and -0.158808."""
        x = vector(1, -1, 0)
        assert_close(student.gelu(x), vector(0.841345, -0.158655, 0), atol=1e-6)
        assert_close(student.gelu(x, "tanh"), vector(0.841192, -0.158808, 0), atol=1e-6)

    @given(x=tensors(low=-20, high=20), approximate=FORMS)
    def test_both_forms(self, student, x, approximate):
        """Both forms, "none" and "tanh", agree with torch's."""
        assert_close(student.gelu(x, approximate=approximate), F.gelu(x, approximate=approximate))

    @given(x=tensors(min_ndim=1), approximate=FORMS)
    def test_two_halves_make_the_whole(self, student, x, approximate):
        """gelu(x) - gelu(-x) is x, in both forms: what x lets through, -x holds back."""
        assert_close(student.gelu(x, approximate) - student.gelu(-x, approximate), x)

    @given(approximate=st.sampled_from(["erf", "Tanh", "sigmoid", ""]))
    def test_unknown_form_is_refused(self, student, approximate):
        """Any word but "none" and "tanh" raises ValueError that names approximate."""
        with raises(ValueError, naming="approximate"):
            student.gelu(vector(1, 2), approximate)


@exercise("gelu_backward", points=3)
class TestGeluBackward(PointwiseBackward):
    function = "gelu_backward"
    forward = staticmethod(F.gelu)

    def test_worked_values(self, student):
        """At 0 the slope is 1/2; at 1 it is about 1.083316, in the tanh form 1.082964, so 2 arrives as twice that."""
        grad_out, x = vector(2, 2), vector(0, 1)
        assert_close(student.gelu_backward(grad_out, x), vector(1, 2.166631), atol=2e-6)
        assert_close(student.gelu_backward(grad_out, x, "tanh"), vector(1, 2.165928), atol=2e-6)

    @given(x=tensors(low=-20, high=20), approximate=FORMS)
    def test_both_forms(self, student, x, approximate):
        """The gradients of both forms, "none" and "tanh", agree with torch's."""
        grad_out = cotangent_like(x)
        expected = gradient(lambda x64: F.gelu(x64, approximate=approximate), grad_out, x)
        assert_close(student.gelu_backward(grad_out, x, approximate=approximate), expected)

    @given(approximate=st.sampled_from(["erf", "Tanh", "sigmoid", ""]))
    def test_unknown_form_is_refused(self, student, approximate):
        """Any word but "none" and "tanh" raises ValueError that names approximate."""
        with raises(ValueError, naming="approximate"):
            student.gelu_backward(vector(1, 1), vector(1, 2), approximate)


@exercise("silu", points=1)
class TestSilu(Pointwise):
    function = "silu"
    oracle = staticmethod(F.silu)

    def test_worked_values(self, student):
        """silu(0) is 0, silu(ln 3) is 3/4 of ln 3, silu(-ln 3) is -1/4 of ln 3."""
        x = vector(0, log(3), -log(3))
        assert_close(student.silu(x), vector(0, 0.75 * log(3), -0.25 * log(3)))

    @given(x=tensors(min_ndim=1))
    def test_two_halves_make_the_whole(self, student, x):
        """silu(x) - silu(-x) is x: what x lets through, -x holds back."""
        assert_close(student.silu(x) - student.silu(-x), x)


@exercise("silu_backward", points=2)
class TestSiluBackward(PointwiseBackward):
    function = "silu_backward"
    forward = staticmethod(F.silu)

    def test_worked_values(self, student):
        """At 0 the slope is 1/2, so an upstream gradient of -4 arrives as -2; at ln 3 it is 3/4 + 3/16 of ln 3."""
        assert_close(student.silu_backward(vector(-4, 1), vector(0, log(3))), vector(-2, 0.75 + 3 / 16 * log(3)))

    @given(x=tensors(min_ndim=1))
    def test_slopes_of_both_sides_add_to_one(self, student, x):
        """The slopes at x and at -x add up to 1, so the gradients add up to grad_out."""
        grad_out = cotangent_like(x)
        assert_close(student.silu_backward(grad_out, x) + student.silu_backward(grad_out, -x), grad_out)


@exercise("softplus", points=2, forbid=("softplus", "logaddexp", "logsigmoid"))
class TestSoftplus(Pointwise):
    function = "softplus"
    oracle = staticmethod(F.softplus)

    def test_worked_values(self, student):
        """softplus(0) is ln 2, softplus(ln 3) is ln 4; with beta = 2 softplus(0) is half of ln 2."""
        assert_close(student.softplus(vector(0, log(3))), vector(log(2), log(4)))
        assert_close(student.softplus(vector(0), beta=2.0), vector(log(2) / 2))

    @given(x=tensors(), beta=BETAS, threshold=THRESHOLDS)
    def test_any_beta_and_threshold(self, student, x, beta, threshold):
        """For any beta and threshold the values agree with torch's: x itself where beta * x is above threshold."""
        assert_close(student.softplus(x, beta, threshold), F.softplus(x, beta, threshold))

    @given(x=tensors(min_ndim=1, max_ndim=1, low=-1000, high=1000), beta=BETAS)
    @example(x=vector(-1000, 0, 1000), beta=1.0)
    def test_large_threshold(self, student, x, beta):
        """With a threshold of 10,000 the formula counts everywhere, and still nothing overflows."""
        expected = torch.logaddexp(beta * x, torch.zeros_like(x)) / beta
        assert_close(student.softplus(x, beta=beta, threshold=10_000.0), expected)

    @given(beta=floats(-2, 0))
    def test_beta_has_to_be_positive(self, student, beta):
        """A beta that is not positive raises ValueError that names beta."""
        with raises(ValueError, naming="beta"):
            student.softplus(vector(1, 2), beta)


@exercise("softplus_backward", points=2)
class TestSoftplusBackward(PointwiseBackward):
    function = "softplus_backward"
    forward = staticmethod(F.softplus)

    def test_worked_values(self, student):
        """At 0 the slope is 1/2 for every beta; at ln 3 it is 3/4, and with beta = 2 it is 9/10."""
        grad_out, x = vector(-4, 2), vector(0, log(3))
        assert_close(student.softplus_backward(grad_out, x), vector(-2, 1.5))
        assert_close(student.softplus_backward(grad_out, x, beta=2.0), vector(-2, 1.8))

    @given(x=tensors(), beta=BETAS, threshold=THRESHOLDS)
    def test_any_beta_and_threshold(self, student, x, beta, threshold):
        """For any beta and threshold the gradient agrees with torch's: slope 1 where beta * x is above threshold."""
        grad_out = cotangent_like(x)
        expected = gradient(lambda x64: F.softplus(x64, beta, threshold), grad_out, x)
        assert_close(student.softplus_backward(grad_out, x, beta, threshold), expected)

    @given(x=tensors(min_ndim=1, max_ndim=1, low=-1000, high=1000), beta=BETAS)
    @example(x=vector(-1000, 0, 1000), beta=1.0)
    def test_large_threshold(self, student, x, beta):
        """With a threshold of 10,000 the formula counts everywhere, and still nothing overflows."""
        grad_out = cotangent_like(x)
        expected = grad_out * torch.sigmoid(beta * x)
        assert_close(student.softplus_backward(grad_out, x, beta=beta, threshold=10_000.0), expected)


@exercise("logsumexp", points=2, forbid=("logsumexp", "logaddexp", "logcumsumexp", "log_softmax"))
class TestLogsumexp(AlongAxis):
    function = "logsumexp"
    oracle = staticmethod(torch.logsumexp)

    def test_worked_values(self, student):
        """logsumexp of (ln 1, ln 2, ln 3) is ln 6."""
        assert_close(student.logsumexp(vector(0, log(2), log(3)), 0), torch.tensor(log(6), dtype=torch.float64))

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_keeps_the_axis_on_demand(self, student, x, dim):
        """With keepdim=True the axis stays, with length 1."""
        assert_close(student.logsumexp(x, dim, keepdim=True), torch.logsumexp(x, dim, keepdim=True))

    @given(x=tensors(min_ndim=2), shift=floats(-50, 50))
    def test_a_shift_comes_out(self, student, x, shift):
        """Adding a number to every entry adds it to the result."""
        assert_close(student.logsumexp(x + shift, 1) - shift, torch.logsumexp(x, 1))

    def test_infinite_entries(self, student):
        """Beside finite entries -inf counts nothing; only -inf gives -inf, and any inf gives inf: never nan."""
        inf = torch.inf
        x = torch.stack([vector(0, -inf, 0), vector(-inf, -inf, -inf), vector(1, inf, -inf)])
        assert_close(student.logsumexp(x, 1), vector(log(2), -inf, inf))

    @given(rows=st.integers(1, 4), keepdim=st.booleans())
    def test_empty_axis(self, student, rows, keepdim):
        """Along an axis of length 0 the result is -inf, the logarithm of an empty sum."""
        x = torch.zeros(rows, 0, dtype=torch.float64)
        assert_close(student.logsumexp(x, 1, keepdim), torch.logsumexp(x, 1, keepdim))


@exercise("logsumexp_backward", points=2)
class TestLogsumexpBackward(AlongAxisBackward):
    function = "logsumexp_backward"
    forward = staticmethod(torch.logsumexp)

    def test_worked_values(self, student):
        """The shares of (ln 1, ln 2, ln 3) are 1/6, 2/6 and 3/6, so an upstream gradient of 12 arrives as (2, 4, 6)."""
        grad_out = torch.tensor(12.0, dtype=torch.float64)
        assert_close(student.logsumexp_backward(grad_out, vector(0, log(2), log(3)), 0), vector(2, 4, 6))

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_keeps_the_axis_on_demand(self, student, x, dim):
        """With keepdim=True the upstream gradient has the axis too, with length 1."""
        grad_out = cotangent_like(x.sum(dim, keepdim=True))
        expected = gradient(lambda x64: torch.logsumexp(x64, dim, keepdim=True), grad_out, x)
        assert_close(student.logsumexp_backward(grad_out, x, dim, keepdim=True), expected)

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_shares_add_up(self, student, x, dim):
        """Along the axis the gradient adds up to the upstream gradient."""
        grad_out = self.upstream(x, dim)
        assert_close(student.logsumexp_backward(grad_out, x, dim).sum(dim), grad_out)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2), keepdim=st.booleans())
    def test_shape_has_to_fit_keepdim(self, student, x, keepdim):
        """A kept axis without keepdim=True, or a missing one with it, raises ValueError that names grad_out."""
        with raises(ValueError, naming="grad_out"):
            student.logsumexp_backward(cotangent_like(x.sum(1, keepdim=not keepdim)), x, 1, keepdim)


@exercise("softmax", points=2, forbid=("softmax", "log_softmax", "softmin"))
class TestSoftmax(AlongAxis):
    function = "softmax"
    oracle = staticmethod(torch.softmax)

    def test_worked_values(self, student):
        """softmax of [1, 2, 3, 4, 1, 2, 3] is about [0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175]."""
        expected = vector(0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175)
        assert_close(student.softmax(vector(1, 2, 3, 4, 1, 2, 3), 0), expected, atol=6e-4)

    @given(x=tensors(min_ndim=2), dim=dims(2), temperature=floats(0.25, 4))
    def test_any_temperature(self, student, x, dim, temperature):
        """The probabilities agree with torch's softmax of x / temperature, for every axis and temperature."""
        assert_close(student.softmax(x, dim, temperature), torch.softmax(x / temperature, dim))

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_sums_to_one(self, student, x, dim):
        """Along the axis the probabilities add up to 1."""
        assert_close(student.softmax(x, dim).sum(dim), torch.ones_like(x.sum(dim)))

    @given(temperature=floats(-2, 0))
    def test_temperature_has_to_be_positive(self, student, temperature):
        """A temperature that is not positive raises ValueError that names temperature."""
        with raises(ValueError, naming="temperature"):
            student.softmax(vector(1, 2), 0, temperature)


@exercise("softmax_backward", points=3)
class TestSoftmaxBackward(AlongAxisBackward):
    function = "softmax_backward"
    forward = staticmethod(torch.softmax)

    def test_worked_values(self, student):
        """At two equal scores the Jacobian is [[1, -1], [-1, 1]] / 4, so [1, 0] upstream arrives as [1/4, -1/4]."""
        assert_close(student.softmax_backward(vector(1, 0), vector(3, 3), 0), vector(0.25, -0.25))

    @given(x=tensors(min_ndim=2), dim=dims(2), temperature=floats(0.25, 4))
    def test_any_temperature(self, student, x, dim, temperature):
        """The gradient agrees with torch's for every axis and temperature."""
        grad_out = cotangent_like(x)
        expected = gradient(lambda x64: torch.softmax(x64 / temperature, dim), grad_out, x)
        assert_close(student.softmax_backward(grad_out, x, dim, temperature), expected)

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_sums_to_zero(self, student, x, dim):
        """Along the axis the gradient adds up to zero: probability can only be moved around."""
        grad_x = student.softmax_backward(cotangent_like(x), x, dim)
        assert_close(grad_x.sum(dim), torch.zeros_like(x.sum(dim)))


@exercise("log_softmax", points=2, forbid=("log_softmax", "softmax", "logsumexp"))
class TestLogSoftmax(AlongAxis):
    function = "log_softmax"
    oracle = staticmethod(torch.log_softmax)

    def test_worked_values(self, student):
        """The probabilities of (ln 1, ln 2, ln 5) are 1/8, 2/8 and 5/8; log_softmax gives their logarithms."""
        expected = vector(log(1 / 8), log(2 / 8), log(5 / 8))
        assert_close(student.log_softmax(vector(0, log(2), log(5)), 0), expected)

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_probabilities_sum_to_one(self, student, x, dim):
        """Along the axis the exponentials of the result add up to 1."""
        assert_close(student.log_softmax(x, dim).exp().sum(dim), torch.ones_like(x.sum(dim)))

    @given(x=tensors(min_ndim=2), shift=floats(-50, 50))
    def test_a_shift_changes_nothing(self, student, x, shift):
        """Adding a number to every score changes nothing."""
        assert_close(student.log_softmax(x + shift, 1), torch.log_softmax(x, 1))


@exercise("log_softmax_backward", points=3)
class TestLogSoftmaxBackward(AlongAxisBackward):
    function = "log_softmax_backward"
    forward = staticmethod(torch.log_softmax)

    def test_worked_values(self, student):
        """The probabilities of (ln 1, ln 3) are 1/4 and 3/4, so (4, 0) upstream arrives as (4 - 1, 0 - 3)."""
        assert_close(student.log_softmax_backward(vector(4, 0), vector(0, log(3)), 0), vector(3, -3))

    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_sums_to_zero(self, student, x, dim):
        """Along the axis the gradient adds up to zero: adding a number to every score changes nothing."""
        grad_x = student.log_softmax_backward(cotangent_like(x), x, dim)
        assert_close(grad_x.sum(dim), torch.zeros_like(x.sum(dim)))
