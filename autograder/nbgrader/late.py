"""Due dates and late penalties in nbgrader's gradebook, as the course's policy has them.

`nbgrader autograde` and the formgrader come here through `DueDates` and `LatePenalty`, `autograder grade` through
`settle`; both ask `lateness_of` and `penalty`, so that they write the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import BasePlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc
from traitlets import Unicode

from autograder.course import Course, load_course
from autograder.policy.extensions import EXTENSIONS_FILE, Extension, read_extensions
from autograder.policy.lateness import Lateness, lateness, own_due_date, penalty

NO_STUDENT = "."  # nbgrader's name for the student of what is not a submission


class DueDates(NbGraderPreprocessor):
    """Puts the due date, and a student's extension, where nbgrader looks for them; changes no notebook."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        known = resources["nbgrader"]
        course, extensions = policy_of(Path(self.course_root))
        student = None if known["student"] == NO_STUDENT else known["student"]
        with Gradebook(known["db_url"], course.course_id) as gradebook:
            record_due_date(gradebook, course, known["assignment"], student, extensions)
        return notebook, resources


class LatePenalty(BasePlugin):
    """What `AssignLatePenalties` asks for each notebook that is handed in after its due date."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Points that are lost. nbgrader's seconds know neither grace nor free days, so the policy counts its own."""
        course, extensions = policy_of(Path(self.course_root))
        # nbgrader does not pass the assignment, but makes the plugin as a part of the preprocessor that knows it.
        late = lateness_of(course, self.parent.assignment_id, student_id, extensions)
        return penalty(score, late.percent) if late else None


def lateness_of(course: Course, name: str, student: str, extensions: Sequence[Extension]) -> Lateness | None:
    """How late a student's submission of one assignment is; None where it has no due date or no time stamp."""
    found = lateness(course, student, extensions, time_stamps(course, student))
    return next((one for one in found if one.assignment == name), None)


def time_stamps(course: Course, student: str) -> dict[str, datetime]:
    """When a student handed in each assignment. A stamp that cannot be read must not make anybody late."""
    stamps = {}
    for assignment in course.assignments:
        file = course.private_dir / "submitted" / student / assignment.name / "timestamp.txt"
        try:
            stamp = parse_utc(file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError, OverflowError):
            continue
        stamps[assignment.name] = stamp.replace(tzinfo=UTC)
    return stamps


def record_due_date(
    gradebook: Gradebook, course: Course, name: str, student: str | None, extensions: Sequence[Extension]
) -> None:
    """Puts the due date of an assignment into the gradebook, and with a student that one's extension."""
    due = next((a.due for a in course.assignments if a.name == name), None)
    if due is None:
        return
    try:
        gradebook.find_assignment(name).duedate = _as_nbgrader(due)
        if student is not None:
            own = own_due_date(course, student, name, extensions)
            gradebook.find_submission(name, student).extension = None if own in (None, due) else own - due
    except MissingEntry:
        pass  # `nbgrader generate_assignment --no-db` keeps no such row, and autograde has made it before
    gradebook.db.commit()


def settle(gradebook: Gradebook, course: Course, name: str, student: str, extensions: Sequence[Extension]) -> None:
    """Writes due date and late penalty of a submission that has been graded."""
    record_due_date(gradebook, course, name, student, extensions)
    late = lateness_of(course, name, student, extensions)
    for notebook in gradebook.find_submission(name, student).notebooks:
        notebook.late_submission_penalty = penalty(notebook.score, late.percent) if late else None
    gradebook.db.commit()


def _as_nbgrader(moment: datetime) -> datetime:
    """In UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def policy_of(root: Path) -> tuple[Course, tuple[Extension, ...]]:
    """The course and its extensions; read anew when a file changes: the formgrader's server runs for weeks."""
    files = (root / "course.toml", root / "private" / EXTENSIONS_FILE)
    return _read_policy(root, tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files))


@lru_cache(maxsize=2)
def _read_policy(root: Path, changed: tuple[int, ...]) -> tuple[Course, tuple[Extension, ...]]:
    course = load_course(root)
    return course, read_extensions(course)
