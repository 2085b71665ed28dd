"""The one writer that puts judged submissions where nbgrader keeps them: gradebook rows and autograded notebooks."""

import copy
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import determine_grade, is_grade

from autograder.course import Course
from autograder.grading.database import DatabaseError, reachable
from autograder.grading.grade import Judged
from autograder.nbgrader.outputs import write_outputs
from autograder.notebooks.build import notebook_text, released_notebook, source_notebook
from autograder.results import Result
from autograder.testing.assignment import load_assignment


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
        released = released_notebook(source_notebook(course, load_assignment(course, name)))
        self._course = course
        self._name = name
        self._released = {cell.metadata["nbgrader"]["grade_id"]: cell for cell in released.cells if _ours(cell)}
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

    def score(self, student: str) -> float | None:
        """The automatic score that stands in the gradebook; None where there is none."""
        grades = self._grades(student)
        scores = [grade.auto_score for grade in grades.values() if grade.cell.cell_type == "code"]
        return None if not scores or None in scores else round(sum(scores), 6)

    def holds(self, judged: Judged) -> bool:
        """Whether an earlier run has written this very result."""
        if judged.again or judged.result is None:
            return False
        return self.score(judged.student) == judged.result.score and self._place(judged.student).is_file()

    def write(self, judged: Judged) -> None:
        """Writes the autograded notebook, then the scores in one transaction."""
        if judged.result is None:
            self.forget(judged.student, judged.submitted)
            return
        notebook = self.autograded(judged.path, judged.result)
        path = self._place(judged.student)
        _put(path, notebook_text(notebook))
        _put(path.parent / "timestamp.txt", judged.submitted or "")
        grades = self._grades(judged.student, judged.submitted)
        for cell in notebook.cells:
            if is_grade(cell) and cell.metadata["nbgrader"]["grade_id"] in grades:
                grade = grades[cell.metadata["nbgrader"]["grade_id"]]
                grade.auto_score, _ = determine_grade(cell)
                grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
        self._gradebook.db.commit()

    def _place(self, student: str) -> Path:
        return self._course.private_dir / "autograded" / student / self._name / f"{self._name}.ipynb"

    def forget(self, student: str, submitted: str | None) -> None:
        """Leaves no old score under a submission that could not be judged, and asks for a person to look."""
        for grade in self._grades(student, submitted).values():
            grade.auto_score = None
            grade.needs_manual_grade = True
        self._gradebook.db.commit()

    def autograded(self, path: Path, result: Result) -> Any:
        """The submitted notebook with locked cells and nbgrader's metadata as released, and the judge's outputs."""
        notebook = nbformat.read(path, as_version=4)
        seen = set()
        for cell in notebook.cells:
            if not _ours(cell):
                continue
            grade_id = cell.metadata["nbgrader"]["grade_id"]
            released = self._released.get(grade_id)
            if released is None or grade_id in seen:
                del cell.metadata["nbgrader"]
                continue
            seen.add(grade_id)
            cell.metadata["nbgrader"] = copy.deepcopy(released.metadata["nbgrader"])
            if released.metadata["nbgrader"]["locked"]:
                cell.source = released.source
        notebook.cells += [copy.deepcopy(cell) for grade_id, cell in self._released.items() if grade_id not in seen]
        write_outputs(notebook, result)
        return notebook

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


def _ours(cell: Any) -> bool:
    graded = cell.metadata.get("nbgrader")
    return isinstance(graded, dict) and "grade_id" in graded


def _put(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
