"""One student's rows in nbgrader's gradebook."""

from typing import Any

from nbgrader.api import Gradebook, MissingEntry


def student_rows(gradebook: Gradebook, student: str) -> dict[str, Any] | None:
    """The student, every submission, and each of its scores and comments; None where there is no such student."""
    try:
        found = gradebook.find_student(student)
    except MissingEntry:
        return None
    return {**found.to_dict(), "submissions": [_submission(one) for one in found.submissions]}


def _submission(submission: Any) -> dict[str, Any]:
    notebooks = [
        {
            **notebook.to_dict(),
            "late_submission_penalty": notebook.late_submission_penalty,
            "grades": [grade.to_dict() for grade in notebook.grades],
            "comments": [comment.to_dict() for comment in notebook.comments],
        }
        for notebook in submission.notebooks
    ]
    extension = None if submission.extension is None else submission.extension.total_seconds()
    return {**submission.to_dict(), "extension_seconds": extension, "notebooks": notebooks}


def remove_student_rows(gradebook: Gradebook, student: str) -> None:
    """Removes a student and all that hangs on it, and on SQLite what deleted rows leave in the file."""
    for submission in list(gradebook.find_student(student).submissions):
        gradebook.remove_submission(submission.assignment.name, student)
    gradebook.remove_student(student)
    if gradebook.engine.dialect.name == "sqlite":
        with gradebook.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
