"""All of a student's notebooks, one after the other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.checking.recheck import Answer, Recheck
from autograder.checking.watch import SECONDS_PER_CHECK, SECONDS_WHILE_CHECKING, never_ended
from autograder.course import COURSE_FILE
from autograder.feedback.course_overview import AssignmentProgress, CourseOverview, course_overview_of, progress_of
from autograder.notebooks.choice import NotebookChoice, find_notebook
from autograder.notebooks.place import Place, place_of
from autograder.notebooks.submission import Submission, UnreadableSubmission, read_submission

BESIDE = ("checks.py", "examples.npz")


@dataclass(frozen=True)
class Found:
    """An assignment's folder: its notebook, or in one sentence why there is none to check."""

    place: Place
    submission: Submission | None = None
    fault: str = ""


def find_assignments(folder: Path) -> tuple[Found, ...]:
    """The assignments in the folders of ``folder``, in the order of the course; of a course's folder its own.

    None where ``folder`` is a file or itself an assignment's folder.
    """
    if not folder.is_dir() or _is_assignment(folder):
        return ()
    if (folder / COURSE_FILE).is_file():
        folder = folder / "assignments"
    # What lies in a folder of its own name is found before a copy of it.
    found = [_found(path.parent) for path in sorted(folder.glob("[!.]*/checks.py")) if _is_assignment(path.parent)]
    first: dict[str, Found] = {}
    for one in sorted(found, key=lambda one: one.place.assignment != _folder(one)):
        kept = first.setdefault(one.place.assignment, one)
        if kept is not one and one.submission is not None and kept.submission is not None:
            name, folders = one.place.assignment, f"{_folder(kept)} and {_folder(one)}"
            first[name] = Found(kept.place, fault=f"{folders} both hold it: give the path of one notebook.")
    return tuple(sorted(first.values(), key=lambda one: (one.place.number or len(found) + 1, one.place.assignment)))


def check_assignments(found: Sequence[Found], begin: Callable[[str, int], None]) -> CourseOverview:
    """Checks one notebook after the other, each in a process of its own.

    Args:
        found: see `find_assignments`.
        begin: told the name of each before it is checked, and its number.
    """
    lines: list[AssignmentProgress] = []
    for number, one in enumerate(found, 1):
        begin(one.place.assignment, number)
        answer = _checked(one.submission) if one.submission else Answer(fault=one.fault)
        if answer.overview is None:
            lines.append(AssignmentProgress(one.place.assignment, one.place.part, fault=answer.fault))
        else:
            lines.append(progress_of(answer.overview, one.place.part, one.place.minutes))
    return course_overview_of(lines)


def _is_assignment(folder: Path) -> bool:
    return all((folder / name).is_file() for name in BESIDE)


def _found(folder: Path) -> Found:
    try:
        submission = read_submission(find_notebook(folder))
    except (NotebookChoice, UnreadableSubmission) as error:
        return Found(Place(folder.name), fault=str(error))
    return Found(place_of(submission.path), submission)


def _folder(found: Found) -> str:
    return found.submission.path.resolve().parent.name if found.submission else found.place.assignment


def _checked(submission: Submission) -> Answer:
    process = Recheck()
    try:
        process.begin(submission, {})
        deadline = time.monotonic() + SECONDS_PER_CHECK
        while (answer := process.answer()) is None and time.monotonic() < deadline:
            time.sleep(SECONDS_WHILE_CHECKING)
        return answer or never_ended()
    finally:
        process.stop()
