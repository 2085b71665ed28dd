"""Hidden checks of the assignment on tensors: larger inputs, compared with the reference."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autograder.testing import assert_close, case, exercise, numbers

from . import reference


@exercise("chi2")
class TestChi2:
    @case
    @given(seed=st.integers(0, 99))
    def test_many_classes(self, student, seed):
        """With seven classes among sixty rows the scores are right too."""
        x = numbers(seed, 60, 5, low=0, high=9).numpy()
        y = (numbers(seed + 1, 60, low=0, high=6, digits=0).numpy() - 3).astype(np.int64)
        assert_close(student.chi2(x, y), reference.chi2(x, y))


@exercise("covariance")
class TestCovariance:
    @case
    @given(seed=st.integers(0, 99))
    def test_many_rows(self, student, seed):
        """With fifty rows the covariances are right too."""
        x = numbers(seed, 50, 4, low=-9, high=9).numpy()
        assert_close(student.covariance(x), reference.covariance(x))
