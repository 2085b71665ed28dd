"""Takes one submission apart. Runs in a locked-down process: whatever a file does to it, it does to nobody else."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.course import Limits
from autograder.feedback.uses import names_used
from autograder.notebooks.elsewhere import is_stub, written_elsewhere
from autograder.notebooks.kernel_code import parsed
from autograder.notebooks.newer_python import LONGEST
from autograder.notebooks.repair.cells import Released
from autograder.notebooks.repair.reading import handed_from
from autograder.notebooks.repair.validity import made_valid
from autograder.notebooks.submission import (
    Cell,
    UnreadableSubmission,
    capped,
    repaired,
    script,
    submission_of,
)
from autograder.reading.records import LONGEST_USE, MOST_NO_PYTHON, MOST_USES, Found, Order, Page, Read, Refused
from autograder.sandbox.forbidden.operations import Use
from autograder.sandbox.forbidden.reading import Reading
from autograder.sanitizing.safe import make_safe

LONGEST_WHY = 300


def work(order: bytes, file: BinaryIO) -> bytes:
    """What `answer` gives, from JSON to JSON."""
    return msgspec.json.encode(answer(msgspec.json.decode(order, type=Order), file))


def answer(order: Order, file: BinaryIO) -> Read | Refused:
    """Takes a file apart, or says why that cannot be done."""
    try:
        return _read(order, file)
    except UnreadableSubmission as error:
        return Refused(error.why)
    except MemoryError:
        return Refused("takes more memory to read than a submission may use.")
    except RecursionError:
        return Refused("holds code that is nested too deeply to be read.")
    except Exception as error:  # whatever is wrong with one file must not stop a class
        return Refused(f"cannot be read ({type(error).__name__}: {error}"[:LONGEST_WHY] + ").")


def warm() -> None:
    """Reads a notebook once: what that imports and compiles is there for every process that is forked later."""
    code, text = (
        "%time x = 1\n!ls\ndef f(x): return g(x)",
        "# a\n\n$x$ <b>b</b> [c](https://example.org)\n\n```python\nx\n```",
    )
    notebook = json.dumps(new_notebook(cells=[new_code_cell(code), new_markdown_cell(text)]))
    with tempfile.TemporaryFile() as file:
        file.write(notebook.encode())
        file.seek(0)
        answer(Order(Limits(), notebook, "warm"), file)


def _read(order: Order, file: BinaryIO) -> Read:
    path = Path(order.name)
    handed = handed_from(file, path, order.limits)
    made_valid(handed.notebook)
    notebook, notes, stubs, given = handed.notebook, handed.notes, dict[str, str](), frozenset[str]()
    if order.released is not None:
        released = Released(nbformat.from_dict(json.loads(order.released)))
        notebook, notes = repaired(handed, released, path)
        stubs = {name: cell.source for name, cell in released.cells.items() if cell.cell_type == "code"}
        given = released.texts
    notes = (*order.beside, *notes)
    if order.released is None and handed.python is not None:
        submission = script(handed, path)
    else:
        submission = submission_of(notebook, path, handed.sha256, notes, order.limits)
    cells, noticed, found = submission.cells, list[str](), dict[str, Found]()
    if order.rules:
        cells, noticed = _steps(cells, stubs, [rule.exercise for rule in order.rules], order.assignment)
        found = _found(cells, order)
    make_safe(notebook, given)
    return Read(
        handed.sha256,
        submission.assignment,
        cells,
        capped((*submission.notes, *noticed), order.limits),
        found,
        Page(json.dumps(notebook), capped(notes, order.limits)),
        _no_python(cells),
    )


def _no_python(cells: Sequence[Cell]) -> tuple[str, ...]:
    written = (cell.code for cell in cells if cell.kind == "code" and len(cell.code) <= LONGEST)
    return tuple(islice((code for code in written if parsed(code) is None), MOST_NO_PYTHON))


def _steps(
    cells: Sequence[Cell], stubs: Mapping[str, str], exercises: Sequence[str], assignment: str
) -> tuple[tuple[Cell, ...], list[str]]:
    """What is to run and to be judged, and notes on it. Of several checks of an exercise the last one counts.

    Args:
        cells: of a submission.
        stubs: the code of the cells that students were given, by name.
        exercises: of the assignment.
        assignment: its name.
    """
    elsewhere = written_elsewhere(cells, stubs, exercises)
    notes = [
        f"{name}: its own cell is untouched; judged as another cell defines it, as it stands at the notebook's end"
        for name in sorted(elsewhere)
    ]
    last = {cell.name: place for place, cell in enumerate(cells) if cell.kind == "check"}
    unknown = [name for name in last if name not in exercises]
    notes += [f"a check cell names {name!r}, which is no exercise of {assignment}" for name in unknown]
    kept = [
        cell
        for place, cell in enumerate(cells)
        if not (cell.name in elsewhere and (cell.kind == "check" or is_stub(cell, stubs)))
        and (cell.kind == "code" or (last[cell.name] == place and cell.name in exercises))
    ]
    checked = {cell.name for cell in kept if cell.kind == "check"}
    # What has no check cell is judged at the end.
    return (*kept, *(Cell("check", name) for name in exercises if name not in checked)), notes


def _found(cells: Sequence[Cell], order: Order) -> dict[str, Found]:
    """What static reading finds in each exercise, with the definitions that stand at its check."""
    reading, written, found = Reading(), dict[str, str](), dict[str, Found]()
    rules = {rule.exercise: rule.forbidden for rule in order.rules}
    for cell in cells:
        if cell.kind == "code":
            reading.take(cell.code)
            written[cell.name] = cell.code
            continue
        uses = reading.uses_of(cell.name, rules[cell.name], frozenset(rules))
        source = written.get(cell.name) or "\n\n".join(written.values())
        mentions = names_used(source, cell.name) & rules.keys()
        found[cell.name] = Found(tuple(map(_cut, uses[:MOST_USES])), tuple(sorted(mentions)))
    return found


def _cut(use: Use) -> Use:
    return Use(use.operation[:LONGEST_USE], use.line, use.text[:LONGEST_USE])
