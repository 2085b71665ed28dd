"""Correct solutions of the assignment on splitting data that go another way than the reference."""

import itertools
import math

import numpy as np

from autograder.guards import require_between, require_ndim, require_shape, require_whole
from autograder.testing import alternative


@alternative("train_val_test_split")
def split_by_sorting_random_numbers(n, val_size, test_size, *, rng):
    require_between(0, 1, val_size=val_size)
    require_between(0, 1, test_size=test_size)
    val, test = (int(np.round(share * n)) for share in (val_size, test_size))
    if val + test >= n:
        raise ValueError("val_size and test_size leave nothing for training")
    return tuple(np.split(np.argsort(rng.random(n)).astype(np.int32), [n - val - test, n - test]))


@alternative("train_val_test_split")
def split_by_choosing(n, val_size, test_size, *, rng):
    require_between(0, 1, val_size=val_size)
    require_between(0, 1, test_size=test_size)
    val, test = round(val_size * n), round(test_size * n)
    if val + test >= n:
        raise ValueError("val_size and test_size leave nothing for training")
    chosen_test = np.sort(rng.choice(n, test, replace=False))
    left = np.setdiff1d(np.arange(n), chosen_test)
    chosen_val = np.sort(rng.choice(left, val, replace=False))
    return np.setdiff1d(left, chosen_val), chosen_val, chosen_test


@alternative("train_val_test_split")
def split_by_names(n, val_size, test_size, *, rng):
    require_between(0, 1, val_size=val_size)
    require_between(0, 1, test_size=test_size)
    val, test = round(val_size * n), round(test_size * n)
    if val + test >= n:
        raise ValueError("val_size and test_size leave nothing for training")
    names = np.repeat([0, 1, 2], [n - val - test, val, test])
    rng.shuffle(names)
    return np.where(names == 0)[0], np.where(names == 1)[0], np.where(names == 2)[0]


@alternative("k_fold")
def folds_by_array_split(n, k, *, rng):
    if k < 2 or k > n:
        raise ValueError(f"k has to be between 2 and {n}, it is {k}")
    order = np.arange(n)
    rng.shuffle(order)
    parts = np.array_split(order, k)
    return [(np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


@alternative("k_fold")
def folds_larger_at_the_end(n, k, *, rng):
    if k not in range(2, n + 1):
        raise ValueError(f"k={k} is too small or too large")
    order, edges = rng.permutation(n).tolist(), [n * i // k for i in range(k + 1)]
    pairs = []
    for low, high in itertools.pairwise(edges):
        train = np.array([order[i] for i in range(n) if not low <= i < high])
        pairs.append((train, np.array(order[low:high])))
    return pairs


@alternative("stratified_split")
def strata_by_sorting(y, test_size, *, rng):
    require_ndim(1, y=y)
    require_between(0, 1, test_size=test_size)
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    _, starts, counts = np.unique(y[order], return_index=True, return_counts=True)
    place = np.arange(len(y)) - np.repeat(starts, counts)
    first = place < np.repeat(np.rint(test_size * counts), counts)
    return order[~first], order[first]


@alternative("stratified_split")
def strata_by_lists(y, test_size, *, rng):
    require_ndim(1, y=y)
    require_between(0, 1, test_size=test_size)
    train, test = [], []
    for label in sorted(set(y.tolist())):
        members = [i for i in range(len(y)) if y[i] == label]
        rng.shuffle(members)
        size = round(test_size * len(members))
        test += members[:size]
        train += members[size:]
    return np.array(train, dtype=int), np.array(test, dtype=int)


@alternative("group_split")
def groups_by_choice(groups, test_size, *, rng):
    require_ndim(1, groups=groups)
    require_between(0, 1, test_size=test_size)
    names, member = np.unique(groups, return_inverse=True)
    in_test = np.zeros(len(names), dtype=bool)
    in_test[rng.choice(len(names), size=round(test_size * len(names)), replace=False)] = True
    return np.nonzero(~in_test[member])[0], np.nonzero(in_test[member])[0]


@alternative("group_split")
def groups_by_sets(groups, test_size, *, rng):
    require_ndim(1, groups=groups)
    require_between(0, 1, test_size=test_size)
    names = sorted(set(groups.tolist()))
    chosen = {names[i] for i in np.argsort(rng.random(len(names)))[: round(test_size * len(names))]}
    train = [i for i, group in enumerate(groups.tolist()) if group not in chosen]
    test = [i for i, group in enumerate(groups.tolist()) if group in chosen]
    return np.array(train, dtype=np.int64), np.array(test, dtype=np.int64)


@alternative("minibatches")
def batches_one_by_one(x, y, batch_size, *, drop_last=False, rng):
    require_shape((len(x),), y=y)
    require_whole(1, batch_size=batch_size)
    left, batches = list(range(len(x))), []
    rng.shuffle(left)
    while left and not (drop_last and len(left) < batch_size):
        part, left = left[:batch_size], left[batch_size:]
        batches.append((np.stack([x[i] for i in part]), np.array([y[i] for i in part], dtype=y.dtype)))
    return batches


@alternative("minibatches")
def batches_of_shuffled_arrays(x, y, batch_size, *, drop_last=False, rng):
    require_shape((len(x),), y=y)
    require_whole(1, batch_size=batch_size)
    order = np.argsort(rng.random(len(x)))
    count = len(x) // batch_size if drop_last else math.ceil(len(x) / batch_size)
    x, y = x[order], y[order]
    return [(x[batch_size * i :][:batch_size], y[batch_size * i :][:batch_size]) for i in range(count)]


@alternative("select_model")
def fold_by_fold(x, y, folds, candidates, fit_predict):
    require_shape((len(x),), y=y)
    require_whole(1, folds=len(folds))
    require_whole(1, candidates=len(candidates))
    table = np.empty((len(folds), len(candidates)))
    for row, (train, val) in zip(table, folds, strict=True):
        for place, candidate in enumerate(candidates):
            off = y[val] - fit_predict(x[train], y[train], x[val], candidate)
            row[place] = off @ off / len(off)
    scores = table.mean(axis=0)
    return np.float64(candidates[scores.tolist().index(scores.min())]), scores


@alternative("select_model")
def best_so_far(x, y, folds, candidates, fit_predict):
    require_shape((len(x),), y=y)
    require_whole(1, folds=len(folds))
    require_whole(1, candidates=len(candidates))
    best, lowest, scores = None, math.inf, []
    for candidate in candidates:
        total = 0.0
        for train, val in folds:
            guesses = fit_predict(x[train], y[train], x[val], candidate)
            total += (
                sum((guess - truth) ** 2 for guess, truth in zip(guesses, y[val], strict=True)) / len(val) / len(folds)
            )
        scores.append(total)
        if total < lowest:
            best, lowest = candidate, total
    return best, np.array(scores)


@alternative("learning_curve_diagnosis")
def diagnosis_by_conditions(train_losses, val_losses, target, gap):
    require_shape((len(train_losses),), val_losses=val_losses)
    require_whole(1, train_losses=len(train_losses))
    train, val = train_losses.tolist()[-1], val_losses.tolist()[-1]
    if train <= target and val <= train + gap:
        return "good"
    if train > target or math.isnan(train):
        return "underfit"
    return "overfit"
