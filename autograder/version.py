"""The version of the program, which what it makes carries, and what else its verdicts depend on."""

import hashlib
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

VERSION = "0.1.0"
PACKAGE = Path(__file__).parent


@cache
def program() -> dict[str, str]:
    """What has to be the same wherever verdicts are to be the same, by its name."""
    sources = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py"), key=lambda file: file.relative_to(PACKAGE).as_posix()):
        # However its lines end.
        sources.update(file.read_bytes().replace(b"\r\n", b"\n"))
    libraries = {name: version(name) for name in ("torch", "numpy")}
    python = {"Python": sys.version.split()[0]}
    return {"autograder": VERSION, "autograder's source": sources.hexdigest()[:16], **python, **libraries}
