"""The process in which a worker judges: its main thread does nothing else, for time limits work by signals there.

Started as ``python -I -m autograder.cluster.seat``. It gets a `Pack`, answers why it cannot judge with that (nothing if
it can), and then answers each `Parcel` with a `Verdict`. It ends with the worker, or when nothing came for a while.
"""

import os
import pickle
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import BinaryIO

import msgspec

from autograder.classroom.grade import Verdict, verdict
from autograder.cluster.frames import receive, send
from autograder.cluster.pack import Pack, Parcel, unpacked
from autograder.judging.judge import Court
from autograder.sandbox.remote import SandboxError

# A grader that was killed asks for nothing more and cannot say so.
SECONDS_IDLE = 600.0


def main() -> None:
    # A Ctrl-C at the terminal of a cluster on this machine is for the grader.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asked: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    try:
        bench = Bench(pickle.loads(asked.get()))
    except Exception as error:  # whatever it is: the worker is left out for it, and the others go on
        send(answers, (str(error) or type(error).__name__).encode())
        return
    send(answers, b"")
    with suppress(Empty):
        while True:
            send(answers, bench.judge(asked.get(timeout=SECONDS_IDLE)))
    bench.close()


def _listen(stream: BinaryIO, asked: "SimpleQueue[bytes]") -> None:
    """Takes what is asked; where the worker has ended, ends at once, also in the middle of judging."""
    try:
        while True:
            asked.put(receive(stream))
    except (EOFError, OSError):
        os._exit(0)


class Bench:
    """Judges parcels with what stands in a pack."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._court = self._opened()

    def judge(self, raw: bytes) -> bytes:
        parcel = msgspec.msgpack.decode(raw, type=Parcel)
        try:
            reached = self._verdict(parcel)
        except SandboxError:
            self.close()
            self._court = self._opened()
            reached = self._verdict(parcel)
        return msgspec.msgpack.encode(reached)

    def close(self) -> None:
        self._court.close()

    def _opened(self) -> Court:
        with unpacked(self._pack) as course:
            return self._pack.manner.court(course, self._pack.name)

    def _verdict(self, parcel: Parcel) -> Verdict:
        path = Path(parcel.path)
        read = partial(self._court.reader.read_bytes, parcel.data, path, parcel.beside)
        return verdict(self._court, path, read)


if __name__ == "__main__":
    main()
