"""What a check is about: `idea`, `case` and `refusal` say so of its method."""

from collections.abc import Callable
from typing import Literal, get_args, overload

Kind = Literal["idea", "case", "refusal"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Test = Callable[..., None]


class DeclarationError(ValueError):
    """Content declares something that cannot be."""


@overload
def idea(about: str) -> Callable[[Test], Test]: ...
@overload
def idea(about: Test) -> Test: ...
def idea(about: str | Test) -> Callable[[Test], Test] | Test:
    """Marks a check of the exercise's idea; ``@idea("stride")`` of one of several, each a stage with its own share.

    A stage is earned only if all its checks pass, and nothing is earned without one.
    """
    if callable(about):
        return _of_kind("idea")(about)
    if not about:
        raise DeclarationError("a stage's name is empty, allowed is @idea without a name")
    return _of_kind("idea", about)


def case(test: Test) -> Test:
    """Marks a check of a case: an edge, a dtype, a layout, a range of an argument."""
    return _of_kind("case")(test)


def refusal(test: Test) -> Test:
    """Marks a check that bad input is refused."""
    return _of_kind("refusal")(test)


def _of_kind(kind: Kind, stage: str = "") -> Callable[[Test], Test]:
    def declare(test: Test) -> Test:
        test.__kind__ = kind, stage  # type: ignore[attr-defined]
        return test

    return declare
