"""The code of an exercise cell: what it may not call, and the reference with its body as nbgrader's solution region."""

import ast
import textwrap

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
WIDTH = 100


def stated(says: str, code: str) -> str:
    """The code of an exercise cell under the sentence on what may not be called in it."""
    return "\n".join([*textwrap.wrap(says, WIDTH, initial_indent="# ", subsequent_indent="# "), code])


def solution_cell(source: str, name: str) -> str | None:
    """The definition of ``name`` in ``source`` with each body marked as a solution region; None if there is none.

    In a class every method's body is a region of its own.
    """
    source = _opened(source)
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            functions = [node] if isinstance(node, ast.FunctionDef) else _methods(node)
            last = node.end_lineno or first
            marks: dict[int, list[str]] = {}
            for function in functions:
                start, end = _body_lines(function, lines)
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


def _body_lines(function: ast.FunctionDef, lines: list[str]) -> tuple[int, int]:
    """First and last line of a body without its docstring, comments around its statements included."""
    first = function.body[0]
    end = function.end_lineno or first.lineno
    if ast.get_docstring(function) is not None and len(function.body) > 1:
        start = (first.end_lineno or first.lineno) + 1
    else:
        start = min([first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", []))])
        while lines[start - 2].strip() == "" or lines[start - 2].lstrip().startswith("#"):
            start -= 1
    while end < len(lines) and lines[end].startswith(" " * first.col_offset + "#"):
        end += 1
    return start, end
