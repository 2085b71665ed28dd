"""What every command shares at the terminal: errors in one sentence, exit codes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from autograder.course import CourseError

DONE, UNJUDGED, WRONG_USE, UNREADABLE = 0, 1, 2, 3


@contextmanager
def one_sentence() -> Iterator[None]:
    """Ends every error that a person can cause in one sentence on stderr and its exit code."""
    from autograder.authoring.errors import AuthoringError
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
    except (AuthoringError, CourseError, DatabaseError, NoAssignment, NoDevice) as error:
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
