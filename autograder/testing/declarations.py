"""How content declares itself: `exercise` on check classes, `mistake` and `alternative` on functions."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from autograder.sandbox.forbidden.operations import Forbidden, Rules
from autograder.testing.contract import Contract
from autograder.testing.kinds import KINDS, DeclarationError, Kind


@dataclass(frozen=True)
class Declaration:
    """What `exercise` says of a check class. ``points`` is None in ``hidden.py``: points stand in ``checks.py``.

    ``forbid`` is None where it is the exercise's own name, ``rules`` where they are the module's.
    """

    name: str
    points: float | None
    forbid: tuple[str, ...] | None = None
    rules: Rules | None = None

    def rules_in(self, rules: Rules | None) -> Rules | None:
        """The rules that hold for the exercise in a module with these rules."""
        return self.rules or rules

    def forbidden(self, rules: Rules | None) -> Forbidden:
        """What the exercise may not call in a module with these rules."""
        own = self.rules_in(rules)
        names = (self.name,) if self.forbid is None else self.forbid
        return Forbidden(names, () if own is None else own.families)


@dataclass(frozen=True)
class Statistical:
    """How likely a whole search of a check is to fail a right solution, and why."""

    false_alarm: float
    because: str


@dataclass(frozen=True)
class Check:
    """One property: a method of a check class.

    Attributes:
        exercise: name of the exercise.
        name: the method's name, such as ``test_rows_sum_to_one``.
        title: the docstring's text: what a student reads.
        weight: relative to the other checks of its kind.
        kind: what it is about: the idea of the exercise, a case (an edge, a dtype, a layout), or refusing bad input.
        stage: of a staged exercise the idea that it is about; empty where there is one idea.
        visible: whether students have it.
        owner: the check class.
        test: the method, wrapped by Hypothesis where it draws.
        parameters: names of the drawn values.
    """

    exercise: str
    name: str
    title: str
    weight: float
    kind: Kind
    stage: str
    visible: bool
    owner: type
    test: Callable[..., None]
    parameters: tuple[str, ...]

    @property
    def body(self) -> Callable[..., None]:
        """The method as written, called with the drawn values as keywords."""
        handle = getattr(self.test, "hypothesis", None)
        return handle.inner_test if handle is not None else self.test

    @property
    def statistical(self) -> Statistical | None:
        """What `statistical` says of the check; None where it says nothing."""
        stated: Statistical | None = getattr(self.body, "__statistical__", getattr(self.test, "__statistical__", None))
        return stated


@dataclass(frozen=True)
class Mistake:
    """A known wrong solution of an exercise, with the sentence for the student who makes it.

    ``kind`` says what is wrong: the idea (of one ``stage`` where that is named), a case, or what is refused.
    """

    exercise: str
    name: str
    says: str
    solution: Any
    kind: Kind
    stage: str = ""


@dataclass(frozen=True)
class Alternative:
    """A correct solution of an exercise by another formula or algorithm."""

    exercise: str
    name: str
    solution: Any


def exercise(
    name: str,
    *,
    points: float | None = None,
    forbid: tuple[str, ...] | None = None,
    rules: Rules | None = None,
    contract: Contract | None = None,
) -> Callable[[type], type]:
    """Marks a class as the checks of an exercise.

    Args:
        name: the student's function or class.
        points: what the exercise is worth; in ``checks.py`` only.
        forbid: ready-made operations that may not be called under any name, such as ``("softmax", "log_softmax")``;
            ``()`` for none. Without it the one that is called like the exercise. In ``checks.py`` only.
        rules: instead of the module's ``RULES``, for this exercise.
        contract: adds the checks of what holds for every exercise.
    Raises:
        DeclarationError: points are not a finite number above zero, or ``forbid`` or ``rules`` are something else.

    >>> @exercise("half", points=2, contract=Contract({"x": tensors()}, lambda x: x / 2))
    ... class TestHalf:
    ...     @idea
    ...     def test_by_hand(self, student):
    ...         "Half of 3 is 1.5."
    ...         assert_close(student.half(vector(3)), vector(1.5))
    >>> TestHalf().test_by_hand(student)
    >>> TestHalf().test_float32(student)
    """
    if points is not None and not (math.isfinite(points) and points > 0):
        raise DeclarationError(f"exercise {name!r}: points are {points!r}, allowed is a finite number above 0")
    if forbid is not None and not (isinstance(forbid, tuple) and all(_is_name(item) for item in forbid)):
        raise DeclarationError(f"exercise {name!r}: forbid is {forbid!r}, allowed is a tuple of names without dots")
    if rules is not None and not isinstance(rules, Rules):
        raise DeclarationError(f"exercise {name!r}: rules are {rules!r}, allowed is Rules(...)")

    def declare(owner: type) -> type:
        owner.__exercise__ = Declaration(name, points, forbid, rules)  # type: ignore[attr-defined]
        if contract is not None:
            contract.add_to(owner, name)
        return owner

    return declare


def _is_name(item: object) -> bool:
    return isinstance(item, str) and item.isidentifier()


def weight(value: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a check another weight among those of its kind than 1; a stage weighs what its heaviest check does.

    >>> class TestHalf:
    ...     @case
    ...     @weight(2)
    ...     def test_large(self, student):
    ...         "Half of a million is 500,000."
    ...         assert_close(student.half(vector(1e6)), vector(500_000))
    >>> TestHalf().test_large(student)
    """
    if not (math.isfinite(value) and value > 0):
        raise DeclarationError(f"a check's weight is {value!r}, allowed is a finite number above 0")

    def declare(test: Callable[..., None]) -> Callable[..., None]:
        test.__weight__ = value  # type: ignore[attr-defined]
        return test

    return declare


def statistical(*, false_alarm: float, because: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a check that a right solution may fail by chance.

    Args:
        false_alarm: the probability that one whole search does, computed from what the check uses.
        because: the bound that it comes from.

    >>> @statistical(false_alarm=0.5**64, because="64 features are all dropped with probability (1/2) ** 64")
    ... def test_not_all_are_dropped(self, student):
    ...     "Of 64 entries some are kept."
    ...     assert_right(student.keep_half(torch.ones(64), seeded(1)).any(), "No entry is kept.")
    >>> test_not_all_are_dropped(None, student)
    """
    if not 0 <= false_alarm <= 1:
        raise DeclarationError(f"a check's false_alarm is {false_alarm!r}, allowed is a probability")

    def declare(test: Callable[..., None]) -> Callable[..., None]:
        test.__statistical__ = Statistical(false_alarm, because)  # type: ignore[attr-defined]
        return test

    return declare


def mistake(exercise: str, *, says: str, kind: Kind, stage: str = "") -> Callable[[Any], Any]:
    """Marks a wrong solution of ``exercise``.

    Args:
        exercise: its name.
        says: what went wrong and where to look, not the answer.
        kind: what is wrong: the idea, a case, or what is refused.
        stage: of a staged exercise the idea that is wrong; without it the whole of it is.

    >>> @mistake("half", kind="idea", says="This is the double, not the half.")
    ... def doubles(x):
    ...     return 2 * x
    """
    if kind not in KINDS:
        raise DeclarationError(f"a mistake's kind is {kind!r}, allowed is {', '.join(KINDS)}")

    def declare(solution: Any) -> Any:
        solution.__mistake__ = Mistake(exercise, solution.__name__, says, solution, kind, stage)
        return solution

    return declare


def alternative(exercise: str) -> Callable[[Any], Any]:
    """Marks a correct solution of ``exercise`` that goes another way than the reference.

    >>> @alternative("half")
    ... def by_multiplying(x):
    ...     return 0.5 * x
    """

    def declare(solution: Any) -> Any:
        solution.__alternative__ = Alternative(exercise, solution.__name__, solution)
        return solution

    return declare


def declared_mistakes(module: ModuleType) -> tuple[Mistake, ...]:
    return tuple(
        value.__mistake__ for value in vars(module).values() if "__mistake__" in getattr(value, "__dict__", {})
    )


def declared_alternatives(module: ModuleType) -> tuple[Alternative, ...]:
    return tuple(
        value.__alternative__ for value in vars(module).values() if "__alternative__" in getattr(value, "__dict__", {})
    )


def declared_rules(module: ModuleType) -> Rules | None:
    """The module's ``RULES``; None if it states none.

    Raises:
        DeclarationError: ``RULES`` is something else.
    """
    rules = getattr(module, "RULES", None)
    if rules is not None and not isinstance(rules, Rules):
        raise DeclarationError(f"RULES is {rules!r}, allowed is Rules(...)")
    return rules


def declared_checks(module: ModuleType, *, visible: bool) -> tuple[tuple[Declaration, tuple[Check, ...]], ...]:
    """The check classes of a module in the order written, each with its checks."""
    owners = [value for value in vars(module).values() if isinstance(value, type) and "__exercise__" in vars(value)]
    return tuple((owner.__exercise__, _checks_of(owner, visible)) for owner in owners)  # type: ignore[attr-defined]


def _checks_of(owner: type, visible: bool) -> tuple[Check, ...]:
    declaration: Declaration = owner.__exercise__  # type: ignore[attr-defined]
    # The class's own tests first: worked numbers are easier to read than what all classes share.
    tests: dict[str, Callable[..., None]] = {}
    for base in owner.__mro__:
        for name, test in vars(base).items():
            tests.setdefault(name, test)
    checks = []
    for name, test in tests.items():
        if not name.startswith("test_"):
            continue
        title = inspect.cleandoc(test.__doc__ or "").replace("\n", " ")
        if not title:
            raise DeclarationError(f"{owner.__name__}.{name} has no docstring; it is what a student reads")
        handle = getattr(test, "hypothesis", None)
        body = handle.inner_test if handle is not None else test
        parameters = tuple(p for p in inspect.signature(body).parameters if p not in ("self", "student"))
        stated = getattr(body, "__kind__", getattr(test, "__kind__", None))
        if stated is None:
            raise DeclarationError(
                f"{owner.__name__}.{name} does not say what it is about, allowed is @idea, @case or @refusal"
            )
        kind, stage = stated
        checks.append(
            Check(
                declaration.name,
                name,
                title,
                getattr(body, "__weight__", getattr(test, "__weight__", 1.0)),
                kind,
                stage,
                visible,
                owner,
                test,
                parameters,
            )
        )
    return tuple(checks)
