"""Hands ``course.toml`` to nbgrader."""

import os
import sys
from pathlib import Path
from typing import Any

from autograder.course import CourseError, load_course
from autograder.grading.database import DatabaseError, reachable
from autograder.grading.notebook import COURSE_VARIABLE

EXCHANGE_VARIABLE = "AUTOGRADER_EXCHANGE"
JUDGE = "autograder.nbgrader.preprocessor.Judge"
# What stock nbgrader runs after `Execute`, in whose place the judge stands.
AFTER_JUDGE = [
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]


def configure(c: Any, root: Path) -> None:
    """Sets nbgrader's configuration ``c`` for the course in ``root``.

    Submissions and grades live under ``private/``, what can be rebuilt under ``build/``. A faulty ``course.toml``
    ends the command with one sentence: nbgrader would otherwise go on with its defaults.
    """
    try:
        course = load_course(root)
        course.private_dir.mkdir(exist_ok=True)
        db_url = reachable(course)
    except (CourseError, DatabaseError) as error:
        raise SystemExit(str(error)) from None
    c.CourseDirectory.root = str(course.root)
    c.CourseDirectory.course_id = course.course_id
    c.CourseDirectory.db_url = db_url
    c.CourseDirectory.source_directory = "build/source"
    c.CourseDirectory.release_directory = "build/release"
    c.CourseDirectory.submitted_directory = "private/submitted"
    c.CourseDirectory.autograded_directory = "private/autograded"
    c.CourseDirectory.feedback_directory = "private/feedback"
    # nbgrader keeps its own default where the variable is not set.
    if exchange := os.environ.get(EXCHANGE_VARIABLE):
        c.Exchange.root = str(Path(exchange).absolute())
    c.Exchange.timezone = "UTC"
    c.Execute.timeout = int(course.limits.seconds_per_cell)
    c.Autograde.autograde_preprocessors = [JUDGE, *AFTER_JUDGE]
    c.Judge.course_root = str(course.root)
    # nbgrader starts `alembic` by name, also where the virtual environment is not activated.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    # `check()` finds the hidden checks through this while nbgrader grades in a kernel.
    os.environ[COURSE_VARIABLE] = str(course.root)
