"""The row of a new assignment in ``course.toml``: put in as text, so that comments and layout stay as they are."""

import json
import re
from collections.abc import Sequence

# A line that begins a table; one inside a text of several lines is found out when the result is read again.
HEADER = re.compile(r"[ \t]*\[")
ROW = re.compile(r"[ \t]*\[\[[ \t]*assignments[ \t]*\]\]")


def row_of(name: str, title: str, part: str | None, builds_on: Sequence[str]) -> str:
    """The table of an assignment, with what differs from the defaults; a JSON string is one of TOML, too."""
    keys: list[tuple[str, object]] = [("name", name), ("title", title)]
    keys += [("part", part)] if part else []
    keys += [("builds_on", list(builds_on))] if builds_on else []
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys]
    return "\n".join(["[[assignments]]", *lines]) + "\n"


def with_row(text: str, row: str, place: int) -> str:
    """The text of ``course.toml`` with a row behind the first ``place`` assignments."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    rows = [number for number, line in enumerate(lines) if ROW.match(line)]
    places = [_begin(lines, rows[0]), *(_end(lines, number) for number in rows)] if rows else [len(lines)]
    at = places[min(place, len(rows))]
    before, behind = "".join(lines[:at]), "".join(lines[at:])
    before += newline * (bool(before) and not before.endswith("\n"))
    above = newline * bool(before.strip() and not before.endswith(newline * 2))
    below = newline * bool(behind.strip() and not behind.startswith(newline))
    return before + above + row.replace("\n", newline) + below + behind


def _begin(lines: Sequence[str], header: int) -> int:
    """The first line of a table, with the comments that stand directly above it."""
    while header > 0 and _is_comment(lines[header - 1]):
        header -= 1
    return header


def _end(lines: Sequence[str], header: int) -> int:
    """The line behind a table, with the comments that stand directly below it unless they stand above another."""
    others = (number for number in range(header + 1, len(lines)) if HEADER.match(lines[number]))
    limit = next((_begin(lines, number) for number in others), len(lines))
    end = 1 + max(number for number in range(header, limit) if lines[number].strip() and not _is_comment(lines[number]))
    while end < limit and _is_comment(lines[end]):
        end += 1
    return end


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")
