"""Lets nbgrader find submissions that students renamed or put into a folder."""

import functools
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde

from autograder.classroom.grade import Judged
from autograder.classroom.submitted import submissions, submitted_folder
from autograder.course import Course, load_course
from autograder.notebooks.handed_in import why_nothing


def place_before_listing() -> None:
    """Makes `Autograde` place submissions before it lists them; nbgrader has no hook so early."""
    listed = Autograde.init_notebooks
    if hasattr(listed, "__wrapped__"):
        return

    @functools.wraps(listed)
    def init_notebooks(converter: Any) -> None:
        known = converter.coursedir
        place(load_course(Path(known.root)), known.assignment_id, known.student_id)
        listed(converter)

    Autograde.init_notebooks = init_notebooks


def place(course: Course, name: str, student: str = "*") -> None:
    """Links what was handed in under its expected name, and leaves it where and as it is.

    A submission without any notebook gets its record here, since nbgrader would pass it by.
    """
    if name not in [assignment.name for assignment in course.assignments]:
        return
    for submission in submissions(course, name, student):
        folder = submitted_folder(course, name, submission.student)
        expected = folder / f"{name}.ipynb"
        if expected.is_symlink() and not expected.exists():
            expected.unlink()
        if submission.path.is_file() and not expected.exists():
            expected.symlink_to(submission.path.relative_to(folder))
        elif not expected.is_file() and not (course.private_dir / "autograded" / submission.student / name).exists():
            nothing = Judged(submission.student, expected, submission.submitted, None, why_nothing(folder, name))
            _record(course, name, nothing)


def _record(course: Course, name: str, judged: Judged) -> None:
    from autograder.gradebook.database import DatabaseError
    from autograder.gradebook.writer import GradebookWriter

    try:
        with GradebookWriter(course, name) as gradebook:
            list(gradebook.write([judged]))
    except DatabaseError:
        pass  # nbgrader says so itself
