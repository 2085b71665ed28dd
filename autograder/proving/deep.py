"""Proves how strong checks are: judges mutants of every reference, and searches what is right with many seeds."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from autograder.course import Course, load_course
from autograder.examples.replay import run_once
from autograder.examples.search import search
from autograder.examples.store import Examples
from autograder.feedback.diagnosis import words_of
from autograder.judging.exercise import RULE_CHECKS, judge_exercise, replayed
from autograder.judging.inquiries import inquiry
from autograder.judging.recordings import load_recordings
from autograder.notebooks.source import read_source
from autograder.proving.equivalents import FILE, read_equivalents, wrong_entries
from autograder.proving.mutants import Mutant, mutants_of, solution_of, unchanged
from autograder.proving.processes import Lost, run_each
from autograder.proving.seeds import search_seeds, seed_tasks
from autograder.results import CheckResult, Diagnosis
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.messages import generators_in
from autograder.testing.assignment import Assignment, Exercise, load_assignment
from autograder.testing.declarations import Check

SECONDS_PER_CALL = 5.0
SECONDS_PER_TASK = 300.0
# What the recorded examples miss is searched live with each of these seeds.
LIVE_SEEDS = (1, 2, 3)
CAUGHT_AT_LEAST = 0.99
FALSE_ALARM_AT_MOST = 1e-9

# As in: in `torch.arange(n)`.
QUOTED_LINE = re.compile(r"\b(?:in|from) `[^`]+`")

UNCHANGED = "unchanged"

Begin = Callable[[str, int], None]
Advance = Callable[[str], None]


@dataclass(frozen=True)
class Depth:
    """How deep to search: seeds of the live search, examples that each draws, processes."""

    seeds: int = 1000
    examples: int = 5
    jobs: int = 2


@dataclass(frozen=True)
class Wrong:
    """A solution that has to lose points: a listed mistake, or a mutant of the reference."""

    exercise: str
    id: str
    mutant: Mutant | None = None

    @property
    def kind(self) -> Literal["mistake", "mutant"]:
        return "mistake" if self.mutant is None else "mutant"

    @property
    def diff(self) -> str:
        return "" if self.mutant is None else self.mutant.diff


class Verdict(Struct, frozen=True):
    """What the checks made of a wrong solution; a line of ``build/verify/NAME.jsonl``.

    Attributes:
        kind: a listed mistake or a mutant.
        caught: whether it loses points by the recorded examples.
        caught_live: whether a live search finds what they miss.
        killers: the checks that fail.
        diagnosis: what its author would be told.
        located: what a rule that alone is broken says, if it quotes the line at which it is.
        diff: of a mutant, against the reference.
        equivalent: the recorded reason why a mutant is no mistake.
    """

    exercise: str
    kind: Literal["mistake", "mutant"]
    id: str
    caught: bool
    caught_live: bool = False
    killers: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None
    diff: str = ""
    equivalent: str | None = None
    located: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is a mutant that has to be caught."""
        return self.kind == "mutant" and self.equivalent is None

    @property
    def named(self) -> bool:
        """Whether its author is told what the mistake is: by a diagnosis, or by a broken rule that quotes the line."""
        return self.diagnosis is not None or bool(self.located)


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


class Proof(Struct, frozen=True):
    """What `verify --deep` found in one assignment.

    Attributes:
        mutants: made, equivalent ones among them.
        caught, named: mutants that lose points by the recorded examples, and those whose author is told the mistake.
        equivalent: recorded as no mistake.
        runs: how often a check ran on a reference or an alternative in the search with many seeds.
        notes: what is worth knowing and no breach.
        report: where each verdict stands.
    """

    mutants: int
    caught: int
    equivalent: int
    named: int
    survivors: tuple[Survivor, ...]
    runs: int
    false_alarms: tuple[FalseAlarm, ...]
    notes: tuple[str, ...]
    breaches: tuple[str, ...]
    report: str


def prove(course: Course, name: str, depth: Depth, begin: Begin, advance: Advance) -> Proof:
    """Judges every mutant and mistake of a built assignment, and searches its references and alternatives.

    Raises:
        DeclarationError: ``equivalents.toml`` cannot be read.
    """
    assignment = load_assignment(course, name)
    equivalents = read_equivalents(course.solutions_dir / name / FILE)
    judged = _judged(course, assignment, equivalents, depth.jobs, begin, advance)
    verdicts = [verdict for verdict in judged if verdict.id != UNCHANGED]
    runs, failures = _searched(course, assignment, depth, begin, advance)
    false_alarms = tuple(_false_alarms(assignment))
    mutants = [verdict for verdict in verdicts if verdict.kind == "mutant"]
    caught = [verdict for verdict in mutants if verdict.counts and verdict.caught]
    survivors = tuple(Survivor(v.exercise, v.id, v.diff, v.caught_live) for v in mutants if v.counts and not v.caught)
    told_apart = {verdict.id for verdict in mutants if verdict.caught or verdict.caught_live}
    report = course.build_dir / "verify" / f"{name}.jsonl"
    _write(report, verdicts)
    return Proof(
        mutants=len(mutants),
        caught=len(caught),
        equivalent=sum(verdict.equivalent is not None for verdict in mutants),
        named=sum(verdict.named for verdict in caught),
        survivors=survivors,
        runs=runs,
        false_alarms=false_alarms,
        notes=(*_idle_checks(assignment, verdicts), *_undeclared(assignment, load_recordings(course, name))),
        breaches=(
            *(
                f"{v.exercise}: the reference itself fails {', '.join(v.killers)} when it is judged as its mutants are"
                for v in judged
                if v.id == UNCHANGED and v.caught
            ),
            *_too_many(survivors, len(caught)),
            *wrong_entries(equivalents, {verdict.id for verdict in mutants}, told_apart),
            *failures,
            *(
                f"{f.exercise}: {f.check} fails a right solution with probability {f.probability:.1g}, "
                f"{FALSE_ALARM_AT_MOST:.0e} is allowed"
                for f in false_alarms
                if not f.probability <= FALSE_ALARM_AT_MOST * (1 + 1e-6)
            ),
        ),
        report=str(report.relative_to(course.root)),
    )


def _judged(
    course: Course, assignment: Assignment, equivalents: dict[str, str], jobs: int, begin: Begin, advance: Advance
) -> list[Verdict]:
    """The verdict on every mistake and mutant, in the order of the reference, and on each reference unchanged."""
    path = course.solutions_dir / assignment.name / "reference.py"
    source, file = path.read_text(encoding="utf-8"), str(path.relative_to(course.root))
    cells = read_source(course.assignments_dir / assignment.name / f"{assignment.name}.md")
    refusing = {cell.name for cell in cells if cell.refuses}

    def mutants(name: str) -> tuple[Mutant, ...]:
        return mutants_of(name, source, file, guards_given=name not in refusing)

    wrong = [
        one
        for exercise in assignment.exercises
        for one in (
            *(Wrong(exercise.name, mistake.name) for mistake in exercise.mistakes),
            *(Wrong(exercise.name, mutant.id, mutant) for mutant in mutants(exercise.name)),
            Wrong(exercise.name, UNCHANGED, unchanged(exercise.name, source, file)),
        )
    ]
    begin(f"{assignment.name}: mistakes and mutants", len(wrong))
    work = partial(judge_wrong, course.root, assignment.name)
    verdicts = {}
    for task, answer in run_each(work, wrong, jobs=jobs, seconds=SECONDS_PER_TASK):
        # What hangs or crashes costs its author the points.
        lost = Verdict(task.exercise, task.kind, task.id, True, diff=task.diff)
        verdict = lost if isinstance(answer, Lost) else answer
        verdicts[task] = msgspec.structs.replace(verdict, equivalent=equivalents.get(task.id))
        advance(task.id)
    return [verdicts[one] for one in wrong]


def judge_wrong(root: Path, name: str, wrong: Wrong) -> Verdict:
    """Judges one wrong solution by the recorded examples, and live where they miss it. Runs in a worker process."""
    assignment, recordings = _content(root, name)
    exercise = assignment.exercise(wrong.exercise)
    assert exercise is not None
    try:
        solution = _solution(wrong, assignment, exercise)
    except Exception:
        checks = tuple(check.name for check in exercise.checks)
        return Verdict(wrong.exercise, wrong.kind, wrong.id, True, killers=checks, diff=wrong.diff)
    runner = InProcess({**assignment.reference, exercise.name: solution}, seconds_per_call=SECONDS_PER_CALL)
    words = words_of(exercise.name, recordings[0])
    asked = inquiry(assignment, exercise, recordings[0])
    result = judge_exercise(exercise, exercise.checks, runner, replayed(*recordings), words, inquiry=asked)
    killers = tuple(check.name for check in result.checks if check.status not in ("passed", "not_analysed"))
    caught = result.points < exercise.points
    live = not caught and any(_fails_live(check, runner) for check in exercise.checks)
    return Verdict(
        wrong.exercise,
        wrong.kind,
        wrong.id,
        caught,
        live,
        killers,
        result.diagnosis,
        wrong.diff,
        located=_located(result.checks),
    )


def _located(checks: Sequence[CheckResult]) -> str:
    """What the broken rule says if nothing else is wrong, and if it quotes a line of the solution."""
    failed = [check for check in checks if check.status not in ("passed", "not_analysed")]
    is_rule_alone = bool(failed) and all(check.name in RULE_CHECKS for check in failed)
    return failed[0].message if is_rule_alone and QUOTED_LINE.search(failed[0].message) else ""


@lru_cache(maxsize=1)
def _content(root: Path, name: str) -> tuple[Assignment, tuple[Examples, Examples]]:
    course = load_course(root)
    return load_assignment(course, name), load_recordings(course, name)


def _solution(wrong: Wrong, assignment: Assignment, exercise: Exercise) -> Any:
    if wrong.mutant is not None:
        return solution_of(wrong.mutant, assignment.reference)
    return next(mistake.solution for mistake in exercise.mistakes if mistake.name == wrong.id)


def _fails_live(check: Check, runner: InProcess) -> bool:
    return any(draw.failure is not None for seed in LIVE_SEEDS for draw in search(check, runner, seed))


def _searched(
    course: Course, assignment: Assignment, depth: Depth, begin: Begin, advance: Advance
) -> tuple[int, list[str]]:
    """How often the search with many seeds ran a check, and a sentence for each failure."""
    tasks = seed_tasks(assignment, depth.seeds)
    begin(f"{assignment.name}: {depth.seeds} seeds", len(tasks))
    work = partial(search_seeds, course.root, assignment.name, depth.examples)
    runs, failures = 0, []
    for task, found in run_each(work, tasks, jobs=depth.jobs, seconds=SECONDS_PER_TASK):
        if isinstance(found, Lost):
            failures.append(f"{task.exercise}: the search of {task.check} with {task.seeds} gave up: {found.reason}")
        else:
            runs += found.runs
            failures.extend(found.failures)
        advance(task.check)
    return runs, failures


def _too_many(survivors: Sequence[Survivor], caught: int) -> Iterator[str]:
    if survivors and caught < CAUGHT_AT_LEAST * (caught + len(survivors)):
        share = caught / (caught + len(survivors))
        yield (
            f"{share:.1%} of the mutants that are not equivalent are caught, {CAUGHT_AT_LEAST:.0%} are needed: "
            f"add checks, or record in {FILE} why a survivor is no mistake"
        )


def _false_alarms(assignment: Assignment) -> Iterator[FalseAlarm]:
    for exercise in assignment.exercises:
        for check in exercise.checks:
            stated = check.statistical
            if stated is not None:
                yield FalseAlarm(exercise.name, check.name, stated.false_alarm, stated.because)


def _idle_checks(assignment: Assignment, verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Names the checks without which nothing more would survive."""
    alone = Counter(
        (verdict.exercise, verdict.killers[0])
        for verdict in verdicts
        if len(verdict.killers) == 1 and verdict.equivalent is None
    )
    for exercise in assignment.exercises:
        idle = [check.name for check in exercise.checks if not alone[exercise.name, check.name]]
        if idle:
            share = f"{len(idle)} of {len(exercise.checks)} checks kill"
            yield f"{exercise.name}: {share} nothing that no other check kills: {', '.join(idle)}"


def _undeclared(assignment: Assignment, recordings: Sequence[Examples]) -> Iterator[str]:
    """Names the checks that pass a generator and do not say how likely they are to fail a right solution."""
    for exercise in assignment.exercises:
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
