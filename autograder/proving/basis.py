"""What a proof depends on: an exercise's content, and the package that its checks are written with."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from autograder.course import Course
from autograder.examples.dependencies import reached
from autograder.proving.meaning import hash_of, meaning_of
from autograder.testing.assignment import Exercise

PACKAGE = Path(__file__).parent.parent
# What a module says of all its exercises, and no check has to name.
FOR_ALL = frozenset({"RULES"})


def basis_of(course: Course, assignment: str, exercise: Exercise, also: Iterable[str]) -> str:
    """Hash of an exercise's checks, mistakes, alternatives and reference, and of what these reach in their files.

    Args:
        course, assignment, exercise: whose proof it is.
        also: what else the proof depends on, in words.
    """
    solutions = course.solutions_dir / assignment
    words = {exercise.name, *FOR_ALL, *(check.owner.__name__ for check in exercise.checks)}
    words |= {wrong.name for wrong in exercise.mistakes} | {right.name for right in exercise.alternatives}
    parts = [str(course.examples.per_check), *also]
    files = [course.assignments_dir / assignment / "checks.py"]
    files += [solutions / f"{name}.py" for name in ("hidden", "mistakes", "alternatives", "reference")]
    for file in files:
        text, found = reached(file, words)
        words |= found
        parts.append(meaning_of(text))
    return hash_of(parts)


@cache
def package_hash() -> str:
    """Hash of the package's code that judges the same for every exercise."""
    files = [file for folder in ("testing", "examples") for file in sorted((PACKAGE / folder).glob("*.py"))]
    files += [PACKAGE / "sandbox" / "values.py", PACKAGE / "sandbox" / "inprocess.py"]
    return hash_of(meaning_of(file.read_text(encoding="utf-8")) for file in files)
