"""What every command shares at the terminal: progress, errors in one sentence, exit codes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.course import CourseError

DONE, UNJUDGED, WRONG_USE, UNREADABLE = 0, 1, 2, 3


class Steps:
    """One progress bar on stderr that stage after stage of long work reuses."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=1, visible=False)

    def begin(self, what: str, steps: int) -> None:
        self._progress.reset(self._task, description=what, total=steps, visible=True)

    def advance(self, step: str = "") -> None:
        self._progress.advance(self._task)


@contextmanager
def steps() -> Iterator[Steps]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Steps(progress)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Ends every error that a person can cause in one sentence on stderr and its exit code."""
    from autograder.book.errors import BookError
    from autograder.demo.run import DemoError
    from autograder.examples.choosing import BuildError
    from autograder.examples.store import ExamplesError
    from autograder.gradebook.database import DatabaseError
    from autograder.judging.judge import NoAssignment, NoDevice, TooLittleIsolation
    from autograder.notebooks.source import SourceError
    from autograder.notebooks.submission import UnreadableSubmission
    from autograder.sandbox.remote import SandboxError
    from autograder.testing.kinds import DeclarationError

    try:
        yield
    except UnreadableSubmission as error:
        fail(str(error), UNREADABLE)
    except (CourseError, DatabaseError, NoAssignment, NoDevice) as error:
        fail(str(error), WRONG_USE)
    except (
        BookError,
        BuildError,
        DeclarationError,
        ExamplesError,
        SourceError,
        DemoError,
        TooLittleIsolation,
        SandboxError,
    ) as error:
        fail(str(error), UNJUDGED)


def fail(sentence: str, code: int) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)
