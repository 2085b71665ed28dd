"""Rows about a student in tables (CSV) and in lines of JSON."""

import csv
import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from autograder.atomic import write_whole


@dataclass(frozen=True)
class Rows:
    """The rows of one file that are about a student.

    Attributes:
        path: the file.
        header: the first line of a table, for who reads the rows alone; empty for JSON.
        found: the rows as they stand there.
        kept: everything else, as it stands there.
    """

    path: Path
    header: str
    found: tuple[str, ...]
    kept: str

    def cells(self) -> set[str]:
        """Whatever stands in a cell of a row that was found."""
        if self.path.suffix != ".csv":
            return set()
        return {cell.strip() for row in csv.reader(io.StringIO("".join(self.found), newline="")) for cell in row}


def rows_of(path: Path, ids: Collection[str]) -> Rows | None:
    """The rows in which a cell, or a value of the JSON object, is one of the ids; None where there is no such row."""
    # Bytes that are no UTF-8, and ends of lines, stay as they are.
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        lines = list(file)
    rows = _csv_rows(lines) if path.suffix == ".csv" else [(line, _values(line)) for line in lines]
    found = tuple(raw for raw, cells in rows if not cells.isdisjoint(ids))
    if not found:
        return None
    kept = "".join(raw for raw, cells in rows if cells.isdisjoint(ids))
    return Rows(path, lines[0] if path.suffix == ".csv" else "", found, kept)


def write_kept(rows: Rows) -> None:
    """Writes the file without the rows, whole or not at all."""
    write_whole(rows.path, rows.kept.encode(errors="surrogateescape"))


def _csv_rows(lines: list[str]) -> list[tuple[str, set[str]]]:
    """Each row, which a quoted cell may spread over several lines, with its cells."""
    rows, done = [], 0
    table = csv.reader(lines)
    try:
        for cells in table:
            rows.append(("".join(lines[done : table.line_num]), {cell.strip() for cell in cells}))
            done = table.line_num
    except csv.Error:
        pass  # what is no table stays as it is, and is told as a mention
    return [*rows, *((line, set[str]()) for line in lines[done:])]


def _values(line: str) -> set[str]:
    try:
        record = json.loads(line)
    except ValueError:
        return set()
    return {value for value in record.values() if isinstance(value, str)} if isinstance(record, dict) else set()
