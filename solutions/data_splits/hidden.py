"""Hidden checks of the assignment on splitting data: larger inputs."""

import numpy as np
from hypothesis import given

from autograder.testing import SEEDS, case, exercise, few_examples

from . import reference


@exercise("k_fold")
class TestKFold:
    @case
    @few_examples
    @given(seed=SEEDS)
    def test_many_samples(self, student, seed):
        """With hundreds of samples the folds are as large as they should be, and complete."""
        folds = student.k_fold(503, 10, rng=np.random.default_rng(seed))
        right = reference.k_fold(503, 10, rng=np.random.default_rng(seed))
        assert sorted(len(val) for _, val in folds) == sorted(len(val) for _, val in right)
        assert sorted(i for _, val in folds for i in np.asarray(val).tolist()) == list(range(503))
        for train, val in folds:
            assert sorted([*np.asarray(train).tolist(), *np.asarray(val).tolist()]) == list(range(503))
