"""How strong an assignment's checks were proved: ``solutions/NAME/strength.toml``, by exercise, reviewed like code."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from autograder.atomic import write_whole
from autograder.testing.kinds import DeclarationError

FILE = "strength.toml"
CAUGHT_AT_LEAST = 0.99
NAMED_AT_LEAST = 0.85
HEAD = """\
# What `autograder verify --deep` proved of each exercise. It is written by that command and read in review: which
# mutants of the reference get full points, and whether a right solution ever lost some.
"""

Count = Annotated[int, Meta(ge=0)]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]


class Strength(Struct, frozen=True, forbid_unknown_fields=True):
    """The proof of one exercise.

    Attributes:
        mutants: made of its reference, equivalent ones among them.
        caught: those that lose points by the recorded examples.
        named: those of them whose author gets a diagnosis.
        equivalents: those that are no mistake; the reasons stand in ``equivalents.toml``.
        seeds, examples: how often each check that draws was searched on right solutions, and examples of each search.
        false_alarms: searches in which a right solution failed.
        stated_false_alarm: the highest chance of one that a statistical check states.
        depends_on: hash of what the proof depends on; another one means stale.
        package: hash of the package's code that the proof was made with.
        survivors: mutants that nothing catches, by id.
        caught_live_only: mutants that a live search catches, and the recorded examples do not.
    """

    mutants: Count
    caught: Count
    named: Count
    equivalents: Count
    seeds: Annotated[int, Meta(ge=1)]
    examples: Annotated[int, Meta(ge=1)]
    false_alarms: Count
    depends_on: Hash
    package: Hash
    stated_false_alarm: Annotated[float, Meta(ge=0, le=1)] = 0.0
    survivors: tuple[str, ...] = ()
    caught_live_only: tuple[str, ...] = ()

    @property
    def missed(self) -> int:
        """Mutants that get full points and are mistakes."""
        return len(self.survivors) + len(self.caught_live_only)


Kept = dict[str, Strength]


def read_strength(path: Path) -> Kept:
    """The proof of each exercise; none where there is no file.

    Raises:
        DeclarationError: the file cannot be read, or its counts do not add up.
    """
    if not path.is_file():
        return {}
    try:
        kept = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Kept)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DeclarationError(
            f"{path}: {error}; allowed is a table an exercise, as `autograder verify --deep` writes it"
        ) from None
    for exercise, proof in kept.items():
        parts = proof.caught + proof.missed + proof.equivalents
        if proof.mutants != parts:
            raise DeclarationError(
                f"{path}: {exercise} has {proof.mutants} mutants, but caught ones, equivalents and those listed are "
                f"{parts}: run `autograder verify --deep`"
            )
    return kept


def write_strength(path: Path, kept: Mapping[str, Strength]) -> None:
    """Writes the file whole or not at all; the same proofs give the same bytes."""
    tables = [HEAD, *(f"[{_key(exercise)}]\n{_table(kept[exercise])}" for exercise in sorted(kept))]
    write_whole(path, "\n".join(tables).encode())


def _key(exercise: str) -> str:
    return exercise if exercise.isascii() else json.dumps(exercise, ensure_ascii=False)


def _table(proof: Strength) -> str:
    fields = msgspec.structs.asdict(proof).items()
    # Nothing is said of what few exercises have: mutants that survive, checks that chance can fail.
    said = [(name, value) for name, value in fields if value or isinstance(value, int)]
    return "".join(f"{name} = {_value(value)}\n" for name, value in said)


def _value(value: int | float | str | tuple[str, ...]) -> str:
    """A value as TOML writes it; what JSON writes is TOML too, but for lists a line an entry."""
    if isinstance(value, tuple):
        return "[\n" + "".join(f"    {_value(item)},\n" for item in value) + "]"
    if isinstance(value, str) and "'" not in value and value.isprintable():
        return f"'{value}'" if '"' in value or "\\" in value else f'"{value}"'
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def complaints(
    kept: Mapping[str, Strength], bases: Mapping[str, str], where: str, command: str
) -> Iterator[tuple[str, str]]:
    """Each exercise whose proof is missing, stale, of something that is gone or of a false alarm, and a sentence.

    Args:
        kept: what the file has.
        bases: the exercises there are, each with the hash of what its proof depends on.
        where: the file, for the sentences.
        command: what makes a proof.
    """
    for exercise, basis in bases.items():
        proof = kept.get(exercise)
        if proof is None:
            yield exercise, f"its proof is missing in {where}: run `{command}`"
        elif proof.depends_on != basis:
            yield exercise, f"its proof in {where} is stale, what it depends on has changed: run `{command}`"
        elif proof.false_alarms:
            yield (
                exercise,
                f"a right solution failed in {proof.false_alarms} of the searches with {proof.seeds} seeds each: "
                f"mend the check, then run `{command}`",
            )
    for exercise in kept.keys() - bases.keys():
        yield exercise, f"it is no exercise any more, and has a proof in {where}: run `{command}`"


def warnings(kept: Mapping[str, Strength]) -> Iterator[str]:
    """A sentence for each exercise whose mutants are caught or named too seldom."""
    for exercise, proof in kept.items():
        counted = proof.caught + proof.missed
        if proof.caught < CAUGHT_AT_LEAST * counted:
            yield (
                f"{exercise}: {proof.caught} of {counted} mutants are caught ({proof.caught / counted:.1%}), "
                f"{CAUGHT_AT_LEAST:.0%} are wanted: add checks, or record why one that survives is no mistake"
            )
        if proof.named < NAMED_AT_LEAST * proof.caught:
            yield (
                f"{exercise}: {proof.named} of {proof.caught} caught mutants get a diagnosis "
                f"({proof.named / proof.caught:.1%}), {NAMED_AT_LEAST:.0%} are wanted: add mistakes"
            )
