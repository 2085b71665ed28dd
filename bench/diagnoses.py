"""Prints random mutants of an assignment with what is said of each, to be read: is each sentence true of its mutant?

Run as ``python -m bench.diagnoses NAME [COUNT [SEED]]``. Mutants are judged by the visible checks, as in a notebook,
and as if no mistake were known, so that general diagnoses come to be read.
"""

import random
import sys
from pathlib import Path

from autograder.course import load_course
from autograder.examples.parts import Part
from autograder.examples.store import Examples, read_for
from autograder.feedback.diagnosis import Words
from autograder.judging.exercise import judge_exercise, replayed
from autograder.proving.mutants import Mutant, mutants_of, solution_of
from autograder.results import Diagnosis
from autograder.sandbox.inprocess import InProcess
from autograder.testing.assignment import Assignment, load_assignment

SECONDS_PER_CALL = 2.0


def main(name: str, count: int = 30, seed: int = 0) -> None:
    """Prints so many mutants that a visible check catches."""
    course = load_course(Path(__file__).resolve().parent.parent)
    assignment = load_assignment(course, name)
    part = Part(course, name, visible=True)
    recorded = read_for(part.path, part.checks)
    source = Path(course.root, "solutions", name, "reference.py").read_text()
    mutants = [mutant for exercise in assignment.exercises for mutant in mutants_of(exercise.name, source)]
    random.Random(seed).shuffle(mutants)
    shown = 0
    for mutant in mutants:
        if shown == count:
            return
        try:
            caught, said = _judged(assignment, mutant, recorded)
        except Exception:  # a mutant that cannot even be defined
            continue
        if caught:
            shown += 1
            told = f"[{said.mistake}] {said.says}" if said is not None else "nothing"
            print(f"{shown}. {mutant.id}\n   {told}\n", flush=True)


def _judged(assignment: Assignment, mutant: Mutant, recorded: Examples) -> tuple[bool, Diagnosis | None]:
    """Whether visible checks catch a mutant, and what is said of it in general."""
    exercise = assignment.exercise(mutant.exercise)
    assert exercise is not None
    solution = solution_of(mutant, assignment.reference)
    runner = InProcess({**assignment.reference, exercise.name: solution}, seconds_per_call=SECONDS_PER_CALL)
    words = Words(returns=recorded.returns(exercise.name))
    visible = [check for check in exercise.checks if check.visible]
    result = judge_exercise(exercise, visible, runner, replayed(recorded), words)
    return result.points < exercise.points, result.diagnosis


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
