"""Runs tasks in processes of their own, where one that hangs, crashes or eats memory costs only itself."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Generic, Self, TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")

MEMORY_GROWTH = 4 * 2**30
# A process imports torch before its first task, which no limit of a task is about.
SECONDS_TO_START = 300.0


@dataclass(frozen=True)
class Lost:
    """A task that gave no answer, and why."""

    reason: str


@dataclass(frozen=True)
class _Ready:
    """A process has imported what it needs."""


@dataclass(frozen=True)
class _Fault:
    """What ``work`` raised."""

    error: Exception


class Workers(Generic[Task, Answer]):
    """Processes that run ``work`` on one list of tasks after another; they start when they are first needed.

    Args:
        work: can be pickled; what it loads once it keeps itself.
        jobs: processes at the same time.
        seconds: wall time of one task, without its process's start; after it the process is ended and another one goes
            on.
    """

    def __init__(self, work: Callable[[Task], Answer], *, jobs: int, seconds: float) -> None:
        self._work = work
        self._jobs = jobs
        self._seconds = seconds
        self._workers: list[_Worker[Task, Answer]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Answer | Lost]]:
        """Runs every task, which can be pickled, and gives the answers as they come.

        Raises:
            Exception: what ``work`` raised. That is a fault of ours, not of the task.
        """
        left = list(reversed(tasks))
        while len(self._workers) < min(self._jobs, len(left)):
            self._workers.append(_Worker(self._work))
        for worker in self._workers[: len(left)]:
            worker.begin(left.pop(), self._seconds)
        while busy := [worker for worker in self._workers if worker.is_busy]:
            wait(
                [worker.connection for worker in busy],
                timeout=max(0.0, min(w.deadline for w in busy) - time.monotonic()),
            )
            for worker in busy:
                answered = worker.collect(self._seconds)
                if answered is not None:
                    yield answered
                    if left:
                        worker.begin(left.pop(), self._seconds)


class _Worker(Generic[Task, Answer]):
    """One process at a time; a new one where the last was lost."""

    def __init__(self, work: Callable[[Task], Answer]) -> None:
        self._work = work
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self.connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, self._work), daemon=True)
        self._process.start()
        other.close()
        self.is_busy = False
        self._is_ready = False
        self.deadline = 0.0

    def begin(self, task: Task, seconds: float) -> None:
        self._task = task
        self.connection.send(task)
        self.is_busy = True
        self.deadline = time.monotonic() + (seconds if self._is_ready else SECONDS_TO_START)

    def collect(self, seconds: float) -> tuple[Task, Answer | Lost] | None:
        """The task and what came of it, or None while it runs."""
        try:
            if self.connection.poll():
                said = self.connection.recv()
                if not isinstance(said, _Ready):
                    return self._task, self._answer(said)
                self._is_ready = True
                self.deadline = time.monotonic() + seconds
            if time.monotonic() < self.deadline:
                return None
            reason = f"no answer after {seconds:g} seconds"
        except (EOFError, ConnectionError):
            reason = "its process ended"
        self.stop()
        self._start()
        return self._task, Lost(reason)

    def _answer(self, answer: Answer | _Fault) -> Answer:
        self.is_busy = False
        if isinstance(answer, _Fault):
            raise answer.error
        return answer

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, work: Callable[[Task], Answer]) -> None:
    import warnings

    import torch

    from autograder.sandbox.limits import memory_limit

    # What numpy says of a wrong solution's numbers is for no one to read.
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with memory_limit(MEMORY_GROWTH):
        connection.send(_Ready())
        while True:
            try:
                task = connection.recv()
            except EOFError:
                return
            try:
                answer: Answer | _Fault = work(task)
            except Exception as error:
                answer = _Fault(error)
            try:
                connection.send(answer)
            except Exception:
                connection.send(_Fault(RuntimeError(f"{answer!r} cannot be sent")))
