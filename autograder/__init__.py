"""Deep Learning by Hand: a course that students build in notebooks, and the autograder that checks it.

In a notebook: ``from autograder import check, grading``.
"""

import os
import sys
from collections.abc import Callable

from autograder.notebooks.start import begin, in_notebook
from autograder.version import VERSION

__version__ = VERSION
__all__ = ["check", "grading"]


def grading() -> bool:
    """Whether this notebook is being graded; demo cells begin with ``if not grading():``."""
    return os.environ.get("NBGRADER_EXECUTION") == "autograde"


def check(exercise: str | Callable[..., object] | None = None) -> float:
    """Checks the function called ``exercise`` of the calling notebook and shows what was found.

    Args:
        exercise: name of the function or class, or itself; None checks every exercise of the notebook.
    Returns:
        The points, a float.
    """
    from autograder.checking.notebook import check_caller

    return check_caller(exercise, sys._getframe(1).f_globals)


begin()
if in_notebook() is not None and "torch" in sys.modules:
    # With the setup cell, which has torch to wait for: then the first check() answers at once.
    import autograder.checking.notebook  # noqa: F401
