"""Which file in a submission's folder is the notebook, wherever the student put it and whatever it is called."""

import re
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

# What stands in a submission's folder and is not the student's work.
NOT_WORK = ("checks.py", "examples.npz", "timestamp.txt", "course.toml")
# Where a notebook says which assignment it answers. In a text of its own the quotes would be escaped.
SAYS = re.compile(rb'"autograder"\s{0,9}:\s{0,9}\{[^{}]{0,300}?"assignment"\s{0,9}:\s{0,9}"([a-z0-9_]{1,100})"')


def handed_in(folder: Path, name: str) -> Path:
    """The file that answers an assignment; where there is none, the path at which it was expected.

    A file of the right name and place always counts. Otherwise one of the right name in another folder or writing,
    then a notebook that says that it belongs to the assignment, then any notebook, then a Python file.
    """
    expected = folder / f"{name}.ipynb"
    if expected.is_file() and is_inside(expected, folder):
        return expected
    found = sorted(_candidates(folder), key=lambda path: (_rank(path, name), str(path)))
    if len(found) > 1 and _rank(found[0], name) > 1:
        return min(found, key=lambda path: _distance(path, name))
    return found[0] if found else expected


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a file is the student's own; a link could lead to another's work or to a solution."""
    return path.resolve().is_relative_to(folder.resolve())


def misplaced(path: Path, folder: Path, name: str) -> tuple[str, ...]:
    """A note if a submission was not handed in under its own name."""
    real = path.readlink() if path.is_symlink() else path
    shown = str(real.relative_to(folder) if real.is_relative_to(folder) else real)
    return () if shown == f"{name}.ipynb" else (f"the file was handed in as {shown}, not as {name}.ipynb",)


def why_nothing(folder: Path, name: str) -> str:
    """What to say of a folder without a submission."""
    others = sorted(path.name for path in _files(folder) if path.name not in NOT_WORK)
    there = f"only {', '.join(others[:3])}{' and more' if len(others) > 3 else ''}" if others else "nothing"
    return f"There is no notebook for {name} in what was handed in, {there}."


def _candidates(folder: Path) -> Iterator[Path]:
    for path in _files(folder):
        lower = path.name.lower()
        if (".ipynb" in lower or lower.endswith((".py", ".json"))) and lower not in NOT_WORK:
            yield path


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
        if not hidden and path.is_file() and is_inside(path, folder):
            yield path


def _rank(path: Path, name: str) -> int:
    lower = path.name.lower()
    if lower == f"{name}.ipynb":
        return 0
    if lower.startswith(name) and ".ipynb" in lower:
        return 1
    return 2 if ".ipynb" in lower else 3


def _distance(path: Path, name: str) -> int:
    """0 for a file that says that it answers the assignment, 2 for one that answers another."""
    assignment = assignment_named(path)
    return 1 if assignment is None else 2 * (assignment != name)


def assignment_named(path: Path) -> str | None:
    """The assignment that a notebook says that it answers, as far as that can be told without taking it apart."""
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as raw:
            found = SAYS.search(raw)
            return None if found is None else found[1].decode()
    except (OSError, ValueError):  # it cannot be opened, or is empty
        return None
