"""Judges one submission: runs its cells in notebook order, and each exercise at its check cell."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from autograder.course import Course
from autograder.feedback.diagnosis import Earlier, Words, words_of
from autograder.feedback.uses import earlier_among
from autograder.judging.again import Functions, asked_of, with_half_given_back
from autograder.judging.exercise import Trials, judge_exercise, replayed, searched
from autograder.judging.inquiries import inquiries
from autograder.judging.kernel import IN_PROCESS, Kernel, TrustedKernel, WalledKernel, setup_modules
from autograder.judging.recordings import load_recordings
from autograder.notebooks.submission import Cell, capped
from autograder.reading.reader import Reader, order_of
from autograder.reading.records import Read, Rule
from autograder.results import ExerciseResult, Result, Seconds
from autograder.sandbox.forbidden.operations import Use
from autograder.sandbox.inspection import Inquiry
from autograder.sandbox.layers import probe_layers
from autograder.sandbox.limits import memory_limit
from autograder.sandbox.protocol import Raised
from autograder.sandbox.remote import Zygote
from autograder.sandbox.warming import warm
from autograder.sandbox.wire import text_of
from autograder.testing.assignment import Assignment, Exercise, load_assignment

SEARCH_SEED = 0
Device = Literal["cpu", "cuda"]
# What checks may use for one submission: two answers of moderate size can make a huge one when they are multiplied.
JUDGE_MEMORY = 2 << 30
NOTE_LENGTH = 1000


class NoDevice(Exception):
    """This machine does not have the device that was asked for."""


class NoAssignment(Exception):
    """A submission does not say which assignment it answers; says what to do."""


class TooLittleIsolation(Exception):
    """This machine offers fewer layers than the course asks for; says how to go on."""


@dataclass(frozen=True)
class Court:
    """What judging an assignment needs, loaded once for all submissions."""

    course: Course
    assignment: Assignment
    trials: Trials
    words: Mapping[str, Words]
    kernel: Callable[[], Kernel]
    zygote: Zygote | None
    inquiries: Mapping[str, Inquiry]
    reader: Reader
    reference: str
    device: Device = "cpu"

    def close(self) -> None:
        """Ends the zygote."""
        if self.zygote is not None:
            self.zygote.close()


def open_court(
    course: Course,
    name: str,
    *,
    search: bool = False,
    trusted: bool = False,
    device: Device = "cpu",
    zygote: Zygote | None = None,
) -> Court:
    """Loads an assignment and, unless submissions are trusted, starts the zygote behind whose wall they run.

    Args:
        course, name: the assignment.
        search: adds live Hypothesis search to the recorded examples.
        trusted: runs submissions in this process.
        device: where submissions get their tensors.
        zygote: one that was started before, which the court takes over.
    Raises:
        NoDevice: this machine has no such device.
        TooLittleIsolation: a layer of the course's minimum does not work here.
        CourseError, DeclarationError, ExamplesError: the course has to be mended or built first.
        SandboxError: the zygote does not start.
    """
    from autograder.notebooks.released import released_of  # with nbformat, for which no student should wait

    require_device(device)
    assignment = load_assignment(course, name)
    visible, hidden = load_recordings(course, name)
    trials = replayed(visible, hidden)
    if search:
        trials = searched(trials, SEARCH_SEED)
    words = {exercise.name: words_of(exercise.name, visible) for exercise in assignment.exercises}
    asked = inquiries(assignment, visible)
    rules = tuple(Rule.of(exercise, inquiry.forbidden) for exercise, inquiry in asked.items())
    order = order_of(course.limits, name, released_of(course, name), rules)
    reference = (course.solutions_dir / name / "reference.py").read_text(encoding="utf-8")
    if trusted:
        warm()
        kernel: Callable[[], Kernel] = partial(TrustedKernel, course.limits, device)
        return Court(course, assignment, trials, words, kernel, None, asked, Reader(None, order), reference, device)
    require_isolation(course)
    # A check's tensors are small: a pool of threads would only spin, and beside other workers cost milliseconds a call.
    torch.set_num_threads(1)
    started = zygote or Zygote()
    started.preload(setup_modules(course, name))
    kernel = partial(WalledKernel, started, course.limits, device)
    return Court(course, assignment, trials, words, kernel, started, asked, Reader(started, order), reference, device)


def require_device(device: Device) -> None:
    """Raises `NoDevice` unless torch can use the device here."""
    if device == "cuda" and not torch.cuda.is_available():
        raise NoDevice("--device is cuda, but torch finds no GPU here; `autograder doctor` says why.")


def require_isolation(course: Course) -> None:
    """Raises `TooLittleIsolation` unless every layer of the course's minimum works on this machine."""
    if not course.isolation.minimum:
        return
    probes = probe_layers(course.isolation.minimum)
    for name in course.isolation.minimum:
        if not probes[name].on:
            raise TooLittleIsolation(
                f"The layer {name} is off here ({probes[name].why}), and course.toml asks for it (isolation.minimum): "
                "run `autograder doctor`, or grade with --trust-submissions if you trust every submission."
            )


def judge(
    course: Course,
    name: str | None,
    path: Path,
    *,
    search: bool = False,
    trusted: bool = False,
    device: Device = "cpu",
) -> Result:
    """All checks, visible and hidden, on one submission: a notebook or a Python file. See `open_court`.

    Args:
        course, name: the assignment; None for the one that the submission names.
        path: the submission.
    Raises:
        UnreadableSubmission: the submission cannot be read.
        NoAssignment: it names none.
    """
    if not trusted:
        require_isolation(course)
    zygote = None if trusted else Zygote()
    try:
        named = name or Reader(zygote, order_of(course.limits, "", None)).read(path).assignment
        if named is None:
            raise NoAssignment(f"{path} does not say which assignment it answers: give --assignment NAME.")
        court = open_court(course, named, search=search, trusted=trusted, device=device, zygote=zygote)
        return judge_submission(court, path, court.reader.read(path))
    finally:
        if zygote is not None:
            zygote.close()


def judge_submission(court: Court, path: Path, submission: Read) -> Result:
    """Judges a submission that was read before, see `Court.reader`."""
    wall, cpu = time.perf_counter(), time.process_time()
    kernel, references = court.kernel(), _References(court)
    try:
        with nullcontext() if court.zygote is None else memory_limit(JUDGE_MEMORY):
            results, notes = _judge(court, submission, kernel, references)
        isolation = kernel.isolation
    finally:
        kernel.close()
        references.close()
    exercises = tuple(results[exercise.name] for exercise in court.assignment.exercises)
    seconds = Seconds(
        round(time.process_time() - cpu + kernel.cpu + references.cpu, 4), round(time.perf_counter() - wall, 4)
    )
    said = (*submission.notes, *([] if isolation else [IN_PROCESS]), *notes)
    return Result(
        assignment=court.assignment.name,
        submission=str(path),
        sha256=submission.sha256,
        score=round(sum(exercise.points for exercise in exercises), 6),
        max_score=court.assignment.max_score,
        seconds=seconds,
        isolation=isolation,
        notes=capped([text_of(note, NOTE_LENGTH) for note in said], court.course.limits),
        exercises=exercises,
    )


class _References:
    """The right functions, in a kernel of their own that starts when one is first needed."""

    def __init__(self, court: Court) -> None:
        self._court = court
        self._kernel: Kernel | None = None

    def functions(self, names: tuple[str, ...]) -> Functions:
        if self._kernel is None:
            self._kernel = self._court.kernel()
            self._kernel.run(Cell("code", "reference", self._court.reference))
        return asked_of(self._kernel.runner, names)

    def close(self) -> None:
        if self._kernel is not None:
            self._kernel.close()

    @property
    def cpu(self) -> float:
        return 0.0 if self._kernel is None else self._kernel.cpu


def _judge(
    court: Court, submission: Read, kernel: Kernel, references: _References
) -> tuple[dict[str, ExerciseResult], list[str]]:
    failures: dict[str, Raised] = {}
    results: dict[str, ExerciseResult] = {}

    def judge_one(exercise: Exercise) -> None:
        found = submission.found[exercise.name]

        def earlier() -> Earlier:
            return earlier_among(found.mentions, results.values())

        def judged(uses: Sequence[Use] = (), inquiry: Inquiry | None = None) -> ExerciseResult:
            return judge_exercise(
                exercise,
                exercise.checks,
                kernel.runner,
                court.trials,
                court.words[exercise.name],
                uses=uses,
                inquiry=inquiry,
                earlier=earlier,
                absent=why_absent(exercise.name, failures),
                device=court.device,
            )

        first = judged(found.uses, court.inquiries[exercise.name])
        results[exercise.name] = with_half_given_back(first, earlier, references.functions, kernel.runner, judged)

    exercises = {exercise.name: exercise for exercise in court.assignment.exercises}
    for cell in submission.cells:
        if cell.kind == "check":
            judge_one(exercises[cell.name])
        elif (raised := kernel.run(cell)) is not None:
            failures[cell.name] = raised
    return results, [f"{name} stopped with {raised}" for name, raised in failures.items()]


def why_absent(name: str, failures: dict[str, Raised]) -> str:
    """What to say if ``name`` is not defined: the failure of its cell, or of the only cell that failed."""
    failure = failures.get(name)
    if failure is not None:
        return f"Its cell stopped with {failure}."
    if len(failures) == 1:
        ((cell, only),) = failures.items()
        return f"`{name}` is not defined; {cell} stopped with {only}."
    return ""


def run_cells(cells: tuple[Cell, ...], kernel: Kernel, advance: Callable[[], None]) -> dict[str, Raised]:
    """Runs a submission's code without judging; what each failing cell raised."""
    failures = {}
    for cell in cells:
        if cell.kind == "code" and (raised := kernel.run(cell)) is not None:
            failures[cell.name] = raised
        advance()
    return failures
