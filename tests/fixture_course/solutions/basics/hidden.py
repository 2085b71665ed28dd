"""Hidden checks of the assignment on basics."""

from math import inf

import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.testing import (
    Callback,
    arrays,
    assert_close,
    case,
    exercise,
    floats,
    idea,
    raises,
    refusal,
    seeded,
    tensors,
)

from . import reference

QUARTERS = st.integers(0, 16).map(lambda n: n / 4)
# A program is a list of steps (operator, place, place) over the values so far, of which there are two at first.
PLACES = st.integers(0, 5)
PROGRAMS = st.lists(st.tuples(st.sampled_from(["+", "*"]), PLACES, PLACES), min_size=1, max_size=4)


def run_program(program, values):
    """The last value of a program; a place that does not exist yet means an earlier one."""
    values = list(values)
    for operator, i, j in program:
        a, b = values[i % len(values)], values[j % len(values)]
        values.append(a + b if operator == "+" else a * b)
    return values[-1]


@exercise("EarlyStopping")
class TestEarlyStopping:
    @idea("min_delta")
    @given(losses=st.lists(QUARTERS, min_size=1, max_size=8), patience=st.integers(1, 3), min_delta=QUARTERS)
    @example(losses=[2.0, 1.5, 1.0, 0.5], patience=2, min_delta=1.0)
    def test_any_losses(self, student, losses, patience, min_delta):
        """For any losses, answers, best and wait are right, also where an improvement has to exceed min_delta."""
        stopping, expected = student.EarlyStopping(patience, min_delta), reference.EarlyStopping(patience, min_delta)
        for loss in losses:
            assert_close(stopping.step(loss), expected.step(loss))
            assert_close(stopping.best, expected.best)
            assert_close(stopping.wait, expected.wait)

    @case
    def test_two_objects(self, student):
        """Two objects do not know of each other."""
        first = student.EarlyStopping(1)
        first.step(1.0)
        second = student.EarlyStopping(1)
        assert_close(second.step(2.0), False)

    @case
    def test_before_the_first_loss(self, student):
        """Before the first loss best is infinity and wait is 0; without arguments patience is 3 and min_delta 0."""
        stopping = student.EarlyStopping()
        assert_close(stopping.best, inf)
        assert_close(stopping.wait, 0)
        assert_close([stopping.step(loss) for loss in (2.0, 1.75, 1.75, 1.75, 1.75)], [False] * 4 + [True])


@exercise("Variable")
class TestVariable:
    @idea("sum over paths")
    @given(a=floats(-2, 2), b=floats(-2, 2), program=PROGRAMS)
    def test_any_program(self, student, a, b, program):
        """For any program of sums and products, value and gradients are right."""
        x, y = student.Variable(a), student.Variable(b)
        result = run_program(program, [x, y])
        result.backward()
        leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (a, b)]
        expected = run_program(program, leaves)
        expected.backward()
        assert_close(result.value, expected.item())
        for variable, leaf in zip((x, y), leaves, strict=True):
            assert_close(variable.grad, 0.0 if leaf.grad is None else leaf.grad.item())

    @case
    @given(a=floats(-2, 2))
    def test_backward_again(self, student, a):
        """Calling backward a second time adds to grad what the first time did."""
        x = student.Variable(a)
        x.backward()
        x.backward()
        assert_close(x.grad, 2.0)


@exercise("no_grad")
class TestNoGrad:
    @case
    @given(before=st.booleans())
    def test_after_an_error(self, student, before):
        """After an error inside the block recording is what it was before, and the error is passed on."""
        student.set_recording(before)
        came_out = student.fails_inside(student.no_grad())
        assert_close([came_out, student.recording()], [True, before])


@exercise("numerical_gradient")
class TestNumericalGradient:
    @idea
    @given(x=arrays(min_ndim=1, max_ndim=1, min_side=2))
    def test_entries_that_depend_on_each_other(self, student, x):
        """Each entry is moved by itself."""
        f = Callback("lambda v: v[0] * v[1] ** 2 - v.sum() ** 2")
        expected = np.full_like(x, -2 * x.sum())
        expected[:2] += np.array([x[1] ** 2, 2 * x[0] * x[1]])
        assert_close(student.numerical_gradient(f, x), expected, rtol=1e-7, atol=1e-7)


@exercise("dropout")
class TestDropout:
    @refusal
    @given(x=tensors(min_ndim=1), p=st.sampled_from([-0.5, -0.01, 1.01, 2.0]), training=st.booleans())
    def test_p_is_a_probability(self, student, x, p, training):
        """A p outside [0, 1] raises ValueError that names p."""
        with raises(ValueError, naming="p"):
            student.dropout(x, p, training=training, generator=seeded())

    @case
    @given(x=tensors(min_ndim=1), p=st.sampled_from([0.0, 1.0]))
    def test_all_or_nothing(self, student, x, p):
        """p = 0 keeps everything as it is, p = 1 gives zeros."""
        out, mask = student.dropout(x, p, training=True, generator=seeded())
        assert_close(out, x * (1 - p))
        assert_close(mask, torch.full_like(x, p == 0.0, dtype=torch.bool))


@exercise("grade_letter")
class TestGradeLetter:
    @case
    @given(score=floats(55, 95))
    @example(score=89.99)
    @example(score=79.5)
    @example(score=69.5)
    @example(score=59.5)
    def test_fractions(self, student, score):
        """A fraction below a limit does not reach it."""
        assert_close(student.grade_letter(score), reference.grade_letter(score))


@exercise("standardize")
class TestStandardize:
    @case
    @given(x=arrays(min_ndim=2, max_ndim=2, min_side=2))
    def test_far_from_zero(self, student, x):
        """Every value is right, also where a column lies around 1000."""
        assert_close(student.standardize(x + 1000.0), reference.standardize(x + 1000.0))
