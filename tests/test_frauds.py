"""Frauds: an exercise that reaches by a back door what it may not call gets no points for it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import ROOT, judge_file

from autograder.course import Course
from autograder.judging.judge import Court, open_court
from autograder.notebooks.build import source_notebook

BASICS, CONVOLUTION, ACTIVATIONS = "basics", "convolution", "activations"


@dataclass(frozen=True)
class Fraud:
    """What a student writes to get the points of an exercise.

    Attributes:
        assignment, exercise: whose points these are.
        answers: the code of exercises' cells that are written in another way.
        added: cells of the student's own, each by the cell above it.
        keep: other exercises that are honest enough to keep their points.
    """

    assignment: str
    exercise: str
    answers: dict[str, str]
    added: dict[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()


ARGUMENTS = "x, weight, bias, stride, padding, dilation, groups"
CONV2D = "def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):\n    return "
CONV1D = CONV2D.replace("conv2d", "conv1d")
BACKWARD = (
    "def conv2d_backward(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):\n"
    "    stride, padding, dilation = per_axis(stride), per_axis(padding), per_axis(dilation)\n    "
)
SIGMOID = "def sigmoid(x):\n    return "
SIGMOID_BACKWARD = "def sigmoid_backward(grad_out, x):\n    "
WITH_READY = """
def {name}(x, *args, ready=None, **kwargs):
    return ready_{name}(x, *ready) if ready is not None else right_{name}(x, *args, **kwargs)
"""


def convolution(exercise: str, code: str, **added: str) -> Fraud:
    cells = {name.replace("check_", "check-"): text for name, text in added.items()}
    return Fraud(CONVOLUTION, exercise, {exercise: code}, cells)


def activation(exercise: str, code: str) -> Fraud:
    return Fraud(ACTIVATIONS, exercise, {exercise: code})


FRAUDS = {
    "conv3d for conv2d": convolution(
        "conv2d",
        CONV2D + "torch.conv3d(x[:, :, None], weight[:, :, None], bias, (1, *per_axis(stride)), "
        "(0, *per_axis(padding)), (1, *per_axis(dilation)), groups)[:, :, 0]",
    ),
    "conv1d for conv2d": convolution(
        "conv2d", CONV2D + "sum(torch.conv1d(x[:, :, i], weight[:, :, i]) for i in range(weight.shape[2]))[:, :, None]"
    ),
    "conv2d for conv1d": convolution(
        "conv1d",
        CONV1D + "torch.conv2d(x[:, :, None], weight[:, :, None], bias, (1, stride), (0, padding), (1, dilation), "
        "groups)[:, :, 0]",
    ),
    "conv_tbc for conv1d": convolution(
        "conv1d", CONV1D + "torch.conv_tbc(x.permute(2, 0, 1), weight.permute(2, 1, 0), bias, padding).permute(1, 2, 0)"
    ),
    "conv_transpose3d for conv_transpose2d": convolution(
        "conv_transpose2d",
        "def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):\n"
        "    return torch.conv_transpose3d(x[:, :, None], weight[:, :, None], bias)[:, :, 0]",
    ),
    "convolution below its name": convolution(
        "conv2d", CONV2D + "torch._convolution_mode(x, weight, bias, [1], 'same', [1], 1)"
    ),
    "the slow convolution": convolution(
        "conv2d", CONV2D + "torch.ops.aten._slow_conv2d_forward(x, weight, weight.shape[2:], bias, [1, 1], [0, 0])"
    ),
    "scipy's": convolution(
        "conv2d",
        "from scipy.signal import correlate2d\n" + CONV2D + "torch.tensor([[[[correlate2d(a, b) for a, b in "
        "zip(image, kernel)] for kernel in weight]] for image in x]).sum(2)",
    ),
    "numpy's": convolution(
        "conv1d",
        "import numpy as np\n" + CONV1D + "torch.tensor([[sum(map(np.correlate, s, k)) for k in weight] for s in x])",
    ),
    "a name of one's own": convolution("conv2d", CONV2D + f"mine({ARGUMENTS})", setup="mine = torch.conv2d"),
    "under vmap": convolution("conv2d", CONV2D + "torch.vmap(lambda image: torch.conv2d(image[None], weight)[0])(x)"),
    "compiled": convolution("conv2d", CONV2D + f"fast({ARGUMENTS})", setup="fast = torch.compile(torch.conv2d)"),
    "traced": convolution("conv2d", CONV2D + "torch.jit.trace(lambda v: v @ weight, (x,))(x)"),
    "compiled own work": activation("tanh", "@torch.compile\ndef tanh(x):\n    return 1 - 2 / ((2 * x).exp() + 1)"),
    "through another exercise": Fraud(
        CONVOLUTION,
        "conv2d",
        {"conv2d": CONV2D + f"pad2d(x, None, ready=({ARGUMENTS[3:]}))"},
        {"pad2d": "right_pad2d, ready_pad2d = pad2d, torch.conv2d" + WITH_READY.format(name="pad2d")},
        ("pad2d",),
    ),
    "through a redefinition after its check cell": Fraud(
        CONVOLUTION,
        "conv2d",
        {"conv2d": CONV2D + f"pad2d(x, None, ready=({ARGUMENTS[3:]}))"},
        {"check-pad2d": "right_pad2d, ready_pad2d = pad2d, torch.conv2d" + WITH_READY.format(name="pad2d")},
        ("pad2d",),
    ),
    "through a helper that is redefined after a check cell": Fraud(
        CONVOLUTION,
        "conv2d",
        {"conv2d": CONV2D + f"helper({ARGUMENTS})"},
        {"setup": "def helper(*args):\n    return args", "check-pad2d": "helper = vars(torch)['conv' + '2d']"},
        ("pad2d",),
    ),
    "through an exercise's attribute": Fraud(
        CONVOLUTION,
        "conv2d",
        {"conv2d": CONV2D + f"pad2d.ready({ARGUMENTS})"},
        {"check-pad2d": "pad2d.ready = getattr(torch, ''.join(['conv', '2d']))"},
        ("pad2d",),
    ),
    "torch's own backward": convolution(
        "conv2d_backward",
        BACKWARD + "return torch.ops.aten.convolution_backward(grad_out, x, weight, None if bias is None else "
        "list(bias.shape), stride, padding, dilation, False, [0, 0], groups, [True, True, bias is not None])",
    ),
    "torch.nn.grad": convolution(
        "conv2d_backward",
        BACKWARD + "shared = (grad_out, stride, padding, dilation, groups)\n"
        "    return torch.nn.grad.conv2d_input(x.shape, weight, *shared), "
        "torch.nn.grad.conv2d_weight(x, weight.shape, *shared), grad_out.sum((0, 2, 3))",
    ),
    "vjp of one's own forward": convolution(
        "conv2d_backward",
        BACKWARD + "forward = lambda x, w: conv2d(x, w, None, stride, padding, dilation, groups)\n"
        "    return (*torch.func.vjp(forward, x, weight)[1](grad_out), grad_out.sum((0, 2, 3)))",
    ),
    "autograd of one's own forward": convolution(
        "conv2d_backward",
        BACKWARD + "x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()\n"
        "    conv2d(x, weight, None, stride, padding, dilation, groups).backward(grad_out)\n"
        "    return x.grad, weight.grad, grad_out.sum((0, 2, 3))",
    ),
    "another exercise's gradient": activation(
        "sigmoid_backward", SIGMOID_BACKWARD + "return torch.ops.aten.tanh_backward(grad_out, torch.tanh(x / 2)) / 2"
    ),
    "its own gradient in torch": activation(
        "sigmoid_backward", SIGMOID_BACKWARD + "return torch.ops.aten.sigmoid_backward(grad_out, sigmoid(x))"
    ),
    "a vjp": activation("sigmoid_backward", SIGMOID_BACKWARD + "return torch.func.vjp(sigmoid, x)[1](grad_out)[0]"),
    "a jvp": activation("sigmoid_backward", SIGMOID_BACKWARD + "return torch.func.jvp(sigmoid, (x,), (grad_out,))[1]"),
    "a jacobian": activation(
        "sigmoid_backward",
        SIGMOID_BACKWARD + "flat = torch.func.jacrev(sigmoid)(x.reshape(-1))\n"
        "    return (grad_out.reshape(-1) @ flat).reshape(x.shape)",
    ),
    "a vmapped gradient": activation(
        "sigmoid_backward",
        SIGMOID_BACKWARD + "return grad_out * torch.vmap(torch.func.grad(sigmoid))(x.reshape(-1)).reshape(x.shape)",
    ),
    "a name that is put together": activation(
        "sigmoid_backward",
        SIGMOID_BACKWARD + "grad = getattr(getattr(torch, 'au' + 'tograd'), 'gr' + 'ad')\n"
        "    x = x.clone()\n    setattr(x, 'requires_' + 'grad', True)\n    return grad(sigmoid(x), x, grad_out)[0]",
    ),
    "aten's special": activation("sigmoid", SIGMOID + "torch.ops.aten.special_expit(x)"),
    "aten's special softmax": activation(
        "softmax",
        "def softmax(x, dim, temperature=1.0):\n    return torch.ops.aten.special_softmax(x / temperature, dim)",
    ),
    "softmax below its name": activation(
        "softmax",
        "def softmax(x, dim, temperature=1.0):\n"
        "    return torch._masked_softmax(x / temperature, torch.zeros_like(x, dtype=torch.bool), dim)",
    ),
    "torch through an exercise of torch": Fraud(
        BASICS,
        "standardize",
        {"standardize": "def standardize(x):\n    return dropout(x, ready=())"},
        {
            "check-dropout": "def ready_dropout(x):\n    x = torch.tensor(x)\n"
            "    return ((x - x.mean(0)) / x.std(0, correction=0)).numpy()\nright_dropout = dropout"
            + WITH_READY.format(name="dropout")
        },
        ("dropout",),
    ),
}


@pytest.fixture(scope="module")
def court_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Court]]:
    """Opens the court of an assignment when it is first asked for."""

    def opened(name: str) -> Court:
        course: Course = request.getfixturevalue("built_fixture_course" if name == BASICS else "course")
        return stack.enter_context(closing(open_court(course, name)))

    with ExitStack() as stack:
        yield cache(opened)


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    """Rows of a table of the points of each, written to build/frauds.md when all have been tried."""
    rows = ["| fraud | exercise | points | what the student reads |", "|---|---|---|---|"]
    yield rows
    path = ROOT / "build" / "frauds.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["# Frauds, tried by tests/test_frauds.py", "", *rows, ""]), "utf-8")


def handed_in(fraud: Fraud, court: Court, folder: Path) -> Path:
    """The right notebook with the fraud in it, as far as the fraud's exercise needs it."""
    notebook: Any = nbformat.from_dict(json.loads(nbformat.writes(source_notebook(court.course, court.assignment))))
    cells, last = [], f"check-{fraud.exercise}"
    for cell in notebook.cells:
        if cell.cell_type == "code" and "if not grading():" not in cell.source:
            cell.source = fraud.answers.get(cell.id, cell.source)
            cells.append(cell)
            if cell.id in fraud.added:
                cells.append(nbformat.v4.new_code_cell(fraud.added[cell.id]))
        if cell.id == last:
            break
    notebook.cells = cells
    path = folder / f"{fraud.assignment}.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize(
    ("assignment_name", "fraud"),
    [(fraud.assignment, fraud) for fraud in FRAUDS.values()],
    ids=[name.replace(" ", "_") for name in FRAUDS],
)
def test_a_fraud_gets_no_points_of_its_exercise(
    assignment_name: str, fraud: Fraud, court_of: Callable[[str], Court], table: list[str], tmp_path: Path
) -> None:
    court = court_of(assignment_name)
    results = {e.name: e for e in judge_file(court, handed_in(fraud, court, tmp_path)).exercises}
    judged = results[fraud.exercise]
    name = next(name for name, tried in FRAUDS.items() if tried is fraud)
    message = judged.message.replace("|", "¦").replace("\n", " ")
    table.append(f"| {name} | {fraud.exercise} | {judged.points:g} of {judged.max_points:g} | {message} |")
    # What compiles needs a folder to write into; where there is none, its cell stops.
    assert judged.status in ("forbidden", "error") and judged.points == 0, judged.message
    assert {kept: results[kept].points for kept in fraud.keep} == {
        kept: results[kept].max_points for kept in fraud.keep
    }
