"""The file of recorded examples: written whole or not at all, and refused if it is damaged or of other checks."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from autograder.atomic import write_whole
from autograder.examples.codec import decode_answer, decode_question
from autograder.sandbox.messages import generators_in
from autograder.sandbox.protocol import Reply
from autograder.sandbox.script import Script
from autograder.sandbox.wire import decode

FORMAT = 4
# What the members of the file are called: one for each exercise and one for each check, so that one that did not change
# stays the same bytes, which version control packs well.
MANIFEST, CHECKSUM, EXERCISE, CHECK = "manifest", "sha256", "exercise.", "check."
# A check's member begins with the length of its JSON; its raw bytes follow that.
LENGTH = 8


class ExamplesError(Exception):
    """Recorded examples cannot be used; the sentence says which file, why, and what to do."""


class RecordedCheck(Struct, frozen=True, omit_defaults=True):
    """One check's examples, smallest first, and what the reference and the mistakes answered on each.

    Attributes:
        key: hash of everything that they depend on; another one means stale.
        examples: drawn values by name, encoded.
        requests: for each example what the check asks of the reference, encoded; None where it cannot be recorded.
        reference: for each example the answers of the reference, encoded.
        mistakes: the same for each mistake; None on an example where it answers like the reference.
        data: the raw bytes that all these point into.
    """

    key: str
    examples: list[dict[str, Any]]
    requests: list[list[Any] | None]
    reference: list[list[Any]]
    mistakes: dict[str, list[list[Any] | None]]
    data: bytes = b""


class Sayings(Struct, frozen=True):
    """What is said of an exercise.

    Attributes:
        mistakes: the sentence of each.
        returns: what the reference's docstring calls its results.
    """

    mistakes: dict[str, str]
    returns: tuple[str, ...] = ()


class Manifest(Struct, frozen=True):
    """What a file of examples belongs to.

    Attributes:
        assignment: its name.
        checks: hash of the ``checks.py`` (or ``hidden.py``) that all of it was made from; empty where some of it was
            made from an earlier one.
    """

    assignment: str
    checks: str
    format: int = FORMAT


class Recording(Struct, frozen=True):
    """The content of a file of examples; by exercise what is said, and the checks by their names."""

    manifest: Manifest
    sayings: Mapping[str, Sayings]
    checks: Mapping[str, Mapping[str, RecordedCheck]]


@dataclass(frozen=True)
class Example:
    """One recorded example of a check."""

    values: dict[str, Any]
    reference: tuple[Reply, ...]
    mistakes: Mapping[str, tuple[Reply, ...]]


@dataclass(frozen=True)
class Recorded:
    """A check's examples, smallest first, and the script of what it asks on them, where that could be recorded."""

    examples: tuple[Example, ...]
    script: Script | None

    def alone(self, number: int) -> "Recorded":
        """One of the examples, with its part of the script."""
        script = self.script
        if script is not None:
            script = Script((script.sequences[number],), (script.answers[number],), script.data)
        return Recorded((self.examples[number],), script)


class Examples:
    """Recorded examples of an assignment, decoded one check at a time and kept."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._decoded: dict[tuple[str, str], Recorded | None] = {}

    @property
    def assignment(self) -> str:
        """The name of the assignment that they belong to."""
        return self._recording.manifest.assignment

    def of(self, exercise: str, check: str) -> Recorded | None:
        """What is recorded of a check; None if nothing is."""
        if (exercise, check) not in self._decoded:
            found = self._recording.checks.get(exercise, {}).get(check)
            self._decoded[exercise, check] = recorded(found) if found and found.examples else None
        return self._decoded[exercise, check]

    def says(self, exercise: str) -> dict[str, str]:
        """The sentence of each known mistake of an exercise."""
        said = self._recording.sayings.get(exercise)
        return said.mistakes if said else {}

    def returns(self, exercise: str) -> tuple[str, ...]:
        """What an exercise's results are called."""
        said = self._recording.sayings.get(exercise)
        return said.returns if said else ()


def recorded(check: RecordedCheck) -> Recorded:
    """A check's examples, decoded as far as each is asked for."""
    script, data = None, memoryview(check.data)
    examples = tuple(_Stored(check, number, data) for number in range(len(check.examples)))
    if all(requests is not None and None not in requests for requests in check.requests):
        sequences = tuple(tuple(decode_question(tree, data) for tree in requests or ()) for requests in check.requests)
        # What a second call with a generator is given depends on what the first drew: that cannot be foreseen.
        if any(sum(bool(generators_in(request)) for request in sequence) > 1 for sequence in sequences):
            return Recorded(examples, None)
        script = Script(sequences, tuple(tuple(trees) for trees in check.reference), data)
    return Recorded(examples, script)


class _Stored(Example):
    """An example as it stands in the file, decoded when it is asked for: of right answers nothing is."""

    _check: RecordedCheck
    _number: int
    _data: memoryview

    def __init__(self, check: RecordedCheck, number: int, data: memoryview) -> None:
        vars(self).update(_check=check, _number=number, _data=data)

    @cached_property
    def values(self) -> dict[str, Any]:
        drawn = self._check.examples[self._number]
        return {name: decode(tree, self._data, trusted=True) for name, tree in drawn.items()}

    @cached_property
    def reference(self) -> tuple[Reply, ...]:
        return _answers(self._check.reference[self._number], self._data)

    @cached_property
    def mistakes(self) -> Mapping[str, tuple[Reply, ...]]:
        trees = {name: answers[self._number] for name, answers in self._check.mistakes.items()}
        return _Mistakes(trees, self.reference, self._data)


class _Mistakes(Mapping[str, tuple[Reply, ...]]):
    """The answers of each mistake, decoded when they are asked for: a right answer is compared with none of them."""

    def __init__(self, trees: dict[str, list[Any] | None], reference: tuple[Reply, ...], data: memoryview) -> None:
        self._trees = trees
        self._data = data
        self._decoded = {name: reference for name, answers in trees.items() if answers is None}

    def __getitem__(self, name: str) -> tuple[Reply, ...]:
        if name not in self._decoded:
            self._decoded[name] = _answers(self._trees[name] or [], self._data)
        return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._trees)

    def __len__(self) -> int:
        return len(self._trees)


def _answers(trees: list[Any], data: memoryview) -> tuple[Reply, ...]:
    return tuple(decode_answer(tree, data) for tree in trees)


def file_hash(path: Path) -> str:
    """Hash of a text file that does not depend on how its lines end."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def write(path: Path, recording: Recording) -> None:
    """Writes the file whole or not at all; equal recordings give equal bytes."""
    members = {MANIFEST: msgspec.json.encode(recording.manifest, order="sorted")}
    for exercise, checks in recording.checks.items():
        members[EXERCISE + exercise] = msgspec.json.encode(recording.sayings[exercise], order="sorted")
        members |= {f"{CHECK}{exercise}.{name}": _member(check) for name, check in checks.items()}
    members[CHECKSUM] = _checksum(members)
    buffer = io.BytesIO()
    arrays = {name: np.frombuffer(data, np.uint8) for name, data in members.items()}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_whole(path, buffer.getvalue())


def _member(check: RecordedCheck) -> bytes:
    tree = msgspec.json.encode(msgspec.structs.replace(check, mistakes=dict(check.mistakes), data=b""), order="sorted")
    return len(tree).to_bytes(LENGTH, "big") + tree + check.data


class _Lean(Struct, frozen=True):
    """A `RecordedCheck` without its raw bytes, and with the answers of mistakes as they stand in the file."""

    key: str
    examples: list[dict[str, Any]]
    requests: list[list[Any] | None]
    reference: list[list[Any]]
    mistakes: msgspec.Raw


class _Undecoded(Mapping[str, list[list[Any] | None]]):
    """The answers of mistakes, decoded when one is asked for: they are most of a file, and right answers need none."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded

    @cached_property
    def _found(self) -> dict[str, list[list[Any] | None]]:
        return msgspec.json.decode(self._encoded, type=dict[str, list[list[Any] | None]])

    def __getitem__(self, name: str) -> list[list[Any] | None]:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _from_member(member: bytes) -> RecordedCheck:
    start = LENGTH + int.from_bytes(member[:LENGTH], "big")
    lean = msgspec.json.decode(memoryview(member)[LENGTH:start], type=_Lean)
    mistakes: Any = _Undecoded(bytes(lean.mistakes))
    return RecordedCheck(lean.key, lean.examples, lean.requests, lean.reference, mistakes, member[start:])


class _Members(Mapping[str, RecordedCheck]):
    """The checks of an exercise, each decoded when it is asked for: a student's ``check()`` needs those of one."""

    def __init__(self) -> None:
        self.members: dict[str, bytes] = {}
        self._decoded: dict[str, RecordedCheck] = {}

    def __getitem__(self, name: str) -> RecordedCheck:
        if name not in self._decoded:
            self._decoded[name] = _from_member(self.members[name])
        return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)


def read(path: Path) -> Recording:
    """Reads a file of examples.

    Raises:
        ExamplesError: it is missing, damaged, or written by another version.
    """
    if not path.is_file():
        raise ExamplesError(f"{path} is missing: run `autograder build`, or get the assignment's files again.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            members = {name: arrays[name].tobytes() for name in arrays.files}
        is_ours = msgspec.json.decode(members[MANIFEST])["format"] == FORMAT
        recording = _recording(members) if is_ours and members.pop(CHECKSUM) == _checksum(members) else None
    except Exception:
        is_ours, recording = True, None
    if not is_ours:
        raise ExamplesError(f"{path} was written by another version of autograder: this one reads format {FORMAT}.")
    if recording is None:
        raise ExamplesError(f"{path} is damaged: run `autograder build`, or get the assignment's files again.")
    return recording


def _recording(members: dict[str, bytes]) -> Recording:
    sayings: dict[str, Sayings] = {}
    checks: dict[str, _Members] = {}
    for name, member in members.items():
        if name.startswith(EXERCISE):
            exercise = name.removeprefix(EXERCISE)
            sayings[exercise] = msgspec.json.decode(member, type=Sayings)
            checks[exercise] = _Members()
        elif name.startswith(CHECK):
            exercise, check = name.removeprefix(CHECK).split(".")
            checks[exercise].members[check] = member
    return Recording(msgspec.json.decode(members[MANIFEST], type=Manifest), sayings, checks)


def read_for(path: Path, checks: Path) -> Examples:
    """Reads the examples that belong to the file ``checks``.

    Raises:
        ExamplesError: the file is missing, damaged, built in part only, or belongs to other checks.
    """
    recording = read(path)
    if not recording.manifest.checks:
        raise ExamplesError(
            f"{path} is built in part only: run `autograder build`, or get the assignment's files again."
        )
    if recording.manifest.checks != file_hash(checks):
        raise ExamplesError(
            f"{path} does not belong to {checks}, which was changed after it: "
            "run `autograder build`, or get the assignment's files again."
        )
    return Examples(recording)


def _checksum(members: dict[str, bytes]) -> bytes:
    parts = [part for name, member in sorted(members.items()) for part in (name.encode(), member)]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
