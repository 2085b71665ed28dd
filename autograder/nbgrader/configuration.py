"""Hands ``course.toml`` to nbgrader."""

import os
from pathlib import Path
from typing import Any

from autograder.checking.placing import COURSE_VARIABLE
from autograder.course import CourseError, load_course
from autograder.gradebook.database import DatabaseError, reachable
from autograder.own_commands import find_own_commands
from autograder.policy.extensions import read_extensions

EXPORTER = "autograder.nbgrader.repairing.SubmissionExporter"
# What stock nbgrader runs before it grades; `SubmissionExporter` leaves these little to do.
# `ClearOutput` is not among them: of a student's outputs only what is small and safe was kept.
SANITISING = [
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
EXCHANGE_VARIABLE = "AUTOGRADER_EXCHANGE"
JUDGE = "autograder.nbgrader.preprocessor.Judge"
COLLECTOR = "autograder.nbgrader.collector.LmsCollector"
DUE_DATES = "autograder.nbgrader.late.DueDates"
LATE_PENALTY = "autograder.nbgrader.late.LatePenalty"
FEEDBACK = "autograder.nbgrader.returning.FeedbackExporter"
GRADES = "autograder.nbgrader.returning.Grades"
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
    or extension ends the command with one sentence: nbgrader would otherwise go on with its defaults.
    """
    try:
        course = load_course(root)
        read_extensions(course)  # a fault in it would otherwise be told once for each submission
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
    c.GenerateAssignment.preprocessors.append(DUE_DATES)
    c.Autograde.exporter_class = EXPORTER
    c.Autograde.sanitize_preprocessors = SANITISING
    c.Autograde.autograde_preprocessors = [JUDGE, DUE_DATES, *AFTER_JUDGE]
    c.GenerateFeedback.exporter_class = FEEDBACK
    c.GenerateFeedback.preprocessors = [GRADES]
    c.AssignLatePenalties.plugin_class = LATE_PENALTY
    c.ZipCollectApp.collector_plugin = COLLECTOR
    c.ZipCollectApp.downloaded_directory = "private/downloaded"
    for part in (
        c.SubmissionExporter,
        c.Judge,
        c.DueDates,
        c.LatePenalty,
        c.LmsCollector,
        c.FeedbackExporter,
    ):
        part.course_root = str(course.root)
    from autograder.nbgrader.placing import place_before_listing

    place_before_listing()
    find_own_commands()
    # `check()` finds the hidden checks through this while nbgrader grades in a kernel.
    os.environ[COURSE_VARIABLE] = str(course.root)
