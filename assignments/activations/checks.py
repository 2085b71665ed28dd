"""Visible checks of the assignment on activation functions.

Each compares with torch's own function or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.
"""

from collections.abc import Callable
from dataclasses import replace
from math import log
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Contract,
    Rules,
    assert_close,
    case,
    cotangent_like,
    dims,
    exercise,
    floats,
    gradient_of,
    idea,
    no_axis,
    no_word,
    not_positive,
    raises,
    refusal,
    tensors,
    vector,
)

# A gradient written by hand may call torch's own forward, such as `torch.softmax` in `softmax_backward`.
RULES = Rules(library="torch", vectorised=True)
INF = torch.inf
FORMS = st.sampled_from(["none", "tanh"])
SLOPES = floats(-2, 2)
BETAS = st.integers(1, 12).map(lambda n: n / 4)
# With quarters for beta and hundredths for x, beta * x never meets one of these.
THRESHOLDS = st.sampled_from([0.001, 1.001, 2.001, 4.001, 20.001, 10_000.001])
CORNER = torch.tensor([[0.0, -0.0, 1e-30, -1e-30], [1.0, -1.0, 1e-300, -1e-300]], dtype=torch.float64)


def entrywise(function: Callable[..., Tensor], **options: Any) -> Contract:
    """The contract of a function that works entry by entry, with the strategies of its options."""
    refuses = options.pop("refuses", ())
    return Contract(
        {"x": tensors(low=-20, high=20), **options},
        function,
        magnitudes=(1.0, 1e-3, 500.0),
        batch={"x": 0},
        refuses=refuses,
    )


def along_axis(function: Callable[..., Tensor], **more: Any) -> Contract:
    """The contract of a function that works along one axis."""
    options = more.pop("options", {})
    contract: dict[str, Any] = {"magnitudes": (1.0, 1e-3, 2500.0), "batch": {"x": 0}, "refuses": (no_axis("dim", "x"),)}
    return Contract({"x": tensors(min_ndim=2), "dim": dims(2), **options}, function, **{**contract, **more})


def single(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


SIGMOID = entrywise(torch.sigmoid)
TANH = entrywise(torch.tanh)
RELU = entrywise(torch.relu)
LEAKY_RELU = entrywise(F.leaky_relu, negative_slope=SLOPES)
ELU = entrywise(F.elu, alpha=floats(0.25, 4))
GELU = replace(
    entrywise(
        lambda x, approximate: F.gelu(x, approximate=approximate),
        approximate=FORMS,
        refuses=(no_word("approximate", "erf", "Tanh", "sigmoid"),),
    ),
    agrees=None,  # each form is an idea of its own
)
SILU = entrywise(F.silu)
SOFTPLUS = entrywise(F.softplus, beta=BETAS, threshold=THRESHOLDS, refuses=(not_positive("beta"),))
LOGSUMEXP = along_axis(torch.logsumexp, options={"keepdim": st.booleans()})
SOFTMAX = along_axis(
    lambda x, dim, temperature: torch.softmax(x / temperature, dim),
    options={"temperature": floats(0.05, 4)},
    refuses=(no_axis("dim", "x"), not_positive("temperature")),
)
LOG_SOFTMAX = along_axis(torch.log_softmax)
# Half precision leaves g - <g, y> few digits, and a small temperature enlarges what is lost.
ROUGH = 10.0


@exercise("sigmoid", points=2, forbid=("sigmoid", "expit", "logsigmoid"), contract=SIGMOID)
class TestSigmoid:
    @idea
    def test_worked_values(self, student):
        """sigmoid(0) is 1/2, sigmoid(ln 3) is 3/4, sigmoid(-ln 3) is 1/4."""
        assert_close(student.sigmoid(vector(0, log(3), -log(3))), vector(0.5, 0.75, 0.25))

    @idea
    @given(x=tensors(min_ndim=1))
    def test_mirror_images_add_to_one(self, student, x):
        """sigmoid(x) and sigmoid(-x) add up to 1."""
        assert_close(student.sigmoid(x) + student.sigmoid(-x), torch.ones_like(x))


@exercise("sigmoid_backward", points=2, contract=SIGMOID.backward("x"))
class TestSigmoidBackward:
    @idea
    def test_worked_values(self, student):
        """At 0 the slope is 1/4, so an upstream gradient of 2 arrives as 1/2; at ln 3 the slope is 3/16."""
        assert_close(student.sigmoid_backward(vector(2, 1), vector(0, log(3))), vector(0.5, 3 / 16))


@exercise("tanh", points=1, contract=TANH)
class TestTanh:
    @idea
    def test_worked_values(self, student):
        """tanh(0) is 0, tanh(ln 2) is 3/5, tanh(-ln 3) is -4/5."""
        assert_close(student.tanh(vector(0, log(2), -log(3))), vector(0, 0.6, -0.8))


@exercise("tanh_backward", points=1, contract=TANH.backward("x"))
class TestTanhBackward:
    @idea
    def test_worked_values(self, student):
        """At 0 the slope is 1, so an upstream gradient of -2 arrives unchanged; at ln 2 the slope is 16/25."""
        assert_close(student.tanh_backward(vector(-2, 1), vector(0, log(2))), vector(-2, 0.64))


@exercise("relu", points=1, forbid=("relu", "threshold", "prelu", "rrelu"), contract=RELU)
class TestRelu:
    @idea
    def test_worked_values(self, student):
        """relu of (-2, 0, 3) is (0, 0, 3)."""
        assert_close(student.relu(vector(-2, 0, 3)), vector(0, 0, 3))


@exercise("relu_backward", points=1, contract=RELU.backward("x"))
class TestReluBackward:
    @idea
    def test_worked_values(self, student):
        """At (-2, 1, 3) an upstream gradient of (5, -5, 6) arrives as (0, -5, 6)."""
        assert_close(student.relu_backward(vector(5, -5, 6), vector(-2, 1, 3)), vector(0, -5, 6))

    @case
    def test_corner(self, student):
        """Exactly at the corner, at 0 and -0, the gradient is 0; just beside it, the side decides."""
        grad_out = cotangent_like(CORNER)
        assert_close(student.relu_backward(grad_out, CORNER), torch.where(CORNER > 0, grad_out, 0.0))


@exercise("leaky_relu", points=1, forbid=("leaky_relu", "prelu", "rrelu"), contract=LEAKY_RELU)
class TestLeakyRelu:
    @idea
    def test_worked_values(self, student):
        """leaky_relu of (-2, 0, 3) is (-0.02, 0, 3), and with slope 0.5 it is (-1, 0, 3)."""
        assert_close(student.leaky_relu(vector(-2, 0, 3)), vector(-0.02, 0, 3))
        assert_close(student.leaky_relu(vector(-2, 0, 3), 0.5), vector(-1, 0, 3))

    @case
    @given(x=tensors())
    def test_slope_one_changes_nothing(self, student, x):
        """With slope 1, given by name, both sides are the same line: leaky_relu(x) is x."""
        assert_close(student.leaky_relu(x, negative_slope=1.0), x)


@exercise("leaky_relu_backward", points=1, contract=LEAKY_RELU.backward("x"))
class TestLeakyReluBackward:
    @idea
    def test_worked_values(self, student):
        """At (-2, 3) an upstream gradient of (5, -5) arrives as (0.05, -5), with slope 0.5 as (2.5, -5)."""
        assert_close(student.leaky_relu_backward(vector(5, -5), vector(-2, 3)), vector(0.05, -5))
        assert_close(student.leaky_relu_backward(vector(5, -5), vector(-2, 3), 0.5), vector(2.5, -5))

    @case
    @given(negative_slope=SLOPES)
    def test_corner(self, student, negative_slope):
        """At 0 and -0 the slope is negative_slope; just beside it, the side decides."""
        grad_out = cotangent_like(CORNER)
        expected = torch.where(CORNER > 0, grad_out, negative_slope * grad_out)
        assert_close(student.leaky_relu_backward(grad_out, CORNER, negative_slope), expected)


@exercise("elu", points=2, forbid=("elu", "celu", "selu"), contract=ELU)
class TestElu:
    @idea
    def test_worked_values(self, student):
        """elu(-ln 2) is -1/2, elu(0) is 0, elu(3) is 3; with alpha = 4 elu(-ln 2) is -2."""
        assert_close(student.elu(vector(-log(2), 0, 3)), vector(-0.5, 0, 3))
        assert_close(student.elu(vector(-log(2), 0, 3), alpha=4.0), vector(-2, 0, 3))

    @case
    @given(x=tensors(min_ndim=1, low=-800, high=-50), alpha=floats(0.25, 4))
    def test_levels_off_at_minus_alpha(self, student, x, alpha):
        """Far to the left the value is -alpha."""
        assert_close(student.elu(x, alpha), torch.full_like(x, -alpha))

    @case
    @given(x=tensors(min_ndim=1, low=-4, high=-1), power=st.integers(3, 9))
    def test_keeps_the_digits_near_zero(self, student, x, power):
        """Just left of 0, also at -1e-8, the first four digits are right in float32 (elu(x) is nearly alpha * x)."""
        x = (x / 10**power).float()
        assert_close(student.elu(x), torch.expm1(x.double()).float(), rtol=1e-4, atol=0.0)


@exercise("elu_backward", points=2, contract=ELU.backward("x"))
class TestEluBackward:
    @idea
    def test_worked_values(self, student):
        """At -ln 2 the slope is 1/2, so an upstream gradient of 3 arrives as 1.5, with alpha = 4 as 6; at 1 as 3."""
        assert_close(student.elu_backward(vector(3, 3), vector(-log(2), 1)), vector(1.5, 3))
        assert_close(student.elu_backward(vector(3, 3), vector(-log(2), 1), alpha=4.0), vector(6, 3))

    @case
    @given(alpha=floats(0.25, 4))
    def test_corner(self, student, alpha):
        """At 0 and -0 the slope is alpha; just beside it, the side decides."""
        x, grad_out = CORNER.clamp(-1e-30), cotangent_like(CORNER)
        assert_close(student.elu_backward(grad_out, x, alpha), torch.where(x > 0, grad_out, alpha * grad_out))


@exercise("gelu", points=2, contract=GELU)
class TestGelu:
    @idea("none")
    def test_worked_values(self, student):
        """gelu(1) is about 0.841345 and gelu(-1) about -0.158655."""
        assert_close(student.gelu(vector(1, -1, 0)), vector(0.841345, -0.158655, 0), atol=1e-6)

    @idea("tanh")
    def test_worked_values_of_the_tanh_form(self, student):
        """The tanh form gives 0.841192 at 1 and -0.158808 at -1."""
        assert_close(student.gelu(vector(1, -1, 0), "tanh"), vector(0.841192, -0.158808, 0), atol=1e-6)

    @idea("none")
    @given(x=tensors(low=-20, high=20))
    def test_agrees_with_torch(self, student, x):
        """Without a second argument the values agree with those of torch's exact form."""
        assert_close(student.gelu(x), F.gelu(x))

    @idea("tanh")
    @given(x=tensors(low=-20, high=20))
    def test_agrees_in_the_tanh_form(self, student, x):
        """With approximate="tanh" the values agree with those of torch's tanh form."""
        assert_close(student.gelu(x, approximate="tanh"), F.gelu(x, approximate="tanh"))

    @case
    @given(x=tensors(min_ndim=1, low=-4, high=-1), approximate=FORMS)
    def test_both_forms_by_name(self, student, x, approximate):
        """gelu(x) - gelu(-x) is x, in both forms: what x lets through, -x holds back."""
        both = student.gelu(x, approximate=approximate) - student.gelu(-x, approximate=approximate)
        assert_close(both, x)


@exercise("gelu_backward", points=3, contract=replace(GELU.backward("x"), agrees=None))
class TestGeluBackward:
    @idea("none")
    def test_worked_values(self, student):
        """At 0 the slope is 1/2; at 1 it is about 1.083316, so an upstream gradient of 2 arrives as twice that."""
        assert_close(student.gelu_backward(vector(2, 2), vector(0, 1)), vector(1, 2.166631), atol=2e-6)

    @idea("tanh")
    def test_worked_values_of_the_tanh_form(self, student):
        """In the tanh form the slope at 0 is 1/2 too, and at 1 about 1.082964."""
        assert_close(student.gelu_backward(vector(2, 2), vector(0, 1), "tanh"), vector(1, 2.165928), atol=2e-6)

    @idea("none")
    @given(x=tensors(low=-20, high=20))
    def test_agrees_with_torch(self, student, x):
        """Without a third argument the gradient agrees with that of torch's exact form."""
        grad_out = cotangent_like(x)
        assert_close(student.gelu_backward(grad_out, x), gradient_of(F.gelu, [0], grad_out, [x]))

    @idea("tanh")
    @given(x=tensors(low=-20, high=20))
    def test_agrees_in_the_tanh_form(self, student, x):
        """With approximate="tanh" the gradient agrees with that of torch's tanh form."""
        grad_out = cotangent_like(x)
        right = gradient_of(lambda x64: F.gelu(x64, approximate="tanh"), [0], grad_out, [x])
        assert_close(student.gelu_backward(grad_out, x, approximate="tanh"), right)


@exercise("silu", points=1, contract=SILU)
class TestSilu:
    @idea
    def test_worked_values(self, student):
        """silu(0) is 0, silu(ln 3) is 3/4 of ln 3, silu(-ln 3) is -1/4 of ln 3."""
        x = vector(0, log(3), -log(3))
        assert_close(student.silu(x), vector(0, 0.75 * log(3), -0.25 * log(3)))

    @idea
    @given(x=tensors(min_ndim=1))
    def test_two_halves_make_the_whole(self, student, x):
        """silu(x) - silu(-x) is x: what x lets through, -x holds back."""
        assert_close(student.silu(x) - student.silu(-x), x)


@exercise("silu_backward", points=2, contract=SILU.backward("x"))
class TestSiluBackward:
    @idea
    def test_worked_values(self, student):
        """At 0 the slope is 1/2, so an upstream gradient of -4 arrives as -2; at ln 3 it is 3/4 + 3/16 of ln 3."""
        assert_close(student.silu_backward(vector(-4, 1), vector(0, log(3))), vector(-2, 0.75 + 3 / 16 * log(3)))

    @idea
    @given(x=tensors(min_ndim=1))
    def test_slopes_of_both_sides_add_to_one(self, student, x):
        """The slopes at x and at -x add up to 1, so the gradients add up to grad_out."""
        grad_out = cotangent_like(x)
        assert_close(student.silu_backward(grad_out, x) + student.silu_backward(grad_out, -x), grad_out)


@exercise("softplus", points=2, forbid=("softplus", "logaddexp", "logsigmoid"), contract=SOFTPLUS)
class TestSoftplus:
    @idea
    def test_worked_values(self, student):
        """softplus(0) is ln 2, softplus(ln 3) is ln 4; with beta = 2 softplus(0) is half of ln 2."""
        assert_close(student.softplus(vector(0, log(3))), vector(log(2), log(4)))
        assert_close(student.softplus(vector(0), beta=2.0), vector(log(2) / 2))

    @case
    @given(x=tensors(min_ndim=1, low=-80, high=-10))
    def test_keeps_the_digits_far_left(self, student, x):
        """Far left, where softplus(x) is nearly exp(x), the first four digits are right in float32."""
        x = x.float()
        assert_close(student.softplus(x), torch.exp(x.double()).log1p().float(), rtol=1e-4, atol=0.0)

    @case
    def test_default_threshold(self, student):
        """Where no threshold is given it is 20: up to it the formula counts to the last digits, beyond it x itself."""
        x = vector(18.5, 19.5, 20.0, 20.5, 21.5, 39.5)
        assert_close(student.softplus(x), F.softplus(x), rtol=1e-12, atol=0.0)


@exercise("softplus_backward", points=2, contract=SOFTPLUS.backward("x"))
class TestSoftplusBackward:
    @idea
    def test_worked_values(self, student):
        """At 0 the slope is 1/2 for every beta; at ln 3 it is 3/4, and with beta = 2 it is 9/10."""
        grad_out, x = vector(-4, 2), vector(0, log(3))
        assert_close(student.softplus_backward(grad_out, x), vector(-2, 1.5))
        assert_close(student.softplus_backward(grad_out, x, beta=2.0), vector(-2, 1.8))

    @case
    def test_default_threshold(self, student):
        """Where no threshold is given it is 20: up to it the slope is below 1 in the last digits, beyond it 1."""
        x = vector(18.5, 19.5, 20.0, 20.5, 21.5, 39.5)
        grad_out = cotangent_like(x)
        right = torch.where(x > 20, grad_out, grad_out / (1 + torch.exp(-x)))
        assert_close(student.softplus_backward(grad_out, x), right, rtol=1e-12, atol=0.0)


@exercise("logsumexp", points=2, forbid=("logsumexp", "logaddexp", "logcumsumexp", "log_softmax"), contract=LOGSUMEXP)
class TestLogsumexp:
    @idea
    def test_worked_values(self, student):
        """logsumexp of (ln 1, ln 2, ln 3) is ln 6."""
        assert_close(student.logsumexp(vector(0, log(2), log(3)), 0), single(log(6)))

    @idea
    @given(x=tensors(min_ndim=1, max_ndim=2, low=-1000, high=1000))
    @example(x=vector(1000, 999, -1000))
    @example(x=torch.stack([vector(1000, 999, -1000), vector(-1000, -999, -1000)]))
    def test_large_scores(self, student, x):
        """Scores of a thousand, positive or negative, give the right value: no nan and no overflow."""
        assert_close(student.logsumexp(x, -1), torch.logsumexp(x, -1))

    @case
    @given(x=tensors(min_ndim=2), shift=floats(-50, 50))
    def test_a_shift_comes_out(self, student, x, shift):
        """Adding a number to every entry adds it to the result."""
        assert_close(student.logsumexp(x + shift, 1) - shift, torch.logsumexp(x, 1))

    @case
    def test_infinite_entries(self, student):
        """Beside finite entries -inf counts nothing; only -inf gives -inf, and any inf gives inf: never nan."""
        x = torch.stack([vector(0, -INF, 0), vector(-INF, -INF, -INF), vector(1, INF, -INF)])
        assert_close(student.logsumexp(x, 1), vector(log(2), -INF, INF))

    @case
    @given(rows=st.integers(1, 4), keepdim=st.booleans())
    def test_empty_axis(self, student, rows, keepdim):
        """Along an axis of length 0 the result is -inf, the logarithm of an empty sum."""
        x = torch.zeros(rows, 0, dtype=torch.float64)
        assert_close(student.logsumexp(x, 1, keepdim), torch.logsumexp(x, 1, keepdim))


@exercise("logsumexp_backward", points=2, contract=LOGSUMEXP.backward("x"))
class TestLogsumexpBackward:
    @idea
    def test_worked_values(self, student):
        """The shares of (ln 1, ln 2, ln 3) are 1/6, 2/6 and 3/6, so an upstream gradient of 12 arrives as (2, 4, 6)."""
        assert_close(student.logsumexp_backward(single(12.0), vector(0, log(2), log(3)), 0), vector(2, 4, 6))

    @idea
    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_shares_add_up(self, student, x, dim):
        """Along the axis the gradient adds up to the upstream gradient."""
        grad_out = cotangent_like(x.sum(dim))
        assert_close(student.logsumexp_backward(grad_out, x, dim).sum(dim), grad_out)

    @case
    def test_shares_of_large_scores_in_half_precision(self, student):
        """Two scores of 2,000 share the gradient in halves in float16 too: the shares are made from differences."""
        x, grad_out = torch.tensor([2000.0, 2000.0]).half(), torch.tensor(1.0).half()
        assert_close(student.logsumexp_backward(grad_out, x, 0), torch.tensor([0.5, 0.5]).half())

    @refusal
    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2), keepdim=st.booleans())
    def test_shape_has_to_fit_keepdim(self, student, x, keepdim):
        """A kept axis without keepdim=True, or a missing one with it, raises ValueError that names grad_out."""
        with raises(ValueError, naming="grad_out"):
            student.logsumexp_backward(cotangent_like(x.sum(1, keepdim=not keepdim)), x, 1, keepdim)


@exercise("softmax", points=2, forbid=("softmax", "log_softmax", "softmin"), contract=SOFTMAX)
class TestSoftmax:
    @idea
    def test_worked_values(self, student):
        """softmax of [1, 2, 3, 4, 1, 2, 3] is about [0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175]."""
        expected = vector(0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175)
        assert_close(student.softmax(vector(1, 2, 3, 4, 1, 2, 3), 0), expected, atol=6e-4)

    @idea
    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_sums_to_one(self, student, x, dim):
        """Along the axis the probabilities add up to 1."""
        assert_close(student.softmax(x, dim).sum(dim), torch.ones_like(x.sum(dim)))

    @idea
    @given(x=tensors(min_ndim=1, max_ndim=2, low=-1000, high=1000))
    @example(x=vector(1000, 999, -1000))
    @example(x=torch.stack([vector(1000, 999, -1000), vector(-1000, -999, -1000)]))
    def test_large_scores(self, student, x):
        """Scores of a thousand, positive or negative, give the right probabilities: no nan and no overflow."""
        assert_close(student.softmax(x, -1), torch.softmax(x, -1))


@exercise(
    "softmax_backward", points=3, contract=replace(SOFTMAX.backward("x"), half_slack=ROUGH, magnitudes=(1.0, 1e-3))
)
class TestSoftmaxBackward:
    @idea
    def test_worked_values(self, student):
        """At two equal scores the Jacobian is [[1, -1], [-1, 1]] / 4, so [1, 0] upstream arrives as [1/4, -1/4]."""
        assert_close(student.softmax_backward(vector(1, 0), vector(3, 3), 0), vector(0.25, -0.25))

    @idea
    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_sums_to_zero(self, student, x, dim):
        """Along the axis the gradient adds up to zero: probability can only be moved around."""
        grad_x = student.softmax_backward(cotangent_like(x), x, dim)
        assert_close(grad_x.sum(dim), torch.zeros_like(x.sum(dim)))


@exercise("log_softmax", points=2, forbid=("log_softmax", "softmax", "logsumexp"), contract=LOG_SOFTMAX)
class TestLogSoftmax:
    @idea
    def test_worked_values(self, student):
        """The probabilities of (ln 1, ln 2, ln 5) are 1/8, 2/8 and 5/8; log_softmax gives their logarithms."""
        expected = vector(log(1 / 8), log(2 / 8), log(5 / 8))
        assert_close(student.log_softmax(vector(0, log(2), log(5)), 0), expected)

    @idea
    @given(x=tensors(min_ndim=1, max_ndim=2, low=-1000, high=1000))
    @example(x=vector(1000, 999, -1000))
    def test_large_scores(self, student, x):
        """Scores of a thousand, positive or negative, give the right values: no -inf, no nan and no overflow."""
        assert_close(student.log_softmax(x, -1), torch.log_softmax(x, -1))

    @idea
    @given(shift=st.integers(8_000, 12_000))
    def test_keeps_the_digits_of_large_scores(self, student, shift):
        """Near 10,000 the first five digits of the result are right in float32: a shift changes nothing."""
        x = torch.tensor([0.0, 0.0, -1.0])
        assert_close(student.log_softmax(x + shift, 0), torch.log_softmax(x, 0), rtol=1e-5, atol=0.0)


@exercise("log_softmax_backward", points=3, contract=replace(LOG_SOFTMAX.backward("x"), half_slack=ROUGH))
class TestLogSoftmaxBackward:
    @idea
    def test_worked_values(self, student):
        """The probabilities of (ln 1, ln 3) are 1/4 and 3/4, so (4, 0) upstream arrives as (4 - 1, 0 - 3)."""
        assert_close(student.log_softmax_backward(vector(4, 0), vector(0, log(3)), 0), vector(3, -3))

    @idea
    @given(x=tensors(min_ndim=2), dim=dims(2))
    def test_sums_to_zero(self, student, x, dim):
        """Along the axis the gradient adds up to zero: adding a number to every score changes nothing."""
        grad_x = student.log_softmax_backward(cotangent_like(x), x, dim)
        assert_close(grad_x.sum(dim), torch.zeros_like(x.sum(dim)))
