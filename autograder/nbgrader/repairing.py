"""What nbgrader reads with: whatever a student handed in becomes a notebook that it can take."""

import json
from pathlib import Path
from typing import Any, cast

import nbformat
from nbconvert.exporters import NotebookExporter
from traitlets import Unicode

from autograder.gradebook.unjudged import NOTICED, put_mark, put_notes, unjudged_notebook
from autograder.nbgrader.courts import once_more, reader, released
from autograder.notebooks.handed_in import is_inside, misplaced
from autograder.notebooks.submission import UnreadableSubmission


class SubmissionExporter(NotebookExporter):
    """Has a submission put right and made safe before nbgrader parses it, which it does twice for each.

    Of one that cannot be read the released notebook goes on, under the reason.
    """

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def from_filename(self, filename: str, resources: Any = None, **more: Any) -> tuple[Any, Any]:
        path, converter = Path(filename), cast(Any, self.parent)
        if path.parent == Path(converter.writer.build_directory):
            # What this method has put there before.
            return super().from_filename(filename, resources, **more)
        notebook = self._mended(path, resources["nbgrader"]["assignment"])
        text, resources = self.from_notebook_node(notebook, resources, **more)  # type: ignore[no-untyped-call]
        return text, resources

    def _mended(self, path: Path, name: str) -> Any:
        root = Path(self.course_root)
        try:
            if not is_inside(path, path.parent):
                raise UnreadableSubmission(path, "is a link to a place outside of the submission.")
            beside = misplaced(path, path.parent, name)
            page = once_more(lambda: reader(root, name).read(path, beside)).page
        except UnreadableSubmission as error:
            return unjudged_notebook(released(root, name), name, f"{path.name} {error.why}")
        notebook = nbformat.from_dict(json.loads(page.notebook))
        put_mark(notebook, name)
        put_notes(notebook, NOTICED, page.notes)
        return notebook
