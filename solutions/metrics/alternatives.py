"""Correct solutions of the assignment on metrics that go another way than the reference."""

import math

import numpy as np

from autograder.guards import require_ndim, require_same_shape, require_whole
from autograder.testing import alternative

from .reference import average_precision, confusion_matrix, roc_curve


def _require_classes(y_true, y_pred, num_classes):
    require_ndim(1, y_true=y_true)
    require_same_shape(y_pred=y_pred, y_true=y_true)
    require_whole(1, num_classes=num_classes)
    if ((y_true < 0) | (y_true >= num_classes)).any():
        raise ValueError(f"y_true has a class outside 0 ... {num_classes - 1}")
    if ((y_pred < 0) | (y_pred >= num_classes)).any():
        raise ValueError(f"y_pred has a class outside 0 ... {num_classes - 1}")


def _require_yes_and_no(y_true, y_score):
    require_ndim(1, y_true=y_true)
    require_same_shape(y_score=y_score, y_true=y_true)
    if not np.isin(y_true, (0, 1)).all():
        raise ValueError("y_true has a label other than 0 and 1")


@alternative("accuracy")
def accuracy_by_mean(y_true, y_pred, sample_weight=None):
    if np.shape(y_pred) != np.shape(y_true):
        raise ValueError("y_pred has another shape than y_true")
    right = y_pred == y_true
    if sample_weight is None:
        return right.mean()
    if np.shape(sample_weight) != np.shape(y_true):
        raise ValueError("sample_weight has another shape than y_true")
    return right @ sample_weight / np.sum(sample_weight)


@alternative("confusion_matrix")
def confusion_matrix_by_adding(y_true, y_pred, num_classes):
    _require_classes(y_true, y_pred, num_classes)
    counts = np.zeros((num_classes, num_classes), dtype=int)
    np.add.at(counts, (y_true, y_pred), 1)
    return counts


@alternative("confusion_matrix")
def confusion_matrix_by_one_hot(y_true, y_pred, num_classes):
    _require_classes(y_true, y_pred, num_classes)
    true, predicted = (y[:, None] == np.arange(num_classes) for y in (y_true, y_pred))
    return true.T.astype(np.int64) @ predicted.astype(np.int64)


@alternative("confusion_matrix")
def confusion_matrix_over_the_classes(y_true, y_pred, num_classes):
    _require_classes(y_true, y_pred, num_classes)
    return np.array([[((y_true == i) & (y_pred == j)).sum() for j in range(num_classes)] for i in range(num_classes)])


@alternative("precision_recall_f1")
def precision_recall_f1_by_comparing(y_true, y_pred, num_classes):
    _require_classes(y_true, y_pred, num_classes)
    precision, recall, f1 = np.zeros(num_classes), np.zeros(num_classes), np.zeros(num_classes)
    for k in range(num_classes):
        hits = ((y_true == k) & (y_pred == k)).sum()
        if hits:
            precision[k], recall[k] = hits / (y_pred == k).sum(), hits / (y_true == k).sum()
            f1[k] = 2 * precision[k] * recall[k] / (precision[k] + recall[k])
    return precision, recall, f1


@alternative("precision_recall_f1")
def precision_recall_f1_by_dividing_where(y_true, y_pred, num_classes):
    counts = confusion_matrix(y_true, y_pred, num_classes).astype(float)
    share = lambda a, b: np.divide(a, b, out=np.zeros(num_classes), where=b > 0)  # noqa: E731
    precision, recall = share(np.diag(counts), counts.sum(0)), share(np.diag(counts), counts.sum(1))
    return precision, recall, share(2 * precision * recall, precision + recall)


@alternative("roc_curve")
def roc_curve_by_comparing(y_true, y_score):
    _require_yes_and_no(y_true, y_score)
    thresholds = np.append(np.array(np.inf, dtype=y_score.dtype), np.unique(y_score)[::-1])
    called = y_score >= thresholds[:, None]
    with np.errstate(invalid="ignore"):
        fpr, tpr = ((called & (y_true == label)).sum(1) / np.sum(y_true == label) for label in (0, 1))
    return fpr, tpr, thresholds


@alternative("roc_curve")
def roc_curve_by_counting_groups(y_true, y_score):
    _require_yes_and_no(y_true, y_score)
    distinct, group = np.unique(y_score, return_inverse=True)
    rates = []
    for label in (0, 1):
        counts = np.bincount(group[y_true == label], minlength=len(distinct))[::-1].cumsum()
        total = (y_true == label).sum()
        rates.append(np.concatenate([[0.0], counts]) / (total if total else np.nan))
    return rates[0], rates[1], np.concatenate([[np.inf], distinct[::-1]]).astype(y_score.dtype)


@alternative("roc_auc")
def roc_auc_by_pairs(y_true, y_score):
    _require_yes_and_no(y_true, y_score)
    yes, no = y_score[y_true == 1], y_score[y_true == 0]
    if len(yes) == 0 or len(no) == 0:
        return math.nan
    difference = yes[:, None] - no
    return (difference > 0).mean() + (difference == 0).mean() / 2


@alternative("roc_auc")
def roc_auc_by_ranks(y_true, y_score):
    _require_yes_and_no(y_true, y_score)
    _, group, count = np.unique(y_score, return_inverse=True, return_counts=True)
    ranks = (count.cumsum() - (count - 1) / 2)[group]
    positives = int(np.sum(y_true == 1))
    negatives = len(y_true) - positives
    if positives * negatives == 0:
        return float("nan")
    return (ranks[y_true == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)


@alternative("average_precision")
def average_precision_by_comparing(y_true, y_score):
    _require_yes_and_no(y_true, y_score)
    positives = y_score[y_true == 1]
    if len(positives) == 0:
        return 0
    at_least = y_score >= positives[:, None]
    return float(((at_least & (y_true == 1)).sum(1) / at_least.sum(1)).mean())


@alternative("average_precision")
def average_precision_from_the_curve(y_true, y_score):
    fpr, tpr, _ = roc_curve(y_true, y_score)
    positives, negatives = np.sum(y_true == 1), np.sum(y_true == 0)
    if positives == 0:
        return 0.0
    found = tpr * positives
    wrong = fpr * negatives if negatives else np.zeros_like(tpr)
    return float((np.diff(tpr) * (found[1:] / (found[1:] + wrong[1:]))).sum())


@alternative("mean_average_precision")
def mean_average_precision_by_nanmean(y_true, y_score):
    require_ndim(2, y_true=y_true)
    require_same_shape(y_score=y_score, y_true=y_true)
    found = np.array([average_precision(y, s) for y, s in zip(y_true.T, y_score.T, strict=True)])
    there = y_true.sum(0) > 0
    return found[there].mean() if there.any() else np.nan


@alternative("r2_score")
def r2_score_by_variances(y_true, y_pred):
    require_ndim(1, y_true=y_true)
    require_same_shape(y_pred=y_pred, y_true=y_true)
    if len(y_true) < 2:
        raise ValueError("y_true is too short")
    if (y_true == y_true[0]).all():
        return 1.0 if (y_true == y_pred).all() else 0.0
    return 1 - np.mean((y_pred - y_true) ** 2) / y_true.var()


@alternative("ndcg")
def ndcg_by_averaging_both(y_true, y_score, k=None):
    require_ndim(2, y_true=y_true)
    require_same_shape(y_score=y_score, y_true=y_true)
    if k is not None:
        require_whole(1, k=k)
    length = y_true.shape[1]
    weights = 1 / np.log2(np.arange(2, length + 2))
    weights[length if k is None else k :] = 0
    total = 0.0
    for relevance, scores in zip(y_true, y_score, strict=True):
        above = (scores[None, :] > scores[:, None]).sum(1)
        tied = (scores[None, :] == scores[:, None]).sum(1)
        sums = np.append(0, weights.cumsum())
        best = np.sort(relevance)[::-1] @ weights
        if best > 0:
            total += relevance @ ((sums[above + tied] - sums[above]) / tied) / best
    return total / len(y_true)
