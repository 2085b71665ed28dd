"""Has submissions taken apart behind the wall, each in a process of its own that holds nothing of the course's."""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import structs

from autograder.course import Limits
from autograder.notebooks.newer_python import newest
from autograder.notebooks.repair.cells import Released
from autograder.notebooks.submission import UnreadableSubmission
from autograder.reading.records import Order, Read, Refused, Rule
from autograder.sandbox.channel import Closed, TooLate
from autograder.sandbox.layers import MEBIBYTE, LayerSettings
from autograder.sandbox.patience import Patience
from autograder.sandbox.remote import Zygote
from autograder.sandbox.wire import Pack, WireError

DESK = "autograder.reading.desk"
# By the clock a busy machine may take longer than the processor does.
CLOCK_TO_CPU = 3


class Reader:
    """Takes submissions apart.

    Args:
        zygote: forks a process for each; None takes them apart in this process, which trusts them.
        order: how.
    """

    def __init__(self, zygote: Zygote | None, order: Order) -> None:
        self._zygote = zygote
        self._order = order

    def read(self, path: Path, beside: tuple[str, ...] = ()) -> Read:
        """Takes a notebook or Python file apart.

        Args:
            path: the file.
            beside: notes on the file itself, which come before those on what it holds.
        Raises:
            UnreadableSubmission: that cannot be done, or not within the course's limits.
            SandboxError: the zygote does not answer.
        """
        try:
            with path.open("rb") as file:
                return self._read(file, path, beside)
        except OSError as error:
            raise UnreadableSubmission(path, f"cannot be read: {error.strerror}.") from None

    def read_text(self, text: str, path: Path, beside: tuple[str, ...] = ()) -> Read:
        """Takes apart what has no file; ``path`` is what it is called, see `read`."""
        return self.read_bytes(text.encode(), path, beside)

    def read_bytes(self, data: bytes, path: Path, beside: tuple[str, ...] = ()) -> Read:
        """Takes apart what has no file here; ``path`` is what it is called, see `read`."""
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            return self._read(file, path, beside)

    def _read(self, file: BinaryIO, path: Path, beside: tuple[str, ...]) -> Read:
        order = structs.replace(self._order, name=path.resolve().name, beside=beside)
        if self._zygote is not None:
            answer = _behind_the_wall(self._zygote, order, file)
        else:
            from autograder.reading.desk import answer as answer_here

            answer = answer_here(order, file)
        if isinstance(answer, Refused):
            raise UnreadableSubmission(path, answer.why)
        newer = newest(answer.no_python)
        if newer is not None:
            this = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise UnreadableSubmission(
                path,
                f"is written for Python {newer.version} or newer, and this is Python {this}: "
                f"{newer.why} (line {newer.line} of a cell).",
            )
        return answer


def own_zygote() -> Zygote | None:
    """A zygote for reading alone; None where there is no wall, and submissions can only be trusted."""
    return Zygote() if sys.platform == "linux" else None


def order_of(limits: Limits, assignment: str, released: Released | None, rules: tuple[Rule, ...] = ()) -> Order:
    """How the submissions of an assignment are taken apart."""
    text = None if released is None else json.dumps(released.notebook)
    return Order(limits, text, assignment, rules)


def _behind_the_wall(zygote: Zygote, order: Order, file: BinaryIO) -> Read | Refused:
    limits = order.limits
    layers = LayerSettings(memory_bytes=limits.memory_mib * MEBIBYTE, cpu_seconds=max(1, int(limits.seconds_to_read)))
    too_slow = Refused(f"takes more than {limits.seconds_to_read:g} seconds to read.")
    pid, channel = zygote.errand(DESK, file.fileno(), layers)
    pack = Pack()
    pack.data.extend(msgspec.json.encode(order))
    answer: Read | Refused | None = None
    try:
        patience = Patience(pid, limits.seconds_to_read * CLOCK_TO_CPU)
        channel.send({}, pack, lambda: patience.left)
        _, raw = channel.receive(lambda: patience.left)
        answer = msgspec.json.decode(raw, type=Read | Refused)
    except TooLate:
        answer = too_slow
    except (WireError, msgspec.DecodeError) as error:
        answer = Refused(f"cannot be read: the process that read it sent no record ({error}).")
    except Closed:
        pass  # why, its status says
    finally:
        channel.close()
        status, _ = zygote.end(pid)
    if answer is not None:
        return answer
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return too_slow
    how = signal.strsignal(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else f"status {os.WEXITSTATUS(status)}"
    return Refused(f"cannot be read: the process that read it ended ({how}).")
