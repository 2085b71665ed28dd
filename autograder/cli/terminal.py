"""What every command shares at the terminal: errors in one sentence, exit codes."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from traceback import walk_tb
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
# The function that loads an assignment's files, and how it calls their modules: importing it would import torch.
LOADING, CONTENT = ("autograder.testing.assignment", "load"), "autograder_content_"


@contextmanager
def one_sentence() -> Iterator[None]:
    """Ends every error that a person can cause in one sentence on stderr and its exit code."""
    try:
        yield
    except Exception as error:
        if (said := sentence_of(error)) is None:
            raise
        fail(*said)


def sentence_of(error: Exception) -> tuple[str, int] | None:
    """The sentence and the exit code of an error that a person can cause; None for any other."""
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    code = next((EXIT_CODES[name] for name in names if name in EXIT_CODES), None)
    if code is not None:
        return str(error), code
    sentence = _content_fault(error)
    return None if sentence is None else (sentence, UNJUDGED)


def _content_fault(error: Exception) -> str | None:
    """Which line of an assignment's files cannot be loaded, and why; None where nothing was being loaded."""
    walked = [
        (str(frame.f_globals.get("__name__")), frame.f_code, line) for frame, line in walk_tb(error.__traceback__)
    ]
    if not any((module, code.co_name) == LOADING for module, code, _ in walked):
        return None
    lines = [(code.co_filename, line) for module, code, line in walked if module.startswith(CONTENT)]
    if isinstance(error, SyntaxError):
        file, line, says = error.filename, error.lineno, error.msg
    elif lines:
        (file, line), says = lines[-1], " ".join(str(error).split())
    else:
        return None
    return f"{file}, line {line}: {type(error).__name__}: {says}"


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
