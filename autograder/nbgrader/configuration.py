"""Hands ``course.toml`` to nbgrader."""

import os
import sys
from pathlib import Path
from typing import Any

from autograder.course import CourseError, load_course
from autograder.grading.notebook import COURSE_VARIABLE

EXPORTER = "autograder.nbgrader.repairing.SubmissionExporter"
# What stock nbgrader runs before it grades, after `Repair`, which leaves these little to do.
SANITISING = [
    "autograder.nbgrader.repairing.Repair",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
JUDGE = "autograder.nbgrader.preprocessor.Judge"
# What stock nbgrader runs after `Execute`, in whose place the judge stands.
AFTER_JUDGE = [
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "autograder.nbgrader.saving.SaveGrades",
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
    except CourseError as error:
        raise SystemExit(str(error)) from None
    course.private_dir.mkdir(exist_ok=True)
    c.CourseDirectory.root = str(course.root)
    c.CourseDirectory.course_id = course.course_id
    c.CourseDirectory.db_url = f"sqlite:///{course.private_dir / 'gradebook.db'}"
    c.CourseDirectory.source_directory = "build/source"
    c.CourseDirectory.release_directory = "build/release"
    c.CourseDirectory.submitted_directory = "private/submitted"
    c.CourseDirectory.autograded_directory = "private/autograded"
    c.CourseDirectory.feedback_directory = "private/feedback"
    c.Execute.timeout = int(course.limits.seconds_per_cell)
    c.Autograde.exporter_class = EXPORTER
    c.Autograde.sanitize_preprocessors = SANITISING
    c.Autograde.autograde_preprocessors = [JUDGE, *AFTER_JUDGE]
    for reader in (c.SubmissionExporter, c.Repair, c.Judge):
        reader.course_root = str(course.root)
    from autograder.nbgrader.placing import place_before_listing

    place_before_listing()
    # nbgrader starts `alembic` by name, also where the virtual environment is not activated.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    # `check()` finds the hidden checks through this while nbgrader grades in a kernel.
    os.environ[COURSE_VARIABLE] = str(course.root)
