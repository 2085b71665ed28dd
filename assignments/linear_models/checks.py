"""Visible checks of the assignment on linear models.

Each compares with torch's own gradients, with a closed form or a plain loop, or with worked numbers.
The sentence under a test is what you read when it fails.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.testing import (
    Callback,
    Contract,
    Rules,
    another_length,
    another_number_of_axes,
    another_shape,
    arrays,
    assert_close,
    assert_unchanged,
    bad_values,
    callbacks,
    case,
    exercise,
    explained,
    floats,
    gradient_of,
    idea,
    not_positive,
    numbers,
    raises,
    refusal,
    shapes,
    with_arrays,
)

RULES = Rules(library="numpy", vectorised=True)
# Of functions whose arguments are no arrays of samples.
PLAIN = Rules(library="numpy")
contract = partial(Contract, half_magnitudes=(), agrees="For any numbers it is right.", slack=8.0)
BIAS = floats(-2, 2)


def array(*rows: Any) -> np.ndarray:
    """Its arguments as a float64 array."""
    return np.array(rows, dtype=np.float64)


def by_loop(x: np.ndarray, w: np.ndarray, b: Any) -> np.ndarray:
    """The answer to each sample, added up term by term."""
    outs, biases = np.atleast_2d(w), np.atleast_1d(b)
    found = [[sum(x[n] * outs[k]) + biases[k] for k in range(len(outs))] for n in range(len(x))]
    answer = np.array(found, dtype=x.dtype).reshape(len(x), len(outs))
    return answer[:, 0] if w.ndim == 1 else answer


@st.composite
def models(draw: Callable[..., Any], outputs: bool) -> dict[str, Any]:
    """Samples and a model with one output, or with several."""
    n, d, k = draw(shapes(3, 3))
    w = draw(arrays(shape=(k, d) if outputs else (d,)))
    return {"x": draw(arrays(shape=(n, d))), "w": w, "b": draw(arrays(shape=(k,)) if outputs else BIAS)}


WEIGHTS = another_length("w", -1, or_naming=("x",))


def assert_predicted(student: Any, x: np.ndarray, w: np.ndarray, b: Any) -> None:
    """Compares with sums added up term by term, and says which of them is wrong."""
    answer, right = student.predict(x, w, b), by_loop(x, w, b)

    def reading() -> str:
        if answer.shape != right.shape:
            return ""
        place = tuple(int(n) for n in np.argwhere(~np.isclose(answer, right))[0])
        return f"Of sample {place[0]} the products and the bias add up to {right[place]:.4g}; the answer has {answer[place]:.4g}."

    with explained(reading):
        assert_close(answer, right)


@exercise(
    "predict",
    points=1,
    contract=contract(
        models(False),
        by_loop,
        agrees=None,
        names=("x", "w", "b"),
        batch={"x": 0},
        variants=[models(True)],
        refuses=(another_number_of_axes("x", or_naming=("w",)), WEIGHTS),
    ),
)
class TestPredict:
    @idea
    def test_worked_values(self, student):
        """Weights (2, -1), bias 3: the samples (1, 4), (0, 5), (2, 2) give 1, -2, 5; (1, 0) with bias -1 gives 0, -1, 1."""
        x = array((1, 4), (0, 5), (2, 2))
        assert_predicted(student, x, array(2, -1), 3.0)
        assert_predicted(student, x, array((2, -1), (1, 0)), array(3, -1))

    @idea
    @given(model=models(False))
    def test_one_output(self, student, model):
        """With one output the answer to sample n is w·x_n + b."""
        assert_predicted(student, **model)

    @idea
    @given(model=models(True))
    def test_several_outputs(self, student, model):
        """With weights (K, D) and biases (K,) there are K answers to each sample, shape (N, K)."""
        assert_predicted(student, **model)


@st.composite
def regressions(draw: Callable[..., Any]) -> dict[str, Any]:
    """A regression with one output."""
    n, d = draw(shapes(2, 2))
    return {
        "x": draw(arrays(shape=(n, d))),
        "y": draw(arrays(shape=(n,))),
        "w": draw(arrays(shape=(d,))),
        "b": draw(BIAS),
    }


def mse(x: Any, y: Any, w: Any, b: Any) -> Any:
    """The mean squared error, in torch."""
    return ((x @ w + b - y) ** 2).mean()


def mse_slopes(grad_out: float, x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> tuple[np.ndarray, float]:
    """torch's own gradients for the weights and the bias."""
    grad_w, grad_b = gradient_of(mse, (2, 3), grad_out, [x, y, w, np.array(float(b))])
    return grad_w, float(grad_b)


FITTING = (WEIGHTS, another_shape("y", or_naming=("x", "w")))
REGRESSION = contract(regressions(), with_arrays(mse), agrees=None, names=("x", "y", "w", "b"), refuses=FITTING)


def assert_loss(student: Any, x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> None:
    """Compares with torch, and says what the errors are."""
    answer, errors = student.linear_regression_loss(x, y, w, b), by_loop(x, w, b) - y
    few = ", ".join(f"{error:.4g}" for error in errors[:5])
    with explained(
        lambda: (
            f"The errors are {few}{', ...' if len(errors) > 5 else ''}, the mean of their squares is "
            f"{(errors**2).mean():.4g}, and the answer is {answer:.4g}."
        )
    ):
        assert_close(answer, float(with_arrays(mse)(x, y, w, b)))


@exercise("linear_regression_loss", points=2, contract=REGRESSION, forbid=("mean_squared_error", "mse_loss"))
class TestLinearRegressionLoss:
    @idea
    def test_worked_values(self, student):
        """Weight 2, bias 1: the samples 1, 3, 0 give 3, 7, 1; with targets 2, 9, 1 the loss is (1 + 4 + 0) / 3."""
        assert_loss(student, array((1,), (3,), (0,)), array(2, 9, 1), array(2), 1.0)

    @idea
    @given(drawn=regressions())
    def test_agrees_with_torch(self, student, drawn):
        """For any numbers it is the mean of the squared errors."""
        assert_loss(student, **drawn)


@st.composite
def with_upstream(draw: Callable[..., Any], drawn: Any) -> dict[str, Any]:
    """The arguments of a backward: an upstream gradient, far from 1, before those of the forward."""
    return {"grad_out": draw(st.sampled_from([-1.5, 0.25, 3.0, 1.0])), **draw(drawn)}


@exercise(
    "linear_regression_loss_backward",
    points=3,
    contract=contract(
        with_upstream(regressions()), mse_slopes, names=("grad_out", "x", "y", "w", "b"), refuses=FITTING
    ),
)
class TestLinearRegressionLossBackward:
    @idea
    def test_worked_values(self, student):
        """Errors 1, -2, 0 of the samples 1, 3, 0: with the upstream gradient 3 the slopes are -10 and -2."""
        answer = student.linear_regression_loss_backward(3.0, array((1,), (3,), (0,)), array(2, 9, 1), array(2), 1.0)
        assert_close(answer, (array(-10), -2.0))

    @idea
    @given(drawn=regressions())
    def test_where_everything_is_right(self, student, drawn):
        """Where every prediction is right, nothing is passed back."""
        x, w, b = drawn["x"], drawn["w"], drawn["b"]
        answer = student.linear_regression_loss_backward(2.0, x, by_loop(x, w, b), w, b)
        assert_close(answer, (np.zeros_like(w), 0.0))


SLOPES = {
    "lambda v: (v ** 2).sum()": lambda v, eps: 2 * v,
    "lambda v: (v ** 3).sum()": lambda v, eps: 3 * v**2 + eps**2,
    "lambda v: (v * v[..., ::-1]).sum() / 2": lambda v, eps: v[..., ::-1],
    "lambda v: 7.0": lambda v, eps: 0 * v,
    "lambda v: np.sin(v).sum()": lambda v, eps: np.cos(v) * np.sin(eps) / eps,
}
FUNCTIONS = callbacks(list(SLOPES))
CUBES = Callback("lambda v: (v ** 3).sum()")


def assert_slopes(student: Any, f: Callback, x: np.ndarray, eps: float) -> None:
    """Compares with the formula, and says what the function is on both sides of an entry."""
    answer, right = student.numerical_gradient(f, x, eps), SLOPES[f.source](x, eps)

    def reading() -> str:
        if answer.shape != x.shape:
            return ""
        place = tuple(int(n) for n in np.argwhere(~np.isclose(answer, right))[0])
        step = np.zeros_like(x)
        step[place] = eps
        return (
            f"A step of {eps:g} up and down in entry {place[0]} gives {f(x + step):.6g} and {f(x - step):.6g}, {2 * eps:g} "
            f"apart: a slope of {right[place]:.6g}. The answer has {answer[place]:.6g}."
        )

    with explained(reading):
        assert_close(answer, right)


@exercise("numerical_gradient", points=3, rules=PLAIN, forbid=("gradient", "approx_fprime", "approx_derivative"))
class TestNumericalGradient:
    @idea
    def test_worked_values(self, student):
        """The sum of cubes at (1, -2): steps of 0.5 to both sides give (3.25, 12.25), tiny ones (3, 12)."""
        assert_slopes(student, CUBES, array(1, -2), 0.5)
        assert_close(student.numerical_gradient(CUBES, array(1, -2)), array(3, 12))

    @idea
    @given(f=FUNCTIONS, x=arrays(min_ndim=1, max_ndim=1), eps=st.sampled_from([0.5, 0.1, 0.01]))
    def test_both_sides(self, student, f, x, eps):
        """It is the slope of the line through the values at x_i - eps and x_i + eps, for each entry."""
        assert_slopes(student, f, x, eps)

    @case
    @given(f=FUNCTIONS, x=arrays(min_ndim=1, max_ndim=3))
    def test_any_shape(self, student, f, x):
        """For an array of any shape the gradient is shaped like it, and right to seven digits without an eps."""
        assert_close(student.numerical_gradient(f, x), SLOPES[f.source](x, 1e-5), rtol=1e-7, atol=1e-7)

    @case
    @given(x=arrays(min_ndim=1, max_ndim=2))
    def test_arguments_stay(self, student, x):
        """x is not changed, not even in its last digit."""
        student.numerical_gradient(CUBES, x)
        assert_unchanged(student)

    @case
    @given(x=arrays(min_ndim=2, max_ndim=2))
    def test_not_contiguous(self, student, x):
        """How x lies in memory makes no difference."""
        for laid in (np.asfortranarray(x), np.stack([x, x + 1], axis=-1).reshape(len(x), -1)[:, ::2]):
            assert_close(student.numerical_gradient(CUBES, laid, 0.1), SLOPES[CUBES.source](laid, 0.1))

    @case
    def test_without_an_eps(self, student):
        """Without an eps it steps by 1e-5: a cube that is a million times as steep has the slope 1e-4 at 0."""
        steep = Callback("lambda v: 1e6 * (v ** 3).sum()")
        assert_close(student.numerical_gradient(steep, array(0, 0, 0)), array(1e-4, 1e-4, 1e-4))

    @refusal
    def test_bad_eps(self, student):
        """An eps that is not positive raises ValueError that names it."""
        for eps in (0.0, -1e-5):
            with raises(ValueError, naming="eps", because=f"eps is {eps}"):
                student.numerical_gradient(CUBES, array(1, 2), eps)


# Where it is far from 0 in every entry, so that what is planted is seen.
AWAY = arrays(min_ndim=1, max_ndim=2, low=1, high=3)


def relative(grad: np.ndarray, right: np.ndarray) -> float:
    """The distance of two gradients over the sum of their lengths."""
    size = np.linalg.norm(grad) + np.linalg.norm(right)
    return float(np.linalg.norm(grad - right) / size) if size else 0.0


def assert_off(student: Any, f: Callback, x: np.ndarray, grad: np.ndarray, right: np.ndarray) -> None:
    """Compares with the gradient by formula, and says how long everything is."""
    answer = student.gradient_check(f, x, grad)
    lengths = [float(np.linalg.norm(one)) for one in (grad - right, grad, right)]
    with explained(
        lambda: (
            "The difference of the two gradients has the length {:.4g}, they themselves {:.4g} and {:.4g}; ".format(
                *lengths
            )
            + f"the answer is {answer:.4g}."
        )
    ):
        assert_close(answer, relative(grad, right), atol=1e-5)


@exercise("gradient_check", points=2, rules=PLAIN, forbid=("check_grad", "approx_fprime", "gradient"))
class TestGradientCheck:
    @idea
    def test_worked_values(self, student):
        """The sum of squares has the gradient (2, 4) at (1, 2): (4, 8) is off by 1/3, (4, 2) by the root of 0.1, (-2, -4) by 1."""
        squares = Callback("lambda v: (v ** 2).sum()")
        for grad in (array(4, 8), array(4, 2), array(-2, -4), array(2, 4)):
            assert_off(student, squares, array(1, 2), grad, array(2, 4))

    @idea
    @given(x=AWAY, factor=st.sampled_from([0.5, 1.01, -1.0, 3.0]), place=st.integers(0, 9))
    def test_a_planted_mistake(self, student, x, factor, place):
        """With one entry of a gradient times a number, the answer is how far that is off."""
        right = 3 * x**2
        grad = right.copy()
        grad.flat[place % grad.size] *= factor
        assert_off(student, CUBES, x, grad, right)

    @case
    @given(f=FUNCTIONS, x=arrays(min_ndim=1, max_ndim=2), factor=st.sampled_from([0.0, 1.0, 2.0]))
    def test_gradients_of_zero(self, student, f, x, factor):
        """It holds for every function; where both gradients are 0, the difference is 0."""
        right = SLOPES[f.source](x, 1e-5)
        assert_off(student, f, x, factor * right, right)

    @case
    @given(x=AWAY)
    def test_arguments_stay(self, student, x):
        """No argument is changed in place."""
        student.gradient_check(CUBES, x, 3 * x**2)
        assert_unchanged(student)

    @refusal
    def test_another_shape(self, student):
        """A gradient of another shape raises ValueError that names it."""
        with raises(ValueError, naming="grad", because="x has shape (2,), grad (2, 1)"):
            student.gradient_check(CUBES, array(1, 2), array((3,), (12,)))


def solvable(seed: int) -> dict[str, np.ndarray]:
    """A table with more rows than columns, far from having columns that are made of the others."""
    d = 1 + seed % 3
    n = d + 2 + seed // 3 % 4
    x = numbers(seed, n, d, low=-3, high=3).numpy()
    x[:d] += 4 * np.eye(d)
    return {"x": x, "y": numbers(seed + 1, n, low=-3, high=3).numpy()}


def best(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """numpy's own least squares, with a column of ones."""
    found = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]
    return found[:-1], float(found[-1])


TABLES = st.integers(0, 200).map(solvable)


@exercise(
    "normal_equation",
    points=3,
    forbid=("lstsq", "pinv", "polyfit", "qr", "svd", "LinearRegression"),
    contract=contract(
        TABLES,
        best,
        agrees="Weights and bias agree with numpy's least squares.",
        slack=100.0,
        names=("x", "y"),
        refuses=(another_number_of_axes("x", or_naming=("y",)), another_shape("y", or_naming=("x",))),
    ),
)
class TestNormalEquation:
    @idea
    def test_worked_values(self, student):
        """The points (0, 1), (1, 1), (2, 4) are best met by the line 0.5 + 1.5 x."""
        assert_close(student.normal_equation(array((0,), (1,), (2,)), array(1, 1, 4)), (array(1.5), 0.5))

    @case
    def test_not_contiguous(self, student):
        """How its arguments lie in memory makes no difference."""
        table = solvable(5)
        x, y = table["x"], table["y"]
        for laid in (np.asfortranarray(x), np.stack([x, x + 1], axis=-1).reshape(len(x), -1)[:, ::2]):
            assert_close(student.normal_equation(laid, y[::-1].copy()[::-1]), best(x, y))

    @idea
    @given(table=TABLES, shift=st.sampled_from([-20.0, 0.5, 6.0]))
    def test_a_higher_truth(self, student, table, shift):
        """All targets higher by a number: the bias grows by it, and the weights stay."""
        w, b = best(**table)
        assert_close(student.normal_equation(table["x"], table["y"] + shift), (w, b + shift))


@st.composite
def steps(draw: Callable[..., Any]) -> dict[str, Any]:
    """Some arrays with gradients, and a learning rate."""
    found = [draw(shapes(0, 2)) for _ in range(draw(st.integers(1, 3)))]
    params = [draw(arrays(shape=shape)) for shape in found]
    grads = [draw(arrays(shape=shape)) for shape in found]
    return {"params": params, "grads": grads, "lr": draw(floats(0.01, 3))}


def stepped(params: list[np.ndarray], grads: list[np.ndarray], lr: float) -> list[np.ndarray]:
    """Entry by entry."""
    return [np.array(p - lr * g) for p, g in zip(params, grads, strict=True)]


@exercise(
    "sgd_step",
    points=1,
    rules=PLAIN,
    contract=contract(
        steps(), stepped, names=("params", "grads", "lr"), agrees="Every entry moves by -lr times its slope."
    ),
)
class TestSgdStep:
    @idea
    def test_worked_values(self, student):
        """Parameters (1, 2) and 3 with gradients (10, -20) and 4: with lr 0.1 they become (0, 4) and 2.6."""
        answer = student.sgd_step([array(1, 2), np.array(3.0)], [array(10, -20), np.array(4.0)], 0.1)
        assert_close(answer, [array(0, 4), np.array(2.6)])

    @case
    def test_no_parameter(self, student):
        """Of no parameters nothing moves: the list is empty."""
        assert_close(student.sgd_step([], [], 0.5), [])

    @refusal
    @given(drawn=steps())
    def test_gradients_that_do_not_fit(self, student, drawn):
        """A missing gradient, one too many, or one of another shape raises ValueError that names grads."""
        params, grads, lr = drawn["params"], drawn["grads"], drawn["lr"]
        longer = np.ones((*grads[0].shape, 2))
        for bad, why in (
            (grads[1:], "one gradient is missing"),
            ([*grads, grads[0]], "there is one gradient too many"),
            ([longer, *grads[1:]], f"a gradient has shape {longer.shape}, its parameter {params[0].shape}"),
            (
                [longer[..., :1], *grads[1:]],
                f"a gradient has shape {longer[..., :1].shape}, its parameter {params[0].shape}",
            ),
        ):
            with raises(ValueError, naming="grads", because=why):
                student.sgd_step(params, bad, lr)


@st.composite
def descents(draw: Callable[..., Any]) -> dict[str, Any]:
    """A regression with a learning rate and a few steps."""
    drawn = draw(regressions())
    return {**drawn, "lr": draw(st.sampled_from([0.01, 0.05, 0.2, 0.6])), "steps": draw(st.integers(1, 4))}


def descended(
    x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float, lr: float, steps: int
) -> tuple[np.ndarray, float, list[float]]:
    """Gradient descent by torch's own gradients."""
    losses = []
    for _ in range(steps):
        losses.append(float(((x @ w + b - y) ** 2).mean()))
        grad_w, grad_b = mse_slopes(1.0, x, y, w, b)
        w, b = w - lr * grad_w, b - lr * grad_b
    return w, b, losses


TRAINING = {"keywords": ("lr", "steps"), "scaled": (), "slack": 50.0}


@exercise(
    "train_linear_regression",
    points=3,
    forbid=("lstsq", "pinv", "solve"),
    contract=contract(
        descents(),
        descended,
        agrees="Weights, bias and losses agree with gradient descent by torch's own gradients.",
        names=("x", "y", "w", "b", "lr", "steps"),
        refuses=(*FITTING, not_positive("lr"), bad_values("steps", -1, 1.5)),
        **TRAINING,
    ),
)
class TestTrainLinearRegression:
    @idea
    def test_worked_values(self, student):
        """One sample x = 1, y = 3 from w = 0, b = 0 with lr 1/8: losses 9 and 2.25, then w = b = 1.125."""
        answer = student.train_linear_regression(array((1,)), array(3), array(0), 0.0, lr=0.125, steps=2)
        assert_close(answer, (array(1.125), 1.125, [9.0, 2.25]))

    @idea
    def test_where_it_begins(self, student):
        """From w = 2, b = 1 with the same sample nothing is left to do: it begins where it is told."""
        answer = student.train_linear_regression(array((1,)), array(3), array(2), 1.0, lr=0.1, steps=1)
        assert_close(answer, (array(2), 1.0, [0.0]))

    @case
    @given(drawn=regressions())
    def test_no_step(self, student, drawn):
        """With no step nothing has changed, and there is no loss."""
        answer = student.train_linear_regression(**drawn, lr=0.1, steps=0)
        assert_close(answer, (drawn["w"], float(drawn["b"]), []))


def halves(*shape: int) -> st.SearchStrategy[np.ndarray]:
    """Arrays of halves: sums of their products are exact, in whatever order they are added up."""
    return arrays(shape=shape).map(lambda x: np.round(2 * x) / 2)


@st.composite
def single(draw: Callable[..., Any], target: Any, values: Any = halves, **rates: Any) -> dict[str, Any]:
    """One sample with its target, and a model."""
    d = draw(st.integers(1, 4))
    drawn = {"x": draw(values(d)), "y": draw(target), "w": draw(values(d))}
    # An eighth more than a half: the sum is never exactly 0, which is a case of its own.
    return {**drawn, "b": draw(st.integers(-4, 4)) / 2 + 0.125, **{name: draw(rate) for name, rate in rates.items()}}


def perceptron(x: np.ndarray, y: int, w: np.ndarray, b: float, lr: float = 1.0) -> tuple[np.ndarray, float]:
    """Case by case."""
    says_yes = sum(x.tolist()[i] * w.tolist()[i] for i in range(len(x))) + b >= 0
    sign = 0 if says_yes == (y == 1) else 1 if y == 1 else -1
    return w + np.asarray(sign * lr * x, dtype=w.dtype), b + sign * lr


OTHER_SHAPE = another_shape("w", or_naming=("x",))


@exercise(
    "perceptron_step",
    points=2,
    contract=contract(
        single(st.integers(0, 1), lr=st.sampled_from([1.0, 0.25, 2.0])),
        perceptron,
        agrees="What is right stays, what is wrong moves by lr times the sample, towards it or away.",
        names=("x", "y", "w", "b", "lr"),
        scaled=("x",),
        refuses=(OTHER_SHAPE, bad_values("y", 2, -1)),
    ),
)
class TestPerceptronStep:
    @idea
    def test_worked_values(self, student):
        """Weights (1, -1), bias 0.5, sample (2, 1), sum 1.5: right for class 1; for class 0 they become (-1, -2), -0.5."""
        x, w = array(2, 1), array(1, -1)
        assert_close(student.perceptron_step(x, 1, w, 0.5), (array(1, -1), 0.5))
        assert_close(student.perceptron_step(x, 0, w, 0.5), (array(-1, -2), -0.5))
        assert_close(student.perceptron_step(-x, 1, w, 0.5), (array(-1, -2), 1.5))
        assert_close(student.perceptron_step(array(1, 2), 1, w, 2.0), (w, 2.0))

    @case
    def test_exactly_0(self, student):
        """A sum of exactly 0 is answered with 1: class 1 stays, class 0 moves."""
        x, w = array(1, 1), array(2, -2)
        assert_close(student.perceptron_step(x, 1, w, 0.0), (w, 0.0))
        assert_close(student.perceptron_step(x, 0, w, 0.0), (array(1, -3), -1.0))

    @case
    @given(drawn=single(st.integers(0, 1)))
    def test_without_a_rate(self, student, drawn):
        """Without a learning rate it is 1."""
        assert_close(student.perceptron_step(**drawn), perceptron(**drawn))


def half_squared(x: Any, y: Any, w: Any, b: Any) -> Any:
    """Half the squared error of a sigmoid neuron, in torch."""
    return (torch.sigmoid(x @ w + b) - y) ** 2 / 2


def moved(x: np.ndarray, y: float, w: np.ndarray, b: float, lr: float) -> tuple[np.ndarray, float]:
    """A step by torch's own gradients."""
    grad_w, grad_b = gradient_of(half_squared, (2, 3), 1.0, [x, float(y), w, np.array(float(b))])
    return w - lr * grad_w, float(b - lr * grad_b)


@exercise(
    "delta_rule",
    points=2,
    forbid=("expit", "sigmoid"),
    contract=contract(
        single(st.sampled_from([0.0, 1.0, 0.25]), lr=st.sampled_from([0.5, 2.0, 8.0])),
        moved,
        agrees="The step is that of torch's own gradient of half the squared error.",
        names=("x", "y", "w", "b", "lr"),
        refuses=(OTHER_SHAPE,),
    ),
)
class TestDeltaRule:
    @idea
    def test_worked_values(self, student):
        """Sum 0, answer 1/2, target 1, lr 8: delta is -1/8, so the weights move by the sample and the bias by 1."""
        assert_close(student.delta_rule(array(2, 1), 1.0, array(1, -2), 0.0, 8.0), (array(3, -1), 1.0))

    @idea
    def test_a_target_that_is_met(self, student):
        """Where the answer is the target nothing moves."""
        assert_close(student.delta_rule(array(2, 1), 0.5, array(1, -2), 0.0, 8.0), (array(1, -2), 0.0))


@st.composite
def classifications(draw: Callable[..., Any]) -> dict[str, Any]:
    """Samples with classes, and a model with a score for each class."""
    n, d, k = draw(shapes(3, 3, 2))
    y = draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    return {
        "x": draw(arrays(shape=(n, d), low=-2, high=2)),
        "y": np.array(y),
        "w": draw(arrays(shape=(k, d), low=-2, high=2)),
        "b": draw(arrays(shape=(k,), low=-2, high=2)),
    }


def cross_entropy(x: Any, y: Any, w: Any, b: Any) -> Any:
    """torch's own cross-entropy of the scores."""
    return torch.nn.functional.cross_entropy(x @ w.T + b, y.long())


def no_class(arguments: Any) -> tuple[np.ndarray, ...]:
    """Classes of which the first is none."""
    rest = arguments["y"][1:]
    return np.append(rest, len(arguments["w"])), np.append(rest, -1)


CLASSES = (WEIGHTS, another_shape("b", or_naming=("w",)), another_length("y", 0, or_naming=("x",)))
SOFTMAX = contract(
    classifications(),
    with_arrays(cross_entropy),
    names=("x", "y", "w", "b"),
    magnitudes=(1.0, 1e-3, 8.0),
    refuses=CLASSES,
)
LARGE = st.sampled_from([30.0, 300.0])


@exercise(
    "softmax_regression_loss",
    points=3,
    contract=SOFTMAX,
    forbid=("softmax", "log_softmax", "logsumexp", "cross_entropy", "logaddexp"),
)
class TestSoftmaxRegressionLoss:
    @idea
    def test_worked_values(self, student):
        """Scores (0, log 3) and (0, 0), classes 1 and 0: -log 3/4 and log 2, on average 0.4904."""
        w = array((0,), (np.log(3),))
        right = (np.log(4 / 3) + np.log(2)) / 2
        assert_close(student.softmax_regression_loss(array((1,), (0,)), np.array([1, 0]), w, array(0, 0)), float(right))

    @case
    @given(drawn=classifications(), factor=LARGE)
    @example(
        drawn={"x": array((3,), (-3,)), "y": np.array([1, 1]), "w": array((1,), (-1,)), "b": array(0, 0)}, factor=300.0
    )
    def test_large_scores(self, student, drawn, factor):
        """Scores of some thousand overflow nothing: there is no nan and no inf."""
        drawn = {**drawn, "w": factor * drawn["w"]}
        assert_close(student.softmax_regression_loss(**drawn), SOFTMAX.oracle(*drawn.values()))

    @case
    @given(drawn=classifications(), dtype=st.sampled_from(["uint8", "int32"]))
    def test_any_whole_numbers(self, student, drawn, dtype):
        """Classes may be of any whole dtype."""
        answer = student.softmax_regression_loss(**{**drawn, "y": drawn["y"].astype(dtype)})
        assert_close(answer, SOFTMAX.oracle(*drawn.values()))

    @refusal
    @given(drawn=classifications())
    def test_no_class(self, student, drawn):
        """A class outside 0 ... K - 1 raises ValueError that names y."""
        for y in no_class(drawn):
            with raises(ValueError, naming="y", because=f"y is {y.tolist()}, there are {len(drawn['w'])} classes"):
                student.softmax_regression_loss(**{**drawn, "y": y})


def softmax_slopes(
    grad_out: float, x: np.ndarray, y: np.ndarray, w: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """torch's own gradients for weights and biases."""
    grad_w, grad_b = gradient_of(cross_entropy, (2, 3), grad_out, [x, y, w, b])
    return grad_w, grad_b


@exercise(
    "softmax_regression_loss_backward",
    points=3,
    forbid=("softmax", "log_softmax", "logsumexp"),
    contract=contract(
        with_upstream(classifications()),
        softmax_slopes,
        names=("grad_out", "x", "y", "w", "b"),
        magnitudes=(1.0, 1e-3, 8.0),
        refuses=CLASSES,
    ),
)
class TestSoftmaxRegressionLossBackward:
    @idea
    def test_worked_values(self, student):
        """x = (1), (0), scores (0, log 3) and (0, 0), classes 1 and 0, upstream 8: (1, -1) for w, (-1, 1) for b."""
        w = array((0,), (np.log(3),))
        answer = student.softmax_regression_loss_backward(8.0, array((1,), (0,)), np.array([1, 0]), w, array(0, 0))
        assert_close(answer, (array((1,), (-1,)), array(-1, 1)))

    @idea
    @given(drawn=classifications())
    def test_the_classes_share_one_sum(self, student, drawn):
        """Over the classes the gradients add up to 0: probability can only be moved around."""
        grad_w, grad_b = student.softmax_regression_loss_backward(2.0, **drawn)
        assert_close(grad_w.sum(0), np.zeros(drawn["w"].shape[1]))
        assert_close(np.array(grad_b.sum()), np.array(0.0))

    @case
    @given(drawn=classifications(), factor=LARGE)
    def test_large_scores(self, student, drawn, factor):
        """Scores of some thousand overflow nothing: there is no nan and no inf."""
        drawn = {**drawn, "w": factor * drawn["w"]}
        assert_close(student.softmax_regression_loss_backward(2.0, **drawn), softmax_slopes(2.0, **drawn))

    @case
    @given(drawn=classifications(), dtype=st.sampled_from(["uint8", "int32"]))
    def test_any_whole_numbers(self, student, drawn, dtype):
        """Classes may be of any whole dtype."""
        answer = student.softmax_regression_loss_backward(2.0, **{**drawn, "y": drawn["y"].astype(dtype)})
        assert_close(answer, softmax_slopes(2.0, **drawn))


@st.composite
def trainings(draw: Callable[..., Any]) -> dict[str, Any]:
    """Samples with classes, a learning rate and a few steps."""
    drawn = draw(classifications())
    return {
        "x": drawn["x"],
        "y": drawn["y"],
        "num_classes": len(drawn["w"]),
        "lr": draw(st.sampled_from([0.1, 0.5, 2.0])),
        "steps": draw(st.integers(1, 4)),
    }


def trained(
    x: np.ndarray, y: np.ndarray, num_classes: int, lr: float, steps: int
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Gradient descent by torch's own gradients, from 0."""
    w, b, losses = np.zeros((num_classes, x.shape[1]), x.dtype), np.zeros(num_classes, x.dtype), []
    for _ in range(steps):
        losses.append(float(with_arrays(cross_entropy)(x, y, w, b)))
        grad_w, grad_b = softmax_slopes(1.0, x, y, w, b)
        w, b = w - lr * grad_w, b - lr * grad_b
    return w, b, losses


@exercise(
    "train_softmax_regression",
    points=3,
    forbid=("softmax", "log_softmax", "LogisticRegression"),
    contract=contract(
        trainings(),
        trained,
        agrees="Weights, biases and losses agree with gradient descent by torch's own gradients.",
        names=("x", "y", "num_classes", "lr", "steps"),
        refuses=(another_length("y", 0, or_naming=("x",)), not_positive("lr"), bad_values("steps", -1, 1.5)),
        **TRAINING,
    ),
)
class TestTrainSoftmaxRegression:
    @idea
    def test_worked_values(self, student):
        """x = (2), class 1 of 2, lr 0.5: from the loss log 2 to weights (-0.5, 0.5) and biases (-0.25, 0.25)."""
        answer = student.train_softmax_regression(array((2,)), np.array([1]), 2, lr=0.5, steps=1)
        assert_close(answer, (array((-0.5,), (0.5,)), array(-0.25, 0.25), [float(np.log(2))]))

    @case
    @given(drawn=classifications())
    def test_no_step(self, student, drawn):
        """With no step weights and biases are 0, and there is no loss."""
        k = len(drawn["w"])
        answer = student.train_softmax_regression(drawn["x"], drawn["y"], k, lr=0.1, steps=0)
        assert_close(answer, (np.zeros_like(drawn["w"]), np.zeros(k), []))


@st.composite
def hierarchies(draw: Callable[..., Any]) -> dict[str, np.ndarray]:
    """Scores of groups and of classes, of which every group has one at least."""
    n, groups = draw(st.sampled_from([(2, 3), (3, 2), (1, 2), (4, 3), (2, 1)]))
    more = draw(st.lists(st.integers(0, groups - 1), max_size=3))
    group_of = np.array(draw(st.permutations([*range(groups), *more])))
    return {
        "group_scores": draw(arrays(shape=(n, groups))),
        "class_scores": draw(arrays(shape=(n, len(group_of)))),
        "group_of": group_of,
    }


def chosen_twice(group_scores: np.ndarray, class_scores: np.ndarray, group_of: np.ndarray) -> np.ndarray:
    """Sample by sample and class by class, with torch's softmax."""
    out = np.zeros_like(class_scores)
    for n in range(len(out)):
        of_group = torch.softmax(torch.tensor(group_scores[n]), 0)
        for k in range(out.shape[1]):
            inside = [j for j in range(out.shape[1]) if group_of[j] == group_of[k]]
            share = torch.softmax(torch.tensor(class_scores[n, inside]), 0)[inside.index(k)]
            out[n, k] = float(of_group[group_of[k]] * share)
    return out


@exercise(
    "hierarchical_probabilities",
    points=3,
    rules=Rules(library="numpy", vectorised=True, loops_over=("G",)),
    forbid=("softmax", "log_softmax"),
    contract=contract(
        hierarchies(),
        chosen_twice,
        agrees="It is the probability of the group times that of the class within it.",
        names=("group_scores", "class_scores", "group_of"),
        batch={"group_scores": 0, "class_scores": 0},
        refuses=(
            another_number_of_axes("group_scores", or_naming=("class_scores",)),
            another_length("class_scores", 0, or_naming=("group_scores",)),
            another_length("group_of", 0, or_naming=("class_scores",)),
        ),
    ),
)
class TestHierarchicalProbabilities:
    @case
    @given(drawn=hierarchies())
    def test_not_contiguous(self, student, drawn):
        """How its arguments lie in memory makes no difference."""
        laid = {name: np.asfortranarray(value) for name, value in drawn.items()}
        assert_close(student.hierarchical_probabilities(**laid), chosen_twice(**drawn))
        laid = {name: np.stack([x, x + 1], -1).reshape(*x.shape[:-1], -1)[..., ::2] for name, x in drawn.items()}
        assert_close(student.hierarchical_probabilities(**laid), chosen_twice(**drawn))

    @idea
    def test_worked_values(self, student):
        """Groups 3/4 and 1/4; in the first two classes, 1/4 and 3/4, in the second one alone: (3/16, 1/4, 9/16)."""
        answer = student.hierarchical_probabilities(
            array((np.log(3), 0)), array((5, 1, 5 + np.log(3))), np.array([0, 1, 0])
        )
        assert_close(answer, array((3 / 16, 1 / 4, 9 / 16)))

    @idea
    @given(drawn=hierarchies(), shift=st.sampled_from([-3.0, 2.0]))
    def test_scores_count_within_their_group(self, student, drawn, shift):
        """All class scores of one group higher by a number: nothing changes."""
        moved = drawn["class_scores"] + shift * (drawn["group_of"] == 0)
        answer = student.hierarchical_probabilities(drawn["group_scores"], moved, drawn["group_of"])
        assert_close(answer, chosen_twice(**drawn))

    @case
    @given(drawn=hierarchies(), factor=LARGE)
    def test_large_scores(self, student, drawn, factor):
        """Scores of some thousand overflow nothing, and those of one group take nothing from another."""
        drawn = {
            **drawn,
            "group_scores": factor * drawn["group_scores"],
            "class_scores": factor * drawn["class_scores"],
        }
        assert_close(student.hierarchical_probabilities(**drawn), chosen_twice(**drawn))
