"""What a notebook teaches, read from its source: its first paragraph, its exercises, its minutes and its terms."""

import re
from collections.abc import Sequence
from itertools import dropwhile, takewhile
from pathlib import Path

from msgspec import Struct

from autograder.course import AssignmentSettings, Course
from autograder.notebooks.source import SourceCell, SourceError, read_source

WORDS = re.compile(r"^#+ Words[ \t]*$", re.MULTILINE)
COLUMN = re.compile(r"(?<!\\)\|")
RULE = re.compile(r"[\s|:-]+")


class Term(Struct, frozen=True):
    """A term of a notebook's list of words, and its translation."""

    term: str
    translation: str


class Teaching(Struct, frozen=True):
    """What students read of a notebook before they open it.

    Attributes:
        about: the paragraph below the title, Markdown.
        exercises: their names, in order.
        minutes: how long all of it takes, about: the course's figure, or the sum over the exercises; 0 where neither
            says.
        terms: the list of words, in order; empty where the notebook has none.
    """

    about: str
    exercises: tuple[str, ...]
    minutes: int
    terms: tuple[Term, ...]


def teaching_of(course: Course, assignment: AssignmentSettings) -> Teaching:
    """Reads ``NAME.md``, and nothing that students may not see.

    Raises:
        SourceError: the source cannot be read, does not begin with a title and a paragraph, or a row of its words
            lacks a translation.
    """
    path = course.assignments_dir / assignment.name / f"{assignment.name}.md"
    cells = read_source(path)
    exercises = [cell for cell in cells if cell.role == "exercise"]
    return Teaching(
        _first_paragraph(path, cells),
        tuple(cell.name for cell in exercises),
        assignment.minutes or sum(cell.minutes for cell in exercises),
        _terms(path, "\n\n".join(cell.text for cell in cells if cell.role == "text")),
    )


def _first_paragraph(path: Path, cells: Sequence[SourceCell]) -> str:
    first = cells[0].text.strip() if cells[0].role == "text" else ""
    title, _, rest = first.partition("\n")
    paragraph = re.split(r"\n\s*\n", rest.strip())[0]
    if not title.startswith("# ") or not paragraph or paragraph.startswith("#"):
        found = "ends there" if title.startswith("# ") else f"begins with {title[:40]!r}"
        raise SourceError(
            f"{path}: the text before the first code cell {found}; in a course with parts it begins with `# TITLE` and "
            "a paragraph that says what the notebook teaches"
        )
    return " ".join(paragraph.split())


def _terms(path: Path, text: str) -> tuple[Term, ...]:
    """The first two columns of the table below the heading ``Words``."""
    heading = WORDS.search(text)
    if heading is None:
        return ()
    lines = (line.strip() for line in text[heading.end() :].splitlines())
    table = list(takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: not line.startswith("|"), lines)))
    terms = []
    for row in table[1:]:
        if RULE.fullmatch(row):
            continue
        words = [word.strip() for word in COLUMN.split(row)[1:-1]]
        if len(words) < 2 or not all(words[:2]):
            raise SourceError(
                f"{path}: a row of the table of words is {row[:60]!r}; needed are a term and a translation"
            )
        terms.append(Term(words[0], words[1]))
    return tuple(terms)
