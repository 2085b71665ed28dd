"""What `autograder verify` found: the published record, and its words."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from autograder.proving.deep import FalseAlarm, Survivor
from autograder.proving.shares import MistakeShare


class Verified(Struct, frozen=True):
    """What was proven of one assignment; each breach, warning and note is a sentence.

    Counts of mutants are those of the kept proofs; they are left out while there is none. What only ``--deep`` finds is
    about the exercises that it proved, and is else left out.
    """

    name: str
    exercises: int
    checks: int
    mistakes: int
    mistakes_caught: int
    mistakes_caught_visible: int
    mistakes_named: int
    alternatives: int
    breaches: tuple[str, ...]
    notebook_seconds: float | None
    shares: tuple[MistakeShare, ...] = ()
    mutants: int | UnsetType = UNSET
    mutants_caught: int | UnsetType = UNSET
    mutants_equivalent: int | UnsetType = UNSET
    mutants_named: int | UnsetType = UNSET
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    false_alarms: tuple[FalseAlarm, ...] = ()
    proved: tuple[str, ...] | UnsetType = UNSET
    survivors: tuple[Survivor, ...] | UnsetType = UNSET
    seeds: int | UnsetType = UNSET
    examples_per_seed: int | UnsetType = UNSET
    search_runs: int | UnsetType = UNSET
    report: str | UnsetType = UNSET


class Verification(Struct, frozen=True):
    """The published record of `autograder verify --json`, version 2; see `Verified` for what may be left out."""

    assignments: int
    exercises: int
    checks: int
    mistakes: int
    mistakes_caught: int
    mistakes_caught_visible: int
    mistakes_named: int
    alternatives: int
    breaches: tuple[str, ...]
    per_assignment: tuple[Verified, ...]
    warnings: tuple[str, ...] = ()
    schema: int = 2
    mutants: int | UnsetType = UNSET
    mutants_caught: int | UnsetType = UNSET
    mutants_equivalent: int | UnsetType = UNSET
    mutants_named: int | UnsetType = UNSET
    survivors: tuple[Survivor, ...] | UnsetType = UNSET


def summarize(verified: Iterable[Verified]) -> Verification:
    """Adds the assignments up."""
    each = tuple(verified)

    def total(field: str) -> int:
        return sum(getattr(one, field) for one in each)

    def total_if_kept(field: str) -> int | UnsetType:
        return UNSET if any(getattr(one, field) is UNSET for one in each) else total(field)

    survivors = [one.survivors for one in each]
    return Verification(
        assignments=len(each),
        exercises=total("exercises"),
        checks=total("checks"),
        mistakes=total("mistakes"),
        mistakes_caught=total("mistakes_caught"),
        mistakes_caught_visible=total("mistakes_caught_visible"),
        mistakes_named=total("mistakes_named"),
        alternatives=total("alternatives"),
        breaches=tuple(f"{one.name}: {breach}" for one in each for breach in one.breaches),
        per_assignment=each,
        warnings=tuple(f"{one.name}: {warning}" for one in each for warning in one.warnings),
        mutants=total_if_kept("mutants"),
        mutants_caught=total_if_kept("mutants_caught"),
        mutants_equivalent=total_if_kept("mutants_equivalent"),
        mutants_named=total_if_kept("mutants_named"),
        survivors=UNSET if UNSET in survivors else tuple(s for of_one in survivors if of_one for s in of_one),
    )


def to_json(verification: Verification) -> str:
    return msgspec.json.format(msgspec.json.encode(verification), indent=1).decode()


def strength_lines(verified: Verified) -> Iterator[str]:
    """How strong the checks are by the kept proofs, and what ``--deep`` found now, in words."""
    shown = msgspec.structs.asdict(verified)
    if not isinstance(verified.mutants, UnsetType):
        counted = verified.mutants - shown["mutants_equivalent"]
        share = shown["mutants_caught"] / counted if counted else 1.0
        yield (
            f"{verified.name}: {verified.mutants} mutants, {shown['mutants_equivalent']} of them equivalent; "
            f"of {counted} others {shown['mutants_caught']} are caught ({share:.1%}), "
            f"{shown['mutants_named']} of these get a diagnosis"
        )
    if not isinstance(verified.proved, UnsetType):
        yield from _proved_lines(verified.name, verified.exercises, shown)
    for alarm in verified.false_alarms:
        chance = f"fails a right solution with probability {alarm.probability:.1g}"
        yield f"statistical  {alarm.exercise}: {alarm.check} {chance}: {alarm.because}"
    for note in verified.notes:
        yield f"note  {verified.name}: {note}"
    for warning in verified.warnings:
        yield f"warning  {verified.name}: {warning}"


def _proved_lines(name: str, exercises: int, shown: Mapping[str, Any]) -> Iterator[str]:
    proved, survivors = shown["proved"], shown["survivors"]
    if not proved:
        yield f"{name}: every proof that was asked for is up to date"
        return
    yield f"{name}: proved {len(proved)} of {exercises} exercises: {', '.join(proved)}"
    for survivor in survivors:
        live = " (caught by live search only)" if survivor.live else ""
        yield f"survivor{live}  {survivor.id}"
        yield from survivor.diff.splitlines()
    yield (
        f"live search of references and alternatives: {shown['seeds']} seeds x {shown['examples_per_seed']} examples "
        f"of each check that draws, {shown['search_runs']} runs in all"
    )
    yield f"each verdict with its diagnosis: {shown['report']}"
