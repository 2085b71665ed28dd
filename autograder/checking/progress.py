"""A student's own notebook checked as a whole, outside the notebook."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from autograder.checking.notebook import limits_beside, load_student_folder
from autograder.feedback.diagnosis import words_of
from autograder.feedback.overview import Overview, overview_of
from autograder.feedback.uses import earlier_of
from autograder.judging.exercise import judge_exercise, replayed
from autograder.judging.inquiries import inquiries
from autograder.judging.judge import run_cells, why_absent
from autograder.judging.kernel import TrustedKernel
from autograder.notebooks.choice import NotebookChoice
from autograder.notebooks.submission import Submission
from autograder.notebooks.unused_imports import without_unused_imports
from autograder.policy.deadline import deadline_beside
from autograder.results import ExerciseResult
from autograder.sandbox.forbidden.reading import Reading
from autograder.testing.assignment import Exercise


def check_submission(
    submission: Submission,
    *,
    kept: Mapping[str, ExerciseResult] | None = None,
    begin: Callable[[str, int], None] = lambda what, steps: None,
    advance: Callable[[], None] = lambda: None,
) -> Overview:
    """Runs the cells of a trusted notebook and then the visible checks beside it.

    Args:
        submission: a notebook in the folder that it came in.
        kept: results, by exercise, that still hold; these exercises are not judged.
        begin, advance: told when a stage of work begins, with its number of steps, and of each step.
    Raises:
        NotebookChoice: the checks beside the notebook are those of another assignment.
        NothingBeside, DeclarationError, ExamplesError: something beside the notebook is missing or damaged.
    """
    kept = kept or {}
    assignment, (examples,) = load_student_folder(submission.path.resolve().parent)
    name = examples.assignment
    if submission.assignment not in (None, name):
        raise NotebookChoice(
            f"{submission.path} is a notebook of {submission.assignment}, but the checks beside it are those of "
            f"{name}: put it back into the folder that it came in."
        )
    kernel = TrustedKernel(limits_beside(assignment.folder))
    begin("running your cells", len(submission.cells))
    failures = run_cells(without_unused_imports(submission.cells), kernel, advance)
    reading = Reading()
    with suppress(RecursionError, MemoryError):  # nested so deeply that it hardly runs either
        for cell in submission.cells:
            reading.take(cell.code)
    written = {cell.name: cell.code for cell in submission.cells if cell.kind == "code"}
    begin("checking", len(assignment.exercises))
    asked = inquiries(assignment, examples)
    results: list[ExerciseResult] = []

    def judge(exercise: Exercise) -> ExerciseResult:
        return judge_exercise(
            exercise,
            exercise.visible,
            kernel.runner,
            replayed(examples),
            words_of(exercise.name, examples),
            uses=reading.uses_of(exercise.name, exercise.forbidden, frozenset(asked)),
            inquiry=asked[exercise.name],
            earlier=lambda: earlier_of(exercise.name, written.get(exercise.name, ""), results),
            absent=why_absent(exercise.name, failures),
        )

    for exercise in assignment.exercises:
        results.append(kept.get(exercise.name) or judge(exercise))
        advance()
    notes = (*submission.notes, *(f"{cell} stopped with {raised}" for cell, raised in failures.items()))
    return overview_of(name, results, notes=notes, deadline=deadline_beside(assignment.folder, name))
