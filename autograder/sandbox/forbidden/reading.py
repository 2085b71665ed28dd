"""Finds forbidden operations in the source of a student's code, as far as the graded name reaches.

Best effort: names, attributes, imports, ``getattr`` with constant text and the like are followed; what is computed
while running, such as a name put together in a loop, is left to `watching`. Code that the graded name does not reach
is free.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from autograder.sandbox.forbidden.names import OPAQUE, Bound, Imported, Scope, bind_all, imports, path_of, text_of
from autograder.sandbox.forbidden.operations import NOTHING, Everything, Forbidden, Use, last_name

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# Steps into each other: code that Python can parse may be nested some thousands deep, and ten thousand functions may
# call each other. Frames of Python code lie on the heap, so that so many of them are no danger.
DEEPEST = 200_000


def read_uses(
    cells: Sequence[str],
    name: str,
    forbidden: Forbidden,
    judged: frozenset[str] = frozenset(),
) -> tuple[Use, ...]:
    """Uses of forbidden operations that ``name`` reaches.

    Args:
        cells: a notebook's code in the order in which it ran; what is not Python is passed over.
        name: the graded function or class; its last definition counts.
        forbidden: what it may not call.
        judged: names of all exercises. What another one's reference calls it may call for this one too.
    Returns:
        The uses in the order in which they are reached; none if no cell defines ``name``.
    """
    reading = Reading()
    with suppress(RecursionError, MemoryError):  # nested so deeply that it hardly runs either
        for cell in cells:
            reading.take(cell)
    return reading.uses_of(name, forbidden, judged)


def called_by_references(source: str, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """For each of a reference module's functions the last names of the operations that it calls itself."""
    reading, judged = Reading(), frozenset(names)
    reading.take(source)
    return {
        name: frozenset(last_name(use.operation) for use in reading.uses_of(name, Everything(), judged))
        for name in judged
    }


class Reading:
    """A notebook's code as far as it was taken in: its global names, and what each of them reaches."""

    def __init__(self) -> None:
        self._globals: dict[str, list[Imported | Bound]] = {}
        self._stars: list[tuple[str, bool]] = []
        self._own: set[str] = set()
        self._start(NOTHING, frozenset())

    def _start(self, forbidden: Forbidden, others: frozenset[str]) -> None:
        self._forbidden = forbidden
        self._others = others
        self._free = forbidden.free
        self._inside = ""
        self._visited: set[tuple[str, int]] = set()
        self._uses: dict[tuple[str, int, str], Use] = {}

    def take(self, cell: str) -> None:
        """Reads one more cell; what is not Python is passed over.

        Raises:
            RecursionError, MemoryError: the cell is nested too deeply to be parsed.
        """
        try:
            tree = ast.parse(cell)
        except (SyntaxError, ValueError):
            return
        with _room_for_depth():
            bind_all(tree.body, Scope(cell.splitlines(), self._globals, None, self._stars), certain=True)
        self._own |= set(_members(tree))

    def uses_of(self, name: str, forbidden: Forbidden, judged: frozenset[str] = frozenset()) -> tuple[Use, ...]:
        """Uses of forbidden operations that ``name`` reaches in what was read so far; see `read_uses`.

        Raises:
            RecursionError: it goes deeper than `DEEPEST`.
        """
        self._start(forbidden, judged - {name})
        with _room_for_depth():
            for bound in self._globals.get(name, []):
                self._reach(bound, None)
        return tuple(self._uses.values())

    def _reach(self, bound: Imported | Bound, mention: tuple[ast.AST, Scope] | None) -> None:
        """Visits what a name stands for; an imported operation is used where the name is mentioned."""
        if isinstance(bound, Imported):
            if mention is not None:
                self._note(self._forbidden.operation(bound.path), *mention)
        elif isinstance(bound.node, DEFINITIONS) or self._is_new(bound.node):
            self._visit(bound.node, bound.scope)

    def _reach_inside(self, name: str, bound: Bound, mention: tuple[ast.AST, Scope]) -> None:
        """Visits another exercise's definition, in which what its reference calls is free."""
        before, self._inside = self._inside, name
        self._reach(bound, mention)
        self._inside = before

    def _is_new(self, node: ast.AST) -> bool:
        """Whether a node was not visited before; functions may call each other, and names stand for themselves."""
        new = (self._inside, id(node)) not in self._visited
        self._visited.add((self._inside, id(node)))
        return new

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                if isinstance(node, ast.Lambda) or self._is_new(node):
                    self._visit_function(node, scope)
                return
            case ast.ClassDef():
                if self._is_new(node):
                    self._visit_class(node, scope)
                return
            case ast.AnnAssign(target=target, value=value):
                for part in (target, value):
                    if part is not None:
                        self._visit(part, scope)
                return
            case ast.Import() | ast.ImportFrom():
                for alias, path in imports(node):
                    self._note(self._forbidden.operation(path if alias else f"{path}.*"), node, scope)
                return
            case ast.Name(id=name, ctx=ast.Load()):
                for bound in scope.find(name):
                    if name not in self._others or isinstance(bound, Imported) or bound.scope.outer is not None:
                        self._reach(bound, (node, scope))
                    elif self._free is not None:
                        self._reach_inside(name, bound, (node, scope))
                return
            case ast.Attribute() | ast.Call() | ast.Subscript():
                if self._visit_operation(node, scope):
                    return
            case ast.Assign(targets=targets, value=value) if any(map(_is_requires_grad, targets)) and _may_be_true(
                value
            ):
                self._gradient("Tensor.requires_grad = True", node, scope)
        for child in ast.iter_child_nodes(node):
            self._visit(child, scope)

    def _visit_function(self, node: Function, scope: Scope) -> None:
        outside = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
        outside += [] if isinstance(node, ast.Lambda) else node.decorator_list
        for default in outside:
            self._visit(default, scope)
        inner = Scope(scope.lines, {}, scope, [])
        parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        for parameter in parameters:
            if parameter is not None:
                inner.bind(parameter.arg, OPAQUE, certain=True)
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
        bind_all(body, inner, certain=False)
        for part in body:
            self._visit(part, inner)

    def _visit_class(self, node: ast.ClassDef, scope: Scope) -> None:
        for part in [*node.bases, *node.keywords, *node.decorator_list, *node.body]:
            self._visit(part, scope)

    def _visit_operation(self, node: ast.Attribute | ast.Call | ast.Subscript, scope: Scope) -> bool:
        """Notes an attribute or a call that is forbidden; True if nothing inside of it is left to visit."""
        path = path_of(node, scope)
        if path:
            self._note(self._forbidden.operation(path), node, scope)
        match node:
            case ast.Attribute() if not path:
                self._visit_chain(node, scope)
                return True
            case ast.Call(func=ast.Name(id="getattr"), args=[value, name, *_]) if not path:
                self._method(text_of(name, scope), node, scope, value)
            case ast.Call(func=ast.Name(id="methodcaller") | ast.Attribute(attr="methodcaller"), args=[name, *_]):
                self._method(text_of(name, scope), node, scope, None)
            case ast.Call(keywords=keywords):
                if any(keyword.arg == "requires_grad" and _may_be_true(keyword.value) for keyword in keywords):
                    self._gradient("requires_grad=True", node, scope)
        return bool(path) and isinstance(node, ast.Attribute)

    def _visit_chain(self, node: ast.Attribute, scope: Scope) -> None:
        """Visits ``x.a.b.c`` of which ``x`` has no path, so that none of it has."""
        while True:
            if isinstance(node.ctx, ast.Load):
                self._method(node.attr, node, scope, node.value)
            if not isinstance(node.value, ast.Attribute):
                break
            node = node.value
        self._visit(node.value, scope)

    def _method(self, name: str | None, node: ast.AST, scope: Scope, value: ast.AST | None) -> None:
        """Notes ``value.name``, unless it may be a member of a student's own class."""
        # Whether `x` is a tensor cannot be read: a name that a student's class has too is left to the watch.
        if name is not None and name not in self._own and not (value is not None and _is_own(value, scope)):
            self._note(self._forbidden.method(name), node, scope)

    def _is_free(self, operation: str) -> bool:
        free = (self._free or {}).get(self._inside, frozenset()) if self._inside else frozenset()
        return last_name(operation) in free

    def _gradient(self, how: str, node: ast.AST, scope: Scope) -> None:
        self._note(how if "autograd" in self._forbidden.families else None, node, scope)

    def _note(self, operation: str | None, node: ast.AST, scope: Scope) -> None:
        if operation is not None and not self._is_free(operation):
            line = getattr(node, "lineno", 0)
            text = scope.lines[line - 1].strip() if 0 < line <= len(scope.lines) else ""
            self._uses.setdefault((operation, line, text), Use(operation, line, text))


def _is_own(value: ast.AST, scope: Scope) -> bool:
    """Whether an expression names a function or class that the student defines."""
    found = scope.find(value.id) if isinstance(value, ast.Name) else []
    return any(isinstance(bound, Bound) and isinstance(bound.node, DEFINITIONS) for bound in found)


@contextmanager
def _room_for_depth() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _members(tree: ast.Module) -> Iterator[str]:
    """What objects of a cell's classes have: methods, attributes of the class, attributes set on ``self``."""
    left: list[tuple[ast.AST, bool]] = [(tree, False)]
    while left:
        part, inside = left.pop()
        match part:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if inside:
                yield name
            case ast.Attribute(value=ast.Name(id="self"), attr=attr, ctx=ast.Store()) if inside:
                yield attr
            case ast.ClassDef(body=body):
                for statement in body:
                    for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
                        if isinstance(target, ast.Name):
                            yield target.id
        inside = inside or isinstance(part, ast.ClassDef)
        left += [(child, inside) for child in ast.iter_child_nodes(part)]


def _is_requires_grad(target: ast.AST) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == "requires_grad"


def _may_be_true(value: ast.AST) -> bool:
    return not (isinstance(value, ast.Constant) and not value.value)
