"""A guard of whole numbers knows for how many axes they are."""

from typing import Any

import pytest

from autograder.guards import require_whole


@pytest.mark.parametrize(
    ("axes", "value"), [(None, 3), (None, (1, 2, 3)), (1, 2), (2, 2), (2, (1, 2)), (2, [1, 2]), (3, (1, 2, 3))]
)
def test_whole_numbers_for_the_axes_pass(axes: int | None, value: Any) -> None:
    require_whole(1, axes=axes, stride=value)


@pytest.mark.parametrize(
    ("axes", "value"), [(1, (2,)), (2, (2,)), (2, (1, 2, 3)), (2, ()), (2, (1, 0)), (1, True), (2, "same"), (3, 1.0)]
)
def test_anything_else_is_refused_by_name(axes: int, value: Any) -> None:
    with pytest.raises(ValueError, match="stride is"):
        require_whole(1, axes=axes, stride=value)
