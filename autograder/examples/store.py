"""The file of recorded examples: written whole or not at all, and refused if it is damaged or of other checks."""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from autograder.examples.codec import decode_answer, decode_question
from autograder.sandbox.messages import generators_in
from autograder.sandbox.protocol import Reply
from autograder.sandbox.script import Script
from autograder.sandbox.wire import decode

FORMAT = 3
# How the member of an exercise's bytes begins.
DATA = "data."


class ExamplesError(Exception):
    """Recorded examples cannot be used; the sentence says which file, why, and what to do."""


class RecordedCheck(Struct, frozen=True):
    """One check's examples, smallest first, and what the reference and the mistakes answered on each.

    Attributes:
        examples: drawn values by name, encoded.
        requests: for each example what the check asks of the reference, encoded; None where it cannot be recorded.
        reference: for each example the answers of the reference, encoded.
        mistakes: the same for each mistake; None on an example where it answers like the reference.
    """

    examples: list[dict[str, Any]]
    requests: list[list[Any] | None]
    reference: list[list[Any]]
    mistakes: dict[str, list[list[Any] | None]]


class RecordedExercise(Struct, frozen=True):
    """One exercise.

    Attributes:
        key: hash of everything that its examples depend on; another one means stale.
        checks: by name.
        mistakes: the sentence of each.
        returns: what the reference's docstring calls its results.
    """

    key: str
    checks: dict[str, RecordedCheck]
    mistakes: dict[str, str]
    returns: tuple[str, ...] = ()


class Manifest(Struct, frozen=True):
    """What a file of examples holds, and what it was made from.

    Attributes:
        assignment: its name.
        checks: hash of the ``checks.py`` (or ``hidden.py``) that they belong to.
        exercises: by name.
    """

    assignment: str
    checks: str
    exercises: dict[str, RecordedExercise]
    format: int = FORMAT


class Recording(Struct, frozen=True):
    """A manifest and, by exercise, the raw bytes that it points into."""

    manifest: Manifest
    data: dict[str, bytes]


@dataclass(frozen=True)
class Example:
    """One recorded example of a check."""

    values: dict[str, Any]
    reference: tuple[Reply, ...]
    mistakes: dict[str, tuple[Reply, ...]]


@dataclass(frozen=True)
class Recorded:
    """A check's examples, smallest first, and the script of what it asks on them, where that could be recorded."""

    examples: tuple[Example, ...]
    script: Script | None


class Examples:
    """Recorded examples of an assignment, decoded one check at a time and kept."""

    def __init__(self, recording: Recording) -> None:
        self.manifest = recording.manifest
        self._data = {name: memoryview(data) for name, data in recording.data.items()}
        self._decoded: dict[tuple[str, str], Recorded | None] = {}

    def of(self, exercise: str, check: str) -> Recorded | None:
        """What is recorded of a check; None if nothing is."""
        if (exercise, check) not in self._decoded:
            recorded = self.manifest.exercises.get(exercise)
            found = recorded.checks.get(check) if recorded else None
            data = self._data.get(exercise, memoryview(b""))
            self._decoded[exercise, check] = _recorded(found, data) if found and found.examples else None
        return self._decoded[exercise, check]

    def says(self, exercise: str) -> dict[str, str]:
        """The sentence of each known mistake of an exercise."""
        recorded = self.manifest.exercises.get(exercise)
        return recorded.mistakes if recorded else {}

    def returns(self, exercise: str) -> tuple[str, ...]:
        """What an exercise's results are called."""
        recorded = self.manifest.exercises.get(exercise)
        return recorded.returns if recorded else ()


def _recorded(check: RecordedCheck, data: memoryview) -> Recorded:
    script = None
    if all(requests is not None and None not in requests for requests in check.requests):
        sequences = tuple(tuple(decode_question(tree, data) for tree in requests or ()) for requests in check.requests)
        # What a second call with a generator is given depends on what the first drew: that cannot be foreseen.
        if any(sum(bool(generators_in(request)) for request in sequence) > 1 for sequence in sequences):
            return Recorded(tuple(_examples(check, data)), None)
        script = Script(sequences, tuple(tuple(trees) for trees in check.reference), data)
    return Recorded(tuple(_examples(check, data)), script)


def _examples(check: RecordedCheck, data: memoryview) -> Iterator[Example]:
    for i, values in enumerate(check.examples):
        reference = _answers(check.reference[i], data)
        mistakes = {
            name: reference if (answers := per_example[i]) is None else _answers(answers, data)
            for name, per_example in check.mistakes.items()
        }
        drawn = {name: decode(tree, data, trusted=True) for name, tree in values.items()}
        yield Example(drawn, reference, mistakes)


def _answers(trees: list[Any], data: memoryview) -> tuple[Reply, ...]:
    return tuple(decode_answer(tree, data) for tree in trees)


def file_hash(path: Path) -> str:
    """Hash of a text file that does not depend on how its lines end."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def write(path: Path, recording: Recording) -> None:
    """Writes the file whole or not at all; equal recordings give equal bytes."""
    manifest = msgspec.json.encode(recording.manifest, order="sorted")
    # A member for each exercise: one that did not change stays the same bytes, which version control packs well.
    members = {f"{DATA}{name}": np.frombuffer(data, np.uint8) for name, data in sorted(recording.data.items())}
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        manifest=np.frombuffer(manifest, np.uint8),
        sha256=np.frombuffer(_checksum(manifest, recording.data), np.uint8),
        **members,  # type: ignore[arg-type]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(buffer.getvalue())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read(path: Path) -> Recording:
    """Reads a file of examples.

    Raises:
        ExamplesError: it is missing, damaged, or written by another version.
    """
    if not path.is_file():
        raise ExamplesError(f"{path} is missing: run `autograder build`, or get the assignment's files again.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            manifest, checksum = arrays["manifest"].tobytes(), arrays["sha256"].tobytes()
            data = {name[len(DATA) :]: arrays[name].tobytes() for name in arrays.files if name.startswith(DATA)}
        intact = checksum == _checksum(manifest, data)
    except Exception:
        intact = False
    if not intact:
        raise ExamplesError(f"{path} is damaged: run `autograder build`, or get the assignment's files again.")
    try:
        decoded = msgspec.json.decode(manifest, type=Manifest)
    except msgspec.DecodeError:
        decoded = None
    if decoded is None or decoded.format != FORMAT:
        raise ExamplesError(f"{path} was written by another version of autograder: this one reads format {FORMAT}.")
    return Recording(decoded, data)


def read_for(path: Path, checks: Path) -> Examples:
    """Reads the examples that belong to the file ``checks``.

    Raises:
        ExamplesError: the file is missing, damaged, or belongs to other checks.
    """
    recording = read(path)
    if recording.manifest.checks != file_hash(checks):
        raise ExamplesError(
            f"{path} does not belong to {checks}, which was changed after it: "
            "run `autograder build`, or get the assignment's files again."
        )
    return Examples(recording)


def _checksum(manifest: bytes, data: dict[str, bytes]) -> bytes:
    parts = [manifest, *(part for name in sorted(data) for part in (name.encode(), data[name]))]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
