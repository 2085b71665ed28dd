"""Whether anything of ``solutions/`` stands in the book: every file of the site is read, archives file by file."""

import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.testing.assignment import Assignment

TAG = re.compile(r"<[^>]*>")
WORD = re.compile(r"\w+")
# Shorter lines, such as `return out`, stand in many a text by chance.
SHORTEST = 16
SECRET = ("*.py", "*.toml")


@dataclass(frozen=True)
class Secrets:
    """What students do not get: lines without their white space, and names that are said nowhere else."""

    lines: frozenset[str]
    names: frozenset[str]

    def in_text(self, text: str) -> str | None:
        """A secret that a text holds, if it holds any."""
        lines = _held(self._by_beginning, _packed(text))
        return min(lines or self.names & set(WORD.findall(text)), default=None)

    @cached_property
    def _by_beginning(self) -> dict[str, list[str]]:
        return _by_beginning(self.lines)


def secrets_of(solutions: Path, assignments: Iterable[Assignment], public: Iterable[Mapping[str, bytes]]) -> Secrets:
    """The lines under ``solutions/``, and the names and sentences of hidden checks, that students do not get anyway.

    Args:
        solutions: the folder.
        assignments: with their hidden checks.
        public: files that students get, by their paths.
    """
    files = [path for pattern in SECRET for path in sorted(solutions.rglob(pattern))]
    hidden = [check for one in assignments for exercise in one.exercises for check in exercise.hidden]
    said = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    # A line of a single word, as in a list of imports, tells no more than a name.
    several = [line for line in (*said, *(check.title for check in hidden)) if len(WORD.findall(line)) > 1]
    lines = {line for line in map(_packed, several) if len(line) >= SHORTEST}
    names = {check.name for check in hidden}
    beginnings = _by_beginning(lines)
    for text in (text for files in public for path, content in files.items() for text in texts(path, content)):
        lines -= _held(beginnings, _packed(text))
        names -= set(WORD.findall(text))
    return Secrets(frozenset(lines), frozenset(names))


def _by_beginning(lines: Iterable[str]) -> dict[str, list[str]]:
    beginnings: dict[str, list[str]] = {}
    for line in lines:
        beginnings.setdefault(line[:SHORTEST], []).append(line)
    return beginnings


def _held(beginnings: Mapping[str, list[str]], packed: str) -> set[str]:
    """Which lines stand in a text, both without white space; one pass, however many lines there are."""
    last = len(packed) - SHORTEST + 1
    places = [start for start in range(last) if packed[start : start + SHORTEST] in beginnings]
    return {
        line
        for start in places
        for line in beginnings[packed[start : start + SHORTEST]]
        if packed.startswith(line, start)
    }


def leak(secrets: Secrets, site: Path) -> tuple[Path, str] | None:
    """The first file of a site that holds a secret, and the secret."""
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        for text in texts(path.name, path.read_bytes()):
            found = secrets.in_text(text)
            if found is not None:
                return path, found
    return None


def texts(path: str, content: bytes) -> Iterator[str]:
    """What a file says, in every form in which it says it."""
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from texts(member, archive.read(member))
        return
    text = content.decode("utf-8", errors="replace")
    yield text
    if path.endswith((".html", ".xml")):
        yield html.unescape(TAG.sub("", text))
    elif path.endswith((".ipynb", ".json")):
        yield "\n".join(_strings(json.loads(text)))
    elif path.endswith(".inv"):
        yield zlib.decompress(content.split(b"\n", 4)[4]).decode("utf-8", errors="replace")


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _strings(item)
        case dict():
            for item in value.values():
                yield from _strings(item)


def _packed(text: str) -> str:
    """A text without white space, and without the marks of code, which a page does not show."""
    return "".join(text.replace("`", "").split())
