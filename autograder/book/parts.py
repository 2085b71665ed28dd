"""In which parts and in which order the book has its chapters."""

from dataclasses import dataclass

from autograder.course import AssignmentSettings, Course


@dataclass(frozen=True)
class Part:
    """Chapters under a common title."""

    title: str
    assignments: tuple[AssignmentSettings, ...]


def parts_of(course: Course) -> tuple[Part, ...]:
    """The book's parts in order, each with its assignments in order."""
    return (Part("Chapters", course.assignments),)
