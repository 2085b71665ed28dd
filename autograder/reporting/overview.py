"""The whole course at a glance: a row for each assignment, and every student's scores."""

from itertools import groupby
from typing import Any

from msgspec import Struct

from autograder.course import Course
from autograder.reporting.figures import Counts, Report
from autograder.reporting.handed_in import ReportError
from autograder.reporting.tables import Column, Table

SCHEMA = 1


class AssignmentFigures(Struct, frozen=True):
    """One assignment of the course; mean and median are shares of its points, and ``part`` its part's title."""

    assignment: str
    title: str
    weight: float
    counts: Counts
    mean: float | None
    median: float | None
    part: str = ""


class StudentFigures(Struct, frozen=True):
    """A student's shares of points, in the order of the course.

    Attributes:
        shares: of each graded assignment; None where there is no score.
        parts: of each part with a graded assignment: the mean of its shares by the assignments' weights, in which one
            without a score counts as 0; None where all are.
    """

    student: str
    name: str
    section: str
    shares: tuple[float | None, ...]
    parts: tuple[float | None, ...] = ()


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
    return CourseReport(course.title, assignments, _students(reports, assignments), ungraded)


def _assignment(course: Course, report: Report) -> AssignmentFigures:
    scores = report.scores
    shares = (scores.mean / scores.max_score, scores.median / scores.max_score) if scores and scores.max_score else None
    settings = course.assignment(report.assignment)
    return AssignmentFigures(
        assignment=report.assignment,
        title=report.title,
        weight=settings.weight,
        counts=report.counts,
        mean=round(shares[0], 6) if shares else None,
        median=round(shares[1], 6) if shares else None,
        part=next((part.title for part in course.parts if part.name == settings.part), ""),
    )


def _students(reports: tuple[Report, ...], assignments: tuple[AssignmentFigures, ...]) -> tuple[StudentFigures, ...]:
    people: dict[str, tuple[str, str]] = {}
    shares: dict[tuple[str, str], float] = {}
    for report in reports:
        people |= {one.student: (one.name, one.section) for one in report.submissions}
        people |= {one.student: (one.name, one.section) for one in report.missing}
        for submission in report.submissions:
            if submission.score is not None and submission.max_score:
                shares[submission.student, report.assignment] = round(submission.score / submission.max_score, 6)
    found = []
    for student in sorted(people):
        own = {one.assignment: shares.get((student, one.assignment)) for one in assignments}
        parts = tuple(_share_of_part(same, own) for _, same in _by_part(assignments))
        found.append(StudentFigures(student, *people[student], tuple(own.values()), parts))
    return tuple(found)


def _by_part(assignments: tuple[AssignmentFigures, ...]) -> tuple[tuple[str, tuple[AssignmentFigures, ...]], ...]:
    """Assignments under the title of their part; none in a course without parts."""
    if not any(one.part for one in assignments):
        return ()
    return tuple((part, tuple(same)) for part, same in groupby(assignments, lambda one: one.part))


def _share_of_part(assignments: tuple[AssignmentFigures, ...], own: dict[str, float | None]) -> float | None:
    shares = [own[one.assignment] for one in assignments]
    if all(share is None for share in shares):
        return None
    weighted = sum(one.weight * (share or 0.0) for one, share in zip(assignments, shares, strict=True))
    return round(weighted / sum(one.weight for one in assignments), 6)


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
    if not _by_part(report.assignments):
        return Table("assignments", "Assignments", columns, rows)
    in_parts = tuple((one.part, *row) for one, row in zip(report.assignments, rows, strict=True))
    return Table("assignments", "Assignments", (Column("part", "part"), *columns), in_parts, grouped=True)


def _scores(report: CourseReport) -> Table:
    person = (Column("student", "student"), Column("name", "name"), Column("section", "section"))
    says = "Each score as a share of the assignment's automatic points; late penalties and written answers apart."
    parts = _by_part(report.assignments)
    if not parts:
        columns = tuple(Column(one.assignment, one.assignment, "share") for one in report.assignments)
        rows = tuple((one.student, one.name, one.section, *one.shares) for one in report.students)
        return Table("students", "Students", (*person, *columns), rows, (says,))
    columns = tuple(column for part, same in parts for column in _columns_of_part(part, same))
    rows = tuple((one.student, one.name, one.section, *_scores_by_part(parts, one)) for one in report.students)
    means = 'Below "all of it" stands the mean of a part by weight; an assignment without a score counts as 0 there.'
    return Table("students", "Students", (*person, *columns), rows, (says, means))


def _columns_of_part(part: str, assignments: tuple[AssignmentFigures, ...]) -> tuple[Column, ...]:
    single = (Column(one.assignment, one.assignment, "share", part) for one in assignments)
    # No assignment's name has a colon.
    return (*single, Column(f"part: {part}", "all of it", "share", part))


def _scores_by_part(
    parts: tuple[tuple[str, tuple[AssignmentFigures, ...]], ...], student: StudentFigures
) -> tuple[Any, ...]:
    shares, cells = iter(student.shares), []
    for (_, assignments), whole in zip(parts, student.parts, strict=True):
        cells += [next(shares) for _ in assignments]
        cells.append(whole)
    return tuple(cells)
