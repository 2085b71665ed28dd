"""The recorded examples that an assignment's checks are replayed on when a course grades."""

from autograder.course import Course
from autograder.examples.parts import Part
from autograder.examples.store import Examples, read_for


def load_recordings(course: Course, name: str) -> tuple[Examples, Examples]:
    """Visible and hidden recorded examples of an assignment.

    Raises:
        ExamplesError: they are missing, damaged or belong to other checks.
    """
    visible, hidden = (Part(course, name, is_visible) for is_visible in (True, False))
    return read_for(visible.path, visible.checks), read_for(hidden.path, hidden.checks)
