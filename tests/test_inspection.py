"""Device mistakes, found in the process that runs the student's code, without a GPU and a clock."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from device_mistakes import found, overlooked
from torch import Tensor

from autograder.course import Course
from autograder.examples.store import Examples
from autograder.judging.recordings import load_recordings
from autograder.sandbox.devices import device_finding
from autograder.sandbox.inspection import Finding
from autograder.testing.assignment import Assignment, load_assignment

X = torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
CONSTANT = torch.tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * torch.zeros(3),
        lambda x: x + torch.tensor([1.0, 2.0, 3.0]),
        lambda x: x * CONSTANT,
        lambda x: x.cpu() * 2,
        lambda x: (x * 2).to("cpu"),
        lambda x: x * (torch.rand(x.shape) > 0.5),
        lambda x: torch.stack([x[0], torch.ones(3)]),
        lambda x: x @ torch.eye(3),
        lambda x: (x * 2, torch.arange(3)),
        lambda x: torch.ones(2),
    ],
)  # fmt: skip
def test_a_tensor_on_the_wrong_device_is_found(function: Callable[[Tensor], Any]) -> None:
    found = device_finding(function, (X,), {})
    assert found.analysed and found.fault is not None
    assert "device=x.device" in found.fault


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
        lambda x: x * torch.tensor(2.0),
        lambda x: torch.maximum(x, torch.zeros(())),
        lambda x: x + torch.arange(3, device=x.device),
        lambda x: x.new_ones(2, 3) * x,
        lambda x: x[:, 1:] + x[:, :1],
        lambda x: (x.shape, 3.0, None),
    ],
)  # fmt: skip
def test_right_code_is_analysed_and_not_accused(function: Callable[[Tensor], Any]) -> None:
    assert device_finding(function, (X,), {}) == Finding(analysed=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * x.max().item(),
        lambda x: x if (x > 0).any() else -x,
        lambda x: x * float(x.sum()),
        lambda x: [x for _ in x.tolist()],
        lambda x: x[x > 0],
        lambda x: x.cpu().numpy(),
    ],
)  # fmt: skip
def test_what_depends_on_numbers_is_analysed_too(function: Callable[[Tensor], Any]) -> None:
    assert device_finding(function, (X,), {}) == Finding(analysed=True)


def test_what_leaves_torch_is_not_analysed() -> None:
    assert device_finding(lambda x: torch.from_numpy(x.numpy() * 2), (X,), {}) == Finding(analysed=False)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + torch.zeros(3, device="cuda" if x.is_cuda else "cpu"),
        lambda x: x + (torch.zeros(3).cuda() if x.device.type == "cuda" else torch.zeros(3)),
        lambda x: x + torch.zeros(3).to(x),
        lambda x: x + torch.zeros(3).to(x.device, torch.float64),
        lambda x: x * x.new_tensor([1.0, 2.0, 3.0]),
        lambda x: x * torch.tensor([1.0, 2.0, 3.0]).type_as(x),
        lambda x: torch.nn.functional.one_hot(x.argmax(1), 3) * x,
        lambda x: torch.nn.Linear(3, 2, device=x.device)(x),
        lambda x: torch.nn.Linear(3, 2).to(x.device)(x),
        lambda x: x[torch.tensor([0, 1])],
        lambda x: x * torch.as_tensor(CONSTANT, device=x.device),
        lambda x: (torch.as_tensor(x, device="cpu"), x * 2)[1],
        lambda x: torch.func.vmap(lambda row: row * torch.ones_like(row))(x * 1),
        lambda x: torch.autograd.grad((y := x.detach().requires_grad_()).pow(2).sum(), y)[0],
    ],
)  # fmt: skip
def test_the_device_of_the_input_is_found_in_whatever_way_it_is_asked_for(function: Callable[[Tensor], Any]) -> None:
    assert device_finding(function, (X,), {}) == Finding(analysed=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.eye(3)[x.argmax(1)],
        lambda x: x + torch.zeros_like(x, device="cpu"),
        lambda x: torch.as_tensor(x, device="cpu") + x,
        lambda x: (torch.as_tensor(CONSTANT, device=x.device), x * CONSTANT)[1],
        lambda x: torch.nn.Linear(3, 2)(x * 1),
        lambda x: torch.func.vmap(lambda row: row * torch.ones(3))(x * 1),
        lambda x: (y := x.detach().requires_grad_()) * torch.ones(3) + y,
    ],
)  # fmt: skip
def test_a_clash_in_an_unusual_place_is_found(function: Callable[[Tensor], Any]) -> None:
    assert device_finding(function, (X,), {}).fault is not None


def test_a_tensor_that_is_made_first_and_filled_later_is_found() -> None:
    def function(x: Tensor) -> Tensor:
        out = torch.zeros(2, 3)
        out[:, 0] = x[:, 0]
        return out

    assert device_finding(function, (X,), {}).fault is not None


def test_the_device_of_a_generator_is_right() -> None:
    def function(x: Tensor, generator: torch.Generator) -> Tensor:
        return x * torch.rand(x.shape, generator=generator, device=generator.device)

    assert device_finding(function, (X, torch.Generator()), {}).fault is None


@pytest.mark.parametrize(
    "body",
    [
        "x = x.detach().requires_grad_(); return torch.autograd.grad((x * torch.zeros(1)).sum(), x)[0]",
        "x = torch.nn.Parameter(x); return (x * 2).sum().backward()",
        "return torch.func.grad(lambda v: (v * v).sum())(x)",
        "with torch.enable_grad(): return (x.detach().requires_grad_() * 2).sum().backward()",
    ],
)
def test_autograd_does_not_end_the_process(body: str) -> None:
    code = f"def function(x):\n    {body}"
    program = f"import torch; exec({code!r}); from autograder.sandbox.devices import device_finding as find\n"
    program += "find(function, (torch.ones(2, 3),), {}); print('alive')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "alive\n", done.stderr[-500:]


def test_the_line_that_makes_the_tensor_is_shown() -> None:
    def function(x: Tensor) -> Tensor:
        mask = torch.ones(2, 3)
        return x * mask

    fault = device_finding(function, (X,), {}).fault
    assert fault is not None
    assert "`return x * mask`" in fault and "`mask = torch.ones(2, 3)`" in fault


def test_an_operation_that_fails_for_another_reason_is_no_fault() -> None:
    assert device_finding(lambda x: x * torch.ones(7, device=x.device), (X,), {}) == Finding(analysed=False)


def test_an_analysis_leaves_torch_as_it_was() -> None:
    device_finding(lambda x: x * torch.zeros(3), (X,), {})
    assert (X + torch.zeros(3)).device.type == "cpu" and type(X + 1) is Tensor


@pytest.fixture(scope="module")
def assignment(built_fixture_course: Course) -> Assignment:
    return load_assignment(built_fixture_course, "basics")


@pytest.fixture(scope="module")
def released(built_fixture_course: Course) -> Examples:
    return load_recordings(built_fixture_course, "basics")[0]


def test_no_right_solution_of_the_fixture_course_is_accused(assignment: Assignment, released: Examples) -> None:
    exercises = [exercise for exercise in assignment.exercises if exercise.on_devices]
    assert exercises
    for exercise in exercises:
        for solution in (assignment.reference[exercise.name], *(a.solution for a in exercise.alternatives)):
            device, loop = found(assignment, exercise, released, solution)
            assert (device.fault, loop.fault) == (None, None), solution


def test_four_device_mistakes_are_caught_in_the_fixture_course(assignment: Assignment, released: Examples) -> None:
    dropout = assignment.exercise("dropout")
    assert dropout is not None
    assert overlooked(assignment, dropout, released) == []
