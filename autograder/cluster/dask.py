"""The way to the workers of a Dask cluster."""

import asyncio
import concurrent.futures
import logging
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

from distributed import Client, KilledWorker

from autograder.cluster import in_dask
from autograder.cluster import worker as here
from autograder.cluster.addresses import is_open
from autograder.cluster.deal import WorkerGone
from autograder.cluster.errors import ClusterError
from autograder.cluster.pack import digest_of
from autograder.version import program

SECONDS_TO_LEAVE = 10.0
Cancelled = (asyncio.CancelledError, concurrent.futures.CancelledError)


class DaskCarrier:
    """Carries an assignment and its submissions; see `Carrier`.

    Each task is bound to the worker that it was dealt to: who had what when a worker was lost is known here, and Dask
    does not try a submission on worker after worker.
    """

    def __init__(self, client: Client, pack: bytes) -> None:
        self._client = client
        self._address = client.scheduler.address
        self._digest, self._pack = digest_of(pack), pack
        self._prepared: set[str] = set()

    def workers(self) -> Mapping[str, int] | None:
        if self._client.status == "connecting":
            return None  # Dask tries again for a while
        if self._client.status != "running":
            raise ClusterError(
                f"The scheduler at {self._address} does not answer any more. What was judged is kept: "
                "run the same command again, and it goes on from there."
            )
        try:
            return dict(self._client.nthreads())
        except (OSError, TimeoutError):
            return None

    def prepare(self, worker: str) -> "Future[str]":
        if is_open(worker):
            refused = Future[str]()
            refused.set_result("what is sent to it is not encrypted (TLS)")
            return refused
        self._prepared.add(worker)
        return self._send(worker, in_dask.prepare, program(), self._digest, self._pack)

    def judge(self, worker: str, parcel: bytes) -> "Future[bytes | None]":
        return self._send(worker, here.judge, self._digest, parcel)

    def close(self) -> None:
        """Ends the processes that judge, on every worker that is still there."""
        with suppress(ClusterError):
            there = self.workers() or {}
            leaving = [self._send(worker, here.leave, self._digest) for worker in self._prepared & there.keys()]
            concurrent.futures.wait(leaving, timeout=SECONDS_TO_LEAVE)

    def _send(self, worker: str, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        ours = Future[Any]()
        try:
            with warnings.catch_warnings():
                # An assignment may be larger than what Dask expects in a task.
                warnings.simplefilter("ignore")
                theirs = self._client.submit(
                    function, *arguments, workers=[worker], allow_other_workers=False, pure=False
                )
            ours.add_done_callback(lambda done: _cancel(theirs) if done.cancelled() else None)
            self._client.loop.add_callback(_bring, theirs, ours)
        except Exception:  # the client has just closed; the next look tells
            ours.cancel()
        return ours


def _cancel(theirs: Any) -> None:
    with suppress(Exception):  # where the way to the scheduler is lost, so is the task
        theirs.cancel()


async def _bring(theirs: Any, ours: "Future[Any]") -> None:
    """Waits for Dask's future in its own event loop, so that none waits for another."""
    with suppress(InvalidStateError):  # it was cancelled here meanwhile
        try:
            ours.set_result(await theirs)
        except Cancelled:
            ours.cancel()
        except (KilledWorker, here.NotPrepared) as error:
            ours.set_exception(WorkerGone(str(error)))
        except Exception as error:
            ours.set_exception(error)


def silence() -> None:
    """What Dask logs about a connection is said here in a sentence."""
    for name in ("distributed", *(f"distributed.{part}" for part in ("client", "core", "comm", "scheduler", "worker"))):
        logging.getLogger(name).setLevel(logging.CRITICAL)
