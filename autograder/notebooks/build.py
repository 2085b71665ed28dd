"""Builds an assignment: student notebook, nbgrader source notebook, recorded examples."""

import copy
import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.atomic import write_whole
from autograder.course import Course
from autograder.examples import store
from autograder.examples.choosing import BuildError
from autograder.examples.parts import Part
from autograder.examples.record import Halves, RecordedInPart, kept_recording, record, sayings_of, stale_checks
from autograder.notebooks.course_map import course_map, map_path
from autograder.notebooks.place import place_in
from autograder.notebooks.source import SourceCell, read_source
from autograder.notebooks.stub import solution_cell, stated
from autograder.policy.deadline import deadline_of
from autograder.testing.assignment import Assignment, load_assignment
from autograder.version import VERSION

ANSWER = "YOUR ANSWER HERE"
# So many exercises, and checks of one, are listed where some are stale.
FEW = 3


class UnknownExercise(Exception):
    """An exercise was named that the assignment does not have; the sentence says which it has."""


@dataclass(frozen=True)
class Built:
    """A file that a build wrote, or would have to write."""

    path: Path
    why: str


def source_notebook(course: Course, assignment: Assignment) -> Any:
    """The notebook with solutions and nbgrader's metadata; equal inputs give equal notebooks.

    Raises:
        SourceError: the source cannot be read.
        BuildError: source, checks and reference name different exercises.
    """
    path = course.assignments_dir / assignment.name / f"{assignment.name}.md"
    cells = read_source(path)
    _refuse_other_exercises(path, cells, assignment)
    reference = (course.solutions_dir / assignment.name / "reference.py").read_text(encoding="utf-8")
    built: list[Any] = []
    used: dict[str, int] = {}
    for cell in cells:
        for made in _nbgrader_cells(cell, assignment, reference):
            used[made.id] = used.get(made.id, 0) + 1
            if used[made.id] > 1:
                made.id = f"{made.id}-{used[made.id]}"
            built.append(made)
    about = {**place_in(course, assignment.name, cells), "version": VERSION}
    deadline = deadline_of(course, assignment.name)
    if deadline is not None:
        # Below the title, which is the first cell.
        built.insert(int(cells[0].role == "text"), new_markdown_cell(deadline.markdown(), id="due-date"))
        # A student has no course.toml: `autograder progress` reads this.
        about |= {"due": deadline.due.isoformat(), "late": deadline.late}
    return new_notebook(
        cells=built,
        metadata={
            "autograder": about,
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )


def _refuse_other_exercises(path: Path, cells: tuple[SourceCell, ...], assignment: Assignment) -> None:
    wanted = [exercise.name for exercise in assignment.exercises]
    for role in ("exercise", "check"):
        found = [cell.name for cell in cells if cell.role == role]
        lacking = [name for name in wanted if name not in found]
        extra = [name for name in found if name not in wanted]
        if lacking or extra:
            fault = (
                f"no {role} cell for {lacking[0]!r}"
                if lacking
                else f"{role} cell for {extra[0]!r}, which has no checks"
            )
            raise BuildError(f"{path}: {fault}")


def _nbgrader_cells(cell: SourceCell, assignment: Assignment, reference: str) -> list[Any]:
    match cell.role:
        case "text":
            return [new_markdown_cell(cell.text, id=f"text-{cell.name}"[:64])]
        case "demo":
            return [new_code_cell(cell.text, id=f"demo-{cell.name}")]
        case "setup":
            return [_graded(new_code_cell(cell.text, id="setup"), locked=True)]
        case "exercise":
            code, exercise = (
                solution_cell(reference, cell.name, guards_given=not cell.refuses),
                assignment.exercise(cell.name),
            )
            assert exercise is not None
            says = " ".join([*([f"About {cell.minutes} minutes."] if cell.minutes else []), exercise.rules_say]).strip()
            if code is None:
                raise BuildError(f"{assignment.name}: reference.py does not define {cell.name!r} with def or class")
            return [_graded(new_code_cell(stated(says, code), id=cell.name), solution=True)]
        case "check":
            exercise = assignment.exercise(cell.name)
            assert exercise is not None
            check = new_code_cell(f'check("{cell.name}")', id=f"check-{cell.name}")
            return [_graded(check, locked=True, points=exercise.points)]
        case "question":
            text = new_markdown_cell(cell.text, id=f"question-{cell.name}")
            answer = new_markdown_cell(ANSWER, id=cell.name)
            return [_graded(text, locked=True), _graded(answer, solution=True, points=cell.points)]


def _graded(cell: Any, *, solution: bool = False, locked: bool = False, points: float | None = None) -> Any:
    cell.metadata["nbgrader"] = {
        "grade": points is not None,
        "grade_id": cell.id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points is not None:
        cell.metadata["nbgrader"]["points"] = int(points) if float(points).is_integer() else points
    return cell


def released_notebook(source: Any) -> Any:
    """What `nbgrader generate_assignment` makes of a source notebook, with its own preprocessors."""
    from nbconvert.exporters.exporter import ResourcesDict
    from nbgrader.preprocessors import (
        CheckCellMetadata,
        ClearHiddenTests,
        ClearMarkScheme,
        ClearOutput,
        ClearSolutions,
        ComputeChecksums,
        LockCells,
    )

    steps = [LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums]
    steps += [ClearHiddenTests, ClearMarkScheme, ComputeChecksums, CheckCellMetadata]
    notebook, resources = copy.deepcopy(source), ResourcesDict()
    for step in steps:
        notebook, resources = step().preprocess(notebook, resources)
    return notebook


def notebook_text(notebook: Any) -> str:
    """A notebook as nbconvert writes it."""
    return str(nbformat.writes(notebook, version=4)) + "\n"


def build_assignment(
    course: Course,
    name: str,
    *,
    only: Collection[str] = (),
    write: bool = True,
    jobs: int | None = None,
    begin: Callable[[str, int], None] = lambda what, steps: None,
    advance: Callable[[str], None] = lambda step: None,
) -> tuple[Built, ...]:
    """Builds what is stale: recorded examples, student notebook, nbgrader source.

    What could be recorded is written even where another exercise fails; then the files are built in part only.

    Args:
        course, name: the assignment.
        only: the exercises whose examples are recorded; all by default.
        write: False only says what is stale.
        jobs: processes that search; all cores by default.
        begin, advance: told when a stage begins, with its number of steps, and of each step.
    Returns:
        The files that were, or would be, written; without ``write`` only those that are committed.
    Raises:
        CourseError, DeclarationError, SourceError, BuildError: the author has to mend something.
        UnknownExercise: one of ``only`` is none of the assignment's.
    """
    assignment = load_assignment(course, name)
    _refuse_unknown(assignment, only)
    source = source_notebook(course, assignment)
    parts = [Part(course, name, True), *([Part(course, name, False)] if write else [])]
    stale = [Built(part.path, reason) for part in parts if (reason := _why_stale(part, assignment, only)) is not None]
    if write and stale:
        to_write = [part for part in parts if part.path in {built.path for built in stale}]
        try:
            recorded = record(
                course,
                name,
                only=only,
                jobs=jobs or os.cpu_count() or 1,
                begin=lambda exercises: begin(f"{name}: examples", exercises),
                advance=advance,
            )
        except RecordedInPart as error:
            # What was searched for minutes is not searched again.
            _write_examples(to_write, error.halves)
            raise
        _write_examples(to_write, recorded)
    begin(f"{name}: notebooks", 1)
    student = course.assignments_dir / name / f"{name}.ipynb"
    stale += _put(student, notebook_text(released_notebook(source)), write)
    if write:
        stale += _write_nbgrader_source(course, name, notebook_text(source))
    return tuple(stale)


def _write_examples(parts: Collection[Part], recorded: Halves) -> None:
    for part in parts:
        store.write(part.path, recorded.released if part.visible else recorded.private)


def still_stale(course: Course, name: str) -> tuple[str, ...]:
    """The exercises of which some recorded examples are missing or stale."""
    assignment = load_assignment(course, name)
    parts = Part(course, name, True), Part(course, name, False)
    found = {exercise for part in parts for exercise in stale_checks(part, assignment, kept_recording(part))}
    return tuple(exercise.name for exercise in assignment.exercises if exercise.name in found)


def _refuse_unknown(assignment: Assignment, names: Collection[str]) -> None:
    known = [exercise.name for exercise in assignment.exercises]
    for name in names:
        if name not in known:
            raise UnknownExercise(f"{assignment.name} has no exercise {name!r}, allowed are {', '.join(known)}")


def build_map(course: Course, *, write: bool = True) -> tuple[Built, ...]:
    """Writes the map of a course that has parts, if it is stale; without ``write`` it only says so.

    Raises:
        SourceError: a notebook does not say what it teaches.
    """
    return tuple(_put(map_path(course), course_map(course), write)) if course.parts else ()


def _why_stale(part: Part, assignment: Assignment, only: Collection[str] = ()) -> str | None:
    """Why a part has to be written; of exercises that have changed those of ``only`` are listed."""
    try:
        kept = store.read(part.path)
    except store.ExamplesError as error:
        return "missing" if not part.path.is_file() else str(error)
    changed = stale_checks(part, assignment, kept)
    if changed:
        searched = {exercise: checks for exercise, checks in changed.items() if not only or exercise in only}
        return f"what it was made from has changed: {_listed(searched)}" if searched else "other exercises are stale"
    wanted = {exercise.name: {check.name for check in part.checks_of(exercise)} for exercise in assignment.exercises}
    if {exercise: set(checks) for exercise, checks in kept.checks.items()} != wanted:
        return "a check was removed"
    if kept.sayings != sayings_of(assignment):
        return "what is said of mistakes or results has changed"
    # A comment in the file changes nothing but the hash that ties the two together.
    return None if kept.manifest.checks == store.file_hash(part.checks) else f"{part.checks.name} has changed"


def _listed(changed: Mapping[str, Sequence[str]]) -> str:
    """The first exercises, and the checks of those where it is a few."""
    shown = [
        exercise if len(checks) > FEW else f"{exercise} ({', '.join(checks)})" for exercise, checks in changed.items()
    ]
    return f"{', '.join(shown[:FEW])}{', …' if len(shown) > FEW else ''}"


def files_beside(folder: Path) -> tuple[Path, ...]:
    """What students get beside the notebook, in an assignment's folder."""
    return folder / "checks.py", folder / "examples.npz"


def _write_nbgrader_source(course: Course, name: str, notebook: str) -> list[Built]:
    """The folder that nbgrader releases from: the source notebook and the files students get beside it."""
    folder = course.build_dir / "source" / name
    folder.mkdir(parents=True, exist_ok=True)
    written = _put(folder / f"{name}.ipynb", notebook, True)
    for released in files_beside(course.assignments_dir / name):
        target = folder / released.name
        if not target.is_file() or target.read_bytes() != released.read_bytes():
            shutil.copyfile(released, target)
            written.append(Built(target, "copied"))
    return written


def _put(path: Path, text: str, write: bool) -> list[Built]:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return []
    built = [Built(path, "differs from what its source gives" if path.is_file() else "missing")]
    if write:
        write_whole(path, text.encode())
    return built
