"""Judges one submission, and proves that the checks are strong.

Notebooks import a function of this package's name from `autograder`. Whatever imports the package, such as `check()`,
puts it in the function's place; so that a setup cell can be run again, the package can be called like the function.
"""

import sys
from types import ModuleType

from autograder import grading as is_grading


class _Called(ModuleType):
    def __call__(self) -> bool:
        return is_grading()


sys.modules[__name__].__class__ = _Called
