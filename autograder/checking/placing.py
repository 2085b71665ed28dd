"""Which assignment a notebook belongs to that nbgrader runs in a kernel, whatever folder it runs it in."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from autograder.course import Course, CourseError, find_course

COURSE_VARIABLE = "AUTOGRADER_COURSE"
# How a file of checks declares one; loading every assignment of a course would take seconds.
DECLARED = re.compile(r"^@exercise\(\s*[\"'](\w+)[\"']", re.MULTILINE)


class Unplaced(Exception):
    """Nothing tells which assignment a notebook belongs to; the sentence says what was looked for."""


def is_graded() -> bool:
    """Whether nbgrader runs this notebook to grade it."""
    return os.environ.get("NBGRADER_EXECUTION") == "autograde"


def grading_course(folder: Path) -> Path | None:
    """The folder of the course whose hidden checks count: while nbgrader grades, and where there is one."""
    if not is_graded():
        return None
    if named := os.environ.get(COURSE_VARIABLE):
        return Path(named)
    try:
        return find_course(folder).root
    except CourseError:
        return None


def assignment_of(course: Course, folder: Path, names: Iterable[str]) -> str:
    """The assignment in whose folder a notebook runs, or else that has most of the exercises called ``names``.

    Raises:
        Unplaced: no folder is called like an assignment, and none or several assignments have these exercises.
    """
    known = [assignment.name for assignment in course.assignments]
    inside = folder.relative_to(course.root).parts if folder.is_relative_to(course.root) else (folder.name,)
    if placed := [part for part in inside if part in known]:
        return placed[-1]
    wanted = set(names)
    found = {name: len(wanted & _declared(course.assignments_dir / name / "checks.py")) for name in known}
    best = [name for name in known if found[name] and found[name] == max(found.values())]
    if len(best) == 1:
        return best[0]
    which = f"{' and '.join(best)} have" if best else "no assignment has"
    asked = f"the exercise {next(iter(wanted))}" if len(wanted) == 1 else "these functions"
    raise Unplaced(f"Which assignment this notebook belongs to cannot be told: {which} {asked} in {course.root}.")


def _declared(checks: Path) -> set[str]:
    """The exercises of a file of checks."""
    return set(DECLARED.findall(checks.read_text(encoding="utf-8"))) if checks.is_file() else set()
