"""Demo cells of a student's notebook: what needs an exercise that is not written yet says so, all else is as ever."""

import ast
import itertools
import linecache
import textwrap
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder.notebooks import demos
from autograder.notebooks.demos import DemoCells

STUBS = """
def softmax(x, dim=0):
    if dim > 1:
        raise ValueError("dim is too large")
    raise NotImplementedError

def scale(x):
    return 2 * softmax(x)

class Dropout:
    def __init__(self, p):
        self.p = p

    def forward(self, x):
        raise NotImplementedError
"""
WRITTEN = "def softmax(x, dim=0):\n    return x"

Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs cells one after the other, as IPython does; what the last one printed. Demo cells are given without the guard."""
    monkeypatch.setattr(demos, "_waiting", {})
    namespace: dict[str, Any] = {"grading": lambda: False}
    numbers = itertools.count()

    def run_cells(*cells: str) -> str:
        for cell in cells:
            filename = f"<cell {id(namespace)} {next(numbers)}>"
            linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)
            tree = DemoCells().visit(ast.parse(cell, filename))
            capsys.readouterr()
            exec(compile(tree, filename, "exec"), namespace)
        return capsys.readouterr().out

    run_cells(STUBS)
    return run_cells


def demo(code: str) -> str:
    return f"if not grading():\n{textwrap.indent(code, '    ')}"


NEEDS = "This cell needs `{}`, which is not written yet.\n"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("softmax([1])", "softmax"),
        ("scale([1])", "softmax"),
        ("[softmax(x) for x in range(3)]", "softmax"),
        ("Dropout(0.5).forward(1)", "Dropout"),
        ("try:\n    softmax(1)\nexcept ValueError:\n    pass", "softmax"),
    ],
)
def test_a_demo_that_needs_a_stub_ends_with_a_sentence(run: Run, code: str, name: str) -> None:
    assert run(demo(f"print('begins')\n{code}\nprint('ends')")) == "begins\n" + NEEDS.format(name)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("softmax([1], 2)", ValueError),
        ("1 / 0", ZeroDivisionError),
        ("undefined", NameError),
        ("raise NotImplementedError", NotImplementedError),
        ("import abc\nabc.ABC.missing", AttributeError),
        ("int.from_bytes('a', 'big')", TypeError),
        ("raise KeyboardInterrupt", KeyboardInterrupt),
    ],
)
def test_every_other_error_stays_an_error(run: Run, code: str, error: type[BaseException]) -> None:
    with pytest.raises(error) as caught:
        run(demo(code))
    # Nothing of ours stands in the traceback between the cell and what it called.
    assert demos.__file__ not in [str(entry.path) for entry in caught.traceback]


def test_not_implemented_of_a_library_is_no_stub(run: Run) -> None:
    with pytest.raises(NotImplementedError):
        run(demo("import asyncio\nasyncio.AbstractEventLoop().run_forever()"))


def test_only_demo_cells_wait(run: Run) -> None:
    with pytest.raises(NotImplementedError):
        run("softmax(1)")


def test_a_demo_that_runs_is_as_without_us(run: Run) -> None:
    assert run(demo("x = 3\nprint(x)"), "print(x + 1)") == "4\n"
    assert run("def grading():\n    return True", demo("print('never')")) == ""


UNFINISHED = demo("results = {}\nfor name in ('a', 'b'):\n    results[name] = softmax(name)\nbest = results['a']")


@pytest.mark.parametrize("code", ["print(best)", "print(results['a'])", "def show():\n    return best\nshow()"])
def test_what_an_unfinished_demo_would_have_made_waits_with_it(run: Run, code: str) -> None:
    assert run(UNFINISHED, demo(code)) == NEEDS.format("softmax")


def test_once_it_is_written_a_name_that_is_missing_is_an_error_again(run: Run) -> None:
    with pytest.raises(NameError, match="best"):
        run(UNFINISHED, WRITTEN, demo("print(best)"))
    assert run(UNFINISHED, demo("print(best)")) == "a\n"


@pytest.mark.parametrize("code", ["results = 1 / 0", "1 / 0", "softmax2()", "helper()"])
def test_what_does_not_depend_on_an_unfinished_demo_is_an_error(run: Run, code: str) -> None:
    unfinished = demo("def helper():\n    return 1 / 0\nresults = softmax(1)")
    with pytest.raises((ZeroDivisionError, NameError)):
        run(unfinished, demo(code))


def test_a_figure_that_is_half_drawn_is_closed_and_others_stay(run: Run) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.close("all")
    kept = plt.figure().number
    assert run(demo("import matplotlib.pyplot as plt\nplt.subplots()\nsoftmax(1)")) == NEEDS.format("softmax")
    assert plt.get_fignums() == [kept]
    plt.close("all")


def test_a_kernel_goes_on_after_a_demo_that_waits_and_works_with_one_thread(tmp_path) -> None:
    cells = [
        "import os; os.environ.pop('OMP_NUM_THREADS', None)\nimport sys; before = 'torch' in sys.modules",
        "from autograder import check, grading\nprint(before, 'torch' in sys.modules)",
        "import torch\nprint(torch.get_num_threads())",
        "from autograder import check, grading",
        STUBS,
        demo("softmax(1)"),
        "torch.set_num_threads(2)",
        "check('softmax')",
        "print(torch.get_num_threads())",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = ["".join(output.get("text", "") for output in cell.outputs).strip() for cell in notebook.cells]
    assert said[1] == "False False"
    assert said[2] == "1"
    assert said[5] + "\n" == NEEDS.format("softmax")
    assert said[8] == "2"
    assert nbformat.validate(notebook) is None


def test_torch_that_is_there_already_is_given_one_thread(tmp_path) -> None:
    cells = [
        "import os; os.environ.pop('OMP_NUM_THREADS', None)\nimport torch\ntorch.set_num_threads(2)",
        "from autograder import check\nprint(torch.get_num_threads(), os.environ.get('OMP_NUM_THREADS'))",
        "pid = os.fork()\nif pid == 0:\n    (torch.rand(300, 300) @ torch.rand(300, 300)).sum(); os._exit(0)",
        "print(os.waitpid(pid, 0)[1])",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = ["".join(output.get("text", "") for output in cell.outputs).strip() for cell in notebook.cells]
    assert (said[1], said[3]) == ("1 None", "0")
