"""Downloads a zip, within limits on time and size."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from tempfile import TemporaryFile
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from autograder.starting.errors import UnreadableRelease

MOST_BYTES = 256 << 20
# For connecting and for each piece that comes; and for all of it.
SECONDS_TO_ANSWER, SECONDS = 30.0, 600.0
PIECE = 1 << 16
ZIP = b"PK"


@contextmanager
def download(url: str) -> Iterator[IO[bytes]]:
    """The zip at an http(s) address, in a file of its own that ends with the block.

    Raises:
        UnreadableRelease: it cannot be had, takes too long, is too large, or is no zip.
    """
    with TemporaryFile() as file:
        try:
            with urlopen(Request(url, headers={"User-Agent": "autograder"}), timeout=SECONDS_TO_ANSWER) as response:
                _take(url, response, file)
        except (OSError, HTTPException, ValueError) as error:
            raise UnreadableRelease(f"{url} cannot be downloaded: {_reason(error)}.") from None
        file.seek(0)
        yield file


def _take(url: str, response: HTTPResponse, file: IO[bytes]) -> None:
    # Checks run on the student's machine: an address that promises who made them may not lead to one that does not.
    if url.lower().startswith("https:") and not response.url.startswith("https:"):
        raise ValueError("it leads to an address without https")
    deadline = time.monotonic() + SECONDS
    size, whole = 0, response.length
    # `read1` waits for one piece, where `read` would wait for all, however slowly it comes.
    while piece := response.read1(PIECE):
        if size == 0 and not piece.startswith(ZIP[: len(piece)]):
            kind = response.headers.get_content_type()
            raise ValueError(f"it is no zip ({kind}); the address of the zip itself is needed, not of a page about it")
        size += len(piece)
        if size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MB")
        if time.monotonic() > deadline:
            raise TimeoutError
        file.write(piece)
    if whole is not None and size < whole:
        raise ValueError(f"it broke off after {size:,} bytes")


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"{error.code} {error.reason}".strip()
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({reason.verify_message}); Python on macOS needs "
            "`Install Certificates.command`, which stands in its folder, to be run once"
        )
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    words = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return words.splitlines()[0] if words else type(reason).__name__
