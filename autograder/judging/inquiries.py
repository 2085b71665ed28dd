"""Chooses the examples on which a student's code is watched."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from autograder.examples.store import Examples
from autograder.sandbox.axes import shapes_of
from autograder.sandbox.forbidden.operations import Free
from autograder.sandbox.forbidden.reading import called_by_references
from autograder.sandbox.inspection import Inquiry
from autograder.sandbox.protocol import Request
from autograder.sandbox.values import arrays_in
from autograder.testing.assignment import Assignment, Exercise

# Examples a submission and exercise, and entries of one: enough to reach what the function does, and cheap.
SAMPLES = 3
ENTRIES = 200

Sequence = tuple[Request, ...]


def inquiries(assignment: Assignment, examples: Examples) -> Mapping[str, Inquiry]:
    """What to find out about each exercise, by its name.

    Args:
        assignment: any; its rules say what matters.
        examples: the recorded examples of its visible checks.
    """
    return {exercise.name: inquiry(assignment, exercise, examples) for exercise in assignment.exercises}


def inquiry(assignment: Assignment, exercise: Exercise, examples: Examples) -> Inquiry:
    """What to find out about one exercise."""
    names = tuple(other.name for other in assignment.exercises)
    sequences = tuple(_samples(exercise, examples))
    file = assignment.reference.get("__file__")
    free = None if file is None else _called_by_references(Path(file), Path(file).stat().st_mtime_ns, names)
    forbidden = replace(exercise.forbidden, free=free)
    return Inquiry(
        exercise.name,
        forbidden,
        names,
        sequences,
        exercise.on_devices,
        exercise.vectorised,
        exercise.loops_over,
        shapes_of(exercise.name, assignment.reference) if assignment.reference else None,
    )


@lru_cache(maxsize=8)
def _called_by_references(file: Path, modified: int, names: tuple[str, ...]) -> Free:
    return called_by_references(file.read_text(encoding="utf-8"), names)


def _samples(exercise: Exercise, examples: Examples) -> list[Sequence]:
    """The largest moderate example of each of the first checks whose reference raises nothing."""
    chosen: list[Sequence] = []
    for check in exercise.visible:
        recorded = examples.of(exercise.name, check.name)
        if recorded is None or recorded.script is None or len(chosen) == SAMPLES:
            continue
        fitting = [
            sequence
            for sequence, example in zip(recorded.script.sequences, recorded.examples, strict=True)
            if sequence
            and _entries(sequence) <= ENTRIES
            and all(reply.raised is None for reply in example.reference)
            and all(request.kind != "gradient" for request in sequence)  # autograd is the check's, not the student's
        ]
        if fitting:
            chosen.append(max(fitting, key=_entries))
    return chosen


def _entries(sequence: Iterable[Request]) -> int:
    return sum(
        array.numel() if hasattr(array, "numel") else array.size
        for request in sequence
        for array in arrays_in([request.args, request.kwargs])
    )
