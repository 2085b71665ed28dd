"""The code of an exercise cell: the reference's signature and docstring, its body as nbgrader's solution region."""

import ast

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"


def solution_cell(source: str, name: str) -> str | None:
    """The definition of ``name`` in ``source`` with each body marked as a solution region; None if there is none.

    In a class every method's body is a region of its own.
    """
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            functions = [node] if isinstance(node, ast.FunctionDef) else _methods(node)
            marks: dict[int, list[str]] = {}
            for function in functions:
                start, end = _body_lines(function)
                indent = " " * function.body[0].col_offset
                marks.setdefault(start, []).append(indent + BEGIN)
                marks.setdefault(end + 1, []).append(indent + END)
            kept: list[str] = []
            for number in range(first, (node.end_lineno or first) + 2):
                kept.extend(marks.get(number, []))
                if number <= (node.end_lineno or first):
                    kept.append(lines[number - 1])
            return "\n".join(kept)
    return None


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [item for item in node.body if isinstance(item, ast.FunctionDef)]


def _body_lines(function: ast.FunctionDef) -> tuple[int, int]:
    """First and last line of a body without its docstring, comments above the first statement included."""
    first = function.body[0]
    end = function.end_lineno or first.lineno
    has_docstring = ast.get_docstring(function) is not None and len(function.body) > 1
    return ((first.end_lineno or first.lineno) + 1 if has_docstring else first.lineno), end
