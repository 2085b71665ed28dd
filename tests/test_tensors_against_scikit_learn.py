"""The references of `tensors` against scikit-learn, on its real tables and on random ones.

The checks compare with plain loops instead: importing scikit-learn would cost more than grading a submission does.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import MinMaxScaler, MultiLabelBinarizer, OneHotEncoder, StandardScaler

from autograder.course import load_course
from autograder.testing.assignment import load_assignment

COURSE = load_course(Path(__file__).resolve().parent.parent)


@pytest.fixture(scope="module")
def ours() -> dict[str, Callable]:
    return load_assignment(COURSE, "tensors").reference


def random_table() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6)) ** 2
    x[:, 2] = 0.1  # one number all over
    return x, rng.integers(0, 4, 40)


TABLES = {
    "wine": load_wine(return_X_y=True),
    "breast cancer": load_breast_cancer(return_X_y=True),
    "random": random_table(),
}
tables = pytest.mark.parametrize("x, y", TABLES.values(), ids=TABLES)


def halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x[::2], x[1::2]


def holed(x: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(1).random(x.shape) < 0.3, np.nan, x)


@tables
@pytest.mark.parametrize("name, theirs", [("standardize", StandardScaler), ("min_max_scale", MinMaxScaler)])
def test_scaling(ours, x, y, name: str, theirs: type):
    train, new = halves(x)
    np.testing.assert_allclose(ours[name](new, train), theirs().fit(train).transform(new), rtol=1e-9, atol=1e-9)


@tables
def test_missing_values(ours, x, y):
    train, new = halves(holed(x))
    train[:, 0] = np.nan
    filled, missing = ours["impute_missing"](new, train)
    np.testing.assert_allclose(filled, SimpleImputer(keep_empty_features=True).fit(train).transform(new))
    np.testing.assert_array_equal(missing, MissingIndicator(features="all").fit(train).transform(new))


@tables
def test_chi2_and_the_best_features(ours, x, y):
    scores = ours["chi2"](x, y)
    np.testing.assert_allclose(scores, chi2(x, y)[0], atol=1e-9)
    chosen = SelectKBest(chi2, k=4).fit(x, y)
    selected, columns = ours["select_k_best"](x, scores, 4)
    np.testing.assert_array_equal(columns, chosen.get_support(indices=True))
    np.testing.assert_array_equal(selected, chosen.transform(x))


def test_where_scikit_learns_chi2_is_nan(ours):
    """The notebook says so: a feature that is 0 everywhere, and rows of one class, have the score 0."""
    x = np.array([[0.0, 1.0], [0.0, 2.0]])
    for y, right in ((np.array([0, 1]), [np.nan, 1 / 3]), (np.array([5, 5]), [np.nan, np.nan])):
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(chi2(x, y)[0], right)
        np.testing.assert_allclose(ours["chi2"](x, y), np.nan_to_num(right))


def test_where_scikit_learn_keeps_another_of_equals(ours):
    """The notebook says so: among equal scores we keep the first column, scikit-learn the last."""
    x, scores = np.arange(6.0).reshape(2, 3), np.array([2.0, 9.0, 9.0])
    chosen = SelectKBest(lambda x, y: scores, k=1).fit(x, [0, 1])
    assert chosen.get_support(indices=True).tolist() == [2]
    assert ours["select_k_best"](x, scores, 1)[1].tolist() == [1]


@tables
def test_distances(ours, x, y):
    train, new = halves(x)
    np.testing.assert_allclose(ours["pairwise_distances"](new, train), pairwise_distances(new, train), rtol=1e-6)


def test_one_hot_and_multi_hot(ours):
    y = np.array([2, 0, 3, 2, 1])
    np.testing.assert_array_equal(ours["one_hot"](y, 4), OneHotEncoder(sparse_output=False).fit_transform(y[:, None]))
    sequences = [np.array([0, 3, 0]), np.array([], dtype=np.int64), np.array([2, 1])]
    binarizer = MultiLabelBinarizer(classes=range(4))
    np.testing.assert_array_equal(ours["multi_hot"](sequences, 4), binarizer.fit_transform(sequences))
