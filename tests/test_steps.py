"""What long work says while it runs, where there is no terminal."""

import re
import subprocess

import pytest
from conftest import BIN

from autograder.cli.steps import BETWEEN, SILENCE, Lines
from autograder.course import Course


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def lines(clock: Clock, said: list[str]) -> Lines:
    return Lines(said.append, clock)


def without_time(said: list[str]) -> list[str]:
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in said)
    return [line[10:] for line in said]


def test_a_stage_says_its_begin_and_its_end_with_the_time(lines: Lines, said: list[str], clock: Clock):
    lines.begin("basics: grade", 3)
    for _ in range(3):
        clock.now += 1
        lines.advance("ada")
    lines.begin("basics: report", 2)
    assert without_time(said) == ["basics: grade 0 of 3", "basics: grade 3 of 3, 3 s", "basics: report 0 of 2"]


def test_in_between_it_speaks_now_and_then(lines: Lines, said: list[str], clock: Clock):
    lines.begin("basics: grade", 36)
    for _ in range(35):
        clock.now += BETWEEN / 5
        lines.advance()
    later = [f"basics: grade {done} of 36, {done * BETWEEN / 5:.0f} s" for done in range(5, 36, 5)]
    assert without_time(said) == ["basics: grade 0 of 36", *later]


def test_a_stage_of_one_step_is_said_once(lines: Lines, said: list[str]):
    lines.begin("report", 1)
    lines.advance()
    lines.begin("nbgrader export", 1)
    assert without_time(said) == ["report", "nbgrader export"]


def test_a_stage_in_which_nothing_happens_says_that_it_still_runs(lines: Lines, said: list[str], clock: Clock):
    lines.begin("basics: grade", 2)
    lines.remind()
    clock.now += SILENCE
    lines.remind()
    lines.remind()
    lines.advance()
    lines.advance()
    clock.now += SILENCE
    lines.remind()
    silent, ended = f", {SILENCE:.0f} s", f", {2 * SILENCE:.0f} s"
    begun = ["basics: grade 0 of 2", f"basics: grade 0 of 2{silent}"]
    assert without_time(said) == [*begun, f"basics: grade 2 of 2{silent}", f"basics: grade 2 of 2{ended}"]


def test_before_the_first_stage_nothing_is_said(lines: Lines, said: list[str], clock: Clock):
    clock.now += 10 * SILENCE
    lines.remind()
    assert said == []


def test_a_command_says_what_it_does_into_a_pipe(fixture_course: Course):
    (fixture_course.build_dir / "examples" / "basics.npz").unlink()
    done = subprocess.run(
        [BIN / "autograder", "build"], cwd=fixture_course.root, text=True, capture_output=True, check=True
    )
    stages = [re.sub(r", \d+ s$", "", stage) for stage in without_time(done.stderr.splitlines())]
    counted = [stage for stage in stages if stage.startswith("basics: examples ")]
    total = counted[0].rpartition(" ")[2]
    assert [stages[0], stages[-1]] == ["basics: what has to be built", "basics: notebooks"]
    assert [counted[0], counted[-1]] == [f"basics: examples {done} of {total}" for done in (0, total)]
    assert re.fullmatch(r"built  build/examples/basics.npz  \(.*\)\n", done.stdout)
