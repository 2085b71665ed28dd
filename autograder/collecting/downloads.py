"""Reads folders and zips that come from an LMS. Names in them are data: no file is ever written under one of them.

A zip inside is read one level deep, since that is how students hand in several files.
"""

import hashlib
import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath
from typing import IO

from autograder.collecting.names import NOTEBOOK, PYTHON
from autograder.course import Limits

# Most of a large notebook is its outputs, which are dropped when it is graded; so more than `notebook_bytes` is taken.
TIMES_NOTEBOOK = 20
# A class of a thousand whose notebooks are all of the allowed size.
TOTAL_TIMES_NOTEBOOK = 1000
ENTRIES = 100_000
ENTRIES_INSIDE = 1_000
SAMPLE = 1 << 20
# What systems and students leave beside a notebook.
IGNORED = re.compile(r"__MACOSX|\.ipynb_checkpoints|\._.*|\.DS_Store|Thumbs\.db|checks\.py|examples\.npz|desktop\.ini")
# The bytes of an old zip's name that stand for accented Latin letters; where others stand, it is not Latin.
LATIN_IN_DOS = range(0x80, 0xA6)
UTF8_NAME, UNICODE_PATH, UNIX_TIME = 0x800, 0x7075, 0x5455


class DownloadError(Exception):
    """A path that holds no download; the sentence says why."""


@dataclass(frozen=True)
class Download:
    """One file of a download, its content kept in a file of our own.

    Attributes:
        source: the folder or zip that was given.
        place: the path inside it, cleaned: no ``..``, no drive, no control character.
        kept: where its content is.
        sha256: hash of its content.
        modified: its time in the download, which is that of packing or later than the submission.
        origin: the file itself, where it is not in a zip.
        outer: how many parts of the place lead to the zip inside a zip in which it was; 0 if it was in none.
    """

    source: Path
    place: PurePosixPath
    kept: Path
    sha256: str
    modified: datetime | None
    origin: Path | None = None
    outer: int = 0


@dataclass(frozen=True)
class Refused:
    """A file that was not taken, and why."""

    source: Path
    place: str
    why: str


@dataclass
class _Spool:
    """Takes contents, up to the limits, and counts them."""

    folder: Path
    largest: int
    left: int
    zone: tzinfo
    refused: list[Refused] = field(default_factory=list)
    others: list[tuple[Path, PurePosixPath]] = field(default_factory=list)
    count: int = 0

    def take(self, stream: IO[bytes], limit: int) -> tuple[Path, str, int] | None:
        """Keeps a content; None if it is larger than the limit."""
        self.count += 1
        kept, digest, size = self.folder / str(self.count), hashlib.sha256(), 0
        with kept.open("wb") as file:
            while block := stream.read(SAMPLE):
                size += len(block)
                if size > limit:
                    break
                digest.update(block)
                file.write(block)
        if size > limit:
            kept.unlink()
            return None
        self.left -= size
        return kept, digest.hexdigest(), size


@dataclass(frozen=True)
class Found:
    """What is in folders and zips.

    Attributes:
        downloads: the notebooks, Python files and Blackboard's texts.
        refused: what was not taken: too large, unreadable, encrypted, a link.
        others: source and place of files of other kinds.
    """

    downloads: tuple[Download, ...]
    refused: tuple[Refused, ...]
    others: tuple[tuple[Path, PurePosixPath], ...]


def read_downloads(paths: Sequence[Path], folder: Path, limits: Limits, zone: tzinfo) -> Found:
    """The notebooks, Python files and Blackboard's texts in folders and zips.

    Args:
        paths: folders, zips or single files.
        folder: an empty folder for the contents.
        limits: the course's; a file may have twenty times ``notebook_bytes``.
        zone: the time zone of times that say none.
    Raises:
        DownloadError: a path does not exist, or is neither a folder nor a zip nor a notebook.
    """
    largest = limits.notebook_bytes * TIMES_NOTEBOOK
    spool = _Spool(folder, largest, limits.notebook_bytes * TOTAL_TIMES_NOTEBOOK, zone)
    found: list[Download] = []
    for path in paths:
        if path.is_dir():
            found += _in_folder(path, spool)
        elif not path.is_file():
            raise DownloadError(f"{path} does not exist; allowed is a folder or a zip from an LMS.")
        elif zipfile.is_zipfile(path):
            found += _in_zip(path, path, PurePosixPath(), spool, ENTRIES, inside=False)
        elif _wanted(path.name):
            found += _file(path, path, PurePosixPath(path.name), spool)
        else:
            raise DownloadError(f"{path} is no zip; allowed is a folder, a zip or a notebook from an LMS.")
    return Found(tuple(found), tuple(spool.refused), tuple(spool.others))


def _in_folder(root: Path, spool: _Spool) -> Iterator[Download]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not IGNORED.fullmatch(name))
        for name in sorted(files):
            path = Path(folder, name)
            place = cleaned(path.relative_to(root).as_posix())
            if IGNORED.fullmatch(name) or place is None:
                continue
            # A folder that was unpacked from somebody's archive may hold links to anywhere.
            if path.is_symlink() or not path.is_file():
                spool.refused.append(Refused(root, str(place), "a link or no plain file"))
            elif place.suffix.lower() == ".zip":
                yield from _in_zip(root, path, place, spool, ENTRIES, inside=False)
            elif _wanted(name):
                yield from _file(root, path, place, spool)
            else:
                spool.others.append((root, place))


def _file(source: Path, path: Path, place: PurePosixPath, spool: _Spool) -> Iterator[Download]:
    try:
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        with path.open("rb") as stream:
            taken = spool.take(stream, min(spool.largest, spool.left))
    except OSError as error:
        spool.refused.append(Refused(source, str(place), f"it cannot be read ({error.strerror})"))
        return
    if taken is None:
        spool.refused.append(Refused(source, str(place), _too_large(spool)))
    else:
        yield Download(source, place, taken[0], taken[1], modified, path)


def _in_zip(
    source: Path, archive: Path | IO[bytes], above: PurePosixPath, spool: _Spool, entries: int, inside: bool
) -> Iterator[Download]:
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.filename.endswith("/")]
            if len(members) > entries:
                why = f"{len(members)} files are in it; at most {entries} are read"
                spool.refused.append(Refused(source, str(above), why))
                return
            # One student's zip may not use up what is there for the class.
            left = spool.left - spool.largest if inside else 0
            for member in members:
                yield from _member(source, opened, member, above, spool, max(left, 0), inside)
    except Exception as error:  # zipfile raises many kinds on bytes that somebody made up
        spool.refused.append(Refused(source, str(above), f"it is no zip that can be read ({_one_line(error)})"))


def _member(
    source: Path,
    opened: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    above: PurePosixPath,
    spool: _Spool,
    floor: int,
    inside: bool,
) -> Iterator[Download]:
    place = cleaned(name_in_zip(member))
    if place is None or any(IGNORED.fullmatch(part) for part in place.parts):
        return
    nested = place.suffix.lower() == ".zip" and not inside
    place = above / place
    if not nested and not _wanted(place.name):
        spool.others.append((source, place))
        return
    why = ""
    if member.external_attr >> 16 and stat.S_ISLNK(member.external_attr >> 16):
        why = "it is a link"
    elif member.flag_bits & 1:
        why = "it is encrypted"
    if why:
        spool.refused.append(Refused(source, str(place), why))
        return
    try:
        with opened.open(member) as stream:
            taken = spool.take(stream, min(spool.largest, spool.left - floor))
    except Exception as error:
        spool.refused.append(Refused(source, str(place), f"it is damaged ({_one_line(error)})"))
        return
    if taken is None:
        spool.refused.append(Refused(source, str(place), _too_large(spool)))
        return
    kept, sha256, size = taken
    if not nested:
        outer = len(above.parts) if inside else 0
        yield Download(source, place, kept, sha256, _modified(member, spool.zone), outer=outer)
        return
    content = kept.read_bytes()
    kept.unlink()
    spool.left += size
    yield from _in_zip(source, io.BytesIO(content), place, spool, ENTRIES_INSIDE, inside=True)


def cleaned(name: str) -> PurePosixPath | None:
    """A path without what could lead out of its folder; None if nothing is left."""
    parts = []
    # Half a surrogate pair, which no file name can hold, becomes "?".
    text = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    for letters in re.split(r"[/\\]", text):
        part = "".join("_" if unicodedata.category(letter)[0] == "C" else letter for letter in letters).strip()
        if part not in ("", ".", "..") and not re.fullmatch(r"[A-Za-z]:", part):
            parts.append(part)
    return PurePosixPath(*parts) if parts else None


def _wanted(name: str) -> bool:
    about = name.lower().endswith(".txt") and "_attempt_" in name
    return bool(about or NOTEBOOK.search(name) or PYTHON.search(name))


def name_in_zip(member: zipfile.ZipInfo) -> str:
    """The name of a member in the encoding that it most likely has; a zip need not say which."""
    if member.flag_bits & UTF8_NAME:
        return member.filename
    for kind, value in _extra(member):
        if kind == UNICODE_PATH and len(value) > 5:
            return value[5:].decode(errors="replace")
    raw = member.filename.encode("cp437", errors="replace")
    latin = all(byte < 0x80 or byte in LATIN_IN_DOS for byte in raw)
    for encoding in ("utf-8", "cp437") if latin else ("utf-8", "gb18030", "shift_jis", "cp437"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _modified(member: zipfile.ZipInfo, zone: tzinfo) -> datetime | None:
    """When a member was last changed or packed. A zip's own times have no zone; many zips add one that has."""
    for kind, value in _extra(member):
        if kind == UNIX_TIME and len(value) >= 5 and value[0] & 1:
            return datetime.fromtimestamp(struct.unpack("<i", value[1:5])[0], UTC)
    try:
        local = datetime(*member.date_time, tzinfo=zone)
    except ValueError:
        return None
    # The first year that a zip can say stands for "not known".
    return local.astimezone(UTC) if local.year > 1980 else None


def _extra(member: zipfile.ZipInfo) -> Iterator[tuple[int, bytes]]:
    rest = member.extra
    while len(rest) >= 4:
        kind, size = struct.unpack("<HH", rest[:4])
        yield kind, rest[4 : 4 + size]
        rest = rest[4 + size :]


def _too_large(spool: _Spool) -> str:
    return f"it is larger than {spool.largest // 1_000_000} MB, or the whole download larger than is taken"


def _one_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:100]
