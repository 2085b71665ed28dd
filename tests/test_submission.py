"""Reading a submission: what runs, what is left out with a note, and what cannot be read."""

import hashlib
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v3, v4

import autograder
from autograder.notebooks.kernel_code import as_kernel_runs
from autograder.notebooks.submission import Cell, Submission, UnreadableSubmission, read_submission


def code_cell(source: object, **more: object) -> dict[str, object]:
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "id": "a",
        **more,
    }


def graded(name: object, source: str) -> dict[str, object]:
    return code_cell(source, metadata={"nbgrader": {"grade_id": name}})


def notebook(*cells: object, **more: object) -> dict[str, Any]:
    unique = [{**cell, "id": f"c{i}"} if isinstance(cell, dict) else cell for i, cell in enumerate(cells)]
    return {"cells": unique, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}


def submit(folder: Path, content: object, name: str = "basics.ipynb") -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def read(folder: Path, *cells: object) -> Submission:
    return read_submission(submit(folder, notebook(*cells)))


NO_NOTEBOOK = "is not a notebook: "
UNREADABLE = {
    "empty": ("", "is empty."),
    "blank": (" \n\t\n", "is empty."),
    "not UTF-8": (b'{"cells": "\xff"}', f"{NO_NOTEBOOK}its JSON has no list of cells."),
    "not JSON": ("{\n'cells': []}", f"{NO_NOTEBOOK}not JSON at line 2 (Expecting property name enclosed in double quotes)."),
    "cut off": (json.dumps(notebook(code_cell("a = 1")))[:60], f"{NO_NOTEBOOK}not JSON at line 1 ("),
    "nested": ("[" * 100_000, f"{NO_NOTEBOOK}its JSON is nested too deeply."),
    "huge number": ('{"cells": ' + "1" * 5000 + "}", f"{NO_NOTEBOOK}its JSON has a number of thousands of digits."),
    "a list": ("[]", f"{NO_NOTEBOOK}its JSON has no list of cells."),
    "no cells": ('{"nbformat": 4}', f"{NO_NOTEBOOK}its JSON has no list of cells."),
    "cells of text": (notebook() | {"cells": "x"}, f"{NO_NOTEBOOK}its JSON has no list of cells."),
    "cell that is a number": (notebook(1), f"{NO_NOTEBOOK}none of its 1 cells can be read."),
    "cell that is null": (notebook(None), f"{NO_NOTEBOOK}none of its 1 cells can be read."),
    "worksheets of numbers": ({"worksheets": [1], "metadata": {}, "nbformat": 3}, f"{NO_NOTEBOOK}its JSON has no list of cells."),
}  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_told_in_one_sentence(tmp_path: Path, content: object, sentence: str) -> None:
    path = submit(tmp_path, content)
    with pytest.raises(UnreadableSubmission) as caught:
        read_submission(path)
    message = str(caught.value)
    assert message.startswith(f"{path} {sentence}")
    assert message.endswith(".")
    assert "\n" not in message
    assert "Traceback" not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "reason"), [("missing.ipynb", "No such file or directory"), ("folder.ipynb", "Is a directory")]
)
def test_a_path_without_a_file_is_told(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder.ipynb").mkdir()
    with pytest.raises(UnreadableSubmission) as caught:
        read_submission(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name} cannot be read: {reason}."


def test_a_notebook_is_read_in_order(tmp_path: Path) -> None:
    text = {"cell_type": "markdown", "source": "text", "metadata": {}, "id": "t"}
    read_cells = read(tmp_path, text, graded("relu", "def relu(x): ..."), code_cell('check("relu")'), code_cell(["a = 1\n", "b = 2"]), code_cell(" \n")).cells  # fmt: skip
    assert read_cells == (
        Cell("code", "relu", "def relu(x): ..."),
        Cell("check", "relu"),
        Cell("code", "cell 4", "a = 1\nb = 2"),
    )


def test_the_assignment_and_the_bytes_are_recorded(tmp_path: Path) -> None:
    path = submit(tmp_path, notebook(metadata={"autograder": {"assignment": "basics"}}))
    submission = read_submission(path)
    assert submission.assignment == "basics"
    assert submission.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("metadata", [{}, {"autograder": "x"}, {"autograder": {}}, {"autograder": {"assignment": 3}}])
def test_a_notebook_that_names_no_assignment_is_read(tmp_path: Path, metadata: dict[str, object]) -> None:
    assert read_submission(submit(tmp_path, notebook(metadata=metadata))).assignment is None


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    content = json.dumps(notebook(code_cell("a = 'ü'")), ensure_ascii=False)
    assert read_submission(submit(tmp_path, content.encode("utf-8-sig"))).cells[0].code == "a = 'ü'"


def test_a_notebook_of_format_3_is_read(tmp_path: Path) -> None:
    old = v3.new_notebook(
        worksheets=[v3.new_worksheet(cells=[v3.new_code_cell("a = 1"), v3.new_code_cell('check("relu")')])]
    )
    cells = read_submission(submit(tmp_path, nbformat.writes(old, version=3))).cells
    assert cells == (Cell("code", "cell 1", "a = 1"), Cell("check", "relu"))


def test_what_nbformat_writes_is_read(tmp_path: Path) -> None:
    made = v4.new_notebook(cells=[v4.new_markdown_cell("x"), v4.new_code_cell("a = 1")])
    assert read_submission(submit(tmp_path, nbformat.writes(made))).cells == (Cell("code", "cell 2", "a = 1"),)


@pytest.mark.parametrize("text", ["a = 1\n", "\ufeffa = 1\n"])
def test_a_python_file_is_one_cell(tmp_path: Path, text: str) -> None:
    submission = read_submission(submit(tmp_path, text, "basics.py"))
    assert (submission.cells, submission.assignment) == ((Cell("code", "basics.py", "a = 1\n"),), None)


CHECKS = ['check("relu")', "check('relu')", "check(relu)", ' check( "relu" ) ', 'check ("relu")', 'check("relu");', 'check("relu")  # run this',
          '# run this\ncheck("relu")', '\ncheck("relu")\n', 'check(\n    "relu",\n)']  # fmt: skip


@pytest.mark.parametrize("source", CHECKS)
def test_a_check_cell_is_recognised_however_it_is_written(tmp_path: Path, source: str) -> None:
    assert read(tmp_path, code_cell(source)).cells == (Cell("check", "relu"),)


@pytest.mark.parametrize(
    ("source", "names"), [("check()", []), ('check("relu")\ncheck("softmax")', ["relu", "softmax"])]
)
def test_a_check_cell_may_check_all_or_several(tmp_path: Path, source: str, names: list[str]) -> None:
    assert read(tmp_path, code_cell(source)).cells == tuple(Cell("check", name) for name in names)


@pytest.mark.parametrize(
    "source",
    [
        'points = check("relu")',
        'def f(x): return x\ncheck("relu")',
        "check(relu())",
        "check(relu, softmax)",
        'recheck("relu")',
        "'check(\"relu\")'",
    ],
)
def test_a_cell_that_does_anything_else_runs(tmp_path: Path, source: str) -> None:
    assert read(tmp_path, code_cell(source)).cells == (Cell("code", "cell 1", source),)


@pytest.mark.parametrize("source", ["if not grading():\n    plot()", "\n  if not grading() :\n    1 / 0"])
def test_a_demo_cell_never_runs(tmp_path: Path, source: str) -> None:
    assert read(tmp_path, code_cell(source)).cells == ()


# (a cell, what runs, what the note lists)
MAGICS = {
    "line magic": ("%matplotlib inline\na = 1", "get_ipython().run_line_magic('matplotlib', 'inline')\na = 1\n", ["%matplotlib inline"]),
    "shell": ("!pip install torch\na = 1", "get_ipython().system('pip install torch')\na = 1\n", ["!pip install torch"]),
    "indented": ("if a:\n    %cd x\n", "if a:\n    get_ipython().run_line_magic('cd', 'x')\n", ["%cd x"]),
    "assigned": ("files = !ls", "files = get_ipython().getoutput('ls')\n", ["files = !ls"]),
    "help": ("?torch\nf??\na = 1", "get_ipython().run_line_magic('pinfo', 'torch')\nget_ipython().run_line_magic('pinfo2', 'f')\na = 1\n", ["torch?", "f??"]),
    "in a string": ("%cd x\na = \"\"\"\n%time\n!ls\n\"\"\"", "get_ipython().run_line_magic('cd', 'x')\na = \"\"\"\n%time\n!ls\n\"\"\"\n", ["%cd x"]),
    "without a sign": ("pip install x\na = 1", "get_ipython().run_line_magic('pip', 'install x')\na = 1\n", ["%pip install x"]),
    "a line separator": ("%cd x\na = '\u2028'", "get_ipython().run_line_magic('cd', 'x')\na = '\u2028'\n", ["%cd x"]),
    "cell of Python": ("%%time\ndef f(): return 1", "def f(): return 1", ["%%time"]),
    "cell of Python with a magic": ("%%capture out\n!ls\na = 1", "get_ipython().system('ls')\na = 1\n", ["%%capture out", "!ls"]),
    "cell of another language": ("%%bash\nls\na=1", "", ["%%bash"]),
    "below an empty line": ("\n%%html\n<b>", "", ["%%html"]),
}  # fmt: skip


@pytest.mark.parametrize(("source", "runs", "dropped"), MAGICS.values(), ids=MAGICS.keys())
def test_magics_and_shell_lines_become_calls_and_are_noted(
    tmp_path: Path, source: str, runs: str, dropped: list[str]
) -> None:
    assert as_kernel_runs(source) == (runs, dropped)
    submission = read(tmp_path, graded("relu", source))
    assert submission.cells == (Cell("code", "relu", runs),)
    assert submission.notes == (f"relu: notebook commands were ignored: {', '.join(dropped[:3])}",)


def test_a_cell_that_is_indented_as_a_whole_runs_as_in_a_notebook(tmp_path: Path) -> None:
    assert read(tmp_path, code_cell("  a = 1\n  b = 2")).cells == (Cell("code", "cell 1", "a = 1\nb = 2"),)


PYTHON = ['a = """\n%time\n!ls\nwhy?\n"""', "a = (5\n%b\n)", "x = 5 % 2", "# why?", "a = '''\n%%bash\n'''"]


@pytest.mark.parametrize("source", PYTHON)
def test_a_cell_that_is_python_is_kept_whole(tmp_path: Path, source: str) -> None:
    submission = read(tmp_path, code_cell(source))
    assert (submission.cells[0].code, submission.notes) == (source, ())


@pytest.mark.parametrize("source", ["def f(:", "a\0b", "-" * 100_000 + "1"], ids=["syntax", "null", "deep"])
def test_a_cell_that_is_not_python_is_left_to_fail_when_it_runs(tmp_path: Path, source: str) -> None:
    assert read(tmp_path, code_cell(source)).cells == (Cell("code", "cell 1", source),)


def test_duplicated_cells_are_noted_and_both_run(tmp_path: Path) -> None:
    submission = read(tmp_path, graded("relu", "a = 1"), graded("relu", "a = 2"), graded("gelu", "b = 1"))
    assert [cell.code for cell in submission.cells] == ["a = 1", "a = 2", "b = 1"]
    assert submission.notes == ("2 cells for relu: both run, the last definition counts",)


@pytest.mark.parametrize(
    "metadata", [{"nbgrader": None}, {"nbgrader": "x"}, {"nbgrader": {}}, {"nbgrader": {"grade_id": None}}]
)
def test_a_cell_without_a_grade_id_goes_by_its_place(tmp_path: Path, metadata: dict[str, object]) -> None:
    assert read(tmp_path, code_cell("a = 1", metadata=metadata)).cells == (Cell("code", "cell 1", "a = 1"),)


@pytest.mark.parametrize("source", [3, None, {"a": 1}, [1]])
def test_a_source_that_is_no_text_is_noted(tmp_path: Path, source: object) -> None:
    submission = read(tmp_path, code_cell(source), code_cell("a = 1"))
    assert submission.cells == (Cell("code", "cell 2", "a = 1"),)
    assert submission.notes == ("cell 1: its source is no text and was ignored",)


@pytest.mark.parametrize("where", ["the notebook", "an output"])
def test_an_older_student_package_is_said(tmp_path: Path, where: str) -> None:
    mark = {"autograder": {"version": "0.0.9"}}
    output = {"output_type": "display_data", "data": {}, "metadata": mark if where == "an output" else {}}
    content = notebook(code_cell("1", outputs=[output]), metadata=mark if where == "the notebook" else {})
    (note,) = read_submission(submit(tmp_path, content)).notes
    assert "autograder 0.0.9, older than the grader's" in note


@pytest.mark.parametrize("version", [autograder.__version__, "99.0", "no version", 3, None, ["0.0.9"]])
def test_no_other_package_is_called_older(tmp_path: Path, version: object) -> None:
    content = notebook(code_cell("1"), metadata={"autograder": {"version": version}})
    assert read_submission(submit(tmp_path, content)).notes == ()
