"""Where a submission's cells run and its functions are called: behind the wall, or in this process if trusted."""

import ast
import os
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch

from autograder.course import Course, Limits
from autograder.notebooks.source import read_source
from autograder.notebooks.submission import Cell
from autograder.sandbox.cells import run_cell
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.layers import LayerSettings
from autograder.sandbox.protocol import Raised
from autograder.sandbox.remote import Wall, Walled, Zygote
from autograder.sandbox.runner import Runner
from autograder.sandbox.shell import as_main, fresh_main

IN_PROCESS = "judged in the grader's own process, without a wall: for trusted submissions only"
MEBIBYTE = 1024 * 1024
# What CUDA's driver reads to find its devices.
CUDA_READABLE = ("/proc/driver/nvidia", "/proc/devices", "/sys/bus/pci", "/sys/devices")
# What a cell may import on its own, and could not behind the wall: matplotlib wants a folder to write into. IPython is
# there for reading anyway, and a child that has it gives its stand-in for the shell by it.
UNLIKE_BEHIND_A_WALL = ("IPython", "matplotlib.pyplot")


class Kernel(Protocol):
    """The namespace that a submission's cells fill."""

    @property
    def isolation(self) -> tuple[str, ...]:
        """The layers that stand around it."""

    @property
    def runner(self) -> Runner:
        """Calls what the cells defined."""

    @property
    def cpu(self) -> float:
        """Seconds of CPU used in another process, once it is closed."""

    def run(self, cell: Cell) -> Raised | None:
        """Runs a cell; what it raised, or None."""

    def close(self) -> None:
        """Ends it."""


class TrustedKernel:
    """Runs everything in this process."""

    isolation: tuple[str, ...] = ()
    cpu = 0.0

    def __init__(self, limits: Limits, device: str = "cpu") -> None:
        self._main = fresh_main()
        self.namespace = vars(self._main)
        self._limits = limits
        self.runner: Runner = InProcess(
            self.namespace,
            seconds_per_call=limits.seconds_per_call,
            output_characters=limits.output_bytes,
            callbacks=limits.callbacks,
            device=device,
        )
        os.environ.setdefault("MPLBACKEND", "Agg")
        # As everywhere; what a cell sets stands.
        torch.set_num_threads(1)

    def run(self, cell: Cell) -> Raised | None:
        limits = self._limits
        with as_main(self._main):
            return run_cell(
                cell.name, cell.code, self.namespace, seconds=limits.seconds_per_cell, output=limits.output_bytes
            )

    def close(self) -> None:
        """Nothing to end."""


class WalledKernel:
    """Runs everything in a child of a zygote."""

    def __init__(self, zygote: Zygote, limits: Limits, device: str = "cpu") -> None:
        self._walled = Walled(zygote, wall_of(limits, device))
        self.runner: Runner = self._walled

    @property
    def isolation(self) -> tuple[str, ...]:
        return self._walled.isolation

    @property
    def cpu(self) -> float:
        return self._walled.cpu

    def run(self, cell: Cell) -> Raised | None:
        return self._walled.run_cell(cell.name, cell.code)

    def close(self) -> None:
        self._walled.close()


def wall_of(limits: Limits, device: str = "cpu") -> Wall:
    """The wall that a course's limits ask for; with CUDA no limit on memory, of which the driver maps far more."""
    layers = LayerSettings(memory_bytes=limits.memory_mib * MEBIBYTE, cpu_seconds=int(limits.cpu_seconds))
    if device != "cpu":
        readable = (*layers.readable, *CUDA_READABLE)
        drivers = tuple(str(path) for path in sorted(Path("/dev").glob("nvidia*")))
        layers = replace(layers, memory_bytes=None, readable=readable, devices=(*layers.devices, *drivers))
    return Wall(
        layers,
        seconds_per_call=limits.seconds_per_call,
        seconds_per_cell=limits.seconds_per_cell,
        seconds_per_submission=limits.seconds_per_submission,
        accidents=limits.accidents,
        output=limits.output_bytes,
        callbacks=limits.callbacks,
        device=device,
    )


def setup_modules(course: Course, name: str) -> tuple[str, ...]:
    """What an assignment's setup cell imports, and `UNLIKE_BEHIND_A_WALL`, for the zygote to import once."""
    path: Path = course.assignments_dir / name / f"{name}.md"
    code = next(cell.text for cell in read_source(path) if cell.role == "setup")
    modules: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.append(node.module)
    return (*(module for module in modules if module.split(".")[0] != "autograder"), *UNLIKE_BEHIND_A_WALL)
