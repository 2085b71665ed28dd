"""What the names of a student's code stand for, as far as that can be read."""

import ast
import builtins
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType

# Longer no operation's name is, and of more parts nobody puts one together.
LONGEST_TEXT, MOST_PARTS = 200, 200


@dataclass(frozen=True)
class Imported:
    path: str


@dataclass(frozen=True)
class Bound:
    """A definition or an expression, where it stands."""

    node: ast.AST
    scope: "Scope"


OPAQUE = Imported("")


@dataclass(frozen=True)
class Scope:
    """Names of a module or of a function, each with what it may stand for.

    Attributes:
        stars: modules of which everything was imported, and whether that surely ran.
    """

    lines: Sequence[str]
    names: dict[str, list[Imported | Bound]] = field(default_factory=dict)
    outer: "Scope | None" = None
    stars: list[tuple[str, bool]] = field(default_factory=list)

    def find(self, name: str) -> list[Imported | Bound]:
        if name in self.names:
            return self.names[name]
        if self.outer is not None:
            return self.outer.find(name)
        if not hasattr(builtins, name):
            return self._from_stars(name)
        return []

    def _from_stars(self, name: str) -> list[Imported | Bound]:
        """What stars may have given ``name``: the last one that surely did hides those before it."""
        found: list[Imported | Bound] = []
        for star, certain in reversed(self.stars):
            module = sys.modules.get(star)
            if module is None or _exports(module, name):
                found.append(Imported(f"{star}.{name}"))
                if certain and module is not None:
                    break
        return found

    def bind(self, name: str, value: Imported | Bound, *, certain: bool) -> None:
        if certain:
            self.names[name] = [value]
        else:
            self.names.setdefault(name, []).append(value)


def bind_all(statements: Sequence[ast.AST], scope: Scope, *, certain: bool) -> None:
    """Binds what statements define, those in blocks too, those in functions and classes not.

    ``certain`` says that a statement surely runs, so that it replaces what stood there before.
    """
    for statement in statements:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                scope.bind(name, Bound(statement, scope), certain=certain)
                continue
            case ast.Lambda():
                continue
            case ast.Import() | ast.ImportFrom():
                for alias, path in imports(statement):
                    if alias:
                        scope.bind(alias, Imported(path), certain=certain)
                    else:
                        scope.stars.append((path, certain))
                continue
            case ast.Assign(targets=targets, value=value):
                _bind_targets(targets, value, scope, certain)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                _bind_targets([target], value, scope, certain)
            case ast.NamedExpr(target=target, value=value):
                _bind_targets([target], value, scope, certain)
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                _bind_loop(target, value, scope)
            case ast.withitem(context_expr=value, optional_vars=target) if target is not None:
                _bind_opaque(target, scope)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    scope.names.setdefault(name, list(scope.outer.find(name)) if scope.outer else [])
        bind_all(list(ast.iter_child_nodes(statement)), scope, certain=False)


def _bind_targets(targets: Sequence[ast.expr], value: ast.expr, scope: Scope, certain: bool) -> None:
    # Looked through once for all targets, of which there may be as many as the value has parts.
    mentioned = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)} if certain else set()
    for target in targets:
        _bind_target(target, value, scope, certain, mentioned)


def _bind_target(target: ast.AST, value: ast.expr, scope: Scope, certain: bool, mentioned: set[str]) -> None:
    match target, value:
        case ast.Name(id=name), _:
            scope.bind(name, Bound(value, scope), certain=certain and name not in mentioned)
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=values) | ast.List(elts=values))) if (
            len(targets) == len(values)
        ):
            for each, of_each in zip(targets, values, strict=True):
                _bind_targets([each], of_each, scope, certain)
        case ((ast.Tuple() | ast.List() | ast.Starred()), _):
            _bind_opaque(target, scope)


def _bind_loop(target: ast.AST, value: ast.expr, scope: Scope) -> None:
    """A loop over written-out values gives its variable each of them."""
    if isinstance(target, ast.Name) and isinstance(value, ast.Tuple | ast.List):
        for item in value.elts:
            scope.bind(target.id, Bound(item, scope), certain=False)
    else:
        _bind_opaque(target, scope)


def _bind_opaque(target: ast.AST, scope: Scope) -> None:
    for part in ast.walk(target):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            scope.bind(part.id, OPAQUE, certain=False)


def imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, and its path; a star binds ``""``."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif node.level == 0:
            module = node.module or ""
            yield ("", module) if alias.name == "*" else (alias.asname or alias.name, f"{module}.{alias.name}")


def path_of(node: ast.AST, scope: Scope, tried: set[int] | None = None) -> str:
    """The dotted path of what an expression stands for, such as ``torch.nn.functional.softmax``; "" if unknown.

    ``tried`` holds the expressions that names stood for: no name is followed in a circle.
    """
    tried = set() if tried is None else tried
    match node:
        case ast.Name(id=name):
            for bound in scope.find(name):
                path = bound.path if isinstance(bound, Imported) else _path_of_bound(bound, tried)
                if path:
                    return path
        case ast.Attribute(value=value, attr=attr):
            path = path_of(value, scope, tried)
            return path and (path if attr == "__dict__" else f"{path}.{attr}")
        case ast.NamedExpr(value=value):
            return path_of(value, scope, tried)
        case ast.Call(func=ast.Name(id="getattr"), args=[value, name, *_]):
            path, text = path_of(value, scope, tried), text_of(name, scope)
            return f"{path}.{text}" if path and text else ""
        case ast.Call(func=ast.Name(id="vars"), args=[value]):
            return path_of(value, scope, tried)
        case ast.Call(func=ast.Name(id="__import__"), args=[name, *_]):
            return (text_of(name, scope) or "").partition(".")[0]
        case ast.Call(func=function, args=[name, *_]) if path_of(function, scope, tried) == "importlib.import_module":
            return text_of(name, scope) or ""
        case ast.Subscript(value=value, slice=key):
            path, text = path_of(value, scope, tried), text_of(key, scope)
            if path and text:
                return text if path == "sys.modules" else f"{path}.{text}"
    return ""


def _path_of_bound(bound: Bound, tried: set[int]) -> str:
    if id(bound.node) in tried:
        return ""
    tried.add(id(bound.node))
    return path_of(bound.node, bound.scope, tried)


def text_of(node: ast.AST, scope: Scope) -> str | None:
    """The text that an expression is sure to give, if it could be the name of an operation."""
    parts: list[str] = []
    left, length = [(node, scope)], 0
    # Every name may double what it stands for, and one that stands for itself never ends: hence the count of parts.
    for _ in range(MOST_PARTS):
        if not left:
            return "".join(parts) if parts else None
        node, scope = left.pop()
        match node:
            case ast.Constant(value=str(text)):
                length += len(text)
                parts.append(text)
            case ast.BinOp(left=first, op=ast.Add(), right=second):
                left += [(second, scope), (first, scope)]
            case ast.JoinedStr(values=values):
                left += [(value, scope) for value in reversed(values)]
            case ast.FormattedValue(value=value):
                left.append((value, scope))
            case ast.Name(id=name) if (found := scope.find(name)) and isinstance(last := found[-1], Bound):
                left.append((last.node, last.scope))
            case _:
                return None
        if length > LONGEST_TEXT or len(left) > MOST_PARTS:
            return None
    return None


def _exports(module: ModuleType, name: str) -> bool:
    """Whether ``from module import *`` binds the name."""
    exported = getattr(module, "__all__", None)
    return hasattr(module, name) and (not name.startswith("_") if exported is None else name in exported)
