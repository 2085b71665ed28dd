"""Classes of any size: everybody right, everybody blank, and mixed."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

from autograder.course import Course
from autograder.demo.made_class import MadeSubmission, make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment
from bench.content import EXERCISES, NAME

RIGHT = ("ada", "boris")  # the references, and another way for each exercise
BLANK = ("ivan",)
BROKEN = ("mei",)  # not a notebook: nobody judges it


def make_classes(course: Course) -> Mapping[str, Sequence[MadeSubmission]]:
    """What the submissions of each class repeat."""
    assignment = load_assignment(course, NAME)
    made = make_class(assignment, source_notebook(course, assignment))
    return {
        "all correct": [one for one in made if one.student in RIGHT],
        "all blank": [one for one in made if one.student in BLANK],
        "mixed": [one for one in made if one.student not in BROKEN],
    }


def hand_in(
    folder: Path,
    class_: Sequence[MadeSubmission],
    size: int,
    changed: Callable[[str], str] = lambda text: text,
    *,
    name: str = NAME,
    first: str = EXERCISES[0],
) -> None:
    """Fills ``private/submitted`` with ``size`` students, no two of the same text.

    Args:
        folder: what is filled.
        class_: what they repeat.
        size: how many there are.
        changed: makes of a notebook's text the one that is handed in.
        name, first: the assignment, and its first exercise.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for number, made in enumerate(islice(cycle(class_), size)):
        student = f"{made.student}-{number:04}"
        place = folder / student / name
        place.mkdir(parents=True)
        (place / f"{name}.ipynb").write_text(signed(changed(made.text), student, first), encoding="utf-8")


def signed(text: str, student: str, first: str = EXERCISES[0]) -> str:
    """A notebook with a comment of the student's own in the first exercise."""
    notebook = json.loads(text)
    cell = next(cell for cell in notebook["cells"] if cell["id"] == first)
    cell["source"] = [f"# {student}\n", *cell["source"]]
    return json.dumps(notebook, indent=1)
