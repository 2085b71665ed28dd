"""What a proof depends on: an exercise's content, and the package that its checks are written with."""

from collections.abc import Iterable

from autograder.course import Course
from autograder.examples.dependencies import DECLARATION, reached
from autograder.examples.parts import surroundings
from autograder.proving.meaning import hash_of, meaning_of
from autograder.testing.assignment import Exercise

# What a module says of all its exercises, and how it declares their check classes.
FOR_ALL = frozenset({"RULES", DECLARATION})


def basis_of(course: Course, assignment: str, exercise: Exercise, also: Iterable[str]) -> str:
    """Hash of an exercise's checks, mistakes, alternatives and reference, and of what these reach in their files.

    Args:
        course, assignment, exercise: whose proof it is.
        also: what else the proof depends on, in words.
    """
    solutions = course.solutions_dir / assignment
    words = {exercise.name, *FOR_ALL}
    words |= {name for check in exercise.checks for name in (check.name, check.owner.__name__)}
    words |= {wrong.name for wrong in exercise.mistakes} | {right.name for right in exercise.alternatives}
    parts = [str(course.examples.per_check), *also]
    files = [course.assignments_dir / assignment / "checks.py"]
    files += [solutions / f"{name}.py" for name in ("hidden", "mistakes", "alternatives", "reference")]
    for file in files:
        text, found = reached(file, words)
        words |= found
        parts.append(meaning_of(text))
    return hash_of(parts)


def package_hash() -> str:
    """Hash of the libraries and of the package's code that examples depend on, the same for every exercise."""
    return hash_of(surroundings())
