"""What travels: an assignment once to each worker, a submission's bytes to the one that judges it."""

import hashlib
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct, structs

from autograder.classroom.grade import Manner
from autograder.course import ClusterSettings, Course
from autograder.examples.parts import Part
from autograder.judging.recordings import load_recordings

# A file system in memory: on a worker hidden checks and examples never reach a disk.
IN_MEMORY = Path("/dev/shm")
NOT_CONTENT = ("__pycache__", ".ipynb_checkpoints", ".hypothesis")


class NoMemoryFolder(Exception):
    """This machine has no folder in memory; says so."""


@dataclass(frozen=True)
class Pack:
    """All that judging an assignment needs beside this program, and how it is judged.

    Attributes:
        course: its settings, without a folder.
        name: the assignment.
        manner: how it is judged.
        files: their bytes, by their paths in the course's folder.
    """

    course: Course
    name: str
    manner: Manner
    files: dict[str, bytes]


class Parcel(Struct, frozen=True):
    """A submitted file.

    Attributes:
        path: where it was handed in, for what is said of it.
        beside: notes on the file itself.
        data: its bytes.
    """

    path: str
    beside: tuple[str, ...]
    data: bytes


def packed(course: Course, name: str, manner: Manner) -> bytes:
    """A `Pack` of an assignment, as bytes.

    Raises:
        ExamplesError: it has to be built first.
    """
    load_recordings(course, name)
    folders = (course.assignments_dir / name).rglob("*"), (course.solutions_dir / name).rglob("*.py")
    content = (path for folder in folders for path in folder if not set(path.parts) & {*NOT_CONTENT})
    paths = {path for path in content if path.is_file()}
    paths |= {path for path in (Part(course, name, visible).path for visible in (True, False)) if path.is_file()}
    files = {path.relative_to(course.root).as_posix(): path.read_bytes() for path in sorted(paths)}
    settings = structs.replace(course, root=Path(), cluster=ClusterSettings())
    return pickle.dumps(Pack(settings, name, manner, files))


def digest_of(pack: bytes) -> str:
    """By what a worker knows a pack."""
    return hashlib.sha256(pack).hexdigest()


@contextmanager
def unpacked(pack: Pack) -> Iterator[Course]:
    """The course as a folder in memory, which is gone after the block.

    Raises:
        NoMemoryFolder: there is no such place here.
    """
    if not IN_MEMORY.is_dir():
        raise NoMemoryFolder(f"it has no {IN_MEMORY}, where hidden checks are kept off its disk")
    with TemporaryDirectory(prefix="autograder-", dir=IN_MEMORY) as folder:
        for name, data in pack.files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        yield structs.replace(pack.course, root=Path(folder))
