"""A course with one assignment of five exercises, cut out of the real activation functions."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.course import Course, load_course
from autograder.notebooks.source import read_source

NAME = "five"
FROM = "activations"
EXERCISES = ("sigmoid", "sigmoid_backward", "relu", "softmax", "softmax_backward")
SAYS_WHOSE = ("exercise", "mistake", "alternative")

COURSE = """\
schema = 1
title = "Bench"
course_id = "bench"

[[assignments]]
name = "five"
title = "Five exercises"
"""

# They serve the real notebook's pictures alone; without them every other grader is cheaper.
PICTURES = ("matplotlib", "sklearn")

HEAD = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Five exercises

```{code-cell}
:setup:

{setup}
```
"""

EXERCISE = """
## {name}

```{{code-cell}}
:exercise: {name}
```

```{{code-cell}}
:check: {name}
```
"""

DEMO = """
```{code-cell}
:demo:

print(softmax(torch.arange(4.0), 0))
```
"""


def make_course(repository: Path, root: Path, autograder: str) -> Course:
    """Writes the bench's course into ``root`` and builds it; what is there and fits stays as it is."""
    folder, solutions = root / "assignments" / NAME, root / "solutions" / NAME
    _put(root / "course.toml", COURSE)
    shutil.copyfile(repository / "nbgrader_config.py", root / "nbgrader_config.py")
    head = HEAD.replace("{setup}", _setup(repository / "assignments" / FROM / f"{FROM}.md"))
    _put(folder / f"{NAME}.md", head + "".join(EXERCISE.format(name=name) for name in EXERCISES) + DEMO)
    _put(folder / "checks.py", trimmed((repository / "assignments" / FROM / "checks.py").read_text(encoding="utf-8")))
    for file in ("hidden.py", "mistakes.py", "alternatives.py"):
        _put(solutions / file, trimmed((repository / "solutions" / FROM / file).read_text(encoding="utf-8")))
    _put(solutions / "reference.py", (repository / "solutions" / FROM / "reference.py").read_text(encoding="utf-8"))
    subprocess.run([autograder, "build", NAME], cwd=root, check=True, stdout=sys.stderr)
    return load_course(root)


def _setup(source: Path) -> str:
    """The imports of an assignment's setup cell, those for pictures aside."""
    (setup,) = [cell for cell in read_source(source) if cell.role == "setup"]
    imports = [node for node in ast.parse(setup.text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    kept = (ast.unparse(node) for node in imports)
    return "\n".join(line for line in kept if not any(name in line for name in PICTURES))


def trimmed(source: str) -> str:
    """A content file without the checks, mistakes and alternatives of other exercises."""
    lines = source.splitlines(keepends=True)
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and _whose(node) not in (None, *EXERCISES):
            first = min(decorator.lineno for decorator in node.decorator_list)
            del lines[first - 1 : node.end_lineno]
    return "".join(lines)


def _whose(node: ast.ClassDef | ast.FunctionDef) -> str | None:
    """The exercise that a definition says it belongs to."""
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(ast.Name(declares), [ast.Constant(str(name)), *_]) if declares in SAYS_WHOSE:
                return name
    return None


def _put(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
