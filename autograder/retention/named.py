"""Files and folders that are named after a student."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

ENDINGS = r"(?:\.\d+)?\.(?:json|part|ipynb|py|html|csv|txt|zip)"
# Attempts and copies: the id, then a number or a moment.
COUNTED = r"[-_+.@]+(?:attempt|try|v)?[-_]?\d[\w.:+-]*"


def named_after(folder: Path, student: str, others: Collection[str]) -> Iterator[Path]:
    """Whatever below a folder has a student's name; of a folder that has it, not what is inside. No link is followed.

    Args:
        folder: where to look.
        student: whose name.
        others: ids of other students, of which one may begin with this one.
    """
    mine = re.compile(rf"\.?{re.escape(student)}(?:{ENDINGS}|{COUNTED})?\Z")
    theirs = re.compile("|".join([rf"\.?{re.escape(other)}(?:{ENDINGS})?\Z" for other in others] or [r"\Z."]))
    for where, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            if mine.match(name) and not (name != student and theirs.match(name)):
                yield Path(where, name)
        folders[:] = sorted(name for name in folders if not mine.match(name))


def mentioning(folder: Path, student: str, others: Collection[str] = ()) -> Iterator[Path]:
    """Files below a folder whose name or content holds the id as a word of its own, and not in another's longer id."""
    longer = sorted((other for other in others if student in other), key=len, reverse=True)
    words = b"|".join([*(re.escape(other.encode()) for other in longer), b"(" + re.escape(student.encode()) + b")"])
    word = re.compile(rb"(?<![A-Za-z0-9_])(?:" + words + rb")(?![A-Za-z0-9_])")

    def holds(text: bytes) -> bool:
        return any(match[1] for match in word.finditer(text))

    for where, _, files in os.walk(folder):
        for name in sorted(files):
            path = Path(where, name)
            if holds(os.fsencode(name)) or (not path.is_symlink() and holds(path.read_bytes())):
                yield path
