"""Runs a check's live Hypothesis search on a runner's code, and keeps what was drawn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import hypothesis
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from autograder.sandbox.runner import Runner
from autograder.sandbox.values import copy_value
from autograder.testing.declarations import Check
from autograder.testing.student import Call, Session, Student

# After the first failure the search may run the check this often to make the example smaller.
SHRINK_CALLS = 60
# Where Hypothesis keeps what `@example` gave.
NAMED = "hypothesis_explicit_examples"


@dataclass(frozen=True)
class Draw:
    """One example that Hypothesis drew, and what the check made of it."""

    values: dict[str, Any]
    transcript: tuple[Call, ...]
    failure: Exception | None


class _Enough(BaseException):
    """Ends a search; not an `Exception`, so Hypothesis lets it pass."""


def search(
    check: Check, runner: Runner, seed: int, *, named_examples: bool = True, draws_at_most: int | None = None
) -> tuple[Draw, ...]:
    """Everything that a live search of ``check`` drew, in order; the same for the same seed.

    A check that draws nothing runs once. Without ``named_examples`` those of `hypothesis.example` are left out:
    Hypothesis stops at one that fails and does not look for a smaller one. After ``draws_at_most`` the search ends.
    """
    draws: list[Draw] = []
    body = check.body

    def watched(**keywords: Any) -> None:
        own = {name: keywords[name] for name in check.parameters}
        values = copy_value(own, lambda item: item)
        session = Session(runner)
        runner.begin()
        try:
            body(self=keywords["self"], student=Student(session), **own)
        except Exception as failure:
            draws.append(Draw(values, tuple(session.transcript), failure))
            if sum(draw.failure is not None for draw in draws) > SHRINK_CALLS or _timed_out(session):
                raise _Enough from None
            raise
        draws.append(Draw(values, tuple(session.transcript), None))
        if len(draws) == draws_at_most:
            raise _Enough

    with _no_constants_of_loaded_modules():
        _run(check, watched, seed, named_examples=named_examples)
    return tuple(draws)


def _run(check: Check, watched: Callable[..., None], seed: int, *, named_examples: bool) -> None:
    handle, body = getattr(check.test, "hypothesis", None), check.body
    named = {key: value for key, value in vars(check.test).items() if key == NAMED}
    try:
        if handle is None:
            watched(self=check.owner())
        else:
            handle.inner_test = watched
            hypothesis.seed(seed)(check.test)
            if not named_examples:
                vars(check.test).pop(NAMED, None)
            check.test(check.owner(), student=None)
    except (Exception, _Enough):
        # What failed is in the draws; Hypothesis's own report of it is not needed.
        pass
    finally:
        if handle is not None:
            handle.inner_test = body
            vars(check.test).update(named)


@contextmanager
def _no_constants_of_loaded_modules() -> Iterator[None]:
    """Hypothesis draws constants it finds in the source of any module that happens to be loaded.

    The same seed would then give other examples where other assignments were loaded before.
    """
    with mock.patch.object(providers, "_get_local_constants", Constants):
        providers.CONSTANTS_CACHE.cache.clear()
        try:
            yield
        finally:
            providers.CONSTANTS_CACHE.cache.clear()


def _timed_out(session: Session) -> bool:
    raised = session.transcript[-1].reply.raised if session.transcript else None
    return raised is not None and raised.type_name == "TimeLimitReached"
