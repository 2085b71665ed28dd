"""Deals a class out to workers, one submission to a thread, and takes what comes back.

A worker gets its next submission when it hands one back: the way takes milliseconds, and judging seconds. So whatever a
worker had when it was lost was being judged then, and the grader holds little, however large the class.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Protocol

import msgspec

from autograder.classroom.grade import Judged, Verdict, as_judged, found, unjudged
from autograder.classroom.submitted import Submitted
from autograder.cluster.errors import ClusterError
from autograder.cluster.pack import Parcel
from autograder.course import Course

# Who is there is asked so often.
SECONDS_BETWEEN_LOOKS = 1.0
# A submission that so many workers, or processes in which they judge, did not survive is given up.
DEATHS = 2
KILLED = f"{DEATHS} workers were lost while they judged it"
# What is larger is not sent: it would be held in memory by everybody on its way.
MOST_BYTES = 256_000_000

Say = Callable[[str], None]


class WorkerGone(Exception):
    """A worker was lost, or was started anew, before it answered."""


class Carrier(Protocol):
    """Takes submissions to the workers of a cluster, and verdicts back."""

    def workers(self) -> Mapping[str, int] | None:
        """The threads of each worker that is there, by its address; None if that cannot be told now.

        Raises:
            ClusterError: the cluster is lost.
        """

    def prepare(self, worker: str) -> "Future[str]":
        """Gives a worker the assignment; why it cannot judge, or nothing. Its exception is why, too."""

    def judge(self, worker: str, parcel: bytes) -> "Future[bytes | None]":
        """A worker's verdict; None if only its own process was lost. Its exception is `WorkerGone` or a fault."""


@dataclass(frozen=True)
class _Try:
    """A submission, and how many workers did not survive it."""

    submission: Submitted
    deaths: int = 0


@dataclass
class _Worker:
    """A worker that was let in.

    Attributes:
        threads: how many submissions it judges at the same time.
        preparing: what comes of giving it the assignment.
        under_way: what it judges now.
        is_ready: whether it has the assignment.
    """

    threads: int
    preparing: "Future[str]"
    under_way: dict["Future[bytes | None]", _Try] = field(default_factory=dict)
    is_ready: bool = False


class Dealer:
    """Judges submissions on the workers of a cluster; see `Judges`.

    Args:
        course, name: the assignment.
        carrier: the way to the workers, which have it.
        say: takes a sentence for the person who grades.
    """

    def __init__(self, course: Course, name: str, carrier: Carrier, say: Say) -> None:
        self._course, self._name, self._carrier, self._say = course, name, carrier, say
        self._workers: dict[str, _Worker] = {}
        self._refused: dict[str, str] = {}
        self._answers: SimpleQueue[tuple[str, Future[str] | Future[bytes | None]]] = SimpleQueue()
        self._left: deque[_Try] = deque()
        # What may have cost a worker: judged again before anything else, on a worker that judges nothing beside it.
        self._suspects: deque[_Try] = deque()
        self._looked = float("-inf")
        self._said = ""

    def __call__(self, waiting: Sequence[Submitted]) -> Iterator[Judged]:
        self._left.extend(map(_Try, waiting))
        try:
            while self._left or self._suspects or self._under_way:
                yield from self._look()
                yield from self._deal()
                yield from self._collect()
        finally:
            for worker in self._workers.values():
                for future in worker.under_way:
                    future.cancel()

    @property
    def _under_way(self) -> int:
        return sum(len(worker.under_way) for worker in self._workers.values())

    def _look(self) -> Iterator[Judged]:
        """Lets in workers that came, and parts with those that went."""
        if time.monotonic() - self._looked < SECONDS_BETWEEN_LOOKS:
            return
        self._looked = time.monotonic()
        there = self._carrier.workers()
        if there is None:
            return
        for address in [address for address in self._workers if address not in there]:
            yield from self._lose(address)
        for address in [address for address in self._refused if address not in there]:
            del self._refused[address]
        for address, threads in there.items():
            if address not in self._workers and address not in self._refused:
                preparing = self._carrier.prepare(address)
                self._workers[address] = _Worker(threads, preparing)
                self._await(address, preparing)
        self._say_how_many()
        if there and not self._workers:
            raise ClusterError(
                f"No worker of the cluster can judge {self._name}: {next(iter(self._refused.values()))}."
            )

    def _say_how_many(self) -> None:
        ready = [worker for worker in self._workers.values() if worker.is_ready]
        threads = sum(worker.threads for worker in ready)
        says = f"{len(ready)} worker{'s' * (len(ready) != 1)} with {threads} thread{'s' * (threads != 1)}"
        if says != self._said:
            self._said = says
            self._say(f"The cluster has {says}.")

    def _deal(self) -> Iterator[Judged]:
        """Gives every thread that is free a submission."""
        for address, worker in self._workers.items():
            while worker.is_ready and (taken := self._next(worker)) is not None:
                parcel = self._parcel(taken.submission)
                if isinstance(parcel, Judged):
                    yield parcel
                    continue
                future = self._carrier.judge(address, parcel)
                worker.under_way[future] = taken
                self._await(address, future)

    def _next(self, worker: _Worker) -> _Try | None:
        if self._suspects:
            return None if worker.under_way else self._suspects.popleft()
        # One that cost a worker before has this one to itself.
        if len(worker.under_way) >= worker.threads or any(one.deaths for one in worker.under_way.values()):
            return None
        return self._left.popleft() if self._left else None

    def _parcel(self, submission: Submitted) -> bytes | Judged:
        missing, beside = found(self._course, self._name, submission)
        if missing is not None:
            return missing
        try:
            size = submission.path.stat().st_size
            if size > MOST_BYTES:
                return unjudged(
                    submission,
                    f"{submission.path} has {size:,} bytes, and no more than {MOST_BYTES:,} are sent to a cluster: "
                    f"grade it with --student {submission.student}, without --cluster.",
                )
            data = submission.path.read_bytes()
        except OSError as error:
            return unjudged(submission, f"{submission.path} cannot be read: {error.strerror}.")
        return msgspec.msgpack.encode(Parcel(str(submission.path), beside, data))

    def _await(self, address: str, future: "Future[str] | Future[bytes | None]") -> None:
        future.add_done_callback(lambda done: self._answers.put((address, done)))

    def _collect(self) -> Iterator[Judged]:
        """Takes what has come; waits for it, but not longer than until the next look."""
        timeout: float | None = SECONDS_BETWEEN_LOOKS
        while True:
            try:
                address, future = self._answers.get(timeout=timeout)
            except Empty:
                return
            timeout = 0.0
            worker = self._workers.get(address)
            if worker is None:
                continue  # it was lost meanwhile
            taken = worker.under_way.pop(future, None)  # type: ignore[arg-type]
            if taken is not None:
                yield from self._take(address, worker, taken, future)  # type: ignore[arg-type]
            elif future is worker.preparing:
                self._let_in(address, worker)

    def _let_in(self, address: str, worker: _Worker) -> None:
        future = worker.preparing
        if future.cancelled():
            del self._workers[address]  # the next look tells whether it is still there
        elif (error := future.exception()) is not None:
            self._refuse(address, _said_by(error))
        elif why := future.result():
            self._refuse(address, why)
        else:
            worker.is_ready = True

    def _refuse(self, address: str, why: str) -> None:
        self._workers.pop(address, None)
        self._refused[address] = f"{address} is left out, for {why}"
        self._say(f"{self._refused[address]}.")

    def _take(self, address: str, worker: _Worker, taken: _Try, future: "Future[bytes | None]") -> Iterator[Judged]:
        if future.cancelled():
            # The way to it is lost, and with it all that it had; the next look tells whether there is a new one.
            self._left.appendleft(taken)
            worker.is_ready = False
            if not worker.under_way:
                del self._workers[address]
        elif (error := future.exception()) is None:
            reached = future.result()
            if reached is None:
                yield from self._again(taken)
            else:
                yield as_judged(taken.submission, msgspec.msgpack.decode(reached, type=Verdict))
        else:
            worker.under_way[future] = taken
            yield from self._lose(address)
            if not isinstance(error, WorkerGone):
                # A worker that fails at once would take the whole class.
                self._refuse(address, _said_by(error))

    def _lose(self, address: str) -> Iterator[Judged]:
        """A worker is gone with all that it had."""
        worker = self._workers.pop(address)
        for future, taken in worker.under_way.items():
            future.cancel()
            yield from self._again(taken)
        worker.under_way.clear()

    def _again(self, taken: _Try) -> Iterator[Judged]:
        taken = replace(taken, deaths=taken.deaths + 1)
        if taken.deaths >= DEATHS:
            yield unjudged(taken.submission, KILLED)
        else:
            self._suspects.append(taken)


def _said_by(error: BaseException) -> str:
    return f"it failed ({type(error).__name__}: {error})"
