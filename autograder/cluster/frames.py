"""Messages between a worker and the process in which it judges: a length, and so many bytes."""

from typing import IO

LENGTH = 8


def send(stream: IO[bytes], message: bytes) -> None:
    """Writes a message."""
    stream.write(len(message).to_bytes(LENGTH, "big"))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """Reads a message.

    Raises:
        EOFError: the other side has ended.
    """
    length = int.from_bytes(_exactly(stream, LENGTH), "big")
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
