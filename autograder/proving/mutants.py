"""Makes mutants of a reference: its text with one small change, so that a difference reads like a student's slip."""

import ast
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.notebooks.stub import guards_of
from autograder.proving.mutations import Change, changes_of
from autograder.testing.kinds import DeclarationError

# Where an operator expression has to stand in parentheses.
TIGHT = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Attribute, ast.IfExp, ast.Starred, ast.comprehension)
LOOSE = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda)


@dataclass(frozen=True)
class Mutant:
    """A wrong solution made by one change.

    Attributes:
        exercise: whose reference was changed.
        id: exercise, changed lines before and after; the same as long as these lines of the reference stay.
        kind: what was changed, such as "comparison".
        text: the changed definition.
        diff: a unified diff of the reference's file.
    """

    exercise: str
    id: str
    kind: str
    text: str
    diff: str


def mutants_of(
    exercise: str, source: str, file: str = "reference.py", *, guards_given: bool = False
) -> tuple[Mutant, ...]:
    """Every mutant of one exercise.

    Only the exercise's own definition is changed, without guards that are given: it is what a student writes. Two
    changes that make the same program are one mutant.

    Args:
        exercise: the name of a function or class of the module.
        source: the module's text.
        file: the name that diffs show.
        guards_given: whether the guards at the heads of bodies stand in the stub.
    Raises:
        DeclarationError: the module does not define the exercise itself.
    """
    tree = ast.parse(source)
    definition = _definition(tree, exercise, file)
    given = frozenset(_in_guards(definition)) if guards_given else frozenset()
    modules = frozenset(_imported(tree))
    code = _Code(source, tree, definition)
    seen = {ast.dump(definition)}
    times: dict[str, int] = {}
    mutants = []
    for change in changes_of(definition, modules):
        if change.old in given:
            continue
        changed = code.changed(change)
        meaning = _meaning(changed, exercise)
        if meaning is None or meaning in seen:
            continue
        seen.add(meaning)
        name = f"{exercise}: {code.lines_changed(changed)}"
        times[name] = times.get(name, 0) + 1
        number = f" ({times[name]})" if times[name] > 1 else ""
        mutants.append(
            Mutant(exercise, name + number, change.kind, code.definition_of(changed), code.diff(changed, file))
        )
    return tuple(mutants)


def unchanged(exercise: str, source: str, file: str = "reference.py") -> Mutant:
    """The exercise's own definition as if it were a mutant: it has to pass, or no verdict on a mutant means anything.

    Raises:
        DeclarationError: the module does not define the exercise itself.
    """
    tree = ast.parse(source)
    code = _Code(source, tree, _definition(tree, exercise, file))
    return Mutant(exercise, f"{exercise}: unchanged", "none", code.definition_of(source), "")


def solution_of(mutant: Mutant, reference: Mapping[str, Any]) -> Any:
    """The mutant as a function or class, among the names that the reference defines.

    Raises:
        Exception: whatever the changed definition raises when it runs.
    """
    namespace = dict(reference)
    exec(compile(mutant.text, f"<{mutant.exercise}>", "exec", dont_inherit=True), namespace)
    return namespace[mutant.exercise]


def _definition(tree: ast.Module, exercise: str, file: str) -> ast.FunctionDef | ast.ClassDef:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == exercise:
            return node
    raise DeclarationError(f"{file}: no definition of {exercise!r} at the top level; it has to stand there itself")


def _in_guards(definition: ast.FunctionDef | ast.ClassDef) -> Iterator[ast.AST]:
    for node in ast.walk(definition):
        if isinstance(node, ast.FunctionDef):
            for guard in guards_of(node):
                yield from ast.walk(guard)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield (alias.asname or alias.name).split(".")[0]


def _meaning(source: str, exercise: str) -> str | None:
    """What a changed module's definition means, whatever it looks like; None if it means nothing."""
    try:
        return ast.dump(_definition(ast.parse(source), exercise, ""))
    except SyntaxError:
        return None


class _Code:
    """A module's text, in which nodes are replaced; places of a syntax tree count bytes."""

    def __init__(self, source: str, tree: ast.Module, definition: ast.FunctionDef | ast.ClassDef) -> None:
        self._source = source
        future = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
        self._head = "".join(f"{ast.unparse(node)}\n" for node in future)
        self._bytes = source.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._parents = {child: parent for parent in ast.walk(definition) for child in ast.iter_child_nodes(parent)}
        first = min([definition.lineno, *(decorator.lineno for decorator in definition.decorator_list)])
        self._lines_before = first - 1
        self._lines_after = len(source.splitlines()) - (definition.end_lineno or first)

    def changed(self, change: Change) -> str:
        """The module's text after a change."""
        old = change.old
        assert old.end_lineno is not None and old.end_col_offset is not None
        start = self._starts[old.lineno - 1] + old.col_offset
        end = self._starts[old.end_lineno - 1] + old.end_col_offset
        new = "pass" if change.new is None else ast.unparse(ast.fix_missing_locations(change.new))
        if "'" not in self._bytes[start:end].decode() and '"' not in new:
            new = new.replace("'", '"')
        inside = self._bytes[start - 1 : start] == b"(" and self._bytes[end : end + 1] == b")"
        if isinstance(change.new, LOOSE) and self._is_tight(old) and not inside:
            new = f"({new})"
        return (self._bytes[:start] + new.encode() + self._bytes[end:]).decode()

    def _is_tight(self, node: ast.AST) -> bool:
        parent = self._parents[node]
        return isinstance(parent, TIGHT) or (
            node is (parent.func if isinstance(parent, ast.Call) else getattr(parent, "value", None))
            and isinstance(parent, ast.Call | ast.Subscript)
        )

    def definition_of(self, changed: str) -> str:
        """The definition's lines in a changed text, with what its module asks of the compiler."""
        lines = changed.splitlines(keepends=True)
        return self._head + "".join(lines[self._lines_before : len(lines) - self._lines_after])

    def lines_changed(self, changed: str) -> str:
        """The lines that differ, before and after, on one line."""
        lines = list(difflib.unified_diff(self._source.splitlines(), changed.splitlines(), n=0))[2:]
        before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(mark)) for mark in "-+")
        return f"{before} -> {after}"

    def diff(self, changed: str, file: str) -> str:
        before, after = (text.splitlines(keepends=True) for text in (self._source, changed))
        return "".join(difflib.unified_diff(before, after, file, file, n=1))
