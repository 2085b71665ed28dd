"""Hidden checks of the assignment on linear models: larger inputs, compared with the reference."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autograder.testing import assert_close, case, exercise, numbers

from . import reference

SEEDS = st.integers(0, 99)


def samples(seed, n=30, d=6):
    """Samples with a target and a class each."""
    x = numbers(seed, n, d, low=-2, high=2).numpy()
    y = numbers(seed + 1, n, low=-3, high=3).numpy()
    return x, y, (np.abs(10 * y) % 5).astype(np.int64)


@exercise("train_linear_regression")
class TestTrainLinearRegression:
    @case
    @given(seed=SEEDS)
    def test_many_steps(self, student, seed):
        """After forty steps on thirty samples it is where gradient descent is."""
        x, y, _ = samples(seed)
        given = x, y, np.zeros(6), 0.0
        assert_close(
            student.train_linear_regression(*given, lr=0.05, steps=40),
            reference.train_linear_regression(*given, lr=0.05, steps=40),
        )


@exercise("train_softmax_regression")
class TestTrainSoftmaxRegression:
    @case
    @given(seed=SEEDS)
    def test_many_steps(self, student, seed):
        """After twenty steps on thirty samples of five classes it is where gradient descent is."""
        x, _, y = samples(seed)
        assert_close(
            student.train_softmax_regression(x, y, 5, lr=0.3, steps=20),
            reference.train_softmax_regression(x, y, 5, lr=0.3, steps=20),
        )


@exercise("softmax_regression_loss_backward")
class TestSoftmaxRegressionLossBackward:
    @case
    @given(seed=SEEDS)
    def test_many_classes(self, student, seed):
        """With thirty samples of five classes the gradients are right too."""
        x, _, y = samples(seed)
        w, b = numbers(seed + 2, 5, 6).numpy(), numbers(seed + 3, 5).numpy()
        assert_close(
            student.softmax_regression_loss_backward(1.5, x, y, w, b),
            reference.softmax_regression_loss_backward(1.5, x, y, w, b),
        )
