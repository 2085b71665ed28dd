"""Right submissions in as many clothes as students and their editors put on them; each keeps its full points."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbconvert import PythonExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

CATALOGUE = Path(__file__).with_name("clothes.md")
# Takes the right notebook, and gives what is handed in: a notebook, or the text or bytes of a file.
Clothing = Callable[[Any], Any]


def place(notebook: Any, name: str) -> int:
    return next(number for number, cell in enumerate(notebook.cells) if cell.id == name)


def cell(notebook: Any, name: str) -> Any:
    return notebook.cells[place(notebook, name)]


def altered(change: Callable[[Any], object]) -> Clothing:
    """Something is done to the notebook."""

    def dress(notebook: Any) -> Any:
        change(notebook)
        return notebook

    return dress


def answered(exercise: str, code: str) -> Clothing:
    """The exercise's answer is written in another way."""
    return altered(lambda n: cell(n, exercise).update(source=code.strip("\n")))


def headed(exercise: str, lines: str) -> Clothing:
    """The exercise's cell begins with more lines."""

    return altered(lambda n: cell(n, exercise).update(source=f"{lines}\n{cell(n, exercise).source}"))


def followed(exercise: str, lines: str) -> Clothing:
    """The exercise's cell ends with more lines."""

    return altered(lambda n: cell(n, exercise).update(source=f"{cell(n, exercise).source}\n\n{lines}"))


def beside(after: str, code: str) -> Clothing:
    """A cell of the student's own."""

    return altered(lambda n: n.cells.insert(place(n, after) + 1, new_code_cell(code.strip("\n"))))


def both(*clothings: Clothing) -> Clothing:
    """Several at once."""

    def dress(notebook: Any) -> Any:
        for clothing in clothings:
            notebook = clothing(notebook)
        return notebook

    return dress


def every_cell(change: Callable[[Any], object], kinds: tuple[str, ...] = ("code", "markdown")) -> Clothing:
    """Something is done to each cell."""

    return altered(lambda n: [change(each) for each in n.cells if each.cell_type in kinds])


def about(**metadata: Any) -> Clothing:
    """The notebook's metadata say more, or something else."""

    return altered(lambda n: n.metadata.update(nbformat.from_dict(metadata)))


LETTER = """
def letter_of(score):
    if not 0 <= score <= 100:
        raise ValueError("score has to lie in [0, 100]")
    return "FFFFFFDCBAA"[int(score // 10)]
"""
OWN = LETTER.replace("letter_of", "grade_letter")
BY_HELPER = """
def grade_letter(score):
    return letter_of(score)
"""
WRONG = """
def grade_letter(score):
    return "F"
"""

# What an editor would not show, or lay out anew.
ODD = {
    "tabs": OWN.replace("    ", "\t"),
    "an indent of one": OWN.replace("    ", " "),
    "names that are normalised": OWN.replace("grade_letter", "ｇrade_letter").replace("(score)", "(ſcore)"),
    "a form feed": "LIMIT = 100\n\f\n" + OWN,
    "Unicode line separators": "SEPARATORS = '\u2028\u2029\x85'\n" + OWN,
    "a very long line": f"TABLE = {'1 + ' * 200 + '0'}\nTEXT = {'x' * 200_000!r}\n" + OWN,
}

CELL_MAGICS = {
    "%%time": "%%time",
    "%%timeit-like capture": "%%capture output",
    "%%capture without output": "%%capture --no-stderr",
    "two magics on top": "%%time\n%%capture",
    "%%time below a form's title": '#@title Grades { display-mode: "form" }\n%%time',
    "an empty line before %%time": "\n\n%%time",
    "%%prun": "%%prun -q",
}


def moved(exercise: str, after: str, *more: str) -> Clothing:
    """An exercise's cell, and others with it, stands in another place."""

    def dress(notebook: Any) -> Any:
        cells = [notebook.cells.pop(place(notebook, name)) for name in (exercise, *more)]
        start = place(notebook, after) + 1
        notebook.cells[start:start] = cells
        return notebook

    return dress


def only(keeps: Callable[[Any], bool]) -> Clothing:
    """The other cells are deleted."""
    return altered(lambda n: n.update(cells=[each for each in n.cells if keeps(each)]))


def without(*names: str) -> Clothing:
    """Cells are deleted."""
    return only(lambda c: c.id not in names)


def is_check(cell: Any) -> bool:
    return bool(cell.id.startswith("check-"))


def doubled(name: str) -> Clothing:
    """A cell is copied and pasted below itself, with its metadata."""

    def dress(notebook: Any) -> Any:
        second = copy.deepcopy(cell(notebook, name))
        second.id = "pasted"
        notebook.cells.insert(place(notebook, name) + 1, second)
        return notebook

    return dress


def split(name: str, at: str) -> Clothing:
    """A cell is split before some text, as Jupyter does it: both halves have its metadata."""

    def dress(notebook: Any) -> Any:
        notebook = doubled(name)(notebook)
        first = cell(notebook, name)
        second = cell(notebook, "pasted")
        start = first.source.index(at)
        first.source, second.source = first.source[:start].rstrip(), first.source[start:]
        return notebook

    return dress


def merged(*names: str) -> Clothing:
    """Cells are merged into the first of them, whose metadata stay."""

    def dress(notebook: Any) -> Any:
        first = cell(notebook, names[0])
        first.source = "\n\n".join(cell(notebook, name).source for name in names)
        return without(*names[1:])(notebook)

    return dress


def edited(name: str, old: str, new: str) -> Clothing:
    """A text in a cell is replaced."""
    return altered(lambda n: cell(n, name).update(source=cell(n, name).source.replace(old, new)))


def elsewhere(exercise: str, after: str) -> Clothing:
    """The answer is another cell's, and the exercise's own cell is gone."""
    return lambda notebook: without(exercise)(beside(after, cell(notebook, exercise).source)(notebook))


LAST = "check-standardize"
LAYOUTS = {
    "the answer in a cell below its own, which is gone": elsewhere("grade_letter", "grade_letter"),
    "the answer in a cell at the top": elsewhere("grade_letter", "setup"),
    "the answer in a cell at the end": elsewhere("grade_letter", LAST),
    "a helper in a cell above": both(beside("setup", LETTER), answered("grade_letter", BY_HELPER)),
    "a helper at the end of the cell": answered("grade_letter", BY_HELPER + LETTER),
    "a helper in the setup cell": both(followed("setup", LETTER), answered("grade_letter", BY_HELPER)),
    "a helper over three cells": both(
        beside("setup", "NAMES = 'FFFFFFDCBAA'"),
        beside("EarlyStopping", "def refused(score):\n    return score < 0 or score > 100"),
        beside("check-Variable", "def tenth(score):\n    return int(score // 10)"),
        answered(
            "grade_letter",
            "def grade_letter(score):\n    if refused(score):\n        raise ValueError('score')\n    return NAMES[tenth(score)]",
        ),
    ),
    "right at its check, wrong below": beside("check-grade_letter", WRONG),
    "wrong above, right in its cell": beside("setup", WRONG),
    "an exercise moved up with its check": moved("grade_letter", "setup", "check-grade_letter"),
    "an exercise moved to the end": moved("EarlyStopping", LAST, "check-EarlyStopping"),
    "a check moved above its exercise": moved("check-grade_letter", "setup"),
    "all checks at the end": altered(lambda n: n.cells.sort(key=is_check)),
    "exercises in another order": both(
        *(moved(name, "setup", f"check-{name}") for name in ("EarlyStopping", "Variable", "no_grad", "dropout"))
    ),
    "a check deleted": without("check-grade_letter"),
    "all checks deleted": only(lambda c: not is_check(c)),
    "the setup deleted": without("setup"),
    "all text deleted": only(lambda c: c.cell_type != "markdown"),
    "a check doubled": doubled("check-grade_letter"),
    "an answer doubled": doubled("grade_letter"),
    "the setup doubled": doubled("setup"),
    "a check with other quotes": edited("check-grade_letter", '"', "'"),
    "a check with a semicolon": edited("check-grade_letter", ")", ");"),
    "a check with a comment": followed("check-grade_letter", "# all right!"),
    "a check that is kept": edited("check-grade_letter", "check(", "points = check("),
    "a check of the function": edited("check-grade_letter", '"grade_letter"', "grade_letter"),
    "a check of all": edited("check-grade_letter", '"grade_letter"', ""),
    "a check with code below": followed("check-grade_letter", "print(grade_letter(3))"),
    "a cell split within its code": split("grade_letter", "    if not"),
    "a cell split between helper and answer": both(
        answered("grade_letter", LETTER + BY_HELPER),
        split("grade_letter", "def grade_letter"),
    ),
    "a cell split between answer and test": both(
        followed("grade_letter", "print(grade_letter(3))"), split("grade_letter", "print(")
    ),
    "the setup split": split("setup", "STATE ="),
    "an answer and its check merged": merged("grade_letter", "check-grade_letter"),
    "two answers merged": merged("grade_letter", "check-grade_letter", "standardize"),
    "the setup and an answer merged": merged("setup", "EarlyStopping"),
    "more text": altered(lambda n: n.cells.insert(2, new_markdown_cell("# Mine\n\n<b>x</b> $x$ ![](a.png)"))),
    "raw cells": altered(lambda n: n.cells.insert(1, new_raw_cell("grade_letter = None"))),
    "empty cells": altered(lambda n: n.cells.extend([new_code_cell(""), new_code_cell("\n\n"), new_markdown_cell("")])),
    "a whole cell indented": altered(lambda n: cell(n, "grade_letter").update(source=OWN.replace("\n", "\n    "))),
    "future annotations in the setup": both(
        headed("setup", "from __future__ import annotations"),
        answered("grade_letter", OWN.replace("(score):", "(score: Score) -> Letter:")),
    ),
    "future annotations in an own cell": both(
        beside("setup", "from __future__ import annotations"),
        answered("grade_letter", OWN.replace("(score):", "(score: Score) -> Letter:")),
    ),
}


def outputs(*made: Any) -> Clothing:
    """Every code cell has these outputs."""
    return every_cell(lambda c: c.update(outputs=[copy.deepcopy(output) for output in made]), ("code",))


def cells_about(**metadata: Any) -> Clothing:
    return every_cell(lambda c: c.metadata.update(nbformat.from_dict(metadata)))


def renamed(made: Callable[[int], str]) -> Clothing:
    """Cells have other ids."""

    return altered(lambda n: [each.update(id=made(number)) for number, each in enumerate(n.cells)])


nameless = every_cell(lambda c: c.metadata.pop("nbgrader", None))


def injected(notebook: Any) -> Any:
    """As papermill runs a notebook with parameters."""
    notebook = beside("setup", "epochs = 1")(notebook)
    notebook.cells[place(notebook, "setup") + 1].metadata["tags"] = ["parameters"]
    given = new_code_cell("# Parameters\nepochs = 5\n", metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(place(notebook, "setup") + 2, given)
    times = {"duration": 0.01, "end_time": "2024-01-01T00:00:00", "exception": False, "status": "completed"}
    return both(
        about(papermill={"default_parameters": {}, "parameters": {"epochs": 5}, "version": "2.4.0"}),
        every_cell(lambda c: c.metadata.update(papermill=times, tags=c.metadata.get("tags", [])), ("code",)),
    )(notebook)


PICTURE = new_output("display_data", {"image/png": "iVBORw0KGgo=" * 100_000, "text/plain": "<Figure>"})
WIDGET = new_output("display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "x", "version_major": 2}})
FAILED = new_output("error", ename="KeyboardInterrupt", evalue="", traceback=["\x1b[0;31mKeyboardInterrupt\x1b[0m"])
PRINTED = new_output("stream", text="x\r\x1b[31my\x1b[0m\n" * 1000)

EDITORS = {
    "Colab": both(
        about(colab={"provenance": [], "toc_visible": True, "gpuType": "T4"}, accelerator="GPU"),
        cells_about(id="Ab3dEf", colab={"base_uri": "https://localhost:8080/", "height": 35}, outputId="x-1"),
    ),
    "Colab, cells as forms": every_cell(
        lambda c: c.update(source=f"#@title {c.id}\n{c.source}") or c.metadata.update(cellView="form"), ("code",)
    ),
    "Colab, ids in the metadata and no nbgrader": both(
        every_cell(lambda c: c.metadata.update(id=c.id)), nameless, renamed(lambda n: f"colab{n}")
    ),
    "VS Code": both(
        about(vscode={"interpreter": {"hash": "31f2"}}, language_info={"name": "python", "version": "3.9.6"}),
        cells_about(vscode={"languageId": "python"}),
    ),
    "VS Code's random ids": renamed(lambda n: f"{n:08x}"),
    "Kaggle": both(
        about(kaggle={"accelerator": "none", "dataSources": [], "isGpuEnabled": False}),
        cells_about(_uuid="8f2839f2", _cell_guid="b1076dfc", execution={"iopub.status.busy": "2024"}, trusted=True),
    ),
    "papermill": injected,
    "papermill's banner of an error": both(
        altered(lambda n: n.cells.insert(0, new_markdown_cell('<span style="color:red">An Exception</span>'))), injected
    ),
    "jupytext": about(jupytext={"formats": "ipynb,py:percent", "cell_metadata_filter": "-all"}),
    "Deepnote": both(
        about(deepnote={"is_reactive": False}, deepnote_notebook_id="12ab", deepnote_execution_queue=[]),
        cells_about(cell_id="00000-x", deepnote_cell_type="code", tags=[], deepnote_to_be_reexecuted=False),
    ),
    "Databricks": cells_about(**{"application/vnd.databricks.v1+cell": {"nuid": "x", "title": "", "inputWidgets": {}}}),
    "slides and hidden inputs": cells_about(
        slideshow={"slide_type": "fragment"}, jupyter={"source_hidden": True}, collapsed=True, scrolled=False
    ),
    "not editable": cells_about(editable=False, deletable=False),
    "trusted and timed": both(
        cells_about(trusted=True, ExecuteTime={"end_time": "x"}), about(toc={"base_numbering": 1})
    ),
    "another kernel's name": about(
        kernelspec={"name": "conda-env-dl-py", "display_name": "Python [conda env:深度学习]"}
    ),
    "no kernel": altered(lambda n: n.metadata.pop("kernelspec", None)),
    "widgets' state": about(widgets={"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2}}),
    "no nbgrader metadata": nameless,
    "no nbgrader metadata and other ids": both(nameless, renamed(lambda n: f"cell{n}")),
    "no metadata at all": both(nameless, renamed(lambda n: f"cell{n}"), altered(lambda n: n.metadata.clear())),
    "an older schema of nbgrader": every_cell(
        lambda c: c.metadata.get("nbgrader", nbformat.from_dict({})).update(schema_version=1)
    ),
    "the same id everywhere": renamed(lambda n: "cell"),
    "huge pictures": outputs(PICTURE),
    "errors and widgets": outputs(FAILED, WIDGET, PRINTED),
    "no counts": every_cell(lambda c: c.update(execution_count=None), ("code",)),
    "wild counts": every_cell(lambda c: c.update(execution_count=999_999), ("code",)),
    "CRLF in every cell": every_cell(lambda c: c.update(source=c.source.replace("\n", "\r\n"))),
    "CR in every cell": every_cell(lambda c: c.update(source=c.source.replace("\n", "\r"))),
    "CRLF and magics": both(
        headed("grade_letter", "%matplotlib inline\n!ls"),
        every_cell(lambda c: c.update(source=c.source.replace("\n", "\r\n"))),
    ),
    "tabs in every cell": every_cell(lambda c: c.update(source=c.source.replace("    ", "\t")), ("code",)),
    "spaces at every end": every_cell(
        lambda c: c.update(source="\n" + c.source.replace("\n", "   \n") + "\n\n\n"), ("code",)
    ),
    "docstrings removed": every_cell(
        lambda c: c.update(source=re.sub(r'\n +""".*?"""\n', "\n", c.source, flags=re.DOTALL)), ("code",)
    ),
    "minutes and rules removed": every_cell(
        lambda c: c.update(source=re.sub(r"^# .*\n", "", c.source, flags=re.MULTILINE)), ("code",)
    ),
}


def text_of(notebook: Any, **options: Any) -> str:
    return json.dumps(notebook, **options)


def lists_of_lines(notebook: Any) -> Any:
    return every_cell(lambda c: c.update(source=c.source.splitlines(keepends=True)))(notebook)


def minor(number: int) -> Clothing:
    """An older minor format, which has no cell ids."""

    def dress(notebook: Any) -> str:
        for each in notebook.cells:
            del each["id"]
        notebook["nbformat_minor"] = number
        return text_of(notebook)

    return dress


def format_3(notebook: Any) -> str:
    return nbformat.writes(nbformat.convert(notebook, 3), version=3)


def less(*keys: str) -> Clothing:
    """Keys are missing in every cell."""
    return lambda notebook: text_of(every_cell(lambda c: [c.pop(key, None) for key in keys])(notebook))


FILES = {
    "a mark of byte order": lambda notebook: "\ufeff" + text_of(notebook),
    "UTF-16": lambda notebook: text_of(notebook, ensure_ascii=False).encode("utf-16"),
    "CRLF in the file": lambda notebook: text_of(notebook, indent=1).replace("\n", "\r\n").encode(),
    "one line": text_of,
    "indented by four, sorted": lambda notebook: text_of(notebook, indent=4, sort_keys=True, ensure_ascii=False),
    "a last line that ends, and blanks": lambda notebook: "\n\n" + text_of(notebook) + "\n\n\n",
    "sources as lists": lambda notebook: text_of(lists_of_lines(notebook)),
    "sources as lists, without ends": lambda notebook: text_of(
        every_cell(lambda c: c.update(source=[c.source]))(notebook)
    ),
    "format 4.0": minor(0),
    "format 4.2": minor(2),
    "format 4.4": minor(4),
    "format 4.5 without ids": less("id"),
    "a later minor format": lambda notebook: text_of(notebook | {"nbformat_minor": 9}),
    "format 3": format_3,
    "no counts and outputs": less("execution_count", "outputs"),
    "no metadata of cells": less("metadata"),
    "a script by nbconvert": lambda notebook: PythonExporter().from_notebook_node(notebook)[0],
    "a script by nbconvert, with magics": lambda notebook: PythonExporter().from_notebook_node(
        headed("grade_letter", "%matplotlib inline\n!ls\n%time x = 1")(notebook)
    )[0],
    "a script by jupytext, percent": lambda notebook: jupytext.writes(notebook, fmt="py:percent"),
    "a script by jupytext, light": lambda notebook: jupytext.writes(notebook, fmt="py:light"),
    "a script by jupytext, hydrogen": lambda notebook: jupytext.writes(
        headed("grade_letter", "%matplotlib inline")(notebook), fmt="py:hydrogen"
    ),
    "a script by jupytext, sphinx": lambda notebook: jupytext.writes(notebook, fmt="py:sphinx"),
    "a script with a mark of byte order and CRLF": lambda notebook: (
        "\ufeff" + jupytext.writes(notebook, fmt="py:percent").replace("\n", "\r\n")
    ),
    "a script with a first line for the shell": lambda notebook: (
        "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n" + jupytext.writes(notebook, fmt="py:percent")
    ),
}


def dressed(kind: str, clothings: dict[str, Clothing]) -> dict[str, Clothing]:
    return {f"{kind}: {name}": clothing for name, clothing in clothings.items()}


PART = re.compile(r"^## ([^\n]+)$|^### ([^\n]+)\n\n```python\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
KINDS: dict[str, Callable[[str, str], Clothing]] = {
    "Answers": answered,
    "Lines above": headed,
    "Own cells after": beside,
}


def catalogue() -> dict[str, Clothing]:
    """The clothes of `clothes.md`."""
    found: dict[str, Clothing] = {}
    heading = ""
    for match in PART.finditer(CATALOGUE.read_text("utf-8")):
        heading = match[1] or heading
        if match[2]:
            kind, _, name = heading.partition(": ")
            found[f"{heading}: {match[2]}"] = KINDS[kind](name, match[3])
    return found


CLOTHES: dict[str, Clothing] = {
    **catalogue(),
    **dressed("odd", {name: answered("grade_letter", code) for name, code in ODD.items()}),
    "dropout under torch.no_grad": headed("dropout", "@torch.no_grad()"),
    **dressed("cell magic", {name: headed("grade_letter", line) for name, line in CELL_MAGICS.items()}),
    **dressed("layout", LAYOUTS),
    **dressed("editor", EDITORS),
    **dressed("file", FILES),
}
