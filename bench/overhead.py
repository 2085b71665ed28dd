"""How often grading costs what it cannot do without: the CPU of a further submission over that of its bare calls."""

import inspect
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autograder.course import Course, load_course
from autograder.demo.made_class import make_class
from autograder.examples.replay import run_once
from autograder.judging.recordings import load_recordings
from autograder.notebooks.build import source_notebook
from autograder.sandbox.gradients import gradients
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.protocol import OPERATORS, Reply, Request
from autograder.sandbox.values import SCALARS, Handle, copy_value
from autograder.testing.assignment import Assignment, load_assignment
from bench.classes import RIGHT, hand_in
from bench.graders import program
from bench.measure import measure

# Right submissions of one assignment; a further one is the difference.
SIZES = (2, 10)
ROUNDS = 3
# What a function answers that is no object of the student's.
VALUES = (*SCALARS, list, tuple, dict, torch.Tensor, np.ndarray, np.generic, torch.Generator, np.random.Generator)
COPIED = ("assignments", "solutions", "build/examples", "build/source")


@dataclass(frozen=True)
class Overhead:
    """CPU seconds of one assignment's submission: a further one in ``autograder grade``, and its calls in a loop."""

    grade: float
    bare: float

    @property
    def ratio(self) -> float:
        """How often the one contains the other."""
        return self.grade / self.bare


def measure_overheads(repository: Path, folder: Path, environment: Mapping[str, str]) -> dict[str, Overhead]:
    """Of every assignment of the repository's own course, built before."""
    root = folder / "whole"
    shutil.rmtree(root, ignore_errors=True)
    for name in COPIED:
        shutil.copytree(repository / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copyfile(repository / name, root / name)
    course = load_course(root)
    return {
        one.name: Overhead(
            _further(course, one.name, folder / "bench.log", environment), bare_seconds(course, one.name)
        )
        for one in course.assignments
    }


def _further(course: Course, name: str, log: Path, environment: Mapping[str, str]) -> float:
    assignment = load_assignment(course, name)
    class_ = [one for one in make_class(assignment, source_notebook(course, assignment)) if one.student in RIGHT]
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", name, "--force"]
    measure(command, course.root, log, environment=environment)
    cpu = []
    for size in SIZES:
        hand_in(course.private_dir / "submitted", class_, size, name=name, first=assignment.exercises[0].name)
        grade = [program("autograder"), "grade", name, "--jobs", "1", "--force"]
        cpu.append(measure(grade, course.root, log, environment=environment).cpu)
    return (cpu[1] - cpu[0]) / (SIZES[1] - SIZES[0])


def bare_seconds(course: Course, name: str) -> float:
    """CPU seconds of all that the checks ask of one right submission, called in a loop; the least of some rounds."""
    assignment = load_assignment(course, name)
    sequences = list(_asked(course, assignment))
    rounds = []
    for _ in range(ROUNDS):
        plain = [_Plain(assignment.reference, sequence) for sequence in sequences]
        begun = time.process_time()
        for one in plain:
            one.call_all()
        rounds.append(time.process_time() - begun)
    return min(rounds)


def _asked(course: Course, assignment: Assignment) -> Iterator[list[Request]]:
    """For every example that grading replays, what its check asks of the reference."""
    _, private = load_recordings(course, assignment.name)
    for exercise in assignment.exercises:
        for check in exercise.checks:
            recorded = private.of(exercise.name, check.name)
            for example in recorded.examples if recorded is not None else ():
                runner = _Listening(assignment.reference)
                run_once(check, runner, example.values)
                yield runner.asked


class _Listening(InProcess):
    """Keeps what it is asked, with the arguments as they were."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        super().__init__(namespace)
        self.asked: list[Request] = []

    def run(self, request: Request) -> Reply:
        args, kwargs = copy_value((request.args, request.kwargs), lambda item: item)
        self.asked.append(Request(request.kind, request.name, args, kwargs))
        return super().run(request)


class _Plain:
    """Calls the functions of a namespace and nothing else; objects are numbered as a runner numbers them."""

    def __init__(self, namespace: Mapping[str, Any], requests: list[Request]) -> None:
        self._namespace = namespace
        self._requests = [
            Request(one.kind, one.name, *copy_value((one.args, one.kwargs), lambda item: item)) for one in requests
        ]
        self._objects: list[Any] = []

    def call_all(self) -> None:
        for request in self._requests:
            with suppress(Exception):
                answer = self._perform(request)
                is_known = any(answer is one for one in self._objects)
                if not (is_known or isinstance(answer, VALUES) or inspect.isroutine(answer)):
                    self._objects.append(answer)

    def _perform(self, request: Request) -> Any:
        args = [self._objects[arg.number] if isinstance(arg, Handle) else arg for arg in request.args]
        match request.kind:
            case "call":
                return self._namespace[request.name](*args, **request.kwargs)
            case "gradient":
                return gradients(self._namespace[request.name], args[0], args[1], args[2:], request.kwargs)
            case "method":
                return getattr(args[0], request.name)(*args[1:], **request.kwargs)
            case "attribute":
                return getattr(args[0], request.name)
            case "assign":
                return setattr(args[0], request.name, args[1])
            case "operator":
                return OPERATORS[request.name](*args, **request.kwargs)
