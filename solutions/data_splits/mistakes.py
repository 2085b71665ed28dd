"""Known wrong solutions of the assignment on splitting data, each with what to tell its author."""

import numpy as np

from autograder.guards import require_shape, require_whole
from autograder.testing import mistake

from .reference import (
    group_split,
    k_fold,
    learning_curve_diagnosis,
    minibatches,
    select_model,
    stratified_split,
    train_val_test_split,
)


def in_parts(order, val, test):
    return order[val + test :], order[:val], order[val : val + test]


@mistake(
    "train_val_test_split", kind="idea", says="Nothing is shuffled: the first samples always make up the same set."
)
def does_not_shuffle(n, val_size, test_size, *, rng):
    train_val_test_split(n, val_size, test_size, rng=rng)
    return in_parts(np.arange(n), round(val_size * n), round(test_size * n))


@mistake(
    "train_val_test_split",
    kind="idea",
    says="Samples are in two sets at once, as where each set is drawn by itself. What is in one set is out of the others.",
)
def draws_each_set_by_itself(n, val_size, test_size, *, rng):
    train_val_test_split(n, val_size, test_size, rng=rng)
    val, test = rng.permutation(n)[: round(val_size * n)], rng.permutation(n)[: round(test_size * n)]
    return np.setdiff1d(np.arange(n), val), val, test


@mistake(
    "train_val_test_split",
    kind="idea",
    says="`test_size` is taken of what the validation set has left over. It is a share of all samples.",
)
def shares_of_the_rest(n, val_size, test_size, *, rng):
    train_val_test_split(n, val_size, test_size, rng=rng)
    val = round(val_size * n)
    return in_parts(rng.permutation(n), val, round(test_size * (n - val)))


@mistake(
    "train_val_test_split",
    kind="idea",
    says="Validation and test set stand in each other's place in the answer, or have each other's size.",
)
def swaps_validation_and_test(n, val_size, test_size, *, rng):
    train, val, test = train_val_test_split(n, val_size, test_size, rng=rng)
    return train, test, val


@mistake(
    "train_val_test_split",
    kind="idea",
    says="The sets are blocks of neighbours, from a place that is left to chance. Neighbours then nearly always stay together.",
)
def rolls_a_block(n, val_size, test_size, *, rng):
    train_val_test_split(n, val_size, test_size, rng=rng)
    return in_parts(np.roll(np.arange(n), rng.integers(n)), round(val_size * n), round(test_size * n))


@mistake(
    "train_val_test_split",
    kind="idea",
    says="Every call deals the samples alike, as a generator with a seed of its own does. Draw from `rng`.",
)
def makes_a_generator_of_its_own(n, val_size, test_size, *, rng):
    return train_val_test_split(n, val_size, test_size, rng=np.random.default_rng(0))


@mistake(
    "train_val_test_split",
    kind="case",
    says="Sizes are rounded down. The text asks for the nearest whole number.",
)
def rounds_down(n, val_size, test_size, *, rng):
    train_val_test_split(n, val_size, test_size, rng=rng)
    return in_parts(rng.permutation(n), int(val_size * n + 1e-9), int(test_size * n + 1e-9))


@mistake(
    "train_val_test_split",
    kind="case",
    says="Equal generators give different splits: something else than `rng` is drawn from, such as np.random itself.",
)
def draws_from_global_state(n, val_size, test_size, *, rng):
    train_val_test_split(n, val_size, test_size, rng=rng)
    return in_parts(np.random.default_rng().permutation(n), round(val_size * n), round(test_size * n))


@mistake(
    "train_val_test_split",
    kind="case",
    says="With a share of 0 samples are in a set that should be empty. `order[-0:]`, for one, is the whole of `order`.",
)
def counts_from_the_back(n, val_size, test_size, *, rng):
    train_val_test_split(n, val_size, test_size, rng=rng)
    order, val, test = rng.permutation(n), round(val_size * n), round(test_size * n)
    return order[: n - val - test], order[n - val - test : n - test], order[-test:]


def dealt(order, fold, k):
    return [(order[fold != i], order[fold == i]) for i in range(k)]


@mistake("k_fold", kind="idea", says="Nothing is shuffled: a fold always holds the same samples.")
def k_fold_without_shuffling(n, k, *, rng):
    k_fold(n, k, rng=rng)
    return dealt(np.arange(n), np.arange(n) * k // n, k)


@mistake("k_fold", kind="idea", says="The two arrays of a pair stand in each other's place: `train` comes first.")
def swaps_the_pair(n, k, *, rng):
    return [(val, train) for train, val in k_fold(n, k, rng=rng)]


@mistake(
    "k_fold",
    kind="idea",
    says="Each fold is drawn by itself, so some samples are validated several times and others never.",
)
def draws_every_fold_anew(n, k, *, rng):
    k_fold(n, k, rng=rng)
    return [k_fold(n, k, rng=rng)[i] for i in range(k)]


@mistake(
    "k_fold", kind="idea", says="`train` holds the samples of `val` too. What is validated must not be learned from."
)
def trains_on_everything(n, k, *, rng):
    return [(np.arange(n), val) for _, val in k_fold(n, k, rng=rng)]


@mistake(
    "k_fold",
    kind="case",
    says="Where k does not divide n, the samples left over are in no fold.",
)
def forgets_the_remainder(n, k, *, rng):
    k_fold(n, k, rng=rng)
    order = rng.permutation(n)
    return dealt(order, np.arange(n) // (n // k), k)


@mistake(
    "k_fold",
    kind="case",
    says="Where k does not divide n, one fold takes all samples that are left over, and is larger by more than one.",
)
def last_fold_takes_the_rest(n, k, *, rng):
    k_fold(n, k, rng=rng)
    return dealt(rng.permutation(n), np.minimum(np.arange(n) // (n // k), k - 1), k)


@mistake("k_fold", kind="refusal", says="A `k` of 1 is not refused.")
def accepts_one_fold(n, k, *, rng):
    if k < 1 or k > n:
        raise ValueError(f"k is {k}, n is {n}")
    return dealt(rng.permutation(n), np.arange(n) % k, k)


@mistake("k_fold", kind="refusal", says="A `k` above n is not refused, and some folds are empty.")
def accepts_empty_folds(n, k, *, rng):
    if k < 2:
        raise ValueError(f"k is {k}")
    return dealt(rng.permutation(n), np.arange(n) % k, k)


def of_members(y, members_in_test):
    in_test = np.zeros(len(y), dtype=bool)
    for members in members_in_test:
        in_test[members] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


@mistake(
    "stratified_split",
    kind="idea",
    says="The samples are split without looking at their classes, so a class has its share by luck only.",
)
def ignores_the_classes(y, test_size, *, rng):
    stratified_split(y, test_size, rng=rng)
    return of_members(y, [rng.permutation(len(y))[: round(test_size * len(y))]])


@mistake(
    "stratified_split", kind="idea", says="Within a class nothing is shuffled: its first samples are always tested."
)
def takes_the_first_of_each_class(y, test_size, *, rng):
    stratified_split(y, test_size, rng=rng)
    members = [np.flatnonzero(y == label) for label in np.unique(y)]
    return of_members(y, [one[: round(test_size * len(one))] for one in members])


@mistake(
    "stratified_split",
    kind="idea",
    says="Each class has equally many samples in the test set. It should have as large a share there as among all.",
)
def balances_the_classes(y, test_size, *, rng):
    stratified_split(y, test_size, rng=rng)
    labels = np.unique(y)
    each = round(test_size * len(y) / len(labels)) if len(labels) else 0
    return of_members(y, [rng.permutation(np.flatnonzero(y == label))[:each] for label in labels])


@mistake("stratified_split", kind="idea", says="`train` and `test` stand in each other's place.")
def swaps_train_and_test(y, test_size, *, rng):
    train, test = stratified_split(y, test_size, rng=rng)
    return test, train


@mistake(
    "stratified_split",
    kind="case",
    says="The shares of the classes are rounded down. The text asks for the nearest whole number.",
)
def rounds_each_class_down(y, test_size, *, rng):
    stratified_split(y, test_size, rng=rng)
    members = [rng.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    return of_members(y, [one[: int(test_size * len(one) + 1e-9)] for one in members])


@mistake(
    "stratified_split",
    kind="case",
    says="Classes are taken to be 0, 1, 2, and so on up to the largest; samples of a negative class never come into `test`.",
)
def counts_classes_from_0(y, test_size, *, rng):
    stratified_split(y, test_size, rng=rng)
    members = [rng.permutation(np.flatnonzero(y == label)) for label in range(int(y.max(initial=-1)) + 1)]
    return of_members(y, [one[: round(test_size * len(one))] for one in members])


@mistake("group_split", kind="idea", says="Samples are drawn, not groups: groups are torn apart.")
def splits_samples(groups, test_size, *, rng):
    group_split(groups, test_size, rng=rng)
    return of_members(groups, [rng.permutation(len(groups))[: round(test_size * len(groups))]])


@mistake("group_split", kind="idea", says="The groups are not shuffled: the same ones are always tested.")
def takes_the_first_groups(groups, test_size, *, rng):
    group_split(groups, test_size, rng=rng)
    names = np.unique(groups)
    return of_members(groups, [np.isin(groups, names[: round(test_size * len(names))])])


@mistake(
    "group_split",
    kind="idea",
    says="`test_size` is taken as a share of the samples: groups are added until there are so many. It is one of the groups.",
)
def takes_a_share_of_the_samples(groups, test_size, *, rng):
    group_split(groups, test_size, rng=rng)
    chosen, wanted = np.zeros(len(groups), dtype=bool), round(test_size * len(groups))
    for name in rng.permutation(np.unique(groups)):
        if chosen.sum() < wanted:
            chosen |= groups == name
    return of_members(groups, [chosen])


@mistake("group_split", kind="idea", says="A part of each group goes to each side. Here a group has to stay whole.")
def stratifies_by_group(groups, test_size, *, rng):
    return stratified_split(groups, test_size, rng=rng)


@mistake(
    "group_split",
    kind="case",
    says="Large groups come into the test set more often than small ones, as where samples are drawn and their groups taken.",
)
def prefers_large_groups(groups, test_size, *, rng):
    group_split(groups, test_size, rng=rng)
    names = list(dict.fromkeys(rng.permutation(groups).tolist()))
    return of_members(groups, [np.isin(groups, names[: round(test_size * len(names))])])


@mistake(
    "group_split",
    kind="case",
    says="Groups are taken to be 0 ... G - 1. Any whole numbers may be names of groups.",
)
def counts_groups_from_0(groups, test_size, *, rng):
    group_split(groups, test_size, rng=rng)
    count = len(np.unique(groups))
    return of_members(groups, [np.isin(groups, rng.permutation(count)[: round(test_size * count)])])


@mistake(
    "group_split",
    kind="case",
    says="The number of groups in the test set is rounded up. The text asks for the nearest whole number.",
)
def rounds_groups_up(groups, test_size, *, rng):
    group_split(groups, test_size, rng=rng)
    names = rng.permutation(np.unique(groups))
    return of_members(groups, [np.isin(groups, names[: int(np.ceil(test_size * len(names) - 1e-9))])])


def in_batches(x, y, batch_size, drop_last):
    end = len(x) - len(x) % batch_size if drop_last else len(x)
    return [(x[i : i + batch_size][: end - i], y[i : i + batch_size][: end - i]) for i in range(0, end, batch_size)]


@mistake("minibatches", kind="idea", says="Nothing is shuffled: the batches of every epoch are the same.")
def minibatches_in_order(x, y, batch_size, *, drop_last=False, rng):
    minibatches(x, y, batch_size, drop_last=drop_last, rng=rng)
    return in_batches(x, y, batch_size, drop_last)


@mistake("minibatches", kind="idea", says="x and y are shuffled each by itself, so the rows lose their labels.")
def loses_the_labels(x, y, batch_size, *, drop_last=False, rng):
    minibatches(x, y, batch_size, drop_last=drop_last, rng=rng)
    return in_batches(rng.permutation(x), rng.permutation(y), batch_size, drop_last)


@mistake(
    "minibatches",
    kind="idea",
    says="Each batch is drawn from all samples, so that in one epoch some come several times and others never.",
)
def draws_with_replacement(x, y, batch_size, *, drop_last=False, rng):
    sizes = [len(labels) for _, labels in minibatches(x, y, batch_size, drop_last=drop_last, rng=rng)]
    parts = [rng.integers(len(x), size=size) for size in sizes]
    return [(x[part], y[part]) for part in parts]


@mistake(
    "minibatches", kind="idea", says="The batches themselves are shuffled, but the same samples always stay together."
)
def shuffles_whole_batches(x, y, batch_size, *, drop_last=False, rng):
    minibatches(x, y, batch_size, drop_last=drop_last, rng=rng)
    batches = in_batches(x, y, batch_size, drop_last)
    whole = [i for i, (_, labels) in enumerate(batches) if len(labels) == batch_size]
    last = [i for i in range(len(batches)) if i not in whole]
    return [batches[i] for i in [*rng.permutation(whole).astype(int), *last]]


@mistake("minibatches", kind="case", says="A smaller last batch is left out even where `drop_last` is False.")
def always_drops(x, y, batch_size, *, drop_last=False, rng):
    return minibatches(x, y, batch_size, drop_last=True, rng=rng)


@mistake("minibatches", kind="case", says="With drop_last=True a smaller last batch is returned all the same.")
def never_drops(x, y, batch_size, *, drop_last=False, rng):
    return minibatches(x, y, batch_size, rng=rng)


@mistake("minibatches", kind="case", says="With drop_last=True the last batch is left out even where it is full.")
def drops_a_full_batch(x, y, batch_size, *, drop_last=False, rng):
    batches = minibatches(x, y, batch_size, rng=rng)
    return batches[:-1] if drop_last else batches


@mistake(
    "minibatches",
    kind="case",
    says="With drop_last=True the same samples are left out in every epoch, as where they are cut off before shuffling.",
)
def drops_before_shuffling(x, y, batch_size, *, drop_last=False, rng):
    minibatches(x, y, batch_size, drop_last=drop_last, rng=rng)
    end = len(x) - len(x) % batch_size if drop_last else len(x)
    return minibatches(x[:end], y[:end], batch_size, rng=rng)


@mistake("minibatches", kind="case", says="x or y itself is shuffled. What was passed in has to stay as it is.")
def shuffles_in_place(x, y, batch_size, *, drop_last=False, rng):
    require_shape((len(x),), y=y)
    require_whole(1, batch_size=batch_size)
    order = rng.permutation(len(x))
    x[:], y[:] = x[order], y[order]
    return [(a.copy(), b.copy()) for a, b in in_batches(x, y, batch_size, drop_last)]


def scored(
    x, y, folds, candidates, fit_predict, error=lambda p, t: np.mean((p - t) ** 2), over=np.mean, best=np.argmin
):
    select_model(x, y, folds, candidates, lambda x_train, y_train, x_new, candidate: np.zeros(len(x_new)))
    errors = [[error(fit_predict(x[t], y[t], x[v], c), y[v]) for t, v in folds] for c in candidates]
    scores = np.array([over(row) for row in errors], dtype=np.float64)
    return candidates[int(best(scores))], scores


@mistake("select_model", kind="idea", says="The candidate with the largest error is chosen.")
def takes_the_worst(x, y, folds, candidates, fit_predict):
    return scored(x, y, folds, candidates, fit_predict, best=np.argmax)


@mistake("select_model", kind="idea", says="The errors are those on the samples that were learned from.")
def scores_on_training_samples(x, y, folds, candidates, fit_predict):
    select_model(x, y, folds, candidates, fit_predict)
    return scored(x, y, [(train, train) for train, _ in folds], candidates, fit_predict)


@mistake("select_model", kind="idea", says="All samples are learned from, also those that are then predicted.")
def learns_from_all_samples(x, y, folds, candidates, fit_predict):
    select_model(x, y, folds, candidates, fit_predict)
    return scored(x, y, [(np.arange(len(y)), val) for _, val in folds], candidates, fit_predict)


@mistake("select_model", kind="idea", says="The first fold alone decides. The errors of all folds have to be averaged.")
def uses_one_fold(x, y, folds, candidates, fit_predict):
    select_model(x, y, folds, candidates, fit_predict)
    return scored(x, y, folds[:1], candidates, fit_predict)


@mistake("select_model", kind="idea", says="The place of the best candidate is returned, not the candidate.")
def returns_the_place(x, y, folds, candidates, fit_predict):
    _best, scores = select_model(x, y, folds, candidates, fit_predict)
    return int(np.argmin(scores)), scores


@mistake("select_model", kind="idea", says="These are mean sizes of the differences. The squared error is asked for.")
def takes_absolute_errors(x, y, folds, candidates, fit_predict):
    return scored(x, y, folds, candidates, fit_predict, error=lambda p, t: np.mean(np.abs(p - t)))


@mistake(
    "select_model",
    kind="case",
    says="Large folds count more than small ones, as where the squared errors of all samples are averaged at once.",
)
def pools_the_samples(x, y, folds, candidates, fit_predict):
    select_model(x, y, folds, candidates, fit_predict)
    count = sum(len(val) for _, val in folds)
    return scored(
        x, y, folds, candidates, fit_predict, lambda p, t: np.sum((p - t) ** 2), lambda row: np.sum(row) / count
    )


@mistake("select_model", kind="case", says="Of candidates that are equally good the last is chosen.")
def takes_the_last_of_equals(x, y, folds, candidates, fit_predict):
    return scored(x, y, folds, candidates, fit_predict, best=lambda scores: len(scores) - 1 - np.argmin(scores[::-1]))


@mistake(
    "learning_curve_diagnosis",
    kind="idea",
    says="The gap is looked at first. A training loss above `target` underfits whatever the gap.",
)
def asks_for_the_gap_first(train_losses, val_losses, target, gap):
    word = learning_curve_diagnosis(train_losses, val_losses, target, gap)
    return word if val_losses[-1] - train_losses[-1] <= gap else "overfit"


@mistake(
    "learning_curve_diagnosis",
    kind="idea",
    says="`target` is compared with the validation loss. It is one of the training loss.",
)
def compares_the_validation_loss(train_losses, val_losses, target, gap):
    learning_curve_diagnosis(train_losses, val_losses, target, gap)
    if not val_losses[-1] <= target:
        return "underfit"
    return "good" if val_losses[-1] - train_losses[-1] <= gap else "overfit"


@mistake(
    "learning_curve_diagnosis", kind="idea", says="The lowest loss of all epochs is looked at. The last one counts."
)
def looks_at_the_lowest(train_losses, val_losses, target, gap):
    learning_curve_diagnosis(train_losses, val_losses, target, gap)
    return learning_curve_diagnosis(np.fmin.reduce(train_losses)[None], np.fmin.reduce(val_losses)[None], target, gap)


@mistake(
    "learning_curve_diagnosis",
    kind="idea",
    says="A validation loss far below that of training is called overfitting. Only one above it is.",
)
def takes_the_size_of_the_gap(train_losses, val_losses, target, gap):
    word = learning_curve_diagnosis(train_losses, val_losses, target, gap)
    return "overfit" if word == "good" and abs(val_losses[-1] - train_losses[-1]) > gap else word


@mistake(
    "learning_curve_diagnosis",
    kind="idea",
    says="The words stand in each other's place: too high a training loss underfits.",
)
def swaps_the_words(train_losses, val_losses, target, gap):
    word = learning_curve_diagnosis(train_losses, val_losses, target, gap)
    return {"underfit": "overfit", "overfit": "underfit"}.get(word, word)


@mistake(
    "learning_curve_diagnosis",
    kind="case",
    says="A loss exactly at `target`, or a difference of exactly `gap`, is called bad. It is good enough.",
)
def refuses_the_limits(train_losses, val_losses, target, gap):
    word = learning_curve_diagnosis(train_losses, val_losses, target, gap)
    if train_losses[-1] >= target:
        return "underfit"
    return "overfit" if val_losses[-1] - train_losses[-1] >= gap else word


@mistake(
    "learning_curve_diagnosis",
    kind="case",
    says="A training that ends in nan is called good. Every comparison with nan is false.",
)
def calls_nan_good(train_losses, val_losses, target, gap):
    learning_curve_diagnosis(train_losses, val_losses, target, gap)
    if train_losses[-1] > target:
        return "underfit"
    return "overfit" if val_losses[-1] - train_losses[-1] > gap else "good"
