"""Hidden checks of the assignment on convolution: irregular numbers of thousands, with every option at once."""

from hypothesis import given
from hypothesis import strategies as st

from autograder.testing import assert_close, case, exercise, numbers

from . import reference

# The shapes of the tensors, and the options behind them. In `conv2d_backward` the last rows and columns are met by no
# kernel; in `col2im` and `conv3d` the padding is wider than the kernel.
CALLS = {
    "conv2d": (((2, 4, 11, 9), (6, 2, 3, 2), (6,)), ((2, 1), (1, 3), (2, 3), 2)),
    "conv2d_backward": (((2, 6, 4, 4), (2, 4, 10, 10), (6, 2, 3, 2), (6,)), ((2, 3), (1, 2), (2, 3), 2)),
    "im2col": (((2, 3, 9, 8),), ((3, 2), (2, 3), (1, 0), (3, 2))),
    "col2im": (((2, 18, 63),), ((3, 2), (3, 2), 1, (3, 4))),
    "conv1d": (((2, 4, 12), (6, 2, 3), (6,)), (3, 2, 2, 2)),
    "conv3d": (((2, 4, 3, 6, 5), (6, 2, 2, 3, 2), (6,)), ((1, 2, 1), (3, 1, 2), (2, 1, 3), 2)),
    "conv_transpose2d": (((2, 4, 3, 5), (4, 3, 3, 2), (6,)), ((2, 3), (1, 0), (1, 2), 2, (1, 3))),
    "depthwise_separable_conv2d": (((2, 2, 9, 8), (4, 1, 3, 2), (3, 4, 1, 1), (3,)), ((2, 1), (1, 3), (2, 3))),
}


class Irregular:
    """Compares with the reference."""

    @case
    @given(seed=st.integers(0, 999))
    def test_irregular_numbers(self, student, seed):
        """Thousands with digits behind the point, with every option at once, give the right values."""
        function = type(self).__exercise__.name
        shapes, options = CALLS[function]
        arguments = [
            numbers(seed + place, *shape, low=-4000, high=4000, digits=9) for place, shape in enumerate(shapes)
        ]
        right = getattr(reference, function)(*arguments, *options)
        assert_close(getattr(student, function)(*arguments, *options), right)


for name in CALLS:
    globals()[f"Test_{name}"] = exercise(name)(type(f"Test_{name}", (Irregular,), {}))


@exercise("receptive_field")
class TestReceptiveField:
    @case
    @given(layers=st.lists(st.tuples(*[st.integers(1, 9)] * 3), min_size=6, max_size=12))
    def test_many_layers(self, student, layers):
        """Up to twelve layers of any kind are counted right."""
        assert_close(student.receptive_field(layers), reference.receptive_field(layers))
