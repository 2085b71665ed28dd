"""Hidden checks of the assignment on loss functions: larger batches and mixed sizes, compared with the reference."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.testing import assert_close, case, exercise, floats, numbers

from . import reference

SEEDS = st.integers(0, 99)


@exercise("cross_entropy")
class TestCrossEntropy:
    @case
    @given(seed=SEEDS, label_smoothing=floats(0, 1))
    def test_many_classes(self, student, seed, label_smoothing):
        """Seven samples of 30 classes, some of them ignored, with scores of very different sizes."""
        x = numbers(seed, 7, 30, low=-40, high=40)
        target = torch.where(torch.arange(7) % 3 == 1, 29, (torch.arange(7) * 11 + seed) % 30)
        options = {"ignore_index": 29, "label_smoothing": label_smoothing}
        assert_close(student.cross_entropy(x, target, **options), reference.cross_entropy(x, target, **options))


@exercise("multi_margin_loss_backward")
class TestMultiMarginLossBackward:
    @case
    @given(seed=SEEDS, margin=floats(0.5, 3))
    def test_many_classes(self, student, seed, margin):
        """Seven samples of 30 classes."""
        x, target = numbers(seed, 7, 30, digits=3), (torch.arange(7) * 11 + seed) % 30
        grad_out = torch.tensor(-2.0, dtype=torch.float64)
        right = reference.multi_margin_loss_backward(grad_out, x, target, margin=margin + 1 / 1024)
        assert_close(student.multi_margin_loss_backward(grad_out, x, target, margin=margin + 1 / 1024), right)
