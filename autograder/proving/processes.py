"""Runs tasks in processes of their own, where one that hangs, crashes or eats memory costs only itself."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")

MEMORY_GROWTH = 4 * 2**30


@dataclass(frozen=True)
class Lost:
    """A task that gave no answer, and why."""

    reason: str


@dataclass(frozen=True)
class _Fault:
    """What ``work`` raised."""

    error: Exception


def run_each(
    work: Callable[[Task], Answer], tasks: Sequence[Task], *, jobs: int, seconds: float
) -> Iterator[tuple[Task, Answer | Lost]]:
    """Runs ``work`` on every task and gives the answers as they come.

    Args:
        work: can be pickled; what it loads once it keeps itself.
        tasks: can be pickled, as can the answers.
        jobs: processes at the same time.
        seconds: wall time of one task; after it its process is ended and another one goes on.
    Raises:
        Exception: what ``work`` raised. That is a fault of ours, not of the task.
    """
    left = list(reversed(tasks))
    workers = [_Worker(work) for _ in range(min(jobs, len(left)))]
    try:
        for worker in workers:
            worker.begin(left.pop(), seconds)
        while busy := [worker for worker in workers if worker.is_busy]:
            wait(
                [worker.connection for worker in busy],
                timeout=max(0.0, min(w.deadline for w in busy) - time.monotonic()),
            )
            for worker in busy:
                answered = worker.collect(seconds)
                if answered is not None:
                    yield answered
                    if left:
                        worker.begin(left.pop(), seconds)
    finally:
        for worker in workers:
            worker.stop()


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
        self.deadline = 0.0

    def begin(self, task: Task, seconds: float) -> None:
        self._task = task
        self.connection.send(task)
        self.is_busy = True
        self.deadline = time.monotonic() + seconds

    def collect(self, seconds: float) -> tuple[Task, Answer | Lost] | None:
        """The task and what came of it, or None while it runs."""
        try:
            if self.connection.poll():
                return self._task, self._answer(self.connection.recv())
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
