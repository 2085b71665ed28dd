"""Correct solutions of the assignment on tensors that go another way than the reference."""

import math

import numpy as np

from autograder.guards import require_ndim, require_one_of, require_shape, require_whole
from autograder.testing import alternative


@alternative("describe")
def describe_by_counting(x):
    shape = tuple(int(length) for length in np.shape(x))
    return len(shape), shape, x.dtype.name, math.prod(shape) * x.dtype.itemsize


@alternative("describe")
def describe_by_attributes(x):
    return np.ndim(x), x.shape, f"{x.dtype}", x.nbytes


@alternative("broadcast_shapes")
def broadcast_shapes_from_the_back(*shapes):
    result = []
    for place in range(1, max(len(shape) for shape in shapes) + 1):
        length = 1
        for shape in shapes:
            own = shape[-place] if place <= len(shape) else 1
            if own in (1, length):
                continue
            if length != 1:
                raise ValueError(f"shapes have {length} and {own} in place {-place}")
            length = own
        result.insert(0, length)
    return tuple(result)


@alternative("broadcast_shapes")
def broadcast_shapes_two_at_a_time(*shapes):
    result = ()
    for shape in shapes:
        short, long = sorted((result, tuple(shape)), key=len)
        short = (1,) * (len(long) - len(short)) + short
        if any(a != b and 1 not in (a, b) for a, b in zip(short, long, strict=True)):
            raise ValueError("these shapes do not fit")
        result = tuple(b if a == 1 else a for a, b in zip(short, long, strict=True))
    return result


@alternative("pairwise_distances")
def pairwise_distances_by_einsum(x, y):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), y=y)
    x, y = x * 1.0, y * 1.0
    difference = x[:, None, :] - y[None, :, :]
    return np.sqrt(np.einsum("nmd,nmd->nm", difference, difference))


@alternative("pairwise_distances")
def pairwise_distances_by_norm(x, y):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), y=y)
    if x.dtype.kind != "f":
        x, y = x.astype(float), y.astype(float)
    return np.linalg.norm(np.expand_dims(x, 1) - np.expand_dims(y, 0), axis=2)


@alternative("one_hot")
def one_hot_by_a_unit_matrix(y, num_classes):
    require_whole(1, num_classes=num_classes)
    if y.dtype.kind not in "iu":
        raise ValueError(f"y has dtype {y.dtype}, it has to hold whole numbers")
    if y.size and not 0 <= y.min() <= y.max() < num_classes:
        raise ValueError("y has numbers that are no classes")
    return np.eye(num_classes)[y]


@alternative("one_hot")
def one_hot_by_setting_ones(y, num_classes):
    require_whole(1, num_classes=num_classes)
    if y.dtype.kind not in "iu":
        raise ValueError(f"y has dtype {y.dtype}, it has to hold whole numbers")
    if y.size and not 0 <= y.min() <= y.max() < num_classes:
        raise ValueError("y has numbers that are no classes")
    hot = np.zeros((y.size, num_classes))
    hot[np.arange(y.size), y.ravel()] = 1
    return hot.reshape(*y.shape, num_classes)


@alternative("multi_hot")
def multi_hot_by_counting(sequences, num_classes):
    require_whole(1, num_classes=num_classes)
    if any(one.size and not 0 <= one.min() <= one.max() < num_classes for one in sequences):
        raise ValueError("sequences have a number that is no class")
    counts = [np.bincount(one.astype(np.int64), minlength=num_classes) for one in sequences]
    return (np.array(counts).reshape(-1, num_classes) > 0).astype(float)


@alternative("multi_hot")
def multi_hot_by_membership(sequences, num_classes):
    require_whole(1, num_classes=num_classes)
    if any(one.size and not 0 <= one.min() <= one.max() < num_classes for one in sequences):
        raise ValueError("sequences have a number that is no class")
    rows = [np.isin(np.arange(num_classes), one) * 1.0 for one in sequences]
    return np.stack(rows) if rows else np.zeros((0, num_classes))


@alternative("pad_sequences")
def pad_sequences_by_concatenating(sequences, length=None, *, padding_value=0, padding_side="right"):
    if not sequences:
        raise ValueError("sequences is empty, it has to hold at least one array")
    if length is not None and (not isinstance(length, int) or length < 1):
        raise ValueError(f"length is {length!r}, it has to be None or a whole number of at least 1")
    require_one_of(("right", "left"), padding_side=padding_side)
    if length is None:
        length = max(one.shape[0] for one in sequences)
    rows, real = [], []
    for one in sequences:
        cut = one[:length] if padding_side == "right" else one[max(0, len(one) - length) :]
        gap = np.full((length - len(cut), *one.shape[1:]), padding_value, one.dtype)
        pair = [(cut, np.ones(len(cut), bool)), (gap, np.zeros(len(gap), bool))]
        (a, b), (c, d) = pair if padding_side == "right" else reversed(pair)
        rows.append(np.concatenate([a, c]))
        real.append(np.concatenate([b, d]))
    return np.stack(rows), np.stack(real)


@alternative("pad_sequences")
def pad_sequences_by_turning_round(sequences, length=None, *, padding_value=0, padding_side="right"):
    if not sequences:
        raise ValueError("sequences is empty, it has to hold at least one array")
    if length is not None and (not isinstance(length, int) or length < 1):
        raise ValueError(f"length is {length!r}, it has to be None or a whole number of at least 1")
    require_one_of(("right", "left"), padding_side=padding_side)
    turn = slice(None, None, -1) if padding_side == "left" else slice(None)
    lengths = np.array([len(one) for one in sequences])
    length = int(lengths.max()) if length is None else length
    padded = np.empty((len(sequences), length, *sequences[0].shape[1:]), sequences[0].dtype)
    padded[...] = padding_value
    for row, one in zip(padded, sequences, strict=True):
        short = one[turn][:length]
        row[turn][: len(short)] = short
    mask = np.arange(length) < lengths[:, None]
    return padded, mask[:, turn]


@alternative("impute_missing")
def impute_by_where_in_the_mean(x, train):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    there = np.isfinite(train)
    count = there.sum(axis=0)
    total = train.sum(axis=0, where=there)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    filled = x.copy()
    rows, columns = np.nonzero(np.isnan(x))
    filled[rows, columns] = mean[columns]
    return filled, np.isnan(x)


@alternative("impute_missing")
def impute_by_masked_arrays(x, train):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    missing = ~(np.abs(x) < np.inf)
    mean = np.nan_to_num(train).sum(0) / np.clip(np.isfinite(train).sum(0), 1, None)
    return (np.nan_to_num(x) + missing * mean).astype(x.dtype), missing


@alternative("standardize")
def standardize_by_differences(x, train):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    if not len(train):
        raise ValueError("train has no row, it has to have at least 1")
    dtype = x.dtype if x.dtype.kind == "f" else np.float64
    known = train.astype(np.float64)
    mean = known.sum(axis=0) / known.shape[0]
    spread = np.sqrt(((known - mean) ** 2).sum(axis=0) / known.shape[0])
    spread[(known == known[0]).all(axis=0)] = 1
    return ((x - mean) / spread).astype(dtype)


@alternative("standardize")
def standardize_by_a_shift(x, train):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    if not len(train):
        raise ValueError("train has no row, it has to have at least 1")
    x, train = x * 1.0, train * 1.0
    moved = train - train[0]
    mean = moved.mean(axis=0, keepdims=True)
    variance = ((moved - mean) ** 2).mean(axis=0, keepdims=True)
    return (x - train[0] - mean) / np.sqrt(np.where(variance > 0, variance, 1))


@alternative("min_max_scale")
def min_max_scale_by_sorting(x, train):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    if not len(train):
        raise ValueError("train has no row, it has to have at least 1")
    ordered = np.sort(train * 1.0, axis=0)
    width = ordered[-1] - ordered[0]
    width[width == 0] = 1
    return (x * 1.0 - ordered[0]) / width


@alternative("min_max_scale")
def min_max_scale_in_float64(x, train):
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    if not len(train):
        raise ValueError("train has no row, it has to have at least 1")
    wide = train.astype(np.float64)
    width = np.ptp(wide, axis=0)
    scaled = (x.astype(np.float64) - np.amin(wide, axis=0)) / (width + (width == 0))
    return scaled.astype(np.float32) if x.dtype == np.float32 else scaled


@alternative("covariance")
def covariance_by_einsum(x, *, ddof=1):
    require_ndim(2, x=x)
    require_whole(0, ddof=ddof)
    if len(x) <= ddof:
        raise ValueError(f"x has {len(x)} rows, with ddof {ddof} it has to have more")
    centred = x - x.mean(axis=0, keepdims=True)
    return np.einsum("ni,nj->ij", centred, centred) / (x.shape[0] - ddof)


@alternative("covariance")
def covariance_by_outer_products(x, *, ddof=1):
    require_ndim(2, x=x)
    require_whole(0, ddof=ddof)
    if len(x) <= ddof:
        raise ValueError(f"x has {len(x)} rows, with ddof {ddof} it has to have more")
    centred = x * 1.0 - x.mean(0)
    return (centred[:, :, None] * centred[:, None, :]).sum(0) / (len(x) - ddof)


@alternative("chi2")
def chi2_by_a_loop_over_classes(x, y):
    require_ndim(2, x=x)
    require_shape((len(x),), y=y)
    if (x < 0).any():
        raise ValueError("x has a negative entry, amounts are at least 0")
    dtype = x.dtype if x.dtype.kind == "f" else np.float64
    total = x.sum(axis=0, dtype=np.float64)
    scores = np.zeros(x.shape[1])
    for label in set(y.tolist()):
        rows = x[y == label]
        expected = total * len(rows) / len(x)
        observed = rows.sum(axis=0, dtype=np.float64)
        scores += np.divide((observed - expected) ** 2, expected, out=np.zeros_like(total), where=expected > 0)
    return scores.astype(dtype)


@alternative("chi2")
def chi2_by_squares_of_the_observed(x, y):
    require_ndim(2, x=x)
    require_shape((len(x),), y=y)
    if (x < 0).any():
        raise ValueError("x has a negative entry, amounts are at least 0")
    labels, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    observed = np.zeros((len(labels), x.shape[1]))
    np.add.at(observed, places, x)
    total = observed.sum(0)
    expected = np.outer(counts / len(y), total)
    scores = (observed**2 / np.where(expected > 0, expected, 1)).sum(0) - total
    return scores.astype(np.float32) if x.dtype == np.float32 else scores


@alternative("select_k_best")
def select_k_best_by_a_mask(x, scores, k):
    require_ndim(2, x=x)
    require_shape((x.shape[1],), scores=scores)
    require_whole(1, k=k)
    if k > x.shape[1]:
        raise ValueError(f"k is {k}, x has {x.shape[1]} columns")
    value = np.where(np.isnan(scores), -np.inf, scores)
    places = np.arange(len(scores))
    better = (value[:, None] < value) | ((value[:, None] == value) & (places < places[:, None]))
    columns = np.flatnonzero(better.sum(1) < k)
    return np.take(x, columns, axis=1), columns


@alternative("select_k_best")
def select_k_best_by_lexsort(x, scores, k):
    require_ndim(2, x=x)
    require_shape((x.shape[1],), scores=scores)
    require_whole(1, k=k)
    if k > x.shape[1]:
        raise ValueError(f"k is {k}, x has {x.shape[1]} columns")
    chosen = np.lexsort((np.arange(len(scores)), -np.where(np.isnan(scores), -np.inf, scores)))[:k]
    chosen.sort()
    return x[:, chosen], chosen
