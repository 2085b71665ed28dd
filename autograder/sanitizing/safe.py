"""Makes a submitted notebook one that can be opened: nbgrader's pages show it as it is, scripts and all."""

from typing import Any

from nbformat.v4 import new_markdown_cell

from autograder.sanitizing.markdown import as_text_block, safe_markdown, verified_attachments
from autograder.sanitizing.own_outputs import Room, own_outputs

NOTEBOOK_METADATA = ("autograder", "kernelspec", "language_info")
CELL_METADATA = ("autograder", "nbgrader")
# What formgrader's page calls its own, beside the grade ids.
PAGE_IDS = ("notebook", "notebook-container", "statusmessage", "toc", "top")
BESIDE_GRADE_ID = ("", "-comment", "_extra_credit")


def make_safe(notebook: Any, given: frozenset[str] = frozenset()) -> None:
    """Leaves of a notebook, in place, what nothing can run from, wherever it is rendered. Twice is as good as once.

    Markdown stays as it was written where it is plain. Raw cells become text. Outputs stay where they are small, and
    not in graded cells: nbgrader would read points from them. Call it when the grader's cells and names are in place.

    Args:
        notebook: a submission.
        given: Markdown that students were given, without the space around it; it stays as it is.
    """
    _keep_only(notebook.metadata, NOTEBOOK_METADATA)
    taken = frozenset(_taken(notebook))
    room = Room()
    notebook.cells = [_safe(cell, taken, room, given) for cell in notebook.cells]


def _safe(cell: Any, taken: frozenset[str], room: Room, given: frozenset[str]) -> Any:
    _keep_only(cell.metadata, CELL_METADATA)
    if cell.cell_type == "code":
        graded = cell.metadata.get("nbgrader", {}).get("grade", False)
        cell.outputs = [] if graded else own_outputs(cell.outputs, room)
        cell.execution_count = None
        return cell
    if cell.cell_type == "raw":
        return new_markdown_cell(as_text_block(cell.source), id=cell.id, metadata=cell.metadata)
    attachments = verified_attachments(cell.pop("attachments", None))
    if cell.source.strip() not in given:
        cell.source = safe_markdown(cell.source, attachments, taken)
    if attachments:
        cell.attachments = attachments
    return cell


def _taken(notebook: Any) -> list[str]:
    ids = [cell.metadata["nbgrader"].get("grade_id", "") for cell in notebook.cells if "nbgrader" in cell.metadata]
    return [*PAGE_IDS, *(f"{own}{more}" for own in ids for more in BESIDE_GRADE_ID)]


def _keep_only(metadata: Any, known: tuple[str, ...]) -> None:
    for key in [key for key in metadata if key not in known]:
        del metadata[key]
