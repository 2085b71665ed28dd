"""The small changes that make a mutant: for each node of a definition, what may stand in its place."""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar

# Goes up whenever other mutants are made: proofs that were kept are stale then.
VERSION = 1

Node = TypeVar("Node", bound=ast.AST)

# What a node of a definition is not asked to survive: documentation, types, and the words of an error.
UNTOUCHED_FIELDS = frozenset({"annotation", "returns", "decorator_list", "exc", "cause", "msg"})
AXES = frozenset({"dim", "axis", "dims", "dim0", "dim1"})

BINARY: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
FUNCTIONS = {
    "amax": "amin",
    "amin": "amax",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "argmin": "argmax",
    "sum": "mean",
    "mean": "sum",
    "std": "var",
    "var": "std",
    "sin": "cos",
    "cos": "sin",
    "exp": "expm1",
    "expm1": "exp",
    "log": "log1p",
    "log1p": "log",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "any": "all",
    "all": "any",
    "triu": "tril",
    "tril": "triu",
    "ceil": "floor",
    "floor": "ceil",
}


@dataclass(frozen=True)
class Change:
    """One change: ``new`` stands in the place of ``old``, a node of the definition; None is ``pass``."""

    kind: str
    old: ast.expr | ast.stmt | ast.Slice
    new: ast.AST | None


@dataclass(frozen=True)
class Place:
    """A node, what it stands in, and what a change has to know of the definition around it."""

    node: ast.AST
    parent: ast.AST
    flags: frozenset[str]
    modules: frozenset[str]


Mutation = Callable[[Place], Iterator[Change]]


def changes_of(definition: ast.FunctionDef | ast.ClassDef, modules: frozenset[str]) -> Iterator[Change]:
    """Every change of a definition, in the order of its text.

    Args:
        definition: a function or a class of a parsed module.
        modules: names of imported modules, which are no values.
    """
    flags = frozenset(
        arg.arg
        for node in ast.walk(definition)
        if isinstance(node, ast.arguments)
        for arg in (*node.args, *node.kwonlyargs)
        if isinstance(arg.annotation, ast.Name) and arg.annotation.id == "bool"
    )
    for node, parent in _live(definition, definition):
        for mutation in MUTATIONS:
            yield from mutation(Place(node, parent, flags, modules))


def _live(node: ast.AST, parent: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    if _is_docstring(node) or isinstance(node, ast.JoinedStr):
        return
    yield node, parent
    for field, value in ast.iter_fields(node):
        if field not in UNTOUCHED_FIELDS:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _live(child, node)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _with(node: Node, **fields: Any) -> Node:
    changed = deepcopy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _number(value: float) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def _replaced(items: list[Any], at: int, new: Any) -> list[Any]:
    return [*items[:at], new, *items[at + 1 :]]


def _operators(place: Place) -> Iterator[Change]:
    match place.node:
        case ast.BinOp(left, op, right) as node:
            for other in BINARY.get(type(op), ()):
                yield Change("operator", node, _with(node, op=other()))
            # A term, a factor or an epsilon forgotten.
            yield Change("operand", node, left)
            yield Change("operand", node, right)
        case ast.AugAssign(target, op, value) as node:
            for other in BINARY.get(type(op), ()):
                yield Change("operator", node, _with(node, op=other()))
            yield Change("operator", node, ast.Assign([target], value))
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand) as node:
            yield Change("sign", node, operand)
        case ast.BoolOp(op, values) as node:
            yield Change("boolean", node, _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And()))
            for at in range(len(values)):
                rest = values[:at] + values[at + 1 :]
                yield Change("boolean", node, rest[0] if len(rest) == 1 else _with(node, values=rest))


def _comparisons(place: Place) -> Iterator[Change]:
    if isinstance(node := place.node, ast.Compare):
        for at, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                yield Change("comparison", node, _with(node, ops=_replaced(node.ops, at, other())))


def _constants(place: Place) -> Iterator[Change]:
    if not isinstance(node := place.node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield Change("constant", node, ast.Constant(not value))
    elif isinstance(value, str):
        yield Change("constant", node, ast.Constant("" if value else "other"))
    elif isinstance(value, int | float):
        # Below a minus sign the opposite is that sign forgotten, which is a change of its own.
        opposite = () if isinstance(place.parent, ast.UnaryOp) else (-value,)
        for other in dict.fromkeys(type(value)(v) for v in (value + 1, value - 1, *opposite, 0, 1, 2 * value)):
            if other != value:
                yield Change("constant", node, _number(other))


def _conditions(place: Place) -> Iterator[Change]:
    match place.node:
        case ast.If(test) | ast.IfExp(test):
            yield Change("condition", test, ast.Constant(True))
            yield Change("condition", test, ast.Constant(False))
        case ast.While(test):
            yield Change("condition", test, ast.Constant(False))
        case ast.comprehension(ifs=tests):
            for test in tests:
                yield Change("condition", test, ast.Constant(True))


def _calls(place: Place) -> Iterator[Change]:
    if not isinstance(node := place.node, ast.Call):
        return
    args, receiver = node.args, _receiver(node, place.modules)
    if not isinstance(place.parent, ast.Expr):
        for inside in [receiver] if receiver is not None else args:
            yield Change("call dropped", node, inside)
    for at in range(len(args) - 1):
        swapped = [*args[:at], args[at + 1], args[at], *args[at + 2 :]]
        yield Change("arguments swapped", node, _with(node, args=swapped))
    if len(args) > 1 or (args and receiver is not None):
        yield Change("argument dropped", node, _with(node, args=args[:-1]))
    for keyword in node.keywords:
        rest = [other for other in node.keywords if other is not keyword]
        yield Change("keyword dropped", node, _with(node, keywords=rest))
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in FUNCTIONS:
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield Change("function", node, _with(node, func=_with(node.func, **{field: FUNCTIONS[name]})))
    if name == "range" and args and not isinstance(args[-1], ast.Constant):
        for step in (1, -1):
            end = ast.BinOp(args[-1], ast.Add() if step > 0 else ast.Sub(), ast.Constant(1))
            yield Change("range", node, _with(node, args=[*args[:-1], end]))


def _receiver(call: ast.Call, modules: frozenset[str]) -> ast.expr | None:
    """What a method is called on; None for a function, also one of a module."""
    if not isinstance(call.func, ast.Attribute):
        return None
    value = root = call.func.value
    while isinstance(root, ast.Attribute):
        root = root.value
    return None if isinstance(root, ast.Name) and root.id in modules else value


def _slices(place: Place) -> Iterator[Change]:
    if isinstance(node := place.node, ast.Slice):
        for field in ("lower", "upper"):
            bound = getattr(node, field)
            if bound is not None and not isinstance(bound, ast.Constant):
                for op in (ast.Add(), ast.Sub()):
                    yield Change("slice", node, _with(node, **{field: ast.BinOp(bound, op, ast.Constant(1))}))
        if node.step is not None:
            yield Change("slice", node, _with(node, step=None))


def _names(place: Place) -> Iterator[Change]:
    if not (isinstance(node := place.node, ast.Name) and isinstance(node.ctx, ast.Load)):
        return
    if node.id in AXES and isinstance(place.parent, ast.Call | ast.keyword):
        yield Change("axis", node, _number(0))
        yield Change("axis", node, _number(-1))
        yield Change("axis", node, ast.BinOp(node, ast.Sub(), ast.Constant(1)))
    if node.id in place.flags and not isinstance(place.parent, ast.If | ast.IfExp):
        yield Change("flag", node, ast.UnaryOp(ast.Not(), node))


def _statements(place: Place) -> Iterator[Change]:
    node, parent = place.node, place.parent
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        items = node.value.elts
        for at in range(len(items) - 1):
            swapped = [*items[:at], items[at + 1], items[at], *items[at + 2 :]]
            yield Change("results swapped", node, _with(node, value=_with(node.value, elts=swapped)))
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield Change("error", node, _with(node, exc=_with(node.exc, func=ast.Name("RuntimeError"))))
        yield Change("error", node, _with(node, exc=_with(node.exc, args=[])))
    if isinstance(node, ast.Break):
        yield Change("statement", node, ast.Continue())
    droppable = isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Raise | ast.Return | ast.For | ast.With)
    if droppable and not _is_last_return(node, parent) and not _is_all_of_a_branch(node, parent):
        assert isinstance(node, ast.stmt)
        yield Change("statement", node, None)


def _is_last_return(node: ast.AST, parent: ast.AST) -> bool:
    return isinstance(node, ast.Return) and isinstance(parent, ast.FunctionDef) and parent.body[-1] is node


def _is_all_of_a_branch(node: ast.AST, parent: ast.AST) -> bool:
    """Dropping it is the same as a condition that never holds."""
    return isinstance(parent, ast.If) and not parent.orelse and parent.body == [node]


MUTATIONS: tuple[Mutation, ...] = (
    _operators,
    _comparisons,
    _constants,
    _conditions,
    _calls,
    _slices,
    _names,
    _statements,
)
