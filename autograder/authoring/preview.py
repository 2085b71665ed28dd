"""The notebook as students see it, run from the top, as one page of HTML with figures and formulas in it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.book.showing import FIGURES, SECONDS_PER_CELL
from autograder.course import Course
from autograder.notebooks.build import released_notebook, source_notebook
from autograder.sanitizing.formulas import with_formulas
from autograder.sanitizing.markdown import as_markdown, rendered
from autograder.testing.assignment import load_assignment


@dataclass(frozen=True)
class Preview:
    """What came of a preview.

    Attributes:
        page: the file of HTML.
        faults: a sentence for each cell that stops with an error, or does not end.
    """

    page: Path
    faults: tuple[str, ...]


def preview_of(
    course: Course,
    name: str,
    *,
    solved: bool = False,
    begin: Callable[[str, int], None] = lambda what, steps: None,
    advance: Callable[[str], None] = lambda step: None,
) -> Preview:
    """Makes the notebook, runs it beside the checks and the examples that there are, and writes it as a page.

    Args:
        course, name: the assignment.
        solved: leaves the references in; without it there are stubs, as students get them.
        begin, advance: told of the number of cells that run, and of each.
    Raises:
        SourceError, BuildError, DeclarationError: the notebook cannot be made.
    """
    source = source_notebook(course, load_assignment(course, name))
    notebook = source if solved else released_notebook(source)
    begin(f"{name}: run the notebook", sum(cell.cell_type == "code" for cell in notebook.cells))
    faults = run_cells(name, notebook, course.assignments_dir / name, advance)
    page = course.build_dir / "preview" / f"{name}{'-solved' if solved else ''}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(as_page(course.assignment(name).title, notebook), encoding="utf-8")
    return Preview(page, faults)


def run_cells(
    name: str, notebook: Any, folder: Path, advance: Callable[[str], None] = lambda step: None
) -> tuple[str, ...]:
    """Runs a notebook's cells in a folder, on over those that stop with an error; a sentence for each of these."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    running = ""

    def starts(cell: Any, **_: Any) -> None:
        nonlocal running
        running = cell.id

    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        allow_errors=True,  # a student would go on as well
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=starts,
        on_cell_complete=lambda cell, **_: advance(cell.id),
    )
    endless: list[str] = []
    try:
        client.execute(env={**os.environ, "MPLBACKEND": FIGURES})
    except (CellTimeoutError, DeadKernelError) as error:
        endless.append(f"{name}, cell {running}: does not end ({type(error).__name__})")
    return (*_stopped(name, notebook), *endless)


def _stopped(name: str, notebook: Any) -> Iterator[str]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield f"{name}, cell {cell.id}: stops with {output.ename}: {output.evalue}"


def as_page(title: str, notebook: Any) -> str:
    """A notebook that was run, as HTML; its Markdown cells are HTML afterwards."""
    from nbconvert import HTMLExporter

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = as_markdown(with_formulas(rendered(cell.source)))
    exporter = HTMLExporter(mathjax_url="", require_js_url="", embed_images=True)
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return str(page)
