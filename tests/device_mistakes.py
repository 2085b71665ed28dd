"""Usual device mistakes, planted in right functions."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from autograder.examples.store import Examples
from autograder.judging.inquiries import inquiry
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.inspection import Finding
from autograder.testing.assignment import Assignment, Exercise


def found(assignment: Assignment, exercise: Exercise, released: Examples, solution: Any) -> tuple[Finding, Finding]:
    """What is found out about a solution's devices and loops, on the examples that are chosen for it."""
    asked = inquiry(assignment, exercise, released)
    findings = InProcess({**assignment.reference, exercise.name: solution}).inspect(asked)
    return findings.device, findings.loop


def overlooked(assignment: Assignment, exercise: Exercise, released: Examples) -> list[str]:
    """The planted mistakes that are not found in an exercise's reference."""
    wrong = planted(assignment.reference[exercise.name])
    return [
        name for name, solution in wrong.items() if found(assignment, exercise, released, solution)[0].fault is None
    ]


def planted(solution: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Four usual device mistakes in a right function."""

    def on_inputs(change: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
        def changed(value: Any) -> Any:
            return change(value) if isinstance(value, Tensor) and value.ndim else value

        def wrong(*args: Any, **kwargs: Any) -> Any:
            return solution(*map(changed, args), **{name: changed(value) for name, value in kwargs.items()})

        return wrong

    def on_the_cpu(*args: Any, **kwargs: Any) -> Any:
        return _to_cpu(solution(*args, **kwargs))

    one = torch.ones(1, dtype=torch.float64)
    return {
        "a factory without device": on_inputs(lambda x: x + torch.zeros(x.shape, dtype=x.dtype)),
        "a constant of the notebook": on_inputs(lambda x: x * one.to(x.dtype)),
        "an answer moved to the CPU": on_the_cpu,
        "a mask drawn without device": on_inputs(lambda x: x * (torch.rand(x.shape) >= 0)),
    }


def _to_cpu(answer: Any) -> Any:
    if isinstance(answer, list | tuple):
        return type(answer)(_to_cpu(item) for item in answer)
    return answer.cpu() if isinstance(answer, Tensor) else answer
