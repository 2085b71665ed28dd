"""Results as the outputs of check cells, in the form that nbgrader, formgrader and feedback pages read."""

from collections.abc import Mapping
from typing import Any

import msgspec
from nbformat.v4 import new_output

from autograder.feedback.panel import RECORD_TYPE, Panel
from autograder.results import ExerciseResult, Result

CHECK_PREFIX = "check-"


def write_outputs(notebook: Any, result: Result) -> None:
    """Gives every check cell of a notebook that was made safe its panel and its points."""
    exercises: Mapping[str, ExerciseResult] = {exercise.name: exercise for exercise in result.exercises}
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        exercise = exercises.get(checked_exercise(cell) or "")
        if exercise is not None:
            cell.execution_count = number
            cell.outputs = _outputs(exercise, number)


def checked_exercise(cell: Any) -> str | None:
    """The exercise that a graded check cell is for."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    is_check = isinstance(grade_id, str) and grade_id.startswith(CHECK_PREFIX)
    return grade_id.removeprefix(CHECK_PREFIX) if is_check else None


def _outputs(exercise: ExerciseResult, number: int) -> list[Any]:
    panel = Panel(exercise)
    shown = {
        "text/plain": panel.text(),
        "text/html": panel.html(),
        RECORD_TYPE: msgspec.to_builtins(exercise),
    }
    # nbgrader reads the first execute_result that parses as a float; anything else would be full points.
    points = {"text/plain": repr(float(exercise.points))}
    return [
        new_output("display_data", shown),
        new_output("execute_result", points, execution_count=number),
    ]
