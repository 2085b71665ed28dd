"""Hidden checks of the assignment on regularization: harder inputs, compared with the reference."""

import torch
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.testing import assert_close, case, exercise, floats, seeded

from . import reference

SLACK = {"float64": 1e-7, "float16": 5e-3, "bfloat16": 4e-2}


@exercise("rotate")
class TestRotate:
    @case
    @given(degrees=floats(-180, 180), dtype=st.sampled_from(list(SLACK)))
    @example(degrees=33.0, dtype="float64")
    @example(degrees=33.0, dtype="float16")
    @example(degrees=33.0, dtype="bfloat16")
    def test_places_in_float64(self, student, degrees, dtype):
        """Far from the centre the places are as exact as near it: they are computed in float64, whatever x is."""
        order = torch.randperm(40 * 24, generator=seeded(7))
        x = (0.1 + 0.8 * order.double() / 960).reshape(1, 1, 40, 24).to(getattr(torch, dtype))
        assert_close(student.rotate(x, degrees), reference.rotate(x.double(), degrees).to(x.dtype), atol=SLACK[dtype])
