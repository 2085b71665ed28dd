"""What a student with a listed mistake would be told if it were not listed: golden tables, a file an assignment.

``python tests/said_of_mistakes.py [NAME]...`` writes them anew; ``make diagnoses`` calls it.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.course import Course, load_course
from autograder.examples.parts import Part
from autograder.examples.replay import Trial, run_once
from autograder.examples.store import Example, Examples, read_for
from autograder.feedback.diagnosis import Words
from autograder.judging.exercise import Trials, judge_exercise
from autograder.notebooks.build import build_assignment
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.runner import Runner
from autograder.testing.assignment import load_assignment
from autograder.testing.declarations import Check

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "diagnoses"
FIXTURE = "basics"
HEAD = """\
# What is said of each listed mistake of {name} by the visible checks, as if it were not listed: the kind, and the words.
# Nothing stands where nothing is sure. `make diagnoses NAME={name}` writes this file; read in the diff that what is
# said is true of the mistake.
"""

Said = dict[str, dict[str, str]]


def said_of_mistakes(course: Course, name: str) -> Said:
    """By exercise and mistake what is said. It needs released examples alone: private ones are each course's own."""
    released = Part(course, name, visible=True)
    examples = read_for(released.path, released.checks)
    assignment = load_assignment(course, name)
    said: Said = {}
    for exercise in assignment.exercises:
        words = Words(returns=examples.returns(exercise.name))
        for mistake in exercise.mistakes:
            runner = InProcess({**assignment.reference, exercise.name: mistake.solution}, seconds_per_call=5)
            trials = remembered(examples, mistake.name)
            found = judge_exercise(exercise, exercise.visible, runner, trials, words).diagnosis
            # Lines are those of mistakes.py, where another mistake above moves them.
            text = re.sub(r"\bline \d+", "line N", f"{found.mistake}: {found.says}") if found else ""
            said.setdefault(exercise.name, {})[mistake.name] = text
    return said


def remembered(examples: Examples, mistake: str) -> Trials:
    """Trials as `replayed` gives them, without running what is recorded to answer as the reference does."""

    def trials(check: Check, runner: Runner) -> tuple[Trial, ...]:
        recorded = examples.of(check.exercise, check.name)
        assert recorded is not None
        made = []
        for example in recorded.examples:
            made.append(
                Trial(example, (), None)
                if recorded.script is not None and _agrees(example, mistake)
                else Trial(example, *run_once(check, runner, example.values))
            )
            if made[-1].timed_out:
                break
        return tuple(made)

    return trials


def _agrees(example: Example, mistake: str) -> bool:
    """Whether a mistake answers as the reference does; of an exception more counts than what is recorded."""
    answers = example.mistakes[mistake]
    return answers is example.reference and not any(reply.raised for reply in answers)


def golden(name: str) -> Said:
    """What the table of an assignment has; nothing where there is none."""
    file = FOLDER / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def differing(said: Said, kept: Said) -> list[str]:
    """A line for each mistake of which something else is said than the table has."""
    now, then = dict(_flat(said)), dict(_flat(kept))
    return [
        f"{mistake}: {then.get(mistake)!r} stands there, {now.get(mistake)!r} is said"
        for mistake in {**then, **now}
        if then.get(mistake) != now.get(mistake)
    ]


def _flat(said: Said) -> Iterator[tuple[str, str]]:
    for exercise, mistakes in said.items():
        yield from ((f"{exercise}.{mistake}", text) for mistake, text in mistakes.items())


def write(name: str, said: Mapping[str, Mapping[str, str]]) -> None:
    tables = [HEAD.format(name=name)]
    for exercise, mistakes in said.items():
        lines = (f"{mistake} = {json.dumps(text, ensure_ascii=False)}\n" for mistake, text in mistakes.items())
        tables.append(f"[{exercise}]\n{''.join(lines)}")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.toml").write_text("\n".join(tables), encoding="utf-8")


def main(chosen: list[str]) -> None:
    course = load_course(ROOT)
    names = chosen or [*(assignment.name for assignment in course.assignments), FIXTURE]
    for name in names:
        if name == FIXTURE:
            with tempfile.TemporaryDirectory() as folder:
                built = Path(folder) / "course"
                shutil.copytree(ROOT / "tests" / "fixture_course", built, ignore=shutil.ignore_patterns("__pycache__"))
                build_assignment(load_course(built), FIXTURE)
                said = said_of_mistakes(load_course(built), FIXTURE)
        else:
            said = said_of_mistakes(course, course.assignment(name).name)
        changed = differing(said, golden(name))
        write(name, said)
        print(f"{name}: {len(changed)} changed", *changed, sep="\n  ")


if __name__ == "__main__":
    os.environ["CI"] = "true"
    main(sys.argv[1:])
