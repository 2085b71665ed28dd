"""Files that are there whole or not at all, whoever reads them and whenever their writer is killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def in_place_of(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write, which takes its place unless something goes wrong; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # It begins with the name, by which all that is a student's is found.
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.part")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file."""
    with in_place_of(path) as unfinished:
        unfinished.write_bytes(content)
