"""Reads what a student handed in, in whatever state it is, into a notebook."""

import hashlib
import os
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, BinaryIO

from autograder.course import Limits
from autograder.notebooks.repair.encoding import text_of
from autograder.notebooks.repair.kind import is_page, is_python, other_kind
from autograder.notebooks.repair.merge import sides
from autograder.notebooks.repair.outputs import TooLarge, without_outputs
from autograder.notebooks.repair.python import notebook_of
from autograder.notebooks.repair.shape import NoNotebook, TooMany, parsed, shaped

# As in `course.toml`, for readers that have none.
USUAL = Limits()


class UnreadableSubmission(Exception):
    """A submission cannot be read; the sentence says why."""

    def __init__(self, path: Path, why: str) -> None:
        # Both go to Exception, so that the error survives pickling between processes.
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} {self.why}"


@dataclass(frozen=True)
class Handed:
    """What was handed in.

    Attributes:
        notebook: of the present format, as far as reading it goes; what is kept of it is `made_valid` first.
        sha256: of the file's bytes.
        notes: what was put right.
        python: the text, if it is a Python file.
    """

    notebook: Any
    sha256: str
    notes: tuple[str, ...]
    python: str | None = None


def read_handed(path: Path, limits: Limits = USUAL) -> Handed:
    """Reads a notebook or Python file; the content decides which it is, not the name.

    Args:
        path: the file.
        limits: what it may hold; of one with more bytes outputs are left out, and the rest is counted.
    Raises:
        UnreadableSubmission: the file is missing, too large, or nothing that could be graded.
    """
    try:
        with path.open("rb") as file:
            return handed_from(file, path, limits)
    except OSError as error:
        raise UnreadableSubmission(path, f"cannot be read: {error.strerror}.") from None


def handed_from(file: BinaryIO, path: Path, limits: Limits) -> Handed:
    """Reads from an open file; ``path`` is what it is called, see `read_handed`."""
    try:
        raw, sha256, dropped = _read(file, limits.notebook_bytes)
    except TooLarge:
        why = f"has more than {limits.notebook_bytes:,} bytes beside its outputs, which is more than is allowed."
        raise UnreadableSubmission(path, why) from None
    if kind := other_kind(raw):
        raise UnreadableSubmission(path, f"is not a notebook: it is {kind}.")
    text, notes = text_of(raw)
    if not text.strip():
        raise UnreadableSubmission(path, "is empty.")
    try:
        return _handed(path, text, sha256, (*dropped, *notes), limits)
    except NoNotebook as error:
        raise UnreadableSubmission(path, f"is not a notebook: {error}.") from None
    except TooMany as error:
        raise UnreadableSubmission(path, str(error)) from None


def _read(file: BinaryIO, limit: int) -> tuple[bytes, str, tuple[str, ...]]:
    """A file's bytes, without outputs if it is large; the hash of all of them, and a note on what was left out."""
    size = os.fstat(file.fileno()).st_size
    if size <= limit:
        raw = file.read(limit)
        return raw, hashlib.sha256(raw).hexdigest(), ()
    with mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        sha256 = hashlib.sha256(mapped).hexdigest()
        raw = without_outputs(mapped, limit)
    return raw, sha256, (f"the file has {size:,} bytes: its outputs were not read",)


def _handed(path: Path, text: str, sha256: str, notes: tuple[str, ...], limits: Limits) -> Handed:
    is_script = path.resolve().suffix == ".py"
    if text.lstrip()[0] not in "{[<" and (is_script or is_python(text)):
        more = () if is_script else ("the file is no notebook but a Python file, and was graded as one",)
        return Handed(notebook_of(text, limits), sha256, (*notes, *more), text)
    if is_page(text):
        raise NoNotebook("it is an HTML page")
    content, merged = _content(text)
    try:
        notebook, shape = shaped(content, limits)
    except RecursionError:
        raise NoNotebook("its JSON is nested too deeply") from None
    return Handed(notebook, sha256, (*notes, *merged, *shape))


def _content(text: str) -> tuple[Any, tuple[str, ...]]:
    """A notebook's JSON; in one with merge conflicts the student's own side counts, if it can be read."""
    try:
        return parsed(text), ()
    except NoNotebook:
        found = sides(text)
        if found is None:
            raise
    ours, theirs = found
    try:
        return parsed(ours), ("the file has merge conflicts: the first side (above =======) of each was taken",)
    except NoNotebook:
        pass
    try:
        return parsed(theirs), ("the file has merge conflicts: the second side (below =======) of each was taken",)
    except NoNotebook as error:
        raise NoNotebook(f"it has merge conflicts (<<<<<<<), and neither side of them is one: {error}") from None
