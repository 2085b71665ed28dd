"""Imports of a notebook that serve its demo cells alone: those do not run here, and the imports take a second."""

import ast
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from autograder.notebooks.kernel_code import parsed
from autograder.notebooks.submission import Cell

# Importing them has no effect on anything else.
FOR_DEMOS = ("matplotlib", "sklearn")
WORD = re.compile(r"\w+")


def without_unused_imports(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Cells with their lines as they were, imports left out whose names no code of them mentions again."""
    code = [cell.code for cell in cells if cell.kind == "code"]
    if not any(name in text for name in FOR_DEMOS for text in code):
        return tuple(cells)
    mentioned = Counter(word for text in code for word in WORD.findall(text))
    return tuple(replace(cell, code=_shortened(cell.code, mentioned)) for cell in cells)


def _shortened(code: str, mentioned: Counter[str]) -> str:
    tree = parsed(code) if any(name in code for name in FOR_DEMOS) else None
    if not isinstance(tree, ast.Module):
        return code
    lines = code.splitlines(keepends=True)
    shared = Counter(line for node in tree.body for line in {node.lineno, node.end_lineno or node.lineno})
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        own = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        text = "".join(lines[line - 1] for line in own)
        if max(shared[line] for line in own) == 1 and _is_unused(node, Counter(WORD.findall(text)), mentioned):
            for line in own:
                lines[line - 1] = "\n"
    return "".join(lines)


def _is_unused(node: ast.Import | ast.ImportFrom, here: Counter[str], mentioned: Counter[str]) -> bool:
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    names = [(alias.asname or alias.name).split(".")[0] for alias in node.names]
    return all(module.split(".")[0] in FOR_DEMOS for module in modules) and all(
        name != "*" and mentioned[name] == here[name] for name in names
    )
