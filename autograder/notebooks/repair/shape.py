"""A notebook of the present format out of JSON in which anything may be missing or of another type.

Without `nbformat`, which takes as long to import as torch does: students wait for this.
"""

import json
import re
from itertools import count
from typing import Any

from autograder.course import Limits
from autograder.notebooks.repair.nodes import nodes

CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CELL_TYPES = ("code", "markdown", "raw")
# Deeper than any metadata or output is; Python's own copying fails at some hundreds.
DEEPEST = 40


class NoNotebook(Exception):
    """There is nothing to make a notebook of; the words say why."""


class TooMany(Exception):
    """A notebook has more of something than is allowed; the words say what."""

    def __init__(self, count: int, things: str, allowed: int) -> None:
        super().__init__(f"has {count:,} {things}; allowed are {allowed:,}.")


def shaped(content: Any, limits: Limits) -> tuple[Any, tuple[str, ...]]:
    """A notebook with all cells that could be read, and what was noticed; `made_valid` leaves out what is invalid.

    Raises:
        NoNotebook: the JSON has no list of cells, or not one that can be read.
        TooMany: it has more cells than allowed.
    """
    notes: list[str] = []
    found = _listed(content)
    if len(found) > limits.cells:
        raise TooMany(len(found), "cells", limits.cells)
    _leave_out_outputs(found, limits.outputs, notes)
    made = [_cell(number, cell, notes) for number, cell in enumerate(found, 1)]
    cells = [cell for cell in made if cell is not None]
    if found and not cells:
        raise NoNotebook(f"none of its {len(found)} cells can be read")
    _name(cells)
    metadata = content.get("metadata")
    sound = isinstance(metadata, dict) and not _too_deep(metadata)
    form = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata if sound else {}, "cells": cells}
    return nodes(form), tuple(notes)


def _listed(content: Any) -> list[Any]:
    """The cells of a notebook of any format; before format 4 they stood in worksheets."""
    if isinstance(content, dict):
        if isinstance(content.get("cells"), list):
            return list(content["cells"])
        if isinstance(content.get("worksheets"), list):
            sheets = [sheet.get("cells") for sheet in content["worksheets"] if isinstance(sheet, dict)]
            if any(isinstance(cells, list) for cells in sheets):
                return [cell for cells in sheets if isinstance(cells, list) for cell in cells]
    raise NoNotebook("its JSON has no list of cells")


def _leave_out_outputs(cells: list[Any], allowed: int, notes: list[str]) -> None:
    """Of a notebook with more outputs than allowed keeps none."""
    with_outputs = [cell for cell in cells if isinstance(cell, dict) and isinstance(cell.get("outputs"), list)]
    count = sum(len(cell["outputs"]) for cell in with_outputs)
    if count > allowed:
        for cell in with_outputs:
            cell["outputs"] = []
        notes.append(f"the notebook has {count:,} outputs, and {allowed:,} are allowed: none of them were read")


def _cell(number: int, cell: Any, notes: list[str]) -> dict[str, Any] | None:
    if not isinstance(cell, dict):
        notes.append(f"cell {number} is not a cell and was left out")
        return None
    source = _source(cell)
    if source is None:
        notes.append(f"cell {number}: its source is no text and was ignored")
    kind = _kind(cell, source or "")
    if kind != cell.get("cell_type") and cell.get("cell_type") != "heading":
        notes.append(f"cell {number} does not say what it is and was read as {kind}")
    if cell.get("cell_type") == "heading":
        level = cell.get("level")
        source = f"{'#' * (level if isinstance(level, int) and 0 < level < 7 else 1)} {source or ''}"
    metadata = cell.get("metadata")
    made: dict[str, Any] = {
        "id": cell.get("id"),
        "cell_type": kind,
        "metadata": metadata if isinstance(metadata, dict) and not _too_deep(metadata) else {},
        "source": source or "",
    }
    if kind == "code":
        made["outputs"] = _outputs(cell.get("outputs"))
        count = cell.get("execution_count")
        made["execution_count"] = count if type(count) is int and count >= 0 else None
    elif isinstance(cell.get("attachments"), dict) and not _too_deep(cell["attachments"]):
        made["attachments"] = cell["attachments"]
    return made


def _source(cell: dict[str, Any]) -> str | None:
    """A cell's text, under any of the names that formats had for it; None if it is not text."""
    source = next((cell[key] for key in ("source", "input", "code", "text") if key in cell), None)
    if isinstance(source, list):
        parts = [part for part in source if isinstance(part, str)]
        return "".join(parts) if parts or not source else None
    return source if isinstance(source, str) else None


def _kind(cell: dict[str, Any], source: str) -> str:
    kind = cell.get("cell_type")
    if kind in CELL_TYPES:
        return str(kind)
    if kind in ("heading", "html"):
        return "markdown"
    ran = {"outputs", "execution_count", "input", "prompt_number"} & cell.keys()
    return "code" if ran or re.search(r"^(def|class|import|from|check\()", source, re.MULTILINE) else "markdown"


def _outputs(outputs: Any) -> list[Any]:
    if not isinstance(outputs, list):
        return []
    return [output for output in outputs if isinstance(output, dict) and not _too_deep(output)]


def _too_deep(value: Any, room: int = DEEPEST) -> bool:
    if isinstance(value, dict):
        return room == 0 or any(_too_deep(inner, room - 1) for inner in value.values())
    if isinstance(value, list):
        return room == 0 or any(_too_deep(inner, room - 1) for inner in value)
    return False


def _name(cells: list[dict[str, Any]]) -> None:
    """Gives every cell an id of its own; the first keeps one that several have."""
    used: set[str] = set()
    for number, cell in enumerate(cells, 1):
        own = cell["id"]
        if not isinstance(own, str) or not CELL_ID.fullmatch(own) or own in used:
            own = next(name for more in count() if (name := f"cell-{number}{f'-{more}' if more else ''}") not in used)
        cell["id"] = own
        used.add(own)


def parsed(text: str) -> Any:
    """The JSON of a notebook. Control characters in strings, and halves of characters, are let pass.

    Raises:
        NoNotebook: it is not JSON.
    """
    try:
        content = json.loads(text, strict=False)
        # An escaped half of a character can be read, but neither run nor written.
        return _whole(content) if "\\ud" in text.lower() else content
    except json.JSONDecodeError as error:
        raise NoNotebook(f"not JSON at line {error.lineno} ({error.msg})") from None
    except ValueError:
        raise NoNotebook("its JSON has a number of thousands of digits") from None
    except RecursionError:
        raise NoNotebook("its JSON is nested too deeply") from None


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(inner) for key, inner in value.items()}
    return value
