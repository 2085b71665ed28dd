"""Visible checks of the assignment on metrics.

Each compares with scikit-learn's function, with a plain count or with worked numbers, or states a property.
The sentence under a test is what you read when it fails.
"""

import warnings
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.testing import (
    Contract,
    Rules,
    another_number_of_axes,
    another_shape,
    arrays,
    assert_close,
    assert_unchanged,
    bad_values,
    case,
    exercise,
    explained,
    idea,
    raises,
    refusal,
)

RULES = Rules(library="numpy", vectorised=True)
contract = partial(Contract, half_magnitudes=(), magnitudes=(1.0, 1e-3, 500.0))
# Ready-made ways to count pairs.
COUNTS = ("confusion_matrix", "crosstab", "histogram2d", "histogramdd", "multilabel_confusion_matrix")
WHOLE = ("int8", "uint8", "int32", "int64")


def learned(name: str, *arguments: Any, **options: Any) -> Any:
    """What scikit-learn's function of that name says; where it only warns, it is taken at its word."""
    from sklearn import metrics  # here, since most answers need no second look and importing it takes a second

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(metrics, name)(*arguments, **options)


def labels(*values: int) -> np.ndarray:
    """Its arguments as an array of classes."""
    return np.array(values, dtype=np.int64)


def scores(*values: float) -> np.ndarray:
    """Its arguments as a float64 array."""
    return np.array(values, dtype=np.float64)


def classes(count: int, length: int) -> st.SearchStrategy[np.ndarray]:
    """So many classes out of ``count``."""
    return st.lists(st.integers(0, count - 1), min_size=length, max_size=length).map(lambda drawn: labels(*drawn))


@st.composite
def predictions(draw: Callable[..., Any], least: int = 1) -> dict[str, Any]:
    """True and predicted classes, and how many classes there are."""
    length, count = draw(st.integers(least, 9)), draw(st.integers(2, 4))
    return {"y_true": draw(classes(count, length)), "y_pred": draw(classes(count, length)), "num_classes": count}


@st.composite
def complete(draw: Callable[..., Any]) -> dict[str, Any]:
    """Predictions in which every class occurs and is predicted rightly at least once."""
    drawn = draw(predictions())
    every = np.arange(drawn["num_classes"])
    return {
        "y_true": np.concatenate([drawn["y_true"], every]),
        "y_pred": np.concatenate([drawn["y_pred"], every]),
        "num_classes": drawn["num_classes"],
    }


def layouts(x: np.ndarray) -> list[np.ndarray]:
    """The same entries, lying otherwise in memory."""
    return [np.stack([x, x + 1], axis=-1).reshape(*x.shape[:-1], -1)[..., ::2], x[::-1].copy()[::-1]]


@st.composite
def weighted(draw: Callable[..., Any]) -> dict[str, Any]:
    """True and predicted classes with weights, which add up to anything."""
    drawn = draw(predictions())
    drawn["sample_weight"] = draw(arrays(shape=drawn["y_true"].shape, low=0.25, high=4))
    del drawn["num_classes"]
    return drawn


@exercise(
    "accuracy",
    points=2,
    forbid=("accuracy_score", "average"),
    contract=contract(
        weighted(),
        lambda y_true, y_pred, sample_weight: float(
            learned("accuracy_score", y_true, y_pred, sample_weight=sample_weight)
        ),
        agrees="With weights it agrees with scikit-learn.",
        names=("y_true", "y_pred", "sample_weight"),
        refuses=(another_shape("y_pred"), another_shape("sample_weight")),
    ),
)
class TestAccuracy:
    @idea
    def test_worked_values(self, student):
        """Three of four are right: 0.75. Where the wrong one weighs 5 and the others 1, it is 3/8."""
        y_true, y_pred = labels(0, 1, 2, 1), labels(0, 2, 2, 1)
        assert_close(student.accuracy(y_true, y_pred), 0.75)
        assert_close(student.accuracy(y_true, y_pred, scores(1, 5, 1, 1)), 0.375)

    @idea
    @given(drawn=predictions(least=2))
    def test_share_of_what_is_right(self, student, drawn):
        """Without weights it is the number of right predictions over the number of all."""
        y_true, y_pred = drawn["y_true"], drawn["y_pred"]
        right = sum(a == b for a, b in zip(y_true.tolist(), y_pred.tolist(), strict=True))
        assert_close(student.accuracy(y_true, y_pred), right / len(y_true))

    @case
    @given(drawn=weighted(), factor=st.sampled_from([0.01, 7.0, 300.0]))
    def test_weights_need_not_add_up_to_one(self, student, drawn, factor):
        """All weights times a number change nothing."""
        weights = drawn["sample_weight"]
        once = learned("accuracy_score", drawn["y_true"], drawn["y_pred"], sample_weight=weights)
        assert_close(student.accuracy(drawn["y_true"], drawn["y_pred"], factor * weights), float(once))

    @case
    @given(drawn=predictions(), dtypes=st.sampled_from(list(product(WHOLE, WHOLE))))
    def test_any_whole_numbers(self, student, drawn, dtypes):
        """Classes are compared as numbers, whatever their dtypes are."""
        y_true, y_pred = drawn["y_true"].astype(dtypes[0]), drawn["y_pred"].astype(dtypes[1])
        assert_close(student.accuracy(y_true, y_pred), float(learned("accuracy_score", y_true, y_pred)))

    @case
    @given(drawn=weighted(), place=st.integers(0, 8))
    def test_weight_0(self, student, drawn, place):
        """A sample of weight 0 does not count."""
        weights = np.append(drawn["sample_weight"], 0.0)
        y_true, y_pred = np.append(drawn["y_true"], place % 2), np.append(drawn["y_pred"], 0)
        once = learned("accuracy_score", drawn["y_true"], drawn["y_pred"], sample_weight=drawn["sample_weight"])
        assert_close(student.accuracy(y_true, y_pred, weights), float(once))


def counted(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> np.ndarray:
    """The pairs, counted one by one."""
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    for true, predicted in zip(y_true.tolist(), y_pred.tolist(), strict=True):
        counts[true, predicted] += 1
    return counts


def miscounted(answer: np.ndarray, right: np.ndarray) -> str:
    """The first place with a wrong count."""
    if answer.shape != right.shape:
        return ""
    i, j = (int(place) for place in np.argwhere(answer != right)[0])
    return f"Class {i} was taken for class {j} {right[i, j]} times; row {i}, column {j} has {answer[i, j]:g}."


def assert_counts(student: Any, y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> None:
    """Compares with the pairs counted one by one."""
    answer, right = student.confusion_matrix(y_true, y_pred, num_classes), counted(y_true, y_pred, num_classes)
    with explained(lambda: miscounted(answer, right)):
        assert_close(answer, right)


@exercise("confusion_matrix", points=2, forbid=COUNTS)
class TestConfusionMatrix:
    @idea
    def test_worked_values(self, student):
        """Of classes 0, 0, 0, 1, 2, taken for 0, 1, 1, 1, 0, the counts are (1, 2, 0), (0, 1, 0) and (1, 0, 0)."""
        right = np.array([[1, 2, 0], [0, 1, 0], [1, 0, 0]])
        assert_close(student.confusion_matrix(labels(0, 0, 0, 1, 2), labels(0, 1, 1, 1, 0), 3), right)

    @idea
    @given(drawn=complete())
    def test_agrees_with_counting(self, student, drawn):
        """Row i, column j has how often class i was taken for class j."""
        assert_counts(student, **drawn)

    @case
    @given(drawn=predictions(), more=st.integers(1, 3))
    def test_classes_that_do_not_occur(self, student, drawn, more):
        """A class that never occurs has a row and a column of zeros."""
        assert_counts(student, drawn["y_true"], drawn["y_pred"], drawn["num_classes"] + more)

    @case
    @given(drawn=predictions(), dtypes=st.sampled_from(list(product(WHOLE, WHOLE))))
    @example(
        drawn={"y_true": labels(20, 20, 3), "y_pred": labels(20, 19, 3), "num_classes": 21}, dtypes=("uint8", "uint8")
    )
    @example(drawn={"y_true": labels(11, 2), "y_pred": labels(11, 11), "num_classes": 12}, dtypes=("int8", "int8"))
    def test_any_whole_numbers(self, student, drawn, dtypes):
        """Classes may be of any whole dtype, small ones too: with 21 classes, 20 times 21 is more than a uint8 holds."""
        y_true, y_pred = drawn["y_true"].astype(dtypes[0]), drawn["y_pred"].astype(dtypes[1])
        assert_counts(student, y_true, y_pred, drawn["num_classes"])

    @case
    def test_no_sample(self, student):
        """Of no samples all counts are 0; with one class there is one count."""
        assert_counts(student, labels(), labels(), 3)
        assert_counts(student, labels(0, 0), labels(0, 0), 1)

    @case
    @given(drawn=predictions(least=2), which=st.sampled_from([0, 1]))
    def test_not_contiguous(self, student, drawn, which):
        """How the labels lie in memory makes no difference."""
        y_true, y_pred = layouts(drawn["y_true"])[which], layouts(drawn["y_pred"])[1 - which]
        assert_counts(student, y_true, y_pred, drawn["num_classes"])

    @case
    @given(drawn=predictions())
    def test_arguments_stay(self, student, drawn):
        """No argument is changed in place."""
        student.confusion_matrix(**drawn)
        assert_unchanged(student)

    @refusal
    @given(drawn=predictions(least=2), wrong=st.sampled_from([-1, 9]))
    def test_bad_labels_are_refused(self, student, drawn, wrong):
        """A label that is no class, or another number of labels, raises ValueError that names the argument."""
        for name in ("y_true", "y_pred"):
            bad = {**drawn, name: np.append(drawn[name][:-1], wrong)}
            with raises(ValueError, naming=name, because=f"{name} has the class {wrong} of {drawn['num_classes']}"):
                student.confusion_matrix(**bad)
        with raises(ValueError, naming=("y_pred", "y_true"), because="y_pred has one label less than y_true"):
            student.confusion_matrix(drawn["y_true"], drawn["y_pred"][1:], drawn["num_classes"])


def of_each_class(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> tuple[np.ndarray, ...]:
    """Precision, recall and F1 of each class, as scikit-learn has them."""
    found = learned(
        "precision_recall_fscore_support", y_true, y_pred, labels=list(range(num_classes)), zero_division=0.0
    )
    return tuple(np.asarray(part, dtype=np.float64) for part in found[:3])


@exercise(
    "precision_recall_f1",
    points=3,
    forbid=(*COUNTS, "precision_recall_fscore_support", "precision_score", "recall_score", "f1_score", "hmean"),
)
class TestPrecisionRecallF1:
    @idea
    def test_worked_values(self, student):
        """The counts (6, 2), (1, 3): precision 6/7 and 3/5, recall 3/4 and 3/4, F1 4/5 and 2/3."""
        y_true = labels(*[0] * 8, *[1] * 4)
        y_pred = labels(*[0] * 6, 1, 1, 0, 1, 1, 1)
        right = (scores(6 / 7, 3 / 5), scores(3 / 4, 3 / 4), scores(4 / 5, 2 / 3))
        assert_close(student.precision_recall_f1(y_true, y_pred, 2), right)

    @idea
    @given(drawn=complete())
    def test_agrees_with_scikit_learn(self, student, drawn):
        """Where every class occurs and is predicted, it agrees with scikit-learn."""
        assert_close(student.precision_recall_f1(**drawn), of_each_class(**drawn))

    @case
    @given(drawn=predictions(), more=st.integers(0, 2))
    def test_nothing_to_divide_by(self, student, drawn, more):
        """A share of nothing is 0: of a class that is never predicted, never occurs, or neither."""
        drawn = {**drawn, "num_classes": drawn["num_classes"] + more}
        assert_close(student.precision_recall_f1(**drawn), of_each_class(**drawn))

    @case
    @given(drawn=complete(), dtypes=st.sampled_from(list(product(WHOLE, WHOLE))))
    def test_any_whole_numbers(self, student, drawn, dtypes):
        """Classes may be of any whole dtype; the answers are float64."""
        y_true, y_pred = drawn["y_true"].astype(dtypes[0]), drawn["y_pred"].astype(dtypes[1])
        assert_close(student.precision_recall_f1(y_true, y_pred, drawn["num_classes"]), of_each_class(**drawn))

    @case
    @given(drawn=complete(), which=st.sampled_from([0, 1]))
    def test_not_contiguous(self, student, drawn, which):
        """How the labels lie in memory makes no difference."""
        y_true, y_pred = layouts(drawn["y_true"])[which], layouts(drawn["y_pred"])[1 - which]
        assert_close(student.precision_recall_f1(y_true, y_pred, drawn["num_classes"]), of_each_class(**drawn))

    @case
    @given(drawn=predictions())
    def test_arguments_stay(self, student, drawn):
        """No argument is changed in place."""
        student.precision_recall_f1(**drawn)
        assert_unchanged(student)


def halves(*shape: int) -> st.SearchStrategy[np.ndarray]:
    """Arrays of halves from -2 to 2, among which ties are common."""
    return arrays(shape=shape, low=-2, high=2).map(lambda x: np.round(2 * x) / 2)


def apart(*shape: int) -> st.SearchStrategy[np.ndarray]:
    """Arrays of numbers that all differ, in any order."""
    return st.permutations(range(int(np.prod(shape)))).map(
        lambda drawn: np.array(drawn, dtype=float).reshape(shape) - 2.5
    )


@st.composite
def scored(draw: Callable[..., Any], values: Callable[..., Any] = halves, both: bool = True) -> dict[str, np.ndarray]:
    """Yes and no with scores; with ``both`` there is one of each at least."""
    y = draw(st.lists(st.integers(0, 1), min_size=1, max_size=6))
    y_true = labels(*draw(st.permutations([0, 1, *y]))) if both else labels(*y)
    return {"y_true": y_true, "y_score": draw(values(len(y_true)))}


def curve(y_true: np.ndarray, y_score: np.ndarray) -> tuple[np.ndarray, ...]:
    """The ROC curve of scikit-learn, with every threshold."""
    fpr, tpr, thresholds = learned("roc_curve", y_true, y_score, drop_intermediate=False)
    return fpr, tpr, thresholds.astype(y_score.dtype)


NO_CLASS = bad_values("y_true", labels(0, 2), or_naming=("y_score",))


@exercise(
    "roc_curve",
    points=4,
    forbid=("roc_curve", "det_curve", "precision_recall_curve"),
    contract=contract(
        scored(),
        curve,
        agrees="With ties among the scores it agrees with scikit-learn.",
        names=("y_true", "y_score"),
        refuses=(another_shape("y_score"), NO_CLASS),
    ),
)
class TestRocCurve:
    @idea
    def test_worked_values(self, student):
        """Scores 0.9, 0.8, 0.7, 0.4 of yes, no, yes, no: (0, 0), (0, 1/2), (1/2, 1/2), (1/2, 1), (1, 1)."""
        right = scores(0, 0, 0.5, 0.5, 1), scores(0, 0.5, 0.5, 1, 1), scores(np.inf, 0.9, 0.8, 0.7, 0.4)
        assert_close(student.roc_curve(labels(1, 0, 1, 0), scores(0.9, 0.8, 0.7, 0.4)), right)

    @idea
    def test_a_tie(self, student):
        """Scores 3, 2, 2, 1 of no, yes, no, yes: one threshold for both of 2, which leads from (1/2, 0) to (1, 1/2)."""
        right = scores(0, 0.5, 1, 1), scores(0, 0, 0.5, 1), scores(np.inf, 3, 2, 1)
        assert_close(student.roc_curve(labels(1, 1, 0, 0), scores(2, 1, 3, 2)), right)

    @idea
    @given(drawn=scored(apart))
    def test_agrees_where_all_scores_differ(self, student, drawn):
        """Where no two scores are equal it agrees with scikit-learn."""
        assert_close(student.roc_curve(**drawn), curve(**drawn))

    @case
    @given(drawn=scored(both=False))
    @example(drawn={"y_true": labels(1, 1), "y_score": scores(1, 2)})
    @example(drawn={"y_true": labels(0), "y_score": scores(0)})
    def test_one_class_only(self, student, drawn):
        """Without negatives the false positive rate is nan everywhere, without positives the true positive rate."""
        assert_close(student.roc_curve(**drawn), curve(**drawn))

    @case
    @given(drawn=scored())
    def test_float32(self, student, drawn):
        """float32 scores give float32 thresholds; the rates are float64."""
        y_score = drawn["y_score"].astype(np.float32) / 3
        assert_close(student.roc_curve(drawn["y_true"], y_score), curve(drawn["y_true"], y_score))

    @case
    @given(drawn=scored(), dtype=st.sampled_from([*WHOLE, "bool"]))
    def test_any_labels(self, student, drawn, dtype):
        """The labels may be of any whole dtype, or bool."""
        assert_close(student.roc_curve(drawn["y_true"].astype(dtype), drawn["y_score"]), curve(**drawn))


def area(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """The share of pairs that are ranked rightly, a tie counting half; nan without a pair."""
    yes, no = y_score[y_true == 1], y_score[y_true == 0]
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in yes.tolist() for b in no.tolist()]
    return sum(pairs) / len(pairs) if pairs else float("nan")


@exercise(
    "roc_auc",
    points=3,
    forbid=("roc_auc_score", "auc", "trapz", "trapezoid", "mannwhitneyu", "rankdata"),
    contract=contract(
        scored(),
        area,
        agrees="It is the share of pairs that are ranked rightly, a tie counting half.",
        names=("y_true", "y_score"),
        refuses=(another_shape("y_score"), NO_CLASS),
    ),
)
class TestRocAuc:
    @idea
    def test_worked_values(self, student):
        """Scores 0.9, 0.8, 0.7, 0.4 of yes, no, yes, no: 3 of 4 pairs are right, 0.75."""
        assert_close(student.roc_auc(labels(1, 0, 1, 0), scores(0.9, 0.8, 0.7, 0.4)), 0.75)

    @idea
    @given(drawn=scored(apart))
    def test_turned_round(self, student, drawn):
        """With all scores negated, what was right is wrong: the two areas add up to 1."""
        y_true, y_score = drawn["y_true"], drawn["y_score"]
        assert_close(student.roc_auc(y_true, -y_score) + student.roc_auc(y_true, y_score), 1.0)

    @idea
    def test_ties_count_half(self, student):
        """Where all scores are equal nothing is ranked, and the area is 1/2."""
        assert_close(student.roc_auc(labels(1, 0, 0, 1, 0), scores(2, 2, 2, 2, 2)), 0.5)

    @case
    @given(drawn=scored(both=False))
    @example(drawn={"y_true": labels(1, 1), "y_score": scores(1, 2)})
    @example(drawn={"y_true": labels(0, 0, 0), "y_score": scores(1, 2, 2)})
    def test_one_class_only(self, student, drawn):
        """Without positives, or without negatives, there is no pair, and the answer is nan."""
        assert_close(student.roc_auc(**drawn), area(**drawn))

    @case
    @given(drawn=scored(), dtype=st.sampled_from([*WHOLE, "bool"]))
    def test_any_labels(self, student, drawn, dtype):
        """The labels may be of any whole dtype, or bool."""
        assert_close(student.roc_auc(drawn["y_true"].astype(dtype), drawn["y_score"]), area(**drawn))


def ap(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """The average precision of scikit-learn."""
    return float(learned("average_precision_score", y_true, y_score))


@exercise(
    "average_precision",
    points=3,
    forbid=("average_precision_score", "precision_recall_curve", "auc", "trapz", "trapezoid"),
    contract=contract(
        scored(),
        ap,
        agrees="With ties among the scores it agrees with scikit-learn.",
        names=("y_true", "y_score"),
        refuses=(another_shape("y_score"), NO_CLASS),
    ),
)
class TestAveragePrecision:
    @idea
    def test_worked_values(self, student):
        """Yes, no, no, yes, yes from the top: precision 1, 2/4 and 3/5 at the three positives, on average 0.7."""
        assert_close(student.average_precision(labels(1, 1, 0, 1, 0), scores(2, 1, 4, 5, 3)), 0.7)

    @idea
    def test_a_tie(self, student):
        """Scores 3, 2, 2, 1 of yes, yes, no, no: at the tie precision is 2/3, whichever comes first, so it is 5/6."""
        for y_true in (labels(1, 1, 0, 0), labels(1, 0, 1, 0)):
            assert_close(student.average_precision(y_true, scores(3, 2, 2, 1)), 5 / 6)

    @idea
    @given(drawn=scored(apart))
    def test_agrees_where_all_scores_differ(self, student, drawn):
        """Where no two scores are equal it agrees with scikit-learn."""
        assert_close(student.average_precision(**drawn), ap(**drawn))

    @case
    @given(drawn=scored(both=False))
    @example(drawn={"y_true": labels(0, 0), "y_score": scores(1, 2)})
    @example(drawn={"y_true": labels(1, 1, 1), "y_score": scores(1, 2, 2)})
    def test_one_class_only(self, student, drawn):
        """Without a positive it is 0, without a negative 1."""
        assert_close(student.average_precision(**drawn), ap(**drawn))

    @case
    @given(drawn=scored(), dtype=st.sampled_from([*WHOLE, "bool"]))
    def test_any_labels(self, student, drawn, dtype):
        """The labels may be of any whole dtype, or bool."""
        assert_close(student.average_precision(drawn["y_true"].astype(dtype), drawn["y_score"]), ap(**drawn))


@st.composite
def tables(draw: Callable[..., Any], values: Callable[..., Any] = halves, every: bool = True) -> dict[str, np.ndarray]:
    """Yes and no for samples and labels, with scores; with ``every`` each label occurs."""
    rows, columns = draw(st.sampled_from([(4, 3), (3, 2), (5, 2), (2, 3), (4, 1), (3, 4)]))
    y_true = np.stack([draw(classes(2, rows)) for _ in range(columns)], axis=1)
    if every:
        y_true[draw(st.integers(0, rows - 1))] = 1
    return {"y_true": y_true, "y_score": draw(values(rows, columns))}


def mean_ap(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """The mean over the labels that occur."""
    found = [ap(y, s) for y, s in zip(y_true.T, y_score.T, strict=True) if y.any()]
    return sum(found) / len(found) if found else float("nan")


@exercise(
    "mean_average_precision",
    points=2,
    rules=Rules(library="numpy", vectorised=True, loops_over=("L",)),
    forbid=("average_precision_score", "precision_recall_curve", "label_ranking_average_precision_score"),
    contract=contract(
        tables(),
        mean_ap,
        agrees="Where every label occurs it agrees with scikit-learn's macro average.",
        names=("y_true", "y_score"),
        refuses=(
            another_shape("y_score"),
            another_number_of_axes("y_true", or_naming=("y_score",)),
        ),
    ),
)
class TestMeanAveragePrecision:
    @idea
    def test_worked_values(self, student):
        """Two labels with average precision 5/6 and 1/3: 7/12 on average."""
        y_true = np.array([[1, 0], [0, 0], [1, 1]])
        y_score = np.array([[9.0, 5.0], [5.0, 7.0], [2.0, 1.0]])
        assert_close(student.mean_average_precision(y_true, y_score), 7 / 12)

    @case
    @given(drawn=tables(every=False))
    @example(drawn={"y_true": np.array([[1, 0], [0, 0]]), "y_score": np.array([[1.0, 2.0], [2.0, 1.0]])})
    @example(drawn={"y_true": np.array([[0, 0], [0, 0]]), "y_score": np.array([[1.0, 2.0], [2.0, 1.0]])})
    def test_labels_that_do_not_occur(self, student, drawn):
        """A label without a positive is left out of the mean; if there is no other, the answer is nan."""
        assert_close(student.mean_average_precision(**drawn), mean_ap(**drawn))

    @case
    @given(drawn=tables(), dtype=st.sampled_from([*WHOLE, "bool"]))
    def test_any_labels(self, student, drawn, dtype):
        """The labels may be of any whole dtype, or bool."""
        assert_close(student.mean_average_precision(drawn["y_true"].astype(dtype), drawn["y_score"]), mean_ap(**drawn))


@st.composite
def numbers_of_two(draw: Callable[..., Any]) -> dict[str, np.ndarray]:
    """True and predicted numbers; the true ones are not all equal."""
    length = draw(st.integers(0, 5))
    y_true = draw(halves(length))
    ends = draw(st.sampled_from([(0.0, 1.0), (-1.0, 2.5), (3.0, 1.0)]))
    return {"y_true": np.append(y_true, ends), "y_pred": draw(arrays(shape=(length + 2,), low=-3, high=3))}


def assert_explained(student: Any, y_true: np.ndarray, y_pred: np.ndarray) -> None:
    """Compares with scikit-learn; where it differs, says what stands over and under the line."""
    answer = student.r2_score(y_true, y_pred)
    left, spread = ((y_true - y_pred) ** 2).sum(), ((y_true - y_true.mean()) ** 2).sum()
    reading = (
        f"1 less the answer is {1 - answer:.4g}. The squared distances from the predictions add up to {left:.4g}, those "
        f"from the mean of the truth to {spread:.4g}, and their quotient is {left / spread:.4g}."
    )
    with explained(lambda: reading):
        assert_close(answer, float(learned("r2_score", y_true, y_pred)))


@exercise(
    "r2_score",
    points=2,
    forbid=("r2_score", "explained_variance_score", "corrcoef"),
    contract=contract(
        numbers_of_two(),
        lambda y_true, y_pred: float(learned("r2_score", y_true, y_pred)),
        agrees=None,
        slack=8.0,
        names=("y_true", "y_pred"),
        refuses=(another_shape("y_pred"), bad_values("y_true", scores(1.0), or_naming=("y_pred",))),
    ),
)
class TestR2Score:
    @idea
    def test_worked_values(self, student):
        """Truth 1, 2, 3, 6 and predictions 1, 3, 3, 5: 1 - 2/14. The mean 3 for all gives 0, and 4 for all -4/14."""
        y_true = scores(1, 2, 3, 6)
        for y_pred in (scores(1, 3, 3, 5), scores(3, 3, 3, 3), scores(4, 4, 4, 4)):
            assert_explained(student, y_true, y_pred)

    @idea
    @given(drawn=numbers_of_two())
    def test_agrees_with_scikit_learn(self, student, drawn):
        """It agrees with scikit-learn."""
        assert_explained(student, **drawn)

    @case
    @given(
        value=st.sampled_from([0.0, 0.1, -3.0, 1e6]), length=st.integers(2, 5), off=st.sampled_from([0.0, 0.5, -1.0])
    )
    def test_constant_truth(self, student, value, length, off):
        """Where the truth is one number all over, everything right is 1, and anything else 0."""
        y_true = np.full(length, value)
        answer = student.r2_score(y_true, y_true + off * (np.arange(length) == 1))
        found = "everything is right" if off == 0 else "a prediction is wrong"
        with explained(lambda: f"The truth is {value:g} all over, {found}, and the answer is {answer:g}."):
            assert_close(answer, float(off == 0))

    @case
    @given(drawn=numbers_of_two(), far=st.sampled_from([1e6, -1e7]))
    def test_far_from_0(self, student, drawn, far):
        """Far from 0 it is as exact as near it."""
        y_true, y_pred = np.round(2 * drawn["y_true"]) / 2 + far, np.round(2 * drawn["y_pred"]) / 2 + far
        assert_close(student.r2_score(y_true, y_pred), float(learned("r2_score", y_true, y_pred)))


@st.composite
def queries(
    draw: Callable[..., Any], values: Callable[..., Any] = halves, k: Any = None, useful: bool = True
) -> dict[str, Any]:
    """Relevances with scores, and how many places count; with ``useful`` every query has something relevant."""
    rows, columns = draw(st.sampled_from([(2, 4), (1, 3), (3, 5), (2, 3), (3, 2)]))
    y_true = np.stack([draw(classes(4, columns)) for _ in range(rows)]).astype(np.float64)
    if useful:
        y_true[:, draw(st.integers(0, columns - 1))] = draw(st.sampled_from([1.0, 2.0, 3.0]))
    return {"y_true": y_true, "y_score": draw(values(rows, columns)), "k": draw(st.just(k) if k is None else k)}


def gain(y_true: np.ndarray, y_score: np.ndarray, k: int | None = None) -> float:
    """The nDCG of scikit-learn."""
    return float(learned("ndcg_score", y_true, y_score, k=k))


def assert_gain(student: Any, y_true: np.ndarray, y_score: np.ndarray, k: int | None = None) -> None:
    """Compares with scikit-learn; where a single query comes out wrong, says what stands over and under the line."""
    answer, right = (
        student.ndcg(y_true, y_score, k) if k is not None else student.ndcg(y_true, y_score),
        gain(y_true, y_score, k),
    )

    def reading() -> str:
        if len(y_true) > 1:
            return ""
        places = np.arange(y_true.shape[1])
        best = float(np.sort(y_true[0])[::-1] @ np.where(places < (k or len(places)), 1 / np.log2(places + 2), 0))
        return (
            f"The best order has the gain {best:.4g}, and by the scores it is {right * best:.4g}: the quotient is "
            f"{right:.4g}, and the answer {answer:.4g}."
        )

    with explained(reading):
        assert_close(answer, right)


@exercise(
    "ndcg",
    points=4,
    rules=Rules(library="numpy", vectorised=True, loops_over=("N",)),
    forbid=("ndcg_score", "dcg_score"),
    contract=contract(
        queries(k=st.sampled_from([None, 1, 2, 3])),
        gain,
        agrees=None,
        names=("y_true", "y_score", "k"),
        scaled=("y_score",),
        variants=[queries(k=st.just(k)) for k in (None, 2)],
        refuses=(
            another_shape("y_score"),
            another_number_of_axes("y_true", or_naming=("y_score",)),
            bad_values("k", 0, -1),
        ),
    ),
)
class TestNdcg:
    @idea("the gain of an order")
    def test_worked_values(self, student):
        """Relevances 3, 1, 2 with scores 1, 3, 2: places 3, 1, 2; (1 + 2/1.585 + 3/2) / (3 + 2/1.585 + 1/2) = 0.790."""
        assert_gain(student, np.array([[3.0, 1.0, 2.0]]), np.array([[1.0, 3.0, 2.0]]))

    @idea("the gain of an order")
    @given(drawn=queries(apart))
    def test_agrees_where_all_scores_differ(self, student, drawn):
        """Where no two scores are equal it agrees with scikit-learn."""
        assert_gain(student, drawn["y_true"], drawn["y_score"])

    @idea("the first k places")
    def test_two_places(self, student):
        """With k = 2 the relevances 3, 1, 2 with scores 1, 3, 2 give (1 + 2/1.585) / (3 + 2/1.585) = 0.531."""
        assert_gain(student, np.array([[3.0, 1.0, 2.0]]), np.array([[1.0, 3.0, 2.0]]), 2)

    @idea("the first k places")
    @given(drawn=queries(apart, st.sampled_from([1, 2, 3, 9])))
    def test_agrees_with_k(self, student, drawn):
        """Where only the first k places count it agrees with scikit-learn; k may be more than there are."""
        assert_gain(student, **drawn)

    @idea("ties")
    def test_a_tie(self, student):
        """Relevances 1, 0 with one score for both: half of 1 + 1/1.585, which is 0.8155."""
        for y_true in ([[1.0, 0.0]], [[0.0, 1.0]]):
            assert_gain(student, np.array(y_true), np.array([[0.5, 0.5]]))

    @idea("ties")
    @given(drawn=queries(k=st.sampled_from([None, 2, 3])))
    def test_agrees_with_ties(self, student, drawn):
        """With ties among the scores, across the last place that counts too, it agrees with scikit-learn."""
        assert_gain(student, **drawn)

    @case
    @given(drawn=queries(useful=False))
    @example(
        drawn={"y_true": np.array([[0.0, 0.0], [0.0, 2.0]]), "y_score": np.array([[1.0, 2.0], [3.0, 1.0]]), "k": None}
    )
    def test_nothing_is_relevant(self, student, drawn):
        """A query to which nothing is relevant counts 0 in the mean."""
        assert_close(student.ndcg(**drawn), gain(**drawn))

    @case
    @given(drawn=queries(), dtype=st.sampled_from(["int64", "uint8"]))
    def test_whole_relevances(self, student, drawn, dtype):
        """Relevances may be whole numbers."""
        assert_close(
            student.ndcg(drawn["y_true"].astype(dtype), drawn["y_score"]), gain(drawn["y_true"], drawn["y_score"])
        )
