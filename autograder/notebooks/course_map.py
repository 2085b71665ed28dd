"""The map of the course, ``assignments/README.md``: parts, what each notebook teaches, minutes and terms."""

import re
from collections.abc import Iterator
from pathlib import Path

from autograder.course import AssignmentSettings, Course
from autograder.notebooks.teaching import Teaching, teaching_of

MADE = "<!-- Made from course.toml and the notebooks' sources by `autograder build`; edit those instead. -->"
MARKUP = re.compile(r"([\\`*_\[\]<>|#$])")


def map_path(course: Course) -> Path:
    return course.assignments_dir / "README.md"


def course_map(course: Course) -> str:
    """The page, in Markdown. It says nothing that is not in ``course.toml`` or in a notebook that students get.

    Raises:
        SourceError: see `teaching_of`.
    """
    teaching = {assignment.name: teaching_of(course, assignment) for assignment in course.assignments}
    return "\n".join(
        [MADE, "", f"# {_plain(course.title)}", "", *_summary(course, teaching), *_parts(course, teaching)]
    )


def _summary(course: Course, teaching: dict[str, Teaching]) -> Iterator[str]:
    """Every assignment on one line."""
    whole = sum(one.minutes for one in teaching.values())
    yield "This is the map of the course. What a notebook builds on stands above it."
    yield ""
    yield "| part | notebook | exercises | minutes | builds on |"
    yield "|---|---|--:|--:|---|"
    for part, assignments in course.by_part():
        shown = _plain(part.title) if part else ""
        for assignment in assignments:
            known = teaching[assignment.name]
            earlier = ", ".join(_plain(course.assignment(name).title) for name in assignment.builds_on)
            minutes = f"{known.minutes:,}" if known.minutes else ""
            yield f"| {shown} | {_link(assignment)} | {len(known.exercises)} | {minutes} | {earlier} |"
            shown = ""
    exercises = sum(len(one.exercises) for one in teaching.values())
    yield f"| all | {len(course.assignments)} | {exercises} | {f'{whole:,}' if whole else ''} | |"
    yield ""


def _parts(course: Course, teaching: dict[str, Teaching]) -> Iterator[str]:
    for part, assignments in course.by_part():
        if part is not None:
            yield f"## {_plain(part.title)}"
            yield ""
        for assignment in assignments:
            known = teaching[assignment.name]
            yield f"### {_plain(assignment.title)}"
            yield ""
            yield known.about
            yield ""
            yield "**You write** " + ", ".join(f"`{name}`" for name in known.exercises) + "."
            yield ""
            if known.terms:
                yield "**Terms** " + "; ".join(f"{one.term} {one.translation}" for one in known.terms) + "."
                yield ""


def _link(assignment: AssignmentSettings) -> str:
    return f"[{_plain(assignment.title)}]({assignment.name}/{assignment.name}.ipynb)"


def _plain(text: str) -> str:
    """Text in which Markdown finds no markup."""
    return MARKUP.sub(r"\\\1", text.strip())
