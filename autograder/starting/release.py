"""Finds a released assignment in a folder or zip. Names and sizes in it are checked before anything is written."""

import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from autograder.collecting.downloads import name_in_zip
from autograder.errors import one_of, shown
from autograder.starting.download import download
from autograder.starting.errors import StartError, UnreadableRelease

CHECKS = "checks.py"
# No course comes near these; a zip that was made to fill a disk does.
MOST_ENTRIES, MOST_FILES, MOST_BYTES = 100_000, 1_000, 256 << 20
# What systems, editors and kernels leave beside a notebook.
IGNORED = re.compile(r"\..*|__MACOSX|__pycache__|Thumbs\.db|desktop\.ini", re.IGNORECASE)
# What Windows gives no file as a name.
UNFIT = re.compile(r'.*[<>:"|?*\x00-\x1f].*|.*[. ]|(con|prn|aux|nul|com\d|lpt\d)(\..*)?', re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Release:
    """A released assignment: its name, and its files by their place in its folder."""

    name: str
    files: Mapping[PurePosixPath, bytes]

    @property
    def notebook(self) -> PurePosixPath:
        return PurePosixPath(f"{self.name}.ipynb")


@dataclass(frozen=True)
class _Entry:
    """A file of a folder or zip; ``fault`` says why it may not be copied."""

    place: PurePosixPath
    open: Callable[[], IO[bytes]]
    fault: str = ""


def read_release(source: str, name: str) -> Release:
    """The released assignment ``name``.

    Args:
        source: a folder, a zip, or the http(s) address of a zip; the assignment's folder may be anywhere in it.
        name: the assignment's.
    Raises:
        StartError: there is no such assignment in it, or several.
        UnreadableRelease: there is no such source, or it cannot be read, or holds what may not be copied.
    """
    if re.match(r"https?://", source, re.IGNORECASE):
        with download(source) as file:
            return _in_zip(file, name, source)
    if re.match(r"\w{2,}://", source):
        raise UnreadableRelease(f"{source} cannot be read: allowed is a folder, a zip, or a zip's https:// address.")
    path = Path(source).expanduser()
    if path.is_dir():
        return _chosen(_entries_of_folder(path), name, source)
    if not path.is_file():
        raise UnreadableRelease(f"{path} does not exist; allowed is a folder, a zip, or a zip's https:// address.")
    try:
        with path.open("rb") as file:
            return _in_zip(file, name, source)
    except OSError as error:
        raise UnreadableRelease(f"{path} cannot be read: {error.strerror}.") from None


def _in_zip(file: IO[bytes], name: str, source: str) -> Release:
    try:
        with zipfile.ZipFile(file) as archive:
            return _chosen(_entries_of_zip(archive, source), name, source)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UnreadableRelease(f"{source} is no zip that can be read ({error}).") from None


def _entries_of_zip(archive: zipfile.ZipFile, source: str) -> list[_Entry]:
    def entry(member: zipfile.ZipInfo) -> _Entry:
        fault = "is a link" if stat.S_ISLNK(member.external_attr >> 16) else ""
        fault = "is encrypted" if member.flag_bits & 1 else fault
        return _Entry(_place(name_in_zip(member), source), lambda: archive.open(member), fault)

    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MOST_ENTRIES:
        raise UnreadableRelease(f"{source} holds {len(members):,} files; at most {MOST_ENTRIES:,} are read.")
    return [entry(member) for member in members]


def _place(name: str, source: str) -> PurePosixPath:
    """Where a member of a zip stands in it; refuses one that would stand outside."""
    parts = re.split(r"[/\\]", name)
    if parts[0] == "" or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise UnreadableRelease(
            f"{source} holds {shown(name)}, a name that leads out of its folder: nothing is copied."
        )
    return PurePosixPath(*parts)


def _entries_of_folder(root: Path) -> list[_Entry]:
    def entry(path: Path) -> _Entry:
        fault = "is a link" if path.is_symlink() else "" if path.is_file() else "is no plain file"
        return _Entry(PurePosixPath(path.relative_to(root).as_posix()), lambda: path.open("rb"), fault)

    found = [entry(path) for path in islice(_walk(root), MOST_ENTRIES + 1)]
    if len(found) > MOST_ENTRIES:
        raise UnreadableRelease(f"{root} holds more than {MOST_ENTRIES:,} files: give the assignment's own folder.")
    return found


def _walk(root: Path) -> Iterator[Path]:
    """The files below a folder, and links to folders, which are not followed."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not IGNORED.fullmatch(name))
        links = [name for name in folders if Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in sorted([*files, *links]) if not IGNORED.fullmatch(name))


def _chosen(entries: Sequence[_Entry], name: str, source: str) -> Release:
    """The release called ``name``: a folder that holds NAME.ipynb and checks.py."""
    entries = [entry for entry in entries if not any(IGNORED.fullmatch(part) for part in entry.place.parts)]
    places = {entry.place for entry in entries}
    notebooks = [place for place in places if place.suffix == ".ipynb" and place.parent / CHECKS in places]
    homes = sorted(place.parent for place in notebooks if place.stem == name)
    if len(homes) > 1:
        raise StartError(f"{source} holds {name} {len(homes)} times, in {' and '.join(map(str, homes))}: give one.")
    if not homes:
        there = sorted({place.stem for place in notebooks})
        what = f"allowed is {one_of(there, name)}" if there else f"a folder with {name}.ipynb and {CHECKS} is not in it"
        raise StartError(f"{source} holds no assignment {shown(name)}; {what}.")
    return _read(entries, homes[0], name, source)


def _read(entries: Sequence[_Entry], home: PurePosixPath, name: str, source: str) -> Release:
    files: dict[PurePosixPath, bytes] = {}
    left = MOST_BYTES
    inside = [entry for entry in entries if entry.place.is_relative_to(home)]
    if len(inside) > MOST_FILES:
        raise UnreadableRelease(f"{source} holds {len(inside):,} files for {name}; at most {MOST_FILES:,} are copied.")
    for entry in inside:
        place = entry.place.relative_to(home)
        unfit = "has a name that no file has on Windows" if any(map(UNFIT.fullmatch, place.parts)) else ""
        if fault := entry.fault or unfit:
            raise UnreadableRelease(f"{source}: {entry.place} {fault}; nothing is copied.")
        try:
            with entry.open() as stream:
                files[place] = stream.read(left + 1)
        except Exception as error:  # zipfile raises many kinds on bytes that somebody made up
            raise UnreadableRelease(f"{source}: {entry.place} cannot be read ({error}).") from None
        left -= len(files[place])
        if left < 0:
            raise UnreadableRelease(f"{source} is larger than the {MOST_BYTES >> 20} MB that are copied for {name}.")
    if len({str(place).casefold() for place in files}) < len(inside):
        raise UnreadableRelease(f"{source} holds two files for {name} whose names are the same on Windows and macOS.")
    return Release(name, files)
