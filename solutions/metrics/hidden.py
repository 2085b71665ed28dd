"""Hidden checks of the assignment on metrics: larger inputs, compared with the reference."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autograder.testing import assert_close, case, exercise, numbers

from . import reference

SEEDS = st.integers(0, 99)


def yes_and_no(seed, *shape):
    """Yes and no, and scores with one digit, among which some are tied."""
    drawn = numbers(seed, *shape).numpy()
    return (numbers(seed + 1, *shape).numpy() + 0.3 * drawn > 0.2).astype(np.int64), drawn


@exercise("confusion_matrix")
class TestConfusionMatrix:
    @case
    @given(seed=SEEDS)
    def test_many_classes(self, student, seed):
        """With seven classes among sixty samples the counts are right too."""
        y_true, y_pred = (numbers(seed + n, 60, low=0, high=6, digits=0).numpy().astype(np.int64) for n in (0, 1))
        assert_close(student.confusion_matrix(y_true, y_pred, 7), reference.confusion_matrix(y_true, y_pred, 7))


@exercise("roc_auc")
class TestRocAuc:
    @case
    @given(seed=SEEDS)
    def test_many_samples(self, student, seed):
        """Among sixty samples, many of them tied, the area is right too."""
        assert_close(student.roc_auc(*yes_and_no(seed, 60)), reference.roc_auc(*yes_and_no(seed, 60)))


@exercise("average_precision")
class TestAveragePrecision:
    @case
    @given(seed=SEEDS)
    def test_many_samples(self, student, seed):
        """Among sixty samples, many of them tied, the average is right too."""
        assert_close(
            student.average_precision(*yes_and_no(seed, 60)), reference.average_precision(*yes_and_no(seed, 60))
        )


@exercise("ndcg")
class TestNdcg:
    @case
    @given(seed=SEEDS, k=st.sampled_from([None, 5]))
    def test_many_things(self, student, seed, k):
        """With twenty things a query, many of them tied, the gain is right too."""
        y_true, y_score = yes_and_no(seed, 3, 20)
        assert_close(student.ndcg(y_true * 3.0, y_score, k), reference.ndcg(y_true * 3.0, y_score, k))
