"""A Python file that was handed in, as a notebook."""

import re
from itertools import pairwise
from typing import Any

from autograder.course import Limits
from autograder.notebooks.repair.nodes import nodes
from autograder.notebooks.repair.shape import TooMany

# Where editors and nbconvert begin a cell in a script.
CELL = re.compile(r"^# (?:%%|In\[[\d ]*\]:)", re.MULTILINE)


def notebook_of(text: str, limits: Limits) -> Any:
    """A script's cells; a script without marks is one cell.

    Raises:
        TooMany: it has more cells than allowed.
    """
    starts = [0, *(match.start() for match in CELL.finditer(text)), len(text)]
    if len(starts) - 2 > limits.cells:
        raise TooMany(len(starts) - 2, "cells", limits.cells)
    parts = [text[start:end].strip("\n") for start, end in pairwise(starts)]
    cells = [_cell(f"script-{number}", part) for number, part in enumerate(parts, 1) if part.strip()]
    return nodes({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def _cell(name: str, source: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"metadata": {}, "outputs": [], "execution_count": None}
    return {"id": name, "cell_type": "code", "source": source, **empty}
