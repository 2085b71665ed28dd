"""The command that brings submissions from an LMS into the course: collect."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.options import Json
from autograder.cli.steps import steps
from autograder.cli.terminal import DONE, UNJUDGED, WRONG_USE, fail, one_sentence, print_table
from autograder.course import Course, find_course

if TYPE_CHECKING:
    from autograder.collecting.collect import Collected
    from autograder.collecting.handed import Manner

ABOUT_TIMES = {
    "at the latest": "the file's time in the download; the submission may be earlier",
    "on time": "Canvas does not call them late, so the due date was written",
    "late, time unknown": "without timestamp.txt no penalty is due: write the time into it",
    "unknown": "packed after the due date, and nothing says when they came: no time was written, so no penalty "
    "is due; Moodle's grading worksheet has the times",
}
SHOWN = 20


def collect(
    name: Annotated[str, typer.Argument(help="The assignment.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Folders, zips or notebooks from Canvas, Moodle or Blackboard, or STUDENT/NAME.ipynb; "
            "beside them Moodle's grading worksheet (.csv), which has the times; "
            "without any, what private/unmatched/NAME.csv now gives a student.",
        ),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Time zone of times that say none; by default that of the due date.")
    ] = None,
    file_times: Annotated[
        bool, typer.Option("--file-times", help="The files' own times are those of submission, not of packing.")
    ] = False,
    json: Json = False,
) -> None:
    """Collects what students handed in through an LMS into private/submitted/STUDENT/NAME/.

    The last attempt counts, all are kept in private/attempts. Students are found on the roster, private/students.csv;
    who is not certain waits in private/unmatched. A second run changes nothing.

    Example: `autograder collect activations submissions.zip`
    """
    from autograder.roster import read_roster, roster_file

    with one_sentence():
        course = find_course(Path.cwd())
        assignment = course.assignment(name)
        sheets, downloads = _apart(paths or [])
        manner = _manner(assignment.due, zone, file_times, sheets)
        roster = read_roster(roster_file(course))

        # What can be refused is refused by now: these import nbgrader.
        from sqlalchemy.exc import SQLAlchemyError

        from autograder.collecting.collect import collect as collect_all
        from autograder.collecting.downloads import DownloadError
        from autograder.gradebook.database import DatabaseError
        from autograder.gradebook.students import update_students

        try:
            with steps() as bar:
                collected = collect_all(
                    course, assignment.name, downloads, manner, roster, begin=bar.begin, advance=bar.advance
                )
        except DownloadError as error:
            fail(str(error), WRONG_USE)
        except OSError as error:
            fail(f"{error.filename or course.private_dir} cannot be written: {error.strerror}.", UNJUDGED)
        try:
            update_students(course, roster)
        except (SQLAlchemyError, DatabaseError) as error:
            reason = str(error).splitlines()[0]
            fail(f"Everything is collected, but the gradebook did not take the roster: {reason}", UNJUDGED)
        if json:
            _print_record(collected)
        else:
            _report(course, collected)
        raise typer.Exit(UNJUDGED if collected.waiting or collected.refused else DONE)


def _apart(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Moodle's grading worksheets, and the downloads."""
    sheets = [path for path in paths if path.suffix.lower() == ".csv" and path.is_file()]
    return sheets, [path for path in paths if path not in sheets]


def _manner(due: datetime | None, zone: str | None, file_times: bool, sheets: list[Path]) -> "Manner":
    from autograder.collecting.handed import Manner
    from autograder.collecting.times import zone_named, zone_of
    from autograder.collecting.worksheet import read_worksheet

    named = zone_named(zone) if zone else zone_of(due)
    if named is None:
        fail(f"--zone is {zone!r}; allowed is a time zone such as Asia/Shanghai or +08:00.", WRONG_USE)
    told = {number: about for sheet in sheets for number, about in read_worksheet(sheet, named).items()}
    return Manner(due, named, file_times, told)


def _print_record(collected: "Collected") -> None:
    import msgspec

    record = msgspec.to_builtins(collected, enc_hook=str)
    print(msgspec.json.encode({"schema": 1, **record}).decode())


def _report(course: Course, collected: "Collected") -> None:
    """How many were collected, whose times are not certain, and everything that a person has to look at."""
    _print_counts(collected)
    _show_remarks(collected, course.assignment(collected.assignment).due)
    if collected.waiting:
        rows = ((row.person, row.files, row.why) for row in collected.waiting)
        print_table(("person", "files", "why"), rows, title="Not matched")
        file = course.private_dir.relative_to(course.root) / "unmatched" / f"{collected.assignment}.csv"
        print(f"Fill in the column student of {file} and run `autograder collect {collected.assignment}` again.")
    for refused in collected.refused[:SHOWN]:
        print(f"not taken  {refused.place or refused.source.name}  {refused.why}")
    if len(collected.refused) > SHOWN:
        print(f"not taken  {len(collected.refused) - SHOWN} more; --json lists all.")
    if collected.missing:
        more = ", …" if len(collected.missing) > SHOWN else ""
        names = ", ".join(collected.missing[:SHOWN])
        print(f"Without a submission: {len(collected.missing)} on the roster: {names}{more}")


def _print_counts(collected: "Collected") -> None:
    statuses = Counter(placed.status for placed in collected.placed)
    earlier = sum(placed.attempts > 1 for placed in collected.placed)
    print(
        f"{collected.assignment}: {len(collected.placed)} students: {statuses['new']} new, "
        f"{statuses['replaced']} replaced by a later attempt, {statuses['unchanged']} unchanged, "
        f"{statuses['kept']} kept, being later than the download; {earlier} with several attempts."
    )
    kinds: Counter[str] = Counter(placed.stamp.kind for placed in collected.placed)
    for kind, about in ABOUT_TIMES.items():
        if kinds[kind]:
            print(f"Times: {kinds[kind]} {kind} ({about}).")


def _show_remarks(collected: "Collected", due: datetime | None) -> None:
    """A table of the submissions that are late or another assignment's."""
    rows = []
    for placed in collected.placed:
        at, kind = placed.stamp.at, placed.stamp.kind
        remarks: list[str] = [kind] if kind == "late, time unknown" else []
        if at is not None and due is not None and at > due:
            remarks.append("late" if kind == "exact" else "late; this is the latest it can have been")
        if placed.says and placed.says != collected.assignment:
            remarks.append(f"the notebook says that it is {placed.says}")
        if remarks:
            rows.append((placed.student, placed.stamp.text[:16], "; ".join(remarks)))
    if rows:
        print_table(("student", "submitted (UTC)", "remark"), rows, title="Late, or worth a look")
