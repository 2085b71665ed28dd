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
    folder: Path, class_: Sequence[MadeSubmission], size: int, changed: Callable[[str], str] = lambda text: text
) -> None:
    """Fills ``private/submitted`` with ``size`` students, no two of the same text."""
    shutil.rmtree(folder, ignore_errors=True)
    for number, made in enumerate(islice(cycle(class_), size)):
        student = f"{made.student}-{number:04}"
        place = folder / student / NAME
        place.mkdir(parents=True)
        (place / f"{NAME}.ipynb").write_text(signed(changed(made.text), student), encoding="utf-8")


def signed(text: str, student: str) -> str:
    """A notebook with a comment of the student's own in the first exercise."""
    notebook = json.loads(text)
    cell = next(cell for cell in notebook["cells"] if cell["id"] == EXERCISES[0])
    cell["source"] = [f"# {student}\n", *cell["source"]]
    return json.dumps(notebook, indent=1)
