"""Reference solutions of the assignment on metrics.

Labels are whole numbers, scores are float64 or float32; what is counted or averaged comes out as int64 or float64.
"""

import numpy as np

from autograder.guards import require_ndim, require_same_shape, require_whole


def accuracy(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """The share of samples whose class was predicted rightly.

    Args:
        y_true: the true classes (N,), whole numbers.
        y_pred: the predicted classes (N,).
        sample_weight: how much each sample counts (N,), or None where all count alike.
    Returns:
        share: a number from 0 to 1.
    Raises:
        ValueError: ``y_pred`` or ``sample_weight`` is not shaped like ``y_true``.
    Derivation: the sum of the weights of what is right, over the sum of all weights.
    Source: Fawcett (2006), "An introduction to ROC analysis", section 2.
    """
    require_same_shape(y_pred=y_pred, y_true=y_true)
    if sample_weight is not None:
        require_same_shape(sample_weight=sample_weight, y_true=y_true)
    weights = np.ones(len(y_true)) if sample_weight is None else sample_weight
    return float((weights * (y_true == y_pred)).sum() / weights.sum())


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> np.ndarray:
    """How often each class was taken for each.

    Args:
        y_true: the true classes (N,), whole numbers 0 ... K - 1.
        y_pred: the predicted classes (N,), of the same kind.
        num_classes: K.
    Returns:
        counts: int64 (K, K); row i, column j counts the samples of class i that were taken for class j.
    Raises:
        ValueError: the shapes differ, or a label is no class.
    Derivation: the pair (i, j) has the number i K + j; count how often each number occurs.
    Source: Fawcett (2006), "An introduction to ROC analysis", section 2, figure 1.
    """
    require_ndim(1, y_true=y_true)
    require_same_shape(y_pred=y_pred, y_true=y_true)
    require_whole(1, num_classes=num_classes)
    if ((y_true < 0) | (y_true >= num_classes)).any():
        raise ValueError(f"y_true has a class outside 0 ... {num_classes - 1}")
    if ((y_pred < 0) | (y_pred >= num_classes)).any():
        raise ValueError(f"y_pred has a class outside 0 ... {num_classes - 1}")
    pairs = y_true.astype(np.int64) * num_classes + y_pred.astype(np.int64)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def precision_recall_f1(
    y_true: np.ndarray, y_pred: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far a prediction of each class can be trusted, how much of the class is found, and both in one number.

    Args:
        y_true: the true classes (N,), whole numbers 0 ... K - 1.
        y_pred: the predicted classes (N,), of the same kind.
        num_classes: K.
    Returns:
        precision: float64 (K,); 0 where the class was never predicted.
        recall: float64 (K,); 0 where the class never occurs.
        f1: float64 (K,); 0 where it neither occurs nor was predicted.
    Raises:
        ValueError: as in `confusion_matrix`.
    Derivation: with the counts C, what is right is the diagonal, what was predicted the sums of the columns, what is
        true the sums of the rows. F1, the harmonic mean of both shares, is 2 C_kk / (column + row).
    Source: Van Rijsbergen (1979), "Information Retrieval", chapter 7.
    """
    counts = confusion_matrix(y_true, y_pred, num_classes)
    right, predicted, true = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    return (
        right / np.maximum(predicted, 1),
        right / np.maximum(true, 1),
        2 * right / np.maximum(predicted + true, 1),
    )


def roc_curve(y_true: np.ndarray, y_score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many of the positives and of the negatives are called positive, for every threshold that makes a difference.

    Args:
        y_true: 0 or 1 for each sample (N,).
        y_score: the scores (N,), higher for what is rather positive.
    Returns:
        fpr: float64 (M,); the share of the negatives with a score of at least the threshold. nan without negatives.
        tpr: float64 (M,); the same of the positives. nan without positives.
        thresholds: (M,) in the dtype of ``y_score``; infinity, then every distinct score from high to low.
    Raises:
        ValueError: the shapes differ, or there is another label than 0 and 1.
    Derivation: sorted from high to low, the running sums of positives and negatives, read at the last sample of each
        distinct score.
    Source: Fawcett (2006), "An introduction to ROC analysis", section 5, algorithm 1.
    """
    require_ndim(1, y_true=y_true)
    require_same_shape(y_score=y_score, y_true=y_true)
    if not np.isin(y_true, (0, 1)).all():
        raise ValueError("y_true has a label other than 0 and 1")
    order = np.argsort(-y_score, kind="stable")
    scores, positive = y_score[order], y_true[order].astype(np.float64)
    last = np.append(np.diff(scores) != 0, True)[: len(scores)]
    thresholds = np.concatenate([np.array([np.inf], dtype=y_score.dtype), scores[last]])
    rates = []
    for found in (1 - positive, positive):
        total = found.sum()
        counts = np.append(0.0, found.cumsum()[last])
        rates.append(counts / total if total else np.full(len(counts), np.nan))
    return rates[0], rates[1], thresholds


def roc_auc(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """The area under the ROC curve: how likely a positive has a higher score than a negative, a tie counting half.

    Args:
        y_true: 0 or 1 for each sample (N,).
        y_score: the scores (N,).
    Returns:
        area: a number from 0 to 1; nan where there is one class only.
    Raises:
        ValueError: as in `roc_curve`.
    Derivation: the trapezoids under the curve, sum over m of (fpr_m - fpr_{m-1}) (tpr_m + tpr_{m-1}) / 2.
    Source: Hanley and McNeil (1982), "The meaning and use of the area under a ROC curve", Radiology 143.
    """
    fpr, tpr, _ = roc_curve(y_true, y_score)
    return float((np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2).sum())


def average_precision(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """Precision on average over the positives, each at the threshold that finds it.

    Args:
        y_true: 0 or 1 for each sample (N,).
        y_score: the scores (N,).
    Returns:
        ap: a number from 0 to 1; 0 where there is no positive.
    Raises:
        ValueError: as in `roc_curve`.
    Derivation: sum over thresholds of (recall_m - recall_{m-1}) precision_m, from high to low.
    Source: Zhu (2004), "Recall, precision and average precision", University of Waterloo.
    """
    require_ndim(1, y_true=y_true)
    require_same_shape(y_score=y_score, y_true=y_true)
    if not np.isin(y_true, (0, 1)).all():
        raise ValueError("y_true has a label other than 0 and 1")
    order = np.argsort(-y_score, kind="stable")
    scores, found = y_score[order], y_true[order].astype(np.float64).cumsum()
    if not len(found) or found[-1] == 0:
        return 0.0
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    precision = found[last] / (last + 1)
    return float((np.diff(np.append(0.0, found[last] / found[-1])) * precision).sum())


def mean_average_precision(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """The average precision of each label, on average over the labels that occur.

    Args:
        y_true: 0 or 1 for each sample and label (N, L).
        y_score: the scores (N, L).
    Returns:
        mean_ap: a number from 0 to 1; nan where no label occurs.
    Raises:
        ValueError: the shapes differ.
    Source: Everingham et al. (2010), "The Pascal Visual Object Classes (VOC) challenge", section 4.2.
    """
    require_ndim(2, y_true=y_true)
    require_same_shape(y_score=y_score, y_true=y_true)
    found = [
        average_precision(y_true[:, label], y_score[:, label])
        for label in range(y_true.shape[1])
        if y_true[:, label].any()
    ]
    return sum(found) / len(found) if found else float("nan")


def r2_score(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Which share of the variance of the truth a prediction explains.

    Args:
        y_true: the true numbers (N,), at least two.
        y_pred: the predicted numbers (N,).
    Returns:
        r2: at most 1; 0 is as good as the mean of ``y_true``, below 0 is worse. Where all of ``y_true`` is one number,
            1 if everything is right and 0 otherwise.
    Raises:
        ValueError: the shapes differ, or there are fewer than two numbers.
    Derivation: 1 - sum (y - p)² / sum (y - mean of y)².
    Source: Draper and Smith (1998), "Applied Regression Analysis", section 1.3.
    """
    require_ndim(1, y_true=y_true)
    require_same_shape(y_pred=y_pred, y_true=y_true)
    if len(y_true) < 2:
        raise ValueError(f"y_true has {len(y_true)} entries, at least 2 are needed")
    left = ((y_true - y_pred) ** 2).sum()
    if y_true.max() == y_true.min():
        return float(left == 0)
    return float(1 - left / ((y_true - y_true.mean()) ** 2).sum())


def ndcg(y_true: np.ndarray, y_score: np.ndarray, k: int | None = None) -> float:
    """How much of the gain that the best order would give comes from the order of the scores.

    Args:
        y_true: how relevant each of L things is to each of N queries (N, L), at least 0.
        y_score: the scores (N, L), by which they are ordered from high to low.
        k: how many places count; None for all.
    Returns:
        gain: a number from 0 to 1, on average over the queries; a query to which nothing is relevant counts 0.
    Raises:
        ValueError: the shapes differ, or ``k`` is less than 1.
    Derivation: place r = 0, 1, ... has the weight 1 / log2(r + 2), from place k on 0. Things with one score share the
        weights of their places evenly. The sum of relevance times weight is divided by that of the best order.
    Source: Järvelin and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques", section 2; McSherry and
        Najork (2008), "Computing information retrieval performance measures efficiently in the presence of tied scores".
    """
    require_ndim(2, y_true=y_true)
    require_same_shape(y_score=y_score, y_true=y_true)
    if k is not None:
        require_whole(1, k=k)
    places = np.arange(y_true.shape[1])
    weights = np.where(places < (len(places) if k is None else k), 1 / np.log2(places + 2.0), 0.0)
    gains = []
    for relevance, scores in zip(y_true, y_score, strict=True):
        _, group, count = np.unique(-scores, return_inverse=True, return_counts=True)
        shared = np.bincount(np.sort(group), weights) / count
        best = (np.sort(relevance)[::-1] * weights).sum()
        gains.append((relevance * shared[group]).sum() / best if best > 0 else 0.0)
    return float(np.mean(gains))
