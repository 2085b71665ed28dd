"""Stands in ``Execute``'s place when nbgrader autogrades: judges behind the wall, and starts no kernel."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from autograder.feedback.outputs import write_outputs
from autograder.feedback.visibility import hidden_are_named, result_for_student
from autograder.gradebook.batches import write
from autograder.gradebook.rows import Entry
from autograder.gradebook.transactions import opened
from autograder.gradebook.unjudged import unjudged_notebook, unjudged_reason
from autograder.judging.judge import judge_submission
from autograder.nbgrader.courts import court, once_more, released
from autograder.nbgrader.late import policy_of
from autograder.notebooks.submission import UnreadableSubmission
from autograder.results import Result


class Judge(NbGraderPreprocessor):
    """Judges a submitted notebook and writes each check cell's panel and points as its outputs."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        known = resources["nbgrader"]
        reason = unjudged_reason(notebook)
        if reason is not None:
            self.log.error("%s was not graded: %s", known["student"], reason)
            return notebook, resources
        root = Path(self.course_root)
        try:
            notebook, result = self._judge(notebook, root, known["assignment"], known["notebook"])
        except UnreadableSubmission as error:
            self.log.error("%s was not graded: %s", known["student"], error)
            return unjudged_notebook(released(root, known["assignment"]), known["assignment"], str(error)), resources
        except Exception as error:
            # What was graded before must not stand under this submission's time.
            reason = f"The grader could not judge it ({type(error).__name__})."
            with opened(known["db_url"]) as engine:
                write(engine, known["assignment"], [Entry(known["student"], unjudged=reason)])
            raise
        course, extensions = policy_of(root)
        named = hidden_are_named(course, known["assignment"], extensions, datetime.now(UTC))
        write_outputs(notebook, result_for_student(result, named))
        notebook.metadata["autograder"]["notes"] = list(result.notes)
        for note in result.notes:
            self.log.info("%s: %s", known["student"], note)
        return notebook, resources

    def _judge(self, notebook: Any, root: Path, assignment: str, name: str) -> tuple[Any, Result]:
        """The notebook with nothing in it that could run, and what it got."""
        path, text = Path(f"{name}.ipynb"), json.dumps(notebook)
        notes = tuple(notebook.metadata["autograder"]["notes"])

        def judged() -> tuple[Any, Result]:
            judging = court(root, assignment)
            read = judging.reader.read_text(text, path, notes)
            return nbformat.from_dict(json.loads(read.page.notebook)), judge_submission(judging, path, read)

        return once_more(judged)
