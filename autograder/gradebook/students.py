"""Puts the roster into nbgrader's gradebook, so that formgrader and export show names and everyone who is missing."""

from collections.abc import Sequence

from nbgrader.api import Gradebook, MissingEntry

from autograder.course import Course
from autograder.gradebook.database import reachable
from autograder.roster import Student


def update_students(course: Course, roster: Sequence[Student]) -> int:
    """Gives the gradebook's students the roster's names and emails, and adds those who are not in it.

    What the roster leaves empty stays as it is in the gradebook, and nobody is removed.

    Returns:
        How many students were added or changed.
    Raises:
        DatabaseError: the gradebook cannot be reached.
    """
    if not roster:
        return 0
    changed = 0
    with Gradebook(reachable(course), course.course_id) as gradebook:
        for student in roster:
            first, last = split_name(student.name)
            fields = {"first_name": first, "last_name": last, "email": _bare(student.email)}
            known = {field: value for field, value in fields.items() if value}
            try:
                found = gradebook.find_student(student.id)
                is_same = all(getattr(found, field) == value for field, value in known.items())
            except MissingEntry:
                is_same = False
            if not is_same:
                gradebook.update_or_create_student(student.id, **known)
                changed += 1
    return changed


def split_name(name: str) -> tuple[str, str]:
    """First and last name of "Jane Doe" or "Doe, Jane"; a single word is a last name."""
    if "," in name:
        last, _, first = name.partition(",")
    else:
        first, _, last = name.strip().rpartition(" ")
    return _bare(first), _bare(last)


def _bare(text: str) -> str:
    """Without what would shift the columns of nbgrader's export, which quotes nothing."""
    return " ".join(text.replace(",", " ").replace('"', " ").split())
