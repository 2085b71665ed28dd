"""Visible checks of the assignment on tensors.

Each compares with numpy's own function, with a plain loop or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.testing import (
    Contract,
    Refusal,
    Rules,
    another_length,
    another_number_of_axes,
    arrays,
    assert_close,
    assert_unchanged,
    bad_values,
    case,
    exercise,
    explained,
    idea,
    no_word,
    numbers,
    raises,
    refusal,
    shapes,
)

RULES = Rules(library="numpy", vectorised=True)
# Each class has checks of the idea of its own, on numbers where nothing but the idea matters.
contract = partial(Contract, half_magnitudes=(), agrees=None)
# A sum is rounded at the size of its terms.
ROUNDED = 4.0
FAR = 12_345_678.9
NAN = math.nan


def array(*rows: Any) -> np.ndarray:
    """Its arguments as a float64 array."""
    return np.array(rows, dtype=np.float64)


def floating(answer: Any) -> Any:
    """An array in float64, where its dtype is another check's matter; anything else as it is."""
    return answer.astype(np.float64) if isinstance(answer, np.ndarray) else answer


def with_a_mask(answer: Any) -> Any:
    """An array and one of yes and no: whether that holds bool or numbers is another check's matter."""
    if isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(part, np.ndarray) for part in answer):
        return answer[0], answer[1].astype(bool)
    return answer


def halves(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    """Arrays of halves: columns that are not constant differ by enough to be divided by their spread."""
    return arrays(shape=shape).map(lambda x: np.round(2 * x) / 2)


def whole_numbers(shape: tuple[int, ...], low: int = 0, high: int = 255) -> st.SearchStrategy[np.ndarray]:
    """Arrays of whole numbers, as int64."""
    entries = st.lists(st.integers(low, high), min_size=math.prod(shape), max_size=math.prod(shape))
    return entries.map(lambda drawn: np.array(drawn, dtype=np.int64).reshape(shape))


WHOLE = st.sampled_from(["uint8", "int64"])


def described(x: np.ndarray) -> tuple[int, tuple[int, ...], str, int]:
    """What there is to say of an array."""
    return len(x.shape), tuple(x.shape), x.dtype.name, x.nbytes


@exercise("describe", points=1)
class TestDescribe:
    @idea
    def test_worked_values(self, student):
        """float32 of shape (2, 3, 4): rank 3, 24 entries of 4 bytes, 96 bytes in all."""
        assert_close(student.describe(np.zeros((2, 3, 4), dtype=np.float32)), (3, (2, 3, 4), "float32", 96))

    @idea
    @given(x=arrays(min_ndim=1, min_side=2))
    def test_any_shape(self, student, x):
        """For an array of one, two or three axes rank, shape, dtype and size are right."""
        assert_close(student.describe(x), described(x))

    @case
    @given(x=arrays(), dtype=st.sampled_from(["float32", "int64", "uint8", "bool", "float64", "int16"]))
    @example(x=array(), dtype="float64")
    @example(x=np.zeros((2, 0, 3)), dtype="uint8")
    def test_any_dtype(self, student, x, dtype):
        """It is right for every dtype, for a single number without axes, and for an array without entries."""
        x = np.abs(x).astype(dtype)
        assert_close(student.describe(x), described(x))


TWO = st.just(2)


@st.composite
def fitting(draw: Callable[..., Any], count: st.SearchStrategy[int] = TWO, least: int = 1) -> list[tuple[int, ...]]:
    """Shapes that fit: each is the back of one shape, with some of its lengths 1."""
    full = draw(st.lists(st.integers(least, 6), max_size=4))
    shapes = []
    for _ in range(draw(count)):
        dropped = draw(st.integers(0, len(full)))
        lengths = [1 if draw(st.booleans()) else length for length in full[dropped:]]
        shapes.append(tuple(lengths))
    return shapes


@st.composite
def not_fitting(draw: Callable[..., Any]) -> list[tuple[int, ...]]:
    """Two shapes that fit but in one place, where both have lengths other than 1."""
    back = draw(st.lists(st.integers(1, 5), max_size=2))
    one, other = draw(st.lists(st.sampled_from([2, 3, 4, 5, 6]), min_size=2, max_size=2, unique=True))
    front = draw(st.lists(st.integers(1, 5), max_size=1))
    return draw(st.permutations([(*front, one, *back), (other, *back)]))


def shape_of(answer: Any) -> Any:
    """A list of lengths as a tuple: which of them is returned is another check's matter."""
    return tuple(answer) if isinstance(answer, list) else answer


def wrong_place(answer: Any, shapes: Sequence[tuple[int, ...]]) -> str:
    """Where the answer has another length than the sum."""
    right = np.broadcast_shapes(*shapes)
    if len(answer) != len(right):
        return f"The answer has {len(answer)} axes, and the longest of the shapes has {len(right)}."
    place = max(place for place in range(-len(right), 0) if answer[place] != right[place])
    there = " and ".join(str(shape[place]) for shape in shapes if len(shape) >= -place)
    return f"In place {place}, counted from the back, the shapes have {there}, and the answer has {answer[place]}."


def assert_sum(student: Any, *shapes: tuple[int, ...]) -> None:
    """Compares with numpy's answer for these shapes."""
    answer = shape_of(student.broadcast_shapes(*shapes))
    with explained(lambda: wrong_place(answer, shapes)):
        assert_close(answer, np.broadcast_shapes(*shapes))


READY_MADE = ("broadcast_shapes", "broadcast", "broadcast_arrays", "broadcast_to", "zeros", "ones", "empty", "full")


@exercise("broadcast_shapes", points=3, forbid=READY_MADE)
class TestBroadcastShapes:
    @idea("the sum")
    def test_worked_values(self, student):
        """(5, 1, 2) and (3, 1) give (5, 3, 2); (3, 1) and (4,) give (3, 4); (2, 3) and () give (2, 3)."""
        for pair in [((5, 1, 2), (3, 1)), ((3, 1), (4,)), ((2, 3), ()), ((178, 13), (13,))]:
            assert_sum(student, *pair)

    @idea("the sum")
    @given(shapes=fitting())
    def test_agrees_with_numpy(self, student, shapes):
        """For two shapes that fit it agrees with numpy."""
        assert_sum(student, *shapes)

    @idea("what does not fit")
    @given(shapes=not_fitting())
    @example(shapes=[(178, 13), (178,)])
    @example(shapes=[(2, 3), (4, 3)])
    def test_what_does_not_fit_is_refused(self, student, shapes):
        """Where two lengths differ and neither is 1, there is no answer, and ValueError is raised."""
        with raises(ValueError, because=f"the shapes are {shapes[0]} and {shapes[1]}"):
            student.broadcast_shapes(*shapes)

    @case
    @given(shapes=fitting(st.sampled_from([3, 1, 4])))
    @example(shapes=[(2, 1), (1, 3), (4, 1, 1)])
    def test_any_number_of_shapes(self, student, shapes):
        """One shape alone, or three or four, will do as well."""
        assert_sum(student, *shapes)

    @case
    @given(shapes=fitting(st.sampled_from([2, 3]), least=0))
    @example(shapes=[(0,), (1,)])
    @example(shapes=[(3, 1), (2, 1, 0)])
    def test_length_0(self, student, shapes):
        """A length of 0 is a length like others: against 1 it stays 0."""
        assert_sum(student, *shapes)

    @case
    def test_a_tuple(self, student):
        """The answer is a tuple."""
        assert_close(student.broadcast_shapes((2, 1), (3,)), (2, 3))

    @refusal
    @given(shapes=not_fitting())
    @example(shapes=[(2, 0), (2, 3)])
    @example(shapes=[(2, 3), (1, 3), (4, 1)])
    @example(shapes=[(2,), (0,)])
    def test_the_message_says_shapes(self, student, shapes):
        """Among three shapes too, and where one length is 0, what does not fit raises ValueError; it says `shapes`."""
        with raises(ValueError, naming="shapes", because=f"the shapes are {' and '.join(map(str, shapes))}"):
            student.broadcast_shapes(*shapes)


@st.composite
def two_tables(
    draw: Callable[..., Any],
    first: str,
    second: str,
    values: Callable[[tuple[int, ...]], st.SearchStrategy[np.ndarray]],
    min_side: int = 1,
) -> dict[str, np.ndarray]:
    """Two tables with the same columns; all three lengths differ."""
    n, m, d = draw(shapes(3, 3, min_side))
    return {first: draw(values((n, d))), second: draw(values((m, d)))}


def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each distance by itself."""
    return np.array([[math.dist(p, q) for q in y] for p in x], dtype=np.float64).reshape(len(x), len(y))


def other_distances(answer: np.ndarray, x: np.ndarray, y: np.ndarray) -> str:
    """What else than the distance was computed."""
    difference = x[:, None] - y
    for other, says in (
        ((difference**2).sum(-1), "These are the squares of the distances."),
        (np.abs(difference).sum(-1), "These are sums of the differences' sizes, without squares and a root."),
        ((difference**2).mean(-1) ** 0.5, "The squares are averaged over the coordinates, not added."),
        (difference.sum(-1), "These are sums of differences, without squares and a root."),
    ):
        if answer.shape == other.shape and np.allclose(answer, other):
            return says
    return ""


def furthest_off(answer: np.ndarray, x: np.ndarray, y: np.ndarray) -> str:
    """The two points whose distance is most wrong."""
    right = distances(x, y)
    if answer.shape != right.shape:
        return ""
    n, m = np.unravel_index(np.abs(answer - right).argmax(), right.shape)
    points = " and ".join(f"({', '.join(f'{v:.9g}' for v in point.tolist())})" for point in (x[n], y[m]))
    return f"The points {points} are {right[n, m]:.6g} apart, and come out {answer[n, m]:.6g} apart."


def assert_apart(student: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Compares with each distance by itself, of floats."""
    answer, wide = student.pairwise_distances(x, y), (x.astype(np.float64), y.astype(np.float64))
    with explained(lambda: furthest_off(answer, *wide)):
        assert_close(answer, distances(*wide))


POINTS = two_tables("x", "y", lambda shape: arrays(shape=shape))
DISTANCES = contract(
    POINTS,
    distances,
    names=("x", "y"),
    magnitudes=(1.0, 1e-3, 500.0),
    batch={"x": 0},
    refuses=(
        another_number_of_axes("x", or_naming=("y",)),
        another_number_of_axes("y", or_naming=("x",)),
        another_length("y", 1, or_naming=("x",)),
    ),
)


@exercise(
    "pairwise_distances",
    points=3,
    forbid=("pairwise_distances", "euclidean_distances", "cdist", "pdist", "dist"),
    contract=DISTANCES,
)
class TestPairwiseDistances:
    @idea
    def test_worked_values(self, student):
        """The points (0, 0) and (1, 1) from (3, 4), (1, 0) and (0, 0): 5, 1, 0 and the roots of 13, 1 and 2."""
        right = array((5, 1, 0), (math.sqrt(13), 1, math.sqrt(2)))
        assert_close(student.pairwise_distances(array((0, 0), (1, 1)), array((3, 4), (1, 0), (0, 0))), right)

    @idea
    @given(tables=two_tables("x", "y", lambda shape: whole_numbers(shape, -9, 9), min_side=2))
    def test_agrees_with_a_loop(self, student, tables):
        """Row n, column m has the distance of row n of x from row m of y."""
        x, y = (table.astype(np.float64) for table in tables.values())
        answer = student.pairwise_distances(x, y)
        with explained(lambda: other_distances(answer, x, y)):
            assert_close(answer, distances(x, y))

    @case
    @given(x=whole_numbers((2, 3), -9, 9), moved=whole_numbers((2, 3), -5, 5))
    def test_close_points(self, student, x, moved):
        """Far from the origin, points that differ by thousandths have the right distance, equal ones 0."""
        x = x * 1000.0 + 10_000
        assert_apart(student, x, np.concatenate([x + moved / 1000, x[:1]]))

    @case
    @given(tables=two_tables("x", "y", whole_numbers), dtype=WHOLE)
    def test_whole_numbers(self, student, tables, dtype):
        """Whole numbers, such as pixels of dtype uint8, give the right distances, in float64."""
        assert_apart(student, *(table.astype(dtype) for table in tables.values()))

    @case
    @given(x=arrays(shape=(3, 2)), rows=st.sampled_from([0, 1]))
    def test_no_other_point(self, student, x, rows):
        """y may have no row, or one."""
        y = np.ones((rows, 2))
        assert_close(student.pairwise_distances(x, y), distances(x, y))


def hot_by_loop(y: np.ndarray, num_classes: int) -> np.ndarray:
    """The ones are set one by one."""
    hot = np.zeros((*y.shape, num_classes))
    for place in np.ndindex(y.shape):
        hot[(*place, y[place])] = 1
    return hot


def wrong_vector(answer: np.ndarray, y: np.ndarray) -> str:
    """Which class has a vector with a wrong entry."""
    if answer.shape[:-1] != y.shape:
        return ""
    right = hot_by_loop(y, answer.shape[-1])
    *place, k = (int(number) for number in np.argwhere(answer != right)[0])
    label = int(y[tuple(place)])
    return f"The vector of class {label} has {answer[(*place, k)]:g} in place {k}, counted from 0."


@exercise("one_hot", points=2)
class TestOneHot:
    @idea
    def test_worked_values(self, student):
        """Of four classes, class 2 is (0, 0, 1, 0) and class 0 is (1, 0, 0, 0)."""
        assert_close(floating(student.one_hot(np.array([2, 0]), 4)), array((0, 0, 1, 0), (1, 0, 0, 0)))

    @idea
    @given(y=st.integers(1, 5).flatmap(lambda n: whole_numbers((n,), 0, 3)), num_classes=st.integers(4, 6))
    def test_agrees_with_a_loop(self, student, y, num_classes):
        """Row n has a 1 in the place of its class, and zeros elsewhere."""
        answer = floating(student.one_hot(y, num_classes))
        with explained(lambda: wrong_vector(answer, y)):
            assert_close(answer, hot_by_loop(y, num_classes))

    @case
    @given(y=shapes(0, 3).flatmap(lambda shape: whole_numbers(shape, 0, 3)), num_classes=st.integers(4, 6))
    @example(y=np.array(2), num_classes=4)
    @example(y=np.array([[0, 1, 3], [2, 2, 0]]), num_classes=5)
    @example(y=np.zeros((2, 0), dtype=np.int64), num_classes=3)
    @example(y=np.zeros(3, dtype=np.int64), num_classes=1)
    def test_any_shape(self, student, y, num_classes):
        """Classes of any shape get an axis more, at the end; also a single number, and no number at all."""
        answer = floating(student.one_hot(y, num_classes))
        with explained(lambda: wrong_vector(answer, y)):
            assert_close(answer, hot_by_loop(y, num_classes))

    @case
    @given(y=whole_numbers((3, 2), 0, 3), dtype=st.sampled_from(["uint8", "int32", "int64", "int8"]))
    def test_float64_for_any_y(self, student, y, dtype):
        """The result is float64, whichever dtype of whole numbers y has, and however it lies in memory."""
        y = y.astype(dtype)
        for classes in (y, y.T, y[:, ::2]):
            assert_close(student.one_hot(classes, 4), hot_by_loop(classes, 4))
            assert_unchanged(student)

    @refusal
    @given(y=whole_numbers((4,), 0, 3), wrong=st.sampled_from([-1, 4, 9]), place=st.integers(0, 3))
    def test_bad_input_is_refused(self, student, y, wrong, place):
        """A y that holds a number that is no class, or no whole numbers, and no classes raise ValueError."""
        bad = y.copy()
        bad[place] = wrong
        with raises(ValueError, naming="y", because=f"y is {bad.tolist()}, classes are 0 to 3"):
            student.one_hot(bad, 4)
        with raises(ValueError, naming="y", because="y is of dtype float64"):
            student.one_hot(y / 2, 4)
        with raises(ValueError, naming="num_classes", because="num_classes is 0"):
            student.one_hot(y[:0], 0)


def of_lengths(least: int, high: int = 4, min_size: int = 1) -> st.SearchStrategy[list[np.ndarray]]:
    """Lists of up to four arrays of classes 0 ... 3, of different lengths."""
    one = st.lists(st.integers(0, 3), min_size=least, max_size=high)
    return st.lists(one.map(lambda classes: np.array(classes, dtype=np.int64)), min_size=min_size, max_size=4)


def occurring(sequences: Sequence[np.ndarray], num_classes: int) -> np.ndarray:
    """Whether each class occurs, asked one by one."""
    rows = [[float(k in one.tolist()) for k in range(num_classes)] for one in sequences]
    return np.array(rows, dtype=np.float64).reshape(len(sequences), num_classes)


def wrong_row(answer: np.ndarray, sequences: Sequence[np.ndarray]) -> str:
    """Which class has a wrong entry, and how often it occurs."""
    n, k = (int(number) for number in np.argwhere(answer != occurring(sequences, answer.shape[1]))[0])
    count = sequences[n].tolist().count(k)
    often = {0: "does not occur", 1: "occurs once"}.get(count, f"occurs {count} times")
    return f"In sequence {n} class {k} {often}, and row {n} has {answer[n, k]:g} in its place."


@exercise("multi_hot", points=2)
class TestMultiHot:
    @idea
    def test_worked_values(self, student):
        """(0, 3, 0) of four classes is (1, 0, 0, 1), and (2, 1, 3) is (0, 1, 1, 1)."""
        answer = student.multi_hot([np.array([0, 3, 0]), np.array([2, 1, 3])], 4)
        assert_close(floating(answer), array((1, 0, 0, 1), (0, 1, 1, 1)))

    @idea
    @given(sequences=of_lengths(1), num_classes=st.integers(4, 6))
    def test_agrees_with_a_loop(self, student, sequences, num_classes):
        """Row n has a 1 for each class that occurs in sequence n, however often, and zeros elsewhere."""
        answer = floating(student.multi_hot(sequences, num_classes))
        with explained(lambda: wrong_row(answer, sequences)):
            assert_close(answer, occurring(sequences, num_classes))

    @case
    @given(sequences=of_lengths(0, high=2, min_size=0))
    @example(sequences=[])
    @example(sequences=[np.zeros(0, dtype=np.int64)])
    def test_empty(self, student, sequences):
        """An empty sequence is a row of zeros, and an empty list has no row."""
        answer = floating(student.multi_hot(sequences, 5))
        with explained(lambda: wrong_row(answer, sequences)):
            assert_close(answer, occurring(sequences, 5))

    @case
    @given(sequences=of_lengths(2), dtype=st.sampled_from(["uint8", "int32", "int64"]))
    def test_float64_for_any_classes(self, student, sequences, dtype):
        """The result is float64, whichever dtype the classes have, and however they lie in memory."""
        given = [one.astype(dtype)[::2] for one in sequences]
        assert_close(student.multi_hot(given, 4), occurring(given, 4))
        assert_unchanged(student)

    @refusal
    @given(sequences=of_lengths(1), wrong=st.sampled_from([-1, 4]))
    def test_bad_input_is_refused(self, student, sequences, wrong):
        """A number that is no class, in any sequence, raises ValueError that names sequences."""
        with raises(ValueError, naming="sequences", because=f"one of them holds {wrong}, classes are 0 to 3"):
            student.multi_hot([*sequences, np.array([0, wrong])], 4)
        with raises(ValueError, naming="num_classes", because="num_classes is 0"):
            student.multi_hot([], 0)


def padded_by_loop(
    sequences: Sequence[np.ndarray], length: int | None, padding_value: float, padding_side: str
) -> tuple[np.ndarray, np.ndarray]:
    """Step by step, as lists."""
    length = max(map(len, sequences)) if length is None else length
    first = sequences[0]
    filler = np.full(first.shape[1:], padding_value, dtype=first.dtype)
    rows, real = [], []
    for one in sequences:
        steps = list(one)
        gap = [filler] * max(0, length - len(steps))
        if padding_side == "right":
            rows.append(steps[:length] + gap)
            real.append([True] * (length - len(gap)) + [False] * len(gap))
        else:
            rows.append(gap + steps[max(0, len(steps) - length) :])
            real.append([False] * len(gap) + [True] * (length - len(gap)))
    shape = (len(sequences), length)
    padded = np.array(rows, dtype=first.dtype).reshape(*shape, *first.shape[1:])
    return padded, np.array(real, dtype=bool).reshape(shape)


def some_sequences(
    behind: st.SearchStrategy[tuple[int, ...]], least: int = 1, high: int = 4, min_size: int = 1
) -> st.SearchStrategy[list[np.ndarray]]:
    """Up to three sequences that differ in their length."""

    def of(shape: tuple[int, ...]) -> st.SearchStrategy[list[np.ndarray]]:
        one = st.integers(least, high).flatmap(lambda steps: arrays(shape=(steps, *shape)))
        return st.lists(one, min_size=min_size, max_size=3)

    return behind.flatmap(of)


FLAT = st.just(())
BEHIND = st.sampled_from([(), (2,), (2, 3)])


def paddings(side: str) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "sequences": some_sequences(BEHIND, least=0),
        "length": st.sampled_from([None, 2, 5]),
        "padding_value": st.sampled_from([0.0, -1.0, 2.5]),
        "padding_side": st.just(side),
    }


PADDING = contract(
    paddings("right"),
    padded_by_loop,
    variants=(paddings("left"),),
    magnitudes=(1.0, 500.0),
    keywords=("padding_value", "padding_side"),
    refuses=(
        bad_values("sequences", []),
        bad_values("length", 0, -2),
        no_word("padding_side", "Right", "both"),
    ),
)


@exercise("pad_sequences", points=3, forbid=("pad_sequences", "pad_sequence"), contract=PADDING)
class TestPadSequences:
    BY_HAND = (array(5, 6, 7), array(8))

    @idea("filling up")
    def test_worked_values(self, student):
        """(5, 6, 7) and (8) become (5, 6, 7) and (8, 0, 0); real are three steps and one."""
        right = array((5, 6, 7), (8, 0, 0)), np.array([[True, True, True], [True, False, False]])
        assert_close(with_a_mask(student.pad_sequences(list(self.BY_HAND))), right)

    @idea("filling up")
    @given(sequences=some_sequences(FLAT, min_size=2))
    @example(sequences=[array(0, 0, 3), array(0)])
    def test_up_to_the_longest(self, student, sequences):
        """Without a length all are as long as the longest, with zeros behind; the mask says which steps are real."""
        answer = student.pad_sequences(sequences)
        assert_close(with_a_mask(answer), padded_by_loop(sequences, None, 0, "right"))

    @idea("cutting")
    def test_cut_by_hand(self, student):
        """With length 2 these become (5, 6) and (8, 0)."""
        right = array((5, 6), (8, 0)), np.array([[True, True], [True, False]])
        assert_close(with_a_mask(student.pad_sequences(list(self.BY_HAND), 2)), right)

    @idea("cutting")
    @given(sequences=some_sequences(FLAT, min_size=2), length=st.integers(1, 6))
    @example(sequences=[array(0, 0, 3), array(0)], length=2)
    def test_to_a_length(self, student, sequences, length):
        """With a length all get so many steps: what is longer loses its last ones."""
        answer = student.pad_sequences(sequences, length)
        assert_close(with_a_mask(answer), padded_by_loop(sequences, length, 0, "right"))

    @idea("the left side")
    def test_left_by_hand(self, student):
        """On the left side with length 2 these become (6, 7) and (0, 8)."""
        right = array((6, 7), (0, 8)), np.array([[True, True], [False, True]])
        answer = student.pad_sequences(list(self.BY_HAND), 2, padding_side="left")
        assert_close(with_a_mask(answer), right)

    @idea("the left side")
    @given(sequences=some_sequences(FLAT, min_size=2), length=st.integers(1, 6))
    @example(sequences=[array(0, 0, 3), array(0)], length=2)
    def test_on_the_left(self, student, sequences, length):
        """On the left side zeros stand in front, and what is longer loses its first steps."""
        answer = student.pad_sequences(sequences, length, padding_side="left")
        assert_close(with_a_mask(answer), padded_by_loop(sequences, length, 0, "left"))

    @case
    @given(sequences=some_sequences(st.sampled_from([(2,), (3, 2)])), side=st.sampled_from(["right", "left"]))
    def test_steps_of_several_numbers(self, student, sequences, side):
        """Each step may be a vector, or an array: only the first axis is filled up, and the mask has two axes."""
        answer = student.pad_sequences(sequences, 3, padding_side=side)
        assert_close(answer, padded_by_loop(sequences, 3, 0, side))

    @case
    @given(
        sequences=some_sequences(FLAT),
        padding_value=st.sampled_from([-1, 9, 2.5]),
        side=st.sampled_from(["right", "left"]),
    )
    def test_another_padding_value(self, student, sequences, padding_value, side):
        """The steps that are filled up have the padding value."""
        answer = student.pad_sequences(sequences, 5, padding_value=padding_value, padding_side=side)
        assert_close(answer, padded_by_loop(sequences, 5, padding_value, side))

    @case
    @given(sequences=of_lengths(1), dtype=WHOLE)
    def test_whole_numbers(self, student, sequences, dtype):
        """Whole numbers stay whole numbers: padded has the dtype of the sequences."""
        given = [one.astype(dtype) for one in sequences]
        assert_close(student.pad_sequences(given), padded_by_loop(given, None, 0, "right"))

    @case
    @given(
        sequences=some_sequences(BEHIND, least=0, high=1),
        length=st.sampled_from([None, 1, 3]),
        side=st.sampled_from(["right", "left"]),
    )
    @example(sequences=[array(), array(4)], length=None, side="left")
    @example(sequences=[array()], length=2, side="left")
    def test_without_steps(self, student, sequences, length, side):
        """A sequence without steps is all padding, on either side."""
        answer = student.pad_sequences(sequences, length, padding_side=side)
        assert_close(answer, padded_by_loop(sequences, length, 0, side))


def holed(shape: tuple[int, ...], whole_rows: int = 0) -> st.SearchStrategy[np.ndarray]:
    """Arrays in which about a third is nan, but nothing in the first rows."""
    places = st.lists(st.sampled_from([False, False, True]), min_size=math.prod(shape), max_size=math.prod(shape))

    def with_holes(drawn: tuple[np.ndarray, list[bool]]) -> np.ndarray:
        missing = np.array(drawn[1], dtype=bool).reshape(shape)
        missing[:whole_rows] = False
        return np.where(missing, NAN, drawn[0])

    return st.tuples(arrays(shape=shape), places).map(with_holes)


def imputed(x: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entry by entry."""
    filled, missing = x.copy(), np.zeros(x.shape, dtype=bool)
    for n, j in np.ndindex(x.shape):
        if math.isnan(x[n, j]):
            there = [value for value in train[:, j].tolist() if not math.isnan(value)]
            missing[n, j] = True
            filled[n, j] = math.fsum(there) / len(there) if there else 0
    return filled, missing


def wrong_filling(filled: np.ndarray, x: np.ndarray, train: np.ndarray) -> str:
    """What is filled in in a column, and what the training set has there."""
    right, missing = imputed(x, train)
    if filled.shape != right.shape:
        return ""
    wrong = np.argwhere(missing & ~np.isclose(filled, right))
    if not len(wrong):
        return ""
    n, j = wrong[0].tolist()
    there = [f"{value:g}" for value in train[:, j].tolist() if not math.isnan(value)]
    return f"In column {j} train has ({', '.join(there)}), and {filled[n, j]:.4g} is filled in."


OTHER_TRAINING_SET = (
    another_number_of_axes("x", or_naming=("train",)),
    another_number_of_axes("train", or_naming=("x",)),
    another_length("train", 1, or_naming=("x",)),
)
IMPUTING = contract(
    two_tables("x", "train", holed),
    imputed,
    names=("x", "train"),
    magnitudes=(1.0, 500.0),
    slack=ROUNDED,
    batch={"x": 0},
    refuses=OTHER_TRAINING_SET,
)


@st.composite
def with_holes_in_both(draw: Callable[..., Any]) -> dict[str, np.ndarray]:
    """Two tables with holes; every column of the training set has a value."""
    n, m, d = draw(shapes(3, 3, 2))
    x, train = draw(holed((n, d))), draw(holed((m, d), whole_rows=1))
    x[0, 0] = train[-1, 0] = NAN
    train[0, 0] += 5
    return {"x": x, "train": train}


@exercise("impute_missing", points=3, forbid=("impute_missing", "nanmean"), contract=IMPUTING)
class TestImputeMissing:
    @idea
    def test_worked_values(self, student):
        """With the training columns (1, nan, 4, 7) and (10, 20, nan, 30) what is missing becomes 4 and 20."""
        train = array((1, 10), (NAN, 20), (4, NAN), (7, 30))
        right = array((4, 25), (6, 20)), np.array([[True, False], [False, True]])
        assert_close(with_a_mask(student.impute_missing(array((NAN, 25), (6, NAN)), train)), right)

    @idea
    @given(tables=with_holes_in_both())
    def test_agrees_with_a_loop(self, student, tables):
        """What is missing becomes the mean of its column in train, over what is there; what is there stays."""
        answer = student.impute_missing(tables["x"], tables["train"])
        with explained(lambda: wrong_filling(answer[0], **tables)):
            assert_close(with_a_mask(answer), imputed(**tables))

    @case
    @given(x=holed((3, 2)), rows=st.sampled_from([0, 1, 4]))
    @example(x=array((NAN, 1), (2, NAN), (NAN, NAN)), rows=4)
    def test_column_without_any_value(self, student, x, rows):
        """Where train has no value in a column, or no row at all, what is missing becomes 0."""
        train = np.full((rows, 2), NAN)
        train[:, 1] = 3
        assert_close(student.impute_missing(x, train), imputed(x, train))

    @case
    @given(x=arrays(shape=(2, 3)), train=holed((4, 3), whole_rows=1))
    def test_nothing_missing(self, student, x, train):
        """Where nothing is missing nothing changes."""
        assert_close(student.impute_missing(x, train), (x, np.zeros((2, 3), dtype=bool)))


def standardized(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Column by column."""
    columns = []
    for column, known in zip(x.T, train.T, strict=True):
        mean = math.fsum(known) / len(known)
        spread = math.sqrt(math.fsum((v - mean) ** 2 for v in known.tolist()) / len(known))
        columns.append((column - mean) / (spread if len(set(known.tolist())) > 1 else 1))
    return np.stack(columns, axis=1)


def scaled(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Column by column."""
    columns = []
    for column, known in zip(x.T, train.T, strict=True):
        low, high = min(known.tolist()), max(known.tolist())
        columns.append((column - low) / (high - low if high > low else 1))
    return np.stack(columns, axis=1)


@st.composite
def varied(draw: Callable[..., Any]) -> dict[str, np.ndarray]:
    """Two tables; no column of the training set is one number all over."""
    n, m, d = draw(shapes(3, 3, 2))
    x, train = draw(halves((n, d))), draw(halves((m, d)))
    train[0] = train[1] + 1.5
    return {"x": x, "train": train}


# So many different numbers do not lie on a line by chance.
ENOUGH = 3


def what_was_done(answer: np.ndarray, right: np.ndarray, x: np.ndarray, train: np.ndarray) -> tuple[int, str]:
    """A column that is wrong, and what was taken away and divided by in it; no words where that cannot be told."""
    for j, (values, found, wanted) in enumerate(zip(x.T, answer.T, right.T, strict=True)):
        if np.allclose(found, wanted) or len(set(values.tolist())) < ENOUGH or not np.isfinite(found).all():
            continue
        low, high = values.argmin(), values.argmax()
        slope = float(found[high] - found[low]) / float(values[high] - values[low])
        if slope and np.allclose(found, found[low] + slope * (values - values[low])):
            taken = values[low] - found[low] / slope
            return j, f"In column {j} {taken:.4g} is taken away, and what is left is divided by {1 / slope:.4g}"
    return -1, ""


def of_mean_and_spread(train: np.ndarray) -> str:
    if train.min() == train.max():
        return f"train is {train[0]:g} all over there"
    return f"train has the mean {train.mean():.4g} and the standard deviation {train.std():.4g} there"


def of_ends(train: np.ndarray) -> str:
    return f"train runs from {train.min():.4g} to {train.max():.4g} there"


def no_row(arguments: Any) -> tuple[np.ndarray, ...]:
    return (arguments["train"][:0],)


def scaling(oracle: Callable[..., np.ndarray]) -> Contract:
    """The contract of a function that scales the columns by what the training set says."""
    return contract(
        two_tables("x", "train", halves),
        oracle,
        names=("x", "train"),
        magnitudes=(1.0, 1e-3, 500.0),
        slack=ROUNDED,
        batch={"x": 0},
        refuses=(*OTHER_TRAINING_SET, Refusal("train", no_row, ("train",))),
    )


class Scaling:
    """What holds for both ways of scaling."""

    function = ""
    oracle: Callable[..., np.ndarray]
    statistics: Callable[[np.ndarray], str]

    def compare(self, student: Any, x: np.ndarray, train: np.ndarray) -> None:
        right = type(self).oracle(x.astype(np.float64), train.astype(np.float64))
        dtype = x.dtype if x.dtype.kind == "f" else np.float64
        answer = getattr(student, self.function)(x, train)

        def reading() -> str:
            column, done = what_was_done(answer, right, x, train)
            return f"{done}; {type(self).statistics(train[:, column])}." if done else ""

        with explained(reading):
            assert_close(answer, right.astype(dtype))

    @idea
    @given(tables=varied())
    def test_agrees_with_a_loop(self, student, tables):
        """Each column is scaled by the numbers of its own column in train, and by nothing of x."""
        self.compare(student, tables["x"], tables["train"])

    @case
    @given(
        x=halves((2, 3)), constant=st.sampled_from([0.1, 0.7, 0.0, -3.3, 5.0]), rows=st.sampled_from([3, 1, 2, 6, 7])
    )
    @example(x=array((1, 2, 3), (4, 5, 6)), constant=0.1, rows=3)
    def test_constant_columns(self, student, x, constant, rows):
        """A column that is one number all over in train, such as three times 0.1, is divided by 1; float32 too."""
        train = np.full((rows, 3), constant)
        train[:, 1] = np.arange(rows)
        self.compare(student, x, train)
        self.compare(student, x.astype(np.float32), train.astype(np.float32))

    @case
    @given(tables=two_tables("x", "train", whole_numbers), dtype=WHOLE)
    def test_whole_numbers(self, student, tables, dtype):
        """Whole numbers, such as pixels of dtype uint8, are scaled as floats are; the result is float64."""
        self.compare(student, tables["x"].astype(dtype), tables["train"].astype(dtype))

    @case
    @given(tables=varied())
    def test_far_from_0(self, student, tables):
        """A column with a mean of some ten million is as exact as another."""
        self.compare(student, tables["x"] + FAR, tables["train"] + FAR)


@exercise(
    "standardize", points=3, forbid=("standardize", "zscore", "scale", "StandardScaler"), contract=scaling(standardized)
)
class TestStandardize(Scaling):
    function = "standardize"
    oracle = standardized
    statistics = of_mean_and_spread

    @idea
    def test_worked_values(self, student):
        """With the training column (1, 1, 1, 1, 6) 4 becomes 1 and 1 becomes -0.5, in other units too."""
        train = array((1, 10), (1, 10), (1, 10), (1, 10), (6, 60))
        assert_close(student.standardize(array((4, 40), (1, 10)), train), array((1, 1), (-0.5, -0.5)))


@exercise(
    "min_max_scale",
    points=2,
    forbid=("min_max_scale", "minmax_scale", "MinMaxScaler"),
    contract=scaling(scaled),
)
class TestMinMaxScale(Scaling):
    function = "min_max_scale"
    oracle = scaled
    statistics = of_ends

    @idea
    def test_worked_values(self, student):
        """With the training column (10, 30, 20) 15, 40 and 5 become 0.25, 1.5 and -0.25, in other units too."""
        train = array((10, 1), (30, 3), (20, 2))
        right = array((0.25, 0.25), (1.5, 1.5), (-0.25, -0.25))
        assert_close(student.min_max_scale(array((15, 1.5), (40, 4), (5, 0.5)), train), right)


def numpys_covariance(x: np.ndarray, ddof: int = 1) -> np.ndarray:
    """numpy's own; one column gives it no axes."""
    return np.cov(x, rowvar=False, ddof=ddof).reshape(x.shape[1], x.shape[1])


ONE_OR_TWO = st.sampled_from([2, 1])


@st.composite
def more_rows_than_ddof(
    draw: Callable[..., Any],
    values: Callable[[tuple[int, ...]], Any] = halves,
    columns: st.SearchStrategy[int] = ONE_OR_TWO,
) -> dict[str, Any]:
    """A table of three to five rows, and a ddof below that."""
    return {"x": draw(values((draw(st.integers(3, 5)), draw(columns)))), "ddof": draw(st.sampled_from([1, 0, 2]))}


def other_products(answer: np.ndarray, x: np.ndarray) -> str:
    """What else than the covariance was computed."""
    n, right = len(x), numpys_covariance(x)
    with np.errstate(all="ignore"):
        for other, says in (
            (x.T @ x / (n - 1), "The means are still in it: these are products of the columns as they are."),
            (
                right / np.sqrt(np.outer(right.diagonal(), right.diagonal())),
                "Its diagonal is 1: these are correlations.",
            ),
            ((right != 0) * np.diag(np.diag(right)), "Beside the diagonal all is 0."),
        ):
            if answer.shape == other.shape and np.allclose(answer, other):
                return says
    return ""


COVARIANCE = contract(
    more_rows_than_ddof(),
    numpys_covariance,
    names=("x", "ddof"),
    magnitudes=(1.0, 500.0),
    slack=ROUNDED,
    keywords=("ddof",),
    refuses=(
        another_number_of_axes("x"),
        bad_values("ddof", -1),
        Refusal("x", lambda arguments: (arguments["x"][: arguments["ddof"]],), ("x", "ddof")),
    ),
)


@exercise("covariance", points=3, forbid=("covariance", "cov", "corrcoef"), contract=COVARIANCE)
class TestCovariance:
    @idea
    def test_worked_values(self, student):
        """The points (1, 2), (3, 2) and (5, 8) have the covariances (4, 6) and (6, 12)."""
        assert_close(student.covariance(array((1, 2), (3, 2), (5, 8))), array((4, 6), (6, 12)))

    @idea
    @given(x=st.sampled_from([(4, 2), (5, 3), (6, 2)]).flatmap(halves))
    def test_agrees_with_numpy(self, student, x):
        """It agrees with numpy's `cov` of the columns."""
        answer = student.covariance(x)
        with explained(lambda: other_products(answer, x)):
            assert_close(answer, numpys_covariance(x))

    @case
    @given(drawn=more_rows_than_ddof(columns=st.sampled_from([2, 3])))
    @example(drawn={"x": array((1, 2), (3, 2), (5, 8)), "ddof": 0})
    @example(drawn={"x": array((1, 2), (3, 2), (5, 8)), "ddof": 2})
    def test_any_ddof(self, student, drawn):
        """N less ddof divides, and ddof is 1 by default."""
        right = numpys_covariance(drawn["x"], drawn["ddof"])
        assert_close(student.covariance(drawn["x"], ddof=drawn["ddof"]), right)

    @case
    @given(x=arrays(shape=(1, 3)))
    def test_one_row(self, student, x):
        """One row, with ddof 0, has no spread: zeros."""
        assert_close(student.covariance(x, ddof=0), np.zeros((3, 3)))

    @case
    @given(x=whole_numbers((4, 3)), dtype=WHOLE)
    def test_whole_numbers(self, student, x, dtype):
        """Whole numbers, such as pixels of dtype uint8, count as floats; the result is float64."""
        assert_close(student.covariance(x.astype(dtype)), numpys_covariance(x.astype(np.float64)))

    @case
    @given(x=halves((4, 2)))
    def test_far_from_0(self, student, x):
        """A mean of some ten million does no harm."""
        assert_close(student.covariance(x + FAR), numpys_covariance(x))


def pearsons(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Feature by feature and class by class."""
    scores = []
    for feature in x.T:
        score = 0.0
        for label in set(y.tolist()):
            members = [place for place, other in enumerate(y.tolist()) if other == label]
            expected = math.fsum(feature) * len(members) / len(y)
            observed = math.fsum(feature[members])
            score += (observed - expected) ** 2 / expected if expected else 0
        scores.append(score)
    return np.array(scores)


def other_scores(answer: np.ndarray, x: np.ndarray, y: np.ndarray) -> str:
    """What else than the score was computed; else what is observed and expected of a feature that is wrong."""
    member = np.unique(y)[:, None] == y
    observed, expected, even = member @ x, np.outer(member.mean(1), x.sum(0)), (member @ x).mean(0)
    square = (observed - expected) ** 2
    with np.errstate(all="ignore"):
        for other, says in (
            (square.sum(0), "The squares are added without being divided by what is expected."),
            ((square / observed).sum(0), "The squares are divided by what is observed, not by what is expected."),
            (
                ((observed - even) ** 2 / even).sum(0),
                "As much is expected in a class with few rows as in one with many.",
            ),
            (((observed - expected) / expected).sum(0), "The differences are not squared."),
            ((np.abs(observed - expected) / expected).sum(0), "The differences are not squared."),
            (
                square.sum(0) / expected.sum(0),
                "The squares are added first and divided then: each has a divisor of its own.",
            ),
        ):
            if answer.shape == other.shape and np.allclose(answer, other):
                return says
    j = int(np.flatnonzero(~np.isclose(answer, pearsons(x, y)))[0])
    seen, due = (", ".join(f"{v:.4g}" for v in amounts[:, j]) for amounts in (observed, expected))
    return f"Of feature {j} the classes have ({seen}), expected are ({due}), and the score is {answer[j]:.4g}."


@st.composite
def labelled(
    draw: Callable[..., Any],
    labels: Sequence[int] = (3, 7, -2),
    every: bool = False,
    values: Callable[[tuple[int, ...]], Any] = lambda shape: arrays(shape=shape, low=0, high=9),
) -> dict[str, np.ndarray]:
    """A table of amounts and the classes of its rows; with ``every`` each label occurs."""
    rest = draw(st.lists(st.sampled_from(labels), min_size=1, max_size=3))
    y = draw(st.permutations([*labels, *rest])) if every else rest
    return {"x": draw(values((len(y), draw(st.sampled_from([2, 1, 3]))))), "y": np.array(y, dtype=np.int64)}


CHI2 = contract(
    labelled(),
    pearsons,
    names=("x", "y"),
    magnitudes=(1.0, 100.0),
    slack=10.0,  # a difference of sums, squared
    refuses=(
        another_number_of_axes("x", or_naming=("y",)),
        another_length("y", 0, or_naming=("x",)),
        another_number_of_axes("y", or_naming=("x",)),
        Refusal("x", lambda arguments: (arguments["x"] - 10.0,), ("x",)),
    ),
)


@exercise("chi2", points=4, forbid=("chi2", "chi2_contingency", "chisquare"), contract=CHI2)
class TestChi2:
    @idea
    def test_worked_values(self, student):
        """Occurrences (4, 1, 1) and (1, 1, 4) in notes of the classes 0, 1, 1 have the scores 3 and 0.75."""
        x = array((4, 1), (1, 1), (1, 4))
        assert_close(student.chi2(x, np.array([0, 1, 1])), array(3, 0.75))

    @idea
    @given(drawn=labelled(labels=(0, 1), every=True) | labelled(labels=(0, 1, 2), every=True))
    def test_agrees_with_a_loop(self, student, drawn):
        """The sum over the classes of (observed - expected)² / expected."""
        x, y = drawn["x"] + 0.5, drawn["y"]
        answer = student.chi2(x, y)
        with explained(lambda: other_scores(answer, x, y)):
            assert_close(answer, pearsons(x, y))

    @case
    @given(drawn=labelled(labels=(-4, 0, 12), every=True))
    @example(drawn={"x": array((4, 1), (1, 1), (1, 4)), "y": np.array([3, 7, 7])})
    def test_any_labels(self, student, drawn):
        """Classes are any whole numbers, such as 3 and 7."""
        assert_close(student.chi2(**drawn), pearsons(**drawn))

    @case
    @given(drawn=labelled(labels=(0, 1), every=True))
    def test_feature_that_is_0_everywhere(self, student, drawn):
        """A feature that is 0 everywhere has the score 0, and nothing else changes."""
        x = np.concatenate([drawn["x"], np.zeros((len(drawn["y"]), 1))], axis=1)
        assert_close(student.chi2(x, drawn["y"]), pearsons(x, drawn["y"]))

    @case
    @given(x=arrays(shape=(3, 2), low=0, high=9), label=st.sampled_from([0, 1, 5]), rows=st.sampled_from([3, 1]))
    def test_one_class_only(self, student, x, label, rows):
        """Where all rows are of one class, or there is one row, every score is 0."""
        assert_close(student.chi2(x[:rows], np.full(rows, label)), np.zeros(2))

    @case
    @given(drawn=labelled(labels=(0, 1), every=True, values=whole_numbers), dtype=WHOLE)
    def test_whole_numbers(self, student, drawn, dtype):
        """Counts are whole numbers, uint8 too; the result is float64."""
        right = pearsons(drawn["x"].astype(np.float64), drawn["y"])
        assert_close(student.chi2(drawn["x"].astype(dtype), drawn["y"]), right)


def best_columns(x: np.ndarray, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """By sorting numbers and places as Python does."""
    ranked = sorted(range(len(scores)), key=lambda j: (math.isnan(scores[j]), -scores[j], j))
    columns = sorted(ranked[:k])
    return np.stack([x[:, j] for j in columns], axis=1), np.array(columns, dtype=np.int64)


def wrong_choice(columns: np.ndarray, right: np.ndarray, scores: np.ndarray) -> str:
    """A column that is kept, and one that should have been instead."""
    kept, missed = sorted({*columns.tolist()} - {*right.tolist()}), sorted({*right.tolist()} - {*columns.tolist()})
    if not kept or not missed:
        return ""
    return (
        f"Column {kept[0]} with the score {scores[kept[0]]:g} is kept, "
        f"and column {missed[0]} with the score {scores[missed[0]]:g} is not."
    )


def assert_best(student: Any, x: np.ndarray, scores: np.ndarray, k: int) -> None:
    """Compares with what sorting as Python does it gives."""
    answer, right = student.select_k_best(x, scores, k), best_columns(x, scores, k)
    with explained(lambda: wrong_choice(answer[1], right[1], scores)):
        assert_close(answer, right)


@st.composite
def ranked(draw: Callable[..., Any], ties: bool = True) -> dict[str, Any]:
    """A table, scores for its columns, and how many to keep."""
    n, d = draw(shapes(2, 2, 2))
    among = st.integers(0, 3 if ties else 99).map(float)
    scores = draw(st.lists(among, min_size=d, max_size=d, unique=not ties))
    return {"x": draw(arrays(shape=(n, d))), "scores": np.array(scores), "k": draw(st.integers(1, d))}


SELECTING = contract(
    ranked(ties=False),
    best_columns,
    names=("x", "scores", "k"),
    scaled=("x",),
    batch={"x": 0},
    refuses=(
        another_number_of_axes("x", or_naming=("scores",)),
        another_length("scores", 0, or_naming=("x",)),
        another_number_of_axes("scores", or_naming=("x",)),
        bad_values("k", 0, -1),
        Refusal("k", lambda arguments: (len(arguments["scores"]) + 1,), ("k",)),
    ),
)


@exercise("select_k_best", points=2, forbid=("select_k_best", "SelectKBest"), contract=SELECTING)
class TestSelectKBest:
    TABLE = array((10, 20, 30, 40), (50, 60, 70, 80))

    @idea
    def test_worked_values(self, student):
        """With the scores (5, 2, 9) and k = 2 the columns 0 and 2 are kept, in this order."""
        answer = student.select_k_best(self.TABLE[:, :3], array(5, 2, 9), 2)
        assert_close(answer, (array((10, 30), (50, 70)), np.array([0, 2])))

    @idea
    @given(drawn=ranked(ties=False))
    @example(drawn={"x": TABLE, "scores": array(9, 1, 4, 7), "k": 3})
    def test_agrees_with_a_loop(self, student, drawn):
        """The k columns with the highest scores are kept, from left to right."""
        assert_best(student, **drawn)

    @case
    @given(scores=st.lists(st.sampled_from([2.0, 9.0]), min_size=4, max_size=4), k=st.integers(1, 3))
    @example(scores=[2.0, 9.0, 9.0, 9.0], k=1)
    @example(scores=[2.0, 9.0, 2.0, 2.0], k=2)
    def test_ties(self, student, scores, k):
        """Among equal scores the column that stands first wins."""
        assert_best(student, self.TABLE, array(*scores), k)

    @case
    @given(seed=st.integers(0, 99), k=st.sampled_from([30, 7, 59]))
    def test_many_ties(self, student, seed, k):
        """Among sixty columns with few different scores the first ones of equals win, too."""
        x, scores = numbers(seed, 2, 60).numpy(), numbers(seed, 60, low=0, high=3, digits=0).numpy()
        assert_best(student, x, scores, k)

    @case
    @given(scores=st.lists(st.sampled_from([NAN, 2.0, -3.0, 5.0]), min_size=4, max_size=4), k=st.integers(1, 4))
    @example(scores=[NAN, -3.0, 5.0, NAN], k=2)
    @example(scores=[NAN, -3.0, 5.0, NAN], k=3)
    def test_nan_is_the_lowest(self, student, scores, k):
        """A score of nan counts as the lowest, below every number."""
        assert_best(student, self.TABLE, array(*scores), k)

    @case
    @given(drawn=ranked(ties=False), dtype=st.sampled_from(["uint8", "int64", "bool"]))
    def test_any_dtype(self, student, drawn, dtype):
        """The table may have any dtype, and what is kept has it too."""
        drawn = {**drawn, "x": np.abs(drawn["x"]).astype(dtype)}
        assert_best(student, **drawn)
