"""What every command shares at the terminal: errors in one sentence, exit codes."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Column, Table

from autograder.course import CourseError

DONE, UNJUDGED, WRONG_USE, UNREADABLE = 0, 1, 2, 3


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


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None, width: int | None = None
) -> None:
    """Prints a table in which nothing is cut: what is too long for its column goes on in the next line.

    Cells are shown as they are, whatever brackets or colons a name has; ``width`` is the terminal's by default.
    """
    table = Table(*(Column(heading, overflow="fold") for heading in headings), title=title)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, emoji=False, width=width).print(table)


def fail(sentence: str, code: int) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)
