"""Which rows of nbgrader's gradebook a batch of submissions adds and changes; pure, no database.

A submission that is new gets the rows that `nbgrader.api.Gradebook.add_submission` gives it: one for each notebook of
its assignment, in these a grade for each grade cell and task, and a comment for each solution cell and task. Of a row
that is there only what the autograder finds is changed, never what a person wrote.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from autograder.policy.lateness import penalty

Row = Mapping[str, Any]

STUDENT, SUBMISSION, NOTEBOOK = "student", "submitted_assignment", "submitted_notebook"
GRADE, COMMENT = "grade", "comment"
# A row comes after the rows that it points to.
TABLES = (STUDENT, SUBMISSION, NOTEBOOK, GRADE, COMMENT)
GRADED, COMMENTED = ("GradeCell", "TaskCell"), ("SolutionCell", "TaskCell")


@dataclass(frozen=True)
class Entry:
    """What the gradebook is to hold of one submission; what is None or left out stays as it is.

    Attributes:
        student: whose submission.
        submitted: when it was handed in, in UTC.
        scores, comments: the autograder's, by cell of the notebook that has the assignment's name.
        unjudged: why it has no score.
        extension: how much later than others it is due. None is no extension.
        percent: percent of the points earned that it loses by being late.
    """

    student: str
    submitted: datetime | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    comments: Mapping[str, str | None] = field(default_factory=dict)
    unjudged: str | None = None
    extension: timedelta | None = None
    percent: float | None = None


@dataclass(frozen=True)
class Cell:
    """A cell of the assignment: its row's id, its name, the id of its notebook, and nbgrader's name of its kind.

    ``is_code`` is whether a code cell is graded, and ``max_score`` what the cell can give.
    """

    id: str
    name: str
    notebook: str
    kind: str
    is_code: bool
    max_score: float


@dataclass(frozen=True)
class Standing:
    """What the gradebook holds of some students' submissions of one assignment.

    Attributes:
        id, name: the assignment.
        notebooks: its notebooks' names by id.
        cells: the cells of all of them.
        students: which of the students there are.
        submissions: by student.
        submitted: submitted notebooks, by submission and notebook.
        grades, comments: by submitted notebook and cell.
    """

    id: str
    name: str
    notebooks: Mapping[str, str]
    cells: Sequence[Cell]
    students: frozenset[str]
    submissions: Mapping[str, Row]
    submitted: Mapping[tuple[str, str], Row]
    grades: Mapping[tuple[str, str], Row]
    comments: Mapping[tuple[str, str], Row]

    def score(self, student: str) -> float | None:
        """The automatic score of all code cells; None where there is none."""
        code = {cell.id for cell in self.cells if cell.is_code}
        scores = [grade["auto_score"] for grade in self._grades(student) if grade["cell_id"] in code]
        return None if not scores or None in scores else round(sum(scores), 6)

    @property
    def max_score(self) -> float:
        """All points that there are."""
        return math.fsum(cell.max_score for cell in self.cells)

    def points(self, student: str) -> float:
        """All points, those that a person gave included, before any penalty."""
        return points(self._grades(student))

    def penalty(self, student: str) -> float | None:
        """Points lost by being late; None where there is no penalty."""
        found = [notebook["late_submission_penalty"] for notebook in self._notebooks(student)]
        penalties = [one for one in found if one is not None]
        return round(sum(penalties), 6) if penalties else None

    def _notebooks(self, student: str) -> Iterator[Row]:
        submission = self.submissions.get(student)
        if submission is not None:
            for notebook in self.notebooks:
                if (row := self.submitted.get((submission["id"], notebook))) is not None:
                    yield row

    def _grades(self, student: str) -> Iterator[Row]:
        for notebook in self._notebooks(student):
            for cell in self.cells:
                if (row := self.grades.get((notebook["id"], cell.id))) is not None:
                    yield row


@dataclass(frozen=True)
class Changes:
    """Rows to add and rows to change, by table. Of a row to change there are its id and the columns that may differ."""

    added: Mapping[str, list[Row]] = field(default_factory=lambda: {table: [] for table in TABLES})
    changed: Mapping[str, list[Row]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def put(self, table: str, standing: Row | None, new: Row, values: Row) -> Row:
        """Puts values into the row that stands, or into a new one, and returns it.

        A new row's other columns are left to nbgrader's defaults.
        """
        if standing is None:
            row = {"id": new_id(), **new, **values}
            self.added[table].append(row)
            return row
        row = {**standing, **values}
        if row != standing:
            self.changed[table].append({"id": row["id"], **values})
        return row


def changes(standing: Standing, entries: Iterable[Entry], *, is_due: bool) -> Changes:
    """What has to be written so that the gradebook holds the entries; extensions count where there is a due date."""
    found = Changes()
    for entry in entries:
        if entry.student not in standing.students:
            found.added[STUDENT].append({"id": entry.student})
        values: dict[str, Any] = {"extension": entry.extension} if is_due else {}
        if entry.submitted is not None:
            values["timestamp"] = entry.submitted
        new = {"assignment_id": standing.id, "student_id": entry.student}
        submission = found.put(SUBMISSION, standing.submissions.get(entry.student), new, values)
        for notebook in standing.notebooks:
            _put_notebook(found, standing, entry, submission["id"], notebook)
    return found


def _put_notebook(found: Changes, standing: Standing, entry: Entry, submission: str, notebook: str) -> None:
    row = standing.submitted.get((submission, notebook))
    id_ = new_id() if row is None else row["id"]
    if standing.notebooks[notebook] != standing.name:
        # The scores are those of the notebook that is judged; another one may have cells of the same names.
        entry = replace(entry, scores={}, comments={})
    cells = [cell for cell in standing.cells if cell.notebook == notebook]
    grades = [_put_grade(found, standing, entry, id_, cell) for cell in cells if cell.kind in GRADED]
    for number, cell in enumerate(cell for cell in cells if cell.kind in COMMENTED):
        _put_comment(found, standing, entry, id_, cell, is_first=number == 0)
    values: dict[str, Any] = {}
    if entry.unjudged is not None:
        values = {"late_submission_penalty": None}
    elif entry.percent is not None:
        values = {"late_submission_penalty": penalty(points(grades), entry.percent)}
    found.put(NOTEBOOK, row, {"id": id_, "assignment_id": submission, "notebook_id": notebook}, values)


def _put_grade(found: Changes, standing: Standing, entry: Entry, notebook: str, cell: Cell) -> Row:
    row = standing.grades.get((notebook, cell.id))
    values: dict[str, Any] = {}
    if entry.unjudged is not None:
        values = {"auto_score": None, "needs_manual_grade": True}
    elif cell.name in entry.scores:
        score = entry.scores[cell.name]
        has_manual = row is not None and row["manual_score"] is not None
        values = {"auto_score": score, "needs_manual_grade": has_manual or score is None}
    return found.put(GRADE, row, {"notebook_id": notebook, "cell_id": cell.id}, values)


def _put_comment(
    found: Changes, standing: Standing, entry: Entry, notebook: str, cell: Cell, *, is_first: bool
) -> None:
    values: dict[str, Any] = {}
    if entry.unjudged is not None:
        values = {"auto_comment": entry.unjudged if is_first else None}
    elif cell.name in entry.comments:
        values = {"auto_comment": entry.comments[cell.name]}
    new = {"notebook_id": notebook, "cell_id": cell.id}
    found.put(COMMENT, standing.comments.get((notebook, cell.id)), new, values)


def points(grades: Iterable[Row]) -> float:
    """As nbgrader adds them up: a person's score counts before the automatic one, and extra credit only with one."""
    return math.fsum(_points(grade) for grade in grades)


def _points(grade: Row) -> float:
    automatic, manual = grade.get("auto_score"), grade.get("manual_score")
    score = automatic if manual is None else manual
    return 0.0 if score is None else float(score) + (grade.get("extra_credit") or 0.0)


def new_id() -> str:
    """As nbgrader makes them."""
    return uuid4().hex
