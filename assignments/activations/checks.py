"""Visible checks of the assignment on activation functions.

Each compares with torch's own function or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.
"""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Contract,
    Digits,
    Rules,
    assert_close,
    case,
    cotangent_like,
    entrywise,
    exercise,
    floats,
    gradient_of,
    idea,
    no_axis,
    no_word,
    not_positive,
    tensors,
    vector,
)

# A gradient written by hand may call torch's own forward, such as `torch.softmax` in `softmax_backward`.
RULES = Rules(library="torch", vectorised=True)
INF = torch.inf
FORMS = st.sampled_from(["none", "tanh"])
BETAS = st.integers(1, 12).map(lambda n: n / 4)
# With quarters for beta and hundredths for x, beta * x never meets one of these.
THRESHOLDS = st.sampled_from([0.001, 1.001, 2.001, 4.001, 20.001, 10_000.001])
WIDE = tensors(low=-20, high=20)
# What holds at a corner is a case of its own.
OFF_THE_CORNER = WIDE.map(lambda x: torch.where(x == 0, 0.5, x))
CORNER = torch.tensor([[0.0, -0.0, 1e-30, -1e-30], [1.0, -1.0, 1e-300, -1e-300]], dtype=torch.float64)
# Two scores in a column: (0, ln 3) and (0, 0).
COLUMNS = torch.stack([vector(0, 0), vector(log(3), 0)])
NEAR_10_000 = Digits(
    "For scores near 4,000 and ±10,000, alone and beside each other, the answer is as exact as for scores near 0.",
    offsets=(4000.0, 9990.0, -9990.0),
)


@st.composite
def with_axis(draw: Callable[..., Any], min_side: int = 1, **options: st.SearchStrategy[Any]) -> dict[str, Any]:
    """A tensor with one to three axes, one of them counted from either end, and the strategies of other options."""
    x = draw(tensors(min_ndim=1, min_side=min_side, max_side=4))
    return {"x": x, "dim": draw(st.integers(-x.ndim, x.ndim - 1)), **{name: draw(o) for name, o in options.items()}}


def axes() -> st.SearchStrategy[tuple[Tensor, int]]:
    """A tensor with one to three longer axes, and one of them counted from the front; all else is a case."""
    return with_axis(min_side=2).map(lambda drawn: (drawn["x"], drawn["dim"] % drawn["x"].ndim))


def along_axis(function: Callable[..., Tensor], **options: Any) -> Contract:
    """The contract of a function that works along one axis."""
    return Contract(
        with_axis(**options),
        function,
        magnitudes=(1.0, 1e-3, 2500.0),
        digits=NEAR_10_000,
        batch={"x": 0},
        nan=("x",),
        agrees=None,
        names=("x", "dim", *options),
        refuses=(no_axis("dim", "x"),),
    )


def softplus(x: Tensor, beta: float, threshold: float) -> Tensor:
    """torch's softplus, whose gradient is nan where the threshold is large, without that fault."""
    z = beta * x
    return torch.where(z > threshold, x, torch.logaddexp(z, torch.zeros_like(z)) / beta)


SIGMOID = entrywise(torch.sigmoid)
TANH = entrywise(torch.tanh)
RELU = entrywise(torch.relu, OFF_THE_CORNER)
LEAKY_RELU = entrywise(F.leaky_relu, OFF_THE_CORNER, negative_slope=floats(-2, 2))
ELU = replace(
    entrywise(F.elu, OFF_THE_CORNER, alpha=floats(0.25, 4)),
    digits=Digits(
        "Just left of 0, also at -1e-8, the value is right to the usual share of its own size, in every dtype.",
        factors=(1e-2, 1e-5, 1e-9),
        of_own_size=True,
    ),
)
GELU = replace(
    entrywise(lambda x, form: F.gelu(x, approximate=form), approximate=FORMS),
    agrees=None,  # each form is an idea of its own
    refuses=(no_word("approximate", "erf", "Tanh", "sigmoid"),),
    half_slack=3.0,
)
SILU = entrywise(F.silu)
# Near a small threshold a rounded beta * x falls to either side, so the contract, which rounds, has large ones only.
FAR = st.sampled_from([20.001, 10_000.001])
# With one of these betas beta * x is exact in every dtype; a rounded one would make exp(beta * x) another number.
FAR_LEFT = {"x": tensors(min_ndim=1, low=-80, high=-3), "beta": st.sampled_from([1.0, 0.5, 2.0]), "threshold": FAR}
SOFTPLUS = replace(
    entrywise(softplus, beta=BETAS, threshold=FAR),
    refuses=(not_positive("beta"),),
    agrees=None,
    digits=Digits(
        "Far left, where softplus(x) is nearly exp(beta * x) / beta, the value is right to the usual share of its own "
        "size, in every dtype.",
        of_own_size=True,
        arguments=FAR_LEFT,
    ),
)
LOGSUMEXP = along_axis(torch.logsumexp, keepdim=st.booleans())
# At 0.1 a score of 10,000 divided by it is more than float16 holds.
TEMPERATURES = st.just(0.1) | floats(0.05, 4)
SOFTMAX = replace(
    along_axis(lambda x, dim, t: torch.softmax(x / t, dim), temperature=TEMPERATURES),
    refuses=(no_axis("dim", "x"), not_positive("temperature")),
)
LOG_SOFTMAX = along_axis(torch.log_softmax)
# Half precision leaves 1 - t², g - <g, y> and the like few digits.
ROUGH = 12.0


@exercise("sigmoid", points=2, forbid=("sigmoid", "expit", "logsigmoid"), contract=SIGMOID)
class TestSigmoid:
    @idea
    def test_worked_values(self, student):
        """sigmoid(0) is 1/2, sigmoid(ln 3) is 3/4, sigmoid(-ln 3) is 1/4."""
        assert_close(student.sigmoid(vector(0, log(3), -log(3))), vector(0.5, 0.75, 0.25))


@exercise("sigmoid_backward", points=2, contract=SIGMOID.backward("x", half_slack=4.0))
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


@exercise("tanh_backward", points=1, contract=TANH.backward("x", half_slack=ROUGH))
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

    @idea
    @given(x=WIDE, negative_slope=floats(0.05, 0.95))
    def test_agrees(self, student, x, negative_slope):
        """With a slope between 0 and 1 the answer agrees with torch's."""
        assert_close(student.leaky_relu(x, negative_slope=negative_slope), F.leaky_relu(x, negative_slope))


@exercise("leaky_relu_backward", points=1, contract=LEAKY_RELU.backward("x"))
class TestLeakyReluBackward:
    @idea
    def test_worked_values(self, student):
        """At (-2, 3) an upstream gradient of (5, -5) arrives as (0.05, -5), with slope 0.5 as (2.5, -5)."""
        assert_close(student.leaky_relu_backward(vector(5, -5), vector(-2, 3)), vector(0.05, -5))
        assert_close(student.leaky_relu_backward(vector(5, -5), vector(-2, 3), 0.5), vector(2.5, -5))

    @idea
    @given(x=OFF_THE_CORNER, negative_slope=floats(0.05, 0.95))
    def test_agrees(self, student, x, negative_slope):
        """With a slope between 0 and 1 the gradient agrees with torch's."""
        grad_out = cotangent_like(x)
        right = gradient_of(F.leaky_relu, [0], grad_out, [x, negative_slope])
        assert_close(student.leaky_relu_backward(grad_out, x, negative_slope), right)

    @case
    @given(negative_slope=floats(-2, 2))
    def test_corner(self, student, negative_slope):
        """At 0 and -0 the slope is negative_slope; just beside it, the side decides."""
        grad_out = cotangent_like(CORNER)
        expected = torch.where(CORNER > 0, grad_out, negative_slope * grad_out)
        assert_close(student.leaky_relu_backward(grad_out, CORNER, negative_slope=negative_slope), expected)


@exercise("elu", points=2, forbid=("elu", "celu", "selu"), contract=ELU)
class TestElu:
    @idea
    def test_worked_values(self, student):
        """elu(-ln 2) is -1/2, elu(0) is 0, elu(3) is 3; with alpha = 4 elu(-ln 2) is -2."""
        assert_close(student.elu(vector(-log(2), 0, 3)), vector(-0.5, 0, 3))
        assert_close(student.elu(vector(-log(2), 0, 3), alpha=4.0), vector(-2, 0, 3))


@exercise(
    "elu_backward", points=2, contract=ELU.backward("x", nan=(), half_slack=6.0, digits=None)
)  # at nan torch's own answers differ
class TestEluBackward:
    @case
    @given(alpha=floats(0.25, 4))
    def test_nan_stays_visible(self, student, alpha):
        """Where x is nan the gradient is nan or grad_out, and beside it nothing changes."""
        x, grad_out = vector(-1, torch.nan, 0.5), vector(2, 3, -4)
        got = student.elu_backward(grad_out, x, alpha)
        passed_on = isinstance(got, Tensor) and got.shape == x.shape and bool(got[1] == 3)
        assert_close(got, vector(2 * alpha * exp(-1), 3 if passed_on else torch.nan, -4))

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
        """gelu(2) is about 1.954500 and gelu(-1) about -0.158655."""
        assert_close(student.gelu(vector(2, -1, 0)), vector(1.954500, -0.158655, 0), atol=1e-6)

    @idea("tanh")
    def test_worked_values_of_the_tanh_form(self, student):
        """The tanh form gives 1.954598 at 2, -0.158808 at -1 and 20 at 20."""
        assert_close(student.gelu(vector(2, -1, 0, 20), "tanh"), vector(1.954598, -0.158808, 0, 20), atol=1e-6)

    @idea("none")
    @given(x=WIDE)
    def test_agrees(self, student, x):
        """Without a second argument the answer agrees with that of torch's exact form."""
        assert_close(student.gelu(x), F.gelu(x))

    @idea("tanh")
    @given(x=WIDE)
    def test_agrees_in_the_tanh_form(self, student, x):
        """With approximate="tanh" the answer agrees with that of torch's tanh form."""
        assert_close(student.gelu(x, approximate="tanh"), F.gelu(x, approximate="tanh"))


@exercise("gelu_backward", points=3, contract=GELU.backward("x", agrees=None, slack=3.0, half_slack=ROUGH))
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
    @given(x=WIDE)
    def test_agrees(self, student, x):
        """Without a third argument the gradient agrees with that of torch's exact form."""
        grad_out = cotangent_like(x)
        assert_close(student.gelu_backward(grad_out, x), gradient_of(F.gelu, [0], grad_out, [x]))

    @idea("tanh")
    @given(x=WIDE)
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
        assert_close(student.silu(vector(0, log(3), -log(3))), vector(0, 0.75 * log(3), -0.25 * log(3)))


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
        """softplus(0) is ln 2, softplus(ln 3) is ln 4; with beta = 2 they are half of ln 2 and of ln 10."""
        assert_close(student.softplus(vector(0, log(3))), vector(log(2), log(4)))
        assert_close(student.softplus(vector(0, log(3)), beta=2.0), vector(log(2) / 2, log(10) / 2))

    @idea
    @given(x=WIDE, beta=BETAS)
    def test_agrees(self, student, x, beta):
        """For any beta the answer agrees with torch's."""
        assert_close(student.softplus(x, beta), F.softplus(x, beta))

    @case
    @example(x=vector(1), beta=2.0, threshold=2.0)
    @given(x=tensors(), beta=BETAS, threshold=THRESHOLDS)
    def test_threshold(self, student, x, beta, threshold):
        """Where beta * x is above threshold the value is x itself, elsewhere the formula counts."""
        assert_close(student.softplus(x, beta=beta, threshold=threshold), F.softplus(x, beta, threshold))


@exercise("softplus_backward", points=2, contract=SOFTPLUS.backward("x", agrees=None, digits=None))
class TestSoftplusBackward:
    @idea
    def test_worked_values(self, student):
        """At 0 the slope is 1/2 for every beta, at 30 it is 1; at ln 3 it is 3/4, and with beta = 2 it is 9/10."""
        grad_out, x = vector(-4, 2, 5), vector(0, log(3), 30)
        assert_close(student.softplus_backward(grad_out, x), vector(-2, 1.5, 5))
        assert_close(student.softplus_backward(grad_out, x, beta=2.0), vector(-2, 1.8, 5))

    @idea
    @given(x=WIDE, beta=BETAS)
    def test_agrees(self, student, x, beta):
        """For any beta the gradient agrees with torch's."""
        grad_out = cotangent_like(x)
        assert_close(student.softplus_backward(grad_out, x, beta), gradient_of(F.softplus, [0], grad_out, [x, beta]))

    @case
    @example(x=vector(1), beta=2.0, threshold=2.0)
    @given(x=tensors(), beta=BETAS, threshold=THRESHOLDS)
    def test_threshold(self, student, x, beta, threshold):
        """Where beta * x is above threshold the slope is exactly 1."""
        grad_out = cotangent_like(x)
        right = gradient_of(F.softplus, [0], grad_out, [x, beta, threshold])
        assert_close(student.softplus_backward(grad_out, x, beta=beta, threshold=threshold), right)


class AlongAxis:
    """What every function that works along one axis is asked beside its contract."""

    function: str
    oracle: Callable[..., Tensor]

    @idea
    @given(along=axes())
    def test_agrees(self, student, along):
        """Along any axis the answer agrees with torch's."""
        x, dim = along
        assert_close(getattr(student, self.function)(x, dim), self.oracle(x, dim))

    @case
    def test_minus_infinity(self, student):
        """A score of -inf counts nothing beside finite ones, and gives no nan."""
        x = torch.stack([vector(0, -INF, 0), vector(-INF, 2, -INF)])
        assert_close(getattr(student, self.function)(x, 1), self.oracle(x, 1))

    @case
    def test_rows_far_apart(self, student):
        """Of two rows, one near 1000 and one near -1000, both are right."""
        x = torch.stack([vector(1000, 999, -1000), vector(-1000, -999, -1000)])
        assert_close(getattr(student, self.function)(x, 1), self.oracle(x, 1))

    @idea
    @given(x=tensors(min_ndim=1, max_ndim=1, low=-2, high=2), shift=st.sampled_from([1000, -1000]))
    @example(x=vector(0, log(3)), shift=1000)
    def test_large_scores(self, student, x, shift):
        """Scores near 1000 and near -1000 give the right values: no nan, and no overflow."""
        assert_close(getattr(student, self.function)(x + shift, 0), self.oracle(x + shift, 0))


class AlongAxisBackward:
    """The same of the gradients."""

    function: str
    oracle: Callable[..., Tensor]

    @idea
    @given(along=axes())
    def test_agrees(self, student, along):
        """Along any axis the gradient agrees with torch's for a random upstream gradient."""
        x, dim = along
        grad_out = cotangent_like(self.oracle(x, dim))
        right = gradient_of(self.oracle, [0], grad_out, [x, dim])
        assert_close(getattr(student, self.function)(grad_out, x, dim), right)

    @case
    def test_minus_infinity(self, student):
        """A score of -inf beside finite ones gives no nan."""
        x = torch.stack([vector(0, -INF, 0), vector(-INF, 2, -INF)])
        grad_out = cotangent_like(self.oracle(x, 1))
        right = gradient_of(self.oracle, [0], grad_out, [x, 1])
        assert_close(getattr(student, self.function)(grad_out, x, 1), right)


@exercise("logsumexp", points=2, forbid=("logsumexp", "logaddexp", "logcumsumexp", "log_softmax"), contract=LOGSUMEXP)
class TestLogsumexp(AlongAxis):
    function, oracle = "logsumexp", staticmethod(torch.logsumexp)

    @idea
    def test_worked_values(self, student):
        """The columns (0, ln 3) and (0, 0) have the logsumexp ln 4 and ln 2."""
        assert_close(student.logsumexp(COLUMNS, 0), vector(log(4), log(2)))

    @case
    @given(along=axes())
    def test_keepdim(self, student, along):
        """With keepdim=True the axis stays, with length 1."""
        x, dim = along
        assert_close(student.logsumexp(x, dim, keepdim=True), torch.logsumexp(x, dim, keepdim=True))

    @case
    @given(along=axes(), keepdim=st.booleans())
    def test_infinite_entries(self, student, along, keepdim):
        """Entries that are -inf count nothing; only -inf gives -inf, and any inf gives inf: never nan."""
        x, dim = along
        x = torch.where(x > 2, INF, torch.where(x < 1, -INF, x))
        assert_close(student.logsumexp(x, dim, keepdim), torch.logsumexp(x, dim, keepdim))

    @case
    @given(rows=st.integers(1, 4), keepdim=st.booleans())
    def test_empty_axis(self, student, rows, keepdim):
        """Along an axis of length 0 the result is -inf, the logarithm of an empty sum."""
        x = torch.zeros(rows, 0, dtype=torch.float64)
        assert_close(student.logsumexp(x, 1, keepdim), torch.logsumexp(x, 1, keepdim))


@exercise("logsumexp_backward", points=2, contract=LOGSUMEXP.backward("x", agrees=None))
class TestLogsumexpBackward(AlongAxisBackward):
    function, oracle = "logsumexp_backward", staticmethod(torch.logsumexp)

    @idea
    def test_worked_values(self, student):
        """For (0, ln 3) and (0, 0), as columns or as rows, (4, 2) upstream arrives as the shares (1, 3) and (1, 1)."""
        expected = torch.stack([vector(1, 1), vector(3, 1)])
        assert_close(student.logsumexp_backward(vector(4, 2), COLUMNS, 0), expected)
        assert_close(student.logsumexp_backward(vector(4, 2), COLUMNS.T, 1), expected.T)

    @idea
    @given(along=axes())
    def test_shares_add_up(self, student, along):
        """Along the axis the gradient adds up to the upstream gradient."""
        x, dim = along
        grad_out = cotangent_like(x.sum(dim))
        assert_close(student.logsumexp_backward(grad_out, x, dim).sum(dim), grad_out)

    @case
    @given(along=axes())
    def test_keepdim(self, student, along):
        """With keepdim=True the upstream gradient has the axis too, with length 1."""
        x, dim = along
        grad_out = cotangent_like(x.sum(dim, keepdim=True))
        right = gradient_of(torch.logsumexp, [0], grad_out, [x, dim, True])
        assert_close(student.logsumexp_backward(grad_out, x, dim, keepdim=True), right)


@exercise("softmax", points=2, forbid=("softmax", "log_softmax", "softmin"), contract=SOFTMAX)
class TestSoftmax(AlongAxis):
    function, oracle = "softmax", staticmethod(torch.softmax)

    @idea
    def test_worked_values(self, student):
        """softmax of [1, 2, 3, 4, 1, 2, 3] is about [0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175]."""
        expected = vector(0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175)
        assert_close(student.softmax(vector(1, 2, 3, 4, 1, 2, 3), 0), expected, atol=6e-4)

    @idea
    def test_worked_columns(self, student):
        """The columns (0, ln 3) and (0, 0) become (1/4, 3/4) and (1/2, 1/2), their doubles at temperature 2 too."""
        expected = torch.stack([vector(0.25, 0.5), vector(0.75, 0.5)])
        assert_close(student.softmax(COLUMNS, 0), expected)
        assert_close(student.softmax(2 * COLUMNS, 0, temperature=2.0), expected)

    @idea
    @given(along=axes(), temperature=floats(0.25, 4))
    def test_any_temperature(self, student, along, temperature):
        """The scores are divided by the temperature, at any temperature."""
        x, dim = along
        assert_close(student.softmax(x, dim, temperature), torch.softmax(x / temperature, dim))

    @idea
    @given(along=axes())
    def test_sums_to_one(self, student, along):
        """Along the axis the probabilities add up to 1."""
        x, dim = along
        assert_close(student.softmax(x, dim).sum(dim), torch.ones_like(x.sum(dim)))


# A small temperature enlarges what the difference of two gradients has lost.
SOFTMAX_BACKWARD = SOFTMAX.backward("x", agrees=None, slack=2.0, half_slack=ROUGH, magnitudes=(1.0, 1e-3))


@exercise("softmax_backward", points=3, contract=SOFTMAX_BACKWARD)
class TestSoftmaxBackward(AlongAxisBackward):
    function, oracle = "softmax_backward", staticmethod(torch.softmax)

    @idea
    def test_worked_values(self, student):
        """The columns (0, ln 3) and (0, 0): (1, 0) and (2, 0) upstream arrive as (3, -3)/16 and (1, -1)/2."""
        grad_out = torch.stack([vector(1, 2), vector(0, 0)])
        expected = torch.stack([vector(3 / 16, 0.5), vector(-3 / 16, -0.5)])
        assert_close(student.softmax_backward(grad_out, COLUMNS, 0), expected)
        assert_close(student.softmax_backward(grad_out, 2 * COLUMNS, 0, temperature=2.0), expected / 2)

    @idea
    @given(along=axes(), temperature=floats(0.25, 4))
    def test_any_temperature(self, student, along, temperature):
        """The temperature is part of the chain, at any temperature."""
        (x, dim), grad_out = along, cotangent_like(along[0])
        right = gradient_of(lambda x64: torch.softmax(x64 / temperature, dim), [0], grad_out, [x])
        assert_close(student.softmax_backward(grad_out, x, dim, temperature), right)

    @idea
    @given(along=axes())
    def test_sums_to_zero(self, student, along):
        """Along the axis the gradient adds up to zero: probability can only be moved around."""
        x, dim = along
        grad_x = student.softmax_backward(cotangent_like(x), x, dim)
        assert_close(grad_x.sum(dim), torch.zeros_like(x.sum(dim)))


@exercise("log_softmax", points=2, forbid=("log_softmax", "softmax", "logsumexp"), contract=LOG_SOFTMAX)
class TestLogSoftmax(AlongAxis):
    function, oracle = "log_softmax", staticmethod(torch.log_softmax)

    @idea
    def test_worked_values(self, student):
        """The columns (0, ln 3) and (0, 0) have the log-probabilities ln 1/4, ln 3/4 and twice ln 1/2."""
        expected = torch.stack([vector(log(1 / 4), log(1 / 2)), vector(log(3 / 4), log(1 / 2))])
        assert_close(student.log_softmax(COLUMNS, 0), expected)

    @idea
    @given(x=tensors(min_ndim=1, max_ndim=1, low=-4, high=4))
    @example(x=vector(0))
    def test_tiny_probabilities(self, student, x):
        """A probability that is too small to be stored has a finite logarithm: (0, 1000) becomes (-1000, 0)."""
        x = torch.cat([x, vector(1000)])
        assert_close(student.log_softmax(x, 0), torch.log_softmax(x, 0))


@exercise("log_softmax_backward", points=3, contract=LOG_SOFTMAX.backward("x", agrees=None, half_slack=ROUGH))
class TestLogSoftmaxBackward(AlongAxisBackward):
    function, oracle = "log_softmax_backward", staticmethod(torch.log_softmax)

    @idea
    def test_worked_values(self, student):
        """The columns (0, ln 3) and (0, 0): (4, 0) and (0, 2) upstream arrive as (3, -3) and (-1, 1)."""
        grad_out = torch.stack([vector(4, 0), vector(0, 2)])
        expected = torch.stack([vector(3, -1), vector(-3, 1)])
        assert_close(student.log_softmax_backward(grad_out, COLUMNS, 0), expected)

    @idea
    @given(along=axes())
    def test_sums_to_zero(self, student, along):
        """Along the axis the gradient adds up to zero: adding a number to every score changes nothing."""
        x, dim = along
        grad_x = student.log_softmax_backward(cotangent_like(x), x, dim)
        assert_close(grad_x.sum(dim), torch.zeros_like(x.sum(dim)))
