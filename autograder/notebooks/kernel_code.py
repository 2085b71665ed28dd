"""A cell's code as a kernel would run it: magics, shell lines and help become calls, by IPython's own transformer.

The calls go to a stand-in for the shell that does nothing, see `autograder.sandbox.shell`.
"""

import ast
import re
from functools import cache
from textwrap import dedent
from typing import Any

# Cell magics whose body is Python that fills the notebook's namespace; with any other the whole cell is ignored.
PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")
# Line magics that run what follows them, as the stand-in does too.
EXECUTED = ("time", "prun")
# Lines that a kernel takes for a magic although no sign stands before them.
AUTOMAGIC = re.compile(r"^(\s*)((?:pip|conda|mamba|uv|cd|ls|ll|pwd|cat|mkdir|rm|cp|mv|man)(?:[ \t]+[^=\s].*)?)$")
MOST_AUTOMAGIC = 20
NO_LINE_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"


def as_kernel_runs(code: str) -> tuple[str, list[str]]:
    """Python that does what a kernel does with a cell, and the commands in it that do nothing when grading.

    Code that is no Python in any way is given back as it is.
    """
    # A notebook runs a cell that is indented as a whole, too.
    for python in (code, dedent(code)):
        if parsed(python) is not None:
            return python, []
    first = next((line for line in code.split("\n") if line.strip()), "")
    commands = []
    if first.startswith("%%"):
        if not first.startswith(PYTHON_MAGICS):
            return "", [first.strip()]
        commands.append(first.strip())
        body, more = as_kernel_runs(code.split(first, 1)[1].removeprefix("\n"))
        return body, [*commands, *more]
    transformed = _transformed(_without_automagic(dedent(code)))
    tree = None if transformed is None else parsed(transformed)
    if transformed is None or tree is None:
        return code, []
    return transformed, _commands(tree)


def parsed(code: str) -> ast.Module | None:
    """The tree of a cell, or None if it is not Python."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _transformed(code: str) -> str | None:
    # Python ends lines at fewer characters than `str.splitlines`, which the transformer uses.
    hidden = {ord(mark): chr(0xE000 + place) for place, mark in enumerate(NO_LINE_ENDS)}
    shown = {0xE000 + place: mark for place, mark in enumerate(NO_LINE_ENDS)}
    try:
        return str(_transformer().transform_cell(code.translate(hidden))).translate(shown)
    except Exception:  # it is made for what people type, and says in many ways what it cannot read
        return None


@cache
def _transformer() -> Any:
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def _without_automagic(code: str) -> str:
    """The code with ``pip install x`` and the like written as ``%pip install x``, where they are what is no Python."""
    for _ in range(MOST_AUTOMAGIC):
        transformed = _transformed(code)
        if transformed is None or parsed(transformed) is not None:
            break
        lines = code.split("\n")
        number = next((n for n, line in enumerate(lines) if _is_automagic(line)), None)
        if number is None:
            break
        lines[number] = AUTOMAGIC.sub(r"\1%\2", lines[number])
        code = "\n".join(lines)
    return code


def _is_automagic(line: str) -> bool:
    return AUTOMAGIC.match(line) is not None and parsed(line.strip()) is None


def _commands(tree: ast.Module) -> list[str]:
    """What the transformer made calls of, as it was written."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target], value=ast.Call() as call) if text := _command(call):
                found.append((node.lineno, f"{ast.unparse(target)} = {text}"))
            case ast.Expr(value=ast.Call() as call) if text := _command(call):
                found.append((node.lineno, text))
    return [text for _, text in sorted(found)]


def _command(call: ast.Call) -> str:
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=attr), args=args):
            texts = [str(part.value) for part in args if isinstance(part, ast.Constant)]
            return _as_typed(attr, texts) if texts else ""
    return ""


def _as_typed(method: str, texts: list[str]) -> str:
    name, rest = texts[0], " ".join(texts[1:])
    match method:
        case "run_line_magic" if name in ("pinfo", "pinfo2"):
            return f"{rest}{'?' if name == 'pinfo' else '??'}"
        case "run_line_magic" if name in EXECUTED:
            return ""
        case "run_line_magic":
            return f"%{name} {rest}".strip()
        case "system" | "getoutput":
            return f"!{name}"
    return ""
