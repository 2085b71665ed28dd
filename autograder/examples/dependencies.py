"""What of Python files something depends on, so that a change elsewhere leaves recorded examples as they are."""

import ast
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

WORD = re.compile(r"\w+")
PACKAGE = Path(__file__).parent.parent
# The word that leads to how a check class is declared, for those checks that come from there.
DECLARATION = "@exercise"
# Asks for all of a module.
WHOLE = "*"
# What a declaration says that no example depends on, by the decorator that says it.
SAID = {"exercise": {"points", "forbid", "rules"}, "mistake": {"says"}}


@dataclass(frozen=True)
class Statement:
    """A top-level statement of a file, or a test of a class.

    Attributes:
        binds: the names that it binds.
        within: of a test the class that it stands in; else empty.
        text: what it says, without comments, docstrings and layout.
        words: those in the text.
        origin: of an import of this program the module and the name that is taken from it.
    """

    binds: frozenset[str]
    within: str
    text: str
    words: frozenset[str]
    origin: tuple[str, str] | None = None


def reached(path: Path, words: Iterable[str]) -> tuple[str, frozenset[str]]:
    """The top-level statements that a set of words leads to, and all the words in them.

    What binds names is reached if one of them is among the words, or among those of a statement that is reached; what
    binds none always is. Of a class the tests are statements of their own, reached if their class is, too. Comments,
    docstrings and layout do not show.

    Args:
        path: a Python file.
        words: where to begin.
    Returns:
        The statements as text that only a change of meaning changes, and their words.
    """
    taken, known = _closure(_statements(path, path.stat().st_mtime_ns, apart=True), words)
    return "\n".join(statement.text for statement in taken), known


def reached_modules(roots: Mapping[str, Iterable[str]], apart: Collection[str] = ()) -> dict[str, str]:
    """What of this program names lead to, through any number of its modules.

    Args:
        roots: by module, such as ``autograder.testing``, the names to begin with.
        apart: modules that are not followed.
    Returns:
        By module the statements that are reached, as text that only a change of meaning changes.
    """
    asked: dict[str, set[str]] = {module: set(names) for module, names in roots.items()}
    found: dict[str, str] = {}
    waiting = list(asked)
    while waiting:
        module = waiting.pop()
        path = _file_of(module)
        statements = _statements(path, path.stat().st_mtime_ns, apart=False)
        taken = statements if WHOLE in asked[module] else _closure(statements, asked[module])[0]
        found[module] = "\n".join(statement.text for statement in taken)
        for origin, name in filter(None, (statement.origin for statement in taken)):
            if origin in apart or name in asked.setdefault(origin, set()):
                continue
            asked[origin].add(name)
            waiting.append(origin)
    return dict(sorted(found.items()))


def _file_of(module: str) -> Path:
    stem = PACKAGE.joinpath(*module.split(".")[1:])
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def _closure(statements: list[Statement], words: Iterable[str]) -> tuple[list[Statement], frozenset[str]]:
    known = set(words)
    taken: set[int] = set()
    grown = True
    while grown:
        grown = False
        for number, statement in enumerate(statements):
            if number in taken or (statement.within and statement.within not in known):
                continue
            if not statement.binds or not statement.binds.isdisjoint(known):
                taken.add(number)
                known |= statement.words
                grown = True
    return [statements[number] for number in sorted(taken)], frozenset(known)


@lru_cache(maxsize=128)
def _statements(path: Path, modified: int, *, apart: bool) -> list[Statement]:
    """The statements of a file; ``apart`` takes the tests out of their classes."""
    found: list[Statement] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.Import() | ast.ImportFrom():
                found += [_import(node, alias) for alias in node.names]
            case ast.ClassDef() if apart:
                found += _class(node)
            case _:
                found.append(_statement(node, _bound(node)))
    return found


def _import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Statement:
    """One name of an import, as a statement of its own."""
    module = f"{'.' * node.level}{node.module or ''}" if isinstance(node, ast.ImportFrom) else ""
    own = alias.asname or alias.name.split(".")[0]
    text = f"{own} is {module}.{alias.name}" if module else f"{own} is {alias.name}"
    is_ours = module.partition(".")[0] == PACKAGE.name
    return Statement(frozenset({own}), "", text, frozenset(), _origin(module, alias.name) if is_ours else None)


def _origin(module: str, name: str) -> tuple[str, str]:
    """Where an import of this program leads: to a name of a module, or to a module as a whole."""
    return (f"{module}.{name}", WHOLE) if _file_of(f"{module}.{name}").is_file() else (module, name)


def _class(node: ast.ClassDef) -> list[Statement]:
    """A class, how it is declared as a check class, and its tests."""
    tests = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")]
    declared = [item for item in node.decorator_list if _decorator(item) == "exercise"]
    node.body = [item for item in node.body if item not in tests] or [ast.Pass()]
    node.decorator_list = [item for item in node.decorator_list if item not in declared]
    return [
        _statement(node, frozenset({node.name})),
        *(_statement(ast.Expr(item), frozenset({DECLARATION}), node.name) for item in map(_plain, declared)),
        *(_statement(test, frozenset({test.name}), node.name) for test in tests),
    ]


def _statement(node: ast.stmt, binds: frozenset[str], within: str = "") -> Statement:
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner.decorator_list = [_plain(item) for item in inner.decorator_list]
            if ast.get_docstring(inner, clean=False) is not None:
                inner.body = inner.body[1:] or [ast.Pass()]
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    text = "" if is_docstring else ast.unparse(ast.fix_missing_locations(node))
    return Statement(binds, within, text, frozenset(WORD.findall(text)))


def _decorator(node: ast.expr) -> str:
    """The name that a decorator is called by."""
    called = node.func if isinstance(node, ast.Call) else node
    return called.id if isinstance(called, ast.Name) else ""


def _plain(node: ast.expr) -> ast.expr:
    """A decorator without what it says that no example depends on."""
    if isinstance(node, ast.Call):
        node.keywords = [item for item in node.keywords if item.arg not in SAID.get(_decorator(node), ())]
    return node


def _bound(node: ast.stmt) -> frozenset[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return frozenset({name})
        case ast.Assign(targets=targets):
            return frozenset(n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            return frozenset({name})
    return frozenset()
