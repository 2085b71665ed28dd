"""The bench tells a loss from what two runs on one machine differ by."""

import pytest

from bench.kept import losses


@pytest.mark.parametrize(
    ("name", "before", "now", "is_lost"),
    [
        ("cpu_ratio_otter", 80.0, 69.0, False),
        ("cpu_ratio_otter", 80.0, 67.0, True),
        ("overhead_backprop", 8.0, 9.1, False),
        ("overhead_backprop", 8.0, 9.3, True),
        ("overhead_backprop", 8.0, 3.0, False),
        ("growth_100_to_1000", 1.0, 1.2, True),
    ],
)
def test_a_figure_that_is_much_worse_than_the_kept_one_is_named(name: str, before: float, now: float, is_lost: bool):
    found = list(losses({name: before}, {name: now}))
    assert [sentence.split()[0] for sentence in found] == ([name] if is_lost else [])


def test_what_was_not_measured_is_no_loss():
    assert list(losses({"cpu_ratio_otter": 80.0, "cpu_ratio_nbgrader": None}, {"cpu_ratio_otter": None})) == []
