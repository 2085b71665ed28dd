"""Runs one cell of a submission in a namespace; a failure becomes data."""

import ast
import inspect
import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import TextIOBase
from typing import Any

from autograder.sandbox.limits import CappedOutput, TimeLimitReached, time_limit
from autograder.sandbox.places import describe
from autograder.sandbox.protocol import TIMED_OUT, Raised


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
        code = compile(source, filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
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


def _run_to_the_end(coroutine: Any) -> None:
    """A cell that awaits something. There is no event loop: that would need sockets, which are not allowed."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        return


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
