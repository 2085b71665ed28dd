"""Searches every check on the reference and on every mistake, and records the examples worth replaying."""

import hashlib
import json
import math
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from autograder.course import Course, load_course
from autograder.examples.codec import encode_answer, encode_question
from autograder.examples.dependencies import reached
from autograder.examples.replay import run_once
from autograder.examples.search import search
from autograder.examples.store import (
    FORMAT,
    Examples,
    ExamplesError,
    Manifest,
    RecordedCheck,
    RecordedExercise,
    Recording,
    file_hash,
    read,
)
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.values import arrays_in
from autograder.sandbox.wire import Pack, decode, encode
from autograder.testing.assignment import Assignment, Exercise, load_assignment
from autograder.testing.declarations import Check
from autograder.testing.results_named import result_names
from autograder.testing.student import Call

PACKAGE = Path(__file__).parent.parent
FIXED_SEED = "0"
# What a check's examples are chosen from; a live search looks further.
DRAWS = 48
# So many of a visible check's released examples are among the private ones, and so many has a check of refusals.
FEW = 3

Values = dict[str, Any]


class BuildError(Exception):
    """An assignment cannot be built; the sentence says what its author has to mend."""


@dataclass(frozen=True)
class Part:
    """The released or the private half of an assignment's recorded examples.

    The released one has the visible checks, drawn with a public seed. The private one has the hidden checks, and the
    visible ones again with the course's own seed, so that knowing the released answers earns nothing.
    """

    course: Course
    name: str
    visible: bool

    @property
    def path(self) -> Path:
        """Where the examples are kept."""
        if self.visible:
            return self.course.assignments_dir / self.name / "examples.npz"
        return self.course.build_dir / "examples" / f"{self.name}.npz"

    @property
    def checks(self) -> Path:
        """The file of checks that they belong to."""
        if self.visible:
            return self.course.assignments_dir / self.name / "checks.py"
        return self.course.solutions_dir / self.name / "hidden.py"

    def checks_of(self, exercise: Exercise) -> tuple[Check, ...]:
        """The checks of an exercise whose examples are in this half."""
        return exercise.visible if self.visible else exercise.checks

    def key(self, exercise: Exercise) -> str:
        """Hash of all that an exercise's examples depend on: content, the testing package, libraries, seed."""
        solutions = self.course.solutions_dir / self.name
        parts = [str(FORMAT), self.seed(), str(self.course.examples.per_check), *_surroundings()]
        owners = {check.owner.__name__ for check in self.checks_of(exercise)}
        words = owners | {mistake.name for mistake in exercise.mistakes} | {exercise.name}
        files = [self.course.assignments_dir / self.name / "checks.py"]
        files += [] if self.visible else [solutions / "hidden.py"]
        for file in (*files, solutions / "mistakes.py", solutions / "reference.py"):
            text, found = reached(file, words)
            words |= found
            parts.append(text)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def seed(self) -> str:
        """The seed of the search: public for released examples, the course's own for private ones."""
        return f"visible {self.name}" if self.visible else f"{course_seed(self.course)} {self.name}"


@cache
def _surroundings() -> tuple[str, ...]:
    """Versions of the libraries, and hashes of our own files, on which all examples depend."""
    ours = [file for folder in ("testing", "examples") for file in sorted((PACKAGE / folder).glob("*.py"))]
    ours += [PACKAGE / "sandbox" / "values.py", PACKAGE / "sandbox" / "inprocess.py"]
    libraries = [f"{library}=={version(library).split('+')[0]}" for library in ("torch", "numpy", "hypothesis")]
    return (*libraries, *map(file_hash, ours))


def course_seed(course: Course) -> str:
    """The course's secret seed, made on first use; under ``CI`` a fixed one."""
    if os.environ.get("CI"):
        return FIXED_SEED
    path = course.private_dir / "seed"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(16) + "\n")
    return path.read_text().strip()


def stale_exercises(part: Part, assignment: Assignment) -> tuple[str, ...]:
    """The exercises whose recorded examples are missing, or were made from something else than there is now."""
    try:
        kept = read(part.path).manifest.exercises
    except ExamplesError:
        kept = {}
    return tuple(e.name for e in assignment.exercises if e.name not in kept or kept[e.name].key != part.key(e))


def record(part: Part, *, jobs: int = 1, advance: Callable[[str], None] = lambda name: None) -> Recording:
    """Searches and records one part of an assignment; exercises that are recorded already keep their examples.

    Args:
        part: which. The private part needs the released one, some of whose examples it takes over.
        jobs: processes that search at the same time.
        advance: called with each exercise's name when it is done.
    Raises:
        BuildError: the reference fails one of its own checks.
    """
    assignment = load_assignment(part.course, part.name)
    stale = stale_exercises(part, assignment)
    chosen: dict[str, dict[str, list[Values]]] = {}
    for name, examples in _chosen(part, assignment, stale, jobs):
        chosen[name] = examples
        advance(name)
    # Loaded again: what a class remembers from the search must not show in the recorded answers.
    assignment = load_assignment(part.course, part.name)
    kept = read(part.path) if len(stale) < len(assignment.exercises) else None
    exercises, data = {}, {}
    for exercise in assignment.exercises:
        if exercise.name in chosen:
            pack = Pack()
            exercises[exercise.name] = _answered(part, exercise, assignment, chosen[exercise.name], pack)
            data[exercise.name] = bytes(pack.data)
        elif kept is not None:
            exercises[exercise.name] = kept.manifest.exercises[exercise.name]
            data[exercise.name] = kept.data[exercise.name]
    return Recording(Manifest(part.name, file_hash(part.checks), exercises), data)


def _chosen(
    part: Part, assignment: Assignment, names: Sequence[str], jobs: int
) -> Iterable[tuple[str, dict[str, list[Values]]]]:
    exercises = [exercise for exercise in assignment.exercises if exercise.name in names]
    if jobs == 1 or len(exercises) < 2:
        for exercise in exercises:
            yield exercise.name, choose(exercise, assignment.reference, part)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        tasks = [pool.submit(_choose_elsewhere, part.course.root, part.name, part.visible, e.name) for e in exercises]
        for task in as_completed(tasks):
            name, trees, data = task.result()
            yield (
                name,
                {
                    check: [
                        {key: decode(tree, memoryview(data), trusted=True) for key, tree in values.items()}
                        for values in examples
                    ]
                    for check, examples in trees.items()
                },
            )


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _choose_elsewhere(root: Path, name: str, visible: bool, exercise: str) -> tuple[str, dict[str, Any], bytes]:
    """In a worker process: values go back encoded, since torch would share pickled tensors through file handles."""
    part = Part(load_course(root), name, visible)
    assignment = load_assignment(part.course, name)
    found = assignment.exercise(exercise)
    assert found is not None
    pack = Pack()
    trees = {
        check: [{key: encode(value, pack) for key, value in values.items()} for values in examples]
        for check, examples in choose(found, assignment.reference, part).items()
    }
    return exercise, trees, bytes(pack.data)


def choose(exercise: Exercise, reference: Mapping[str, Any], part: Part) -> dict[str, list[Values]]:
    """The examples of each check that are worth replaying, smallest first.

    First those that kill mistakes; then edge cases that the check names; then a spread by size. Private examples of a
    visible check begin with a few of the released ones.
    """
    released = None if part.visible else Examples(read(Part(part.course, part.name, True).path))
    killed: set[tuple[str, str, str]] = set()
    chosen = {}
    for check in part.checks_of(exercise):
        recorded = released.of(exercise.name, check.name) if released is not None and check.visible else None
        first = [] if recorded is None else [example.values for example in recorded.examples[:FEW]]
        chosen[check.name] = _choose(check, exercise, reference, part, killed, first)
    return chosen


def _choose(
    check: Check,
    exercise: Exercise,
    reference: Mapping[str, Any],
    part: Part,
    killed: set[tuple[str, str, str]],
    first: list[Values],
) -> list[Values]:
    """The examples of one check; ``killed`` gathers which mistakes the checks of each kind and stage have killed."""
    seed = int.from_bytes(hashlib.sha256(f"{part.seed()} {check.exercise} {check.name}".encode()).digest()[:4], "big")
    draws = search(check, InProcess(reference), seed, draws_at_most=DRAWS)
    for draw in draws:
        if draw.failure is not None:
            raise BuildError(
                f"{part.checks}: the reference fails {check.exercise}.{check.name} on {draw.values}: {draw.failure}"
            )
    pool = sorted({_identity(draw.values): draw.values for draw in draws}.values(), key=size)
    named = [draw.values for draw in draws[: len(getattr(check.test, "hypothesis_explicit_examples", ()))]]
    killers = list(first)
    for mistake in exercise.mistakes:
        runner = InProcess({**reference, exercise.name: mistake.solution}, seconds_per_call=5)
        about = (mistake.name, check.kind, check.stage)
        if about in killed:
            continue
        if any(run_once(check, runner, values)[1] is not None for values in killers):
            killed.add(about)
            continue
        smallest = next((values for values in pool if run_once(check, runner, values)[1] is not None), None)
        if smallest is None:
            continue
        killed.add(about)
        # What students see is made small; a private example is one of those that were drawn.
        found = search(check, runner, seed, named_examples=False) if part.visible else ()
        failing = [draw.values for draw in found if draw.failure is not None]
        killers.append(min([smallest, *failing], key=size))
    # What is refused is given to students and worth little.
    wanted = FEW if check.kind == "refusal" else part.course.examples.per_check
    kept: dict[str, Values] = {}
    for values in [*killers, *named, *_spread(pool, wanted)]:
        if len(kept) < wanted:
            kept.setdefault(_identity(values), values)
    return sorted(kept.values(), key=size)


def _spread(pool: list[Values], count: int) -> list[Values]:
    """Examples from large to small at even distances, the largest first."""
    places = np.linspace(len(pool) - 1, 0, min(count, len(pool))).round().astype(int)
    return [pool[i] for i in places]


def size(values: Values) -> tuple[int, float, str]:
    """How much there is to read in an example: entries, then how large the numbers are, then its text."""
    arrays = arrays_in(values)
    entries = sum(int(np.prod(array.shape)) for array in arrays)
    magnitude = sum(float(np.abs(np.nan_to_num(_float64(array))).sum()) for array in arrays)
    parts = list(_parts(list(values.values())))
    magnitude += sum(min(abs(part), 1e300) for part in parts if isinstance(part, int | float) and not math.isnan(part))
    return entries + len(parts), magnitude, _identity(values)


def _parts(value: Any) -> Iterator[Any]:
    """The numbers, words and other single things inside a value."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)
    elif not arrays_in(value):
        yield value


def _float64(array: Any) -> Any:
    return np.asarray(array.double() if hasattr(array, "double") else array, dtype=np.float64)


def _identity(values: Values) -> str:
    pack = Pack()
    tree = {name: encode(value, pack) for name, value in values.items()}
    return json.dumps(tree) + hashlib.sha256(bytes(pack.data)).hexdigest()


def _answered(
    part: Part, exercise: Exercise, assignment: Assignment, chosen: dict[str, list[Values]], pack: Pack
) -> RecordedExercise:
    """Adds to the chosen examples what the reference and each mistake answer."""
    recorded = {}
    for check in part.checks_of(exercise):
        examples = chosen[check.name]
        asked = [_transcript(check, assignment.reference, values) for values in examples]
        requests: list[list[Any] | None] = [
            [encode_question(call.request, pack) for call in transcript] for transcript in asked
        ]
        reference = [[encode_answer(call, pack) for call in transcript] for transcript in asked]
        mistakes = {}
        for mistake in exercise.mistakes:
            namespace = {**assignment.reference, exercise.name: mistake.solution}
            answers = [
                [encode_answer(call, pack) for call in _transcript(check, namespace, values)] for values in examples
            ]
            mistakes[mistake.name] = [None if a == r else a for a, r in zip(answers, reference, strict=True)]
        trees = [{name: encode(value, pack) for name, value in values.items()} for values in examples]
        recorded[check.name] = RecordedCheck(trees, requests, reference, mistakes)
    says = {mistake.name: mistake.says for mistake in exercise.mistakes}
    returns = result_names(getattr(assignment.reference[exercise.name], "__doc__", None))
    return RecordedExercise(part.key(exercise), recorded, says, returns)


def _transcript(check: Check, namespace: Mapping[str, Any], values: Values) -> tuple[Call, ...]:
    return run_once(check, InProcess(namespace, seconds_per_call=5), values)[0]
