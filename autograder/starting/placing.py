"""Writes a release into a student's folder. What a student has written is never replaced."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.atomic import write_whole
from autograder.notebooks.newer import beside
from autograder.starting.errors import StartError
from autograder.starting.release import CHECKS, Release

# What a folder was last given: so that a file in it that differs from this is known as the student's.
RECORD = ".autograder.json"
# These are ours alone: a student's change to them only makes `check` refuse them.
OURS = (PurePosixPath(CHECKS), PurePosixPath("examples.npz"))


@dataclass(frozen=True)
class Placed:
    """What was written, by place in the folder.

    Attributes:
        written: files that were not there, or not as released.
        kept: files of the student's that the new release would replace, and where the new ones stand instead.
    """

    written: tuple[PurePosixPath, ...]
    kept: Mapping[PurePosixPath, PurePosixPath]


def place(release: Release, folder: Path, *, update: bool = False) -> Placed:
    """Copies a release into a folder.

    Args:
        release: what is copied.
        folder: made where it does not exist. One in which other things stand is left alone.
        update: replaces what the student has not changed, and puts a new version beside what the student has.
    Raises:
        StartError: something else stands there; or it cannot be written.
    """
    try:
        record = _recorded(folder, release.name)
        present = {at: content for at in release.files if (content := _content(folder / at)) is not None}
        if folder.exists():
            _require_own(release, folder, present, is_known=record is not None)
        changed = [at for at, content in present.items() if content != release.files[at]]
        if changed and not update:
            raise StartError(
                f"{folder / changed[0]} is there already and not as released, so nothing was changed: give another "
                "DIR, or --update, which brings new checks and keeps what you wrote."
            )
        return _write(release, folder, present, record or {})
    except OSError as error:
        raise StartError(f"{error.filename or folder} cannot be written: {error.strerror}.") from None


def _require_own(release: Release, folder: Path, present: Mapping[PurePosixPath, bytes], *, is_known: bool) -> None:
    """Refuses a folder that was not given this assignment before, unless it is empty."""
    if not folder.is_dir():
        raise StartError(f"{folder} is no folder: give another DIR.")
    untouched = any(content == release.files[at] for at, content in present.items())
    if is_known or release.notebook in present or untouched or not any(folder.iterdir()):
        return
    raise StartError(f"{folder} holds other files and no {release.notebook}, so nothing was changed: give another DIR.")


def _write(release: Release, folder: Path, present: Mapping[PurePosixPath, bytes], record: Mapping[str, str]) -> Placed:
    written: list[PurePosixPath] = []
    kept: dict[PurePosixPath, PurePosixPath] = {}
    for at, content in release.files.items():
        old = present.get(at)
        if old == content:
            continue
        if old is None or at in OURS or record.get(str(at)) == _hash(old):
            write_whole(folder / at, content)
            written.append(at)
        elif record.get(str(at)) != _hash(content):
            kept[at] = _put_beside(folder, at, content)
    new_record = {str(at): _hash(content) for at, content in release.files.items()}
    if new_record != record:
        text = json.dumps({"assignment": release.name, "files": new_record}, indent=1)
        write_whole(folder / RECORD, text.encode())
    return Placed(tuple(written), kept)


def _put_beside(folder: Path, at: PurePosixPath, content: bytes) -> PurePosixPath:
    """Writes a new version under the first name that is free, or that holds it already."""
    number = 1
    while _content(folder / (other := at.with_name(beside(at.name, number)))) not in (None, content):
        number += 1
    write_whole(folder / other, content)
    return other


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _recorded(folder: Path, name: str) -> dict[str, str] | None:
    """The hashes of what a folder was last given of this assignment; None where that is not known."""
    try:
        found = json.loads((folder / RECORD).read_bytes())
        return dict(found["files"]) if found["assignment"] == name else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
