"""What a single call and a student's ``check()`` cost."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch

from autograder.judging.judge import open_court
from autograder.judging.kernel import wall_of
from autograder.judging.recordings import load_recordings
from autograder.sandbox.protocol import Request
from autograder.sandbox.remote import Walled
from autograder.sandbox.script import Script
from autograder.testing.assignment import load_assignment
from bench.content import NAME
from bench.graders import Bench, program

CALLS = 1000
ROUNDS = 9
CHECKED = "softmax"

CHECK = """\
import contextlib, inspect, io, json, math, sys, time
import torch
from torch import Tensor
from autograder import check
import autograder.checking.notebook
exec(sys.stdin.read())
seconds = []
for _ in range(10):
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        check("softmax")
    seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
"""


@dataclass(frozen=True)
class Calls:
    """Microseconds of a call behind the wall, alone and in a script, and milliseconds of a student's check.

    Attributes:
        alone: a round trip for one call of a function that gives its small tensor back.
        played: one of many calls of softmax in one frame, its answer compared.
        first_check: ``check("softmax")`` for the first time, imports done before: checks and examples are loaded.
        next_check: the second one and those after it.
    """

    alone: float
    played: float
    first_check: float
    next_check: float


def measure_calls(bench: Bench) -> Calls:
    """Wall times; the median of several rounds."""
    court = open_court(bench.course, NAME)
    assert court.zygote is not None
    walled = Walled(court.zygote, wall_of(bench.course.limits))
    try:
        walled.run_cell("same", "def same(x):\n    return x")
        request = Request("call", "same", (torch.ones(3, 4),), {})
        alone = [_seconds(lambda: [walled.run(request) for _ in range(CALLS)]) / CALLS for _ in range(ROUNDS)]
        walled.run_cell(CHECKED, f"import torch\ndef {CHECKED}(x, dim, temperature=1.0): return torch.softmax(x, dim)")
        scripts = _scripts(bench)
        played = [_play(walled, scripts) for _ in range(ROUNDS)]
    finally:
        walled.close()
        court.close()
    first, *later = _checks(bench)
    return Calls(median(alone) * 1e6, median(played) * 1e6, first * 1e3, median(later) * 1e3)


def _play(walled: Walled, scripts: list[Script]) -> float:
    """Seconds for one request of the scripts of an exercise."""
    requests = sum(len(sequence) for script in scripts for sequence in script.sequences)
    return _seconds(lambda: [walled.play(script) for script in scripts]) / requests


def _scripts(bench: Bench) -> list[Script]:
    """What the visible checks of an exercise ask, encoded beforehand as for the second submission of a class."""
    exercise = load_assignment(bench.course, NAME).exercise(CHECKED)
    assert exercise is not None
    visible, _ = load_recordings(bench.course, NAME)
    recorded = [visible.of(CHECKED, check.name) for check in exercise.visible]
    scripts = [one.script for one in recorded if one is not None and one.script is not None]
    for script in scripts:
        _ = script.message
    return scripts


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _checks(bench: Bench) -> list[float]:
    """Seconds of each of ten checks in a student's folder."""
    source = (bench.course.solutions_dir / NAME / "reference.py").read_text(encoding="utf-8")
    done = subprocess.run(
        [program("python"), "-c", CHECK],
        cwd=bench.course.assignments_dir / NAME,
        env=bench.environment,
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(second) for second in json.loads(done.stdout)]
