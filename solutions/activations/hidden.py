"""Hidden checks of the assignment on activation functions: far from zero in float64, infinities, three axes."""

from typing import Any

import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import assert_close, case, cotangent_like, dims, exercise, idea, tensors, vector

from . import reference

FAR = vector(-1e4, -1.0, 0.0, 1.0, 1e4)
FORMS = st.sampled_from(["none", "tanh"])
BETAS = st.integers(1, 12).map(lambda n: n / 4)
IMPOSSIBLE = torch.tensor([[0.0, -torch.inf, 0.0], [-torch.inf, 2.0, -torch.inf]], dtype=torch.float64)


class AgainstReference:
    """Calls the student's function and the reference's."""

    function: str

    def assert_right(self, student, *args: Any) -> None:
        assert_close(getattr(student, self.function)(*args), getattr(reference, self.function)(*args))


class Pointwise(AgainstReference):
    """The harder inputs of every function that works entry by entry."""

    @case
    @given(x=tensors(min_ndim=1, max_ndim=1, low=-10_000, high=10_000))
    @example(x=FAR)
    def test_ten_thousand(self, student, x):
        """At ±10,000 the values are right in float64 too."""
        self.assert_right(student, x)


class PointwiseBackward(AgainstReference):
    """The harder inputs of every hand-written gradient of a function that works entry by entry."""

    @case
    @given(x=tensors(min_ndim=1, max_ndim=1, low=-10_000, high=10_000))
    @example(x=FAR)
    def test_ten_thousand(self, student, x):
        """At ±10,000 the gradient is right in float64 too."""
        self.assert_right(student, cotangent_like(x), x)


class AlongAxis(AgainstReference):
    """The harder inputs of every function that works along one axis."""

    @idea
    @given(x=tensors(min_ndim=3, max_ndim=3, min_side=2, max_side=4), dim=dims(3))
    def test_every_axis_of_three(self, student, x, dim):
        """With three axes of different lengths the right one is taken."""
        self.assert_right(student, x, dim)

    @case
    def test_minus_infinity_is_impossible(self, student):
        """A score of -inf counts nothing beside finite ones, and gives no nan."""
        self.assert_right(student, IMPOSSIBLE, 1)


class AlongAxisBackward(AgainstReference):
    """The harder inputs of every hand-written gradient of a function that works along one axis."""

    def upstream(self, x: Tensor, dim: int) -> Tensor:
        return cotangent_like(getattr(reference, self.function.removesuffix("_backward"))(x, dim))

    @idea
    @given(x=tensors(min_ndim=3, max_ndim=3, min_side=2, max_side=4), dim=dims(3))
    def test_every_axis_of_three(self, student, x, dim):
        """With three axes of different lengths the gradient runs along the right one."""
        self.assert_right(student, self.upstream(x, dim), x, dim)

    @case
    @given(x=tensors(min_ndim=1, max_ndim=2, low=-10_000, high=10_000))
    @example(x=vector(1e4, 1e4, -1e4))
    def test_ten_thousand(self, student, x):
        """Scores of ±10,000 give the right gradient in float64 too."""
        self.assert_right(student, self.upstream(x, -1), x, -1)

    @case
    def test_minus_infinity_gets_no_share(self, student):
        """Scores of -inf beside finite ones give no nan."""
        self.assert_right(student, self.upstream(IMPOSSIBLE, 1), IMPOSSIBLE, 1)


@exercise("sigmoid")
class TestSigmoid(Pointwise):
    function = "sigmoid"


@exercise("sigmoid_backward")
class TestSigmoidBackward(PointwiseBackward):
    function = "sigmoid_backward"


@exercise("tanh")
class TestTanh(Pointwise):
    function = "tanh"


@exercise("tanh_backward")
class TestTanhBackward(PointwiseBackward):
    function = "tanh_backward"


@exercise("relu")
class TestRelu(Pointwise):
    function = "relu"


@exercise("relu_backward")
class TestReluBackward(PointwiseBackward):
    function = "relu_backward"


@exercise("leaky_relu")
class TestLeakyRelu(Pointwise):
    function = "leaky_relu"


@exercise("leaky_relu_backward")
class TestLeakyReluBackward(PointwiseBackward):
    function = "leaky_relu_backward"


@exercise("elu")
class TestElu(Pointwise):
    function = "elu"


@exercise("elu_backward")
class TestEluBackward(PointwiseBackward):
    function = "elu_backward"


@exercise("gelu")
class TestGelu(Pointwise):
    function = "gelu"


@exercise("gelu_backward")
class TestGeluBackward(PointwiseBackward):
    function = "gelu_backward"


@exercise("silu")
class TestSilu(Pointwise):
    function = "silu"


@exercise("silu_backward")
class TestSiluBackward(PointwiseBackward):
    function = "silu_backward"


@exercise("softplus")
class TestSoftplus(Pointwise):
    function = "softplus"


@exercise("softplus_backward")
class TestSoftplusBackward(PointwiseBackward):
    function = "softplus_backward"


@exercise("logsumexp")
class TestLogsumexp(AlongAxis):
    function = "logsumexp"


@exercise("logsumexp_backward")
class TestLogsumexpBackward(AlongAxisBackward):
    function = "logsumexp_backward"


@exercise("softmax")
class TestSoftmax(AlongAxis):
    function = "softmax"


@exercise("softmax_backward")
class TestSoftmaxBackward(AlongAxisBackward):
    function = "softmax_backward"


@exercise("log_softmax")
class TestLogSoftmax(AlongAxis):
    function = "log_softmax"


@exercise("log_softmax_backward")
class TestLogSoftmaxBackward(AlongAxisBackward):
    function = "log_softmax_backward"
