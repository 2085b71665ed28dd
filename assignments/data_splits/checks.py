"""Visible checks of the assignment on splitting data.

A split may be drawn in any way, so nothing is compared with the order of one: each check states what every right split
has. The sentence under a test is what you read when it fails.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import log, sqrt
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograder.testing import (
    SEEDS,
    Callback,
    Contract,
    Mismatch,
    Rules,
    another_length,
    assert_close,
    assert_unchanged,
    case,
    exercise,
    explained,
    few_examples,
    idea,
    raises,
    refusal,
    statistical,
)

RULES = Rules(library="numpy")
contract = partial(Contract, half_magnitudes=())
RNGS = SEEDS.map(np.random.default_rng)
# Checks of chance try at most two examples; that of places one, with so many calls, on so few samples, of which half go
# to one part.
EXAMPLES, CALLS, FEW = 2, 48, 8
one_example = settings(few_examples, max_examples=1)
PAIRS = FEW * (FEW - 1) // 2


def require(truth: bool, what: str, says: Callable[[], str]) -> None:
    """Fails with a sentence unless something is true; the second says what is wrong in this answer."""
    if not truth:
        with explained(says):
            raise Mismatch(what)


def but_is(form: str, answer: Any) -> str:
    """What an answer is and should not be; nothing where there is none."""
    kind = type(answer).__name__
    size = f" of {len(answer)}" if isinstance(answer, tuple | list) else ""
    return "" if answer is None else f"{form} It is a {kind}{size}."


def indices(answer: Any, *names: str) -> dict[str, np.ndarray]:
    """The parts of a split by name; whether they are arrays of whole numbers is, where they are empty, another check's matter."""
    form = f"The answer has to be a tuple ({', '.join(names)}) of arrays of indices."
    together = isinstance(answer, tuple | list) and len(answer) == len(names)
    require(together, form, lambda: but_is(form, answer))
    parts = {name: np.asarray(part) for name, part in zip(names, answer, strict=True)}
    for name, part in parts.items():
        flat, whole = part.ndim == 1, not part.size or part.dtype.kind in "iu"
        require(flat, form, lambda name=name, part=part: f"`{name}` has {part.ndim} axes, and has to have one.")
        says = f"`{name}` holds {part.dtype}, and indices are whole numbers."
        require(whole, form, lambda says=says: says)
    return {name: part.astype(np.int64) for name, part in parts.items()}


def whole_arrays(answer: Any, names: Sequence[str]) -> None:
    """Fails unless all parts are numpy arrays with a dtype of whole numbers, empty ones too."""
    indices(answer, *names)
    for name, part in zip(names, answer, strict=True):
        kind = part.dtype if isinstance(part, np.ndarray) else type(part).__name__
        right = isinstance(part, np.ndarray) and part.dtype.kind in "iu"
        require(
            right,
            f"`{name}` has to be an array of whole numbers.",
            lambda name=name, kind=kind: f"`{name}` is of {kind}: it has to be an array that one can index with.",
        )


def assert_dealt(parts: dict[str, np.ndarray], n: int) -> None:
    """Fails unless each of n samples is in exactly one of the parts, once."""

    def says() -> str:
        for name, part in parts.items():
            for i in part[(part < 0) | (part >= n)]:
                return f"`{name}` holds the index {i}; {n} samples have the indices 0 to {n - 1}."
        for i in range(n):
            places = [name for name, part in parts.items() for _ in range((part == i).sum())]
            if not places:
                return f"Sample {i} of {n} is in no part."
            if len(places) > 1:
                where = (
                    f"twice in `{places[0]}`" if places[0] == places[1] else f"in `{places[0]}` and in `{places[1]}`"
                )
                return f"Sample {i} of {n} is {where}."
        return ""

    together = np.sort(np.concatenate(list(parts.values())))
    right = np.array_equal(together, np.arange(n))
    require(right, f"Each of {n} samples has to be in exactly one part.", says)


def assert_sizes(parts: dict[str, np.ndarray], sizes: Sequence[int], given_to: str) -> None:
    """Fails unless the parts have these sizes."""
    found = [len(part) for part in parts.values()]
    names = ", ".join(f"`{name}`" for name in parts)
    require(
        found == list(sizes),
        f"With {given_to} the parts {names} have to hold {', '.join(map(str, sizes))} samples.",
        lambda: f"With {given_to} they hold {', '.join(map(str, found))} samples.",
    )


def chosen(part: np.ndarray, n: int) -> np.ndarray:
    """Whether each of n samples is in a part."""
    return np.isin(np.arange(n), part)


def by_chance(false_alarm: float, because: str) -> Callable[[Any], Any]:
    """Marks a check of chance; the probability is that of one example."""
    return statistical(false_alarm=EXAMPLES * false_alarm, because=because)


class Shuffled:
    """What every function has to keep that deals samples by chance."""

    def draw(self, student: Any, rng: np.random.Generator, n: int) -> np.ndarray:
        """Which of n samples, an even number, are in one of two parts of the same size."""
        raise NotImplementedError

    @case
    @few_examples
    @given(seed=SEEDS)
    def test_equal_generators_equal_results(self, student, seed):
        """Two generators with the same seed give the same split: nothing else is drawn from."""
        first, second = (self.draw(student, np.random.default_rng(seed), 40) for _ in range(2))
        require(
            np.array_equal(first, second),
            "Two generators with the same seed gave different splits.",
            lambda: "Something else than `rng` is drawn from: equal generators gave different splits.",
        )

    @idea
    @by_chance(1e-11**3, because="there are more than 1e11 ways to choose 20 of 40 samples, and three repeat the first")
    @few_examples
    @given(seed=SEEDS)
    def test_each_call_draws_anew(self, student, seed):
        """Calls with one generator give different splits: it moves on with each draw."""
        rng = np.random.default_rng(seed)
        first, *others = (self.draw(student, rng, 40) for _ in range(4))
        require(
            not all(np.array_equal(first, one) for one in others),
            "Four calls with one generator gave the same split.",
            lambda: "Four calls with one generator gave the same split: nothing is left to chance.",
        )

    @idea
    @by_chance(
        PAIRS * ((3 / 7) ** CALLS + (4 / 7) ** CALLS) + 2 * FEW * 0.5**CALLS + 2 * 5 * (36 / 70) ** CALLS,
        because=f"{CALLS} draws of 4 of 8 samples: two are in one part with probability 3/7, and 2 of 4 chosen "
        "with 36/70",
    )
    @one_example
    @given(seed=SEEDS)
    def test_no_place_is_preferred(self, student, seed):
        """Every sample comes into either part, and any two of them now into the same one, now into different ones."""
        calls = np.array([self.draw(student, np.random.default_rng(seed + call), FEW) for call in range(CALLS)])
        often, so = calls.sum(0), f"In {CALLS} calls with other seeds"
        for i in np.flatnonzero((often == 0) | (often == CALLS)):
            require(False, "A sample is always dealt alike.", lambda i=i: f"{so} sample {i} always came into one part.")
        together = (calls[:, :, None] == calls[:, None, :]).sum(0)
        for i, j in np.argwhere(np.triu((together == 0) | (together == CALLS), 1)):
            how = "the same part" if together[i, j] else "different parts"
            says = f"{so} samples {i} and {j} always came into {how}."
            require(False, "Two samples hang together.", lambda says=says: says)
        for some, name in ((slice(None, FEW // 2), "first"), (slice(None, None, 2), "even")):
            counts = calls[:, some].sum(1)
            says = f"{so} always {counts[0]} of the four {name} samples came into one part: no chance is left."
            require(bool((counts != counts[0]).any()), "The number is always the same.", lambda says=says: says)


NAMES = ("train", "val", "test")
SHARES = st.sampled_from([0.2, 0.1, 0.3, 0.25, 0.05, 0.4])


def three_sizes(n: int, val_size: float, test_size: float) -> tuple[int, int, int]:
    """How many samples each part has."""
    val, test = round(val_size * n), round(test_size * n)
    return n - val - test, val, test


def assert_three(student: Any, n: int, val_size: float, test_size: float, rng: np.random.Generator) -> None:
    """Fails unless all samples are dealt, and the parts have the right sizes."""
    parts = indices(student.train_val_test_split(n, val_size, test_size, rng=rng), *NAMES)
    assert_dealt(parts, n)
    assert_sizes(parts, three_sizes(n, val_size, test_size), f"n={n}, val_size={val_size}, test_size={test_size}")


@exercise("train_val_test_split", points=3)
class TestTrainValTestSplit(Shuffled):
    def draw(self, student, rng, n):
        return chosen(indices(student.train_val_test_split(n, 0.25, 0.5, rng=rng), *NAMES)["test"], n)

    @idea
    @given(rng=RNGS)
    def test_worked_values(self, student, rng):
        """Of 10 samples, with shares 0.2 and 0.3, there are 5 for training, 2 for validation and 3 for the test."""
        assert_three(student, 10, 0.2, 0.3, rng)

    @idea
    @given(n=st.sampled_from([20, 40, 60]), val_size=SHARES, test_size=SHARES, rng=RNGS)
    def test_every_sample_once(self, student, n, val_size, test_size, rng):
        """Every sample is in exactly one of the three sets, and these have the right sizes."""
        assert_three(student, n, val_size, test_size, rng)

    @case
    @given(
        n=st.integers(4, 50),
        val_size=st.integers(0, 40).map(lambda v: v / 100),
        test_size=st.integers(0, 35).map(lambda v: v / 100),
        rng=RNGS,
    )
    @example(n=10, val_size=0.19, test_size=0.11, rng=np.random.default_rng(0))
    @example(n=10, val_size=0.21, test_size=0.28, rng=np.random.default_rng(0))
    @example(n=50, val_size=0.58, test_size=0.14, rng=np.random.default_rng(0))
    def test_sizes_are_rounded(self, student, n, val_size, test_size, rng):
        """Where a share of n is no whole number, the sizes of `val` and `test` are rounded to the nearest one."""
        assert_three(student, n, val_size, test_size, rng)

    @case
    @given(n=st.sampled_from([10, 14, 6, 50]), val_size=st.sampled_from([0.25, 0.45]), rng=RNGS)
    @example(n=10, val_size=0.25, rng=np.random.default_rng(0))
    @example(n=6, val_size=0.25, rng=np.random.default_rng(0))
    def test_halves_go_to_the_even_number(self, student, n, val_size, rng):
        """A half goes to the even number, as `round` does it: 2.5 becomes 2, and 1.5 becomes 2."""
        assert_three(student, n, val_size, 0.25, rng)

    @case
    @given(n=st.integers(1, 6), share=SHARES, rng=RNGS)
    @example(n=1, share=0.1, rng=np.random.default_rng(0))
    def test_empty_parts(self, student, n, share, rng):
        """A share of 0 gives an empty array of whole numbers, and one sample alone is for training."""
        assert_three(student, n, 0.0, share, rng)
        assert_three(student, n, share, 0.0, rng)
        whole_arrays(student.train_val_test_split(n, 0.0, share, rng=rng), NAMES)
        whole_arrays(student.train_val_test_split(n, 0.0, 0.0, rng=rng), NAMES)

    @refusal
    @given(n=st.integers(5, 20), rng=RNGS)
    def test_bad_input_is_refused(self, student, n, rng):
        """Shares below 0 or above 1, and those that leave nothing for training, are refused."""
        for bad in (-0.1, 1.1, float("nan")):
            with raises(ValueError, naming="val_size", because=f"val_size is {bad}"):
                student.train_val_test_split(n, bad, 0.2, rng=rng)
            with raises(ValueError, naming="test_size", because=f"test_size is {bad}"):
                student.train_val_test_split(n, 0.2, bad, rng=rng)
        with raises(ValueError, naming=("val_size", "test_size"), because="0.4 and 0.6 leave nothing for training"):
            student.train_val_test_split(n, 0.4, 0.6, rng=rng)


def folds_of(answer: Any, k: int) -> list[dict[str, np.ndarray]]:
    """The pairs of k-fold cross-validation."""
    form = f"With k={k} the answer has to be a list of {k} pairs (train, val)."
    right = isinstance(answer, list | tuple) and len(answer) == k
    require(right, form, lambda: but_is(form, answer))
    return [indices(pair, "train", "val") for pair in answer]


def assert_folds(folds: list[dict[str, np.ndarray]], n: int) -> None:
    """Fails unless each sample is in `val` once, and in `train` of all other pairs."""
    assert_dealt({f"val of pair {i}": pair["val"] for i, pair in enumerate(folds)}, n)
    for pair in folds:
        assert_dealt(pair, n)


@exercise("k_fold", points=4)
class TestKFold(Shuffled):
    def draw(self, student, rng, n):
        return chosen(folds_of(student.k_fold(n, 2, rng=rng), 2)[0]["val"], n)

    @idea
    @given(rng=RNGS)
    def test_worked_values(self, student, rng):
        """Of 6 samples in 3 folds each is validated once; each pair has 4 for training and the other 2 for validation."""
        folds = folds_of(student.k_fold(6, 3, rng=rng), 3)
        assert_folds(folds, 6)
        for pair in folds:
            assert_sizes(pair, (4, 2), "n=6, k=3")

    @idea
    @given(k=st.integers(2, 6), each=st.integers(1, 4), rng=RNGS)
    def test_each_sample_is_validated_once(self, student, k, each, rng):
        """Each sample is in one `val`; the `train` beside it holds all the others, and all folds have the same size."""
        folds = folds_of(student.k_fold(k * each, k, rng=rng), k)
        assert_folds(folds, k * each)
        for pair in folds:
            assert_sizes(pair, (k * each - each, each), f"n={k * each}, k={k}")

    @case
    @given(n=st.integers(7, 30), k=st.integers(2, 7), rng=RNGS)
    @example(n=11, k=4, rng=np.random.default_rng(0))
    @example(n=7, k=5, rng=np.random.default_rng(0))
    def test_folds_of_nearly_one_size(self, student, n, k, rng):
        """Where k does not divide n, still each sample is validated once, and folds differ in size by at most one."""
        folds = folds_of(student.k_fold(n, k, rng=rng), k)
        assert_folds(folds, n)
        sizes = [len(pair["val"]) for pair in folds]
        require(
            max(sizes) - min(sizes) <= 1,
            "The sizes of the folds have to differ by at most one.",
            lambda: f"With n={n}, k={k} the folds have the sizes {', '.join(map(str, sizes))}.",
        )

    @case
    @given(n=st.integers(2, 9), rng=RNGS)
    def test_leave_one_out(self, student, n, rng):
        """With k = n each fold is a single sample, with k = 2 two folds are each other's training set."""
        assert_folds(folds_of(student.k_fold(n, n, rng=rng), n), n)
        assert_folds(folds_of(student.k_fold(n, 2, rng=rng), 2), n)
        for pair in student.k_fold(n, n, rng=rng):
            whole_arrays(pair, ("train", "val"))

    @refusal
    @given(n=st.integers(3, 12), rng=RNGS)
    def test_bad_k_is_refused(self, student, n, rng):
        """A k of 1 or less leaves nothing for training, and one above n makes empty folds: both are refused."""
        for bad in (1, n + 1, 0, -2, 3 * n):
            with raises(ValueError, naming="k", because=f"k is {bad}, n is {n}"):
                student.k_fold(n, bad, rng=rng)


PARTS = ("train", "test")


def labels_of(least: int, step: int = 1) -> st.SearchStrategy[np.ndarray]:
    """Labels 0 to 1, 2 or 3, mixed; how often each occurs is a multiple of `step`, and they differ."""

    @st.composite
    def drawn(draw: Callable[..., Any]) -> np.ndarray:
        counts = draw(st.lists(st.integers(least, least + 5), min_size=2, max_size=4, unique=True))
        names = draw(st.permutations(range(len(counts))))
        y = np.repeat(names, [step * count for count in counts])
        return y[np.random.default_rng(draw(SEEDS)).permutation(len(y))].astype(np.int64)

    return drawn()


def assert_strata(student: Any, y: np.ndarray, test_size: float, rng: np.random.Generator) -> None:
    """Fails unless all samples are dealt, and each class has its share in the test set."""
    parts = indices(student.stratified_split(y, test_size, rng=rng), *PARTS)
    assert_dealt(parts, len(y))
    for label in np.unique(y):
        count, found = int((y == label).sum()), int((y[parts["test"]] == label).sum())
        wanted = round(test_size * count)
        require(
            found == wanted,
            f"Each class has to have a share of {test_size:g} in `test`.",
            lambda label=label, count=count, found=found, wanted=wanted: (
                f"Of the {count} samples of class {label}, {found} are in `test`, where with test_size={test_size} "
                f"{wanted} should be."
            ),
        )


class OfParts:
    """What holds for both functions that split by an array."""

    name: str

    def split(self, student: Any, kinds: np.ndarray, test_size: float, seed: int) -> Any:
        return getattr(student, self.name)(kinds, test_size, rng=np.random.default_rng(seed))

    @case
    @given(seed=SEEDS, dtype=st.sampled_from(["uint8", "int32", "int64"]))
    def test_arrays_of_whole_numbers(self, student, seed, dtype):
        """Both parts are arrays of whole numbers, empty ones too, and what was passed in stays as it is."""
        kinds = np.array([1, 0, 1, 2, 0, 1, 2], dtype=dtype)
        for test_size in (0.5, 0.0, 1.0):
            answer = self.split(student, kinds, test_size, seed)
            assert_unchanged(student)
            whole_arrays(answer, PARTS)
            assert_dealt(indices(answer, *PARTS), len(kinds))
        whole_arrays(self.split(student, kinds[:0], 0.5, seed), PARTS)

    @refusal
    @given(seed=SEEDS)
    def test_bad_input_is_refused(self, student, seed):
        """Shares below 0 or above 1, and arrays that do not have one axis, are refused."""
        kinds = np.array([0, 1, 0, 1])
        for bad in (-0.1, 1.1, float("nan")):
            with raises(ValueError, naming="test_size", because=f"test_size is {bad}"):
                self.split(student, kinds, bad, seed)
        with raises(ValueError, naming="y" if self.name == "stratified_split" else "groups", because="it has two axes"):
            self.split(student, kinds[:, None], 0.5, seed)


@exercise("stratified_split", points=3)
class TestStratifiedSplit(Shuffled, OfParts):
    name = "stratified_split"

    def draw(self, student, rng, n):
        """Another class lies between, and only samples of the first one are looked at."""
        y = np.tile([0, 5], n)
        return chosen(indices(student.stratified_split(y, 0.5, rng=rng), *PARTS)["test"], 2 * n)[::2]

    @idea
    @given(rng=RNGS)
    def test_worked_values(self, student, rng):
        """Of 8 samples of class 0 and 4 of class 1, a quarter is 2 and 1."""
        assert_strata(student, np.array([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0]), 0.25, rng)

    @idea
    @given(y=labels_of(1, step=4), test_size=st.sampled_from([0.25, 0.5, 0.75]), rng=RNGS)
    @example(y=np.repeat([3, 1, 0], [16, 4, 8]), test_size=0.25, rng=np.random.default_rng(3))
    def test_each_class_has_its_share(self, student, y, test_size, rng):
        """Every sample is in one of the parts, and of each class the share `test_size` is in `test`."""
        assert_strata(student, y, test_size, rng)

    @case
    @given(y=labels_of(1), test_size=st.integers(0, 100).map(lambda v: v / 100), rng=RNGS)
    @example(y=np.repeat([0, 1, 2], [3, 4, 6]), test_size=0.4, rng=np.random.default_rng(0))
    @example(y=np.repeat([0, 1, 2], [1, 2, 4]), test_size=0.3, rng=np.random.default_rng(0))
    @example(y=np.repeat([0, 1], [5, 3]), test_size=0.5, rng=np.random.default_rng(0))
    def test_each_class_is_rounded(self, student, y, test_size, rng):
        """Where the share of a class is no whole number it is rounded, each class by itself, a half to the even number."""
        assert_strata(student, y, test_size, rng)

    @case
    @given(y=labels_of(2, step=2), rng=RNGS)
    def test_any_numbers_name_classes(self, student, y, rng):
        """Classes may be any whole numbers, negative ones too; there may be one class only, or one sample."""
        for label in (7 * y - 9, np.full(6, 4), np.array([2])):
            assert_strata(student, label, 0.5, rng)


def assert_whole_groups(student: Any, groups: np.ndarray, test_size: float, rng: np.random.Generator) -> None:
    """Fails unless all samples are dealt, no group is torn apart, and so many groups are in the test set."""
    parts = indices(student.group_split(groups, test_size, rng=rng), *PARTS)
    assert_dealt(parts, len(groups))
    train, test = (np.unique(groups[parts[name]]) for name in PARTS)
    torn, count = np.intersect1d(train, test), len(np.unique(groups))
    require(
        not len(torn), "A group is in both parts.", lambda: f"Group {torn[0]} has samples in `train` and in `test`."
    )
    wanted = round(test_size * count)
    require(
        len(test) == wanted,
        f"With test_size={test_size} and {count} groups `test` has to hold {wanted} groups.",
        lambda: (
            f"`test` holds {len(test)} of {count} groups, where with test_size={test_size} it should hold {wanted}."
        ),
    )


@exercise("group_split", points=3)
class TestGroupSplit(Shuffled, OfParts):
    name = "group_split"

    def draw(self, student, rng, n):
        """Groups of two; one sample of each group is looked at."""
        groups = np.tile(np.arange(n), 2)
        return chosen(indices(student.group_split(groups, 0.5, rng=rng), *PARTS)["test"], 2 * n)[:n]

    @idea
    @given(rng=RNGS)
    def test_worked_values(self, student, rng):
        """Of four groups of 5, 1, 1 and 1 samples a quarter is one group, whichever it is."""
        assert_whole_groups(student, np.array([3, 3, 0, 3, 1, 3, 2, 3]), 0.25, rng)

    @idea
    @given(groups=labels_of(1), rng=RNGS)
    @example(groups=np.repeat([0, 1, 2, 3], [6, 1, 2, 4]), rng=np.random.default_rng(1))
    @example(groups=np.repeat([0, 1, 2, 3], [1, 6, 2, 4]), rng=np.random.default_rng(2))
    def test_no_group_is_torn_apart(self, student, groups, rng):
        """Every sample is in one of the parts, and all samples of a group are in the same."""
        count = len(np.unique(groups))
        for inside in range(1, count):
            assert_whole_groups(student, groups, inside / count, rng)

    @case
    @given(groups=labels_of(1), test_size=st.integers(0, 100).map(lambda v: v / 100), rng=RNGS)
    @example(groups=np.array([0, 1, 2, 0]), test_size=0.5, rng=np.random.default_rng(0))
    @example(groups=np.array([0, 1, 2, 3, 0]), test_size=0.2, rng=np.random.default_rng(0))
    @example(groups=np.array([0, 1, 2, 3, 0]), test_size=0.3, rng=np.random.default_rng(0))
    def test_number_of_groups_is_rounded(self, student, groups, test_size, rng):
        """Where the share of the groups is no whole number it is rounded, a half to the even number."""
        assert_whole_groups(student, groups, test_size, rng)

    @case
    @given(groups=labels_of(1), rng=RNGS)
    def test_any_numbers_name_groups(self, student, groups, rng):
        """Groups may be any whole numbers, negative ones too; there may be one group only."""
        for names in (7 * groups - 9, np.full(5, 4)):
            assert_whole_groups(student, names, 0.5, rng)

    @case
    @by_chance(1e-12, because="Hoeffding (1963), theorem 1 and section 6: 200 groups drawn without replacement")
    @few_examples
    @given(seed=SEEDS)
    def test_large_groups_are_drawn_like_small_ones(self, student, seed):
        """A group of nine samples comes into the test set as often as one of a single sample."""
        groups = np.concatenate([np.arange(200), np.repeat(np.arange(200, 400), 9)])
        rng = np.random.default_rng(seed)
        inside = np.unique(groups[indices(student.group_split(groups, 0.5, rng=rng), *PARTS)["test"]])
        share = float((inside >= 200).mean()) if len(inside) else 0.0
        require(
            abs(share - 0.5) <= sqrt(log(2 / 1e-12) / (2 * 200)),
            "Large groups have to be drawn as often as small ones.",
            lambda: f"Half of the groups are large; of the groups in `test` {share:.0%} are.",
        )


def batches_of(answer: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """The batches of an epoch; a list or tuple of pairs of arrays."""
    form = "The answer has to be a list of pairs (x_batch, y_batch) of arrays."
    require(isinstance(answer, list | tuple), form, lambda: but_is(form, answer))
    for batch in answer:
        pair = isinstance(batch, tuple | list) and len(batch) == 2
        right = pair and all(isinstance(part, np.ndarray) and part.ndim for part in batch)
        require(right, form, lambda: f"{form} Among the entries of this list there is something else.")
    return [tuple(batch) for batch in answer]


def samples(n: int, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """n samples of which no two numbers are alike, and their labels 0 ... n - 1."""
    entries = int(np.prod(shape))
    return np.arange(n * entries, dtype=np.float64).reshape(n, *shape) / 4, np.arange(n)


def assert_epoch(student: Any, x: np.ndarray, y: np.ndarray, batch_size: int, rng: np.random.Generator, **drop: bool):
    """Fails unless the batches have the right sizes, rows have their labels, and no sample comes twice."""
    batches = batches_of(student.minibatches(x, y, batch_size, rng=rng, **drop))
    whole, rest = divmod(len(y), batch_size)
    wanted = [batch_size] * whole + ([rest] if rest and not drop.get("drop_last") else [])
    found = [len(labels) for _, labels in batches]
    given = f"N={len(y)}, batch_size={batch_size}" + "".join(f", {name}={word}" for name, word in drop.items())
    require(
        found == wanted,
        f"With {given} the batches have to have the sizes {wanted}.",
        lambda: f"With {given} the batches have the sizes {found}, and should have {wanted}.",
    )
    seen = np.concatenate([np.zeros(0, dtype=np.int64), *(labels.astype(np.int64) for _, labels in batches)])
    values, often = np.unique(seen, return_counts=True)
    require(
        bool((often == 1).all()),
        "Each sample may come once in an epoch.",
        lambda: f"In one epoch sample {values[often > 1][0]} came {often.max()} times.",
    )
    for rows, labels in batches:
        right = x[labels.astype(np.int64)]
        require(
            rows.shape == right.shape and np.array_equal(rows, right),
            "Each row has to stand beside its own label.",
            lambda rows=rows, right=right: (
                "Rows of `x_batch` stand beside labels of other samples."
                if rows.shape == right.shape
                else f"`x_batch` has the shape {rows.shape}, and its samples have {right.shape}."
            ),
        )


@exercise("minibatches", points=4)
class TestMinibatches(Shuffled):
    def draw(self, student, rng, n):
        batches = batches_of(student.minibatches(*samples(n, 2), n // 2, rng=rng))
        return chosen(batches[0][1], n) if batches else np.zeros(n, dtype=bool)

    @idea
    @given(rng=RNGS)
    def test_worked_values(self, student, rng):
        """Six samples in batches of 2 make three batches; each sample comes once, with its own label."""
        assert_epoch(student, *samples(6, 3), 2, rng)

    @idea
    @given(batch_size=st.integers(1, 4), count=st.integers(1, 4), rng=RNGS)
    @example(batch_size=3, count=4, rng=np.random.default_rng(0))
    def test_each_sample_once_with_its_label(self, student, batch_size, count, rng):
        """In one epoch each sample comes in one batch, with its own label."""
        assert_epoch(student, *samples(batch_size * count, 2), batch_size, rng)

    @case
    @given(n=st.integers(1, 11), batch_size=st.integers(1, 7), rng=RNGS)
    @example(n=7, batch_size=3, rng=np.random.default_rng(0))
    @example(n=2, batch_size=5, rng=np.random.default_rng(0))
    def test_last_batch_may_be_smaller(self, student, n, batch_size, rng):
        """What is left over makes a last, smaller batch: by default, and with drop_last=False."""
        assert_epoch(student, *samples(n, 2), batch_size, rng)
        assert_epoch(student, *samples(n, 2), batch_size, rng, drop_last=False)

    @case
    @given(n=st.integers(1, 11), batch_size=st.integers(1, 7), rng=RNGS)
    @example(n=7, batch_size=3, rng=np.random.default_rng(0))
    @example(n=6, batch_size=3, rng=np.random.default_rng(0))
    @example(n=2, batch_size=5, rng=np.random.default_rng(0))
    def test_drop_last(self, student, n, batch_size, rng):
        """With drop_last=True a smaller last batch is left out, and a full one stays; there may be no batch at all."""
        assert_epoch(student, *samples(n, 2), batch_size, rng, drop_last=True)

    @case
    @by_chance(5 * 0.2**CALLS, because=f"one of 5 samples is left out, {CALLS} times the same")
    @one_example
    @given(seed=SEEDS)
    def test_what_is_dropped_is_left_to_chance(self, student, seed):
        """Which samples are left out is another matter in each epoch."""
        rng, left = np.random.default_rng(seed), set()
        for _ in range(CALLS):
            batches = batches_of(student.minibatches(*samples(5, 1), 2, drop_last=True, rng=rng))
            left.add(tuple(set(range(5)) - {int(label) for _, labels in batches for label in labels}))
        require(
            len(left) > 1,
            "In every epoch the same samples were left out.",
            lambda: f"In {CALLS} epochs the samples left out were always {', '.join(map(str, *left))} of 0 to 4.",
        )

    @case
    @given(shape=st.sampled_from([(), (2, 3), (1,), (4,)]), n=st.integers(2, 7), rng=RNGS)
    @example(shape=(), n=5, rng=np.random.default_rng(0))
    @example(shape=(2, 3), n=5, rng=np.random.default_rng(0))
    def test_any_shape_of_a_sample(self, student, shape, n, rng):
        """A sample may be a number, a vector or an image."""
        assert_epoch(student, *samples(n, *shape), 2, rng)

    @case
    @given(kinds=st.sampled_from([("float32", "int64"), ("uint8", "float64"), ("float64", "int32")]), rng=RNGS)
    def test_dtypes_and_inputs_stay(self, student, kinds, rng):
        """Batches have the dtypes of x and y, and these are not shuffled themselves."""
        x, y = (part.astype(kind) for part, kind in zip(samples(7, 4), kinds, strict=True))
        batches = batches_of(student.minibatches(x, y, 3, rng=rng))
        assert_unchanged(student)
        found = {(rows.dtype.name, labels.dtype.name) for rows, labels in batches}
        require(
            found == {kinds},
            f"Batches have to have the dtypes {kinds[0]} and {kinds[1]}.",
            lambda: f"x and y have the dtypes {kinds}, and a batch has {sorted(found)[0]}.",
        )

    @case
    @given(batch_size=st.integers(1, 4), drop_last=st.booleans(), rng=RNGS)
    def test_no_sample(self, student, batch_size, drop_last, rng):
        """Without a sample there is no batch."""
        assert_epoch(student, *samples(0, 2), batch_size, rng, drop_last=drop_last)

    @refusal
    @given(n=st.integers(3, 6), rng=RNGS)
    def test_bad_input_is_refused(self, student, n, rng):
        """Labels that are too few or too many, and a batch size of 0 or less, are refused."""
        x, y = samples(n, 2)
        for bad in (y[1:], np.arange(n + 1), y[:, None]):
            with raises(ValueError, naming="y", because=f"x has {n} rows, y has the shape {bad.shape}"):
                student.minibatches(x, bad, 2, rng=rng)
        for size in (0, -2, 1.5):
            with raises(ValueError, naming="batch_size", because=f"batch_size is {size}"):
                student.minibatches(x, y, size, rng=rng)


SHRUNKEN_MEAN = Callback("lambda x_train, y_train, x_new, c: np.full(len(x_new), c * y_train.mean())")
RIDGE = Callback(
    "lambda x_train, y_train, x_new, c: "
    "x_new @ np.linalg.solve(x_train.T @ x_train + c * np.eye(x_train.shape[1]), x_train.T @ y_train)"
)
NEAREST = Callback(
    "lambda x_train, y_train, x_new, c: "
    "y_train[np.abs(x_new[:, :1] - x_train[:, 0]).argsort(1, kind='stable')[:, : int(c)]].mean(1)"
)
# Each of the settings that the three learners choose from.
SETTINGS = {SHRUNKEN_MEAN: [0.0, 0.5, 1.0, 2.0], RIDGE: [0.1, 1.0, 10.0, 100.0], NEAREST: [1.0, 2.0, 3.0]}


@st.composite
def to_select_from(draw: Callable[..., Any], even: bool = True) -> dict[str, Any]:
    """Arguments of `select_model`: folds of the same size, or not."""
    k, each = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    n = k * each if even else k * each + draw(st.integers(1, k - 1))
    values = np.random.default_rng(draw(SEEDS))
    x = values.integers(-8, 9, (n, 2)) / 4
    y = (values.integers(-8, 9, n) + 3) / 4 + x[:, 0]
    deal = values.permutation(n)
    if even:
        parts = np.array_split(deal, k)
    else:
        parts = np.split(deal, [1, *(1 + each * (i + 1) for i in range(k - 2))]) if k > 2 else [deal[:1], deal[1:]]
    folds = [(np.setdiff1d(np.arange(n), part), part) for part in parts]
    learner = draw(st.sampled_from(list(SETTINGS)))
    candidates = list(draw(st.permutations(SETTINGS[learner])))
    if min(len(train) for train, _ in folds) < 3:
        learner, candidates = SHRUNKEN_MEAN, list(draw(st.permutations(SETTINGS[SHRUNKEN_MEAN])))
    return {"x": x, "y": y, "folds": folds, "candidates": candidates, "fit_predict": learner}


def errors(x: Any, y: Any, folds: Any, candidates: Any, fit_predict: Any, power: int = 2) -> list[list[float]]:
    """The mean squared error of each candidate on each fold, number by number; with power 1 the mean absolute one."""
    table = []
    for candidate in candidates:
        row = []
        for train, val in folds:
            guesses = fit_predict(x[train], y[train], x[val], candidate).tolist()
            squares = [abs(guess - float(y[i])) ** power for guess, i in zip(guesses, val, strict=True)]
            row.append(sum(squares) / len(squares))
        table.append(row)
    return table


def other_scores(found: np.ndarray, drawn: dict[str, Any]) -> str:
    """What else than the scores was computed."""
    table, absolute = np.array(errors(**drawn)), np.array(errors(**drawn, power=1))
    on_train = np.array(errors(**drawn | {"folds": [(train, train) for train, _ in drawn["folds"]]}))
    every = np.arange(len(drawn["y"]))
    leaked = np.array(errors(**drawn | {"folds": [(every, val) for _, val in drawn["folds"]]}))
    swapped = np.array(errors(**drawn | {"folds": [(val, train) for train, val in drawn["folds"]]}))
    sizes = np.array([len(val) for _, val in drawn["folds"]])
    for other, says in (
        (on_train.mean(1), "These are the errors on the samples that were learned from."),
        (leaked.mean(1), "Here the samples to be predicted were among those learned from."),
        (swapped.mean(1), "Here each `val` was learned from, and its `train` predicted."),
        (table.sum(1), "These are the sums over the folds."),
        (table[:, 0], "These are the errors on the first fold alone."),
        (table[:, -1], "These are the errors on the last fold alone."),
        (absolute.mean(1), "The differences are not squared, or a root is taken of their squares."),
        (np.sqrt(table).mean(1), "These are means of the folds' root mean squared errors."),
        (np.sqrt(table.mean(1)), "These are the roots of the scores."),
        (table @ sizes / sizes.sum(), "Every sample counts the same here, and every fold should."),
        (table @ sizes, "These are sums of squares over all samples."),
        (table @ sizes / len(sizes), "Squares are added up within a fold, and should be averaged."),
        (np.median(table, 1), "These are medians of the folds."),
        (table.min(1), "These are the errors on the fold that suits each candidate best."),
    ):
        if found.shape == other.shape and np.allclose(found, other):
            return says
    return ""


def number(best: Any) -> float | None:
    """A single number, of Python or numpy; None for anything else."""
    found = np.asarray(best)
    return float(found) if found.ndim == 0 and found.dtype.kind in "iuf" else None


def selected(answer: Any) -> tuple[Any, Any]:
    form = "The answer has to be a tuple (best, scores)."
    right = isinstance(answer, tuple | list) and len(answer) == 2
    require(right, form, lambda: but_is(form, answer))
    one = number(answer[0]) is not None
    require(
        one, f"{form} `best` has to be a number.", lambda: "`best` has to be one of the candidates, a single number."
    )
    return answer[0], answer[1]


def assert_selected(student: Any, drawn: dict[str, Any]) -> None:
    """Fails unless the scores are right, and the best candidate is one whose score is lowest."""
    best, scores = selected(student.select_model(*drawn.values()))
    right = np.array(errors(**drawn)).mean(1)
    found = np.asarray(scores, dtype=np.float64)
    with explained(lambda: other_scores(found, drawn)):
        assert_close(found, right)
    lowest = [c for c, score in zip(drawn["candidates"], right, strict=True) if score <= right.min() + 1e-9]
    listed = number(best) in lowest
    at = f"With candidates {drawn['candidates']} and scores {np.round(right, 4).tolist()}"
    require(listed, f"{at} `best` has to be {lowest[0]}.", lambda: f"{at} `best` is {best}.")


# Three samples, a fold each; the others' mean is 4, 3 and 2, times 1, 0 and 2.
WORKED = {
    "x": np.zeros((3, 1)),
    "y": np.array([1.0, 3.0, 5.0]),
    "folds": [(np.array([1, 2]), np.array([0])), (np.array([0, 2]), np.array([1])), (np.array([0, 1]), np.array([2]))],
    "candidates": [1.0, 0.0, 2.0],
    "fit_predict": SHRUNKEN_MEAN,
}


@exercise("select_model", points=4)
class TestSelectModel:
    @idea
    def test_worked_values(self, student):
        """For y = (1, 3, 5), a sample a fold, the mean times 1, 0 or 2 has the scores 6, 35/3 and 59/3: 1 is best."""
        assert_selected(student, WORKED)

    @idea
    @given(drawn=to_select_from())
    @example(drawn=WORKED | {"candidates": [2.0, 0.5, 1.0]})
    def test_lowest_mean_error(self, student, drawn):
        """Each score is the mean over the folds of the error on samples not learned from; the lowest one wins."""
        assert_selected(student, drawn)

    @case
    @given(drawn=to_select_from(even=False))
    def test_every_fold_counts_the_same(self, student, drawn):
        """Folds of different sizes count the same."""
        assert_selected(student, drawn)

    @case
    @given(drawn=to_select_from())
    def test_first_of_equal_ones(self, student, drawn):
        """Of candidates with the same score the first is chosen, wherever they stand."""
        other = Callback("lambda x_train, y_train, x_new, c: np.full(len(x_new), 50.0 if c > 5 else 0.0)")
        x, y = drawn["x"], drawn["y"]
        for candidates, first in (([3.0, 1.0, 2.0], 3.0), ([9.0, 2.0, 1.0, 8.0], 2.0), ([1.0, 4.0], 1.0)):
            changed = drawn | {"candidates": candidates, "fit_predict": other}
            best, _ = selected(student.select_model(*changed.values()))
            late = number(best) in candidates and other(x[:0], y[:0], x[:1], number(best))[0] == 0
            says = f"Of {candidates}, `best` is {best}; {first} stands before it and is as good." if late else ""
            wanted = f"Of equal candidates the first has to be chosen, {first} of {candidates}."
            require(number(best) == first, wanted, lambda says=says: says)

    @case
    @given(drawn=to_select_from())
    def test_what_is_learned_from(self, student, drawn):
        """Once for each candidate and fold it learns, from the fold's `train` with its labels, and predicts for its `val`."""
        asked: list[tuple[np.ndarray, ...]] = []

        def fit_predict(x_train: np.ndarray, y_train: np.ndarray, x_new: np.ndarray, c: float) -> np.ndarray:
            asked.append((x_train, y_train, x_new, np.array(c)))
            return np.zeros(len(x_new))

        x, y, folds, candidates = (drawn[name] for name in ("x", "y", "folds", "candidates"))
        student.select_model(x, y, folds, candidates, fit_predict)
        wanted = [(x[train], y[train], x[val], np.array(c)) for c in candidates for train, val in folds]
        require(
            len(asked) == len(wanted),
            f"With {len(candidates)} candidates and {len(folds)} folds it has to learn {len(wanted)} times.",
            lambda: f"It learned {len(asked)} times.",
        )
        for one in wanted:
            there = any(all(np.array_equal(a, b) for a, b in zip(one, other, strict=True)) for other in asked)
            require(
                there,
                "A fold's `train` with its labels, the rows of its `val` and the candidate have to be passed.",
                lambda: "For some fold and candidate `fit_predict` was given other samples than its own.",
            )

    @case
    @given(drawn=to_select_from())
    def test_an_array_of_scores(self, student, drawn):
        """The scores are a float64 array with one axis, and nothing that was passed in has changed."""
        _, scores = selected(student.select_model(*drawn.values()))
        assert_unchanged(student)
        assert_close(scores, np.array(errors(**drawn)).mean(1))

    @case
    @given(drawn=to_select_from(), keep=st.integers(0, 2))
    def test_a_single_candidate_or_fold(self, student, drawn, keep):
        """One candidate is the best of one; a single pair is a plain validation set."""
        assert_selected(student, drawn | {"candidates": drawn["candidates"][keep : keep + 1]})
        assert_selected(student, drawn | {"folds": drawn["folds"][:1]})

    @refusal
    @given(drawn=to_select_from())
    def test_bad_input_is_refused(self, student, drawn):
        """Labels that are too few, and no fold or candidate at all, are refused."""
        for name, bad in (("y", drawn["y"][1:]), ("folds", []), ("candidates", [])):
            with raises(ValueError, naming=name, because=f"len({name}) is {len(bad)}"):
                student.select_model(*(drawn | {name: bad}).values())


def diagnosis(train_losses: np.ndarray, val_losses: np.ndarray, target: float, gap: float) -> str:
    """In words of the text: three questions, one after the other."""
    train, val = float(train_losses[-1]), float(val_losses[-1])
    too_high, too_far = not train <= target, not val - train <= gap
    return {(False, False): "good", (False, True): "overfit"}.get((too_high, too_far), "underfit")


def misread(answer: Any, train_losses: np.ndarray, val_losses: np.ndarray, target: float, gap: float) -> str:
    """What the last losses say, and what the answer says instead."""
    train, val = float(train_losses[-1]), float(val_losses[-1])
    reached = f"The last training loss, {train:g}, reaches the target of {target:g}"
    said = {
        "underfit": f"The last training loss, {train:g}, does not reach the target of {target:g}",
        "overfit": f"{reached}, and the last validation loss, {val:g}, is not within {gap:g} of it",
        "good": f"{reached}, and the last validation loss, {val:g}, is not more than {gap:g} above it",
    }[diagnosis(train_losses, val_losses, target, gap)]
    return f"{said}; the answer is {answer!r}."


def assert_read(student: Any, *arguments: Any) -> None:
    """Fails unless the word is the one that the last losses say."""
    answer = student.learning_curve_diagnosis(*arguments)
    with explained(lambda: misread(answer, *arguments)):
        assert_close(answer, diagnosis(*arguments))


@st.composite
def two_curves(draw: Callable[..., Any], least: int = 2) -> dict[str, Any]:
    """Losses that are quarters, so that differences are exact, and limits among them."""
    epochs = draw(st.integers(least, 6))
    quarters = st.integers(0, 12).map(lambda v: v / 4)
    train, val = (np.array(draw(st.lists(quarters, min_size=epochs, max_size=epochs))) for _ in range(2))
    return {"train_losses": train, "val_losses": val, "target": draw(quarters), "gap": draw(quarters)}


DIAGNOSIS = contract(
    two_curves(),
    diagnosis,
    agrees=None,
    names=("train_losses", "val_losses", "target", "gap"),
    refuses=(another_length("val_losses", 0),),
)


def curve(*losses: float) -> np.ndarray:
    return np.array(losses, dtype=np.float64)


NAN = float("nan")


@exercise("learning_curve_diagnosis", points=2, contract=DIAGNOSIS)
class TestLearningCurveDiagnosis:
    @idea
    def test_worked_values(self, student):
        """With target 0.6 and gap 0.2: a training loss of 0.9 underfits; 0.5 and 0.6 are good; 0.1 and 0.7 overfit."""
        for *curves, word in (
            (curve(1.0, 0.95, 0.9), curve(1.2, 1.15, 1.15), "underfit"),
            (curve(0.9, 0.6, 0.5), curve(1.0, 0.7, 0.6), "good"),
            (curve(0.5, 0.3, 0.1), curve(0.6, 0.5, 0.7), "overfit"),
            (curve(0.9, 0.5, 0.35), curve(1.1, 0.9, 0.5), "good"),
            (curve(0.9, 0.5, 0.55), curve(1.1, 0.8, 0.65), "good"),
            (curve(0.9, 0.5, 0.75), curve(1.1, 0.8, 1.75), "underfit"),
            (curve(0.9, 0.5, 0.55), curve(0.7, 0.3, 0.2), "good"),
        ):
            assert diagnosis(*curves, 0.6, 0.2) == word
            assert_read(student, *curves, 0.6, 0.2)

    @idea
    @given(drawn=two_curves(least=3))
    @example(drawn={"train_losses": curve(0, 2, 1), "val_losses": curve(0, 2, 1.5), "target": 1.5, "gap": 0.75})
    @example(drawn={"train_losses": curve(3, 3, 1), "val_losses": curve(3, 3, 2.5), "target": 1.5, "gap": 0.75})
    @example(drawn={"train_losses": curve(0, 0, 2), "val_losses": curve(0, 0, 3), "target": 1.5, "gap": 0.75})
    @example(drawn={"train_losses": curve(1, 1, 1), "val_losses": curve(1, 1, 0), "target": 1.5, "gap": 0.5})
    def test_the_end_decides(self, student, drawn):
        """What happened in earlier epochs does not matter."""
        train, target, gap = drawn["train_losses"], drawn["target"], drawn["gap"]
        off = (drawn["val_losses"][-1] - train[-1]) % 1 / 2 + 0.0625  # so that no limit is met exactly
        for shift in (0.0, gap, gap + 0.5, -0.5 - gap):
            val = np.append(drawn["val_losses"][:-1], train[-1] + shift + off)
            limit = target + 0.0625
            assert_read(student, train, val, limit, gap)

    @case
    @given(target=st.sampled_from([0.5, 1.0, 0.0, 2.0]), gap=st.sampled_from([0.25, 0.0, 1.5]), least=st.integers(1, 3))
    def test_exactly_at_a_limit(self, student, target, gap, least):
        """A loss of exactly `target` reaches it, and a difference of exactly `gap` is small enough."""
        train, val = np.full(least, target), np.full(least, target + gap)
        for more in (0.0, 0.25):
            assert_read(student, train, val + more, target, gap)
            assert_read(student, train + more, val, target, gap)

    @case
    @given(epochs=st.integers(0, 3))
    def test_not_a_number(self, student, epochs):
        """A training that ends in nan underfits; a validation loss of nan, where that of training is fine, overfits."""
        before = [0.5] * epochs
        good, lost = curve(*before, 0.25), curve(*before, NAN)
        for train, val in ((lost, good), (lost, lost), (good, lost), (curve(NAN, 0.25), curve(NAN, 0.5))):
            assert_read(student, train, val, 1.0, 0.5)

    @refusal
    def test_no_epoch_is_refused(self, student):
        """Curves without an entry are refused."""
        with raises(ValueError, naming=("train_losses", "val_losses"), because="there is no epoch"):
            student.learning_curve_diagnosis(curve(), curve(), 1.0, 0.5)
