"""Stands in ``Execute``'s place when nbgrader autogrades: judges behind the wall, and starts no kernel."""

import atexit
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from autograder.course import load_course
from autograder.feedback.visibility import hidden_are_named, result_for_student
from autograder.grading.judge import Court, judge_submission, open_court
from autograder.nbgrader.late import policy_of
from autograder.nbgrader.outputs import write_outputs
from autograder.nbgrader.unjudged import record_unjudged, unjudged_reason
from autograder.notebooks.submission import submission_of
from autograder.results import Result
from autograder.sandbox.remote import SandboxError


class Judge(NbGraderPreprocessor):
    """Judges a submitted notebook and writes each check cell's panel and points as its outputs."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        known = resources["nbgrader"]
        reason = unjudged_reason(notebook)
        if reason is not None:
            self.log.error("%s was not graded: %s", known["student"], reason)
            return notebook, resources
        try:
            result = self._judge(notebook, Path(self.course_root), known["assignment"], known["notebook"])
        except Exception as error:
            # What was graded before must not stand under this submission's time.
            reason = f"The grader could not judge it ({type(error).__name__})."
            with Gradebook(known["db_url"]) as gradebook:
                record_unjudged(gradebook, known["assignment"], known["student"], reason)
            raise
        course, extensions = policy_of(Path(self.course_root))
        named = hidden_are_named(course, known["assignment"], extensions, datetime.now(UTC))
        write_outputs(notebook, result_for_student(result, named))
        notebook.metadata["autograder"]["notes"] = list(result.notes)
        for note in result.notes:
            self.log.info("%s: %s", known["student"], note)
        return notebook, resources

    def _judge(self, notebook: Any, root: Path, assignment: str, name: str) -> Result:
        notes = tuple(notebook.metadata["autograder"]["notes"])
        submission = submission_of(nbformat.from_dict(notebook), Path(f"{name}.ipynb"), notes=notes)
        court = _court(root, assignment)
        try:
            return judge_submission(court, submission)
        except SandboxError:
            # The zygote may have been killed from outside; a new one is tried once.
            _court.cache_clear()
            return judge_submission(_court(root, assignment), submission)


@lru_cache(maxsize=2)
def _court(root: Path, assignment: str) -> Court:
    court = open_court(load_course(root), assignment)
    atexit.register(court.close)
    return court
