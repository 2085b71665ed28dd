"""Stands in ``Execute``'s place when nbgrader autogrades: judges behind the wall, and starts no kernel."""

import atexit
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from autograder.course import load_course
from autograder.feedback.visibility import hidden_are_named, result_for_student
from autograder.grading.judge import Court, judge_submission, open_court
from autograder.nbgrader.late import policy_of
from autograder.nbgrader.outputs import write_outputs
from autograder.notebooks.submission import submission_of
from autograder.results import Result
from autograder.sandbox.remote import SandboxError


class Judge(NbGraderPreprocessor):
    """Judges a submitted notebook and writes each check cell's panel and points as its outputs."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        known = resources["nbgrader"]
        try:
            result = self._judge(notebook, Path(self.course_root), known["assignment"], known["notebook"])
        except Exception:
            # What was graded before must not stand under this submission's time.
            forget_scores(known["db_url"], known["assignment"], known["student"])
            raise
        course, extensions = policy_of(Path(self.course_root))
        named = hidden_are_named(course, known["assignment"], extensions, datetime.now(UTC))
        write_outputs(notebook, result_for_student(result, named))
        for note in result.notes:
            self.log.info("%s: %s", known["student"], note)
        return notebook, resources

    def _judge(self, notebook: Any, root: Path, assignment: str, name: str) -> Result:
        submission = submission_of(nbformat.from_dict(notebook), Path(f"{name}.ipynb"))
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


def forget_scores(db_url: str, assignment: str, student: str) -> None:
    """Takes the automatic scores of a submission out of the gradebook and asks for a person to look."""
    with Gradebook(db_url) as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = None
            for grade in notebook.grades:
                grade.auto_score = None
                grade.needs_manual_grade = True
        gradebook.db.commit()
