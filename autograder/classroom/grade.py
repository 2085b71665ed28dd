"""Judges a class: in parallel, resumable, nothing twice. Results are kept by what they depend on."""

import ctypes
import hashlib
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import msgspec
from msgspec import Struct

from autograder.atomic import in_place_of, write_whole
from autograder.classroom.submitted import Submitted, submitted_folder
from autograder.course import Course, load_course
from autograder.examples.parts import Part
from autograder.examples.store import file_hash
from autograder.judging.judge import Court, Device, judge_submission, open_court
from autograder.notebooks.handed_in import is_inside, misplaced, why_nothing
from autograder.notebooks.submission import UnreadableSubmission
from autograder.reading.records import Page, Read
from autograder.results import Result
from autograder.sandbox.remote import SandboxError
from autograder.version import program

PR_SET_PDEATHSIG = 1
KILLED = "the grading process was killed while it was judged, and once more when it was judged by itself"


@dataclass(frozen=True)
class Judged:
    """A submission with its result, or the reason why there is none.

    Attributes:
        student, path, submitted: the submission.
        result: what was judged; None if it could not be.
        reason: why there is no result.
        again: whether it was judged now, rather than taken from an earlier run.
        page: what nbgrader is to keep of it, as it was read for judging; None if it was not read now.
    """

    student: str
    path: Path
    submitted: str | None
    result: Result | None
    reason: str = ""
    again: bool = True
    page: Page | None = None


class Verdict(Struct, frozen=True):
    """What came of judging one file: a result and its page, or why there are none; see `Judged`."""

    result: Result | None = None
    page: Page | None = None
    reason: str = ""


@dataclass(frozen=True)
class Manner:
    """How a class is judged.

    Attributes:
        search: adds live Hypothesis search.
        trusted: runs submissions without a wall.
        device: where submissions get their tensors.
    """

    search: bool = False
    trusted: bool = False
    device: Device = "cpu"

    def court(self, course: Course, name: str) -> Court:
        return open_court(course, name, search=self.search, trusted=self.trusted, device=self.device)


# Whoever judges submissions, as they finish: this process, several here, or the workers of a cluster.
Judges = Callable[[Sequence[Submitted]], Iterator[Judged]]


@dataclass(frozen=True)
class Brief:
    """What a summary says of a submission: whether it was judged, whether now, and else why not."""

    student: str
    is_judged: bool
    again: bool
    reason: str


class Kept(Struct, frozen=True):
    """A result on disk, with the key of all that it depends on."""

    key: str
    result: Result


def checks_key(course: Course, name: str, manner: Manner) -> str:
    """Hash of all that a result depends on beside the submission: checks, limits, isolation, program, libraries."""
    solutions, folder = course.solutions_dir / name, course.assignments_dir / name
    parts = [*program().values(), repr(manner), repr(course.limits), repr(course.isolation)]
    files = (folder / f"{name}.ipynb", folder / "checks.py", solutions / "hidden.py", solutions / "reference.py")
    parts += [file_hash(file) for file in files if file.is_file()]
    parts += [file_hash(Part(course, name, visible).path) for visible in (True, False)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def grade_class(
    course: Course,
    name: str,
    class_: Sequence[Submitted],
    manner: Manner,
    judges: Judges,
    *,
    force: bool = False,
    keep: bool = True,
) -> Iterator[Judged]:
    """Judges submissions, as they finish; one that cannot be judged stops no other.

    A result that was kept is taken as it is, unless ``force``. Every new one is kept at once, so that a run which
    was interrupted goes on where it stopped.

    Args:
        course, name: the assignment, built before.
        class_: the submissions.
        manner: how they are judged.
        judges: whoever judges them, in this manner; see `here`.
        force: judges again what was judged before.
        keep: False keeps no result.
    """
    key = checks_key(course, name, manner)
    waiting = []
    for submission in class_:
        kept = None if force else _kept(course, name, submission, key)
        if kept is None:
            waiting.append(submission)
        else:
            yield Judged(submission.student, submission.path, submission.submitted, kept, again=False)
    for done in judges(waiting):
        if keep and done.result is not None:
            _keep(course, name, done, key)
        yield done


def here(course: Course, name: str, manner: Manner, jobs: int) -> Judges:
    """Judges on this machine, in so many processes."""

    def judged(waiting: Sequence[Submitted]) -> Iterator[Judged]:
        if jobs == 1 or len(waiting) <= 1:
            return _one_by_one(course, name, waiting, manner)
        return _side_by_side(course, name, waiting, manner, jobs)

    return judged


def _one_by_one(course: Course, name: str, waiting: Sequence[Submitted], manner: Manner) -> Iterator[Judged]:
    if not waiting:
        return
    court = manner.court(course, name)
    try:
        for submission in waiting:
            try:
                yield _judge_one(court, submission)
            except SandboxError:
                court.close()
                court = manner.court(course, name)
                yield _judge_one(court, submission)
    finally:
        court.close()


def _side_by_side(
    course: Course, name: str, waiting: Sequence[Submitted], manner: Manner, jobs: int
) -> Iterator[Judged]:
    """Judges in several processes. When one is killed, whatever was being judged then is judged once more by itself.

    So a submission that kills its process costs no other one anything, and it alone is reported.
    """
    while waiting:
        left: list[Submitted] = []
        suspects: list[Submitted] = []
        for submission, judged, was_begun in _in_pool(course, name, waiting, manner, jobs):
            if judged is not None:
                yield judged
            else:
                (suspects if was_begun else left).append(submission)
        for submission in suspects or left[:1]:
            for _, judged, _ in _in_pool(course, name, [submission], manner, 1):
                yield judged or unjudged(submission, KILLED)
        waiting = left if suspects else left[1:]


def _in_pool(
    course: Course, name: str, waiting: Sequence[Submitted], manner: Manner, jobs: int
) -> Iterator[tuple[Submitted, Judged | None, bool]]:
    """What came of each submission; None where a process was killed, and whether it was being judged then."""
    with (
        tempfile.TemporaryDirectory(prefix="autograder-") as begun,
        ProcessPoolExecutor(
            min(jobs, len(waiting)),
            mp_context=get_context("spawn"),
            initializer=_end_with_parent,
            initargs=(os.getpid(),),
        ) as pool,
    ):
        marks = {submission.student: Path(begun) / str(number) for number, submission in enumerate(waiting)}
        running: dict[Future[Judged], Submitted] = {
            pool.submit(_judge_in_worker, course.root, name, manner, submission, marks[submission.student]): submission
            for submission in waiting
        }
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                submission = running.pop(future)
                try:
                    yield submission, future.result(), True
                except BrokenProcessPool:
                    yield submission, None, marks[submission.student].exists()


def _end_with_parent(parent: int) -> None:
    """A worker must not outlive the grader, nor take its Ctrl-C for itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it was killed while this process started


@lru_cache(maxsize=1)
def _court(root: Path, name: str, manner: Manner) -> Court:
    """A worker's own court, opened at its first submission."""
    return manner.court(load_course(root), name)


def _judge_in_worker(root: Path, name: str, manner: Manner, submission: Submitted, mark: Path) -> Judged:
    """Judges a submission; the file ``mark`` is there meanwhile, and stays if this process is killed."""
    mark.touch()
    try:
        return _judge_in_court(root, name, manner, submission)
    finally:
        mark.unlink()


def _judge_in_court(root: Path, name: str, manner: Manner, submission: Submitted) -> Judged:
    try:
        return _judge_one(_court(root, name, manner), submission)
    except SandboxError:
        _court(root, name, manner).close()
        _court.cache_clear()
        return _judge_one(_court(root, name, manner), submission)


def _judge_one(court: Court, submission: Submitted) -> Judged:
    missing, beside = found(court.course, court.assignment.name, submission)
    if missing is not None:
        return missing
    return as_judged(submission, verdict(court, submission.path, partial(court.reader.read, submission.path, beside)))


def found(course: Course, name: str, submission: Submitted) -> tuple[Judged | None, tuple[str, ...]]:
    """What is to be said of a submission if it has no file of its own, and notes on the file if it has one."""
    folder = submitted_folder(course, name, submission.student)
    if not (submission.path.is_file() and is_inside(submission.path, folder)):
        return unjudged(submission, why_nothing(folder, name)), ()
    return None, misplaced(submission.path, folder, name)


def verdict(court: Court, path: Path, read: Callable[[], Read]) -> Verdict:
    """What comes of a file that ``read`` takes apart; ``path`` is where it was handed in."""
    try:
        taken_apart = read()
        with warnings.catch_warnings():
            # What torch has to tell the author of a check is nothing for the person who grades.
            warnings.simplefilter("ignore")
            return Verdict(judge_submission(court, path, taken_apart), taken_apart.page)
    except UnreadableSubmission as error:
        return Verdict(reason=str(error))


def as_judged(submission: Submitted, reached: Verdict) -> Judged:
    """A submission with what came of judging its file."""
    return Judged(
        submission.student,
        submission.path,
        submission.submitted,
        reached.result,
        reached.reason,
        page=reached.page,
    )


def unjudged(submission: Submitted, reason: str) -> Judged:
    """A submission without a result."""
    return as_judged(submission, Verdict(reason=reason))


def _place(course: Course, name: str, student: str) -> Path:
    return course.private_dir / "results" / name / f"{student}.json"


def _kept(course: Course, name: str, submission: Submitted, key: str) -> Result | None:
    """The kept result of the very same submission and checks; a damaged one counts as none."""
    try:
        kept = msgspec.json.decode(_place(course, name, submission.student).read_bytes(), type=Kept)
        with submission.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, msgspec.DecodeError, ValueError):
        return None
    return kept.result if (kept.key, kept.result.sha256) == (key, sha256) else None


def _keep(course: Course, name: str, judged: Judged, key: str) -> None:
    assert judged.result is not None
    write_whole(_place(course, name, judged.student), msgspec.json.encode(Kept(key, judged.result)))


class Lines:
    """Writes ``private/results/NAME.jsonl``: a line for each submission, judged or not, in the order of names.

    Of a line that is written only its place is held, so that a class of any size fits.
    """

    def __init__(self, course: Course, name: str) -> None:
        self.path = course.private_dir / "results" / f"{name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._unsorted = tempfile.TemporaryFile(dir=self.path.parent)  # noqa: SIM115 - closed by `finish`
        self._places: list[tuple[str, int, int]] = []

    def add(self, judged: Judged) -> None:
        """Writes one line."""
        line = as_line(judged)
        self._places.append((judged.student, self._unsorted.tell(), len(line)))
        self._unsorted.write(line)

    def finish(self) -> Path:
        """Puts the lines in order and the file in its place."""
        with in_place_of(self.path) as unfinished, self._unsorted, unfinished.open("wb") as file:
            for _, start, length in sorted(self._places):
                self._unsorted.seek(start)
                file.write(self._unsorted.read(length))
        return self.path


def write_lines(course: Course, name: str, judged: Iterable[Judged]) -> Path:
    """Writes the lines of submissions that are all at hand; see `Lines`."""
    lines = Lines(course, name)
    for one in judged:
        lines.add(one)
    return lines.finish()


def as_line(judged: Judged) -> bytes:
    """A submission's record on one line; one that was not judged has its reason instead of a result."""
    record = {
        "student": judged.student,
        "submitted": judged.submitted,
        "result": judged.result,
        "reason": judged.reason,
    }
    return msgspec.json.encode(record) + b"\n"
