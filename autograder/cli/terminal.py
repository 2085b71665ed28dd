"""What every command shares at the terminal: errors in one sentence, exit codes."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Column, Table

DONE, UNJUDGED, WRONG_USE, UNREADABLE = 0, 1, 2, 3


# By name: each of their modules imports something that is slow to import, and no command needs all of them.
EXIT_CODES = {
    "autograder.authoring.errors.AuthoringError": WRONG_USE,
    "autograder.errors.CourseError": WRONG_USE,
    "autograder.gradebook.database.DatabaseError": WRONG_USE,
    "autograder.judging.judge.NoAssignment": WRONG_USE,
    "autograder.judging.judge.NoDevice": WRONG_USE,
    "autograder.notebooks.build.UnknownExercise": WRONG_USE,
    "autograder.notebooks.repair.reading.UnreadableSubmission": UNREADABLE,
    "autograder.book.errors.BookError": UNJUDGED,
    "autograder.classroom.submitted.NotBuilt": UNJUDGED,
    "autograder.cluster.errors.ClusterError": UNJUDGED,
    "autograder.demo.run.DemoError": UNJUDGED,
    "autograder.examples.choosing.BuildError": UNJUDGED,
    "autograder.examples.store.ExamplesError": UNJUDGED,
    "autograder.judging.judge.TooLittleIsolation": UNJUDGED,
    "autograder.notebooks.choice.NothingBeside": UNJUDGED,
    "autograder.notebooks.source.SourceError": UNJUDGED,
    "autograder.sandbox.remote.SandboxError": UNJUDGED,
    "autograder.testing.kinds.DeclarationError": UNJUDGED,
}


@contextmanager
def one_sentence() -> Iterator[None]:
    """Ends every error that a person can cause in one sentence on stderr and its exit code."""
    try:
        yield
    except Exception as error:
        names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
        code = next((EXIT_CODES[name] for name in names if name in EXIT_CODES), None)
        if code is None:
            raise
        fail(str(error), code)


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
