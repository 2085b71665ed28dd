"""What `nbgrader generate_feedback` makes its pages with."""

from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbgrader.preprocessors import GetGrades
from traitlets import Unicode, default

from autograder.course import load_course
from autograder.nbgrader.page import Totals, feedback_page


class Grades(GetGrades):
    """Notes for each graded cell also whether a person has yet to grade it; nbgrader's score is then 0."""

    def _get_score(self, cell: Any, resources: Any) -> None:
        super()._get_score(cell, resources)
        known = (cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(*known)
        cell.metadata["nbgrader"]["waits"] = grade.auto_score is None and grade.manual_score is None


class FeedbackExporter(Exporter):
    """Makes the feedback page. A class of its own, since formgrader's pages share nbconvert's `HTMLExporter`."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)
    output_mimetype = "text/html"

    @default("file_extension")
    def _html(self) -> str:
        return ".html"

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        filled, resources = super().from_notebook_node(nb, resources, **kw)
        known = resources["nbgrader"]
        totals = Totals(
            self._title(known["assignment"]),
            known["student"],
            float(known["score"]),
            float(known["max_score"]),
            float(known["late_penalty"]),
        )
        return feedback_page(filled, totals), resources

    def _title(self, name: str) -> str:
        course = load_course(Path(self.course_root))
        return next((assignment.title for assignment in course.assignments if assignment.name == name), name)
