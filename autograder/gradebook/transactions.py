"""Transactions on the gradebook: whole or not at all, and one writer after the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from nbgrader.api import Gradebook
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from autograder.gradebook.database import DatabaseError

# How long to wait for another program's turn, a formgrader's say; and how often a conflict with one is tried again.
WAIT_SECONDS = 60.0
ATTEMPTS = 5
# PostgreSQL's codes: two transactions cannot both go on, they wait for each other, or both add the same row.
CONFLICTS = ("40001", "40P01", "23505")

T = TypeVar("T")


@contextmanager
def opened(url: str, course_id: str | None = None) -> Iterator[Engine]:
    """Connections to a gradebook; with a course's id nbgrader's tables are made where there are none yet.

    Raises:
        DatabaseError: the database stays busy, or cannot be used.
    """
    engine = _engine(url)
    try:
        if course_id is not None:
            in_transaction(engine, lambda connection: None)  # nbgrader itself waits for its turn five seconds only
            try:
                Gradebook(url, course_id).close()
            except DBAPIError as error:
                raise DatabaseError(_sentence(engine, error)) from None
        yield engine
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    """Its transactions see one state of the gradebook, and lose nothing that others write meanwhile."""
    if not url.startswith("sqlite"):
        return create_engine(url, isolation_level="REPEATABLE READ")
    engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS})

    # The driver would begin at the first change; what was read before it could then be out of date.
    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: Any, record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_with_the_lock(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Does ``work`` in a transaction of its own; once more from its beginning where another writer was faster.

    Raises:
        DatabaseError: the database stays busy, or does not take it.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in CONFLICTS or attempt == ATTEMPTS:
                raise DatabaseError(_sentence(engine, error)) from None
    raise AssertionError("the last attempt returns or raises")


def _sentence(engine: Engine, error: DBAPIError) -> str:
    shown = engine.url.render_as_string(hide_password=True)
    reason = str(error.orig).strip().splitlines()[0].strip()
    if "locked" in reason:
        return (
            f"{shown}: another program has kept the gradebook locked for {WAIT_SECONDS:g} seconds; end it and run this "
            "again, nothing is lost."
        )
    return f"{shown}: the gradebook could not be used: {reason}"
