"""Hidden checks of the assignment on activation functions: harder inputs, the reference, bad input, precision."""

import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    assert_close,
    cotangent_like,
    dims,
    exercise,
    floats,
    noncontiguous_tensors,
    raises,
    tensors,
)

from . import reference

# Absolute tolerances with room for a formula that subtracts two rounded numbers of the size of its inputs.
HALF = {torch.float16: 1e-2, torch.bfloat16: 6e-2}
BETAS = st.integers(1, 12).map(lambda n: n / 4)
FORMS = st.sampled_from(["none", "tanh"])
CORNER = torch.tensor([[0.0, -0.0, 1e-30, -1e-30], [1.0, -1.0, 1e-300, -1e-300]], dtype=torch.float64)
AROUND_20 = torch.tensor([18.5, 19.5, 20.0, 20.5, 21.5, 39.5], dtype=torch.float64)


def far(**kwargs: int) -> st.SearchStrategy[Tensor]:
    return tensors(min_ndim=1, low=-10_000, high=10_000, **kwargs)


class AgainstReference:
    """Calls the student's function and the reference's."""

    function: str

    def expected(self, *args: object) -> Tensor:
        return getattr(reference, self.function)(*args)

    def assert_right(self, student, *args: object) -> None:
        assert_close(getattr(student, self.function)(*args), self.expected(*args))

    def assert_right_in(self, dtype: torch.dtype, student, *args: object, atol: float) -> None:
        low = [arg.to(dtype) if isinstance(arg, Tensor) else arg for arg in args]
        wide = [arg.double() if isinstance(arg, Tensor) else arg for arg in low]
        assert_close(getattr(student, self.function)(*low), self.expected(*wide).to(dtype), atol=atol)

    def assert_finite(self, student, *args: object) -> None:
        self.assert_right_in(torch.float32, student, *args, atol=1e6)  # any finite number will do


class Pointwise(AgainstReference):
    """The harder inputs of every function that works entry by entry."""

    @given(x=far(max_ndim=1))
    @example(x=torch.tensor([-1e4, -1.0, 0.0, 1.0, 1e4], dtype=torch.float64))
    def test_ten_thousand(self, student, x):
        """At ±10,000 the values are right in float64 and finite in float32."""
        self.assert_right(student, x)
        self.assert_finite(student, x)

    @given(x=noncontiguous_tensors())
    def test_not_contiguous(self, student, x):
        """A tensor that is not contiguous in memory gives the same values."""
        self.assert_right(student, x)

    @given(x=tensors(min_ndim=2, max_ndim=2), dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, x, dtype):
        """float16 and bfloat16 tensors keep their dtype, and the values are right to their precision."""
        self.assert_right_in(dtype, student, x, atol=HALF[dtype])

    @given(shape=st.sampled_from([(0,), (0, 3), (2, 0, 3), (1,), (1, 1), ()]))
    def test_empty_and_single(self, student, shape):
        """Tensors with no entry, with one entry, and with no axis keep their shape."""
        self.assert_right(student, torch.full(shape, -0.75, dtype=torch.float64))


class PointwiseBackward(AgainstReference):
    """The harder inputs of every hand-written gradient of a function that works entry by entry."""

    @given(x=far(max_ndim=1))
    @example(x=torch.tensor([-1e4, -1.0, 0.0, 1.0, 1e4], dtype=torch.float64))
    def test_ten_thousand(self, student, x):
        """At ±10,000 the gradient is right in float64 and finite in float32."""
        self.assert_right(student, cotangent_like(x), x)
        self.assert_finite(student, cotangent_like(x), x)

    @given(x=noncontiguous_tensors())
    def test_not_contiguous(self, student, x):
        """Tensors that are not contiguous in memory give the same gradient."""
        self.assert_right(student, cotangent_like(x.T).T, x)

    @given(x=tensors(min_ndim=2, max_ndim=2), dtype=st.sampled_from(list(HALF)))
    def test_half_precision(self, student, x, dtype):
        """float16 and bfloat16 tensors keep their dtype, and the gradient is right to their precision."""
        self.assert_right_in(dtype, student, cotangent_like(x), x, atol=HALF[dtype])

    @given(shape=st.sampled_from([(0,), (0, 3), (2, 0, 3), (1,), (1, 1), ()]))
    def test_empty_and_single(self, student, shape):
        """Tensors with no entry, with one entry, and with no axis keep their shape."""
        x = torch.full(shape, -0.75, dtype=torch.float64)
        self.assert_right(student, cotangent_like(x), x)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2))
    def test_as_many_entries_in_another_shape(self, student, x):
        """An upstream gradient with as many entries in another shape raises ValueError that names grad_out."""
        with raises(ValueError, naming="grad_out"):
            getattr(student, self.function)(cotangent_like(x.flatten()), x)


class AlongAxis(AgainstReference):
    """The harder inputs of every function that works along one axis."""

    @given(x=far(max_ndim=2))
    @example(x=torch.tensor([1e4, 1e4, -1e4], dtype=torch.float64))
    def test_ten_thousand(self, student, x):
        """Scores of ±10,000 give the right values in float64, and finite ones in float32."""
        self.assert_right(student, x, -1)
        self.assert_finite(student, x, -1)

    @given(x=tensors(min_ndim=3, max_ndim=3, min_side=2, max_side=4), dim=dims(3))
    def test_every_axis_of_three(self, student, x, dim):
        """With three axes of different lengths the right one is taken."""
        self.assert_right(student, x, dim)

    @given(x=noncontiguous_tensors(), dim=dims(2))
    def test_not_contiguous(self, student, x, dim):
        """A tensor that is not contiguous in memory gives the same values."""
        self.assert_right(student, x, dim)

    @given(x=tensors(min_ndim=2, max_ndim=2), dtype=st.sampled_from(list(HALF)), dim=dims(2))
    def test_half_precision(self, student, x, dtype, dim):
        """float16 and bfloat16 scores keep their dtype, and the values are right to its precision."""
        self.assert_right_in(dtype, student, x, dim, atol=HALF[dtype])

    @given(shape=st.sampled_from([(0,), (3, 0), (0, 3), (1,), (3, 1)]), dim=st.sampled_from([-1, 0]))
    def test_empty_and_single(self, student, shape, dim):
        """Tensors without entries and axes with one entry give the right shape and values."""
        self.assert_right(student, torch.full(shape, -0.75, dtype=torch.float64), dim)

    @given(x=tensors(min_ndim=1))
    def test_dim_before_the_first_axis(self, student, x):
        """A negative dim that reaches before the first axis raises ValueError that names dim."""
        with raises(ValueError, naming="dim"):
            getattr(student, self.function)(x, -x.ndim - 1)


class AlongAxisBackward(AgainstReference):
    """The harder inputs of every hand-written gradient of a function that works along one axis."""

    def upstream(self, x: Tensor, dim: int) -> Tensor:
        """An upstream gradient; the forward's result is shaped like ``x`` unless a subclass says otherwise."""
        return cotangent_like(x)

    @given(x=far(max_ndim=2))
    @example(x=torch.tensor([1e4, 1e4, -1e4], dtype=torch.float64))
    def test_ten_thousand(self, student, x):
        """Scores of ±10,000 give the right gradient in float64, and a finite one in float32."""
        self.assert_right(student, self.upstream(x, -1), x, -1)
        self.assert_finite(student, self.upstream(x, -1), x, -1)

    @given(x=tensors(min_ndim=3, max_ndim=3, min_side=2, max_side=4), dim=dims(3))
    def test_every_axis_of_three(self, student, x, dim):
        """With three axes of different lengths the gradient runs along the right one."""
        self.assert_right(student, self.upstream(x, dim), x, dim)

    @given(x=noncontiguous_tensors(), dim=dims(2))
    def test_not_contiguous(self, student, x, dim):
        """Tensors that are not contiguous in memory give the same gradient."""
        grad_out = self.upstream(x, dim)
        self.assert_right(student, grad_out.mT.contiguous().mT if grad_out.ndim > 1 else grad_out, x, dim)

    @given(x=tensors(min_ndim=2, max_ndim=2), dtype=st.sampled_from(list(HALF)), dim=dims(2))
    def test_half_precision(self, student, x, dtype, dim):
        """float16 and bfloat16 scores keep their dtype, and the gradient is right to its precision."""
        self.assert_right_in(dtype, student, self.upstream(x, dim), x, dim, atol=HALF[dtype])

    @given(shape=st.sampled_from([(0,), (3, 0), (0, 3), (1,), (3, 1)]), dim=st.sampled_from([-1, 0]))
    def test_empty_and_single(self, student, shape, dim):
        """Tensors without entries and axes with one entry give a gradient shaped like x."""
        x = torch.full(shape, -0.75, dtype=torch.float64)
        self.assert_right(student, self.upstream(x, dim), x, dim)

    def test_minus_infinity_gets_no_share(self, student):
        """Scores of -inf beside finite ones give no nan."""
        x = torch.tensor([[0.0, -torch.inf, 0.0], [-torch.inf, 2.0, -torch.inf]], dtype=torch.float64)
        self.assert_right(student, self.upstream(x, 1), x, 1)

    @given(x=tensors(min_ndim=3, max_ndim=3, min_side=2, max_side=4))
    def test_bad_input_is_refused(self, student, x):
        """A dim that is no axis, or a grad_out of another shape, raises ValueError that names it."""
        grad_out = self.upstream(x, 0)
        with raises(ValueError, naming="dim"):
            getattr(student, self.function)(grad_out, x, 3)
        with raises(ValueError, naming="grad_out"):
            getattr(student, self.function)(grad_out.flatten(), x, 0)


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

    def test_corner(self, student):
        """At 0 and -0 the gradient is 0; just beside it, the side decides."""
        self.assert_right(student, cotangent_like(CORNER), CORNER)


@exercise("leaky_relu")
class TestLeakyRelu(Pointwise):
    function = "leaky_relu"

    @given(x=far(max_ndim=2), negative_slope=floats(-3, 3))
    def test_ten_thousand_with_any_slope(self, student, x, negative_slope):
        """At ±10,000 the values are right for any slope."""
        self.assert_right(student, x, negative_slope)


@exercise("leaky_relu_backward")
class TestLeakyReluBackward(PointwiseBackward):
    function = "leaky_relu_backward"

    @given(negative_slope=floats(-3, 3))
    def test_corner(self, student, negative_slope):
        """At 0 and -0 the slope is negative_slope; just beside it, the side decides."""
        self.assert_right(student, cotangent_like(CORNER), CORNER, negative_slope)


@exercise("elu")
class TestElu(Pointwise):
    function = "elu"

    @given(x=far(max_ndim=2), alpha=floats(0.25, 4))
    def test_ten_thousand_with_any_alpha(self, student, x, alpha):
        """At ±10,000 the values are right for any alpha, and finite in float32."""
        self.assert_right(student, x, alpha)
        self.assert_finite(student, x, alpha)


@exercise("elu_backward")
class TestEluBackward(PointwiseBackward):
    function = "elu_backward"

    @given(x=far(max_ndim=2), alpha=floats(0.25, 4))
    def test_ten_thousand_with_any_alpha(self, student, x, alpha):
        """At ±10,000 the gradient is right for any alpha, and finite in float32."""
        self.assert_right(student, cotangent_like(x), x, alpha)
        self.assert_finite(student, cotangent_like(x), x, alpha)

    @given(alpha=floats(0.25, 4))
    def test_corner(self, student, alpha):
        """At 0 and -0 the slope is alpha; just beside it, the side decides."""
        self.assert_right(student, cotangent_like(CORNER), CORNER, alpha)


@exercise("gelu")
class TestGelu(Pointwise):
    function = "gelu"

    @given(x=far(max_ndim=2))
    def test_ten_thousand_in_the_tanh_form(self, student, x):
        """At ±10,000 the tanh form is right in float64 and finite in float32."""
        self.assert_right(student, x, "tanh")
        self.assert_finite(student, x, "tanh")

    @given(x=tensors(min_ndim=2, max_ndim=2), dtype=st.sampled_from(list(HALF)))
    def test_half_precision_in_the_tanh_form(self, student, x, dtype):
        """float16 and bfloat16 tensors keep their dtype in the tanh form too."""
        self.assert_right_in(dtype, student, x, "tanh", atol=HALF[dtype])


@exercise("gelu_backward")
class TestGeluBackward(PointwiseBackward):
    function = "gelu_backward"

    @given(x=far(max_ndim=2))
    def test_ten_thousand_in_the_tanh_form(self, student, x):
        """At ±10,000 the gradient of the tanh form is right in float64 and finite in float32."""
        self.assert_right(student, cotangent_like(x), x, "tanh")
        self.assert_finite(student, cotangent_like(x), x, "tanh")

    @given(x=tensors(min_ndim=2, max_ndim=2), dtype=st.sampled_from(list(HALF)))
    def test_half_precision_in_the_tanh_form(self, student, x, dtype):
        """float16 and bfloat16 tensors keep their dtype in the tanh form too."""
        self.assert_right_in(dtype, student, cotangent_like(x), x, "tanh", atol=HALF[dtype])


@exercise("silu")
class TestSilu(Pointwise):
    function = "silu"


@exercise("silu_backward")
class TestSiluBackward(PointwiseBackward):
    function = "silu_backward"


@exercise("softplus")
class TestSoftplus(Pointwise):
    function = "softplus"

    @given(x=far(max_ndim=2), beta=BETAS, threshold=st.sampled_from([-1.001, 20.001, 100.001, 1e6]))
    def test_ten_thousand_with_any_beta(self, student, x, beta, threshold):
        """At ±10,000 the values are right for any beta and threshold, and finite in float32."""
        self.assert_right(student, x, beta, threshold)
        self.assert_finite(student, x, beta, threshold)

    def test_default_threshold(self, student):
        """Where no threshold is given it is 20: up to it the formula counts to the last digits, beyond it x itself."""
        assert_close(student.softplus(AROUND_20), self.expected(AROUND_20), rtol=1e-12, atol=0.0)


@exercise("softplus_backward")
class TestSoftplusBackward(PointwiseBackward):
    function = "softplus_backward"

    @given(x=far(max_ndim=2), beta=BETAS, threshold=st.sampled_from([-1.001, 20.001, 100.001, 1e6]))
    def test_ten_thousand_with_any_beta(self, student, x, beta, threshold):
        """At ±10,000 the gradient is right for any beta and threshold, and finite in float32."""
        self.assert_right(student, cotangent_like(x), x, beta, threshold)
        self.assert_finite(student, cotangent_like(x), x, beta, threshold)

    def test_default_threshold(self, student):
        """Where no threshold is given it is 20: up to it the slope is below 1 in the last digits, beyond it 1."""
        grad_out = cotangent_like(AROUND_20)
        expected = self.expected(grad_out, AROUND_20)
        assert_close(student.softplus_backward(grad_out, AROUND_20), expected, rtol=1e-12, atol=0.0)

    @given(x=tensors(min_ndim=1), beta=floats(-2, 0))
    def test_beta_has_to_be_positive(self, student, x, beta):
        """A beta that is not positive raises ValueError that names beta."""
        with raises(ValueError, naming="beta"):
            student.softplus_backward(cotangent_like(x), x, beta)


@exercise("logsumexp")
class TestLogsumexp(AlongAxis):
    function = "logsumexp"

    @given(x=tensors(min_ndim=3, max_ndim=3, min_side=2, max_side=4), dim=dims(3), keepdim=st.booleans())
    def test_infinities_along_every_axis(self, student, x, dim, keepdim):
        """Entries of -inf and inf anywhere give what they have to along every axis, and never nan."""
        x = torch.where(x > 2, torch.inf, torch.where(x < 1, -torch.inf, x))
        self.assert_right(student, x, dim, keepdim)

    @given(shape=st.sampled_from([(0,), (3, 0), (0, 3), (2, 0, 3)]), dim=st.sampled_from([-1, 0]))
    def test_empty_with_the_axis_kept(self, student, shape, dim):
        """Tensors without entries keep the axis with keepdim=True."""
        self.assert_right(student, torch.zeros(shape, dtype=torch.float64), dim, True)


@exercise("logsumexp_backward")
class TestLogsumexpBackward(AlongAxisBackward):
    function = "logsumexp_backward"

    def upstream(self, x: Tensor, dim: int) -> Tensor:
        return cotangent_like(x.sum(dim))

    @given(shape=st.sampled_from([(0,), (3, 0), (0, 3), (3, 1)]), dim=st.sampled_from([-1, 0]))
    def test_empty_and_single_with_the_axis_kept(self, student, shape, dim):
        """With keepdim=True too, tensors without entries and axes with one entry give a gradient shaped like x."""
        x = torch.full(shape, -0.75, dtype=torch.float64)
        self.assert_right(student, cotangent_like(x.sum(dim, keepdim=True)), x, dim, True)


@exercise("softmax")
class TestSoftmax(AlongAxis):
    function = "softmax"

    @given(x=far(max_ndim=2), temperature=floats(0.25, 4))
    @example(x=torch.tensor([1e4, 1e4, -1e4], dtype=torch.float64), temperature=0.5)
    def test_ten_thousand_with_any_temperature(self, student, x, temperature):
        """Scores of ±10,000 with any temperature give no nan, in float32 too."""
        self.assert_right(student, x, -1, temperature)
        self.assert_finite(student, x, -1, temperature)

    def test_minus_infinity_is_impossible(self, student):
        """A score of -inf gets probability 0, and the others share 1."""
        x = torch.tensor([[0.0, -torch.inf, 0.0], [-torch.inf, 2.0, -torch.inf]], dtype=torch.float64)
        self.assert_right(student, x, 1)


@exercise("softmax_backward")
class TestSoftmaxBackward(AlongAxisBackward):
    function = "softmax_backward"

    @given(x=far(max_ndim=2), temperature=floats(0.25, 4))
    @example(x=torch.tensor([1e4, 1e4, -1e4], dtype=torch.float64), temperature=0.5)
    def test_ten_thousand_with_any_temperature(self, student, x, temperature):
        """Scores of ±10,000 with any temperature give no nan."""
        self.assert_right(student, cotangent_like(x), x, -1, temperature)
        self.assert_finite(student, cotangent_like(x), x, -1, temperature)

    @given(x=tensors(min_ndim=2, max_ndim=2, min_side=2), temperature=floats(-2, 0))
    def test_temperature_has_to_be_positive(self, student, x, temperature):
        """A temperature that is not positive raises ValueError that names temperature."""
        with raises(ValueError, naming="temperature"):
            student.softmax_backward(cotangent_like(x), x, 0, temperature)


@exercise("log_softmax")
class TestLogSoftmax(AlongAxis):
    function = "log_softmax"

    def test_minus_infinity_is_impossible(self, student):
        """A score of -inf stays -inf, and the others share probability 1."""
        x = torch.tensor([[0.0, -torch.inf, 0.0], [-torch.inf, 2.0, -torch.inf]], dtype=torch.float64)
        self.assert_right(student, x, 1)


@exercise("log_softmax_backward")
class TestLogSoftmaxBackward(AlongAxisBackward):
    function = "log_softmax_backward"
