"""Mutants that are no mistakes: recorded with the reason in ``solutions/NAME/equivalents.toml``, reviewed like code."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from autograder.testing.kinds import DeclarationError

FILE = "equivalents.toml"

Words = Annotated[str, Meta(pattern=r"\S")]


class Equivalent(Struct, frozen=True, forbid_unknown_fields=True):
    """A mutant that answers as the reference does wherever the exercise says what to answer, and why."""

    mutant: Words
    reason: Words


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    equivalent: tuple[Equivalent, ...] = ()


def read_equivalents(path: Path) -> dict[str, str]:
    """The reason for each recorded mutant's id; none where there is no file.

    Raises:
        DeclarationError: the file cannot be read, or names a mutant twice.
    """
    if not path.is_file():
        return {}
    try:
        entries = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).equivalent
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DeclarationError(
            f"{path}: {error}; allowed are [[equivalent]] tables, each with a mutant and a reason"
        ) from None
    reasons: dict[str, str] = {}
    for entry in entries:
        if entry.mutant in reasons:
            raise DeclarationError(f"{path}: the mutant {entry.mutant!r} stands there twice, once is allowed")
        reasons[entry.mutant] = entry.reason
    return reasons


def exercise_of(mutant: str) -> str:
    """The exercise of a mutant's id."""
    return mutant.partition(":")[0]


def wrong_entries(reasons: dict[str, str], made: set[str], caught: set[str]) -> Iterator[str]:
    """A sentence for each entry that is no mutant any more, or that a check tells from the reference."""
    for mutant in reasons:
        if mutant not in made:
            yield f"{FILE} names {mutant!r}, which is no mutant any more"
        elif mutant in caught:
            yield f"{FILE} names {mutant!r}, which is caught: it is not equivalent"
