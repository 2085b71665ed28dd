"""Whether anything of ``solutions/`` stands in the book: every file of the site is read, archives file by file."""

import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.testing.assignment import Assignment

TAG = re.compile(r"<[^>]*>")
WORD = re.compile(r"\w+")
# Shorter lines, such as `return out`, stand in many a text by chance.
SHORTEST = 16
SECRET = ("*.py", "*.toml")


@dataclass(frozen=True)
class Secrets:
    """What students do not get, without white space: lines of text, and names that are said nowhere else."""

    lines: frozenset[str]
    names: frozenset[str]

    def in_text(self, text: str) -> str | None:
        """The first secret that a text holds."""
        packed = _packed(text)
        beginnings: dict[str, list[str]] = {}
        for line in self.lines:
            beginnings.setdefault(line[:SHORTEST], []).append(line)
        for start in range(len(packed) - SHORTEST + 1):
            for line in beginnings.get(packed[start : start + SHORTEST], ()):
                if packed.startswith(line, start):
                    return line
        return min(self.names & set(WORD.findall(text)), default=None)


def secrets_of(solutions: Path, assignments: Iterable[Assignment], public: Iterable[Mapping[str, bytes]]) -> Secrets:
    """The lines under ``solutions/``, and the names and sentences of hidden checks, that students do not get anyway.

    Args:
        solutions: the folder.
        assignments: with their hidden checks.
        public: files that students get, by their paths.
    """
    known = [text for files in public for path, content in files.items() for text in texts(path, content)]
    packed, words = "\0".join(_packed(text) for text in known), {word for text in known for word in WORD.findall(text)}
    files = [path for pattern in SECRET for path in sorted(solutions.rglob(pattern))]
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    hidden = [check for one in assignments for exercise in one.exercises for check in exercise.hidden]
    lines += [check.title for check in hidden]
    return Secrets(
        frozenset(line for line in set(map(_packed, lines)) if len(line) >= SHORTEST and line not in packed),
        frozenset(check.name for check in hidden if check.name not in words),
    )


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
    return "".join(text.split())
