"""Compares what grading costs: this autograder, nbgrader in its kernel, and otter, on the same class and checks.

    python bench/run.py [--quick] [--keep]

Prints a table and writes ``build/bench.json``; progress goes to stderr. Beside each ratio stands the one that was kept
in ``bench/kept.json``; one that is much worse ends the run with 1. CPU seconds are user and system time of every
process that a grader starts. "Each further" submission is the difference of two class sizes, so start-up is no part
of it. Demo cells run nowhere.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograder.demo.made_class import MadeSubmission
from autograder.testing.assignment import load_assignment
from bench import kept
from bench.calls import Calls, measure_calls
from bench.classes import make_classes
from bench.content import NAME, make_course
from bench.graders import (
    Bench,
    Graded,
    autograder,
    kernel_replay,
    kernel_search,
    otter,
    preprocessor,
    program,
)
from bench.measure import Cost, adopt_orphans
from bench.overhead import Overhead, measure_overheads

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDER = REPOSITORY / "build" / "bench"
OUT = REPOSITORY / "build" / "bench.json"

# Class sizes of `autograder grade`, for one worker and for two.
SIZES = {"quick": (10, 50), "usual": (10, 100, 1000)}
# All correct repeats two students, so the difference of these is a whole number of rounds.
PREPROCESSOR_SIZES = (1, 21)
SLOW_SIZES = (1, 3)
OTTER_SIZES = (2,)

GRADE, GRADE_2 = "autograder grade", "autograder grade, 2 workers"
PREPROCESSOR = "nbgrader autograde, our preprocessor"
REPLAY = "nbgrader autograde, kernel, recorded examples"
SEARCH = "nbgrader autograde, kernel, live search"
OTTER_REPLAY = "otter run, recorded examples"
OTTER_SEARCH = "otter run, live search"

Grader = Callable[[Sequence[MadeSubmission], int], Graded]


@dataclass(frozen=True)
class Row:
    """One grader on one class: its cost by size.

    Attributes:
        each_further: CPU seconds of a further submission, between the two largest sizes.
    """

    grader: str
    class_: str
    costs: Mapping[int, Cost]
    each_further: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares what grading costs.")
    parser.add_argument("--quick", action="store_true", help="small classes, no otter")
    parser.add_argument("--keep", action="store_true", help="keep this run's ratios to compare later ones with")
    options = parser.parse_args()
    length = "quick" if options.quick else "usual"
    adopt_orphans()
    say("making the course (the first time its examples are searched for: a minute)")
    otter_python = FOLDER / "otter-venv" / "bin" / "python"
    has_otter = (otter_python.parent / "otter").is_file()
    if not has_otter:
        say("otter-grader is not installed: its columns are left out")
    course = make_course(REPOSITORY, FOLDER / "course", program("autograder"))
    bench = Bench(REPOSITORY, FOLDER, course, otter_python if has_otter else None)
    rows = compare(bench, length)
    say("single calls")
    calls = measure_calls(bench)
    say("every assignment beside its bare calls")
    overheads = measure_overheads(REPOSITORY, FOLDER, bench.environment)
    ratios = ratios_of(rows) | {f"overhead_{name}": round(one.ratio, 2) for name, one in overheads.items()}
    before = kept.read()
    console = Console(width=None if sys.stdout.isatty() else 150)
    report(console, rows, calls, ratios, before)
    report_overheads(console, overheads)
    OUT.write_text(json.dumps(as_json(rows, calls, ratios, overheads, length), indent=1) + "\n", encoding="utf-8")
    print(f"All figures: {OUT.relative_to(REPOSITORY)}")
    if options.keep:
        kept.write(ratios)
    elif lost := list(kept.losses(before, ratios)):
        sys.exit("\n".join(lost))


def say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def compare(bench: Bench, length: str) -> list[Row]:
    """Every grader on its classes; the slow ones on a class in which everybody is right."""
    classes = make_classes(bench.course)
    full = sum(exercise.points for exercise in load_assignment(bench.course, NAME).exercises)
    rows: list[Row] = []
    known: dict[str, float] = {}

    def ran(grader: str, class_: str, grade: Grader, sizes: Sequence[int]) -> None:
        costs = {}
        for size in sizes:
            graded = grade(classes[class_], size)
            costs[size] = graded.cost
            if len(graded.scores) != size:
                raise SystemExit(f"{grader} gives {len(graded.scores)} of {size} submissions a score.")
            for student, score in graded.scores.items():
                if known.setdefault(student, score) != score:
                    raise SystemExit(f"{grader} gives {student} {score:g} points, and {GRADE} {known[student]:g}.")
            if class_ == "all correct" and grader == GRADE and {*graded.scores.values()} != {full}:
                raise SystemExit(f"Right submissions get {sorted({*graded.scores.values()})} of {full} points.")
            say(f"{grader}, {class_}, {size}: {graded.cost.cpu:.1f} s CPU, {graded.cost.wall:.1f} s")
        rows.append(Row(grader, class_, costs, _each_further(costs)))

    ran(GRADE, "mixed", lambda class_, size: autograder(bench, class_, size, 1), SIZES[length])
    ran(GRADE_2, "mixed", lambda class_, size: autograder(bench, class_, size, 2), SIZES[length])
    for name in ("all correct", "all blank"):
        ran(GRADE, name, lambda class_, size: autograder(bench, class_, size, 1), SIZES["quick"])
    ran(PREPROCESSOR, "all correct", lambda class_, size: preprocessor(bench, class_, size), PREPROCESSOR_SIZES)
    ran(REPLAY, "all correct", lambda class_, size: kernel_replay(bench, class_, size), SLOW_SIZES)
    ran(SEARCH, "all correct", lambda class_, size: kernel_search(bench, class_, size), SLOW_SIZES)
    if bench.otter is not None and length != "quick":
        ran(OTTER_REPLAY, "all correct", lambda class_, size: otter(bench, class_, size, "replays"), OTTER_SIZES)
        ran(OTTER_SEARCH, "all correct", lambda class_, size: otter(bench, class_, size, "searches"), OTTER_SIZES)
    return rows


def _each_further(costs: Mapping[int, Cost]) -> float:
    """Between the two largest sizes; with one size, the mean: nothing is shared between submissions there."""
    if len(costs) == 1:
        ((size, cost),) = costs.items()
        return cost.cpu / size
    return further(costs)[-1]


def further(costs: Mapping[int, Cost]) -> list[float]:
    """CPU seconds of a further submission, for each step from one size to the next."""
    return [(costs[b].cpu - costs[a].cpu) / (b - a) for a, b in pairwise(sorted(costs))]


def _wall_of_a_further(costs: Mapping[int, Cost]) -> float:
    small, large = min(costs), max(costs)
    return (costs[large].wall - costs[small].wall) / (large - small)


def ratios_of(rows: Sequence[Row]) -> dict[str, float | None]:
    """How often the others' CPU for a further submission is ours, and how our own cost grows with two workers.

    ``growth`` compares a further submission between 100 and 1000 with one between 10 and 100; ``two_workers`` compares
    the wall time of a further submission. ``with_start`` counts the start in, on the largest classes that both graded.
    """
    found = {(row.grader, row.class_): row for row in rows}

    def ratio(over: str, under: str) -> float | None:
        a, b = found.get((over, "all correct")), found.get((under, "all correct"))
        return round(a.each_further / b.each_further, 2) if a and b else None

    one, two = found[GRADE, "mixed"].costs, found[GRADE_2, "mixed"].costs
    shared = sorted(one.keys() & two.keys())[-1]
    steps, sizes = further(two), sorted(two)
    many, few = sizes[-1], sizes[-2]
    return {
        "cpu_ratio_nbgrader": ratio(SEARCH, GRADE),
        "cpu_ratio_nbgrader_replay": ratio(REPLAY, GRADE),
        "cpu_ratio_otter": ratio(OTTER_SEARCH, GRADE),
        "cpu_ratio_otter_replay": ratio(OTTER_REPLAY, GRADE),
        "cpu_ratio_preprocessor": ratio(SEARCH, PREPROCESSOR),
        "cpu_ratio_preprocessor_replay": ratio(REPLAY, PREPROCESSOR),
        "two_workers": round(_wall_of_a_further(one) / _wall_of_a_further(two), 3),
        "two_workers_with_start": round(one[shared].wall / two[shared].wall, 3),
        "growth_100_to_1000": round(steps[-1] / steps[-2], 3) if len(steps) > 1 else None,
        "growth_100_to_1000_with_start": round(two[many].cpu / many / (two[few].cpu / few), 3) if steps[1:] else None,
    }


def report(console: Console, rows: Sequence[Row], calls: Calls, ratios: kept.Figures, before: kept.Figures) -> None:
    table = Table(title="Five exercises: CPU seconds, wall seconds, memory")
    for heading in ("grader", "class", "size", "CPU s", "wall s", "CPU s each", "each further", "MiB largest", "all"):
        table.add_column(heading, justify="left" if heading in ("grader", "class") else "right")
    for row in rows:
        for size, cost in row.costs.items():
            each = f"{row.each_further:.3f}" if size == max(row.costs) else ""
            table.add_row(
                row.grader,
                row.class_,
                str(size),
                f"{cost.cpu:.1f}",
                f"{cost.wall:.1f}",
                f"{cost.cpu / size:.3f}",
                each,
                f"{cost.largest:.0f}",
                f"{cost.together:.0f}",
            )
    console.print(table)
    for name, value in ratios.items():
        was = before.get(name)
        beside = "" if was is None else f"   kept: {was:.2f}"
        console.print(f"{name:32} {'not measured' if value is None else f'{value:.2f}'}{beside}")
    console.print(
        f"one call behind the wall {calls.alone:.0f} µs alone, {calls.played:.0f} µs played; "
        f'check("softmax") {calls.first_check:.0f} ms first, {calls.next_check:.1f} ms after that'
    )


def report_overheads(console: Console, overheads: Mapping[str, Overhead]) -> None:
    table = Table(title="A further right submission of each assignment: CPU seconds")
    for heading in ("assignment", "grade", "bare calls", "overhead"):
        table.add_column(heading, justify="left" if heading == "assignment" else "right")
    for name, one in overheads.items():
        table.add_row(name, f"{one.grade:.3f}", f"{one.bare:.3f}", f"{one.ratio:.1f}")
    console.print(table)


def as_json(
    rows: Sequence[Row], calls: Calls, ratios: kept.Figures, overheads: Mapping[str, Overhead], length: str
) -> dict[str, object]:
    return {
        **ratios,
        "length": length,
        "measured": [
            {
                "grader": row.grader,
                "class": row.class_,
                "each_further_cpu": row.each_further,
                "sizes": {size: asdict(cost) for size, cost in row.costs.items()},
            }
            for row in rows
        ],
        "calls": asdict(calls),
        "assignments": {name: asdict(one) for name, one in overheads.items()},
    }


if __name__ == "__main__":
    main()
