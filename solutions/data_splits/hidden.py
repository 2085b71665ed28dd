"""Hidden checks of the assignment on splitting data: larger inputs."""

import numpy as np
from hypothesis import given

from autograder.testing import SEEDS, assert_right, case, exercise, few_examples

from . import reference


def entries(part):
    return sorted(np.asarray(part).tolist())


@exercise("k_fold")
class TestKFold:
    @case
    @few_examples
    @given(seed=SEEDS)
    def test_many_samples(self, student, seed):
        """With hundreds of samples the folds are as large as they should be, and complete."""
        folds = student.k_fold(503, 10, rng=np.random.default_rng(seed))
        right = reference.k_fold(503, 10, rng=np.random.default_rng(seed))
        sizes = sorted(len(val) for _, val in folds)
        assert_right(sizes == sorted(len(val) for _, val in right), f"Of 503 samples 10 folds have the sizes {sizes}.")
        every = entries(np.concatenate([val for _, val in folds]))
        assert_right(every == list(range(503)), "Of 503 samples not every one is validated once.")
        for train, val in folds:
            complete = entries(np.concatenate([train, val])) == list(range(503))
            assert_right(complete, "Of 503 samples some are in neither part of a pair, or in both.")
