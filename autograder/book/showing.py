"""What a chapter's demo cells print and draw once its exercises are solved: run once, and kept until that changes."""

import base64
import copy
import hashlib
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from nbformat.v4 import new_code_cell, new_notebook

from autograder import guards
from autograder.book.errors import BookError
from autograder.course import Course

# Whatever this process was told about figures: they are wanted in the cells' outputs.
FIGURES = "module://matplotlib_inline.backend_inline"
LIBRARIES = ("torch", "numpy", "matplotlib", "matplotlib-inline", "scikit-learn", "ipykernel")
# Figures for screens with two pixels to a point.
SHARP = '%config InlineBackend.figure_formats = ["retina"]'
SECONDS_PER_CELL = 600


class Shown(Struct, frozen=True):
    """One thing that a demo cell shows: a line or more of text, or else a figure.

    Attributes:
        text: what was printed; empty for a figure.
        png: the figure's bytes; empty for text.
        width: the figure's width in points; 0 for text.
    """

    text: str = ""
    png: bytes = b""
    width: int = 0


Demos = dict[str, tuple[Shown, ...]]


class _Kept(Struct, frozen=True):
    """A run that was kept, and what it was made from."""

    key: str
    demos: Demos


def shown(course: Course, name: str, notebook: Any, kept: Path) -> Demos:
    """What each demo cell of a notebook shows, by the id of its cell.

    Args:
        course, name: the assignment.
        notebook: with the solutions in it; its check cells do not run.
        kept: the file that holds the last run.
    Raises:
        BookError: a cell stops with an error, or shows what the book cannot.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and not cell.id.startswith("check-")]
    key = _key(cell.source for cell in cells)
    try:
        last = msgspec.json.decode(kept.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        last = None
    if last is not None and last.key == key:
        return last.demos
    demos = _run(course.assignments_dir / name, name, cells)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.encode(_Kept(key, demos)))
    return demos


def _key(codes: Iterable[str]) -> str:
    """Everything that decides what the cells show."""
    versions = [platform.python_version(), *(f"{name} {version(name)}" for name in LIBRARIES)]
    files = [Path(module).read_text(encoding="utf-8") for module in (guards.__file__, __file__)]
    return hashlib.sha256("\0".join([*versions, *files, *codes]).encode()).hexdigest()


def _run(folder: Path, name: str, cells: list[Any]) -> Demos:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = new_notebook(cells=[new_code_cell(SHARP, id="sharp-figures"), *copy.deepcopy(cells)])
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        coalesce_streams=True,
        # It would warn of its connection, which is to this process on this machine.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": FIGURES})
    except CellExecutionError as error:
        # Not the traceback, which shows the solutions that it passes through.
        raise BookError(f"{name}: the chapter's cells stop with {error.ename}: {error.evalue}") from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise BookError(f"{name}: the chapter's cells do not end: {type(error).__name__}") from None
    return {
        cell.id: tuple(_shown(f"{name}, cell {cell.id}", cell.outputs))
        for cell in client.nb.cells
        if cell.id.startswith("demo-")
    }


def _shown(where: str, outputs: list[Any]) -> Iterable[Shown]:
    for output in outputs:
        if output.output_type == "stream" and output.name == "stdout":
            yield Shown(text=output.text)
        elif output.output_type == "stream":
            raise BookError(f"{where}: writes to stderr: {output.text.strip().splitlines()[-1]}")
        elif "image/png" in output.data:
            width = output.metadata.get("image/png", {}).get("width", 0)
            yield Shown(png=base64.b64decode(output.data["image/png"]), width=width)
        elif output.data.keys() == {"text/plain"}:
            yield Shown(text=output.data["text/plain"])
        else:
            raise BookError(f"{where}: shows {', '.join(sorted(output.data))}; allowed are text and figures")
