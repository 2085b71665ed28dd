"""What one process of nbgrader's reads and judges all submissions with."""

import atexit
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from autograder.course import load_course
from autograder.judging.judge import Court, open_court
from autograder.notebooks.released import released_of
from autograder.notebooks.repair.cells import Released
from autograder.reading.reader import Reader, order_of, own_zygote
from autograder.sandbox.remote import SandboxError, Zygote

Answer = TypeVar("Answer")


@lru_cache(maxsize=2)
def released(root: Path, assignment: str) -> Released:
    """The notebook that students were given."""
    return released_of(load_course(root), assignment)


@lru_cache(maxsize=2)
def reader(root: Path, assignment: str) -> Reader:
    """Reads submissions without judging them."""
    return Reader(_zygote(), order_of(load_course(root).limits, assignment, released(root, assignment)))


@lru_cache(maxsize=2)
def court(root: Path, assignment: str) -> Court:
    """Reads and judges submissions."""
    return open_court(load_course(root), assignment, zygote=_zygote())


def once_more(ask: Callable[[], Answer]) -> Answer:
    """What ``ask`` gives; the zygote may have been killed from outside, and a new one is tried once."""
    try:
        return ask()
    except SandboxError:
        for known in (_zygote, reader, court):
            known.cache_clear()
        return ask()


@lru_cache(maxsize=1)
def _zygote() -> Zygote | None:
    zygote = own_zygote()
    if zygote is not None:
        atexit.register(zygote.close)
    return zygote
