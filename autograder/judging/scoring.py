"""Points of an exercise from the outcomes of its checks: they follow the lesson.

With e the share of its ideas that are right, c that of the cases and r that of the refusals, an exercise gets
e * (0.60 + 0.35 c + 0.05 r) of its points: nothing without an idea, most for it, little for refusing bad input.
"""

from collections.abc import Sequence

from autograder.results import CheckResult

CASES = 0.35
CASES_ALONE = 0.40
REFUSALS = 0.05


def points_for(points: float, checks: Sequence[CheckResult]) -> float:
    """What an exercise of ``points`` gets: rounded to 1e-6, within [0, points].

    nbgrader refuses a submission whose score exceeds the maximum by a rounding error.
    """
    return min(max(round(points * earned(checks), 6), 0.0), points)


def earned(checks: Sequence[CheckResult]) -> float:
    """The share of an exercise's points that its checks earn; a check that was not analysed counts nowhere."""
    ideas, cases, refusals = ([check for check in checks if check.kind == kind] for kind in ("idea", "case", "refusal"))
    of_refusals = REFUSALS if refusals else 0.0
    of_cases = (CASES if refusals else CASES_ALONE) if cases else 0.0
    lost = of_cases * (1 - _share(cases)) + of_refusals * (1 - _share(refusals))
    return stages_earned(ideas) * (1 - lost)


def stages_earned(ideas: Sequence[CheckResult]) -> float:
    """The share of the ideas that are right; one is right only if all its checks pass."""
    stages = dict.fromkeys(check.stage for check in ideas)
    weights = {stage: max(check.weight for check in ideas if check.stage == stage) for stage in stages}
    right = sum(
        weights[stage] for stage in stages if all(check.status == "passed" for check in ideas if check.stage == stage)
    )
    return right / sum(weights.values()) if weights else 0.0


def _share(checks: Sequence[CheckResult]) -> float:
    total = sum(check.weight for check in checks)
    return sum(check.weight for check in checks if check.status == "passed") / total if total else 1.0
