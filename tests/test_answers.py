"""Expected and got side by side: in columns, as few digits as tell them apart, a sign where they differ."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.feedback.answers import CHARACTERS, MOST_ROWS, SIGN, WIDTH, compare_answers, number

NAN, INF = float("nan"), float("inf")


def tensor(*entries: object, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(entries, dtype=dtype)


SIDE_BY_SIDE = {
    "what differs has a sign": (tensor(1, 0.5, 2), tensor(1, 0.25, 2), "[1  0.5  2]", "[1 *0.25 2]"),
    "rows": (tensor([1, 2], [3, 4]), tensor([1, 2], [30, 4]), "[[  1 2]\n [  3 4]]", "[[  1 2]\n [*30 4]]"),
    "points stand below each other": (
        tensor([1.5], [10]),
        tensor([1.5], [0.25]),
        "[[ 1.5 ]\n [10   ]]",
        "[[ 1.5 ]\n [*0.25]]",
    ),
    "three digits are enough": (tensor(1 / 3, 0), tensor(0.5, 0), "[ 0.333 0]", "[*0.5   0]"),
    "more where three hide it": (tensor(1.0001, 0), tensor(1.0002, 0), "[ 1.0001 0]", "[*1.0002 0]"),
    "within tolerance it reads as right": (tensor(1, 0.5), tensor(1 + 1e-12, 0), "[1  0.5]", "[1 *0  ]"),
    "one value needs no sign": (torch.tensor(2.0), torch.tensor(3.0), "2", "3"),
    "numbers": (0.5, 0.25, "0.5", "0.25"),
    "nan and inf": (tensor(1, 2, 3), tensor(NAN, -INF, 3), "[   1     2 3]", "[*nan *-inf 3]"),
    "minus zero is zero": (tensor(-0.0, 1), tensor(2, 1), "[ 0 1]", "[*2 1]"),
    "large and small": (tensor(1e-9, 1e9), tensor(1e-9, 2e9), "[1e-09  1e+09]", "[1e-09 *2e+09]"),
    "truth values": (tensor(True, False, dtype=torch.bool), tensor(True, True, dtype=torch.bool), "[True False]", ""),
    "numpy": (np.array([1, 2]), np.array([1, 3]), "[1  2]", "[1 *3]"),
    "complex": (np.array([1 + 2j, 3]), np.array([1 - 2j, 3]), "[ 1+2j 3+0j]", "[*1-2j 3+0j]"),
    "a list": ([False, True], [False, False], "[False   True]", "[False *False]"),
    "bfloat16": (tensor(1, 2, dtype=torch.bfloat16), tensor(1, 3, dtype=torch.bfloat16), "[1  2]", "[1 *3]"),
    "three axes by index": (torch.zeros(1, 2, 2), torch.eye(2)[None], "[0, 0]   0  0\n[0, 1]   0  0", ""),
    "other dtypes": (tensor(1.0, dtype=torch.float32), tensor(1.0), "[1]  (torch float32)", "[1]  (torch float64)"),
    "other shapes": (tensor(1, 2), tensor([1, 2]), "[1 2]", "[[1 2]]"),
    "other types": (tensor(1, 2), None, "[1 2]", "None"),
    "texts": ("B", "A", "'B'", "'A'"),
    "an empty array": (torch.zeros(0), torch.zeros(0, 2), "[]", "[]"),
}


@pytest.mark.parametrize(("expected", "got", "left", "right"), SIDE_BY_SIDE.values(), ids=SIDE_BY_SIDE.keys())
def test_two_answers_stand_in_the_same_columns(expected, got, left, right):
    answers = compare_answers(expected, got)
    assert answers.expected == left
    assert not right or answers.got == right


def test_what_differs_is_known_by_its_place_in_the_text():
    answers = compare_answers(tensor([1, 2], [3, 4]), tensor([1, -2], [3, 40]))
    assert [answers.got[start:end] for start, end in answers.differing] == ["*-2", "*40"]


def test_where_a_check_asks_for_every_bit_the_last_one_is_marked():
    answers = compare_answers(tensor(0, 1), tensor(1e-17, 1))
    assert answers.got == "[*1e-17 1]"


def test_a_difference_that_is_nothing_beside_another_is_not_marked():
    answers = compare_answers(tensor(0, 1), tensor(3e-9, 100))
    assert [answers.got[start:end] for start, end in answers.differing] == ["*100"]


def test_of_many_rows_those_that_differ_are_shown_with_their_index():
    expected, got = torch.zeros(9, 2), torch.zeros(9, 2)
    got[[3, 4, 7, 8], 1] = 1
    answers = compare_answers(expected, got)
    assert answers.expected.splitlines() == ["[3]  0  0", "[4]  0  0", "[7]  0  0"]
    assert answers.got.splitlines() == ["[3]  0 *1", "[4]  0 *1", "[7]  0 *1", "(6 more rows, 1 with a difference)"]


def test_of_long_rows_the_stretch_is_shown_where_they_begin_to_differ():
    expected, got = torch.zeros(2000), torch.zeros(2000)
    got[1500] = 1
    answers = compare_answers(expected, got)
    assert answers.got.startswith("[1499:1523]  0 *1 0 0")


def test_long_texts_are_cut_to_where_they_begin_to_differ():
    answers = compare_answers("a" * 1000 + "x", "a" * 1000 + "y")
    assert answers.expected.endswith("ax'") and answers.got.endswith("ay'")
    assert max(len(answers.expected), len(answers.got)) <= CHARACTERS


@pytest.mark.parametrize(
    "value", ["'" * 10**6, list(range(10**5)), {"a": "b" * 10**5}, torch.rand(100, 100, 20), b"c" * 10**5], ids=type
)
def test_no_answer_takes_more_room_than_a_few_lines(value):
    for answers in (compare_answers(value, None), compare_answers(None, value)):
        for text in (answers.expected, answers.got):
            assert len(text.splitlines()) <= MOST_ROWS + 1 and len(text) <= max(CHARACTERS, (MOST_ROWS + 1) * 2 * WIDTH)


SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=9)
ENTRIES = st.floats(width=32) | st.sampled_from([0.0, -1.0, 1e300, NAN, INF])


@given(data=st.data(), shape=SHAPES)
def test_any_two_arrays_of_one_shape_can_be_told_apart(data, shape):
    right, own = (data.draw(hnp.arrays(np.float64, shape, elements=ENTRIES)) for _ in range(2))
    answers = compare_answers(right, own)
    if np.array_equal(right, own, equal_nan=True):
        assert not answers.differing
    elif right.size > 1:
        assert answers.differing
        assert all(answers.got[start] == SIGN for start, _ in answers.differing)
    else:
        assert answers.expected != answers.got
    lines = [line for text in (answers.expected, answers.got) for line in text.splitlines() if line[:1] == "["]
    assert all(len(line) <= 2 * WIDTH for line in lines)


@given(value=st.floats(-1e300, 1e300), digits=st.integers(3, 17))
def test_a_number_is_right_to_its_digits(value, digits):
    shown = float(number(value, digits))
    assert math.isclose(shown, value, rel_tol=10.0 ** (1 - digits), abs_tol=1e-300)
