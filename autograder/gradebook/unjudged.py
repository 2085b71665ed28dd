"""What nbgrader keeps of a submission that could not be judged: a page that says why, and no score."""

import copy
import html
import re
from typing import Any

from nbformat.v4 import new_markdown_cell

from autograder.notebooks.repair.cells import Released
from autograder.version import VERSION

# What Markdown or MathJax would read as more than text.
MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~$^<>-])")
NOT_JUDGED = "Not graded automatically"
NOTICED = "Noticed when grading"


def unjudged_notebook(released: Released, assignment: str, reason: str) -> Any:
    """The released notebook under a cell that says why there is nothing else to show."""
    notebook = copy.deepcopy(released.notebook)
    notebook.metadata["autograder"] = {"assignment": assignment, "version": VERSION, "unjudged": reason}
    put_notes(notebook, NOT_JUDGED, (reason, "A person will look at it; nothing of what was handed in is lost."))
    return notebook


def put_notes(notebook: Any, title: str, notes: tuple[str, ...]) -> None:
    """Puts notes on top of a notebook, as text: they may quote what a student wrote."""
    cells = [cell for cell in notebook.cells if cell.metadata.get("autograder") != {"role": "notes"}]
    notebook.metadata["autograder"]["notes"] = list(notes)
    if notes:
        text = "\n".join([f"### {title}", "", *(f"- {as_text(note)}" for note in notes)])
        name = next(f"notes{'-' * n}" for n in range(60) if all(c.id != f"notes{'-' * n}" for c in cells))
        cells.insert(0, new_markdown_cell(text, id=name, metadata={"autograder": {"role": "notes"}}))
    notebook.cells = cells


def as_text(note: str) -> str:
    """A note that Markdown shows as it is."""
    plain = " ".join(note.split()).replace("&", "&amp;")
    return MARKUP.sub(lambda mark: html.escape(mark[0]) if mark[0] in "<>" else f"\\{mark[0]}", plain)


def put_mark(notebook: Any, assignment: str) -> None:
    """Leaves of what a submission says of itself the student's package; the rest is the grader's to say."""
    ours = notebook.metadata.get("autograder")
    version = ours.get("version") if isinstance(ours, dict) else None
    known = version if isinstance(version, str) else VERSION
    notebook.metadata["autograder"] = {"assignment": assignment, "version": known}


def unjudged_reason(notebook: Any) -> str | None:
    """Why an autograded notebook has no score; None if it has one."""
    ours = notebook.metadata.get("autograder")
    reason = ours.get("unjudged") if isinstance(ours, dict) else None
    return reason if isinstance(reason, str) else None
