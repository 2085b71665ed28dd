"""What this machine has for grading: the wall's layers, the programs and their versions, processors and GPU."""

import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from autograder.sandbox.layers import LAYERS, default_readable, probe_layers, revealed
from autograder.version import VERSION


@dataclass(frozen=True)
class Finding:
    """One row of the diagnosis.

    Attributes:
        kind: what sort of thing it is.
        name: the thing.
        on: whether it is there and works.
        why: the version or the amount; where it is off, the reason.
        stops: what a layer of the wall stops; empty for anything else.
    """

    kind: Literal["layer", "folder", "software", "hardware"]
    name: str
    on: bool
    why: str
    stops: str = ""


def diagnose(secret: Iterable[Path] = ()) -> tuple[Finding, ...]:
    """Looks at this machine; changes nothing. Takes about as long as importing torch.

    Args:
        secret: folders that a student's code must not be able to read, such as a course's.
    """
    return (*_layers(), *_secrets(tuple(secret)), *_software(), *_hardware())


def _layers() -> Iterable[Finding]:
    probes = probe_layers()
    return [Finding("layer", layer.name, *probes[layer.name], layer.stops) for layer in LAYERS]


def _secrets(secret: tuple[Path, ...]) -> Iterable[Finding]:
    """Whether each folder stands outside what has to be readable for Python to work."""
    open_ones = revealed(default_readable(), secret)
    for path in secret:
        why = "stands among Python's own files, which can be read" if path in open_ones else "out of reach"
        yield Finding("folder", str(path), path not in open_ones, why)


def _software() -> Iterable[Finding]:
    yield Finding("software", "autograder", True, VERSION)
    yield Finding("software", "python", True, f"{platform.python_version()}, {sys.executable}")
    for package in ("torch", "numpy", "nbgrader", "pyseccomp"):
        try:
            yield Finding("software", package, True, metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Finding("software", package, False, "not installed")


def _hardware() -> Iterable[Finding]:
    yield Finding("hardware", "CPU cores", True, _cores())
    yield _gpu()


def _cores() -> str:
    present = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else present
    return str(present) if usable == present else f"{usable} of {present}"


def _gpu() -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("hardware", "GPU", False, f"torch cannot be imported: {error}")
    if torch.version.cuda is None and torch.version.hip is None:
        return Finding("hardware", "GPU", False, "this torch is built for CPU only")
    if not torch.cuda.is_available():
        return Finding("hardware", "GPU", False, "torch finds none")
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return Finding("hardware", "GPU", True, ", ".join(names))
