"""Hidden check of the assignment on backpropagation: all passes together."""

import torch
from hypothesis import given

from autograder.testing import assert_close, exercise, floats, idea, seeded

from . import reference

SHAPES = (6, 3), (6, 2), (4, 3), (4,), (2, 4), (2,)


@exercise("train_mlp")
class TestTrainMlp:
    @idea
    @given(lr=floats(0.01, 0.3))
    def test_a_network_learns(self, student, lr):
        """A network with a hidden layer is trained by the passes that are handed in, epoch by epoch."""
        rng = seeded(1)
        x, y, *flat = (torch.randn(*shape, generator=rng).double() for shape in SHAPES)
        given = x, y, [(flat[0], flat[1]), (flat[2], flat[3])], reference.mlp_forward, reference.mlp_backward
        trained, errors = student.train_mlp(*given, lr=lr, target_error=0.0, max_epochs=12)
        right, right_errors = reference.train_mlp(*given, lr=lr, target_error=0.0, max_epochs=12)
        assert_close([tuple(pair) for pair in trained], right)
        assert_close([float(error) for error in errors], right_errors)
