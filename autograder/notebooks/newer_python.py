"""Whether code that this Python cannot read was written for a newer one, found out by ruff's parser."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

SINCE = re.compile(r"(?P<what>.+) on Python \d\.\d+ \(syntax was added in Python (?P<version>\d\.\d+)\)$")
SECONDS = 10
# Longer code is not asked about: an honest cell has a few dozen lines.
LONGEST = 200_000


@dataclass(frozen=True)
class Newer:
    """The oldest Python that can read some code, as ``"3.12"``, and the line and the reason why no older one can."""

    version: str
    line: int
    why: str


def newer_python(code: str) -> Newer | None:
    """What is newer in code than the Python that runs this; None if it is wrong in any Python, or fits this one."""
    if len(code) > LONGEST:
        return None
    from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]  # who grades has it, students need not

    this = f"py{sys.version_info.major}{sys.version_info.minor}"
    # Syntax is reported whatever is selected; this rule finds nothing else.
    command = [find_ruff_bin(), "check", "--isolated", "--no-cache", "--select", "W605", "--output-format", "json"]
    try:
        done = subprocess.run(
            [*command, "--target-version", this, "-"],
            input=code.encode(),
            capture_output=True,
            check=False,  # it says 1 where it finds something
            timeout=SECONDS,
        )
        found = [one for one in json.loads(done.stdout) if one["code"] in (None, "invalid-syntax")]
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    newer = [SINCE.match(one["message"]) for one in found]
    if not found or None in newer:
        return None
    versions = [match["version"] for match in newer if match is not None]
    last = max(versions, key=lambda version: [int(part) for part in version.split(".")])
    one = found[versions.index(last)]
    why = next(match["what"] for match in newer if match is not None and match["version"] == last)
    return Newer(last, one["location"]["row"], why[0].lower() + why[1:])


def newest(codes: Iterable[str]) -> Newer | None:
    """The newest Python that any of several pieces of code needs."""
    found = [newer for code in codes if (newer := newer_python(code)) is not None]
    return max(found, key=lambda newer: [int(part) for part in newer.version.split(".")], default=None)
