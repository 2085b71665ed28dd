"""One end of the connection between judge and child: whole frames in order, with a size cap."""

import json
import mmap
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from autograder.sandbox.wire import Pack, WireError, as_json

HEADER = struct.Struct("<4sIIQI")
MAGIC = b"agw1"
MAPPED = 1
# JSON becomes up to 40 times as large in memory: a judge reads no more of it than this.
TEXT_CAP = 16 << 20
# Below this the socket is as fast, and costs no page faults.
MAPPED_FROM = 64 * 1024


class Closed(Exception):
    """The other side is gone."""


class TooLate(Exception):
    """Nothing came within the time allowed."""


class Channel:
    """Sends and receives frames over a socket, large ones through a mapping that both sides share.

    Args:
        connection: a connected stream socket.
        mapping: memory that both sides mapped before the student's code ran; None to use the socket alone.
        cap: bytes that a frame may have; a larger one is refused before it is read.
        text_cap: bytes that its JSON may have.
    """

    def __init__(
        self, connection: socket.socket, mapping: mmap.mmap | None, cap: int, text_cap: int = TEXT_CAP
    ) -> None:
        self._socket = connection
        self._mapping = mapping
        self._cap = cap
        self._text_cap = text_cap
        self._sent = 0
        self._received = 0
        self._left: Callable[[], float] | None = None

    def send(self, message: Any, pack: Pack, left: Callable[[], float] | None = None) -> None:
        """Sends a JSON message with the raw bytes that it points into.

        Args:
            message, pack: what to send; a message in bytes is JSON already.
            left: seconds until the other side has to have taken it, asked again when they are over; None for ever.
        Raises:
            Closed: the other side is gone.
            TooLate: it took longer: the other side does not read.
        """
        text = message if isinstance(message, bytes) else as_json(message)
        raw = pack.data
        mapped = self._mapping is not None and MAPPED_FROM <= len(raw) <= len(self._mapping)
        header = HEADER.pack(MAGIC, self._sent, len(text), len(raw), MAPPED if mapped else 0)
        self._sent += 1
        self._left = left
        try:
            if mapped and self._mapping is not None:
                self._mapping[: len(raw)] = bytes(raw)
                self._write(header + text)
            else:
                self._write(header + text + raw)
        except (OSError, ValueError):
            raise Closed from None

    def receive(self, left: Callable[[], float] | None = None) -> tuple[Any, memoryview]:
        """The next message, and the raw bytes that it points into.

        Args:
            left: seconds until the whole of it has to be there, asked again when they are over; None for ever.
        Raises:
            Closed: the other side is gone.
            TooLate: it took longer.
            WireError: what came is no frame.
        """
        self._left = left
        magic, sequence, text_length, raw_length, place = HEADER.unpack(self._read(HEADER.size))
        if magic != MAGIC or sequence != self._received or place not in (0, MAPPED):
            raise WireError("malformed frame: wrong header")
        for length, cap in ((text_length, self._text_cap), (text_length + raw_length, self._cap)):
            if length > cap:
                raise WireError(f"an answer of {length:,} bytes, allowed are {cap:,}")
        self._received += 1
        text = self._read(text_length)
        if place == MAPPED:
            if self._mapping is None or raw_length > len(self._mapping):
                raise WireError("malformed frame: no such mapping")
            # Copied before anything looks at it: the other side can still write there.
            raw = self._mapping[:raw_length]
        else:
            raw = bytes(self._read(raw_length))
        try:
            return json.loads(text), memoryview(raw)
        except (ValueError, RecursionError):
            raise WireError("malformed frame: not JSON") from None

    def close(self) -> None:
        self._socket.close()
        if self._mapping is not None:
            self._mapping.close()

    def _wait(self) -> None:
        """Lets the next step on the socket take as long as there is time."""
        left = None if self._left is None else self._left()
        if left is not None and left <= 0:
            raise TooLate
        self._socket.settimeout(left)

    def _write(self, data: bytes | bytearray) -> None:
        view = memoryview(data)
        while view:
            self._wait()
            with suppress(TimeoutError):
                view = view[self._socket.send(view) :]

    def _read(self, count: int) -> bytearray:
        buffer = bytearray(count)
        view, at = memoryview(buffer), 0
        try:
            while at < count:
                self._wait()
                with suppress(TimeoutError):
                    got = self._socket.recv_into(view[at:])
                    if got == 0:
                        raise Closed
                    at += got
        except OSError:
            raise Closed from None
        return buffer


def shared_memory(size: int) -> int:
    """A file descriptor of anonymous memory; pages cost nothing until they are written.

    Its size is sealed: a page that the other side cut off would kill whoever reads it next.
    """
    import fcntl  # as little to be had on Windows as what follows

    descriptor = os.memfd_create("exchange", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor
