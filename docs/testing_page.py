"""Writes ``docs/testing.md``: what checks are written with, with examples that run, and the general diagnoses.

Everything stands in docstrings, or in comments above values; the examples are doctests.
"""

import ast
import doctest
import inspect
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import hypothesis.strategies
import numpy
import torch
from hypothesis import find, given

import autograder.testing
from autograder import guards
from autograder.feedback import diagnosers
from autograder.feedback.diagnosers.gathering import Symptom
from autograder.sandbox import values
from autograder.sandbox.forbidden import operations
from autograder.sandbox.inprocess import InProcess
from autograder.testing import (
    Student,
    chance,
    comparison,
    contract,
    declarations,
    digits,
    kinds,
    oracles,
    refusals,
    strategies,
)
from autograder.testing import student as proxies
from autograder.testing.student import Session

# In the order in which an author needs them.
MODULES: dict[str, ModuleType] = {
    "Declaring": declarations,
    "Kinds": kinds,
    "What may not be called": operations,
    "Contracts": contract,
    "Where digits are lost": digits,
    "Bad input": refusals,
    "Strategies": strategies,
    "Right answers": oracles,
    "Assertions": comparison,
    "Functions that draw": chance,
    "What comes from the student": proxies,
    "Functions that are passed in": values,
    "Guards": guards,
}
STUDENT = """\
def half(x):
    return x / 2

def half_in_place(x):
    x /= 2
    return x

def root(x):
    if x < 0:
        raise ValueError(f"x is {x}, it has to be at least 0")
    return x**0.5

def keep_half(x, generator):
    return x * (torch.rand(x.shape, generator=generator) < 0.5)
"""
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
HEAD = f"""\
# What checks are written with

Everything here is imported from `autograder.testing`, [guards](#guards) alone from `autograder.guards`. The examples
use `find`, `given` and `strategies as st` of Hypothesis, where `find(strategy, condition)` gives the smallest example,
and a student who wrote:

```python
{STUDENT}```
"""
DIAGNOSES = """\
## General diagnoses

What a student is told where no known mistake fits. Each of these looks at one symptom of the failing examples, in this
order; the first whose sentence holds for all of them, and for none that passes, is shown. So an exercise needs mistakes
of its own only for what these cannot tell.
"""
# What a symptom is, in words.
SYMPTOMS: Mapping[Symptom, str] = {
    "timeout": "no answer in time",
    "raises": "an exception instead of an answer",
    "answers": "an answer instead of an exception",
    "other_exception": "another exception",
    "message": "an exception's message",
    "accident": "an exception by accident",
    "nothing": "None",
    "type": "type",
    "length": "number of results",
    "keys": "keys",
    "shape": "shape",
    "dtype": "dtype",
    "changes": "a changed argument",
    "numbers": "numbers",
    "not_finite": "nan or inf",
    "hides": "a number for nan",
    "forms": "forms of several answers",
    "unseen": "unseen",
}
SECTION = re.compile(r"^(Args|Attributes|Returns|Raises):$")
# A line that is indented further goes on with the item above it, whatever colons it has.
ENTRY = re.compile(r"^    (\w[\w, ]*): (.*)$")


def names() -> dict[str, Any]:
    """What an example may use."""
    written: dict[str, Any] = {"torch": torch}
    exec(STUDENT, written)
    public = _offered()
    others = {"torch": torch, "np": numpy, "find": find, "given": given, "st": hypothesis.strategies}
    return {**public, **others, "student": Student(Session(InProcess(written)))}


def examples() -> Iterator[doctest.DocTest]:
    """The examples of each public function and class, one test each."""
    for module in MODULES.values():
        for name, is_value in _public(module):
            if not is_value:
                yield doctest.DocTestParser().get_doctest(_docstring(name), names(), name, None, None)


def faults(test: doctest.DocTest) -> str:
    """What an example gives other than it says; empty where it is right."""
    said: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=FLAGS).run(test, out=said.append)
    return "".join(said)


def testing_page() -> str:
    """The page."""
    blocks = [HEAD]
    for title, module in MODULES.items():
        blocks.append(f"## {title}")
        for name, is_value in _public(module):
            blocks += _of_value(name, module) if is_value else _of_function(name)
    blocks += [DIAGNOSES, "\n".join(_diagnoses())]
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


def _offered() -> dict[str, Any]:
    """All that an author may import, by name."""
    return {name: getattr(of, name) for of in (autograder.testing, guards) for name in of.__all__}


def _public(module: ModuleType) -> Iterator[tuple[str, bool]]:
    """The public names that a module defines, in order, and whether each is a plain value."""
    found: dict[str, bool] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found[name] = False
            case ast.Assign(targets=[ast.Name(id=name)]):
                found[name] = True
    # Another value may have a public one's name.
    public = _offered()
    own = vars(module)
    return ((name, is_value) for name, is_value in found.items() if name in public and own[name] is public[name])


def _docstring(name: str) -> str:
    return inspect.getdoc(_offered()[name]) or ""


def _of_value(name: str, module: ModuleType) -> list[str]:
    return [f"### `{name}`", _comment_above(name, module)]


def _of_function(name: str) -> list[str]:
    text, _, code = _docstring(name).partition(">>> ")
    heading = f"### `{name}{_parameters(_offered()[name])}`"
    return [heading, _markdown(text), f"```pycon\n>>> {code.strip()}\n```"]


def _comment_above(name: str, module: ModuleType) -> str:
    lines = inspect.getsource(module).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"{name} ="))
    first = at
    while lines[first - 1].startswith("# "):
        first -= 1
    if first == at:
        raise SystemExit(f"{module.__name__}.{name} has no comment above it that says what it is")
    return " ".join(line.removeprefix("# ") for line in lines[first:at])


def _parameters(function: Any) -> str:
    """The names and defaults of what it takes."""
    signature = inspect.signature(function)
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(inspect.Signature([one for one in plain if one.name != "self"]))


def _markdown(text: str) -> str:
    """A docstring with its sections as lists."""
    lines: list[str] = []
    for line in text.replace("``", "`").rstrip().splitlines():
        if heading := SECTION.match(line):
            lines += ["", f"{heading[1]}:", ""]
        elif entry := ENTRY.match(line):
            lines.append(f"- {', '.join(f'`{word}`' for word in entry[1].split(', '))}: {entry[2]}")
        elif line.startswith("    "):
            lines.append(f"  {line.strip()}" if line.startswith("        ") else f"- {line.strip()}")
        else:
            lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _diagnoses() -> Iterator[str]:
    yield "| symptom | diagnosis | says that |"
    yield "|---|---|---|"
    for diagnoser in diagnosers.DIAGNOSERS:
        says = " ".join((diagnoser.__doc__ or "").split()).replace("``", "`").replace("|", "\\|")
        yield f"| {', '.join(_symptoms(diagnoser))} | `{diagnoser.__name__}` | {says} |"


def _symptoms(diagnoser: diagnosers.Diagnoser) -> list[str]:
    found = [SYMPTOMS[symptom] for symptom, those in diagnosers.OF_PARTS.items() if diagnoser in those]
    found += ["several calls"] * (diagnoser in diagnosers.OF_CALLS)
    found += ["whole answers"] * (diagnoser in diagnosers.OF_WHOLE)
    return found + ["which examples fail"] * (diagnoser in diagnosers.OF_EXAMPLES)
