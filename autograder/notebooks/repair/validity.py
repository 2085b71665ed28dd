"""Leaves out of a notebook what nbgrader and Jupyter would refuse; what a student only reads need not be valid."""

from typing import Any

from nbformat.validator import get_validator

from autograder.notebooks.repair.nodes import nodes


def made_valid(notebook: Any) -> Any:
    """The notebook; where anything in it is invalid, without outputs and with no metadata but what grading reads."""
    if not _is_valid(notebook):
        _strip(notebook)
    return notebook


def _is_valid(notebook: Any) -> bool:
    try:
        # Not `nbformat.validate`, which puts every one of a million faults into words.
        get_validator(4, 5).validate(notebook)
    except Exception:  # one of several kinds, by the validator in use
        return False
    return True


def _strip(notebook: Any) -> None:
    """Leaves of metadata what grading reads, and no outputs: then nothing is left that could be invalid."""
    notebook.metadata = _only(notebook.metadata, "autograder")
    for cell in notebook.cells:
        cell.metadata = _only(cell.metadata, "nbgrader")
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = []


def _only(metadata: Any, key: str) -> Any:
    return nodes({key: metadata[key]} if isinstance(metadata.get(key), dict) else {})
