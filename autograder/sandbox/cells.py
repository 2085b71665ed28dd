"""Runs one cell of a submission in a namespace; a failure becomes data."""

import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
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
        code = compile(source, filename, "exec")
        with _quiet(output), time_limit(seconds):
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


@contextmanager
def _quiet(limit: int) -> Iterator[None]:
    """Keeps what a cell prints away from the grader's own output, and ends its ``input()`` at once."""
    stdin = sys.stdin
    sys.stdin = StringIO()
    try:
        with redirect_stdout(CappedOutput(limit)), redirect_stderr(CappedOutput(limit)):
            yield
    finally:
        sys.stdin = stdin
