"""Runs one cell of a submission in a namespace; a failure becomes data."""

import __future__

import ast
import asyncio
import inspect
import linecache
import sys
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import TextIOBase
from typing import Any

from autograder.sandbox.limits import CappedOutput, TimeLimitReached, time_limit
from autograder.sandbox.places import describe
from autograder.sandbox.protocol import TIMED_OUT, Raised
from autograder.sandbox.waiting import WaitingLoop


def run_cell(name: str, source: str, namespace: dict[str, Any], *, seconds: float | None, output: int) -> Raised | None:
    """Runs a cell's code; what it raised, or None.

    Args:
        name: shown as the file's name in error messages.
        source: Python code without magics.
        namespace: the globals of all cells.
        seconds: wall-time limit; None for no limit.
        output: characters that it may print; nothing of it reaches this process's own output.
    """
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    try:
        code = compile(source, filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | _future(namespace))
        with _quiet(output), time_limit(seconds):
            if code.co_flags & inspect.CO_COROUTINE:
                _run_to_the_end(eval(code, namespace))
            else:
                exec(code, namespace)
    except KeyboardInterrupt:
        raise
    except TimeLimitReached:
        return Raised(TIMED_OUT, (), f"no end after {seconds:g} seconds")
    except SyntaxError as error:
        return Raised("SyntaxError", (), error.msg or "", f"line {error.lineno}: {(error.text or '').strip()}")
    except BaseException as error:
        return describe(error)
    return None


def _future(namespace: Mapping[str, Any]) -> int:
    """What earlier cells imported from ``__future__``: in a notebook it holds for later ones too."""
    named = (namespace.get(name) for name in __future__.all_feature_names)
    return sum(feature.compiler_flag for feature in named if isinstance(feature, __future__._Feature))


def _run_to_the_end(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Runs a cell that awaits something."""
    with asyncio.Runner(loop_factory=WaitingLoop) as runner:
        runner.run(coroutine)


class _EmptyLines(TextIOBase):
    """Whoever asks for input gets an empty line."""

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        return "\n"


@contextmanager
def _quiet(limit: int) -> Iterator[None]:
    """Keeps what a cell prints away from the grader's own output, and answers its ``input()`` with an empty line."""
    stdin = sys.stdin
    sys.stdin = _EmptyLines()
    try:
        with redirect_stdout(CappedOutput(limit)), redirect_stderr(CappedOutput(limit)):
            yield
    finally:
        sys.stdin = stdin
