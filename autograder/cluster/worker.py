"""What runs in a worker: it holds assignments in memory, and a process of its own for each submission at a time.

A worker runs its tasks in threads, and may be a process that must have no children by `multiprocessing`; judging needs
a main thread. Arguments are plain, so that a worker of another version can be told so.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock

from autograder.cluster.frames import receive, send
from autograder.version import program

SECONDS_TO_END = 5.0

_lock = Lock()
_packs: dict[str, bytes] = {}
_idle: dict[str, list["Seat"]] = {}
_all: set["Seat"] = set()


class NotPrepared(Exception):
    """The worker was started anew since it was prepared."""


class SeatDied(Exception):
    """The process in which a submission was judged has ended."""


class Seat:
    """A process that judges, see `autograder.cluster.seat`.

    Raises:
        SeatDied: it does not start.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "autograder.cluster.seat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            cwd="/",
        )
        _all.add(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_there(self) -> bool:
        return self._process.poll() is None

    def ask(self, message: bytes) -> bytes:
        """Its answer.

        Raises:
            SeatDied: it has ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            send(self._process.stdin, message)
            return receive(self._process.stdout)
        except (OSError, EOFError):
            raise SeatDied from None

    def end(self) -> None:
        """Ends it, and with it the process that it forks."""
        _all.discard(self)
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_END)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def prepare(asked: Mapping[str, str], digest: str, pack: bytes) -> str:
    """Why this worker cannot judge like the grader; empty if it can.

    Args:
        asked: what has to be the same here, see `program`.
        digest, pack: the assignment.
    """
    here = program()
    for what, value in asked.items():
        if here.get(what) != value:
            return f"its {what} is {here.get(what, 'missing')}, and the grader's is {value}"
    with _lock:
        _packs[digest] = pack
        _idle.setdefault(digest, [])
    try:
        seat, why = _opened(digest)
    except SeatDied:
        return "the process in which it judges does not start"
    if why:
        seat.end()
        return why
    _put_back(digest, seat)
    return ""


def judge(digest: str, parcel: bytes) -> bytes | None:
    """The verdict on a parcel; None if the process in which it was judged has ended.

    Raises:
        NotPrepared: this worker does not have the assignment.
    """
    seat = _taken(digest)
    try:
        reached = seat.ask(parcel)
    except SeatDied:
        seat.end()
        return None
    _put_back(digest, seat)
    return reached


def leave(digest: str) -> None:
    """Forgets an assignment, and ends the processes that judge it."""
    with _lock:
        _packs.pop(digest, None)
        seats = _idle.pop(digest, [])
    for seat in seats:
        seat.end()


def leave_all() -> None:
    """Ends every process that judges, also in the middle of a submission."""
    with _lock:
        _packs.clear()
        _idle.clear()
    for seat in tuple(_all):
        seat.end()


def _opened(digest: str) -> tuple[Seat, str]:
    """A new process, and why it cannot judge."""
    with _lock:
        pack = _packs.get(digest)
    if pack is None:
        raise NotPrepared
    seat = Seat()
    try:
        return seat, seat.ask(pack).decode()
    except SeatDied:
        seat.end()
        raise


def _taken(digest: str) -> Seat:
    with _lock:
        idle = _idle.get(digest, [])
        while idle:
            seat = idle.pop()
            if seat.is_there:
                return seat
            _all.discard(seat)
    seat, why = _opened(digest)
    if why:
        seat.end()
        raise RuntimeError(why)
    return seat


def _put_back(digest: str, seat: Seat) -> None:
    with _lock:
        if digest in _packs:
            _idle[digest].append(seat)
            return
    seat.end()
