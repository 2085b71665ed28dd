"""What of a file an exercise depends on, so that a change elsewhere leaves its recorded examples as they are."""

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

WORD = re.compile(r"\w+")


def reached(path: Path, words: Iterable[str]) -> tuple[str, frozenset[str]]:
    """The top-level statements that a set of words leads to, and all the words in them.

    What binds names is reached if one of them is among the words, or among those of a statement that is reached; what
    binds none always is. Comments and layout do not show.

    Args:
        path: a Python file.
        words: where to begin.
    Returns:
        The statements as text that only a change of meaning changes, and their words.
    """
    statements = _statements(path, path.stat().st_mtime_ns)
    known = set(words)
    taken: set[int] = set()
    grown = True
    while grown:
        grown = False
        for number, (binds, _, own_words) in enumerate(statements):
            if number not in taken and (not binds or binds & known):
                taken.add(number)
                known |= own_words
                grown = True
    return "\n".join(statements[number][1] for number in sorted(taken)), frozenset(known)


@lru_cache(maxsize=64)
def _statements(path: Path, modified: int) -> list[tuple[frozenset[str], str, frozenset[str]]]:
    """For each top-level statement the names that it binds, its text, and the words in it."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [_import(node, alias) for alias in node.names]
        else:
            text = ast.unparse(node)
            found.append((_bound(node), text, frozenset(WORD.findall(text))))
    return found


def _import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> tuple[frozenset[str], str, frozenset[str]]:
    """One name of an import, as a statement of its own."""
    origin = f"{'.' * node.level}{node.module or ''}." if isinstance(node, ast.ImportFrom) else ""
    own = alias.asname or alias.name.split(".")[0]
    return frozenset({own}), f"{own} is {origin}{alias.name}", frozenset()


def _bound(node: ast.stmt) -> frozenset[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return frozenset({name})
        case ast.Assign(targets=targets):
            return frozenset(n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            return frozenset({name})
    return frozenset()
