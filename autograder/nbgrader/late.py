"""Stock nbgrader's hooks for due dates and late penalties: the course's policy stands in their place."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from nbgrader.plugins import BasePlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from autograder.course import Course, load_course
from autograder.gradebook.batches import write, write_due_date
from autograder.gradebook.late import due_date, extension_of, lateness_of
from autograder.gradebook.rows import Entry
from autograder.gradebook.transactions import opened
from autograder.policy.extensions import EXTENSIONS_FILE, Extension, read_extensions
from autograder.policy.lateness import penalty

NO_STUDENT = "."  # nbgrader's name for the student of what is not a submission


class DueDates(NbGraderPreprocessor):
    """Puts the due date, and a student's extension, where nbgrader looks for them; changes no notebook."""

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        known = resources["nbgrader"]
        course, extensions = policy_of(Path(self.course_root))
        name, student = known["assignment"], known["student"]
        due = due_date(course, name)
        if due is None:
            return notebook, resources
        with opened(known["db_url"], course.course_id) as engine:
            if student == NO_STUDENT:
                # `nbgrader generate_assignment --no-db` keeps no row of the assignment.
                write_due_date(engine, name, due)
            else:
                entry = Entry(student, extension=extension_of(course, name, student, extensions))
                write(engine, name, [entry], due)
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


def policy_of(root: Path) -> tuple[Course, tuple[Extension, ...]]:
    """The course and its extensions; read anew when a file changes: the formgrader's server runs for weeks."""
    files = (root / "course.toml", root / "private" / EXTENSIONS_FILE)
    return _read_policy(root, tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files))


@lru_cache(maxsize=2)
def _read_policy(root: Path, changed: tuple[int, ...]) -> tuple[Course, tuple[Extension, ...]]:
    course = load_course(root)
    return course, read_extensions(course)
