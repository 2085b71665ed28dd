"""The one writer that puts judged submissions where nbgrader keeps them: gradebook rows and autograded notebooks."""

import json
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution

from autograder.classroom.grade import Judged
from autograder.classroom.submitted import submitted_folder
from autograder.course import Course
from autograder.feedback.outputs import write_outputs
from autograder.feedback.visibility import hidden_are_named, result_for_student
from autograder.gradebook.database import DatabaseError, reachable
from autograder.gradebook.late import settle
from autograder.gradebook.unjudged import (
    NOTICED,
    put_mark,
    put_notes,
    record_unjudged,
    unjudged_notebook,
    unjudged_reason,
)
from autograder.notebooks.build import notebook_text
from autograder.notebooks.handed_in import misplaced
from autograder.notebooks.released import released_of
from autograder.policy.extensions import read_extensions
from autograder.reading.reader import Reader, order_of, own_zygote
from autograder.reading.records import Page
from autograder.results import Result
from autograder.sandbox.remote import Zygote

# In an autograded notebook's metadata: whether its panels name hidden checks.
NAMED = "hidden_checks_named"


class GradebookError(Exception):
    """The gradebook cannot take a submission; says what to do."""


@dataclass(frozen=True)
class Changed:
    """A student's automatic score before and after; None where there is none."""

    student: str
    before: float | None
    after: float | None


class GradebookWriter(AbstractContextManager["GradebookWriter"]):
    """Writes submissions of one assignment; open it in one process only.

    Raises:
        GradebookError: the database does not answer, or the assignment is not in the gradebook yet.
    """

    def __init__(self, course: Course, name: str) -> None:
        self._course = course
        self._name = name
        self._extensions = read_extensions(course)
        self._named = hidden_are_named(course, name, self._extensions, datetime.now(UTC))
        self._released = released_of(course, name)
        self._zygote: Zygote | None = None
        try:
            self._gradebook = Gradebook(reachable(course), course.course_id)
        except DatabaseError as error:
            raise GradebookError(str(error)) from None
        try:
            notebooks = self._gradebook.find_assignment(name).notebooks
        except MissingEntry:
            notebooks = []
        if not notebooks:
            self._gradebook.close()
            raise GradebookError(
                f"{name} is not in the gradebook yet: run `nbgrader generate_assignment {name}` first."
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gradebook.close()
        if self._zygote is not None:
            self._zygote.close()

    def score(self, student: str) -> float | None:
        """The automatic score that stands in the gradebook; None where there is none."""
        grades = self._grades(student)
        scores = [grade.auto_score for grade in grades.values() if grade.cell.cell_type == "code"]
        return None if not scores or None in scores else round(sum(scores), 6)

    def holds(self, judged: Judged) -> bool:
        """Whether an earlier run has written this very result."""
        if judged.result is None:
            return self._reported(judged.student) == _reason(judged)
        if judged.again:
            return False
        return self.score(judged.student) == judged.result.score and self._shows_as_now(judged.student)

    def _shows_as_now(self, student: str) -> bool:
        """Whether there is an autograded notebook that names hidden checks, or not, as the policy now has it."""
        try:
            notebook = json.loads(self._place(student).read_text(encoding="utf-8"))
            return bool(notebook["metadata"]["autograder"][NAMED] == self._named)
        except (OSError, ValueError, LookupError, TypeError):
            return False

    def write(self, judged: Judged) -> Judged:
        """Writes the autograded notebook, then the scores in one transaction; returns what was written."""
        try:
            text = notebook_text(notebook := self._notebook(judged))
        except Exception as error:  # whatever is wrong with one file must not stop a class
            reason = f"{judged.path} was judged, but not written into the gradebook ({type(error).__name__}: {error})."
            judged = replace(judged, result=None, reason=reason)
            text = notebook_text(notebook := self._notebook(judged))
        path = self._place(judged.student)
        _put(path, text)
        _put(path.parent / "timestamp.txt", judged.submitted or "")
        grades = self._grades(judged.student, judged.submitted)
        if judged.result is None:
            record_unjudged(self._gradebook, self._name, judged.student, _reason(judged))
            return judged
        for cell in notebook.cells:
            if is_grade(cell) and cell.metadata["nbgrader"]["grade_id"] in grades:
                grade = grades[cell.metadata["nbgrader"]["grade_id"]]
                grade.auto_score, _ = determine_grade(cell)
                grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
            if is_solution(cell):
                untouched = cell.metadata["nbgrader"].get("checksum") == compute_checksum(cell)
                comment = self._gradebook.find_comment(
                    cell.metadata["nbgrader"]["grade_id"], self._name, self._name, judged.student
                )
                comment.auto_comment = "No response." if untouched else None
        self._gradebook.db.commit()
        return judged

    def _notebook(self, judged: Judged) -> Any:
        if judged.result is None:
            return unjudged_notebook(self._released, self._name, _reason(judged))
        return self.autograded(judged, judged.result)

    def _reported(self, student: str) -> str | None:
        """Why the student's submission was not judged, if that is what the gradebook says now."""
        try:
            notebook = nbformat.read(self._place(student), as_version=4)
        except (OSError, ValueError):
            return None
        return unjudged_reason(notebook) if self.score(student) is None else None

    def settle(self, judged: Judged) -> None:
        """Writes due date and late penalty, which may change while the result does not."""
        if judged.result is not None:
            settle(self._gradebook, self._course, self._name, judged.student, self._extensions)

    def _place(self, student: str) -> Path:
        return self._course.private_dir / "autograded" / student / self._name / f"{self._name}.ipynb"

    def autograded(self, judged: Judged, result: Result) -> Any:
        """The submitted notebook put right from the released one, with the judge's outputs and notes."""
        page = judged.page or self._read(judged)
        notebook = nbformat.from_dict(json.loads(page.notebook))
        put_mark(notebook, self._name)
        write_outputs(notebook, result_for_student(result, self._named))
        put_notes(notebook, NOTICED, page.notes)
        notebook.metadata["autograder"] |= {"notes": list(result.notes), NAMED: self._named}
        return notebook

    def _read(self, judged: Judged) -> Page:
        """Reads a submission that was judged in an earlier run."""
        self._zygote = self._zygote or own_zygote()
        reader = Reader(self._zygote, order_of(self._course.limits, self._name, self._released))
        folder = submitted_folder(self._course, self._name, judged.student)
        return reader.read(judged.path, misplaced(judged.path, folder, self._name)).page

    def _grades(self, student: str, submitted: str | None = None) -> dict[str, Any]:
        """The grades of a submission by cell; a submission that the gradebook does not know yet is added."""
        gradebook = self._gradebook
        try:
            submission = gradebook.find_submission(self._name, student)
        except MissingEntry:
            gradebook.update_or_create_student(student)
            with gradebook.db.no_autoflush:
                submission = gradebook.add_submission(self._name, student)
        if submitted:
            submission = gradebook.update_or_create_submission(self._name, student, timestamp=submitted)
        return {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}


def _reason(judged: Judged) -> str:
    """Why there is no result, for the student: the path is the instructor's, the file's name is known to both."""
    return judged.reason.replace(f"{judged.path.parent}/", "")


def _put(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
