"""Which exercises and checks are worth a look: stated rules, no judgement."""

from collections.abc import Iterator, Sequence

from autograder.points import percent_of
from autograder.reporting.figures import CheckFigures, ExerciseFigures, Hint

# A check fails often if more than this share of the submissions in which it ran do not pass it ...
FAILS_OFTEN = 0.6
# ... and so many ran it: of three submissions two mean little.
ENOUGH = 10
# Thirds of a smaller class are too small to compare.
CLASS_FOR_THIRDS = 12
# An exercise separates little if its pass rate in the upper third exceeds the lower third's by less than this,
SEPARATES = 0.1
# unless nearly all or nearly none pass it, where it could not.
NEARLY = 0.1

RULES = (
    f"A check fails often: more than {percent_of(FAILS_OFTEN, 1)} % of the submissions in which it ran do not pass it. "
    "The text, or the check, may be at fault.",
    "Nobody fails a check: every submission in which it ran passes. "
    "It may be too easy, or another check may do its work.",
    f"An exercise separates little: its pass rate in the upper third of total scores is less than "
    f"{percent_of(SEPARATES, 1)} % of the class above that in the lower third, though between "
    f"{percent_of(NEARLY, 1)} % and {percent_of(1 - NEARLY, 1)} % pass it.",
    f"A check is listed only if it ran in at least {ENOUGH} submissions; thirds are compared from "
    f"{CLASS_FOR_THIRDS} judged submissions on.",
)


def hints(exercises: Sequence[ExerciseFigures], checks: Sequence[CheckFigures]) -> tuple[Hint, ...]:
    return (*_failing(checks), *_separating(exercises), *_idle(exercises, checks))


def _failing(checks: Sequence[CheckFigures]) -> Iterator[Hint]:
    for check in checks:
        if check.pass_rate is not None and check.ran >= ENOUGH and 1 - check.pass_rate > FAILS_OFTEN:
            kind = "visible" if check.visible else "hidden"
            says = f"{check.ran - check.passed} of {check.ran} do not pass this {kind} check: {check.title}"
            yield Hint("fails often", check.exercise, (check.check,), says)


def _separating(exercises: Sequence[ExerciseFigures]) -> Iterator[Hint]:
    for exercise in exercises:
        found = exercise.discrimination
        if found is not None and found < SEPARATES and NEARLY <= exercise.pass_rate <= 1 - NEARLY:
            says = (
                f"Its pass rate in the upper third is {percent_of(abs(found), 1)} % "
                f"{'above' if found >= 0 else 'below'} that in the lower third."
            )
            yield Hint("separates little", exercise.exercise, (), says)


def _idle(exercises: Sequence[ExerciseFigures], checks: Sequence[CheckFigures]) -> Iterator[Hint]:
    for exercise in exercises:
        own = [c for c in checks if c.exercise == exercise.exercise and c.ran >= ENOUGH and not _is_rule(c)]
        idle = tuple(check.check for check in own if check.passed == check.ran)
        if idle:
            says = f"Nobody fails {len(idle)} of its {len(own)} checks."
            yield Hint("nobody fails", exercise.exercise, idle, says)


def _is_rule(check: CheckFigures) -> bool:
    """Whether it is a rule that an exercise states beside its checks: keeping it is expected, and earns nothing."""
    return not check.check.startswith("test")


def discrimination(outcomes: Sequence[tuple[float, bool]]) -> float | None:
    """Pass rate in the upper third of total scores less that in the lower third.

    Equal scores at the edge of a third all belong to it, so that no order of names decides. None where the class is
    small, or where one score would be in both thirds.
    """
    if len(outcomes) < CLASS_FOR_THIRDS:
        return None
    scores = sorted(score for score, _ in outcomes)
    third = len(scores) // 3
    low, high = scores[third - 1], scores[-third]
    if low >= high:
        return None
    upper = [passed for score, passed in outcomes if score >= high]
    lower = [passed for score, passed in outcomes if score <= low]
    return round(sum(upper) / len(upper) - sum(lower) / len(lower), 6)
