"""Records an assignment's examples: what is stale, check by check, searched in parallel by exercise."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from autograder.course import Course, load_course
from autograder.examples.answers import answered
from autograder.examples.choosing import BuildError, choose
from autograder.examples.parts import Part
from autograder.examples.store import (
    Examples,
    ExamplesError,
    Manifest,
    RecordedCheck,
    Recording,
    Sayings,
    file_hash,
    read,
)
from autograder.testing.assignment import Assignment, load_assignment, load_solutions
from autograder.testing.results_named import result_names

# Names of checks by exercise.
Stale = dict[str, tuple[str, ...]]
Made = dict[str, RecordedCheck]
# What becomes of an exercise: the checks of both halves, or why there are none.
Outcome = tuple[Made, Made] | BuildError


class Task(NamedTuple):
    """The stale checks of one exercise, in both halves of the recorded examples."""

    exercise: str
    released: tuple[str, ...]
    private: tuple[str, ...]


class Halves(NamedTuple):
    """The recordings of both halves."""

    released: Recording
    private: Recording


class RecordedInPart(BuildError):
    """Some exercises could not be recorded: a sentence for each, and what was made of the others."""

    def __init__(self, sentences: str, halves: Halves) -> None:
        super().__init__(sentences)
        self.halves = halves


def kept_recording(part: Part) -> Recording:
    """What is recorded of a part; nothing where the file is missing or cannot be used."""
    try:
        return read(part.path)
    except ExamplesError:
        return Recording(Manifest(part.name, ""), {}, {})


def stale_checks(part: Part, assignment: Assignment, kept: Recording) -> Stale:
    """The checks, by exercise, that are not recorded, or were recorded from something else than there is now."""
    stale = {}
    for exercise in assignment.exercises:
        there = kept.checks.get(exercise.name, {})
        names = [
            check.name
            for check in part.checks_of(exercise)
            if check.name not in there or there[check.name].key != part.key(exercise, check)
        ]
        if names:
            stale[exercise.name] = tuple(names)
    return stale


def sayings_of(assignment: Assignment) -> dict[str, Sayings]:
    """What is said of each exercise."""
    return {
        exercise.name: Sayings(
            {mistake.name: mistake.says for mistake in exercise.mistakes},
            result_names(getattr(assignment.reference[exercise.name], "__doc__", None)),
        )
        for exercise in assignment.exercises
    }


def record(
    course: Course,
    name: str,
    *,
    only: Collection[str] = (),
    jobs: int = 1,
    begin: Callable[[int], None] = lambda exercises: None,
    advance: Callable[[str], None] = lambda exercise: None,
) -> Halves:
    """Searches and records the checks of an assignment that are stale; the others keep their examples.

    Args:
        course, name: the assignment.
        only: the exercises to record; all by default.
        jobs: processes that search at the same time.
        begin: told of the number of exercises that have to be searched.
        advance: told of each exercise when it is done.
    Raises:
        RecordedInPart: references fail one of their own checks; their exercises keep what they had and stay stale.
        BuildError: the same, and nothing else was recorded.
    """
    assignment = load_assignment(course, name)
    parts = Part(course, name, True), Part(course, name, False)
    kept = Halves(*map(kept_recording, parts))
    stale = [stale_checks(part, assignment, recording) for part, recording in zip(parts, kept, strict=True)]
    names = [exercise.name for exercise in assignment.exercises if not only or exercise.name in only]
    tasks = [Task(e, *(of_part.get(e, ()) for of_part in stale)) for e in names if any(e in s for s in stale)]
    begin(len(tasks))
    made: dict[str, tuple[Made, Made]] = {}
    failed: dict[str, str] = {}
    for exercise, outcome in _made(course, assignment, tasks, kept.released, jobs):
        if isinstance(outcome, BuildError):
            failed[exercise] = str(outcome)
        else:
            made[exercise] = outcome
        advance(exercise)
    halves = Halves(
        *(
            _merged(part, assignment, recording, {e: both[number] for e, both in made.items()}, of_part.keys())
            for number, (part, recording, of_part) in enumerate(zip(parts, kept, stale, strict=True))
        )
    )
    if failed:
        sentences = "\n".join(failed[task.exercise] for task in tasks if task.exercise in failed)
        raise RecordedInPart(sentences, halves) if made else BuildError(sentences)
    return halves


def _merged(
    part: Part, assignment: Assignment, kept: Recording, made: Mapping[str, Made], stale: Collection[str]
) -> Recording:
    """What was made, and for the rest what was kept; it belongs to the checks only if nothing stale is among it."""
    checks = {}
    for exercise in assignment.exercises:
        there = {**kept.checks.get(exercise.name, {}), **made.get(exercise.name, {})}
        checks[exercise.name] = {c.name: there[c.name] for c in part.checks_of(exercise) if c.name in there}
    belongs = file_hash(part.checks) if set(stale) <= made.keys() else ""
    return Recording(Manifest(part.name, belongs), sayings_of(assignment), checks)


def _made(
    course: Course, assignment: Assignment, tasks: list[Task], released: Recording, jobs: int
) -> Iterator[tuple[str, Outcome]]:
    """What each task makes, as it is done."""
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield task.exercise, _outcome(course, assignment, released, task)
        return
    # A clean process imports everything once, and each worker is forked from it.
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context, initializer=_one_thread) as pool:
        waiting = [pool.submit(_make_elsewhere, course.root, assignment.name, task) for task in tasks]
        for done in as_completed(waiting):
            yield done.result()


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _make_elsewhere(root: Path, name: str, task: Task) -> tuple[str, Outcome]:
    """In a worker process."""
    return task.exercise, _outcome(*_loaded(root, name), task)


@lru_cache(maxsize=1)
def _loaded(root: Path, name: str) -> tuple[Course, Assignment, Recording]:
    course = load_course(root)
    return course, load_assignment(course, name), kept_recording(Part(course, name, True))


def _outcome(course: Course, assignment: Assignment, released: Recording, task: Task) -> Outcome:
    """A fault is returned, so that one exercise's does not end the search of the others."""
    try:
        return _make(course, assignment, released, task)
    except BuildError as error:
        return error


def _make(course: Course, assignment: Assignment, released: Recording, task: Task) -> tuple[Made, Made]:
    """Records the stale checks of one exercise, the released ones first: some examples are in both halves."""
    exercise = assignment.exercise(task.exercise)
    assert exercise is not None
    # Loaded again: what a class remembers from the search must not show in the recorded answers.
    fresh = load_solutions(course, assignment.name)

    def half(part: Part, names: Collection[str], known: Examples) -> Made:
        made = {}
        for check in part.checks_of(exercise):
            if check.name in names:
                released = known.of(exercise.name, check.name)
                chosen = choose(check, exercise, assignment.reference, part, released)
                made[check.name] = answered(check, *fresh.of(exercise.name), chosen, part.key(exercise, check))
        return made

    none = Recording(released.manifest, {}, {})
    made = half(Part(course, assignment.name, True), task.released, Examples(none))
    there = {exercise.name: {**released.checks.get(exercise.name, {}), **made}}
    known = Examples(msgspec.structs.replace(none, checks=there))
    return made, half(Part(course, assignment.name, False), task.private, known)
