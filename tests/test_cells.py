"""A cell runs as it would in Jupyter."""

from importlib import import_module

import pytest

from autograder.notebooks.kernel_code import as_kernel_runs
from autograder.sandbox.cells import run_cell
from autograder.sandbox.shell import fresh_main

CELLS = {
    "magics": "%matplotlib inline\n%load_ext autoreload\nf = 1",
    "shell": "files = !ls\nf = 1 if files == [] else 0",
    "a magic that runs code": "%time f = 1",
    "a cell magic": "%%time\nf = 1",
    "pip": "pip install numpy\nf = 1",
    "display": "display('x', 3)\nf = 1",
    "the shell itself": "get_ipython().run_line_magic('cd', 'x')\nget_ipython().events.register if False else None\nf = 1",
    "await": "async def g(): return 1\nf = await g()",
    "input": "f = 1 if input('name? ') == '' else 0",
    "a line separator": "a = '\u2028'\n%cd x\nf = 1",
    "a dataclass": "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 1\nf = A().x",
    "indented": "    f = 1",
}


@pytest.mark.parametrize("source", CELLS.values(), ids=CELLS.keys())
def test_what_runs_in_a_notebook_runs(source):
    namespace = vars(fresh_main())
    code, _ = as_kernel_runs(source)
    assert run_cell("cell", code, namespace, seconds=10, output=1000) is None
    assert namespace["f"] == 1


def test_a_setup_cell_may_run_again_after_a_check(monkeypatch):
    """`check()` imports a package of the same name as the function that demo cells ask."""
    import_module("autograder.checking.notebook")
    namespace = vars(fresh_main())
    again = "from autograder import check, grading\nf = 1 if not grading() else 0"
    monkeypatch.setenv("NBGRADER_EXECUTION", "")
    assert run_cell("setup", again, namespace, seconds=10, output=1000) is None
    assert namespace["f"] == 1
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert run_cell("setup", again, namespace, seconds=10, output=1000) is None
    assert namespace["f"] == 0
