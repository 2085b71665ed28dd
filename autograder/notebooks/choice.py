"""Which notebook a student means."""

from pathlib import Path

from autograder.notebooks.newer import is_newer
from autograder.notebooks.submission import UnreadableSubmission, read_submission


class NotebookChoice(Exception):
    """Which notebook is meant is not clear, or it is not where it belongs; the sentence says what to do."""


class NothingBeside(Exception):
    """The checks or the examples that a notebook comes with are not beside it; the sentence says what to do."""


def require_beside(folder: Path) -> None:
    """Raises `NothingBeside` where what a notebook in this folder comes with is missing."""
    if not (folder / "checks.py").is_file():
        raise NothingBeside(
            f"checks.py is not in {folder}: keep the notebook in the folder that it came in, and start Jupyter there."
        )
    if not (examples := folder / "examples.npz").is_file():
        raise NothingBeside(f"{examples} is missing: run `autograder build`, or get the assignment's files again.")


def find_notebook(place: Path) -> Path:
    """The notebook itself, or in a folder the only one that belongs to an assignment.

    A new version that `autograder start --update` has put beside it does not count.

    Raises:
        NotebookChoice: the folder has none, or several.
        UnreadableSubmission: the folder has none but one that cannot be read.
    """
    if not place.is_dir():
        return place
    found: list[Path] = []
    broken: list[UnreadableSubmission] = []
    for path in sorted(place.glob("[!.]*.ipynb")):
        if is_newer(path.name):
            continue
        try:
            if read_submission(path).assignment is not None:
                found.append(path)
        except UnreadableSubmission as error:
            broken.append(error)
    if len(found) == 1:
        return found[0]
    if not found and broken:
        raise broken[0]
    if not found:
        raise NotebookChoice(f"No notebook in {place} belongs to an assignment: give its path, or go to its folder.")
    names = ", ".join(path.name for path in found)
    raise NotebookChoice(f"Several notebooks in {place} belong to an assignment: say which of {names}.")
