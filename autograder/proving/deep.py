"""Proves how strong checks are: judges mutants of every reference, and searches what is right with many seeds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from autograder.course import Course
from autograder.examples.replay import run_once
from autograder.examples.store import Examples
from autograder.judging.recordings import load_recordings
from autograder.proving.basis import package_hash
from autograder.proving.content import Content
from autograder.proving.idle import idle_checks
from autograder.proving.processes import Lost, Workers
from autograder.proving.seeds import Searched, SeedTask, search_seeds, seed_tasks
from autograder.proving.strength import Strength
from autograder.proving.verdicts import UNCHANGED, Verdict, Wrong, judge_wrong
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.messages import generators_in
from autograder.testing.assignment import Assignment, Exercise
from autograder.testing.declarations import Check

SECONDS_PER_TASK = 300.0

Begin = Callable[[str, int], None]
Advance = Callable[[str], None]


@dataclass(frozen=True)
class Depth:
    """How deep to search, and what.

    Attributes:
        seeds, examples: of the live search, and how many examples each seed draws.
        jobs: processes.
        only: the one exercise to prove; None for all of them.
        again: proves what has a proof, too.
    """

    seeds: int
    examples: int = 5
    jobs: int = 2
    only: str | None = None
    again: bool = False


class Survivor(Struct, frozen=True):
    """A mutant that gets full points; ``live`` if a live search catches it and the recorded examples do not."""

    exercise: str
    id: str
    diff: str
    live: bool


class FalseAlarm(Struct, frozen=True):
    """How likely a statistical check is to fail a right solution, and why."""

    exercise: str
    check: str
    probability: float
    because: str


class Proved(Struct, frozen=True):
    """What `verify --deep` found of the exercises of one assignment that it proved now.

    Attributes:
        exercises: their names.
        survivors: mutants that get full points.
        runs: how often a check ran on a reference or an alternative in the search with many seeds.
        notes: what is worth knowing and no breach.
        report: the folder in which each verdict stands.
    """

    exercises: tuple[str, ...]
    survivors: tuple[Survivor, ...]
    runs: int
    notes: tuple[str, ...]
    breaches: tuple[str, ...]
    report: str


def prove(course: Course, name: str, depth: Depth, begin: Begin, advance: Advance) -> Proved:
    """Proves the exercises of a built assignment whose proof is missing, stale or of fewer seeds, and keeps each proof.

    Every mutant and mistake is judged, and the reference and the alternatives are searched. An exercise's proof is
    written as soon as it is made. None is kept of an exercise whose reference fails as its mutants are judged, whose
    equivalents are wrong, or whose search gave up: these are breaches.

    Raises:
        DeclarationError: ``equivalents.toml`` or ``strength.toml`` cannot be read, or there is no such exercise.
    """
    content = Content.of(course, name)
    chosen = content.unproved(only=depth.only, seeds=depth.seeds, again=depth.again)
    report = course.build_dir / "verify" / name
    recordings = load_recordings(course, name)
    survivors: list[Survivor] = []
    notes: list[str] = []
    breaches: list[str] = []
    runs = 0
    with (
        # Right solutions are searched in processes that never ran a wrong one.
        Workers(partial(judge_wrong, course.root, name), jobs=depth.jobs, seconds=SECONDS_PER_TASK) as judges,
        Workers(
            partial(search_seeds, course.root, name, depth.examples), jobs=depth.jobs, seconds=SECONDS_PER_TASK
        ) as searchers,
    ):
        for number, exercise in enumerate(chosen, 1):
            where = f"{name}, {exercise.name} ({number} of {len(chosen)})"
            wrong = content.wrong(exercise)
            begin(f"{where}: mistakes and mutants", len(wrong))
            verdicts = [content.marked(verdict) for verdict in _judged(judges, wrong, advance)]
            tasks = seed_tasks(exercise, depth.seeds)
            begin(f"{where}: {depth.seeds} seeds of each check", len(tasks))
            search = _searched(searchers, tasks, advance)
            runs += search.runs
            judged = [verdict for verdict in verdicts if verdict.id != UNCHANGED]
            _write(report / f"{exercise.name}.jsonl", judged)
            survivors += (Survivor(v.exercise, v.id, v.diff, v.caught_live) for v in judged if v.survives)
            notes += (*_idle(exercise, judged), *_undeclared(exercise, content.assignment, recordings))
            faults = (*content.faults(exercise, verdicts), *search.given_up)
            breaches += (*faults, *search.failures)
            if not faults:
                content.keep(exercise, _strength(exercise, judged, search, depth, content.bases[exercise.name]))
    content.drop_what_is_gone()
    names = tuple(exercise.name for exercise in chosen)
    return Proved(names, tuple(survivors), runs, tuple(notes), tuple(breaches), str(report.relative_to(course.root)))


def _strength(exercise: Exercise, judged: Sequence[Verdict], search: "_Search", depth: Depth, basis: str) -> Strength:
    mutants = [verdict for verdict in judged if verdict.kind == "mutant"]
    caught = [verdict for verdict in mutants if verdict.counts and verdict.caught]
    missed = [verdict for verdict in mutants if verdict.survives]
    return Strength(
        mutants=len(mutants),
        caught=len(caught),
        named=sum(verdict.named for verdict in caught),
        equivalents=sum(not verdict.counts for verdict in mutants),
        seeds=depth.seeds,
        examples=depth.examples,
        false_alarms=search.alarms,
        depends_on=basis,
        package=package_hash(),
        stated_false_alarm=float(f"{max((a.probability for a in stated_false_alarms(exercise)), default=0.0):.2g}"),
        survivors=tuple(verdict.id for verdict in missed if not verdict.caught_live),
        caught_live_only=tuple(verdict.id for verdict in missed if verdict.caught_live),
    )


def _judged(judges: Workers[Wrong, Verdict], wrong: Sequence[Wrong], advance: Advance) -> list[Verdict]:
    """The verdict on each, in their order."""
    verdicts = {}
    for task, answer in judges.run(wrong):
        # What hangs or crashes costs its author the points.
        lost = Verdict(task.exercise, task.kind, task.id, True, diff=task.diff)
        verdicts[task] = lost if isinstance(answer, Lost) else answer
        advance(task.id)
    return [verdicts[one] for one in wrong]


@dataclass
class _Search:
    """What came of searching an exercise's right solutions; see `Searched`. What gave up is told apart."""

    runs: int = 0
    alarms: int = 0
    failures: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)


def _searched(searchers: Workers[SeedTask, Searched], tasks: Sequence[SeedTask], advance: Advance) -> _Search:
    search = _Search()
    for task, found in searchers.run(tasks):
        if isinstance(found, Lost):
            search.given_up.append(
                f"{task.exercise}: the search of {task.check} with {task.seeds} gave up: {found.reason}"
            )
        else:
            search.runs += found.runs
            search.alarms += found.alarms
            search.failures += found.failures
        advance(task.check)
    return search


def stated_false_alarms(exercise: Exercise) -> Iterator[FalseAlarm]:
    """What an exercise's statistical checks state."""
    for check in exercise.checks:
        stated = check.statistical
        if stated is not None:
            yield FalseAlarm(exercise.name, check.name, stated.false_alarm, stated.because)


def _idle(exercise: Exercise, judged: Sequence[Verdict]) -> Iterator[str]:
    """Names the checks that could go together."""
    idle = idle_checks(exercise.checks, [v.killers for v in judged if v.killers and v.equivalent is None])
    if idle:
        share = f"{len(idle)} of {len(exercise.checks)} checks could go together"
        yield (
            f"{exercise.name}: {share}, and all that was tried would still fail another of the same kind and stage: "
            f"{', '.join(idle)}"
        )


def _undeclared(exercise: Exercise, assignment: Assignment, recordings: Sequence[Examples]) -> Iterator[str]:
    """Names the checks that pass a generator and do not say how likely they are to fail a right solution."""
    silent = [
        check.name
        for check in exercise.checks
        if check.statistical is None and _passes_a_generator(check, assignment, recordings)
    ]
    if silent:
        yield f"{exercise.name}: passes a generator and is not marked as statistical: {', '.join(silent)}"


def _passes_a_generator(check: Check, assignment: Assignment, recordings: Sequence[Examples]) -> bool:
    recorded = next((r for each in recordings if (r := each.of(check.exercise, check.name))), None)
    if recorded is None:
        return False
    calls, _ = run_once(check, InProcess(assignment.reference), recorded.examples[0].values)
    return any(generators_in(call.request) for call in calls)


def _write(report: Path, verdicts: Iterable[Verdict]) -> None:
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_bytes(b"".join(msgspec.json.encode(verdict) + b"\n" for verdict in verdicts))
