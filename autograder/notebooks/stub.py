"""The code of an exercise cell: what it may not call, and the reference with its body as nbgrader's solution region."""

import ast
import re
import textwrap

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
WIDTH = 100
# What a guard that is called is named like; see `autograder.guards`.
GUARD = "require_"
# Sections of a reference's docstring that a student is to find out, and one that given guards say better.
DERIVATION, RAISES = "Derivation:", "Raises:"
SECTION = re.compile(r"[A-Z][a-z]+:")


def stated(says: str, code: str) -> str:
    """The code of an exercise cell under the sentence on what may not be called in it."""
    return "\n".join([*textwrap.wrap(says, WIDTH, initial_indent="# ", subsequent_indent="# "), code])


def solution_cell(source: str, name: str, *, guards_given: bool = True) -> str | None:
    """The definition of ``name`` in ``source`` with each body marked as a solution region; None if there is none.

    In a class every method's body is a region of its own. The guards at the head of a body stand above the region,
    unless the student is to write them. The docstring loses its derivation, and what it raises where guards say so.
    """
    source = _task_only(_opened(source), name, guards_given)
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            functions = [node] if isinstance(node, ast.FunctionDef) else _methods(node)
            last = node.end_lineno or first
            marks: dict[int, list[str]] = {}
            for function in functions:
                start, end = _body_lines(function, lines, guards_given)
                indent = " " * function.body[0].col_offset
                marks.setdefault(start, []).append(indent + BEGIN)
                marks.setdefault(end + 1, []).append(indent + END)
                last = max(last, end)
            kept: list[str] = []
            for number in range(first, last + 2):
                kept.extend(marks.get(number, []))
                if number <= last:
                    kept.append(lines[number - 1])
            return "\n".join(kept)
    return None


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    own = [item for item in node.body if isinstance(item, ast.FunctionDef)]
    return own + [method for item in node.body if isinstance(item, ast.ClassDef) for method in _methods(item)]


def _opened(source: str) -> str:
    """The source with every body that stands on the line of its ``def`` moved to a line of its own."""
    lines = source.splitlines()
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for function in sorted(functions, key=lambda node: -node.lineno):
        first = function.body[0]
        line = lines[first.lineno - 1].encode()
        head, body = line[: first.col_offset].decode(), line[first.col_offset :].decode()
        if head.strip() and not isinstance(first, ast.FunctionDef | ast.ClassDef):
            lines[first.lineno - 1 : first.lineno] = [head.rstrip(), " " * (function.col_offset + 4) + body]
    return "\n".join(lines)


def _task_only(source: str, name: str, guards_given: bool) -> str:
    """The source with the docstrings of ``name`` cut down to what a student has to know."""
    lines = source.splitlines()
    found = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    documented = [one for node in found if node.name == name for one in (node, *_methods_of(node))]
    for node in sorted(documented, key=lambda one: -one.lineno):
        if ast.get_docstring(node) is None:
            continue
        dropped = {DERIVATION}
        if guards_given and any(guards_of(function) for function in (node, *_methods_of(node))):
            dropped.add(RAISES)
        text = node.body[0]
        first, last = text.lineno - 1, text.end_lineno or text.lineno
        lines[first:last] = _without_sections(lines[first:last], text.col_offset, dropped)
    return "\n".join(lines)


def _without_sections(lines: list[str], indent: int, dropped: set[str]) -> list[str]:
    """A docstring's lines without the sections whose headings are named; its quotes stay."""
    if len(lines) == 1:
        return lines
    kept, skipping, left_out = lines[:1], False, False
    for line in lines[1:]:
        at_margin = bool(line.strip()) and len(line) - len(line.lstrip()) == indent
        if at_margin:
            heading = SECTION.match(line.strip())
            skipping = heading is not None and heading[0] in dropped
        left_out |= skipping
        if not skipping:
            kept.append(line)
    if not left_out:
        return lines
    quotes = lines[-1].rstrip()[-3:]
    if kept[-1].strip() == quotes:
        kept.pop()
    while len(kept) > 1 and not kept[-1].strip():
        kept.pop()
    if len(kept) == 1:
        return [kept[0].rstrip() + quotes]
    return kept if kept[-1].rstrip().endswith(quotes) else [*kept, " " * indent + quotes]


def _methods_of(node: ast.FunctionDef | ast.ClassDef) -> list[ast.FunctionDef]:
    return _methods(node) if isinstance(node, ast.ClassDef) else []


def guards_of(node: ast.FunctionDef | ast.ClassDef) -> list[ast.stmt]:
    """The guards at the head of a body: they refuse bad input and do nothing else."""
    if isinstance(node, ast.ClassDef):
        return []
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    guards: list[ast.stmt] = []
    for statement in body[:-1]:
        if not _is_guard(statement):
            break
        guards.append(statement)
    return guards


def _is_guard(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(body=[ast.Raise()], orelse=[]):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name.startswith(GUARD)
    return False


def _body_lines(function: ast.FunctionDef, lines: list[str], guards_given: bool) -> tuple[int, int]:
    """First and last line of a body without docstring and given guards, comments around its statements included."""
    first = function.body[0]
    end = function.end_lineno or first.lineno
    guards = guards_of(function) if guards_given else []
    if guards:
        start = (guards[-1].end_lineno or guards[-1].lineno) + 1
    elif ast.get_docstring(function) is not None and len(function.body) > 1:
        start = (first.end_lineno or first.lineno) + 1
    else:
        start = min([first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", []))])
        while lines[start - 2].strip() == "" or lines[start - 2].lstrip().startswith("#"):
            start -= 1
    while end < len(lines) and lines[end].startswith(" " * first.col_offset + "#"):
        end += 1
    return start, end
