"""Visible checks of the assignment on basics.

The sentence under a test is what you read when it fails.
"""

from contextlib import ExitStack
from math import exp, log, sqrt
from statistics import fmean, pstdev

import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.testing import (
    Callback,
    Contract,
    Rules,
    another_number_of_axes,
    arrays,
    assert_close,
    assert_unchanged,
    callbacks,
    case,
    exercise,
    floats,
    idea,
    probabilities,
    raises,
    refusal,
    seeded,
    statistical,
    tensors,
)

RULES = Rules(library="numpy")
QUARTERS = st.integers(0, 16).map(lambda n: n / 4)
NUMBERS = floats(-4, 4)

GRADIENTS = {
    "lambda v: (v ** 2).sum()": lambda v: 2 * v,
    "lambda v: v[0] * v[-1]": lambda v: np.array([2 * v[0]] if v.size == 1 else [v[-1], *[0.0] * (v.size - 2), v[0]]),
    "lambda v: np.sin(v).sum()": np.cos,
}

# The share of kept entries among n is within t of 1 - p but with probability 2 exp(-2 n t²) (Hoeffding, 1963).
# A search draws at most 80 examples; together they raise a false alarm with probability 1e-9 at most.
DRAWS = 80
ENTRIES = 2000
TOLERANCE = sqrt(log(2 * DRAWS / 1e-9) / (2 * ENTRIES))


def standardized(x):
    """Column by column, with the exact arithmetic of Python's own module."""
    columns = [column.tolist() for column in x.T]
    scaled = [[(v - fmean(column)) / (pstdev(column) or 1.0) for v in column] for column in columns]
    return np.array(scaled, dtype=np.float64).T.reshape(x.shape)


# No column of these is constant: that is a case of its own.
TABLES = arrays(min_ndim=2, max_ndim=2, min_side=2).filter(lambda x: (np.ptp(x, axis=0) > 0).all())
STANDARDIZE = Contract(
    {"x": TABLES},
    standardized,
    agrees="The answer agrees with one that is worked out with fractions.",
    magnitudes=(1.0, 1e-3, 1000.0),
    half_magnitudes=(),  # numpy adds float16 up in float16
    # What is left of float32 where a column's entries are a hundred times as large as their deviation.
    slack=20.0,
    batch={"x": 1},
    refuses=(another_number_of_axes("x"),),
)


@exercise("EarlyStopping", points=2)
class TestEarlyStopping:
    @idea("patience")
    @given(losses=st.lists(QUARTERS, min_size=1, max_size=5, unique=True).map(lambda v: sorted(v, reverse=True)))
    def test_falling_losses_never_stop(self, student, losses):
        """While the loss falls, training goes on; best is the last loss, wait is 0."""
        stopping = student.EarlyStopping(1)
        assert_close([stopping.step(loss) for loss in losses], [False] * len(losses))
        assert_close(stopping.best, losses[-1])
        assert_close(stopping.wait, 0)

    @idea("patience")
    @given(loss=QUARTERS, patience=st.integers(1, 4))
    def test_stops_after_patience_calls(self, student, loss, patience):
        """A loss that stays the same stops training after patience further calls."""
        stopping = student.EarlyStopping(patience=patience)
        assert_close([stopping.step(loss) for _ in range(patience + 1)], [False] * patience + [True])

    @idea("patience")
    def test_an_improvement_starts_anew(self, student):
        """With patience 2, the losses 3, 4, 2, 2.5, 2.25 stop training at the last one."""
        stopping = student.EarlyStopping(patience=2)
        assert_close([stopping.step(loss) for loss in (3.0, 4.0, 2.0, 2.5, 2.25)], [False] * 4 + [True])

    @idea("min_delta")
    def test_an_improvement_exceeds_min_delta(self, student):
        """With min_delta 1, the losses 4, 3.5, 2.5 improve once: 3.5 is not better by more than 1, 2.5 is."""
        stopping = student.EarlyStopping(2, min_delta=1.0)
        waits = []
        for loss in (4.0, 3.5, 2.5):
            stopping.step(loss)
            waits.append(stopping.wait)
        assert_close(waits, [0, 1, 0])

    @refusal
    @given(patience=st.integers(-2, 0))
    def test_patience_is_at_least_one(self, student, patience):
        """A patience below 1 raises ValueError that names patience."""
        with raises(ValueError, naming="patience"):
            student.EarlyStopping(patience)


@exercise("Variable", points=3)
class TestVariable:
    @idea("product")
    @given(a=NUMBERS, b=NUMBERS)
    def test_values(self, student, a, b):
        """Sums and products have the right value."""
        x, y = student.Variable(a), student.Variable(b)
        assert_close((x + y).value, a + b)
        assert_close((x * y).value, a * b)

    @idea("product")
    @given(a=NUMBERS, b=NUMBERS)
    def test_gradient_of_a_product(self, student, a, b):
        """In x * y the gradient of x is y, and that of y is x."""
        x, y = student.Variable(a), student.Variable(b)
        (x * y).backward()
        assert_close(x.grad, b)
        assert_close(y.grad, a)

    @case
    @given(a=NUMBERS, number=NUMBERS)
    def test_numbers_on_both_sides(self, student, a, number):
        """A plain number may stand on the left and on the right of + and *."""
        x = student.Variable(a)
        y = number * x * 2.0 + 1.0
        assert_close((number + y).value, number + number * a * 2 + 1)
        y.backward()
        assert_close(x.grad, 2 * number)

    @idea("sum over paths")
    @given(a=NUMBERS)
    def test_used_twice(self, student, a):
        """The gradients of a variable that is used twice add up: x * x + x has 2x + 1."""
        x = student.Variable(a)
        (x * x + x).backward()
        assert_close(x.grad, 2 * a + 1)


@exercise("no_grad", points=1)
class TestNoGrad:
    @idea
    def test_off_inside_on_again_after(self, student):
        """Recording is off inside the block and on again after it."""
        student.set_recording(True)
        with student.no_grad():
            inside = student.recording()
        assert_close([inside, student.recording()], [False, True])

    @idea
    @given(depths=st.lists(st.integers(1, 4), min_size=1, max_size=4), before=st.booleans())
    def test_any_depth(self, student, depths, before):
        """However deep blocks stand in one another, recording is afterwards what it was before."""
        student.set_recording(before)
        seen = []
        for depth in depths:
            with ExitStack() as blocks:
                for _ in range(depth):
                    blocks.enter_context(student.no_grad())
                seen.append(student.recording())
            seen.append(student.recording())
        assert_close(seen, [False, before] * len(depths))

    @idea
    def test_nested(self, student):
        """Leaving an inner block does not switch recording on in the outer one."""
        student.set_recording(True)
        with student.no_grad():
            with student.no_grad():
                inner = student.recording()
            outer = student.recording()
        assert_close([inner, outer, student.recording()], [False, False, True])


@exercise("numerical_gradient", points=2)
class TestNumericalGradient:
    @idea
    def test_worked_values(self, student):
        """At (1, -2) the gradient of the sum of squares is (2, -4)."""
        square = Callback("lambda v: (v ** 2).sum()")
        grad = student.numerical_gradient(square, np.array([1.0, -2.0]))
        assert_close(grad, np.array([2.0, -4.0]), rtol=1e-7, atol=1e-7)

    @idea
    @given(f=callbacks(list(GRADIENTS)), x=arrays(min_ndim=1, max_ndim=1))
    def test_agrees_with_the_formula(self, student, f, x):
        """The gradient agrees with the formula's to seven digits."""
        assert_close(student.numerical_gradient(f, x), GRADIENTS[f.source](x), rtol=1e-7, atol=1e-7)

    @case
    @given(x=arrays(min_ndim=1, max_ndim=1))
    def test_x_stays(self, student, x):
        """The input is not changed, not even in its last digit."""
        student.numerical_gradient(Callback("lambda v: v.sum()"), x)
        assert_unchanged(student)


@exercise("dropout", points=3, rules=Rules(library="torch"))
class TestDropout:
    @idea
    @given(x=tensors(), p=probabilities())
    def test_evaluation_is_identity(self, student, x, p):
        """In evaluation mode dropout changes nothing and keeps everything."""
        out, mask = student.dropout(x, p, training=False, generator=seeded())
        assert_close(out, x)
        assert_close(mask, torch.ones_like(x, dtype=torch.bool))

    @idea
    @given(x=tensors(min_ndim=1, low=1), p=probabilities(), seed=st.integers(0, 9))
    def test_kept_entries_are_scaled(self, student, x, p, seed):
        """Where the mask is True the entry is x / (1 - p), elsewhere 0."""
        out, mask = student.dropout(x, p, training=True, generator=seeded(seed))
        assert_close(out, torch.where(mask, x / (1 - p), torch.zeros_like(x)))

    @idea
    @statistical(
        false_alarm=DRAWS * (0.2**2 + 0.8**2) ** 96,
        because="two entries agree with probability p² + (1 - p)², at most 0.68 for the p that are asked; 96 all do",
    )
    @given(p=probabilities(), seed=st.integers(0, 9))
    def test_same_seed_same_mask(self, student, p, seed):
        """The same seed gives the same mask, the generator as it is left after that another one."""
        x, generator = torch.ones(96), seeded(seed)
        _, first = student.dropout(x, p, training=True, generator=generator)
        _, second = student.dropout(x, p, training=True, generator=generator)
        _, again = student.dropout(x, p, training=True, generator=seeded(seed))
        assert_close(again, first)
        if 0.2 <= p <= 0.8:
            assert_close(torch.equal(second, first), False)

    @idea
    @statistical(
        false_alarm=DRAWS * 2 * exp(-2 * ENTRIES * TOLERANCE**2),
        because="Hoeffding (1963): a mean of n draws is t off with probability 2 exp(-2 n t²) at most",
    )
    @given(p=probabilities(), seed=st.integers(0, 9))
    def test_share_of_kept_entries(self, student, p, seed):
        """Of many entries about the share 1 - p is kept."""
        _, mask = student.dropout(torch.ones(ENTRIES), p, training=True, generator=seeded(seed))
        assert_close(mask.double().mean().item(), 1 - p, rtol=0.0, atol=TOLERANCE)


@exercise("grade_letter", points=1, rules=Rules(library="torch", lifts=("torch.nn",)))
class TestGradeLetter:
    @idea
    @given(tens=st.integers(0, 9), more=floats(1, 9))
    def test_between_the_limits(self, student, tens, more):
        """Between 60 and 70 is a D, up to 80 a C, up to 90 a B, above it an A, and what is less an F."""
        assert_close(student.grade_letter(10 * tens + more), "FFFFFFDCBA"[tens])

    @case
    @given(tens=st.integers(0, 10))
    def test_whole_tens(self, student, tens):
        """A score that just reaches a limit has its letter: 60 is a D, 70 a C, 80 a B, 90 and 100 an A."""
        assert_close(student.grade_letter(10 * tens), "FFFFFFDCBAA"[tens])

    @refusal
    @given(score=st.integers(1, 100) | st.integers(-100, -1))
    @example(score=1)
    def test_outside(self, student, score):
        """A score below 0 or above 100 raises ValueError that names score."""
        with raises(ValueError, naming="score"):
            student.grade_letter(score if score < 0 else 100 + score)


@exercise("standardize", points=2, contract=STANDARDIZE)
class TestStandardize:
    @idea
    @given(x=TABLES)
    def test_mean_and_deviation(self, student, x):
        """Every column has mean 0 and standard deviation 1."""
        z = student.standardize(x)
        assert_close(z.mean(axis=0), np.zeros(x.shape[1]))
        assert_close(z.std(axis=0), np.ones(x.shape[1]))

    @case
    @given(value=floats(-4, 4), rows=st.integers(1, 6))
    @example(value=0.1, rows=3)
    def test_constant_columns(self, student, value, rows):
        """A constant column becomes exactly 0."""
        x = np.full((rows, 2), value)
        assert_close(student.standardize(x), np.zeros((rows, 2)), atol=0.0)
