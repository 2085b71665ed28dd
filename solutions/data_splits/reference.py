"""Reference solutions of the assignment on splitting data.

A split is told by indices: arrays of whole numbers that say which samples belong to a part. Random functions draw from
the generator that they are given, and from nothing else.
"""

from collections.abc import Callable

import numpy as np

from autograder.guards import require_between, require_ndim, require_shape, require_whole


def train_val_test_split(
    n: int, val_size: float, test_size: float, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deals ``n`` samples into three sets by chance: each sample into exactly one, all with the same chance.

    Args:
        n: how many samples there are; they have the indices 0 ... n - 1.
        val_size: share of the samples for the validation set, in [0, 1].
        test_size: share of the samples for the test set, in [0, 1].
        rng: source of randomness.
    Returns:
        train: indices of all other samples, whole numbers, shape (N_train,), in any order.
        val: indices of ``round(val_size * n)`` samples.
        test: indices of ``round(test_size * n)`` samples.
    Raises:
        ValueError: a share lies outside [0, 1], or no sample would be left for training.
    Derivation: any part of a shuffled list is a fair draw without replacement, so one shuffle serves all three.
    Source: Hastie et al. (2009), "The Elements of Statistical Learning", section 7.2.
    """
    require_between(0, 1, val_size=val_size)
    require_between(0, 1, test_size=test_size)
    if round(val_size * n) + round(test_size * n) >= n:
        raise ValueError(f"val_size is {val_size}, test_size is {test_size}: of {n} samples none is left for training")
    order = rng.permutation(n)
    val_end = round(val_size * n)
    test_end = val_end + round(test_size * n)
    return order[test_end:], order[:val_end], order[val_end:test_end]


def k_fold(n: int, k: int, *, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Deals ``n`` samples into ``k`` folds by chance; each fold is the validation set once.

    Args:
        n: how many samples there are; they have the indices 0 ... n - 1.
        k: how many folds.
        rng: source of randomness.
    Returns:
        folds: a list of ``k`` pairs ``(train, val)`` of arrays of indices, each in any order.
    Raises:
        ValueError: ``k`` is less than 2 or greater than ``n``; the message names ``k``.
    Derivation: of n = q k + r shuffled samples every k-th goes to the same fold, so the first r folds have q + 1.
    Source: Stone (1974), "Cross-validatory choice and assessment of statistical predictions"; Geisser (1975), "The
        predictive sample reuse method with applications".
    """
    if not 2 <= k <= n:
        raise ValueError(f"k is {k}, with {n} samples it has to be from 2 to {n}")
    order = rng.permutation(n)
    fold = np.arange(n) % k
    return [(order[fold != i], order[fold == i]) for i in range(k)]


def stratified_split(y: np.ndarray, test_size: float, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Splits the samples of each class by themselves, so that both parts have the classes in the same shares.

    Args:
        y: class of each sample, any whole numbers, shape (N,).
        test_size: share of each class for the test set, in [0, 1].
        rng: source of randomness.
    Returns:
        train: indices of all other samples, whole numbers, shape (N_train,), in any order.
        test: indices of ``round(test_size * n_c)`` samples of each class, where ``n_c`` is how many the class has.
    Raises:
        ValueError: ``y`` does not have one axis, or ``test_size`` lies outside [0, 1].
    Derivation: within a class all samples have the same chance, so each class is a plain split of its own.
    Source: Kohavi (1995), "A study of cross-validation and bootstrap for accuracy estimation and model selection".
    """
    require_ndim(1, y=y)
    require_between(0, 1, test_size=test_size)
    in_test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        in_test[members[: round(test_size * len(members))]] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def group_split(groups: np.ndarray, test_size: float, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Splits whole groups: all samples of a group go to the same part.

    Args:
        groups: group of each sample, any whole numbers, shape (N,).
        test_size: share of the groups, not of the samples, for the test set, in [0, 1].
        rng: source of randomness.
    Returns:
        train: indices of all other samples, whole numbers, shape (N_train,), in any order.
        test: indices of all samples of ``round(test_size * G)`` groups, where there are ``G`` different groups.
    Raises:
        ValueError: ``groups`` does not have one axis, or ``test_size`` lies outside [0, 1].
    Derivation: the groups are what is drawn, each with the same chance, and the samples follow.
    Source: Kaufman et al. (2012), "Leakage in data mining: formulation, detection, and avoidance".
    """
    require_ndim(1, groups=groups)
    require_between(0, 1, test_size=test_size)
    names = rng.permutation(np.unique(groups))
    in_test = np.isin(groups, names[: round(test_size * len(names))])
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def minibatches(
    x: np.ndarray, y: np.ndarray, batch_size: int, *, drop_last: bool = False, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The batches of one epoch: every sample once, in an order that is drawn anew.

    Args:
        x: features of each sample, shape (N, ...).
        y: label of each sample, shape (N,).
        batch_size: samples in each batch, at least 1.
        drop_last: whether a last batch that would be smaller is left out.
        rng: source of randomness.
    Returns:
        batches: a list of pairs ``(x_batch, y_batch)`` of arrays, each row of ``x_batch`` with its own label.
    Raises:
        ValueError: ``y`` has another length than ``x``, or ``batch_size`` is not whole or less than 1.
    Derivation: both arrays are read in one and the same shuffled order, ``batch_size`` samples at a time.
    Source: Bottou (2012), "Stochastic gradient descent tricks"; Goodfellow et al. (2016), "Deep Learning", section
        8.1.3.
    """
    require_shape((len(x),), y=y)
    require_whole(1, batch_size=batch_size)
    order = rng.permutation(len(x))
    end = len(x) - len(x) % batch_size if drop_last else len(x)
    parts = [order[start : start + batch_size] for start in range(0, end, batch_size)]
    return [(x[part], y[part]) for part in parts]


def select_model(
    x: np.ndarray,
    y: np.ndarray,
    folds: list[tuple[np.ndarray, np.ndarray]],
    candidates: list[float],
    fit_predict: Callable[[np.ndarray, np.ndarray, np.ndarray, float], np.ndarray],
) -> tuple[float, np.ndarray]:
    """Chooses the candidate with the lowest validation error, averaged over the folds.

    Args:
        x: features of each sample, shape (N, D).
        y: number to be predicted of each sample, shape (N,).
        folds: pairs ``(train, val)`` of arrays of indices.
        candidates: values of the setting to choose from.
        fit_predict: ``fit_predict(x_train, y_train, x_new, candidate)`` learns from the first two and returns
            predictions for the rows of ``x_new``.
    Returns:
        best: the candidate with the lowest score; of several the first.
        scores: for each candidate the mean over the folds of the mean squared error on ``val``, float64.
    Raises:
        ValueError: ``y`` has another length than ``x``, or ``folds`` or ``candidates`` is empty.
    Derivation: a fold's error is measured on samples that its own training did not see; every fold counts the same.
    Source: Hastie et al. (2009), "The Elements of Statistical Learning", section 7.10.1.
    """
    require_shape((len(x),), y=y)
    require_whole(1, folds=len(folds))
    require_whole(1, candidates=len(candidates))
    scores = np.zeros(len(candidates))
    for i, candidate in enumerate(candidates):
        errors = []
        for train, val in folds:
            predicted = fit_predict(x[train], y[train], x[val], candidate)
            errors.append(np.mean((predicted - y[val]) ** 2))
        scores[i] = np.mean(errors)
    return candidates[int(np.argmin(scores))], scores


def learning_curve_diagnosis(train_losses: np.ndarray, val_losses: np.ndarray, target: float, gap: float) -> str:
    """What two learning curves say at their end: "underfit", "good" or "overfit".

    Args:
        train_losses: loss on the training set after each epoch, shape (E,).
        val_losses: loss on the validation set after each epoch, shape (E,).
        target: training loss that is good enough.
        gap: by how much the validation loss may lie above the training loss.
    Returns:
        word: "underfit" where the last training loss does not reach ``target``; of the others "overfit" where the last
            validation loss is too far above it, and else "good".
    Raises:
        ValueError: the two have different lengths, or no entry.
    Derivation: a loss reaches the target if it is at most that, and a gap is small enough if it is at most ``gap``.
        Both conditions are false for nan, which is therefore never "good".
    Source: Goodfellow et al. (2016), "Deep Learning", section 5.2.
    """
    require_shape((len(train_losses),), val_losses=val_losses)
    require_whole(1, train_losses=len(train_losses))
    if not train_losses[-1] <= target:
        return "underfit"
    return "good" if val_losses[-1] - train_losses[-1] <= gap else "overfit"
