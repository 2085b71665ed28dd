"""Workers of a cluster without Dask: a process for each, which knows no folder of the course; see `Carrier`."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from heapq import heappop, heappush
from multiprocessing import get_context
from pathlib import Path
from threading import Condition, Thread

from autograder.cluster import worker
from autograder.cluster.deal import WorkerGone
from autograder.cluster.pack import digest_of
from autograder.version import program


class Machines:
    """So many workers, each in an empty folder of its own.

    Args:
        pack: the assignment.
        folder: of their folders.
        threads: of each worker.
        asked: what has to be the same there, where that is not this program, by worker.
    """

    def __init__(
        self, pack: bytes, folder: Path, threads: Mapping[str, int], asked: Mapping[str, dict[str, str]] | None = None
    ) -> None:
        self._pack, self._asked, self._folder, self._threads = pack, asked or {}, folder, threads
        self._pools: dict[str, ProcessPoolExecutor] = {}
        for name in threads:
            self.start(name)

    def start(self, name: str) -> None:
        (self._folder / name).mkdir(parents=True, exist_ok=True)
        self._pools[name] = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=os.chdir, initargs=(self._folder / name,)
        )

    def workers(self) -> Mapping[str, int]:
        return {name: self._threads[name] for name in self._pools}

    def prepare(self, name: str) -> "Future[str]":
        asked = self._asked.get(name, program())
        return self._send(name, worker.prepare, asked, digest_of(self._pack), self._pack)

    def judge(self, name: str, parcel: bytes) -> "Future[bytes | None]":
        return self._send(name, worker.judge, digest_of(self._pack), parcel)

    def pid(self, name: str) -> int:
        return next(iter(self._pools[name]._processes))

    def kill(self, name: str) -> None:
        os.kill(self.pid(name), signal.SIGKILL)

    def close(self) -> None:
        for pool in self._pools.values():
            with suppress(BrokenProcessPool):
                pool.submit(worker.leave_all).result()
            pool.shutdown(cancel_futures=True)

    def _send(self, name: str, function, *arguments) -> Future:
        ours = Future()

        def pass_on(theirs: Future) -> None:
            error = theirs.exception()
            if ours.cancelled():
                return
            if isinstance(error, BrokenProcessPool):
                self._pools.pop(name, None)
                ours.set_exception(WorkerGone())
            elif error is not None:
                ours.set_exception(error)
            else:
                ours.set_result(theirs.result())

        try:
            self._pools[name].submit(function, *arguments).add_done_callback(pass_on)
        except (BrokenProcessPool, KeyError):
            self._pools.pop(name, None)
            ours.set_exception(WorkerGone())
        return ours


class Simulated:
    """Workers that only wait, in no process at all: to see what the grader does with very many submissions.

    Args:
        threads: of each worker.
        verdict: what every submission gets.
        seconds: how long the next one takes.
    """

    def __init__(self, threads: Mapping[str, int], verdict: bytes, seconds: Callable[[], float]) -> None:
        self._threads, self._verdict, self._seconds = threads, verdict, seconds
        self._waiting: list[tuple[float, int, str, Future]] = []
        self._begun, self._under_way, self._changed = 0, Counter(), Condition()
        self.most = Counter()
        Thread(target=self._finish, daemon=True).start()

    def workers(self) -> Mapping[str, int]:
        return self._threads

    def prepare(self, name: str) -> "Future[str]":
        done = Future()
        done.set_result("")
        return done

    def judge(self, name: str, parcel: bytes) -> "Future[bytes | None]":
        future = Future()
        with self._changed:
            self._begun += 1
            heappush(self._waiting, (time.monotonic() + self._seconds(), self._begun, name, future))
            self._under_way[name] += 1
            self.most[name] = max(self.most[name], self._under_way[name])
            self._changed.notify()
        return future

    @property
    def under_way(self) -> list[Future]:
        return [future for _, _, _, future in self._waiting]

    def _finish(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                due = self._waiting[0][0] - time.monotonic()
                if due > 0:
                    self._changed.wait(due)
                    continue
                _, _, name, future = heappop(self._waiting)
                self._under_way[name] -= 1
            with suppress(InvalidStateError):  # it was cancelled
                future.set_result(self._verdict)
