"""What was handed in. Found without torch and nbgrader, so that a command with nothing to do says so at once."""

from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from autograder.notebooks.handed_in import handed_in


class NotBuilt(Exception):
    """An assignment cannot be graded before it is built; the sentence says which file is missing."""


@dataclass(frozen=True)
class Submitted:
    """One student's submission: its notebook, and when it was handed in, as nbgrader writes it."""

    student: str
    path: Path
    submitted: str | None


def submissions(course: Course, name: str, student: str | None = None) -> tuple[Submitted, ...]:
    """What is in ``private/submitted``, in the order of the students' names."""
    found = []
    folders = (course.private_dir / "submitted").glob(f"{student or '*'}/{name}")
    for folder in sorted(folder for folder in folders if folder.is_dir()):
        stamp = folder / "timestamp.txt"
        submitted = stamp.read_text(encoding="utf-8").strip() if stamp.is_file() else None
        found.append(Submitted(folder.parent.name, handed_in(folder, name), submitted or None))
    return tuple(found)


def submitted_folder(course: Course, name: str, student: str) -> Path:
    """Where a student's submission stands as it was handed in; nothing in it is ever changed."""
    return course.private_dir / "submitted" / student / name


def require_built(course: Course, name: str) -> None:
    """Raises `NotBuilt` where a file of recorded examples is missing; whether they fit is seen when they are read."""
    for path in (course.assignments_dir / name / "examples.npz", course.build_dir / "examples" / f"{name}.npz"):
        if not path.is_file():
            raise NotBuilt(f"{path} is missing: run `autograder build`.")
