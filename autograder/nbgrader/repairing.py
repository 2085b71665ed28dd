"""What nbgrader reads and sanitises with: whatever a student handed in becomes a notebook that it can take."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat.v4 import new_notebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from autograder.course import load_course
from autograder.nbgrader.safe import make_safe
from autograder.nbgrader.unjudged import NOTICED, put_mark, put_notes, unjudged_notebook
from autograder.notebooks.handed_in import is_inside, misplaced
from autograder.notebooks.released import released_of
from autograder.notebooks.repair.cells import Released
from autograder.notebooks.repair.reading import Handed
from autograder.notebooks.submission import UnreadableSubmission, read_handed, repaired

HANDED = "autograder_handed"


class SubmissionExporter(NotebookExporter):
    """Reads a submission before nbgrader parses it; one that cannot be read goes on as an empty notebook."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def from_filename(self, filename: str, resources: Any = None, **more: Any) -> tuple[Any, Any]:
        path = Path(filename)
        found: Handed | str
        try:
            if not is_inside(path, path.parent):
                raise UnreadableSubmission(path, "is a link to a place outside of the submission.")
            found = read_handed(path, load_course(Path(self.course_root)).limits.notebook_bytes)
        except UnreadableSubmission as error:
            found = f"{path.name} {error.why}"
        resources = resources if resources is not None else {}
        resources[HANDED] = (path, found)
        notebook = new_notebook() if isinstance(found, str) else found.notebook
        text, resources = self.from_notebook_node(notebook, resources, **more)  # type: ignore[no-untyped-call]
        return text, resources


class Repair(NbGraderPreprocessor):
    """Puts a submitted notebook right from the released one; stands first of those that sanitise."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        name = resources["nbgrader"]["assignment"]
        released = _released(Path(self.course_root), name)
        path, found = resources.pop(HANDED)
        if isinstance(found, str):
            return unjudged_notebook(released, name, found), resources
        try:
            mended, notes = repaired(found, released, path)
        except UnreadableSubmission as error:
            return unjudged_notebook(released, name, f"{path.name} {error.why}"), resources
        put_mark(mended, name)
        put_notes(mended, NOTICED, (*misplaced(path, path.parent, name), *notes))
        # nbgrader writes the notebook between sanitising and grading.
        make_safe(mended)
        return mended, resources


@lru_cache(maxsize=2)
def _released(root: Path, assignment: str) -> Released:
    return released_of(load_course(root), assignment)
