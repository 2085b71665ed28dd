"""Checks that could go together, and nothing wrong would get away."""

from collections.abc import Iterable, Sequence

from autograder.testing.declarations import Check


def idle_checks(checks: Sequence[Check], killers: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The names of checks without which every wrong solution still fails one of the same kind and stage.

    They are taken away one after another, so all of them together can go, and of two that only cover for each other one
    stays: hidden ones first, since students learn from visible ones, and of these the ones that fewest solutions fail.
    The last visible check of an idea always stays. What a contract makes is nobody's to drop, and covers for others.

    Args:
        checks: of one exercise.
        killers: for each wrong solution the names of the checks that it fails.
    """
    failing = [frozenset(names) for names in killers]
    left = {check.name: check for check in checks}
    idle = []
    written = [check for check in checks if _is_written_there(check)]
    for check in sorted(written, key=lambda one: (one.visible, sum(one.name in names for names in failing))):
        about = (check.kind, check.stage)
        others = {o.name for o in left.values() if o.name != check.name and (o.kind, o.stage) == about}
        is_missed = any(check.name in names and not names & others for names in failing)
        if is_missed or (_shows_the_idea(check) and not any(_shows_the_idea(left[name]) for name in others)):
            continue
        del left[check.name]
        idle.append(check.name)
    return tuple(check.name for check in checks if check.name in idle)


def _is_written_there(check: Check) -> bool:
    """Whether a check stands in the class, and is not made by its contract or taken from `autograder.testing`."""
    return check.body.__module__ == check.owner.__module__


def _shows_the_idea(check: Check) -> bool:
    return check.visible and check.kind == "idea" and _is_written_there(check)
