"""Where a released notebook stands in its course: students have no ``course.toml``, so the notebook tells."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from autograder.course import Course
from autograder.notebooks.source import SourceCell


class Place(Struct, frozen=True):
    """What a notebook tells of its place under ``metadata.autograder``.

    Attributes:
        assignment: its name.
        number: its place among the assignments of the course, from 1; 0 where the notebook does not tell.
        part: the title of its part; empty in a course without parts.
        minutes: how long each exercise takes, about.
    """

    assignment: str
    number: int = 0
    part: str = ""
    minutes: Mapping[str, int] = {}


class _Metadata(Struct, frozen=True):
    autograder: Place


class _Notebook(Struct, frozen=True):
    metadata: _Metadata


def place_in(course: Course, name: str, cells: Sequence[SourceCell]) -> dict[str, Any]:
    """What the notebook of the assignment ``name`` is to tell."""
    number = [assignment.name for assignment in course.assignments].index(name) + 1
    settings = course.assignment(name)
    part = next((part.title for part in course.parts if part.name == settings.part), "")
    minutes = {cell.name: cell.minutes for cell in cells if cell.role == "exercise" and cell.minutes}
    told = msgspec.to_builtins(Place(name, number, part, minutes))
    return {key: value for key, value in told.items() if value}


def place_of(notebook: Path) -> Place:
    """What a student's notebook tells; no more than its folder's name where it tells nothing that can be used."""
    try:
        return msgspec.json.decode(notebook.read_bytes(), type=_Notebook).metadata.autograder
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return Place(notebook.resolve().parent.name)
