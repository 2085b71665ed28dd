"""What ``from autograder import check`` sets up in a student's notebook, before a line of the student's runs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def in_notebook() -> Any:
    """IPython's shell, if this is one; nothing is imported to find out."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return None if get_ipython is None else get_ipython()


def begin() -> None:
    """In a notebook: one thread for torch, and demo cells that wait for their exercises."""
    shell = in_notebook()
    if shell is None:
        return
    torch = sys.modules.get("torch")
    if torch is None:
        # Read when torch is imported. What the student sets stands.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    else:
        torch.set_num_threads(1)
    if os.environ.get("NBGRADER_EXECUTION") != "autograde":
        from autograder.notebooks.demos import install

        install(shell)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch in the block: tensors of checks are small, and threads would only wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
