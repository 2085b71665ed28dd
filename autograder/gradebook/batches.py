"""Reads and writes the gradebook's rows of many submissions at once, with SQLAlchemy Core on nbgrader's own tables."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from nbgrader import api
from sqlalchemy import Connection, Engine, Table, bindparam, insert, select, update

from autograder.gradebook.database import NotReleased
from autograder.gradebook.rows import TABLES, Cell, Changes, Entry, Row, Standing, changes
from autograder.gradebook.transactions import in_transaction

# So many submissions are read and written at once: memory and the time for which others wait stay bounded.
SIZE = 64
# What comes more slowly than this is not kept waiting for a full batch.
SECONDS = 1.0

ASSIGNMENT: Table = api.Base.metadata.tables["assignment"]
NOTEBOOK: Table = api.Base.metadata.tables["notebook"]
CELL: Table = api.Base.metadata.tables["base_cell"]
STUDENT: Table = api.Base.metadata.tables["student"]
SUBMISSION: Table = api.Base.metadata.tables["submitted_assignment"]
SUBMITTED: Table = api.Base.metadata.tables["submitted_notebook"]
GRADE: Table = api.Base.metadata.tables["grade"]
COMMENT: Table = api.Base.metadata.tables["comment"]
GRADED: tuple[Table, ...] = tuple(api.Base.metadata.tables[name] for name in ("grade_cells", "task_cells"))

T = TypeVar("T")


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Takes together what comes quickly."""
    batch: list[T] = []
    passed_on = float("-inf")
    for item in items:
        batch.append(item)
        if len(batch) == SIZE or time.monotonic() - passed_on >= SECONDS:
            yield batch
            batch, passed_on = [], time.monotonic()
    if batch:
        yield batch


def read(engine: Engine, assignment: str, students: Sequence[str]) -> Standing:
    """What the gradebook holds of a batch of students.

    Raises:
        DatabaseError: the database cannot be used, or (`NotReleased`) does not know the assignment.
    """
    return in_transaction(engine, lambda connection: _read(connection, assignment, students))


def submitters(engine: Engine, assignment: str) -> list[str]:
    """Students who have a submission of an assignment, in the order of their names."""
    submitted = SUBMISSION.join(ASSIGNMENT, SUBMISSION.c.assignment_id == ASSIGNMENT.c.id)
    query = select(SUBMISSION.c.student_id).select_from(submitted).where(ASSIGNMENT.c.name == assignment)
    return sorted(map(str, in_transaction(engine, lambda connection: connection.scalars(query).all())))


def write(engine: Engine, assignment: str, entries: Sequence[Entry], due: datetime | None = None) -> None:
    """Writes a batch in one transaction, with what stands then; a due date goes to the assignment.

    Raises:
        DatabaseError: the database cannot be used, or (`NotReleased`) does not know the assignment.
    """

    def work(connection: Connection) -> None:
        standing = _read(connection, assignment, [entry.student for entry in entries])
        if due is not None:
            _put_due_date(connection, assignment, due)
        _execute(connection, changes(standing, entries, is_due=due is not None))

    in_transaction(engine, work)


def write_due_date(engine: Engine, assignment: str, due: datetime) -> None:
    """Writes the due date of an assignment, if the gradebook knows it."""
    in_transaction(engine, lambda connection: _put_due_date(connection, assignment, due))


def _put_due_date(connection: Connection, assignment: str, due: datetime) -> None:
    differs = ASSIGNMENT.c.duedate.is_distinct_from(due)
    connection.execute(update(ASSIGNMENT).where(ASSIGNMENT.c.name == assignment, differs).values(duedate=due))


def _read(connection: Connection, assignment: str, students: Sequence[str]) -> Standing:
    found = connection.execute(select(ASSIGNMENT.c.id).where(ASSIGNMENT.c.name == assignment)).scalar()
    notebooks = _rows(connection, select(NOTEBOOK.c.id, NOTEBOOK.c.name).where(NOTEBOOK.c.assignment_id == found))
    if not notebooks:
        raise NotReleased(assignment)
    submitted = SUBMITTED.join(SUBMISSION, SUBMITTED.c.assignment_id == SUBMISSION.c.id)
    theirs = (SUBMISSION.c.assignment_id == found, SUBMISSION.c.student_id.in_(students))
    of_notebooks = select(SUBMITTED).select_from(submitted).where(*theirs)
    of_grades, of_comments = (
        select(table).select_from(submitted.join(table, table.c.notebook_id == SUBMITTED.c.id)).where(*theirs)
        for table in (GRADE, COMMENT)
    )
    return Standing(
        id=str(found),
        name=assignment,
        notebooks={row["id"]: row["name"] for row in sorted(notebooks, key=lambda row: str(row["name"]))},
        cells=_cells(connection, [row["id"] for row in notebooks]),
        students=frozenset(connection.scalars(select(STUDENT.c.id).where(STUDENT.c.id.in_(students)))),
        submissions={row["student_id"]: row for row in _rows(connection, select(SUBMISSION).where(*theirs))},
        submitted={(row["assignment_id"], row["notebook_id"]): row for row in _rows(connection, of_notebooks)},
        grades={(row["notebook_id"], row["cell_id"]): row for row in _rows(connection, of_grades)},
        comments={(row["notebook_id"], row["cell_id"]): row for row in _rows(connection, of_comments)},
    )


def _cells(connection: Connection, notebooks: Sequence[str]) -> list[Cell]:
    """In the order in which `nbgrader generate_assignment` has added them."""
    graded: dict[str, Row] = {}
    for table in GRADED:
        query = select(table.c.id, table.c.cell_type, table.c.max_score).select_from(
            table.join(CELL, CELL.c.id == table.c.id)
        )
        graded |= {row["id"]: row for row in _rows(connection, query.where(CELL.c.notebook_id.in_(notebooks)))}

    def cell(row: Row) -> Cell:
        found = graded.get(row["id"], {"cell_type": None, "max_score": None})
        is_code, full = found["cell_type"] == "code", found["max_score"] or 0.0
        return Cell(row["id"], row["name"], row["notebook_id"], row["type"], is_code, full)

    return [cell(row) for row in _rows(connection, select(CELL).where(CELL.c.notebook_id.in_(notebooks)))]


def _rows(connection: Connection, query: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _execute(connection: Connection, found: Changes) -> None:
    for name in TABLES:
        table = api.Base.metadata.tables[name]
        for _, rows in _alike(found.added[name]):
            connection.execute(insert(table), rows)
        for columns, rows in _alike(found.changed[name]):
            # SQLAlchemy keeps a column's own name for its new value.
            values: dict[str, Any] = {column: bindparam(f"new_{column}") for column in columns if column != "id"}
            statement = update(table).where(table.c.id == bindparam("new_id")).values(values)
            connection.execute(statement, [{f"new_{column}": row[column] for column in columns} for row in rows])


def _alike(rows: Iterable[Row]) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
    """Rows with the same columns, which one statement serves."""
    for columns, alike in groupby(sorted(rows, key=_columns), key=_columns):
        yield columns, list(alike)


def _columns(row: Row) -> tuple[str, ...]:
    return tuple(row)
