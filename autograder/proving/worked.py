"""Whether the worked values of an exercise tell its idea from every listed mistake about it."""

from collections.abc import Iterator, Sequence

from autograder.examples.replay import run_once
from autograder.examples.search import NAMED, search
from autograder.sandbox.runner import Runner
from autograder.testing.assignment import Exercise
from autograder.testing.declarations import Check, Mistake


def worked_checks(exercise: Exercise, mistake: Mistake) -> tuple[Check, ...]:
    """The visible checks whose worked values have to show a mistake about the idea.

    They are those of its stage (of all stages if it names none) that draw nothing or begin with an `@example`. There
    are none where the idea has to do with chance, which numbers worked by hand cannot show.
    """
    ideas = [check for check in exercise.visible if check.kind == "idea"]
    if mistake.kind != "idea" or any(check.statistical is not None for check in ideas):
        return ()
    return tuple(
        c for c in ideas if (not mistake.stage or c.stage == mistake.stage) and (not c.parameters or _named(c))
    )


def passes_worked_values(checks: Sequence[Check], runner: Runner) -> bool:
    """Whether code gives every worked value of these checks."""
    return not any(failure for check in checks for failure in _failures(check, runner))


def _failures(check: Check, runner: Runner) -> Iterator[Exception]:
    if not check.parameters:
        _, failure = run_once(check, runner, {})
        yield from () if failure is None else (failure,)
        return
    # Hypothesis begins with the named examples, and ends with one that fails.
    for draw in search(check, runner, 0, draws_at_most=_named(check)):
        yield from () if draw.failure is None else (draw.failure,)


def _named(check: Check) -> int:
    return len(getattr(check.test, NAMED, ()))
