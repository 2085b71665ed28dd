"""The whole course at a glance: a row for each assignment, and every student's scores."""

from msgspec import Struct

from autograder.course import Course
from autograder.reporting.figures import Counts, Report
from autograder.reporting.handed_in import ReportError
from autograder.reporting.tables import Column, Table

SCHEMA = 1


class AssignmentFigures(Struct, frozen=True):
    """One assignment of the course; mean and median are shares of its points."""

    assignment: str
    title: str
    weight: float
    counts: Counts
    mean: float | None
    median: float | None


class StudentFigures(Struct, frozen=True):
    """A student's share of the points of each assignment, in the order of the course; None where there is no score."""

    student: str
    name: str
    section: str
    shares: tuple[float | None, ...]


class CourseReport(Struct, frozen=True):
    """The published record of a course's report, version 1; assignments that were not graded are named."""

    title: str
    assignments: tuple[AssignmentFigures, ...]
    students: tuple[StudentFigures, ...]
    ungraded: tuple[str, ...]
    schema: int = SCHEMA


def course_report(course: Course, reports: tuple[Report, ...]) -> CourseReport:
    """Puts the reports of a course's assignments together.

    Raises:
        ReportError: there are none.
    """
    if not reports:
        raise ReportError(f"No assignment of {course.title} is graded yet: run `autograder grade NAME` first.")
    graded = {report.assignment for report in reports}
    assignments = tuple(_assignment(course, report) for report in reports)
    ungraded = tuple(one.name for one in course.assignments if one.name not in graded)
    return CourseReport(course.title, assignments, _students(reports), ungraded)


def _assignment(course: Course, report: Report) -> AssignmentFigures:
    scores = report.scores
    shares = (scores.mean / scores.max_score, scores.median / scores.max_score) if scores and scores.max_score else None
    return AssignmentFigures(
        assignment=report.assignment,
        title=report.title,
        weight=course.assignment(report.assignment).weight,
        counts=report.counts,
        mean=round(shares[0], 6) if shares else None,
        median=round(shares[1], 6) if shares else None,
    )


def _students(reports: tuple[Report, ...]) -> tuple[StudentFigures, ...]:
    people: dict[str, tuple[str, str]] = {}
    shares: dict[tuple[str, str], float] = {}
    for report in reports:
        people |= {one.student: (one.name, one.section) for one in report.submissions}
        people |= {one.student: (one.name, one.section) for one in report.missing}
        for submission in report.submissions:
            if submission.score is not None and submission.max_score:
                shares[submission.student, report.assignment] = round(submission.score / submission.max_score, 6)
    return tuple(
        StudentFigures(student, *people[student], tuple(shares.get((student, one.assignment)) for one in reports))
        for student in sorted(people)
    )


def course_tables(report: CourseReport) -> tuple[Table, ...]:
    return (_assignments(report), _scores(report))


def _assignments(report: CourseReport) -> Table:
    columns = (
        Column("assignment", "assignment", "student"),
        Column("title", "title"),
        Column("weight", "weight", "number"),
        Column("submitted", "handed in", "number"),
        Column("judged", "judged", "number"),
        Column("not_judged", "not judged", "number"),
        Column("late", "late", "number"),
        Column("missing", "missing", "number"),
        Column("mean", "mean", "share"),
        Column("median", "median", "share"),
    )
    rows = tuple(
        (
            one.assignment,
            one.title,
            one.weight,
            one.counts.submitted,
            one.counts.judged,
            one.counts.unjudged,
            one.counts.late,
            one.counts.missing,
            one.mean,
            one.median,
        )
        for one in report.assignments
    )
    return Table("assignments", "Assignments", columns, rows)


def _scores(report: CourseReport) -> Table:
    columns = (
        Column("student", "student"),
        Column("name", "name"),
        Column("section", "section"),
        *(Column(one.assignment, one.assignment, "share") for one in report.assignments),
    )
    rows = tuple((one.student, one.name, one.section, *one.shares) for one in report.students)
    says = ("Each score as a share of the assignment's automatic points; late penalties and written answers apart.",)
    return Table("students", "Students", columns, rows, says)
