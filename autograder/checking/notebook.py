"""``check()``: finds the caller's functions, replays their checks, shows a panel."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from autograder.checking.placing import Unplaced, assignment_of, grading_course, is_graded
from autograder.course import CourseError, Limits, find_course
from autograder.examples.store import Examples, ExamplesError, read_for
from autograder.feedback.diagnosis import Earlier, words_of
from autograder.feedback.overview import overview_of
from autograder.feedback.panel import Notice, Panel, Progress
from autograder.feedback.plain import say
from autograder.feedback.uses import earlier_of, names_used
from autograder.feedback.visibility import for_student, hidden_are_named
from autograder.judging.again import Functions, with_half_given_back
from autograder.judging.exercise import judge_exercise, replayed
from autograder.judging.inquiries import inquiry
from autograder.judging.recordings import load_recordings
from autograder.notebooks.choice import NothingBeside, require_beside
from autograder.notebooks.start import in_notebook, one_thread
from autograder.points import Points
from autograder.policy.deadline import deadline_beside
from autograder.policy.extensions import read_extensions
from autograder.results import ExerciseResult
from autograder.sandbox.forbidden.live import source_in_namespace, uses_in_namespace
from autograder.sandbox.forbidden.operations import Use
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.inspection import Inquiry
from autograder.testing.assignment import Assignment, Exercise, load_assignment, load_released
from autograder.testing.declarations import Check
from autograder.testing.kinds import DeclarationError

NONE = Points(0.0)


class Ungradable(Exception):
    """nbgrader grades, and a check cannot run; an answer of 0 points would pass for a wrong one."""


class Displayed(Protocol):
    """Something that a notebook or terminal can show."""

    def text(self) -> str: ...


def check_caller(wanted: object, namespace: Mapping[str, Any]) -> float:
    """Checks one exercise, or with None all, of the notebook whose globals are ``namespace``; returns points.

    Of one exercise the panel is shown, of all together one table with the panels folded below.
    While nbgrader grades, hidden checks of the grader's own course are added.

    Args:
        wanted: an exercise's name, or the function or class itself.
        namespace: the notebook's globals.
    Raises:
        Ungradable: nbgrader grades, and there is no such exercise, or nothing to check it with.
    """
    name = wanted if isinstance(wanted, str | None) else _name_of(wanted)
    if name is None and wanted is not None:
        return _refused(_no_exercise(wanted))
    folder = Path.cwd()
    try:
        functions = [own for own, value in namespace.items() if callable(value)]
        assignment, recordings = _content_for(folder, functions if name is None else [name])
    except (CourseError, ExamplesError, DeclarationError, NothingBeside, Unplaced) as error:
        return _refused(str(error))
    exercise = None if name is None else assignment.exercise(name)
    if name is not None and exercise is None:
        return _refused(_unknown(name, assignment))
    with _random_state_kept(), one_thread():
        if exercise is None:
            return _check_all(assignment, namespace, recordings)
        return _check_one(assignment, exercise, namespace, recordings)


def _refused(sentence: str) -> float:
    """Says why nothing is checked."""
    if is_graded():
        raise Ungradable(sentence)
    _show(Notice(sentence))
    return NONE


def _check_one(
    assignment: Assignment, exercise: Exercise, namespace: Mapping[str, Any], recordings: tuple[Examples, ...]
) -> float:
    graded = len(recordings) > 1
    limits = limits_beside(assignment.folder)
    bar = _Bar(len(exercise.checks if graded else exercise.visible), limits.seconds_per_call)
    bar.begin(exercise.name)
    result = _as_shown(_judge(assignment, exercise, namespace, recordings, limits, bar.advance), recordings)
    bar.show(Panel(result, hidden_remain=not graded, with_record=graded))
    return _returned(result.points, result.max_points, graded)


def _check_all(assignment: Assignment, namespace: Mapping[str, Any], recordings: tuple[Examples, ...]) -> float:
    graded = len(recordings) > 1
    name = recordings[0].assignment
    limits = limits_beside(assignment.folder)
    sizes = [len(exercise.checks if graded else exercise.visible) for exercise in assignment.exercises]
    bar = _Bar(sum(sizes), limits.seconds_per_call)
    results: list[ExerciseResult] = []
    for number, exercise in enumerate(assignment.exercises):
        bar.begin(f"{name}, {exercise.name}", sum(sizes[:number]))
        results.append(_judge(assignment, exercise, namespace, recordings, limits, bar.advance, results))
    shown = [_as_shown(result, recordings) for result in results]
    overview = overview_of(name, shown, deadline=deadline_beside(assignment.folder, name), hidden_remain=not graded)
    bar.show(overview)
    return _returned(overview.points, overview.max_points, graded)


def _returned(points: float, full: float, graded: bool) -> float:
    """The value of the cell: nbgrader, which grades by what it shows, needs every digit of it."""
    return float(round(points, 6)) if graded else Points(points, full)


def _judge(
    assignment: Assignment,
    exercise: Exercise,
    namespace: Mapping[str, Any],
    recordings: tuple[Examples, ...],
    limits: Limits,
    advance: Callable[[Check], None] = lambda check: None,
    known: Sequence[ExerciseResult] = (),
) -> ExerciseResult:
    asked = inquiry(assignment, exercise, recordings[0])
    graded = len(recordings) > 1
    runner = InProcess(
        namespace,
        seconds_per_call=limits.seconds_per_call,
        output_characters=limits.output_bytes,
        callbacks=limits.callbacks,
    )

    def earlier() -> Earlier:
        return _earlier(assignment, exercise, namespace, recordings, limits, known)

    def judged(uses: Sequence[Use] = (), inquiry: Inquiry | None = None) -> ExerciseResult:
        return judge_exercise(
            exercise,
            exercise.checks if graded else exercise.visible,
            runner,
            replayed(*recordings),
            words_of(exercise.name, recordings[0]),
            uses=uses,
            inquiry=inquiry,
            earlier=earlier,
            advance=advance,
        )

    def right(names: tuple[str, ...]) -> Functions:
        return {name: assignment.reference[name] for name in names}

    uses = uses_in_namespace(namespace, exercise.name, asked.forbidden, frozenset(asked.judged))
    first = judged(uses, asked)
    # A student has no right versions to put in the place of wrong ones.
    return with_half_given_back(first, earlier, right, runner, judged) if graded else first


def _earlier(
    assignment: Assignment,
    exercise: Exercise,
    namespace: Mapping[str, Any],
    recordings: tuple[Examples, ...],
    limits: Limits,
    known: Sequence[ExerciseResult],
) -> Earlier:
    """Judges the earlier exercises that an exercise uses, and its forward, where their results are not known yet."""
    names = [other.name for other in assignment.exercises]
    source = source_in_namespace(namespace, exercise.name, frozenset(names) - {exercise.name})
    wanted = {*names_used(source, exercise.name), exercise.name.removesuffix("_backward")}
    before = [one for one in assignment.exercises[: names.index(exercise.name)] if one.name in wanted]
    judged = {result.name: result for result in known}
    results = [judged.get(one.name) or _judge(assignment, one, namespace, recordings, limits) for one in before]
    return earlier_of(exercise.name, source, results)


def _as_shown(result: ExerciseResult, recordings: tuple[Examples, ...]) -> ExerciseResult:
    """What the panel may show: while nbgrader grades, hidden checks as the course's policy has it."""
    root = grading_course(Path.cwd())
    if root is None:
        return result
    course, name = find_course(root), recordings[0].assignment
    return for_student(result, hidden_are_named(course, name, read_extensions(course), datetime.now(UTC)))


class _Bar:
    """A bar over a number of checks, and the place where what was found is shown."""

    def __init__(self, total: int, seconds: float) -> None:
        self._bar = Progress("", 0, total, seconds)
        self._replace: Callable[[Displayed], None] | None = None

    def begin(self, name: str, done: int = 0) -> None:
        """Goes on with the checks of another exercise."""
        self._bar = replace(self._bar, name=name, done=done)
        self.show(self._bar)

    def advance(self, check: Check) -> None:
        self._bar = replace(self._bar, done=self._bar.done + 1)
        if self._bar.done < self._bar.total:
            self.show(self._bar)

    def show(self, item: Displayed) -> None:
        """Shows something in the bar's place."""
        if self._replace is None:
            self._replace = _show(item, replaceable=True)
        else:
            self._replace(item)


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Checks seed the global generators; the student's own draws go on as if no check had run."""
    import random

    import numpy as np
    import torch

    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        torch.set_rng_state(kept[2])


def _modified(folder: Path) -> tuple[float, ...]:
    files = (folder / "checks.py", folder / "examples.npz")
    return tuple(file.stat().st_mtime for file in files if file.is_file())


def _content_for(folder: Path, names: list[str]) -> tuple[Assignment, tuple[Examples, ...]]:
    """Checks and examples beside the notebook; when grading, those of the course instead, hidden ones too."""
    root = grading_course(folder)
    if root is None:
        return _beside(folder, _modified(folder))
    course = find_course(root)
    return _of_course(course.root, assignment_of(course, folder.resolve(), names))


@lru_cache(maxsize=4)
def _beside(folder: Path, modified: tuple[float, ...]) -> tuple[Assignment, tuple[Examples, ...]]:
    return load_student_folder(folder)


@lru_cache(maxsize=4)
def _of_course(root: Path, name: str) -> tuple[Assignment, tuple[Examples, ...]]:
    course = find_course(root)
    return load_assignment(course, name), load_recordings(course, name)


def load_student_folder(folder: Path) -> tuple[Assignment, tuple[Examples, ...]]:
    """What a student has beside the notebook.

    Raises:
        NothingBeside, DeclarationError, ExamplesError: something is missing or damaged.
    """
    require_beside(folder)
    return load_released(folder), (read_for(folder / "examples.npz", folder / "checks.py"),)


def limits_beside(folder: Path) -> Limits:
    """The course's limits; the usual ones where there is no ``course.toml``, or one that a student cannot mend."""
    try:
        return find_course(folder).limits
    except CourseError:
        return Limits()


def _name_of(wanted: object) -> str | None:
    """What a function or class is called; None for anything else."""
    name = getattr(wanted, "__name__", None)
    return name if callable(wanted) and isinstance(name, str) else None


def _no_exercise(found: object) -> str:
    kind = type(found).__name__
    return (
        'check() takes the name of an exercise, as in check("softmax"), or the function or class itself; '
        f"this is {'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}."
    )


def _unknown(name: str, assignment: Assignment) -> str:
    names = [exercise.name for exercise in assignment.exercises]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(names)}."
    return f"This notebook has no exercise {name!r}.{hint}"


def _show(item: Displayed, *, replaceable: bool = False) -> Callable[[Displayed], None]:
    """Shows ``item``; what is returned shows another in its place. Outside Jupyter progress is not printed."""
    if not _in_jupyter():
        if not isinstance(item, Progress):
            say(item.text())
        return lambda other: None if isinstance(other, Progress) else say(other.text())
    from IPython.display import display

    if not replaceable:
        display(item)
        return lambda other: None
    handle = display(item, display_id=True)
    replace: Callable[[Displayed], None] = handle.update
    return replace


def _in_jupyter() -> bool:
    return hasattr(in_notebook(), "kernel")
