"""Merge conflicts that were left in a file."""

import re

OURS = re.compile(r"^<{7}(?: |$)")
BASE = re.compile(r"^\|{7}(?: |$)")
MIDDLE = re.compile(r"^={7}$")
THEIRS = re.compile(r"^>{7}(?: |$)")


def sides(text: str) -> tuple[str, str] | None:
    """A text with all its conflicts decided for the first side, and for the second; None if it has no conflict."""
    if "<<<<<<<" not in text:
        return None
    ours: list[str] = []
    theirs: list[str] = []
    into: tuple[list[str], ...] = (ours, theirs)
    conflicts = 0
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        if OURS.match(bare):
            into, conflicts = (ours,), conflicts + 1
        elif BASE.match(bare) and into == (ours,):
            into = ()
        elif MIDDLE.match(bare) and len(into) < 2:
            into = (theirs,)
        elif THEIRS.match(bare):
            into = (ours, theirs)
        else:
            for side in into:
                side.append(line)
    return ("".join(ours), "".join(theirs)) if conflicts else None


def conflict_marker(code: str) -> tuple[int, str] | None:
    """The first line of a cell's code that is a conflict marker: its number and text."""
    for number, line in enumerate(code.splitlines(), 1):
        if OURS.match(line) or THEIRS.match(line) or MIDDLE.match(line):
            return number, line
    return None
