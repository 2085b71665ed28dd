"""Points follow the lesson: nothing without the idea, most of them for it, little for refusing."""

import pytest

from autograder.judging.scoring import earned, points_for
from autograder.results import CheckResult


def check(kind, status="passed", *, stage="", weight=1.0):
    return CheckResult("test_a", "It holds.", True, "cpu", status, weight, kind=kind, stage=stage)


def test_all_passed_is_everything():
    assert earned([check("idea"), check("case"), check("refusal")]) == 1.0


def test_a_wrong_idea_leaves_nothing():
    assert earned([check("idea"), check("idea", "failed"), check("case"), check("refusal")]) == 0.0


@pytest.mark.parametrize(
    ("checks", "share"),
    [
        ([check("idea"), check("case", "failed"), check("refusal", "failed")], 0.60),
        ([check("idea"), check("case"), check("refusal", "failed")], 0.95),
        ([check("idea"), check("case", "failed"), check("case"), check("refusal")], 0.825),
        ([check("idea"), check("case", "failed")], 0.60),
        ([check("idea"), check("refusal", "failed")], 0.95),
        ([check("idea"), check("case", "failed", weight=3), check("case")], 0.70),
    ],
)
def test_cases_and_refusals_cost_their_share(checks, share):
    assert earned(checks) == pytest.approx(share)


def test_a_stage_is_earned_whole_and_cases_count_with_the_stages():
    ideas = [check("idea", stage="sum"), check("idea", "failed", stage="stride"), check("idea", stage="stride")]
    assert earned(ideas) == pytest.approx(0.5)
    assert earned([*ideas, check("case", "failed")]) == pytest.approx(0.5 * 0.6)


def test_a_stage_weighs_what_its_heaviest_check_does():
    ideas = [check("idea", stage="sum", weight=3), check("idea", stage="sum"), check("idea", "failed", stage="stride")]
    assert earned(ideas) == pytest.approx(0.75)


@pytest.mark.parametrize("points", [0.1, 0.3, 1.0, 7.0])
def test_points_never_exceed_the_maximum_by_a_rounding_error(points):
    assert points_for(points, [check("idea", weight=w) for w in (0.1, 0.2, 1 / 3)]) == points
    assert points_for(points, [check("idea", "failed")]) == 0.0
