"""Where the gradebook is: any database that SQLAlchemy reaches, SQLite under ``private/`` unless told otherwise."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from autograder.course import Course

VARIABLE = "AUTOGRADER_DB_URL"
FILE = "db_url"
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class DatabaseError(Exception):
    """The gradebook's database cannot be used; says where it is named and why, never the password."""


class NotReleased(DatabaseError):
    """An assignment is not in the gradebook; the sentence says what puts it there."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} is not in the gradebook yet: run `nbgrader generate_assignment {self.name}` first."


def require_released(course: Course, name: str) -> None:
    """Raises `NotReleased` where the usual file shows it, asked without nbgrader, which takes a second to import.

    What another database holds is seen when it is opened.
    """
    url, _ = _configured(course)
    if not url.startswith("sqlite:///"):
        return
    path = Path(url.removeprefix("sqlite:///"))
    if not path.is_file():
        raise NotReleased(name)
    asked = "SELECT 1 FROM assignment JOIN notebook ON notebook.assignment_id = assignment.id WHERE assignment.name = ?"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as gradebook:
            is_there = gradebook.execute(asked, (name,)).fetchone()
    except sqlite3.Error:  # locked, or of another version
        return
    if is_there is None:
        raise NotReleased(name)


def reachable(course: Course) -> str:
    """The gradebook's URL: ``AUTOGRADER_DB_URL``, else the line in ``private/db_url``, else SQLite.

    It may hold a password, so it does not belong into course.toml, which is public. A server is connected to once, so
    that one which does not answer is said in a sentence; SQLite is a file and needs no connection.

    Raises:
        DatabaseError: the URL cannot be read, its driver is missing, or the server does not answer.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    url, place = _configured(course)
    if url.startswith("sqlite"):
        return url
    shown = make_url(url).render_as_string(hide_password=True)
    # Without a limit a server behind a firewall would hold the command for minutes.
    arguments = {"connect_timeout": 10} if url.startswith("postgresql") else {}
    try:
        engine = create_engine(url, connect_args=arguments)
        engine.connect().close()
        engine.dispose()
    except ModuleNotFoundError as error:
        raise DatabaseError(
            f"{place}: the driver for {shown} is not installed ({error.name}); run `pip install 'psycopg[binary]'`."
        ) from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[-1].strip()
        password = make_url(url).password
        reason = reason.replace(str(password), "***") if password else reason
        raise DatabaseError(f"{place}: no connection to {shown}: {reason}") from None
    return url


def _configured(course: Course) -> tuple[str, str]:
    """The URL and the place that names it."""
    path = course.private_dir / FILE
    text, place = os.environ.get(VARIABLE, "").strip(), VARIABLE
    if not text:
        if not path.is_file():
            return f"sqlite:///{course.private_dir / 'gradebook.db'}", "course"
        text, place = (
            path.read_text(encoding="utf-8-sig", errors="replace").strip(),
            f"{course.private_dir.name}/{FILE}",
        )
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    example = "postgresql://user:password@host/database"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise DatabaseError(f"{place}: this is no database URL; it should look like {example}.") from None
    # A bare scheme means another driver in each version of SQLAlchemy; ours is the one in the extra `postgres`.
    scheme = DRIVERS.get(url.drivername, url.drivername)
    if scheme.split("+")[0] not in ("sqlite", "postgresql"):
        raise DatabaseError(f"{place}: found the scheme {url.drivername}; allowed are postgresql and sqlite.")
    return url.set(drivername=scheme).render_as_string(hide_password=False), place
