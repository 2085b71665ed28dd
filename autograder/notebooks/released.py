"""The notebook that students were given, from which what they handed in is put right."""

import nbformat

from autograder.course import Course
from autograder.notebooks.build import released_notebook, source_notebook
from autograder.notebooks.repair.cells import Released
from autograder.testing.assignment import load_assignment


def released_of(course: Course, name: str) -> Released:
    """The built notebook of an assignment; made anew where it is not built.

    Raises:
        SourceError, BuildError, DeclarationError: it is not built, and its source has to be mended.
    """
    path = course.assignments_dir / name / f"{name}.ipynb"
    if path.is_file():
        return Released(nbformat.read(path, as_version=4))
    return Released(released_notebook(source_notebook(course, load_assignment(course, name))))
