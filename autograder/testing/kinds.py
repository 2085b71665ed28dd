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

    >>> class TestHalf:
    ...     @idea
    ...     @given(x=tensors())
    ...     def test_twice_the_half(self, student, x):
    ...         "Twice the half is the whole."
    ...         assert_close(2 * student.half(x), x)
    >>> TestHalf().test_twice_the_half(student)
    """
    if callable(about):
        return _of_kind("idea")(about)
    if not about:
        raise DeclarationError("a stage's name is empty, allowed is @idea without a name")
    return _of_kind("idea", about)


def case(test: Test) -> Test:
    """Marks a check of a case: an edge, a dtype, a layout, a range of an argument.

    >>> class TestHalf:
    ...     @case
    ...     def test_empty(self, student):
    ...         "Half of nothing is nothing."
    ...         assert_close(student.half(vector()), vector())
    >>> TestHalf().test_empty(student)
    """
    return _of_kind("case")(test)


def refusal(test: Test) -> Test:
    """Marks a check that bad input is refused.

    >>> class TestRoot:
    ...     @refusal
    ...     def test_negative(self, student):
    ...         "A negative number has no root."
    ...         with raises(ValueError, naming="x"):
    ...             student.root(-4.0)
    >>> TestRoot().test_negative(student)
    """
    return _of_kind("refusal")(test)


def _of_kind(kind: Kind, stage: str = "") -> Callable[[Test], Test]:
    def declare(test: Test) -> Test:
        test.__kind__ = kind, stage  # type: ignore[attr-defined]
        return test

    return declare
