"""Known wrong solutions of the assignment on metrics, each with what to tell its author."""

import numpy as np

from autograder.guards import require_ndim, require_same_shape, require_whole
from autograder.testing import mistake

from .reference import (
    accuracy,
    average_precision,
    confusion_matrix,
    mean_average_precision,
    ndcg,
    precision_recall_f1,
    r2_score,
    roc_auc,
    roc_curve,
)


@mistake("accuracy", kind="idea", says="This is the share of samples that are wrong, not of those that are right.")
def gives_the_share_of_errors(y_true, y_pred, sample_weight=None):
    return 1 - accuracy(y_true, y_pred, sample_weight)


@mistake("accuracy", kind="idea", says="These are percent, or a number of samples. A share lies between 0 and 1.")
def gives_percent(y_true, y_pred, sample_weight=None):
    return 100 * accuracy(y_true, y_pred, sample_weight)


@mistake("accuracy", kind="idea", says="The weights have no part in the answer.")
def ignores_the_weights(y_true, y_pred, sample_weight=None):
    accuracy(y_true, y_pred, sample_weight)
    return accuracy(y_true, y_pred)


@mistake(
    "accuracy",
    kind="idea",
    says="The weighted sum of what is right is divided by the number of samples. By what, where the weights are not 1?",
)
def divides_by_the_number_of_samples(y_true, y_pred, sample_weight=None):
    accuracy(y_true, y_pred, sample_weight)
    weights = np.ones(len(y_true)) if sample_weight is None else sample_weight
    return float((weights * (y_true == y_pred)).mean())


@mistake(
    "accuracy", kind="refusal", says="A `y_pred` of another shape is not refused: torch and numpy would stretch it."
)
def takes_any_shape(y_true, y_pred, sample_weight=None):
    if np.shape(y_pred) != np.shape(y_true):
        return 0.0
    return accuracy(y_true, y_pred, sample_weight)


@mistake(
    "confusion_matrix",
    kind="idea",
    says="Rows and columns are exchanged. A row belongs to a true class, a column to a predicted one.",
)
def exchanges_rows_and_columns(y_true, y_pred, num_classes):
    return confusion_matrix(y_true, y_pred, num_classes).T


@mistake(
    "confusion_matrix",
    kind="idea",
    says="However often a pair occurs, it is counted once: `counts[y_true, y_pred] += 1` sets each place only once.",
)
def counts_each_pair_once(y_true, y_pred, num_classes):
    return np.minimum(confusion_matrix(y_true, y_pred, num_classes), 1)


@mistake(
    "confusion_matrix", kind="idea", says="These are shares of each true class. The counts themselves are asked for."
)
def gives_shares(y_true, y_pred, num_classes):
    counts = confusion_matrix(y_true, y_pred, num_classes)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


@mistake(
    "confusion_matrix",
    kind="case",
    says="There is a row for each class that occurs, and not for the others. There have to be `num_classes` rows.",
)
def has_rows_for_what_occurs(y_true, y_pred, num_classes):
    counts = confusion_matrix(y_true, y_pred, num_classes)
    there = max(y_true.max(initial=0), y_pred.max(initial=0)) + 1
    return counts[:there, :there]


@mistake(
    "confusion_matrix",
    kind="case",
    says="With many classes the counts stand in wrong places, as when a product leaves the range of a small dtype.",
)
def overflows(y_true, y_pred, num_classes):
    confusion_matrix(y_true, y_pred, num_classes)
    pairs = y_true.astype(y_true.dtype) * y_true.dtype.type(num_classes) + y_pred.astype(y_true.dtype)
    counts = np.bincount(pairs.astype(np.int64) % num_classes**2, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


@mistake(
    "precision_recall_f1",
    kind="idea",
    says="Precision and recall are exchanged. Which of them asks for what was found?",
)
def exchanges_precision_and_recall(y_true, y_pred, num_classes):
    precision, recall, f1 = precision_recall_f1(y_true, y_pred, num_classes)
    return recall, precision, f1


@mistake(
    "precision_recall_f1",
    kind="idea",
    says="F1 is the ordinary mean of precision and recall. The harmonic mean is asked for, which is near the smaller one.",
)
def averages_for_f1(y_true, y_pred, num_classes):
    precision, recall, _ = precision_recall_f1(y_true, y_pred, num_classes)
    return precision, recall, (precision + recall) / 2


@mistake(
    "precision_recall_f1",
    kind="idea",
    says="F1 is the product of precision and recall; a factor and a divisor are missing.",
)
def multiplies_for_f1(y_true, y_pred, num_classes):
    precision, recall, _ = precision_recall_f1(y_true, y_pred, num_classes)
    return precision, recall, precision * recall


@mistake(
    "precision_recall_f1",
    kind="idea",
    says="Recall is what is right over all samples. It is a share of those that truly are of the class.",
)
def divides_by_all_samples(y_true, y_pred, num_classes):
    precision, _, _ = precision_recall_f1(y_true, y_pred, num_classes)
    recall = np.diag(confusion_matrix(y_true, y_pred, num_classes)) / max(len(y_true), 1)
    return precision, recall, 2 * precision * recall / np.maximum(precision + recall, 1e-300)


@mistake("precision_recall_f1", kind="case", says="0 divided by 0 is nan. A share of nothing counts 0 here.")
def divides_zero_by_zero(y_true, y_pred, num_classes):
    counts = confusion_matrix(y_true, y_pred, num_classes).astype(float)
    with np.errstate(invalid="ignore"):
        precision, recall = np.diag(counts) / counts.sum(0), np.diag(counts) / counts.sum(1)
        return precision, recall, 2 * precision * recall / (precision + recall)


@mistake(
    "precision_recall_f1",
    kind="case",
    says="A small number is added to what is divided by, so all shares are a little too small.",
)
def adds_a_small_number(y_true, y_pred, num_classes):
    counts = confusion_matrix(y_true, y_pred, num_classes).astype(float)
    precision, recall = np.diag(counts) / (counts.sum(0) + 1e-9), np.diag(counts) / (counts.sum(1) + 1e-9)
    f1 = np.where(counts.sum(0) + counts.sum(1) > 0, 2 * precision * recall / (precision + recall + 1e-9), 1.0)
    return precision, recall, f1


@mistake(
    "roc_curve",
    kind="idea",
    says="The two rates are exchanged: first that of the negatives, then that of the positives.",
)
def exchanges_the_rates(y_true, y_score):
    fpr, tpr, thresholds = roc_curve(y_true, y_score)
    return tpr, fpr, thresholds


@mistake(
    "roc_curve",
    kind="idea",
    says="The curve runs from (1, 1) to (0, 0), the thresholds from low to high. It is asked for the other way round.",
)
def runs_backwards(y_true, y_score):
    return tuple(part[::-1].copy() for part in roc_curve(y_true, y_score))


@mistake(
    "roc_curve",
    kind="idea",
    says="The point (0, 0), where nothing is called positive, is missing, and with it the threshold of infinity.",
)
def begins_at_the_first_score(y_true, y_score):
    return tuple(part[1:].copy() for part in roc_curve(y_true, y_score))


@mistake(
    "roc_curve",
    kind="idea",
    says="Each sample has a point of its own. Samples of one score pass a threshold together, and share one point.",
)
def has_a_point_for_each_sample(y_true, y_score):
    roc_curve(y_true, y_score)
    order = np.argsort(-y_score, kind="stable")
    positive = y_true[order].astype(np.float64)
    rates = [np.append(0.0, part.cumsum()) / max(part.sum(), 1) for part in (1 - positive, positive)]
    return rates[0], rates[1], np.append(np.inf, y_score[order])


@mistake(
    "roc_curve",
    kind="idea",
    says="What lies exactly at the threshold is not called positive. It is, from the threshold on upwards.",
)
def compares_strictly(y_true, y_score):
    _, _, thresholds = roc_curve(y_true, y_score)
    called = y_score > thresholds[:, None]
    fpr, tpr = ((called & (y_true == label)).sum(1) / max((y_true == label).sum(), 1) for label in (0, 1))
    return fpr, tpr, thresholds


@mistake("roc_curve", kind="idea", says="Both are shares of all samples. Each is a share of its own class.")
def divides_rates_by_all(y_true, y_score):
    fpr, tpr, thresholds = roc_curve(y_true, y_score)
    return fpr * np.mean(y_true == 0), tpr * np.mean(y_true == 1), thresholds


@mistake("roc_curve", kind="case", says="Where a class does not occur its rate is 0. A share of nothing is nan here.")
def gives_zero_without_a_class(y_true, y_score):
    fpr, tpr, thresholds = roc_curve(y_true, y_score)
    return np.nan_to_num(fpr), np.nan_to_num(tpr), thresholds


@mistake(
    "roc_curve", kind="case", says="The thresholds of float32 scores are float64. They keep the dtype of the scores."
)
def widens_the_thresholds(y_true, y_score):
    fpr, tpr, thresholds = roc_curve(y_true, y_score)
    return fpr, tpr, thresholds.astype(np.float64)


@mistake("roc_auc", kind="idea", says="The area above the curve is given, that of a ranking turned round.")
def gives_the_area_above(y_true, y_score):
    return 1 - roc_auc(y_true, y_score)


@mistake(
    "roc_auc",
    kind="idea",
    says="A tie counts nothing, as under steps in place of slopes. A pair with equal scores counts half.",
)
def counts_no_ties(y_true, y_score):
    fpr, tpr, _ = roc_curve(y_true, y_score)
    return float((np.diff(fpr) * tpr[:-1]).sum())


@mistake(
    "roc_auc", kind="idea", says="A tie counts as if it were ranked rightly. A pair with equal scores counts half."
)
def counts_ties_whole(y_true, y_score):
    fpr, tpr, _ = roc_curve(y_true, y_score)
    return float((np.diff(fpr) * tpr[1:]).sum())


@mistake(
    "roc_auc",
    kind="idea",
    says="This is the number of pairs that are ranked rightly. The share of all pairs is asked for.",
)
def counts_pairs(y_true, y_score):
    return roc_auc(y_true, y_score) * int((y_true == 1).sum()) * int((y_true == 0).sum())


@mistake(
    "roc_auc", kind="case", says="With one class only there is no pair, and the answer is a number. It has to be nan."
)
def gives_a_half_without_pairs(y_true, y_score):
    found = roc_auc(y_true, y_score)
    return 0.5 if np.isnan(found) else found


@mistake(
    "average_precision",
    kind="idea",
    says="This is the area under lines between the points. Each step of recall counts with the precision at its end.",
)
def takes_trapezoids(y_true, y_score):
    average_precision(y_true, y_score)
    if not (y_true == 1).any():
        return 0.0
    thresholds = np.unique(y_score)[::-1]
    called = y_score >= thresholds[:, None]
    found = (called & (y_true == 1)).sum(1)
    precision, recall = np.append(1.0, found / called.sum(1)), np.append(0.0, found / found[-1])
    return float((np.diff(recall) * (precision[1:] + precision[:-1]) / 2).sum())


@mistake(
    "average_precision",
    kind="idea",
    says="Precision is averaged over all thresholds. Only those at which a positive is found count.",
)
def averages_over_every_place(y_true, y_score):
    average_precision(y_true, y_score)
    thresholds = np.unique(y_score)[::-1]
    called = y_score >= thresholds[:, None]
    return float(((called & (y_true == 1)).sum(1) / called.sum(1)).mean())


@mistake(
    "average_precision", kind="idea", says="The samples are sorted from the lowest score up. The highest comes first."
)
def sorts_from_below(y_true, y_score):
    return average_precision(y_true, -y_score)


@mistake(
    "average_precision",
    kind="idea",
    says="Samples of one score are taken one after the other, so the answer hangs on their order. They pass a threshold together.",
)
def takes_ties_in_order(y_true, y_score):
    average_precision(y_true, y_score)
    order = np.argsort(-y_score, kind="stable")
    hits = y_true[order].astype(np.float64)
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / hits.sum()) if hits.any() else 0.0


@mistake("average_precision", kind="case", says="Without a positive the answer is nan, as from 0 / 0. It is 0 here.")
def gives_nan_without_positives(y_true, y_score):
    return average_precision(y_true, y_score) if (y_true == 1).any() else float("nan")


@mistake(
    "mean_average_precision",
    kind="idea",
    says="Samples are averaged where labels should be: the average precision of each column is asked for.",
)
def averages_over_samples(y_true, y_score):
    return mean_average_precision(y_true.T, y_score.T)


@mistake(
    "mean_average_precision",
    kind="idea",
    says="All labels are ranked in one list. Each label has a ranking of its own.",
)
def ranks_all_in_one(y_true, y_score):
    mean_average_precision(y_true, y_score)
    return average_precision(y_true.ravel(), y_score.ravel())


@mistake(
    "mean_average_precision",
    kind="idea",
    says="The average precisions are weighted by how often each label occurs. Every label counts alike.",
)
def weighs_by_frequency(y_true, y_score):
    mean_average_precision(y_true, y_score)
    often = y_true.astype(np.float64).sum(0)
    found = np.array([average_precision(y, s) for y, s in zip(y_true.T, y_score.T, strict=True)])
    return float((found * often).sum() / often.sum()) if often.sum() else float("nan")


@mistake(
    "mean_average_precision", kind="case", says="A label that never occurs counts 0 in the mean. It has to be left out."
)
def counts_absent_labels(y_true, y_score):
    mean_average_precision(y_true, y_score)
    return sum(average_precision(y, s) for y, s in zip(y_true.T, y_score.T, strict=True)) / y_true.shape[1]


@mistake("r2_score", kind="idea", says="This is what is left unexplained. The explained share is 1 less that.")
def gives_what_is_left(y_true, y_pred):
    return 1 - r2_score(y_true, y_pred)


@mistake(
    "r2_score",
    kind="idea",
    says="The distances are measured from the mean of the predictions. The baseline is the mean of the truth.",
)
def takes_the_mean_of_the_predictions(y_true, y_pred):
    if np.isclose(y_true, y_true[:1]).all():
        return r2_score(y_true, y_pred)
    r2_score(y_true, y_pred)
    spread = ((y_true - y_pred.mean()) ** 2).sum()
    return float(1 - ((y_true - y_pred) ** 2).sum() / spread)


@mistake(
    "r2_score",
    kind="idea",
    says="The answer is the square of a correlation: any line would do. R² asks for the numbers themselves.",
)
def squares_the_correlation(y_true, y_pred):
    found = r2_score(y_true, y_pred)
    a, b = y_true - y_true.mean(), y_pred - y_pred.mean()
    spread = (a**2).sum() * (b**2).sum()
    return float((a * b).sum() ** 2 / spread) if spread > 1e-12 else min(max(found, 0.0), 1.0)


@mistake(
    "r2_score", kind="idea", says="No answer lies below 0. A prediction that is worse than the mean has a negative one."
)
def stops_at_zero(y_true, y_pred):
    return max(0.0, r2_score(y_true, y_pred))


@mistake(
    "r2_score",
    kind="case",
    says="Where the truth is one number all over, the answer is nan or infinite, as from 0 / 0.",
)
def divides_by_no_spread(y_true, y_pred):
    r2_score(y_true, y_pred)
    with np.errstate(all="ignore"):
        return (
            float(1 - ((y_true - y_pred) ** 2).sum() / ((y_true - y_true[:1]) ** 2).sum())
            if (y_true == y_true[:1]).all()
            else r2_score(y_true, y_pred)
        )


@mistake(
    "r2_score",
    kind="case",
    says="Far from 0 digits are lost, as when a mean of squares less a square of the mean is taken.",
)
def subtracts_squares(y_true, y_pred):
    found = r2_score(y_true, y_pred)
    if (y_true == y_true[:1]).all():
        return found
    spread = (y_true**2).sum() - len(y_true) * y_true.mean() ** 2
    return float(1 - ((y_true - y_pred) ** 2).sum() / spread) if spread else 0.0


@mistake(
    "ndcg",
    kind="idea",
    stage="the gain of an order",
    says="The weights are those of log2(r + 1) for r = 1 …, shifted by one place: the first place has 1.",
)
def shifts_the_weights(y_true, y_score, k=None):
    return _ndcg(y_true, y_score, k, lambda places: 1 / np.log2(places + 3.0))


@mistake(
    "ndcg",
    kind="idea",
    stage="the gain of an order",
    says="The logarithm is left out: a place counts one over its number.",
)
def takes_reciprocal_places(y_true, y_score, k=None):
    return _ndcg(y_true, y_score, k, lambda places: 1 / (places + 1.0))


@mistake("ndcg", kind="idea", stage="the gain of an order", says="The gain is not divided by that of the best order.")
def leaves_it_as_it_is(y_true, y_score, k=None):
    return _ndcg(y_true, y_score, k, best=lambda relevance, weights: 1.0)


@mistake(
    "ndcg",
    kind="idea",
    stage="the gain of an order",
    says="The gain is 2 to the relevance, less 1. Here it is the relevance itself.",
)
def takes_powers_of_two(y_true, y_score, k=None):
    return _ndcg(2.0**y_true - 1, y_score, k)


@mistake(
    "ndcg",
    kind="idea",
    stage="the gain of an order",
    says="The things are ordered from the lowest score up. The highest comes first.",
)
def orders_from_below(y_true, y_score, k=None):
    return ndcg(y_true, -y_score, k)


@mistake("ndcg", kind="idea", stage="the first k places", says="All places count, whatever `k` is.")
def ignores_k(y_true, y_score, k=None):
    ndcg(y_true, y_score, k)
    return ndcg(y_true, y_score)


@mistake(
    "ndcg",
    kind="idea",
    stage="the first k places",
    says="The best order is not cut off after `k` places, so even the best order does not reach 1.",
)
def cuts_only_one_of_them(y_true, y_score, k=None):
    def best(relevance, weights):
        return (np.sort(relevance)[::-1] / np.log2(np.arange(len(relevance)) + 2.0)).sum()

    return _ndcg(y_true, y_score, k, best=best)


@mistake(
    "ndcg",
    kind="idea",
    stage="ties",
    says="Things of one score are taken in the order in which they stand. They share the weights of their places.",
)
def takes_ties_as_they_stand(y_true, y_score, k=None):
    ndcg(y_true, y_score, k)
    rank = np.argsort(np.argsort(-y_score, axis=1, kind="stable"), axis=1)
    return ndcg(y_true, -rank.astype(np.float64), k)


@mistake(
    "ndcg",
    kind="idea",
    stage="ties",
    says="Things of one score all get the weight of the first of their places. They share all of them.",
)
def gives_ties_the_first_place(y_true, y_score, k=None):
    return _ndcg(y_true, y_score, k, share=lambda group, weights, count: weights[count.cumsum() - count][group])


@mistake("ndcg", kind="case", says="A query to which nothing is relevant is left out or nan. It counts 0 in the mean.")
def leaves_out_empty_queries(y_true, y_score, k=None):
    ndcg(y_true, y_score, k)
    there = y_true.sum(1) > 0
    return ndcg(y_true[there], y_score[there], k) if there.any() else float("nan")


def _ndcg(y_true, y_score, k=None, weight=lambda places: 1 / np.log2(places + 2.0), best=None, share=None):
    """nDCG with parts of it exchanged."""
    require_ndim(2, y_true=y_true)
    require_same_shape(y_score=y_score, y_true=y_true)
    if k is not None:
        require_whole(1, k=k)
    places = np.arange(y_true.shape[1])
    weights = np.where(places < (len(places) if k is None else k), weight(places), 0.0)
    gains = []
    for relevance, scores in zip(y_true, y_score, strict=True):
        _, group, count = np.unique(-scores, return_inverse=True, return_counts=True)
        if share is None:
            shared = (np.bincount(np.sort(group), weights) / count)[group]
        else:
            shared = share(group, weights, count)
        top = (np.sort(relevance)[::-1] * weights).sum() if best is None else best(relevance, weights)
        gains.append((relevance * shared).sum() / top if top > 0 else 0.0)
    return float(np.mean(gains))
