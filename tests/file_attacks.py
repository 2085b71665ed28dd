"""Files that are made to stop or slow down whoever takes them apart: each as a builder, for `test_attacks`.

Every one is the notebook of a student whose two answers are right, with something added that no lesson needs.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Notebook = dict[str, Any]
Builder = Callable[[Notebook], bytes]
# Stands in grade_letter's cell after what is right, and is reached by reading alone: running it never does.
UNREACHED = """

right = grade_letter


def grade_letter(score):
    if score is None:
"""


@dataclass(frozen=True)
class FileAttack:
    """One file.

    Attributes:
        name: what is tried.
        build: makes it of an honest notebook.
        says: a part of the sentence by which it is not judged; None where it is judged.
        notes: a part of a note where it is judged.
        points: where it is judged, of the answers that are left.
        memory: mebibytes that reading may use.
    """

    name: str
    build: Builder
    says: str | None = None
    notes: str = ""
    points: float = 3.0
    memory: int = 1024


def cell_of(notebook: Notebook, name: str) -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def written(notebook: Notebook) -> bytes:
    return json.dumps(notebook).encode()


def own(source: str, number: int = 0) -> dict[str, Any]:
    return {
        "id": f"own-{number}",
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def unreached(*lines: str) -> Builder:
    """Lines in the body of grade_letter that do not run."""

    def build(notebook: Notebook) -> bytes:
        cell = cell_of(notebook, "grade_letter")
        added = UNREACHED + "\n".join(f"        {line}" for line in lines) + "\n    return right(score)\n"
        cell["source"] = "".join(cell["source"]) + added
        return written(notebook)

    return build


def doubling(first: str, times: int) -> Builder:
    """A text that every name doubles, and an operation of that name."""
    names = [f"t{number + 1} = t{number} + t{number}" for number in range(times)]
    return unreached(f"t0 = {first!r}", *names, f"getattr(np, t{times})(score)")


def outputs(text: bytes) -> Builder:
    """Outputs of the first cell that has some, in JSON of any kind."""

    def build(notebook: Notebook) -> bytes:
        cell_of(notebook, "grade_letter")["outputs"] = ["HERE"]
        return written(notebook).replace(b'"HERE"', text)

    return build


def unended(text: bytes) -> Builder:
    """A string among outputs, at the end of a file that broke off."""
    whole = outputs(b'"' + text)
    return lambda notebook: (made := whole(notebook))[: made.index(text) + len(text)]


def cells(more: Callable[[Notebook], list[Any]]) -> Builder:
    """Cells before the answers, so that these have the last word."""

    def build(notebook: Notebook) -> bytes:
        notebook["cells"][1:1] = more(notebook)
        return written(notebook)

    return build


def copies(name: str, count: int, source: str) -> Builder:
    def more(notebook: Notebook) -> list[Any]:
        cell = cell_of(notebook, name)
        return [{**copy.deepcopy(cell), "id": f"copy-{number}", "source": source} for number in range(count)]

    return cells(more)


def markdown(source: str, count: int) -> Builder:
    made = [{"id": f"text-{n}", "cell_type": "markdown", "metadata": {}, "source": source} for n in range(count)]
    return cells(lambda notebook: made)


def halves(count: int) -> Builder:
    """Parts of a cell that make a whole only together, each longer than the last."""

    def more(notebook: Notebook) -> list[Any]:
        cell = cell_of(notebook, "grade_letter")
        first = {**copy.deepcopy(cell), "id": "half", "source": "if True:\n    pass"}
        rest = [{**copy.deepcopy(cell), "id": f"half-{n}", "source": "    pass"} for n in range(count)]
        return [first, *rest]

    return cells(more)


STREAM = b'{"output_type": "stream", "name": "stdout", "text": "%s"}'
QUOTES = b'\\"' * 10_500_000
NAMES = " = ".join(f"a{number}" for number in range(30_000))
SUM = " + ".join(["a0"] + ["1"] * 900)
FILE_ATTACKS = (
    FileAttack("a text that doubles with every name", doubling("s", 60)),
    FileAttack("an empty text that doubles with every name", doubling("", 60)),
    FileAttack("a text of 6 GB in 2^11 steps", doubling("s" * 3_000_000, 11)),
    FileAttack("a name that stands for itself", unreached("a = a + a", "b = a + c", "c = b + a", "getattr(np, c)")),
    FileAttack("a chain of 500 attributes", unreached("score" + ".a" * 500)),
    FileAttack("a chain of 100,000 attributes", unreached("score" + ".a" * 100_000), "nested too deeply"),
    FileAttack("30,000 names for one sum", unreached(f"{NAMES} = {SUM}")),
    FileAttack("21 MB of escaped quotes as an output", outputs(STREAM % QUOTES), notes="its outputs were not read"),
    FileAttack("21 MB of escaped quotes for outputs", outputs(QUOTES), None, "its outputs were not read", 2.0),
    FileAttack("21 MB of escaped quotes that nothing ends", unended(QUOTES), "is not a notebook"),
    FileAttack("300,000 empty outputs", outputs(b", ".join([b"{}"] * 300_000)), notes="300,000 outputs"),
    FileAttack("9,000 empty outputs", outputs(b", ".join([b"{}"] * 9_000))),
    FileAttack("a million cells that are numbers", cells(lambda _: [7] * 1_000_000), "cells; allowed are 2,000"),
    FileAttack("1,900 cells that are numbers", cells(lambda _: [7] * 1_900), notes="more of such notes"),
    FileAttack("20,000 tiny cells", cells(lambda _: [own("1", n) for n in range(20_000)]), "cells; allowed are 2,000"),
    FileAttack("1,900 tiny cells", cells(lambda _: [own("1", n) for n in range(1_900)])),
    FileAttack("1,900 cells of one name", copies("grade_letter", 1_900, "x = 1"), notes="was there 1901 times"),
    FileAttack("1,900 halves of a cell", halves(1_900)),
    FileAttack("1,900 copies of a check cell", copies("check-grade_letter", 1_900, 'check("grade_letter")')),
    FileAttack(
        "900 check cells of one's own", cells(lambda _: [own('check("grade_letter")', n) for n in range(900)])
    ),
    FileAttack(
        "1,900 check cells of one's own",
        cells(lambda _: [own('check("grade_letter")', n) for n in range(1_900)]),
        "checks in its cells; allowed are 1,000",
    ),
    FileAttack(
        "20,000 checks of what there is not, in one cell",
        cells(lambda _: [own("\n".join(f'check("a{n}")' for n in range(20_000)))]),
        "checks in its cells; allowed are 1,000",
    ),
    FileAttack(
        "900 checks of what there is not", cells(lambda _: [own("\n".join(f'check("a{n}")' for n in range(900)))]),
        notes="more of such notes",
    ),
    FileAttack("500 texts that take a second each", markdown("\\\\" * 4_900 + "$" * 9_000, 500), "seconds to read"),
    FileAttack("a million lists in a list", outputs(b"[" + b"[]," * 6_000_000 + b"0]"), "more memory", memory=256),
)  # fmt: skip
