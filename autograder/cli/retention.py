"""The instructor's command on what is held about one student: student."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from autograder.cli.terminal import DONE, UNJUDGED, WRONG_USE, fail, one_sentence, print_table
from autograder.course import Course, find_course
from autograder.policy.deadline import counted

if TYPE_CHECKING:
    from autograder.retention.holdings import Holdings


def student(
    student: Annotated[str, typer.Argument(metavar="ID", help="The student's id.")],
    action: Annotated[Literal["list", "export", "delete"], typer.Argument(help="What to do.")],
    to: Annotated[Path | None, typer.Option(help="The zip to export to; ID.zip in this folder by default.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
) -> None:
    """Lists, exports or deletes everything that is held about one student.

    Example: `autograder student ada export`
    """
    from autograder.retention.holdings import export, holdings_of

    if not student or student in (".", "..") or any(sign in student for sign in "/\\\0"):
        fail(f"The student's id is {student!r}; allowed is an id as in private/students.csv.", WRONG_USE)
    with one_sentence():
        course = find_course(Path.cwd())
        held = holdings_of(course, student)
        if held.is_empty:
            print(f"Nothing is held about {student}.")
            raise typer.Exit(DONE)
        if action == "export":
            target = to or Path(f"{student}.zip")
            if target.exists():
                fail(f"{target} exists; give another file with --to.", WRONG_USE)
            export(course, held, target)
            print(f"Everything about {student} is in {target}.")
            return
        _list(course, held)
        if action == "delete":
            _delete(course, held, yes)


def _list(course: Course, held: "Holdings") -> None:
    from autograder.retention.holdings import shown

    found = [("folder" if path.is_dir() else "file", shown(course, path)) for path in held.paths]
    found += [(counted(len(rows.found), "row"), shown(course, rows.path)) for rows in held.rows]
    found += [("report", shown(course, path)) for path in held.reports]
    if held.gradebook is not None:
        found.append(("gradebook", counted(len(held.gradebook["submissions"]), "submission")))
    width = None if Console().is_terminal else 200
    print_table(("what", "where"), found, title=f"Held about {held.student}", width=width)


def _delete(course: Course, held: "Holdings", yes: bool) -> None:
    from autograder.retention.holdings import delete, shown

    if not yes and not _confirmed(held.student):
        fail("Nothing was deleted.", WRONG_USE)
    left = delete(course, held)
    print(f"Everything about {held.student} is deleted. Copies on other machines and in an LMS are not reached.")
    if left:
        names = "\n".join(f"  {shown(course, path)}" for path in left)
        fail(f"{held.student} still stands in {counted(len(left), 'file')} for you to look at:\n{names}", UNJUDGED)


def _confirmed(student: str) -> bool:
    try:
        return typer.confirm(f"Delete all this of {student} for good, grades and feedback too?")
    except typer.Abort:  # nobody is there to answer
        return False
