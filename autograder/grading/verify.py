"""Proves an assignment: stubs fail, references pass, every mistake dies, every alternative passes."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from autograder.course import Course
from autograder.grading.exercise import Trials, judge_exercise, replayed, searched
from autograder.grading.notebook import load_recordings
from autograder.notebooks.build import source_notebook
from autograder.results import ExerciseResult
from autograder.sandbox.inprocess import InProcess
from autograder.testing.assignment import Assignment, Exercise, load_assignment
from autograder.testing.declarations import Check

SECONDS_PER_CALL = 5.0


class Verified(Struct, frozen=True):
    """What was proven of one assignment; each breach is a sentence."""

    name: str
    exercises: int
    checks: int
    mistakes: int
    mistakes_caught: int
    mistakes_caught_visible: int
    mistakes_named: int
    alternatives: int
    breaches: tuple[str, ...]
    notebook_seconds: float | None


class Verification(Struct, frozen=True):
    """The published record of `autograder verify --json`, version 1."""

    assignments: int
    exercises: int
    checks: int
    mistakes: int
    mistakes_caught: int
    mistakes_caught_visible: int
    mistakes_named: int
    alternatives: int
    breaches: tuple[str, ...]
    per_assignment: tuple[Verified, ...]
    schema: int = 1


def summarize(verified: Iterable[Verified]) -> Verification:
    """Adds the assignments up."""
    each = tuple(verified)

    def total(field: str) -> int:
        return sum(getattr(one, field) for one in each)

    return Verification(
        assignments=len(each),
        exercises=total("exercises"),
        checks=total("checks"),
        mistakes=total("mistakes"),
        mistakes_caught=total("mistakes_caught"),
        mistakes_caught_visible=total("mistakes_caught_visible"),
        mistakes_named=total("mistakes_named"),
        alternatives=total("alternatives"),
        breaches=tuple(f"{one.name}: {breach}" for one in each for breach in one.breaches),
        per_assignment=each,
    )


def to_json(verification: Verification) -> str:
    return msgspec.json.format(msgspec.json.encode(verification), indent=1).decode()


def verify_assignment(
    course: Course,
    name: str,
    *,
    search: bool = False,
    notebook: bool = True,
    begin: Callable[[str, int], None] = lambda what, steps: None,
    advance: Callable[[str], None] = lambda step: None,
) -> Verified:
    """Proves one assignment.

    Args:
        course, name: the assignment, built before.
        search: judges by live Hypothesis search too, and compares it with replay.
        notebook: runs the source notebook top to bottom.
        begin, advance: told of the number of steps, and of each.
    """
    assignment = load_assignment(course, name)
    recordings = load_recordings(course, name)
    proof = _Proof(assignment, replayed(*recordings), search)
    begin(name, len(assignment.exercises) + notebook)
    for exercise in assignment.exercises:
        proof.of(exercise, recordings[0].says(exercise.name))
        advance(exercise.name)
    seconds = None
    if notebook:
        seconds, breach = run_source_notebook(course, assignment)
        proof.breaches.extend(breach)
        advance("the source notebook")
    counts = proof.counts
    return Verified(
        name,
        len(assignment.exercises),
        sum(len(exercise.checks) for exercise in assignment.exercises),
        counts["mistakes"],
        counts["caught"],
        counts["caught_visible"],
        counts["named"],
        counts["alternatives"],
        tuple(proof.breaches),
        seconds,
    )


class _Proof:
    """Counts and breaches, exercise by exercise."""

    def __init__(self, assignment: Assignment, trials: Trials, search: bool) -> None:
        self._assignment = assignment
        self._trials = trials
        self._search = searched(trials, seed=1) if search else None
        self.counts = dict.fromkeys(("mistakes", "caught", "caught_visible", "named", "alternatives"), 0)
        self.breaches: list[str] = []

    def of(self, exercise: Exercise, says: dict[str, str]) -> None:
        if len(exercise.mistakes) < 3:
            self._breach(exercise, f"has {len(exercise.mistakes)} mistakes, at least 3 are needed")
        if not exercise.alternatives:
            self._breach(exercise, "has no alternative, at least 1 is needed")
        stub = self._judge(exercise, _stub(exercise.name), exercise.checks, says)
        if stub.points > 0:
            self._breach(exercise, f"the stub gets {stub.points} points")
        self._passes(exercise, "the reference", self._assignment.reference[exercise.name], says)
        for alternative in exercise.alternatives:
            self.counts["alternatives"] += 1
            self._passes(exercise, f"the alternative {alternative.name}", alternative.solution, says)
        for mistake in exercise.mistakes:
            result = self._judge(exercise, mistake.solution, exercise.checks, says)
            seen = self._judge(exercise, mistake.solution, exercise.visible, says)
            caught = result.points < exercise.points
            self.counts["mistakes"] += 1
            self.counts["caught"] += caught
            self.counts["caught_visible"] += seen.points < exercise.points
            self.counts["named"] += result.diagnosis is not None and result.diagnosis.mistake == mistake.name
            if not caught:
                self._breach(exercise, f"the mistake {mistake.name} gets full points")
            self._agrees(exercise, mistake.name, mistake.solution, says, caught)

    def _passes(self, exercise: Exercise, what: str, solution: Any, says: dict[str, str]) -> None:
        result = self._judge(exercise, solution, exercise.checks, says)
        if result.points != exercise.points:
            failed = next(check for check in result.checks if check.status != "passed")
            self._breach(exercise, f"{what} fails {failed.name}: {failed.message} {failed.counterexample or ''}")
        self._agrees(exercise, what, solution, says, result.points < exercise.points)

    def _agrees(self, exercise: Exercise, what: str, solution: Any, says: dict[str, str], lost: bool) -> None:
        """Replay and live search have to agree on whether points are lost."""
        if self._search is None:
            return
        runner = InProcess(self._with(exercise, solution), seconds_per_call=SECONDS_PER_CALL)
        live = judge_exercise(exercise, exercise.checks, runner, self._search, says)
        if (live.points < exercise.points) != lost:
            self._breach(exercise, f"{what}: live search and replay disagree ({live.points} points live)")

    def _judge(
        self, exercise: Exercise, solution: Any, checks: tuple[Check, ...], says: dict[str, str]
    ) -> ExerciseResult:
        runner = InProcess(self._with(exercise, solution), seconds_per_call=SECONDS_PER_CALL)
        return judge_exercise(exercise, checks, runner, self._trials, says)

    def _with(self, exercise: Exercise, solution: Any) -> Mapping[str, Any]:
        return {**self._assignment.reference, exercise.name: solution}

    def _breach(self, exercise: Exercise, sentence: str) -> None:
        self.breaches.append(f"{exercise.name}: {sentence}")


def _stub(name: str) -> Callable[..., Any]:
    def stub(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    stub.__name__ = name
    return stub


def run_source_notebook(course: Course, assignment: Assignment) -> tuple[float, list[str]]:
    """Runs the notebook with its solutions in a real kernel; seconds it took, and a breach for each failed cell."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    folder = course.assignments_dir / assignment.name
    notebook = source_notebook(course, assignment)
    start = time.perf_counter()
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    try:
        client.execute()
    except CellExecutionError as error:
        return time.perf_counter() - start, [f"the source notebook stops: {error.ename}: {error.evalue}"]
    return round(time.perf_counter() - start, 1), list(_wrong_points(notebook, assignment))


def _wrong_points(notebook: Any, assignment: Assignment) -> Iterable[str]:
    points = {f"check-{exercise.name}": exercise.points for exercise in assignment.exercises}
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        if any(output.get("name") == "stderr" for output in outputs):
            yield f"cell {cell.id} of the source notebook writes to stderr"
        if cell.id in points:
            values = [output.data["text/plain"] for output in outputs if output.output_type == "execute_result"]
            if values != [repr(float(points[cell.id]))]:
                yield f"cell {cell.id} of the source notebook gives {values}, not {points[cell.id]}"
